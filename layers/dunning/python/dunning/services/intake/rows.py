"""Rows: the cells of a line become a typed row, or the list of its faults."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Hold, Instalment
from dunning.domain.texts.money import minor_digits
from dunning.services.intake.cells import (
    FIRST_STAGE,
    LAST_STAGE,
    MOST_INSTALMENTS,
    HoldWords,
    read_account_number,
    read_amount,
    read_country,
    read_currency,
    read_date,
    read_hold,
    read_id,
    read_instant,
    read_language,
    read_name,
    read_pay_account,
    read_product,
    read_region,
    read_time_zone,
    read_whole,
)
from dunning.services.intake.phones import Phone, normalise_phone
from dunning.services.intake.plain_text import plain
from dunning.services.intake.refusals import CellError, Refusal

PERSON_COLUMNS = (
    "name",
    "phone",
    "country",
    "region",
    "language",
    "time_zone",
    "lender",
    "consented_at",
)
COLUMNS = (
    "customer_id",
    *PERSON_COLUMNS,
    "account_id",
    "account_number",
    "product",
    "instalment_no",
    "due_on",
    "amount",
    "currency",
    "paid_on",
    "paid_amount",
    "hold",
    "hold_until",
    "stage_reached",
    "written_notice_on",
    "late_fee",
    "pay_account",
)
MAY_BE_ABSENT = frozenset({"written_notice_on", "late_fee", "pay_account"})
"""Optional columns. Without such a column its cells count as empty."""

MAY_BE_EMPTY = MAY_BE_ABSENT | frozenset(
    {
        "region",
        "time_zone",
        "consented_at",
        "product",
        "paid_on",
        "paid_amount",
        "hold",
        "hold_until",
        "stage_reached",
    }
)
_AS_WRITTEN = frozenset({"name", "product", "phone"})
"""Columns whose readers make the characters plain themselves."""

_DIGITS = re.compile(r"[0-9]+")
_TELLING_LENGTH = 7
_MOST_DECIMALS = 9

_PERSON = slice(COLUMNS.index(PERSON_COLUMNS[0]), COLUMNS.index(PERSON_COLUMNS[-1]) + 1)
_RAW_PHONE = PERSON_COLUMNS.index("phone")


class Fault(NamedTuple):
    """A fault of one cell."""

    field: str
    reason: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The person's fields, which must be the same in all rows of a customer."""

    name: str
    phone: str
    phone_country: str
    country: str
    region: str
    language: str
    time_zone: str
    lender: str
    consented_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One instalment, and the customer and account it names."""

    line: int
    customer_id: str
    person: Person
    account_id: str
    account_number: str
    product: str
    pay_account: str
    currency: str
    instalment: Instalment
    holds: tuple[Hold, ...]
    opted_out: bool
    hold_not_understood: bool


class _Cells:
    """The cells of a line, and the faults found in them so far."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells
        self.faults: list[Fault] = []

    def read[T](self, field: str, reader: Callable[[str], T], otherwise: T) -> T:
        """
        Read a cell, or return `otherwise` if it is empty or at fault.

        Reading goes on after a fault so that all are listed; a row with faults is never used.
        """
        cell = self._cells[field]
        text = cell.strip() if field in _AS_WRITTEN else plain(cell)
        if not text:
            if field not in MAY_BE_EMPTY:
                self.refuse(field, Refusal.MISSING)
            return otherwise
        try:
            return reader(text)
        except CellError as error:
            self.refuse(field, error.reason)
            return otherwise

    def refuse(self, field: str, reason: Refusal) -> None:
        self.faults.append(Fault(field, reason))

    def refused(self, field: str) -> bool:
        return any(fault.field == field for fault in self.faults)


class _ReadPerson(NamedTuple):
    """`numbers` are the digits that would give the phone away."""

    person: Person
    numbers: Sequence[str]
    faults: Sequence[Fault]


