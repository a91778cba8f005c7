"""Personal ids: what identifies a person is no id of ours, because ids appear in logs."""

import pytest

from dunning.services.intake.personal_ids import is_like_a_number, is_personal_id, serial_forms


@pytest.mark.parametrize(
    ("text", "country"),
    [
        pytest.param("A123456789", "TW", id="Taiwan"),
        pytest.param("a123456789", "TW", id="in small letters"),
        pytest.param("A800000014", "TW", id="a resident of Taiwan"),
        pytest.param("C-A123456789", "TW", id="inside an id"),
        pytest.param("11010519491231002X", "CN", id="the mainland"),
        pytest.param("A1234563", "HK", id="Hong Kong"),
        pytest.param("900101-1234567", "KR", id="Korea"),
        pytest.param("S1234567D", "SG", id="Singapore"),
        pytest.param("900101-14-5678", "MY", id="Malaysia"),
        pytest.param("0912345678", "TW", id="a mobile number"),
        pytest.param("0912-345-678", "TW", id="with hyphens"),
        pytest.param("886912345678", "TW", id="with its country code"),
        pytest.param("13800138000", "CN", id="of the mainland"),
        pytest.param("415-555-0123", "US", id="of the United States"),
        pytest.param("a@b.example", "TW", id="an e-mail address"),
    ],
)
def test_what_identifies_a_person_is_personal(text: str, country: str) -> None:
    assert is_personal_id(text, country)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("C-1001", "TW"),
        ("A123456788", "TW"),
        ("C0000001", "TW"),
        ("110105194912310021", "CN"),
        ("A1234567", "HK"),
        ("S1234567A", "SG"),
        ("10012345", "HK"),
        ("2026-000123", "TW"),
        ("9001-1234-5678", "TW"),
    ],
)
def test_a_serial_number_is_not(text: str, country: str) -> None:
    assert not is_personal_id(text, country)


def test_serial_numbers_of_the_form_of_a_national_id_are_told_by_the_check_digits_of_the_file() -> None:
    serials = serial_forms(f"C{number:07}" for number in range(1, 200))
    assert serials == {"HK"}
    by_chance = next(f"C{number:07}" for number in range(1, 200) if is_personal_id(f"C{number:07}", "HK"))
    assert not is_personal_id(by_chance, "HK", serials)


def test_national_ids_among_other_ids_are_still_seen() -> None:
    assert serial_forms(["C-1", "A123456789", "A123456788"]) == frozenset()


@pytest.mark.parametrize("text", ["0912-345-678", "0912.345.678", "912345678", "5551234"])
def test_what_looks_like_a_number_is_not_shown(text: str) -> None:
    assert is_like_a_number(text)


@pytest.mark.parametrize("text", ["C-1001", "C0042", "1001"])
def test_a_plain_id_may_be_shown(text: str) -> None:
    assert not is_like_a_number(text)
