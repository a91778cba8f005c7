"""A stage that chance leaves out, at the sender: claimed, recorded, and told to nobody."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.channels import NO_CONTACT, Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import DeliveryReceipt, record_receipt
from dunning.domain.effect.draws import SILENCE, TEXTED, Layer
from dunning.domain.errors import ServiceCallError
from tests.support.builders import an_account, an_instalment, the_policies
from tests.support.fakes import FakeContacts, FakeSwitch
from tests.support.people import NOW, someone
from tests.support.priced_arms import PricedArm
from tests.unit.services.test_send import Office


@pytest.fixture
def office() -> Office:
    return Office(policies=PricedArm(the_policies(), Layer.HOLDOUT, SILENCE))


def test_nothing_is_published_and_nobody_is_told(office: Office) -> None:
    office.handle_batch(office.add(someone()))
    assert office.gateway.published == []
    assert office.publisher.published == []


def test_the_record_has_no_number_text_or_price_and_says_what_was_drawn(office: Office) -> None:
    office.handle_batch(office.add(someone()))
    (record,) = office.records
    assert (record.state, record.channel, record.stage) == (ContactState.HELD_OUT, NO_CONTACT, -3)
    assert (record.phone, record.address, record.text, record.template, record.message_id) == ("", "", "", "", "")
    assert (record.parts, record.price_usd_micros, record.gateway) == (0, 0, "")
    assert record.draws == "hholdout.silence:1"
    assert record.lender == "demo-tw"
    assert record.reasons[-1] == "chance: trial holdout drew silence, probability 1"


def test_the_claim_marks_the_stage_and_sets_the_wake_of_the_next(office: Office) -> None:
    office.handle_batch(office.add(someone()))
    standing = office.store.standings["C0001"]
    (entry,) = standing.ledger
    assert (entry.channel, entry.for_wake, entry.draws) == (NO_CONTACT, NOW, "hholdout.silence:1")
    assert (entry.payer_segment, entry.asked) == ("unknown", "0.1:325000")
    assert standing.progress["A0001-0#1"].stage == -3
    assert standing.wake is not None
    assert standing.wake.at.date() == (NOW + timedelta(days=3)).date()


def test_the_log_says_that_it_was_held_out_and_counts_it(office: Office) -> None:
    office.handle_batch(office.add(someone()))
    ((_, decision, _),) = office.telemetry.decisions
    assert decision.reason is Reason.HELD_OUT


def test_it_costs_the_writes_of_a_text_and_no_call_more(office: Office) -> None:
    office.handle_batch(office.add(someone()))
    texting = Office(policies=PricedArm(the_policies(), Layer.HOLDOUT, TEXTED))
    texting.handle_batch(texting.add(someone()))
    assert len(texting.gateway.published) == 1
    assert office.store.standings["C0001"].version == texting.store.standings["C0001"].version
    assert len(office.records) == len(texting.records) == 1
    assert texting.records[0].draws == "hholdout.text:1"


def test_a_redelivered_job_finds_its_claim_and_draws_nothing_again(office: Office) -> None:
    facts = office.add(someone())
    office.handle_batch(facts)
    claimed = office.store.standings["C0001"]
    for receives in (2, 3):
        office.handle_batch(facts, receives=receives)
    assert office.store.standings["C0001"].ledger == claimed.ledger
    assert [record.state for record in office.records] == [ContactState.HELD_OUT]
    assert office.gateway.published == []


def test_a_record_that_was_not_written_is_written_by_the_redelivered_job_with_its_draw() -> None:
    contacts = FakeContacts()
    office = Office(policies=PricedArm(the_policies(), Layer.HOLDOUT, SILENCE), contacts=_Failing())
    facts = office.add(someone())
    assert office.handle_batch(facts) == ["C0001"]
    again = Office(policies=PricedArm(the_policies(), Layer.HOLDOUT, SILENCE), contacts=contacts, store=office.store)
    again.handle_batch(facts, receives=2)
    (record,) = contacts.records.values()
    assert (record.state, record.draws, record.code) == (ContactState.HELD_OUT, "hholdout.silence:1", "")
    assert (record.payer_segment, record.asked) == ("unknown", "0.1:325000")
    assert again.events("sms_unknown") == [], "its outcome is known: nothing was sent"


class _Failing(FakeContacts):
    def write(self, contacts: Sequence[Contact]) -> None:
        del contacts
        raise ServiceCallError("BatchWriteItem", "Throttled")


def test_a_text_whose_sender_died_is_recorded_as_unknown_with_its_draw() -> None:
    policies = PricedArm(the_policies(), Layer.HOLDOUT, TEXTED)
    office = Office(policies=policies, contacts=_Failing())
    facts = office.add(someone())
    office.handle_batch(facts)
    contacts = FakeContacts()
    Office(policies=policies, contacts=contacts, store=office.store).handle_batch(facts, receives=2)
    (record,) = contacts.records.values()
    assert (record.state, record.draws) == (ContactState.UNKNOWN, "hholdout.text:1")


def test_a_channel_that_is_stopped_stops_silence_too() -> None:
    """Else who is left out would be somebody else than who is texted."""
    switch = FakeSwitch()
    switch.stopped = frozenset({Channel.SMS})
    stopped = Office(policies=PricedArm(the_policies(), Layer.HOLDOUT, SILENCE), switch=switch)
    stopped.handle_batch(stopped.add(someone()))
    assert stopped.records == []
    assert stopped.store.standings["C0001"].ledger == ()
    assert stopped.store.standings["C0001"].reason == Reason.SENDING_OFF


def test_it_takes_no_turn_in_the_pace_of_texts() -> None:
    slow = Office(policies=PricedArm(the_policies(), Layer.HOLDOUT, SILENCE), per_second=0.001)
    slow.handle_batch(*[slow.add(someone(number)) for number in (1, 2, 3)])
    assert slow.clock.now() == NOW
    assert len(slow.records) == 3


def test_no_receipt_ever_changes_its_record(office: Office) -> None:
    office.handle_batch(office.add(someone()))
    (record,) = office.records
    receipt = DeliveryReceipt(
        message_id="m-1", phone="+886900000001", at=NOW, delivered=True, response="", billed_parts=1,
        billed_price_usd_micros=1,
    )  # fmt: skip
    assert record_receipt(record, receipt) is record
    assert ContactState.HELD_OUT.rank < min(state.rank for state in ContactState if state is not record.state)


def test_who_opts_out_meanwhile_is_not_claimed(office: Office) -> None:
    facts = office.add(someone())
    office.store.meanwhile = [lambda standing: replace(standing, opted_out_at=NOW)]
    office.handle_batch(facts)
    assert office.records == []
    assert office.store.standings["C0001"].ledger == ()


class _FailingAtFirst(FakeContacts):
    """A log that takes no batch of records until so many have failed."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def write(self, contacts: Sequence[Contact]) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise ServiceCallError("BatchWriteItem", "Throttled")
        super().write(contacts)


