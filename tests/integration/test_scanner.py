"""The scanner: a tick puts on the queue what can be sent before the next, from the head of the due index."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto.dynamodb.models import dynamodb_backends

from dunning.adapters.dynamodb.items import standing_item
from dunning.domain.errors import ServiceCallError
from tests.integration.conftest import House, job_for
from tests.support.aws_requests import error
from tests.support.people import NOW, someone, waking

pytestmark = pytest.mark.slow(reason="drives the real handlers on moto, with tables and queues made for each test")

MINUTE = timedelta(minutes=1)


def _fill(house: House, due: int, waiting: int) -> None:
    """Write standings behind moto's back: 20,000 requests would take a minute."""
    backend = dynamodb_backends[house.cloud.stack.account][house.cloud.stack.region]
    table = backend.get_table(house.cloud.stack.customers_table)
    for number in range(due + waiting):
        wake_at = NOW - MINUTE if number < due else NOW + timedelta(days=1 + number % 30)
        table.put_item(standing_item(waking(someone(number), wake_at), 4))
    # One through the front door, so that what the embedded AWS remembers of its tables is refreshed.
    house.add(someone(99_999), wake_at=None)


def _customers(bodies: list[str]) -> list[str]:
    return sorted(json.loads(body)["customer_id"] for body in bodies)


def test_a_tick_puts_those_on_the_queue_whose_wake_has_come(house: House) -> None:
    house.add(someone(1), someone(2))
    house.add(someone(3), wake_at=NOW + MINUTE)
    house.add(someone(4), wake_at=None)
    assert house.scan() == {"depth": 0, "enqueued": 2}
    assert sorted(house.bodies("QUEUE_URL")) == [job_for(someone(1)), job_for(someone(2))]
    assert house.metric("JobsEnqueued") == 2


def test_a_tick_reads_the_clock_and_not_the_event(house: House) -> None:
    house.add(someone(1), wake_at=NOW + MINUTE)
    house.cloud.clock.move_to(NOW + MINUTE)
    assert house.cloud.invoke(house.cloud.stack.scanner, {"scheduled_at": "<aws.scheduler.scheduled-time>"}) == {
        "depth": 0,
        "enqueued": 1,
    }


@pytest.mark.slow(reason="more customers on moto than a tick has room for")
def test_no_more_is_put_on_the_queue_than_can_be_sent_before_the_next_tick(house: House) -> None:
    rate = float(house.cloud.stack.scanner.environment["SMS_PER_SECOND"])
    capacity = int(rate * house.cloud.stack.tick.total_seconds())
    _fill(house, due=capacity + 300, waiting=0)
    assert house.scan() == {"depth": 0, "enqueued": capacity}
    assert house.scan() == {"depth": capacity, "enqueued": 0}


@pytest.mark.slow(reason="more customers on moto than a tick has room for")
def test_jobs_that_still_wait_reduce_how_many_are_queued(house: House) -> None:
    _fill(house, due=1500, waiting=0)
    for _ in range(20):
        house.cloud.sqs.send_message(QueueUrl=house.cloud.queue_url, MessageBody="x")
    assert house.scan() == {"depth": 20, "enqueued": 1180}


def test_the_most_urgent_of_the_same_moment_go_first(house: House) -> None:
    for number, urgency in enumerate((5, 0, 3, 1, 4, 2)):
        house.add(someone(number), urgency=urgency)
    assert house.scan(SMS_PER_SECOND="0.05")["enqueued"] == 3
    assert _customers(house.bodies("QUEUE_URL")) == ["C0001", "C0003", "C0005"]


def test_the_customer_who_has_waited_longest_goes_before_the_most_urgent(house: House) -> None:
    house.add(someone(1), urgency=0)
    house.add(someone(2), wake_at=NOW - MINUTE, urgency=9)
    assert house.scan(SMS_PER_SECOND="0.02")["enqueued"] == 1
    assert _customers(house.bodies("QUEUE_URL")) == ["C0002"]


def test_a_job_that_is_lost_comes_back_with_the_next_tick(house: House) -> None:
    house.add(someone(1))
    house.scan()
    house.cloud.sqs.purge_queue(QueueUrl=house.cloud.queue_url)
    assert house.scan() == {"depth": 0, "enqueued": 1}
    house.cloud.drain()
    assert len(house.cloud.outbox) == 1


def test_while_sending_is_off_nothing_is_read_and_nothing_enqueued(house: House) -> None:
    house.add(someone(1))
    house.turn("off")
    house.requests.clear()
    assert house.scan() == {"depth": 0, "enqueued": 0}
    assert house.requests.sent == {"ssm.GetParameter": 1}
    assert house.standing(someone(1)) == waking(someone(1))


def test_a_scanner_that_dies_half_way_leaves_nothing_the_next_tick_cannot_mend(house: House) -> None:
    house.add(*(someone(number) for number in range(12)))
    house.requests.answer("sqs.SendMessageBatch", error("AccessDenied", 403))
    with pytest.raises(ServiceCallError):
        house.scan()
    house.requests.let_all_through()
    assert house.scan() == {"depth": 0, "enqueued": 12}


def test_a_customer_whose_wake_cannot_be_read_is_enqueued_like_all_others(house: House) -> None:
    house.add(someone(1), someone(2))
    damaged: Any = standing_item(waking(someone(1)), 4) | {"wake_key": {"S": "2026-12-01 02:00"}}
    boto3.client("dynamodb").put_item(TableName=house.cloud.stack.customers_table, Item=damaged)
    assert house.scan()["enqueued"] == 2


@pytest.mark.slow(reason="a table of 20,000 customers on moto, beside a small one")
def test_the_cost_of_a_tick_follows_the_customers_who_are_due_and_not_all_customers(house: House) -> None:
    counted = []
    for waiting in (500, 19_500):
        _fill(house, due=500, waiting=waiting)
        house.cloud.sqs.purge_queue(QueueUrl=house.cloud.queue_url)
        house.cloud.clock.move_to(house.cloud.clock.now() + MINUTE)
        house.requests.clear()
        assert house.scan()["enqueued"] == 500
        counted.append(dict(house.requests.sent))
    assert counted[0] == counted[1]
    assert counted[0]["dynamodb.Query"] <= 8
    assert counted[0]["sqs.SendMessageBatch"] == 50
