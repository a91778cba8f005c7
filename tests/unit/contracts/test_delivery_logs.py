"""Delivery logs as CloudWatch Logs hands them over: whatever can be used is, and nothing spoils the rest."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dunning.contracts.delivery_log import parse_reported
from dunning.contracts.waiting_receipt import WaitingReceipt, parse_waiting_receipt, waiting_receipt_body
from dunning.domain.delivery.receipt import DeliveryReceipt
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.contacts import ContactKey
from tests.local import ROOT
from tests.local.events import logs_subscription
from tests.support.people import NOW
from tests.support.vectors import read_vectors

SAMPLES: list[dict[str, Any]] = read_vectors("delivery_logs")["samples"]
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
SENT_AT = datetime(2026, 12, 1, 2, 0, 3, 123000, UTC)
RECEIVED_AT = NOW + timedelta(minutes=1)


def event_of(*logs: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a log is
    events = [{"timestamp": int(NOW.timestamp() * 1000), "message": json.dumps(log)} for log in logs]
    return packed({"messageType": "DATA_MESSAGE", "logEvents": events})


def packed(payload: object) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}


def the_receipt(log: Any) -> DeliveryReceipt:  # noqa: ANN401 - whatever a log is
    (receipt,) = parse_reported(event_of(log), RECEIVED_AT).receipts
    return receipt


def changed(**delivery: object) -> dict[str, Any]:
    return {**LOG, "delivery": {**LOG["delivery"], **delivery}}  # type: ignore[dict-item]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["id"]))
def test_logs_seen_in_the_wild_are_read(sample: dict[str, Any]) -> None:
    receipt = the_receipt(sample["log"])
    assert receipt.delivered is (sample["expected_outcome"] == "delivered")
    assert receipt.message_id == sample["log"]["notification"]["messageId"]
    assert receipt.response == sample["log"]["delivery"]["providerResponse"]
    assert receipt.at.tzinfo is UTC
    assert receipt.at.replace(tzinfo=None) == datetime.fromisoformat(
        sample["log"]["notification"]["timestamp"].removesuffix("Z")
    )


def test_everything_a_log_says_is_taken() -> None:
    assert the_receipt(LOG) == DeliveryReceipt(
        message_id="m1",
        at=SENT_AT,
        phone="+886900000001",
        delivered=True,
        response="Message has been accepted by phone",
        billed_parts=1,
        billed_price_usd_micros=41_700,
    )


@pytest.mark.parametrize(
    ("price", "micros"),
    [
        (0.00645, 6450),
        ("0.00881", 8810),
        (1, 1_000_000),
        (0.0000014, 1),
        ("", 0),
        (None, 0),
        ("n/a", 0),
        (-1, 0),
        ("NaN", 0),
        ("sNaN", 0),
        (float("inf"), 0),
        ("1e999999", 0),
        ("1e9999999999999999999", 0),
        (10**400, 0),
        ([], 0),
        ({"USD": 1}, 0),
    ],
)
def test_prices_come_as_numbers_and_as_text(price: object, micros: int) -> None:
    assert the_receipt(changed(priceInUSD=price)).billed_price_usd_micros == micros


@pytest.mark.parametrize(
    "destination",
    [
        None,
        886900000001,
        [],
        "+1XXX5550100",
        "",
        "886900000001",
        "+",
        "+88690000000１",
        "+0900000001",
        "+886900000001\n",
    ],
)
def test_a_number_that_is_not_whole_is_none_and_the_rest_counts(destination: object) -> None:
    receipt = the_receipt(changed(destination=destination))
    assert (receipt.phone, receipt.message_id) == ("", "m1")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2016-06-28 00:40:34.558", datetime(2016, 6, 28, 0, 40, 34, 558000, UTC)),
        ("2022-03-08 19:09:37.3", datetime(2022, 3, 8, 19, 9, 37, 300000, UTC)),
        ("2024-01-01T14:00:00Z", datetime(2024, 1, 1, 14, tzinfo=UTC)),
        ("2025-01-01T00:00:00", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2026-12-01T10:00:03+08:00", datetime(2026, 12, 1, 2, 0, 3, tzinfo=UTC)),
        ("2026-12-01 02:00:03.1234567", datetime(2026, 12, 1, 2, 0, 3, 123456, UTC)),
        ("yesterday", NOW),
        ("", NOW),
        (None, NOW),
        (1_764_554_403, NOW),
        ("0001-01-01T00:00:00+23:00", NOW),
        ("2026-12-32 00:00:00", NOW),
        ("0026-12-01 02:00:03", NOW),
        ("9999-12-31 00:00:00", NOW),
    ],
)
def test_moments_are_utc_and_without_one_the_log_events_own_counts(written: object, at: datetime) -> None:
    assert the_receipt({**LOG, "notification": {"messageId": "m1", "timestamp": written}}).at == at


@pytest.mark.parametrize("damaged", [None, "yesterday", -1, 10**20, 1.5, True, [], "absent"])
def test_a_log_whose_times_are_damaged_is_of_the_time_at_which_it_came(damaged: object) -> None:
    log = {**LOG, "notification": {"messageId": "m1", "timestamp": "damaged"}}
    event = {"timestamp": damaged, "message": json.dumps(log)}
    if damaged == "absent":
        del event["timestamp"]
    whole = {"timestamp": int(NOW.timestamp() * 1000), "message": json.dumps(LOG)}
    reported = parse_reported(packed({"messageType": "DATA_MESSAGE", "logEvents": [event, whole]}), RECEIVED_AT)
    assert [receipt.at for receipt in reported.receipts] == [RECEIVED_AT, SENT_AT]


@pytest.mark.parametrize("event", [None, "text", [], {}, {"timestamp": 0}, {"timestamp": 0, "message": None}])
def test_an_event_that_holds_no_log_is_counted_and_the_others_are_read(event: object) -> None:
    whole = {"timestamp": 0, "message": json.dumps(LOG)}
    reported = parse_reported(packed({"messageType": "DATA_MESSAGE", "logEvents": [event, whole]}), RECEIVED_AT)
    assert (len(reported.receipts), reported.unreadable) == (1, 1)


@pytest.mark.parametrize(
    "log",
    [
        {},
        {**LOG, "status": "PENDING"},
        {**LOG, "notification": {}},
        [1],
        "text",
        {**LOG, "status": None},
        {**LOG, "notification": {"messageId": "m\ud800"}},
        {**LOG, "notification": {"messageId": "m" * 257}},
        {**LOG, "notification": {"messageId": "王小明"}},
    ],
    ids=[
        "nothing",
        "an unknown status",
        "no message id",
        "a list",
        "a text",
        "no status",
        "half a character",
        "too long",
        "no id",
    ],
)
def test_a_log_that_cannot_be_read_is_counted_and_the_others_are_read(log: object) -> None:
    reported = parse_reported(event_of(LOG, log, LOG), RECEIVED_AT)
    assert (len(reported.receipts), reported.unreadable) == (2, 1)


@pytest.mark.parametrize("message", ["", "{", "[" * 100_000, "Infinity", '{"status": "SUCCESS"'])
def test_what_is_no_json_is_counted_and_the_others_are_read(message: str) -> None:
    payload = {
        "messageType": "DATA_MESSAGE",
        "logEvents": [{"timestamp": 0, "message": text} for text in (message, json.dumps(LOG))],
    }
    reported = parse_reported(packed(payload), RECEIVED_AT)
    assert (len(reported.receipts), reported.unreadable) == (1, 1)


@pytest.mark.parametrize(
    "delivery",
    [
        None,
        "text",
        {},
        {"destination": None, "providerResponse": None, "priceInUSD": None, "numberOfMessageParts": None},
        {"destination": 1, "providerResponse": 1, "priceInUSD": [1], "numberOfMessageParts": "many"},
        {"numberOfMessageParts": -1},
        {"numberOfMessageParts": 100},
        {"numberOfMessageParts": 1.5},
        {"numberOfMessageParts": True},
        {"numberOfMessageParts": "9" * 5000},
    ],
)
def test_a_log_with_a_missing_or_odd_field_is_read_without_it(delivery: object) -> None:
    assert the_receipt({**LOG, "delivery": delivery}) == DeliveryReceipt(
        message_id="m1", at=SENT_AT, phone="", delivered=True, response=""
    )


def test_a_log_without_a_delivery_still_says_what_became_of_the_message() -> None:
    assert the_receipt({"notification": {"messageId": "m1"}, "status": "FAILURE"}) == DeliveryReceipt(
        message_id="m1", at=NOW, phone="", delivered=False, response=""
    )


def test_parts_come_as_numbers_and_as_text() -> None:
    assert [the_receipt(changed(numberOfMessageParts=parts)).billed_parts for parts in (2, "3", 0)] == [2, 3, 0]


@pytest.mark.parametrize("status", ["SUCCESS", "success", "DELIVERED", "FAILURE", "Failed"])
def test_statuses_are_read_in_any_case(status: str) -> None:
    assert the_receipt({**LOG, "status": status}).delivered is (status.upper() in {"SUCCESS", "DELIVERED"})


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Phone number is opted out", "Phone number is opted out"),
        ("No route to +886900000001 (error 30007)", "No route to … (error 30007)"),
        ("no route to 886 900-000 001.", "no route to …."),
        ("call 0912.345.678", "call …"),
        ("(0912) 345 678 is off", "… is off"),
        ("(0912)345-678", "…"),
        ("0912/345/678, 0912_345_678", "…"),
        ("0912\u00a0345\u2011678", "…"),
        ("+886 (0)912 345 678", "…"),
        ("０９１２３４５６７８", "…"),
        ("error 30007, try 3 of 5", "error 30007, try 3 of 5"),
        ("half \ud83d", "half ?"),
        ("x" * 5000, "x" * 1000),
    ],
)
def test_carriers_may_write_what_they_like_but_no_number_is_kept(words: str, kept: str) -> None:
    assert the_receipt(changed(providerResponse=words)).response == kept


def test_a_test_of_the_subscription_is_no_log() -> None:
    payload = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"timestamp": 0, "message": "CWL CONTROL MESSAGE"}]}
    assert parse_reported(packed(payload), RECEIVED_AT) == ((), 0)


GOOD = gzip.compress(json.dumps({"messageType": "DATA_MESSAGE", "logEvents": []}).encode())


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"awslogs": {}},
        {"awslogs": []},
        {"awslogs": {"data": 1}},
        {"awslogs": {"data": "王小明"}},
        {"awslogs": {"data": "not base64!"}},
        {"awslogs": {"data": base64.b64encode(b"no gzip").decode()}},
        {"awslogs": {"data": base64.b64encode(GOOD[:-9]).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"{}")).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b" " * 70_000_000)).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"\xff")).decode()}},
        packed({"messageType": "DATA_MESSAGE", "logEvents": {"timestamp": -1, "message": "王小明"}}),
        packed({"messageType": "王小明", "logEvents": []}),
        packed({"messageType": "DATA_MESSAGE", "logEvents": [{"timestamp": 0, "message": ""}] * 60_000}),
    ],
    ids=[
        "nothing",
        "no data",
        "a list",
        "a number",
        "no ASCII",
        "no base64",
        "no gzip",
        "cut off",
        "no logs",
        "larger than there is",
        "no UTF-8",
        "no list",
        "of no kind",
        "more logs than there are",
    ],
)
def test_what_is_no_event_of_a_subscription_is_refused_without_quoting_it(event: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecordError, match=r"^no delivery logs") as caught:
        parse_reported(event, RECEIVED_AT)
    assert caught.value.__cause__ is None
    assert "王小明" not in str(caught.value)


def test_a_receipt_that_waits_travels_without_the_number() -> None:
    later = WaitingReceipt(ContactKey("C0001", NOW, "s1"), the_receipt(LOG))
    body = waiting_receipt_body(later)
    assert "886900000001" not in body
    assert parse_waiting_receipt(body) == WaitingReceipt(later.key, the_receipt(changed(destination="")))
    assert "886" not in waiting_receipt_body(
        WaitingReceipt(later.key, the_receipt(changed(providerResponse="to +886900000001")))
    )
    with pytest.raises(UnreadableRecordError, match="no receipt: an unknown field"):
        parse_waiting_receipt(body[:-1] + ',"phone":"+886900000001"}')


def contents(event: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    return payload


def test_the_event_that_comes_with_the_project_holds_the_logs_seen_in_the_wild() -> None:
    event = json.loads((ROOT / "events" / "delivery_receipts/delivery_logs.json").read_text("utf-8"))
    payload = contents(event)
    at = datetime.fromtimestamp(payload["logEvents"][0]["timestamp"] / 1000, UTC)
    built = logs_subscription(
        [sample["log"] for sample in SAMPLES], at=at, region="ap-northeast-1", account="123456789012"
    )
    assert payload | {"logStream": ""} == contents(built) | {"logStream": ""}
    assert len(parse_reported(event, RECEIVED_AT).receipts) == len(SAMPLES)


def test_the_receipts_that_wait_in_the_project_s_event_are_ours() -> None:
    event = json.loads((ROOT / "events" / "delivery_receipts/waiting_receipts.json").read_text("utf-8"))
    bodies = [record["body"] for record in event["Records"]]
    assert [waiting_receipt_body(parse_waiting_receipt(body)) for body in bodies] == bodies
    assert "+886" not in json.dumps(event)
