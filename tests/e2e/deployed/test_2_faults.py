"""
Between the sender and SNS everything breaks that can: never two texts for one send_id, and none is left out.

A text whose fate is unknown is never sent again; one that was turned away is sent later, once.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from dunning.domain.delivery.contact import ContactState
from tests.e2e.deployed.world import World, phone_of

pytestmark = pytest.mark.deployed

type Rule = Mapping[str, Any]

_PUBLISH: Rule = {"service": "sns", "operation": "Publish"}
_READ_TIMEOUT_MS = 8000
"""How long the sender waits for an answer."""

AFTER_IT_WAS_SENT: dict[str, Rule] = {
    "the connection breaks before the answer": {**_PUBLISH, "response": {"abort_bytes": 0}},
    "half of the answer arrives": {**_PUBLISH, "response": {"truncate_frac": 0.5}},
    "the answer comes when nobody waits any more": {**_PUBLISH, "latency": _READ_TIMEOUT_MS + 1500},
}
"""SNS takes the text, and the sender does not get its answer."""

NOBODY_KNOWS: dict[str, Rule] = {
    "the connection is reset": {**_PUBLISH, "reset": True},
    "SNS says it has failed": {**_PUBLISH, "error": {"code": "InternalFailure", "status": 500}},
}
"""The text is lost on the way, but that is not what the sender can know."""

TURNED_AWAY: dict[str, Rule] = {
    "too many requests": {**_PUBLISH, "error": {"code": "Throttling", "status": 400}},
    "the service is unavailable": {**_PUBLISH, "error": {"code": "ServiceUnavailable", "status": 503}},
}
"""SNS says that it did not take the text."""

A_WHILE = timedelta(minutes=2)
"""After which a text that was turned away is tried again."""


@dataclass(frozen=True, slots=True)
class Struck:
    """Whom a fault has struck, and how often."""

    people: Sequence[dict[str, str]]
    fired: int


@pytest.fixture(scope="module")
def struck(world: World) -> Mapping[str, Struck]:
    """Let every fault strike people of its own; then let time pass without faults."""
    found = {}
    for name, rule in (AFTER_IT_WAS_SENT | NOBODY_KNOWS | TURNED_AWAY).items():
        people = world.people(4)
        world.load(f"{name.replace(' ', '_')}.csv", people)
        with world.stand_in.faults(rule):
            world.say(f"fault: {name}")
            world.tick()
            world.settle()
            found[name] = Struck(people, world.stand_in.fired())
    for _ in range(2):
        world.advance(A_WHILE)
        world.tick()
        world.settle()
    return found


def _everybody(struck: Mapping[str, Struck], faults: Mapping[str, Any]) -> list[dict[str, str]]:
    return [person for name in faults for person in struck[name].people]


@pytest.mark.parametrize("fault", [*AFTER_IT_WAS_SENT, *NOBODY_KNOWS, *TURNED_AWAY])
def test_every_fault_has_struck(struck: Mapping[str, Struck], fault: str) -> None:
    assert struck[fault].fired >= len(struck[fault].people)


@pytest.mark.parametrize("fault", AFTER_IT_WAS_SENT)
def test_a_text_whose_answer_is_lost_is_not_sent_again(world: World, struck: Mapping[str, Struck], fault: str) -> None:
    assert [len(world.sms_to(phone_of(person))) for person in struck[fault].people] == [1, 1, 1, 1]


@pytest.mark.parametrize("fault", NOBODY_KNOWS)
def test_a_text_that_may_have_been_sent_is_not_sent_again(
    world: World, struck: Mapping[str, Struck], fault: str
) -> None:
    assert [len(world.sms_to(phone_of(person))) for person in struck[fault].people] == [0, 0, 0, 0]


@pytest.mark.parametrize("fault", TURNED_AWAY)
def test_a_text_that_was_turned_away_is_sent_later_and_once(
    world: World, struck: Mapping[str, Struck], fault: str
) -> None:
    assert [len(world.sms_to(phone_of(person))) for person in struck[fault].people] == [1, 1, 1, 1]


def test_a_text_with_an_unknown_outcome_is_recorded_as_unknown_and_counts(
    world: World, struck: Mapping[str, Struck]
) -> None:
    contacts, standings = world.contacts(), world.standings()
    for person in _everybody(struck, AFTER_IT_WAS_SENT | NOBODY_KNOWS):
        (contact,) = contacts[person["customer_id"]]
        assert (contact.state, contact.message_id) == (ContactState.UNKNOWN, "")
        assert contact.code
        (claimed,) = standings[person["customer_id"]].ledger
        assert claimed.send_id == contact.send_id


def test_a_refusal_leaves_no_trace_but_the_text_that_followed(world: World, struck: Mapping[str, Struck]) -> None:
    contacts, standings = world.contacts(), world.standings()
    for person in _everybody(struck, TURNED_AWAY):
        (contact,) = contacts[person["customer_id"]]
        (sms,) = world.sms_to(phone_of(person))
        assert (contact.state, contact.message_id) == (ContactState.SENT, sms["MessageId"])
        assert [entry.send_id for entry in standings[person["customer_id"]].ledger] == [contact.send_id]


def test_a_text_whose_sender_dies_while_it_publishes_is_settled_as_unknown(world: World) -> None:
    people = world.people(4)
    world.load("sender_dies.csv", people)
    ids = [person["customer_id"] for person in people]
    with world.impatient_queue():
        with world.stand_in.faults({**_PUBLISH, "latency": 6000}):
            world.say("fault: the sender dies")
            world.tick()
            world.until("somebody is claimed", lambda: any(world.standings()[each].ledger for each in ids))
            time.sleep(1)  # from the claim to the publish is a matter of milliseconds
            assert world.kill("SenderFunction") >= 1
        world.settle()
    contacts = world.contacts()
    outcomes = {(of.state, of.code) for each in ids for of in contacts[each]}
    # Who had not been claimed when the sender died was texted by the next one.
    assert (ContactState.UNKNOWN, "sender_crashed") in outcomes
    assert outcomes <= {(ContactState.UNKNOWN, "sender_crashed"), (ContactState.SENT, "")}
    assert [len(contacts[each]) for each in ids] == [1, 1, 1, 1]
    assert max(len(world.sms_to(phone_of(person))) for person in people) == 1
