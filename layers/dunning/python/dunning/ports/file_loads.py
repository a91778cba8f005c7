"""File loads: which files of accounts have been loaded lately, or are being loaded, and what came of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol


class FileLoad(NamedTuple):
    """The load of a file, by its key in the bucket and the time of its upload."""

    key: str
    uploaded_at: datetime
    is_finished: bool = False


class KnownLoads(NamedTuple):
    """The loads that are remembered. `version` is raised by one with every change."""

    version: int
    loads: tuple[FileLoad, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """
    What the load of a file came to, for people to look at. It decides nothing.

    `name` is the key of the file, or empty if it might say who somebody is; `list_of` is the lender of a whole list.
    `refused` is why the whole file was refused, with `line`, `field` and `hint`, or empty. `rejects_key` is where the
    refused rows are, or empty.
    """

    file_id: str
    uploaded_at: datetime
    ended_at: datetime
    expires_at: datetime
    name: str = ""
    list_of: str = ""
    refused: str = ""
    line: int = 0
    field: str = ""
    hint: str = ""
    rejects_key: str = ""
    rows: int = 0
    rows_refused: int = 0
    rows_noted: int = 0
    customers_loaded: int = 0
    customers_unchanged: int = 0
    customers_refused: int = 0
    older: int = 0
    erased: int = 0
    not_in_list: int = 0
    phones_shared: int = 0
    holds_not_understood: int = 0
    columns_ignored: int = 0
    parts: int = 1
    seconds: int = 0

    @property
    def report_id(self) -> str:
        """
        The id of the report, by which reports sort by time.

        It says of the file only when it was uploaded, in characters that an address has as they are.
        """
        return f"{self.uploaded_at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{self.file_id}"


class FileLoads(Protocol):
    """A short list of loads, and beside it a report of each load that has ended."""

    def read_loads(self) -> KnownLoads:
        """Read the list strongly consistently. Version 0: there is none yet."""
        ...

    def save_loads(self, loads: Sequence[FileLoad], *, expected_version: int) -> bool:
        """Write the list if it still has this version. Returns False if another writer was first."""
        ...

    def keep_report(self, report: FileReport) -> None:
        """Write what a load came to. The same load that ends once more takes the place of its report."""
        ...
