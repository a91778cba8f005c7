"""Delivery logs as CloudWatch Logs hands them over: whatever can be used is, and nothing spoils the rest."""

import base64
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dunning.contracts.receipts import LaterReceipt, later_body, parse_later, parse_reported
from dunning.domain.receipt import Receipt
from dunning.ports import ContactKey, UnreadableRecordError
from tests.integration.people import NOW
from tests.local import ROOT
from tests.local.events import logs_subscription

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "vectors" / "delivery_logs.json").read_text())[
    "samples"
]
LOG = {
    "notification": {"messageId": "m1", "timestamp": "2026-12-01 02:00:03.123"},
    "delivery": {
        "destination": "+886900000001",
        "priceInUSD": 0.0417,
        "numberOfMessageParts": 1,
        "providerResponse": "Message has been accepted by phone",
    },
    "status": "SUCCESS",
}


def event_of(*logs: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a log is
    return logs_subscription(logs, at=NOW, region="ap-northeast-1", account="123456789012")


def one(log: Any) -> Receipt:  # noqa: ANN401 - whatever a log is
    (receipt,) = parse_reported(event_of(log)).receipts
    return receipt


def changed(**delivery: object) -> dict[str, Any]:
    return {**LOG, "delivery": {**LOG["delivery"], **delivery}}  # type: ignore[dict-item]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["id"]))
def test_logs_seen_in_the_wild_are_read(sample: dict[str, Any]) -> None:
    receipt = one(sample["log"])
    assert receipt.delivered is (sample["expected_outcome"] == "delivered")
    assert receipt.message_id == sample["log"]["notification"]["messageId"]
    assert receipt.response == sample["log"]["delivery"]["providerResponse"]
    assert receipt.at.tzinfo is UTC or receipt.at.utcoffset() is not None


def test_everything_a_log_says_is_taken() -> None:
    at = datetime(2026, 12, 1, 2, 0, 3, 123000, UTC)
    assert one(LOG) == Receipt("m1", at, "+886900000001", True, "Message has been accepted by phone", 1, 41_700)  # noqa: FBT003


@pytest.mark.parametrize(
    ("price", "micros"), [(0.00645, 6450), ("0.00881", 8810), ("", 0), (None, 0), ("n/a", 0), (-1, 0)]
)
def test_prices_come_as_numbers_and_as_text(price: object, micros: int) -> None:
    assert one(changed(priceInUSD=price)).billed_price == micros


@pytest.mark.parametrize("destination", ["+1XXX5550100", "", "886900000001", "+", "+88690000000１"])
def test_a_number_that_is_not_whole_is_none_and_the_rest_counts(destination: str) -> None:
    receipt = one(changed(destination=destination))
    assert (receipt.phone, receipt.message_id) == ("", "m1")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2016-06-28 00:40:34.558", datetime(2016, 6, 28, 0, 40, 34, 558000, UTC)),
        ("2022-03-08 19:09:37.3", datetime(2022, 3, 8, 19, 9, 37, 300000, UTC)),
        ("2024-01-01T14:00:00Z", datetime(2024, 1, 1, 14, tzinfo=UTC)),
        ("2025-01-01T00:00:00", datetime(2025, 1, 1, tzinfo=UTC)),
        ("yesterday", NOW),
        ("", NOW),
    ],
)
def test_moments_are_utc_and_without_one_the_log_events_own_counts(written: str, at: datetime) -> None:
    assert one({**LOG, "notification": {"messageId": "m1", "timestamp": written}}).at == at


@pytest.mark.parametrize(
    "log",
    [{}, {**LOG, "status": "PENDING"}, {**LOG, "notification": {}}, [1], "text", {**LOG, "status": None}],
    ids=["nothing", "an unknown status", "no message id", "a list", "a text", "no status"],
)
def test_a_log_that_cannot_be_read_is_counted_and_the_others_are_read(log: object) -> None:
    reported = parse_reported(event_of(LOG, log, LOG))
    assert (len(reported.receipts), reported.unreadable) == (2, 1)


def test_a_test_of_the_subscription_is_no_log() -> None:
    payload = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"timestamp": 0, "message": "CWL CONTROL MESSAGE"}]}
    data = base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()
    assert parse_reported({"awslogs": {"data": data}}) == ((), 0)


GOOD = gzip.compress(json.dumps({"messageType": "DATA_MESSAGE", "logEvents": []}).encode())


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"awslogs": {}},
        {"awslogs": {"data": "not base64!"}},
        {"awslogs": {"data": base64.b64encode(b"no gzip").decode()}},
        {"awslogs": {"data": base64.b64encode(GOOD[:-9]).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"{}")).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b" " * 70_000_000)).decode()}},
    ],
    ids=["nothing", "no data", "no base64", "no gzip", "cut off", "no logs", "larger than there is"],
)
def test_what_is_no_event_of_a_subscription_is_refused_without_quoting_it(event: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecordError, match=r"^no delivery logs"):
        parse_reported(event)


def test_a_receipt_that_waits_travels_without_the_number() -> None:
    later = LaterReceipt(ContactKey("C0001", NOW, "s1"), one(LOG))
    body = later_body(later)
    assert "886900000001" not in body
    assert parse_later(body) == LaterReceipt(later.key, one(changed(destination="")))
    with pytest.raises(UnreadableRecordError, match="no receipt: an unknown field"):
        parse_later(body[:-1] + ',"phone":"+886900000001"}')


def test_the_event_that_comes_with_the_project_holds_the_logs_seen_in_the_wild() -> None:
    event = json.loads((ROOT / "events" / "receipts_delivery_logs.json").read_text("utf-8"))
    payload = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    assert [json.loads(one["message"]) for one in payload["logEvents"]] == [sample["log"] for sample in SAMPLES]
    assert len(parse_reported(event).receipts) == len(SAMPLES)
