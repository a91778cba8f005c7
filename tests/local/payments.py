"""
Payments that arrive while a local run is under way.

A `paid_on` later than the virtual clock has not happened yet. It is blanked in the file that is uploaded first, and
the lender's systems say so at the start of that local day.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Self
from zoneinfo import ZoneInfo

from dunning.domain.decision.hours import zone_named
from dunning.domain.texts.money import minor_digits
from dunning.policy.jurisdiction import Places, zones_of_countries
from dunning.services.intake.cells import read_amount, read_currency, read_date, read_whole
from dunning.services.intake.plain_text import plain
from dunning.services.intake.refusals import CellError
from tests.local.cloud import LenderEvent

_ZONE_OF_COUNTRY = {
    "TW": "Asia/Taipei",
    "CN": "Asia/Shanghai",
    "HK": "Asia/Hong_Kong",
    "US": "America/New_York",
}
"""Where there are several, the most populous: a payment's day has to begin somewhere."""

INSTALMENTS = (1, 99_999)
"""The numbers an instalment may have."""

_LENDER = "lender"
_BOM = "\ufeff"
_BLANKED = ("paid_on", "paid_amount")


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment, and the instant at which it becomes known. `paid` is what is paid by then, in minor units."""

    at: datetime
    customer_id: str
    account_id: str
    instalment_no: int
    paid: int
    currency: str

    def event(self) -> LenderEvent:
        """Return what the lender's systems say."""
        return LenderEvent(
            "InstalmentPaid",
            {
                "schema_version": 1,
                "customer_id": self.customer_id,
                "at": self.at.isoformat(),
                "account_id": self.account_id,
                "instalment_no": self.instalment_no,
                "paid": self.paid,
                "currency": self.currency,
            },
        )


@dataclass(frozen=True, slots=True)
class AccountsTable:
    """A CSV file as it stands: its header's columns by name, and all its lines, the header first."""

    columns: Mapping[str, int]
    lines: Sequence[list[str]]
    bom: bool

    @classmethod
    def read(cls, body: bytes) -> Self | None:
        """Return the table of a file, `None` if it is no CSV or empty."""
        try:
            text = body.decode("utf-8")
            lines = list(csv.reader(io.StringIO(text.removeprefix(_BOM), newline="")))
        except (UnicodeDecodeError, csv.Error):
            return None
        if not lines:
            return None
        columns = {plain(name).lower(): index for index, name in enumerate(lines[0])}
        return cls(columns, lines, text.startswith(_BOM))

    @property
    def rows(self) -> Sequence[list[str]]:
        """All lines below the header, empty ones too."""
        return self.lines[1:]

    def value(self, line: Sequence[str], column: str) -> str:
        """Return a cell as the intake reads it, empty if the line ends before it."""
        index = self.columns.get(column, -1)
        return plain(line[index]) if 0 <= index < len(line) else ""

    def write(self, lines: Iterable[Sequence[str]]) -> bytes:
        """Return a file of these lines."""
        text = io.StringIO(newline="")
        if self.bom:
            text.write(_BOM)
        csv.writer(text).writerows(lines)
        return text.getvalue().encode()


def split(body: bytes, *, begin: datetime, places: Places) -> tuple[bytes, list[Payment]]:
    """
    Split a file of accounts into what is known when a run begins and the payments that come later, earliest first.

    `places` tell where a day begins. Line numbers of the file stay as they are. One that is no CSV, or has no later
    payments, is left untouched.
    """
    table = AccountsTable.read(body)
    if table is None:
        return body, []
    rows = table.rows
    payments = [_payment(table, row, begin, places) for row in rows]
    if not any(payments):
        return body, []
    blanked = [table.columns[name] for name in _BLANKED if name in table.columns]
    first = [
        ["" if index in blanked else value for index, value in enumerate(row)] if payment else row
        for row, payment in zip(rows, payments, strict=True)
    ]
    found = [payment for payment in payments if payment is not None]
    return table.write([table.lines[0], *first]), sorted(found, key=lambda payment: payment.at)


def with_lender(body: bytes, lender: str) -> bytes:
    """Return a file in which every row has this lender; what is no CSV stays as it is. Lines stay where they are."""
    table = AccountsTable.read(body)
    if table is None:
        return body
    index = table.columns.get(_LENDER, len(table.lines[0]))
    header = [*table.lines[0]] if _LENDER in table.columns else [*table.lines[0], _LENDER]
    # Of a row with too few or too many cells the intake is to tell what it would have told without.
    width = len(table.lines[0])
    rows = ([*row[:index], lender, *row[index + 1 :]] if len(row) == width else row for row in table.rows)
    return table.write([header, *rows])


def count_customers(body: bytes) -> tuple[int, int]:
    """Return how many customers and how many rows a file has."""
    table = AccountsTable.read(body)
    if table is None:
        return 0, 0
    rows = [row for row in table.rows if row]
    return len({table.value(row, "customer_id") for row in rows} - {""}), len(rows)


def _payment(table: AccountsTable, row: Sequence[str], begin: datetime, places: Places) -> Payment | None:
    """Return the payment of a row, `None` if it has none, had it before the run, or intake must refuse it."""
    try:
        paid_on = read_date(table.value(row, "paid_on"))
        currency = read_currency(table.value(row, "currency"))
        paid = read_amount(table.value(row, "paid_amount") or table.value(row, "amount"), minor_digits(currency))
        number = read_whole(table.value(row, "instalment_no"), *INSTALMENTS)
    except CellError:
        return None
    comes = datetime.combine(paid_on, time(), _zone(_zone_name(table, row, places))).astimezone(UTC)
    if comes <= begin or paid <= 0:
        return None
    return Payment(comes, table.value(row, "customer_id"), table.value(row, "account_id"), number, paid, currency)


def _zone_name(table: AccountsTable, row: Sequence[str], places: Places) -> str:
    named = table.value(row, "time_zone")
    if named and zone_named(named) is not None:
        return named
    country = table.value(row, "country").upper()
    place = places.by_id.get(country)
    region = table.value(row, "region").upper().removeprefix(f"{country}-")
    if place is not None and region in place.law.regions:
        return place.law.regions[region][0]
    return _ZONE_OF_COUNTRY.get(country) or next(iter(zones_of_countries().get(country, ())), "UTC")


def _zone(name: str) -> ZoneInfo:
    return zone_named(name) or ZoneInfo("UTC")
