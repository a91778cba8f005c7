"""Contact hours: when a person may be reached, wherever they may be."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.decision.hours import (
    common_hour,
    is_closed_day,
    local_day,
    local_instant,
    next_open,
    start_of_day,
    working_day_after,
    zone_named,
)
from dunning.domain.decision.rules import ContactHours
from dunning.domain.errors import CalendarNotCoveredError, NoLawfulMomentError
from tests.support.builders import day, instant
from tests.support.vectors import read_vectors

VECTORS: list[dict[str, Any]] = [vector for vector in read_vectors("quiet_hours") if not vector.get("contested")]

MINUTE = timedelta(minutes=1)
MIDNIGHT = 24 * 60


def minutes(clock: str) -> int:
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def daily(*windows: str, **calendar: Any) -> ContactHours:  # noqa: ANN401 - fields
    """Return the same windows, such as `09:00-20:30`, for every day of the week."""
    spans = tuple((minutes(window[:5]), minutes(window[6:])) for window in windows)
    return ContactHours((spans,) * 7, **calendar)


def around_quiet(start: str, end: str) -> ContactHours:
    """Return the hours around quiet ones, which may run over midnight."""
    first, last = minutes(start), minutes(end)
    windows = ((0, first), (last, MIDNIGHT)) if first < last else ((last, first),)
    return ContactHours((windows,) * 7)


def zones(*names: str) -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in names)


@pytest.mark.parametrize(
    ("names", "hour"),
    [
        (["Asia/Taipei"], 10),
        (["Asia/Taipei", "Asia/Singapore"], 10),
        (["Asia/Kolkata"], 7),
        (["Europe/Lisbon", "Atlantic/Azores"], None),
        ([], None),
    ],
)
def test_the_hour_is_known_where_all_clocks_show_it(names: list[str], hour: int | None) -> None:
    assert common_hour(instant("2026-12-01 10:00", "Asia/Taipei"), zones(*names)) == hour


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{v['tz']} {v['quiet_start']} {v['now']}" for v in VECTORS])
def test_quiet_hours_agree_with_what_other_systems_say(vector: dict[str, Any]) -> None:
    hours = around_quiet(vector["quiet_start"], vector["quiet_end"])
    now = datetime.fromisoformat(vector["now"]).astimezone(UTC)
    opens = next_open(hours, zones(vector["tz"]), now)
    assert (opens > now) is vector["in_quiet"]
    if vector["next_allowed"]:
        assert opens == datetime.fromisoformat(vector["next_allowed"])


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        pytest.param("2026-12-01 08:59", "2026-12-01 09:00", id="a minute before they open"),
        pytest.param("2026-12-01 09:00", "2026-12-01 09:00", id="the minute they open is inside"),
        pytest.param("2026-12-01 20:29", "2026-12-01 20:29", id="the minute before they close is inside"),
        pytest.param("2026-12-01 20:30", "2026-12-02 09:00", id="the minute they close is outside"),
        pytest.param("2026-12-01 00:00", "2026-12-01 09:00", id="midnight belongs to the day that begins"),
    ],
)
def test_a_window_includes_its_start_and_excludes_its_end(now: str, opens: str) -> None:
    there = "Asia/Taipei"
    assert next_open(daily("09:00-20:30"), zones(there), instant(now, there)) == instant(opens, there)


def test_the_last_microsecond_of_a_window_is_inside() -> None:
    now = instant("2026-12-01 20:30", "Asia/Taipei") - timedelta(microseconds=1)
    assert next_open(daily("09:00-20:30"), zones("Asia/Taipei"), now) == now


def test_a_day_may_have_several_windows() -> None:
    hours = daily("09:00-12:00", "13:30-18:00")
    there = "Asia/Taipei"
    assert next_open(hours, zones(there), instant("2026-12-01 12:00", there)) == instant("2026-12-01 13:30", there)
    assert next_open(hours, zones(there), instant("2026-12-01 18:00", there)) == instant("2026-12-02 09:00", there)


def test_closed_days_and_days_without_hours_are_passed_over() -> None:
    six_days = ContactHours((((540, 1230),),) * 6 + ((),), special={day("2026-12-25"): (), day("2026-12-26"): ()})
    there = "Asia/Hong_Kong"
    thursday_evening = instant("2026-12-24 21:00", there)
    assert next_open(six_days, zones(there), thursday_evening) == instant("2026-12-28 09:00", there)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        pytest.param("2026-12-01 09:00", "2026-12-01 14:00", id="nine in New York is four in Honolulu"),
        pytest.param("2026-12-01 13:59", "2026-12-01 14:00", id="a minute before Honolulu opens"),
        pytest.param("2026-12-01 19:59", "2026-12-01 19:59", id="the last minute in New York"),
        pytest.param("2026-12-01 20:00", "2026-12-02 14:00", id="New York has closed, Honolulu does not count"),
    ],
)
def test_with_several_possible_zones_all_of_them_must_be_open(now: str, opens: str) -> None:
    both = zones("America/New_York", "Pacific/Honolulu")
    there = "America/New_York"
    assert next_open(daily("09:00-20:00"), both, instant(now, there)) == instant(opens, there)


def test_the_order_of_the_zones_does_not_matter() -> None:
    zones_of_the_us = zones("America/New_York", "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu")
    now = instant("2026-12-01 21:00", "America/New_York")
    assert next_open(daily("09:00-20:00"), zones_of_the_us, now) == next_open(
        daily("09:00-20:00"), zones_of_the_us[::-1], now
    )


def test_zones_that_are_never_open_together_have_no_lawful_moment() -> None:
    with pytest.raises(NoLawfulMomentError):
        next_open(daily("09:00-20:00"), zones("Asia/Taipei", "America/New_York"), datetime(2026, 12, 1, tzinfo=UTC))


def test_hours_that_never_open_have_no_lawful_moment() -> None:
    with pytest.raises(NoLawfulMomentError):
        next_open(daily(), zones("Asia/Taipei"), datetime(2026, 12, 1, tzinfo=UTC))


def test_hours_are_looked_for_on_sixty_days_and_on_no_later_one() -> None:
    once = ContactHours(((),) * 7, special={day("2027-03-01"): ((540, 600),)})
    there, opens = zones("Asia/Taipei"), instant("2027-03-01 09:00", "Asia/Taipei")
    assert next_open(once, there, opens - timedelta(days=59)) == opens
    with pytest.raises(NoLawfulMomentError):
        next_open(once, there, opens - timedelta(days=60))


@pytest.mark.parametrize(
    ("window", "zone", "now", "opens"),
    [
        pytest.param(
            "02:30-05:00", "America/New_York", "2026-03-08 06:00Z", "2026-03-08 07:00Z",
            id="an opening the clocks skip means the moment of the change",
        ),
        pytest.param(
            "00:30-02:30", "America/New_York", "2026-03-08 06:59Z", "2026-03-08 06:59Z",
            id="a closing the clocks skip means the moment of the change: still open before",
        ),
        pytest.param(
            "00:30-02:30", "America/New_York", "2026-03-08 07:00Z", "2026-03-09 04:30Z",
            id="a closing the clocks skip means the moment of the change: closed from then",
        ),
        pytest.param(
            "01:30-05:00", "America/New_York", "2026-11-01 05:30Z", "2026-11-01 06:30Z",
            id="an opening that comes twice means the second",
        ),
        pytest.param(
            "00:00-01:30", "America/New_York", "2026-11-01 05:29Z", "2026-11-01 05:29Z",
            id="a closing that comes twice: open before the first",
        ),
        pytest.param(
            "00:00-01:30", "America/New_York", "2026-11-01 05:30Z", "2026-11-02 05:00Z",
            id="a closing that comes twice: closed from the first",
        ),
        pytest.param(
            "01:00-01:45", "America/New_York", "2026-11-01 05:10Z", "2026-11-02 06:00Z",
            id="a window within the doubled hour cannot be told apart and is none",
        ),
        pytest.param(
            "02:10-02:50", "America/New_York", "2026-03-08 06:00Z", "2026-03-09 06:10Z",
            id="a window that the clocks skip is none",
        ),
        pytest.param(
            "09:00-20:00", "Australia/Lord_Howe", "2026-10-03 21:00Z", "2026-10-03 22:00Z",
            id="clocks that move by half an hour",
        ),
        pytest.param(
            "00:00-12:00", "Africa/Cairo", "2026-04-23 21:30Z", "2026-04-23 22:00Z",
            id="a midnight the clocks skip",
        ),
    ],
)  # fmt: skip
def test_where_clocks_change_the_narrower_reading_holds(window: str, zone: str, now: str, opens: str) -> None:
    assert next_open(daily(window), zones(zone), datetime.fromisoformat(now)) == datetime.fromisoformat(opens)


def test_each_minute_of_a_day_without_a_change_follows_the_minute_before_and_midnight_ends_the_day() -> None:
    taipei = ZoneInfo("Asia/Taipei")
    midnight = datetime(2026, 11, 30, 16, tzinfo=UTC)
    ordinal = date(2026, 12, 1).toordinal()
    assert [local_instant(taipei, ordinal, minute) for minute in range(MIDNIGHT + 1)] == [
        midnight + minute * MINUTE for minute in range(MIDNIGHT + 1)
    ]


def test_a_doubled_wall_time_has_a_first_and_a_second_instant() -> None:
    new_york = ZoneInfo("America/New_York")
    ordinal = date(2026, 11, 1).toordinal()
    assert local_instant(new_york, ordinal, 90, latest=False) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert local_instant(new_york, ordinal, 90, latest=True) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Asia/Taipei", "Pacific/Honolulu", "Africa/Cairo", "Australia/Lord_Howe"])
def test_the_day_of_an_instant_is_the_one_on_local_calendars_in_whatever_zone_it_is_written(zone: str) -> None:
    there = ZoneInfo(zone)
    for hours in range(0, 24 * 366, 7):
        moment = datetime(2026, 1, 1, 0, 30, tzinfo=UTC) + timedelta(hours=hours)
        calendar = moment.astimezone(there).toordinal()
        assert local_day(there, moment) == local_day(there, moment.astimezone(ZoneInfo("Asia/Tokyo"))) == calendar


@pytest.mark.parametrize(
    ("zone", "day_of_change", "skipped", "change"),
    [
        pytest.param("America/New_York", date(2026, 3, 8), range(120, 180), "2026-03-08 07:00Z", id="an hour"),
        pytest.param("Australia/Lord_Howe", date(2026, 10, 4), range(120, 150), "2026-10-03 15:30Z", id="half an hour"),
        pytest.param("Africa/Cairo", date(2026, 4, 24), range(60), "2026-04-23 22:00Z", id="the first of a day"),
    ],
)
def test_every_minute_that_the_clocks_skip_means_the_second_of_the_change(
    zone: str, day_of_change: date, skipped: range, change: str
) -> None:
    meant = {local_instant(ZoneInfo(zone), day_of_change.toordinal(), minute) for minute in skipped}
    assert meant == {datetime.fromisoformat(change)}


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "Asia", "/Asia/Taipei", "../Asia/Taipei", "Asia/Taipei\0"])
def test_a_name_that_no_zone_has_is_no_zone(name: str) -> None:
    assert zone_named(name) is None


def test_a_day_has_begun_when_it_has_in_every_possible_zone() -> None:
    everywhere = zones("America/New_York", "Pacific/Honolulu")
    ordinal = date(2026, 12, 1).toordinal()
    assert start_of_day(everywhere, ordinal) == instant("2026-12-01 00:00", "Pacific/Honolulu")
    assert start_of_day(everywhere[:1], ordinal, 600) == instant("2026-12-01 10:00", "America/New_York")


def test_a_day_the_calendar_does_not_cover_is_refused_and_says_when_it_begins() -> None:
    hours = daily("09:00-20:30", covered_until=day("2026-12-31"))
    there = "Asia/Shanghai"
    last_evening = instant("2026-12-31 20:29", there)
    assert next_open(hours, zones(there), last_evening) == last_evening
    for now in (last_evening + MINUTE, instant("2027-01-01 00:00", there), instant("2027-05-01 12:00", there)):
        with pytest.raises(CalendarNotCoveredError) as gap:
            next_open(hours, zones(there), now)
        assert gap.value.since == instant(f"{gap.value.day} 00:00", there)
        assert gap.value.day >= day("2027-01-01")


def test_a_closed_day_is_told_from_quiet_hours() -> None:
    hours = daily("09:00-20:30", special={day("2026-12-25"): ()})
    there = "Asia/Hong_Kong"
    assert is_closed_day(hours, zones(there), instant("2026-12-25 12:00", there))
    assert not is_closed_day(hours, zones(there), instant("2026-12-24 23:00", there))


def test_a_day_that_is_closed_in_any_possible_zone_is_a_closed_day() -> None:
    hours = daily("09:00-20:30", special={day("2026-12-25"): ()})
    both, late_on_the_24th = zones("Asia/Hong_Kong", "America/New_York"), instant("2026-12-25 01:00", "Asia/Hong_Kong")
    assert is_closed_day(hours, both, late_on_the_24th)
    assert is_closed_day(hours, both[::-1], late_on_the_24th)
    assert not is_closed_day(hours, both, instant("2026-12-27 12:00", "Asia/Hong_Kong"))


def test_a_day_with_hours_of_its_own_has_those_and_not_its_weekdays() -> None:
    hours = daily("09:00-18:00", special={day("2026-12-25"): ((600, 720),)})
    there = "Asia/Bangkok"
    assert next_open(hours, zones(there), instant("2026-12-25 09:00", there)) == instant("2026-12-25 10:00", there)
    assert next_open(hours, zones(there), instant("2026-12-25 12:00", there)) == instant("2026-12-26 09:00", there)
    assert not is_closed_day(hours, zones(there), instant("2026-12-25 15:00", there))


@pytest.mark.parametrize(
    ("after", "count", "last"),
    [
        pytest.param("2026-12-01", 1, "2026-12-02", id="the day itself does not count"),
        pytest.param("2026-12-03", 3, "2026-12-08", id="nor does a weekend"),
        pytest.param("2026-12-05", 1, "2026-12-07", id="from a Saturday on"),
        pytest.param("2026-12-06", 2, "2026-12-08", id="from a Sunday on"),
        pytest.param("2026-12-24", 2, "2026-12-29", id="nor does a holiday"),
        pytest.param("2026-12-24", 0, "2026-12-24", id="none"),
    ],
)
def test_working_days_are_mondays_to_fridays_without_the_holidays(after: str, count: int, last: str) -> None:
    assert working_day_after(day(after), count, {day("2026-12-25"), day("2026-12-26")}) == day(last)


def test_without_a_calendar_weekdays_are_working_days() -> None:
    assert working_day_after(day("2031-12-24"), 2) == day("2031-12-26")
