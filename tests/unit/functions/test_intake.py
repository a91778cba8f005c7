"""The function: an S3 event in, counts out, and what was counted goes out whatever happens."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dunning import wiring
from dunning.domain.errors import UnexpectedError
from dunning.ports.queues import QueueMessage
from dunning.services.intake import IntakeSummary
from dunning.services.optimistic import ContestedError
from functions.intake.app import lambda_handler

EVENTS = Path(__file__).parents[3] / "events" / "intake"
EVENT: dict[str, Any] = json.loads((EVENTS / "accounts_uploaded.json").read_text("utf-8"))
PARTS: dict[str, Any] = json.loads((EVENTS / "file_parts.json").read_text("utf-8"))

SPLIT_ABOVE = 1_000_000


class FakeService:
    """The service and the telemetry the function gets from its wiring."""

    def __init__(self) -> None:
        self.loaded: list[tuple[str, str, datetime]] = []
        self.split_files: list[tuple[str, str, datetime, int]] = []
        self.bodies: list[str] = []
        self.flushed = 0
        self.fails = False

    def load(self, bucket: str, key: str, uploaded_at: datetime) -> IntakeSummary:
        self.loaded.append((bucket, key, uploaded_at))
        if self.fails:
            raise ContestedError
        return IntakeSummary(rows=3, customers_loaded=2, rows_refused=1)

    def split(self, bucket: str, key: str, uploaded_at: datetime, size: int) -> IntakeSummary:
        self.split_files.append((bucket, key, uploaded_at, size))
        return IntakeSummary(rows=1_000_000)

    def handle_batch(self, messages: Sequence[QueueMessage]) -> list[str]:
        self.bodies += [message.body for message in messages]
        return [message.message_id for message in messages] if self.fails else []

    def log_event(self, *_: object, **__: object) -> None:
        """Hear of what nobody foresaw."""

    def flush(self) -> None:
        self.flushed += 1


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    found = FakeService()
    monkeypatch.setattr(wiring, "intake_service", lambda: found)
    monkeypatch.setattr(wiring, "split_load_service", lambda: found)
    monkeypatch.setattr(wiring, "splits_file", lambda size: size > SPLIT_ABOVE)
    monkeypatch.setattr(wiring, "telemetry", lambda: found)
    return found


def test_an_uploaded_file_is_loaded_as_of_its_upload(service: FakeService) -> None:
    answer = lambda_handler(EVENT, None)
    uploaded_at = datetime(2026, 12, 1, 1, 30, 0, 123000, tzinfo=UTC)
    assert service.loaded == [("dunning-uploads-123456789012", "accounts/2026-12-01 分期.csv", uploaded_at)]
    (counts,) = answer["files"]
    assert (counts["rows"], counts["customers_loaded"], counts["rows_refused"]) == (3, 2, 1)
    assert json.dumps(answer)
    assert service.flushed == 1


def test_a_file_above_the_size_is_split(service: FakeService) -> None:
    record = EVENT["Records"][0]
    large = record | {"s3": record["s3"] | {"object": record["s3"]["object"] | {"size": SPLIT_ABOVE + 1}}}
    (counts,) = lambda_handler({"Records": [large]}, None)["files"]
    ((_, key, _, size),) = service.split_files
    assert (key, size, counts["rows"]) == ("accounts/2026-12-01 分期.csv", SPLIT_ABOVE + 1, 1_000_000)
    assert not service.loaded


@pytest.mark.parametrize("fails", [False, True])
def test_parts_of_a_file_are_loaded_and_those_that_failed_are_named(service: FakeService, *, fails: bool) -> None:
    service.fails = fails
    answer = lambda_handler(PARTS, None)
    assert len(service.bodies) == len(PARTS["Records"])
    named = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert named == ([record["messageId"] for record in PARTS["Records"]] if fails else [])


def test_a_folder_made_in_the_console_is_no_file(service: FakeService) -> None:
    record = EVENT["Records"][0]
    folder = record | {"s3": record["s3"] | {"object": {"key": "accounts/2026/", "size": 0}}}
    assert lambda_handler({"Records": [folder]}, None) == {"files": []}
    assert service.loaded == []


def test_the_event_that_tests_a_notification_has_no_files(service: FakeService) -> None:
    assert lambda_handler({"Service": "Amazon S3", "Event": "s3:TestEvent"}, None) == {"files": []}
    assert service.loaded == []


def test_a_failure_comes_back_with_the_event_and_its_counts_go_out(service: FakeService) -> None:
    service.fails = True
    with pytest.raises(ContestedError):
        lambda_handler(EVENT, None)
    assert service.flushed == 1


def test_a_file_that_fails_hides_no_other_of_the_same_event(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = EVENT["Records"][0]
    load = service.load

    def failing(bucket: str, key: str, uploaded_at: datetime) -> IntakeSummary:
        service.fails = key.endswith("bad.csv")
        return load(bucket, key, uploaded_at)

    monkeypatch.setattr(service, "load", failing)
    keys = ["accounts/bad.csv", "accounts/good.csv"]
    broken = [{"eventTime": "soon", "s3": record["s3"]}]
    files = [record | {"s3": record["s3"] | {"object": {"key": key}}} for key in keys]
    with pytest.raises(ContestedError):
        lambda_handler({"Records": files}, None)
    with pytest.raises(UnexpectedError):
        lambda_handler({"Records": [*broken, files[1]]}, None)
    assert [key for _, key, _ in service.loaded] == [*keys, keys[1]]
