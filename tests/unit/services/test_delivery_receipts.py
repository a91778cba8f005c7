"""What carriers report: each report finds its record, and what follows from it follows once."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from dunning.contracts.delivery_log import Reported
from dunning.contracts.waiting_receipt import parse_waiting_receipt
from dunning.domain.customer.facts import Facts, HoldReason
from dunning.domain.customer.lender_record import CustomerReleased, EventTime, LenderRecord, RecordedEvent, record_event
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, Wake, progress_key
from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import DeliveryReceipt
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.domain.outbound_events import CustomerNeedsPerson, NumberUnreachable, ReminderStopped, ReviewReason
from dunning.ports.contacts import ContactKey
from dunning.ports.customers import StoredCustomer
from dunning.ports.queues import QueueMessage
from dunning.services.close_unknown import CloseUnknownService
from dunning.services.delivery_receipts import DeliveryReceiptService
from dunning.services.optimistic import ContestedError
from dunning.services.planning import replan
from tests.support.builders import a_contact, a_lender_record, the_policies
from tests.support.fakes import (
    FakeClock,
    FakeContacts,
    FakeCustomers,
    FakeDelayQueue,
    FakeEventPublisher,
    FakeTelemetry,
)
from tests.support.people import NOW, paid_up, someone, texted, waking

POLICIES = the_policies()
DEAD = "Phone has blocked SMS"
OPTED_OUT = "Phone number is opted out"
AWAY = "Phone is currently unreachable/unavailable"
SPAM = "Blocked as spam by phone carrier"
A_SECOND = timedelta(seconds=1)


class Office:
    """The service, and everything it touches."""

    def __init__(self) -> None:
        self.store, self.contacts = FakeCustomers(), FakeContacts()
        self.later, self.publisher = FakeDelayQueue(), FakeEventPublisher()
        self.clock, self.telemetry = FakeClock(NOW + timedelta(seconds=30)), FakeTelemetry()
        self.service = DeliveryReceiptService(
            store=self.store,
            phones=self.store,
            contacts=self.contacts,
            delay_queue=self.later,
            publisher=self.publisher,
            policies=POLICIES,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def texted(
        self,
        number: int = 1,
        *,
        state: ContactState | None = ContactState.SENT,
        at: datetime = NOW,
        due_in: int = 3,
        stage: int = -3,
        **changes: Any,  # noqa: ANN401 - fields of the standing
    ) -> Facts:
        """Put a customer there who has been texted, with a record in some state, or none yet."""
        facts = someone(number, due_in=due_in)
        entry = replace(texted(facts, at, claim_id=f"c{number}"), stage=stage)
        self.store.lender_records[facts.customer_id] = a_lender_record(facts)
        self.store.standings[facts.customer_id] = waking(facts, ledger=(entry,), **changes)
        self.store.add_address(facts.phone, facts.customer_id)
        if state is not None:
            self.contacts.write([record(facts, entry, state)])
        return facts

    def report(self, *receipts: DeliveryReceipt) -> None:
        self.service.handle_batch(Reported(receipts, 0))

    def standing(self, number: int = 1) -> Standing:
        return self.store.standings[f"C{number:04d}"]

    @property
    def states(self) -> list[ContactState]:
        return [contact.state for contact in self.contacts.records.values()]


def record(facts: Facts, entry: LedgerEntry, state: ContactState) -> Contact:
    message_id = "" if state is ContactState.UNKNOWN else f"m-{facts.customer_id}"
    return replace(
        a_contact(facts.customer_id, entry, state, NOW + timedelta(days=1827)),
        phone=facts.phone,
        text="...",
        parts=1,
        message_id=message_id,
    )


def receipt(
    number: int = 1,
    response: str = "",
    *,
    at: datetime = NOW + A_SECOND,
    **more: Any,  # noqa: ANN401 - fields of it
) -> DeliveryReceipt:
    """Describe the report of one customer's text; without a response it has arrived."""
    fields: dict[str, Any] = {"message_id": f"m-C{number:04d}", "phone": f"+8869{number:08d}", "billed_parts": 1} | more
    return DeliveryReceipt(at=at, delivered=not response, response=response, **fields)


