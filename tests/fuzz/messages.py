"""The messages of queues, topics and log subscriptions: each is worked off, parked with a reason, or comes again."""

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from dunning.contracts.channel_message import is_channel_message, parse_channel_message
from dunning.contracts.dead_letter import without_people
from dunning.contracts.delivery_log import A_NUMBER, parse_reported
from dunning.contracts.erasure_round import erasure_round_body
from dunning.contracts.file_part import FilePart, file_part_body, parse_file_part
from dunning.contracts.inbound_sms import parse_inbound
from dunning.contracts.job import job_body, parse_job
from dunning.contracts.lender_event import EVENTS
from dunning.contracts.replan_part import ReplanPart, parse_replan_part, replan_body
from dunning.contracts.waiting_receipt import WaitingReceipt, parse_waiting_receipt, waiting_receipt_body
from dunning.domain.delivery.receipt import DeliveryReceipt
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms
from dunning.ports.contacts import ContactKey
from dunning.ports.queues import Job
from dunning.ports.telemetry import LogEvent
from dunning.services.intake.intake import file_id
from tests.fuzz.desk import Desk, entry_of, queue_event, the_desk
from tests.fuzz.mutation import mutate_json, mutate_text
from tests.fuzz.parser import TAKEN, Parser
from tests.fuzz.planted import NAME, PHONE, WORDS, assert_named, found, found_besides_ids
from tests.local import ROOT
from tests.support.lender_files import CHEN, UPLOADED_AT, WANG, csv_of, row
from tests.support.office import event_body
from tests.support.people import NOW, someone
from tests.support.split_loads import KEY, SplitOffice

_GOOD_NUMBER = someone(2).phone


def _text(data: bytes) -> str:
    """Return an input as a queue delivers it, which takes whole characters only."""
    return data.decode("utf-8", "replace")


def _fresh() -> Desk:
    desk = the_desk()
    desk.reset()
    return desk


def _checked_batch(function: str, hostile: str, good: str) -> tuple[Desk, list[str], tuple[Any, ...]]:
    """Hand a message over beside a good one; return the desk, the messages that come again, and what was stored."""
    desk = _fresh()
    before = desk.stored()
    answer = desk.invoke(function, queue_event(hostile, good))
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert "m1" not in failed, "a message beside it failed"
    desk.assert_storable()
    return desk, failed, before


def _unreadable_by(read: Callable[[], object]) -> UnreadableRecordError | None:
    try:
        read()
    except UnreadableRecordError as error:
        return error
    return None


def _assert_refused(desk: Desk, hostile: str, error: UnreadableRecordError, *beginnings: str) -> str:
    """Check that a message was parked, once and as it was, with the reason of its reader, and nothing beside it."""
    assert desk.parking.parked == [hostile]
    assert desk.parking.reasons == [str(error)]
    assert_named(str(error), *beginnings)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return str(error)


# ------------------------------------------------------------------ jobs


def _check_job(data: bytes) -> str:
    hostile = _text(data)
    good = job_body(Job("C0002", NOW))
    desk, failed, _ = _checked_batch("sender", hostile, good)
    assert any(sms.address == _GOOD_NUMBER for sms in desk.carrier.published), "the job beside it was not done"
    assert sum(sms.address == PHONE for sms in desk.carrier.published) == 0, "texted within the cap of a day"
    error = _unreadable_by(lambda: parse_job(hostile))
    if error is not None:
        assert desk.store.standings["C0001"].version == 1
        reason = _assert_refused(desk, hostile, error, "not a job: ")
        assert found(desk.spoken(), reason) == []
        return reason
    assert desk.parking.parked == []
    assert failed == []
    job = parse_job(hostile)
    assert parse_job(job_body(job)) == job
    assert found_besides_ids(desk.spoken(), ids=[job.customer_id]) == []
    return TAKEN


def _jobs() -> Iterator[bytes]:
    yield job_body(Job("C0001", NOW)).encode()
    yield job_body(Job("C-unknown", NOW)).encode()
    yield from (record["body"].encode() for record in _sample("sender/jobs.json")["Records"])


# ------------------------------------------------------------------ events of the lender


