"""Rows: the cells of a line become a typed row, or the list of its faults."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Hold, HoldReason, Instalment
from dunning.domain.texts.money import minor_digits
from dunning.services.intake.cells import (
    FIRST_STAGE,
    LAST_STAGE,
    HoldWords,
    read_account_number,
    read_amount,
    read_country,
    read_currency,
    read_date,
    read_hold,
    read_id,
    read_instalment_no,
    read_instant,
    read_language,
    read_pay_account,
    read_product,
    read_region,
    read_time_zone,
    read_whole,
)
from dunning.services.intake.names import ReadName, read_name
from dunning.services.intake.personal_ids import Serials, is_personal_id
from dunning.services.intake.phones import Phone, normalise_phone
from dunning.services.intake.plain_text import plain, without_wrapping
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

LONGEST_CELL = 1000
"""In characters. More is something else that has slipped into the cell; it is refused before anything reads it."""

_ODD_BEGINNINGS = frozenset("#=\u2018\u2019'`\\(<EeNn")
_FAILED_FORMULA = re.compile(
    r"#(?:N/?A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|ERROR!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|BUSY!"
    r"|GETTING_DATA)|Err:[0-9]{3}",
    re.IGNORECASE,
)
_OVERFLOW = re.compile(r"#{2,}")
_NOTHING = frozenset({"null", "(null)", "\\n", "nan", "<na>", "(blank)"})
"""How databases and reports write that a cell has no value."""

PAST, FUTURE = timedelta(days=15 * 366), timedelta(days=30 * 366)
"""How far the dates of a row may lie before and after its upload. Farther is a slip, such as 2006 or 2062 for 2026."""

END_OF_DAY = time(23, 59, 59, tzinfo=UTC)
CLOCKS_DIFFER = timedelta(minutes=5)

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
    says_deceased: bool = False
    """Whether the name says that the person has died."""


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

    @property
    def notes(self) -> list["Fault"]:
        """What somebody has to look at although the row is loaded."""
        notes = []
        if self.person.says_deceased:
            notes.append(Fault("name", Refusal.NAME_SAYS_DECEASED))
        if self.hold_not_understood:
            notes.append(Fault("hold", Refusal.HOLD_NOT_UNDERSTOOD))
        return notes


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
        if not cell and field in MAY_BE_EMPTY:
            return otherwise
        if len(cell) > LONGEST_CELL:
            self.refuse(field, Refusal.CELL_TOO_LONG)
            return otherwise
        text = cell.strip() if field in _AS_WRITTEN else plain(cell)
        if text[:1] in _ODD_BEGINNINGS:
            if (reason := _damage(text)) is not None and not (field == "phone" and _OVERFLOW.fullmatch(text)):
                self.refuse(field, reason)
                return otherwise
            text = "" if text.casefold() in _NOTHING else text if field in _AS_WRITTEN else without_wrapping(text)
        if not text:
            if field not in MAY_BE_EMPTY:
                self.refuse(field, Refusal.MISSING)
            return otherwise
        try:
            return reader(text)
        except CellError as error:
            self.refuse(field, error.reason)
            return otherwise

    def has(self, field: str) -> bool:
        """Tell whether there is anything in a cell that may be empty, or the cell must not be empty."""
        return bool(self._cells[field]) or field not in MAY_BE_EMPTY

    def refuse(self, field: str, reason: Refusal) -> None:
        self.faults.append(Fault(field, reason))

    def refused(self, field: str) -> bool:
        return any(fault.field == field for fault in self.faults)


def _damage(text: str) -> Refusal | None:
    """Return what a spreadsheet has written in place of a value."""
    if _FAILED_FORMULA.fullmatch(text):
        return Refusal.SPREADSHEET_ERROR
    return Refusal.DAMAGED_BY_SPREADSHEET if _OVERFLOW.fullmatch(text) else None


_NO_HOLD = HoldWords()
_read_roc_date = partial(read_date, roc_years=True)


class FileTraits(NamedTuple):
    """
    What a file as a whole says of how its cells are to be read.

    `serials` are the national ids that its ids only look like. `list_of` is the lender of a whole list, or nothing.
    """

    decimal_comma: bool = False
    long_numbers_are_exact: bool = False
    serials: Serials = frozenset()
    list_of: str = ""


class _ReadPerson(NamedTuple):
    """`numbers` are the digits that would give the phone away."""

    person: Person
    numbers: Sequence[str]
    faults: Sequence[Fault]


class RowReader:
    """Reads the rows of one file. A person repeated in the next row is not read again."""

    def __init__(
        self,
        lenders: frozenset[str],
        uploaded_at: datetime,
        traits: FileTraits | None = None,
        *,
        roc_lenders: frozenset[str] = frozenset(),
    ) -> None:
        """
        Take what holds for the whole file.

        Args:
            lenders: the ids of all policies.
            uploaded_at: the time of the upload.
            traits: what the file itself says of its cells.
            roc_lenders: the lenders whose years may count from 1912.
        """
        self._lenders = lenders
        self._uploaded_at = uploaded_at
        self._traits = traits or FileTraits()
        self._roc_lenders = roc_lenders
        exact = self._traits.long_numbers_are_exact
        self._read_pay_account = partial(read_pay_account, long_numbers_are_exact=exact)
        self._read_account_number = partial(read_account_number, long_numbers_are_exact=exact)
        self._first_day = (uploaded_at - PAST).date()
        self._last_day = (uploaded_at + FUTURE).date()
        self._last_cells: Sequence[str] = ()
        self._last_ids = ("", "")
        self._last_person: _ReadPerson | None = None

    def read(self, line: int, values: Sequence[str]) -> Row | list[Fault]:
        """Read the cells of one line, given in the order of `COLUMNS`."""
        cells = _Cells(dict(zip(COLUMNS, values, strict=True)))
        customer_id = cells.read("customer_id", read_id, "")
        person, numbers, faults = self._person(values[_PERSON])
        cells.faults += faults
        account_id = cells.read("account_id", read_id, "")
        account_number = cells.read("account_number", self._read_account_number, "")
        product = cells.read("product", read_product, "")
        pay_account = cells.read("pay_account", self._read_pay_account, "")
        if pay_account and _is_phone(pay_account, person, numbers):
            cells.refuse("pay_account", Refusal.PERSONAL_PAY_ACCOUNT)
        currency = cells.read("currency", read_currency, "")
        instalment = self._instalment(cells, currency, person)
        hold, holds = self._holds(cells, person)
        self._refuse_personal_ids(cells, (customer_id, account_id), person.country, numbers)
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

    def _refuse_personal_ids(self, cells: _Cells, ids: tuple[str, str], country: str, numbers: Sequence[str]) -> None:
        """Refuse ids that say who the customer is: ids stand in logs and on queues."""
        if ids == self._last_ids:
            return
        at_fault = False
        for field, value in zip(("customer_id", "account_id"), ids, strict=True):
            if value and (_holds_number(value, numbers) or is_personal_id(value, country, self._traits.serials)):
                cells.refuse(field, Refusal.PERSONAL_DATA_IN_ID)
                at_fault = True
        self._last_ids = ("", "") if at_fault else ids

    def _person(self, values: Sequence[str]) -> _ReadPerson:
        if self._last_person is None or values != self._last_cells:
            self._last_person = self._read_person(values)
            self._last_cells = values
            self._last_ids = ("", "")
        return self._last_person

    def _read_person(self, values: Sequence[str]) -> _ReadPerson:
        cells = _Cells(dict(zip(PERSON_COLUMNS, values, strict=True)))
        name = cells.read("name", read_name, ReadName(""))
        country = cells.read("country", read_country, "")
        no_phone = Phone("", "", "")
        # Without its country a number cannot be judged.
        phone = cells.read("phone", lambda text: normalise_phone(text, country) if country else no_phone, no_phone)
        region = cells.read("region", lambda text: read_region(text, country), "")
        language = cells.read("language", read_language, "")
        time_zone = cells.read("time_zone", read_time_zone, "")
        lender = cells.read("lender", self._read_lender, "")
        person = Person(
            name=name.name,
            phone=phone.e164,
            phone_country=phone.country,
            country=country,
            region=region,
            language=language,
            time_zone=time_zone,
            lender=lender,
            consented_at=self._consent(cells, time_zone, lender),
            says_deceased=name.says_deceased,
        )
        return _ReadPerson(person, _identifying_digits(phone, values[_RAW_PHONE]), cells.faults)

    def _read_lender(self, text: str) -> str:
        lender = text if text in self._lenders else text.lower()
        if lender not in self._lenders:
            raise CellError(Refusal.UNKNOWN_LENDER)
        if self._traits.list_of not in {"", lender}:
            raise CellError(Refusal.NOT_THE_LENDER_OF_THE_LIST)
        return lender

    def _consent(self, cells: _Cells, time_zone: str, lender: str) -> datetime | None:
        """Return the time of the consent. A consent of a day counts from its end, which may be yet to come."""
        given = cells.read("consented_at", partial(read_instant, roc_years=lender in self._roc_lenders), None)
        if given is None:
            return None
        if given.date() < self._first_day:
            cells.refuse("consented_at", Refusal.DATE_OUT_OF_RANGE)
        is_a_day = given.timetz() == END_OF_DAY
        latest = datetime.combine(self._today_in(time_zone), END_OF_DAY) if is_a_day else self._uploaded_at
        if given > latest + CLOCKS_DIFFER:
            cells.refuse("consented_at", Refusal.CONSENT_IN_FUTURE)
        return given

    def _date_reader(self, lender: str) -> Callable[[str], date]:
        return _read_roc_date if lender in self._roc_lenders else read_date

    def _day(self, cells: _Cells, field: str, person: Person) -> date | None:
        """Return a day within reach of the upload."""
        if not cells.has(field):
            return None
        day = cells.read(field, self._date_reader(person.lender), None)
        if day is not None and not self._first_day <= day <= self._last_day:
            cells.refuse(field, Refusal.DATE_OUT_OF_RANGE)
        return day

    def _instalment(self, cells: _Cells, currency: str, person: Person) -> Instalment:
        digits, time_zone = minor_digits(currency) if currency else _MOST_DECIMALS, person.time_zone
        comma = self._traits.decimal_comma

        def read_money(text: str) -> int:
            return read_amount(text, digits, currency, decimal_comma=comma)

        number = cells.read("instalment_no", read_instalment_no, 0)
        due_on = self._day(cells, "due_on", person) or date.min
        amount = cells.read("amount", read_money, 0)
        paid_on = self._day(cells, "paid_on", person)
        paid = cells.read("paid_amount", read_money, None)
        if paid_on is not None and paid_on > self._today_in(time_zone):
            cells.refuse("paid_on", Refusal.PAID_ON_IN_FUTURE)
        if paid is not None and paid < 0:
            cells.refuse("paid_amount", Refusal.PAID_AMOUNT_NEGATIVE)
        if paid == 0 and paid_on is not None and amount > 0:
            cells.refuse("paid_amount", Refusal.PAID_ON_BUT_NOTHING_PAID)
        if paid is None:
            paid = 0 if paid_on is None else amount
        stage = cells.read("stage_reached", lambda text: read_whole(text, FIRST_STAGE, LAST_STAGE), None)
        notice = self._written_notice(cells, due_on, person)
        return Instalment(
            number=number,
            due_on=due_on,
            amount=amount,
            paid=paid,
            stage_reached=stage,
            written_notice_on=notice,
            late_fee=_late_fee(cells, read_money, amount),
        )

    def _written_notice(self, cells: _Cells, due_on: date, person: Person) -> date | None:
        notice = self._day(cells, "written_notice_on", person)
        if notice is not None and notice < due_on:
            cells.refuse("written_notice_on", Refusal.NOTICE_BEFORE_DUE_DATE)
        elif notice is not None and notice > self._today_in(person.time_zone):
            cells.refuse("written_notice_on", Refusal.NOTICE_IN_FUTURE)
        return notice

    def _holds(self, cells: _Cells, person: Person) -> tuple[HoldWords, tuple[Hold, ...]]:
        hold = cells.read("hold", read_hold, _NO_HOLD)
        if not cells.has("hold_until") and hold is _NO_HOLD and not person.says_deceased:
            return hold, ()
        until = cells.read("hold_until", self._date_reader(person.lender), None)
        if until is not None and not hold.reasons and not hold.opted_out:
            cells.refuse("hold_until", Refusal.HOLD_UNTIL_WITHOUT_HOLD)
        holds = tuple(Hold(reason, until) for reason in hold.reasons)
        return hold, (*holds, Hold(HoldReason.DECEASED)) if person.says_deceased else holds

    def _today_in(self, time_zone: str) -> date:
        """Return the local day of the upload for the customer; if the place is not known, the latest possible day."""
        if time_zone:
            return self._uploaded_at.astimezone(ZoneInfo(time_zone)).date()
        return self._uploaded_at.astimezone(UTC).date() + timedelta(days=1)


def _late_fee(cells: _Cells, read_money: Callable[[str], int], amount: int) -> int:
    fee = cells.read("late_fee", read_money, 0)
    if fee < 0:
        cells.refuse("late_fee", Refusal.LATE_FEE_NEGATIVE)
    elif fee > max(amount, 0) and not cells.refused("amount"):
        cells.refuse("late_fee", Refusal.LATE_FEE_ABOVE_AMOUNT)
    return fee


def _identifying_digits(phone: Phone, raw: str) -> list[str]:
    """Return the number without its country code or, where it could not be read, all that looks like one."""
    numbers = [phone.national] if phone.national else _DIGITS.findall(plain(raw))
    without_trunk = [number.lstrip("0") for number in numbers]
    return [number for number in without_trunk if len(number) >= _TELLING_LENGTH]


def _is_phone(pay_account: str, person: Person, numbers: Sequence[str]) -> bool:
    """Tell whether this is the number itself. One that holds it behind a lender's code is what banks give out."""
    digits = "".join(filter(str.isdigit, pay_account))
    return digits.lstrip("0") in numbers or digits == person.phone.removeprefix("+")


def _holds_number(value: str, numbers: Sequence[str]) -> bool:
    digits = "".join(filter(str.isdigit, value))
    return any(number in digits for number in numbers)
