"""
Consequences: what follows from each intent of a reply, when it is sure, and when it is only likely. Pure.

`reply_effects` follows this table, the page on the design shows it, and a test holds both against it. Three rules stand
beside the table:

- In doubt be silent. A reply in which nothing is sure, or something is only likely, silences the reminders for
  `doubt_days` working days besides all that follows from its intents, and `ReplyNotUnderstood` is published. Only a
  reply that surely asks for nothing changes nothing.
- Paid or not yet paid. If both a payment and a promise are heard, and they are not both sure, no promise is recorded:
  a person finds out.
- The longest silence counts, whichever reply and whichever intent it is from.

Nobody is reminded before a person could have read the reply. Exceptions are a reply that is surely quiet, and a reply
that surely asks for texts and for nothing else (`opt_in`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.customer.facts import HoldReason
from dunning.domain.outbound_events import URGENT_REVIEWS, ReviewReason
from dunning.domain.replies.intents import Band, ReplyIntent


class Silence(StrEnum):
    """How long the reminders are silent, in words."""

    NOTHING_CHANGES = "nothing changes"
    OPTED_OUT = "no text any more"
    OPTED_IN = "texts again, if opted out"
    UNTIL_PAID = "silence for `grace_days`, or until it is paid"
    UNTIL_PROMISED_DAY = (
        "silence until the day, or until it is paid; without a certain day for `grace_days`, and a person"
    )
    UNTIL_RELEASED = "silence until a person has looked"
    UNTIL_CONFIRMED = "silence until a person has confirmed it"
    CONTACT_ENDS = "no contact any more"
    CONTACT_ENDS_BY_LAW = "no contact any more where the law says so (`ceased`), else silence until a person has looked"
    QUESTION_DAYS = "silence for `question_days` working days at most"
    DOUBT_DAYS = "silence for `doubt_days` working days"


class Consequence(NamedTuple):
    """What follows from one intent in one band: the silence, the hold behind it, and why a person is called."""

    silence: Silence
    hold: HoldReason | None = None
    review: ReviewReason | None = None

    @property
    def words(self) -> str:
        """The consequence in plain words."""
        parts = [self.silence.value]
        if self.hold:
            parts[0] += f" (`{self.hold.value}`)"
        if self.review in URGENT_REVIEWS:
            parts.append("a person at once, and no automatic text of any kind")
        elif self.review:
            parts.append("a person")
        return "; ".join(parts)


class IntentConsequences(NamedTuple):
    """One row of the table. `meaning` goes on after "the customer"."""

    meaning: str
    sure: Consequence
    likely: Consequence

    def of(self, band: Band) -> Consequence:
        """Return what follows from the intent in a band. Nothing follows from an intent that is not even likely."""
        match band:
            case Band.SURE:
                return self.sure
            case Band.LIKELY:
                return self.likely
            case Band.DOUBT:
                return Consequence(Silence.NOTHING_CHANGES)


def _alike(meaning: str, silence: Silence, hold: HoldReason | None, review: ReviewReason | None) -> IntentConsequences:
    """Return a row in which the same follows whether the intent is sure or likely."""
    consequence = Consequence(silence, hold, review)
    return IntentConsequences(meaning, consequence, consequence)


def _final(meaning: str, hold: HoldReason, review: ReviewReason) -> IntentConsequences:
    """Return a row that ends contact if the intent is sure, and that a person confirms if it is likely."""
    return IntentConsequences(meaning, Consequence(Silence.CONTACT_ENDS, hold, review), _to_confirm(review))


def _to_confirm(review: ReviewReason) -> Consequence:
    return Consequence(Silence.UNTIL_CONFIRMED, HoldReason.UNCONFIRMED, review)


_IN_DOUBT = Consequence(Silence.DOUBT_DAYS, HoldReason.DOUBT)

CONSEQUENCES: Mapping[ReplyIntent, IntentConsequences] = {
    ReplyIntent.OPT_OUT: IntentConsequences(
        "wants no more texts, in any words", Consequence(Silence.OPTED_OUT), _to_confirm(ReviewReason.OPT_OUT)
    ),
    ReplyIntent.OPT_IN: IntentConsequences(
        "wants texts again, or asks to be reminded", Consequence(Silence.OPTED_IN), _IN_DOUBT
    ),
    ReplyIntent.PAID: _alike("has already paid", Silence.UNTIL_PAID, None, None),
    ReplyIntent.PROMISE: _alike("will pay, with a day or without", Silence.UNTIL_PROMISED_DAY, None, None),
    ReplyIntent.HARDSHIP: _alike(
        "cannot pay, or needs time, smaller amounts or a plan",
        Silence.UNTIL_RELEASED,
        HoldReason.HARDSHIP,
        ReviewReason.HARDSHIP,
    ),
    ReplyIntent.DISPUTE: _alike(
        "says that the debt, an amount or a date is wrong",
        Silence.UNTIL_RELEASED,
        HoldReason.DISPUTE,
        ReviewReason.DISPUTE,
    ),
    ReplyIntent.REFUSAL: IntentConsequences(
        "will not pay",
        Consequence(Silence.CONTACT_ENDS_BY_LAW, HoldReason.REFUSAL, ReviewReason.REFUSAL),
        Consequence(Silence.UNTIL_RELEASED, HoldReason.REFUSAL, ReviewReason.REFUSAL),
    ),
    ReplyIntent.WRONG_PERSON: _final(
        "is not the person meant: the number is somebody else's", HoldReason.WRONG_PERSON, ReviewReason.WRONG_PERSON
    ),
    ReplyIntent.DECEASED: _final("has died, as somebody else writes", HoldReason.DECEASED, ReviewReason.DECEASED),
    ReplyIntent.REPRESENTED: _final(
        "has a lawyer, a counsellor or a court case about debts", HoldReason.REPRESENTED, ReviewReason.REPRESENTED
    ),
    ReplyIntent.COMPLAINT: _alike(
        "complains about the texts, or threatens to go to an authority",
        Silence.UNTIL_RELEASED,
        HoldReason.COMPLAINT,
        ReviewReason.COMPLAINT,
    ),
    ReplyIntent.DISTRESS: _alike(
        "is in distress: self-harm, violence, grave illness, a death, a disaster",
        Silence.UNTIL_RELEASED,
        HoldReason.DISTRESS,
        ReviewReason.DISTRESS,
    ),
    ReplyIntent.SUSPICION: _alike(
        "thinks of a fraud, or asks who writes", Silence.UNTIL_RELEASED, HoldReason.SUSPICION, ReviewReason.SUSPICION
    ),
    ReplyIntent.QUESTION: _alike(
        "asks something, or for a call", Silence.QUESTION_DAYS, HoldReason.QUESTION, ReviewReason.QUESTION
    ),
    ReplyIntent.ACKNOWLEDGED: IntentConsequences(
        "says no more than OK or thanks", Consequence(Silence.NOTHING_CHANGES), _IN_DOUBT
    ),
    ReplyIntent.AUTO_REPLY: IntentConsequences(
        "does not write: the phone does", Consequence(Silence.NOTHING_CHANGES), _IN_DOUBT
    ),
    ReplyIntent.CHAT: _alike("says none of these", Silence.DOUBT_DAYS, HoldReason.DOUBT, None),
}
"""What follows from each intent: one row each, in the order of `ReplyIntent`."""
