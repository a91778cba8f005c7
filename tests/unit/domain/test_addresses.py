"""Addresses: what a mail service can take, and what LINE gives a user."""

import pytest

from dunning.domain.customer.addresses import is_line_user_id, is_mail_address


def long_domain(length: int) -> str:
    """Return a domain of 132 to 194 characters."""
    return ".".join(["a" * 63, "b" * 63, "c" * (length - 131), "tw"])


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        pytest.param("wang@example.com", True, id="a local part and a domain"),
        pytest.param("w.a+n-g@a.b.example.com", True, id="signs that a mailbox may have"),
        pytest.param("wang@example", False, id="no domain below another"),
        pytest.param("wang@example.com.", False, id="a dot behind the domain"),
        pytest.param("wang@ming@example.com", False, id="two signs that part it"),
        pytest.param("@example.com", False, id="no local part"),
        pytest.param(".wang@example.com", False, id="a dot in front"),
        pytest.param("wang.@example.com", False, id="a dot behind"),
        pytest.param("wa..ng@example.com", False, id="two dots side by side"),
        pytest.param("王@example.com", False, id="letters beyond ASCII"),
        pytest.param("x" * 64 + "@example.com", True, id="a long local part"),
        pytest.param("x" * 65 + "@example.com", False, id="too long a local part"),
        pytest.param("x" * 64 + "@" + long_domain(189), True, id="as long as RFC 5321 allows"),
        pytest.param("x" * 64 + "@" + long_domain(190), False, id="longer by a character"),
    ],
)
def test_an_address_is_what_a_mail_service_can_take(address: str, *, is_taken: bool) -> None:
    assert is_mail_address(address) is is_taken


@pytest.mark.parametrize(
    ("address", "is_id"),
    [
        ("U" + "0123456789abcdef" * 2, True),
        ("U" + "0" * 31, False),
        ("U" + "0" * 33, False),
        ("C" + "0" * 32, False),
        ("U" + "A" * 32, False),
    ],
)
def test_the_id_of_a_line_user_is_u_and_thirty_two_hexadecimal_digits(address: str, *, is_id: bool) -> None:
    assert is_line_user_id(address) is is_id
