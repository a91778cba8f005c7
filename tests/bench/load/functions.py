"""
The functions as Lambda runs them: each process is one sandbox, which handles one event after the other.

What Lambda does around the handlers is done here. An event source mapping polls the queue and deletes what has been
handled; a schedule starts the scanner. Polling is AWS's work, so only the CPU of the handlers is counted.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_double
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.exceptions import ClientError

from dunning.adapters.client import LEAN
from dunning.adapters.one_request import PUBLISH_ONCE
from tests.local import events

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH_SIZE = 25
BATCHING_WINDOW_SECONDS = 1
SENDER_TIMEOUT_SECONDS = 60
"""All three as `template.yaml` has them; a test holds them against it."""

_MOST_A_RECEIVE = 10
_STOPS_WITHIN_SECONDS = 1
_BEAT_SECONDS = 0.1


class ShiftedClock:
    """Implements `Clock`: the real one, so many seconds on, so that it is a lawful hour."""

    def __init__(self, shift: c_double) -> None:
        self._shift = shift

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._shift.value)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Invocation(NamedTuple):
    """One event handled: when, by the functions' clock; the CPU; how many messages, or jobs queued; and the depth."""

    began: float
    ended: float
    cpu_seconds: float
    pieces: int
    failed: int = 0
    depth: int = 0


@dataclass
class Sandbox:
    """What a process has done."""

    name: str
    pid: int
    cold_start_cpu: float = 0.0
    cpu_seconds: float = 0.0
    """All of it, the cold start and AWS's part included."""

    invocations: list[Invocation] = field(default_factory=list)
    cached: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How many values each bounded cache of the package holds at the end, and how many it may."""

    errors: list[str] = field(default_factory=list)
    """Kinds of errors that left a handler."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a process needs: name, environment, how far its clock is on, when to begin and to stop, the way back."""

    name: str
    environment: Mapping[str, str]
    shift: c_double
    begin: Event
    stop: Event
    answer: Connection