def key_of(office: Office, number: int) -> ContactKey:
    entry = office.standing(number).ledger[0]
    return ContactKey(f"C{number:04d}", entry.at, entry.send_id)


@contextmanager
def crashing(port: object, name: str) -> Iterator[None]:
    """Let a call of a port fail while the context lasts."""

    def crash(*_: object, **__: object) -> bool:
        raise ServiceCallError(name, "InternalServerError")

    with patch.object(port, name, crash):
        yield


def _refused_number(office: Office) -> str:
    return office.standing().suspended["sms"].address


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_delivered_text_is_on_record_as_delivered_and_nobody_is_written(office: Office) -> None:
    office.texted()
    writes = office.store.writes
    office.report(receipt(billed_price_usd_micros=41_700))
    (contact,) = office.contacts.records.values()
    assert (contact.state, contact.billed_parts, contact.billed_price_usd_micros) == (ContactState.DELIVERED, 1, 41_700)
    assert office.store.writes == writes
    assert office.telemetry.counts == {"SmsDelivered": 1, "SegmentsEstimated": 1, "SegmentsBilled": 1}


def test_segments_that_are_billed_otherwise_than_estimated_are_counted(office: Office) -> None:
    office.texted()
    office.report(receipt(billed_parts=2))
    assert (office.telemetry.counts["SegmentsBilled"], office.telemetry.counts["SegmentsUnexpected"]) == (2, 1)


def test_a_number_that_is_opted_out_at_the_carrier_is_opted_out_with_us(office: Office) -> None:
    office.texted()
    office.report(receipt(response=OPTED_OUT))
    office.report(receipt(response=OPTED_OUT))
    assert office.standing().opted_out_at == NOW + A_SECOND
    assert (office.standing().wake, office.standing().reason) == (None, "opted_out")
    assert office.telemetry.counts["OptOuts"] == 1


def test_a_customer_who_opted_in_after_the_text_stays_opted_in(office: Office) -> None:
    office.texted(opted_in_at=NOW + timedelta(hours=1))
    office.report(receipt(response=OPTED_OUT))
    assert not office.standing().is_opted_out


def test_a_dead_number_is_suspended_and_published_once(office: Office) -> None:
    facts = office.texted()
    office.report(receipt(response=DEAD))
    office.report(receipt(response=DEAD))
    assert _refused_number(office) == facts.phone
    assert office.standing().wake is None
    published = [event for event in office.publisher.published if isinstance(event, NumberUnreachable)]
    assert published == [NumberUnreachable("C0001", office.clock.now(), "permanent_failure")]


def test_a_customer_whom_a_person_has_released_is_not_suspended_again_by_an_old_receipt(office: Office) -> None:
    facts = office.texted()
    office.report(receipt(response=DEAD))
    assert office.standing().is_suspended(office.store.facts["C0001"])
    stored = office.store.load_stored(["C0001"])["C0001"]
    assert isinstance(stored, StoredCustomer)
    release = RecordedEvent(EventTime(NOW + timedelta(hours=1)), CustomerReleased(HoldReason.NUMBER_REFUSED))
    office.store.save_lender_record(
        record_event(stored.lender_record, release), expected_revision=stored.lender_record.revision
    )
    office.report(receipt(response=DEAD))
    assert not office.standing().is_suspended(office.store.facts["C0001"])
    assert _refused_number(office) == facts.phone


def test_a_number_the_customer_no_longer_has_suspends_nobody(office: Office) -> None:
    facts = office.texted()
    office.store.lender_records["C0001"] = a_lender_record(replace(facts, phone="+886911111111"))
    office.report(receipt(response=DEAD))
    assert office.states == [ContactState.FAILED]
    assert not office.standing().suspended


def test_a_customer_who_was_out_of_reach_is_sent_the_stage_again(office: Office) -> None:
    office.texted()
    office.report(receipt(response=AWAY))
    (entry,) = office.standing().ledger
    assert entry.failed
    assert office.standing().version == 2


