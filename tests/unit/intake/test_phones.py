"""Phones: E.164 where it is certain which one number is meant and that it can be texted, refused where not."""

from itertools import product

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.services.intake.phones import PhoneError, normalise_phone, read_any_number, usual_mobile
from tests.support.vectors import read_vectors

VECTORS = read_vectors("phones")
EXCEL_DEBRIS = "912345678.0"
"""No number to a library, but a certain one to whoever knows what a spreadsheet does."""


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v["expected"]["mobile_capable"]], ids=lambda v: f"{v['region']} {v['input']!a}"
)
def test_a_number_that_can_be_texted_becomes_e164(vector: dict[str, dict[str, str]]) -> None:
    assert normalise_phone(str(vector["input"]), str(vector["region"])).e164 == vector["expected"]["e164"]


@pytest.mark.parametrize(
    "vector",
    [v for v in VECTORS if not v["expected"]["mobile_capable"] and v["input"] != EXCEL_DEBRIS],
    ids=lambda v: f"{v['region']} {v['input']!a}",
)
def test_a_number_that_cannot_be_texted_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(PhoneError):
        normalise_phone(vector["input"], vector["region"])


@pytest.mark.parametrize(
    ("spelling", "country"),
    [
        (EXCEL_DEBRIS, "TW"),
        ("886912345678.0", "TW"),
        ("912345678", "TW"),
        ("'0912345678", "TW"),
        ("’0912345678", "TW"),
        ('="0912345678"', "TW"),
        ("＋８８６　９１２－３４５－６７８", "TW"),
        ("\u2068+886912345678\u2069", "TW"),
        ("\ufeff0912345678\u200f", "TW"),
        ("0912\u2013345\u2014678", "TW"),
        ("0912\u00a0345\u202f678", "TW"),
        ("(+886) 912 345 678", "TW"),
        ("+886 (0) 912 345 678", "TW"),
        ("0912.345.678", "TW"),
        ("TEL: 0912345678", "TW"),
        ("٠٩١٢٣٤٥٦٧٨", "TW"),
        ("00886912345678", "CN"),
        ("010-886-912-345678", "JP"),
    ],
)
def test_common_spellings_and_debris_are_normalised(spelling: str, country: str) -> None:
    assert normalise_phone(spelling, country).e164 == "+886912345678"


@pytest.mark.parametrize(
    "cell",
    [
        "0912345678,0987654321",
        "0912345678; 0987654321",
        "0912345678/0987654321",
        "0912345678、0987654321",
        "0912345678，0987654321",
        "0912345678或0987654321",
        "0912345678 or 0987654321",
        "0912345678\n0987654321",
        "0912345678 0987654321",
        "0912-345-678 0987-654-321",
        "0912345678-0987654321",
        "+886912345678+886987654321",
        "0912345678 (02)2345-6789",
        "0912345678#0987654321",
    ],
)
def test_two_numbers_in_one_cell_are_refused(cell: str) -> None:
    with pytest.raises(PhoneError, match="phone_two_numbers"):
        normalise_phone(cell, "TW")


@pytest.mark.parametrize(
    "cell", ["9.12345678E8", "9.12E+08", "912,345,678", "-912345678", "912345678.5", "########", "912345678.00"]
)
def test_a_number_a_spreadsheet_has_changed_is_refused(cell: str) -> None:
    with pytest.raises(PhoneError, match="phone_damaged_by_spreadsheet"):
        normalise_phone(cell, "TW")


@pytest.mark.parametrize(
    "cell",
    [
        "0912345678/9",
        "0912***678",
        "0912345xxx",
        "電話0912345678",
        "0912345678 王",
        "0912345678²",
        "09ABCDEFGH",
        "1" * 500,
    ],
)
def test_what_has_more_than_a_number_in_it_is_refused(cell: str) -> None:
    with pytest.raises(PhoneError, match="phone_invalid"):
        normalise_phone(cell, "TW")


def test_letters_are_never_taken_for_the_digits_of_a_keypad() -> None:
    with pytest.raises(PhoneError, match="phone_invalid"):
        normalise_phone("07ABC123456", "GB")