def _check_lender_event(data: bytes) -> str:
    hostile = _text(data)
    good = event_body("CustomerHold", "C0002", NOW, 0, reason="hardship")
    desk, failed, before = _checked_batch("lender_events", hostile, good)
    about_good = desk.store.lender_records["C0002"]
    assert about_good.events or about_good.erased_at, "the event beside it was not done"
    parked = desk.parking.parked
    changed = {
        customer_id
        for customer_id in desk.store.lender_records.keys() | desk.store.standings.keys()
        if desk.store.lender_records.get(customer_id) != before[0].get(customer_id)
        or desk.store.standings.get(customer_id) != before[1].get(customer_id)
    } - {"C0002"}
    if parked:
        assert parked == [hostile]
        assert changed == set(), "changed by a message that was parked"
        (reason,) = desk.parking.reasons
        assert_named(reason, "not a lender's event: ")
        assert found(desk.spoken()) == []
        return reason
    assert failed == []
    assert len(changed) <= 1, "a message changed two customers"
    assert found_besides_ids(desk.spoken(), ids=_ids_in(hostile)) == []
    return TAKEN


def _ids_in(body: str) -> list[str]:
    """Return what a readable message names as ids."""
    detail = json.loads(body).get("detail", {})
    return [str(detail.get(name, "")) for name in ("customer_id", "account_id", "reply_id")]


def _lender_events() -> Iterator[bytes]:
    for kind, model in EVENTS.items():
        examples: Any = model.model_config["json_schema_extra"]
        for example in examples["examples"]:
            detail = {**example, "customer_id": "C0001", "at": NOW.isoformat()}
            yield json.dumps({"detail-type": kind, "source": "lender.core", "detail": detail}).encode()
    yield erasure_round_body("C0001", NOW).encode()
    yield json.dumps({"detail-type": "InstalmentPaid", "source": "x", "detail": {"name": WORDS, "to": PHONE}}).encode()
    for path in sorted((ROOT / "events" / "lender_events").glob("*.json")):
        yield from (record["body"].encode() for record in json.loads(path.read_text("utf-8"))["Records"])


# ------------------------------------------------------------------ replies


def _check_reply(data: bytes) -> str:
    hostile = _text(data)
    good_sms = {"originationNumber": _GOOD_NUMBER, "messageBody": "已繳", "inboundMessageId": "good"}
    desk, failed, before = _checked_batch("replies", hostile, json.dumps(good_sms))
    kept = list(desk.contacts.replies.values())
    assert any(reply.inbound.phone == _GOOD_NUMBER for reply in kept), "the reply beside it was not kept"
    assert failed == [], "a reply that comes again for ever"
    error = _unreadable_by(lambda: _inbound(hostile))
    if error is not None:
        assert desk.store.standings["C0001"] == before[1]["C0001"]
        reason = _assert_refused(desk, hostile, error, "not a reply: ", "no channel message: ")
        assert found(desk.spoken()) == []
        return reason
    sms = _inbound(hostile)
    assert any(reply.inbound == sms for reply in kept), "a reply is lost"
    assert desk.parking.parked == []
    ids = [sms.inbound_id, sms.in_reply_to]
    assert found_besides_ids(desk.spoken(), ids=ids) == []
    return TAKEN


def _inbound(body: str) -> InboundSms:
    return parse_channel_message(body) if is_channel_message(body) else parse_inbound(body, NOW)


def _replies() -> Iterator[bytes]:
    for path in sorted((ROOT / "events" / "replies").glob("*.json")):
        for record in json.loads(path.read_text("utf-8"))["Records"]:
            yield (record["body"] if "body" in record else json.dumps(record["Sns"])).encode()
    for text in (WORDS, "STOP", "STOP 5678", "下週五繳", "paid yesterday", "我會在12/5付 " * 20):
        sms = {
            "originationNumber": PHONE, "messageBody": text, "inboundMessageId": "r1",
            "previousPublishedMessageId": "message-1", "messageKeyword": "K", "destinationNumber": "+18005550100",
        }  # fmt: skip
        yield json.dumps(sms, ensure_ascii=False).encode()
        yield json.dumps({"Type": "Notification", "Message": json.dumps(sms), "Timestamp": NOW.isoformat()}).encode()


# ------------------------------------------------------------------ delivery receipts


