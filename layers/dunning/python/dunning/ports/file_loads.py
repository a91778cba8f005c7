"""File loads: which files of accounts have been loaded lately, or are being loaded."""

from collections.abc import Sequence
from datetime import datetime
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


class FileLoads(Protocol):
    """A short list of loads."""

    def read_loads(self) -> KnownLoads:
        """Read the list strongly consistently. Version 0: there is none yet."""
        ...

    def save_loads(self, loads: Sequence[FileLoad], *, expected_version: int) -> bool:
        """Write the list if it still has this version. Returns False if another writer was first."""
        ...
