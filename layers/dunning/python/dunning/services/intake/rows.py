"""Rows: the cells of a line become a typed row, or the list of its faults."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Hold, HoldReason, Instalment
from dunning.domain.delivery.channels import Channel
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
    read_email,
    read_hold,
    read_id,
    read_instalment_no,
    read_instant,
    read_language,
    read_line_user_id,
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
from dunning.services.intake.refusals import NOTES, CellError, Refusal

CONSENT_COLUMNS: Mapping[str, Channel] = {
    "email_consented_at": Channel.EMAIL,
    "line_consented_at": Channel.LINE,
    "voice_consented_at": Channel.VOICE,
    "whatsapp_consented_at": Channel.WHATSAPP,
}
"""The columns of consents to one channel."""

CONTACT_COLUMNS = ("email", "line_user_id", *CONSENT_COLUMNS)
"""What channels other than SMS need. Whoever has none of it is texted."""

PERSON_COLUMNS = (
    "name",
    "phone",
    "country",
    "region",
    "language",
    "time_zone",
    "lender",
    "consented_at",
    *CONTACT_COLUMNS,
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
MAY_BE_ABSENT = frozenset({"written_notice_on", "late_fee", "pay_account", *CONTACT_COLUMNS})
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
_RAW_PHONE = COLUMNS.index("phone")

_MOST_REMEMBERED, _LONGEST_REMEMBERED = 1000, 80
"""Cells of a column that are remembered, and their characters. Others do not repeat soon, and take memory."""


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
    email: str = ""
    line_user_id: str = ""
    email_consented_at: datetime | None = None
    line_consented_at: datetime | None = None
    voice_consented_at: datetime | None = None
    whatsapp_consented_at: datetime | None = None
    says_deceased: bool = False
    """Whether the name says that the person has died."""
    notes: tuple["Fault", ...] = ()
    """What is no address: the person is loaded without it."""


class Row(NamedTuple):
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
    paid_on: date | None = None

    @property
    def notes(self) -> list["Fault"]:
        """What somebody has to look at although the row is loaded."""
        notes = list(self.person.notes)
        if self.person.says_deceased:
            notes.append(Fault("name", Refusal.NAME_SAYS_DECEASED))
        if self.hold_not_understood:
            notes.append(Fault("hold", Refusal.HOLD_NOT_UNDERSTOOD))
        return notes


class _Column[T]:
    """
    A column of the file.

    The cells of a file repeat: dates, amounts, currencies, the ids of an account. A cell that was read without a fault
    is remembered, and read once.
    """

    def __init__(
        self,
        field: str,
        reader: Callable[[str], T],
        otherwise: T,
        *,
        doubt: Callable[[T], Refusal | None] | None = None,
    ) -> None:
        """
        Take what is the same for all cells.

        Args:
            field: the name of the column.
            reader: reads a text that is not empty.
            otherwise: the value of a cell that is empty or at fault.
            doubt: what a value is refused for that the other checks of the row still go by.
        """
        self._field = field
        self._at = COLUMNS.index(field)
        self._reader = reader
        self._otherwise = otherwise
        self._doubt = doubt
        self._known: dict[str, T] = {}

    def read(self, values: Sequence[str], faults: list[Fault]) -> T:
        """
        Read the cell of a line, or return `otherwise` if it is empty or at fault.

        Reading goes on after a fault so that all are listed; a row with faults is never used.
        """
        try:
            return self._known[values[self._at]]
        except KeyError:
            return self._read_anew(values[self._at], faults)

    def _read_anew(self, cell: str, faults: list[Fault]) -> T:
        try:
            text = _text_of(self._field, cell)
            value = self._reader(text) if text else self._otherwise
        except CellError as error:
            faults.append(Fault(self._field, error.reason))
            return self._otherwise
        if self._doubt is not None and (reason := self._doubt(value)) is not None:
            faults.append(Fault(self._field, reason))
            return value
        if len(cell) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[cell] = value
        return value


def _text_of(field: str, cell: str) -> str:
    """
    Return the text of a cell, empty if the cell may be empty.

    Raises:
        CellError: the cell is too long, or a spreadsheet has spoilt it, or it is empty and must not be.
    """
    if len(cell) > LONGEST_CELL:
        raise CellError(Refusal.CELL_TOO_LONG)
    text = cell.strip() if field in _AS_WRITTEN else plain(cell)
    if text[:1] in _ODD_BEGINNINGS:
        if (reason := _damage(text)) is not None and not (field == "phone" and _OVERFLOW.fullmatch(text)):
            raise CellError(reason)
        text = "" if text.casefold() in _NOTHING else text if field in _AS_WRITTEN else without_wrapping(text)
    if not text and field not in MAY_BE_EMPTY:
        raise CellError(Refusal.MISSING)
    return text


def _damage(text: str) -> Refusal | None:
    """Return what a spreadsheet has written in place of a value."""
    if _FAILED_FORMULA.fullmatch(text):
        return Refusal.SPREADSHEET_ERROR
    return Refusal.DAMAGED_BY_SPREADSHEET if _OVERFLOW.fullmatch(text) else None


_NO_PHONE = Phone("", "", "")


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


class _Days(NamedTuple):
    """The columns of days, as the lenders of one calendar write them."""

    due_on: _Column[date | None]
    paid_on: _Column[date | None]
    written_notice_on: _Column[date | None]
    hold_until: _Column[date | None]
    consents: Mapping[str, _Column[datetime | None]]


class _Money(NamedTuple):
    """The columns of amounts in one currency."""

    amount: _Column[int]
    paid_amount: _Column[int | None]
    late_fee: _Column[int]


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
        self._first_day = (uploaded_at - PAST).date()
        self._last_day = (uploaded_at + FUTURE).date()
        exact = self._traits.long_numbers_are_exact
        self._customer_id = _Column("customer_id", read_id, "")
        self._name = _Column("name", read_name, ReadName(""))
        self._country = _Column("country", read_country, "")
        self._language = _Column("language", read_language, "")
        self._time_zone = _Column("time_zone", read_time_zone, "")
        self._lender = _Column("lender", self._read_lender, "")
        self._email = _Column("email", read_email, "")
        self._line_user_id = _Column("line_user_id", read_line_user_id, "")
        self._account_id = _Column("account_id", read_id, "")
        self._account_number = _Column("account_number", partial(read_account_number, long_numbers_are_exact=exact), "")
        self._product = _Column("product", read_product, "")
        self._pay_account = _Column("pay_account", partial(read_pay_account, long_numbers_are_exact=exact), "")
        self._currency = _Column("currency", read_currency, "")
        self._instalment_no = _Column("instalment_no", read_instalment_no, 0)
        self._stage_reached = _Column[int | None]("stage_reached", _read_stage, None)
        self._hold = _Column("hold", read_hold, HoldWords())
        self._days = self._days_written(roc_years=False)
        self._days_of_roc_lenders = self._days_written(roc_years=True)
        self._money: dict[str, _Money] = {}
        self._todays: dict[str, date] = {}
        self._last_cells: Sequence[str] = ()
        self._last_ids = ("", "")
        self._last_person: _ReadPerson | None = None

    def _days_written(self, *, roc_years: bool) -> _Days:
        reader = partial(read_date, roc_years=roc_years)
        return _Days(
            _Column("due_on", reader, None, doubt=self._out_of_range),
            _Column("paid_on", reader, None, doubt=self._out_of_range),
            _Column("written_notice_on", reader, None, doubt=self._out_of_range),
            _Column("hold_until", reader, None),
            {
                column: _Column(column, partial(read_instant, roc_years=roc_years), None)
                for column in ("consented_at", *CONSENT_COLUMNS)
            },
        )

    def _days_of(self, lender: str) -> _Days:
        return self._days_of_roc_lenders if lender in self._roc_lenders else self._days

    def _money_in(self, currency: str) -> _Money:
        """Return the columns of amounts in a currency, empty if it is not known."""
        money = self._money.get(currency)
        if money is None:
            digits = minor_digits(currency) if currency else _MOST_DECIMALS
            comma = self._traits.decimal_comma
            reader = partial(read_amount, digits=digits, currency=currency, decimal_comma=comma)
            money = self._money[currency] = _Money(
                _Column("amount", reader, 0), _Column("paid_amount", reader, None), _Column("late_fee", reader, 0)
            )
        return money

    def read(self, line: int, values: Sequence[str]) -> Row | list[Fault]:
        """Read the cells of one line, given in the order of `COLUMNS`."""
        faults: list[Fault] = []
        customer_id = self._customer_id.read(values, faults)
        person, numbers, faults_of_person = self._person(values)
        faults += faults_of_person
        account_id = self._account_id.read(values, faults)
        account_number = self._account_number.read(values, faults)
        product = self._product.read(values, faults)
        pay_account = self._pay_account.read(values, faults)
        if pay_account and _is_phone(pay_account, person, numbers):
            faults.append(Fault("pay_account", Refusal.PERSONAL_PAY_ACCOUNT))
        currency = self._currency.read(values, faults)
        instalment, paid_on = self._instalment(values, faults, currency, person)
        hold, holds = self._holds(values, faults, person)
        ids = (customer_id, account_id)
        if ids != self._last_ids:
            self._refuse_personal_ids(faults, ids, person.country, numbers)
        if faults:
            return faults
        return Row(
            line,
            customer_id,
            person,
            account_id,
            account_number,
            product,
            pay_account,
            currency,
            instalment,
            holds,
            hold.opted_out,
            hold.not_understood,
            paid_on,
        )

    def _refuse_personal_ids(
        self, faults: list[Fault], ids: tuple[str, str], country: str, numbers: Sequence[str]
    ) -> None:
        """Refuse ids that say who the customer is: ids stand in logs and on queues."""
        at_fault = False
        for field, value in zip(("customer_id", "account_id"), ids, strict=True):
            if value and (_holds_number(value, numbers) or is_personal_id(value, country, self._traits.serials)):
                faults.append(Fault(field, Refusal.PERSONAL_DATA_IN_ID))
                at_fault = True
        self._last_ids = ("", "") if at_fault else ids

    def _person(self, values: Sequence[str]) -> _ReadPerson:
        cells = values[_PERSON]
        if self._last_person is None or cells != self._last_cells:
            self._last_person = self._read_person(values)
            self._last_cells = cells
            self._last_ids = ("", "")
        return self._last_person

    def _read_person(self, values: Sequence[str]) -> _ReadPerson:
        faults: list[Fault] = []
        name = self._name.read(values, faults)
        country = self._country.read(values, faults)
        # Few numbers and regions come again with another person, and each is read as its country writes it.
        phone = _Column("phone", partial(_read_phone, country=country), _NO_PHONE).read(values, faults)
        region = _Column("region", partial(read_region, country=country), "").read(values, faults)
        language = self._language.read(values, faults)
        time_zone = self._time_zone.read(values, faults)
        lender = self._lender.read(values, faults)
        no_addresses: list[Fault] = []
        email, line_user_id = self._email.read(values, no_addresses), self._line_user_id.read(values, no_addresses)
        faults += [fault for fault in no_addresses if fault.reason not in NOTES]
        consents = {column: self._consent(column, values, faults, time_zone, lender) for column in CONSENT_COLUMNS}
        person = Person(
            name=name.name,
            phone=phone.e164,
            phone_country=phone.country,
            country=country,
            region=region,
            language=language,
            time_zone=time_zone,
            lender=lender,
            consented_at=self._consent("consented_at", values, faults, time_zone, lender),
            email=email,
            line_user_id=line_user_id,
            **consents,
            notes=tuple(fault for fault in no_addresses if fault.reason in NOTES),
            says_deceased=name.says_deceased,
        )
        return _ReadPerson(person, _identifying_digits(phone, values[_RAW_PHONE]), faults)

    def _read_lender(self, text: str) -> str:
        lender = text if text in self._lenders else text.lower()
        if lender not in self._lenders:
            raise CellError(Refusal.UNKNOWN_LENDER)
        if self._traits.list_of not in {"", lender}:
            raise CellError(Refusal.NOT_THE_LENDER_OF_THE_LIST)
        return lender

    def _consent(
        self, column: str, values: Sequence[str], faults: list[Fault], time_zone: str, lender: str
    ) -> datetime | None:
        """Return the time of the consent. A consent of a day counts from its end, which may be yet to come."""
        given = self._days_of(lender).consents[column].read(values, faults)
        if given is None:
            return None
        if given.date() < self._first_day:
            faults.append(Fault(column, Refusal.DATE_OUT_OF_RANGE))
        is_a_day = given.timetz() == END_OF_DAY
        latest = datetime.combine(self._today_in(time_zone), END_OF_DAY) if is_a_day else self._uploaded_at
        if given > latest + CLOCKS_DIFFER:
            faults.append(Fault(column, Refusal.CONSENT_IN_FUTURE))
        return given

    def _out_of_range(self, day: date | None) -> Refusal | None:
        """Refuse a day that is out of reach of the upload."""
        if day is None or self._first_day <= day <= self._last_day:
            return None
        return Refusal.DATE_OUT_OF_RANGE

    def _instalment(
        self, values: Sequence[str], faults: list[Fault], currency: str, person: Person
    ) -> tuple[Instalment, date | None]:
        """Return the period of a row, and the day on which it was paid, if the row says so."""
        days, money = self._days_of(person.lender), self._money_in(currency)
        number = self._instalment_no.read(values, faults)
        due_on = days.due_on.read(values, faults) or date.min
        amount = money.amount.read(values, faults)
        paid_on = days.paid_on.read(values, faults)
        paid = money.paid_amount.read(values, faults)
        if paid_on is not None and paid_on > self._today_in(person.time_zone):
            faults.append(Fault("paid_on", Refusal.PAID_ON_IN_FUTURE))
        if paid is not None and paid < 0:
            faults.append(Fault("paid_amount", Refusal.PAID_AMOUNT_NEGATIVE))
        if paid == 0 and paid_on is not None and amount > 0:
            faults.append(Fault("paid_amount", Refusal.PAID_ON_BUT_NOTHING_PAID))
        if paid is None:
            paid = 0 if paid_on is None else amount
        stage = self._stage_reached.read(values, faults)
        notice = days.written_notice_on.read(values, faults)
        if notice is not None and notice < due_on:
            faults.append(Fault("written_notice_on", Refusal.NOTICE_BEFORE_DUE_DATE))
        elif notice is not None and notice > self._today_in(person.time_zone):
            faults.append(Fault("written_notice_on", Refusal.NOTICE_IN_FUTURE))
        late_fee = money.late_fee.read(values, faults)
        if late_fee < 0:
            faults.append(Fault("late_fee", Refusal.LATE_FEE_NEGATIVE))
        elif late_fee > max(amount, 0) and not any(fault.field == "amount" for fault in faults):
            faults.append(Fault("late_fee", Refusal.LATE_FEE_ABOVE_AMOUNT))
        instalment = Instalment(
            number=number,
            due_on=due_on,
            amount=amount,
            paid=paid,
            stage_reached=stage,
            written_notice_on=notice,
            late_fee=late_fee,
        )
        return instalment, paid_on

    def _holds(self, values: Sequence[str], faults: list[Fault], person: Person) -> tuple[HoldWords, tuple[Hold, ...]]:
        hold = self._hold.read(values, faults)
        until = self._days_of(person.lender).hold_until.read(values, faults)
        if until is not None and not hold.reasons and not hold.opted_out:
            faults.append(Fault("hold_until", Refusal.HOLD_UNTIL_WITHOUT_HOLD))
        if not hold.reasons and not person.says_deceased:
            return hold, ()
        holds = tuple(Hold(reason, until) for reason in hold.reasons)
        return hold, (*holds, Hold(HoldReason.DECEASED)) if person.says_deceased else holds

    def _today_in(self, time_zone: str) -> date:
        """Return the local day of the upload for the customer; if the place is not known, the latest possible day."""
        today = self._todays.get(time_zone)
        if today is None:
            if time_zone:
                today = self._uploaded_at.astimezone(ZoneInfo(time_zone)).date()
            else:
                today = self._uploaded_at.astimezone(UTC).date() + timedelta(days=1)
            self._todays[time_zone] = today
        return today


def _read_stage(text: str) -> int:
    return read_whole(text, FIRST_STAGE, LAST_STAGE)


def _read_phone(text: str, country: str) -> Phone:
    """Read a number; without its country it cannot be judged."""
    return normalise_phone(text, country) if country else _NO_PHONE


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