class _Context:
    """The part of Lambda's context that the sender asks for."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + SENDER_TIMEOUT_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self._ends - time.monotonic())))


class _Invoker:
    """Hands events to a handler, and keeps the books."""

    def __init__(self, start: Start, sandbox: Sandbox) -> None:
        self._shift = start.shift
        self._sandbox = sandbox

    def now(self) -> float:
        return time.time() + self._shift.value

    def invoke(self, handle: Callable[[], Any], pieces: Callable[[Any], Mapping[str, int]]) -> Any:  # noqa: ANN401
        """Run a handler; return its answer, `None` if an error left it."""
        began, cpu = self.now(), time.process_time()
        answer, counted = None, {"pieces": 0}
        try:
            answer = handle()
            counted = dict(pieces(answer))
        except Exception as error:  # noqa: BLE001 - as Lambda: it is counted, and the event comes again
            self._sandbox.errors.append(f"{type(error).__name__}: {error}")
        invocation = Invocation(began, self.now(), time.process_time() - cpu, **counted)
        self._sandbox.invocations.append(invocation)
        return answer


def _run(start: Start, get_ready: Callable[[], Callable[[_Invoker], None]]) -> None:
    """Start cold, say so, do one round after the other until told to stop, and hand over what was done."""
    os.environ.update(start.environment)
    sandbox = Sandbox(start.name, os.getpid())
    # Log lines cost what writing costs, and nobody reads them.
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        work = get_ready()
        sandbox.cold_start_cpu = time.process_time()
        start.answer.send(sandbox.cold_start_cpu)
        start.begin.wait()
        invoker = _Invoker(start, sandbox)
        while not start.stop.is_set():
            work(invoker)
    sandbox.cpu_seconds = time.process_time()
    sandbox.cached = _bounded_caches()
    start.answer.send(sandbox)
    sys.stdout = sys.__stdout__


def _bounded_caches() -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for name, module in list(sys.modules.items()):
        if not name.startswith("dunning."):
            continue
        for function, value in vars(module).items():
            if hasattr(value, "cache_info") and value.__module__ == name and value.cache_info().maxsize:
                info = value.cache_info()
                found[f"{name}.{function}"] = (info.currsize, info.maxsize)
    return found


def _poll(sqs: "SQSClient", url: str) -> list[Any]:
    """Collect a batch: as many as there may be, for as long as the window is open once there is something."""
    messages: list[Any] = []
    closes = 0.0
    while len(messages) < BATCH_SIZE:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(_MOST_A_RECEIVE, BATCH_SIZE - len(messages)),
            WaitTimeSeconds=_STOPS_WITHIN_SECONDS,
            MessageSystemAttributeNames=["All"],
        )
        messages += answer.get("Messages", [])
        if not messages:
            break
        closes = closes or time.monotonic() + BATCHING_WINDOW_SECONDS
        if time.monotonic() >= closes:
            break
    return messages


def _delete(sqs: "SQSClient", url: str, messages: list[Any], failed: set[str]) -> None:
    handled = [message["ReceiptHandle"] for message in messages if message["MessageId"] not in failed]
    for place in range(0, len(handled), _MOST_A_RECEIVE):
        sqs.delete_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": handle}
                for number, handle in enumerate(handled[place : place + _MOST_A_RECEIVE])
            ],
        )


def send_batches(start: Start) -> None:
    """Be a sandbox of the sender, fed by its queue."""

    def get_ready() -> Callable[[_Invoker], None]:
        from dunning import wiring  # noqa: PLC0415 - part of the cold start
        from functions.sender.app import lambda_handler  # noqa: PLC0415

        wiring.use(clock=ShiftedClock(start.shift))
        wiring.send_service()
        sqs = boto3.Session().client("sqs", config=LEAN)
        url = start.environment["QUEUE_URL"]
        region = start.environment["AWS_DEFAULT_REGION"]

        def work(invoker: _Invoker) -> None:
            messages = _poll(sqs, url)
            if not messages:
                return
            event = events.sqs_batch(messages, queue_arn="arn:aws:sqs:::reminders", region=region)
            context: Any = _Context()
            answer = invoker.invoke(
                lambda: lambda_handler(event, context),
                lambda answer: {"pieces": len(messages), "failed": len(answer["batchItemFailures"])},
            )
            if answer is not None:
                _delete(sqs, url, messages, {failure["itemIdentifier"] for failure in answer["batchItemFailures"]})

        return work

    _run(start, get_ready)


def scan_each_tick(start: Start) -> None:
    """Be the sandbox of the scanner, started every `TICK_SECONDS`. If the clock is moved on, it ticks at once."""

    def get_ready() -> Callable[[_Invoker], None]:
        from dunning import wiring  # noqa: PLC0415 - part of the cold start
        from functions.scanner.app import lambda_handler  # noqa: PLC0415

        wiring.use(clock=ShiftedClock(start.shift))
        wiring.scan_service()

        ticks = float(start.environment["TICK_SECONDS"])

        def work(invoker: _Invoker) -> None:
            # The beat is the clock's, as a schedule's is: a sandbox that takes over ticks at the next beat.
            next_tick = (invoker.now() // ticks + 1) * ticks
            while invoker.now() < next_tick:
                if start.stop.wait(min(_BEAT_SECONDS, max(0.0, next_tick - invoker.now()))):
                    return
            invoker.invoke(
                lambda: lambda_handler({}, None),
                lambda answer: {"pieces": answer["enqueued"], "depth": answer["depth"]},
            )

        return work

    _run(start, get_ready)


def call_bare(start: Start) -> None:
    """Make the sender's calls with boto3 and nothing else: what they cost on this machine, with this engine."""

    def get_ready() -> Callable[[_Invoker], None]:
        loop = _BareLoop()
        sqs = boto3.Session().client("sqs", config=LEAN)
        url = start.environment["QUEUE_URL"]

        def work(invoker: _Invoker) -> None:
            messages = _poll(sqs, url)
            if messages:
                bodies = [message["Body"] for message in messages]
                invoker.invoke(lambda: loop.handle(bodies), lambda _: {"pieces": len(bodies)})
                _delete(sqs, url, messages, set())

        return work

    _run(start, get_ready)


class _BareLoop:
    """Claims, publishes and records with items that are made beforehand. A text that is refused is tried again."""

    def __init__(self) -> None:
        from tests.bench.load.bare import BareItems  # noqa: PLC0415 - the functions are not to load what it needs

        self._items = BareItems()
        session = boto3.Session()
        self._dynamodb = session.client("dynamodb", config=LEAN)
        self._sns = session.client("sns", config=PUBLISH_ONCE)
        self._bus = session.client("events", config=LEAN)
        self._pool = ThreadPoolExecutor(32)

    def handle(self, bodies: list[str]) -> None:
        numbers = list(map(self._items.number_of, bodies))
        keys = [key for number in numbers for key in self._items.keys(number)]
        self._dynamodb.batch_get_item(RequestItems={"customers": {"Keys": keys, "ConsistentRead": True}})
        for future in [self._pool.submit(self._send, number) for number in numbers]:
            future.result()
        puts: list[Any] = [{"PutRequest": {"Item": self._items.contact(number)}} for number in numbers]
        self._dynamodb.batch_write_item(RequestItems={"contacts": puts})
        self._bus.put_events(Entries=[self._items.event(numbers)])

    def _send(self, number: int) -> None:
        version = 1
        while True:
            self._claim(number, version)
            try:
                self._sns.publish(
                    PhoneNumber=self._items.phone(number),
                    Message=self._items.text,
                    MessageAttributes=self._items.attributes,
                )
            except ClientError:
                self._claim(number, version + 1)
                version += 2
            else:
                return

    def _claim(self, number: int, version: int) -> None:
        self._dynamodb.put_item(
            TableName="customers",
            Item=self._items.claim(number, version + 1),
            ConditionExpression="version = :read",
            ExpressionAttributeValues={":read": {"N": str(version)}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
