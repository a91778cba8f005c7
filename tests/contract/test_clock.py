"""Time: what every clock promises, the one on the wall and those of the tests."""

from datetime import timedelta

import pytest

from dunning.adapters.system_clock import SystemClock
from dunning.ports.clock import Clock
from tests.local.clock import VirtualClock
from tests.support.fakes import FakeClock
from tests.support.people import NOW


@pytest.fixture(params=[SystemClock(), FakeClock(NOW), VirtualClock(NOW)], ids=lambda clock: type(clock).__name__)
def clock(request: pytest.FixtureRequest) -> Clock:
    found: Clock = request.param
    return found


def test_its_instants_are_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_a_clock_never_goes_back(clock: Clock) -> None:
    before = clock.now()
    clock.sleep(0.001)
    assert clock.now() >= before
