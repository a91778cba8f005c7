"""The queue between scanner and sender: what the port promises, of the fake and of SQS alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.sqs import SqsQueue
from dunning.contracts.job import job_body, parse_job
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.queues import DelayQueue, Job
from tests.contract.conftest import BACKENDS, Post, bodies, engine_of, jobs_in
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, error, first, success
from tests.support.fakes import FakeDelayQueue
from tests.support.people import NOW
from tests.support.stand_in import Engine


def _jobs(count: int) -> list[Job]:
    return [Job(f"C{number:04d}", NOW + timedelta(microseconds=number)) for number in range(count)]


def test_an_empty_queue_has_no_depth(post: Post) -> None:
    assert post.queue.depth() == 0


@pytest.mark.parametrize("count", [0, 1, 10, 25])
def test_all_jobs_are_taken_counted_and_come_out_as_they_went_in(post: Post, count: int) -> None:
    assert post.queue.enqueue(job for job in _jobs(count)) == count
    assert post.queue.depth() == count
    assert sorted(map(parse_job, post.waiting()), key=lambda job: job.customer_id) == _jobs(count)


def test_a_job_holds_an_id_and_a_moment_and_nothing_else(post: Post) -> None:
    post.queue.enqueue([Job("C0001", NOW)])
    assert post.waiting() == ['{"schema_version":1,"customer_id":"C0001","wake_at":"2026-12-01T02:00:00Z"}']


def test_a_message_that_is_parked_is_kept_as_it_was_and_waits_no_more(post: Post) -> None:
    post.queue.park('{"not": "a job"}', "not a job: body")
    assert post.parked() == ['{"not": "a job"}']
    assert post.queue.depth() == 0


@dataclass
class Later:
    """A function's own queue seen through the port, and what is on it: bodies that nobody can receive yet."""

    queue: DelayQueue
    hidden: Callable[[], list[str]]


@pytest.fixture(params=BACKENDS)
def later(request: pytest.FixtureRequest) -> Later:
    if request.param == "fake":
        fake = FakeDelayQueue()
        return Later(fake, lambda: [body for body, delay in fake.messages if delay])
    aws = engine_of(request)

    def hidden() -> list[str]:
        assert bodies(aws, aws.queue_url) == []
        if isinstance(aws, Engine):
            return aws.messages(aws.queue_url)
        cloud: LocalCloud = request.getfixturevalue("cloud")
        cloud.clock.move_to(cloud.clock.now() + timedelta(seconds=91))
        return bodies(aws, aws.queue_url)

    return Later(jobs_in(aws), hidden)


@pytest.mark.parametrize("count", [0, 1, 12])
def test_what_is_sent_with_a_delay_is_all_there_and_nobody_receives_it_before(later: Later, count: int) -> None:
    again = [f"again-{number:02}" for number in range(count)]
    later.queue.send_with_delay(again, timedelta(seconds=90))
    assert sorted(later.hidden()) == again


