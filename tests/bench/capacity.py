"""
The capacity model: what a portfolio needs of AWS at a rate in a region, what it costs a day, and what gives way first.

    python -m tests.bench.capacity [--instalments 100000000] [--reminders 10000000] [--rate 700] [--shards 4]
        [--region ap-northeast-1] [--country TW]

All of it is arithmetic over four kinds of figures: what each text uses (`BY_DESIGN`, held against counted calls by a
test), how a portfolio is spread over days (held against `scale`), what AWS allows (`aws_quotas.toml`), and what it
bills (`aws_prices.toml`). What the stack itself limits is read from `template.yaml`.
"""

import argparse
import math
import os
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple
from unittest.mock import patch

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

import tests.local  # noqa: F401 - puts the layer on the path
from tests.bench.aws_prices import Price, PriceError, load_prices
from tests.bench.cost import GB, MILLION, TEXTS_OF_AN_INSTALMENT, Fees, Line, Machine, load_fees, total
from tests.bench.file_load import FileLoad, answer
from tests.local import ROOT
from tests.local.template import translate

FILE = Path(__file__).with_name("aws_quotas.toml")

MACHINE = Machine(sender_cpu=0.0018, scanner_cpu=0.00007, intake_cpu=0.001)
"""CPU as `make cost` measures it where nothing else runs, and the seconds until AWS answers, as it assumes them."""

_TICK_SECONDS = 60
_BATCH = 25
_JOBS_A_CALL = 10
_TEXTS_OF_A_SENDER = 50
"""At most so many a second, each: more senders share a higher rate (`Mappings.Senders`)."""

_LARGE_SENDER_MB = 512
_SWITCH_TRUSTED_SECONDS = 30
_INDEX_ENTRY_BYTES = 230
"""One entry of the due index: its keys and their names. A page of a query holds 1 MB of them."""

_PAGE_BYTES = 1024 * 1024
_SECONDS_A_MB = 0.1
_UTILISATION = 0.8
"""How much of provisioned capacity is planned to be used: what is left takes the unevenness within a minute."""

_HEADROOM = 1.25
"""How much more to ask of AWS than is needed."""

_MOST_TEXTS_A_WEEK = 3
"""The strictest cap of the sample policies: nobody gets more, so no portfolio can."""

_ROWS_A_SECOND = 10_100
_LOADS_AT_ONCE = 2
"""How fast one file of accounts is read (benchmarks.md), and how many are read side by side."""


# ------------------------------------------------------------------ what is known


class Quota(BaseModel):
    """A limit of AWS, where it is the same everywhere or by region. `mark` is as in the price file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str = Field(min_length=2)
    what: str = Field(min_length=2)
    limit: int = Field(gt=0)
    adjustable: bool
    mark: Literal["V", "V2", "M"]
    source: str = Field(min_length=3)
    regions: Mapping[str, int] = Field(default_factory=dict)

    def in_region(self, region: str) -> int:
        """Return the limit that holds in a region."""
        return self.regions.get(region, self.limit)


class Known(NamedTuple):
    """Quotas and prices of a region."""

    region: str
    checked_on: date
    quotas: Mapping[str, Quota]
    prices: Mapping[str, Price]

    def limit(self, name: str) -> int:
        """Return a quota of the region."""
        return self.quotas[name].in_region(self.region)

    def marks(self) -> Sequence[str]:
        """Return the marks of all quotas and prices."""
        return [quota.mark for quota in self.quotas.values()] + [price.mark for price in self.prices.values()]


def load_known(region: str = "", file: Path = FILE) -> Known:
    """
    Read quotas and prices of a region. Provisioned prices that a region does not name are the default region's.

    Raises:
        PriceError: there are no prices of that region.
        pydantic.ValidationError: a quota or a price is not as it should be.
    """
    listed = load_prices(region)
    written = tomllib.loads(file.read_text("utf-8"))
    table = TypeAdapter(dict[str, Price])
    prices = dict(listed.prices)
    for name in (load_prices().region, listed.region):
        prices |= table.validate_python(written["price"].get(name, {}))
    return Known(
        listed.region,
        written["checked_on"],
        TypeAdapter(dict[str, Quota]).validate_python(written["quota"]),
        prices,
    )


class Template(NamedTuple):
    """What `template.yaml` limits: the seconds of a tick, senders by rate, and what else may be at work."""

    tick_seconds: int
    senders: Mapping[int, tuple[int, int]]
    others_at_work: int
    shards: int
    loaders: int = 4
    part_bytes: int = 16 << 20
    intake_mb: int = 1769
    intake_disk_mb: int = 10_240

    def senders_for(self, rate: float) -> tuple[int, int]:
        """Return how many senders share a rate, and their memory; beyond the template's rates by its own rule."""
        for listed in sorted(self.senders):
            if rate <= listed:
                return self.senders[listed]
        return max(2, math.ceil(rate / _TEXTS_OF_A_SENDER)), _LARGE_SENDER_MB

    @property
    def highest_rate(self) -> int:
        """The highest rate that can be chosen."""
        return max(self.senders)


