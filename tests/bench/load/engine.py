"""
The engine of a load: one process that answers scanner and sender as AWS would, and is the carrier too.

It speaks AWS's wire: JSON for DynamoDB, SQS, SSM and EventBridge, the query protocol for SNS. It knows the operations
that the two functions use, and no other; an unknown one is an error that fails the run. Besides it keeps a journal:
when each customer's job was queued, received, claimed and published, and what the carrier answered.

Signatures and permissions are not looked at, and nothing is stored on disk. Everything but a publish is answered at
once: what is measured is the functions' own work, and the carrier's latency.
"""

import asyncio
import contextlib
import json
import random
import resource
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from ctypes import c_double
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from tests.bench.load.portfolio import customer_of, instant_of
from tests.bench.load.queues import Queue, Received
from tests.bench.load.tables import ConditionFailedError, RequestRefusedError, Table

HOST = "127.0.0.1"
REMINDERS, REFERENCE = "reminders", "reference"
SAMPLES_A_SECOND = 2
_VISIBILITY_SECONDS = 361
_MOST_RECEIVES = 5
"""Both as `template.yaml` has them; a test holds them against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierHabits:
    """How the carrier answers: after so long, and refusing such a share of requests because it is busy."""

    latency_seconds: float
    throttled: float
    duplicated: float
    """The share of messages that SQS hands out twice."""

    seed: int


class Attempt(NamedTuple):
    """One publish that reached the carrier, with the moments before it, by the functions' clock (0: none known)."""

    phone: str
    accepted: bool
    queued_at: float
    received_at: float
    claimed_at: float
    arrived_at: float
    answered_at: float


class Sample(NamedTuple):
    """What waited at a moment: customers whose wake has come (those on the queue too), and jobs."""

    at: float
    due: int
    visible: int
    hidden: int
    accepted: int
    throttled: int


class EngineCounts(NamedTuple):
    """What the engine has done so far, and the CPU it took."""

    accepted: int
    throttled: int
    calls: Mapping[str, int]
    cpu_seconds: float
    due: int
    waiting: int
    earliest_wake: str


@dataclass
class Journal:
    """What has happened, by the functions' clock."""

    attempts: list[Attempt] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    queued: dict[str, float] = field(default_factory=dict)
    received: dict[str, float] = field(default_factory=dict)
    claimed: dict[str, float] = field(default_factory=dict)
    announced: Counter[str] = field(default_factory=Counter)
    """How often each customer was in an event `ReminderSent`."""


type Respond = Callable[[int, str], None]
"""Takes the status and the body of the answer."""

_AWS_MISTAKES = {
    "DynamoDB_20120810": "com.amazonaws.dynamodb.v20120810#ValidationException",
    "AmazonSQS": "com.amazonaws.sqs#InvalidParameterValue",
}


