"""Reply intents: the things a customer may want to say. The words for each are data, in `policy/data/replies/`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ReplyIntent(StrEnum):
    """The intent of a reply. The values are kept with the reply and appear in events and reports."""

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
    The reading of a reply: none, one or several intents, in the order of `ReplyIntent`.

    `promised_on` is the local day of a `PROMISE`, or `None` if the reply names no certain day. `digits` are the last
    digits of an account that the reply names, or empty.
    """

    intents: tuple[ReplyIntent, ...] = ()
    promised_on: date | None = None
    digits: str = ""
