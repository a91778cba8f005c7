"""Files: what has become of the files of accounts, what is still being loaded, and what was refused."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from dunning.domain.errors import DunningError, ServiceCallError
from dunning.ports.clock import Clock
from dunning.ports.file_loads import FileReport
from dunning.ports.file_reports import FileReports, LoadUnderWay
from dunning.ports.sessions import Viewer
from dunning.services.console.audited import PURPOSES, AuditService, LookAct
from dunning.services.console.roles import Act, may
from dunning.services.console.shown import CodeShown
from dunning.services.intake.refusals import REJECT_COLUMNS

FILES_SHOWN = 40
"""Files of a page: with more it would weigh more than 30 KB."""

REJECTS_SHOWN = 200
REJECTS_A_DOWNLOAD = 10_000
"""Lines of a reject file in one answer, which a function may make no larger than 6 MB."""

COUNTS = (
    "customers_loaded", "customers_unchanged", "customers_refused", "rows_refused", "rows_noted", "older", "erased",
    "not_in_list", "phones_shared", "holds_not_understood", "columns_ignored",
)  # fmt: skip
"""What is counted of a load, in the order of the page."""

_LATE_AFTER = timedelta(hours=1)
_REJECTS_KEPT = timedelta(days=7)
_GONE = frozenset({"NoSuchKey", "AccessDenied"})

type OpenRejects = Callable[[str], AbstractContextManager[Iterator[bytes]]]
"""Opens the reject file of a key as a stream of byte chunks."""


class RejectsError(DunningError):
    """No rejects are shown; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """
    A file whose load has ended. `outcome` is `loaded`, `partly` if rows were refused, or `refused`.

    `name` is empty if it might say who somebody is. `counts` leaves out what is nought.
    """

    report_id: str
    uploaded_at: datetime
    ended_at: datetime
    name: str
    list_of: str
    outcome: str
    refusal: CodeShown | None
    line: int
    field: str
    hint: str
    rows: int
    counts: tuple[tuple[CodeShown, int], ...]
    parts: int
    seconds: int
    rejects: str
    """`there`, `expired`, or empty if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingRow:
    """A file that is being loaded. `is_late`: since so long that somebody should look."""

    uploaded_at: datetime
    name: str
    parts: int
    parts_done: int
    rows: int
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesView:
    """The files of the last weeks, newest first."""

    loading: tuple[LoadingRow, ...]
    rows: tuple[FileRow, ...]
    next_page: str
    is_first: bool


class RejectLine(NamedTuple):
    """A line of a reject file. The explanation is in English, as the intake writes it."""

    line: str
    customer_id: str
    field: str
    reason: CodeShown
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectsView:
    """The first lines of a reject file as they stand in it, and how many there are of each reason."""

    report_id: str
    name: str
    purpose: CodeShown
    reasons: tuple[tuple[CodeShown, int], ...]
    lines: tuple[RejectLine, ...]
    count: int

    @property
    def downloads(self) -> tuple[tuple[int, int, int], ...]:
        """The parts in which the file can be downloaded: number, first and last line."""
        return tuple(
            (number, first + 1, min(first + REJECTS_A_DOWNLOAD, self.count))
            for number, first in enumerate(range(0, self.count, REJECTS_A_DOWNLOAD), 1)
        )


class FilesService:
    """
    Reads what has become of files.

    Args:
        reports: the reports of loads.
        audit: the audit trail.
        clock: the time.
        open_rejects: opens a reject file; `None` where there is no bucket to read.
    """

    def __init__(
        self, reports: FileReports, audit: AuditService, clock: Clock, open_rejects: OpenRejects | None
    ) -> None:
        self._reports = reports
        self._audit = audit
        self._clock = clock
        self._open_rejects = open_rejects

    def view(self, page: str) -> FilesView:
        """Return a page of the files."""
        # What judges the names of files is imported when somebody looks: a cold start for another page is spared.
        from dunning.services.intake.intake import tells_of_nobody  # noqa: PLC0415

        now = self._clock.now()
        found = self._reports.newest(FILES_SHOWN, page)
        loading = () if page else self._reports.under_way()
        return FilesView(
            loading=tuple(_loading_row(load, now, tells_of_nobody) for load in loading),
            rows=tuple(self._row(report, now) for report in found.reports),
            next_page=found.next_page,
            is_first=not page,
        )

    def rejects(self, viewer: Viewer, report_id: str, purpose: str) -> RejectsView:
        """
        Return what a reject file says. That somebody looks is written down first.

        Raises:
            RejectsError: role or purpose forbids it, or the rejects are not there.
            ServiceCallError: it is not written down, or the file cannot be read.
        """
        report = self._taken_down(viewer, report_id, purpose)
        reasons: Counter[str] = Counter()
        lines: list[RejectLine] = []
        count = 0
        for cells in self._lines(report):
            count += 1
            reasons[cells[3]] += 1
            if count <= REJECTS_SHOWN:
                line, customer_id, field, reason, explanation, *_ = cells
                lines.append(RejectLine(line, customer_id, field, CodeShown("reject", reason), explanation))
        return RejectsView(
            report_id=report_id,
            name=report.rejects_key.partition("/")[2],
            purpose=CodeShown("purpose", purpose),
            reasons=tuple((CodeShown("reject", reason), count) for reason, count in reasons.most_common()),
            lines=tuple(lines),
            count=count,
        )

    def download(self, viewer: Viewer, report_id: str, purpose: str, part: int) -> str:
        """
        Return a part of a reject file, counted from 1, as CSV. That somebody takes it is written down first.

        Raises:
            RejectsError: role or purpose forbids it, or the rejects are not there.
            ServiceCallError: it is not written down, or the file cannot be read.
        """
        report = self._taken_down(viewer, report_id, purpose)
        first = (max(part, 1) - 1) * REJECTS_A_DOWNLOAD
        written = io.StringIO(newline="")
        # The intake has written the cells so that no spreadsheet takes one for a formula.
        csv.writer(written).writerows([REJECT_COLUMNS, *islice(self._lines(report), first, first + REJECTS_A_DOWNLOAD)])
        return "\ufeff" + written.getvalue()

    def _taken_down(self, viewer: Viewer, report_id: str, purpose: str) -> FileReport:
        if not may(viewer, Act.OPEN_REJECTS):
            raise RejectsError("role")
        if purpose not in PURPOSES:
            raise RejectsError("purpose")
        found = self._reports.since(report_id)
        if not found or not found[0].rejects_key or self._open_rejects is None:
            raise RejectsError("no_rejects")
        report, *newer = found
        if any(each.rejects_key == report.rejects_key for each in newer):
            raise RejectsError("replaced")
        self._audit.take_down(viewer, LookAct.OPENED_REJECTS, subject_matter=report.file_id, purpose=purpose)
        return report

    def _lines(self, report: FileReport) -> Iterator[tuple[str, ...]]:
        """Yield the lines of a reject file below its heading, each with all its cells."""
        if self._open_rejects is None:
            return
        try:
            with self._open_rejects(report.rejects_key) as chunks:
                for cells in islice(csv.reader(_lines_of_text(chunks)), 1, None):
                    yield (*cells, *[""] * (len(REJECT_COLUMNS) - len(cells)))
        except ServiceCallError as error:
            if error.code in _GONE:
                raise RejectsError("no_rejects") from None
            raise

    def _row(self, report: FileReport, now: datetime) -> FileRow:
        rejects = ""
        if report.rejects_key and self._open_rejects is not None:
            rejects = "there" if now - report.ended_at < _REJECTS_KEPT else "expired"
        return FileRow(
            report_id=report.report_id,
            uploaded_at=report.uploaded_at,
            ended_at=report.ended_at,
            name=report.name,
            list_of=report.list_of,
            outcome="refused" if report.refused else "partly" if report.rows_refused else "loaded",
            refusal=CodeShown("refusal", report.refused) if report.refused else None,
            line=report.line,
            field=report.field,
            hint=report.hint,
            rows=report.rows,
            counts=tuple((CodeShown("load", name), count) for name in COUNTS if (count := getattr(report, name))),
            parts=report.parts,
            seconds=report.seconds,
            rejects=rejects,
        )


def _loading_row(load: LoadUnderWay, now: datetime, tells_of_nobody: Callable[[str], bool]) -> LoadingRow:
    return LoadingRow(
        uploaded_at=load.uploaded_at,
        name=load.key if tells_of_nobody(load.key) else "",
        parts=load.parts,
        parts_done=load.parts_done,
        rows=load.rows,
        is_late=now - load.uploaded_at > _LATE_AFTER,
    )


def _lines_of_text(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a file in UTF-8 that comes in chunks."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (f"{line.decode('utf-8-sig', 'replace')}\n" for line in lines)
    if rest:
        yield rest.decode("utf-8-sig", "replace")
