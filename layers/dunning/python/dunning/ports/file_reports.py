"""File reports: what each load of a file came to, and which are under way, for people to look at."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from dunning.ports.file_loads import FileReport


class ReportPage(NamedTuple):
    """Some reports, newest first; `next_page` is empty at the end."""

    reports: tuple[FileReport, ...]
    next_page: str


class LoadUnderWay(NamedTuple):
    """A load that has not ended. A file that is loaded in parts says how many there are, and how many are done."""

    key: str
    uploaded_at: datetime
    begun_at: datetime | None = None
    parts: int = 1
    parts_done: int = 0
    rows: int = 0


class FileReports(Protocol):
    """What has become of files, for some weeks."""

    def newest(self, limit: int, page: str = "") -> ReportPage:
        """Return the reports of the newest uploads, newest first."""
        ...

    def since(self, report_id: str) -> Sequence[FileReport]:
        """Return a report and those of all newer uploads, oldest first; nothing if there is no such report."""
        ...

    def under_way(self) -> Sequence[LoadUnderWay]:
        """Return the loads that have begun and not ended, oldest first."""
        ...
