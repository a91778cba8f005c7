"""Erasing: what goes, in which order, and that it may be repeated."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest

from dunning.contracts.erasure_round import erasure_round_body
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.case_book import Case, CaseNote
from dunning.ports.sessions import Role, Viewer
from dunning.services.erasure.erase import UNDER_WAY, Erased, EraseService
from dunning.services.optimistic import ContestedError
from tests.support.builders import a_lender_record, store_facts
from tests.support.cases import FakeCases
from tests.support.fakes import FakeClock, FakeContacts, FakeCustomers, FakeTelemetry, FakeUploadErasure
from tests.support.people import NOW, someone, waking
from tests.support.trial_fakes import FakeDrawnRungs

AT = NOW - timedelta(hours=1)
RECORDED = NOW - timedelta(days=7)
NOTER = Viewer("jun.li", Role.AGENT)


class Office:
    """A customer with a standing, two records and a reply."""

    def __init__(self) -> None:
        self.customers, self.contacts, self.telemetry = FakeCustomers(), FakeContacts(), FakeTelemetry()
        self.uploads, self.clock = FakeUploadErasure(), FakeClock()
        self.service = EraseService(
            customers=self.customers,
            contacts=self.contacts,
            uploads=self.uploads,
            clock=self.clock,
            telemetry=self.telemetry,
        )
        store_facts(self.customers, someone())
        self.customers.add_address(someone().phone, "C0001")
        self.customers.save_standing(waking(someone()), expected_version=0)
        self.contacts.write([self.record(1), self.record(2)])
        self.contacts.keep(
            Reply(
                customer_id="C0001",
                inbound=InboundSms(inbound_id="r1", phone=someone().phone, text="王小明", at=AT),
                intents=(),
                promised_on=None,
                expires_at=NOW,
            )
        )

    @staticmethod
    def record(number: int) -> Contact:
        return Contact(
            customer_id="C0001",
            send_id=f"s{number}",
            claim_id="c",
            at=RECORDED + timedelta(minutes=number),
            state=ContactState.SENT,
            stage=0,
            account_ids=(),
            channel="sms",
            expires_at=NOW,
            phone="+886900000001",
            text="text",
        )


def test_a_look_changes_nothing() -> None:
    office = Office()
    assert office.service.look("C0001") == Erased(2, 2, 1) == office.service.look("C0001")
    assert office.telemetry.events == []


def test_facts_standing_numbers_texts_and_replies_go() -> None:
    office = Office()
    assert office.service.erase("C0001", AT) == Erased(2, 2, 1)
    assert not office.customers.facts
    assert not office.customers.standings
    assert not office.customers.phones
    assert not office.contacts.replies
    assert all(not record.phone and not record.text for record in office.contacts.records.values())
    assert len(office.contacts.records) == 2


def test_numbers_are_kept_until_the_purge_and_the_erasure_for_ever() -> None:
    office = Office()
    office.service.erase("C0001", AT)
    office.service.erase_again("C0001")
    assert office.customers.lender_records["C0001"] == LenderRecord(
        customer_id="C0001", revision=2, phones=(someone().phone,), erased_at=AT, phones_until=NOW + UNDER_WAY
    )
    assert not office.service.look("C0001").nothing
    office.service.purge_numbers("C0001")
    assert office.customers.lender_records["C0001"] == LenderRecord(customer_id="C0001", revision=3, erased_at=AT)
    assert office.service.look("C0001").nothing


def test_a_record_that_a_text_under_way_has_left_goes_with_the_second_round() -> None:
    office = Office()
    office.service.erase("C0001", AT)
    office.contacts.write([office.record(3)])
    assert office.service.erase_again("C0001") == Erased(0, 1)
    office.contacts.write([office.record(4)])
    assert office.service.purge_numbers("C0001") == Erased(0, 1)
    assert office.service.look("C0001").nothing


def test_a_second_round_without_a_first_does_nothing() -> None:
    office = Office()
    assert office.service.erase_again("C0001").nothing
    assert office.service.purge_numbers("C0001").nothing
    assert office.service.erase_uploads({"C0001": None}, lambda: math.inf).deleted == 0
    assert office.service.look("C0001") == Erased(2, 2, 1)


def test_an_erasure_is_logged_by_id_and_counts_and_only_when_something_was_erased() -> None:
    office = Office()
    for _ in range(2):
        office.service.erase("C0001", AT)
        office.service.erase_again("C0001")
        office.service.purge_numbers("C0001")
    assert office.telemetry.events == [
        ("customer_erased", {"customer_id": "C0001", "items": 2, "records": 2, "replies": 1})
    ]
    assert office.telemetry.counts == {"CustomersErased": 1}


def test_after_a_failure_in_between_nothing_is_lost_of_what_is_still_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office()

    def fails(*_: object, **__: object) -> int:
        raise ServiceCallError("UpdateItem", "Throttling")

    with monkeypatch.context() as broken:
        broken.setattr(office.contacts, "redact", fails)
        with pytest.raises(ServiceCallError):
            office.service.erase("C0001", AT)
    assert office.service.erase("C0001", AT).records == 2
    assert office.telemetry.counts == {"CustomersErased": 1}


def test_a_customer_whom_others_keep_changing_is_to_be_erased_again(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office()
    with monkeypatch.context() as busy:
        busy.setattr(office.customers, "save_erased", lambda *_, **__: False)
        with pytest.raises(ContestedError):
            office.service.erase("C0001", AT)
    office.service.erase("C0001", AT)
    with monkeypatch.context() as busy:
        busy.setattr(office.customers, "save_erased", lambda *_, **__: False)
        with pytest.raises(ContestedError):
            office.service.purge_numbers("C0001")


def test_a_second_round_that_cannot_read_the_tombstone_fails_and_comes_back() -> None:
    office = Office()
    office.service.erase("C0001", AT)
    office.customers.unreadable.add("C0001")
    for again in (office.service.erase_again, office.service.purge_numbers):
        with pytest.raises(UnreadableRecordError):
            again("C0001")


def test_a_round_that_read_the_tombstone_before_the_customer_returned_leaves_the_new_standing() -> None:
    office = Office()
    office.service.erase("C0001", AT)
    tombstone = office.customers.lender_records["C0001"]
    returned = replace(a_lender_record(someone()), revision=tombstone.revision + 1, erased_at=tombstone.erased_at)
    erase_items = office.customers.erase_items

    def returns_meanwhile(customer_id: str, *, revision: int | None = None) -> int:
        assert office.customers.save_customer(
            returned, waking(someone()), expected_revision=tombstone.revision, expected_version=0
        )
        return erase_items(customer_id, revision=revision)

    with patch.object(office.customers, "erase_items", returns_meanwhile):
        office.service.erase_again("C0001")
    assert office.customers.standings["C0001"] == waking(someone())


def test_a_round_that_read_the_tombstone_before_the_customer_returned_leaves_what_is_written_from_then_on() -> None:
    office = Office()
    office.service.erase("C0001", AT)
    redact = office.contacts.redact
    written_after = office.clock.now() + timedelta(seconds=1)
    reply = Reply(
        customer_id="C0001",
        inbound=InboundSms(inbound_id="r2", phone=someone().phone, text="請再打給我", at=written_after),
        intents=(),
        promised_on=None,
        expires_at=NOW,
    )

    def writes_meanwhile(customer_id: str, at: datetime, *, until: datetime | None = None) -> int:
        office.contacts.keep(reply)
        office.contacts.write([replace(office.record(3), at=written_after)])
        return redact(customer_id, at, until=until)

    with patch.object(office.contacts, "redact", writes_meanwhile):
        assert office.service.erase_again("C0001").nothing
    assert office.contacts.stored_replies("C0001") == 1
    assert office.contacts.identifying_records("C0001") == 1
    office.clock.move_to(written_after)
    assert office.service.erase_again("C0001") == Erased(0, 1, 1)


def test_an_erasure_logs_no_more_of_a_customer_than_the_id() -> None:
    office = Office()
    office.service.erase("C0001", AT)
    printed = repr(office.telemetry.events) + erasure_round_body("C0001")
    assert "+886" not in printed
    assert "王" not in printed


def test_the_accounts_by_which_a_customer_is_found_go_with_the_tombstone() -> None:
    office = Office()
    stored = office.customers.lender_records["C0001"]
    standing = office.customers.standings["C0001"]
    assert office.customers.save_customer(
        replace(stored, revision=stored.revision + 1),
        replace(standing, version=standing.version + 1),
        expected_revision=stored.revision,
        expected_version=standing.version,
    )
    assert office.customers.accounts == {"A0001-0": frozenset({"C0001"})}
    office.service.erase("C0001", AT)
    assert office.customers.accounts == {}
    assert office.customers.lender_records["C0001"].indexed_accounts == ()


# ------------------------------------------------------------------ notes of colleagues


def with_notes(office: Office) -> FakeCases:
    """Let colleagues have noted something, and let the erasure know."""
    cases = FakeCases()
    for minutes in (0, 1):
        cases.add_note("C0001", CaseNote(AT + timedelta(minutes=minutes), f"n{minutes}", NOTER, "王小明 ruft an"))
    cases.save_case(Case(customer_id="C0001", version=1, holder=NOTER), expected_version=0)
    cases.add_note("C0002", CaseNote(AT, "n0", NOTER, "another's"))
    office.service = EraseService(
        customers=office.customers,
        contacts=office.contacts,
        uploads=office.uploads,
        clock=FakeClock(),
        telemetry=office.telemetry,
        cases=cases,
    )
    return cases


def test_the_notes_of_colleagues_and_the_case_go_with_the_customer_and_are_counted() -> None:
    office = Office()
    cases = with_notes(office)
    assert office.service.look("C0001").notes == 2
    assert office.service.erase("C0001", NOW).notes == 2
    assert (cases.stored_notes("C0001"), cases.stored) == (0, {})
    assert cases.stored_notes("C0002") == 1
    (logged,) = [fields for event, fields in office.telemetry.events if event == "customer_erased"]
    assert logged["notes"] == 2


def test_a_note_that_was_written_during_the_first_round_goes_with_the_next() -> None:
    office = Office()
    cases = with_notes(office)
    office.service.erase("C0001", NOW)
    cases.add_note("C0001", CaseNote(NOW, "late", NOTER, "王小明"))
    assert office.service.erase_again("C0001").notes == 1
    assert cases.stored_notes("C0001") == 0


def test_an_erasure_that_cannot_delete_notes_is_not_finished() -> None:
    office = Office()
    cases = with_notes(office)

    def broken(customer_id: str, *, until: datetime | None = None) -> int:
        raise ServiceCallError("Query", f"{customer_id} {until}")

    cases.erase_case = broken  # type: ignore[method-assign]
    with pytest.raises(ServiceCallError):
        office.service.erase("C0001", NOW)


# ------------------------------------------------------------------ what was drawn in trials


def with_draws(office: Office) -> FakeDrawnRungs:
    """Let the erasure know where draws are."""
    draws = FakeDrawnRungs()
    office.service = EraseService(
        customers=office.customers,
        contacts=office.contacts,
        uploads=office.uploads,
        clock=office.clock,
        telemetry=office.telemetry,
        draws=draws,
    )
    return draws


def test_each_round_marks_the_customer_for_the_night_that_takes_draws_away() -> None:
    office = Office()
    draws = with_draws(office)
    office.service.erase("C0001", NOW)
    (first,) = draws.erased_draws()
    assert (first.customer_id, first.at) == ("C0001", office.clock.now())
    assert first.until >= office.clock.now() - timedelta(seconds=1)
    office.clock.move_to(NOW + timedelta(minutes=15))
    office.service.erase_again("C0001")
    (again,) = draws.erased_draws()
    assert again.at == NOW + timedelta(minutes=15)
    office.clock.move_to(NOW + timedelta(hours=1))
    office.service.purge_numbers("C0001")
    (last,) = draws.erased_draws()
    assert (last.at, last.until) == (NOW + timedelta(hours=1), NOW + timedelta(hours=1))


def test_whoever_is_not_erased_has_no_mark() -> None:
    office = Office()
    draws = with_draws(office)
    office.service.erase_again("C0001")
    office.service.purge_numbers("C0001")
    assert list(draws.erased_draws()) == []


def test_an_erasure_that_cannot_leave_its_mark_is_not_finished_and_comes_again() -> None:
    office = Office()
    draws = with_draws(office)
    mark = draws.mark_draws

    def broken(customer_id: str, until: datetime, at: datetime) -> None:
        raise ServiceCallError("PutItem", f"{customer_id} {until} {at}")

    draws.mark_draws = broken  # type: ignore[method-assign]
    with pytest.raises(ServiceCallError):
        office.service.erase("C0001", NOW)
    draws.mark_draws = mark  # type: ignore[method-assign]
    office.service.erase("C0001", NOW)
    assert [each.customer_id for each in draws.erased_draws()] == ["C0001"]
