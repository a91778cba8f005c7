"""
Dates: the days that a reply names, as seen from the day of the reply. A past day or an ambiguous day does not count.

Weeks begin on Monday (ISO 8601). "Next Friday" may be the coming Friday or the Friday of next week: it is a certain day
only if the two are the same.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

_WEEK = 7
_MONTHS = 12
_THURSDAY = 3
_YEARS = range(2000, 3000)
_LONG_PAST = timedelta(days=183)
"""A date that has passed means next year's only if it passed long ago; else it is a mistake or in the past."""

_FIGURES = re.compile(
    r"(\d{1,2})/(\d{1,2})(?:/(\d{2}|\d{4}))?|(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})|(\d{1,2})[.-](\d{1,2})[.-](\d{4})",
    re.ASCII,
)
_ROC_FIRST = 1912
"""The first year of the calendar of Taiwan."""
_LUNAR_NEW_YEARS = (
    date(2026, 2, 17),
    date(2027, 2, 6),
    date(2028, 1, 26),
    date(2029, 2, 13),
    date(2030, 2, 3),
    date(2031, 1, 23),
    date(2032, 2, 11),
    date(2033, 1, 31),
    date(2034, 2, 19),
    date(2035, 2, 8),
)
_NEAR = timedelta(days=60)
_NO_DATES = frozenset({"1/2", "1/3", "2/3", "1/4", "3/4", "24/7"})
"""Fractions, and "around the clock". They are dates only after a word such as "on"."""


class DateKind(StrEnum):
    """The way in which a phrase names a day. The phrase reads the numbers in the order of the name."""

    TODAY = "today"
    TOMORROW = "tomorrow"
    IN_2_DAYS = "in-2-days"
    IN_3_DAYS = "in-3-days"
    IN_DAYS = "in-days"
    IN_WEEKS = "in-weeks"
    WEEKDAY = "weekday"
    WEEKDAY_THIS_WEEK = "weekday-this-week"
    WEEKDAY_NEXT_WEEK = "weekday-next-week"
    WEEKDAY_NEXT = "weekday-next"
    DAY = "day"
    DAY_THIS_MONTH = "day-this-month"
    DAY_NEXT_MONTH = "day-next-month"
    MONTH_DAY = "month-day"
    DAY_MONTH = "day-month"
    YEAR_MONTH_DAY = "year-month-day"
    DAY_MONTH_YEAR = "day-month-year"
    MONTH_DAY_YEAR = "month-day-year"
    MONTH_END = "month-end"
    NEXT_MONTH_END = "next-month-end"
    MONTH_END_OF = "month-end-of"
    ROC_YEAR_MONTH_DAY = "roc-year-month-day"
    WEEKDAY_DAY = "weekday-day"
    WEEKDAY_IN_2_WEEKS = "weekday-in-2-weeks"
    WEEKDAY_AND_WEEK = "weekday-and-week"
    LUNAR_NEW_YEAR_DAY = "lunar-new-year-day"
    HOLIDAY = "holiday"
    BLACK_FRIDAY = "black-friday"
    FIGURES = "figures"
    NOW = "now"
    VAGUE = "vague"
    PAST = "past"
    NO_DAY = "no-day"

    def numbers(self) -> int:
        """Return the count of numbers in such a phrase."""
        return _NUMBERS.get(self, 0)


_NUMBERS = {
    DateKind.IN_DAYS: 1,
    DateKind.IN_WEEKS: 1,
    DateKind.WEEKDAY: 1,
    DateKind.WEEKDAY_THIS_WEEK: 1,
    DateKind.WEEKDAY_NEXT_WEEK: 1,
    DateKind.WEEKDAY_NEXT: 1,
    DateKind.DAY: 1,
    DateKind.DAY_THIS_MONTH: 1,
    DateKind.DAY_NEXT_MONTH: 1,
    DateKind.MONTH_DAY: 2,
    DateKind.DAY_MONTH: 2,
    DateKind.YEAR_MONTH_DAY: 3,
    DateKind.DAY_MONTH_YEAR: 3,
    DateKind.MONTH_DAY_YEAR: 3,
    DateKind.MONTH_END_OF: 1,
    DateKind.ROC_YEAR_MONTH_DAY: 3,
    DateKind.WEEKDAY_DAY: 2,
    DateKind.WEEKDAY_IN_2_WEEKS: 1,
    DateKind.WEEKDAY_AND_WEEK: 1,
    DateKind.LUNAR_NEW_YEAR_DAY: 1,
    DateKind.HOLIDAY: 2,
}