class TestOnSqs:
    """What only a queue can do."""

    def test_what_is_to_be_looked_at_again_is_not_seen_before(self, cloud: LocalCloud, requests: Requests) -> None:
        watched = SqsQueue(boto3.client("sqs", config=LEAN), cloud.queue_url)
        watched.send_with_delay([f"again-{number}" for number in range(12)], timedelta(seconds=90))
        sent = [entry for call in requests.of("sqs.SendMessageBatch") for entry in call["Entries"]]
        assert [entry["MessageBody"] for entry in sent] == [f"again-{number}" for number in range(12)]
        assert {entry["DelaySeconds"] for entry in sent} == {90}
        assert cloud.sqs.receive_message(QueueUrl=cloud.queue_url).get("Messages") is None
        assert watched.depth() == 12
        assert requests.sent["sqs.SendMessageBatch"] == 2

    def test_what_sqs_does_not_take_to_look_at_again_is_an_error_for_nothing_else_brings_it_back(
        self, sqs: SqsQueue, requests: Requests
    ) -> None:
        taken = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": "0" * 32}
        refused = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
        requests.answer("sqs.SendMessageBatch", first(success({"Successful": [taken], "Failed": [refused]})))
        with pytest.raises(ServiceCallError, match=r"^SendMessageBatch: InternalError$"):
            sqs.send_with_delay(["C0001", "C0002"], timedelta(seconds=90))
        requests.answer("sqs.SendMessageBatch", error("AccessDenied", 403, "C0000"))
        with pytest.raises(ServiceCallError, match=r"^SendMessageBatch: AccessDenied$"):
            sqs.send_with_delay(["C0001"], timedelta(seconds=90))

    def test_jobs_that_are_being_worked_on_count_too(self, cloud: LocalCloud, sqs: SqsQueue) -> None:
        sqs.enqueue(_jobs(5))
        received = cloud.sqs.receive_message(QueueUrl=cloud.queue_url, MaxNumberOfMessages=2)
        assert len(received["Messages"]) == 2
        assert sqs.depth() == 5

    def test_why_a_message_was_parked_stands_beside_it(self, cloud: LocalCloud, sqs: SqsQueue) -> None:
        sqs.park("?", "not a job: " + "x" * 300)
        (message,) = cloud.sqs.receive_message(
            QueueUrl=cloud.stack.sender.environment["DEAD_LETTER_URL"], MessageAttributeNames=["All"]
        )["Messages"]
        assert message["MessageAttributes"]["why"]["StringValue"].startswith("not a job: xxx")

    def test_a_job_that_sqs_does_not_take_is_not_counted(self, sqs: SqsQueue, requests: Requests) -> None:
        taken = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": "0" * 32}
        refused = {"Id": "1", "SenderFault": False, "Code": "InternalError"}
        requests.answer("sqs.SendMessageBatch", first(success({"Successful": [taken], "Failed": [refused]})))
        assert sqs.enqueue(_jobs(12)) == 1 + 2

    def test_no_job_means_no_call(self, sqs: SqsQueue, requests: Requests) -> None:
        assert sqs.enqueue([]) == 0
        assert not requests.sent

    def test_an_error_tells_its_code_and_no_message(self, sqs: SqsQueue, requests: Requests) -> None:
        for operation in ("SendMessageBatch", "SendMessage", "GetQueueAttributes"):
            requests.answer(f"sqs.{operation}", error("AccessDenied", 403, "C0000"))
        for call in (lambda: sqs.enqueue(_jobs(1)), lambda: sqs.park("secret", "why"), sqs.depth):
            with pytest.raises(ServiceCallError, match=r"^[A-Za-z]+: AccessDenied$") as caught:
                call()
            assert caught.value.__cause__ is None


class TestWhatIsNoJob:
    """Bodies somebody else put on the queue."""

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ("", "body"),
            ("王小明 +886900000001", "body"),
            ("[]", "body"),
            ("{}", "schema_version, customer_id, wake_at"),
            ('{"schema_version":2,"customer_id":"C1","wake_at":"2026-12-01T02:00:00Z"}', "schema_version"),
            ('{"schema_version":1,"customer_id":"","wake_at":"2026-12-01T02:00:00Z"}', "customer_id"),
            (job_body(Job("司馬相如 +886955123987", NOW)), "customer_id"),
            (job_body(Job("C1\n", NOW)), "customer_id"),
            (job_body(Job("C" * 65, NOW)), "customer_id"),
            ('{"schema_version":1,"customer_id":"C1","wake_at":"2026-12-01T02:00:00"}', "wake_at"),
            ('{"schema_version":1,"customer_id":"C1","wake_at":"soon"}', "wake_at"),
            (job_body(Job("C1", NOW))[:-1] + ',"+886900000001":"王小明"}', "an unknown field"),
        ],
    )
    def test_is_described_by_its_fields_and_never_quoted(self, body: str, fields: str) -> None:
        with pytest.raises(UnreadableRecordError) as caught:
            parse_job(body)
        assert str(caught.value) == f"not a job: {fields}"
        assert caught.value.__cause__ is None
