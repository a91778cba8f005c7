"""The customers of a what-if: of a file, read by the real intake over stores in memory, or of the tables of a stack."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from dunning.domain.customer.standing import Standing
from dunning.domain.effect.assumed_payments import Hazards, ObservedInstalment
from dunning.domain.effect.courses import AssumedPayment
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.policy import PolicyBook
from dunning.ports.customers import WholeScan
from dunning.services.intake import IntakeService
from dunning.services.intake.cells import read_country, read_date
from dunning.services.intake.refusals import CellError
from dunning.services.intake.table import FileForm
from dunning.services.intake.whole_list import WholeLists
from dunning.services.what_if import CustomerAtStart
from tests.local.payments import AccountsTable, split
from tests.support.fakes import FakeClock, FakeCustomers, FakeEventPublisher, FakeTelemetry, FakeUploads

_BUCKET = "what-if"
_MOST_DAY = 365


class WhatIfChoiceError(DunningError):
    """Something that a what-if was asked for cannot be; the message names the variable or the line, and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfPortfolio:
    """
    The customers, as they stand at the beginning. `refused` counts the rows, or the records, that cannot be read.

    `paid_later` are the payments that a file dates after the beginning, by customer.
    """

    customers: Sequence[CustomerAtStart]
    refused: int
    paid_later: Mapping[str, Sequence[AssumedPayment]]


def from_file(accounts: bytes, name: str, form: FileForm, book: PolicyBook, begin: datetime) -> WhatIfPortfolio:
    """
    Return the customers of a file of accounts, as the intake would leave them at a moment.

    Raises:
        WhatIfChoiceError: the file, or every row of it, was refused.
    """
    first, later = split(accounts, begin=begin, places=book.places, form=form)
    store, uploads = FakeCustomers(), FakeUploads()
    service = IntakeService(
        store=store,
        phones=store,
        loads=store,
        uploads=uploads,
        publisher=FakeEventPublisher(),
        policies=book,
        lenders=frozenset(book.lenders),
        clock=FakeClock(begin),
        telemetry=FakeTelemetry(),
        whole_lists=WholeLists(store, store, book),
        writers=1,
        form=form,
        roc_lenders=book.at_home_in("TW"),
    )
    key = f"accounts/{name}"
    uploads.files[key] = first
    summary = service.load(_BUCKET, key, begin)
    facts = store.facts
    if not facts:
        why = ": ".join(filter(None, (summary.field, summary.refused, summary.hint)))
        why = why or "every row was refused; `make run` with this file says why"
        raise WhatIfChoiceError(f"ACCOUNTS={name}: nothing was loaded: {why}")
    paid_later: defaultdict[str, list[AssumedPayment]] = defaultdict(list)
    for payment in later:
        if payment.customer_id in facts:
            found = AssumedPayment(payment.at, payment.account_id, payment.instalment_no, payment.paid)
            paid_later[payment.customer_id].append(found)
    return WhatIfPortfolio(
        customers=[CustomerAtStart(facts[customer_id], store.standings[customer_id]) for customer_id in sorted(facts)],
        refused=summary.rows_refused,
        paid_later=paid_later,
    )


def from_tables(scan: WholeScan) -> WhatIfPortfolio:
    """Return the customers of a stack, as they stand now. Nothing is written."""
    customers: list[CustomerAtStart] = []
    unreadable = 0
    for found in scan.whole_customers():
        if isinstance(found, UnreadableRecordError):
            unreadable += 1
        elif found.facts is not None:
            standing = found.standing or Standing(customer_id=found.facts.customer_id)
            if standing.is_planned:
                customers.append(CustomerAtStart(found.facts, replace(standing)))
    return WhatIfPortfolio(
        customers=sorted(customers, key=lambda customer: customer.facts.customer_id),
        refused=unreadable,
        paid_later={},
    )


def observed_in(accounts: bytes, form: FileForm, begin: datetime) -> Iterator[ObservedInstalment]:
    """Yield what a file of accounts knows of the days of payment before a moment."""
    table = AccountsTable.read(accounts, form)
    if table is None:
        return
    today = begin.date()
    for row in table.rows:
        try:
            roc_years = read_country(table.value(row, "country")) == "TW"
            due_on = read_date(table.value(row, "due_on"), roc_years=roc_years)
        except CellError:
            continue
        paid_on = _day_in(table, row, roc_years=roc_years)
        known_until = (today - due_on).days
        if paid_on is not None and paid_on < today:
            yield ObservedInstalment((paid_on - due_on).days, known_until)
        elif known_until > -_MOST_DAY:
            yield ObservedInstalment(None, known_until)


def _day_in(table: AccountsTable, row: Sequence[str], *, roc_years: bool) -> date | None:
    try:
        return read_date(table.value(row, "paid_on"), roc_years=roc_years)
    except CellError:
        return None


def read_hazards(file: Path) -> Hazards:
    """
    Read a table of hazards: `group,day,share`, a line each, such as `all,0,0.21`.

    `group` is `overdue` (something is, at the beginning), `current`, or `all`; `day` counts from the due date, negative
    before it; `share` is the part of those who still owe that pays on that day.

    Raises:
        WhatIfChoiceError: the file cannot be read, or a line of it; the message names line, field and fix.
    """
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8: save the file in that encoding"
        raise WhatIfChoiceError(f"PAYMENTS={file}: {reason}") from None
    hazards: defaultdict[str, dict[int, float]] = defaultdict(dict)
    if not lines or [cell.strip() for cell in lines[0].split(",")] != ["group", "day", "share"]:
        raise WhatIfChoiceError(f"PAYMENTS={file}:1: the first line has to be group,day,share")
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split(",")]
        place = f"PAYMENTS={file}:{number}"
        if len(cells) != 3:
            raise WhatIfChoiceError(f"{place}: {len(cells)} cells; give group, day and share")
        group, day, share = cells
        if group not in {"all", "current", "overdue"}:
            raise WhatIfChoiceError(f"{place}: group: {group!r} is none; use all, current or overdue")
        if not day.removeprefix("-").isdecimal() or abs(int(day)) > _MOST_DAY:
            raise WhatIfChoiceError(
                f"{place}: day: {day!r} is no day from -{_MOST_DAY} to {_MOST_DAY}; use days past due"
            )
        try:
            value = float(share)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            raise WhatIfChoiceError(f"{place}: share: {share!r} is no share; use a number from 0 to 1, such as 0.21")
        if int(day) in hazards[group]:
            raise WhatIfChoiceError(f"{place}: day: {day} stands twice for {group}; take a line out")
        hazards[group][int(day)] = value
    return hazards
