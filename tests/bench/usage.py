"""
What reminders use of AWS, counted: a month in the life of a portfolio, on the real handlers and the embedded AWS.

Each request is metered on its way out: capacity by `dynamodb_units`, SQS by 64 KB, logs by the byte. A call that has
no meaning here refuses the whole count: a bill that leaves something out is worse than none.
"""

import csv
import io
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from threading import Lock
from typing import Any, TextIO, cast
from unittest.mock import patch

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models import dynamodb_backends

from dunning import compiled_policies, wiring
from dunning.services.intake.rows import COLUMNS
from tests.bench.dynamodb_units import (
    Attributes,
    Index,
    failed_write_units,
    item_size,
    read_units,
    stored_bytes,
    write_units,
)
from tests.local.cloud import REGION, LocalCloud
from tests.local.events import Event
from tests.local.sample import Row
from tests.local.template import Function
from tests.support.builders import the_policies

_ACCOUNT = "123456789012"
"""The one moto gives to everybody."""

CHUNK = 64 * 1024
"""What SQS bills as one request."""

LOG_EVENT_OVERHEAD = 26
"""Bytes CloudWatch Logs adds to each event when it counts what it takes in."""

_TAIPEI = timezone(timedelta(hours=8))
BEGIN = datetime(2026, 12, 1, 6, 0, tzinfo=_TAIPEI)
_FIRST_DUE = date(2026, 12, 7)
_DUE_DAYS = 2
_PAID_BEFORE = 3
_INSTALMENTS = 12

_PAYS_AFTER_DAYS: tuple[tuple[int, int | None], ...] = ((8, -1), (13, 2), (16, 5), (18, 10), (20, None))
"""Of twenty customers eight pay the day before, five two days late, and so on; two not within the month."""

_COUNTED = frozenset(
    {"sns.Publish", "s3.GetObject", "s3.PutObject", "s3.DeleteObject", "s3.ListObjectVersions", "ssm.GetParameter"}
)
"""Billed by the call, or free of charge as a standard parameter at standard throughput is."""

SCANNER, SENDER, INTAKE, QUEUE, IDLE, EMPTY = "scanner", "sender", "intake", "queue", "idle tick", "empty polls"
EVENTS = "events of 64 KB"
"""What EventBridge bills of what is put on a bus."""

NEW, CHANGED, UNCHANGED = "new customers", "changed customers", "unchanged customers"


@dataclass
class Phase:
    """What one part of the work has used."""

    invocations: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0.0
    write_units: float = 0.0
    sqs_requests: int = 0
    log_bytes: int = 0
    log_events: int = 0

    def without(self, times: int, other: "Phase") -> "Phase":
        """Return what is left without so many times another part."""
        calls = Counter(self.calls)
        calls.subtract({name: times * count for name, count in other.calls.items()})
        return Phase(
            self.invocations - times * other.invocations,
            calls,
            self.read_units - times * other.read_units,
            self.write_units - times * other.write_units,
            self.sqs_requests - times * other.sqs_requests,
            self.log_bytes - times * other.log_bytes,
            self.log_events - times * other.log_events,
        )

    @property
    def log_size(self) -> int:
        """What CloudWatch Logs counts of it, in bytes."""
        return self.log_bytes + LOG_EVENT_OVERHEAD * self.log_events


@dataclass(frozen=True, slots=True)
class Usage:
    """
    What a portfolio has used in a month.

    `reminders` were sent; `phases` by part; `loaded` counts customers by new, changed, unchanged. `customer_bytes` and
    `record_bytes` are what a customer and an audit record take in storage; `metrics` are the custom metrics seen.
    """

    reminders: int
    phases: Mapping[str, Phase]
    loaded: Mapping[str, int]
    customer_bytes: float
    record_bytes: float
    record_size: float
    standing_size: float
    metrics: frozenset[str]
    functions: Mapping[str, Function]
    file_bytes: int


class UnmeteredError(Exception):
    """A call was made whose price nobody has written down."""


