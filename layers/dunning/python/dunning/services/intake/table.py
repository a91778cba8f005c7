"""
Table: the bytes of an upload as rows, or the reason why the file is no table of accounts.

A file is in UTF-8, in UTF-16 with a mark, or in the encoding that the stack names. It is read once, in memory that does
not grow with the file: a line, a row and a cell have a greatest length. Only a file that is not in UTF-8 is read twice.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from dunning.services.intake.encodings import UTF_8, NamedEncoding, encoding_named, looks_like
from dunning.services.intake.heading_line import (
    MOST_LINES_ABOVE,
    SEPARATORS,
    Heading,
    Headings,
    find_heading,
    with_own_names,
)
from dunning.services.intake.no_rows import is_surely_an_id, why_no_row
from dunning.services.intake.plain_text import DAMAGED, plain, without_wrapping
from dunning.services.intake.refusals import FileRefusedError, Refusal, Refused
from dunning.services.intake.rows import COLUMNS, MAY_BE_EMPTY, Fault

if TYPE_CHECKING:
    from _csv import Reader

_BUFFER = 1 << 16
LONGEST_LINE = 1 << 16
"""In characters. A longer line is no line of a table: the file is refused with its number."""
LONGEST_ROW = 1 << 18
"""In characters, over all its lines: more is a quote that never ends."""
LONGEST_CELL = 1 << 16
"""A longer cell is a quote that never ends. A shorter cell is refused with its row, and the other rows load."""

_OTHER_FORMATS = {
    b"PK\x03\x04": "It is an Excel workbook (.xlsx) or another ZIP file.",
    b"\xd0\xcf\x11\xe0": "It is an Excel workbook (.xls).",
    b"\x1f\x8b": "It is a gzip file.",
    b"%PDF": "It is a PDF file.",
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UTF_32 = b"\xff\xfe\x00\x00"
_SIGNATURE = 4

_HOPELESS = 1000
"""So many more lines that cannot be read than lines that can: the rest need not be read."""
_SAMPLE = 200
_MOST_NOTES = 10_000

_NAME = COLUMNS.index("name")
_FLOAT_ID = re.compile(r"([0-9]+)\.0+")
_EXACT_NUMBERS, _EXACT_FOR_A_ZERO = 20, 4
_LONG_NUMBER = re.compile(r"[0-9]{16,}")
EXACT_DIGITS = 15
"""A spreadsheet keeps so many digits of a number, and writes zeros for the rest."""
_SEP = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)


class RawRow(NamedTuple):
    """
    A line of the file. `cells` are in the order of `COLUMNS`, or `None` if the line has a fault that hides them.

    `customer_id` groups the rows of a customer: as the file has it, or of the row above, if cells were merged.
    """

    line: int
    customer_id: str
    account_id: str
    cells: Sequence[str] | None
    fault: Fault | None = None


class ByteStream(io.RawIOBase):
    """Chunks of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Tell that this is read from."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read what is left of a chunk, or the next."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken


_OWN_NAMES = with_own_names({})


class FileForm(NamedTuple):
    """The forms in which a stack takes files: its headings, and its encoding besides UTF-8."""

    headings: Headings = _OWN_NAMES
    encoding: NamedEncoding | None = None


def file_form(headings: Headings, encoding: str) -> FileForm:
    """
    Return the forms in which a stack takes files, by the headings of its policies and the name of its encoding.

    Raises:
        UnknownColumnError: a heading belongs to no column.
        KeyError: no file can be read in an encoding of this name.
    """
    return FileForm(with_own_names(headings), encoding_named(encoding))


def read_file[T](
    opened: Callable[[], AbstractContextManager[Iterator[bytes]]], form: FileForm, take: Callable[["Table"], T]
) -> T:
    """
    Read a file in UTF-8 or, if it is not, in the encoding that the stack names.

    Args:
        opened: opens the file; it is called again for the second encoding.
        form: what the stack takes.
        take: reads the table to its end. It begins anew with the second encoding.

    Raises:
        FileRefusedError: the file is no table of accounts.
    """
    try:
        with opened() as chunks:
            return take(Table(chunks, form.headings))
    except FileRefusedError as error:
        if error.reason is not Refusal.WRONG_ENCODING or form.encoding is None:
            raise
        if error.looks_like not in {"", form.encoding.family}:
            raise
    with opened() as chunks:
        return take(Table(chunks, form.headings, form.encoding.codec))


