"""Queues in SQS: the one between scanner and sender, and a function's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING

from dunning.adapters.errors import outside
from dunning.contracts import job_body
from dunning.ports import Job, OutsideError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_ENTRIES_A_SEND = 10
"""SQS's limit of a SendMessageBatch."""


class SqsQueue:
    """Implements `JobQueue`, `LaterQueue` and `DeadLetters`."""

    def __init__(self, client: SQSClient, queue_url: str, dead_letter_url: str = "") -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_url = dead_letter_url

    def depth(self) -> int:
        """Add up what waits, what is being worked on and what is delayed."""
        with outside("GetQueueAttributes"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._queue_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        return sum(int(count) for count in answer["Attributes"].values())

    def enqueue(self, jobs: Iterable[Job]) -> int:
        """Send jobs in batches. One that SQS does not take comes back with the next tick."""
        taken = 0
        for batch in batched(jobs, _ENTRIES_A_SEND, strict=False):
            with outside("SendMessageBatch"):
                answer = self._client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[{"Id": str(place), "MessageBody": job_body(job)} for place, job in enumerate(batch)],
                )
            taken += len(answer.get("Successful", []))
        return taken

    def again(self, bodies: Sequence[str], delay: timedelta) -> None:
        """Send messages with a delay, in batches. One that SQS does not take is lost unless somebody hears of it."""
        for batch in batched(bodies, _ENTRIES_A_SEND, strict=False):
            with outside("SendMessageBatch"):
                answer = self._client.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(place), "MessageBody": body, "DelaySeconds": int(delay.total_seconds())}
                        for place, body in enumerate(batch)
                    ],
                )
            for refused in answer.get("Failed", []):
                raise OutsideError("SendMessageBatch", refused["Code"])

    def park(self, body: str, why: str) -> None:
        """Send a message to the dead-letter queue, with the reason as an attribute."""
        with outside("SendMessage"):
            self._client.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=body,
                MessageAttributes={"why": {"DataType": "String", "StringValue": why[:256]}},
            )