class Meter:
    """Adds up what requests use, by phase."""

    def __init__(self) -> None:
        self.phases: defaultdict[str, Phase] = defaultdict(Phase)
        self.metrics: set[str] = set()
        self.unknown: set[str] = set()
        self.indexes: dict[str, tuple[Index, ...]] = {}
        self._names = [""]
        self._lock = Lock()
        self._line = ""
        self._priced: dict[str, Callable[[Phase, Any, Any, _Images], None]] = {
            "dynamodb.BatchGetItem": _batch_get,
            "dynamodb.Query": _query,
            "dynamodb.PutItem": self._write,
            "dynamodb.UpdateItem": self._write,
            "dynamodb.DeleteItem": self._write,
            "dynamodb.BatchWriteItem": self._batch_write,
            "dynamodb.TransactWriteItems": self._transact,
        }

    @property
    def phase(self) -> Phase:
        """The part at work."""
        return self.phases[self._names[-1]]

    @contextmanager
    def during(self, name: str) -> Iterator[Phase]:
        """Count what is used from here on to a part."""
        self._names.append(name)
        try:
            yield self.phase
        finally:
            self._names.pop()

    def log(self, text: str) -> None:
        """Count what a function prints, and note the metrics in it."""
        with self._lock:
            self.phase.log_bytes += len(text.encode())
            *lines, self._line = (self._line + text).split("\n")
            for line in lines:
                self.phase.log_events += 1
                self.phase.log_bytes -= 1  # the line's end is not sent
                if '"_aws"' in line:
                    self._note_metrics(json.loads(line))

    def _note_metrics(self, line: Any) -> None:  # noqa: ANN401 - JSON
        for directive in line["_aws"]["CloudWatchMetrics"]:
            self.metrics.update(metric["Name"] for metric in directive["Metrics"])

    def send(
        self, operation: str, request: AWSPreparedRequest, work: Callable[[], AWSResponse | None]
    ) -> AWSResponse | None:
        """Let a request through and count what it uses."""
        sent = cast("bytes", request.body or b"")
        body = json.loads(sent) if operation.startswith("dynamodb.") else {}
        images = _Images(body)
        answer = work()
        with self._lock:
            # What S3 streams can be read once only, and is not ours to read.
            content = answer.content if answer and not operation.startswith("s3.") else b""
            nothing_there = operation == "sqs.ReceiveMessage" and b'"Messages"' not in content
            phase = self.phases[EMPTY] if nothing_there else self.phase
            phase.calls[operation] += 1
            if operation in self._priced:
                failed = answer is None or answer.status_code >= 400
                self._priced[operation](phase, body, None if failed else json.loads(content), images)
            elif operation.startswith("sqs."):
                phase.sqs_requests += max(1, math.ceil(max(len(sent), len(content)) / CHUNK))
            elif operation == "eventbridge.PutEvents":
                entries = json.loads(sent)["Entries"]
                phase.calls[EVENTS] += sum(math.ceil(len(entry["Detail"].encode()) / CHUNK) for entry in entries)
            elif operation not in _COUNTED:
                # Not raised here: the functions would take it for a failure of the call, and try again.
                self.unknown.add(operation)
        return answer

    def _write(self, phase: Phase, body: Any, answer: Any, images: "_Images") -> None:  # noqa: ANN401 - JSON
        table = body["TableName"]
        key = images.key_of(table, body.get("Item") or body["Key"])
        before = images.before[table, key]
        if answer is None:  # the condition did not hold
            phase.write_units += failed_write_units(before)
        else:
            phase.write_units += write_units(before, _stored(table, key), self.indexes[table])

    def _transact(self, phase: Phase, body: Any, answer: Any, images: "_Images") -> None:  # noqa: ANN401 - JSON
        for write in _writes_of(body):
            table = write["TableName"]
            key = images.key_of(table, write.get("Item") or write["Key"])
            before = images.before[table, key]
            if answer is None:  # a condition did not hold: each item is billed, and at the rate of a transaction
                phase.write_units += 2 * failed_write_units(before)
            else:
                phase.write_units += write_units(before, _stored(table, key), self.indexes[table], transactional=True)

    def _batch_write(self, phase: Phase, body: Any, answer: Any, images: "_Images") -> None:  # noqa: ANN401 - JSON
        del answer
        for table, requests in body["RequestItems"].items():
            for request in requests:
                item = request["PutRequest"]["Item"]
                before = images.before[table, images.key_of(table, item)]
                phase.write_units += write_units(before, item, self.indexes[table])


type _Key = tuple[tuple[str, str], ...]


