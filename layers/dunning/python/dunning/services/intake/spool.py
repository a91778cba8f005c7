"""Spool: keeps the rows of a file on disk, to read them by customer, and the refusals, to read them by line."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, NamedTuple, Self

from dunning.services.intake.refusals import NOTES, Refusal, Refused
from dunning.services.intake.rows import Fault
from dunning.services.intake.table import RawRow

_CACHE_KIB = 16 * 1024
_BETWEEN_CELLS = "\0"
"""No cell holds it: a line with it is refused. One text is stored and read in half the time of a text for each cell."""
SAMPLE = 2000
"""Ids of each kind that tell of what form the ids of a file are."""
_NO_FAULT = (None, None)

_NOTED = ", ".join(f"'{reason.value}'" for reason in sorted(NOTES))

_SCHEMA = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -{_CACHE_KIB};
    CREATE TABLE rows (
        customer_id, line, account_id, fault_field, fault_reason, cells, PRIMARY KEY (customer_id, line)
    ) WITHOUT ROWID;
    CREATE TABLE contested (account_id PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE refused (line, customer_id, field, reason, hint);
"""
_INSERT = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)"
_CONTEST = """
    INSERT INTO contested
    SELECT account_id FROM rows WHERE account_id <> '' GROUP BY account_id HAVING count(DISTINCT customer_id) > 1
"""
_BY_CUSTOMER = """
    SELECT customer_id, line, account_id, account_id IN (SELECT account_id FROM contested),
        fault_field, fault_reason, cells
    FROM rows ORDER BY customer_id, line
"""


class SpooledRow(NamedTuple):
    """A row as it was spooled; `contested` when rows of other customers name its account."""

    raw: RawRow
    contested: bool


class PrivateDatabase:
    """
    A private database file of this process.

    SQLite unlinks the file once it is open (an empty name asks for that). So its personal data is gone when the process
    ends, however it ends.
    """

    schema: str

    def __enter__(self) -> Self:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(self.schema)
        self._database.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()


class Spool(PrivateDatabase):
    """The rows and refusals of a file that is loaded whole."""

    schema = _SCHEMA

    def fill(self, rows: Iterable[RawRow]) -> int:
        """Store all rows of a file and return their number."""
        taken = self._database.executemany(_INSERT, map(_record, rows))
        self._database.execute(_CONTEST)
        return taken.rowcount

    def contest(self, account_ids: Iterable[str]) -> None:
        """Keep that accounts are named by rows which are not here, too."""
        self._database.executemany("INSERT OR IGNORE INTO contested VALUES (?)", zip(account_ids))

    def customers(self) -> Iterator[tuple[str, Iterator[SpooledRow]]]:
        """Yield each customer with the rows in order of lines. Read the rows before the next customer."""
        for customer_id, records in groupby(self._database.execute(_BY_CUSTOMER), itemgetter(0)):
            yield customer_id, map(_row, records)

    def refuse(self, refused: Iterable[Refused]) -> None:
        """Keep refusals."""
        self._database.executemany("INSERT INTO refused VALUES (?, ?, ?, ?, ?)", refused)

    def has(self, customer_id: str) -> bool:
        """Tell whether the file names a customer, in a row that is refused or not."""
        found = self._database.execute("SELECT 1 FROM rows WHERE customer_id = ? LIMIT 1", (customer_id,))
        return found.fetchone() is not None

    def customer_ids(self) -> list[str]:
        """Return the customers whom the file names."""
        query = "SELECT DISTINCT customer_id FROM rows WHERE customer_id <> ''"
        return [customer_id for (customer_id,) in self._database.execute(query)]

    def some_ids(self) -> list[str]:
        """Return ids of customers and accounts, enough to tell of what form they are."""
        queries = (
            "SELECT DISTINCT customer_id FROM rows LIMIT ?",
            "SELECT DISTINCT account_id FROM rows LIMIT ?",
        )
        return [text for query in queries for (text,) in self._database.execute(query, (SAMPLE,))]

    def clear(self) -> None:
        """Forget all rows, so that the file can be read anew."""
        self._database.execute("DELETE FROM rows")
        self._database.execute("DELETE FROM contested")

    def rows_refused(self) -> int:
        """Count the lines that were refused."""
        return self._count(f"reason NOT IN ({_NOTED})")

    def rows_noted(self) -> int:
        """Count what is told of lines that were not refused."""
        return self._count(f"reason IN ({_NOTED})")

    def _count(self, condition: str) -> int:
        count: int
        query = f"SELECT count(DISTINCT line) FROM refused WHERE {condition}"  # noqa: S608
        (count,) = self._database.execute(query).fetchone()
        return count

    def refused(self) -> Iterator[Refused]:
        """Yield the refusals in order of lines."""
        for line, customer_id, field, reason, hint in self._database.execute(
            "SELECT line, customer_id, field, reason, hint FROM refused ORDER BY line, rowid"
        ):
            yield Refused(line, customer_id, field, Refusal(reason), hint)


def _record(row: RawRow) -> tuple[object, ...]:
    line, customer_id, account_id, cells, fault = row
    return customer_id, line, account_id, *(fault or _NO_FAULT), _BETWEEN_CELLS.join(cells) if cells else None


def _row(record: tuple[Any, ...]) -> SpooledRow:
    customer_id, line, account_id, contested, fault_field, fault_reason, cells = record
    fault = None if fault_reason is None else Fault(fault_field, Refusal(fault_reason))
    shown = None if cells is None else cells.split(_BETWEEN_CELLS)
    return SpooledRow(RawRow(line, customer_id, account_id, shown, fault), bool(contested))
