"""Find: by customer, by account, by phone number, as people of each country write them and read them out."""

from dataclasses import replace

import phonenumbers
import pytest

from dunning.console.translations import Translation
from dunning.domain.customer.lender_record import LenderRecord, erase_record, record_snapshot
from dunning.ports.sessions import Role
from dunning.services.console.find_customer import FindService, FindView
from tests.support.console import TAIPEI, Office
from tests.support.fakes import FakeCustomers
from tests.support.people import NOW, someone, waking

COUNTRIES = ("TW", "HK", "CN", "US", "SG", "MO", "MY", "JP", "GB")


def a_store(phone: str = "+886912345678") -> FakeCustomers:
    """Return a store with two customers, the first of whom has this number and two accounts."""
    store = FakeCustomers()
    first = replace(someone(), phone=phone)
    second = replace(first.accounts[0], account_id="A0001-1")
    for facts in (replace(first, accounts=(*first.accounts, second)), someone(2)):
        record = record_snapshot(LenderRecord(customer_id=facts.customer_id), facts)
        assert store.save_customer(record, waking(facts), expected_revision=0, expected_version=0)
        store.add_address(facts.phone, facts.customer_id)
    return store


def find(written: str, store: FakeCustomers | None = None) -> FindView:
    store = store or a_store()
    return FindService(store, store, store, COUNTRIES).find(written)


def ids(view: FindView) -> list[str]:
    return [hit.customer_id for hit in view.found]


@pytest.mark.parametrize("written", ["C0001", " C0001 ", "Ｃ０００１", "c0001", "C 0001", "C0001\u3000"])
def test_a_customer_is_found_by_id_however_it_is_typed(written: str) -> None:
    assert ids(find(written)) == ["C0001"]


@pytest.mark.parametrize("written", ["A0001-0", "A0001-1", "a0001-1", "Ａ０００１－１", " A0001 - 1 "])
def test_a_customer_is_found_by_each_account(written: str) -> None:
    assert ids(find(written)) == ["C0001"]


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_customer_is_found_by_a_mobile_number_of_every_country_as_people_there_write_it(country: str) -> None:
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert number
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    store = a_store(e164)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    wide = national.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    for written in (e164, national, international, wide, national.replace(" ", "-"), f"tel:{e164}"):
        assert ids(find(written, store)) == ["C0001"], written


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("wang@example.com", "wang@example.com"),
        ("wang@example.com", " WANG@Example.com "),
        ("wang@example.com", "ｗａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
        ("U" + "0" * 32, "U" + "0" * 32),
    ],
)
def test_a_customer_is_found_by_another_address_however_it_is_typed(address: str, written: str) -> None:
    store = a_store()
    store.add_address(address, "C0002")
    (hit,) = find(written, store).found
    found_by = Translation("en", TAIPEI).write(hit.by)
    assert (hit.customer_id, found_by) == ("C0002", "e-mail address or LINE account, now or formerly")
    assert not find("wong@example.com", store).found


def test_several_hits_say_by_what_each_was_found() -> None:
    store = a_store()
    store.accounts["C0002"] = frozenset({"C0001"})
    view = find("C0002", store)
    english = Translation("en", TAIPEI)
    assert {hit.customer_id: english.write(hit.by) for hit in view.found} == {
        "C0001": "account C0002",
        "C0002": "customer number",
    }


def test_whoever_is_found_twice_stands_once() -> None:
    store = a_store()
    store.accounts["C0001"] = frozenset({"C0001"})
    assert ids(find("C0001", store)) == ["C0001"]


@pytest.mark.parametrize("written", ["", "   ", "C9999", "0999999999", "x" * 81, "C0001#facts", "王小明", "' OR 1=1"])
def test_nobody_is_found_by_what_nobody_has(written: str) -> None:
    view = find(written)
    assert (ids(view), view.was_asked) == ([], bool(written.strip()))


def test_who_was_erased_is_found_by_id_and_no_longer_by_account() -> None:
    store = a_store()
    record = store.lender_records["C0001"]
    erased = erase_record(record, NOW)
    assert store.save_erased(erased, expected_revision=record.revision, former_accounts=record.indexed_accounts)
    assert ids(find("C0001", store)) == ["C0001"]
    assert ids(find("A0001-0", store)) == []


def test_who_cannot_be_read_is_found() -> None:
    store = a_store()
    store.unreadable.add("C0001")
    assert ids(find("C0001", store)) == ["C0001"]


def test_one_hit_leads_to_the_customer_several_are_listed_and_what_was_typed_is_in_no_address_and_no_page() -> None:
    office = Office()
    office.keep(someone())
    office.log_in(Role.AGENT)
    assert office.post("/find", sought="C0001").headers["Location"] == "/customers/C0001"
    office.customers.phones["+886912345678"] = frozenset({"C0001", "C0002"})
    page = office.post("/find", sought="0912-345-678")
    assert page.status == 200
    assert "2 customers were found." in page.body
    assert "mobile number, now or formerly" in page.body
    assert "345" not in page.body
    assert office.get("/find", sought="C0001").body.count("/customers/") == 0