def test_a_text_that_arrived_after_all_is_not_sent_again(office: Office) -> None:
    office.texted()
    office.report(receipt(response=AWAY))
    office.report(receipt(at=NOW + timedelta(minutes=2)))
    (entry,) = office.standing().ledger
    assert not entry.failed
    assert office.states == [ContactState.DELIVERED]


def test_a_technical_failure_is_counted_and_changes_no_customer(office: Office) -> None:
    office.texted()
    before = office.standing()
    office.report(receipt(response=SPAM))
    assert office.telemetry.counts["SmsTechnicalFailure"] == office.telemetry.counts["SmsFailed"] == 1
    assert office.standing() == before


@pytest.mark.parametrize("response", ["No quota left for account", "Whatever"])
def test_a_failure_we_do_not_know_is_counted_and_its_stage_has_not_been_heard(office: Office, response: str) -> None:
    office.texted()
    office.report(receipt(response=response))
    assert office.telemetry.counts["SmsFailedUnclassified"] == office.telemetry.counts["SmsFailed"] == 1
    (entry,) = office.standing().ledger
    assert entry.failed
    assert not office.standing().is_suspended(someone())


@pytest.mark.parametrize(
    "report",
    [receipt(9), receipt(phone=""), receipt(at=NOW + timedelta(hours=3)), receipt(message_id="somebody else's")],
    ids=["a number of nobody", "no number", "no text of that time", "another message"],
)
def test_a_report_of_no_text_of_ours_is_counted_and_left_alone(office: Office, report: DeliveryReceipt) -> None:
    office.texted()
    office.report(report)
    assert office.telemetry.counts == {"ReceiptsWithoutContact": 1}
    assert office.states == [ContactState.SENT]


