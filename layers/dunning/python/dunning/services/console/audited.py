"""Looks and acts: each is written into the audit trail before anything is shown or done."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from dunning.domain.errors import DunningError
from dunning.domain.texts.formulas import begins_a_formula
from dunning.evidence.customer_evidence import Evidence
from dunning.ports.audit_trail import AuditEntry, AuditTrail
from dunning.ports.clock import Clock
from dunning.ports.sessions import Viewer
from dunning.ports.telemetry import Metric, Telemetry
from dunning.services.console.counter_labels import counter_label
from dunning.services.console.roles import Act, may
from dunning.services.console.shown import CodeShown, SentenceShown, StageShown

PURPOSES = ("attend", "call", "complaint", "regulator", "access_request", "audit")
"""What somebody may want to see a value for."""

REVEALS_AN_HOUR = 30
"""The most values a person may see in an hour."""

EXPORTS_AN_HOUR = 10
"""The most customers of whom a person may get everything in an hour."""

AUDIT_PAGE = 90
"""Entries of a page of the trail: with more it would weigh more than 30 KB."""

ENTRIES_OF_A_CUSTOMER = 200
"""Entries that are read for a page of a customer's life, where the looks of a day are one."""

ENTRIES_EXPORTED = 2000

MOST_EXPORTED = 20_000
"""Entries of one download: a function may answer with no more than 6 MB."""

EXPORTED_COLUMNS = ("at", "who", "role", "act", "customer_id", "subject_matter", "purpose")


class LookAct(StrEnum):
    """The acts of the audit trail that are looks."""

    LOOKED = "looked"
    REVEALED = "revealed"
    LISTED = "listed"
    PRINTED = "printed"
    EXPORTED = "exported"
    OPENED_REJECTS = "opened_rejects"
    EXPORTED_AUDIT = "exported_audit"


class DeedAct(StrEnum):
    """The acts of the audit trail that change something."""

    TOOK = "took"
    GAVE_BACK = "gave_back"
    NOTED = "noted"
    CLOSED = "closed"
    LABELLED = "labelled"
    HELD = "held"
    RELEASED = "released"
    PAUSED = "paused"
    RESUMED = "resumed"
    ASKED_ERASURE = "asked_erasure"
    WITHDREW_ERASURE = "withdrew_erasure"
    CONFIRMED_ERASURE = "confirmed_erasure"
    FAILED = "failed"
    """An act that was written down before did not come about."""


class RevealError(DunningError):
    """Nothing is shown; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An entry of the audit trail, in codes. `subject_matter` is a field, or the number behind which a list stands."""

    at: datetime
    title: SentenceShown
    customer_id: str
    subject_matter: CodeShown | StageShown | SentenceShown | datetime | tuple[CodeShown, ...] | None
    purpose: CodeShown | None


class ActsRead(NamedTuple):
    """Entries about a customer, newest first, and whether there are no older ones."""

    entries: Sequence[AuditEntry]
    is_whole: bool = True


