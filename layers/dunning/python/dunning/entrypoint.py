"""
Entry points: the wrapper around every handler, and the shapes of the events that Lambda hands over.

Handlers parse their events with these functions, call one service, and return. The services know nothing of Lambda.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Protocol

from dunning.domain.errors import DunningError, UnexpectedError, error_location
from dunning.ports.queues import InboundMessage, QueueMessage
from dunning.ports.telemetry import LogEvent, Telemetry

type BatchResponse = dict[str, list[dict[str, str]]]
"""The answer to Lambda for a batch of SQS: the messages to deliver again."""


class RepliesLostError(DunningError):
    """Replies from a topic without a queue failed. The error makes the topic deliver them again."""


class _FlushedTelemetry(Telemetry, Protocol):
    def flush(self) -> None: ...


class _Wiring(Protocol):
    @property
    def telemetry(self) -> Callable[[], _FlushedTelemetry]: ...


def entrypoint[**P, R](wiring: _Wiring) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """
    Wrap a function's handler: its metrics are flushed at the end, whether it returns or raises.

    Lambda logs the message of an error that leaves a handler, and stores the message with a failed event. Our own
    messages hold no personal data. The messages of libraries might quote a number or a text. For an error that is not
    ours, the wrapped handler raises `UnexpectedError`, and the log says where the error arose.
    """

    def around(handler: Callable[P, R]) -> Callable[P, R]:
        @wraps(handler)
        def guarded(*args: P.args, **named: P.kwargs) -> R:
            telemetry = wiring.telemetry()
            try:
                return handler(*args, **named)
            except DunningError:
                raise
            except Exception as error:  # noqa: BLE001 - every error of a library ends here
                telemetry.log_event(LogEvent.UNEXPECTED, error=type(error).__name__, where=error_location(error))
                unexpected = UnexpectedError(type(error).__name__)
            finally:
                telemetry.flush()
            raise unexpected  # outside the handler of the error, so that its message is not chained

        return guarded

    return around


def sqs_messages(event: Mapping[str, Any]) -> list[QueueMessage]:
    """Return the messages of an SQS event."""
    return [
        QueueMessage(record["messageId"], record["body"], int(record["attributes"]["ApproximateReceiveCount"]))
        for record in event["Records"]
    ]


def queue_name(event: Mapping[str, Any]) -> str:
    """Return the name of the queue whose messages an SQS event holds: all are of one queue."""
    record: Mapping[str, Any] = next(iter(event["Records"]), {})
    return str(record.get("eventSourceARN", "")).rpartition(":")[2]


def batch_item_failures(message_ids: Iterable[str]) -> BatchResponse:
    """Return the answer that names the messages to deliver again. All other messages are done."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def inbound_messages(event: Mapping[str, Any]) -> list[InboundMessage]:
    """Return the messages of an event of replies, which comes from the queue or from the topic itself."""
    return [_from_topic(record["Sns"]) if "Sns" in record else _from_queue(record) for record in event["Records"]]


def _from_queue(record: Mapping[str, Any]) -> InboundMessage:
    attributes = record["attributes"]
    sent_at = datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC)
    return InboundMessage(record["messageId"], record["body"], int(attributes["ApproximateReceiveCount"]), sent_at)


def _from_topic(notification: Mapping[str, Any]) -> InboundMessage:
    sent_at = datetime.fromisoformat(notification["Timestamp"])
    return InboundMessage(notification["MessageId"], json.dumps(notification), 1, sent_at)


def reply_batch_response(event: Mapping[str, Any], failed: Sequence[str]) -> BatchResponse:
    """
    Return the answer to a batch of replies: the messages to deliver again.

    Raises:
        RepliesLostError: some replies failed, and they came from the topic itself.
    """
    if failed and any("Sns" in record for record in event["Records"]):
        raise RepliesLostError(f"{len(failed)} of {len(event['Records'])} replies")
    return batch_item_failures(failed)
