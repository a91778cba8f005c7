"""Calendars: written from libraries, known until a day, and closed after it."""

import shutil
from datetime import date, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.decision.hours import next_open
from dunning.domain.decision.rules import Rules
from dunning.domain.errors import CalendarNotCoveredError
from dunning.policy import PolicyError, load_calendars_needed, load_policies
from dunning.policy.calendar import Calendars
from dunning.policy.jurisdiction import zones_of_countries
from tests.devtools import calendars as tool
from tests.support.builders import IN_MAINLAND_CHINA, a_customer, day, instant, rules_of, the_policies
from tests.support.people import NOW

COUNTRIES = sorted(
    entry.name.removesuffix(".toml")
    for entry in (files("dunning.policy") / "data" / "calendars").iterdir()
    if entry.name.endswith(".toml")
)
CALENDAR_OF = Calendars(files("dunning.policy") / "data")


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_calendar_loads_and_covers_this_year_at_least(country: str) -> None:
    found = CALENDAR_OF(country)
    assert found
    assert country in zones_of_countries()
    assert found.holidays
    assert min(found.holidays) >= day("2026-01-01")
    assert found.valid_until in {day("2026-12-31"), day("2027-12-31")}
    assert all(name.strip() for name in (*found.holidays.values(), *found.working_days.values()))


def test_the_calendars_are_what_the_libraries_give() -> None:
    assert tool.differing() == []


def test_every_country_of_a_jurisdiction_file_has_a_calendar_and_a_few_more() -> None:
    places = the_policies().places.by_id
    known = {country for place in places.values() for country in place.law.countries}
    known |= {name.partition("-")[0] for name in places} - {"EU", "default"}
    assert known | {"CA", "CH", "MO", "NO", "NZ"} == set(COUNTRIES)


def test_a_check_names_the_files_that_would_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tool.FOLDER, tmp_path / "calendars")
    monkeypatch.setattr(tool, "FOLDER", tmp_path / "calendars")
    assert tool.main(["--check"]) == 0
    (tmp_path / "calendars/HK.toml").write_text("", "utf-8")
    (tmp_path / "calendars/TW.toml").unlink()
    (tmp_path / "calendars/ZZ.toml").write_text("", "utf-8")
    capsys.readouterr()
    assert tool.main(["--check"]) == 1
    assert capsys.readouterr().out == "HK.toml would differ\nTW.toml would differ\nZZ.toml would differ\n"
    assert (tmp_path / "calendars/HK.toml").read_text("utf-8") == ""
    assert tool.main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(COUNTRIES)
    assert tool.main(["--check"]) == 0


def test_chinas_calendar_is_what_was_announced_with_the_working_days_at_weekends() -> None:
    found = CALENDAR_OF("CN")
    assert found
    assert found.valid_until == day("2026-12-31"), "what a library guesses of later years is never used"
    assert day("2026-10-01") in found.holidays
    assert set(found.working_days) == {
        day(on) for on in ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")
    }
    assert all(on.weekday() >= 5 for on in found.working_days)


def test_britain_rests_when_any_part_of_it_does() -> None:
    found = CALENDAR_OF("GB")
    assert found
    assert "Scotland" in found.holidays[day("2026-11-30")]
    assert "Northern Ireland" in found.holidays[day("2026-03-17")]
    assert found.holidays[day("2026-12-25")] == "Christmas Day"


def test_a_day_that_waits_for_the_moon_is_marked_and_so_are_the_days_around_it() -> None:
    found = CALENDAR_OF("ID")
    assert found
    assert found.holidays[day("2027-05-17")] == "Eid al-Adha (estimated)"
    for near in ("2027-05-16", "2027-05-18", "2027-03-09", "2027-03-12"):
        assert "perhaps" in found.holidays[day(near)]
    assert "off by a day" in found.source
    assert tool.around_estimates({day("2027-12-31"): "Eid (estimated)"}) == {
        day("2027-12-30"): "perhaps Eid (estimated)"
    }


def with_hours_in_china(folder: Path, hours: str) -> Rules:
    """Return what holds for somebody in mainland China if the lender has these hours there."""
    with as_file(files("dunning.policy") / "data") as source:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    lender = folder / "lenders/demo-cn.toml"
    text = lender.read_text("utf-8")
    lender.write_text(text.replace("[countries.CN]\n", f"[countries.CN]\nhours = {hours}\n"), "utf-8")
    found = load_policies(folder).rules_for(a_customer(**IN_MAINLAND_CHINA), NOW)
    assert isinstance(found, Rules)
    return found


