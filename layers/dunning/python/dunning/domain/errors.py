"""Errors of the domain. None of their messages holds personal data."""

import traceback
from datetime import date, datetime

from dunning.domain.decision.decisions import Reason


class DunningError(Exception):
    """Any error this package raises on purpose."""


class CalendarNotCoveredError(DunningError):
    """The calendar of a place ends before a day that has to be judged. `since` is the start of that day."""

    def __init__(self, day: date, since: datetime) -> None:
        super().__init__(f"no calendar covers {day.isoformat()}")
        self.day = day
        self.since = since


class NoLawfulMomentError(DunningError):
    """The contact hours never open."""


class TextError(DunningError):
    """A text cannot be rendered: a placeholder has no value, or a value no placeholder."""


class NoTextError(DunningError):
    """
    No text can be composed. The error holds the reason and the trace's message, with `%` marks and values apart.

    Reason and message hold no personal data.
    """

    def __init__(self, reason: Reason, message: str, *values: object) -> None:
        super().__init__(message % values)
        self.reason = reason
        self.message = message
        self.values = values


class UnknownCurrencyError(DunningError):
    """The number of decimals of a currency is not known."""


class UnreadableRecordError(DunningError):
    """A stored record or a message has a form that this version of the program does not write."""


class ServiceCallError(DunningError):
    """A call to the outside failed; `code` is the service's own error code."""

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation}: {code}")
        self.code = code


class RecordTooLargeError(DunningError):
    """A customer does not fit into the store: an item, a number or a list in it is too large. A retry is no help."""


class UnexpectedError(DunningError):
    """An unforeseen error, described by its kind only. The event has to be handed over again."""


def error_location(error: BaseException) -> str:
    """Return the function and line where an error arose. Its message might quote personal data, and is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""
