"""
Write the calendars of public holidays from well-kept libraries: `make calendars`, then review the diff.

Mainland China is taken from chinesecalendar, which holds only what the State Council has announced; its calendar
ends where the announcements end, and after that overdue texts to the mainland stop.
"""

import sys
from datetime import date
from pathlib import Path

import chinese_calendar
import holidays

FOLDER = Path(__file__).parents[2] / "layers/dunning/python/dunning/policy/calendars"
YEARS = range(2026, 2028)
COUNTRIES = [
    "AT",
    "AU",
    "BE",
    "BG",
    "BR",
    "CA",
    "CH",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GB",
    "GR",
    "HK",
    "HR",
    "HU",
    "ID",
    "IE",
    "IN",
    "IT",
    "JP",
    "KR",
    "LT",
    "LU",
    "LV",
    "MO",
    "MT",
    "MY",
    "NL",
    "NO",
    "NZ",
    "PH",
    "PL",
    "PT",
    "RO",
    "SE",
    "SG",
    "SI",
    "SK",
    "TH",
    "TW",
    "US",
    "VN",
]


def announced_in_china(year: int) -> dict[date, str]:
    """Return the announced days off of a year on the mainland, weekends included; empty if not announced yet."""
    try:
        days = chinese_calendar.get_holidays(  # type: ignore[no-untyped-call]
            date(year, 1, 1), date(year, 12, 31), include_weekends=False
        )
    except NotImplementedError:
        return {}
    return {day: _name_of(day) or "" for day in days}


def _name_of(day: date) -> str | None:
    detail: tuple[bool, str | None] = chinese_calendar.get_holiday_detail(day)  # type: ignore[no-untyped-call]
    return detail[1]


def calendar(country: str) -> tuple[dict[date, str], date, str]:
    """Return the holidays of a country, the last day they cover and where they are from."""
    if country == "CN":
        days: dict[date, str] = {}
        last = date(YEARS[0] - 1, 12, 31)
        for year in YEARS:
            if not (announced := announced_in_china(year)):
                break
            days |= announced
            last = date(year, 12, 31)
        return days, last, "chinesecalendar: announcements of the State Council"
    found = holidays.country_holidays(country, years=YEARS, language="en_US")
    return dict(found), date(YEARS[-1], 12, 31), "python-holidays, national holidays"


def write(country: str) -> None:
    """Write one country's file."""
    days, last, source = calendar(country)
    lines = [f'country = "{country}"', f"valid_until = {last}", f'source = "{source}"', "", "[holidays]"]
    lines += [f'{day} = "{name.replace(chr(34), "")}"' for day, name in sorted(days.items())]
    (FOLDER / f"{country}.toml").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Write all files."""
    for country in ("CN", *COUNTRIES):
        write(country)
    sys.stdout.write(f"{len(COUNTRIES) + 1} calendars in {FOLDER}\n")


if __name__ == "__main__":
    main()
