"""
Contact hours: when a person may be reached, wherever they may be.

All functions take and return aware UTC instants. Windows are `[start, end)` in local time; where several time
zones are possible an instant is lawful only if it is inside the hours of every one of them.
"""

from collections.abc import Container
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dunning.domain.decision.rules import ContactHours
from dunning.domain.errors import CalendarNotCoveredError, NoLawfulMomentError

_MINUTES_A_DAY = 24 * 60
_SATURDAY = 5

_LONGEST_CLOSURE_DAYS = 60
"""Longer than any run of holidays. A place that stays closed for longer has wrong data."""

_MAX_ITERATIONS = 200
"""
The most rounds through the zones of a customer in search of hours that overlap.

A round moves the moment by a day or so, to the next opening of some zone. Zones without a common hour would go on for
ever. The limit ends their search after some months of local time, longer than any closure.
"""

_LOCAL_TIMES_CACHED = 65536
"""A year of days, at two times of day, in some ninety zones. A full cache takes about 20 MB."""


@lru_cache(maxsize=1024)  # the IANA database has some 600 names; wrong names of a file are cached, too
def zone_named(name: str) -> ZoneInfo | None:
    """Return the IANA time zone of a name, or `None` if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the database, such as "Asia"
        return None


def common_hour(moment: datetime, zones: tuple[ZoneInfo, ...]) -> int | None:
    """Return the hour that clocks show in all of the zones; `None` if they do not agree."""
    hours = {moment.astimezone(zone).hour for zone in zones}
    return hours.pop() if len(hours) == 1 else None


@lru_cache(maxsize=_LOCAL_TIMES_CACHED)
def local_instant(zone: ZoneInfo, ordinal: int, minute: int, latest: bool = True) -> datetime:  # noqa: FBT001, FBT002
    """
    Return the instant at which a local clock shows `minute` minutes past midnight of a day (its ordinal).

    A wall time that occurs twice means its later occurrence (`latest`) or its earlier one. A wall time that a clock
    change skips means the moment of the change.
    """
    overflow, minute = divmod(minute, _MINUTES_A_DAY)
    day = date.fromordinal(ordinal + overflow)
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    first = wall.astimezone(UTC)
    second = wall.replace(fold=1).astimezone(UTC)
    if first <= second:
        return second if latest else first
    # In a gap fold=1 gives the earlier instant: the change lies between the two, where both sides meet.
    low, high = second, first
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


@lru_cache(maxsize=_LOCAL_TIMES_CACHED)
def start_of_day(zones: tuple[ZoneInfo, ...], ordinal: int, minute: int = 0) -> datetime:
    """Return the instant by which a local time of a day (its ordinal) has come in every possible zone."""
    return max([local_instant(zone, ordinal, minute) for zone in zones])


@lru_cache(maxsize=_LOCAL_TIMES_CACHED)
def _windows(hours: ContactHours, zone: ZoneInfo, ordinal: int) -> tuple[tuple[datetime, datetime], ...]:
    """Return the open windows of a local day as instants. In a doubled hour the narrower reading holds."""
    day = date.fromordinal(ordinal)
    if hours.covered_until is not None and day > hours.covered_until:
        raise CalendarNotCoveredError(day, local_instant(zone, ordinal, 0, False))  # noqa: FBT003
    windows = hours.special.get(day)
    return tuple(
        (start, end)
        for from_minute, to_minute in (hours.week[day.weekday()] if windows is None else windows)
        if (start := local_instant(zone, ordinal, from_minute))
        < (end := local_instant(zone, ordinal, to_minute, False))  # noqa: FBT003
    )


def local_day(zone: ZoneInfo, moment: datetime) -> int:
    """Return the day, as an ordinal, that a local calendar shows at a moment."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return zone.fromutc(moment.replace(tzinfo=zone)).toordinal()  # half the time of `astimezone`


def _window_in(hours: ContactHours, zone: ZoneInfo, moment: datetime) -> tuple[datetime, datetime]:
    today = local_day(zone, moment)
    for ordinal in range(today, today + _LONGEST_CLOSURE_DAYS):
        for window in _windows(hours, zone, ordinal):
            if moment < window[1]:
                return window
    raise NoLawfulMomentError


def open_window(hours: ContactHours, zones: tuple[ZoneInfo, ...], moment: datetime) -> tuple[datetime, datetime]:
    """
    Return the start and the end of the time in which the hours of all zones are open, at `moment` or next.

    Raises:
        CalendarNotCoveredError: the calendar does not cover a day that has to be judged.
        NoLawfulMomentError: the hours do not open within sixty days, or never in all zones at once.
    """
    if len(zones) == 1:
        return _window_in(hours, zones[0], moment)
    for _ in range(_MAX_ITERATIONS):
        windows = [_window_in(hours, zone, moment) for zone in zones]
        start, end = max([opens for opens, _ in windows]), min([closes for _, closes in windows])
        if start < end:
            return start, end
        moment = start
    raise NoLawfulMomentError


def next_open(hours: ContactHours, zones: tuple[ZoneInfo, ...], moment: datetime) -> datetime:
    """
    Return the earliest instant, `moment` or later, at which the hours of all zones are open.

    Raises:
        CalendarNotCoveredError: the calendar does not cover a day that has to be judged.
        NoLawfulMomentError: the hours do not open within sixty days, or never in all zones at once.
    """
    return max(moment, open_window(hours, zones, moment)[0])


def working_day_after(day: date, count: int, holidays: Container[date] = ()) -> date:
    """
    Return the last of the `count` working days after a day, which itself does not count.

    Working days are Mondays to Fridays without the holidays. A day that no calendar covers is judged by its weekday.
    """
    while count:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY and day not in holidays:
            count -= 1
    return day


def is_closed_day(hours: ContactHours, zones: tuple[ZoneInfo, ...], moment: datetime) -> bool:
    """Tell whether a zone has no contact hours on its whole local day."""
    return any(not _windows(hours, zone, local_day(zone, moment)) for zone in zones)
