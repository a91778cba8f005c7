"""
What the load of one large file needs: time, write units, dollars, and what gives way first.

The figures of a customer and of a part are held against the counted calls of a small file (`counted`). Quotas and
prices are those of the capacity model.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol
from unittest.mock import patch

from dunning import compiled_policies
from dunning.services.intake.split_load import number_of_parts
from tests.bench.aws_prices import Price
from tests.bench.cost import GB, Line, Machine, total
from tests.bench.usage import BEGIN, Meter, MeteredCloud, Phase, file_of, indexes, metered
from tests.support.builders import the_policies

WRITERS = 8
"""Customers whom one loader writes at the same time (`IntakeSettings.writers`)."""

ROWS_A_SECOND = 10_100
SPLIT_ROWS_A_SECOND = 50_000
"""
On a core of this machine, with nothing else at work: judging a file (benchmarks.md), and splitting it.

The split was measured beside other work only, at a quarter of what `csv` alone reads in the same run, or more. A fifth
of what `csv` alone reads on a quiet machine is taken.
"""

BYTES_WRITTEN_A_ROW = 40
"""How much longer a row is in its part: its line, and the ids it is known by."""


class EachCustomer(NamedTuple):
    """What a customer uses: units, those of the due index in `writes`, and calls waited for one after the other."""

    writes: float
    reads: float
    waits: float
    due_index: float


NEW = EachCustomer(writes=10.4, reads=3.0, waits=4.0, due_index=1.0)
"""The number is noted and indexed, its owners are read; one transaction writes both items and indexes the account."""
UNCHANGED = EachCustomer(writes=0.0, reads=2.0, waits=0.02, due_index=0.0)
"""Both items are read, fifty customers at once."""


class EachPart(NamedTuple):
    """What a part uses besides its customers."""

    writes: float = 1.0
    reads: float = 3.0
    puts: float = 2.0
    gets: float = 2.0
    sqs_requests: float = 2.1


PART = EachPart()
"""Its state is read twice and written once; the part and its refusals are put and got; a message goes and comes."""


class KnownLimits(Protocol):
    """Quotas and prices, as the capacity model knows them."""

    @property
    def prices(self) -> Mapping[str, Price]:
        """Prices by name."""
        ...

    def limit(self, name: str) -> int:
        """Return a quota."""
        ...


class Saturation(NamedTuple):
    """A limit, and how many new customers a second it allows; beyond the pace of the loaders it is no limit."""

    name: str
    customers_a_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLoad:
    """The load of a file of which all customers are new, but for a part that is unchanged."""

    rows: int
    known: KnownLimits
    machine: Machine
    loaders: int
    part_bytes: int
    shards: int
    memory_mb: int
    disk_mb: int
    rows_a_customer: float = 6.0
    bytes_a_row: float = 200.0
    unchanged: float = 0.0
    is_new_table: bool = False

    @property
    def size(self) -> float:
        """The size of the file, in bytes."""
        return self.rows * self.bytes_a_row

    @property
    def customers(self) -> float:
        """Customers in the file."""
        return self.rows / self.rows_a_customer

    @property
    def parts(self) -> int:
        """Parts of the file."""
        return number_of_parts(math.ceil(self.size), self.part_bytes)

    @property
    def disk_used_mb(self) -> float:
        """What the split needs of the disk: the parts, the ids twice while they are sorted."""
        ids = 2 * 40 * self.customers
        return (self.size + BYTES_WRITTEN_A_ROW * self.rows + ids) / 1e6

    def split_seconds(self) -> float:
        """Return how long the split takes on a core of Lambda."""
        return self.rows / SPLIT_ROWS_A_SECOND * self.machine.factor

    def _of(self, pick: str) -> float:
        new, unchanged = getattr(NEW, pick), getattr(UNCHANGED, pick)
        return float(new * (1 - self.unchanged) + unchanged * self.unchanged)

    def loader_pace(self) -> float:
        """Return how many customers a second one loader does, if the table keeps up."""
        computing = self.rows_a_customer / ROWS_A_SECOND * self.machine.factor
        waiting = self._of("waits") * self.machine.dynamodb_answers / WRITERS
        return 1 / max(computing, waiting)

    def limits(self) -> Sequence[Saturation]:
        """Return what gives way, that which gives way first at the head."""
        writes, index = self._of("writes"), self._of("due_index")
        found = [Saturation(f"{self.loaders} loaders", self.loaders * self.loader_pace())]
        if writes:
            found += [
                Saturation("DynamoDB: a table", self.known.limit("writes_of_a_table") / writes),
                Saturation(
                    f"DynamoDB: {self.shards} shards of the due index",
                    self.shards * self.known.limit("writes_of_a_partition") / index if index else math.inf,
                ),
            ]
            if self.is_new_table:
                found.append(
                    Saturation(
                        "DynamoDB: a new table on demand takes at once",
                        self.known.limit("writes_of_a_new_table") / writes,
                    )
                )
        return sorted(found, key=lambda limit: limit.customers_a_second)

    def load_seconds(self) -> float:
        """Return how long the parts take, as many at a time as there are loaders."""
        return self.customers / self.limits()[0].customers_a_second

    def part_seconds(self) -> float:
        """Return how long one part takes."""
        return self.load_seconds() * self.loaders / self.parts

    def seconds(self) -> float:
        """Return how long the file takes from the upload to the summary."""
        return self.split_seconds() + self.load_seconds()

    @property
    def fits(self) -> bool:
        """Whether each step fits into an invocation, and the split onto the disk."""
        most = self.known.limit("seconds_of_a_load")
        return max(self.split_seconds(), self.part_seconds()) < most and self.disk_used_mb < self.disk_mb

    def write_units(self) -> float:
        """Return the write units of the load, those of the due index included."""
        return self.customers * self._of("writes") + self.parts * PART.writes

    def read_units(self) -> float:
        """Return the read units of the load."""
        return self.customers * self._of("reads") + self.parts * PART.reads

    def lines(self) -> Sequence[Line]:
        """Return the bill of the load."""
        prices = self.known.prices
        seconds = self.split_seconds() + self.part_seconds() * self.parts
        return [
            Line(prices["dynamodb_write"], self.write_units()),
            Line(prices["dynamodb_read"], self.read_units()),
            Line(prices["lambda_gb_second"], seconds * self.memory_mb / 1024),
            Line(prices["lambda_disk_gb_second"], seconds * (self.disk_mb - 512) / 1024),
            Line(prices["s3_put"], self.parts * PART.puts + 2),
            Line(prices["s3_get"], self.parts * PART.gets + 2),
            Line(prices["sqs_request"], self.parts * PART.sqs_requests),
            Line(prices["s3_storage"], self.size / GB * 2 / 30 / 24 * self.seconds() / 3600),
        ]

    def dollars(self) -> Decimal:
        """Return what the load costs."""
        return total(self.lines())


def answer(load: FileLoad) -> Sequence[str]:
    """Say what the load of a file needs, in lines to print."""
    first, *others = load.limits()
    pace = load.write_units() / load.load_seconds()
    lines = [
        f"A file of {load.rows:,} rows: {load.size / 1e9:.1f} GB, {load.customers:,.0f} customers",
        f"  of them unchanged                                {load.unchanged:.0%}",
        f"  parts                                            {load.parts}, a part in {load.part_seconds():.0f} s",
        f"  split                                            {load.split_seconds() / 60:.1f} min",
        f"  disk                                             {load.disk_used_mb / 1000:.1f} GB",
        f"  all in                                           {load.seconds() / 60:.0f} min",
        f"  write units                                      {load.write_units():,.0f}, {pace:,.0f} a second",
        f"  read units                                       {load.read_units():,.0f}",
        f"  dollars                                          {load.dollars():,.2f}",
        f"  gives way first: {first.name}, at {first.customers_a_second:,.0f} customers a second",
        *(f"             then: {limit.name}, at {limit.customers_a_second:,.0f}" for limit in others),
    ]
    return lines if load.fits else [*lines, "  DOES NOT FIT into an invocation, or onto its disk"]


class Counted(NamedTuple):
    """What a small file has used: whole, and in parts."""

    customers: int
    parts: int
    whole: Phase
    split: Phase


def counted(customers: int = 60, split_above: int = 16_000) -> Counted:
    """Load a file of new customers on the embedded AWS, whole and in parts, and count what it uses."""
    found = []
    for limit in (10**9, split_above):
        meter = Meter()
        with patch.object(compiled_policies, "policies", the_policies):
            cloud = MeteredCloud(BEGIN, meter, parameters={"SplitAbove": str(limit)})
            with cloud, metered(meter):
                meter.indexes = {cloud.stack.customers_table: indexes(cloud.stack.customers_table)}
                body = file_of(range(customers), BEGIN.date())
                cloud.part = "load"
                cloud.upload("accounts/new.csv", body)
        found.append((meter.phases["load"], len(body)))
    (whole, _), (split, size) = found
    return Counted(customers, number_of_parts(size, -(-split_above // 4)), whole, split)
