"""
What a million reminders cost: the AWS bill by service, and the carrier fee beside it.

    python -m tests.bench.cost [--region ap-northeast-1] [--customers 240]

Counted: calls, request units, requests, bytes of log, from a month of the real handlers (`usage`). Measured: CPU, with
the wire answered from memory (`cpu`). Assumed, and printed: how long AWS takes to answer, and how fast its cores are.
Prices are `aws_prices.toml`, carrier fees `policy/data/prices.toml`.
"""

import argparse
import contextlib
import json
import logging
import math
import multiprocessing
import os
import statistics
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import tests.local  # noqa: F401 - puts the layer on the path
from tests.bench import cpu, intake_rows
from tests.bench.aws_prices import Price, PriceError, PriceList, load_prices
from tests.bench.beside import ENVIRONMENT, cpu_seconds
from tests.bench.usage import (
    CHANGED,
    EVENTS,
    IDLE,
    LOG_EVENT_OVERHEAD,
    NEW,
    QUEUE,
    SCANNER,
    SENDER,
    UNCHANGED,
    Phase,
    Usage,
    month_of,
)
from tests.local import ROOT
from tests.local.template import translate

TARGET, FLOOR, NAIVE = Decimal("3.50"), Decimal("0.70"), Decimal("10.00")
"""Dollars for a million reminders, carrier fee excluded (design, section 9)."""

MILLION = 1_000_000
GB = 1_000_000_000

MINUTES_A_MONTH = 43_800
MONTHS_KEPT = 60
"""Most places keep audit records for five years. Their lines of log stay for at least six, for pennies more."""

_ROWS, _ROWS_A_CUSTOMER = 12_000, 12

_WHOLE_CORE_MB = 1769
_POLLERS = 5
"""With how many an event source mapping polls a queue that is empty, each for 20 seconds."""

_COMPRESSION = 0.15
"""What CloudWatch Logs keeps of what it took in, compressed."""

_PLATFORM_BYTES, _PLATFORM_EVENTS = 900, 3
"""What Lambda itself logs of each invocation in JSON: start, runtime done, report."""

_A_KEY_IS_CACHED_MINUTES = 5
_USERS_OF_KEYS = 4
"""Scanner and sender on customers, sender on contacts, intake on customers: DynamoDB caches a table's key for each."""

_COUNTED_CHANGES = 3
"""Changes of a reminder that the tally counts: the claim, the record, the receipt."""

_STREAM_SHARDS = 2 * 4
"""A table on demand begins with four partitions, and each is a shard of its stream; there are two tables."""

_TALLY_WINDOWS_A_MONTH = 30 * 10 * 30
"""Windows of two minutes in which texts go out: ten hours on each day."""

_TALLY_COUNTERS_BYTES, _TALLY_LISTED_BYTES = 700, 15
"""The counters of a lender, day and shard; and what a change adds to the lists, by the length of an id."""

_TALLY_SECONDS = 0.06
"""Of the tally for a window: two writes after one another, and some dozen changes read."""

_PEOPLE, _HOURS, _DAYS_AT_WORK = 20, 8, 22
"""Who keeps Today open, for how long and how often a month."""

_POLLS_AN_HOUR = 3600 // 10

_CONSOLE_MB, _PAGE_SECONDS = 1024, 0.06
"""Of the console's function; and of a page: three calls after one another, and 10 to 30 ms of computing."""

_PAGE_READ_UNITS = 9
"""A session, and 31 days of one lender's counters, strongly consistent."""

_PAGE_LOG_BYTES = 300
"""A line of the access log, beside what Lambda itself logs."""

_DELIVERY_LOG = {
    "notification": {"messageId": "34d9b400-c6dd-5444-820d-fbeb0f1f54cf", "timestamp": "2026-12-01 02:00:03.123"},
    "delivery": {
        "phoneCarrier": "Chunghwa Telecom Co., Ltd.",
        "mnc": 92,
        "mcc": 466,
        "numberOfMessageParts": 1,
        "destination": "+886912345678",
        "priceInUSD": 0.0417,
        "smsType": "Transactional",
        "providerResponse": "Message has been accepted by phone carrier",
        "dwellTimeMs": 599,
        "dwellTimeMsUntilDeviceAck": 1344,
    },
    "status": "SUCCESS",
}
"""A delivery status record in the shape of the SNS developer guide, one for each text when logging is on."""