def _check_delivery_log(data: bytes) -> str:
    """Read an input that is gzip as it is; what is not is packed as CloudWatch Logs does."""
    packed = data if data[:2] == b"\x1f\x8b" else gzip.compress(data, 1, mtime=0)
    event = {"awslogs": {"data": base64.b64encode(packed).decode()}}
    desk = _fresh()
    before = desk.stored()
    try:
        reported = parse_reported(event, NOW)
    except UnreadableRecordError as error:
        assert_named(str(error), "no delivery logs: ")
        refused = None
        try:
            desk.invoke("delivery_receipts", event)
        except UnreadableRecordError as left:
            refused = str(left)
        assert refused == str(error), "logs that nobody can read are taken for read"
        assert desk.stored() == before
        assert found(error, desk.spoken()) == []
        return str(error)
    for receipt in reported.receipts:
        assert not A_NUMBER.search(receipt.response), "a number in a carrier's words"
        assert receipt.response.encode() is not None
        assert 0 <= receipt.billed_price_usd_micros < 10**9
        assert 0 <= receipt.billed_parts < 100
        assert receipt.at.tzinfo is UTC
    assert desk.invoke("delivery_receipts", event) == {"batchItemFailures": []}
    desk.assert_storable()
    assert (reported.unreadable > 0) == bool(desk.telemetry.counts.get("ReceiptsUnreadable")), "uncounted"
    assert found_besides_ids(desk.spoken(), ids=[receipt.message_id for receipt in reported.receipts]) == []
    again = parse_reported(event, NOW)
    assert again == reported
    return TAKEN if reported.receipts or not reported.unreadable else "no log can be read"


