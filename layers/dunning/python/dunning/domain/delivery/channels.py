"""Channels: the ways to reach a person, and the moment after which a message must not arrive any more. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dunning.domain.decision.hours import open_window
from dunning.domain.decision.rules import ContactHours


class Channel(StrEnum):
    """A way to reach a person. The values stand in ledgers and in audit records."""

    SMS = "sms"
    EMAIL = "email"
    LINE = "line"
    VOICE = "voice"
    WHATSAPP = "whatsapp"


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
