"""
Where a row's time goes: the intake part by part, and the floor, which is the plainest Python that does the same.

The parts are run one behind the other, each with all parts before it, and their differences are printed. All figures
are CPU time of one core, the least of several runs.

    python -m tests.bench.intake_parts [rows]
"""

import csv
import hashlib
import io
import json
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from dunning.domain.customer.facts import Account, Facts, Instalment
from dunning.domain.customer.lender_record import FILE_LAG, LenderRecord
from dunning.domain.customer.standing import Standing, Wake
from dunning.policy import load_policies
from dunning.services.intake.facts_from_rows import contradictions, facts_from_rows
from dunning.services.intake.personal_ids import serial_forms
from dunning.services.intake.rows import COLUMNS, FileTraits, Row, RowReader
from dunning.services.intake.spool import Spool
from dunning.services.intake.table import Table
from tests.bench.intake_rows import LENDER, intake_of, read_bare, write_file

UPLOADED_AT = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
RUNS = 3
POLICIES = load_policies()


def read_text(path: Path) -> None:
    for _ in io.TextIOWrapper(path.open("rb"), encoding="utf-8-sig", newline=""):
        pass


def read_cells(path: Path) -> None:
    for _ in csv.reader(io.TextIOWrapper(path.open("rb"), encoding="utf-8-sig", newline="")):
        pass


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(1 << 20), b"")


def read_table(path: Path) -> None:
    for _ in Table(chunks(path)):
        pass


def fill_spool(path: Path) -> None:
    with Spool() as spool:
        spool.fill(Table(chunks(path)))


def empty_spool(path: Path) -> None:
    with Spool() as spool:
        spool.fill(Table(chunks(path)))
        for _, rows in spool.customers():
            for _ in rows:
                pass


def judge_cells(path: Path, *, facts: bool = False) -> None:
    with Spool() as spool:
        spool.fill(Table(chunks(path)))
        traits = FileTraits(serials=serial_forms(spool.some_ids()))
        reader = RowReader(frozenset({LENDER}), UPLOADED_AT, traits)
        for _, spooled in spool.customers():
            rows = [reader.read(raw.line, raw.cells) for raw, _ in spooled if raw.cells is not None]
            read = [row for row in rows if isinstance(row, Row)]
            if len(read) != len(rows):
                raise SystemExit("the file of the benchmark was refused")
            if facts and not list(contradictions(read)):
                facts_from_rows(read, UPLOADED_AT)


def build_facts(path: Path) -> None:
    judge_cells(path, facts=True)


def load(path: Path) -> None:
    intake_of(path, POLICIES)()


PARTS: Sequence[tuple[str, Callable[[Path], None]]] = (
    ("bytes to text", read_text),
    ("text to cells, by csv", read_cells),
    ("lines checked, columns found, lines that are no rows", read_table),
    ("rows into the spool", fill_spool),
    ("rows out of the spool, by customer", empty_spool),
    ("cells read and checked", judge_cells),
    ("rows compared, facts built", build_facts),
    ("settled: compared with the store, decided, planned", load),
)

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NAME = re.compile("[\u4e00-\u9fff]{2,4}")
_PHONE = re.compile(r"0(9[0-8][0-9])-([0-9]{3})-([0-9]{3})")
_NUMBER = re.compile(r"[0-9-]{8,16}")
_AMOUNT = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})*)\.00")
_KNOWN = {"TW": "TW", "zh-TW": "zh-Hant", "Asia/Taipei": "Asia/Taipei", LENDER: LENDER, "TWD": "TWD"}
_AT = {column: number for number, column in enumerate(COLUMNS)}
_FIRST, _LAST = date(2011, 12, 1), date(2056, 12, 1)
_REST = slice(_AT["paid_amount"], None)
_PERSON = slice(_AT["name"], _AT["consented_at"] + 1)
_ACCOUNT = slice(_AT["account_id"], _AT["product"] + 1)