class Pace(NamedTuple):
    """
    How long a sender is busy, and what that is made of; seconds of one sender for one reminder.

    `paced` is the gap the sender keeps to stay within the account's rate, `answers` waiting for AWS, `computing` CPU.
    They overlap: the longest is what is paid for.
    """

    paced: float
    answers: float
    computing: float

    @property
    def seconds(self) -> float:
        """What Lambda bills."""
        return max(self)


@dataclass(frozen=True, slots=True)
class Machine:
    """
    What was measured and what is assumed of machines.

    CPU seconds of sender and scanner for one reminder, of the intake for one customer, measured here; `factor` is how
    much longer a core of Lambda is taken to need. The others are seconds until AWS answers.
    """

    sender_cpu: float
    scanner_cpu: float
    intake_cpu: float
    factor: float = 1.5
    dynamodb_answers: float = 0.006
    sns_answers: float = 0.060
    sqs_answers: float = 0.010

    def computing(self, cpu: float, memory_mb: int) -> float:
        """Return how long a function with that much memory, and its share of a core, computes."""
        return cpu * self.factor / min(1.0, memory_mb / _WHOLE_CORE_MB)

    def pace(self, *, memory_mb: int, per_second: float, senders: int) -> Pace:
        """Return how long one sender of several is busy with one reminder, at a rate they share."""
        workers = max(2, min(32, math.ceil(per_second / senders * 0.4)))  # as services.send.workers_for
        return Pace(
            senders / per_second,
            (self.dynamodb_answers + self.sns_answers) / workers,
            self.computing(self.sender_cpu, memory_mb),
        )


class Line(NamedTuple):
    """One line of a bill: `units` at a price."""

    price: Price
    units: float

    @property
    def dollars(self) -> Decimal:
        """What it costs."""
        return self.price.of(self.units)


def total(lines: Iterable[Line]) -> Decimal:
    """Add lines up."""
    return sum((line.dollars for line in lines), Decimal(0))


