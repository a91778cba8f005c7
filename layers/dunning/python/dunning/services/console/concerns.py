"""
Concerns: what of a day somebody should look at first, by rules that are written here and nowhere else.

A day is measured against the days before it, not against a target: what is usual differs between lenders.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from dunning.domain.decision.decisions import Reason
from dunning.domain.outbound_events import URGENT_REVIEWS
from dunning.services.console.counter_labels import counter_label, total_of_kind
from dunning.services.console.shown import SentenceShown, rounded_age

LATE_JOB = timedelta(minutes=15)
"""A wake that came so long ago, and nobody has been judged: sending is behind, or stands still."""

MISCONFIGURED = frozenset(
    {
        Reason.UNKNOWN_LENDER, Reason.UNKNOWN_JURISDICTION, Reason.COUNTRY_NOT_ALLOWED, Reason.STORED_ELSEWHERE,
        Reason.UNKNOWN_TIME_ZONE, Reason.UNKNOWN_CURRENCY, Reason.CALENDAR_NOT_COVERED, Reason.NO_LAWFUL_MOMENT,
        Reason.NO_TEXT, Reason.TEXT_REFUSED, Reason.TEXT_TOO_LONG, Reason.TEMPLATE_NOT_REGISTERED,
        Reason.UNREADABLE_RECORD,
    }
)  # fmt: skip
"""The reasons that no customer can change: a file, a policy or the system has to be corrected."""

_HUNDRED, _THOUSAND = 100, 1000
_FEWEST_TEXTS = 20
"""Of fewer texts a share says nothing."""
_FEWEST_CUSTOMERS = 3
_TIMES_USUAL = 2
_POINTS_MORE = 5


class Concern(NamedTuple):
    """Something to look at: a sentence, and what is behind it: a counter with its list, a page, or nothing."""

    sentence: SentenceShown
    counter: str = ""


def concerns_of(
    counters: Mapping[str, int],
    before: Sequence[Mapping[str, int]],
    *,
    oldest_due: datetime | None,
    now: datetime,
    sending: bool,
    urgent: int | None = None,
) -> tuple[Concern, ...]:
    """
    Return the concerns of a day, the gravest first.

    Args:
        counters: the counters of the day.
        before: the counters of the days before it.
        oldest_due: the earliest wake that has come and led to no decision yet.
        now: the time.
        sending: whether sending is on; if not, it is no wonder that somebody waits.
        urgent: the customers who wait now, and whose life may depend on it. `None` for a day that is over: then those
            count who came to wait on it.
    """
    usual: dict[str, int] = {}
    for day in before:
        for name, number in day.items():
            usual[name] = usual.get(name, 0) + number
    late: list[Concern] = []
    if sending and oldest_due is not None and now - oldest_due >= LATE_JOB:
        values = {"at": oldest_due, "age": rounded_age(now - oldest_due)}
        late.append(Concern(SentenceShown("concern.late_job", values)))
    return (
        *_who_cannot_wait(counters, urgent),
        *late,
        *_each_counted(counters, ("unknown",), "concern.unknown"),
        *_each_counted(counters, ("refused",), "concern.refused"),
        *_each_counted(
            counters,
            (f"{kind}:{reason}" for reason in sorted(MISCONFIGURED) for kind in ("stop", "wait")),
            "concern.misconfigured",
        ),
        *_many_failures(counters, usual),
        *_more_than_usual(counters, usual, "opt_out", "concern.opt_outs"),
        *_more_than_usual(counters, usual, "reply:complaint", "concern.complaints"),
    )


def _who_cannot_wait(counters: Mapping[str, int], urgent: int | None) -> Iterator[Concern]:
    """Yield those who wait, since whichever day; of a day that is over, those who came to wait."""
    if urgent is None:
        yield from _each_counted(
            counters, (f"needs_person:{review}" for review in sorted(URGENT_REVIEWS)), "concern.urgent"
        )
    elif urgent:
        yield Concern(SentenceShown("concern.urgent_waiting", {"count": urgent}), "/waiting")


def _each_counted(counters: Mapping[str, int], names: Iterable[str], key: str) -> Iterator[Concern]:
    for name in names:
        if number := counters.get(name, 0):
            yield Concern(SentenceShown(key, {"count": number, "label": counter_label(name)}), name)


def _many_failures(counters: Mapping[str, int], usual: Mapping[str, int]) -> Iterator[Concern]:
    reported = total_of_kind(counters, "failed") + counters.get("delivered", 0)
    before = total_of_kind(usual, "failed") + usual.get("delivered", 0)
    if reported < _FEWEST_TEXTS or before < _FEWEST_TEXTS:
        return
    share = _HUNDRED * total_of_kind(counters, "failed") / reported
    usual_share = _HUNDRED * total_of_kind(usual, "failed") / before
    if share >= max(_TIMES_USUAL * usual_share, usual_share + _POINTS_MORE):
        values = {"share": round(share), "usual": round(usual_share)}
        yield Concern(SentenceShown("concern.failures", values), "#failed")


def _more_than_usual(
    counters: Mapping[str, int], usual: Mapping[str, int], counter: str, key: str
) -> Iterator[Concern]:
    """Compare a rate by a thousand texts with that of the days before."""
    number, texts, before = counters.get(counter, 0), total_of_kind(counters, "sent"), total_of_kind(usual, "sent")
    if number < _FEWEST_CUSTOMERS or before < _FEWEST_TEXTS:
        return
    rate = _THOUSAND * number / max(1, texts)
    usual_rate = _THOUSAND * usual.get(counter, 0) / before
    if rate >= _TIMES_USUAL * usual_rate:
        yield Concern(SentenceShown(key, {"rate": round(rate), "usual": round(usual_rate)}), counter)
