"""Which customers have an address: what the port promises, of the fake and of DynamoDB alike."""

import pytest

from tests.contract.conftest import Office

ANN, BOB = "+886900000001", "+886900000002"


def test_every_number_asked_for_is_in_the_answer(office: Office) -> None:
    office.customers.add_address(ANN, "C0001")
    found = office.customers.customers_with([ANN, BOB])
    assert found == {ANN: frozenset({"C0001"}), BOB: frozenset()}
    assert office.customers.customers_with([]) == {}


def test_a_number_may_be_asked_for_twice(office: Office) -> None:
    office.customers.add_address(ANN, "C0001")
    assert office.customers.customers_with([ANN, ANN]) == {ANN: frozenset({"C0001"})}


def test_more_numbers_than_one_read_can_carry_are_read(office: Office) -> None:
    phones = [f"+8869{number:08d}" for number in range(120)]
    for number, phone in enumerate(phones):
        office.customers.add_address(phone, f"C{number:04d}")
    found = office.customers.customers_with(phones)
    assert found == {phone: frozenset({f"C{number:04d}"}) for number, phone in enumerate(phones)}


def test_who_is_added_to_a_number_learns_of_all_who_have_it(office: Office) -> None:
    assert office.customers.add_address(ANN, "C0001") == {"C0001"}
    assert office.customers.add_address(ANN, "C0002") == {"C0001", "C0002"}
    assert office.customers.add_address(ANN, "C0002") == {"C0001", "C0002"}


def test_who_is_taken_from_a_number_leaves_the_others_and_other_numbers(office: Office) -> None:
    for phone, customer_id in ((ANN, "C0001"), (ANN, "C0002"), (BOB, "C0001")):
        office.customers.add_address(phone, customer_id)
    office.customers.remove_address(ANN, "C0001")
    found = office.customers.customers_with([ANN, BOB])
    assert found == {ANN: frozenset({"C0002"}), BOB: frozenset({"C0001"})}


def test_to_take_away_who_does_not_have_a_number_changes_nothing(office: Office) -> None:
    office.customers.add_address(ANN, "C0001")
    office.customers.remove_address(ANN, "C0002")
    office.customers.remove_address(BOB, "C0001")
    office.customers.remove_address(BOB, "C0001")
    assert office.customers.customers_with([ANN, BOB]) == {ANN: frozenset({"C0001"}), BOB: frozenset()}


def test_a_number_whose_last_customer_is_gone_can_be_given_to_another(office: Office) -> None:
    office.customers.add_address(ANN, "C0001")
    office.customers.remove_address(ANN, "C0001")
    assert office.customers.add_address(ANN, "C0002") == {"C0002"}


MAIL, USER = "Wang@Example.com", "U" + "0123456789abcdef" * 2


def test_mail_addresses_and_line_users_are_kept_beside_numbers(office: Office) -> None:
    for customer_id, addresses in (("C0001", (ANN, MAIL, USER)), ("C0002", (BOB, MAIL))):
        for address in addresses:
            office.customers.add_address(address, customer_id)
    assert office.customers.customers_with([ANN, MAIL, USER, BOB]) == {
        ANN: frozenset({"C0001"}),
        MAIL: frozenset({"C0001", "C0002"}),
        USER: frozenset({"C0001"}),
        BOB: frozenset({"C0002"}),
    }
    office.customers.remove_address(MAIL, "C0001")
    office.customers.remove_address(USER, "C0001")
    found = office.customers.customers_with([MAIL, USER])
    assert found == {MAIL: frozenset({"C0002"}), USER: frozenset()}


def test_a_mail_address_is_the_same_in_capitals_and_small_letters(office: Office) -> None:
    assert office.customers.add_address(MAIL, "C0001") == {"C0001"}
    assert office.customers.add_address(MAIL.lower(), "C0002") == {"C0001", "C0002"}
    both = frozenset({"C0001", "C0002"})
    assert office.customers.customers_with([MAIL.upper(), MAIL]) == {MAIL.upper(): both, MAIL: both}
    office.customers.remove_address(MAIL.upper(), "C0001")
    assert office.customers.customers_with([MAIL]) == {MAIL: frozenset({"C0002"})}


@pytest.mark.parametrize("address", [ANN, MAIL, USER])
def test_an_address_is_no_customer(office: Office, address: str) -> None:
    office.customers.add_address(address, "C0001")
    assert list(office.customers.customer_ids(0, 1, "")) == []
    assert list(office.customers.customers_of("demo-tw")) == []
