"""The virtual clock."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.local.clock import VirtualClock

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_sleeping_neither_takes_time_nor_moves_the_clock() -> None:
    clock = VirtualClock(NOON)
    clock.sleep(3600)
    assert clock.now() == NOON
    assert clock.slept == 3600


def test_the_clock_shows_utc_and_milliseconds_whatever_zone_it_was_set_in() -> None:
    clock = VirtualClock(NOON)
    clock.move_to(datetime(2026, 12, 1, 20, 30, tzinfo=timezone(timedelta(hours=8))))
    assert clock.now() == NOON + timedelta(minutes=30)
    assert clock.now().tzinfo is UTC
    assert clock.millis() == clock.now().timestamp() * 1000


def test_the_clock_does_not_go_back() -> None:
    clock = VirtualClock(NOON)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(NOON - timedelta(seconds=1))


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        VirtualClock(NOON).move_to(datetime(2026, 12, 2))  # noqa: DTZ001 - what is refused
