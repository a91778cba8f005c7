"""The due index: who is due, in which order, of the fake and of DynamoDB alike."""

from datetime import timedelta
from random import Random

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.domain.customer.standing import Wake
from dunning.ports.customers import DueCustomer
from tests.contract.conftest import SHARDS, Office, customers_in
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests
from tests.support.damage import write_attribute
from tests.support.people import NOW, someone, waking
from tests.support.stand_in import Aws

MINUTE = timedelta(minutes=1)


def _put(office: Office, number: int, wake: Wake | None) -> DueCustomer:
    facts = someone(number)
    standing = waking(facts, wake.at if wake else None, urgency=wake.urgency if wake else 0)
    assert office.customers.save_standing(standing, expected_version=0)
    return DueCustomer(facts.customer_id, wake or Wake(NOW, 0))


def test_nobody_is_due_where_nobody_is(office: Office) -> None:
    assert list(office.customers.due(NOW, 10)) == []


def test_customers_who_wake_now_are_due_and_those_who_wake_later_or_never_are_not(office: Office) -> None:
    now = _put(office, 1, Wake(NOW, 9))
    _put(office, 2, Wake(NOW + timedelta(microseconds=1), 0))
    _put(office, 3, None)
    assert list(office.customers.due(NOW, 10)) == [now]


def test_the_earliest_wake_comes_first_and_of_one_moment_the_most_urgent(office: Office) -> None:
    random = Random(7)
    wakes = [Wake(NOW - random.randrange(4) * MINUTE, random.randrange(6)) for _ in range(200)]
    everyone = [_put(office, number, wake) for number, wake in enumerate(wakes)]
    found = list(office.customers.due(NOW, 1000))
    assert [due.wake for due in found] == sorted(wakes)
    assert set(found) == set(everyone)


@pytest.mark.parametrize("limit", [1, 7, 40])
def test_no_more_than_the_limit_are_given_and_they_are_the_head(office: Office, limit: int) -> None:
    for number in range(60):
        _put(office, number, Wake(NOW - number * MINUTE, 0))
    found = list(office.customers.due(NOW, limit))
    assert [due.customer_id for due in found] == [f"C{number:04d}" for number in reversed(range(60 - limit, 60))]


def test_a_wake_that_has_moved_is_found_in_its_new_place_only(office: Office) -> None:
    _put(office, 1, Wake(NOW, 0))
    moved = waking(someone(1), NOW + MINUTE, version=2)
    assert office.customers.save_standing(moved, expected_version=1)
    assert list(office.customers.due(NOW, 10)) == []
    assert list(office.customers.due(NOW + MINUTE, 10)) == [DueCustomer("C0001", Wake(NOW + MINUTE, 0))]


def test_a_wake_that_is_gone_is_in_no_index(office: Office) -> None:
    _put(office, 1, Wake(NOW, 0))
    assert office.customers.save_standing(waking(someone(1), None, version=2), expected_version=1)
    assert list(office.customers.due(NOW + timedelta(days=999), 10)) == []


class TestOnDynamoDb:
    """Pages, shards and damage."""

    def test_all_pages_of_a_crowded_shard_are_read(self, aws: Aws) -> None:
        crowded = DynamoCustomers(boto3.client("dynamodb", config=LEAN), aws.stack.customers_table, 1)
        for number in range(130):
            standing = waking(someone(number), NOW - number * MINUTE)
            assert crowded.save_standing(standing, expected_version=0)
        # The reader knows of four shards and expects a quarter of the customers in each.
        reader = customers_in(aws)
        assert [due.customer_id for due in reader.due(NOW, 100)] == [
            f"C{number:04d}" for number in reversed(range(30, 130))
        ]

    def test_no_page_is_read_that_is_not_needed(
        self, cloud: LocalCloud, dynamo: DynamoCustomers, requests: Requests
    ) -> None:
        for number in range(400):
            dynamo.save_standing(waking(someone(number), NOW - number * MINUTE), expected_version=0)
        reader = DynamoCustomers(boto3.client("dynamodb", config=LEAN), cloud.stack.customers_table, SHARDS)
        requests.clear()
        assert len(list(reader.due(NOW, 40))) == 40
        assert requests.sent == {"dynamodb.Query": SHARDS}

    def test_a_customer_whose_wake_cannot_be_read_is_due_now_and_stops_nobody(self, aws: Aws) -> None:
        dynamo = customers_in(aws)
        for number in (1, 2):
            dynamo.save_standing(waking(someone(number), urgency=2), expected_version=0)
        write_attribute(aws, "C0001", "standing", wake_key={"S": "2026-12-01"})
        assert set(dynamo.due(NOW, 10)) == {DueCustomer("C0001", Wake(NOW, 0)), DueCustomer("C0002", Wake(NOW, 2))}
