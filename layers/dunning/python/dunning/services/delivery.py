"""What a queue delivers, whoever reads it, and what it is answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message as the queue delivered it."""

    message_id: str
    body: str
    receive_count: int


def sqs_messages(event: Mapping[str, Any]) -> list[QueueMessage]:
    """Return the messages of an SQS event."""
    return [
        QueueMessage(record["messageId"], record["body"], int(record["attributes"]["ApproximateReceiveCount"]))
        for record in event["Records"]
    ]


def batch_item_failures(message_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Return the answer that names the messages to be delivered again; all others are done."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}