class Engine:
    """All services together. `shift` is how far the functions' clock is from the real one, in seconds."""

    def __init__(self, habits: CarrierHabits, shift: c_double) -> None:
        self._habits = habits
        self._shift = shift
        self._chance = random.Random(habits.seed)
        self._chance_of_queues = random.Random(habits.seed + 1)
        self.tables = {
            "customers": Table(("customer_id", "item"), ("shard", "wake_key")),
            "contacts": Table(("customer_id", "contact")),
        }
        dead = Queue()
        self.queues = {
            REMINDERS: Queue(
                visibility_seconds=_VISIBILITY_SECONDS,
                dead_letters=dead,
                most_receives=_MOST_RECEIVES,
                comes_twice=self._comes_twice,
            ),
            REFERENCE: Queue(visibility_seconds=_VISIBILITY_SECONDS),
            "dead": dead,
            "replies": Queue(),
            "events": Queue(),
            "failures": Queue(),
        }
        self._waiting: list[tuple[str, int, Respond]] = []
        """Receives that wait for a message: the queue, at most how many, and the way back."""
        self._sending = "on"
        self._calls: Counter[str] = Counter()
        self._accepted = self._throttled = 0
        self.journal = Journal()
        self._operations: Mapping[str, Callable[[Any], Any]] = {
            "BatchGetItem": self._batch_get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "BatchWriteItem": self._batch_write,
            "Query": self._query,
            "GetQueueAttributes": self._attributes,
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "DeleteMessageBatch": self._delete_batch,
            "GetParameter": lambda _: {"Parameter": {"Name": "sending", "Value": self._sending, "Type": "String"}},
            "PutParameter": self._put_parameter,
            "PutEvents": self._put_events,
        }

    def _comes_twice(self) -> bool:
        return self._chance_of_queues.random() < self._habits.duplicated

    def now(self) -> float:
        """Return the time of the functions' clock."""
        return time.time() + self._shift.value

    def answer(self, target: str, body: bytes, respond: Respond) -> None:
        """Answer a request, now or later."""
        if not target:
            self._calls["Publish"] += 1
            self._publish(parse_qs(body.decode()), respond)
            return
        service, _, operation = target.rpartition(".")
        self._calls[operation] += 1
        asked = json.loads(body)
        try:
            if operation == "ReceiveMessage":
                self._receive(asked, respond)
                return
            operate: Callable[[Any], Any] = self._operations.get(operation, _unknown)
            answer = operate(asked)
        except ConditionFailedError as failed:
            refusal: dict[str, Any] = {
                "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
                "message": str(failed),
            }
            if failed.item and asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                refusal["Item"] = failed.item
            respond(400, json.dumps(refusal, ensure_ascii=False))
        except (RequestRefusedError, KeyError) as refused:
            mistake = _AWS_MISTAKES.get(service, "com.amazonaws#ValidationException")
            respond(400, json.dumps({"__type": mistake, "message": str(refused)}))
        else:
            respond(200, answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False))

    # -------------------------------------------------------------- DynamoDB

    def _batch_get(self, asked: Any) -> str:  # noqa: ANN401 - a request
        parts = [
            f'"{name}":[{",".join(self.tables[name].read(wanted["Keys"]))}]'
            for name, wanted in asked["RequestItems"].items()
        ]
        return f'{{"Responses":{{{",".join(parts)}}},"UnprocessedKeys":{{}}}}'

    def _put(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        item = asked["Item"]
        condition, values = asked.get("ConditionExpression", ""), asked.get("ExpressionAttributeValues", {})
        self.tables[asked["TableName"]].put(item, condition, values)
        if "ledger" in item:
            self.journal.claimed[item["customer_id"]["S"]] = self.now()
        return {}

    def _update(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        if asked.keys() & {"ConditionExpression", "ReturnValues"}:
            raise RequestRefusedError("UpdateItem: scanner and sender ask for no condition and no answer")
        self.tables[asked["TableName"]].update(
            asked["Key"],
            asked["UpdateExpression"],
            asked.get("ExpressionAttributeNames", {}),
            asked.get("ExpressionAttributeValues", {}),
        )
        return {}

    def _batch_write(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        for name, writes in asked["RequestItems"].items():
            self.tables[name].put_all([write["PutRequest"]["Item"] for write in writes])
        return {"UnprocessedItems": {}}

    def _query(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        if asked["IndexName"] != "due":
            raise RequestRefusedError(f"Query: there is no index {asked['IndexName']}")
        page = self.tables[asked["TableName"]].query(
            asked["KeyConditionExpression"],
            asked.get("ExpressionAttributeNames", {}),
            asked["ExpressionAttributeValues"],
            limit=asked["Limit"],
            start=asked.get("ExclusiveStartKey"),
        )
        count = len(page.entries)
        more = {"LastEvaluatedKey": page.last} if page.last else {}
        return {"Items": page.entries, "Count": count, "ScannedCount": count, **more}

    # -------------------------------------------------------------- SQS

    @staticmethod
    def _queue_name(asked: Any) -> str:  # noqa: ANN401 - a request
        return str(asked["QueueUrl"].rpartition("/")[2])

    def _attributes(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        depth = self.queues[self._queue_name(asked)].depth(self.now())
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(depth.visible),
                "ApproximateNumberOfMessagesNotVisible": str(depth.hidden),
                "ApproximateNumberOfMessagesDelayed": "0",
            }
        }

    def _send(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        return {"MessageId": self.queues[self._queue_name(asked)].send(asked["MessageBody"], self.now())}

    def _send_batch(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        name, now = self._queue_name(asked), self.now()
        taken = []
        for entry in asked["Entries"]:
            taken.append({"Id": entry["Id"], "MessageId": self.queues[name].send(entry["MessageBody"], now)})
            if name == REMINDERS:
                self.journal.queued[json.loads(entry["MessageBody"])["customer_id"]] = now
        self._hand_out()
        return {"Successful": taken, "Failed": []}

    def _delete_batch(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        queue = self.queues[self._queue_name(asked)]
        for entry in asked["Entries"]:
            queue.delete(entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    def _receive(self, asked: Any, respond: Respond) -> None:  # noqa: ANN401 - a request
        waiting = (self._queue_name(asked), min(10, asked.get("MaxNumberOfMessages", 1)), respond)
        if self._give(*waiting):
            return
        if not asked.get("WaitTimeSeconds"):
            respond(200, "{}")
            return
        self._waiting.append(waiting)
        asyncio.get_running_loop().call_later(asked["WaitTimeSeconds"], self._give_up, waiting)

    def _give_up(self, waiting: tuple[str, int, Respond]) -> None:
        with contextlib.suppress(ValueError):  # it has had its messages
            self._waiting.remove(waiting)
            waiting[2](200, "{}")

    def _hand_out(self) -> None:
        """Give messages to the receives that wait."""
        self._waiting = [waiting for waiting in self._waiting if not self._give(*waiting)]

    def _give(self, name: str, most: int, respond: Respond) -> bool:
        now = self.now()
        received = self.queues[name].receive(most, now)
        if not received:
            return False
        if name == REMINDERS:
            for message, _ in received:
                self.journal.received[json.loads(message.body)["customer_id"]] = now
        respond(200, json.dumps({"Messages": [_as_received(each) for each in received]}))
        return True

    # -------------------------------------------------------------- SSM, EventBridge, SNS

    def _put_parameter(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        self._sending = asked["Value"]
        return {"Version": 1}

    def _put_events(self, asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a request
        for entry in asked["Entries"]:
            if entry["DetailType"] == "ReminderSent":
                reminders = json.loads(entry["Detail"])["reminders"]
                self.journal.announced.update(reminder["customer_id"] for reminder in reminders)
        return {"FailedEntryCount": 0, "Entries": [{"EventId": uuid.uuid4().hex} for _ in asked["Entries"]]}

    def _publish(self, asked: Mapping[str, list[str]], respond: Respond) -> None:
        """Take a text, or be busy. What becomes of it is decided when it arrives, and answered after the latency."""
        (phone,) = asked["PhoneNumber"]
        arrived, accepted = self.now(), self._chance.random() >= self._habits.throttled
        loop = asyncio.get_running_loop()
        loop.call_later(self._habits.latency_seconds, self._answer_publish, phone, arrived, accepted, respond)

    def _answer_publish(self, phone: str, arrived: float, accepted: bool, respond: Respond) -> None:  # noqa: FBT001
        customer_id, journal = customer_of(phone), self.journal
        queued, received, claimed = (
            known.get(customer_id, 0.0) for known in (journal.queued, journal.received, journal.claimed)
        )
        journal.attempts.append(Attempt(phone, accepted, queued, received, claimed, arrived, self.now()))
        if accepted:
            self._accepted += 1
            respond(200, _PUBLISHED.format(uuid.uuid4()))
        else:
            self._throttled += 1
            respond(400, _THROTTLED)

    # -------------------------------------------------------------- beside AWS

    def count(self) -> EngineCounts:
        """Say what was done so far."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return EngineCounts(
            self._accepted,
            self._throttled,
            dict(self._calls),
            usage.ru_utime + usage.ru_stime,
            self._due(),
            sum(self.queues[REMINDERS].depth(self.now())),
            self.tables["customers"].earliest(),
        )

    def _due(self) -> int:
        return self.tables["customers"].due(f"{instant_of(self.now()):%Y-%m-%dT%H:%M:%S.%fZ}~")

    async def watch(self) -> None:
        """Sample what waits, and show messages again whose time is up."""
        while True:
            depth = self.queues[REMINDERS].depth(self.now())
            self.journal.samples.append(Sample(self.now(), self._due(), *depth, self._accepted, self._throttled))
            self._hand_out()
            await asyncio.sleep(1 / SAMPLES_A_SECOND)

    def ask(self, question: str) -> object:
        """Answer whoever runs the load: `count`, `journal`, `customers`, `contacts`, `depth of QUEUE`."""
        if question == "count":
            return self.count()
        if question == "journal":
            return self.journal
        if question in self.tables:
            return list(self.tables[question].items.values())
        return sum(self.queues[question.removeprefix("depth of ")].depth(self.now()))


_PUBLISHED = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>{}</MessageId>'
    "</PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>"
)
_THROTTLED = (
    '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>Throttling</Code>'
    "<Message>Rate exceeded</Message></Error><RequestId>r</RequestId></ErrorResponse>"
)


def _unknown(asked: Any) -> None:  # noqa: ANN401 - a request
    raise RequestRefusedError(f"scanner and sender do not ask for that, with {', '.join(sorted(asked))}")


def _as_received(received: Received) -> dict[str, Any]:
    message, handle = received
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": handle,
        "Body": message.body,
        "Attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(1000 * message.sent_at)),
            "ApproximateFirstReceiveTimestamp": str(int(1000 * message.first_received_at)),
        },
    }


class _HttpConnection(asyncio.Protocol):
    """As much of HTTP/1.1 as botocore speaks: one request after the other, kept alive."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._received = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in self._received[:end].decode("latin-1").split("\r\n"))
        }
        whole = end + 4 + int(headers.get("content-length", 0))
        if len(self._received) < whole:
            return
        body = bytes(self._received[end + 4 : whole])
        del self._received[:whole]
        self._engine.answer(headers.get("x-amz-target", ""), body, self._respond)

    def _respond(self, status: int, body: str) -> None:
        if self._transport is None:
            return  # whoever asked is gone
        written = body.encode()
        reason = "OK" if status == 200 else "Bad Request"
        head = f"HTTP/1.1 {status} {reason}\r\nx-amzn-requestid: r\r\ncontent-length: {len(written)}\r\n\r\n"
        self._transport.write(head.encode() + written)


async def serve(engine: Engine, control: Connection) -> None:
    """Answer requests, and the questions of whoever runs the load, until the word is `stop`."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _HttpConnection(engine), HOST, 0)
    stopped = loop.create_future()

    def asked() -> None:
        question = control.recv()
        if question == "stop":
            stopped.set_result(None)
        else:
            control.send(engine.ask(question))

    loop.add_reader(control.fileno(), asked)
    watching = loop.create_task(engine.watch())
    control.send(server.sockets[0].getsockname()[1])
    await stopped
    watching.cancel()
    server.close()


def run_engine(habits: CarrierHabits, shift: c_double, control: Connection) -> None:
    """Be the engine's process. The first thing it says is its port."""
    asyncio.run(serve(Engine(habits, shift), control))
