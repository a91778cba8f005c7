"""Table: the bytes of an upload as rows, or the reason why the file is no table of accounts."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from dunning.services.intake.plain_text import plain
from dunning.services.intake.refusals import FileRefusedError, Refusal
from dunning.services.intake.rows import COLUMNS, MAY_BE_ABSENT

_BUFFER = 1 << 16
LONGEST_CELL = 1 << 20
"""A longer cell is a quote that never ends. A shorter cell is refused with its row, and the other rows load."""
_OTHER_FORMATS = (
    b"PK\x03\x04",  # XLSX, ODS and ZIP
    b"\xd0\xcf\x11\xe0",  # XLS
    b"\x1f\x8b",  # gzip
    b"%PDF",
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SIGNATURE = 4


class RawRow(NamedTuple):
    """A line of the file. `cells` are in the order of `COLUMNS`, or `None` if there are too many or too few."""

    line: int
    customer_id: str
    account_id: str
    cells: Sequence[str] | None


class _Stream(io.RawIOBase):
    """Chunks of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken


class Table:
    """The rows of a CSV file, read once, in memory that does not grow with the file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """
        Read the header.

        Raises:
            FileRefusedError: it is no table of accounts.
        """
        stream = io.BufferedReader(_Stream(_refuse_other_formats(chunks)), _BUFFER)
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="strict", newline="")
        csv.field_size_limit(LONGEST_CELL)
        self._reader = csv.reader(_refuse_nul(text), strict=True)
        self._lines = self._rows_with_lines()
        _, header = next(self._lines, (0, None))
        if header is None:
            raise FileRefusedError(Refusal.EMPTY_FILE)
        self._columns = [plain(name).lower() for name in header]
        _check_header(self._columns)

    @property
    def columns_ignored(self) -> int:
        """The number of unknown columns."""
        return sum(column not in COLUMNS for column in self._columns)

    def __iter__(self) -> Iterator[RawRow]:
        """
        Yield the rows.

        Raises:
            FileRefusedError: from a line on, the file is no table of accounts.
        """
        width = len(self._columns)
        # A column that the file has not is read from the empty cell that is put behind the others.
        in_order: Callable[[Sequence[str]], Sequence[str]] = itemgetter(
            *(self._columns.index(column) if column in self._columns else width for column in COLUMNS)
        )
        customer_at, account_at = self._columns.index("customer_id"), self._columns.index("account_id")
        has_rows = False
        for line, cells in self._lines:
            has_rows = True
            yield RawRow(
                line,
                plain(cells[customer_at]) if customer_at < len(cells) else "",
                plain(cells[account_at]) if account_at < len(cells) else "",
                in_order([*cells, ""]) if len(cells) == width else None,
            )
        if not has_rows:
            raise FileRefusedError(Refusal.NO_ROWS)

    def _rows_with_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row that is not empty, with the line of the file in which it begins."""
        reader = self._reader
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except UnicodeDecodeError as error:
                # The decoder reads ahead; what it has read before this piece has no line end left.
                line = reader.line_num + 1 + error.object[: error.start].count(b"\n")
                raise FileRefusedError(Refusal.WRONG_ENCODING, line) from None
            except csv.Error:
                raise FileRefusedError(Refusal.BROKEN_QUOTING, line) from None
            if cells is None:
                return
            if any(cells) and any(map(str.strip, cells)):
                yield line, cells


def _refuse_other_formats(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Check the first bytes before they are read as text."""
    rest = iter(chunks)
    head = b""
    for chunk in rest:
        head += chunk
        if len(head) >= _SIGNATURE:
            break
    if head.startswith(_OTHER_FORMATS):
        raise FileRefusedError(Refusal.NOT_A_CSV)
    if head.startswith(_UTF_16):
        raise FileRefusedError(Refusal.WRONG_ENCODING)
    return chain([head], rest)


def _refuse_nul(lines: Iterable[str]) -> Iterator[str]:
    """UTF-16 without its mark is valid UTF-8 full of NULs."""
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise FileRefusedError(Refusal.WRONG_ENCODING, number)
        yield line


def _check_header(columns: Sequence[str]) -> None:
    ours = set(COLUMNS)
    missing = [column for column in COLUMNS if column not in columns and column not in MAY_BE_ABSENT]
    if missing and len(columns) == 1 and any(separator in columns[0] for separator in ";\t|"):
        raise FileRefusedError(Refusal.WRONG_SEPARATOR)
    if len(missing) == len(ours - MAY_BE_ABSENT):
        raise FileRefusedError(Refusal.NOT_A_CSV)
    if missing:
        raise FileRefusedError(Refusal.MISSING_COLUMNS, field=" ".join(missing))
    for column in ours:
        if columns.count(column) > 1:
            raise FileRefusedError(Refusal.DUPLICATE_COLUMN, field=column)
