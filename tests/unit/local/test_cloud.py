"""The embedded AWS drives handlers as AWS does. Stand-ins take the place of the real ones here."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import pytest

from dunning.adapters.dynamodb.keys import shard_of, wake_key
from dunning.domain.customer.standing import Wake
from tests.local.cloud import Handler, LocalCloud
from tests.local.events import LambdaContext

pytestmark = pytest.mark.slow(reason="starts the embedded AWS for each test")

BEGIN = datetime(2026, 12, 1, tzinfo=UTC)


def _ignore(event: dict[str, Any], context: LambdaContext) -> None:
    del event, context


@contextmanager
def _cloud(**handlers: Handler) -> Iterator[LocalCloud]:
    everyone = {"scanner": _ignore, "sender": _ignore, "intake": _ignore, **handlers}
    with LocalCloud(BEGIN, handlers=everyone, wire=lambda *_: None) as cloud:
        yield cloud


def _put_wake(cloud: LocalCloud, customer_id: str, at: datetime | None) -> None:
    item: dict[str, Any] = {"customer_id": {"S": customer_id}, "item": {"S": "standing"}, "version": {"N": "1"}}
    if at is not None:
        item |= {"shard": {"S": shard_of(customer_id, 4)}, "wake_key": {"S": wake_key(Wake(at, 0))}}
    boto3.client("dynamodb").put_item(TableName=cloud.stack.customers_table, Item=item)


def _fill(cloud: LocalCloud, count: int) -> None:
    for number in range(count):
        cloud.sqs.send_message(QueueUrl=cloud.queue_url, MessageBody=f"job {number}")


def test_an_upload_starts_the_intake_with_the_file_in_the_bucket() -> None:
    events: list[dict[str, Any]] = []
    with _cloud(intake=lambda event, _: events.append(event)) as cloud:
        cloud.upload("accounts/分期.csv", b"abc")
        assert dict(cloud.objects("accounts/")) == {"accounts/分期.csv": b"abc"}
    (record,) = events[0]["Records"]
    assert record["eventTime"] == "2026-12-01T00:00:00.000Z"
    assert record["s3"]["bucket"]["name"] == cloud.stack.uploads_bucket


def test_a_file_elsewhere_in_the_bucket_starts_nothing() -> None:
    events: list[dict[str, Any]] = []
    with _cloud(intake=lambda event, _: events.append(event)) as cloud:
        cloud.upload("rejects/file.csv", b"abc")
    assert not events


def test_a_tick_says_when_it_was_scheduled() -> None:
    events: list[dict[str, Any]] = []
    with _cloud(scanner=lambda event, _: events.append(event)) as cloud:
        cloud.tick()
    assert events == [{"scheduled_at": "2026-12-01T00:00:00Z"}]


def test_each_function_has_its_own_environment_and_no_other() -> None:
    seen: dict[str, set[str]] = {}

    def remember(event: dict[str, Any], context: LambdaContext) -> None:
        del event
        seen[context.function_name] = set(os.environ)

    with _cloud(scanner=remember, intake=remember) as cloud:
        cloud.tick()
        cloud.upload("accounts/a.csv", b"")
        stack = cloud.stack
    assert set(stack.scanner.environment) <= seen[stack.scanner.physical_name]
    assert "TICK_SECONDS" not in seen[stack.intake.physical_name]


def test_the_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    before = dict(os.environ)
    with _cloud() as cloud:
        assert "AWS_PROFILE" not in os.environ
        cloud.tick()
    assert dict(os.environ) == before


def test_the_queue_is_handed_over_in_batches_and_emptied() -> None:
    sizes: list[int] = []
    with _cloud(sender=lambda event, _: sizes.append(len(event["Records"]))) as cloud:
        _fill(cloud, 30)
        assert cloud.drain() == 30
        assert cloud.drain() == 0
        assert cloud.next_tick() is None
    assert sizes == [25, 5]


def test_a_failed_job_comes_back_after_the_visibility_timeout_and_ends_in_the_dead_letter_queue() -> None:
    received: list[tuple[datetime, str]] = []

    def fail(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        del context
        received.extend((cloud.clock.now(), r["attributes"]["ApproximateReceiveCount"]) for r in event["Records"])
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}

    with _cloud(sender=fail) as cloud:
        _fill(cloud, 1)
        cloud.drain()
        cloud.run_until(BEGIN + timedelta(days=1))
        assert cloud.dead_letters() == 1
    assert [count for _, count in received] == ["1", "2", "3", "4", "5"]
    # Visible again after six minutes, seen by the tick that follows.
    assert {later[0] - sooner[0] for sooner, later in pairwise(received)} == {timedelta(minutes=7)}


def test_a_sender_that_dies_leaves_its_jobs_to_be_received_again() -> None:
    def die(event: dict[str, Any], context: LambdaContext) -> None:
        del event, context
        raise SystemExit

    with _cloud(sender=die) as cloud:
        _fill(cloud, 3)
        with pytest.raises(SystemExit):
            cloud.drain()
        assert cloud.next_tick() == BEGIN + timedelta(minutes=7)


def test_the_clock_jumps_to_the_tick_after_the_next_wake() -> None:
    ticks: list[datetime] = []

    def scan(event: dict[str, Any], context: LambdaContext) -> None:
        del event, context
        ticks.append(cloud.clock.now())
        _put_wake(cloud, "C1", wakes.pop(0) if wakes else None)

    wakes = [BEGIN + timedelta(days=3), None]
    with _cloud(scanner=scan) as cloud:
        _put_wake(cloud, "C1", BEGIN + timedelta(hours=2, seconds=20))
        assert cloud.waiting() == 1
        cloud.run_until(BEGIN + timedelta(days=9))
        assert cloud.clock.now() == BEGIN + timedelta(days=9)
        assert cloud.waiting() == 0
    assert ticks == [BEGIN + timedelta(hours=2, minutes=1), BEGIN + timedelta(days=3)]


def test_while_something_stays_due_ticks_are_a_minute_apart() -> None:
    with _cloud() as cloud:
        _put_wake(cloud, "C1", BEGIN)
        cloud.run_until(BEGIN + timedelta(minutes=5))
        assert cloud.ticks == 5


def test_a_wake_at_the_end_of_the_run_is_not_played() -> None:
    with _cloud() as cloud:
        _put_wake(cloud, "C1", BEGIN + timedelta(hours=1))
        cloud.run_until(BEGIN + timedelta(hours=1))
        assert cloud.ticks == 0


def test_a_published_text_is_caught_with_its_attributes() -> None:
    with _cloud() as cloud:
        answer = boto3.client("sns").publish(
            PhoneNumber="+886912345678",
            Message="分期",
            MessageAttributes={"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}},
        )
        (sms,) = cloud.outbox
    assert (sms.at, sms.to, sms.text, sms.message_id) == (BEGIN, "+886912345678", "分期", answer["MessageId"])
    assert sms.attributes == {"AWS.SNS.SMS.SMSType": "Transactional"}


def test_a_reply_comes_in_at_the_time_of_the_clock() -> None:
    received: list[dict[str, Any]] = []
    with _cloud(replies=lambda event, _: received.append(event)) as cloud:
        cloud.clock.move_to(BEGIN + timedelta(days=3))
        cloud.reply({"originationNumber": "+886912345678", "messageBody": "STOP", "inboundMessageId": "1"})
    (record,) = received[0]["Records"]
    assert json.loads(record["body"])["Timestamp"] == "2026-12-04T00:00:00.000Z"


def test_clients_made_after_a_run_are_not_recorded() -> None:
    with _cloud() as first:
        pass
    with _cloud() as second:
        boto3.client("sns").publish(PhoneNumber="+886912345678", Message="x")
    assert not first.outbox
    assert len(second.outbox) == 1


def test_what_functions_print_goes_to_the_log_and_not_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def chat(event: dict[str, Any], context: LambdaContext) -> None:
        del event, context
        print("a log line")  # noqa: T201 - what is tested

    with (tmp_path / "log").open("w") as log:
        handlers: dict[str, Handler] = {"scanner": chat}
        with LocalCloud(BEGIN, handlers=handlers, wire=lambda *_: None, log=log) as cloud:
            cloud.tick()
    with _cloud(scanner=chat) as cloud:
        cloud.tick()
    assert (tmp_path / "log").read_text() == "a log line\n"
    assert capsys.readouterr().out == ""
