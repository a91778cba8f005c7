"""
Every handler is driven, failures included; then logs, metrics, queues, errors and rejects are searched.

Names, phones, account numbers and texts must be found where they belong and nowhere else.
"""

import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decide import decide
from dunning.services.send import sender
from tests.integration.conftest import House, batch, job_for
from tests.support.aws_requests import error, first, no_answer
from tests.support.lender_files import CHEN, WANG, csv_of, row
from tests.support.people import NOW, someone

pytestmark = pytest.mark.slow(reason="drives the real handlers on moto, with tables and queues made for each test")

NAMES = ("王小明", "陳美玲", "司馬相如", "Wilhelmina Featherstonehaugh")
PHONES = ("+886912345678", "+886987654321", "+886955123987")
ACCOUNT_NUMBERS = ("9001-1234-5678", "9001-8765-4321", "7777-2468-1357")
PAY_ACCOUNT = "822-40506070809010"
MAILBOXES = ("xiaoming.wang@example.com", "meiling.chen")
LINE_USERS = ("U" + "0123456789abcdef" * 2, "U" + "fedcba9876543210" * 2)
POISON = '{"customer":"C9","name":"司馬相如","phone":"+886955123987"}'
POISON_FIELDS = (
    job_for(someone(9))[:-1] + ',"+886955123987":1}',
    job_for(someone(9))[:-1] + ',"司馬相如":1}',
    '{"schema_version":1,"customer_id":"C9","wake_at":"司馬相如 +886955123987"}',
)


def _patterns() -> Iterator[re.Pattern[str]]:
    """Everything that may not be found, however it is written: also digits with something between them."""
    for name in NAMES:
        yield re.compile(re.escape(name))
        yield re.compile(re.escape(json.dumps(name)[1:-1]))
    for number in (*PHONES, *ACCOUNT_NUMBERS, PAY_ACCOUNT):
        digits = re.sub(r"\D", "", number)
        yield re.compile(r"[^0-9A-Za-z]{0,2}".join(digits.removeprefix("886")))
    for text in ("示範分期", "0800-000-123", "NT$3,250", "Featherstonehaugh", *MAILBOXES, *LINE_USERS):
        yield re.compile(re.escape(text))
        yield re.compile(re.escape(json.dumps(text)[1:-1]))


PATTERNS = tuple(_patterns())


def _found(haystack: str) -> list[str]:
    return [pattern.pattern for pattern in PATTERNS if pattern.search(haystack)]


