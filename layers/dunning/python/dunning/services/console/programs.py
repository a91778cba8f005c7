"""
Programs: who reads the console without a browser.

API Gateway checks the token of a program before anything gets here: signature, issuer, audience, end, and one of the
scopes of the route. What the token says then arrives as text. A program is a viewer like a person, so that the same
table says what it may see and the same trail says what it saw. It only reads, so its scope gives it a role of those
that people have.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from dunning.ports.sessions import Role, Viewer

_LONGEST_SUBJECT = 80
_PROGRAM = "program:"


class ProgramScope(StrEnum):
    """What a program may read. A token names scopes by words of the lender's choice."""

    READ = "read"
    """The numbers of a day, and a customer, masked."""
    AUDIT = "audit"
    """The audit trail."""


ROLE_OF_SCOPE: Mapping[ProgramScope, Role] = {ProgramScope.READ: Role.MANAGER, ProgramScope.AUDIT: Role.COMPLIANCE}
"""As whom a program looks at what its scope opens."""


def scopes_of(claims: Mapping[str, object]) -> frozenset[str]:
    """Return the scopes that claims name. A list in a token arrives as text in brackets."""
    written = (claims.get(name) for name in ("scope", "scp"))
    return frozenset(word for text in written if isinstance(text, str) for word in _scope_words(text))


def program_with(claims: Mapping[str, object], scope: ProgramScope, named: str) -> Viewer | None:
    """
    Return the program that claims speak of, as a viewer; `None` if they do not name the scope.

    Args:
        claims: what the token of the program says.
        scope: what the program wants to do.
        named: the scope's name in tokens.
    """
    subject = claims.get("sub") or claims.get("client_id")
    if not isinstance(subject, str) or not subject or named not in scopes_of(claims):
        return None
    # A colon is in no id of a person's session, and `program:` says in the trail that nobody looked with their eyes.
    return Viewer(_PROGRAM + subject[: _LONGEST_SUBJECT - len(_PROGRAM)], ROLE_OF_SCOPE[scope])


def _scope_words(text: str) -> Iterable[str]:
    return text.strip("[]").replace(",", " ").split()
