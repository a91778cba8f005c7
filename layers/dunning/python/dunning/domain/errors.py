"""Errors of the domain. None of their messages holds personal data."""

from datetime import date, datetime


class DunningError(Exception):
    """Any error this package raises on purpose."""


class CalendarNotCoveredError(DunningError):
    """The calendar of a place ends before a day that has to be judged. `since` is when that day begins."""

    def __init__(self, day: date, since: datetime) -> None:
        super().__init__(f"no calendar covers {day.isoformat()}")
        self.day = day
        self.since = since


class NoLawfulMomentError(DunningError):
    """The contact hours never open."""


class TextError(DunningError):
    """A text cannot be rendered: a placeholder has no value, or a value no placeholder."""


class UnknownCurrencyError(DunningError):
    """We do not know how many decimals a currency has."""