class Table:
    """The rows of a CSV file, read once, in memory that does not grow with the file."""

    def __init__(self, chunks: Iterable[bytes], headings: Headings = _OWN_NAMES, codec: str = UTF_8) -> None:
        """
        Read the heading.

        Raises:
            FileRefusedError: it is no table of accounts.
        """
        head, rest = _head(chunks)
        if head.startswith(_UTF_16):
            codec = "utf-16"
        self._codec = codec
        stream = io.BufferedReader(ByteStream(chain([head], rest)), _BUFFER)
        text = io.TextIOWrapper(
            stream,
            encoding="utf-8-sig" if codec == UTF_8 else codec,
            errors="replace" if codec == "utf-16" else "surrogateescape",
            newline="",
        )
        csv.field_size_limit(LONGEST_CELL)
        self._headings = headings
        self._has_lost = _has_replaced if codec == "utf-16" else _has_escaped
        self._row_length = self._lines_watched = 0
        self._lines_lost = self._lines_kept = self._first_lost = 0
        self._lost_here = False
        self._lost_sample: list[bytes] = []
        self._long_numbers = Counter[bool]()
        lines = _bounded(text)
        first = list(islice(lines, MOST_LINES_ABOVE))
        separators = SEPARATORS
        self._offset = 0
        if first and (stated := _SEP.fullmatch(first[0])):
            separators, first, self._offset = stated[1], first[1:], 1
        self.heading = self._find_heading(first, separators)
        self._records = self._rows_with_lines(
            csv.reader(self._watched(chain(first, lines)), strict=True, delimiter=self.heading.separator)
        )
        self.notes = [Refused(line, "", "", Refusal.TITLE_PASSED_OVER) for line in self.heading.above]
        """Lines that are no rows, and headings that are not known."""
        for name, near in self.heading.unknown:
            hint = f"The heading is {name}; the nearest column is {near}." if near else f"The heading is {name}."
            self.notes.append(Refused(self.heading.line, "", "", Refusal.UNKNOWN_HEADING, hint))

    @property
    def long_numbers_are_exact(self) -> bool:
        """Whether the account numbers of more than 15 digits show that none was cut: few of them end in 0."""
        exact, cut = self._long_numbers[True], self._long_numbers[False]
        return exact >= _EXACT_NUMBERS and exact > _EXACT_FOR_A_ZERO * cut

    @property
    def decimal_comma(self) -> bool:
        """Whether the file is from a place where a comma parts the decimals: its cells are parted by semicolons."""
        return self.heading.separator == ";"

    @property
    def columns_ignored(self) -> int:
        """The number of unknown columns."""
        return len(self.heading.unknown)

    def __iter__(self) -> Iterator[RawRow]:
        """
        Yield the rows. Lines that are none are left out, and added to `notes`.

        Raises:
            FileRefusedError: from a line on, the file is no table of accounts.
        """
        places = _ColumnPlaces(self.heading.columns)
        above = RawRow(0, "", "", None)
        has_rows = False
        for line, cells in self._records:
            if line <= self.heading.line:
                continue
            has_rows = True
            places.fit(cells)
            if self._lost_here:
                yield self._row_with_lost_character(line, cells)
                continue
            found = self._row(line, cells, places, above)
            if isinstance(found, RawRow):
                above = found
                yield found
            elif len(self.notes) < _MOST_NOTES:
                self.notes.append(found)
        if self._lines_lost and self._lines_lost >= self._lines_kept:
            raise self._wrong_encoding()
        if not has_rows:
            raise FileRefusedError(Refusal.NO_ROWS, self.heading.line)

    def _row(self, line: int, cells: list[str], places: "_ColumnPlaces", above: RawRow) -> RawRow | Refused:
        """Return the row of a line or, if the line is surely none, what it is."""
        customer_id = places.cell(cells, places.customer)
        account_id = places.cell(cells, places.account)
        is_whole = len(cells) == places.width
        if not is_surely_an_id(customer_id):
            ours = places.ours(cells)
            reason = why_no_row(ours, cells, self._headings)
            if reason is not None:
                return Refused(line, "", "", reason)
            if not customer_id and above.cells is not None and ours[_NAME] in {"", above.cells[_NAME]}:
                customer_id = above.customer_id
        elif as_float := _FLOAT_ID.fullmatch(customer_id):
            customer_id = as_float[1]
        if not is_whole:
            return RawRow(line, customer_id, account_id, None, Fault("", Refusal.WRONG_FIELD_COUNT))
        number = cells[places.number]
        if len(number) > EXACT_DIGITS and _LONG_NUMBER.fullmatch(number):
            self._long_numbers[bool(number[EXACT_DIGITS:].strip("0"))] += 1
        return RawRow(line, customer_id, account_id, places.ours(cells))

    def _row_with_lost_character(self, line: int, cells: Sequence[str]) -> RawRow:
        """Return a row that cannot be read, under its ids if these can be."""
        columns = self.heading.columns
        lost = next((number for number, cell in enumerate(cells) if self._has_lost(cell)), len(columns))
        ids = [
            without_wrapping(plain(cells[at])) if at < len(cells) and not self._has_lost(cells[at]) else ""
            for at in (columns.index("customer_id"), columns.index("account_id"))
        ]
        field = columns[lost] if lost < len(columns) else ""
        return RawRow(line, ids[0], ids[1], None, Fault(field, Refusal.CHARACTER_LOST))

    def _find_heading(self, first: Sequence[str], separators: str) -> Heading:
        """
        Find the heading, with its lines counted from the beginning of the file.

        Characters that are lost in it or above it mean another encoding: nothing has shown yet that this is the right
        encoding.
        """
        lost = [number for number, line in enumerate(first, 1) if self._has_lost(line)]
        try:
            heading = find_heading(first, separators, self._headings)
        except FileRefusedError as error:
            if lost:
                raise self._wrong_encoding(first, lost[0]) from None
            raise error.moved(self._offset) from None
        if lost and lost[0] <= heading.line:
            raise self._wrong_encoding(first, lost[0])
        return heading.moved(self._offset)

    def _wrong_encoding(self, first: Sequence[str] = (), line: int = 0) -> FileRefusedError:
        sample = [*self._lost_sample, *(_bytes_of(text) for text in first if self._has_lost(text))]
        family = looks_like(b"\n".join(sample)) if self._codec == UTF_8 else ""
        hint = f"It looks like {family}." if family else ""
        return FileRefusedError(
            Refusal.WRONG_ENCODING, (line or self._first_lost) + self._offset, hint=hint, looks_like=family
        )

    def _watched(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines, and note whether the row that is being read is too long or has lost a character."""
        for line in lines:
            self._lines_watched += 1
            self._row_length += len(line)
            if self._row_length > LONGEST_ROW:
                raise FileRefusedError(Refusal.LINE_TOO_LONG, self._lines_watched + self._offset)
            if not line.isascii():
                if self._has_lost(line):
                    self._note_lost_line(line)
                else:
                    self._lines_kept += 1
            yield line

    def _note_lost_line(self, line: str) -> None:
        self._lines_lost += 1
        self._lost_here = True
        self._first_lost = self._first_lost or self._lines_watched
        if self._codec == UTF_8 and len(self._lost_sample) < _SAMPLE:
            self._lost_sample.append(_bytes_of(line))
        if self._lines_lost > self._lines_kept + _HOPELESS:
            raise self._wrong_encoding()

    def _rows_with_lines(self, reader: "Reader") -> Iterator[tuple[int, list[str]]]:
        """Yield each row that is not empty, with the line of the file in which it begins."""
        while True:
            line = reader.line_num + self._offset + 1
            self._row_length = 0
            self._lost_here = False
            try:
                cells = next(reader, None)
            except csv.Error:
                raise FileRefusedError(Refusal.BROKEN_QUOTING, line) from None
            if cells is None:
                return
            if any(cells) and any(map(str.strip, cells)):
                yield line, cells


def _has_replaced(text: str) -> bool:
    """Tell whether a text lacks bytes that were no character of the encoding, where the codec cannot keep them."""
    return DAMAGED in text


def _has_escaped(text: str) -> bool:
    """
    Tell whether a text keeps bytes that were no character of the encoding.

    They are kept as lone surrogates, which no codec returns otherwise, and nothing encodes: to try is seven times as
    fast as to search for them.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _bytes_of(line: str) -> bytes:
    return line.encode(UTF_8, "surrogateescape")


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield the physical lines, none of them longer than a line may be."""
    for number, line in enumerate(iter(partial(text.readline, LONGEST_LINE), ""), 1):
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            raise FileRefusedError(Refusal.LINE_TOO_LONG, number)
        if "\0" in line:
            raise FileRefusedError(Refusal.WRONG_ENCODING, number, hint=_of_nul(number))
        yield line


def _head(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Check the first bytes before they are read as text, and return them apart from the others."""
    rest = iter(chunks)
    head = b""
    for chunk in rest:
        head += chunk
        if len(head) >= _SIGNATURE:
            break
    for signature, hint in _OTHER_FORMATS.items():
        if head.startswith(signature):
            raise FileRefusedError(Refusal.NOT_A_CSV, hint=hint)
    if head.startswith(_UTF_32):
        raise FileRefusedError(Refusal.WRONG_ENCODING, hint="It looks like UTF-32.", looks_like="UTF-32")
    return head, rest


def _of_nul(line: int) -> str:
    """UTF-16 without its mark is valid UTF-8 full of NULs."""
    return "It looks like UTF-16 without its mark." if line == 1 else ""


class _ColumnPlaces:
    """Where our columns are in the lines of a file."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.width = len(columns)
        self.customer, self.account = columns.index("customer_id"), columns.index("account_id")
        self.number = columns.index("account_number")
        # A column that the file has not is read from the empty cell that is put behind the others.
        self._in_order: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(
            *(columns.index(column) if column in columns else self.width for column in COLUMNS)
        )
        self._least = self.width
        while self._least and (not columns[self._least - 1] or columns[self._least - 1] in MAY_BE_EMPTY):
            self._least -= 1

    def fit(self, cells: list[str]) -> None:
        """Cut empty cells behind the last column, and add empty cells that a spreadsheet has left out at the end."""
        if len(cells) > self.width and not any(map(str.strip, cells[self.width :])):
            del cells[self.width :]
        elif self._least <= len(cells) < self.width:
            cells += [""] * (self.width - len(cells))

    def cell(self, cells: Sequence[str], at: int) -> str:
        """Return the text of a cell, empty if the line ends before it."""
        return without_wrapping(plain(cells[at])) if at < len(cells) else ""

    def ours(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Return the cells of our columns in the order of `COLUMNS`."""
        if len(cells) == self.width:
            return self._in_order([*cells, ""])
        known = cells[: self.width]
        return self._in_order([*known, *[""] * (self.width + 1 - len(known))])