class FigureOrder(NamedTuple):
    """
    The reading of 12/5 in a language: month first for numbers of these countries, or of all (`*`), else day first.

    In `unclear` countries both readings are common, and a figure that allows both is no certain day.
    """

    month_first: frozenset[str]
    unclear: frozenset[str]

    def reads_month_first(self, country: str) -> bool | None:
        """Tell whether the month comes first; `None` if that is unclear."""
        if country in self.unclear:
            return None
        return country in self.month_first or "*" in self.month_first


def day_of(kind: DateKind, said_on: date, *numbers: int) -> date | None:
    """Return the day that a phrase of a kind means with these numbers; `None` if there is no such day."""
    return _RESOLVE[kind](said_on, *numbers)


def is_figures(word: str) -> bool:
    """Tell whether a word is a day in figures, such as 12/5."""
    return word not in _NO_DATES and _FIGURES.fullmatch(word) is not None


def day_of_figures(figures: str, month_first: bool | None, said_on: date) -> date | None:  # noqa: FBT001 - of three values
    """Return the day that figures such as 12/5 mean, by the order of day and month; `None` if it is unclear."""
    match = _FIGURES.fullmatch(figures)
    if match is None:
        return None
    first, second, year, first_year, month, day, dotted_day, dotted_month, dotted_year = match.groups()
    if first_year:
        return _valid(int(first_year), int(month), int(day))
    if dotted_year:
        first, second, year = dotted_day, dotted_month, dotted_year
    a, b = int(first), int(second)
    century = 2000 if year and len(year) == 2 else 0  # noqa: PLR2004 - figures of a short year
    readings = [
        _valid(century + int(year), month, day) if year else _coming(said_on, month, day)
        for month, day in ((a, b), (b, a))
        if month <= _MONTHS
    ]
    if len(readings) < 2 or a == b:  # noqa: PLR2004 - both ways
        return next(iter(readings), None)
    return None if month_first is None else readings[not month_first]


def _valid(year: int, month: int, day: int) -> date | None:
    if year not in _YEARS or not 1 <= month <= _MONTHS or not 1 <= day <= monthrange(year, month)[1]:
        return None
    return date(year, month, day)


def _coming(said_on: date, month: int, day: int) -> date | None:
    this_year = _valid(said_on.year, month, day)
    if this_year and this_year >= said_on:
        return this_year
    if this_year and said_on - this_year < _LONG_PAST:
        return None
    return _valid(said_on.year + 1, month, day)


def _in_month(said_on: date, months: int, day: int) -> date | None:
    """Return a day of the month that is `months` months on; day 0 is the last day of that month."""
    year, month = divmod(said_on.year * _MONTHS + said_on.month - 1 + months, _MONTHS)
    return _valid(year, month + 1, day or monthrange(year, month + 1)[1])


def _day(said_on: date, day: int) -> date | None:
    return _in_month(said_on, 0 if day >= said_on.day else 1, day)


def _days_on(said_on: date, days: int) -> date:
    return said_on + timedelta(days=days)


def _weekday(said_on: date, weekday: int) -> date:
    return _days_on(said_on, (weekday - said_on.weekday() - 1) % _WEEK + 1)


def _in_week(said_on: date, weekday: int, weeks: int) -> date:
    return _days_on(said_on, weekday - said_on.weekday() + weeks * _WEEK)


def _weekday_next(said_on: date, weekday: int) -> date | None:
    coming = _weekday(said_on, weekday)
    return coming if coming == _in_week(said_on, weekday, 1) else None


def _month_end_of(said_on: date, month: int) -> date | None:
    return _in_month(said_on, (month - said_on.month) % _MONTHS, 0)


