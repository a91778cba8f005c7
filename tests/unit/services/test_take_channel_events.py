"""Events of all channels: each goes where it belongs, and what fails comes again without harm."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.channel_events import ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import ContactState
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import CustomerNeedsPerson, NumberUnreachable, ReminderStopped, ReviewReason
from tests.support.channel_office import (
    LINE_USER,
    MAIL,
    ChannelOffice,
    bodies,
    eum_body,
    line_body,
    line_event,
    marks_of,
    notification,
)
from tests.support.people import NOW

needs_addresses = pytest.mark.skipif(
    "suspended" not in {field.name for field in fields(Standing)},
    reason="a standing knows of no other address than the number yet",
)


@pytest.fixture
def office() -> ChannelOffice:
    return ChannelOffice()


def ses_body(office: ChannelOffice, kind: str, member: str, details: dict[str, Any], *, known: bool = True) -> str:
    tags = {name: [value] for name, value in marks_of(office.claim()).items()} if known else {}
    mail = {"messageId": "mail-1", "timestamp": "2026-12-01T02:00:00Z", "destination": [MAIL], "tags": tags}
    return notification({"eventType": kind, "mail": mail, member: {"timestamp": "2026-12-01T02:05:00Z", **details}})


def whatsapp_body(**value: Any) -> str:  # noqa: ANN401 - JSON
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return notification({"whatsAppWebhookEntry": json.dumps(entry)})


def test_an_event_of_each_service_finds_its_record(office: ChannelOffice) -> None:
    office.contacted(Channel.SMS)
    assert office.take(eum_body(office.claim(), "TEXT_DELIVERED")) == []
    assert [record.state for record in office.records] == [ContactState.DELIVERED]


def test_a_mail_is_under_way_and_then_delivered(office: ChannelOffice) -> None:
    office.contacted(Channel.EMAIL)
    office.take(ses_body(office, "Send", "send", {}))
    assert [(record.state, record.message_id) for record in office.records] == [(ContactState.SENT, "mail-1")]
    office.take(ses_body(office, "Delivery", "delivery", {}))
    assert [record.state for record in office.records] == [ContactState.DELIVERED]


def test_a_status_of_whatsapp_finds_its_record(office: ChannelOffice) -> None:
    office.contacted(Channel.WHATSAPP)
    status = {
        "id": "wamid.1",
        "status": "failed",
        "timestamp": "1796090465",
        "biz_opaque_callback_data": json.dumps(marks_of(office.claim())),
        "errors": [{"code": 131016}],
    }
    office.take(whatsapp_body(statuses=[status]))
    assert [record.state for record in office.records] == [ContactState.FAILED]
    assert office.standing().ledger[0].failed


def test_the_arrival_of_a_notice_on_line_finds_its_record(office: ChannelOffice) -> None:
    office.contacted(Channel.LINE)
    claim = office.claim()
    arrived = line_event("delivery", 1, delivery={"data": f"{claim.claim_id}/{claim.customer_id}"})
    office.take(line_body(arrived))
    assert [record.state for record in office.records] == [ContactState.DELIVERED]


class TestWords:
    """Go on to the replies, where they are kept and acted on as those of an SMS."""

    def test_on_whatsapp_are_handed_on_and_those_on_line_are_not_for_the_webhook_has_done_it(
        self, office: ChannelOffice
    ) -> None:
        written = {"from": "886900000001", "id": "wamid.in", "timestamp": "1796090465", "type": "text"}
        office.take(
            whatsapp_body(messages=[{**written, "text": {"body": "退訂"}}]),
            line_body(line_event("message", 1, message={"type": "text", "text": "退訂"})),
        )
        (body,) = bodies(office)
        assert (body["channel"], body["address"], body["text"]) == ("whatsapp", "+886900000001", "退訂")
        assert office.telemetry.events == []

    def test_that_cannot_be_handed_on_come_again(self, office: ChannelOffice) -> None:
        office.contacted(Channel.EMAIL)
        complaint = ses_body(office, "Complaint", "complaint", {"feedbackId": "f-1"})
        refused = ServiceCallError("SendMessageBatch", "x")
        with patch.object(office.replies_queue, "send_with_delay", side_effect=refused):
            assert office.take(complaint, ses_body(office, "Delivery", "delivery", {})) == ["e0"]
        assert [record.state for record in office.records] == [ContactState.DELIVERED]
        assert office.telemetry.counts["ChannelEventsFailed"] == 1
        assert MAIL not in repr(office.telemetry.events)


class TestAComplaintAboutAMail:
    """As good as words: no more messages on any channel, and somebody has to look."""

    def test_opts_out_and_calls_a_person_once_however_often_it_is_told(self, office: ChannelOffice) -> None:
        office.contacted(Channel.EMAIL)
        complaint = ses_body(office, "Complaint", "complaint", {"feedbackId": "f-1"})
        for _ in range(3):
            assert office.take(complaint) == []
            assert office.read_replies() == []
        assert office.standing().is_opted_out
        assert [review.why for review in office.standing().attention] == ["complaint"]
        assert {event.why for event in office.reasons(CustomerNeedsPerson)} == {ReviewReason.COMPLAINT}
        assert len(office.contacts.replies) == 1
        assert office.gateway.published == []

    def test_of_a_mail_that_is_none_of_ours_is_that_of_whoever_has_the_address(self, office: ChannelOffice) -> None:
        office.contacted(Channel.EMAIL)
        office.take(ses_body(office, "Complaint", "complaint", {"feedbackId": "f-1"}, known=False))
        office.read_replies()
        assert office.standing().is_opted_out


class TestABlock:
    """A technical block ends the messages to its address, and no others."""

    def test_opts_nobody_out(self, office: ChannelOffice) -> None:
        office.contacted(Channel.LINE)
        assert office.take(line_body(line_event("unfollow", 1))) == []
        assert not office.standing().is_opted_out
        assert not office.standing().is_suspended(office.store.facts["C0001"], Channel.SMS)

    @needs_addresses
    def test_suspends_the_address_and_tells_the_lender_once(self, office: ChannelOffice) -> None:
        facts = office.contacted(Channel.LINE)
        for _ in range(2):
            office.take(line_body(line_event("unfollow", 1)))
        assert office.standing().is_suspended(facts, Channel.LINE)
        assert not office.standing().is_suspended(facts, Channel.SMS)
        (unreachable,) = office.reasons(NumberUnreachable)
        assert (unreachable.cause, unreachable.channel) == ("blocked", "line")
        assert office.telemetry.counts["AddressesSuspended"] == 1
        assert LINE_USER not in repr(office.telemetry.events) + repr(office.publisher.published)

    @needs_addresses
    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
    def test_and_its_end_count_by_their_times_and_not_by_their_arrival(
        self, office: ChannelOffice, order: tuple[int, ...]
    ) -> None:
        facts = office.contacted(Channel.LINE)
        events = [
            line_event("unfollow", 1, minutes=1),
            line_event("follow", 2, minutes=2),
            line_event("unfollow", 3, minutes=3),
        ]
        for place in order:
            office.take(line_body(events[place]))
        assert office.standing().is_suspended(facts, Channel.LINE)
        office.take(line_body(line_event("follow", 4, minutes=4)))
        assert not office.standing().is_suspended(facts, Channel.LINE)
        for place in order:
            office.take(line_body(events[place] | {"deliveryContext": {"isRedelivery": True}}))
        assert not office.standing().is_suspended(facts, Channel.LINE)

    @needs_addresses
    def test_of_an_address_that_the_customer_no_longer_has_changes_nothing(self, office: ChannelOffice) -> None:
        office.contacted(Channel.LINE, line_user_id="U" + "b2" * 16)
        office.store.phones[LINE_USER] = frozenset({"C0001"})
        before = office.standing()
        office.take(line_body(line_event("unfollow", 1)))
        assert office.standing() == before

    @needs_addresses
    @pytest.mark.parametrize("somebody_else_has_written_since", [False, True])
    def test_whose_write_was_answered_only_when_it_was_repeated_is_told_of_once(
        self, office: ChannelOffice, *, somebody_else_has_written_since: bool
    ) -> None:
        facts = office.contacted(Channel.SMS)
        office.store.loses_answers = 1
        if somebody_else_has_written_since:
            office.store.meanwhile = [lambda stored: replace(stored, opted_in_at=NOW)]
        wish = ChannelWish(Channel.SMS, Wish.BLOCKED, "e1", NOW, facts.phone)
        assert office.wishes.apply([wish]) == {}
        assert office.publisher.published == [
            NumberUnreachable("C0001", office.clock.now(), "blocked"),
            ReminderStopped("C0001", office.clock.now(), "number_refused"),
            CustomerNeedsPerson("C0001", office.clock.now(), ReviewReason.NUMBER_REFUSED),
        ]
        assert office.telemetry.counts["NumbersSuspended"] == 1

    @needs_addresses
    def test_that_could_not_be_written_comes_again(self, office: ChannelOffice) -> None:
        facts = office.contacted(Channel.LINE)
        blocked = line_body(line_event("unfollow", 1))
        with patch.object(office.store, "save_standing", side_effect=ServiceCallError("PutItem", "x")):
            assert office.take(blocked) == ["e0"]
        assert office.take(blocked, receives=2) == []
        assert office.standing().is_suspended(facts, Channel.LINE)

    def test_of_whom_nobody_knows_comes_again_if_the_index_cannot_be_asked(self, office: ChannelOffice) -> None:
        office.contacted(Channel.SMS)
        with patch.object(office.store, "customers_with", side_effect=ServiceCallError("BatchGetItem", "x")):
            failed = office.take(line_body(line_event("unfollow", 1)), eum_body(office.claim(), "TEXT_DELIVERED"))
        assert failed == ["e0"]
        assert [record.state for record in office.records] == [ContactState.DELIVERED]

    def test_of_a_stranger_changes_nobody(self, office: ChannelOffice) -> None:
        assert office.take(line_body(line_event("unfollow", 1, user="U" + "c3" * 16))) == []
        assert office.store.writes == 0


class TestWhatCannotBeRead:
    """Harms nothing beside it."""

    @pytest.mark.parametrize("body", ["", "{", "[]", '{"eventType": 1}', '{"some": "thing"}', notification({"a": 1})])
    def test_is_parked_at_once(self, office: ChannelOffice, body: str) -> None:
        office.contacted(Channel.SMS)
        assert office.take(body, eum_body(office.claim(), "TEXT_DELIVERED")) == []
        assert office.events_queue.parked == [body]
        ((_, logged),) = [event for event in office.telemetry.events if event[0] == "channel_event_parked"]
        assert str(logged["why"]).startswith("no ")
        assert [record.state for record in office.records] == [ContactState.DELIVERED]
        assert office.telemetry.counts["ChannelEventsUnreadable"] == 1

    def test_comes_again_if_it_cannot_be_parked(self, office: ChannelOffice) -> None:
        with patch.object(office.events_queue, "park", side_effect=ServiceCallError("SendMessage", "x")):
            assert office.take("{") == ["e0"]

    def test_among_others_in_one_message_is_counted(self, office: ChannelOffice) -> None:
        office.take(line_body(line_event("unheard_of", 1)), eum_body(None, "TEXT_NEW_KIND"))
        assert office.telemetry.counts == {"ChannelEventsUnreadable": 2}


def test_a_failure_of_one_customer_brings_back_that_message_alone(office: ChannelOffice) -> None:
    for number in (1, 2):
        office.contacted(Channel.SMS, number)
    advance = office.contacts.advance

    def advance_unless_first(contact: Any, *, expected: ContactState) -> bool:  # noqa: ANN401 - a contact
        if contact.customer_id == "C0001":
            raise ServiceCallError("UpdateItem", "x")
        return advance(contact, expected=expected)

    with patch.object(office.contacts, "advance", advance_unless_first):
        failed = office.take(*(eum_body(office.claim(number), "TEXT_DELIVERED") for number in (1, 2)))
    assert failed == ["e0"]
    assert office.take(eum_body(office.claim(1), "TEXT_DELIVERED"), receives=2) == []
    assert {record.state for record in office.records} == {ContactState.DELIVERED}
    assert office.clock.now() - NOW < timedelta(minutes=1)
