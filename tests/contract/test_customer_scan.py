"""All customers, in parts: what the port promises, of the fake and of DynamoDB alike."""

import pytest

from dunning.domain.errors import UnreadableRecordError
from dunning.ports.customers import Customer
from tests.contract.conftest import Office
from tests.support.builders import store_customer, store_facts
from tests.support.people import someone, waking

EVERYBODY = [f"C{number:04d}" for number in range(60)]


@pytest.fixture
def full(office: Office) -> Office:
    """Hand out an office with customers who have facts, a standing, or both; and with what is no customer."""
    for number in range(60):
        if number % 3:
            store_facts(office.customers, someone(number))
        if number % 3 != 1:
            office.customers.save_standing(waking(someone(number)), expected_version=0)
    office.customers.add_address("+886900000001", "C0001")
    office.customers.save_loads([], expected_version=0)
    return office


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_each_customer_is_in_one_part_once(full: Office, parts: int) -> None:
    found = [customer_id for part in range(parts) for customer_id in full.customers.customer_ids(part, parts, "")]
    assert sorted(found) == EVERYBODY


def test_a_part_is_read_in_the_same_order_each_time_and_taken_up_after_a_customer(full: Office) -> None:
    for part in range(2):
        order = list(full.customers.customer_ids(part, 2, ""))
        assert list(full.customers.customer_ids(part, 2, "")) == order
        for place, customer_id in enumerate(order):
            assert list(full.customers.customer_ids(part, 2, customer_id)) == order[place + 1 :]


def test_a_table_of_nobody_has_nobody_in_any_part(office: Office) -> None:
    assert [list(office.customers.customer_ids(part, 3, "")) for part in range(3)] == [[], [], []]
    assert list(office.customers.whole_customers()) == []


def test_a_whole_scan_yields_each_customer_once_with_all_that_is_stored(office: Office) -> None:
    people = {facts.customer_id: facts for facts in map(someone, range(40))}
    for facts in people.values():
        assert store_customer(office.customers, facts, waking(facts))
        office.customers.add_address(facts.phone, facts.customer_id)
    found = list(office.customers.whole_customers())
    assert all(isinstance(customer, Customer) and customer.standing for customer in found)
    facts_found = [customer.facts for customer in found if isinstance(customer, Customer) and customer.facts]
    assert {facts.customer_id: facts for facts in facts_found} == people
    assert len(found) == len(people)


def test_a_whole_scan_passes_an_unreadable_customer_on_and_goes_on(office: Office) -> None:
    for number in range(3):
        assert store_customer(office.customers, someone(number), waking(someone(number)))
    office.spoil("C0001")
    found = list(office.customers.whole_customers())
    assert sum(isinstance(customer, UnreadableRecordError) for customer in found) == 1
    assert len(found) == 3


@pytest.mark.parametrize("segments", [2, 5])
def test_a_whole_scan_in_segments_yields_each_customer_in_one_of_them(full: Office, segments: int) -> None:
    known = 0
    for segment in range(segments):
        known += len(list(full.customers.whole_customers(segment, segments)))
    assert known == len(EVERYBODY)


def test_standings_are_read_alone_and_who_has_none_is_left_out(full: Office) -> None:
    full.spoil("C0003")
    found = full.customers.read_standings(["C0000", "C0001", "C0002", "C0003", "C9999", "C0000"])
    assert found.keys() == {"C0000", "C0002", "C0003"}
    assert isinstance(found["C0003"], UnreadableRecordError)
    standing = found["C0002"]
    assert not isinstance(standing, UnreadableRecordError)
    assert (standing.customer_id, standing.reason) == ("C0002", "due")
