"""Hours, caps and segments against the plainest way of computing the same."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dunning.domain.decision.caps import cap_in_the_way
from dunning.domain.decision.hours import next_open
from dunning.domain.decision.rules import Cap, ContactHours
from dunning.domain.errors import NoLawfulMomentError
from dunning.domain.texts.segments import GSM_BASIC, GSM_EXTENDED, count_segments

MICROSECOND, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)
YEAR = datetime(2026, 1, 1, tzinfo=UTC)

zones = st.sampled_from(
    [
        "Asia/Taipei", "America/New_York", "America/St_Johns", "Pacific/Honolulu", "Europe/London", "Africa/Cairo",
        "Australia/Lord_Howe", "Pacific/Chatham", "America/Santiago", "Asia/Kathmandu", "Atlantic/Azores", "UTC",
    ]
).map(ZoneInfo)  # fmt: skip
instants = st.integers(0, 365 * 24 * 60).map(lambda minutes: YEAR + timedelta(minutes=minutes))


@st.composite
def windows(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Draw up to two windows of a day, in minutes."""
    marks = sorted(draw(st.lists(st.integers(0, 96), min_size=2, max_size=4, unique=True)))
    if len(marks) == 3:
        marks.pop()
    return tuple((15 * marks[i], 15 * marks[i + 1]) for i in range(0, len(marks), 2))


@st.composite
def hours(draw: st.DrawFn) -> ContactHours:
    """Draw a week with a day of rest, and days with hours of their own or none."""
    week = draw(st.lists(windows(), min_size=6, max_size=6))
    special = draw(st.dictionaries(st.integers(0, 364), st.just(()) | windows(), max_size=30))
    return ContactHours((*week, ()), {(YEAR + day * DAY).date(): own for day, own in special.items()})


def clock_is_in(hours: ContactHours, zone: ZoneInfo, moment: datetime) -> bool:
    """Read a clock on the wall."""
    wall = moment.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    return any(a <= minute < b for a, b in hours.special.get(wall.date(), hours.week[wall.weekday()]))


def clocks_go_back(zone: ZoneInfo, start: datetime, end: datetime) -> bool:
    """Tell whether some wall time comes twice between two instants."""
    steps = int((end - start) / timedelta(hours=1)) + 1
    offsets = [(start + timedelta(hours=hour)).astimezone(zone).utcoffset() or timedelta() for hour in range(steps + 1)]
    return any(later < earlier for earlier, later in pairwise(offsets))


@pytest.mark.slow(reason="walks minutes of several zones")
@given(hours(), st.lists(zones, min_size=1, max_size=3, unique=True), instants)
def test_hours_open_when_the_clocks_of_all_zones_say_so_and_not_a_minute_later(
    hours: ContactHours, zones: list[ZoneInfo], now: datetime
) -> None:
    try:
        opens = next_open(hours, tuple(zones), now)
    except NoLawfulMomentError:
        # Nothing to be found in a week without clock changes either.
        assume(not any(clocks_go_back(zone, now - DAY, now + 9 * DAY) for zone in zones))
        ahead = (now + 15 * MINUTE * step for step in range(7 * 96))
        assert not any(all(clock_is_in(hours, zone, moment) for zone in zones) for moment in ahead)
        return
    assert all(clock_is_in(hours, zone, opens) for zone in zones)
    assume(opens - now < 20 * DAY)
    assume(not any(clocks_go_back(zone, now - DAY, opens + DAY) for zone in zones))
    # Every opening is on a quarter of an hour of some zone, and so of UTC.
    quarter = now.replace(minute=now.minute // 15 * 15) + 15 * MINUTE
    while quarter < opens:
        assert not all(clock_is_in(hours, zone, quarter) for zone in zones), quarter
        quarter += 15 * MINUTE
    if opens > now:
        assert not all(clock_is_in(hours, zone, now) for zone in zones)


@given(hours(), zones, instants)
def test_the_next_opening_stays_the_same_until_it_has_come(hours: ContactHours, zone: ZoneInfo, now: datetime) -> None:
    try:
        opens = next_open(hours, (zone,), now)
    except NoLawfulMomentError:
        assume(False)  # noqa: FBT003
        raise
    assert next_open(hours, (zone,), opens) == opens
    if opens > now:
        for moment in (now + (opens - now) / 2, opens - MICROSECOND):
            assert next_open(hours, (zone,), moment) == opens


caps = st.lists(
    st.builds(Cap, st.integers(1, 4), st.integers(1, 40 * 24).map(lambda h: timedelta(hours=h))), max_size=4
)


def keeps(caps: list[Cap], contacts: list[datetime], another: datetime) -> bool:
    """Count, for each cap, the contacts of the window that ends with another one."""
    return all(sum(another - cap.window < past <= another for past in contacts) < cap.count for cap in caps)


@given(caps, st.lists(st.integers(0, 60 * 24 * 60), max_size=12))
def test_a_cap_frees_at_the_first_moment_at_which_one_more_contact_keeps_all_windows(
    caps: list[Cap], minutes: list[int]
) -> None:
    contacts = [YEAR + timedelta(minutes=minute) for minute in sorted(minutes)]
    latest = contacts[-1] if contacts else YEAR
    found = cap_in_the_way(caps, contacts)
    frees_at = found and found.frees_at
    if frees_at is None or frees_at <= latest:
        assert keeps(caps, contacts, latest)
        return
    assert keeps(caps, contacts, frees_at)
    assert not keeps(caps, contacts, frees_at - MICROSECOND)
    assert not keeps(caps, contacts, latest)


@given(caps, st.lists(st.integers(0, 3000), min_size=1, max_size=40))
def test_waiting_as_the_cap_says_never_exceeds_a_window(caps: list[Cap], gaps: list[int]) -> None:
    contacts: list[datetime] = []
    now = YEAR
    for gap in gaps:
        now += timedelta(minutes=gap)
        found = cap_in_the_way(caps, contacts)
        if found is None or found.frees_at <= now:
            contacts.append(now)
    for cap in caps:
        for end in contacts:
            assert sum(end - cap.window < moment <= end for moment in contacts) <= cap.count


texts = st.text(st.sampled_from(GSM_BASIC + GSM_EXTENDED * 3), max_size=500) | st.text(
    st.sampled_from("字a€😀\u200d"), max_size=300
)


@given(texts)
def test_parts_are_packed_without_splitting_a_character(text: str) -> None:
    gsm = set(text) <= set(GSM_BASIC + GSM_EXTENDED)
    widths = [1 + (c in GSM_EXTENDED) if gsm else len(c.encode("utf-16-be")) // 2 for c in text]
    single, part = (160, 153) if gsm else (70, 67)
    if sum(widths) <= single:
        expected = 1
    else:
        parts = [0]
        for width in widths:
            if parts[-1] + width > part:
                parts.append(0)
            parts[-1] += width
        expected = len(parts)
    assert count_segments(text) == ("GSM-7" if gsm else "UCS-2", expected)
