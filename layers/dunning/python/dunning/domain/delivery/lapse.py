"""
Lapse: the moment after which a message must not arrive any more. Pure.

It stands apart from the channels, which every gateway's port names: a function that sends nothing imports no hours.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dunning.domain.decision.hours import open_window
from dunning.domain.decision.rules import ContactHours

BEFORE_HOURS_END = timedelta(minutes=10)
"""A carrier that gives up at a moment may have handed a message to a network just before."""


def lapses_at(hours: ContactHours, zones: tuple[ZoneInfo, ...], at: datetime) -> datetime:
    """
    Return the moment after which a message that is sent at `at` must not arrive: ten minutes before the hours end.

    The hours are those of all zones. `at` has to be inside of them.

    Raises:
        CalendarNotCoveredError: the calendar does not cover the day.
        NoLawfulMomentError: the hours never open.
    """
    return open_window(hours, zones, at)[1] - BEFORE_HOURS_END
