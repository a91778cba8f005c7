"""The function: an event of the subscription goes one way, a batch of the queue the other."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from dunning import wiring
from dunning.contracts.delivery_log import Reported
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.queues import QueueMessage
from functions.delivery_receipts.app import lambda_handler
from tests.local import ROOT


def event_file(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / name).read_text("utf-8"))
    return event


class FakeService:
    """The service and the telemetry the function gets from its wiring."""

    def __init__(self) -> None:
        self.reported: list[Reported] = []
        self.deliveries: list[QueueMessage] = []
        self.failing: list[str] = []
        self.flushed = 0
        self.breaks = False

    def handle_batch(self, reported: Reported) -> None:
        self.reported.append(reported)
        if self.breaks:
            raise ServiceCallError("UpdateItem", "ThrottlingException")

    def handle_waiting(self, deliveries: Sequence[QueueMessage]) -> list[str]:
        self.deliveries += deliveries
        return self.failing

    def flush(self) -> None:
        self.flushed += 1


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    found = FakeService()
    monkeypatch.setattr(wiring, "delivery_receipt_service", lambda: found)
    monkeypatch.setattr(wiring, "telemetry", lambda: found)
    return found


def test_delivery_logs_are_read_and_worked_off(service: FakeService) -> None:
    assert lambda_handler(event_file("delivery_receipts/delivery_logs.json"), None) == {"batchItemFailures": []}
    ((receipts, unreadable),) = service.reported
    assert (len(receipts), unreadable, service.deliveries, service.flushed) == (10, 0, [], 1)


def test_waiting_receipts_are_handled_again_and_failures_are_returned_to_the_queue(service: FakeService) -> None:
    event = event_file("delivery_receipts/waiting_receipts.json")
    service.failing = [event["Records"][1]["messageId"]]
    assert lambda_handler(event, None) == {"batchItemFailures": [{"itemIdentifier": service.failing[0]}]}
    assert service.deliveries == [QueueMessage(record["messageId"], record["body"], 1) for record in event["Records"]]
    assert (service.reported, service.flushed) == ([], 1)


def test_what_is_no_event_of_a_subscription_is_handed_over_again_and_ends_with_the_dead_letters(
    service: FakeService,
) -> None:
    with pytest.raises(UnreadableRecordError):
        lambda_handler({"awslogs": {"data": "王小明"}}, None)
    assert (service.reported, service.flushed) == ([], 1)


def test_a_failure_is_lambdas_to_repeat_and_what_was_counted_goes_out(service: FakeService) -> None:
    service.breaks = True
    with pytest.raises(ServiceCallError):
        lambda_handler(event_file("delivery_receipts/delivery_logs.json"), None)
    assert service.flushed == 1
