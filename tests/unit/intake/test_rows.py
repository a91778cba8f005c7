"""Rows: everything that is wrong with a line is found, and nothing that was in it is told."""

from datetime import UTC, date, datetime

import pytest

from dunning.domain.facts import Hold, HoldReason, Instalment
from dunning.services.intake.rows import COLUMNS, Row, RowReader
from tests.unit.intake.portfolio import LENDERS, UPLOADED_AT, row


def read(**changes: str) -> Row | list[tuple[str, str]]:
    reader = RowReader(LENDERS, UPLOADED_AT)
    found = reader.read(2, [row(**changes)[column] for column in COLUMNS])
    return found if isinstance(found, Row) else [(fault.field, fault.reason.value) for fault in found]


def good(**changes: str) -> Row:
    found = read(**changes)
    assert isinstance(found, Row), found
    return found


def test_a_good_row_becomes_one_instalment_of_one_person() -> None:
    found = good()
    assert found.person.phone == "+886912345678"
    assert found.person.language == "zh-Hant"
    assert found.person.consented_at == datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert found.instalment == Instalment(1, date(2026, 12, 5), 325000)


@pytest.mark.parametrize(
    "column", ["customer_id", "name", "country", "language", "lender", "account_id", "account_number", "instalment_no",
               "due_on", "amount", "currency"]
)  # fmt: skip
def test_a_cell_that_must_have_a_value_is_refused_when_empty(column: str) -> None:
    assert read(**{column: " \u3000"}) == [(column, "missing")]


def test_a_missing_phone_is_refused_as_missing() -> None:
    assert read(phone="") == [("phone", "missing")]


@pytest.mark.parametrize(
    "column", ["region", "time_zone", "consented_at", "product", "paid_on", "paid_amount", "hold", "hold_until",
               "stage_reached"]
)  # fmt: skip
def test_a_cell_that_may_be_empty_may_be_empty(column: str) -> None:
    good(**{column: ""})


def test_whether_a_missing_consent_stops_is_not_asked_here() -> None:
    assert good(consented_at="").person.consented_at is None


def test_all_faults_of_a_row_are_listed() -> None:
    assert read(
        customer_id="C 1", name="1", phone="123", region="T" * 81, language="zh", time_zone="CST", lender="nobody",
        consented_at="yes", account_id="ü", account_number="1E9", product="\ufffd", instalment_no="one",
        due_on="12/05/2026", amount="NT$1", currency="NTD", paid_on="soon", paid_amount="x", hold_until="2026-12-31",
        stage_reached="9999",
    ) == [
        ("customer_id", "malformed_id"),
        ("name", "not_a_name"),
        ("phone", "phone_invalid"),
        ("region", "not_a_region_code"),
        ("language", "unknown_language"),
        ("time_zone", "unknown_time_zone"),
        ("lender", "unknown_lender"),
        ("consented_at", "not_an_instant"),
        ("account_id", "malformed_id"),
        ("account_number", "damaged_by_spreadsheet"),
        ("product", "not_a_product"),
        ("currency", "unknown_currency"),
        ("instalment_no", "not_a_number"),
        ("due_on", "not_a_date"),
        ("amount", "not_an_amount"),
        ("paid_on", "not_a_date"),
        ("paid_amount", "not_an_amount"),
        ("stage_reached", "number_out_of_range"),
        ("hold_until", "hold_until_without_hold"),
    ]  # fmt: skip


def test_without_its_country_a_phone_is_not_judged() -> None:
    assert read(country="Taiwan") == [("country", "unknown_country")]


@pytest.mark.parametrize(
    ("paid_on", "paid_amount", "paid"),
    [
        ("", "", 0),
        ("2026-11-30", "", 325000),
        ("2026-11-30", "1000", 100000),
        ("", "1000", 100000),
        ("", "0", 0),
        ("2026-11-30", "4000", 400000),
    ],
)
def test_a_day_of_payment_without_an_amount_means_paid_in_full(paid_on: str, paid_amount: str, paid: int) -> None:
    assert good(paid_on=paid_on, paid_amount=paid_amount).instalment.paid == paid


def test_a_day_of_payment_with_nothing_paid_contradicts_itself() -> None:
    assert read(paid_on="2026-11-30", paid_amount="0") == [("paid_amount", "paid_on_but_nothing_paid")]


def test_a_negative_payment_is_refused() -> None:
    assert read(paid_amount="-5") == [("paid_amount", "paid_amount_negative")]


def test_a_credit_is_a_negative_amount() -> None:
    assert good(amount="-50").instalment.open == -5000


def test_a_payment_of_tomorrow_is_refused_by_the_customers_own_calendar() -> None:
    late = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)  # 1 a.m. of the 2nd in Taipei, still the 1st in Los Angeles
    reader = RowReader(LENDERS, late)

    def accepts(time_zone: str, paid_on: str) -> bool:
        cells = row(time_zone=time_zone, paid_on=paid_on)
        return isinstance(reader.read(2, [cells[column] for column in COLUMNS]), Row)

    assert accepts("Asia/Taipei", "2026-12-02")
    assert not accepts("Asia/Taipei", "2026-12-03")
    assert not accepts("America/Los_Angeles", "2026-12-02")
    assert accepts("", "2026-12-02")
    assert not accepts("", "2026-12-03")


def test_a_hold_has_an_end_or_none() -> None:
    assert good(hold="promise", hold_until="2026-12-20").holds == (Hold(HoldReason.PROMISE, date(2026, 12, 20)),)
    assert good(hold="dispute").holds == (Hold(HoldReason.DISPUTE),)


def test_an_end_without_a_hold_is_refused() -> None:
    assert read(hold_until="2026-12-20") == [("hold_until", "hold_until_without_hold")]


def test_stage_reached_may_be_zero_or_before_the_due_date() -> None:
    assert good(stage_reached="0").instalment.stage_reached == 0
    assert good(stage_reached="-3").instalment.stage_reached == -3


@pytest.mark.parametrize("column", ["customer_id", "account_id"])
@pytest.mark.parametrize("value", ["0912345678", "C-912-345-678", "886912345678"])
def test_an_id_that_gives_the_phone_away_is_refused(column: str, value: str) -> None:
    assert read(**{column: value}) == [(column, "personal_data_in_id")]


@pytest.mark.parametrize("customer_id", ["0912345678", "C-912345678"])
def test_an_id_that_gives_away_a_phone_nobody_can_read_is_refused_too(customer_id: str) -> None:
    assert read(customer_id=customer_id, phone="0912345678/0987654321") == [
        ("phone", "phone_two_numbers"),
        ("customer_id", "personal_data_in_id"),
    ]


def test_full_width_ids_and_codes_are_the_same_as_plain_ones() -> None:
    plain_row = good()
    assert (
        good(customer_id="Ｃ－１００１", currency="ｔｗｄ", amount="３，２５０", due_on="２０２６／１２／０５")
        == plain_row
    )
