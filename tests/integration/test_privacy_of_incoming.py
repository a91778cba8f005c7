"""
Every handler of incoming messages is driven, failures included; then logs, metrics, events and errors are searched.

Replies, poison and delivery logs hold personal data by nature: the queue of replies and the dead letters keep them as
they came. What we put on a queue of our own is ids and codes.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from dunning.domain.customer.facts import Facts
from dunning.services import carrier_opt_outs, delivery_receipts, lender_events, replies
from dunning.services import replan as replanning
from tests.integration.conftest import House, batch, event_file
from tests.local.cloud import LenderEvent
from tests.support.aws_requests import error, first, no_answer
from tests.support.builders import IN_THE_UNITED_STATES, a_customer
from tests.support.people import NOW, someone
from tests.support.personal_data import found_in, logged_and_published, patterns

pytestmark = pytest.mark.slow(reason="each lets every call of a function fail, and reads all that came out")

NOON = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
PHONE = "+886955123987"
US_PHONE = "+12025550147"
NAME = "司馬相如"
TEXT = "我是司馬相如，電話0955-123-987，帳號7777-2468-1357，有爭議"
WHO = patterns([NAME, "有爭議"], [PHONE, US_PHONE, "7777-2468-1357"], ["示範分期"])
QUOTING = f"{NAME} {PHONE} {TEXT}"


class Desk:
    """A stack with somebody who is easy to recognise, and the errors that came out of its handlers."""

    def __init__(self, house: House) -> None:
        self.house, self.cloud = house, house.cloud
        self.errors: list[str] = []
        self.replies = 0
        self.people = [replace(someone(number), name=NAME, phone=PHONE) for number in (1, 2)]
        american = a_customer(
            **IN_THE_UNITED_STATES
            | {
                "customer_id": "C0003",
                "name": NAME,
                "phone": US_PHONE,
                "time_zone": "America/New_York",
                "region": "NY",
                "as_of": NOW,
            }
        )
        house.add(*self.people, american)
        for person in (*self.people, american):
            house.store.add_address(person.phone, person.customer_id)

    @contextmanager
    def failing(self, operation: str, *, always: bool = False) -> Iterator[None]:
        """Let an operation fail in AWS's own words, which quote the request."""
        answer = error("ValidationException", 400, QUOTING)
        self.house.requests.answer(operation, answer if always else first(answer))
        with self.kept():
            yield
        self.house.requests.let_all_through()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what a handler raises, with all that it came from."""
        try:
            yield
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is looked at
            link: BaseException | None = raised
            while link is not None:
                self.errors.append(f"{type(link).__name__} {link} {link!r}")
                link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)

    def invoke(self, function: str, event: dict[str, Any]) -> None:
        with self.kept():
            self.cloud.invoke(self.cloud.stack.functions[function], event)

    def says(self, kind: str, **detail: object) -> None:
        body = {"schema_version": 1, "customer_id": "C0001", "at": NOW.isoformat(), **detail}
        with self.kept():
            self.cloud.lender_says(LenderEvent(kind, body))

    def reply(self, text: str, phone: str = PHONE) -> None:
        self.replies += 1
        sms = {"originationNumber": phone, "messageBody": text, "inboundMessageId": f"in-{self.replies}"}
        with self.kept():
            self.cloud.reply(sms)

    def report(self, response: str, *, destination: str = PHONE, **more: object) -> None:
        log = {
            "notification": {"messageId": "m1", "timestamp": "2026-12-01 02:00:00.000"},
            "delivery": {"destination": destination, "providerResponse": response},
            "status": "FAILURE" if response else "SUCCESS",
        }
        with self.kept():
            self.cloud.deliveries_logged([log | more])


def _quoting(*args: object, **more: object) -> Any:  # noqa: ANN401 - in place of anything
    raise ValueError(f"{QUOTING} {args} {more}")


def _damage(house: House, facts: Facts) -> None:
    boto3.client("dynamodb").update_item(
        TableName=house.cloud.stack.customers_table,
        Key={"customer_id": {"S": facts.customer_id}, "item": {"S": "facts"}},
        UpdateExpression="SET accounts = :broken",
        ExpressionAttributeValues={":broken": {"S": json.dumps([{"account_id": QUOTING}])}},
    )


def lender_events_meet_everything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    paid: dict[str, object] = {"account_id": "A0001-0", "instalment_no": 1, "paid": 5, "currency": "TWD"}
    desk.says("InstalmentPaid", **paid)
    desk.says("InstalmentPaid", **paid | {"account_id": "A-of-nobody"})
    desk.says("InstalmentPaid", **paid | {"currency": NAME, NAME: PHONE})
    desk.says("CustomerHold", reason=TEXT)
    desk.says(NAME, name=NAME)
    desk.says("AccountClosed", customer_id=PHONE, account_id=NAME)
    desk.invoke(
        "lender_events", batch(QUOTING, json.dumps({NAME: PHONE}), json.dumps({"detail-type": NAME, "detail": {}}))
    )
    with desk.failing("sqs.SendMessage"):
        desk.invoke("lender_events", batch(QUOTING))
    held = event_file("lender_events/customer_hold.json")
    for operation in ("dynamodb.PutItem", "dynamodb.BatchGetItem", "eventbridge.PutEvents"):
        with desk.failing(operation, always=True):
            desk.invoke("lender_events", held)
    with monkeypatch.context() as patched:
        patched.setattr(lender_events, "replan_as_told", _quoting)
        desk.says("CustomerReleased")
    _damage(desk.house, desk.people[1])
    desk.says("CustomerReleased", customer_id="C0002")
    with desk.failing("dynamodb.Query"):
        desk.says("CustomerErased", customer_id="C0002")
    desk.says("CustomerErased", customer_id="C0002")
    timeout = ReadTimeoutError(endpoint_url=f"https://s3/?prefix={QUOTING}")
    desk.house.requests.answer("s3.ListObjectVersions", no_answer(timeout))
    desk.invoke("lender_events", batch('{"schema_version":1,"task":"erase_again","customer_id":"C0002"}'))
    desk.house.requests.let_all_through()


def replies_meet_everything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (TEXT, f"{NAME} {PHONE}", "已繳", "12/4繳", "START"):
        desk.reply(text)
    desk.reply(TEXT, "+886911000000")
    desk.invoke("replies", batch(QUOTING, json.dumps({"originationNumber": NAME, "messageBody": TEXT, NAME: PHONE})))
    with desk.failing("sqs.SendMessage"):
        desk.invoke("replies", batch(QUOTING))
    for operation in ("dynamodb.PutItem", "dynamodb.BatchGetItem", "dynamodb.Query", "eventbridge.PutEvents"):
        with desk.failing(operation, always=True):
            desk.reply(f"{TEXT} {operation}")
    with desk.failing("sns.OptInPhoneNumber"):
        desk.reply("STOP")
        desk.cloud.clock.move_to(desk.cloud.clock.now() + timedelta(minutes=1))
        desk.reply("START")
    with monkeypatch.context() as patched:
        patched.setattr(replies, "apply_reply", _quoting)
        desk.reply(f"{TEXT}！")
        desk.invoke("replies", event_file("replies/topic.json"))
        whole = json.dumps({"originationNumber": PHONE, "messageBody": TEXT, "inboundMessageId": "last"})
        desk.invoke("replies", batch(whole, receives=9))
    _damage(desk.house, desk.people[0])
    desk.reply(f"{TEXT}？")
    desk.cloud.clock.move_to(NOON)
    with desk.failing("sns.Publish", always=True):
        desk.invoke("replies", _from_america("us-1"))


def _from_america(inbound_id: str) -> dict[str, Any]:
    """Build a reply that the topic hands over at noon in New York, where an opt-out is confirmed by a text."""
    sms = {"originationNumber": US_PHONE, "messageBody": "STOP", "inboundMessageId": inbound_id}
    event = event_file("replies/topic.json")
    event["Records"][0]["Sns"] |= {"Message": json.dumps(sms), "Timestamp": NOON.isoformat()}
    return event


def delivery_receipts_meet_everything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.cloud.tick()
    desk.cloud.drain()
    sent = {"messageId": desk.cloud.outbox[0].message_id, "timestamp": NOW.strftime("%Y-%m-%d %H:%M:%S.000")}
    with monkeypatch.context() as patched:
        patched.setattr(delivery_receipts, "replan", _quoting)
        desk.report("Invalid phone number", notification=sent)
    assert desk.errors
    with desk.failing("eventbridge.PutEvents", always=True):
        desk.report("Invalid phone number", notification=sent)
    for response in ("", f"{NAME} at {PHONE} does not answer", "Invalid phone number", "Phone number is opted out"):
        desk.report(response, notification=sent)
    desk.report("", destination=NAME)
    desk.report("", status=NAME)
    desk.report("", notification=NAME)
    desk.invoke("delivery_receipts", {"awslogs": {"data": QUOTING}})
    desk.invoke("delivery_receipts", {"awslogs": NAME})
    desk.invoke("delivery_receipts", batch(QUOTING, json.dumps({NAME: PHONE, "schema_version": 1})))
    for operation in ("dynamodb.BatchGetItem", "dynamodb.UpdateItem", "dynamodb.PutItem"):
        with desk.failing(operation, always=True):
            desk.report("Phone number is opted out", notification=sent)


def housekeeping_and_planning_meet_everything(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.cloud.want_no_texts(PHONE)
    with monkeypatch.context() as patched:
        patched.setattr(carrier_opt_outs, "replan", _quoting)
        patched.setattr(replanning, "replan", _quoting)
        desk.invoke("housekeeping", {"task": "sync_opt_outs"})
        desk.invoke("replan", batch('{"schema_version":1,"segment":0,"segments":1,"after":""}'))
    assert len(desk.errors) == 2
    for operation in (
        "sns.ListPhoneNumbersOptedOut", "dynamodb.BatchGetItem", "dynamodb.PutItem", "eventbridge.PutEvents",
        "dynamodb.Query", "dynamodb.Scan",
    ):  # fmt: skip
        with desk.failing(operation, always=True):
            for task in ("sync_opt_outs", "close_unknown"):
                desk.invoke("housekeeping", {"task": task})
            desk.invoke("replan", batch('{"schema_version":1,"segment":0,"segments":1,"after":""}'))
    desk.invoke("housekeeping", {"task": QUOTING})
    desk.invoke("replan", batch(QUOTING, json.dumps({"after": QUOTING, NAME: 1})))
    desk.invoke("replan", {"parts": QUOTING} | {"Records": []})
    _damage(desk.house, desk.people[0])
    desk.invoke("housekeeping", {"task": "sync_opt_outs"})
    with desk.kept():
        desk.cloud.replan()


class _AllLogs(logging.Handler):
    """Collects the lines of every logger there is, down to the SDK's own warnings."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        told_here = {key: value for key, value in vars(record).items() if key not in {"args", "msg"}}
        self.lines.append(f"{record.getMessage()} {told_here!r}")


