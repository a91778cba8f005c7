"""
Part files: the parts of a large file as CSV files of our own, and the refusals that each part has led to.

    parts/<split id>/0007.csv               rows of the file, each with its line in the upload, of some customers
    outcomes/<split id>/refused-0007.csv    what was refused or noted of the part's rows; `notes` is of no part
    outcomes/<split id>/missing-0007.csv    whom a whole list lacks, of the customers who belong to the part

A row is stored as the table read it: its titles and totals are passed over, merged cells are filled, its encoding is
UTF-8. So a part is read without knowing the file. Records of line 0 are no rows: they name accounts that customers of
other parts claim, too.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Self, TextIO, cast

from dunning.domain.errors import UnreadableRecordError
from dunning.services.intake.refusals import Refusal, Refused
from dunning.services.intake.rows import COLUMNS, Fault
from dunning.services.intake.table import ByteStream, RawRow

PARTS_PREFIX = "parts/"
OUTCOMES_PREFIX = "outcomes/"

_HEADING = ["line", "of_customer", "of_account", "fault_field", "fault_reason", *COLUMNS]
_BEFORE_CELLS = len(_HEADING) - len(COLUMNS)
_ERRORS = "surrogatepass"
"""A character that UTF-8 has not may have been in the file: it is refused where its cell is read, and not here."""


def parts_folder(split_id: str) -> str:
    """Return where the parts of a file are."""
    return f"{PARTS_PREFIX}{split_id}/"


def outcomes_folder(split_id: str) -> str:
    """Return where the outcomes of a file's parts are."""
    return f"{OUTCOMES_PREFIX}{split_id}/"


def part_key(split_id: str, part: int) -> str:
    """Return the key of a part."""
    return f"{parts_folder(split_id)}{part:04d}.csv"


def refused_key(split_id: str, part: int | None) -> str:
    """Return the key of a part's refusals; without a part, of what is noted of the file as a whole."""
    return f"{outcomes_folder(split_id)}{'notes' if part is None else f'refused-{part:04d}'}.csv"


def missing_key(split_id: str, part: int) -> str:
    """Return the key of the customers whom a whole list lacks."""
    return f"{outcomes_folder(split_id)}missing-{part:04d}.csv"


class PartWriter:
    """Writes the parts of a file to disk. The memory does not grow with the file: a buffer for each part."""

    def __init__(self, parts: int) -> None:
        self._parts = parts

    def __enter__(self) -> Self:
        self._exit = ExitStack()
        opened = [self._exit.enter_context(_temporary_text()) for _ in range(self._parts)]
        self._files = [file for file, _ in opened]
        self._texts = [text for _, text in opened]
        self._writers = [csv.writer(text) for text in self._texts]
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def begin(self) -> None:
        """Begin anew, with no rows."""
        for text, writer in zip(self._texts, self._writers, strict=True):
            text.seek(0)
            text.truncate()
            writer.writerow(_HEADING)

    def write(self, rows: Iterable[tuple[int, RawRow]]) -> int:
        """Write rows to their parts, and return their number."""
        write = [writer.writerow for writer in self._writers]
        count = 0
        for part, (line, customer_id, account_id, cells, fault) in rows:
            write[part]((line, customer_id, account_id, *(fault or ("", "")), *(cells or ())))
            count += 1
        return count

    def contest(self, accounts: Iterable[tuple[int, str]]) -> None:
        """Name accounts that several customers claim, to the parts that have rows of them."""
        for part, account_id in accounts:
            self._writers[part].writerow((0, "", account_id, "", ""))

    def finished(self) -> Iterator[tuple[int, BinaryIO]]:
        """Yield the parts, each ready to be read from its beginning."""
        for part, (file, text) in enumerate(zip(self._files, self._texts, strict=True)):
            text.flush()
            file.seek(0)
            yield part, file


@contextmanager
def _temporary_text() -> Iterator[tuple[BinaryIO, TextIO]]:
    """Open a file on disk as text, and as the bytes it is."""
    with TemporaryFile() as file, io.TextIOWrapper(file, "utf-8", _ERRORS, newline="") as text:
        yield cast("BinaryIO", file), text


class PartRows:
    """The rows of a part. `contested` is complete once all rows are read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """
        Begin to read a part.

        Raises:
            UnreadableRecordError: it is no part, or another release has written it.
        """
        self._records = _records_of(chunks)
        self.contested: list[str] = []
        if next(self._records, None) != _HEADING:
            raise UnreadableRecordError("not a part of a file: its heading")

    def __iter__(self) -> Iterator[RawRow]:
        """
        Yield the rows.

        Raises:
            UnreadableRecordError: a record is no row.
        """
        for record in self._records:
            try:
                line = int(record[0])
                _, customer_id, account_id, fault_field, fault_reason = record[:_BEFORE_CELLS]
                fault = Fault(fault_field, Refusal(fault_reason)) if fault_reason else None
            except (ValueError, IndexError):
                raise UnreadableRecordError("not a part of a file: a record") from None
            if line:
                yield RawRow(line, customer_id, account_id, record[_BEFORE_CELLS:] or None, fault)
            else:
                self.contested.append(account_id)


def refused_as_records(refused: Iterable[Refused]) -> Iterator[Sequence[object]]:
    """Return refusals as they are written for the end of the load."""
    return ((line, customer_id, field, reason.value, hint) for line, customer_id, field, reason, hint in refused)


def refused_of(chunks: Iterable[bytes]) -> Iterator[Refused]:
    """Read what `refused_as_records` has written."""
    for line, customer_id, field, reason, hint in _records_of(chunks):
        yield Refused(int(line), customer_id, field, Refusal(reason), hint)


def ids_of(chunks: Iterable[bytes]) -> list[str]:
    """Read customers, one a record."""
    return [record[0] for record in _records_of(chunks)]


@contextmanager
def written_csv(records: Iterable[Sequence[object]]) -> Iterator[BinaryIO]:
    """Write records to a file on disk, which is ready to be read from its beginning."""
    with _temporary_text() as (file, text):
        csv.writer(text).writerows(records)
        text.flush()
        file.seek(0)
        yield file


def _records_of(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    stream = io.BufferedReader(ByteStream(chunks), 1 << 16)
    return csv.reader(io.TextIOWrapper(stream, "utf-8", _ERRORS, newline=""))
