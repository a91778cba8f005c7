"""
Logins: the flow with the identity provider, and the sessions that follow from it.

While somebody logs in, the browser alone keeps a secret, in a cookie that no other site can set. State, nonce and
verifier are worked out from the secret, so that nothing is stored before somebody is known, and there is no key.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from dunning.domain.errors import DunningError
from dunning.ports.clock import Clock
from dunning.ports.identity_provider import IdentityProvider
from dunning.ports.sessions import Role, Session, Sessions, Viewer

SESSION_LASTS = timedelta(hours=8)
IDLE_AT_MOST = timedelta(minutes=30)
SEEN_EVERY = timedelta(minutes=1)
"""How often it is written down that a session is used."""

LOGIN_LASTS = timedelta(minutes=10)
"""How long the browser keeps the secret of a login."""

_CLOCKS_DIFFER = timedelta(minutes=2)
_LONGEST_SUBJECT = 80


class LoginError(DunningError):
    """A login is refused. `code` says why, for a page and for the log; it holds nothing personal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class LoginBegun(NamedTuple):
    """A login that has begun: the secret that the browser keeps, and where it goes."""

    secret: str
    address: str


class LoggedIn(NamedTuple):
    """A session that has begun, and the id that the browser keeps."""

    session_id: str
    session: Session


class LoginService:
    """
    Logs people in and out.

    Args:
        sessions: all sessions.
        provider: where people log in.
        clock: the time.
        groups: the role of each group of the provider.
        group_claim: the claim that names the groups of a person.
        new_secret: makes 256 random bits, in characters that a cookie may hold.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        provider: IdentityProvider,
        clock: Clock,
        groups: Mapping[str, Role],
        group_claim: str,
        new_secret: Callable[[], str],
    ) -> None:
        self._sessions = sessions
        self._provider = provider
        self._clock = clock
        self._groups = groups
        self._group_claim = group_claim
        self._new_secret = new_secret

    def begin(self) -> LoginBegun:
        """
        Begin a login.

        Raises:
            IdentityError: the provider cannot be asked.
        """
        secret = self._new_secret()
        challenge = _base64(hashlib.sha256(_verifier(secret).encode()).digest())
        return LoginBegun(secret, self._provider.login_address(_state(secret), _nonce(secret), challenge))

    def finish(self, secret: str, state: str, code: str, former_session_id: str = "") -> LoggedIn:
        """
        End a login with a session of a new id. A session that the browser had before ends.

        Raises:
            IdentityError: the provider does not know the code, or cannot be asked.
            LoginError: the browser has not begun this login, or the person may not enter.
        """
        if not secret or not hmac.compare_digest(_state(secret), state):
            raise LoginError("not_begun_here")
        claims = self._provider.claims(code, _verifier(secret))
        now = self._clock.now()
        self._check(claims, secret, now)
        viewer = Viewer(_subject(claims), self._role(claims))
        session_id = self._new_secret()
        session = Session(
            key=session_key(session_id), viewer=viewer, began_at=now, seen_at=now, ends_at=now + SESSION_LASTS
        )
        if former_session_id:
            self._sessions.remove(session_key(former_session_id))
        self._sessions.add(session)
        return LoggedIn(session_id, session)

    def session(self, session_id: str) -> Session | None:
        """Return the session of an id if it has not ended, and write down that it is used."""
        if not session_id:
            return None
        found = self._sessions.find(session_key(session_id))
        now = self._clock.now()
        if found is None or not found.began_at <= now < min(found.ends_at, found.seen_at + IDLE_AT_MOST):
            return None
        if now - found.seen_at >= SEEN_EVERY:
            self._sessions.seen(found.key, now)
            return replace(found, seen_at=now)
        return found

    def log_out(self, session_id: str) -> str:
        """End a session, and return where the provider ends its own; empty if it says nowhere."""
        if session_id:
            self._sessions.remove(session_key(session_id))
        return self._provider.logout_address()

    def _check(self, claims: Mapping[str, Any], secret: str, now: datetime) -> None:
        """Check the claims of an ID token as OpenID Connect Core 3.1.3.7 demands."""
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self._provider.issuer:
            raise LoginError("issuer")
        if self._provider.client_id not in audiences:
            raise LoginError("audience")
        if len(audiences) > 1 and claims.get("azp") != self._provider.client_id:
            raise LoginError("audience")
        if not _is_time(claims.get("exp")) or claims["exp"] <= (now - _CLOCKS_DIFFER).timestamp():
            raise LoginError("expired")
        if not _is_time(claims.get("iat")) or claims["iat"] > (now + _CLOCKS_DIFFER).timestamp():
            raise LoginError("issued_later")
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(_nonce(secret), nonce):
            raise LoginError("nonce")

    def _role(self, claims: Mapping[str, Any]) -> Role:
        """Return the role of a person's group. Of several roles there is no saying which: nobody enters with two."""
        groups = claims.get(self._group_claim)
        names: Sequence[object] = groups if isinstance(groups, list) else [groups]
        roles = {self._groups[name] for name in names if isinstance(name, str) and name in self._groups}
        if len(roles) != 1:
            raise LoginError("several_roles" if roles else "no_role")
        return roles.pop()


def session_key(session_id: str) -> str:
    """Return the key under which a session is kept: who reads the table cannot log in with it."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def form_token(session_id: str) -> str:
    """Return what a form of a session has to send along."""
    return _derived(session_id, "form")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or "@" in subject:
        raise LoginError("subject")
    return subject


def _is_time(claim: object) -> bool:
    return isinstance(claim, int | float) and not isinstance(claim, bool)


def _state(secret: str) -> str:
    return _derived(secret, "state")


def _nonce(secret: str) -> str:
    return _derived(secret, "nonce")


def _verifier(secret: str) -> str:
    return _derived(secret, "verifier")


def _derived(secret: str, purpose: str) -> str:
    return _base64(hmac.digest(secret.encode(), purpose.encode(), "sha256"))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
