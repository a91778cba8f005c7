"""
Assumed payments: who pays when, if customers pay as before. Pure, and the same for every policy.

A hazard is the probability that an instalment which is still open is paid on a day. It depends on the day past due and
on a group of customers, and on nothing that a policy could change: else a comparison of policies would contain the
answer that only a trial can give.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.effect.courses import AssumedPayment

EVERYBODY = "all"
"""The group of customers for whom a table has no group of their own."""

OVERDUE, CURRENT = "overdue", "current"

type Hazards = Mapping[str, Mapping[int, float]]
"""The probability that an open instalment is paid on a day past due (negative: before), by group and day."""

_WHOLE = 1 << 64
_MINUTES = 24 * 60


def payer_group(facts: Facts, begin: datetime, zone: ZoneInfo) -> str:
    """Return the group of a customer: whether anything is overdue when the comparison begins."""
    today = begin.astimezone(zone).date()
    late = any(i.open > 0 and i.due_on < today for account in facts.accounts for i in account.instalments)
    return OVERDUE if late else CURRENT


class ObservedInstalment(NamedTuple):
    """An instalment as records know it, in days past due: the day it was paid, if it was, and the last day known."""

    paid_on_day: int | None
    known_until_day: int


def hazards_from_records(observed: Iterable[ObservedInstalment]) -> Mapping[int, float]:
    """
    Return the hazard of each day past due on which anybody has paid: those who paid of those who still owed.

    Whoever is not known to have paid counts as long as the records reach, and not beyond.
    """
    paid: Counter[int] = Counter()
    leave: Counter[int] = Counter()
    owing = 0
    for paid_on_day, known_until_day in observed:
        owing += 1
        if paid_on_day is not None:
            paid[paid_on_day] += 1
        else:
            leave[known_until_day] += 1
    hazards: dict[int, float] = {}
    for day in sorted(paid.keys() | leave.keys()):
        if paid[day]:
            hazards[day] = paid[day] / owing
        owing -= paid[day] + leave[day]
    return hazards


class Period(NamedTuple):
    """The time that is compared: `[begin, end)`, aware instants in UTC."""

    begin: datetime
    end: datetime


def assumed_payments(facts: Facts, hazards: Hazards, period: Period, zone: ZoneInfo, seed: int) -> list[AssumedPayment]:
    """
    Return what a customer pays within a period, earliest first: the same for the same customer, table and seed.

    An instalment is paid in full, at any minute of its local day. What has not been paid by the beginning counts as
    open then: earlier days do not count against it.
    """
    days = hazards.get(payer_group(facts, period.begin, zone)) or hazards.get(EVERYBODY)
    if not days:
        return []
    ordered = sorted(days.items())
    first = period.begin.astimezone(zone).date()
    payments: list[AssumedPayment] = []
    for account in facts.accounts:
        for instalment in account.instalments:
            if instalment.open <= 0:
                continue
            chance = hashlib.sha256(
                f"{seed}\x1f{facts.customer_id}\x1f{account.account_id}\x1f{instalment.number}".encode()
            ).digest()
            day = _day_paid(ordered, (first - instalment.due_on).days, int.from_bytes(chance[:8]) / _WHOLE)
            if day is None:
                continue
            minute = int.from_bytes(chance[8:12]) % _MINUTES
            midnight = datetime.combine(instalment.due_on + timedelta(days=day), time(), zone)
            at = midnight.astimezone(UTC) + timedelta(minutes=minute)
            if period.begin < at < period.end:
                payments.append(AssumedPayment(at, account.account_id, instalment.number, instalment.amount))
    return sorted(payments)


def _day_paid(days: Sequence[tuple[int, float]], first: int, chance: float) -> int | None:
    """Return the day past due on which an instalment is paid; `None` if it never is."""
    owing = 1.0
    for day, hazard in days:
        if day < first:
            continue
        owing *= 1 - hazard
        if chance < 1 - owing:
            return day
    return None