class Bill:
    """What was used, priced."""

    def __init__(self, usage: Usage, prices: PriceList, machine: Machine, template: "Declared") -> None:
        self._usage = usage
        self._prices = prices.prices
        self._machine = machine
        self._template = template
        self.per_second = int(usage.functions[SENDER].environment["SMS_PER_SECOND"])
        self.senders, self.memory_mb = template.senders[self.per_second]

    def reminders(
        self, *, memory_mb: int = 0, per_second: int = 0, times: float = MILLION, requests_to_sns: bool = True
    ) -> list[Line]:
        """
        Price reminders: what scanner, queue and sender use for each, beyond what runs whether anything is due or not.

        Args:
            memory_mb: another size of the sender than the template's.
            per_second: another rate, of all the senders that share it in the template.
            times: how many reminders.
            requests_to_sns: whether a text is billed as a request to SNS, beside its fee.
        """
        usage, each = self._usage, times / self._usage.reminders
        sender, scanner, queue = usage.phases[SENDER], self._scanner(), usage.phases[QUEUE]
        per_second = per_second or self.per_second
        senders = self._template.senders[per_second]
        memory_mb = memory_mb or senders.memory_mb
        pace = self._machine.pace(memory_mb=memory_mb, per_second=per_second, senders=senders.at_work)
        scanning = self._machine.computing(self._machine.scanner_cpu, usage.functions[SCANNER].memory_mb)
        scanning += self._machine.sqs_answers / 10  # ten jobs a call, one call after the other
        lines = [
            self._line("dynamodb_write", (sender.write_units + scanner.write_units) * each),
            self._line("dynamodb_read", (sender.read_units + scanner.read_units) * each),
            self._line(
                "lambda_gb_second",
                times * (pace.seconds * memory_mb + scanning * usage.functions[SCANNER].memory_mb) / 1024,
            ),
            self._line("lambda_request", sender.invocations * each),
            self._line("sqs_request", (scanner.sqs_requests + queue.sqs_requests) * each),
            self._line("logs_ingested", (_logged(sender) + scanner.log_size) * each / GB),
            self._line("event", sender.calls[EVENTS] * each),
        ]
        if requests_to_sns:
            lines.append(self._line("sns_request", sender.calls["sns.Publish"] * each))
        return lines

    def delivery_status(self) -> list[Line]:
        """Price a million records of delivery, written by SNS when its logging is on."""
        size = len(json.dumps(_DELIVERY_LOG)) + LOG_EVENT_OVERHEAD
        return [self._line("logs_ingested", MILLION * size / GB)]

    def of_channel(self, way: "Way") -> list[Line]:
        """Price a million messages by a gateway: sending as a text by SNS, and what comes back as a message each."""
        events = MILLION * way.events
        sending = self.reminders(requests_to_sns=way.gateway == "sns")
        recorded = self._line("dynamodb_write", MILLION)  # one of the events changes the record
        if way.gateway == "sns":
            return [*sending, *self.delivery_status(), recorded]
        if not events:
            return sending
        by_webhook = way.gateway == "line_notification"
        return [
            *sending,
            self._line("http_api_request" if by_webhook else "sns_request", events),
            self._line("sqs_request", events * _SQS_REQUESTS_AN_EVENT),
            self._line("lambda_request", events / 10),
            recorded,
        ]

    def tally(self) -> list[Line]:
        """Price the counting of a million reminders of one lender in a month. Lambda reads a stream free of charge."""
        windows = min(_COUNTED_CHANGES * MILLION, _STREAM_SHARDS * _TALLY_WINDOWS_A_MONTH)
        listed = 200 + _COUNTED_CHANGES * MILLION / windows * _TALLY_LISTED_BYTES
        units = math.ceil(_TALLY_COUNTERS_BYTES / 1024) + math.ceil(listed / 1024)
        memory_mb = self._usage.functions["tally"].memory_mb
        return [
            self._line("dynamodb_write", windows * units),
            self._line("lambda_request", 2 * windows),  # each window is closed by an empty call
            self._line("lambda_gb_second", windows * _TALLY_SECONDS * memory_mb / 1024),
        ]

    def loading(self, part: str) -> list[Line]:
        """Price the loading of a million customers who are new, changed or unchanged."""
        usage = self._usage
        phase, each = usage.phases[part], MILLION / usage.loaded[part]
        function = usage.functions["intake"]
        writes = phase.calls["dynamodb.PutItem"] / usage.loaded[part]
        seconds = self._machine.computing(self._machine.intake_cpu, function.memory_mb)
        seconds += writes * self._machine.dynamodb_answers / 8  # eight at the same time
        return [
            self._line("dynamodb_write", phase.write_units * each),
            self._line("dynamodb_read", phase.read_units * each),
            self._line("lambda_gb_second", MILLION * seconds * function.memory_mb / 1024),
            self._line("logs_ingested", phase.log_size * each / GB),
            self._line("s3_storage", 8 / 30 * usage.file_bytes * MILLION / usage.loaded[NEW] / GB),  # for 8 days
        ]

    def keeping(self) -> Mapping[str, list[Line]]:
        """Price a month of keeping a million customers, and a million records with their lines of log."""
        usage = self._usage
        customers = usage.customer_bytes * MILLION / GB
        records = usage.record_bytes * MILLION / GB
        logs = _logged(usage.phases[SENDER]) / usage.reminders * MILLION / GB * _COMPRESSION
        return {
            "a million customers": [
                self._line("dynamodb_storage", customers),
                self._line("dynamodb_pitr", customers),
            ],
            "a million audit records, and why": [
                self._line("dynamodb_storage", records),
                self._line("dynamodb_pitr", records),
                self._line("logs_stored", logs),
            ],
        }

    def infrequent_access(self) -> tuple[Decimal, Decimal]:
        """Return what the other table class saves a month on a million records, and what it adds to writing them."""
        records = self._usage.record_bytes * MILLION / GB
        units = math.ceil(self._usage.record_size / 1024) * MILLION
        saved, added = (
            self._prices[f"dynamodb_{what}"].of(amount) - self._prices[f"dynamodb_{what}_ia"].of(amount)
            for what, amount in (("storage", records), ("write", units))
        )
        return saved, -added

    def fixed(self) -> list[tuple[str, Line]]:
        """Price what runs in a month whether anything is due or not."""
        usage = self._usage
        idle = usage.phases[IDLE]
        scanner = usage.functions[SCANNER]
        waiting = 2 * self._machine.sqs_answers + 4 * self._machine.dynamodb_answers
        seconds = self._machine.computing(10 * self._machine.scanner_cpu, scanner.memory_mb) + waiting
        ticks = MINUTES_A_MONTH
        return [
            ("the key", self._line("kms_key", 1)),
            ("the key, used", self._line("kms_request", _USERS_OF_KEYS * ticks / _A_KEY_IS_CACHED_MINUTES)),
            ("ticks", self._line("scheduler", ticks)),
            ("ticks", self._line("lambda_request", ticks)),
            ("ticks", self._line("lambda_gb_second", ticks * seconds * scanner.memory_mb / 1024)),
            ("ticks", self._line("dynamodb_read", ticks * idle.read_units)),
            ("ticks", self._line("sqs_request", ticks * idle.sqs_requests)),
            ("ticks", self._line("logs_ingested", ticks * _logged(idle) / GB)),
            ("polling an empty queue", self._line("sqs_request", _POLLERS * ticks * 3)),
            ("metrics", self._line("metric", len(usage.metrics))),
            ("alarms", self._line("alarm", self._template.alarms)),
        ]

    def console(self) -> tuple[list[Line], list[Line]]:
        """Price the console for a month: what it costs if nobody looks, and what people who poll add."""
        at_work = _PEOPLE * _HOURS * _DAYS_AT_WORK
        polls = at_work * _POLLS_AN_HOUR
        logged = _PAGE_LOG_BYTES + _PLATFORM_BYTES + (1 + _PLATFORM_EVENTS) * LOG_EVENT_OVERHEAD
        idle = [
            self._line("alarm", self._template.console_alarms),
            self._line("metric", 2),  # what is revealed, and what is not
            self._line("dashboard", 1),
        ]
        used = [
            self._line("http_api_request", polls),
            self._line("lambda_request", polls),
            self._line("lambda_gb_second", polls * _PAGE_SECONDS * _CONSOLE_MB / 1024),
            self._line("dynamodb_read", polls * _PAGE_READ_UNITS),
            self._line("dynamodb_write", at_work * 60),  # once a minute that a session is used
            self._line("logs_ingested", polls * logged / GB),
        ]
        return idle, used

    def _scanner(self) -> Phase:
        """What the scanner uses for jobs: a tick costs the same whether it finds any."""
        scanner = self._usage.phases[SCANNER]
        return scanner.without(scanner.invocations, self._usage.phases[IDLE])

    def _line(self, price: str, units: float) -> Line:
        return Line(self._prices[price], units)