def test_a_lender_that_works_on_working_days_works_on_the_saturdays_that_are_made_ones(tmp_path: Path) -> None:
    hours = '{ mon-fri = "09:00-18:00", sat-sun = "", holiday = "", working_day = "10:00-19:00" }'
    found = with_hours_in_china(tmp_path / "policy", hours)
    shanghai = (ZoneInfo("Asia/Shanghai"),)

    def opens(wall: str) -> str:
        at = next_open(found.hours, shanghai, instant(wall, "Asia/Shanghai")).astimezone(shanghai[0])
        return f"{at:%Y-%m-%d %H:%M}"

    assert opens("2026-10-09 18:00") == "2026-10-10 10:00", "a Saturday on which people make up for National Day"
    assert opens("2026-10-10 18:59") == "2026-10-10 18:59"
    assert opens("2026-10-10 19:00") == "2026-10-12 09:00"
    assert opens("2026-10-16 18:00") == "2026-10-19 09:00", "an ordinary weekend"
    assert opens("2026-09-30 18:00") == "2026-10-08 09:00", "the week of National Day"
    assert found.hours.covered_until == day("2026-12-31")


NEEDS_A_CALENDAR = {
    # country: for all texts, or for overdue ones only
    "CN": "overdue", "HK": "overdue", "IN": "overdue", "DE": "overdue", "GB": "all", "MY": "all", "ID": "all",
    "AU": "all", "TH": "all", "NO": "all", "BR": "all", "GR": "overdue",
    # by our own default that overdue texts rest on holidays
    "TW": "overdue", "US": "overdue", "SG": "overdue", "PH": "overdue", "VN": "overdue", "KR": "overdue",
    "JP": "overdue",
}  # fmt: skip


@pytest.mark.parametrize("country", sorted(set(NEEDS_A_CALENDAR) - {"IN"}))
def test_after_a_calendar_has_ended_whatever_needs_it_is_closed(country: str) -> None:
    facts = a_customer(country=country, phone_country=country, lender="demo-world")
    found = rules_of(a_customer(**IN_MAINLAND_CHINA) if country == "CN" else facts)
    end = {"CN": date(2026, 12, 31)}.get(country, date(2027, 12, 31))
    after = instant(f"{end + timedelta(days=3)} 12:00", found.zones[0].key)
    for stages, hours in (("all", found.hours), ("overdue", found.overdue_hours)):
        needed = NEEDS_A_CALENDAR[country] in (stages, "all")
        assert hours.covered_until == (end if needed else None)
        if needed:
            with pytest.raises(CalendarNotCoveredError):
                next_open(hours, found.zones, after)
        else:
            assert next_open(hours, found.zones, after) >= after


def test_a_country_that_needs_a_calendar_and_has_none_is_always_closed() -> None:
    found = rules_of(a_customer(country="PA", phone_country="PA", lender="demo-world"))
    assert found.hours.covered_until == date.min
    with pytest.raises(CalendarNotCoveredError):
        next_open(found.hours, found.zones, instant("2026-12-01 12:00", "America/Panama"))


def test_the_calendars_that_are_needed_are_those_that_some_rules_hang_on() -> None:
    book = the_policies()
    hanging: dict[str, date] = {}
    for lender in book.lenders:
        for country in zones_of_countries():
            found = book.rules(lender, country, at=NOW)
            end = found.overdue_hours.covered_until if isinstance(found, Rules) else None
            if end and end != date.min:  # which says that there is no calendar
                hanging[country] = end
    assert {"CN", "HK", "DE", "GB"} <= hanging.keys()
    assert load_calendars_needed() == hanging


@pytest.fixture
def read_by_the_scanner(tmp_path: Path) -> Path:
    """Return a folder with what tells which calendars are needed, and nothing else."""
    with as_file(files("dunning.policy") / "data") as source:
        for name in ("jurisdictions", "lenders", "calendars"):
            shutil.copytree(source / name, tmp_path / name)
    return tmp_path


def test_no_text_and_no_word_is_read_to_know_which_calendars_are_needed(read_by_the_scanner: Path) -> None:
    assert load_calendars_needed(read_by_the_scanner) == load_calendars_needed()


def test_a_lenders_own_hours_on_holidays_need_a_calendar(read_by_the_scanner: Path) -> None:
    for name in ("demo-channels.toml", "demo-cn.toml", "demo-world.toml"):
        (read_by_the_scanner / "lenders" / name).unlink()
    assert load_calendars_needed(read_by_the_scanner).keys() == {"HK", "TW", "US"}
    lender = read_by_the_scanner / "lenders/demo-tw.toml"
    without_rest = lender.read_text("utf-8").replace("max_segments", "rest_on_holidays = false\nmax_segments", 1)
    lender.write_text(without_rest, "utf-8")
    assert load_calendars_needed(read_by_the_scanner).keys() == {"HK"}
    with_hours = without_rest.replace(
        "[countries.TW]", '[countries.TW]\nhours = { daily = "09:00-20:00", holiday = "" }', 1
    )
    lender.write_text(with_hours, "utf-8")
    assert load_calendars_needed(read_by_the_scanner).keys() == {"HK", "TW"}


def test_a_lender_that_cannot_be_read_is_refused_to_the_scanner_too(read_by_the_scanner: Path) -> None:
    (read_by_the_scanner / "lenders/demo-tw.toml").write_text('id = "demo-tw"', "utf-8")
    with pytest.raises(PolicyError, match=r"^lenders/demo-tw\.toml"):
        load_calendars_needed(read_by_the_scanner)