@pytest.mark.parametrize(
    ("meet", "failed"),
    [
        (lender_events_meet_everything, {"event_parked", "event_not_parked", "lender_event_failed", "erasure_failed"}),
        (
            replies_meet_everything,
            {"reply_parked", "reply_not_parked", "reply_failed", "opt_in_failed", "opt_out_confirmed"},
        ),
        (
            delivery_receipts_meet_everything,
            {"receipt_unreadable", "receipts_unreadable", "receipt_not_followed", "outbound_event_lost"},
        ),
        (
            housekeeping_and_planning_meet_everything,
            {"opt_out_not_synced", "replan_failed", "outbound_event_lost", "unexpected"},
        ),
    ],
    ids=["lender_events", "replies", "delivery_receipts", "housekeeping and planning"],
)
def test_no_function_logs_or_publishes_personal_data_whatever_fails(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    meet: Callable[[Desk, pytest.MonkeyPatch], None],
    failed: set[str],
) -> None:
    every_log = _AllLogs()
    caplog.set_level(logging.INFO)
    logging.getLogger().addHandler(every_log)
    try:
        desk = Desk(house)
        meet(desk, monkeypatch)
    finally:
        logging.getLogger().removeHandler(every_log)
    captured = capfd.readouterr()
    # The failures that were provoked did happen, and were told.
    assert {name for name, _ in house.telemetry.events} >= failed
    places = logged_and_published(desk.cloud, house.log, house.telemetry) | {
        "standard output": captured.out,
        "standard error": captured.err,
        "any logger": "\n".join(every_log.lines),
        "errors": "\n".join(desk.errors),
    }
    assert places["log lines and metrics"]
    assert found_in(places, WHO) == set()


def test_messages_on_our_own_queues_hold_ids_and_codes_only(house: House) -> None:
    desk = Desk(house)
    desk.says("CustomerErased")
    with desk.failing("dynamodb.BatchWriteItem"):
        desk.cloud.tick()
        desk.cloud.drain()
    desk.report("Phone is currently unreachable/unavailable")
    desk.invoke("replan", {"parts": 2})
    bodies = [
        message.body
        for function in ("sender", "lender_events", "delivery_receipts", "replan")
        for message in desk.cloud._queue(function)._messages  # noqa: SLF001 - moto has no other way in
    ]
    assert bodies
    assert found_in({"our queues": "\n".join(bodies)}, WHO) == set()
