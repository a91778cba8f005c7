"""Erasing: what goes, in which order, and that it may be repeated."""

from datetime import timedelta

import pytest

from dunning.domain.contact import Contact, ContactState
from dunning.ports import OutsideError
from dunning.services.erase import Erased, EraseService
from tests.builders import tell
from tests.fakes import FakeClock, FakeContacts, FakeCustomers, FakeJournal
from tests.integration.people import NOW, someone, waking


class Office:
    """A customer with a standing and two records."""

    def __init__(self) -> None:
        self.customers, self.contacts, self.journal = FakeCustomers(), FakeContacts(), FakeJournal()
        self.service = EraseService(
            customers=self.customers, contacts=self.contacts, clock=FakeClock(), journal=self.journal
        )
        tell(self.customers, someone())
        self.customers.save_standing(waking(someone()), expected_version=0)
        self.contacts.write([self.record(1), self.record(2)])

    @staticmethod
    def record(number: int) -> Contact:
        return Contact(
            "C0001", f"s{number}", "c", NOW + timedelta(minutes=number), ContactState.SENT, 0, (), "sms", NOW,
            phone="+886900000001", text="text",
        )  # fmt: skip


def test_a_look_changes_nothing() -> None:
    office = Office()
    assert office.service.look("C0001") == Erased(2, 2) == office.service.look("C0001")
    assert office.journal.events == []


def test_facts_standing_numbers_and_texts_go() -> None:
    office = Office()
    assert office.service.erase("C0001") == Erased(2, 2)
    assert not office.customers.facts
    assert not office.customers.standings
    assert all(not record.phone and not record.text for record in office.contacts.records.values())
    assert len(office.contacts.records) == 2


def test_a_record_that_a_text_under_way_has_left_goes_with_the_next_round() -> None:
    office = Office()
    office.service.erase("C0001")
    office.contacts.write([office.record(3)])
    assert office.service.erase("C0001") == Erased(0, 1)
    assert office.service.look("C0001").nothing


def test_it_is_told_by_id_and_counts_and_only_when_something_went() -> None:
    office = Office()
    office.service.erase("C0001")
    office.service.erase("C0001")
    assert office.journal.events == [("customer_erased", {"customer_id": "C0001", "items": 2, "records": 2})]
    assert office.journal.counts == {"CustomersErased": 1}


def test_after_a_failure_in_between_nothing_is_lost_of_what_is_still_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office()

    def fails(*_: object) -> int:
        raise OutsideError("UpdateItem", "Throttling")

    with monkeypatch.context() as broken:
        broken.setattr(office.contacts, "redact", fails)
        with pytest.raises(OutsideError):
            office.service.erase("C0001")
    assert office.service.erase("C0001") == Erased(0, 2)
