"""Rows: everything that is wrong with a line is found, and nothing that was in it is told."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Hold, HoldReason, Instalment
from dunning.services.intake.rows import COLUMNS, CONSENT_COLUMNS, Row, RowReader
from tests.support.lender_files import LENDERS, UPLOADED_AT, row


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
    assert found.instalment == Instalment(number=1, due_on=date(2026, 12, 5), amount=325000)


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
               "stage_reached", "written_notice_on", "late_fee", "pay_account", "email", "line_user_id",
               "email_consented_at", "line_consented_at", "voice_consented_at", "whatsapp_consented_at"]
)  # fmt: skip
def test_a_cell_that_may_be_empty_may_be_empty(column: str) -> None:
    good(**{column: ""})


def test_whether_a_missing_consent_stops_is_not_asked_here() -> None:
    assert good(consented_at="").person.consented_at is None


def test_all_faults_of_a_row_are_listed() -> None:
    assert read(
        customer_id="C 1", name="1", phone="123", region="T" * 81, language="zh", time_zone="CST", lender="nobody",
        consented_at="yes", account_id="ü", account_number="1E9", product="\ufffd", instalment_no="one",
        due_on="12/05/2026", amount="NT$1", currency="NTX", paid_on="soon", paid_amount="x", hold_until="2026-12-31",
        stage_reached="9999", written_notice_on="last week", late_fee="a lot", pay_account="-",
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
        ("pay_account", "not_a_pay_account"),
        ("currency", "unknown_currency"),
        ("instalment_no", "not_a_number"),
        ("due_on", "not_a_date"),
        ("amount", "not_an_amount"),
        ("paid_on", "not_a_date"),
        ("paid_amount", "not_an_amount"),
        ("stage_reached", "number_out_of_range"),
        ("written_notice_on", "not_a_date"),
        ("late_fee", "not_an_amount"),
        ("hold_until", "hold_until_without_hold"),
    ]  # fmt: skip


def test_without_its_country_a_phone_is_not_judged() -> None:
    assert read(country="Formosa") == [("country", "unknown_country")]


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


def test_a_written_notice_is_about_an_instalment_that_was_late_by_then() -> None:
    assert good(due_on="2026-11-01", written_notice_on="2026-11-20").instalment.written_notice_on == date(2026, 11, 20)
    assert good(due_on="2026-11-01", written_notice_on="2026-11-01").instalment.written_notice_on == date(2026, 11, 1)
    assert read(due_on="2026-11-01", written_notice_on="2026-10-31") == [
        ("written_notice_on", "notice_before_due_date")
    ]


def test_a_written_notice_of_tomorrow_has_not_been_issued() -> None:
    assert isinstance(read(due_on="2026-11-01", written_notice_on="2026-12-01"), Row)  # the day of the upload in Taipei
    assert read(due_on="2026-11-01", written_notice_on="2026-12-02") == [("written_notice_on", "notice_in_future")]
    assert isinstance(read(due_on="2026-11-01", written_notice_on="2026-12-02", time_zone=""), Row)


@pytest.mark.parametrize(
    ("late_fee", "currency", "minor"),
    [
        pytest.param("", "TWD", 0, id="none"),
        pytest.param("0", "TWD", 0, id="nought is none"),
        pytest.param("100", "TWD", 10_000, id="in minor units, as the amount"),
        pytest.param("1,200.50", "USD", 120_050, id="written as amounts are"),
        pytest.param("3250", "TWD", 325_000, id="the whole instalment may be a fee"),
        pytest.param("100", "JPY", 100, id="a currency without minor units"),
    ],
)
def test_a_late_fee_is_part_of_the_amount(late_fee: str, currency: str, minor: int) -> None:
    assert good(late_fee=late_fee, currency=currency).instalment.late_fee == minor


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"late_fee": "-1"}, "late_fee_negative", id="a negative one"),
        pytest.param({"late_fee": "3250.01"}, "late_fee_above_amount", id="more than the amount"),
        pytest.param({"late_fee": "1", "amount": "-50"}, "late_fee_above_amount", id="a fee in a credit"),
        pytest.param({"late_fee": "1.005"}, "too_many_decimals", id="more decimals than the currency has"),
        pytest.param({"late_fee": "1.5", "currency": "JPY"}, "too_many_decimals", id="decimals where there are none"),
        pytest.param({"late_fee": "US$100"}, "not_an_amount", id="with another currency's sign"),
    ],
)
def test_a_late_fee_that_cannot_be_is_refused(changes: dict[str, str], reason: str) -> None:
    assert read(**changes) == [("late_fee", reason)]


def test_an_account_to_pay_to_is_kept_as_it_is_written() -> None:
    assert good(pay_account="822-12345678901234").pay_account == "822-12345678901234"
    assert good(pay_account="").pay_account == ""


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        pytest.param("our app", "not_a_pay_account", id="no account"),
        pytest.param("12345", "not_a_pay_account", id="too short"),
        pytest.param("4111 1111 1111 1111", "personal_pay_account", id="a card"),
        pytest.param("A123456789", "personal_pay_account", id="an identity card"),
        pytest.param("0912345678", "personal_pay_account", id="the customer's phone"),
        pytest.param("886912345678", "personal_pay_account", id="with the country's code"),
        pytest.param("8.22123E+16", "damaged_by_spreadsheet", id="as a spreadsheet shows a long number"),
        pytest.param("1234567890123450", "damaged_by_spreadsheet", id="cut to 15 digits by a spreadsheet"),
        pytest.param("12345678901234.0", "damaged_by_spreadsheet", id="made a fraction by a spreadsheet"),
    ],
)
def test_what_is_no_account_to_pay_to_or_somebodys_own_number_is_refused(written: str, reason: str) -> None:
    assert read(pay_account=written) == [("pay_account", reason)]


def test_an_account_that_holds_the_phone_behind_a_lenders_code_is_what_banks_give_out() -> None:
    assert good(pay_account="98012912345678").pay_account == "98012912345678"


def test_a_late_fee_is_not_measured_against_an_amount_nobody_can_read() -> None:
    assert read(amount="much", late_fee="100") == [("amount", "not_an_amount")]


def test_a_hold_has_an_end_or_none() -> None:
    assert good(hold="promise", hold_until="2026-12-20").holds == (Hold(HoldReason.PROMISE, date(2026, 12, 20)),)
    assert good(hold="dispute").holds == (Hold(HoldReason.DISPUTE),)


def test_an_end_without_a_hold_is_refused() -> None:
    assert read(hold_until="2026-12-20") == [("hold_until", "hold_until_without_hold")]


def test_stage_reached_may_be_zero_or_before_the_due_date() -> None:
    assert good(stage_reached="0").instalment.stage_reached == 0
    assert good(stage_reached="-3").instalment.stage_reached == -3


USER = "U" + "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("written", "email"),
    [
        ("wang@example.com", "wang@example.com"),
        (" Wang.Xiao+loan@Mail.Example.COM ", "wang.xiao+loan@mail.example.com"),
        ("mailto:wang@example.com", "wang@example.com"),
        ("ｗａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ", "wang@example.com"),
        ("N/A", ""), ("無", ""), ("-", ""), ("", ""),
    ],
)  # fmt: skip
def test_an_email_address_is_read_in_small_letters_and_a_word_for_none_is_none(written: str, email: str) -> None:
    found = good(email=written)
    assert (found.person.email, found.notes) == (email, [])


@pytest.mark.parametrize(
    "written",
    ["wang", "wang@localhost", "@example.com", "wang@", "a@example.com; b@example.com", "王 <wang@example.com>",
     "王@example.com", ".wang@example.com", "wang..x@example.com", "wang@example", f"{'x' * 65}@example.com",
     "wang@example.com 已停用", "0912345678"],
)  # fmt: skip
def test_what_is_no_email_address_is_noted_and_the_customer_is_loaded_without_it(written: str) -> None:
    found = good(email=written)
    assert (found.person.email, found.notes) == ("", [("email", "not_an_email_address")])


@pytest.mark.parametrize("written", [USER, USER.upper(), f" {USER} "])
def test_a_line_user_id_is_read(written: str) -> None:
    found = good(line_user_id=written)
    assert (found.person.line_user_id, found.notes) == (USER, [])


@pytest.mark.parametrize(
    "written", ["@wang", "wang123", USER[:-1], f"{USER}0", "U" + "g" * 32, USER.lower(), "0912345678"]
)
def test_what_is_no_line_user_id_is_noted_and_the_customer_is_loaded_without_it(written: str) -> None:
    found = good(line_user_id=written)
    assert (found.person.line_user_id, found.notes) == ("", [("line_user_id", "not_a_line_user_id")])


@pytest.mark.parametrize("column", CONSENT_COLUMNS)
def test_a_consent_to_a_channel_is_read_as_the_consent_to_texts_is(column: str) -> None:
    assert getattr(good(**{column: "2026-01-31"}).person, column) == datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    assert read(**{column: "2026-12-09"}) == [(column, "consent_in_future")]
    assert read(**{column: "2006-12-09"}) == [(column, "date_out_of_range")]
    assert read(**{column: "yes"}) == [(column, "not_an_instant")]


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


CELLS = {
    "customer_id": ("C-1", "C-2", "0912345678", "C 1", ""),
    "name": ("王小明", "陳美玲(已故)", "1", ""),
    "phone": ("0912-345-678", "+886987654321", "123", ""),
    "country": ("TW", "CN", "台灣", "XX"),
    "lender": ("demo-tw", "DEMO-CN", "nobody"),
    "time_zone": ("Asia/Taipei", "America/Los_Angeles", "CST", ""),
    "consented_at": ("2026-01-31", "115/01/31", "2026-12-02", "1999-01-01", ""),
    "account_number": ("9001-1234-5678", "1E9", "12345678901234500"),
    "due_on": ("2026-12-05", "115/12/05", "2006-01-01", "soon", ""),
    "amount": ("3250", "3,250.5", "NT$9", "RM9", "-5", ""),
    "currency": ("TWD", "USD", "MYR", "XXX", ""),
    "paid_on": ("", "2026-12-01", "2026-12-02", "115/11/30"),
    "paid_amount": ("", "0", "-1", "1.5", "x"),
    "hold": ("", "dispute", "no", "stop", "whatever"),
    "hold_until": ("", "2027-01-01", "116/01/01"),
    "written_notice_on": ("", "2026-11-30", "2026-12-09", "2006-02-01"),
    "late_fee": ("", "9", "-9", "99999"),
    "pay_account": ("", "822-12345678901234", "0912345678"),
    "email": ("", "wang@example.com", "WANG@example.com", "wang", "#N/A"),
    "line_user_id": ("", USER, "@wang"),
    "email_consented_at": ("", "2026-01-31", "2026-12-02", "115/01/31", "yes"),
}


@given(
    st.lists(st.fixed_dictionaries({}, optional={column: st.sampled_from(cells) for column, cells in CELLS.items()}),
             min_size=2, max_size=8)
)  # fmt: skip
def test_a_row_is_read_the_same_whatever_rows_were_read_before_it(rows: list[dict[str, str]]) -> None:
    remembering = RowReader(LENDERS, UPLOADED_AT, roc_lenders=frozenset({"demo-tw"}))
    for line, changes in enumerate(rows, 2):
        values = [row(**changes)[column] for column in COLUMNS]
        alone = RowReader(LENDERS, UPLOADED_AT, roc_lenders=frozenset({"demo-tw"}))
        assert remembering.read(line, values) == alone.read(line, values)


def test_a_file_with_more_different_cells_than_are_remembered_is_read_all_the_same() -> None:
    reader = RowReader(LENDERS, UPLOADED_AT)
    for number in (*range(1, 1100), *range(1, 3)):
        found = reader.read(number, [row(instalment_no=str(number))[column] for column in COLUMNS])
        assert isinstance(found, Row)
        assert found.instalment.number == number
