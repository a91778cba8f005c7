"""
Take a census: reads all customers once, each night, and keeps where they stand, by lender.

The whole table is scanned, for the calendar alone makes things overdue, and writes nothing. Several invocations may
read a part each. If time runs out, what was read is kept, and the census says that it is not whole.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from dunning.domain.census import CensusPart, CustomerCount, count_customer, summed
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.clock import Clock
from dunning.ports.customers import WholeScan
from dunning.ports.tallies import TallyWriter
from dunning.ports.telemetry import LogEvent, Telemetry

_SECONDS_TO_FINISH = 20.0
_CUSTOMERS_BETWEEN_LOOKS = 500
"""So often the time is looked at."""


@dataclass(slots=True)
class _LenderCount:
    counts: list[CustomerCount] = field(default_factory=list)
    customers: int = 0
    overdue_customers: int = 0

    def add(self, count: CustomerCount) -> None:
        self.customers += 1
        self.overdue_customers += bool(count.overdue)
        self.counts.append(count)
        if len(self.counts) > _CUSTOMERS_BETWEEN_LOOKS:
            self.counts = [self.total()]

    def total(self) -> CustomerCount:
        return CustomerCount(
            summed(count.reasons for count in self.counts),
            summed(count.overdue for count in self.counts),
            summed(count.promised for count in self.counts),
            summed(count.paid for count in self.counts),
        )


class CensusService:
    """
    Takes a census. `zone_of` is the time zone in which a lender's days begin and end.

    Each of `lenders` has a census, customers or not: else a part without customers of a lender would be a missing part.
    """

    def __init__(
        self,
        *,
        scan: WholeScan,
        tally: TallyWriter,
        lenders: Collection[str],
        zone_of: Callable[[str], ZoneInfo],
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._scan = scan
        self._tally = tally
        self._lenders = lenders
        self._zone_of = zone_of
        self._clock = clock
        self._telemetry = telemetry

    def take(self, seconds_left: Callable[[], float], part: int = 0, parts: int = 1) -> int:
        """
        Count the customers of one of `parts` parts, and return their number. The same part of a day is replaced.

        Raises:
            ServiceCallError: a call failed; nothing is kept, or not of all lenders: take it again.
        """
        as_of = self._clock.now()
        by_lender = defaultdict(_LenderCount, {lender: _LenderCount() for lender in self._lenders})
        read = unreadable = 0
        is_whole = True
        for customer in self._scan.whole_customers(part, parts):
            if isinstance(customer, UnreadableRecordError):
                unreadable += 1
            elif customer.facts is not None:
                lender = customer.facts.lender
                today = as_of.astimezone(self._zone_of(lender)).date()
                by_lender[lender].add(count_customer(customer.facts, customer.standing, today))
            read += 1
            if read % _CUSTOMERS_BETWEEN_LOOKS == 0 and seconds_left() < _SECONDS_TO_FINISH:
                is_whole = False
                break
        for lender, count in sorted(by_lender.items()):
            self._tally.keep_census_part(self._part(lender, count, as_of, part, parts if is_whole else parts + 1))
        self._telemetry.log_event(
            LogEvent.CENSUS_TAKEN,
            customers=read,
            unreadable=unreadable,
            lenders=len(by_lender),
            part=part,
            parts=parts,
            whole=str(is_whole),
        )
        return read

    def _part(self, lender: str, count: _LenderCount, as_of: datetime, part: int, parts: int) -> CensusPart:
        reasons, overdue, promised, paid = count.total()
        return CensusPart(
            lender=lender,
            day=as_of.astimezone(self._zone_of(lender)).date(),
            part=part,
            parts=parts,
            as_of=as_of,
            customers=count.customers,
            reasons=reasons,
            overdue_customers=count.overdue_customers,
            overdue=overdue,
            promised=promised,
            paid=paid,
        )
