"""Calendars: the public holidays of a country, the working days they moved, and how far both are known."""

from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources.abc import Traversable
from typing import Self

from pydantic import Field, model_validator

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

    @model_validator(mode="after")
    def _days_are_covered(self) -> Self:
        for day in (*self.holidays, *self.working_days):
            if day > self.valid_until:
                raise ValueError(f"{day} is after valid_until, {self.valid_until}")
        if both := sorted(self.holidays.keys() & self.working_days.keys()):
            raise ValueError(f"{both[0]} is a holiday and a working day")
        return self


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
        return calendar

    return calendar_of
