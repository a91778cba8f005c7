"""The exam of files of accounts: each file with the verdict of a careful reader, run through the intake."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dunning.domain.customer.facts import Facts
from dunning.policy.book import PolicyBook
from dunning.services.intake import IntakeService, IntakeSummary
from dunning.services.intake import intake as intake_module
from dunning.services.intake.encodings import encoding_named
from dunning.services.intake.heading_line import with_own_names
from dunning.services.intake.refusals import NOTES, Refusal, Refused
from dunning.services.intake.rows import Row, RowReader
from dunning.services.intake.spool import SpooledRow
from dunning.services.intake.table import FileForm
from dunning.services.intake.whole_list import WholeLists
from tests.support.fakes import FakeClock, FakeCustomers, FakeEventPublisher, FakeTelemetry, FakeUploads

FOLDER = Path(__file__).parent / "files_as_people_have_them"
READ_AT = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
_KEY = "accounts/file.csv"
_STORED = ("due_on", "amount_minor", "phone", "name", "language", "country", "lender", "currency")
_SILENT = frozenset({"on_hold", "opted_out", "deceased", "bankrupt", "represented", "wrong_person", "ceased",
                     "shared_phone", "no_consent"})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A file and its verdict."""

    name: str
    content: bytes
    verdict: Mapping[str, Any]

    @property
    def is_read(self) -> bool:
        return bool(self.verdict["file"] == "read")

    @property
    def may_be_read(self) -> bool:
        return self.is_read or self.verdict.get("also_fair") == "read"

    @property
    def may_be_refused(self) -> bool:
        return not self.is_read or self.verdict.get("also_fair") == "refused"

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = self.verdict.get("rows" if self.is_read else "rows_if_read", [])
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the intake made of a file: what it came to by line, and what it told."""

    summary: IntakeSummary
    facts: Mapping[str, Facts]
    silent: frozenset[str]
    customer_of_line: Mapping[int, str]
    rows_of_line: Mapping[int, Row]
    rejects: Sequence[Sequence[str]]

    def outcome(self, line: int) -> str:
        """Return what became of a line, in the words of the verdicts."""
        customer_id = self.customer_of_line.get(line)
        if customer_id in self.facts:
            return "silenced" if customer_id in self.silent else "loaded"
        reasons = {Refusal(cells[3]) for cells in self.rejects if int(cells[0]) == line}
        if any(reason.value.endswith("_passed_over") for reason in reasons):
            return "passed_over"
        if reasons - NOTES:
            return "refused"
        return "refused with its customer" if line in self.customer_of_line else "unheard"


def cases(folder: Path = FOLDER) -> Iterator[Case]:
    """Yield the files in order."""
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        (file,) = path.glob("file.*")
        verdict = tomllib.loads((path / "verdict.toml").read_text("utf-8"))
        yield Case(name=path.name, content=file.read_bytes(), verdict=verdict)


def read_case(case: Case, book: PolicyBook) -> Reading:
    """Run a file through the intake on fakes."""
    store, uploads, telemetry = FakeCustomers(), FakeUploads(), FakeTelemetry()
    service = IntakeService(
        store=store,
        phones=store,
        loads=store,
        uploads=uploads,
        publisher=FakeEventPublisher(),
        policies=book,
        lenders=frozenset(book.lenders),
        clock=FakeClock(READ_AT),
        telemetry=telemetry,
        whole_lists=WholeLists(store, store, book),
        writers=1,
        form=FileForm(with_own_names(book.headings), encoding_named(case.verdict.get("encoding", ""))),
        roc_lenders=frozenset({"demo-tw"}),
    )
    uploads.files[_KEY] = case.content
    judge = intake_module._judge  # noqa: SLF001 - to see which rows a customer is made of
    lines: dict[int, str] = {}
    by_line: dict[int, Row] = {}

    def noted(spooled: Sequence[SpooledRow], reader: RowReader) -> tuple[list[Row], list[Refused]]:
        for raw, _ in spooled:
            lines[raw.line] = raw.customer_id
        rows, refused = judge(spooled, reader)
        by_line.update({row.line: row for row in rows})
        return rows, refused

    with patch("dunning.services.intake.intake._judge", noted):
        summary = service.load("bucket", _KEY, READ_AT)
    silent = {
        customer_id
        for customer_id, standing in store.standings.items()
        if standing.reason in _SILENT
        or (customer_id in store.facts and (store.facts[customer_id].holds or store.facts[customer_id].opted_out))
    }
    rejects = uploads.rejects.get("rejects/file.csv", [])[1:]
    return Reading(
        summary=summary,
        facts=store.facts,
        silent=frozenset(silent),
        customer_of_line=lines,
        rows_of_line=by_line,
        rejects=rejects,
    )


def differences(case: Case, reading: Reading) -> list[str]:
    """Return in what a reading differs from the verdict and from what is fair beside it."""
    if reading.summary.refused:
        if not case.may_be_refused:
            return [f"refused whole: {reading.summary.refused}"]
        return _message_differences(case, reading)
    if not case.may_be_read:
        return ["read, and not refused"]
    return [difference for row in case.rows for difference in _row_differences(row, reading)]


def _message_differences(case: Case, reading: Reading) -> list[str]:
    message = " ".join(" ".join(cells) for cells in reading.rejects)
    return [
        f"the message does not say {wanted!r}"
        for wanted in case.verdict.get("message_says", ())
        if not re.search(wanted, message, re.IGNORECASE)
    ]


def _row_differences(row: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    line = row["line"]
    found = reading.outcome(line)
    fair = {row["verdict"], *filter(None, row.get("also_fair", "").split("|"))}
    if found == "refused with its customer":
        found = "refused"
    if found not in fair:
        reasons = ", ".join(f"{cells[2]} {cells[3]}" for cells in reading.rejects if int(cells[0]) == line)
        yield f"{line}: {found} ({reasons}), not {'|'.join(sorted(fair))}: {row.get('why', '')}"
        return
    if found in {"loaded", "silenced"}:
        yield from (f"{line}: {text}" for text in _stored_differences(row, reading))


def _stored_differences(row: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    stored = reading.rows_of_line[row["line"]]
    found = {
        "customer_id": stored.customer_id,
        "account_id": stored.account_id,
        "instalment_no": stored.instalment.number,
        "due_on": stored.instalment.due_on.isoformat(),
        "amount_minor": stored.instalment.amount,
        "currency": stored.currency,
        "phone": stored.person.phone,
        "name": stored.person.name,
        "language": stored.person.language,
        "country": stored.person.country,
        "lender": stored.person.lender,
        "account_number_ends": stored.account_number[-4:],
    }
    for field, value in found.items():
        if field in row and str(row[field]) != str(value):
            yield f"{field} is {value!r}, not {row[field]!r}"
