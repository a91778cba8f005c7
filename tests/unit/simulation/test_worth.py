"""The planted faults: a fault that is planted is found, and what is not planted is not."""

from contextlib import nullcontext

import pytest

from tests.simulation.catalogue import BY_NAME
from tests.simulation.planting import Sabotage
from tests.simulation.promises import TWICE
from tests.simulation.sabotages import BY_PLANT, SABOTAGES
from tests.simulation.worth import compare, look_for


def test_each_planted_fault_has_a_name_and_a_scenario_of_its_own_kind() -> None:
    assert len(BY_PLANT) == len(SABOTAGES) >= 25
    assert {sabotage.scenario for sabotage in SABOTAGES} <= set(BY_NAME)


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.name)
def test_each_fault_can_be_planted_in_the_code_as_it_is(sabotage: Sabotage) -> None:
    with sabotage.plant():
        pass


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("repeat a publish that had no answer", TWICE),
        ("free a cap a minute early", "a cap was exceeded: 3 in 168 hours"),
    ],
)
def test_a_planted_fault_is_found_with_the_schedule_that_shows_it(name: str, promise: str) -> None:
    finding = look_for(BY_PLANT[name])
    assert finding.promise == promise
    assert any("carrier publish" in line for line in finding.trace)


def test_a_fault_that_is_not_planted_is_not_found() -> None:
    nothing = Sabotage(name="nothing", plant=nullcontext, scenario="send", breaks=(TWICE,))
    assert not look_for(nothing).is_found


def test_a_sender_without_claims_texts_twice_and_ours_does_not() -> None:
    assert TWICE in compare("a naive sender", "send").broken
    assert TWICE not in compare("ours", "send").broken