class TestARecordThatIsNotThereYet:
    """The sender writes the records of a batch at its end, and carriers may be quicker."""

    def test_is_waited_for_by_ids_without_the_number(self, office: Office) -> None:
        office.texted(state=None)
        office.report(receipt())
        ((body, delay),) = office.later.messages
        assert delay == timedelta(minutes=1)
        assert "8869" not in body
        assert parse_waiting_receipt(body).key.customer_id == "C0001"

    def test_is_brought_forward_when_it_is_there(self, office: Office) -> None:
        facts = office.texted(state=None)
        office.report(receipt(response=DEAD))
        office.contacts.write([record(facts, office.standing().ledger[0], ContactState.SENT)])
        ((body, _),) = office.later.messages
        assert office.service.handle_waiting([QueueMessage("d", body, 1)]) == []
        assert office.states == [ContactState.FAILED]
        assert _refused_number(office) == facts.phone

    def test_is_written_once_the_sender_must_have_died(self, office: Office) -> None:
        office.texted(state=None)
        office.report(receipt())
        ((body, _),) = office.later.messages
        office.clock.move_to(NOW + timedelta(minutes=10))
        office.service.handle_waiting([QueueMessage("d", body, 1)])
        assert len(office.later.messages) == 2
        office.clock.move_to(NOW + timedelta(minutes=16))
        assert office.service.handle_waiting([QueueMessage("d", body, 1)]) == []
        (contact,) = office.contacts.records.values()
        assert (contact.state, contact.message_id, contact.code) == (
            ContactState.DELIVERED,
            "m-C0001",
            "sender_crashed",
        )

    def test_of_a_customer_who_has_been_erased_is_not_waited_for(self, office: Office) -> None:
        office.texted(state=None)
        office.report(receipt())
        ((body, _),) = office.later.messages
        del office.store.standings["C0001"]
        office.clock.move_to(NOW + timedelta(minutes=16))
        assert office.service.handle_waiting([QueueMessage("d", body, 1)]) == []
        assert office.contacts.records == {}
        assert office.telemetry.counts["ReceiptsWithoutContact"] == 1

    def test_and_is_another_texts_in_the_end_is_left_alone(self, office: Office) -> None:
        facts = office.texted(state=None)
        office.report(receipt(message_id="another"))
        office.contacts.write([record(facts, office.standing().ledger[0], ContactState.SENT)])
        ((body, _),) = office.later.messages
        assert office.service.handle_waiting([QueueMessage("d", body, 1)]) == []
        assert office.states == [ContactState.SENT]
        assert office.telemetry.counts["ReceiptsWithoutContact"] == 1

    def test_and_is_a_refusal_in_the_end_is_not_settled_by_anothers_report(self, office: Office) -> None:
        facts = office.texted(state=None)
        office.report(receipt())
        refused = replace(record(facts, office.standing().ledger[0], ContactState.REFUSED), message_id="")
        office.contacts.write([refused])
        ((body, _),) = office.later.messages
        assert office.service.handle_waiting([QueueMessage("d", body, 1)]) == []
        assert office.states == [ContactState.REFUSED]

    def test_is_written_at_once_if_the_report_is_late(self, office: Office) -> None:
        office.texted(state=None)
        office.clock.move_to(NOW + timedelta(hours=71))
        office.report(receipt(response=OPTED_OUT))
        assert office.later.messages == []
        assert office.states == [ContactState.FAILED]
        assert office.standing().is_opted_out

    def test_is_not_invented_for_a_message_of_minutes_later(self, office: Office) -> None:
        office.texted(state=None)
        office.clock.move_to(NOW + timedelta(hours=1))
        office.report(receipt(at=NOW + timedelta(minutes=5)))
        assert office.contacts.records == {}
        assert office.telemetry.counts == {"ReceiptsWithoutContact": 1}

    def test_may_have_been_written_while_that_was_found_out(self, office: Office) -> None:
        facts = office.texted(state=None)
        office.report(receipt())
        ((body, _),) = office.later.messages
        office.clock.move_to(NOW + timedelta(minutes=16))
        theirs = record(facts, office.standing().ledger[0], ContactState.SENT)
        write = office.contacts.write_if_absent

        def write_second(contact: Contact) -> bool:
            office.contacts.write([theirs])
            return write(contact)

        office.contacts.write_if_absent = write_second  # type: ignore[method-assign]
        assert office.service.handle_waiting([QueueMessage("d", body, 1)]) == []
        (contact,) = office.contacts.records.values()
        assert (contact.state, contact.code, contact.phone) == (ContactState.DELIVERED, "", facts.phone)

    def test_is_found_by_a_receipt_that_comes_again_after_a_crash(self, office: Office) -> None:
        facts = office.texted(state=None)
        office.report(receipt())
        ((body, _),) = office.later.messages
        office.contacts.write([record(facts, office.standing().ledger[0], ContactState.SENT)])
        office.report(receipt(response=AWAY))
        with crashing(office.store, "save_standing"):
            assert office.service.handle_waiting([QueueMessage("d", body, 1)]) == ["d"]
        assert office.standing().ledger[0].failed
        assert office.service.handle_waiting([QueueMessage("d", body, 2)]) == []
        assert not office.standing().ledger[0].failed

    def test_what_is_no_receipt_comes_back_and_ends_with_the_dead_letters(self, office: Office) -> None:
        assert office.service.handle_waiting([QueueMessage("d", "{}", 1)]) == ["d"]
        assert office.telemetry.counts == {"ReceiptsUnreadable": 1}


