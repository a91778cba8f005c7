"""
Payments that arrive while a local run is under way.

A `paid_on` later than the virtual clock has not happened yet. It is blanked in the file that is uploaded first, and
the lender's systems say so at the start of that local day.
"""

import csv
import io
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import islice
from typing import Self
from zoneinfo import ZoneInfo

from dunning.domain.decision.hours import zone_named
from dunning.domain.texts.money import minor_digits
from dunning.policy.jurisdiction import Places, zones_of_countries
from dunning.services.intake.cells import read_amount, read_country, read_currency, read_date, read_instalment_no
from dunning.services.intake.encodings import UTF_8
from dunning.services.intake.heading_line import MOST_LINES_ABOVE, SEPARATORS, find_heading
from dunning.services.intake.plain_text import plain
from dunning.services.intake.refusals import CellError, FileRefusedError
from dunning.services.intake.table import FileForm
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
_PLAIN = FileForm()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsTable:
    """A file as it stands: its columns by name, its lines up to the heading, and the lines below it, empty ones too."""

    columns: Mapping[str, int]
    top: Sequence[list[str]]
    rows: Sequence[list[str]]
    codec: str
    separator: str

    @classmethod
    def read(cls, body: bytes, form: FileForm = _PLAIN) -> Self | None:
        """Return the table of a file, `None` if it is no CSV or empty. The intake reads the same encodings."""
        codec, text = _decoded(body, form)
        separator, last, names = _heading(text, form)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        top: list[list[str]] = []
        rows: list[list[str]] = []
        begins = 1
        try:
            for line in reader:
                (rows if top and top[-1] and begins > last else top).append(line)
                begins = reader.line_num + 1
        except csv.Error:
            return None
        if not text or not top:
            return None
        columns = names or {plain(name).lower(): index for index, name in enumerate(top[-1])}
        return cls(columns=columns, top=top, rows=rows, codec=codec, separator=separator)

    def value(self, line: Sequence[str], column: str) -> str:
        """Return a cell as the intake reads it, empty if the line ends before it."""
        index = self.columns.get(column, -1)
        return plain(line[index]) if 0 <= index < len(line) else ""

    def write(self, top: Iterable[Sequence[str]], rows: Iterable[Sequence[str]]) -> bytes:
        """Return a file of these lines, in the encoding and with the separator of this one."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.separator).writerows([*top, *rows])
        return text.getvalue().encode(self.codec)


def _decoded(body: bytes, form: FileForm) -> tuple[str, str]:
    """Return a file's codec and its text; no text if it is in another encoding."""
    codecs = [
        "utf-16"
        if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        else "utf-8-sig"
        if body.startswith(BOM_UTF8)
        else UTF_8
    ]
    if form.encoding is not None:
        codecs.append(form.encoding.codec)
    for codec in codecs:
        with suppress(UnicodeError):
            return codec, body.decode(codec)
    return UTF_8, ""


def _heading(text: str, form: FileForm) -> tuple[str, int, Mapping[str, int]]:
    """Return the separator, the last line of the heading, and the columns; none if the intake will refuse the file."""
    first = list(islice(io.StringIO(text, newline=""), MOST_LINES_ABOVE))
    try:
        heading = find_heading(first, SEPARATORS, form.headings)
    except FileRefusedError:
        return ",", 1, {}
    places = {column: index for index, column in enumerate(heading.columns) if column}
    return heading.separator, heading.line, places


def split(body: bytes, *, begin: datetime, places: Places, form: FileForm = _PLAIN) -> tuple[bytes, list[Payment]]:
    """
    Split a file of accounts into what is known when a run begins and the payments that come later, earliest first.

    `places` tell where a day begins. Line numbers of the file stay as they are. One that is no CSV, or has no later
    payments, is left untouched.
    """
    table = AccountsTable.read(body, form)
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
    return table.write(table.top, first), sorted(found, key=lambda payment: payment.at)


def with_lender(body: bytes, lender: str, form: FileForm = _PLAIN) -> bytes:
    """Return a file in which every row has this lender; what is no CSV stays as it is. Lines stay where they are."""
    table = AccountsTable.read(body, form)
    if table is None:
        return body
    *above, names = table.top
    # Of a row with too few or too many cells the intake is to tell what it would have told without.
    width = len(names)
    index = table.columns.get(_LENDER, width)
    header = names if _LENDER in table.columns else [*names, _LENDER]
    rows = ([*row[:index], lender, *row[index + 1 :]] if len(row) == width else row for row in table.rows)
    return table.write([*above, header], rows)


def lenders_in(body: bytes, form: FileForm = _PLAIN) -> frozenset[str]:
    """Return the lenders that a file names."""
    table = AccountsTable.read(body, form)
    return frozenset(table.value(row, _LENDER) for row in table.rows) - {""} if table else frozenset()


def count_customers(body: bytes, form: FileForm = _PLAIN) -> tuple[int, int]:
    """Return how many customers and how many rows a file has."""
    table = AccountsTable.read(body, form)
    if table is None:
        return 0, 0
    rows = [row for row in table.rows if row]
    return len({table.value(row, "customer_id") for row in rows} - {""}), len(rows)


def _payment(table: AccountsTable, row: Sequence[str], begin: datetime, places: Places) -> Payment | None:
    """Return the payment of a row, `None` if it has none, had it before the run, or intake must refuse it."""
    try:
        paid_on = read_date(table.value(row, "paid_on"), roc_years=_country(table, row) == "TW")
        currency = read_currency(table.value(row, "currency"))
        amount = table.value(row, "paid_amount") or table.value(row, "amount")
        paid = read_amount(amount, minor_digits(currency), currency, decimal_comma=table.separator == ";")
        number = read_instalment_no(table.value(row, "instalment_no"))
    except CellError:
        return None
    comes = datetime.combine(paid_on, time(), _zone(_zone_name(table, row, places))).astimezone(UTC)
    if comes <= begin or paid <= 0:
        return None
    return Payment(comes, table.value(row, "customer_id"), table.value(row, "account_id"), number, paid, currency)


def _country(table: AccountsTable, row: Sequence[str]) -> str:
    try:
        return read_country(table.value(row, "country"))
    except CellError:
        return ""


def _zone_name(table: AccountsTable, row: Sequence[str], places: Places) -> str:
    named = table.value(row, "time_zone")
    if named and zone_named(named) is not None:
        return named
    country = _country(table, row)
    place = places.by_id.get(country)
    region = table.value(row, "region").upper().removeprefix(f"{country}-")
    if place is not None and region in place.law.regions:
        return place.law.regions[region][0]
    return _ZONE_OF_COUNTRY.get(country) or next(iter(zones_of_countries().get(country, ())), "UTC")


def _zone(name: str) -> ZoneInfo:
    return zone_named(name) or ZoneInfo("UTC")