def _logged(phase: Phase) -> int:
    platform = phase.invocations * (_PLATFORM_BYTES + _PLATFORM_EVENTS * LOG_EVENT_OVERHEAD)
    return phase.log_size + platform


class Way(NamedTuple):
    """A gateway, and how many events come back for each message that arrives at once."""

    name: str
    channel: str
    gateway: str
    events: int


WAYS = (
    Way("SMS by SNS", "sms", "sns", 0),
    Way("SMS by End User Messaging", "sms", "eum", 1),
    Way("e-mail by SES", "email", "ses", 1),
    Way("LINE to friends", "line", "line", 0),
    Way("LINE notice to a number", "line", "line_notification", 1),
    Way("a call of a minute", "voice", "eum_voice", 4),
    Way("WhatsApp template", "whatsapp", "whatsapp", 3),
)
"""What comes back: delivered; initiated, ringing, answered, completed; sent, delivered, read. LINE tells nothing."""

_SQS_REQUESTS_AN_EVENT = 1.2
"""One to queue it, and a tenth each to receive and to delete."""

LINE_PLAN = (Decimal(1200), 6000, Decimal("0.2"), Decimal(31))
"""LINE's largest plan in Taiwan: NT$ a month, messages in it, NT$ for each further one at most, NT$ to the dollar."""

TEXTS_OF_AN_INSTALMENT = 2.1
"""Texts until an instalment is paid, and of the next one's first stage, within 30 days; as `scale` plays it."""

PORTFOLIO = 100_000
"""Customers, each with one instalment a month."""


def line_in_taiwan(messages: int) -> Decimal:
    """Return what LINE charges for the messages of a month, in dollars: at most, as the price falls with the number."""
    monthly, included, further, to_the_dollar = LINE_PLAN
    return (monthly + max(0, messages - included) * further) / to_the_dollar


