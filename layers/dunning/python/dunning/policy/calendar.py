"""Calendars: the public holidays of a country, the working days they moved, and how far both are known."""

from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources.abc import Traversable

from pydantic import Field

from dunning.policy.fields import Strict
from dunning.policy.files import toml_file

type CalendarOf = Callable[[str], "CalendarFile | None"]
"""Return the calendar of a country, or `None` if there is none."""


class CalendarFile(Strict):
    """
    The days off of a country, as far as they are known.

    `working_days` are days at a weekend on which people work instead, as announced in mainland China.
    """

    country: str
    valid_until: date
    source: str = Field(min_length=3)
    holidays: dict[date, str]
    working_days: dict[date, str] = Field(default_factory=dict)


def calendars_in(data: Traversable) -> CalendarOf:
    """
    Return a look-up of the calendars of a folder, each read when it is first asked for.

    The look-up raises PolicyError: a file is not as it should be.
    """

    @cache
    def calendar_of(country: str) -> CalendarFile | None:
        name = f"calendars/{country}.toml"
        if not (data / name).is_file():
            return None
        file = toml_file(data, name)
        calendar = file.read(CalendarFile)
        if calendar.country != country:
            raise file.refusal(("country",), f"{calendar.country!r} is not the file's name")
        for table, days in (("holidays", calendar.holidays), ("working_days", calendar.working_days)):
            if days and (last := max(days)) > calendar.valid_until:
                raise file.refusal((table, str(last)), f"is after valid_until, {calendar.valid_until}")
        if both := calendar.holidays.keys() & calendar.working_days.keys():
            raise file.refusal(("working_days", str(min(both))), "is a holiday too")
        return calendar

    return calendar_of