class _Images:
    """What was stored under the keys of a request before it was worked on."""

    def __init__(self, body: Any) -> None:  # noqa: ANN401 - JSON
        self.before: dict[tuple[str, _Key], Attributes | None] = {}
        written: list[tuple[str, Any]] = []
        if "TableName" in body and ("Item" in body or "Key" in body):
            written.append((body["TableName"], body.get("Item") or body["Key"]))
        for table, requests in body.get("RequestItems", {}).items():
            if isinstance(requests, list):
                written += [(table, request["PutRequest"]["Item"]) for request in requests]
        written += [(write["TableName"], write.get("Item") or write["Key"]) for write in _writes_of(body)]
        for table, item in written:
            key = self.key_of(table, item)
            self.before[table, key] = _stored(table, key)

    @staticmethod
    def key_of(table: str, item: Any) -> _Key:  # noqa: ANN401 - JSON
        found = _backend().get_table(table)
        names = [found.hash_key_attr, *([found.range_key_attr] if found.range_key_attr else [])]
        return tuple((name, item[name]["S"]) for name in names)


def _writes_of(body: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """Return the writes of a transaction."""
    return [write for entry in body.get("TransactItems", ()) for write in entry.values()]


def _backend() -> Any:  # noqa: ANN401 - moto is not typed
    return dynamodb_backends[_ACCOUNT][REGION]


def _stored(table: str, key: _Key) -> Attributes | None:
    item = _backend().get_item(table, {name: {"S": value} for name, value in key})
    return dict(item.to_json()["Attributes"]) if item else None


def _batch_get(phase: Phase, body: Any, answer: Any, images: _Images) -> None:  # noqa: ANN401 - JSON
    del images
    for table, asked in body["RequestItems"].items():
        found = answer["Responses"].get(table, [])
        sizes = [item_size(item) for item in found] + [0] * (len(asked["Keys"]) - len(found))
        consistent = bool(asked.get("ConsistentRead"))
        phase.read_units += sum(read_units(size, consistent=consistent) for size in sizes)


def _query(phase: Phase, body: Any, answer: Any, images: _Images) -> None:  # noqa: ANN401 - JSON
    del images
    size = sum(item_size(item) for item in answer["Items"])
    phase.read_units += read_units(size, consistent=bool(body.get("ConsistentRead")))


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Meter every request while the context lasts."""
    work = BotocoreStubber.__call__

    def watch(
        self: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **more: object
    ) -> AWSResponse | None:
        operation = event_name.removeprefix("before-send.")
        return meter.send(operation, request, lambda: work(self, event_name, request, **more))

    with patch.object(BotocoreStubber, "__call__", watch):
        yield


class _Log(io.TextIOBase):
    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._meter.log(text)
        return len(text)


class MeteredCloud(LocalCloud):
    """The embedded AWS that says whose work it is."""

    def __init__(self, begin: datetime, meter: Meter, parameters: Mapping[str, str] | None = None) -> None:
        super().__init__(begin, log=cast("TextIO", _Log(meter)), parameters=parameters)
        self._meter = meter
        self.part = ""

    def invoke(self, function: Function, event: Event) -> Any:  # noqa: ANN401 - a handler's answer
        with self._meter.during(self.part or function.name) as phase:
            phase.invocations += 1
            return super().invoke(function, event)

    def drain(self, function: str = "sender") -> int:
        with self._meter.during(QUEUE):
            return super().drain(function)


@contextmanager
def _turns_at_once() -> Iterator[None]:
    """Let the handlers use policies without a spread, whatever this process has read before."""
    wiring.policy_book.cache_clear()
    with patch.object(compiled_policies, "policies", the_policies):
        try:
            yield
        finally:
            wiring.policy_book.cache_clear()


def month_of(customers: int) -> Usage:
    """
    Play a month: load customers, remind them, let most of them pay, load each payment, and load all once more.

    Everybody's turn comes at the preferred hour: so few customers, spread over hours, would leave batches empty that a
    portfolio fills.

    Args:
        customers: how many; a multiple of twenty, so that each habit of paying is there in its share.

    Raises:
        UnmeteredError: a function made a call whose price nobody has written down.
    """
    meter = Meter()
    loaded: Counter[str] = Counter()
    end = BEGIN + timedelta(days=30)
    people = range(customers)
    with _turns_at_once(), MeteredCloud(BEGIN, meter) as cloud:
        meter.indexes = {table: indexes(table) for table in (cloud.stack.customers_table, cloud.stack.contacts_table)}

        def load(name: str, part: str, body: bytes) -> None:
            cloud.part = part
            with meter.during(part):
                answer = cloud.upload(f"accounts/{name}.csv", body)["files"][0]
            cloud.part = ""
            if answer["refused"] or answer["customers_refused"]:
                raise AssertionError(answer)
            loaded[part] += answer["customers_loaded"] + answer["customers_unchanged"]

        with metered(meter):
            first = file_of(people, BEGIN.date())
            load("all", NEW, first)
            for day in sorted({paid_on for i in people if (paid_on := _pays_on(i))}):
                cloud.run_until(datetime.combine(day, datetime.min.time(), _TAIPEI) + timedelta(hours=8))
                load(f"paid-{day}", CHANGED, file_of([i for i in people if _pays_on(i) == day], day))
            cloud.run_until(end)
            load("again", UNCHANGED, file_of(people, end.date()))
            cloud.part = IDLE
            cloud.clock.move_to(cloud.clock.now() + timedelta(seconds=31))
            cloud.tick()
            cloud.part = ""
        contacts = list(cloud.items(cloud.stack.contacts_table))
        stored = list(cloud.items(cloud.stack.customers_table))
        own = (cloud.stack.scanner, cloud.stack.sender, cloud.stack.intake, cloud.stack.functions["tally"])
        functions = {function.name: function for function in own}
        reminders = len(cloud.outbox)
    if meter.unknown:
        raise UnmeteredError(f"calls without a price: {', '.join(sorted(meter.unknown))}")
    standings = [item_size(item) for item in stored if item["item"]["S"] == "standing"]
    return Usage(
        reminders=reminders,
        phases=dict(meter.phases),
        loaded=dict(loaded),
        customer_bytes=stored_bytes(stored, meter.indexes[cloud.stack.customers_table]) / customers,
        record_bytes=stored_bytes(contacts, meter.indexes[cloud.stack.contacts_table]) / len(contacts),
        record_size=sum(map(item_size, contacts)) / len(contacts),
        standing_size=sum(standings) / len(standings),
        metrics=frozenset(meter.metrics),
        functions=functions,
        file_bytes=len(first),
    )


def indexes(table: str) -> tuple[Index, ...]:
    described = boto3.client("dynamodb").describe_table(TableName=table)["Table"]
    keys = tuple(key["AttributeName"] for key in described["KeySchema"])
    found = []
    for index in described.get("GlobalSecondaryIndexes", ()):
        if index["Projection"]["ProjectionType"] != "KEYS_ONLY":
            raise UnmeteredError(f"index {index['IndexName']} projects more than keys")
        found.append(Index(index["IndexName"], tuple(key["AttributeName"] for key in index["KeySchema"]), keys))
    return tuple(found)


def _due_on(customer: int) -> date:
    return _FIRST_DUE + timedelta(days=customer // 20 % _DUE_DAYS)


def _pays_on(customer: int) -> date | None:
    days = next(days for below, days in _PAYS_AFTER_DAYS if customer % 20 < below)
    return None if days is None else _due_on(customer) + timedelta(days=days)


def file_of(customers: range | list[int], today: date) -> bytes:
    """Write the customers' rows as of a day: twelve instalments, three paid; one in ten has a second account."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number in customers:
        for account in range(2 if number % 10 == 0 else 1):
            writer.writerows(row.values() for row in _rows(number, account, today))
    return text.getvalue().encode()


def _rows(number: int, account: int, today: date) -> Iterator[Row]:
    amount = str(3250 + number % 700)
    row = Row(
        customer_id=f"C{number:07d}",
        name=("王小明", "陳美麗", "歐陽大文", "林志", "John Smith")[number % 5],
        phone=f"09{number + 12_000_000:08d}",
        country="TW",
        language="zh-Hant",
        lender="demo-tw",
        account_id=f"A{number:07d}-{account + 1}",
        account_number=f"TW{number + 20_260_000_000:011d}",
        currency="TWD",
        product="手機",
        instalment_no="",
        due_on="",
        amount=amount,
    )
    paid_on = _pays_on(number)
    for instalment in range(_INSTALMENTS):
        due_on = _due_on(number) + timedelta(days=30 * (instalment - _PAID_BEFORE))
        paid = instalment < _PAID_BEFORE or (instalment == _PAID_BEFORE and paid_on is not None and paid_on <= today)
        when = (paid_on if instalment == _PAID_BEFORE else due_on) if paid else None
        yield replace(
            row,
            instalment_no=str(instalment + 1),
            due_on=due_on.isoformat(),
            paid_on=when.isoformat() if when else "",
            paid_amount=amount if paid else "",
        )
