"""Cells: what one cell of each kind may hold, and what it is refused for."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.facts import HoldReason
from dunning.services.intake.cells import (
    RULES_DIFFER_BY_REGION,
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
from dunning.services.intake.names import read_name
from dunning.services.intake.plain_text import plain, words
from dunning.services.intake.refusals import EXPLANATIONS, CellError, Refusal
from tests.support.builders import the_policies


def refusal_of(read: Callable[[], object]) -> Refusal:
    with pytest.raises(CellError) as refused:
        read()
    return refused.value.reason


@pytest.mark.parametrize(
    ("text", "digits", "minor"),
    [
        ("3250", 2, 325000),
        ("3250.5", 2, 325050),
        ("3,250.50", 2, 325050),
        ("1,234,567", 2, 123456700),
        ("0", 2, 0),
        ("-120.00", 2, -12000),
        ("3250.", 2, 325000),
        ("1000.00", 0, 1000),
        ("3250.5000", 2, 325050),
        ("0.000", 2, 0),
    ],
)
def test_an_amount_becomes_minor_units(text: str, digits: int, minor: int) -> None:
    assert read_amount(text, digits) == minor


@pytest.mark.parametrize(
    "text",
    ["NT$3250", "$3250", "3250元", "3,25", "32,50.00", "3.250,00", "1e3", "3 250", "1.234.567", "", "-", "(120)", "+5",
     "٣", "1" * 16, "0x10", "1_000"],
)  # fmt: skip
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_amount(text, 2)) is Refusal.NOT_AN_AMOUNT


@pytest.mark.parametrize(("text", "digits"), [("3250.555", 2), ("100.5", 0), ("1.000", 2), ("12.500", 0), ("1.000", 0)])
def test_more_decimals_than_the_currency_has_or_dotted_thousands_are_refused(text: str, digits: int) -> None:
    assert refusal_of(lambda: read_amount(text, digits)) is Refusal.TOO_MANY_DECIMALS


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.sampled_from([0, 2]), st.booleans())
def test_amounts_round_trip(minor: int, digits: int, grouped: bool) -> None:  # noqa: FBT001 - hypothesis
    whole, cents = divmod(abs(minor), 10**digits)
    text = f"{'-' if minor < 0 else ''}{whole:{',' if grouped else ''}}" + (f".{cents:02}" if digits else "")
    assert read_amount(text, digits) == minor


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-05",
        "2026/12/05",
        "2026/12/5",
        "2026.12.5",
        "20261205",
        "2026年12月5日",
        "2026/12/5 00:00",
        "2026-12-05 00:00:00",
        "2026-12-05T00:00:00.000",
        "2026/12/5 上午 12:00:00",
        "民國115年12月5日",
    ],
)
def test_a_date_has_the_year_first(text: str) -> None:
    assert read_date(text) == date(2026, 12, 5)


@pytest.mark.parametrize(
    "text", ["12/05/2026", "05-12-2026", "05122026", "2026-12/05", "2026-02-30", "115/12/05", "46361", "5 Dec 2026"]
)
def test_a_date_that_could_be_mistaken_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_date(text)) is Refusal.NOT_A_DATE


def test_a_year_of_three_digits_counts_from_1912_where_the_lender_is_taiwanese() -> None:
    for text in ("115/12/05", "115-12-5", "115.12.05", "115年12月5日"):
        assert read_date(text, roc_years=True) == date(2026, 12, 5)
        assert refusal_of(lambda text=text: read_date(text)) is Refusal.NOT_A_DATE  # type: ignore[misc]


@pytest.mark.parametrize(
    "text", ["2026-12-05 13:30:00", "2026-12-05T00:00:00Z", "2026-12-04 16:00", "2026/12/5 12:00:00"]
)
def test_a_date_with_a_time_that_may_be_another_day_elsewhere_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_date(text)) is Refusal.NOT_A_DATE


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("NT$5,000", "TWD", 500_000),
        ("NT$ 5,000.00", "TWD", 500_000),
        ("-NT$120", "TWD", -12_000),
        ("$5,000", "TWD", 500_000),
        ("5,000元", "TWD", 500_000),
        ("HK$88.5", "HKD", 8_850),
        ("RMB 3250", "CNY", 325_000),
        ("3250 USD", "USD", 325_000),
    ],
)
def test_an_amount_may_have_the_sign_of_its_currency(text: str, currency: str, minor: int) -> None:
    assert read_amount(text, 2, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"), [("US$5,000", "TWD"), ("NT$5,000", "USD"), ("5千元", "TWD"), ("$", "TWD")]
)
def test_an_amount_with_another_sign_is_refused(text: str, currency: str) -> None:
    assert refusal_of(lambda: read_amount(text, 2, currency)) is Refusal.NOT_AN_AMOUNT


def test_a_comma_parts_decimals_only_in_a_file_that_parts_cells_by_semicolons() -> None:
    assert read_amount("3.250,50", 2, "EUR", decimal_comma=True) == 325_050
    assert read_amount("3250,5", 2, "EUR", decimal_comma=True) == 325_050
    assert read_amount("3,250", 2, "TWD", decimal_comma=True) == 325_000
    assert refusal_of(lambda: read_amount("3250,50", 2, "EUR")) is Refusal.NOT_AN_AMOUNT


def test_the_number_of_an_instalment_may_be_said_in_words() -> None:
    assert [read_instalment_no(text) for text in ("第1期", "第 12 期", "3期", "4.0")] == [1, 12, 3, 4]
    assert refusal_of(lambda: read_instalment_no("1/12")) is Refusal.NOT_A_NUMBER


@pytest.mark.parametrize("text", ["1001.0", "1.001E+03", "1001.00"])
def test_an_id_that_a_spreadsheet_has_turned_into_a_number_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_id(text)) is Refusal.DAMAGED_BY_SPREADSHEET


@pytest.mark.parametrize("text", ["6225880112345670000", "9001123456781230"])
def test_an_account_number_that_ends_in_zeros_after_15_digits_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_account_number(text)) is Refusal.DAMAGED_BY_SPREADSHEET


def test_one_zero_is_no_damage_where_the_long_numbers_of_the_file_are_whole() -> None:
    assert read_account_number("9001123456781230", long_numbers_are_exact=True) == "9001123456781230"
    damaged = "6225880112345670000"
    assert refusal_of(lambda: read_account_number(damaged, long_numbers_are_exact=True)) is not None


@pytest.mark.parametrize("text", ["1999-12-31", "2101-01-01", "0001-01-01"])
def test_a_year_out_of_reason_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_date(text)) is Refusal.DATE_OUT_OF_RANGE


def test_a_date_of_consent_means_the_end_of_that_day() -> None:
    assert read_instant("2026-01-31") == datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-31T09:30:00+08:00", "2026-01-31 01:30:00Z", "2026-01-31T01:30Z"])
def test_an_instant_with_an_offset_becomes_utc(text: str) -> None:
    assert read_instant(text) == datetime(2026, 1, 31, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-31T09:30:00", "31/01/2026", "yes", "2026-01-31T25:00Z"])
def test_an_instant_without_an_offset_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_instant(text)) is Refusal.NOT_AN_INSTANT


def test_the_first_instant_there_is_is_refused_not_a_crash() -> None:
    assert refusal_of(lambda: read_instant("0001-01-01T00:00:00+14:00")) is Refusal.DATE_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("zh-Hant", "zh-Hant"), ("zh-TW", "zh-Hant"), ("zh_HK", "zh-Hant"), ("zh-MO", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"), ("zh-Hans", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-sg", "zh-Hans"),
        ("zh-Hans-MY", "zh-Hans"), ("en", "en"), ("en-US", "en"), ("EN_gb", "en"),
    ],
)  # fmt: skip
def test_a_language_is_known_by_its_script(text: str, language: str) -> None:
    assert read_language(text) == language


@pytest.mark.parametrize("text", ["zh", "zh-MY", "fr", "中文", "zh-", "-", "a-" * 500])
def test_a_language_whose_script_is_not_certain_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_language(text)) is Refusal.UNKNOWN_LANGUAGE


@pytest.mark.parametrize("text", ["CST", "EST", "GMT+8", "Etc/GMT+8", "UTC", "+08:00", "Asia/Taibei"])
def test_an_abbreviation_is_no_time_zone(text: str) -> None:
    assert refusal_of(lambda: read_time_zone(text)) is Refusal.UNKNOWN_TIME_ZONE


def test_a_time_zone_is_known_in_any_case() -> None:
    assert read_time_zone("asia/TAIPEI") == "Asia/Taipei"


def test_a_country_is_two_letters_of_iso_3166() -> None:
    assert read_country("tw") == "TW"
    assert {read_country(text) for text in ("台灣", "臺灣", "Taiwan", "TWN")} == {"TW"}
    assert read_country("UK") == "GB"
    for text in ("TAI", "Formosa", "台北", "XX", "001"):
        assert refusal_of(lambda text=text: read_country(text)) is Refusal.UNKNOWN_COUNTRY  # type: ignore[misc]


def test_a_region_is_a_code_where_a_name_would_miss_its_rules_and_anything_elsewhere() -> None:
    assert read_region("Taipei City", "TW") == "TAIPEI CITY"
    assert read_region("us-ma", "US") == read_region("MA", "US") == "MA"
    for text in ("Massachusetts", "CA-QC", "麻州"):
        assert refusal_of(lambda text=text: read_region(text, "US")) is Refusal.NOT_A_REGION_CODE  # type: ignore[misc]


def test_a_currency_must_be_one_whose_decimals_are_known() -> None:
    assert read_currency("twd") == read_currency("NTD") == read_currency("新台幣") == "TWD"
    for text in ("$", "元", "XAU"):
        assert refusal_of(lambda text=text: read_currency(text)) is Refusal.UNKNOWN_CURRENCY  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "C 1", "王-1", "=1+1", "x" * 65])
def test_an_id_holds_only_what_may_stand_in_a_log(text: str) -> None:
    assert refusal_of(lambda: read_id(text)) is Refusal.MALFORMED_ID


def test_a_name_is_kept_composed_and_without_marks_nobody_sees() -> None:
    assert read_name("\u202a王\u200b小明\u202c").name == "王小明"
    assert read_name("Jose\u0301  Pe\u00f1a\t\u00a0Jr.").name == "Jos\u00e9 Pe\u00f1a Jr."


@pytest.mark.parametrize("text", ["12345", "***", "\u200b", "\u02bc", "x" * 81, "測試", "N/A"])
def test_a_name_has_a_letter_and_is_somebodys(text: str) -> None:
    assert refusal_of(lambda: read_name(text)) is Refusal.NOT_A_NAME


def test_a_product_has_no_damage() -> None:
    assert read_product(" 機車\n分期 ") == "機車 分期"
    assert refusal_of(lambda: read_product("\ufffd")) is Refusal.NOT_A_PRODUCT


def test_an_account_number_loses_the_debris_that_would_change_its_last_digits() -> None:
    assert read_account_number("900112345678.0") == "900112345678"
    assert read_account_number("AB-12.03") == "AB-12.03"


@pytest.mark.parametrize("text", ["9.00112E+11", "1E5", "####"])
def test_an_account_number_cut_by_a_spreadsheet_is_refused(text: str) -> None:
    assert refusal_of(lambda: read_account_number(text)) is Refusal.DAMAGED_BY_SPREADSHEET


def test_an_account_number_shows_at_least_one_character() -> None:
    assert refusal_of(lambda: read_account_number("7")) is Refusal.NOT_AN_ACCOUNT_NUMBER


def test_a_whole_number_may_have_the_debris_of_a_spreadsheet() -> None:
    assert read_whole("1.0", 1, 9) == 1
    assert read_whole("-3", -9, 9) == -3
    assert refusal_of(lambda: read_whole("1.5", 1, 9)) is Refusal.NOT_A_NUMBER
    assert refusal_of(lambda: read_whole("0", 1, 9)) is Refusal.NUMBER_OUT_OF_RANGE


@pytest.mark.parametrize("text", ["dispute", "Dispute", " DISPUTE "])
def test_a_hold_is_a_word_in_any_case(text: str) -> None:
    assert read_hold(text) == HoldWords(frozenset({HoldReason.DISPUTE}))


def test_a_hold_of_two_words_may_be_written_with_spaces_or_hyphens() -> None:
    assert read_hold("Wrong person") == read_hold("wrong-person") == HoldWords(frozenset({HoldReason.WRONG_PERSON}))


def test_several_holds_in_a_cell_all_count() -> None:
    both = frozenset({HoldReason.DISPUTE, HoldReason.DECEASED})
    assert read_hold("dispute; deceased") == HoldWords(both)


@pytest.mark.parametrize("text", ["opted_out", "Opt-Out", "optout", "STOP", "unsubscribed", "退訂", "退订", "拒收"])
def test_an_opt_out_is_no_hold_but_stands_for_good(text: str) -> None:
    assert read_hold(text) == HoldWords(opted_out=True)


@pytest.mark.parametrize("text", ["N", "no", "0", "無", "无", "否", "-", "FALSE", "none", "N/A"])
def test_a_word_for_no_is_no_hold(text: str) -> None:
    assert read_hold(text) == HoldWords()


@pytest.mark.parametrize("text", ["Y", "yes", "1", "TRUE", "是"])
def test_a_word_for_yes_is_silence_without_a_reason(text: str) -> None:
    assert read_hold(text) == HoldWords(frozenset({HoldReason.OTHER}))


def test_the_reasons_people_write_in_chinese_are_known() -> None:
    assert read_hold("已故").reasons == {HoldReason.DECEASED}
    assert read_hold("爭議").reasons == {HoldReason.DISPUTE}


@pytest.mark.parametrize("text", ["on vacation", "訴訟中", ";", "/"])
def test_a_hold_nobody_understands_is_silence_all_the_same(text: str) -> None:
    assert read_hold(text) == HoldWords(frozenset({HoldReason.OTHER}), not_understood=True)


def test_full_width_cells_are_made_plain_but_a_footnote_never_becomes_a_digit() -> None:
    assert plain("\u3000１，２５０．００\u200b ") == "1,250.00"
    assert plain("\u2212120") == "-120"
    assert plain("100²") == "100²"


@given(st.text())
def test_text_made_plain_stays_so(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert words(words(text)) == words(text)
    assert "\n" not in words(text)


def test_every_refusal_explains_itself_in_a_sentence() -> None:
    assert set(EXPLANATIONS) == set(Refusal)
    for explanation in EXPLANATIONS.values():
        assert explanation[0].isupper()
        assert explanation.endswith(".")


def test_regions_have_to_be_codes_wherever_a_jurisdiction_file_tells_them_apart() -> None:
    places = the_policies().places.by_id.values()
    apart = {place.law.id.partition("-")[0] for place in places if place.law.regions or "-" in place.law.id}
    assert apart == RULES_DIFFER_BY_REGION


def test_an_account_to_pay_to_that_ends_in_one_zero_is_taken_where_the_file_shows_that_none_was_cut() -> None:
    assert refusal_of(lambda: read_pay_account("9912345678901230")) is Refusal.DAMAGED_BY_SPREADSHEET
    assert read_pay_account("9912345678901230", long_numbers_are_exact=True) == "9912345678901230"
    damaged = "99123456789012300"
    assert refusal_of(lambda: read_pay_account(damaged, long_numbers_are_exact=True)) is Refusal.DAMAGED_BY_SPREADSHEET