def _delivery_logs() -> Iterator[bytes]:
    log = {
        "notification": {"messageId": "message-1", "timestamp": "2026-12-01 02:00:03.123"},
        "delivery": {
            "phoneCarrier": "carrier", "mnc": 1, "destination": PHONE, "priceInUSD": 0.04, "smsType": "Promotional",
            "mcc": 466, "providerResponse": f"Phone {PHONE} has blocked SMS", "dwellTimeMs": 99,
            "numberOfMessageParts": 2,
        },
        "status": "FAILURE",
    }  # fmt: skip
    events = [{"id": "1", "timestamp": int(NOW.timestamp() * 1000), "message": json.dumps(log)}]
    document = {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logEvents": events}
    yield json.dumps(document).encode()
    yield json.dumps({**document, "messageType": "CONTROL_MESSAGE"}).encode()
    yield gzip.compress(json.dumps(document).encode(), mtime=0)
    yield gzip.compress(json.dumps(document).encode(), mtime=0) * 2
    sample = _sample("delivery_receipts/delivery_logs.json")
    yield gzip.decompress(base64.b64decode(sample["awslogs"]["data"]))


def _mutate_log(data: bytes, chance: Random) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return mutate_json(data, chance)
    match chance.randrange(4):
        case 0:
            return data[: chance.randrange(len(data) + 1)]
        case 1:
            return data + gzip.compress(b"[]", mtime=0)
        case 2:
            return gzip.compress(data, mtime=0)
        case _:
            at = chance.randrange(len(data))
            return data[:at] + chance.randbytes(1) + data[at + 1 :]


def _check_waiting_receipt(data: bytes) -> str:
    hostile = _text(data)
    desk = _fresh()
    before = desk.stored()
    answer = desk.invoke("delivery_receipts", queue_event(hostile, waiting_receipt_body(_waiting(desk))))
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert "m1" not in failed, "a receipt beside it failed"
    desk.assert_storable()
    error = _unreadable_by(lambda: parse_waiting_receipt(hostile))
    if error is not None:
        assert failed == ["m0"], "a receipt that cannot be read does not come again, and never ends as a dead letter"
        assert_named(str(error), "no receipt: ")
        assert desk.store.lender_records == before[0]
        assert found(error, desk.spoken()) == []
        return str(error)
    read = parse_waiting_receipt(hostile)
    assert parse_waiting_receipt(waiting_receipt_body(read)) == read
    assert failed == []
    ids = [read.key.customer_id, read.key.send_id, read.report.message_id]
    assert found_besides_ids(desk.spoken(), ids=ids) == []
    return TAKEN


def _waiting(desk: Desk) -> WaitingReceipt:
    entry = entry_of(desk)
    receipt = DeliveryReceipt(
        message_id="message-1", at=NOW + timedelta(seconds=3), phone="", delivered=True, response="ok",
        billed_parts=1, billed_price_usd_micros=41_700,
    )  # fmt: skip
    return WaitingReceipt(ContactKey("C0001", entry.at, entry.send_id), receipt)


def _waiting_receipts() -> Iterator[bytes]:
    yield waiting_receipt_body(_waiting(_fresh())).encode()
    sample = _sample("delivery_receipts/waiting_receipts.json")
    yield from (record["body"].encode() for record in sample["Records"])


# ------------------------------------------------------------------ parts of a replan, dead letters


def _check_replan_part(data: bytes) -> str:
    hostile = _text(data)
    desk = _fresh()
    before = desk.stored()
    good = replan_body(ReplanPart(0, 1, ""))
    answer = desk.invoke("replan", queue_event(hostile, good))
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert "m1" not in failed, "a part beside it failed"
    error = _unreadable_by(lambda: parse_replan_part(hostile))
    assert (failed == ["m0"]) == (error is not None)
    assert desk.store.lender_records == before[0]
    desk.assert_storable()
    assert found(desk.spoken(), error) == []
    if error is not None:
        assert_named(str(error), "not a part of the table: ")
        return str(error)
    part = parse_replan_part(hostile)
    assert 0 <= part.segment < part.segments
    assert parse_replan_part(replan_body(part)) == part
    return TAKEN


def _replan_parts() -> Iterator[bytes]:
    yield replan_body(ReplanPart(0, 4, "")).encode()
    yield replan_body(ReplanPart(3, 4, "C0001")).encode()


def _check_file_part(data: bytes) -> str:
    """A message among those of a file in parts does a step of the file or nothing, and the load ends as without it."""
    hostile = _text(data)
    office, whole = _file_in_parts(_PARTS), _file_in_parts(1)
    before = dict(office.store.lender_records)
    is_done = office.deliver(hostile)
    assert found(office.telemetry.events) == []
    error = _unreadable_by(lambda: parse_file_part(hostile))
    if error is not None or not is_done:
        assert not is_done, "a message that nobody can read is taken for done"
        assert office.store.lender_records == before, "half a step"
        assert office.telemetry.events[-1][0] == LogEvent.FILE_PART_FAILED
    office.drain()
    assert office.outcome() == whole.outcome()
    if error is not None:
        assert_named(str(error), "not a part of a file: ")
        assert found(error) == []
        return str(error)
    step = parse_file_part(hostile)
    assert parse_file_part(file_part_body(step)) == step
    return TAKEN if is_done else "of no part that there is"


_PARTS = 3


def _file_in_parts(parts: int) -> SplitOffice:
    office = SplitOffice(parts)
    office.upload(csv_of([row(WANG, name=NAME), row(CHEN)]))
    return office


def _file_parts() -> Iterator[bytes]:
    split_id = file_id(KEY, UPLOADED_AT)
    for part in (*range(_PARTS), None):
        yield file_part_body(FilePart(split_id, part)).encode()
    yield file_part_body(FilePart(split_id, _PARTS)).encode()
    yield from (record["body"].encode() for record in _sample("intake/file_parts.json")["Records"])


def _check_dead_letter(data: bytes) -> str:
    """An erasure finds a person's number in whatever lies among the dead letters, and touches nobody else's."""
    body = _text(data)
    left = without_people(body, [PHONE], ["C0001"])
    assert without_people(left, [PHONE], ["C0001"]) == left if left else True
    assert f'"{PHONE}"' not in left or '"messageBody"' in left, "the number of somebody erased is left"
    assert without_people(body, [], []) in {body, ""} or "awslogs" in body
    return TAKEN if left == body else "without the person"


def _dead_letters() -> Iterator[bytes]:
    yield from _jobs()
    yield from _replies()
    yield json.dumps({"requestPayload": _sample("delivery_receipts/delivery_logs.json")}).encode()
    yield json.dumps({"customer_id": "C0001", "at": str(datetime(2026, 12, 1, tzinfo=UTC))}).encode()


def _sample(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((ROOT / "events" / name).read_text("utf-8"))


def _mutate_message(data: bytes, chance: Random) -> bytes:
    return mutate_json(data, chance) if chance.randrange(8) else mutate_text(data, chance)


def message_parsers() -> Iterable[Parser]:
    """Return the parsers of messages."""
    return (
        Parser("job", _check_job, _jobs, _mutate_message),
        Parser("lender_event", _check_lender_event, _lender_events, _mutate_message),
        Parser("reply", _check_reply, _replies, _mutate_message),
        Parser("delivery_log", _check_delivery_log, _delivery_logs, _mutate_log),
        Parser("waiting_receipt", _check_waiting_receipt, _waiting_receipts, _mutate_message),
        Parser("replan_part", _check_replan_part, _replan_parts, _mutate_message),
        Parser("file_part", _check_file_part, _file_parts, _mutate_message),
        Parser("dead_letter", _check_dead_letter, _dead_letters, _mutate_message),
    )
