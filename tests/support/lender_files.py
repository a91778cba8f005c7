"""Portfolios: files of accounts as lenders send them, and an office that loads them into fakes."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from dunning.domain.decision.rules import Policies
from dunning.services.intake import IntakeService, IntakeSummary
from dunning.services.intake.rows import COLUMNS
from dunning.services.intake.whole_list import WholeLists
from tests.support.builders import the_policies
from tests.support.fakes import FakeClock, FakeCustomers, FakeEventPublisher, FakeTelemetry, FakeUploads

UPLOADED_AT = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
POLICIES = the_policies()
LENDERS = frozenset({"demo-tw", "demo-cn"})

WANG = {
    "customer_id": "C-1001",
    "name": "王小明",
    "phone": "0912-345-678",
    "country": "TW",
    "region": "",
    "language": "zh-TW",
    "time_zone": "Asia/Taipei",
    "lender": "demo-tw",
    "consented_at": "2026-01-31",
    "email": "",
    "line_user_id": "",
    "email_consented_at": "",
    "line_consented_at": "",
    "voice_consented_at": "",
    "whatsapp_consented_at": "",
    "account_id": "A-1",
    "account_number": "9001-1234-5678",
    "product": "機車分期",
    "instalment_no": "1",
    "due_on": "2026-12-05",
    "amount": "3250",
    "currency": "TWD",
    "paid_on": "",
    "paid_amount": "",
    "hold": "",
    "hold_until": "",
    "stage_reached": "",
    "written_notice_on": "",
    "late_fee": "",
    "pay_account": "",
}
CHEN = WANG | {
    "customer_id": "C-1002",
    "name": "陳美玲",
    "phone": "0987654321",
    "account_id": "A-2",
    "account_number": "9001-8765-4321",
}


def row(base: Mapping[str, str] = WANG, /, **changes: str) -> dict[str, str]:
    return {**base, **changes}


def csv_of(rows: Iterable[Mapping[str, str]], columns: Sequence[str] = COLUMNS, end: str = "\r\n") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


class Office:
    """An intake with everything it touches."""

    def __init__(self, policies: Policies = POLICIES) -> None:
        self.store = FakeCustomers()
        self.uploads = FakeUploads()
        self.clock = FakeClock(NOW)
        self.telemetry = FakeTelemetry()
        self.publisher = FakeEventPublisher()
        self.service = IntakeService(
            store=self.store,
            phones=self.store,
            loads=self.store,
            uploads=self.uploads,
            publisher=self.publisher,
            policies=policies,
            lenders=LENDERS,
            clock=self.clock,
            telemetry=self.telemetry,
            whole_lists=WholeLists(self.store, self.store, POLICIES),
            writers=3,
        )

    def load(self, content: bytes | str, at: datetime = UPLOADED_AT, name: str = "file.csv") -> IntakeSummary:
        self.uploads.rejects.clear()
        return self._load(f"accounts/{name}", content, at)

    def load_list(
        self, *rows: Mapping[str, str], at: datetime = UPLOADED_AT, key: str = "complete/demo-tw/file.csv"
    ) -> IntakeSummary:
        """Load a lender's whole list."""
        self.uploads.rejects.clear()
        return self._load(key, csv_of(rows), at)

    def _load(self, key: str, content: bytes | str, at: datetime) -> IntakeSummary:
        self.uploads.files[key] = content.encode() if isinstance(content, str) else content
        return self.service.load("bucket", key, at)

    def load_rows(self, *rows: Mapping[str, str], at: datetime = UPLOADED_AT) -> IntakeSummary:
        return self.load(csv_of(rows), at)

    @property
    def rejects(self) -> list[tuple[str, ...]]:
        """Line, customer, field and reason of what was refused or noted."""
        return [tuple(cells[:4]) for lines in self.uploads.rejects.values() for cells in lines[1:]]
