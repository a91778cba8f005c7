"""The payments' function on the embedded AWS: the events that come with the project, and what they leave behind."""

import json
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from moto.events.models import Rule

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.items import reply_of
from dunning.contracts.erasure_round import erasure_round_body
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import Wake
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.customers import StoredCustomer
from dunning.services.erasure.erase import SECOND_ROUND, UNDER_WAY
from tests.integration.conftest import Event, House, batch, event_file
from tests.local.template import Function
from tests.support.people import NOW, someone, waking

pytestmark = pytest.mark.slow(reason="drives the real handlers on moto, with tables and queues made for each test")


class Bus:
    """The function with its queue, its dead letters and the lender's bus, as the template declares them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.received: list[dict[str, Any]] = []
        self.queue_url = house.cloud.queue_urls["lender_events"]
        self.dead_letter_url = self.function.environment["DEAD_LETTER_URL"]

    @property
    def function(self) -> Function:
        """The function as the template has it."""
        return self.house.cloud.stack.functions["lender_events"]

    def handle_batch(self, event: Event) -> list[str]:
        """Start the function, and return what is to come back."""
        answer = self.house.cloud.invoke(self.function, event)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def bodies(self, url: str) -> list[str]:
        """Take everything off a queue that can be seen."""
        messages = self.house.cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [message["Body"] for message in messages]


@pytest.fixture
def bus(house: House, monkeypatch: pytest.MonkeyPatch) -> Bus:
    bus = Bus(house)
    monkeypatch.setattr(Rule, "send_to_targets", lambda _, event: bus.received.append(event))
    return bus


def test_payments_are_counted_and_the_end_of_reminders_is_published(bus: Bus) -> None:
    people = [someone(1), someone(2)]
    bus.house.add(*people)
    bus.house.requests.clear()
    assert bus.handle_batch(event_file("lender_events/instalment_paid.json")) == []
    assert bus.house.requests.sent == {
        "dynamodb.BatchGetItem": 1,
        "dynamodb.TransactWriteItems": 2,
        "eventbridge.PutEvents": 1,
    }
    assert (bus.house.standing(people[0]).wake, bus.house.standing(people[1]).wake) == (None, Wake(NOW, 0))
    (event,) = bus.received
    assert (event["source"], event["detail-type"], event["detail"]["reason"]) == (
        "dunning", "ReminderStopped", "nothing_open",
    )  # fmt: skip


def test_a_customer_who_has_paid_is_not_reminded_by_a_job_that_was_queued_before(bus: Bus) -> None:
    bus.house.add(someone(1))
    bus.house.scan()
    bus.handle_batch(event_file("lender_events/instalment_paid.json"))
    bus.house.cloud.drain()
    assert bus.house.cloud.outbox == []


def test_an_instalment_that_is_put_off_moves_the_wake(bus: Bus) -> None:
    bus.house.add(someone(1))
    assert bus.handle_batch(event_file("lender_events/instalment_changed.json")) == []
    stored = bus.house.store.load_stored(["C0001"])["C0001"]
    assert isinstance(stored, StoredCustomer)
    assert bus.house.standing(someone(1)).wake == Wake(NOW + timedelta(days=16), 1)
    assert sorted(stored.lender_record.events) == ["changed:A0001-0#1", "changed:A0001-0#2"]


def test_a_closed_account_is_not_spoken_of(bus: Bus) -> None:
    bus.house.add(someone(1))
    assert bus.handle_batch(event_file("lender_events/account_closed.json")) == []
    assert bus.house.standing(someone(1)).reason == "nothing_open"


def test_holds_silence_and_releases_of_the_same_moment_lift_them(bus: Bus) -> None:
    people = [someone(1), someone(2)]
    bus.house.add(*people)
    assert bus.handle_batch(event_file("lender_events/customer_hold.json")) == []
    assert [bus.house.standing(person).reason for person in people] == ["on_hold", "on_hold"]
    assert bus.handle_batch(event_file("lender_events/customer_released.json")) == []
    assert [bus.house.standing(person).wake for person in people] == [Wake(NOW, 0)] * 2


def test_a_label_is_kept_with_the_reply_and_takes_the_place_of_what_it_led_to(bus: Bus) -> None:
    house, said_at = bus.house, NOW - timedelta(hours=2)
    house.add(someone(1), holds=(Hold(HoldReason.DOUBT, date(2026, 12, 4), said_at),))
    contacts = DynamoContacts(boto3.client("dynamodb"), house.cloud.stack.contacts_table)
    inbound = InboundSms(inbound_id="reply-1", phone=someone(1).phone, text="週五繳", at=said_at)
    in_doubt = Reply(
        customer_id="C0001", inbound=inbound, intents=("promise",), promised_on=None, expires_at=NOW + timedelta(days=9)
    )
    contacts.keep(in_doubt)
    assert bus.handle_batch(event_file("lender_events/reply_labelled.json")) == []
    standing = house.standing(someone(1))
    assert [hold.reason for hold in standing.holds] == [HoldReason.HARDSHIP]
    assert [promise.on for promise in standing.promises.values()] == [date(2026, 12, 11)]
    (reply,) = [reply_of(item) for item in house.cloud.items(house.cloud.stack.contacts_table)]
    assert (reply.labels, reply.label_promised_on) == (("promise", "hardship"), date(2026, 12, 11))
    assert {line.get("message") for line in house.lines()} >= {"reply_labelled", "label_of_unknown_reply"}


def test_an_erased_customer_leaves_an_id_and_a_moment_and_a_skeleton(bus: Bus) -> None:
    house = bus.house
    house.add(someone(1), someone(2))
    house.store.add_address(someone(1).phone, "C0001")
    house.cloud.s3.put_object(Bucket=house.cloud.stack.uploads_bucket, Key="accounts/a.csv", Body=b"?C0001")
    assert house.send(event_file("sender/jobs.json")) == []
    assert bus.handle_batch(event_file("lender_events/customer_erased.json")) == []
    assert bus.bodies(bus.queue_url) == []
    # A text that was under way leaves its record, and a number its customer, behind the first round.
    contacts = house.contacts()
    assert {contact.customer_id: bool(contact.text) for contact in contacts} == {"C0001": False, "C0002": True}
    house.cloud.clock.move_to(NOW + SECOND_ROUND + timedelta(seconds=1))
    assert bus.bodies(bus.queue_url) == [erasure_round_body("C0001")]
    house.cloud.clock.move_to(NOW + UNDER_WAY)
    assert bus.handle_batch(batch(erasure_round_body("C0001"))) == []
    (tombstone,) = [
        item for item in house.cloud.items(house.cloud.stack.customers_table) if "C0001" in json.dumps(item)
    ]
    assert tombstone.keys() == {"customer_id", "item", "schema", "revision", "erased_at"}
    (skeleton,) = [
        item for item in house.cloud.items(house.cloud.stack.contacts_table) if item["customer_id"]["S"] == "C0001"
    ]
    assert skeleton.keys() >= {"send_id", "state", "at", "template", "reasons", "price_usd_micros", "erased_at"}
    assert not [
        secret for secret in ("+886", "900000001", "王", "5678") if secret in json.dumps(skeleton, ensure_ascii=False)
    ]
    assert house.standing(someone(2)).version == 2


def test_a_late_record_and_a_late_reply_go_with_the_second_round(bus: Bus) -> None:
    house = bus.house
    house.add(someone(1))
    bus.handle_batch(event_file("lender_events/customer_erased.json"))
    contacts = DynamoContacts(boto3.client("dynamodb"), house.cloud.stack.contacts_table)
    contacts.write(
        [
            Contact(
                customer_id="C0001",
                send_id="s1",
                claim_id="c",
                at=NOW,
                state=ContactState.SENT,
                stage=0,
                account_ids=("A1",),
                channel="sms",
                expires_at=NOW,
                phone="+886900000001",
                text="王小明",
            )
        ]
    )
    contacts.keep(
        Reply(
            customer_id="C0001",
            inbound=InboundSms(inbound_id="r1", phone="+886900000001", text="王小明", at=NOW),
            intents=(),
            promised_on=None,
            expires_at=NOW,
        )
    )
    house.store.save_standing(waking(someone(1)), expected_version=0)
    assert bus.handle_batch(batch(erasure_round_body("C0001"))) == []
    (record,) = house.cloud.items(house.cloud.stack.contacts_table)
    assert not record.keys() & {"phone", "text"}
    assert {item["item"]["S"] for item in house.cloud.items(house.cloud.stack.customers_table)} == {"facts"}


def test_a_message_that_is_no_event_is_parked_and_the_rest_goes_on(bus: Bus) -> None:
    bus.house.add(someone(1))
    good = event_file("lender_events/account_closed.json")["Records"][0]["body"]
    poison = good.replace('"account_id"', '"王小明"')
    assert bus.handle_batch(batch(poison, good, "+886900000001")) == []
    assert sorted(bus.bodies(bus.dead_letter_url)) == sorted([poison, "+886900000001"])
    assert bus.house.standing(someone(1)).reason == "nothing_open"
    assert bus.house.metric("EventsRefused") == 2


def test_a_customer_whose_record_is_damaged_comes_back_alone(bus: Bus) -> None:
    bus.house.add(someone(1), someone(2))
    boto3.client("dynamodb").update_item(
        TableName=bus.house.cloud.stack.customers_table,
        Key={"customer_id": {"S": "C0001"}, "item": {"S": "facts"}},
        UpdateExpression="SET accounts = :broken",
        ExpressionAttributeValues={":broken": {"S": "[["}},
    )
    first, second = event_file("lender_events/instalment_paid.json")["Records"]
    assert bus.handle_batch({"Records": [first, second]}) == [first["messageId"]]


@pytest.mark.parametrize(
    "kind",
    [
        "instalment_paid",
        "instalment_changed",
        "account_closed",
        "customer_hold",
        "customer_released",
        "customer_attended",
        "customer_erased",
        "reply_labelled",
    ],
)
def test_logs_and_published_events_identify_nobody(bus: Bus, kind: str) -> None:
    bus.house.add(someone(1), someone(2))
    assert bus.handle_batch(event_file(f"lender_events/{kind}.json")) == []
    printed = bus.house.log.getvalue() + json.dumps(bus.received)
    assert not [secret for secret in ("+886", "王小明") if secret in printed]
