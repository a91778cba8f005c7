"""The way to the lender's other systems: what the port promises, of the fake and of EventBridge alike."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.events.models import Rule

from dunning.adapters.client import LEAN
from dunning.adapters.eventbridge import EventBridgePublisher
from dunning.contracts.outbound_event import bus_entries
from dunning.domain.outbound_events import (
    CustomerNeedsPerson,
    NumberUnreachable,
    OutboundEvent,
    PromiseBroken,
    ReminderSent,
    ReminderStopped,
    ReplyNotUnderstood,
    ReviewReason,
)
from dunning.ports.gateways import EventPublisher
from tests.contract.conftest import BACKENDS
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, error, first, success
from tests.support.fakes import FakeEventPublisher, FakeTelemetry
from tests.support.people import NOW
from tests.support.stand_in import Engine

BUS = "lender"


def reminders(count: int) -> list[OutboundEvent]:
    """Describe reminders that the carrier took."""
    return [
        ReminderSent(
            customer_id=f"C{number:04d}",
            at=NOW,
            send_id=f"send-{number}",
            stage=-3,
            account_ids=("A1", "A2"),
            channel="sms",
        )
        for number in range(count)
    ]


def stops(count: int) -> list[OutboundEvent]:
    """Describe customers who get no more reminders."""
    return [ReminderStopped(f"C{number:04d}", NOW, "nothing_open") for number in range(count)]


ONE_OF_EACH: list[OutboundEvent] = [
    *reminders(1),
    *stops(1),
    CustomerNeedsPerson("C0001", NOW, ReviewReason.HARDSHIP, "r1"),
    ReplyNotUnderstood("C0001", NOW + timedelta(microseconds=1), "r1"),
    NumberUnreachable("C0001", NOW, "permanent_failure"),
    PromiseBroken(customer_id="C0001", at=NOW, account_id="A1", number=1, promised_on=date(2026, 11, 30)),
]

type Received = tuple[str, dict[str, Any]]
"""What an event says: its kind and its detail, each reminder by itself."""


def _split(kind: str, detail: dict[str, Any]) -> list[Received]:
    return [(kind, reminder) for reminder in detail["reminders"]] if kind == "ReminderSent" else [(kind, detail)]


def _in_order(received: list[Received]) -> list[Received]:
    return sorted(received, key=lambda event: json.dumps(event, sort_keys=True))


def published(events: Sequence[OutboundEvent]) -> list[Received]:
    """Return what outbound events say."""
    entries = bus_entries(events, 256 * 1024)
    return _in_order(
        [received for entry in entries for received in _split(entry.detail_type, json.loads(entry.detail))]
    )


@dataclass
class Bus:
    """The bus seen through the port, and the end of somebody who listens to it."""

    publisher: EventPublisher
    events: Callable[[], list[dict[str, Any]]]
    telemetry: FakeTelemetry

    def received(self) -> list[Received]:
        """Return what has arrived, each reminder by itself."""
        return _in_order(
            [received for event in self.events() for received in _split(event["detail-type"], event["detail"])]
        )


@pytest.fixture
def fake() -> Bus:
    publisher = FakeEventPublisher()

    def events() -> list[dict[str, Any]]:
        entries = bus_entries(publisher.published, 256 * 1024)
        return [{"detail-type": entry.detail_type, "detail": json.loads(entry.detail)} for entry in entries]

    return Bus(publisher, events, FakeTelemetry())


@pytest.fixture
def moto(cloud: LocalCloud, requests: Requests, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """
    A bus of the lender's, with a rule that matches every event.

    What moto would hand to a rule's targets is kept here: it needs a package for that which we have not.
    """
    del cloud
    client = boto3.client("events", config=LEAN.merge(Config(retries={"total_max_attempts": 1})))
    client.create_event_bus(Name=BUS)
    client.put_rule(Name="everything", EventBusName=BUS, EventPattern=json.dumps({"source": ["dunning"]}))
    requests.clear()
    received: list[dict[str, Any]] = []
    monkeypatch.setattr(Rule, "send_to_targets", lambda _, event: received.append(event))
    telemetry = FakeTelemetry()
    yield Bus(EventBridgePublisher(client, BUS, telemetry), lambda: received, telemetry)
    requests.let_all_through()
    client.delete_rule(Name="everything", EventBusName=BUS)
    client.delete_event_bus(Name=BUS)


@pytest.fixture
def on_stand_in(stand_in: Engine) -> Iterator[Bus]:
    """Make a bus of the lender's on the stand-in, with a rule that hands every event of ours to a queue."""
    client, url = boto3.client("events", config=LEAN), stand_in.sqs.create_queue(QueueName="bus")["QueueUrl"]
    attributes = stand_in.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    client.create_event_bus(Name=BUS)
    client.put_rule(Name="everything", EventBusName=BUS, EventPattern=json.dumps({"source": ["dunning"]}))
    client.put_targets(Rule="everything", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
    telemetry = FakeTelemetry()
    yield Bus(
        EventBridgePublisher(client, BUS, telemetry),
        lambda: [json.loads(body) for body in stand_in.messages(url)],
        telemetry,
    )
    client.remove_targets(Rule="everything", EventBusName=BUS, Ids=["queue"])
    client.delete_rule(Name="everything", EventBusName=BUS)
    client.delete_event_bus(Name=BUS)
    stand_in.sqs.delete_queue(QueueUrl=url)


@pytest.fixture(params=BACKENDS)
def bus(request: pytest.FixtureRequest) -> Bus:
    found: Bus = request.getfixturevalue("on_stand_in" if request.param == "stand_in" else request.param)
    return found


@pytest.mark.parametrize(
    "events",
    [[], ONE_OF_EACH, reminders(1), reminders(120), stops(25), [*stops(25), *reminders(3)]],
    ids=["none", "one of each", "a reminder", "many reminders", "more than a call holds", "mixed"],
)
def test_every_published_event_arrives_once(bus: Bus, events: list[OutboundEvent]) -> None:
    bus.publisher.publish(events)
    assert bus.received() == published(events)
    assert bus.telemetry.events == []


class TestOnEventBridge:
    """What only a bus can do."""

    @pytest.fixture
    def bus(self, moto: Bus) -> Bus:
        return moto

    def test_an_event_is_ours_by_its_source_and_named_by_its_kind(self, bus: Bus) -> None:
        bus.publisher.publish(stops(1))
        (event,) = bus.events()
        assert (event["source"], event["detail-type"]) == ("dunning", "ReminderStopped")
        assert event["detail"] == {
            "schema_version": 1,
            "customer_id": "C0000",
            "at": "2026-12-01T02:00:00Z",
            "reason": "nothing_open",
        }

    def test_reminders_of_a_batch_are_one_event_for_that_is_what_is_billed(self, bus: Bus) -> None:
        bus.publisher.publish(reminders(25))
        (event,) = bus.events()
        assert len(event["detail"]["reminders"]) == 25

    def test_ten_events_are_one_call(self, bus: Bus, requests: Requests) -> None:
        bus.publisher.publish(stops(25))
        assert [len(call["Entries"]) for call in requests.of("eventbridge.PutEvents")] == [10, 10, 5]

    def test_nothing_to_publish_is_no_call(self, bus: Bus, requests: Requests) -> None:
        bus.publisher.publish([])
        assert requests.sent["eventbridge.PutEvents"] == 0

    def test_no_call_is_larger_than_eventbridge_takes(self, bus: Bus, requests: Requests) -> None:
        accounts = tuple(f"A{number:060d}" for number in range(600))
        many: list[OutboundEvent] = [
            ReminderSent(customer_id=f"C{number}", at=NOW, send_id="s", stage=0, account_ids=accounts, channel="sms")
            for number in range(20)
        ]
        bus.publisher.publish([*many, *stops(3)])
        sizes = [
            sum(len(f"{entry['Source']}{entry['DetailType']}{entry['Detail']}".encode()) for entry in call["Entries"])
            for call in requests.of("eventbridge.PutEvents")
        ]
        assert len(sizes) > 1
        assert max(sizes) <= 256 * 1024
        assert bus.received() == published([*many, *stops(3)])

    def test_each_event_that_was_not_accepted_is_published_a_second_time(self, bus: Bus, requests: Requests) -> None:
        refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "C0001"}
        taken = {"EventId": "e1"}
        requests.answer(
            "eventbridge.PutEvents", first(success({"FailedEntryCount": 1, "Entries": [taken, refused, taken]}))
        )
        bus.publisher.publish(stops(3))
        assert [len(call["Entries"]) for call in requests.of("eventbridge.PutEvents")] == [3, 1]
        assert bus.received() == published(stops(3)[1:2])
        assert bus.telemetry.events == []

    def test_an_event_that_is_refused_twice_is_logged_in_full_and_counted(self, bus: Bus, requests: Requests) -> None:
        refused = {"ErrorCode": "InternalFailure", "ErrorMessage": "what we do not repeat"}
        requests.answer("eventbridge.PutEvents", success({"FailedEntryCount": 1, "Entries": [refused]}))
        bus.publisher.publish(reminders(3))
        ((name, fields),) = bus.telemetry.events
        assert name == "outbound_event_lost"
        assert (fields["detail_type"], fields["code"]) == ("ReminderSent", "InternalFailure")
        assert _split("ReminderSent", json.loads(str(fields["detail"]))) == published(reminders(3))
        assert bus.telemetry.counts == {"OutboundEventsLost": 3}

    def test_a_bus_that_cannot_be_reached_fails_no_work(self, bus: Bus, requests: Requests) -> None:
        requests.answer("eventbridge.PutEvents", error("AccessDeniedException", 403, "C0000"))
        bus.publisher.publish(stops(12))
        assert {fields["code"] for _, fields in bus.telemetry.events} == {"AccessDeniedException"}
        assert bus.telemetry.counts == {"OutboundEventsLost": 12}

    def test_after_one_call_that_fails_the_others_are_made(self, bus: Bus, requests: Requests) -> None:
        lost = error("InternalException", 500)
        requests.answer("eventbridge.PutEvents", first(lost, lost))
        bus.publisher.publish(stops(12))
        assert bus.received() == published(stops(12)[10:])
        assert bus.telemetry.counts == {"OutboundEventsLost": 10}
