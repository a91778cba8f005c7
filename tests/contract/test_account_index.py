"""Which customers have an account: what the port promises, of the fake and of DynamoDB alike."""

from dataclasses import replace
from typing import cast

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import (
    ACCOUNTS_A_WRITE,
    LenderRecord,
    erase_record,
    record_snapshot,
    with_accounts_to_index,
)
from dunning.ports.customers import StoredCustomer
from dunning.ports.erasure import CustomerErasure
from tests.contract.conftest import Office
from tests.support.people import NOW, someone, waking


def with_accounts(facts: Facts, *account_ids: str) -> Facts:
    """Return the facts with these accounts in the place of the first one."""
    return replace(facts, accounts=tuple(replace(facts.accounts[0], account_id=each) for each in account_ids))


def keep(office: Office, facts: Facts) -> LenderRecord:
    """Store what a file says of a customer, and return the record as it is stored."""
    stored = office.customers.load_stored([facts.customer_id])[facts.customer_id]
    assert isinstance(stored, StoredCustomer)
    standing = stored.standing
    assert office.customers.save_customer(
        record_snapshot(stored.lender_record, facts),
        replace(standing, version=standing.version + 1) if standing else waking(facts),
        expected_revision=stored.lender_record.revision,
        expected_version=standing.version if standing else 0,
    )
    return record_of(office, facts.customer_id)


def record_of(office: Office, customer_id: str) -> LenderRecord:
    """Return what a lender has said of a customer."""
    stored = office.customers.load_stored([customer_id])[customer_id]
    assert isinstance(stored, StoredCustomer)
    return stored.lender_record


def erase(office: Office, after: LenderRecord, *, expected_revision: int, former_accounts: tuple[str, ...]) -> bool:
    """Write a tombstone, by the port of the same table that erases."""
    erasure = cast("CustomerErasure", office.customers)
    return erasure.save_erased(after, expected_revision=expected_revision, former_accounts=former_accounts)


def test_a_customer_is_found_by_every_account_from_the_write_that_brings_it(office: Office) -> None:
    keep(office, with_accounts(someone(), "A1", "A2"))
    assert [office.customers.customers_of_account(each) for each in ("A1", "A2", "A3")] == [
        frozenset({"C0001"}),
        frozenset({"C0001"}),
        frozenset(),
    ]


def test_an_account_that_a_later_file_lacks_still_finds_its_customer(office: Office) -> None:
    keep(office, with_accounts(someone(), "A1"))
    record = keep(office, with_accounts(someone(), "A2"))
    assert record.indexed_accounts == ("A1", "A2")
    assert office.customers.customers_of_account("A1") == {"C0001"}


def test_an_account_that_two_customers_have_finds_both(office: Office) -> None:
    for number in (1, 2):
        keep(office, with_accounts(someone(number), "A1"))
    assert office.customers.customers_of_account("A1") == {"C0001", "C0002"}


def test_a_write_that_comes_too_late_indexes_nothing(office: Office) -> None:
    keep(office, with_accounts(someone(), "A1"))
    facts = with_accounts(someone(), "A9")
    late = record_snapshot(LenderRecord(customer_id="C0001"), facts)
    assert not office.customers.save_customer(late, waking(facts), expected_revision=0, expected_version=0)
    assert office.customers.customers_of_account("A9") == frozenset()


def test_an_erasure_takes_the_accounts_of_this_customer_with_it_and_no_others(office: Office) -> None:
    record = keep(office, with_accounts(someone(), "A1", "A2"))
    keep(office, with_accounts(someone(2), "A1"))
    after = erase_record(record, NOW)
    assert after.indexed_accounts == ()
    assert erase(office, after, expected_revision=record.revision, former_accounts=record.indexed_accounts)
    assert office.customers.customers_of_account("A1") == {"C0002"}
    assert office.customers.customers_of_account("A2") == frozenset()


def test_an_erasure_that_comes_too_late_takes_nothing(office: Office) -> None:
    record = keep(office, with_accounts(someone(), "A1"))
    after = erase_record(record, NOW)
    assert not erase(office, replace(after, revision=9), expected_revision=7, former_accounts=record.indexed_accounts)
    assert office.customers.customers_of_account("A1") == {"C0001"}


def test_more_accounts_than_one_write_takes_are_indexed_by_the_next_and_erased_all(office: Office) -> None:
    account_ids = [f"A{number:03d}" for number in range(ACCOUNTS_A_WRITE + 5)]
    facts = with_accounts(someone(), *account_ids)
    first = keep(office, facts)
    assert len(first.indexed_accounts) == ACCOUNTS_A_WRITE
    record = keep(office, facts)
    assert {each for each in account_ids if office.customers.customers_of_account(each)} == set(account_ids)
    after = erase_record(record, NOW)
    assert erase(office, after, expected_revision=record.revision, former_accounts=record.indexed_accounts)
    assert not any(office.customers.customers_of_account(each) for each in account_ids)


def test_a_restored_record_is_indexed_anew_and_remembers_former_accounts(office: Office) -> None:
    record = replace(
        record_snapshot(LenderRecord(customer_id="C0001"), with_accounts(someone(), "A2")),
        indexed_accounts=("A1", "A2"),
    )
    restored = with_accounts_to_index(record)
    assert restored.indexed_accounts == ("A1",)
    assert office.customers.save_customer(restored, waking(someone()), expected_revision=0, expected_version=0)
    assert office.customers.customers_of_account("A2") == {"C0001"}
    assert record_of(office, "C0001").indexed_accounts == ("A1", "A2")


def test_an_account_is_no_customer(office: Office) -> None:
    keep(office, with_accounts(someone(), "A1"))
    assert list(office.customers.customer_ids(0, 1, "")) == ["C0001"]
    assert [each.customer_id for each in office.customers.customers_of("demo-tw")] == ["C0001"]
    assert len(list(office.customers.whole_customers())) == 1
