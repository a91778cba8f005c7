"""
Disclosure: what may be seen or heard by others than the customer says nothing of a debt.

That is the subject of a mail, the line beside it in a list of mails, and all that a machine says on the telephone.
"""

import unicodedata
from collections.abc import Mapping

from dunning.domain.texts.lint.findings import RuleInfo, blocking

DISCLOSED_NUMBER = blocking(
    "disclosed-number",
    "no number but the one to call where others can see or hear it: no amount, no day, no account",
    "TW outsourcing rules art. 14-III-2 and 14-III-3; GB CONC 7.9.4 and 7.9.10",
    "V",
)
DISCLOSED_NAME = blocking(
    "disclosed-name",
    "no name of the customer where others can see or hear it, not even a masked one",
    "Civil Code (CN) art. 1032 and 1033; TW outsourcing rules art. 14-III-3",
    "V",
)
RULES: tuple[RuleInfo, ...] = (DISCLOSED_NUMBER, DISCLOSED_NAME)


def without_lenders_words(text: str, values: Mapping[str, str]) -> str:
    """Return a text without the sender's name and the number to call, each a clause of its own."""
    for name in ("sender", "hotline"):
        if value := values.get(name):
            text = text.replace(value, ";")
    return text


def number_disclosed(text: str) -> str:
    """Refuse every figure of any script."""
    shown = any(unicodedata.category(character)[0] == "N" for character in text)
    return "holds a number that is not the one to call" if shown else ""


def name_disclosed(text: str, *names: str) -> str:
    """Refuse the names of the customer, in whatever case and however it is spaced."""
    within = _name_as_compared(text)
    return "holds the customer's name" if any(name and _name_as_compared(name) in within for name in names) else ""


def _name_as_compared(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
