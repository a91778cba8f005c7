"""
Write the calendars of public holidays from well-kept libraries: `make calendars`, then review the diff.

With `--check` nothing is written: the files that would differ are named, and the exit status is 1.

Every country of a jurisdiction file has a calendar, whether or not its own rules ask for one: a lender's hours may.
Mainland China is taken from chinesecalendar, which holds only what the State Council has announced, working days at
weekends included. Its calendar ends where the announcements end; after that whatever needs it stops. python-holidays
has dates for later years there: they are guesses, and never used.

Make-up working days are written for mainland China only. Taiwan has some too, but no library knows them reliably;
python-holidays has one of 2014 and none since.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import chinese_calendar
import holidays

from tests.devtools.generated import write_or_check

POLICY = Path(__file__).parents[2] / "layers/dunning/python/dunning/policy/data"
FOLDER = POLICY / "calendars"
YEARS = range(2026, 2028)
LAST_DAY = date(YEARS[-1], 12, 31)
ONE_DAY = timedelta(days=1)

OF_DEFAULT = ("CA", "CH", "MO", "NO", "NZ")
"""Countries without a jurisdiction file that get texts: `default` is closed without a calendar."""

PARTS = {"GB": {"ENG": "England", "WLS": "Wales", "SCT": "Scotland", "NIR": "Northern Ireland"}}
"""Countries whose parts rest on different days, and where the part is not asked: a holiday of any of them counts."""

HEADER = "# Written by `make calendars` from {library}. Change tests/devtools/calendars.py, not this file."
ESTIMATED = "(estimated)"


class Calendar(NamedTuple):
    """What is known of a country's days off."""

    library: str
    source: str
    valid_until: date
    holidays: Mapping[date, str]
    working_days: Mapping[date, str]


def countries() -> list[str]:
    """Return the countries that have a calendar."""
    found = set(OF_DEFAULT)
    for file in (POLICY / "jurisdictions").glob("*.toml"):
        place = tomllib.loads(file.read_text("utf-8"))
        found.update(place.get("countries", [] if place["id"] == "default" else [place["id"].partition("-")[0]]))
    return sorted(found)


def calendar(country: str) -> Calendar:
    """Return the calendar of a country."""
    return _announced_in_china() if country == "CN" else _computed(country)


def _announced_in_china() -> Calendar:
    days: dict[date, str] = {}
    working_days: dict[date, str] = {}
    last = date(YEARS[0] - 1, 12, 31)
    for year in YEARS:
        try:
            announced = [(day, *_detail(day)) for day in _days_of(year)]
        except NotImplementedError:
            break
        weekend = {day for day in _days_of(year) if day.weekday() >= 5}
        days |= {day: name for day, off, name in announced if off and name}
        working_days |= {day: name or "working day" for day, off, name in announced if not off and day in weekend}
        last = date(year, 12, 31)
    return Calendar("chinesecalendar", "chinesecalendar: announcements of the State Council", last, days, working_days)


def _days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + number * ONE_DAY for number in range((date(year, 12, 31) - first).days + 1)]


def _detail(day: date) -> tuple[bool, str | None]:
    """Tell whether a day is off, and the holiday it is or makes up for."""
    found: tuple[bool, str | None] = chinese_calendar.get_holiday_detail(day)  # type: ignore[no-untyped-call]
    return found


def _computed(country: str) -> Calendar:
    days = _of_all_parts(country) if country in PARTS else dict(_holidays(country))
    source = "python-holidays, national holidays"
    if country in PARTS:
        source = f"python-holidays, holidays of {', '.join(PARTS[country].values())} together"
    estimated = around_estimates(days)
    if estimated:
        source += (
            f"; those marked {ESTIMATED} wait for the moon and may be off by a day, so the days around them rest too"
        )
    return Calendar("python-holidays", source, LAST_DAY, days | estimated, {})


def _holidays(country: str, part: str | None = None) -> Iterator[tuple[date, str]]:
    found = holidays.country_holidays(country, subdiv=part, years=YEARS, language="en_US")
    yield from sorted(found.items())


def _of_all_parts(country: str) -> dict[date, str]:
    """Join the holidays of a country's parts: the narrower reading holds for somebody whose part is not known."""
    by_name: dict[tuple[date, str], list[str]] = {}
    for part, called in PARTS[country].items():
        for day, name in _holidays(country, part):
            by_name.setdefault((day, name), []).append(called)
    days: dict[date, str] = {}
    for (day, name), where in by_name.items():
        written = name if len(where) == len(PARTS[country]) else f"{name} ({', '.join(where)})"
        days[day] = f"{days[day]}; {written}" if day in days else written
    return days


def around_estimates(days: Mapping[date, str]) -> dict[date, str]:
    """
    Return the days before and after the estimated ones that are no holidays yet.

    A month of the Islamic calendar begins when the moon is seen, which may be a day earlier or later than computed.
    """
    around: dict[date, str] = {}
    for day, names in days.items():
        for name in names.split("; "):
            for near in (day - ONE_DAY, day + ONE_DAY):
                if ESTIMATED in name and near not in days and near.year in YEARS:
                    around[near] = f"perhaps {name}"
    return around


def written(country: str, found: Calendar) -> str:
    """Return the file of a country."""
    lines = [HEADER.format(library=found.library), f'country = "{country}"', f"valid_until = {found.valid_until}"]
    lines += [f'source = "{found.source}"', "", "[holidays]", *_table(found.holidays)]
    if found.working_days:
        lines += ["", "[working_days]", *_table(found.working_days)]
    return "\n".join(lines) + "\n"


def _table(days: Mapping[date, str]) -> Iterable[str]:
    return (f'{day} = "{name.replace(chr(34), "")}"' for day, name in sorted(days.items()))


def differing() -> list[str]:
    """Return the names of files that are not what the libraries give, that are missing, or that nobody asks for."""
    there = {file.stem: file.read_text("utf-8") for file in FOLDER.glob("*.toml")}
    wanted = {country: written(country, calendar(country)) for country in countries()}
    return sorted(f"{name}.toml" for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))


def write_all() -> None:
    """Write the files, one line of progress for each, and remove those that nobody asks for."""
    asked_for = countries()
    for file in FOLDER.glob("*.toml"):
        if file.stem not in asked_for:
            file.unlink()
    for country in asked_for:
        found = calendar(country)
        (FOLDER / f"{country}.toml").write_text(written(country, found), "utf-8")
        moved = f", {len(found.working_days)} working days at weekends" if found.working_days else ""
        sys.stdout.write(f"{country}  {len(found.holidays)} holidays until {found.valid_until}{moved}\n")


def main(arguments: list[str] | None = None) -> int:
    """Write the calendars, or tell which would differ."""
    return write_or_check("Write the holiday calendars from the libraries.", write_all, differing, arguments)


if __name__ == "__main__":
    sys.exit(main())
