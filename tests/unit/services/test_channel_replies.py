"""What people write and press on other channels is heard as an SMS is: kept, acted on, told, once."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from dunning.contracts.channel_message import channel_message_body, wish_body
from dunning.domain.customer.facts import HoldReason
from dunning.domain.delivery.channel_events import ChannelMessage, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import CustomerNeedsPerson, ReplyNotUnderstood, ReviewReason
from tests.support.channel_office import LINE_USER, MAIL, ChannelOffice
from tests.support.people import NOW
from tests.support.replies import NoReader


@pytest.fixture
def reader() -> NoReader:
    return NoReader()


@pytest.fixture
def office(reader: NoReader) -> ChannelOffice:
    found = ChannelOffice(reader)
    found.contacted(Channel.LINE)
    return found


def on_line(number: int = 1, *, minutes: float = 1, **content: Any) -> str:  # noqa: ANN401 - text or button
    at = NOW + timedelta(minutes=minutes)
    return channel_message_body(ChannelMessage(Channel.LINE, LINE_USER, f"01H{number}", at, **content))


def pressed_in_mail(wish: Wish = Wish.UNSUBSCRIBED, customer_id: str = "C0001", address: str = "") -> str:
    claim = ClaimKey(customer_id, "c" * 32) if customer_id else None
    return wish_body(ChannelWish(Channel.EMAIL, wish, "unsubscribe:1", NOW, address=address, claim=claim))


def test_a_stop_on_line_ends_the_messages_of_all_channels_and_no_text_answers_it(office: ChannelOffice) -> None:
    office.read_replies(on_line(text="退訂"))
    assert office.standing().is_opted_out
    assert office.gateway.published == []
    (reply,) = office.contacts.replies.values()
    assert (reply.customer_id, reply.inbound.channel, reply.inbound.address, reply.inbound.phone) == (
        "C0001",
        Channel.LINE,
        LINE_USER,
        "",
    )


def test_words_on_whatsapp_are_those_of_whoever_has_the_number(office: ChannelOffice) -> None:
    phone = office.store.facts["C0001"].phone
    office.read_replies(channel_message_body(ChannelMessage(Channel.WHATSAPP, phone, "wamid.1", NOW, text="退訂")))
    assert office.standing().is_opted_out
    (reply,) = office.contacts.replies.values()
    assert (reply.inbound.channel, reply.inbound.phone, reply.inbound.address) == (Channel.WHATSAPP, phone, "")


class TestAButton:
    """Its code is an intent."""

    def test_is_not_read_and_means_what_it_says(self, office: ChannelOffice, reader: NoReader) -> None:
        office.read_replies(on_line(button="paid"))
        assert reader.asked == []
        assert [each.reason for each in office.standing().payment_statements] == [HoldReason.SAYS_PAID]
        (reply,) = office.contacts.replies.values()
        assert (reply.sure, reply.inbound.button, reply.why) == (("paid",), "paid", ("button paid",))
        assert office.standing().attention == ()

    def test_for_no_more_messages_opts_out(self, office: ChannelOffice) -> None:
        office.read_replies(on_line(button="opt_out"))
        assert office.standing().is_opted_out
        assert office.telemetry.counts["ReplyOptOut"] == 1

    def test_that_nobody_knows_is_for_a_person_and_silences_the_reminders(self, office: ChannelOffice) -> None:
        office.read_replies(on_line(button="surprise"))
        (event,) = office.reasons(ReplyNotUnderstood)
        assert event.reply_id == "01H1"
        assert [hold.reason for hold in office.standing().holds] == [HoldReason.DOUBT]


def test_a_picture_is_for_a_person(office: ChannelOffice, reader: NoReader) -> None:
    office.read_replies(on_line())
    assert reader.asked == []
    assert len(office.reasons(ReplyNotUnderstood)) == 1


def test_a_message_that_is_delivered_again_changes_nothing(office: ChannelOffice) -> None:
    body = on_line(button="opt_out")
    office.read_replies(body)
    standing = office.standing()
    office.read_replies(body, on_line(button="opt_out", is_redelivery=True))
    assert office.standing() == standing
    assert len(office.contacts.replies) == 1
    assert office.telemetry.counts["Replies"] == 1


def test_of_a_stop_and_a_start_the_later_counts_whatever_their_channels_and_their_order(office: ChannelOffice) -> None:
    phone = office.store.facts["C0001"].phone
    start = channel_message_body(ChannelMessage(Channel.WHATSAPP, phone, "w", NOW + timedelta(minutes=2), text="START"))
    office.read_replies(start)
    office.read_replies(on_line(1, minutes=1, button="opt_out"))
    assert not office.standing().is_opted_out
    office.read_replies(on_line(2, minutes=3, button="opt_out"))
    assert office.standing().is_opted_out


class TestTheButtonOfAMail:
    """It names its customer."""

    def test_opts_that_customer_out(self, office: ChannelOffice) -> None:
        office.read_replies(pressed_in_mail())
        assert office.standing().is_opted_out
        (reply,) = office.contacts.replies.values()
        assert (reply.customer_id, reply.sure, reply.inbound.channel) == ("C0001", ("opt_out",), Channel.EMAIL)

    def test_opts_out_though_the_customer_has_another_address_now(self, office: ChannelOffice) -> None:
        office.read_replies(pressed_in_mail(Wish.COMPLAINED, address="old@example.com"))
        assert office.standing().is_opted_out
        assert [event.why for event in office.reasons(CustomerNeedsPerson)] == [ReviewReason.COMPLAINT]

    def test_is_that_of_whoever_has_the_address_in_whatever_letters(self, office: ChannelOffice) -> None:
        office.store.phones["Wang@Example.com"] = office.store.phones[MAIL]
        office.read_replies(pressed_in_mail(Wish.COMPLAINED, customer_id="", address="Wang@Example.com"))
        assert office.standing().is_opted_out

    def test_of_a_customer_who_has_been_erased_leaves_nothing(self, office: ChannelOffice) -> None:
        assert office.read_replies(pressed_in_mail(customer_id="C0404")) == []
        assert office.contacts.replies == {}
        assert office.telemetry.counts.get("OptOuts") is None


def test_words_of_somebody_whom_no_customer_is_are_kept_below_the_address(office: ChannelOffice) -> None:
    stranger = "U" + "d4" * 16
    office.read_replies(channel_message_body(ChannelMessage(Channel.LINE, stranger, "01H9", NOW, text="hello")))
    (reply,) = office.contacts.replies.values()
    assert (reply.customer_id, reply.inbound.address) == ("", stranger)
    assert office.telemetry.counts["RepliesFromNobody"] == 1


class TestTheCarriersList:
    """Is told at once, where the carrier's service takes it."""

    def test_gets_the_number_of_whoever_says_stop_on_any_channel_and_loses_it_after_a_start(
        self, office: ChannelOffice
    ) -> None:
        phone = office.store.facts["C0001"].phone
        office.read_replies(on_line(button="opt_out"))
        assert office.opt_out_list.numbers == [phone]
        office.read_replies(on_line(2, minutes=2, text="START"))
        assert office.opt_out_list.numbers == []

    def test_gets_it_again_from_a_delivery_that_follows_a_crash(self, office: ChannelOffice) -> None:
        with patch.object(office.opt_out_list, "opt_out", side_effect=ServiceCallError("PutOptedOutNumber", "x")):
            assert office.read_replies(on_line(button="opt_out")) == []
        assert office.telemetry.counts["CarrierOptOutsFailed"] == 1
        assert office.standing().is_opted_out
        office.read_replies(on_line(button="opt_out"))
        assert len(office.opt_out_list.numbers) == 1

    def test_is_not_told_of_a_stop_that_a_later_start_has_overruled(self, office: ChannelOffice) -> None:
        office.read_replies(on_line(2, minutes=2, text="START"))
        office.read_replies(on_line(1, minutes=1, button="opt_out"))
        assert office.opt_out_list.numbers == []


def test_what_the_log_tells_has_no_address_and_no_words(office: ChannelOffice) -> None:
    office.read_replies(on_line(text="退訂"), pressed_in_mail(Wish.COMPLAINED, address=MAIL))
    printed = repr(office.telemetry.events) + repr(office.publisher.published)
    assert all(secret not in printed for secret in (LINE_USER, MAIL, "退訂"))
    assert {fields["channel"] for name, fields in office.telemetry.events if name == "reply"} == {"line", "email"}
