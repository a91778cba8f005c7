"""Dead letters that are looked through: what the port promises, of the fake and of SQS alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.sqs import SqsDeadLetters
from dunning.domain.errors import ServiceCallError
from dunning.ports.erasure import DeadLetter, DeadLetterErasure, QueueNotDrainedError
from tests.contract.conftest import BACKENDS, dead_letter_url, deviates, engine_of
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, error, success
from tests.support.fakes import FakeDeadLetters
from tests.support.stand_in import Aws, Engine


@dataclass
class Box:
    """A queue seen through the port and beside it; `take` is somebody else who has a message in hand."""

    letters: DeadLetterErasure
    put: Callable[[str], object]
    take: Callable[[], object]
    left: Callable[[], list[str]]


def _letters(aws: Aws) -> SqsDeadLetters:
    return SqsDeadLetters(boto3.client("sqs", config=LEAN), dead_letter_url(aws), "jobs")


@pytest.fixture
def letters(cloud: LocalCloud) -> SqsDeadLetters:
    return _letters(cloud)


@pytest.fixture(params=BACKENDS)
def box(request: pytest.FixtureRequest) -> Box:
    if request.param == "fake":
        fake = FakeDeadLetters("jobs")

        def take() -> None:
            fake.elsewhere = 1

        return Box(fake, fake.bodies.append, take, lambda: fake.bodies)
    aws = engine_of(request)
    url = dead_letter_url(aws)
    return Box(
        _letters(aws),
        lambda body: aws.sqs.send_message(QueueUrl=url, MessageBody=body),
        lambda: aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1),
        lambda: aws.messages(url) if isinstance(aws, Engine) else _bodies(request.getfixturevalue("cloud")),
    )


def _bodies(cloud: LocalCloud) -> list[str]:
    """Look in once all that was hidden is there again."""
    cloud.clock.move_to(cloud.clock.now() + timedelta(minutes=1, seconds=1))
    messages = cloud.sqs.receive_message(QueueUrl=dead_letter_url(cloud), MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [message["Body"] for message in messages.get("Messages", [])]


def test_a_queue_of_dead_letters_has_a_name(box: Box) -> None:
    assert box.letters.name == "jobs"


@pytest.mark.parametrize("count", [0, 1, 10, 25])
def test_every_message_is_looked_at(box: Box, count: int) -> None:
    for number in range(count):
        box.put(f"body {number}")
    assert sorted(letter.body for letter in box.letters.scan()) == sorted(f"body {number}" for number in range(count))


def test_a_dead_letter_that_was_only_read_is_still_there_unchanged(box: Box) -> None:
    box.put("one")
    list(box.letters.scan())
    assert box.left() == ["one"]


def test_one_dead_letter_is_replaced_and_the_others_stay(box: Box) -> None:
    for body in ("one", "two", "three"):
        box.put(body)
    for message in box.letters.scan():
        if message.body == "two":
            box.letters.replace(message, "two without somebody")
    assert sorted(box.left()) == ["one", "three", "two without somebody"]


def test_a_dead_letter_of_which_nothing_is_left_is_deleted(box: Box) -> None:
    box.put("one")
    box.put("two")
    for message in box.letters.scan():
        if message.body == "two":
            box.letters.replace(message, "")
    assert box.left() == ["one"]


def test_a_dead_letter_that_is_gone_already_is_no_error(box: Box, request: pytest.FixtureRequest) -> None:
    """
    A request with an old receipt handle succeeds.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
    """
    deviates(request, "stand_in", "it refuses the handle of a message that is deleted")
    box.put("one")
    (message,) = box.letters.scan()
    box.letters.replace(message, "")
    box.letters.replace(message, "")
    assert box.left() == []


def test_while_others_have_messages_in_hand_all_visible_ones_are_read_and_the_rest_is_reported(box: Box) -> None:
    box.put("one")
    box.take()
    box.put("two")
    seen: list[str] = []
    with pytest.raises(QueueNotDrainedError):
        seen.extend(message.body for message in box.letters.scan())
    assert "two" in seen


class TestOnSqs:
    """What only a queue can do."""

    def test_an_empty_queue_is_one_call(self, letters: SqsDeadLetters, requests: Requests) -> None:
        assert list(letters.scan()) == []
        assert requests.sent == {"sqs.GetQueueAttributes": 1}

    def test_what_is_said_to_be_there_and_never_comes_is_told_after_some_empty_answers(
        self, letters: SqsDeadLetters, requests: Requests
    ) -> None:
        counts = {
            "ApproximateNumberOfMessages": "1",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
        }
        requests.answer("sqs.GetQueueAttributes", success({"Attributes": counts}))
        with pytest.raises(QueueNotDrainedError):
            list(letters.scan())
        assert requests.sent["sqs.ReceiveMessage"] == 5

    def test_what_takes_a_place_is_sent_before_the_place_is_free(
        self, cloud: LocalCloud, letters: SqsDeadLetters, requests: Requests
    ) -> None:
        cloud.sqs.send_message(QueueUrl=dead_letter_url(cloud), MessageBody="one")
        (message,) = letters.scan()
        requests.answer("sqs.DeleteMessage", error("AccessDenied", 403))
        with pytest.raises(ServiceCallError, match=r"^DeleteMessage: AccessDenied$"):
            letters.replace(message, "other")
        assert sorted(_bodies(cloud)) == ["one", "other"]

    def test_an_error_tells_its_code_and_no_message(
        self, cloud: LocalCloud, letters: SqsDeadLetters, requests: Requests
    ) -> None:
        cloud.sqs.send_message(QueueUrl=dead_letter_url(cloud), MessageBody="+886900000001")
        for operation in ("ReceiveMessage", "SendMessage", "DeleteMessage"):
            requests.answer(f"sqs.{operation}", error("AccessDenied", 403, "+886900000001"))
        message = DeadLetter("+886900000001", "handle")
        calls = (
            lambda: list(letters.scan()),
            lambda: letters.replace(message, "+886"),
            lambda: letters.replace(message, ""),
        )
        for call in calls:
            with pytest.raises(ServiceCallError, match=r"^[A-Za-z]+: AccessDenied$") as caught:
                call()
            assert caught.value.__cause__ is None