class _AllLogs(logging.Handler):
    """Collects the lines of every logger there is, down to the SDK's own warnings."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = {key: value for key, value in vars(record).items() if key not in {"args", "msg"}}
        self.lines.append(f"{record.getMessage()} {fields!r}")


def _people() -> list[Facts]:
    """Describe customers, one for each thing that can happen, all with the same recognisable data."""
    return [
        replace(
            someone(number),
            name=NAMES[number % len(NAMES)],
            phone=PHONES[number % 2],
            email=MAILBOXES[0],
            line_user_id=LINE_USERS[number % 2],
            accounts=tuple(
                replace(account, tail=ACCOUNT_NUMBERS[number % 2][-4:], pay_account=PAY_ACCOUNT)
                for account in someone(number).accounts
            ),
        )
        for number in range(1, 9)
    ]


def _load(house: House) -> None:
    """Upload what is good, what is bad and what is no file of accounts at all, all of it full of personal data."""
    reached = {"email": MAILBOXES[0], "line_user_id": LINE_USERS[0], "line_consented_at": "2026-11-01"}
    good = csv_of([row(WANG, pay_account=PAY_ACCOUNT, **reached), row(CHEN, **reached)])
    bad = csv_of(
        [
            row(WANG, due_on="王小明", amount="9001-1234-5678"),
            row(CHEN, phone="+886987654321 陳美玲"),
            row(CHEN, customer_id="C-8", account_id="A-8", pay_account=f"{PAY_ACCOUNT}; 王小明"),
            row(WANG, customer_id="0912345678", account_id="A-+886912345678", account_number="900112345678E+11"),
            row(CHEN, customer_id="王小明", country="0987-654-321"),
            row(CHEN, customer_id="C-5", account_id="A-5", currency="王小明", hold="0912345678", lender="王小明"),
            row(CHEN, customer_id="C-6", account_id="A-6", hold="陳美玲 0987654321"),
            row(CHEN, customer_id="C-7", account_id="A-7", name="王小明"),
            row(CHEN, customer_id="C-9", account_id="A-9", phone="0955123987", email="meiling.chen"),
            row(CHEN, customer_id=MAILBOXES[0], account_id="A-10", line_user_id="@meiling.chen"),
            row(CHEN, customer_id="C-7", account_id="A-7", instalment_no="2"),
        ]
    )
    broken = bad + '"王小明,+886912345678\r\n'
    foreign = "王小明;+886912345678;9001-1234-5678\r\n"
    odd = good.replace("instalment_no", "+886912345678", 1)
    long = good + "x," * 40
    files = {"good": good, "bad": bad, "broken": broken, "foreign": foreign, "odd": odd, "long": long}
    for name, body in files.items():
        house.cloud.upload(f"accounts/{name}.csv", body.encode())
    house.cloud.upload("accounts/big5.csv", good.encode("big5"))
    house.cloud.upload("accounts/book.xlsx", b"PK\x03\x04" + good.encode())


def _send(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sender meet everything it can meet."""
    people = _people()
    house.add(*people)
    accepted, refused, busy, lost, unreadable, buggy, died, silent = people

    for facts, answer in (
        (
            refused,
            error("InvalidParameter", 400, f"Invalid parameter: PhoneNumber Reason: {refused.phone} is not valid"),
        ),
        (busy, error("Throttling", 400, f"Rate exceeded for {busy.phone}: {busy.name}")),
        (lost, no_answer(ReadTimeoutError(endpoint_url=f"https://sns/?PhoneNumber={lost.phone}&Message={lost.name}"))),
    ):
        house.requests.answer("sns.Publish", first(answer))
        assert house.send(batch(job_for(facts))) == []
    assert house.send(batch(job_for(accepted), POISON, *POISON_FIELDS)) == []

    boto3.client("dynamodb").update_item(
        TableName=house.cloud.stack.customers_table,
        Key={"customer_id": {"S": unreadable.customer_id}, "item": {"S": "facts"}},
        UpdateExpression="SET accounts = :broken",
        ExpressionAttributeValues={":broken": {"S": '[{"account_id": "王小明 +886912345678"}]'}},
    )
    assert house.send(batch(job_for(unreadable))) == []

    def fail(of: Facts, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 - as decide
        if of.customer_id == buggy.customer_id:
            raise ValueError(f"cannot judge {of}")
        return decide(of, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(sender, "decide", fail)
        assert house.send(batch(job_for(buggy))) == ["message-0"]
        assert house.send(batch(job_for(buggy), receives=5)) == []

    house.requests.answer("dynamodb.BatchWriteItem", error("ValidationException", 400, f"{died.name} {died.phone}"))
    assert house.send(batch(job_for(died))) == ["message-0"]
    house.requests.let_all_through()
    assert house.send(batch(job_for(died), receives=2)) == []

    house.requests.answer("dynamodb.PutItem", error("ValidationException", 400, f"{silent.name} {silent.phone}"))
    assert house.send(batch(job_for(silent))) == ["message-0"]
    house.requests.answer("dynamodb.BatchGetItem", error("ValidationException", 400, f"{silent.name} {silent.phone}"))
    with pytest.raises(Exception, match=r"^BatchGetItem: ValidationException$") as caught:
        house.send(batch(job_for(silent)))
    assert _found(repr(caught.value)) == []
    house.requests.let_all_through()


def test_the_search_finds_what_it_is_to_find() -> None:
    for hidden in (
        *NAMES,
        *PHONES,
        *ACCOUNT_NUMBERS,
        *MAILBOXES,
        *LINE_USERS,
        "0912-345-678",
        "912345678",
        json.dumps("王小明"),
        "示範分期",
    ):
        assert _found(f"x {hidden} y"), hidden
    assert _found("C0001 A0001-0 2026-12-01T02:00:00.123456Z") == []


def test_no_personal_data_gets_out(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    every_log = _AllLogs()
    caplog.set_level(logging.INFO)
    logging.getLogger().addHandler(every_log)
    try:
        _load(house)
        _send(house, monkeypatch)
        assert house.scan()["enqueued"] == 1
        house.turn("off")
        house.cloud.clock.move_to(NOW.replace(minute=5))
        house.scan()
    finally:
        logging.getLogger().removeHandler(every_log)
    captured = capfd.readouterr()

    places = {
        "log lines and metrics": house.log.getvalue(),
        "standard output": captured.out,
        "standard error": captured.err,
        "any logger": "\n".join(every_log.lines),
        "jobs": "\n".join(house.bodies("QUEUE_URL")),
        "events told": repr(house.telemetry.events),
        "metrics told": repr(house.telemetry.counts),
        "intake's answers": repr(house.cloud.uploads),
    }
    places |= {f"reject file {key}": body.decode("utf-8-sig") for key, body in house.cloud.objects("rejects/")}
    assert len([place for place in places if place.startswith("reject file")]) >= 6
    assert places["log lines and metrics"]
    assert places["jobs"]
    leaks = {place: found for place, text in places.items() if (found := _found(text))}
    assert leaks == {}

    # It is where it belongs: on its way to the customer, and in the audit record.
    assert any(_found(sms.to) and _found(sms.text) for sms in house.cloud.outbox)
    assert any(_found(contact.phone) and _found(contact.text) for contact in house.contacts())


def test_a_message_that_is_parked_says_why_without_quoting_it(house: House) -> None:
    house.send(batch(POISON, *POISON_FIELDS))
    url = house.cloud.stack.sender.environment["DEAD_LETTER_URL"]
    messages = house.cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])[
        "Messages"
    ]
    # The bodies are somebody else's and are kept as they are; what we say beside them is ours.
    assert sorted(message["Body"] for message in messages) == sorted((POISON, *POISON_FIELDS))
    for message in messages:
        assert _found(json.dumps(message["MessageAttributes"], ensure_ascii=False)) == []
        assert message["MessageAttributes"]["why"]["StringValue"].startswith("not a job: ")


def test_each_decision_is_logged_with_its_trace_and_counted_by_decision_and_reason(house: House) -> None:
    sent, waits, stops = someone(1), someone(2, due_in=9), replace(someone(3), opted_out=True)
    house.add(sent, waits, stops)
    assert house.send(batch(*map(job_for, (sent, waits, stops)))) == []
    decisions = {line["customer_id"]: line for line in house.lines() if line.get("message") == "decision"}
    assert {(line["decision"], line["reason"]) for line in decisions.values()} == {
        ("send", "due"),
        ("wait", "next_stage"),
        ("stop", "opted_out"),
    }
    for line in decisions.values():
        assert line["at"] == "2026-12-01T02:00:00Z"
    for customer_id in ("C0002", "C0003"):
        assert decisions[customer_id]["trace"]
        assert all(isinstance(step, str) for step in decisions[customer_id]["trace"])
    assert not decisions["C0001"].get("trace")  # the audit record holds it
    assert house.contacts()[0].reasons
    assert decisions["C0001"]["outcome"] == "accepted"
    assert decisions["C0001"]["message_id"] == house.cloud.outbox[0].message_id
    assert decisions["C0001"]["send_id"] == house.contacts()[0].send_id
    for name in ("SendDue", "WaitNextStage", "StopOptedOut", "SmsAccepted"):
        assert house.metric(name) == 1
    metrics = [line for line in house.lines() if "_aws" in line]
    assert len(metrics) == 1
    assert metrics[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Dunning"


def test_metrics_go_out_even_if_the_handler_fails(house: House) -> None:
    house.requests.answer("ssm.GetParameter", error("AccessDeniedException"))
    house.requests.answer("dynamodb.Query", error("AccessDeniedException"))
    house.scan()
    house.requests.answer("dynamodb.BatchGetItem", error("AccessDeniedException"))
    with pytest.raises(Exception, match="BatchGetItem"):
        house.send(batch("poison", job_for(someone(1))))
    assert house.metric("JobsParked") == 1


def test_a_log_line_is_json_and_one_line(house: House) -> None:
    house.add(someone(1))
    house.send(batch(job_for(someone(1)), "poison\nwith a line break"))
    lines = io.StringIO(house.log.getvalue()).readlines()
    assert lines
    assert all(json.loads(line) for line in lines)
