"""The moment after which a message must not arrive: before the hours end, wherever the person may be."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.standing import SMS
from dunning.domain.decision.hours import next_open
from dunning.domain.decision.rules import ContactHours
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.lapse import BEFORE_HOURS_END, lapses_at

TAIPEI, BERLIN, ADAK = (ZoneInfo(name) for name in ("Asia/Taipei", "Europe/Berlin", "America/Adak"))
DAILY = ((9 * 60, 12 * 60), (13 * 60, 21 * 60))
HOURS = ContactHours(week=(DAILY,) * 7)


def test_the_channel_of_todays_ledgers_is_sms() -> None:
    assert Channel(SMS) is Channel.SMS


@pytest.mark.parametrize(("hour", "lapses"), [(9, (11, 50)), (11, (11, 50)), (13, (20, 50)), (20, (20, 50))])
def test_a_message_lapses_ten_minutes_before_the_window_ends_in_which_it_was_sent(
    hour: int, lapses: tuple[int, int]
) -> None:
    at = datetime(2026, 12, 1, hour, 30, tzinfo=TAIPEI)
    if hour == 20:
        at = at.replace(minute=49)
    assert lapses_at(HOURS, (TAIPEI,), at.astimezone(UTC)).astimezone(TAIPEI).time().isoformat("minutes") == (
        f"{lapses[0]}:{lapses[1]:02}"
    )


def test_of_several_zones_the_first_that_closes_counts() -> None:
    hours = ContactHours(week=(((8 * 60, 21 * 60),),) * 7)
    at = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)  # 10:00 in Seattle, 13:00 in New York
    zones = (ZoneInfo("America/Los_Angeles"), ZoneInfo("America/New_York"))
    assert lapses_at(hours, zones, at) == datetime(2026, 12, 2, 1, 50, tzinfo=UTC)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.sampled_from([(TAIPEI,), (BERLIN,), (ADAK,), (BERLIN, ZoneInfo("Europe/Lisbon"))]),
)
def test_nothing_may_arrive_after_hours_in_any_zone_across_clock_changes_too(
    moment: datetime, zones: tuple[ZoneInfo, ...]
) -> None:
    at = next_open(HOURS, zones, moment)
    lapses = lapses_at(HOURS, zones, at)
    last_arrival = lapses + BEFORE_HOURS_END - timedelta(microseconds=1)
    assert last_arrival >= at
    for zone in zones:
        local = last_arrival.astimezone(zone)
        minutes = local.hour * 60 + local.minute
        assert any(start <= minutes < end for start, end in DAILY)
        assert local.date() == at.astimezone(zone).date()


def test_a_closed_day_ends_the_window_before_it() -> None:
    closed = ContactHours(week=(((0, 24 * 60),),) * 7, special={date(2026, 12, 2): ()})
    at = datetime(2026, 12, 1, 12, 0, tzinfo=TAIPEI).astimezone(UTC)
    assert lapses_at(closed, (TAIPEI,), at) == datetime(2026, 12, 1, 15, 50, tzinfo=UTC)


def test_the_channels_are_named_as_ledgers_and_policies_write_them() -> None:
    names = [str(channel) for channel in Channel]
    assert names == ["sms", "email", "line", "voice", "whatsapp"]
    assert all(first != second for first, second in pairwise(names))


@pytest.mark.parametrize(
    ("address", "kind"),
    [("+886911", AddressKind.NUMBER), ("U.wang@example.com", AddressKind.EMAIL), ("U" + 32 * "0", AddressKind.LINE)],
)
def test_an_address_tells_its_kind_by_its_form(address: str, kind: AddressKind) -> None:
    assert AddressKind.of_address(address) is kind
    assert AddressKind.of(kind.channel) is kind
