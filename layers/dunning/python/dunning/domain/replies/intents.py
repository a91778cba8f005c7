"""Reply intents: what a customer wants to tell us. Which words mean what is data, in `policy/data/replies/`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ReplyIntent(StrEnum):
    """What somebody wants to tell us. The values are kept with the reply and appear in events and reports."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    PAID = "paid"
    PROMISE = "promise"
    HARDSHIP = "hardship"
    DISPUTE = "dispute"
    WRONG_PERSON = "wrong_person"
    DECEASED = "deceased"
    REPRESENTED = "represented"
    COMPLAINT = "complaint"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """
    What a reply means: none, one or several intents, in the order of `ReplyIntent`.

    `promised_on` is the local day of a `PROMISE`, `None` if it names none that is certain. `digits` are the last digits
    of an account the reply speaks of, or empty.
    """

    intents: tuple[ReplyIntent, ...] = ()
    promised_on: date | None = None
    digits: str = ""
