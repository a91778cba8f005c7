"""What the pages need of the tally of each day. The port of the tally satisfies it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from dunning.services.console.shown import CodeShown, StageShown

COUNTED_BY: Mapping[str, str] = {
    "sent": "stage",
    "wait": "reason",
    "stop": "reason",
    "failed": "failure",
    "reply": "intent",
    "needs_person": "review",
}
"""The kinds of counters that are counted by something, and the group of its words."""


def counter_label(counter: str) -> CodeShown | StageShown:
    """Return the words of a counter such as `wait:quiet_hours`."""
    kind, _, by = counter.partition(":")
    if not by or kind not in COUNTED_BY:
        return CodeShown("number", kind)
    if kind == "sent":
        return StageShown(int(by)) if by.lstrip("-").isdigit() else StageShown(None)
    return CodeShown(COUNTED_BY[kind], by)


class CountedDay(Protocol):
    """The counters of a lender's local day by name, such as `wait:quiet_hours`; a counter that is missing is 0."""

    @property
    def day(self) -> date:
        """The local day."""
        ...

    @property
    def counters(self) -> Mapping[str, int]:
        """The counters."""
        ...

    @property
    def as_of(self) -> datetime:
        """The time of the last change in them."""
        ...


class CountedCustomers(Protocol):
    """A page of the customers behind a counter; `next_page` is empty at the end."""

    @property
    def customer_ids(self) -> tuple[str, ...]:
        """The ids."""
        ...

    @property
    def next_page(self) -> str:
        """Where the next page begins."""
        ...


class NightlyCount(Protocol):
    """Where all customers of a lender stood on a night. Amounts are in minor units, by currency."""

    @property
    def as_of(self) -> datetime:
        """When it was begun."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether every part is in it."""
        ...

    @property
    def customers(self) -> int:
        """All customers."""
        ...

    @property
    def overdue_customers(self) -> int:
        """The customers with something overdue."""
        ...

    @property
    def overdue(self) -> Mapping[str, int]:
        """What is overdue."""
        ...

    @property
    def promised(self) -> Mapping[str, int]:
        """What is promised and open."""
        ...

    @property
    def paid(self) -> Mapping[str, int]:
        """What was paid since a text first asked for it."""
        ...


class DayTally(Protocol):
    """The counters of each day and lender, the customers behind them, and the nightly counts."""

    def days(self, lender: str, first: date, last: date) -> Sequence[CountedDay]:
        """Return the counters of the days from the first to the last, by day, without those on which nothing was."""
        ...

    def customers_behind(self, lender: str, day: date, counter: str, page: str = "") -> CountedCustomers:
        """Return a page of the customers behind a counter of a day."""
        ...

    def censuses(self, lender: str, first: date, last: date) -> Sequence[NightlyCount]:
        """Return the nightly counts of these days, by day."""
        ...