class TestATextOfWhichNobodyKnows:
    """Its answer was lost: it has no message id, only a number and a time."""

    def test_is_settled_by_them_if_nothing_else_fits(self, office: Office) -> None:
        office.texted(state=ContactState.UNKNOWN)
        office.report(receipt(message_id="m-lost"))
        (contact,) = office.contacts.records.values()
        assert (contact.state, contact.message_id) == (ContactState.DELIVERED, "m-lost")

    def test_takes_no_second_message(self, office: Office) -> None:
        office.texted(state=ContactState.UNKNOWN)
        office.report(receipt(message_id="m-lost"))
        office.report(receipt(response=DEAD, message_id="m-another", at=NOW + 2 * A_SECOND))
        (contact,) = office.contacts.records.values()
        assert (contact.state, contact.message_id) == (ContactState.DELIVERED, "m-lost")
        assert not office.standing().suspended

    @pytest.mark.parametrize("state", [ContactState.UNKNOWN, None])
    def test_is_left_to_time_if_two_messages_fit(self, office: Office, state: ContactState | None) -> None:
        office.texted(state=state)
        office.clock.move_to(NOW + timedelta(hours=1))
        office.report(receipt(message_id="m-one"), receipt(message_id="m-other", response=DEAD))
        assert office.states == [ContactState.UNKNOWN]
        assert not office.standing().suspended
        assert office.telemetry.counts == {"ReceiptsWithoutContact": 2}

    def test_is_left_to_time_if_two_fit(self, office: Office) -> None:
        facts = office.texted(state=ContactState.UNKNOWN)
        second = texted(facts, NOW + timedelta(seconds=20), claim_id="c1b")
        second = replace(second, send_id="another")
        office.store.standings["C0001"] = replace(office.standing(), ledger=(*office.standing().ledger, second))
        office.contacts.write([record(facts, second, ContactState.UNKNOWN)])
        office.report(receipt(message_id="m-lost"))
        assert office.states == [ContactState.UNKNOWN] * 2

    def test_is_left_to_time_if_it_was_minutes_apart(self, office: Office) -> None:
        office.texted(state=ContactState.UNKNOWN)
        office.report(receipt(message_id="m-lost", at=NOW + timedelta(minutes=5)))
        assert office.states == [ContactState.UNKNOWN]

    def test_is_closed_after_three_days_and_stays_so(self, office: Office) -> None:
        office.texted(state=ContactState.UNKNOWN)
        closing = CloseUnknownService(contacts=office.contacts, clock=office.clock, telemetry=office.telemetry)
        assert closing.close() == 0
        office.clock.move_to(NOW + timedelta(hours=72, seconds=1))
        assert (closing.close(), closing.close()) == (1, 0)
        assert office.states == [ContactState.UNCONFIRMED]
        assert office.telemetry.counts["SmsUnconfirmed"] == 1
        office.report(receipt(message_id="m-lost"))
        assert office.states == [ContactState.UNCONFIRMED]


def test_a_crash_between_record_and_standing_is_mended_by_the_same_report(office: Office) -> None:
    office.texted()
    with crashing(office.store, "save_standing"), pytest.raises(ServiceCallError):
        office.report(receipt(response=OPTED_OUT))
    assert office.states == [ContactState.FAILED]
    office.report(receipt(response=OPTED_OUT))
    assert office.standing().is_opted_out


def test_a_payment_that_was_quicker_is_not_undone(office: Office) -> None:
    facts = office.texted()
    load = office.store.load

    def load_then_pay(customer_ids: Sequence[str]) -> Any:  # noqa: ANN401 - as the store has it
        found = load(customer_ids)
        office.store.load = load  # type: ignore[method-assign]
        office.store.lender_records["C0001"] = a_lender_record(paid_up(facts))
        office.store.standings["C0001"] = replace(office.standing(), version=5, wake=None, reason="nothing_open")
        return found

    office.store.load = load_then_pay  # type: ignore[method-assign]
    office.report(receipt(response=DEAD))
    after = office.standing()
    assert (after.version, after.wake, after.suspended["sms"].address) == (6, None, facts.phone)


def test_a_crash_before_a_recovery_reached_the_standing_is_mended_by_the_same_report(office: Office) -> None:
    office.texted()
    office.report(receipt(response=AWAY))
    with crashing(office.store, "save_standing"), pytest.raises(ServiceCallError):
        office.report(receipt())
    assert office.states == [ContactState.DELIVERED]
    assert office.standing().ledger[0].failed
    office.report(receipt())
    assert not office.standing().ledger[0].failed


@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_a_failure_that_is_written_while_the_text_arrives_after_all_does_not_stay(
    office: Office, *, answer_is_lost: bool
) -> None:
    office.texted()
    save, advance = office.store.save_standing, office.contacts.advance

    def advance_twice(contact: Contact, **more: Any) -> bool:  # noqa: ANN401 - as the archive has it
        return advance(contact, **more) and advance(contact, **more)  # the SDK repeats it

    def save_later(standing: Standing, **more: Any) -> bool:  # noqa: ANN401 - as the store has it
        office.store.save_standing = save  # type: ignore[method-assign]
        if answer_is_lost:
            office.contacts.advance = advance_twice  # type: ignore[method-assign]
        office.report(receipt())
        return save(standing, **more)

    office.store.save_standing = save_later  # type: ignore[method-assign]
    office.report(receipt(response=AWAY))
    assert office.states == [ContactState.DELIVERED]
    assert not office.standing().ledger[0].failed


