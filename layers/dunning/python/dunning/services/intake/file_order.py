"""
File order: keeps an older file from winning over a newer one that said nothing new.

S3 may announce files out of order, and a load that failed comes again minutes later. A customer whose newer statement
was written is safe: the older one is refused by its time. A customer whom the newer file left unchanged is not written,
for that would cost a write for each customer of each day's file. So each load is entered in a list before it begins:

- An older load is under way: then this load writes the time of its statement for unchanged customers, too.
- A newer load has begun: then this load leaves out whom the newer file names.

Of two loads the later entry sees the earlier, so that one of the two holds.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from dunning.ports.file_loads import FileLoad, FileLoads, KnownLoads
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically

REMEMBERED = timedelta(days=8)
"""Longer than the bucket keeps a file, and than a queue keeps a failed load."""

MOST_REMEMBERED = 100
"""The finished loads that are kept, the newest. A file that so many have overtaken is refused."""


class Overtaken(NamedTuple):
    """The newer files that were begun before this load, and whether an older load is under way."""

    by: tuple[FileLoad, ...]
    older_under_way: bool


class FileOrder:
    """Enters loads in the list."""

    def __init__(self, loads: FileLoads) -> None:
        self._loads = loads

    def begin(self, key: str, uploaded_at: datetime, now: datetime) -> Overtaken:
        """
        Enter a load as under way, and tell which other loads matter to it.

        Raises:
            ContestedError: other loads kept changing the list.
        """
        others = self._change(
            key,
            uploaded_at,
            lambda loads: (
                *(load for load in loads if load.uploaded_at > now - REMEMBERED),
                FileLoad(key, uploaded_at),
            ),
        )
        return Overtaken(
            tuple(load for load in others if load.uploaded_at > uploaded_at),
            any(load.uploaded_at < uploaded_at and not load.is_finished for load in others),
        )

    def newer_than(self, uploaded_at: datetime) -> tuple[FileLoad, ...]:
        """Return the loads of newer files, those that have begun since included."""
        return tuple(load for load in self._loads.read_loads().loads if load.uploaded_at > uploaded_at)

    def withdraw(self, key: str, uploaded_at: datetime) -> None:
        """
        Take a load off the list, because the file was refused whole: it says nothing, and overtakes nothing.

        Raises:
            ContestedError: other loads kept changing the list.
        """
        self._change(key, uploaded_at, lambda loads: loads)

    def finish(self, key: str, uploaded_at: datetime) -> None:
        """
        Enter that a load has come to its end.

        Raises:
            ContestedError: other loads kept changing the list.
        """
        self._change(key, uploaded_at, lambda loads: (*loads, FileLoad(key, uploaded_at, is_finished=True)))

    def _change(
        self,
        key: str,
        uploaded_at: datetime,
        change: Callable[[tuple[FileLoad, ...]], tuple[FileLoad, ...]],
    ) -> tuple[FileLoad, ...]:
        """Change the list, and return the loads that were on it, without this load."""

        def attempt(known: KnownLoads) -> tuple[FileLoad, ...] | Conflict:
            others = tuple(load for load in known.loads if load[:2] != (key, uploaded_at))
            after = _without_the_oldest(change(others))
            return others if self._loads.save_loads(after, expected_version=known.version) else CONFLICT

        # A file's name stays out of errors: people put names of people into it.
        return write_optimistically("(the list of files)", self._loads.read_loads(), self._loads.read_loads, attempt)


def _without_the_oldest(loads: tuple[FileLoad, ...]) -> tuple[FileLoad, ...]:
    finished = sorted((load for load in loads if load.is_finished), key=lambda load: load.uploaded_at)
    dropped = set(finished[:-MOST_REMEMBERED])
    return tuple(load for load in loads if load not in dropped)