class Fees(NamedTuple):
    """Carrier fees: dollars for one segment, by country of the number; and of other channels, for one message."""

    per_segment: Mapping[str, Decimal]
    source: str
    mark: str
    checked_on: str
    per_message: Mapping[str, Mapping[str, Decimal]]
    marks: Mapping[str, str]

    def of_channel(self, channel: str, country: str, messages: int) -> Decimal:
        """Return the fee of messages of one segment each."""
        by_country = self.per_segment if channel == "sms" else self.per_message[channel]
        return messages * by_country.get(country, by_country["default"])

    def million(self, country: str, segments: int = 1) -> Decimal:
        """Return what a million texts of so many segments cost."""
        return MILLION * segments * self.per_segment.get(country, self.per_segment["default"])


def load_fees() -> Fees:
    """Read the carrier fees that reports and audit records use as well."""
    written = tomllib.loads((files("dunning.policy") / "data" / "prices.toml").read_text("utf-8"))
    return Fees(
        {country: Decimal(price) for country, price in written["per_segment"].items()},
        written["source"],
        written["mark"],
        written["checked_on"].isoformat(),
        {
            name: {country: Decimal(price) for country, price in table["per_message"].items()}
            for name, table in written.items()
            if isinstance(table, dict) and "per_message" in table
        },
        {name: table["mark"] for name, table in written.items() if isinstance(table, dict) and "mark" in table},
    )


class Senders(NamedTuple):
    """How many senders share a rate, and how big each is."""

    at_work: int
    memory_mb: int


class Declared(NamedTuple):
    """What the template declares: its alarms, the senders for each rate that can be chosen, the console's alarms."""

    alarms: int
    senders: Mapping[int, Senders]
    console_alarms: int = 0