def test_a_number_of_another_country_keeps_its_own_country() -> None:
    assert normalise_phone("+8613800138000", "TW")[:2] == ("+8613800138000", "CN")


def test_a_number_without_its_country_code_is_not_tried_on_other_countries() -> None:
    with pytest.raises(PhoneError):
        normalise_phone("0912345678", "CN")


def test_a_satellite_number_is_refused() -> None:
    with pytest.raises(PhoneError, match="phone_not_mobile"):
        normalise_phone("+870773111632", "TW")


def test_a_number_that_is_valid_in_two_readings_is_refused() -> None:
    # India (91 81...) after 00, or the United States (1 812...) after 009, which Hong Kong dials too.
    with pytest.raises(PhoneError, match="phone_ambiguous"):
        normalise_phone("00918123456789", "HK")


@given(st.text(max_size=40), st.sampled_from(["TW", "CN", "HK", "US", "GB", "IN", "XX", ""]))
def test_any_cell_is_a_number_or_a_phone_error(raw: str, country: str) -> None:
    try:
        phone = normalise_phone(raw, country)
    except PhoneError:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(phone.e164))


@given(st.text(alphabet="0123456789+ -()/.,;x#E\u200b０９", max_size=25), st.sampled_from(["TW", "CN", "US", "GB"]))
def test_a_number_taken_is_made_of_the_digits_in_the_cell(raw: str, country: str) -> None:
    try:
        phone = normalise_phone(raw, country)
    except PhoneError:
        return
    digits = "".join(str(int(c)) for c in raw if c.isdigit())
    assert phone.national.lstrip("0") in digits
    assert normalise_phone(phone.e164, country) == phone


OURS = {"TW": "0912345678", "CN": "13812345678", "HK": "91234567", "MO": "66123456", "SG": "91234567",
        "MY": "0123456789", "JP": "09012345678", "KR": "01012345678"}  # fmt: skip


def spellings(number: str, country: str) -> list[str]:
    """Return how a number may be written, rightly or not."""
    code = phonenumbers.country_code_for_region(country)
    return [number, f"0{number}", f"+{code}{number}", f"+{code} {number[:3]}-{number[3:]}", f"{code}{number}",
            f"+{code}0{number}", f"00{code}{number}", f"{number[:4]} {number[4:]}", f"1{number}"]  # fmt: skip


def assert_read_the_same(cell: str, country: str) -> None:
    usual = usual_mobile(cell, country)
    assert usual is None or usual == read_any_number(cell, country), (cell, country)


@pytest.mark.parametrize(("country", "number"), OURS.items())
def test_the_usual_mobile_numbers_of_our_countries_need_no_library(country: str, number: str) -> None:
    code = phonenumbers.country_code_for_region(country)
    national = number if country in {"CN", "HK", "MO", "SG"} else number.removeprefix("0")
    for cell in (number, f"+{code}{national}", f"{number[:4]}-{number[4:]}"):
        assert usual_mobile(cell, country) == read_any_number(cell, country)


@pytest.mark.parametrize("country", OURS)
def test_whatever_a_usual_number_begins_with_it_is_read_as_the_library_reads_it(country: str) -> None:
    length = len(read_any_number(OURS[country], country).national)
    for first in product("0123456789", repeat=3):
        for cell in spellings("".join(first).ljust(length, "7"), country):
            assert_read_the_same(cell, country)


def test_a_mobile_number_of_any_country_is_read_as_the_library_reads_it() -> None:
    for country in phonenumbers.SUPPORTED_REGIONS:
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            if example := phonenumbers.example_number_for_type(country, kind):
                for cell in spellings(str(example.national_number), country):
                    assert_read_the_same(cell, country)


@given(st.from_regex(r"\+?[0-9]{5,14}([ -][0-9]{1,4}){0,2}", fullmatch=True), st.sampled_from(sorted(OURS)))
def test_any_digits_are_read_as_the_library_reads_them(cell: str, country: str) -> None:
    assert_read_the_same(cell, country)