def test_reports_of_one_text_are_one_write_whatever_their_order(office: Office) -> None:
    for number, reports in enumerate((["", AWAY, DEAD], [DEAD, AWAY, ""]), start=1):
        office.texted(number)
        contacts = _Counting(office.contacts, {})
        office.service._contacts = contacts  # noqa: SLF001
        office.report(*(receipt(number, response) for response in reports))
        assert contacts.calls["advance"] == 1
    assert office.states == [ContactState.DELIVERED] * 2
    assert office.standing().suspended
    assert office.standing(2).suspended
    assert not office.standing().ledger[0].failed


def test_a_corrected_number_is_texted_again(office: Office) -> None:
    facts = office.texted()
    office.report(receipt(response=DEAD))
    corrected = replace(facts, phone="+886911111111")
    decision = replan(corrected, office.standing(), office.standing(), POLICIES, NOW + timedelta(days=4)).decision
    assert decision.reason is not Reason.NUMBER_REFUSED
    assert replan(facts, office.standing(), office.standing(), POLICIES, NOW).decision.reason is Reason.NUMBER_REFUSED


def test_a_customer_who_was_out_of_reach_is_woken_for_the_stage_when_caps_allow(office: Office) -> None:
    facts = someone(due_in=-3)
    progress = {progress_key("A0001-0", 1): Progress(3, NOW.date(), facts.accounts[0].instalments[0].due_on)}
    office.texted(due_in=-3, stage=3, progress=progress, wake=Wake(NOW + timedelta(days=4), 3))
    office.report(receipt(response=AWAY))
    after = office.standing()
    assert after.wake is not None
    assert after.wake.at.date() == NOW.date() + timedelta(days=3)
    assert after.progress == progress


@pytest.mark.parametrize("somebody_else_has_written_since", [False, True])
def test_a_write_whose_answer_was_lost_is_published_all_the_same(
    office: Office, *, somebody_else_has_written_since: bool
) -> None:
    facts = office.texted()
    save = office.store.save_standing

    def lose_the_answer(standing: Standing, **more: Any) -> bool:  # noqa: ANN401 - as the store has it
        save(standing, **more)
        if somebody_else_has_written_since:
            office.store.standings["C0001"] = replace(office.standing(), version=3)
        return save(standing, **more)

    office.store.save_standing = lose_the_answer  # type: ignore[method-assign]
    office.report(receipt(response=DEAD))
    assert office.standing().version == (3 if somebody_else_has_written_since else 2)
    assert _refused_number(office) == facts.phone
    assert [type(event) for event in office.publisher.published] == [
        NumberUnreachable,
        ReminderStopped,
        CustomerNeedsPerson,
    ]
    assert office.telemetry.counts["NumbersSuspended"] == 1


def test_the_end_of_reminders_by_a_report_is_traced_and_published(office: Office) -> None:
    office.texted()
    office.report(receipt(response=DEAD))
    ((customer_id, decision, at),) = office.telemetry.decisions
    assert (customer_id, decision.reason, at) == ("C0001", Reason.NUMBER_REFUSED, office.clock.now())
    assert office.publisher.published == [
        NumberUnreachable("C0001", at, "permanent_failure"),
        ReminderStopped("C0001", at, "number_refused"),
        CustomerNeedsPerson("C0001", at, ReviewReason.NUMBER_REFUSED),
    ]


def test_a_receipt_for_a_shared_number_concerns_only_the_customer_who_was_texted(office: Office) -> None:
    facts = office.texted(1)
    office.texted(2)
    office.store.phones[facts.phone] = frozenset({"C0001", "C0002"})
    office.report(receipt(response=DEAD))
    assert _refused_number(office) == facts.phone
    assert office.standing(2).version == 1
    assert office.contacts.records[key_of(office, 2)].state is ContactState.SENT