class RowReader:
    """Reads the rows of one file. A person repeated in the next row is not read again."""

    def __init__(self, lenders: frozenset[str], uploaded_at: datetime) -> None:
        self._lenders = lenders
        self._uploaded_at = uploaded_at
        self._last_cells: Sequence[str] = ()
        self._last_person: _ReadPerson | None = None

    def read(self, line: int, values: Sequence[str]) -> Row | list[Fault]:
        """Read the cells of one line, given in the order of `COLUMNS`."""
        cells = _Cells(dict(zip(COLUMNS, values, strict=True)))
        customer_id = cells.read("customer_id", read_id, "")
        person, numbers, faults = self._person(values[_PERSON])
        cells.faults += faults
        account_id = cells.read("account_id", read_id, "")
        account_number = cells.read("account_number", read_account_number, "")
        product = cells.read("product", read_product, "")
        pay_account = cells.read("pay_account", read_pay_account, "")
        if pay_account and _is_phone(pay_account, person, numbers):
            cells.refuse("pay_account", Refusal.PERSONAL_PAY_ACCOUNT)
        currency = cells.read("currency", read_currency, "")
        instalment = self._instalment(cells, currency, person.time_zone)
        hold, holds = _read_holds(cells)
        _refuse_phone_in_ids(cells, {"customer_id": customer_id, "account_id": account_id}, numbers)
        if cells.faults:
            return cells.faults
        return Row(
            line=line,
            customer_id=customer_id,
            person=person,
            account_id=account_id,
            account_number=account_number,
            product=product,
            pay_account=pay_account,
            currency=currency,
            instalment=instalment,
            holds=holds,
            opted_out=hold.opted_out,
            hold_not_understood=hold.not_understood,
        )

    def _person(self, values: Sequence[str]) -> _ReadPerson:
        if self._last_person is None or values != self._last_cells:
            self._last_person = self._read_person(values)
            self._last_cells = values
        return self._last_person

    def _read_person(self, values: Sequence[str]) -> _ReadPerson:
        cells = _Cells(dict(zip(PERSON_COLUMNS, values, strict=True)))
        name = cells.read("name", read_name, "")
        country = cells.read("country", read_country, "")
        no_phone = Phone("", "", "")
        # Without its country a number cannot be judged.
        phone = cells.read("phone", lambda text: normalise_phone(text, country) if country else no_phone, no_phone)
        person = Person(
            name=name,
            phone=phone.e164,
            phone_country=phone.country,
            country=country,
            region=cells.read("region", lambda text: read_region(text, country), ""),
            language=cells.read("language", read_language, ""),
            time_zone=cells.read("time_zone", read_time_zone, ""),
            lender=cells.read("lender", self._read_lender, ""),
            consented_at=cells.read("consented_at", read_instant, None),
        )
        return _ReadPerson(person, _identifying_digits(phone, values[_RAW_PHONE]), cells.faults)

    def _read_lender(self, text: str) -> str:
        if text not in self._lenders:
            raise CellError(Refusal.UNKNOWN_LENDER)
        return text

    def _instalment(self, cells: _Cells, currency: str, time_zone: str) -> Instalment:
        digits = minor_digits(currency) if currency else _MOST_DECIMALS
        number = cells.read("instalment_no", lambda text: read_whole(text, 1, MOST_INSTALMENTS), 0)
        due_on = cells.read("due_on", read_date, date.min)
        amount = cells.read("amount", lambda text: read_amount(text, digits), 0)
        paid_on = cells.read("paid_on", read_date, None)
        paid = cells.read("paid_amount", lambda text: read_amount(text, digits), None)
        if paid_on is not None and paid_on > self._today_in(time_zone):
            cells.refuse("paid_on", Refusal.PAID_ON_IN_FUTURE)
        if paid is not None and paid < 0:
            cells.refuse("paid_amount", Refusal.PAID_AMOUNT_NEGATIVE)
        if paid == 0 and paid_on is not None and amount > 0:
            cells.refuse("paid_amount", Refusal.PAID_ON_BUT_NOTHING_PAID)
        if paid is None:
            paid = 0 if paid_on is None else amount
        stage = cells.read("stage_reached", lambda text: read_whole(text, FIRST_STAGE, LAST_STAGE), None)
        notice = self._written_notice(cells, due_on, time_zone)
        return Instalment(
            number=number,
            due_on=due_on,
            amount=amount,
            paid=paid,
            stage_reached=stage,
            written_notice_on=notice,
            late_fee=_late_fee(cells, digits, amount),
        )

    def _written_notice(self, cells: _Cells, due_on: date, time_zone: str) -> date | None:
        notice = cells.read("written_notice_on", read_date, None)
        if notice is not None and notice < due_on:
            cells.refuse("written_notice_on", Refusal.NOTICE_BEFORE_DUE_DATE)
        elif notice is not None and notice > self._today_in(time_zone):
            cells.refuse("written_notice_on", Refusal.NOTICE_IN_FUTURE)
        return notice

    def _today_in(self, time_zone: str) -> date:
        """Return the local day of the upload for the customer; if the place is not known, the latest possible day."""
        if time_zone:
            return self._uploaded_at.astimezone(ZoneInfo(time_zone)).date()
        return self._uploaded_at.astimezone(UTC).date() + timedelta(days=1)


def _late_fee(cells: _Cells, digits: int, amount: int) -> int:
    fee = cells.read("late_fee", lambda text: read_amount(text, digits), 0)
    if fee < 0:
        cells.refuse("late_fee", Refusal.LATE_FEE_NEGATIVE)
    elif fee > max(amount, 0) and not cells.refused("amount"):
        cells.refuse("late_fee", Refusal.LATE_FEE_ABOVE_AMOUNT)
    return fee


def _read_holds(cells: _Cells) -> tuple[HoldWords, tuple[Hold, ...]]:
    hold = cells.read("hold", read_hold, HoldWords())
    until = cells.read("hold_until", read_date, None)
    if until is not None and not hold.reasons and not hold.opted_out:
        cells.refuse("hold_until", Refusal.HOLD_UNTIL_WITHOUT_HOLD)
    return hold, tuple(Hold(reason, until) for reason in hold.reasons)


def _identifying_digits(phone: Phone, raw: str) -> list[str]:
    """Return the number without its country code or, where it could not be read, all that looks like one."""
    numbers = [phone.national] if phone.national else _DIGITS.findall(plain(raw))
    without_trunk = [number.lstrip("0") for number in numbers]
    return [number for number in without_trunk if len(number) >= _TELLING_LENGTH]


def _is_phone(pay_account: str, person: Person, numbers: Sequence[str]) -> bool:
    """Tell whether this is the number itself. One that holds it behind a lender's code is what banks give out."""
    digits = "".join(filter(str.isdigit, pay_account))
    return digits.lstrip("0") in numbers or digits == person.phone.removeprefix("+")


def _refuse_phone_in_ids(cells: _Cells, ids: Mapping[str, str], numbers: Sequence[str]) -> None:
    """Refuse ids that hold the number: ids stand in logs and on queues."""
    for field, value in ids.items():
        digits = "".join(filter(str.isdigit, value))
        if any(number in digits for number in numbers):
            cells.refuse(field, Refusal.PERSONAL_DATA_IN_ID)
