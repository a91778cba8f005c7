"""Queues in SQS: the queue between scanner and sender, and each function's own queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING

from dunning.adapters.aws_call import aws_call
from dunning.contracts.job import job_body
from dunning.domain.errors import ServiceCallError
from dunning.ports.erasure import DeadLetter, QueueNotDrainedError
from dunning.ports.queues import Job

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_ENTRIES_A_SEND = 10
"""SQS's limit of a SendMessageBatch."""

_MESSAGES_A_RECEIVE = 10
"""SQS's limit of a ReceiveMessage."""

_HIDDEN_SECONDS = 60
_EMPTY_ANSWERS = 5
"""A receive asks only some of SQS's servers, so an empty answer does not mean an empty queue."""


def _depths(client: SQSClient, queue_url: str) -> tuple[int, int, int]:
    """Ask for the numbers of messages waiting, being handled, and delayed."""
    with aws_call("GetQueueAttributes"):
        answer = client.get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )
    counts = answer["Attributes"]
    return (
        int(counts["ApproximateNumberOfMessages"]),
        int(counts["ApproximateNumberOfMessagesNotVisible"]),
        int(counts["ApproximateNumberOfMessagesDelayed"]),
    )


class SqsQueue:
    """Implements `JobQueue`, `DelayQueue` and `DeadLetters`."""

    def __init__(self, client: SQSClient, queue_url: str, dead_letter_url: str = "") -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_url = dead_letter_url

    def depth(self) -> int:
        """Add up the messages waiting, being handled and delayed."""
        return sum(_depths(self._client, self._queue_url))

    def enqueue(self, jobs: Iterable[Job]) -> int:
        """Send jobs in batches. A job that SQS refuses comes back with the next tick."""
        taken = 0
        for batch in batched(jobs, _ENTRIES_A_SEND, strict=False):
            with aws_call("SendMessageBatch"):
                answer = self._client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[{"Id": str(place), "MessageBody": job_body(job)} for place, job in enumerate(batch)],
                )
            taken += len(answer.get("Successful", []))
        return taken

    def send_with_delay(self, bodies: Sequence[str], delay: timedelta) -> None:
        """Send messages with a delay, in batches. Raise an error if SQS refuses any, because they would be lost."""
        for batch in batched(bodies, _ENTRIES_A_SEND, strict=False):
            with aws_call("SendMessageBatch"):
                answer = self._client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(place), "MessageBody": body, "DelaySeconds": int(delay.total_seconds())}
                        for place, body in enumerate(batch)
                    ],
                )
            for refused in answer.get("Failed", []):
                raise ServiceCallError("SendMessageBatch", refused["Code"])

    def park(self, body: str, why: str) -> None:
        """Send a message to the dead-letter queue, with the reason as an attribute."""
        with aws_call("SendMessage"):
            self._client.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=body,
                MessageAttributes={"why": {"DataType": "String", "StringValue": why[:256]}},
            )


class SqsNews:
    """Implements `News`."""

    def __init__(self, client: SQSClient, queue_urls: Sequence[str], failures_url: str) -> None:
        self._client = client
        self._queue_urls = tuple(queue_urls)
        self._failures_url = failures_url

    def waiting(self) -> int:
        """Add up the visible messages of the queues."""
        return sum(_depths(self._client, queue_url)[0] for queue_url in self._queue_urls)

    def has_failed(self) -> bool:
        """Look for notes. Nobody takes them off: the queue drops each when it is as old as its retention."""
        return sum(_depths(self._client, self._failures_url)) > 0


class SqsNewsFailures:
    """Implements `NewsFailures`."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def note(self) -> None:
        """Send a message that says nothing: its presence counts."""
        with aws_call("SendMessage"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody="failed")


class SqsDeadLetters:
    """Implements `DeadLetterErasure`."""

    def __init__(self, client: SQSClient, queue_url: str, name: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self.name = name

    def scan(self) -> Iterator[DeadLetter]:
        """Receive until SQS says that no message is visible, and that only the messages received here are hidden."""
        received = empty = 0
        visible, hidden, delayed = _depths(self._client, self._queue_url)
        while visible and empty < _EMPTY_ANSWERS:
            with aws_call("ReceiveMessage"):
                answer = self._client.receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=_MESSAGES_A_RECEIVE,
                    VisibilityTimeout=_HIDDEN_SECONDS,
                )
            messages = answer.get("Messages", [])
            received += len(messages)
            for message in messages:
                yield DeadLetter(message["Body"], message["ReceiptHandle"])
            if not messages:
                empty += 1
                visible, hidden, delayed = _depths(self._client, self._queue_url)
        if visible or delayed or hidden > received:
            raise QueueNotDrainedError

    def replace(self, message: DeadLetter, body: str) -> None:
        """Send the replacement first, so that a crash in between loses nothing."""
        if body:
            with aws_call("SendMessage"):
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
        with aws_call("DeleteMessage"):
            self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.handle)
