"""Tallies: what happened on each day, counted for each lender; who is behind each number; and the nightly census."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from dunning.domain.census import Census, CensusPart
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.replies.reply import Reply


class LenderDay(NamedTuple):
    """
    What is known of a lender's local day: the counters by name (`domain.counters`), and the census of its night.

    A counter that is missing is 0. `as_of` is the time of the last change in the counters, `None` if there was none. A
    census of which a part is missing says so (`is_whole`).
    """

    lender: str
    day: date
    counters: Mapping[str, int]
    as_of: datetime | None
    census: Census | None = None


CUSTOMERS_A_PAGE = 100
"""The most customers in a page of a list: as many as can be read in a call."""


class CustomersBehind(NamedTuple):
    """
    The customers behind a counter, oldest change first, each once in a page; and where the next page begins.

    `next_page` is empty at the end. Ids only. A customer who was erased since stays in the list until it expires.
    """

    customer_ids: tuple[str, ...]
    next_page: str = ""


class TallyReader(Protocol):
    """The counters as pages read them. What was counted just now may lack: see `LenderDay.as_of`."""

    def days(self, lender: str, first: date, last: date) -> Sequence[LenderDay]:
        """
        Return the days from the first to the last, both included, by day and lender.

        An empty `lender` asks for all. A day on which nothing was counted is not in the answer.
        """
        ...

    def customers_behind(self, lender: str, day: date, counter: str, page: str = "") -> CustomersBehind:
        """
        Return a page of the customers behind a counter of a day; `page` is the former answer's `next_page`.

        There is nobody behind what is not listed (`counters.is_listed`).
        """
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


class TallySealing(Protocol):
    """What becomes of the counters of a day that is over."""

    def seal(self, first: date, last: date, is_over: Callable[[str, date], bool]) -> int:
        """
        Put one sum of each lender and day in place of its counters by shard, and return how many sums were put.

        Only days from the first to the last of which `is_over` says, for the lender, that no change can come any more:
        a change that comes later is not counted. What reads in between sees the same numbers. If it is broken off, the
        next call goes on with it.
        """
        ...
