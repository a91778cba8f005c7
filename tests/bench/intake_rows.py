"""
Rows a second and memory of the intake, beside a bare `csv.DictReader` loop over the same file in the same run.

Each measurement is a process of its own, so that its peak is its own. The store answers at once: what is
measured is reading, judging, planning and spooling.

    python -m tests.bench.intake_rows [rows]
"""

import csv
import io
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decisions import Decision
from dunning.domain.decision.rules import Policies
from dunning.domain.errors import UnreadableRecordError
from dunning.policy import load_policies
from dunning.ports.customers import Customer, ListedCustomer, StoredCustomer
from dunning.services.intake import IntakeService
from dunning.services.intake.rows import COLUMNS
from dunning.services.intake.whole_list import WholeLists
from tests.support.fakes import FakeClock, FakeCustomers, FakeEventPublisher, FakeTelemetry

LENDER = "demo-tw"
INSTALMENTS_A_CUSTOMER = 6
SURNAMES = "陳林黃張李王吳劉蔡楊許鄭謝郭洪曾廖賴徐周"
GIVEN = "雅志淑俊美家怡建宜冠佳承惠宗玉明欣文心國芳宏婷豪玲偉君傑華賢"
PRODUCTS = ("機車分期", "手機分期", "家電分期")


class Nobody:
    """A store that knows nobody and keeps nothing."""

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        return dict.fromkeys(customer_ids, Customer(None, None))

    def load_stored(self, customer_ids: Sequence[str]) -> Mapping[str, StoredCustomer | UnreadableRecordError]:
        return {
            customer_id: StoredCustomer(LenderRecord(customer_id=customer_id), None) for customer_id in customer_ids
        }

    def save_customer(
        self, lender_record: LenderRecord, standing: Standing, *, expected_revision: int, expected_version: int
    ) -> bool:
        del lender_record, standing, expected_revision, expected_version
        return True

    def save_lender_record(self, lender_record: LenderRecord, *, expected_revision: int) -> bool:
        del lender_record, expected_revision
        return True

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        del standing, expected_version, claim_id
        return True

    def quarantine(self, customer_id: str, until: datetime) -> None:
        raise NotImplementedError

    def customers_of(self, lender: str, segments: int = 1) -> Iterator[ListedCustomer]:
        raise NotImplementedError

    def customers_with(self, phones: Collection[str]) -> Mapping[str, frozenset[str]]:
        return dict.fromkeys(phones, frozenset())

    def add_address(self, phone: str, customer_id: str) -> frozenset[str]:
        del phone
        return frozenset({customer_id})

    def remove_address(self, phone: str, customer_id: str) -> None:
        raise NotImplementedError


class Folder:
    """A bucket that is one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[Iterator[bytes]]:
        del bucket, key
        with self._path.open("rb") as file:
            yield iter(lambda: file.read(1 << 20), b"")

    def write_rejects(self, bucket: str, key: str, rows: Iterable[Sequence[str]]) -> None:
        del bucket, key
        raise SystemExit(f"the file of the benchmark was refused: {list(rows)[1]}")


class QuietTelemetry(FakeTelemetry):
    """Drops decisions, which the real one writes to the log."""

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        pass


def write_file(path: Path, rows: int, instalments: int = INSTALMENTS_A_CUSTOMER) -> None:
    """
    Write a portfolio of contracts with so many instalments, the first one paid; a customer's rows lie far apart.

    Customers differ in what people differ in: a name or a number that came again would be read from memory.
    """
    customers = -(-rows // instalments)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in range(rows):
            number, customer = divmod(row, customers)
            day = customer % 28 + 1
            years, month = divmod(number + 6, 12)
            amount = f"{1000 + customer * 37 % 9000:,}.00"
            consented_at = f"2026-01-{day:02}T{customer % 24:02}:{customer % 60:02}:{customer * 7 % 60:02}+08:00"
            writer.writerow(
                (
                    f"C{customer:07}", _name(customer), f"0912-{customer // 1000 % 1000:03}-{customer % 1000:03}", "TW",
                    "", "zh-TW", "Asia/Taipei", LENDER, consented_at, f"A{customer:07}", f"9001-{customer:08}",
                    PRODUCTS[customer % len(PRODUCTS)], number + 1, f"{2026 + years}-{month + 1:02}-{day:02}", amount,
                    "TWD", f"2026-07-{day:02}" if number == 0 else "", "", "", "", "", "", "",
                )
            )  # fmt: skip


def _name(customer: int) -> str:
    rest, surname = divmod(customer, len(SURNAMES))
    second, first = divmod(rest, len(GIVEN))
    return SURNAMES[surname] + GIVEN[first] + GIVEN[second % len(GIVEN)]


def read_bare(path: Path) -> int:
    """Do the least a reader of rows can do: the reference."""
    with path.open("rb") as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        return sum(1 for _ in csv.DictReader(text))


def intake_of(path: Path, policies: Policies) -> Callable[[], int]:
    """Return what loads the file and tells the number of its rows."""
    nobody = Nobody()
    service = IntakeService(
        store=nobody,
        phones=nobody,
        loads=FakeCustomers(),
        uploads=Folder(path),
        publisher=FakeEventPublisher(),
        policies=policies,
        lenders=frozenset({LENDER}),
        clock=FakeClock(),
        telemetry=QuietTelemetry(),
        whole_lists=WholeLists(nobody, nobody, policies),
        writers=8,
    )
    return lambda: service.load("bucket", "accounts/bench.csv", datetime(2026, 12, 1, 1, 30, tzinfo=UTC)).rows


def intake(path: Path) -> Callable[[], int]:
    """Prepare the intake, its policies included: these are read once for many files."""
    return intake_of(path, load_policies())


def load(path: Path) -> int:
    """Load the file, and return the number of its rows."""
    return intake(path)()


def bare(path: Path) -> Callable[[], int]:
    """Prepare the reference."""
    return lambda: read_bare(path)


def _measure(prepare: Callable[[Path], Callable[[], int]], path: Path) -> tuple[int, float, float, int]:
    work = prepare(path)
    started, cpu_started = time.perf_counter(), time.process_time()
    rows = work()
    cpu = time.process_time() - cpu_started
    return rows, time.perf_counter() - started, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(name: str, prepare: Callable[[Path], Callable[[], int]], path: Path) -> None:
    """Run one measurement in a fresh process and print it. Beside other work only the CPU time tells."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        rows, seconds, cpu, megabytes = alone.submit(_measure, prepare, path).result()
    sys.stdout.write(
        f"{name:<22}{rows:>9,} rows {seconds:>8.2f} s {rows / seconds:>10,.0f} rows/s"
        f" {rows / cpu:>10,.0f} rows/s of CPU   peak RSS {megabytes} MB\n"
    )


def main() -> None:
    """Measure a tenth and the whole, so that memory which grows with the file shows."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        for count in (rows // 10, rows):
            path = Path(folder, f"{count}.csv")
            write_file(path, count)
            measure("csv.DictReader alone", bare, path)
            measure("intake", intake, path)


if __name__ == "__main__":
    main()
