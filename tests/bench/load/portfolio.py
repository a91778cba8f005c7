"""The customers of a load: when each wakes, what is stored of each, and the number each is texted at."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from dunning.adapters.dynamodb.items import lender_record_item, standing_item
from dunning.domain.customer.standing import Wake
from tests.bench.portfolio import NOW, customer, standing
from tests.support.builders import a_lender_record

FIRST = NOW
"""The customers who are due all at once wake now: a Tuesday, 13:00 in Taipei, when every turn has come."""

SECOND = NOW + timedelta(minutes=30)
"""From here on customers wake one after the other."""

_OF_REFERENCE = 90_000_000
"""The numbers of customers who are texted by the reference, and never by us."""

_PHONE = "+8869"
SHARDS = 4


class Due(NamedTuple):
    """A customer, by number, and the wake."""

    number: int
    wake: datetime

    @property
    def customer_id(self) -> str:
        """The customer's id, as stored."""
        return id_of(self.number)


class Load(NamedTuple):
    """Who is due at once, who one after the other, and whom the reference texts."""

    at_once: Sequence[Due]
    evenly: Sequence[Due]
    reference: Sequence[Due]

    @property
    def ours(self) -> Sequence[Due]:
        """All that have to be texted once."""
        return [*self.at_once, *self.evenly]

    @property
    def arrivals_seconds(self) -> float:
        """How long customers wake one after the other."""
        return (self.evenly[-1].wake - SECOND).total_seconds() if self.evenly else 0.0


def id_of(number: int) -> str:
    """Return the id of a customer, as `tests.bench.portfolio` has it."""
    return f"C{number:06d}"


def customer_of(phone: str) -> str:
    """Return whose number it is."""
    return id_of(int(phone.removeprefix(_PHONE)))


def the_load(customers: int, *, a_second: float, share_at_once: float = 0.5, share_of_reference: float = 0.05) -> Load:
    """Return a load: a share is due at once, the others wake so many a second."""
    at_once = round(customers * share_at_once)
    return Load(
        [Due(number, FIRST) for number in range(at_once)],
        [
            Due(number, SECOND + timedelta(seconds=(number - at_once) / a_second))
            for number in range(at_once, customers)
        ],
        [Due(_OF_REFERENCE + number, FIRST) for number in range(2 * round(customers * share_of_reference / 2))],
    )


def stored_items(due: Sequence[Due], *, has_wake: bool = True) -> Iterator[Any]:
    """Yield the two items of each customer, who has had two texts and whose next instalment is due in three days."""
    for number, wake in due:
        facts = customer(number, NOW.date() + timedelta(days=3), paid=3)
        yield lender_record_item(a_lender_record(facts))
        known = standing(facts, 2)
        yield standing_item(replace(known, wake=Wake(wake, 0) if has_wake else None), SHARDS)


def instant_of(seconds: float) -> datetime:
    """Return an instant given in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
