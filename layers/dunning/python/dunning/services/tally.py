"""
Tally: counts the changes of both tables, by lender and local day, from their change streams.

    changes of a shard ──> what each counts for ──> a run for each lender and day
                                                       │ add, unless the run is counted already
                                                       └─> the customers behind it, then the counters

A stream delivers a change at least once, and of a shard the first time in order. The counters of a lender, day and
shard know the last change in them. So a change that comes again is left out, in whatever batch it comes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.contracts.change_stream import ChangeRecord, ShardChanges
from dunning.domain.counters import changes_of_contact, changes_of_reply, changes_of_standing, is_listed
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import Reply
from dunning.ports.tallies import CountedChanges, ImageReader, TallyWriter
from dunning.ports.telemetry import LogEvent, Metric, Telemetry

type CountedItem = Standing | Contact | Reply


class _CountedChange(NamedTuple):
    lender: str
    day: date
    sequence: int
    at: datetime
    customer_id: str
    counters: Mapping[str, int]


class TallyService:
    """Counts changes. `zone_of` is the time zone in which a lender's days begin and end."""

    def __init__(
        self, *, images: ImageReader, tally: TallyWriter, zone_of: Callable[[str], ZoneInfo], telemetry: Telemetry
    ) -> None:
        self._images = images
        self._tally = tally
        self._zone_of = zone_of
        self._telemetry = telemetry

    def count(self, changes: ShardChanges) -> None:
        """
        Count the changes of a shard that are not counted yet. A change that cannot be read is passed over, and logged.

        Raises:
            ServiceCallError: a call failed. What is counted is not counted again: deliver the batch again.
        """
        found = [counted for record in changes.records if (counted := self._counted(record)) and counted.counters]
        found.sort(key=lambda change: (change.lender, change.day, change.sequence))
        for (lender, day), group in groupby(found, key=lambda change: (change.lender, change.day)):
            self._add(lender, day, changes.shard, list(group))

    def _counted(self, record: ChangeRecord) -> _CountedChange | None:
        try:
            old = self._images.read(record.old) if record.old else None
            new = self._images.read(record.new) if record.new else None
        except UnreadableRecordError as error:
            self._telemetry.log_event(LogEvent.CHANGE_NOT_COUNTED, sequence=str(record.sequence), error=str(error))
            self._telemetry.count(Metric.CHANGES_NOT_COUNTED)
            return None
        known = new or old
        if known is None:
            return None
        lender = known.lender_id if isinstance(known, Standing) else known.lender
        day = record.at.astimezone(self._zone_of(lender)).date()
        return _CountedChange(lender, day, record.sequence, record.at, known.customer_id, counters_of_change(old, new))

    def _add(self, lender: str, day: date, shard: str, run: Sequence[_CountedChange]) -> None:
        while run:
            known = self._tally.add(_together(lender, day, shard, run))
            if known is None:
                return
            run = [change for change in run if change.sequence > known]


def counters_of_change(old: CountedItem | None, new: CountedItem | None) -> Mapping[str, int]:
    """Return what a change of an item counts for."""
    match old, new:
        case (Standing() | None, Standing()):
            return changes_of_standing(old, new)
        case (Contact() | None, Contact()):
            return changes_of_contact(old, new)
        case (Reply() | None, Reply()):
            return changes_of_reply(old, new)
        case _:
            return {}


def _together(lender: str, day: date, shard: str, run: Sequence[_CountedChange]) -> CountedChanges:
    counters: dict[str, int] = {}
    customers: dict[str, dict[str, None]] = {}
    for change in run:
        for counter, number in change.counters.items():
            counters[counter] = counters.get(counter, 0) + number
            if change.customer_id and is_listed(counter):
                customers.setdefault(counter, {})[change.customer_id] = None
    return CountedChanges(
        lender=lender,
        day=day,
        shard=shard,
        first=run[0].sequence,
        last=run[-1].sequence,
        as_of=max(change.at for change in run),
        counters=counters,
        customers={counter: tuple(ids) for counter, ids in customers.items()},
    )