def test_a_former_number_is_not_taken_for_the_one_that_was_texted(office: Office) -> None:
    facts = office.texted(state=ContactState.UNKNOWN)
    office.store.add_address("+886911111111", facts.customer_id)
    office.report(receipt(phone="+886911111111", message_id="m-lost"))
    assert office.states == [ContactState.UNKNOWN]
    office.contacts.records.clear()
    office.report(receipt(phone="+886911111111", message_id="m-lost"))
    assert office.later.messages == []
    assert office.telemetry.counts == {"ReceiptsWithoutContact": 2}


def test_logs_that_cannot_be_read_are_counted_and_the_rest_is_worked_off(office: Office) -> None:
    office.texted()
    office.service.handle_batch(Reported((receipt(),), 2))
    assert office.states == [ContactState.DELIVERED]
    assert office.telemetry.counts["ReceiptsUnreadable"] == 2


def test_the_log_holds_neither_a_number_nor_the_carriers_words(office: Office) -> None:
    for number, words in enumerate(("", DEAD, AWAY, "王小明 +886900000001"), start=1):
        office.texted(number)
        office.report(receipt(number, words))
    office.report(receipt(9), receipt(phone="+886955555555"))
    printed = json.dumps(office.telemetry.events, ensure_ascii=False)
    assert not [secret for secret in ("+886", "8869", "王小明", DEAD, AWAY) if secret in printed]
    assert {fields.get("statuses") for name, fields in office.telemetry.events if name == "receipt"} == {
        "delivered", "permanent_failure", "temporary_failure", "unclassified",
    }  # fmt: skip


class TestWhoeverCannotBeWorkedOff:
    """Delays no other customer, and is tried again."""

    def test_does_not_keep_events_of_others_from_being_published(self, office: Office) -> None:
        office.texted(1)
        office.texted(2)
        save = office.store.save_standing

        def fail_one(standing: Standing, **more: Any) -> bool:  # noqa: ANN401 - as the store has it
            if standing.customer_id == "C0001":
                raise ServiceCallError("PutItem", "InternalServerError")
            return save(standing, **more)

        office.store.save_standing = fail_one  # type: ignore[method-assign]
        with pytest.raises(ServiceCallError):
            office.report(receipt(1, DEAD), receipt(2, DEAD))
        assert NumberUnreachable("C0002", office.clock.now(), "permanent_failure") in office.publisher.published
        assert ("receipts_failed", {"customer_id": "C0001", "error": "ServiceCallError"}) in office.telemetry.events

    def test_because_the_record_of_the_customer_is_damaged_is_handed_over_again(self, office: Office) -> None:
        office.texted(1)
        office.texted(2)
        office.store.unreadable.add("C0001")
        with pytest.raises(UnreadableRecordError):
            office.report(receipt(1, OPTED_OUT), receipt(2, OPTED_OUT))
        assert office.standing(2).is_opted_out
        assert "ReceiptsWithoutContact" not in office.telemetry.counts
        office.store.unreadable.clear()
        office.report(receipt(1, OPTED_OUT), receipt(2, OPTED_OUT))
        assert office.standing(1).is_opted_out

    def test_comes_back_alone_from_the_queue(self, office: Office) -> None:
        for number in (1, 2):
            office.texted(number, state=None)
        office.report(receipt(1, OPTED_OUT), receipt(2, OPTED_OUT))
        office.store.unreadable.add("C0001")
        office.clock.move_to(NOW + timedelta(minutes=16))
        bodies = [body for body, _ in office.later.messages]
        assert office.service.handle_waiting([QueueMessage(body, body, 1) for body in bodies]) == [
            body for body in bodies if "C0001" in body
        ]
        assert office.standing(2).is_opted_out

    def test_comes_back_whole_if_no_record_can_be_read_at_all(self, office: Office) -> None:
        office.texted(state=None)
        office.report(receipt())
        ((body, _),) = office.later.messages
        with crashing(office.contacts, "find"):
            assert office.service.handle_waiting([QueueMessage("a", body, 1), QueueMessage("b", "{}", 1)]) == ["b", "a"]
        with crashing(office.later, "send_with_delay"):
            assert office.service.handle_waiting([QueueMessage("a", body, 1)]) == ["a"]

    def test_because_others_keep_writing_the_record_is_tried_again_later(self, office: Office) -> None:
        office.texted()
        office.contacts.advance = lambda *_, **__: False  # type: ignore[method-assign]
        with pytest.raises(ContestedError):
            office.report(receipt())

    def test_because_others_keep_writing_the_standing_is_tried_again_later(self, office: Office) -> None:
        office.texted()
        office.store.save_standing = lambda *_, **__: False  # type: ignore[method-assign]
        with pytest.raises(ContestedError):
            office.report(receipt(response=DEAD))
        assert office.states == [ContactState.FAILED]
        assert office.publisher.published == []


