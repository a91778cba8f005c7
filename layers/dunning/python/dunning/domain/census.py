"""Census: where all customers of a lender stand, as of a night. Numbers only. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from dunning.domain.customer.facts import Facts, open_instalments
from dunning.domain.customer.standing import Standing, progress_key

NOT_PLANNED = "not_planned"
"""In place of a reason: a load has not finished with the customer."""


class CustomerCount(NamedTuple):
    """What customers add to a census: how many by the reason of the last decision, and amounts by currency."""

    reasons: Mapping[str, int]
    overdue: Mapping[str, int]
    promised: Mapping[str, int]
    paid: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusPart:
    """What one of `parts` parts of the table adds to a lender's census of a local day."""

    lender: str
    day: date
    part: int
    parts: int
    as_of: datetime
    """The time at which the part was begun."""
    customers: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """The customers by the reason of their last decision."""
    overdue_customers: int = 0
    """The customers with something overdue."""
    overdue: Mapping[str, int] = field(default_factory=dict)
    """What is overdue, in minor units by currency."""
    promised: Mapping[str, int] = field(default_factory=dict)
    """What is open of instalments with a promise whose day has not ended, in minor units by currency."""
    paid: Mapping[str, int] = field(default_factory=dict)
    """What has been paid of instalments since a text first asked for them, in minor units by currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Where all customers of a lender stood on a local day: the sum of its parts."""

    lender: str
    day: date
    as_of: datetime
    """The time at which the first part was begun."""
    is_whole: bool
    """Whether every part is in it. If not, the amounts are too low."""
    customers: int
    reasons: Mapping[str, int]
    overdue_customers: int
    overdue: Mapping[str, int]
    promised: Mapping[str, int]
    paid: Mapping[str, int]


def count_customer(facts: Facts, standing: Standing | None, today: date) -> CustomerCount:
    """
    Return what a customer adds to a census on the lender's local day `today`.

    Credits of an account lessen what is overdue. What was written off counts as paid, for the facts do not tell.
    """
    overdue: dict[str, int] = {}
    promised: dict[str, int] = {}
    paid: dict[str, int] = {}
    for account in facts.accounts:
        for instalment in open_instalments(account):
            if instalment.due_on < today:
                _add(overdue, account.currency, instalment.open)
        if standing is None:
            continue
        for instalment in account.instalments:
            key = progress_key(account.account_id, instalment.number)
            promise, reached = standing.promises.get(key), standing.progress.get(key)
            if promise is not None and promise.kept is None and promise.on >= today:
                _add(promised, account.currency, max(0, instalment.open))
            if reached is not None:
                _add(paid, account.currency, max(0, reached.asked - max(0, instalment.open)))
    reason = standing.reason if standing and standing.reason else NOT_PLANNED
    return CustomerCount({reason: 1}, overdue, promised, paid)


def _add(amounts: dict[str, int], currency: str, amount: int) -> None:
    if amount:
        amounts[currency] = amounts.get(currency, 0) + amount


def summed(amounts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum by key."""
    total: dict[str, int] = {}
    for mapping in amounts:
        for key, amount in mapping.items():
            total[key] = total.get(key, 0) + amount
    return total


def census_of(parts: Iterable[CensusPart]) -> Census | None:
    """Return the census that the parts of one lender and one day make; `None` of no parts."""
    there = {part.part: part for part in parts}
    if not there:
        return None
    known = list(there.values())
    return Census(
        lender=known[0].lender,
        day=known[0].day,
        as_of=min(part.as_of for part in known),
        is_whole=len(there) == max(part.parts for part in known),
        customers=sum(part.customers for part in known),
        reasons=summed(part.reasons for part in known),
        overdue_customers=sum(part.overdue_customers for part in known),
        overdue=summed(part.overdue for part in known),
        promised=summed(part.promised for part in known),
        paid=summed(part.paid for part in known),
    )
