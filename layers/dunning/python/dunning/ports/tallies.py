"""Tallies: what happened on each day, counted for each lender; who is behind each number; and the nightly census."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from dunning.domain.census import Census, CensusPart
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.replies.reply import Reply


class DayCounters(NamedTuple):
    """
    The counters of a lender's local day, by name (`domain.counters`), and the time of the last change in them.

    A counter that is missing is 0. A day on which nothing happened is not in any answer.
    """

    day: date
    counters: Mapping[str, int]
    as_of: datetime


class CustomersBehind(NamedTuple):
    """
    The customers behind a counter, oldest change first, each once in a page; and where the next page begins.

    `next_page` is empty at the end. Ids only. A customer who was erased since stays in the list until it expires.
    """

    customer_ids: tuple[str, ...]
    next_page: str = ""


class TallyReader(Protocol):
    """The counters as pages read them. What was counted just now may lack: see `DayCounters.as_of`."""

    def days(self, lender: str, first: date, last: date) -> Sequence[DayCounters]:
        """Return the counters of a lender from the first to the last local day, both included, by day."""
        ...

    def customers_behind(self, lender: str, day: date, counter: str, page: str = "") -> CustomersBehind:
        """
        Return a page of the customers behind a counter of a day; `page` is the former answer's `next_page`.

        There is nobody behind what is not listed (`counters.is_listed`).
        """
        ...

    def censuses(self, lender: str, first: date, last: date) -> Sequence[Census]:
        """Return a lender's censuses of these days, by day. One of which a part is missing says so (`is_whole`)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedChanges:
    """
    The counters of a run of changes of one lender and one local day, from one shard of one stream, in its order.

    `first` and `last` are the sequence numbers of the first and the last change.
    """

    lender: str
    day: date
    shard: str
    first: int
    last: int
    as_of: datetime
    counters: Mapping[str, int]
    customers: Mapping[str, Sequence[str]]
    """The customers behind each counter."""


class ImageReader(Protocol):
    """The items of both tables, as a change stream has them."""

    def read(self, image: Mapping[str, Mapping[str, Any]]) -> Standing | Contact | Reply | None:
        """
        Read an item without its words; `None` if it is none that is counted.

        Raises:
            UnreadableRecordError: the item cannot be read.
        """
        ...


class TallyWriter(Protocol):
    """The counters as the tally writes them."""

    def add(self, changes: CountedChanges) -> int | None:
        """
        Add changes to the counters, unless any of them is in the counters already.

        Return `None` if they were added. Else the counters hold all changes of this shard up to the sequence number
        that is returned: what is behind it may be added.
        """
        ...

    def keep_census_part(self, part: CensusPart) -> None:
        """Keep a part of a lender's census. A part of the same day replaces it."""
        ...
