"""Split loads: large files that are loaded in parts, how far each of them has come, and its work files."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from dunning.ports.file_loads import FileLoad


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCounts:
    """What the load of a part, or of all parts so far, has come to. `refused` is why a part was refused, or empty."""

    customers_loaded: int = 0
    customers_unchanged: int = 0
    customers_refused: int = 0
    older: int = 0
    phones_shared: int = 0
    erased: int = 0
    holds_not_understood: int = 0
    not_in_list: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitLoad:
    """
    The load of a file that was split.

    Everything that was decided of the file as a whole is in it, so that no part has to decide it again. `version` is
    raised by one with every change. `completed_by` is the part whose end was the end of the last: its messages bring
    the load to its end. A whole list `is_compared` once it is known whom it lacks; any other file is so from the start.
    """

    split_id: str
    version: int = 1
    bucket: str
    key: str
    uploaded_at: datetime
    begun_at: datetime
    expires_at: datetime
    parts: int
    rows: int
    columns_ignored: int = 0
    list_of: str = ""
    decimal_comma: bool = False
    long_numbers_are_exact: bool = False
    serials: tuple[str, ...] = ()
    older_under_way: bool = False
    overtaken_by: tuple[FileLoad, ...] = ()
    is_compared: bool = True
    done: tuple[int, ...] = ()
    counts: PartCounts = PartCounts()
    completed_by: int | None = None
    is_finished: bool = False


class SplitLoads(Protocol):
    """How far split loads have come."""

    def read_split(self, split_id: str) -> SplitLoad | None:
        """
        Read a split load strongly consistently; `None` if there is none, or none any more.

        Raises:
            UnreadableRecordError: it cannot be read.
        """
        ...

    def save_split(self, split: SplitLoad) -> bool:
        """Write a split load if the stored version is the one before. Returns False if another writer was first."""
        ...


class WorkFiles(Protocol):
    """The work files of split loads, in the upload bucket."""

    def open(self, bucket: str, key: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open a work file as a stream of byte chunks."""
        ...

    def put(self, bucket: str, key: str, body: BinaryIO) -> None:
        """Write a work file from where `body` stands to its end. It is there whole, or not at all."""
        ...

    def remove(self, bucket: str, prefix: str) -> int:
        """Delete all versions of all work files below a prefix for good, and return their number."""
        ...