def load_template() -> Template:
    """Read the limits of the stack."""
    with patch.dict(os.environ, {"AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "ap-northeast-1")}):
        template = translate(ROOT / "template.yaml")
    resources: Mapping[str, Any] = template["Resources"]
    loaders = str(template["Parameters"]["FileLoaders"]["Default"])
    at_work = [int(template["Mappings"]["Loaders"][loaders]["Reserved"])]
    at_work += [
        found
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::Function"
        for found in [resource["Properties"].get("ReservedConcurrentExecutions", 0)]
        if isinstance(found, int)  # the intake's follows from its loaders
    ]
    at_work += [
        found
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
        for found in [resource["Properties"].get("ScalingConfig", {}).get("MaximumConcurrency", 0)]
        if isinstance(found, int)  # the senders' follows from the rate
    ]
    return Template(
        int(resources["ScannerFunction"]["Properties"]["Timeout"]),
        {
            int(rate): (int(row["AtWork"]), int(row["MemoryMb"]))
            for rate, row in template["Mappings"]["Senders"].items()
        },
        sum(at_work),
        int(template["Parameters"]["DueShards"]["Default"]),
        int(loaders),
        -(-int(template["Parameters"]["SplitAbove"]["Default"]) // 4),
        int(resources["IntakeFunction"]["Properties"]["MemorySize"]),
        int(resources["IntakeFunction"]["Properties"]["EphemeralStorage"]["Size"]),
    )


class EachText(NamedTuple):
    """What one text uses, the audit record included, when batches are full."""

    table_writes: float
    index_writes: float
    record_writes: float
    reads: float
    publishes: float
    sqs_requests: float
    batches: float
    log_bytes: float

    @property
    def writes(self) -> float:
        """All write units."""
        return self.table_writes + self.index_writes + self.record_writes


LOG_OF_A_TEXT, LOG_OF_A_BATCH = 278, 275
"""Bytes of log: a decision to send, and what an invocation of the sender says of its batch."""

BY_DESIGN = EachText(
    table_writes=1,  # the claim: a standing of less than 1 KB
    index_writes=2,  # the old wake goes, the next comes
    record_writes=1,  # an audit record of less than 1 KB
    reads=2,  # facts and standing, strongly consistent, less than 4 KB each
    publishes=1,
    sqs_requests=3 / _JOBS_A_CALL,  # sent, received and deleted by tens
    batches=1 / _BATCH,  # an invocation, a PutEvents with an event of less than 64 KB
    log_bytes=LOG_OF_A_TEXT + LOG_OF_A_BATCH / _BATCH,
)

PAYMENT_WRITES, PAYMENT_INDEX_WRITES, PAYMENT_READS, PAYMENT_LOG_BYTES = 8.2, 4, 2, 450
"""
What the lender's news of one customer uses: facts of less than 2 KB, the standing, its place in the index.

A transaction bills each item twice. That it bills the index twice, too, is the dearer reading: AWS does not say.
"""

BUSIEST_DAY = 2.4
"""Texts of the busiest day, as a multiple of the average, where 40 % fall due on four days; as `scale` plays it."""

PREFERRED_HOUR, LAST_HOUR = 10.0, 20.5
"""Texts wake at the preferred hour of the sample policies, and go out until the hours end."""

WINDOW_SECONDS = (LAST_HOUR - PREFERRED_HOUR) * 3600


# ------------------------------------------------------------------ the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """
    Instalments that fall due in a month, one a customer, and the texts they lead to on an average day.

    `instalments_stored` of a customer are in the customer's record: twelve are some 2 KB.
    """

    instalments: int
    reminders_a_day: int
    busiest_day: float = BUSIEST_DAY
    instalments_stored: int = 12

    @property
    def most_reminders_a_day(self) -> int:
        """How many texts the caps allow on an average day."""
        return self.instalments * _MOST_TEXTS_A_WEEK // 7

    @property
    def payments_a_day(self) -> float:
        """News of the lender: each instalment is paid once a month."""
        return self.instalments / 30

    @property
    def busiest_reminders(self) -> float:
        """Texts of the busiest day."""
        return self.reminders_a_day * self.busiest_day

    @property
    def rate_needed(self) -> float:
        """Texts a second with which the busiest day is done within its hours."""
        return self.busiest_reminders / WINDOW_SECONDS


class Tick(NamedTuple):
    """What one tick of the scanner does at a rate while there is a backlog, and the seconds it takes."""

    jobs: int
    queries: int
    sends: int
    seconds: float


class Limit(NamedTuple):
    """Something that is limited: how much is used, how much there is, and the texts a second at which it is used up."""

    name: str
    used: float
    limit: float
    gives_way_at: float
    remedy: str
    mark: str

    @property
    def share(self) -> float:
        """The part that is used."""
        return self.used / self.limit


class Units(NamedTuple):
    """Capacity units: write and read units a second."""

    customers: float
    due_index: float
    contacts: float
    reads: float

    @property
    def writes(self) -> float:
        """All write units."""
        return self.customers + self.due_index + self.contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The answers for a portfolio, a rate and a region."""

    portfolio: Portfolio
    rate: float
    shards: int
    known: Known
    template: Template
    machine: Machine = MACHINE

    def minutes_to_send(self, texts: float) -> float:
        """Return how long so many texts take that wake at the same hour."""
        return texts / self.rate / 60

    def tick(self, rate: float = 0.0) -> Tick:
        """Return what a tick does, one call after the other."""
        jobs = math.floor((rate or self.rate) * _TICK_SECONDS)
        sends = math.ceil(jobs / _JOBS_A_CALL)
        page = min(max(1, math.ceil(jobs * 5 / 4 / self.shards)), _PAGE_BYTES // _INDEX_ENTRY_BYTES)
        queries = self.shards * max(1, math.ceil(jobs / self.shards / page))
        machine = self.machine
        seconds = machine.sqs_answers * (1 + sends) + machine.dynamodb_answers * queries
        seconds += jobs * _INDEX_ENTRY_BYTES / _PAGE_BYTES * _SECONDS_A_MB
        return Tick(jobs, queries, sends, seconds + machine.computing(machine.scanner_cpu * jobs, 512))

    @property
    def senders(self) -> int:
        """How many senders are at work."""
        return self.template.senders_for(self.rate)[0]

    @property
    def concurrency(self) -> int:
        """How many functions are at work, at most."""
        return self.senders + self.template.others_at_work

    @property
    def units(self) -> Units:
        """The units a second while texts go out, the lender's news of an average hour among them."""
        payments = self.portfolio.payments_a_day / 86_400
        return Units(
            self.rate * BY_DESIGN.table_writes + payments * (PAYMENT_WRITES - PAYMENT_INDEX_WRITES),
            self.rate * BY_DESIGN.index_writes + payments * PAYMENT_INDEX_WRITES,
            self.rate * BY_DESIGN.record_writes,
            self.rate * BY_DESIGN.reads + payments * PAYMENT_READS,
        )

    @property
    def shards_needed(self) -> int:
        """How many shards of the due index the rate needs, with headroom."""
        return math.ceil(self.units.due_index * _HEADROOM / self.known.limit("writes_of_a_partition"))

    def limits(self) -> list[Limit]:
        """Return everything that is limited, what gives way first at the head."""
        known, rate, units, tick = self.known, self.rate, self.units, self.tick()

        def quota(name: str, used: float) -> Limit:
            """Say how much of a quota is used; `used` grows with the rate."""
            found, limit = known.quotas[name], known.limit(name)
            ask = f"ask for {_round_up(used * _HEADROOM):,}" if found.adjustable else "AWS does not raise it"
            return Limit(f"{found.service}: {found.what}", used, limit, limit / used * rate, ask, found.mark)

        shard = known.limit("writes_of_a_partition") * self.shards
        beside_shards = units.due_index - rate * BY_DESIGN.index_writes
        limits = [
            quota("sms_a_second", rate * BY_DESIGN.publishes),
            Limit(
                "the stack: texts a second that can be chosen",
                rate,
                self.template.highest_rate,
                self.template.highest_rate,
                "add a row to Senders in template.yaml",
                "",
            ),
            Limit(
                "the stack: seconds of a tick",
                tick.seconds,
                self.template.tick_seconds,
                self._rate_of_a_full_tick(),
                "send jobs on several threads",
                "",
            ),
            Limit(
                f"DynamoDB: write units a second of {self.shards} shards of the due index",
                units.due_index,
                shard,
                (shard - beside_shards) / BY_DESIGN.index_writes,
                f"DueShards={self.shards_needed}",
                known.quotas["writes_of_a_partition"].mark,
            ),
            quota("writes_of_a_table", units.customers + units.due_index),
            quota("reads_of_a_table", units.reads),
            quota("writes_of_a_new_table", units.customers + units.due_index),
            quota("senders_of_a_queue", self.senders),
            Limit(
                "Lambda: functions at work at the same time",
                self.concurrency,
                known.limit("concurrency"),
                (known.limit("concurrency") - self.template.others_at_work) * _TEXTS_OF_A_SENDER,
                f"ask for {_round_up(self.concurrency * _HEADROOM):,}",
                known.quotas["concurrency"].mark,
            ),
            quota("in_flight", self.senders * 2 * _BATCH),
            quota("put_events", rate * BY_DESIGN.batches),
            quota("parameters", self.senders / _SWITCH_TRUSTED_SECONDS),
        ]
        return sorted(limits, key=lambda limit: (limit.gives_way_at, limit.name))

    def _rate_of_a_full_tick(self) -> float:
        """Return the highest rate whose tick still ends in time."""
        low, high = 1.0, 100_000.0
        while high - low > 1:
            middle = (low + high) / 2
            low, high = (middle, high) if self.tick(middle).seconds <= self.template.tick_seconds else (low, middle)
        return low

    def full_load_hours(self) -> float:
        """Return how long a file of all rows takes, as many at a time as the stack reads."""
        rows = self.portfolio.instalments * self.portfolio.instalments_stored
        return rows / (_ROWS_A_SECOND * _LOADS_AT_ONCE) / 3600

    def file_load(self, rows: int, *, unchanged: float = 0.0, is_new_table: bool = False) -> FileLoad:
        """Return the load of one file of so many rows."""
        return FileLoad(
            rows=rows,
            known=self.known,
            machine=self.machine,
            loaders=self.template.loaders,
            part_bytes=self.template.part_bytes,
            shards=self.shards,
            memory_mb=self.template.intake_mb,
            disk_mb=self.template.intake_disk_mb,
            unchanged=unchanged,
            is_new_table=is_new_table,
        )

    def rows_of_a_file(self) -> int:
        """Return the rows of the largest file that one invocation reads."""
        return _ROWS_A_SECOND * self.known.limit("seconds_of_a_load")

    # ------------------------------------------------------------------ dollars a day

    def _line(self, price: str, units: float) -> Line:
        return Line(self.known.prices[price], units)

    def beside_capacity(self, texts: float) -> list[Line]:
        """Price what texts cost beside the units of DynamoDB."""
        at_work, memory_mb = self.template.senders_for(self.rate)
        pace = self.machine.pace(memory_mb=memory_mb, per_second=self.rate, senders=at_work)
        scanning = self.machine.computing(self.machine.scanner_cpu, 512) + self.machine.sqs_answers / _JOBS_A_CALL
        return [
            self._line("sns_request", texts * BY_DESIGN.publishes),
            self._line("lambda_gb_second", texts * (pace.seconds * memory_mb + scanning * 512) / 1024),
            self._line("lambda_request", texts * BY_DESIGN.batches),
            self._line("sqs_request", texts * BY_DESIGN.sqs_requests),
            self._line("logs_ingested", texts * BY_DESIGN.log_bytes / GB),
            self._line("event", texts * BY_DESIGN.batches),
        ]

    def on_demand(self) -> list[Line]:
        """Price the units of DynamoDB of an average day on demand: texts, and the lender's news."""
        texts, payments = self.portfolio.reminders_a_day, self.portfolio.payments_a_day
        return [
            self._line("dynamodb_write", texts * BY_DESIGN.writes + payments * PAYMENT_WRITES),
            self._line("dynamodb_read", texts * BY_DESIGN.reads + payments * PAYMENT_READS),
        ]

    def provisioned(self) -> list[Line]:
        """
        Price the same with capacity that is provisioned, and scaled by the clock.

        What the pace needs is there from the preferred hour until the hours end, each day, the busiest included. At
        night it is what the lender's news needs.
        """
        hours = LAST_HOUR - PREFERRED_HOUR
        payments = self.portfolio.payments_a_day / 86_400
        day, night = self.units, Units(0, 0, 0, 0)
        night = night._replace(customers=payments * PAYMENT_WRITES, reads=payments * PAYMENT_READS)
        return [
            self._line("write_unit_hour", (day.writes * hours + night.writes * (24 - hours)) / _UTILISATION),
            self._line("read_unit_hour", (day.reads * hours + night.reads * (24 - hours)) / _UTILISATION),
        ]

    def news(self) -> list[Line]:
        """Price what the lender's news costs beside the units of DynamoDB: the queue, the function, its log."""
        payments = self.portfolio.payments_a_day
        seconds = self.machine.computing(0.001, 1769) + 2 * self.machine.dynamodb_answers / 8
        return [
            self._line("sqs_request", payments * BY_DESIGN.sqs_requests),
            self._line("lambda_gb_second", payments * seconds * 1769 / 1024),
            self._line("logs_ingested", payments * PAYMENT_LOG_BYTES / GB),
        ]

    def carrier(self, fees: Fees, country: str) -> Decimal:
        """Return the carrier fee of an average day, a segment a text."""
        return fees.million(country) * self.portfolio.reminders_a_day / MILLION


def _round_up(number: float) -> int:
    """Round up to two digits, as one asks for it."""
    if number <= 10:
        return math.ceil(number)
    step: int = 10 ** (math.floor(math.log10(number)) - 1)
    return math.ceil(number / step) * step


# ------------------------------------------------------------------ the report


def report(capacity: Capacity, fees: Fees, country: str) -> Iterator[str]:
    """Yield the lines that a manager and an engineer read."""
    yield from _portfolio(capacity)
    yield ""
    yield from _needs(capacity)
    yield ""
    yield from _limits(capacity)
    yield ""
    yield from _dollars(capacity, fees, country)
    yield ""
    yield from _to_ask(capacity, fees, country)
    yield ""
    yield from _notes(capacity)


def _row(what: str, number: str, more: str = "") -> str:
    return f"  {what:46} {number:>14}   {more}".rstrip()


def _portfolio(capacity: Capacity) -> Iterator[str]:
    portfolio = capacity.portfolio
    yield f"{portfolio.instalments:,} instalments due a month, in {capacity.known.region}"
    yield _row("texts on an average day", f"{portfolio.reminders_a_day:,}")
    yield _row("  the most that the caps allow", f"{portfolio.most_reminders_a_day:,}", "3 texts a customer in 7 days")
    yield _row(
        "texts on the busiest day",
        f"{portfolio.busiest_reminders:,.0f}",
        f"{portfolio.busiest_day:g} times the average",
    )
    yield _row("texts a second for the busiest day", f"{portfolio.rate_needed:,.1f}", "from 10:00 to 20:30")
    yield _row("texts a second of this answer", f"{capacity.rate:,.1f}")
    yield _row(
        "  the busiest day takes",
        f"{capacity.minutes_to_send(portfolio.busiest_reminders) / 60:,.1f} h",
        f"an average day {capacity.minutes_to_send(portfolio.reminders_a_day) / 60:,.1f} h",
    )
    if capacity.rate < portfolio.rate_needed:
        yield "  At that rate the busiest day is not done within its hours, and the rest goes out a day late."


def _needs(capacity: Capacity) -> Iterator[str]:
    tick, units = capacity.tick(), capacity.units
    yield "What it needs while texts go out"
    yield _row(
        "seconds of a tick",
        f"{tick.seconds:,.1f}",
        f"{tick.jobs:,} jobs, {tick.queries:,} queries, {tick.sends:,} calls to SQS",
    )
    yield _row("senders at work", f"{capacity.senders:,}", f"{capacity.concurrency:,} functions in all")
    yield _row("shards of the due index", f"{capacity.shards_needed:,}", f"this answer: {capacity.shards}")
    yield _row(
        "write units a second",
        f"{units.writes:,.0f}",
        f"customers {units.customers:,.0f}, due index {units.due_index:,.0f}, contacts {units.contacts:,.0f}",
    )
    yield _row("read units a second", f"{units.reads:,.0f}")
    yield _row(
        "hours for a file of all rows",
        f"{capacity.full_load_hours():,.1f}",
        f"one invocation reads at most {capacity.rows_of_a_file():,}; larger files in parts",
    )


def _limits(capacity: Capacity) -> Iterator[str]:
    yield "What gives way first, and at how many texts a second"
    yield f"  {'limit':64} {'used':>9} {'of':>9} {'share':>7} {'gives way at':>13}"
    for limit in capacity.limits():
        full = "  FULL" if limit.share > 1 else ""
        mark = " ?" if limit.mark == "M" else ""
        yield (
            f"  {limit.name + mark:64} {_short(limit.used):>9} {limit.limit:>9,} {limit.share:>7.0%} "
            f"{limit.gives_way_at:>13,.0f}{full}"
        )


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _dollars(capacity: Capacity, fees: Fees, country: str) -> Iterator[str]:
    beside = capacity.beside_capacity(capacity.portfolio.reminders_a_day) + capacity.news()
    on_demand, provisioned = capacity.on_demand(), capacity.provisioned()
    yield "Dollars on an average day"
    yield f"  {'':46} {'on demand':>14} {'provisioned':>14}"
    for what, first, second in (
        ("DynamoDB, capacity", on_demand, provisioned),
        ("everything else", beside, beside),
        ("AWS", on_demand + beside, provisioned + beside),
    ):
        yield f"  {what:46} {total(first):>14,.0f} {total(second):>14,.0f}"
    texts = capacity.portfolio.reminders_a_day
    yield _row(
        "AWS for a million texts, the news included",
        f"{total(on_demand + beside) / texts * MILLION:,.2f}",
        f"provisioned {total(provisioned + beside) / texts * MILLION:,.2f}",
    )
    fee = capacity.carrier(fees, country)
    yield _row(f"the carriers' fee, {country}, a segment a text", f"{fee:,.0f}", f"mark {fees.mark}")


def _to_ask(capacity: Capacity, fees: Fees, country: str) -> Iterator[str]:
    yield "What to ask AWS for, and what to change, before the first day"
    monthly = capacity.carrier(fees, country) * 30
    yield f"  SNS: a spend limit of ${_round_up(float(monthly) * _HEADROOM):,} a month (a new account has $1)"
    yield "  SNS: what each number and sender id may send (of message parts a second a US short code has 100)"
    for limit in capacity.limits():
        if limit.share > 1 / _HEADROOM:
            yield f"  {limit.name}: {limit.remedy}"
    if capacity.full_load_hours() > 10:
        yield "  Files of all rows do not fit into a night: send payments as events, and files of what has changed"


def _notes(capacity: Capacity) -> Iterator[str]:
    known, machine = capacity.known, capacity.machine
    marks = known.marks()
    counted = ", ".join(f"{marks.count(mark)} {mark}" for mark in ("V", "V2", "M"))
    yield (
        f"Quotas of {known.checked_on} and list prices: {counted} (V from AWS, V2 second hand, M from memory, here ?)."
    )
    yield (
        f"Assumed: DynamoDB answers in {1000 * machine.dynamodb_answers:.0f} ms, SNS in "
        f"{1000 * machine.sns_answers:.0f}, SQS in {1000 * machine.sqs_answers:.0f}; {_UTILISATION:.0%} of provisioned "
        "capacity is used;"
    )
    yield (
        f"{TEXTS_OF_AN_INSTALMENT} texts an instalment, {BUSIEST_DAY} times the average on the busiest day, as played."
    )
    yield "Left out: storage, fixed costs, delivery logs, replies, tax."


def _count(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _texts_a_second(text: str) -> float:
    number = float(text)
    if not 0 < number <= 100_000:
        raise argparse.ArgumentTypeError("must be more than 0, and at most 100,000")
    return number


def main(argv: Sequence[str] | None = None, write: Callable[[str], object] = sys.stdout.write) -> int:
    """Print the answer; return 1 if the caps do not allow so many texts, 2 if a region has no prices."""
    parser = argparse.ArgumentParser(
        prog="make capacity",
        description="Say what a portfolio needs of AWS, what it costs a day, and what gives way first.",
    )
    parser.add_argument(
        "--instalments", type=_count, default=100_000_000, help="that fall due in a month, one a customer"
    )
    parser.add_argument("--reminders", type=_count, help="texts on an average day; by default 2.1 an instalment")
    parser.add_argument("--rate", type=_texts_a_second, help="texts a second; by default what the busiest day needs")
    parser.add_argument("--shards", type=_count, help="of the due index; by default the template's")
    parser.add_argument("--file-rows", type=_count, help="rows of one file, whose load is answered for, too")
    parser.add_argument("--region", default="", help="of the price file; by default its default_region")
    parser.add_argument("--country", default="TW", help="whose carriers' fee is counted")
    arguments = parser.parse_args(argv)
    try:
        known = load_known(arguments.region)
    except PriceError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    fees = load_fees()
    if arguments.country not in fees.per_segment:
        sys.stderr.write(f"no carrier fee for {arguments.country!r}; see policy/data/prices.toml\n")
        return 2
    reminders = arguments.reminders or round(arguments.instalments * TEXTS_OF_AN_INSTALMENT / 30)
    portfolio = Portfolio(instalments=arguments.instalments, reminders_a_day=reminders)
    template = load_template()
    capacity = Capacity(
        portfolio=portfolio,
        rate=arguments.rate or portfolio.rate_needed,
        shards=arguments.shards or template.shards,
        known=known,
        template=template,
    )
    for line in report(capacity, fees, arguments.country):
        write(f"{line}\n")
    if arguments.file_rows:
        for unchanged, is_new_table in ((0.0, True), (0.0, False), (0.98, False)):
            write("\n")
            for line in answer(capacity.file_load(arguments.file_rows, unchanged=unchanged, is_new_table=is_new_table)):
                write(f"{line}\n")
    if reminders > portfolio.most_reminders_a_day:
        sys.stderr.write(
            f"The caps allow at most {portfolio.most_reminders_a_day:,} texts a day for so many customers. "
            "Ask for fewer reminders, or for more instalments.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make capacity | head` ends quietly
    sys.exit(main())
