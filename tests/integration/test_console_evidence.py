"""The evidence of a customer, as the console reads it from both tables of the embedded AWS."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.evidence_tables import DynamoEvidence
from dunning.evidence.customer_evidence import OLDER_REPLIES, OLDER_TEXTS
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, watched
from tests.support.builders import store_customer
from tests.support.console import a_contact, a_reply
from tests.support.people import NOW, someone, waking


@pytest.fixture
def cloud() -> Iterator[tuple[LocalCloud, Requests]]:
    with LocalCloud(NOW) as cloud, watched() as requests:
        yield cloud, requests


def test_a_customer_is_read_in_three_calls_with_the_newest_of_each_kind(cloud: tuple[LocalCloud, Requests]) -> None:
    stack, requests = cloud[0].stack, cloud[1]
    client = boto3.client("dynamodb", config=LEAN)
    contacts = DynamoContacts(client, stack.contacts_table)
    facts, other = someone(), someone(2)
    for each in (facts, other):
        assert store_customer(DynamoCustomers(client, stack.customers_table, 4), each, waking(each))
    texts = [replace(a_contact(facts, "字", NOW - timedelta(days=day)), send_id=f"s{day}") for day in range(4)]
    contacts.write([*texts, a_contact(other, "別人")])
    replies = [a_reply(facts, "我", NOW - timedelta(days=day)) for day in range(3)]
    for number, reply in enumerate(replies):
        contacts.keep(replace(reply, inbound=replace(reply.inbound, inbound_id=f"r{number}")))
    table = DynamoEvidence(client, stack.customers_table, stack.contacts_table)
    requests.clear()
    evidence = table.read(facts.customer_id, 3)
    assert requests.sent == {"dynamodb.BatchGetItem": 1, "dynamodb.Query": 2}
    assert evidence
    assert evidence.facts == facts
    assert evidence.standing
    assert {contact.send_id for contact in evidence.contacts} == {"s0", "s1", "s2"}
    assert {reply.inbound.inbound_id for reply in evidence.replies} == {"r0", "r1", "r2"}
    assert evidence.gaps == (OLDER_TEXTS, OLDER_REPLIES)
    earlier = table.read(facts.customer_id, 3, NOW - timedelta(days=1))
    assert earlier
    assert [contact.send_id for contact in earlier.contacts] == ["s2", "s3"]
    assert [reply.inbound.inbound_id for reply in earlier.replies] == ["r2"]
    assert earlier.gaps == ()
    whole = table.read(facts.customer_id)
    assert whole
    assert (len(whole.contacts), len(whole.replies), whole.gaps) == (4, 3, ())
    assert table.read("C9999", 3) is None


def test_what_cannot_be_read_is_named_and_the_rest_is_there(cloud: tuple[LocalCloud, Requests]) -> None:
    stack = cloud[0].stack
    client = boto3.client("dynamodb", config=LEAN)
    facts = someone()
    assert store_customer(DynamoCustomers(client, stack.customers_table, 4), facts, waking(facts))
    key = {"customer_id": {"S": facts.customer_id}, "item": {"S": "standing"}}
    client.put_item(TableName=stack.customers_table, Item={**key, "schema": {"N": "99"}})
    evidence = DynamoEvidence(client, stack.customers_table, stack.contacts_table).read(facts.customer_id, 3)
    assert evidence
    assert evidence.facts == facts
    assert evidence.standing is None
    assert [each.kind for each in evidence.unreadable] == ["standing"]
