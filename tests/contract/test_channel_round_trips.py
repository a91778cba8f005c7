"""A message goes out, the service reports, and the report finds the claim it was sent under."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from dunning.adapters.eum_sms import EumSmsGateway
from dunning.adapters.eum_voice import EumVoiceGateway
from dunning.adapters.line import LineApi, LineNotificationGateway
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.ses import SesGateway
from dunning.adapters.whatsapp import WhatsAppGateway
from dunning.contracts.eum_event import EVENT_STATUSES, parse_eum_event
from dunning.contracts.line_event import is_signed_by_line, parse_line_events
from dunning.contracts.ses_event import parse_ses_event
from dunning.contracts.whatsapp_event import parse_whatsapp_event
from dunning.domain.delivery.channel_events import Wish
from dunning.domain.delivery.receipt import ClaimKey, DeliveryStatus
from tests.local.channels import line
from tests.local.channels.eum import EumAtTheWire
from tests.local.channels.line import LinePlatform
from tests.local.channels.ses import SesAtTheWire
from tests.local.channels.whatsapp import WhatsAppAtTheWire
from tests.local.channels.wire import WireFault
from tests.support.fakes import FakeClock
from tests.support.outgoing import (
    CLAIM_ID,
    CLAIMED_AT,
    LINE_USER,
    SEND_ID,
    outgoing_call,
    outgoing_mail,
    outgoing_notice,
    outgoing_sms,
    outgoing_whatsapp,
)

CLAIM = ClaimKey("C0001", CLAIM_ID, SEND_ID, CLAIMED_AT)
NOW = FakeClock().now()


class TestEndUserMessaging:
    """Texts."""

    @pytest.fixture
    def wire(self) -> EumAtTheWire:
        client: Any = boto3.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
        wire = EumAtTheWire(client, NOW)
        wire.will(WireFault.LOST_ANSWER)
        answer = EumSmsGateway(client, FakeClock(), "reminders", "pool").publish(outgoing_sms("+886900000001", "您好"))
        assert answer.message_id == ""
        return wire

    @pytest.mark.parametrize("kind", [kind for kind in EVENT_STATUSES if kind.startswith("TEXT_")])
    def test_a_text_whose_answer_was_lost_is_settled_by_its_first_event(self, wire: EumAtTheWire, kind: str) -> None:
        events = parse_eum_event(wire.event(0, kind.removeprefix("TEXT_")), NOW)
        (found,) = events.receipts or events.under_way
        assert (found.claim, found.message_id) == (CLAIM, wire.message_ids[0])
        assert "900000001" not in repr(events)

    def test_an_event_before_the_last_leaves_it_open(self, wire: EumAtTheWire) -> None:
        assert parse_eum_event(wire.event(0, "SUCCESSFUL", final=False), NOW).receipts == ()
        (last,) = parse_eum_event(next(wire.events("DELIVERED")), NOW).receipts
        assert last.delivered


class TestSes:
    """Mails."""

    @pytest.fixture
    def wire(self) -> SesAtTheWire:
        client: Any = boto3.client("sesv2", config=PUBLISH_ONCE)
        wire = SesAtTheWire(client, NOW)
        wire.suppressed.add("chen@example.com")
        gateway = SesGateway(client, "reminders")
        assert gateway.publish(outgoing_mail()).message_id
        assert gateway.publish(outgoing_mail("chen@example.com")).message_id
        return wire

    def test_a_mail_that_arrived_is_found_by_its_claim(self, wire: SesAtTheWire) -> None:
        (found,) = parse_ses_event(wire.first_event(0), NOW).receipts
        assert (found.claim, found.status, found.message_id) == (CLAIM, DeliveryStatus.DELIVERED, wire.message_ids[0])

    def test_accepted_is_not_sent_so_that_a_suppressed_address_fails_afterwards(self, wire: SesAtTheWire) -> None:
        (found,) = parse_ses_event(wire.first_event(1), NOW).receipts
        assert (found.claim, found.status) == (CLAIM, DeliveryStatus.PERMANENT_FAILURE)

    def test_a_complaint_names_claim_and_address(self, wire: SesAtTheWire) -> None:
        (found,) = parse_ses_event(wire.event(0, "Complaint", {"feedbackId": "f-1"}), NOW).wishes
        assert (found.claim, found.address, found.event_id) == (CLAIM, "wang@example.com", "f-1")


class TestLine:
    """Notices, and webhooks."""

    @pytest.fixture
    def platform(self) -> Iterator[LinePlatform]:
        platform = LinePlatform()
        yield platform
        platform.close()

    def test_a_notice_whose_answer_was_lost_is_settled_when_it_arrives(self, platform: LinePlatform) -> None:
        platform.will(WireFault.LOST_ANSWER)
        api = LineApi(lambda _: line.ACCESS_TOKEN, origin=platform.origin, read_seconds=0.7)
        assert LineNotificationGateway(api).publish(outgoing_notice()).message_id == ""
        body, signature = platform.webhook(platform.arrival(platform.bubbles[0], NOW))
        assert is_signed_by_line(body, signature, line.CHANNEL_SECRET)
        (found,) = parse_line_events(body, NOW).receipts
        assert (found.claim, found.at) == (ClaimKey("C0001", CLAIM_ID), NOW)

    def test_a_webhook_holds_what_several_people_did(self, platform: LinePlatform) -> None:
        body, _ = platform.webhook(
            platform.event("unfollow", LINE_USER, NOW),
            platform.event("follow", LINE_USER, NOW, again=True),
            platform.event("message", LINE_USER, NOW, message={"type": "text", "id": "1", "text": "退訂"}),
        )
        events = parse_line_events(body, NOW)
        assert [wish.wish for wish in events.wishes] == [Wish.BLOCKED, Wish.FOLLOWED]
        assert [message.text for message in events.messages] == ["退訂"]
        assert parse_line_events(platform.webhook()[0], NOW) == parse_line_events(b'{"events":[]}', NOW)


class TestVoiceAndWhatsApp:
    """Calls, and templates."""

    @pytest.mark.parametrize("kind", [kind for kind in EVENT_STATUSES if kind.startswith("VOICE_")])
    def test_a_call_whose_answer_was_lost_is_settled_by_its_first_event(self, kind: str) -> None:
        client: Any = boto3.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
        wire = EumAtTheWire(client, NOW, "SendVoiceMessage")
        wire.will(WireFault.LOST_ANSWER)
        assert EumVoiceGateway(client, FakeClock(), "reminders").publish(outgoing_call()).message_id == ""
        events = parse_eum_event(wire.event(0, kind.removeprefix("VOICE_")), NOW)
        (found,) = events.receipts or events.under_way
        assert found.claim == CLAIM

    @pytest.mark.parametrize("kind", ["sent", "delivered", "read", "failed"])
    def test_a_template_whose_answer_was_lost_is_settled_by_its_first_status(self, kind: str) -> None:
        client: Any = boto3.client("socialmessaging", config=PUBLISH_ONCE)
        wire = WhatsAppAtTheWire(client, NOW, "before_3")
        wire.will(WireFault.LOST_ANSWER)
        assert WhatsAppGateway(client).publish(outgoing_whatsapp()).message_id == ""
        events = parse_whatsapp_event(wire.status(0, kind), NOW)
        (found,) = events.receipts or events.under_way
        assert found.claim == CLAIM
        assert "900000001" not in repr(events)

    def test_a_person_who_writes_on_whatsapp_is_known_by_the_number(self) -> None:
        client: Any = boto3.client("socialmessaging", config=PUBLISH_ONCE)
        written = WhatsAppAtTheWire(client, NOW).message_from("+886900000001", type="text", text={"body": "退訂"})
        (message,) = parse_whatsapp_event(written, NOW).messages
        assert (message.address, message.text, message.at) == ("+886900000001", "退訂", NOW)