def _weekday_day(said_on: date, weekday: int, day: int) -> date | None:
    """Return the coming day of a month if it is that weekday, "Friday 18"; else the weekday, "Friday 8 o'clock"."""
    coming = _day(said_on, day)
    return coming if coming and coming.weekday() == weekday else _weekday(said_on, weekday)


def _holiday(said_on: date, month: int, day: int) -> date | None:
    """Return the next time that a holiday comes: nobody means the last, however short a time ago it was."""
    days = (_valid(year, month, day) for year in _this_and_next(said_on))
    return next((on for on in days if on and on >= said_on), None)


def _black_friday(said_on: date) -> date:
    """Return the day after the fourth Thursday of November."""
    firsts = (date(year, 11, 1) for year in _this_and_next(said_on))
    days = (_days_on(first, (_THURSDAY - first.weekday()) % _WEEK + 3 * _WEEK + 1) for first in firsts)
    return next(day for day in days if day >= said_on)


def _lunar_new_year_day(said_on: date, day: int) -> date | None:
    """Return a day of the first lunar month if it is near; day 0 is New Year's Eve. Every lunar month has such days."""
    days = (_days_on(new_year, day - 1) for new_year in _LUNAR_NEW_YEARS)
    return next((on for on in days if said_on <= on <= said_on + _NEAR), None)


def _this_and_next(said_on: date) -> tuple[int, int]:
    return said_on.year, said_on.year + 1


_RESOLVE: Mapping[DateKind, Callable[..., date | None]] = {
    DateKind.TODAY: lambda said_on: said_on,
    DateKind.TOMORROW: lambda said_on: _days_on(said_on, 1),
    DateKind.IN_2_DAYS: lambda said_on: _days_on(said_on, 2),
    DateKind.IN_3_DAYS: lambda said_on: _days_on(said_on, 3),
    DateKind.IN_DAYS: _days_on,
    DateKind.IN_WEEKS: lambda said_on, weeks: _days_on(said_on, weeks * _WEEK),
    DateKind.WEEKDAY: _weekday,
    DateKind.WEEKDAY_THIS_WEEK: lambda said_on, weekday: _in_week(said_on, weekday, 0),
    DateKind.WEEKDAY_NEXT_WEEK: lambda said_on, weekday: _in_week(said_on, weekday, 1),
    DateKind.WEEKDAY_NEXT: _weekday_next,
    DateKind.DAY: _day,
    DateKind.DAY_THIS_MONTH: lambda said_on, day: _in_month(said_on, 0, day),
    DateKind.DAY_NEXT_MONTH: lambda said_on, day: _in_month(said_on, 1, day),
    DateKind.MONTH_DAY: _coming,
    DateKind.DAY_MONTH: lambda said_on, day, month: _coming(said_on, month, day),
    DateKind.YEAR_MONTH_DAY: lambda _, year, month, day: _valid(year, month, day),
    DateKind.DAY_MONTH_YEAR: lambda _, day, month, year: _valid(year, month, day),
    DateKind.MONTH_DAY_YEAR: lambda _, month, day, year: _valid(year, month, day),
    DateKind.MONTH_END: lambda said_on: _in_month(said_on, 0, 0),
    DateKind.NEXT_MONTH_END: lambda said_on: _in_month(said_on, 1, 0),
    DateKind.MONTH_END_OF: _month_end_of,
    DateKind.ROC_YEAR_MONTH_DAY: lambda _, year, month, day: _valid(year + _ROC_FIRST - 1, month, day),
    DateKind.WEEKDAY_DAY: _weekday_day,
    DateKind.WEEKDAY_IN_2_WEEKS: lambda said_on, weekday: _in_week(said_on, weekday, 2),
    DateKind.WEEKDAY_AND_WEEK: lambda said_on, weekday: _days_on(_weekday(said_on, weekday), _WEEK),
    DateKind.LUNAR_NEW_YEAR_DAY: _lunar_new_year_day,
    DateKind.HOLIDAY: _holiday,
    DateKind.BLACK_FRIDAY: _black_friday,
    DateKind.FIGURES: lambda *_: None,
    DateKind.NOW: lambda said_on: said_on,
    DateKind.VAGUE: lambda *_: None,
    DateKind.PAST: lambda *_: None,
    DateKind.NO_DAY: lambda *_: None,
}
