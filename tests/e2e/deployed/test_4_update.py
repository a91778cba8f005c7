"""A second deployment changes what it should, and loses nothing: neither what is stored nor what is under way."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from dunning.domain.delivery.contact import ContactState
from tests.e2e.deployed.deployment import STACK
from tests.e2e.deployed.world import World, phone_of

pytestmark = pytest.mark.deployed

PER_SECOND = "200"


@dataclass(frozen=True, slots=True)
class Updated:
    """What was there before, and who was being texted meanwhile."""

    layers_before: set[str]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    under_way: Sequence[dict[str, str]]


def _new_layer(template: dict[str, Any]) -> None:
    """Change the layer: a new version of it is published, and every function moves over."""
    template["Resources"]["DunningLayer"]["Properties"]["Description"] = "The next release."


@pytest.fixture(scope="module")
def updated(world: World) -> Updated:
    """Deploy again: with sending off, so that the switch too has something to lose; then with jobs under way."""
    world.settle()
    world.turn("off")
    layers, before = world.layers(), world.everything()
    world.say("deploying an update")
    world.deploy(change=_new_layer, SmsPerSecond=PER_SECOND)
    after = world.everything()
    world.turn("on")
    people = world.people(20)
    world.load("during_update.csv", people)
    # AWS lets functions finish what they are at. The stand-in ends them: their jobs have to come back.
    with ThreadPoolExecutor(1) as pool, world.impatient_queue():
        deploying = pool.submit(world.deploy, change=_new_layer, SmsPerSecond="50")
        world.tick()
        deploying.result()
        world.say("updated, twice")
        world.tick()
        world.settle()
    return Updated(layers, before, after, people)


def test_an_update_keeps_every_stored_item(updated: Updated) -> None:
    for what, was in updated.before.items():
        assert updated.after[what] == was, what


def test_a_switch_that_was_off_stays_off(updated: Updated) -> None:
    assert updated.before["switch"] == updated.after["switch"] == "off"


def test_every_function_runs_the_new_layer_after_an_update(world: World, updated: Updated) -> None:
    (stack,) = world.as_engineer("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    (layer,) = world.layers()
    assert layer not in updated.layers_before


def test_an_update_texts_nobody_twice_and_leaves_nobody_out(world: World, updated: Updated) -> None:
    contacts = world.contacts()
    for person in updated.under_way:
        (contact,) = contacts[person["customer_id"]]
        texts = len(world.sms_to(phone_of(person)))
        assert texts == 1 if contact.state is ContactState.SENT else texts <= 1
