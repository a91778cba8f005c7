"""Outcomes: with what a case is closed, what follows, and the refusal of an act. Every page imports it: it is light."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from dunning.domain.customer.facts import HoldReason
from dunning.domain.errors import DunningError, ServiceCallError
from dunning.services.console.shown import SentenceShown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dunning.ports.lender_bus import LenderBus, WrittenEvent

LONGEST_NOTE = 1000
"""Characters of a note."""

FARTHEST = timedelta(days=366)
"""How far in the future the end of a hold or the day of a promise may be."""


ERASURE_REASONS = ("own_request", "wrong_data", "legal_duty", "contract_over")
"""Why a customer is to be erased. A text would hold personal data sooner or later."""

CONFIRMATION = "RESUME"
"""What has to be typed before sending is resumed."""

SHORTEST_REASON, LONGEST_REASON = 4, 200
"""Characters of the reason for which sending is paused or resumed: four say enough in Chinese, as 系統維護."""


class Outcome(StrEnum):
    """With what a case is closed. The values stand in events, in cases and in the audit trail."""

    RELEASED = "released"
    HOLD_UNTIL = "hold_until"
    PROMISE_UNTIL = "promise_until"
    OPTED_OUT = "opted_out"
    WRONG_PERSON = "wrong_person"
    DECEASED = "deceased"
    REPRESENTED = "represented"
    HARDSHIP = "hardship"
    DISPUTE = "dispute"
    ATTENDED = "attended"


DATED = frozenset({Outcome.HOLD_UNTIL, Outcome.PROMISE_UNTIL})
"""Outcomes that need a day."""

HOLD_REASONS = (
    HoldReason.DISPUTE,
    HoldReason.HARDSHIP,
    HoldReason.PROMISE,
    HoldReason.VULNERABLE,
    HoldReason.COMPLAINT,
    HoldReason.MORATORIUM,
    HoldReason.DISASTER,
    HoldReason.LEGAL,
    HoldReason.BANKRUPT,
    HoldReason.DECEASED,
    HoldReason.REPRESENTED,
    HoldReason.WRONG_PERSON,
    HoldReason.CEASED,
    HoldReason.OTHER,
)
"""The reasons that a person may give. The others are the system's own."""


class ActRefusedError(DunningError):
    """An act is not done; `why` says why, for whoever wanted it."""

    def __init__(self, why: SentenceShown) -> None:
        super().__init__(why.key)
        self.why = why


def put_on_bus(bus: LenderBus, written: Sequence[WrittenEvent]) -> None:
    """
    Put what a person has decided on the lender's bus.

    Raises:
        ActRefusedError: the bus does not take all of it.
    """
    try:
        bus.put(written)
    except ServiceCallError as error:
        raise ActRefusedError(SentenceShown("refused.bus")) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeForm:
    """What a person writes when closing a case."""

    outcome: str
    until: date | None = None
    reply_id: str = ""
    reason: str = ""


def what_follows(outcome: Outcome, day: date | None) -> SentenceShown:
    """Return what follows an outcome, for whoever has closed a case with it."""
    match outcome:
        case Outcome.RELEASED | Outcome.ATTENDED | Outcome.OPTED_OUT | Outcome.REPRESENTED:
            return SentenceShown(f"follows.{outcome.value}")
        case Outcome.PROMISE_UNTIL if day:
            return SentenceShown("after.promise", {"day": day})
        case _ if day:
            return SentenceShown("after.until", {"day": day})
        case _:
            return SentenceShown("after.until_released")
