"""Calendars: the public holidays of a country, the working days they moved, and how far both are known."""

from collections.abc import Callable
from datetime import date
from importlib.resources.abc import Traversable

from pydantic import Field

from dunning.policy.fields import Strict
from dunning.policy.files import toml_file

type CalendarOf = Callable[[str], CalendarFile | None]
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


class Calendars:
    """The calendars of a folder, each read when it is first asked for. Pickled are all of them, and not the folder."""

    def __init__(self, data: Traversable) -> None:
        self._data: Traversable | None = data
        self._found: dict[str, CalendarFile | None] = {}

    def __getstate__(self) -> dict[str, CalendarFile | None]:
        entries = (self._data / "calendars").iterdir() if self._data else ()
        countries = {entry.name.removesuffix(".toml") for entry in entries} | self._found.keys()
        return {country: self(country) for country in sorted(countries)}

    def __setstate__(self, found: dict[str, CalendarFile | None]) -> None:
        self._data, self._found = None, found

    def __call__(self, country: str) -> CalendarFile | None:
        """
        Return the calendar of a country, or `None` if there is none.

        Raises:
            PolicyError: its file is not as it should be.
        """
        if country not in self._found:
            self._found[country] = _calendar(self._data, country) if self._data else None
        return self._found[country]


def _calendar(data: Traversable, country: str) -> CalendarFile | None:
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
    if listed_twice := calendar.holidays.keys() & calendar.working_days.keys():
        raise file.refusal(("working_days", str(min(listed_twice))), "is a holiday too")
    return calendar
