"""
Seal days: of each day that is over, puts one sum in place of the counters by shard, each night.

A page that shows a month then reads a sum for each day, not dozens of shards. A day is over when no change of it can be
counted any more: a stream keeps changes for 24 hours.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dunning.ports.clock import Clock
from dunning.ports.tallies import TallySealing

_LATEST_CHANGE = timedelta(hours=25)
"""An hour longer than a stream keeps changes."""

_LOOKED_BACK = timedelta(days=35)
"""Nights that were missed are made up for."""


class SealService:
    """Seals days. `zone_of` is the time zone in which a lender's days begin and end."""

    def __init__(self, tally: TallySealing, zone_of: Callable[[str], ZoneInfo], clock: Clock) -> None:
        self._tally = tally
        self._zone_of = zone_of
        self._clock = clock

    def seal(self) -> int:
        """Seal the days that are over, and return for how many days of a lender a sum was put."""
        now = self._clock.now()
        today = now.date()
        return self._tally.seal(today - _LOOKED_BACK, today, lambda lender, day: self._is_over(lender, day, now))

    def _is_over(self, lender: str, day: date, now: datetime) -> bool:
        end = datetime.combine(day + timedelta(days=1), time(), self._zone_of(lender)).astimezone(UTC)
        return now >= end + _LATEST_CHANGE
