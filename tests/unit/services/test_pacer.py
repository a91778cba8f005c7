"""The pacer: slots at an even rate, for all threads together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Lock

import pytest

from dunning.services.send.sender import Pacer, workers_for
from tests.support.fakes import FakeClock
from tests.support.people import NOW


class _StandingClock(FakeClock):
    """Time that stands still, and remembers until when somebody slept."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.turns: list[datetime] = []
        self._guard = Lock()

    def sleep(self, seconds: float) -> None:
        with self._guard:
            self.turns.append(NOW + timedelta(seconds=seconds))


def test_the_first_goes_at_once_and_the_others_a_gap_apart() -> None:
    clock = FakeClock(NOW)
    pacer = Pacer(clock, 10)
    turns = []
    for _ in range(5):
        pacer.wait()
        turns.append(clock.now())
    assert turns == [NOW + timedelta(seconds=number / 10) for number in range(5)]


def test_all_threads_share_one_rate() -> None:
    clock = _StandingClock()
    pacer = Pacer(clock, 10)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: pacer.wait(), range(40)))
    assert sorted(clock.turns) == [NOW + timedelta(seconds=number / 10) for number in range(1, 40)]


def test_a_pacer_that_was_idle_does_not_catch_up() -> None:
    clock = FakeClock(NOW)
    pacer = Pacer(clock, 10)
    pacer.wait()
    clock.sleep(60)
    turns = []
    for _ in range(3):
        pacer.wait()
        turns.append(clock.now() - NOW - timedelta(seconds=60))
    assert turns == [timedelta(), timedelta(seconds=0.1), timedelta(seconds=0.2)]


@pytest.mark.parametrize("per_second", [0.1, 1, 7.5, 20, 500])
def test_no_second_holds_more_than_the_rate(per_second: float) -> None:
    clock = FakeClock(NOW)
    pacer = Pacer(clock, per_second)
    turns = []
    for _ in range(200):
        pacer.wait()
        turns.append(clock.now())
    gap = timedelta(seconds=1 / per_second)
    assert all(later - sooner >= gap for sooner, later in pairwise(turns))


@pytest.mark.parametrize(("per_second", "workers"), [(0.5, 2), (10, 4), (20, 8), (500, 32)])
def test_as_many_texts_are_under_way_as_the_pace_needs(per_second: float, workers: int) -> None:
    assert workers_for(per_second) == workers