def _office_of_two_stages(failures: int) -> tuple[Office, Facts]:
    """Describe a customer with a stage before a due date and one after another, which no text says together."""
    policies = PricedArm(the_policies(), Layer.HOLDOUT, SILENCE)
    office = Office(policies=policies, contacts=_FailingAtFirst(failures))
    accounts = (
        an_account(an_instalment("2026-12-04"), account_id="A1"),
        an_account(an_instalment("2026-11-28"), account_id="A2"),
    )
    return office, office.add(replace(someone(), accounts=accounts))


def _drawn_on_record(office: Office) -> list[tuple[int | None, str]]:
    log = office.service._contacts  # noqa: SLF001 - the log of this test
    assert isinstance(log, FakeContacts)
    return sorted((record.stage, record.draws) for record in log.records.values())


BOTH = [(-3, "hholdout.silence:1"), (3, "hholdout.silence:1")]


def test_a_draw_is_kept_though_another_stage_is_left_out_at_once_before_its_record_was_written() -> None:
    office, facts = _office_of_two_stages(failures=1)
    assert office.handle_batch(facts) == ["C0001"]
    assert office.handle_batch(facts, wake_at=NOW + timedelta(seconds=1)) == []
    assert office.handle_batch(facts, receives=2) == []
    assert _drawn_on_record(office) == BOTH


def test_all_claims_of_one_wake_get_their_records() -> None:
    """A job that is delivered twice may leave out two stages for one wake, and die after the second."""
    office, facts = _office_of_two_stages(failures=2)
    for _ in range(2):
        assert office.handle_batch(facts) == ["C0001"]
    assert [entry.stage for entry in office.store.standings["C0001"].ledger] == [-3, 3]
    assert office.handle_batch(facts, receives=2) == []
    assert _drawn_on_record(office) == BOTH
