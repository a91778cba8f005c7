"""The events look as AWS sends them, and as the samples in `events/` do."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from dunning.contracts.job import parse_job
from tests.local import ROOT, events

AT = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


def _sample(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((ROOT / "events" / name).read_text("utf-8"))


def _shape(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Reduce a document to its keys."""
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    return [_shape(value[0])] if isinstance(value, list) and value else None


def test_the_scheduled_time_is_filled_into_the_schedules_input() -> None:
    written = '{"scheduled_at": "<aws.scheduler.scheduled-time>"}'
    assert events.scheduler_tick(written, AT) == {"scheduled_at": "2026-12-01T02:00:00Z"}
    assert events.scheduler_tick(written, AT) == _sample("scanner/tick.json")


def test_a_batch_has_the_shape_of_the_sample() -> None:
    batch = events.sqs_batch(
        [
            {
                "MessageId": "m1",
                "ReceiptHandle": "r1",
                "Body": "{}",
                "Attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1796090400120",
                    "SenderId": "A",
                    "ApproximateFirstReceiveTimestamp": "1796090400480",
                },
            }
        ],
        queue_arn="arn:aws:sqs:ap-northeast-1:123456789012:jobs",
        region="ap-northeast-1",
    )
    assert _shape(batch) == _shape(_sample("sender/jobs.json"))
    assert batch["Records"][0]["md5OfBody"] == "99914b932bd37a50b983c5e7c90ae93b"


def test_the_sample_batch_holds_jobs() -> None:
    jobs = [parse_job(record["body"]) for record in _sample("sender/jobs.json")["Records"]]
    assert [job.customer_id for job in jobs] == ["C0001", "C0002", "C0003"]
    assert {job.wake_at for job in jobs} == {AT}


def test_an_upload_has_the_shape_of_the_sample_and_an_encoded_key() -> None:
    event = events.s3_object_created(
        bucket="uploads",
        key="accounts/2026 12 分期+1.csv",
        body=b"abc",
        at=AT + timedelta(milliseconds=7),
        region="ap-northeast-1",
        version_id="v1",
    )
    record = event["Records"][0]
    assert _shape(event) == _shape(_sample("intake/accounts_uploaded.json"))
    assert record["eventTime"] == "2026-12-01T02:00:00.007Z"
    assert record["s3"]["object"]["key"] == "accounts/2026+12+%E5%88%86%E6%9C%9F%2B1.csv"
    assert record["s3"]["object"]["size"] == 3


def test_later_uploads_have_later_sequencers() -> None:
    uploads = [
        events.s3_object_created(bucket="b", key="k", body=b"", at=at, region="r", sequence=sequence)
        for at, sequence in ((AT, 1), (AT, 2), (AT + timedelta(seconds=1), 3))
    ]
    sequencers = [upload["Records"][0]["s3"]["object"]["sequencer"] for upload in uploads]
    assert sequencers == sorted(set(sequencers))


def test_an_invocations_time_runs_out_on_its_clock() -> None:
    now = AT
    context = events.LambdaContext("sender", timeout=timedelta(seconds=60), now=lambda: now)
    assert context.get_remaining_time_in_millis() == 60_000
    now = AT + timedelta(seconds=45)
    assert context.get_remaining_time_in_millis() == 15_000
    now = AT + timedelta(hours=1)
    assert context.get_remaining_time_in_millis() == 0
    assert context.invoked_function_arn.endswith(":function:sender")