def test_a_record_that_others_bring_forward_meanwhile_is_read_again(office: Office) -> None:
    facts = office.texted()
    advance = office.contacts.advance
    entry = office.standing().ledger[0]

    def advance_after_others(contact: Contact, *, expected: ContactState) -> bool:
        office.contacts.advance = advance  # type: ignore[method-assign]
        office.contacts.write([replace(record(facts, entry, ContactState.FAILED), response="?", reported_at=NOW)])
        return advance(contact, expected=expected)

    office.contacts.advance = advance_after_others  # type: ignore[method-assign]
    office.report(receipt())
    assert office.states == [ContactState.DELIVERED]


def test_a_record_that_is_gone_meanwhile_is_not_brought_back(office: Office) -> None:
    office.texted()

    def gone(*_: object, **__: object) -> bool:
        office.contacts.records.clear()
        return False

    office.contacts.advance = gone  # type: ignore[method-assign]
    office.report(receipt(response=OPTED_OUT))
    assert office.contacts.records == {}


def test_a_customer_who_is_erased_meanwhile_is_not_brought_back(office: Office) -> None:
    facts = office.texted()
    advance = office.contacts.advance

    def erase(contact: Contact, *, expected: ContactState) -> bool:
        office.store.erase_items("C0001")
        office.store.lender_records["C0001"] = LenderRecord(customer_id="C0001", revision=2, erased_at=NOW)
        office.store.remove_address(facts.phone, "C0001")
        office.contacts.redact("C0001", NOW)
        return advance(contact, expected=expected)

    office.contacts.advance = erase  # type: ignore[method-assign]
    office.report(receipt(response=OPTED_OUT))
    office.report(receipt(response=OPTED_OUT))
    assert office.store.standings == {}
    (contact,) = office.contacts.records.values()
    assert (contact.state, contact.phone, contact.text) == (ContactState.FAILED, "", "")
    assert office.publisher.published == []


class _Counting:
    """Counts the calls of a port as AWS would be called: so many keys a call."""

    def __init__(self, inner: object, keys: dict[str, int]) -> None:
        self._inner, self._keys = inner, keys
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        method = getattr(self._inner, name)

        def counted(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as the port has it
            size = self._keys.get(name)
            self.calls[name] += -(-len(arguments[0]) // size) if size else 1
            return method(*arguments, **more)

        return counted


def test_a_thousand_reports_are_one_write_a_record_and_less_than_45_calls_beside() -> None:
    office = Office()
    for number in range(1000):
        office.texted(number)
    customers = _Counting(office.store, {"customers_with": 100, "load": 50})
    contacts = _Counting(office.contacts, {"find": 100})
    service = DeliveryReceiptService(
        store=customers,
        phones=customers,
        contacts=contacts,
        delay_queue=office.later,
        publisher=office.publisher,
        policies=POLICIES,
        clock=office.clock,
        telemetry=office.telemetry,
    )
    service.handle_batch(Reported(tuple(receipt(number) for number in range(1000)), 0))
    assert contacts.calls.pop("advance") == 1000
    assert (customers.calls + contacts.calls).total() <= 45
    assert set(office.states) == {ContactState.DELIVERED}
