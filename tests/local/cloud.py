"""
The embedded AWS, and the hands that drive the real Lambda handlers as AWS would.

    with LocalCloud(begin) as cloud:
        cloud.upload("accounts/file.csv", body)
        cloud.run_until(end)
        cloud.outbox
"""

import importlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.sns.models import sns_backends
from moto.sqs.models import Queue, sqs_backends

from dunning.contracts.outbound_event import SOURCE as OUR_SOURCE
from dunning.ports.telemetry import Telemetry
from tests.local import ROOT, events
from tests.local.clock import VirtualClock
from tests.local.moto_patches import patched_moto
from tests.local.providers import NO_SERVICES, Providers, ServicesNeeded
from tests.local.sent import SentMessage
from tests.local.template import Function, Stack, create_stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from tests.local.policies import Policies

REGION = "ap-northeast-1"

_EVENTS_A_PUT = 10
"""What one PutEvents call can carry."""

CHANNEL_EVENTS = "channel_events"
"""The queue of channel events among the sources: it feeds delivery_receipts, which has another queue, too."""

_RECEIVE_AT_MOST = 10
"""What one ReceiveMessage or DeleteMessageBatch call can carry."""

_FAKE_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class _FunctionsOutput(io.TextIOBase):
    """
    What the handlers take for standard output, one object for all runs of this process.

    Powertools keeps the stream it finds when its logger is made, and its loggers live as long as the process.
    """

    def __init__(self) -> None:
        super().__init__()
        self.target: TextIO | None = None

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return self.target.write(text) if self.target else len(text)

    def flush(self) -> None:
        if self.target:
            self.target.flush()


_OUTPUT = _FunctionsOutput()


