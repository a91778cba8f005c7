"""Hostile messages: nesting, numbers, moments and characters that no honest sender writes, and bombs of compression."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from dunning.contracts.delivery_log import parse_reported
from dunning.contracts.inbound_sms import parse_inbound
from dunning.contracts.job import parse_job
from dunning.contracts.lender_event import parse_lender_event
from dunning.contracts.replan_part import parse_replan_part
from dunning.contracts.waiting_receipt import parse_waiting_receipt
from dunning.domain.errors import UnreadableRecordError
from tests.support.peak_memory import needs_proc, run_alone
from tests.support.people import NOW

JOB = {"schema_version": 1, "customer_id": "C1", "wake_at": "2026-12-01T02:00:00Z"}
PART = {"schema_version": 1, "segment": 0, "segments": 2, "after": ""}
RECEIPT = {
    "schema_version": 1, "customer_id": "C1", "contact_at": "2026-12-01T02:00:00.123456Z", "send_id": "s1",
    "message_id": "m1", "at": "2026-12-01T02:00:03Z", "delivered": True, "response": "ok", "billed_parts": 1,
    "billed_price_usd_micros": 41_700,
}  # fmt: skip
PAID = {
    "schema_version": 1, "customer_id": "C1", "at": "2026-12-01T02:00:00Z", "account_id": "A1", "instalment_no": 1,
    "paid": 100, "currency": "TWD",
}  # fmt: skip
SMS = {"originationNumber": "+886900000001", "messageBody": "STOP", "inboundMessageId": "r1"}
LOG = {"notification": {"messageId": "m1"}, "delivery": {"destination": "+886900000001"}, "status": "SUCCESS"}


def _around(detail: str) -> str:
    return f'{{"detail-type": "InstalmentPaid", "source": "lender.core", "detail": {detail}}}'


def _event(detail: object) -> str:
    return _around(json.dumps(detail))


def _logs(payload: bytes) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(payload).decode()}}


def _document(*messages: str) -> bytes:
    return json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"message": text} for text in messages]}).encode()


READERS: dict[str, tuple[dict[str, Any], Callable[[str], object]]] = {
    "job": (JOB, parse_job),
    "part of a replan": (PART, parse_replan_part),
    "waiting receipt": (RECEIPT, parse_waiting_receipt),
    "lender's event": (PAID, lambda body: parse_lender_event(_around(body), NOW)),
}
MOMENTS = ("wake_at", "contact_at", "at")
COUNTS = ("segment", "segments", "billed_parts", "billed_price_usd_micros", "instalment_no", "paid")


@pytest.mark.parametrize("kind", READERS)
def test_the_sample_of_each_message_is_read(kind: str) -> None:
    fields, read = READERS[kind]
    assert read(json.dumps(fields))


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, (fields, _) in READERS.items() for field in MOMENTS if field in fields]
)
@pytest.mark.parametrize(
    "moment",
    ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1999-12-31T23:59:59Z", 17, 1e300, True, None, ""],
)
def test_a_moment_that_cannot_be_is_refused_by_its_field(kind: str, field: str, moment: object) -> None:
    fields, read = READERS[kind]
    with pytest.raises(UnreadableRecordError, match=rf"^not? .*: (detail\.)?{field}$"):
        read(json.dumps({**fields, field: moment}))


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, (fields, _) in READERS.items() for field in COUNTS if field in fields]
)
@pytest.mark.parametrize("number", [True, 1.5, 1e308, "1", 10**30, 2**63, -(2**63), float("nan"), float("inf"), [], -1])
def test_a_flag_a_fraction_and_a_number_beyond_reason_are_no_count(kind: str, field: str, number: object) -> None:
    fields, read = READERS[kind]
    with pytest.raises(UnreadableRecordError, match=r"(detail\.)?" + field):
        read(json.dumps({**fields, field: number}))


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("written", ["[" * 100_000, "9" * 5_000, '{"a":' * 5_000, "NaN", "1e400", '"\\ud800"', ""])
def test_what_is_too_deep_too_long_or_half_a_character_is_refused(kind: str, written: str) -> None:
    fields, read = READERS[kind]
    body = json.dumps(fields)
    beside = body[:-1] + f', "x": {written}}}'
    for hostile in (written, beside, body.replace('_version": 1', f'_version": {written}')):
        with pytest.raises(UnreadableRecordError):
            read(hostile)


def test_the_last_of_two_fields_with_one_name_counts_as_everywhere_in_json() -> None:
    twice = _event(PAID).replace('"paid": 100', '"paid": 1, "paid": 100')
    assert parse_lender_event(twice, NOW) == parse_lender_event(_event(PAID), NOW)


@pytest.mark.parametrize("sequence", [-1, 2**53, 2**63, 10**4299, 1.0, True, "1"])
def test_a_sequence_is_a_whole_number_that_every_system_holds(sequence: object) -> None:
    with pytest.raises(UnreadableRecordError, match=r"detail\.sequence|body"):
        parse_lender_event(_event({**PAID, "sequence": sequence}), NOW)


# ------------------------------------------------------------------ replies


@pytest.mark.parametrize("reference", ["\ud800", "\x00", "a b", "長", "x" * 257, "", 7, ["m1"], None])
def test_a_reference_to_our_text_that_is_none_is_left_out_and_the_reply_is_read(reference: object) -> None:
    sms = parse_inbound(json.dumps({**SMS, "previousPublishedMessageId": reference}), NOW)
    assert (sms.text, sms.in_reply_to) == ("STOP", "")


def test_a_reference_to_our_text_is_kept() -> None:
    written = "00000000-0000-5000-8000-000000000001"
    assert parse_inbound(json.dumps({**SMS, "previousPublishedMessageId": written}), NOW).in_reply_to == written


def test_no_field_beside_a_reply_however_deep_loses_it() -> None:
    del_id = {name: value for name, value in SMS.items() if name != "inboundMessageId"}
    for deep in (100, 5_000):
        body = json.dumps(del_id)[:-1] + f', "x": {"[" * deep}{"]" * deep}}}'
        assert parse_inbound(body, NOW).text == "STOP"


# ------------------------------------------------------------------ compressed bombs


def test_logs_packed_in_several_members_are_refused_because_the_others_would_be_lost() -> None:
    packed = gzip.compress(_document(json.dumps(LOG)))
    assert len(parse_reported(_logs(packed), NOW).receipts) == 1
    for behind in (packed, gzip.compress(b""), b"\x00", b"x"):
        with pytest.raises(UnreadableRecordError, match=r"^no delivery logs: more than one member"):
            parse_reported(_logs(packed + behind), NOW)


def test_logs_that_are_cut_off_or_packed_twice_are_refused() -> None:
    packed = gzip.compress(_document(json.dumps(LOG)))
    for hostile in (packed[:-1], packed[:20], packed[:1], b"", gzip.compress(packed), packed[2:]):
        with pytest.raises(UnreadableRecordError, match=r"^no delivery logs: "):
            parse_reported(_logs(hostile), NOW)


_READ_ALONE = """
import sys
from datetime import datetime, UTC
from dunning.contracts.delivery_log import parse_reported
from dunning.domain.errors import UnreadableRecordError
from tests.support.peak_memory import peak_mb
data = sys.stdin.read()
before = peak_mb()
try:
    print(parse_reported({"awslogs": {"data": data}}, datetime(2026, 12, 1, tzinfo=UTC)).unreadable, end=" ")
