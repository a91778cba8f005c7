"""Caps: sliding windows, exact waits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from dunning.domain.decision.caps import cap_in_the_way
from dunning.domain.decision.rules import Cap
from tests.support.builders import taipei

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = taipei("2026-12-08 10:00")

ONCE_A_DAY = Cap(1, DAY)
THREE_A_WEEK = Cap(3, 7 * DAY)
SIX_A_MONTH = Cap(6, 30 * DAY)


def cap_frees_at(caps: Sequence[Cap], contacts: Sequence[datetime]) -> datetime | None:
    found = cap_in_the_way(caps, contacts)
    return found and found.frees_at


@pytest.mark.parametrize(
    ("caps", "days_ago", "free_in"),
    [
        pytest.param([ONCE_A_DAY], [], None, id="nobody is in the way of a first text"),
        pytest.param([], [0.1, 0.2], None, id="without caps nothing is"),
        pytest.param([ONCE_A_DAY], [0], DAY, id="a text of this moment is a day in the way"),
        pytest.param([ONCE_A_DAY], [0.75], 0.25 * DAY, id="a text of 18 hours ago for 6 hours more"),
        pytest.param([THREE_A_WEEK], [5, 3], None, id="a third text within seven days is free"),
        pytest.param([THREE_A_WEEK], [6, 5, 3], DAY, id="a fourth waits until the first is seven days old"),
        pytest.param([THREE_A_WEEK], [6.9, 6, 5, 3], DAY, id="one text too many: the second has to be seven days old"),
        pytest.param([ONCE_A_DAY, THREE_A_WEEK], [6, 5, 0.5], DAY, id="of two windows the later one counts"),
        pytest.param([ONCE_A_DAY, THREE_A_WEEK], [6.75, 5, 0.5], 0.5 * DAY, id="whichever it is"),
        pytest.param([ONCE_A_DAY, THREE_A_WEEK, SIX_A_MONTH], [29, 25, 20, 15, 9, 8], DAY, id="any number of windows"),
    ],
)
def test_a_cap_frees_when_enough_texts_have_left_its_window(
    caps: list[Cap], days_ago: list[float], free_in: timedelta | None
) -> None:
    contacts = [NOW - ago * DAY for ago in days_ago]
    assert cap_frees_at(caps, contacts) == (None if free_in is None else NOW + free_in)


def test_a_text_exactly_a_window_old_no_longer_counts() -> None:
    contacts = [NOW - 7 * DAY, NOW - 2 * DAY, NOW - DAY]
    frees_at = cap_frees_at([ONCE_A_DAY, THREE_A_WEEK], contacts)
    assert frees_at == NOW


def test_the_window_slides_over_midnight() -> None:
    late_in_the_evening = taipei("2026-12-07 20:00")
    assert cap_frees_at([ONCE_A_DAY], [late_in_the_evening]) == taipei("2026-12-08 20:00")


def test_the_cap_that_frees_last_is_the_one_in_the_way() -> None:
    contacts = [NOW - 6 * DAY, NOW - 5 * DAY, NOW - DAY / 2]
    assert cap_in_the_way([ONCE_A_DAY, THREE_A_WEEK], contacts) == (THREE_A_WEEK, NOW + DAY)
    assert cap_in_the_way([ONCE_A_DAY, SIX_A_MONTH], contacts) == (ONCE_A_DAY, NOW + DAY / 2)


def test_of_caps_that_free_at_the_same_moment_the_first_of_the_policy_is_named() -> None:
    twice_in_two_days, contacts = Cap(2, 2 * DAY), [NOW - DAY, NOW]
    assert cap_in_the_way([ONCE_A_DAY, twice_in_two_days], contacts) == (ONCE_A_DAY, NOW + DAY)
    assert cap_in_the_way([twice_in_two_days, ONCE_A_DAY], contacts) == (twice_in_two_days, NOW + DAY)


@pytest.mark.parametrize(
    ("cap", "words"),
    [
        pytest.param(ONCE_A_DAY, "1 text in 24 hours", id="a day"),
        pytest.param(THREE_A_WEEK, "3 texts in 7 days", id="a week"),
        pytest.param(Cap(2, 36 * HOUR), "2 texts in 36 hours", id="a day and a half"),
    ],
)
def test_a_cap_says_itself_in_words(cap: Cap, words: str) -> None:
    assert str(cap) == words
