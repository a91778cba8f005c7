"""Spool: keeps the rows of a file on disk, to read them by customer, and the refusals, to read them by line."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, NamedTuple, Self

from dunning.services.intake.refusals import Refusal, Refused
from dunning.services.intake.rows import COLUMNS
from dunning.services.intake.table import RawRow

_CACHE_KIB = 16 * 1024
_CELLS = ", ".join(f"c{number}" for number in range(len(COLUMNS)))
_NO_CELLS = (None,) * len(COLUMNS)

# S608: only numbers of columns are put into these statements.
_SCHEMA = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -{_CACHE_KIB};
    CREATE TABLE rows (customer_id, line, account_id, {_CELLS}, PRIMARY KEY (customer_id, line)) WITHOUT ROWID;
    CREATE TABLE contested (account_id PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE refused (line, customer_id, field, reason);
"""
_INSERT = f"INSERT INTO rows VALUES (?, ?, ?, {', '.join('?' * len(COLUMNS))})"  # noqa: S608
_CONTEST = """
    INSERT INTO contested
    SELECT account_id FROM rows WHERE account_id <> '' GROUP BY account_id HAVING count(DISTINCT customer_id) > 1
"""
_BY_CUSTOMER = f"""
    SELECT customer_id, line, account_id, account_id IN (SELECT account_id FROM contested), {_CELLS}
    FROM rows ORDER BY customer_id, line
"""  # noqa: S608


class SpooledRow(NamedTuple):
    """A row as it was spooled; `contested` when rows of other customers name its account."""

    raw: RawRow
    contested: bool


class Spool:
    """
    A private database file of this process.

    SQLite unlinks the file once it is open (an empty name asks for that). So its personal data is gone when the process
    ends, however it ends.
    """

    def __enter__(self) -> Self:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._database.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def fill(self, rows: Iterable[RawRow]) -> int:
        """Store all rows of a file and return their number."""
        taken = self._database.executemany(
            _INSERT,
            ((row.customer_id, row.line, row.account_id, *(row.cells or _NO_CELLS)) for row in rows),
        )
        self._database.execute(_CONTEST)
        return taken.rowcount

    def customers(self) -> Iterator[tuple[str, Iterator[SpooledRow]]]:
        """Yield each customer with the rows in order of lines. Read the rows before the next customer."""
        for customer_id, records in groupby(self._database.execute(_BY_CUSTOMER), itemgetter(0)):
            yield customer_id, map(_row, records)

    def refuse(self, refused: Iterable[Refused]) -> None:
        """Keep refusals."""
        self._database.executemany("INSERT INTO refused VALUES (?, ?, ?, ?)", refused)

    def rows_refused(self) -> int:
        """Count the lines that were refused."""
        count: int
        (count,) = self._database.execute("SELECT count(DISTINCT line) FROM refused").fetchone()
        return count

    def refused(self) -> Iterator[Refused]:
        """Yield the refusals in order of lines."""
        for line, customer_id, field, reason in self._database.execute(
            "SELECT line, customer_id, field, reason FROM refused ORDER BY line, rowid"
        ):
            yield Refused(line, customer_id, field, Refusal(reason))


def _row(record: tuple[Any, ...]) -> SpooledRow:
    customer_id, line, account_id, contested, *cells = record
    return SpooledRow(RawRow(line, customer_id, account_id, None if cells[0] is None else cells), bool(contested))
