"""Reports that bring their claim back: the record is found by key, and nothing is guessed."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from dunning.contracts.waiting_receipt import parse_waiting_receipt
from dunning.domain.customer.standing import LedgerEntry
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import ContactState
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus, UnderWay
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.services.delivery_receipts import ClaimedReport, Report
from tests.support.channel_office import ChannelOffice, record_of
from tests.support.people import NOW

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def office() -> ChannelOffice:
    return ChannelOffice()


def receipt(claim: ClaimKey | None, status: DeliveryStatus, message_id: str = "m-1") -> DeliveryReceipt:
    delivered = status is DeliveryStatus.DELIVERED
    return DeliveryReceipt(
        message_id=message_id, at=LATER, phone="", delivered=delivered, response="", claim=claim, status=status
    )


def report(office: ChannelOffice, *reports: Report, again: bool = False) -> list[str]:
    return sorted(office.receipts.handle_claimed([ClaimedReport(each, again) for each in reports]))


def states(office: ChannelOffice) -> list[tuple[ContactState, str]]:
    return [(record.state, record.message_id) for record in office.records]


@pytest.mark.parametrize("channel", Channel)
def test_a_message_that_arrived_is_found_by_its_claim_though_its_message_id_was_never_known(
    office: ChannelOffice, channel: Channel
) -> None:
    office.contacted(channel)
    assert report(office, receipt(office.claim(), DeliveryStatus.DELIVERED)) == []
    assert states(office) == [(ContactState.DELIVERED, "m-1")]
    name = "SmsDelivered" if channel is Channel.SMS else "MessagesDelivered"
    assert office.telemetry.counts == {name: 1}


def test_a_claim_that_came_back_in_short_is_found_in_the_ledger(office: ChannelOffice) -> None:
    office.contacted(Channel.LINE)
    claim = ClaimKey("C0001", office.claim().claim_id)
    report(office, receipt(claim, DeliveryStatus.DELIVERED, message_id=""))
    assert states(office) == [(ContactState.DELIVERED, "")]


def test_news_that_a_message_is_under_way_settles_its_record_and_changes_nobody(office: ChannelOffice) -> None:
    office.contacted(Channel.SMS)
    before, writes = office.standing(), office.store.writes
    for _ in range(2):
        report(office, UnderWay(office.claim(), "m-1", LATER))
    assert states(office) == [(ContactState.SENT, "m-1")]
    assert (office.standing(), office.store.writes) == (before, writes)
    assert office.publisher.published == []


def test_a_number_and_a_time_that_fit_make_no_claim(office: ChannelOffice) -> None:
    facts = office.contacted(Channel.SMS)
    stranger = replace(receipt(None, DeliveryStatus.PERMANENT_FAILURE), phone=facts.phone)
    report(office, stranger, UnderWay(None, "m-1", LATER))
    assert states(office) == [(ContactState.UNKNOWN, "")]
    assert office.telemetry.counts == {"ReceiptsWithoutContact": 2}


@pytest.mark.parametrize(
    "claim",
    [
        ClaimKey("C0001", "unknown"),
        ClaimKey("C9999", "unknown"),
        ClaimKey("C0001", "unknown", "send", NOW - timedelta(days=3)),
        ClaimKey("C0001", "unknown", "send", NOW + timedelta(days=3)),
    ],
)
def test_a_claim_that_nobody_knows_is_anothers_and_waits_for_nothing(office: ChannelOffice, claim: ClaimKey) -> None:
    office.contacted(Channel.EMAIL)
    assert report(office, receipt(claim, DeliveryStatus.PERMANENT_FAILURE)) == []
    assert office.telemetry.counts == {"ReceiptsWithoutContact": 1}
    assert states(office) == [(ContactState.UNKNOWN, "")]
    assert office.later.messages == []


def test_a_record_of_another_claim_under_the_same_key_is_left_alone(office: ChannelOffice) -> None:
    office.contacted(Channel.EMAIL)
    claim = office.claim()._replace(claim_id="another")
    report(office, receipt(claim, DeliveryStatus.DELIVERED))
    assert states(office) == [(ContactState.UNKNOWN, "")]


class TestARecordThatIsNotThereYet:
    """The sender writes the records of a batch at its end, and events are quicker."""

    def test_is_waited_for_and_settled_by_the_claim_whatever_the_message_id(self, office: ChannelOffice) -> None:
        facts = office.contacted(Channel.WHATSAPP, state=None)
        report(
            office, UnderWay(office.claim(), "wamid", LATER), receipt(office.claim(), DeliveryStatus.DELIVERED, "wamid")
        )
        assert len(office.later.messages) == 2
        assert all(facts.phone not in body for body, _ in office.later.messages)
        entry = office.standing().ledger[0]
        office.contacts.write([record_of(facts, entry, Channel.WHATSAPP, ContactState.SENT)])
        assert office.look_again() == []
        assert states(office) == [(ContactState.DELIVERED, "taken-1")]

    def test_is_written_once_the_sender_must_have_died(self, office: ChannelOffice) -> None:
        office.contacted(Channel.EMAIL, state=None)
        office.clock.move_to(NOW + timedelta(minutes=16))
        report(office, UnderWay(office.claim(), "m-1", LATER))
        assert states(office) == [(ContactState.SENT, "m-1")]

    def test_travels_with_its_claim_and_without_an_address(self, office: ChannelOffice) -> None:
        office.contacted(Channel.LINE, state=None)
        report(office, receipt(office.claim(), DeliveryStatus.DELIVERED, message_id=""))
        ((body, delay),) = office.later.messages
        assert delay == timedelta(minutes=1)
        again = parse_waiting_receipt(body)
        assert (again.report.claim, again.report.message_id) == (office.claim(), "")


class TestFollowing:
    """What a report changes of the customer."""

    def test_a_failure_for_now_lets_the_stage_be_heard_once_more(self, office: ChannelOffice) -> None:
        office.contacted(Channel.EMAIL)
        for _ in range(3):
            report(office, receipt(office.claim(), DeliveryStatus.TEMPORARY_FAILURE))
        assert office.standing().ledger[0].failed
        assert office.telemetry.counts["MessagesFailed"] == 1

    def test_an_arrival_after_a_failure_takes_it_back_in_either_order(self, office: ChannelOffice) -> None:
        office.contacted(Channel.EMAIL)
        failed = receipt(office.claim(), DeliveryStatus.TEMPORARY_FAILURE)
        arrived = receipt(office.claim(), DeliveryStatus.DELIVERED)
        report(office, failed)
        report(office, arrived)
        report(office, failed)
        assert states(office) == [(ContactState.DELIVERED, "m-1")]
        assert not office.standing().ledger[0].failed

    def test_an_opt_out_on_one_channel_is_an_opt_out_of_all(self, office: ChannelOffice) -> None:
        office.contacted(Channel.EMAIL)
        report(office, receipt(office.claim(), DeliveryStatus.OPTED_OUT))
        assert office.standing().is_opted_out
        assert office.telemetry.counts["OptOuts"] == 1

    def test_a_technical_failure_changes_no_customer(self, office: ChannelOffice) -> None:
        office.contacted(Channel.VOICE)
        before = office.standing()
        report(office, receipt(office.claim(), DeliveryStatus.TECHNICAL_FAILURE))
        assert office.standing() == before
        assert office.telemetry.counts == {"MessagesFailed": 1, "MessagesTechnicalFailure": 1}

    def test_a_crash_between_record_and_customer_is_mended_by_the_next_delivery(self, office: ChannelOffice) -> None:
        office.contacted(Channel.EMAIL)
        failed = receipt(office.claim(), DeliveryStatus.TEMPORARY_FAILURE)
        with patch.object(office.store, "save_standing", side_effect=ServiceCallError("PutItem", "x")):
            assert report(office, failed) == ["C0001"]
        assert not office.standing().ledger[0].failed
        assert report(office, failed, again=True) == []
        assert office.standing().ledger[0].failed


class TestAFailure:
    """Of ours, and whose reports come again."""

    def test_of_one_customer_keeps_no_other_customers_report_from_being_heard(self, office: ChannelOffice) -> None:
        for number in (1, 2):
            office.contacted(Channel.EMAIL, number)
        key = next(key for key in office.contacts.records if key.customer_id == "C0001")
        unreadable = {key: UnreadableRecordError("contact: state")}
        find = office.contacts.find
        with patch.object(office.contacts, "find", lambda keys: {**find(keys), **unreadable}):
            failed = report(office, *(receipt(office.claim(number), DeliveryStatus.DELIVERED) for number in (1, 2)))
        assert failed == ["C0001"]
        assert [record.state for record in office.records] == [ContactState.UNKNOWN, ContactState.DELIVERED]

    def test_to_read_a_ledger_lets_the_claims_come_again(self, office: ChannelOffice) -> None:
        office.contacted(Channel.LINE)
        with patch.object(office.store, "load", side_effect=ServiceCallError("BatchGetItem", "x")):
            assert report(office, receipt(ClaimKey("C0001", office.claim().claim_id), DeliveryStatus.DELIVERED)) == [
                "C0001"
            ]

    def test_to_read_one_customers_ledger_lets_that_claim_come_again(self, office: ChannelOffice) -> None:
        office.contacted(Channel.LINE)
        broken = {"C0001": UnreadableRecordError("standing: ledger")}
        with patch.object(office.store, "load", lambda _: broken):
            failed = report(office, receipt(ClaimKey("C0001", "c"), DeliveryStatus.DELIVERED))
        assert failed == ["C0001"]


def test_two_messages_to_one_customer_are_told_apart(office: ChannelOffice) -> None:
    facts = office.contacted(Channel.EMAIL)
    first = office.standing().ledger[0]
    second = replace(first, claim_id="second", send_id="other", at=NOW + timedelta(seconds=20))
    ledger: tuple[LedgerEntry, ...] = (first, second)
    office.store.standings["C0001"] = replace(office.standing(), ledger=ledger)
    office.contacts.write([record_of(facts, second, Channel.EMAIL, ContactState.UNKNOWN)])
    report(office, receipt(ClaimKey("C0001", "second", "other", second.at), DeliveryStatus.DELIVERED))
    assert sorted((record.claim_id, record.state.value) for record in office.records) == [
        (first.claim_id, "unknown"),
        ("second", "delivered"),
    ]