type Handler = Callable[[events.Event, events.LambdaContext], Any]
type Wire = Callable[[VirtualClock, Telemetry | None], None]


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event that the functions put on the bus."""

    at: datetime
    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LenderEvent:
    """An event of the lender's systems: its detail-type and its detail."""

    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was dropped into the bucket, and what the intake answered."""

    key: str
    at: datetime
    result: Any


def _wire(clock: VirtualClock, listener: Telemetry | None) -> None:
    from dunning import wiring  # noqa: PLC0415 - imported once AWS is faked: it may build clients

    wiring.use(clock=clock, second_telemetry=listener)


def _resolve(dotted: str) -> Handler:
    module, _, attribute = dotted.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), attribute)
    return handler


class LocalCloud:
    """
    AWS in this process, at a virtual time.

    Args:
        begin: the instant at which the virtual clock starts.
        listener: is told every decision, as `Telemetry`.
        log: where to write what the functions print, log lines and metrics; by default nowhere.
        template: what to create.
        parameters: overrides of the template's parameters.
        handlers: stand-ins by function name (scanner, sender ...), for tests of this class.
        wire: tells the handlers clock and listener, for tests of this class.
        policies: what the handlers go by; by default the package's policies.
        services: the services beside SNS that are connected; by default none.
        streams: whether the tables have change streams, for `count_changes`. They cost time and memory.
    """

    def __init__(  # noqa: PLR0913 - what an account is made of
        self,
        begin: datetime,
        *,
        listener: Telemetry | None = None,
        log: TextIO | None = None,
        template: Path = ROOT / "template.yaml",
        parameters: Mapping[str, str] | None = None,
        handlers: Mapping[str, Handler] | None = None,
        wire: Wire = _wire,
        policies: "Policies | None" = None,
        services: ServicesNeeded = NO_SERVICES,
        streams: bool = False,
    ) -> None:
        self.clock = VirtualClock(begin)
        self.outbox: list[SentMessage] = []
        self.uploads: list[Upload] = []
        self.published_events: list[PublishedEvent] = []
        self.is_busy: Callable[[str], bool] = lambda _: False
        self.stack: Stack
        self.ticks = 0
        self.has_streams = streams
        self._listener = listener
        self._log = log
        self._template = template
        self.providers = Providers(services, self.clock, self.outbox.append)
        self._parameters = {**services.parameters, **(parameters or {})}
        self._handlers: dict[str, Handler] = dict(handlers or {})
        self._wire = wire
        self._policies = policies
        self._handed_on: dict[str, int] = {}
        self._active = ""
        self._ticked_at: datetime | None = None
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            outside = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
            stack.enter_context(patch.dict(os.environ, {**outside, **_FAKE_ACCOUNT}, clear=True))
            # A client of the default session made outside would not know of moto or of our hooks.
            stack.enter_context(patch.object(boto3, "DEFAULT_SESSION", None))
            stack.enter_context(mock_aws())
            stack.enter_context(patched_moto(self.clock, self._published, self._put, self._turns_away))
            session = boto3.Session()
            self.stack = create_stack(
                session.client("cloudformation"), self._template, parameters=self._parameters, streams=self.has_streams
            )
            self.s3 = session.client("s3")
            self.sqs = session.client("sqs")
            self.ssm = session.client("ssm")
            self._connect(stack.enter_context(self.providers))
            self.sns = session.client("sns")
            self.bus = session.client("events")
            self.queue_urls = {
                function: self.sqs.get_queue_url(QueueName=source.queue_name)["QueueUrl"]
                for function, source in self.stack.sources.items()
            }
            self.queue_url = self.queue_urls["sender"]
            if self._policies is not None:
                stack.enter_context(self._policies.in_use())
            self._wire(self.clock, self._listener)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()

    # ------------------------------------------------------------ the drivers

    def upload(self, key: str, body: bytes) -> Any:  # noqa: ANN401 - whatever the intake returns
        """Drop a file into the bucket; the intake is started if the key is where it listens."""
        bucket = self.stack.uploads_bucket
        answer = self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        if not key.startswith(self.stack.upload_prefixes):
            return None
        event = events.s3_object_created(
            bucket=bucket,
            key=key,
            body=body,
            at=self.clock.now(),
            region=self.stack.region,
            version_id=answer.get("VersionId", ""),
            sequence=len(self.uploads) + 1,
        )
        result = self.invoke(self.stack.intake, event)
        if self._queue("intake").messages:
            self.drain("intake")  # the parts of a large file
        self.uploads.append(Upload(key, self.clock.now(), result))
        return result

    def tick(self) -> Any:  # noqa: ANN401 - whatever the scanner returns
        """Start the scanner as the schedule does."""
        self.ticks += 1
        self._ticked_at = self.clock.now()
        return self.invoke(self.stack.scanner, events.scheduler_tick(self.stack.schedule_input, self.clock.now()))

    def drain(self, function: str = "sender") -> int:
        """
        Hand the visible messages of a function's queue to it, batch by batch, and return how many there were.

        As the event source mapping does: what the function reports as failed is left to become visible again after
        the queue's visibility timeout, and goes to the dead-letter queue after its `maxReceiveCount`.
        """
        source, queue_url = self.stack.sources[function], self.queue_urls[function]
        handed = 0
        while batch := self._receive(function, source.batch_size):
            handed += len(batch)
            event = events.sqs_batch(batch, queue_arn=source.queue_arn, region=self.stack.region)
            answer = self.invoke(self.stack.functions[source.function], event) or {}
            failed = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures", [])}
            self._delete(queue_url, [message for message in batch if message["MessageId"] not in failed])
        return handed

    def lender_says(self, *lender_events: LenderEvent) -> int:
        """Put events of the lender's systems on the bus, hand them to lender_events, and return how many there were."""
        for batch in batched(lender_events, _EVENTS_A_PUT, strict=False):
            answer = self.bus.put_events(
                Entries=[
                    {
                        "EventBusName": self.stack.bus_name,
                        "Source": "lender.core",
                        "DetailType": event.kind,
                        "Detail": json.dumps(event.detail),
                        "Time": self.clock.now(),
                    }
                    for event in batch
                ]
            )
            if answer["FailedEntryCount"]:
                raise ValueError(f"the bus refuses {answer['FailedEntryCount']} events")
        return self.drain("lender_events")

    def reply(self, message: Mapping[str, str]) -> int:
        """Let a two-way SMS come in through the topic, hand it to replies, and return how many there were."""
        self.sns.publish(TopicArn=self.stack.inbound_topic, Message=json.dumps(message))
        return self.drain("replies")

    def service_reports(self, topic: str, event: str) -> int:
        """Let a service publish an event on its topic, hand it to delivery_receipts, and return how many there were."""
        self.sns.publish(TopicArn=self.stack.event_topics[topic], Message=event)
        return self.drain(CHANNEL_EVENTS)

    def call_webhook(
        self, route: str, parameters: Mapping[str, str], body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - a handler's answer
        """Call a webhook by one of its routes, hand on what it has put on the queues, and return its answer."""
        event = events.webhook_call(route, parameters, body, headers or {}, at=self.clock.now())
        answer = self.invoke(self.stack.functions["webhooks"], event)
        self.drain(CHANNEL_EVENTS)
        self.drain("replies")
        return answer

    def deliveries_logged(self, logs: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401 - a handler's answer
        """Hand delivery logs to delivery_receipts, as a subscription of CloudWatch Logs does."""
        event = events.logs_subscription(
            logs, at=self.clock.now(), region=self.stack.region, account=self.stack.account
        )
        return self.invoke(self.stack.functions["delivery_receipts"], event)

    def count_changes(self) -> int:
        """
        Hand to the tally what has changed since the last time, as its event sources do, and return how many changes.

        They count as of now: call it before the clock moves on.
        """
        handed = 0
        for source in self.stack.change_sources:
            shard = self._backend(dynamodb_backends).get_table(source.table).stream_shard
            changed = [change.to_json() for change in shard.items[self._handed_on.get(source.table, 0) :]]
            self._handed_on[source.table] = len(shard.items)
            taken = [change for change in changed if source.takes(change)]
            for batch in batched(taken, source.batch_size, strict=False):
                event = events.stream_window(batch, shard=f"{source.table}-{shard.id}", at=self.clock.now())
                self.invoke(self.stack.functions[source.function], event)
            handed += len(taken)
        return handed

    def keep_house(self, task: str) -> Any:  # noqa: ANN401 - a handler's answer
        """Start the housekeeping with one of its tasks, as its schedules do."""
        schedules = [schedule for schedule in self.stack.schedules if schedule.function == "housekeeping"]
        inputs = [json.loads(schedule.input) for schedule in schedules]
        (event,) = (written for written in inputs if written["task"] == task)
        return self.invoke(self.stack.functions["housekeeping"], event)

    def work_out_trials(self) -> Any:  # noqa: ANN401 - a handler's answer
        """Start the nightly run of trials, as its schedule does."""
        return self.invoke(self.stack.functions["effect"], {})

    def replan(self, parts: int = 1) -> int:
        """Start the planning of everybody anew and work it off; return how many parts there were."""
        self.invoke(self.stack.functions["replan"], {"parts": parts})
        return self.drain("replan")

    def run_until(self, end: datetime, *, on_step: Callable[[], None] = lambda: None) -> None:
        """
        Let time pass: the clock jumps from one tick that has something to do to the next.

        In between a real schedule ticks too, and finds nothing due.
        """
        while (moment := self.next_tick()) is not None and moment < end:
            self.clock.move_to(moment)
            self.tick()
            self.drain()
            on_step()
        self.clock.move_to(max(end, self.clock.now()))

    def next_tick(self) -> datetime | None:
        """Return the next tick that has something to do, `None` if nothing will ever be due."""
        moments = [moment for moment in (self.next_wake(), self.next_visible()) if moment is not None]
        if not moments:
            return None
        now, tick = self.clock.now(), self.stack.tick
        following = now + tick if self._ticked_at == now else _rounded_up(now, tick)
        return max(_rounded_up(min(moments), tick), following)

    def invoke(self, function: Function, event: events.Event) -> Any:  # noqa: ANN401 - a handler's answer
        """Start a function with its own environment and a context of its own."""
        self._step_into(function)
        context = events.LambdaContext(
            function.physical_name,
            memory_mb=function.memory_mb,
            timeout=function.timeout,
            now=self.clock.now,
            region=self.stack.region,
            account=self.stack.account,
        )
        _OUTPUT.target = self._log
        with redirect_stdout(_OUTPUT):
            if function.name not in self._handlers:
                self._handlers[function.name] = _resolve(function.handler)
            return self._handlers[function.name](event, context)

    # ------------------------------------------------------------ looking in

    def next_wake(self) -> datetime | None:
        """Return the earliest wake of all customers."""
        found = (item.attrs for item in self._items(self.stack.customers_table) if "wake_key" in item.attrs)
        earliest = min([attributes["wake_key"].value for attributes in found], default=None)
        return parse_wake(earliest) if earliest else None

    def next_visible(self, function: str = "sender") -> datetime | None:
        """Return when the next message on a function's queue can be received."""
        visible_at = [
            max(message.visible_at, message.delayed_until)
            for message in self._queue(function)._messages  # noqa: SLF001
        ]
        # moto shows a message once its time has passed, not when it has come.
        return datetime.fromtimestamp((min(visible_at) + 1) / 1000, UTC) if visible_at else None

    def items(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a table as a client would get them, without the cost of a scan."""
        for item in self._items(table):
            yield item.to_json()["Attributes"]

    def waiting(self) -> int:
        """Return how many customers have a wake."""
        return sum("wake_key" in item.attrs for item in self._items(self.stack.customers_table))

    def dead_letters(self) -> int:
        """Return how many messages are in the dead-letter queues of all functions' queues."""
        queues = [self._queue(function).dead_letter_queue for function in self.stack.sources]
        return sum(len(queue._messages) for queue in queues if queue)  # noqa: SLF001 - moto has no other way in

    def wants_no_texts(self, phone: str) -> bool:
        """Tell whether a number is on SNS's list of those that want no texts."""
        return phone in self._backend(sns_backends).opt_out_numbers

    def want_no_texts(self, phone: str) -> None:
        """Put a number on SNS's list, as a carrier does with one that says STOP."""
        self._backend(sns_backends).opt_out_numbers.append(phone)

    def objects(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Yield the bucket's objects below a prefix, by key."""
        bucket = self.stack.uploads_bucket
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield found["Key"], self.s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()

    # ------------------------------------------------------------ the inside

    def _connect(self, providers: Providers) -> None:
        """Tell the sender where the services are, and put their secrets where it reads them."""
        environment = self.stack.sender.environment
        for name, value in providers.environment().items():
            environment[name] = value  # type: ignore[index]  # made here, and not yet in use
        if environment.get("SECRETS_PATH"):
            providers.put_secrets(self.ssm, environment["SECRETS_PATH"])

    def _published(self, parameters: Mapping[str, Any], message_id: str) -> None:
        attributes = {
            name: value.get("StringValue", "") for name, value in parameters.get("MessageAttributes", {}).items()
        }
        self.outbox.append(
            SentMessage(
                at=self.clock.now(),
                to=parameters["PhoneNumber"],
                text=parameters["Message"],
                message_id=message_id,
                attributes=attributes,
            )
        )

    def _turns_away(self, phone: str) -> bool:
        return self.is_busy(phone)

    def _put(self, entries: list[dict[str, Any]]) -> None:
        self.published_events += [
            PublishedEvent(self.clock.now(), entry["DetailType"], json.loads(entry["Detail"]))
            for entry in entries
            if entry["Source"] == OUR_SOURCE
        ]

    def _step_into(self, function: Function) -> None:
        """Give the process the function's environment, and nothing of another function's."""
        if self._active == function.name:
            return
        stack = self.stack
        for other in stack.functions.values():
            for name in other.environment:
                os.environ.pop(name, None)
        os.environ.update(function.environment)
        os.environ["AWS_LAMBDA_FUNCTION_NAME"] = function.physical_name
        os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = str(function.memory_mb)
        self._active = function.name

    def _receive(self, function: str, at_most: int) -> list["MessageTypeDef"]:
        batch: list[MessageTypeDef] = []
        # Nothing is asked of a queue that shows nothing: two of three calls would find it empty.
        while len(batch) < at_most and self._queue(function).messages:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_urls[function],
                MaxNumberOfMessages=min(_RECEIVE_AT_MOST, at_most - len(batch)),
                MessageSystemAttributeNames=["All"],
                WaitTimeSeconds=0,
            )
            messages = answer.get("Messages", [])
            if not messages:
                break
            batch += messages
        return batch

    def _delete(self, queue_url: str, messages: list["MessageTypeDef"]) -> None:
        for start in range(0, len(messages), _RECEIVE_AT_MOST):
            self.sqs.delete_message_batch(
                QueueUrl=queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                    for index, message in enumerate(messages[start : start + _RECEIVE_AT_MOST])
                ],
            )

    def _items(self, table: str) -> Iterator[Item]:
        partitions = self._backend(dynamodb_backends).get_table(table).items.values()
        return (item for partition in partitions for item in partition.values())

    def _queue(self, function: str) -> Queue:
        queue: Queue = self._backend(sqs_backends).get_queue(self.stack.sources[function].queue_name)
        return queue

    def _backend(self, backends: BackendDict[Any]) -> Any:  # noqa: ANN401 - moto is not typed
        return backends[self.stack.account][self.stack.region]


def parse_wake(wake_key: str) -> datetime:
    """Return the instant a wake key begins with."""
    return datetime.fromisoformat(wake_key.partition("#")[0])


def _rounded_up(moment: datetime, step: timedelta) -> datetime:
    past = (moment - datetime(1970, 1, 1, tzinfo=UTC)) % step
    return moment + (step - past) if past else moment
