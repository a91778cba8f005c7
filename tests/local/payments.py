"""
Payments that arrive while a local run is under way.

A `paid_on` later than the virtual clock has not happened yet. It is blanked in the file that is uploaded first,
and arrives as a newer file of its own at the start of that local day.
"""

import csv
import io
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from dunning.domain.hours import zone_named
from dunning.policy import PolicyBook, load_policies
from dunning.policy.jurisdiction import zones_of_countries
from dunning.services.intake.cells import read_date
from dunning.services.intake.characters import plain
from dunning.services.intake.refusals import CellError

_ZONE_OF_COUNTRY = {
    "TW": "Asia/Taipei",
    "CN": "Asia/Shanghai",
    "HK": "Asia/Hong_Kong",
    "US": "America/New_York",
}
"""Where there are several, the most populous: a payment's day has to begin somewhere."""

_A_PAYMENT = re.compile(r"(?=.*[1-9])[0-9,]+(\.[0-9]+)?")
_BOM = "\ufeff"
_BLANKED = ("paid_on", "paid_amount")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file, the instant at which it arrives, and the (customer, account) of each payment it brings."""

    at: datetime
    key: str
    body: bytes
    paid: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """A CSV file as it stands: its header's columns by name, and all its lines, the header first."""

    columns: Mapping[str, int]
    lines: Sequence[list[str]]
    bom: bool

    def value(self, line: Sequence[str], column: str) -> str:
        index = self.columns.get(column, -1)
        return plain(line[index]) if 0 <= index < len(line) else ""

    def write(self, lines: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO(newline="")
        if self.bom:
            text.write(_BOM)
        csv.writer(text).writerows(lines)
        return text.getvalue().encode()


def split(
    body: bytes, *, begin: datetime, prefix: str = "accounts/", only: Container[str] | None = None
) -> tuple[bytes, list[Arrival]]:
    """
    Split a file of accounts into what is known when a run begins and the payments that come later.

    Each payment file holds every row of the customers who pay on that day, as of then; `only` leaves out customers
    who were refused in the first file, and would be again. Line numbers of the first file stay as they are. A file
    that is no CSV, or has no later payments, is left untouched.
    """
    table = _read(body)
    if table is None:
        return body, []
    rows = table.lines[1:]
    comes_at = [_comes_at(table, row, begin) for row in rows]
    if not any(comes_at):
        return body, []
    first = table.write([table.lines[0], *_as_of(table, rows, comes_at, begin)])

    rows_of: dict[str, list[int]] = {}
    paying: dict[tuple[datetime, str], list[int]] = {}
    for index, (row, at) in enumerate(zip(rows, comes_at, strict=True)):
        rows_of.setdefault(table.value(row, "customer_id"), []).append(index)
        if at is not None and (only is None or table.value(row, "customer_id") in only):
            paying.setdefault((at, _zone_name(table, row)), []).append(index)
    arrivals = []
    for (at, zone), paid in sorted(paying.items()):
        customers = dict.fromkeys(table.value(rows[index], "customer_id") for index in paid)
        chosen = [index for customer in customers for index in rows_of[customer]]
        lines = _as_of(table, [rows[i] for i in chosen], [comes_at[i] for i in chosen], at)
        day = at.astimezone(_zone(zone)).date()
        arrivals.append(
            Arrival(
                at,
                f"{prefix}payments-{day.isoformat()}-{zone.replace('/', '-').lower()}.csv",
                table.write([table.lines[0], *lines]),
                tuple((table.value(rows[i], "customer_id"), table.value(rows[i], "account_id")) for i in paid),
            )
        )
    return first, arrivals


def count_customers(body: bytes) -> tuple[int, int]:
    """Return how many customers and how many rows a file has."""
    table = _read(body)
    if table is None:
        return 0, 0
    rows = [row for row in table.lines[1:] if row]
    return len({table.value(row, "customer_id") for row in rows} - {""}), len(rows)


def _read(body: bytes) -> _Table | None:
    try:
        text = body.decode("utf-8")
        lines = list(csv.reader(io.StringIO(text.removeprefix(_BOM), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return None
    if not lines:
        return None
    columns = {plain(name).lower(): index for index, name in enumerate(lines[0])}
    return _Table(columns, lines, text.startswith(_BOM))


def _comes_at(table: _Table, row: Sequence[str], begin: datetime) -> datetime | None:
    """Return when a row's payment arrives, `None` if it has none, had it before the run, or intake must refuse it."""
    try:
        paid_on = read_date(table.value(row, "paid_on"))
    except CellError:
        return None
    paid_amount = table.value(row, "paid_amount")
    if paid_amount and not _A_PAYMENT.fullmatch(paid_amount):
        return None
    arrives = datetime.combine(paid_on, time(), _zone(_zone_name(table, row))).astimezone(UTC)
    return arrives if arrives > begin else None


def _as_of(
    table: _Table,
    rows: Sequence[list[str]],
    comes_at: Sequence[datetime | None],
    moment: datetime,
) -> Iterable[list[str]]:
    """Yield rows with the payments blanked that have not come at a moment."""
    blanked = [table.columns[name] for name in _BLANKED if name in table.columns]
    for row, at in zip(rows, comes_at, strict=True):
        if at is None or at <= moment:
            yield row
        else:
            yield ["" if index in blanked else value for index, value in enumerate(row)]


def _zone_name(table: _Table, row: Sequence[str]) -> str:
    named = table.value(row, "time_zone")
    if named and zone_named(named) is not None:
        return named
    country = table.value(row, "country").upper()
    place = _policies().places.by_id.get(country)
    region = table.value(row, "region").upper().removeprefix(f"{country}-")
    if place is not None and region in place.law.regions:
        return place.law.regions[region][0]
    return _ZONE_OF_COUNTRY.get(country) or next(iter(zones_of_countries().get(country, ())), "UTC")


@cache
def _policies() -> PolicyBook:
    return load_policies()


def _zone(name: str) -> ZoneInfo:
    return zone_named(name) or ZoneInfo("UTC")
