"""One switch stops all sending within a minute, and starts it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from dunning.contracts.job import job_body
from dunning.domain.decision.decisions import Reason
from dunning.ports.queues import Job
from tests.e2e.deployed.world import TICK_AT_MOST, World, phone_of

pytestmark = pytest.mark.deployed

TRUSTED_FOR = 30.0
"""Seconds for which a function believes what it has read."""


@dataclass(frozen=True, slots=True)
class Off:
    """Who was due when the manager turned sending off."""

    people: Sequence[dict[str, str]]
    skipped: int


@pytest.fixture(scope="module")
def off(world: World) -> Off:
    """Turn sending off while people are due, and let the schedule fire."""
    world.turn("off")
    # A tick just before may have read the switch: what it has read is believed a little longer, and then no more.
    world.advance(timedelta(seconds=TRUSTED_FOR))
    skipped = world.ticks("tick_skipped")
    people = world.people(4)
    world.load("while_off.csv", people)
    world.say("off; waiting for the schedule to fire")
    world.until("a tick is skipped", lambda: world.ticks("tick_skipped") > skipped, within=TICK_AT_MOST + 30)
    # A job that was on its way already meets a sender.
    world.as_engineer("sqs").send_message(
        QueueUrl=world.ids["Reminders"], MessageBody=job_body(Job(people[0]["customer_id"], world.now()))
    )
    world.settle()
    return Off(people, skipped)


def test_a_tick_of_the_schedule_puts_nobody_on_the_queue_while_sending_is_off(world: World, off: Off) -> None:
    assert world.ticks("tick_skipped") > off.skipped
    assert not [person for person in off.people if world.sms_to(phone_of(person))]


def test_a_job_that_was_queued_already_is_not_sent_either(world: World, off: Off) -> None:
    (decided,) = (line for line in world.logged("sender") if line.get("customer_id") == off.people[0]["customer_id"])
    assert (decided["decision"], decided["reason"]) == ("wait", Reason.SENDING_OFF.value)


def test_everybody_gets_their_one_text_once_it_is_on_again(world: World, off: Off) -> None:
    world.turn("on")
    world.advance(timedelta(seconds=TRUSTED_FOR))
    world.tick()
    world.until("the texts go out", lambda: all(world.sms_to(phone_of(person)) for person in off.people))
    world.settle()
    assert {len(world.sms_to(phone_of(person))) for person in off.people} == {1}