except UnreadableRecordError as error:
    print(error, end=" ")
print("|", peak_mb() - before)
"""

BOMBS = {
    "zeros, 1 to 1,000": lambda: bytes(1 << 30),
    "flat numbers": lambda: b'{"messageType":"DATA_MESSAGE","logEvents":[' + b"1," * 8_000_000 + b"1]}",
    "empty objects": lambda: b'{"messageType":"DATA_MESSAGE","logEvents":[' + b"{}," * 5_000_000 + b"{}]}",
    "empty arrays": lambda: b'{"messageType":"DATA_MESSAGE","logEvents":[' + b"[]," * 5_000_000 + b"[]]}",
    "arrays in arrays": lambda: b'{"messageType":"DATA_MESSAGE","logEvents":' + b"[" * 8_000_000,
    "as many objects as are let through": lambda: (
        b'{"messageType":"DATA_MESSAGE","logEvents":[' + b"{}," * 499_000 + b"{}]}"
    ),
    "empty logs": lambda: _document(*[""] * 49_000),
    "texts": lambda: b'{"messageType":"DATA_MESSAGE","logEvents":["' + b"a" * 16_000_000 + b'"]}',
}
MOST_MB = 160
"""Of a function that has 512 MB, of which Python and its libraries take 90."""


@needs_proc
@pytest.mark.slow(reason="packs up to a gigabyte, and unpacks it in a process whose memory is measured")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_of_compression_takes_no_more_memory_than_the_function_has(bomb: str) -> None:
    packed = base64.b64encode(gzip.compress(BOMBS[bomb](), 1)).decode()
    outcome, _, grown = run_alone(_READ_ALONE, packed).rpartition("|")
    assert outcome.startswith("no delivery logs: ") or outcome.strip() in {"1", "49000", "499001"}
    assert int(grown) <= MOST_MB, f"{bomb}: {grown} MB"
