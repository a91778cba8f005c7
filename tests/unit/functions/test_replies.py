"""The function: replies in each wrapping go to the service, and what is to come back is named, or handed over again."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dunning import wiring
from dunning.contracts.inbound_sms import parse_inbound
from dunning.domain.replies.reply import InboundSms
from dunning.entrypoint import RepliesLostError
from dunning.ports.queues import InboundMessage
from functions.replies.app import lambda_handler

EVENTS = Path(__file__).parents[3] / "events"
QUEUED_AT = datetime(2026, 12, 1, 2, 0, 3, 456_000, tzinfo=UTC)
NOTIFIED_AT = datetime(2026, 12, 1, 2, 0, 3, 123_000, tzinfo=UTC)


def event_file(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text("utf-8"))
    return event


class FakeService:
    """The service and the telemetry the function gets from its wiring."""

    def __init__(self) -> None:
        self.arrived: list[InboundMessage] = []
        self.failing: list[str] = []
        self.seconds = 0.0
        self.flushed = 0
        self.breaks = False

    def handle_batch(self, messages: Sequence[InboundMessage], seconds_left: Callable[[], float]) -> list[str]:
        self.arrived += messages
        self.seconds = seconds_left()
        if self.breaks:
            raise RepliesLostError
        return self.failing

    def flush(self) -> None:
        self.flushed += 1


class Context:
    """Lambda's."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_500


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    found = FakeService()
    monkeypatch.setattr(wiring, "reply_service", lambda: found, raising=False)
    monkeypatch.setattr(wiring, "telemetry", lambda: found)
    return found


def handle(event: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    return lambda_handler(event, Context())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "at"),
    [
        ("replies/notification.json", "退訂", NOTIFIED_AT),
        ("replies/raw.json", "已繳", QUEUED_AT),
        ("replies/quoted.json", "下週五繳", QUEUED_AT),
        ("replies/topic.json", "請打給我", NOTIFIED_AT),
    ],
)
def test_the_samples_are_replies_in_all_wrappings_there_are(
    service: FakeService, name: str, text: str, at: datetime
) -> None:
    assert handle(event_file(name)) == {"batchItemFailures": []}
    (message,) = service.arrived
    sms = parse_inbound(message.body, message.sent_at)
    assert sms == InboundSms(
        inbound_id=sms.inbound_id, phone="+886900000001", text=text, at=at, in_reply_to=sms.in_reply_to
    )
    assert message.receive_count == 1
    assert service.seconds == 30.5
    assert service.flushed == 1


def test_every_sample_there_is_has_been_read() -> None:
    assert {f"replies/{path.name}" for path in EVENTS.glob("replies/*.json")} == {
        "replies/channel_messages.json",  # read in tests/unit/contracts/test_sample_events.py
        "replies/notification.json",
        "replies/raw.json",
        "replies/quoted.json",
        "replies/topic.json",
    }


def test_failed_messages_are_returned_to_the_queue(service: FakeService) -> None:
    event = event_file("replies/notification.json")
    service.failing = [event["Records"][0]["messageId"]]
    assert handle(event) == {"batchItemFailures": [{"itemIdentifier": service.failing[0]}]}


def test_a_topic_is_to_hand_over_again_what_failed(service: FakeService) -> None:
    event = event_file("replies/topic.json")
    service.failing = [event["Records"][0]["Sns"]["MessageId"]]
    with pytest.raises(RepliesLostError, match="1 of 1 replies"):
        handle(event)
    assert service.flushed == 1


def test_metrics_are_flushed_also_if_the_work_breaks_off(service: FakeService) -> None:
    service.breaks = True
    with pytest.raises(RepliesLostError):
        handle(event_file("replies/raw.json"))
    assert service.flushed == 1