def declared() -> Declared:
    """Read the template."""
    with patch.dict(os.environ, {"AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "ap-northeast-1")}):
        template = translate(ROOT / "template.yaml")
    alarms = [each for each in template["Resources"].values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    of_the_console = sum(alarm.get("Condition") == "HasConsole" for alarm in alarms)
    return Declared(
        len(alarms) - of_the_console,
        {
            int(rate): Senders(int(row["AtWork"]), int(row["MemoryMb"]))
            for rate, row in template["Mappings"]["Senders"].items()
        },
        of_the_console,
    )


def measured() -> Machine:
    """Measure the CPU of the functions here, with the wire answered from memory, in a process and on a core alone."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        return alone.submit(_measure).result()


def _measure(rounds: int = 3) -> Machine:
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:1]))
    os.environ.update(ENVIRONMENT)

    def middle(work: Callable[[], None]) -> float:
        work()  # warms up
        return statistics.median(cpu_seconds(work) for _ in range(rounds)) / cpu.CUSTOMERS

    def load() -> None:
        intake_rows.load(path)

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        sender, scanner = map(middle, cpu.Bench().ours())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "accounts.csv")
        intake_rows.write_file(path, _ROWS)
        a_row = cpu_seconds(load) / _ROWS
    return Machine(sender, scanner, _ROWS_A_CUSTOMER * a_row)


# ------------------------------------------------------------------ the report


def report(bill: Bill, usage: Usage, prices: PriceList, fees: Fees, machine: Machine) -> Iterator[str]:
    """Yield the lines a manager reads."""
    lines = bill.reminders()
    price = total(lines)
    yield f"AWS for a million reminders in {prices.region}: list prices of {prices.checked_on}, nothing free"
    yield ""
    yield from _table(lines)
    yield f"  {'total':53} {price:10.2f}"
    yield f"  {'target, carrier fee excluded':53} {TARGET:10.2f}   {_verdict(price)}"
    yield f"  {'floor (one write, one publish) and a naive design':53} {FLOOR:10.2f}   and {NAIVE:.2f}"
    yield ""
    yield from _duration(bill, machine)
    yield ""
    yield "What would change it"
    yield from _levers(bill, price)
    yield ""
    yield "Beside each million reminders"
    yield f"  {'delivery status logged by SNS, each text (make sms-settings)':62} {total(bill.delivery_status()):8.2f}"
    yield f"  {'counted by lender and day, in windows of two minutes':62} {total(bill.tally()):8.2f}"
    for part in (NEW, CHANGED, UNCHANGED):
        yield f"  {f'a million {part} loaded':62} {total(bill.loading(part)):8.2f}"
    with_loading = price + total(bill.loading(CHANGED))
    yield f"  {'reminders with one changed customer loaded for each':62} {with_loading:8.2f}"
    yield ""
    yield "Kept, a month"
    for what, kept in bill.keeping().items():
        yield f"  {what:62} {total(kept):8.2f}"
    records = total(bill.keeping()["a million audit records, and why"])
    years = f"a million audit records, over the {MONTHS_KEPT // 12} years they are kept"
    yield f"  {years:62} {MONTHS_KEPT * records:8.2f}"
    cheaper, dearer = bill.infrequent_access()
    yield (
        f"  {'the same in table class STANDARD_INFREQUENT_ACCESS ?':62} {MONTHS_KEPT * (records - cheaper):8.2f}"
        f"   and {dearer:+.2f} for writing them"
    )
    yield ""
    yield "Fixed, a month, whether anything is due or not"
    yield from _fixed(bill)
    yield ""
    idle, used = bill.console()
    yield "The console, a month, if there is one; a reminder makes no call more for it"
    yield f"  {'alarms, metrics and a dashboard':62} {total(idle):8.2f}  ?"
    polling = f"{_PEOPLE} people who keep Today open, {_HOURS} hours on {_DAYS_AT_WORK} days"
    yield f"  {polling:62} {total(used):8.2f}  ?"
    yield ""
    yield from _carriers(fees, price)
    yield ""
    yield from _channels(bill, fees)
    yield ""
    yield from _notes(usage, prices, machine)


def _table(lines: Sequence[Line]) -> Iterator[str]:
    price = total(lines)
    yield f"  {'service':16} {'what':23} {'units':>12} {'unit price':>20} {'dollars':>8}  share"
    for line in sorted(lines, key=lambda line: -line.dollars):
        per = "" if line.price.per == 1 else f" / {_short(line.price.per)}"
        yield (
            f"  {line.price.service:16} {line.price.what:23} {_units(line.units):>12} "
            f"{f'{line.price.dollars:f}{per}':>20} {line.dollars:8.2f} {_percent(line.dollars, price):>6}"
            f"{'  ?' if line.price.mark == 'M' else ''}"
        )


def _duration(bill: Bill, machine: Machine) -> Iterator[str]:
    pace = machine.pace(memory_mb=bill.memory_mb, per_second=bill.per_second, senders=bill.senders)
    why = max(
        (pace.paced, f"because it keeps the pace of {bill.per_second:g} texts a second"),
        (pace.answers, "because it waits for AWS"),
        (pace.computing, "because it computes"),
    )[1]
    yield (
        f"Lambda: a sender of {bill.memory_mb} MB is busy for {1000 * pace.seconds:.0f} ms a reminder, {why} "
        f"(waiting for AWS {1000 * pace.answers:.0f} ms, computing {1000 * pace.computing:.1f} ms)."
    )


def _levers(bill: Bill, price: Decimal) -> Iterator[str]:
    options = [
        (f"the sender with {size} MB", bill.reminders(memory_mb=size)) for size in (512, 256) if size != bill.memory_mb
    ]
    options += [
        (f"a quota of {rate} texts a second", bill.reminders(per_second=rate))
        for rate in (100, 200)
        if rate > bill.per_second
    ]
    options += [
        ("if SNS bills no request beside a text's fee", bill.reminders(requests_to_sns=False)),
    ]
    for what, lines in options:
        other = total(lines)
        yield f"  {what:53} {other:10.2f}   {other - price:+.2f}"


def _fixed(bill: Bill) -> Iterator[str]:
    by_name: dict[str, list[Line]] = {}
    for name, line in bill.fixed():
        by_name.setdefault(name, []).append(line)
    for name, lines in by_name.items():
        detail = f"{_units(lines[0].units)} {lines[0].price.what}" if len(lines) == 1 else "each minute"
        yield f"  {f'{name}: {detail}':62} {total(lines):8.2f}"
    yield f"  {'total':62} {total(line for _, line in bill.fixed()):8.2f}"


def _carriers(fees: Fees, price: Decimal) -> Iterator[str]:
    yield f"The carrier fee of a million texts ({fees.source}, {fees.checked_on}, mark {fees.mark}), in dollars"
    yield f"  {'number of':10} {'1 segment':>12} {'2 segments':>12} {'3 segments':>12}   AWS beside one segment"
    for country in fees.per_segment:
        cells = " ".join(f"{fees.million(country, segments):12,.0f}" for segments in (1, 2, 3))
        name = "elsewhere" if country == "default" else country
        yield f"  {name:10} {cells}   {_percent(price, fees.million(country))}"
    for country in fees.per_segment:
        if country != "default":
            yield worth_of_a_segment(country, fees.million(country), price)


def _channels(bill: Bill, fees: Fees) -> Iterator[str]:
    yield "A million messages of one segment in Taiwan, by channel, in dollars"
    yield f"  {'channel':28} {'AWS':>8} {'fee':>12}"
    for way in WAYS:
        fee = fees.of_channel(way.channel, "TW", MILLION)
        doubt = "  ?" if fees.marks.get(way.channel, fees.mark) == "M" else ""
        yield f"  {way.name:28} {total(bill.of_channel(way)):8.2f} {fee:12,.0f}{doubt}"
    messages = int(PORTFOLIO * TEXTS_OF_AN_INSTALMENT)
    yield (
        f"A month of {PORTFOLIO:,} customers in Taiwan, one instalment each, {TEXTS_OF_AN_INSTALMENT} messages an "
        f"instalment: {messages:,} messages"
    )
    for way in WAYS[:4]:
        fee = line_in_taiwan(messages) if way.channel == "line" else fees.of_channel(way.channel, "TW", messages)
        aws = total(bill.of_channel(way)) * messages / MILLION
        yield f"  {way.name:28} {aws:8.2f} {fee:12,.0f}"


def worth_of_a_segment(country: str, fee: Decimal, price: Decimal) -> str:
    """Say what a second segment that is avoided is worth."""
    return (
        f"One avoided second segment in {country} is worth ${fee:,.0f} for a million texts: "
        f"{fee / price:,.0f} times the AWS bill."
    )


def _notes(usage: Usage, prices: PriceList, machine: Machine) -> Iterator[str]:
    marks = ", ".join(f"{count} {mark}" for mark, count in prices.marks().items())
    yield (
        f"Counted: {usage.reminders} reminders to customers with 12 to 24 instalments in a month, audit record "
        f"{usage.record_size:.0f} bytes, standing {usage.standing_size:.0f} bytes (1,024 are one write unit)."
    )
    yield (
        f"Measured here on one core: sender {1000 * machine.sender_cpu:.2f} ms CPU a reminder, scanner "
        f"{1000 * machine.scanner_cpu:.2f}, intake {1000 * machine.intake_cpu:.2f} a customer."
    )
    yield (
        f"Assumed: a core of Lambda needs {machine.factor:g} times as long; DynamoDB answers in "
        f"{1000 * machine.dynamodb_answers:.0f} ms, SNS in {1000 * machine.sns_answers:.0f}, SQS in "
        f"{1000 * machine.sqs_answers:.0f}; DynamoDB asks KMS once in {_A_KEY_IS_CACHED_MINUTES} minutes for each role"
    )
    yield f"and table; {_POLLERS} pollers; {_COMPRESSION:.0%} of a log is left when compressed."
    yield "Left out: cold starts, data transfer, tax."
    yield f"Prices: {marks} (V2 second hand, M from memory, here marked ?). Look at the source before you rely on an M."


def _verdict(price: Decimal) -> str:
    return "held" if price <= TARGET else f"missed by {price - TARGET:.2f}"


def _percent(part: Decimal, whole: Decimal) -> str:
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 1 else f"{share:.2g} %"


def _short(count: int) -> str:
    return {MILLION: "million", 1_000: "thousand"}.get(count, f"{count:,}")


def _units(units: float) -> str:
    return f"{units:,.0f}" if units >= 100 else f"{units:.3g}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report and return the exit code: it is a report, not a test."""
    parser = argparse.ArgumentParser(prog="make cost", description="Print what a million reminders cost.")
    parser.add_argument("--region", default="", help="of the price file; by default its default_region")
    parser.add_argument("--customers", type=int, default=240, help="how many to count, a multiple of 20")
    arguments = parser.parse_args(argv)
    try:
        prices = load_prices(arguments.region)
    except PriceError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it misses a place to publish statistics to
    machine = measured()
    usage = month_of(arguments.customers)
    bill = Bill(usage, prices, machine, declared())
    sys.stdout.writelines(f"{line}\n" for line in report(bill, usage, prices, load_fees(), machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
