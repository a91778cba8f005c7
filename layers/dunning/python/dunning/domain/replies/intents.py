"""
Reply intents: what customers may want to say, and the reading of a reply.

What follows from each intent is in `consequences`. Words that always count are in `policy/data/replies/`; all other
intents are estimated by the statistical reader.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ReplyIntent(StrEnum):
    """The intent of a reply. The values are kept with the reply and appear in events, reports and the corpus."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    PAID = "paid"
    PROMISE = "promise"
    HARDSHIP = "hardship"
    DISPUTE = "dispute"
    REFUSAL = "refusal"
    WRONG_PERSON = "wrong_person"
    DECEASED = "deceased"
    REPRESENTED = "represented"
    COMPLAINT = "complaint"
    DISTRESS = "distress"
    SUSPICION = "suspicion"
    QUESTION = "question"
    ACKNOWLEDGED = "acknowledged"
    AUTO_REPLY = "auto_reply"
    CHAT = "chat"


QUIET_INTENTS = frozenset({ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY})
"""Intents that ask for nothing. Only a reply that surely has one of these, and nothing else, changes nothing."""

STANDING_ALONE = QUIET_INTENTS | {ReplyIntent.CHAT}
"""Intents that ask for nothing of the lender. A reply with one of these has no other intent."""


def in_order(intents: Iterable[ReplyIntent]) -> tuple[ReplyIntent, ...]:
    """Return intents in the order of `ReplyIntent`, each once."""
    given = frozenset(intents)
    return tuple([intent for intent in ReplyIntent if intent in given])


class Band(StrEnum):
    """How certain an intent is. The thresholds are measured, and stand beside the weights of the reader."""

    SURE = "sure"
    LIKELY = "likely"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """
    The reading of a reply. Intents stand in the order of `ReplyIntent`.

    `sure` intents are acted on. `likely` intents silence the reminders, and a person confirms them. `guess` is the best
    guess at the whole set, whatever its band: for people, reports and measurements. `promised_on` is the local day of a
    promise, or `None` if the reply names no certain day. `digits` are the last digits of an account that the reply
    names, or empty. `by_fixed_word` says that a word settled by law or carriers decided. `why` names what was decisive
    (features, never the text).
    """

    sure: tuple[ReplyIntent, ...] = ()
    promised_on: date | None = None
    digits: str = ""
    likely: tuple[ReplyIntent, ...] = ()
    guess: tuple[ReplyIntent, ...] = ()
    by_fixed_word: bool = False
    why: tuple[str, ...] = ()

    @property
    def is_surely_quiet(self) -> bool:
        """Whether the reply surely asks for nothing, so that the reminders may go on."""
        return bool(self.sure) and QUIET_INTENTS.issuperset((*self.sure, *self.likely))

    @property
    def is_in_doubt(self) -> bool:
        """Whether the reading is not to be relied on: nothing is sure, or something beside it is only likely."""
        return not self.sure or bool(self.likely)

    def band(self, intent: ReplyIntent) -> Band:
        """Return how certain an intent is."""
        if intent in self.sure:
            return Band.SURE
        return Band.LIKELY if intent in self.likely else Band.DOUBT
