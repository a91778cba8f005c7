"""
Reviews: the stops that only a person can end, each announced once, and again only after it has ended.

The page on the design shows `STOPS`, and a test holds both together.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dunning.domain.decision.decisions import Decision, Reason, Stop
from dunning.domain.decision.gates import GATES
from dunning.domain.outbound_events import ReviewReason


class StopRow(NamedTuple):
    """What ends a stop, in words, and the review that announces it; `None` if no person has to be told by us."""

    ended_by: str
    review: ReviewReason | None = None


_REPLY_OR_LENDER = "a person, who has said so or was told with the reply"
_NEW_FACTS = "a corrected file"
_NEW_POLICY = "another policy"

STOPS: Mapping[Reason, StopRow] = {
    Reason.NOTHING_OPEN: StopRow("a new instalment"),
    Reason.OPTED_OUT: StopRow("the customer alone"),
    Reason.NOT_IN_LIST: StopRow("a file that names the customer again, in the rejects of the list"),
    Reason.NUMBER_REFUSED: StopRow("another number, or a release", ReviewReason.NUMBER_REFUSED),
    Reason.SHARED_PHONE: StopRow("another number, or a release", ReviewReason.SHARED_PHONE),
    Reason.NO_CHANNEL: StopRow("an address, a consent to a channel, or a release", ReviewReason.NO_CHANNEL),
    Reason.BANKRUPT: StopRow(_REPLY_OR_LENDER),
    Reason.DECEASED: StopRow(_REPLY_OR_LENDER),
    Reason.REPRESENTED: StopRow(_REPLY_OR_LENDER),
    Reason.WRONG_PERSON: StopRow(_REPLY_OR_LENDER),
    Reason.CEASED: StopRow(_REPLY_OR_LENDER),
    Reason.NO_CONSENT: StopRow("a consent that the lender asks for", ReviewReason.NO_CONSENT),
    Reason.ON_HOLD: StopRow(_REPLY_OR_LENDER),
    Reason.UNKNOWN_LENDER: StopRow(_NEW_FACTS, ReviewReason.UNKNOWN_LENDER),
    Reason.UNKNOWN_JURISDICTION: StopRow(_NEW_FACTS, ReviewReason.UNKNOWN_JURISDICTION),
    Reason.COUNTRY_NOT_ALLOWED: StopRow(_NEW_POLICY, ReviewReason.COUNTRY_NOT_ALLOWED),
    Reason.STORED_ELSEWHERE: StopRow("a stack in a Region of the place", ReviewReason.STORED_ELSEWHERE),
    Reason.UNKNOWN_TIME_ZONE: StopRow(_NEW_FACTS, ReviewReason.UNKNOWN_TIME_ZONE),
    Reason.NO_WRITTEN_NOTICE: StopRow("a written notice", ReviewReason.NO_WRITTEN_NOTICE),
    Reason.LADDER_FINISHED: StopRow("whoever takes over", ReviewReason.LADDER_FINISHED),
    Reason.UNANSWERED: StopRow("a payment, a reply, or whoever takes over", ReviewReason.UNANSWERED),
    Reason.CALENDAR_NOT_COVERED: StopRow("a new calendar, for a whole place: `CalendarAlarm`"),
    Reason.NO_LAWFUL_MOMENT: StopRow(_NEW_POLICY, ReviewReason.NO_LAWFUL_MOMENT),
    Reason.NO_TEXT: StopRow(_NEW_POLICY, ReviewReason.NO_TEXT),
    Reason.UNKNOWN_CURRENCY: StopRow(_NEW_FACTS, ReviewReason.UNKNOWN_CURRENCY),
    Reason.TEXT_REFUSED: StopRow("a corrected name, or another policy", ReviewReason.TEXT_REFUSED),
    Reason.TEXT_TOO_LONG: StopRow(_NEW_POLICY, ReviewReason.TEXT_TOO_LONG),
    Reason.TEMPLATE_NOT_REGISTERED: StopRow(_NEW_POLICY, ReviewReason.TEMPLATE_NOT_REGISTERED),
    Reason.UNREADABLE_RECORD: StopRow("an engineer: `JobsFailingAlarm`"),
}
"""Every reason with which a decision stops, in the order in which the gates ask, and what ends the stop."""

_WITHIN_THE_OBJECTIONS = (
    Reason.OPTED_OUT,
    Reason.NOT_IN_LIST,
    Reason.NUMBER_REFUSED,
    Reason.SHARED_PHONE,
    Reason.NO_CHANNEL,
)
"""The order of the questions of one gate that has several. The holds for good come last."""

_DECIDED = len(GATES)
_ASKED: Mapping[Reason, tuple[int, int]] = {
    reason: (
        position,
        _WITHIN_THE_OBJECTIONS.index(reason) if reason in _WITHIN_THE_OBJECTIONS else len(_WITHIN_THE_OBJECTIONS),
    )
    for position, gate in enumerate(GATES)
    for reason in gate.reasons
} | {Reason.DUE: (_DECIDED, 0)}
"""The order in which the gates ask about each reason. What is no gate's reason comes before all of them."""
_NOT_ASKED = (-1, 0)


class Announced(NamedTuple):
    """The stops that are announced and have not ended, and the reviews that a decision adds to them."""

    stops: tuple[str, ...]
    new: tuple[ReviewReason, ...]


def announce(before: Sequence[str], decision: Decision) -> Announced:
    """
    Return what is announced after a decision, given what was announced `before` it.

    A stop has ended once a decision has passed its gate. A decision that an earlier gate has ended does not tell.
    """
    pending = _pending(decision)
    if not before and not pending:
        return Announced((), ())
    reached = _ASKED.get(decision.reason, _NOT_ASKED)
    kept = [stop for stop in before if stop in pending or _asked(stop) > reached]
    new = [stop for stop in pending if stop not in kept]
    # One event says all that is new of one reason.
    return Announced(tuple(sorted({*kept, *new})), reviews_of(new))


def reviews_of(stops: Sequence[str]) -> tuple[ReviewReason, ...]:
    """Return the reviews that announce stops, each once."""
    return tuple(
        dict.fromkeys(review for stop in stops if (reason := _reason_of(stop)) and (review := STOPS[reason].review))
    )


def _pending(decision: Decision) -> list[str]:
    """Name the stops of a decision that a person has to end; those of one instalment by the instalment."""
    stops = [f"{Reason.NO_WRITTEN_NOTICE}:{key}" for key in decision.lacking_notice]
    stops += [f"{Reason.LADDER_FINISHED}:{key}" for key in decision.finished]
    if not isinstance(decision, Stop):
        return stops
    row = STOPS[decision.reason]
    ends_by_itself = decision.reason is Reason.NO_CONSENT and decision.until is not None
    if row.review and not ends_by_itself and not any(_reason_of(stop) is decision.reason for stop in stops):
        stops.append(decision.reason.value)
    return stops


def _asked(stop: str) -> tuple[int, int]:
    reason = _reason_of(stop)
    return _NOT_ASKED if reason is None else _ASKED.get(reason, _NOT_ASKED)


def _reason_of(stop: str) -> Reason | None:
    """Return the reason of an announced stop; `None` for what another release has written."""
    name = stop.partition(":")[0]
    return Reason(name) if name in Reason else None
