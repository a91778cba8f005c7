"""The spread: each customer has a turn of their own within a day, the same whenever somebody asks."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send, Wait, trace_of
from dunning.domain.decision.spread import turn_in
from tests.support.builders import (
    a_customer,
    a_standing,
    a_text,
    an_account,
    an_instalment,
    instant,
    taipei,
    the_spread_policies,
)

HOUR = timedelta(hours=1)
TODAY = 739_951
NINE, TEN, HALF_PAST_EIGHT = taipei("2026-12-01 09:00"), taipei("2026-12-01 10:00"), taipei("2026-12-01 20:30")


def turns(spread: timedelta, end: datetime = HALF_PAST_EIGHT, count: int = 3600) -> list[datetime]:
    return [turn_in((NINE, end), TEN, spread, f"C{number:04}", TODAY) for number in range(count)]


def test_turns_fill_the_hours_after_the_preferred_one_evenly() -> None:
    minutes = Counter((turn - TEN) // timedelta(minutes=1) for turn in turns(3 * HOUR))
    assert min(minutes) >= 0
    assert max(minutes) < 180
    assert max(minutes.values()) <= 3600 // 180 * 2.5
    assert len(minutes) > 170


def test_where_less_of_the_day_is_left_turns_are_closer_together_and_inside() -> None:
    until_noon = turns(3 * HOUR, end=taipei("2026-12-01 12:00"))
    assert min(until_noon) >= TEN
    assert max(until_noon) < taipei("2026-12-01 12:00")
    assert max(until_noon) - min(until_noon) > 1.9 * HOUR


def test_without_a_spread_everybodys_turn_is_the_preferred_hour() -> None:
    assert set(turns(timedelta(), count=10)) == {TEN}


def test_a_preferred_hour_after_the_end_or_before_the_start_leaves_the_start() -> None:
    for preferred in (taipei("2026-12-01 07:00"), taipei("2026-12-01 21:00")):
        assert turn_in((NINE, HALF_PAST_EIGHT), preferred, timedelta(), "C1", TODAY) == NINE


def test_the_turn_of_a_customer_on_a_day_is_the_same_on_every_machine_and_in_every_release() -> None:
    """If a release moved the turns, each wake that is planned would come at another customer's turn."""
    seconds = {("C1", TODAY): 5554, ("C2", TODAY + 1): 8101, ("C1206864", TODAY): 9824}  # the last: by a single bit
    for (customer_id, on), after_ten in seconds.items():
        turn = turn_in((NINE, HALF_PAST_EIGHT), TEN, 3 * HOUR, customer_id, on)
        assert turn == TEN + timedelta(seconds=after_ten)


def test_another_day_brings_another_turn() -> None:
    assert len({turn_in((NINE, HALF_PAST_EIGHT), TEN, 3 * HOUR, "C1", TODAY + ahead) for ahead in range(20)}) > 15


@example("C1", TODAY, 60, 60)  # the window ends at the preferred hour
@given(st.text(max_size=12), st.integers(1, 10**6), st.integers(0, 12 * 60), st.integers(1, 24 * 60))
def test_a_turn_is_always_inside_its_window(customer_id: str, day: int, spread: int, minutes: int) -> None:
    end = NINE + timedelta(minutes=minutes)
    turn = turn_in((NINE, end), TEN, timedelta(minutes=spread), customer_id, day)
    assert NINE <= turn < end


def test_a_wait_ends_at_the_customers_turn_and_a_job_that_comes_late_is_sent_at_once() -> None:
    facts = a_customer()
    wait = decide(facts, a_standing(), the_spread_policies(), taipei("2026-11-30 12:00"))
    assert isinstance(wait, Wait)
    assert wait.until is not None
    assert TEN <= wait.until < TEN + 3 * HOUR
    for moment in (NINE, TEN, wait.until - timedelta(seconds=1)):
        again = decide(facts, a_standing(), the_spread_policies(), moment)
        assert again.until == wait.until, "a replan moves nobody"
    for moment in (wait.until, wait.until + HOUR, taipei("2026-12-01 20:00")):
        assert isinstance(decide(facts, a_standing(), the_spread_policies(), moment), Send)


def test_a_turn_that_has_not_come_is_named() -> None:
    decision = decide(a_customer(), a_standing(), the_spread_policies(), TEN)
    assert trace_of(decision)[-1].startswith("turn: the customer's comes at 2026-12-01 1")


def test_hours_that_open_this_moment_are_open_and_only_the_turn_has_not_come() -> None:
    late = a_customer(an_account(an_instalment("2026-11-23")))
    decision = decide(late, a_standing(), the_spread_policies(), NINE)
    assert isinstance(decision, Wait)
    assert decision.reason is Reason.NEXT_STAGE
    assert trace_of(decision)[-2] == "hours: open"
    assert trace_of(decision)[-1].startswith("turn: the customer's comes at 2026-12-01 1")
    assert decision.gates[0].opens_at == NINE


@pytest.mark.parametrize("number", range(8))
def test_nobody_is_texted_before_their_turn_however_long_the_hours_have_been_open(number: int) -> None:
    """The turns of three hours begin at ten and not at nine, when the hours open."""
    facts = replace(a_customer(), customer_id=f"C{number}")
    turn = turn_in((NINE, HALF_PAST_EIGHT), TEN, 3 * HOUR, facts.customer_id, TODAY)
    for moment in (TEN + HOUR, TEN + 2 * HOUR, TEN + 2.5 * HOUR):
        decision = decide(facts, a_standing(), the_spread_policies(), moment)
        assert (decision.until or moment) == max(turn, moment)


def test_a_stage_of_an_earlier_day_has_its_turn_too() -> None:
    facts = a_customer(an_account(an_instalment("2026-11-20")))
    decision = decide(facts, a_standing(), the_spread_policies(), NINE)
    assert decision.until is not None
    assert TEN < decision.until < TEN + 3 * HOUR


def test_a_cap_that_frees_after_the_turn_is_waited_for_exactly() -> None:
    yesterday = a_text(taipei("2026-11-30 15:00"), "A9")
    decision = decide(a_customer(), a_standing(yesterday), the_spread_policies(), NINE)
    assert decision.until == taipei("2026-12-01 15:00")


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
def test_on_a_day_on_which_clocks_change_the_turn_is_after_the_preferred_hour(zone: str) -> None:
    for on in ("2026-10-25", "2026-11-01", "2027-03-14", "2027-03-28"):
        start, end, preferred = (instant(f"{on} {clock}", zone) for clock in ("09:00", "20:00", "10:00"))
        turn = turn_in((start, end), preferred, 3 * HOUR, "C1", TODAY)
        assert preferred <= turn < preferred + 3 * HOUR