def load_by_hand(path: Path) -> None:
    """
    Load the file as somebody would write it who knows its one form: each rule is one pattern or one comparison.

    It does what the intake does for a clean row of a new customer: group the rows in memory that does not grow, check
    each cell, compare the rows, build the facts with their fingerprint, the record and the standing with its wake.
    """
    database = sqlite3.connect("", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;"
        "CREATE TABLE rows (customer_id, line, cells, PRIMARY KEY (customer_id, line)) WITHOUT ROWID; BEGIN"
    )
    reader = csv.reader(io.TextIOWrapper(path.open("rb"), encoding="utf-8-sig", newline=""))
    next(reader)
    database.executemany(
        "INSERT INTO rows VALUES (?, ?, ?)", ((cells[0], reader.line_num, "\0".join(cells)) for cells in reader)
    )
    for customer_id, found in groupby(database.execute("SELECT * FROM rows ORDER BY customer_id, line"), itemgetter(0)):
        facts = _facts_by_hand(customer_id, [cells.split("\0") for _, _, cells in found])
        record = LenderRecord(customer_id=customer_id, revision=2, snapshot=facts, phones=(facts.phone,))
        unpaid = next(instalment for instalment in facts.accounts[0].instalments if not instalment.paid)
        day = unpaid.due_on - timedelta(days=3)
        wake = Wake(datetime(day.year, day.month, day.day, 2, tzinfo=UTC), 1)
        content = json.dumps([facts.name, facts.phone, [[i.number, i.due_on.isoformat(), i.amount, i.paid]
                                                    for i in facts.accounts[0].instalments]])  # fmt: skip
        fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
        Standing(customer_id=record.customer_id, version=1, wake=wake, reason="later", planned_for=fingerprint)


def _facts_by_hand(customer_id: str, rows: Sequence[Sequence[str]]) -> Facts:
    first = rows[0]
    phone = _PHONE.fullmatch(first[_AT["phone"]])
    assert phone
    assert _NAME.fullmatch(first[_AT["name"]])
    assert _ID.fullmatch(customer_id)
    national = "".join(phone.groups())
    assert national not in customer_id
    consented_at = datetime.fromisoformat(first[_AT["consented_at"]]).astimezone(UTC)
    assert consented_at <= UPLOADED_AT
    instalments = [_instalment_by_hand(cells, first) for cells in rows]
    assert len({instalment.number for instalment in instalments}) == len(instalments)
    instalments.sort(key=lambda instalment: (instalment.due_on, instalment.number))
    tail = first[_AT["account_number"]].replace("-", "")[-4:]
    assert _ID.fullmatch(first[_AT["account_id"]])
    assert _NUMBER.fullmatch(first[_AT["account_number"]])
    return Facts(
        customer_id=customer_id,
        name=first[_AT["name"]],
        phone=f"+886{national}",
        phone_country="TW",
        country=_KNOWN[first[_AT["country"]]],
        region=first[_AT["region"]],
        language=_KNOWN[first[_AT["language"]]],
        time_zone=_KNOWN[first[_AT["time_zone"]]],
        lender=_KNOWN[first[_AT["lender"]]],
        consented_at=consented_at,
        accounts=(
            Account(
                account_id=first[_AT["account_id"]],
                tail=tail,
                currency=_KNOWN[first[_AT["currency"]]],
                instalments=tuple(instalments),
                product=first[_AT["product"]],
            ),
        ),
        as_of=UPLOADED_AT,
        paid_as_of=UPLOADED_AT - FILE_LAG,
    )


def _instalment_by_hand(cells: Sequence[str], first: Sequence[str]) -> Instalment:
    assert cells[_PERSON] == first[_PERSON]
    assert cells[_ACCOUNT] == first[_ACCOUNT]
    assert not any(cells[_REST])
    due_on = date.fromisoformat(cells[_AT["due_on"]])
    paid_on = cells[_AT["paid_on"]]
    written = _AMOUNT.fullmatch(cells[_AT["amount"]])
    assert written
    assert _FIRST <= due_on <= _LAST
    assert not paid_on or date.fromisoformat(paid_on) <= UPLOADED_AT.date()
    amount = int(written[1].replace(",", "")) * 100
    return Instalment(
        number=int(cells[_AT["instalment_no"]]), due_on=due_on, amount=amount, paid=amount if paid_on else 0
    )


def cpu_microseconds(work: Callable[[Path], object], path: Path, rows: int) -> float:
    """Return the least CPU time of a row."""
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        work(path)
        taken.append(time.process_time() - started)
    return min(taken) / rows * 1e6


def main() -> None:
    """Print the parts, the sum, the floor and the reference."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "accounts.csv")
        write_file(path, rows)
        before = 0.0
        for name, work in PARTS:
            until = cpu_microseconds(work, path, rows)
            sys.stdout.write(f"{name:<56}{until - before:>8.1f} us\n")
            before = until
        for name, alone in (("all", load), ("floor: by hand, one form", load_by_hand), ("csv.DictReader", read_bare)):
            sys.stdout.write(f"{name:<56}{cpu_microseconds(alone, path, rows):>8.1f} us a row of CPU\n")


if __name__ == "__main__":
    main()
