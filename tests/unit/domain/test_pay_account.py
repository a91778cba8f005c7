"""The account a customer pays to: one that a bank or a shop gives out, and nobody's card or identity number."""

# ruff: noqa: E501 - texts and lists of examples are written in one line

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.pay_account import is_card_number, is_pay_account
from dunning.services.intake.personal_ids import is_national_id


@pytest.mark.parametrize(
    "written",
    ["822-12345678901234", "12345678901234", "9922-0012-3456-78", "AB123456", "GB29 NWBK 6016 1331 9268 19", "123456", "ZA0099-1234", "ABC123", 34 * "1"],
)  # fmt: skip
def test_an_account_or_a_code_is_taken(written: str) -> None:
    assert is_pay_account(written)
    assert not is_card_number(written)
    assert not is_national_id(written)


@pytest.mark.parametrize(
    "written",
    ["12345", "1 2-3 4 5", "ABCDEFGH", "ARREST12", "ABCD12", 35 * "1", "123456789012345678901234567890123456", "822--123456", "-123456", "123456-", "12345678;", "a@b123456",
     "https://x1234567", "帳號123456", ""],
)  # fmt: skip
def test_what_looks_like_none_is_not_taken(written: str) -> None:
    assert not is_pay_account(written)


@pytest.mark.parametrize(
    ("written", "is_card"),
    [
        ("4111111111111111", True),
        ("4111 1111 1111 1111", True),
        ("5555-5555-5555-4444", True),
        ("2223003122003222", True),
        ("378282246310005", True),
        ("3530111333300000", True),
        ("30569309025904", True),
        ("6011111111111117", True),
        ("6212345678901232", True),
        ("4111111111111112", False),
        ("822-4111111111111111", False),
        ("404-12345678901234", False),
        ("411-1111111111111", False),
        ("4111-1111-1111-1111", True),
        ("41111111111111113", False),
        ("9922001234567890", False),
        ("411111111111111", False),
    ],
)
def test_a_card_number_is_known_by_its_brand_its_length_and_its_check_digit(written: str, is_card: bool) -> None:  # noqa: FBT001
    assert is_card_number(written) is is_card


@pytest.mark.parametrize(
    ("written", "personal"),
    [
        ("A123456789", True),
        ("a123456789", True),
        ("A800000014", True),
        ("A123456788", False),
        ("11010519491231002X", True),
        ("110105194912310021", False),
        ("110105194913310028", False),
        ("A1234563", True),
        ("S1234567D", True),
        ("900101-1234567", True),
        ("901301-1234567", False),
        ("900101-14-1234", True),
        ("822-12345678901234", False),
    ],
)
def test_an_identity_number_is_known_by_its_form_and_its_check_digit(written: str, personal: bool) -> None:  # noqa: FBT001
    assert is_national_id(written) is personal


@given(st.from_regex(r"[0-9]{3}-[0-9]{10,16}", fullmatch=True))
def test_an_account_with_its_banks_code_in_front_is_always_taken(written: str) -> None:
    assert is_pay_account(written)
    assert not is_card_number(written)