class ExportError(DunningError):
    """Nothing is exported; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """
    Entries, newest first: of a day (UTC), or of a customer.

    `is_whole` says that the viewer may see everybody's, `colleague` whose alone are shown. `revealed` are the hidden
    values that the viewer has seen within the last hour.
    """

    day: date
    is_whole: bool
    rows: tuple[AuditRow, ...]
    next_page: str
    colleague: str = ""
    customer_id: str = ""
    revealed: int = 0


@dataclass(frozen=True, slots=True)
class AuditExport:
    """The newest entries of a day (UTC), as they are kept; not whole if there are more than are handed over at once."""

    day: date
    is_whole: bool
    entries: tuple[AuditEntry, ...]


class AuditService:
    """Writes and reads the audit trail."""

    def __init__(
        self, trail: AuditTrail, clock: Clock, new_id: Callable[[], str], telemetry: Telemetry | None = None
    ) -> None:
        self._trail = trail
        self._clock = clock
        self._new_id = new_id
        self._telemetry = telemetry

    def take_down(
        self, viewer: Viewer, act: str, customer_id: str = "", subject_matter: str = "", purpose: str = ""
    ) -> None:
        """
        Write down what somebody is about to see or to do.

        Raises:
            ServiceCallError: it is not written, so nothing may be shown or done.
        """
        self._trail.write(
            AuditEntry(
                at=self._clock.now(),
                entry_id=self._new_id(),
                viewer=viewer,
                act=act,
                customer_id=customer_id,
                subject_matter=subject_matter,
                purpose=purpose,
            )
        )

    @contextmanager
    def doing(
        self, viewer: Viewer, act: DeedAct, customer_id: str = "", subject_matter: str = "", purpose: str = ""
    ) -> Iterator[None]:
        """
        Write down what somebody is about to do, and then let it be done. If it fails, that is written down as well.

        Raises:
            ServiceCallError: it is not written, so nothing was done.
        """
        self.take_down(viewer, act, customer_id, subject_matter, purpose)
        try:
            yield
        except DunningError:
            with suppress(DunningError):
                self.take_down(viewer, DeedAct.FAILED, customer_id, act)
            raise

    def take_down_reveal(self, viewer: Viewer, customer_id: str, field: str, purpose: str) -> None:
        """
        Write down that somebody is about to see a value.

        Raises:
            RevealError: the role, the purpose or the number of values in this hour forbids it.
            ServiceCallError: it is not written.
        """
        self._check(viewer, Act.REVEAL, purpose, LookAct.REVEALED, REVEALS_AN_HOUR)
        self.take_down(viewer, LookAct.REVEALED, customer_id, field, purpose)
        self._count(Metric.REVEALS)

    def take_down_export(self, viewer: Viewer, customer_id: str, purpose: str) -> None:
        """
        Write down that somebody is about to get all that is stored of a customer.

        Raises:
            RevealError: the role, the purpose or the number of exports in this hour forbids it.
            ServiceCallError: it is not written.
        """
        self._check(viewer, Act.EXPORT, purpose, LookAct.EXPORTED, EXPORTS_AN_HOUR)
        self.take_down(viewer, LookAct.EXPORTED, customer_id, purpose=purpose)

    def _check(self, viewer: Viewer, needed: Act, purpose: str, act: LookAct, most: int) -> None:
        """Refuse what the role, the purpose, or the number of such acts in this hour forbids."""
        if not may(viewer, needed):
            raise RevealError("role")
        if purpose not in PURPOSES:
            raise RevealError("purpose")
        if self._within_an_hour(viewer, act, self._clock.now()) >= most:
            if act is LookAct.REVEALED:
                self._count(Metric.REVEALS_REFUSED)
            raise RevealError("too_many")

    def of_customer(self, customer_id: str) -> Sequence[AuditEntry]:
        """Return all entries about a customer, newest first."""
        return self._trail.of_customer(customer_id)

    def part_of_customer(self, customer_id: str, before: datetime | None) -> ActsRead:
        """Return the newest entries about a customer, or those from before a moment."""
        found = self._trail.of_customer(customer_id, ENTRIES_OF_A_CUSTOMER + 1, before)
        return ActsRead(found[:ENTRIES_OF_A_CUSTOMER], len(found) <= ENTRIES_OF_A_CUSTOMER)

    def view(self, viewer: Viewer, day: date | None, page: str = "", colleague: str = "") -> AuditView:
        """
        Return the entries of a day that somebody may see; without a day those of today.

        Who may see only what they did themselves sees that, whomever they ask for.
        """
        now = self._clock.now()
        day = day or now.astimezone(UTC).date()
        sees_all = may(viewer, Act.SEE_ALL_AUDIT)
        colleague = colleague if sees_all else viewer.subject
        found = self._trail.of_day(day, AUDIT_PAGE, page, colleague)
        return AuditView(
            day=day,
            is_whole=sees_all,
            rows=tuple(map(audit_row, found.entries)),
            next_page=found.next_page,
            colleague=colleague if sees_all else "",
            revealed=self._within_an_hour(viewer, LookAct.REVEALED, now),
        )

    def view_of_customer(self, viewer: Viewer, customer_id: str, page: str = "") -> AuditView:
        """Return the entries about a customer, whoever looked or acted."""
        now = self._clock.now()
        found = self._trail.page_of_customer(customer_id, AUDIT_PAGE, page)
        return AuditView(
            day=now.astimezone(UTC).date(),
            is_whole=True,
            rows=tuple(map(audit_row, found.entries)),
            next_page=found.next_page,
            customer_id=customer_id,
            revealed=self._within_an_hour(viewer, LookAct.REVEALED, now),
        )

    def export(self, viewer: Viewer, day: date, hour: int | None) -> str:
        """
        Return the entries of a day (UTC), or of an hour of it, as CSV. That somebody takes it is written down first.

        Raises:
            ExportError: the role forbids it, or there are too many entries for a download.
            ServiceCallError: it is not written down.
        """
        if not may(viewer, Act.SEE_ALL_AUDIT):
            raise ExportError("role")
        begin = datetime(day.year, day.month, day.day, hour or 0, tzinfo=UTC)
        end = begin + (timedelta(days=1) if hour is None else timedelta(hours=1))
        self.take_down(viewer, LookAct.EXPORTED_AUDIT, subject_matter=begin.isoformat(timespec="minutes"))
        entries = list(islice(self._trail.between(begin, end), MOST_EXPORTED + 1))
        if len(entries) > MOST_EXPORTED:
            raise ExportError("too_many")  # half an export would pass for a whole one
        written = io.StringIO(newline="")
        writer = csv.writer(written)
        writer.writerow(EXPORTED_COLUMNS)
        writer.writerows(map(_exported, entries))
        return "\ufeff" + written.getvalue()

    def _within_an_hour(self, viewer: Viewer, act: LookAct, now: datetime) -> int:
        return self._trail.count(viewer.subject, act, now - timedelta(hours=1), now)

    def export_for_program(self, viewer: Viewer, day: date | None) -> AuditExport:
        """
        Return the entries of a day for a program, after it is written down that it reads them.

        Raises:
            ServiceCallError: it is not written down, or the entries cannot be read.
        """
        day = day or self._clock.now().astimezone(UTC).date()
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self.take_down(viewer, LookAct.EXPORTED_AUDIT, subject_matter=begin.isoformat(timespec="minutes"))
        entries = self._trail.of_day(day, ENTRIES_EXPORTED).entries
        return AuditExport(day, len(entries) < ENTRIES_EXPORTED, tuple(entries))

    def _count(self, metric: Metric) -> None:
        if self._telemetry is not None:
            self._telemetry.count(metric)


def _exported(entry: AuditEntry) -> list[str]:
    """Return an entry as cells, none of which begins as a formula of a spreadsheet does."""
    cells = (
        entry.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        entry.viewer.subject,
        entry.viewer.role.value,
        entry.act,
        entry.customer_id,
        entry.subject_matter,
        entry.purpose,
    )
    return [f"'{cell}" if begins_a_formula(cell) else cell for cell in cells]


def audit_row(entry: AuditEntry) -> AuditRow:
    """Return an entry in codes."""
    subject_matter = _subject_matter(entry) if entry.subject_matter else None
    who = {"who": entry.viewer.subject, "role": CodeShown("role", entry.viewer.role.value)}
    return AuditRow(
        at=entry.at,
        title=SentenceShown(f"act.{entry.act}", who),
        customer_id=entry.customer_id,
        subject_matter=subject_matter,
        purpose=CodeShown("purpose", entry.purpose) if entry.purpose else None,
    )


_DEED_GROUPS = {
    DeedAct.CLOSED.value: "outcome",
    DeedAct.LABELLED.value: "intent",
    DeedAct.HELD.value: "hold",
    DeedAct.RELEASED.value: "hold",
    DeedAct.FAILED.value: "deed",
    DeedAct.ASKED_ERASURE.value: "erasure_reason",
    DeedAct.CONFIRMED_ERASURE.value: "erasure_reason",
    DeedAct.WITHDREW_ERASURE.value: "erasure_reason",
}
"""The group of the words of what a deed is about."""


def _subject_matter(entry: AuditEntry) -> CodeShown | StageShown | SentenceShown | datetime | tuple[CodeShown, ...]:
    """Return what an entry is about: codes with commas between them, and behind a `#` the last day of it."""
    if entry.act == LookAct.LISTED.value:
        is_waiting = entry.subject_matter == "waiting"
        return CodeShown("page", "waiting") if is_waiting else counter_label(entry.subject_matter)
    if entry.act == LookAct.EXPORTED_AUDIT.value:
        with suppress(ValueError):
            return datetime.fromisoformat(entry.subject_matter)
    codes, _, until = entry.subject_matter.partition("#")
    group = _DEED_GROUPS.get(entry.act)
    if group is None:
        return CodeShown("field", codes)
    what = tuple(CodeShown(group, code) for code in codes.split(","))
    with suppress(ValueError):
        return SentenceShown("audit.until", {"what": what, "day": date.fromisoformat(until)})
    return what


def revealed_value(evidence: Evidence, field: str) -> str | None:
    """Return the value of a field, such as `name`, `phone`, `email` or `reply#<id>`; `None` if there is none."""
    facts = evidence.facts
    match field.partition("#"):
        case ("name", _, _):
            return facts.name if facts else None
        case ("phone", _, _):
            return facts.phone if facts else None
        case ("email", _, _):
            return (facts.email if facts else None) or None
        case ("line_user_id", _, _):
            return (facts.line_user_id if facts else None) or None
        case ("reply", "#", reply_id):
            return next((each.inbound.text for each in evidence.replies if each.inbound.inbound_id == reply_id), None)
        case _:
            return None
