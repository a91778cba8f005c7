"""Events of every kind on the embedded AWS: what goes out goes at the wire, what comes back through the handlers."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.eum_sms import EumSmsGateway
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.ses import SesGateway
from dunning.contracts.unsubscribe import unsubscribe_token
from dunning.domain.customer.facts import Facts
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from tests.integration.conftest import Event, House
from tests.local.channels.eum import EumAtTheWire
from tests.local.channels.line import CHANNEL_SECRET, LinePlatform
from tests.local.channels.ses import SesAtTheWire
from tests.local.channels.whatsapp import WhatsAppAtTheWire
from tests.local.channels.wire import WireFault
from tests.support.channel_office import LINE_USER, MAIL, record_of
from tests.support.outgoing import CLAIM_ID, SEND_ID, outgoing_mail, outgoing_sms
from tests.support.people import NOW, someone, texted

pytestmark = pytest.mark.slow(reason="drives the real handlers on moto, with tables and queues made for each test")

ANNA = someone(1, email=MAIL, line_user_id=LINE_USER)
KEY = "k" * 32


class Channels:
    """A stack with channels: their queues, their secrets, and a customer who was sent a message."""

    def __init__(self, house: House) -> None:
        self.house = house
        sqs, ssm = house.cloud.sqs, house.cloud.ssm
        self.events = str(sqs.create_queue(QueueName="channel-events")["QueueUrl"])
        self.dead = str(sqs.create_queue(QueueName="channel-events-dead")["QueueUrl"])
        self.replies = house.cloud.stack.functions["replies"].environment["QUEUE_URL"]
        for name, secret in (("line/demo-tw/channel-secret", CHANNEL_SECRET), ("unsubscribe", KEY)):
            ssm.put_parameter(Name=f"/dunning/secrets/{name}", Value=secret, Type="SecureString")
        for address in (ANNA.phone, MAIL, LINE_USER):
            house.store.add_address(address, "C0001")

    def contacted(self, channel: Channel, state: ContactState = ContactState.UNKNOWN) -> Facts:
        entry = replace(texted(ANNA, NOW, claim_id=CLAIM_ID), send_id=SEND_ID, channel=channel.value)
        self.house.add(ANNA, ledger=(entry,))
        archive = DynamoContacts(boto3.client("dynamodb"), self.house.cloud.stack.contacts_table)
        archive.write([record_of(ANNA, entry, channel, state)])
        return ANNA

    def take(self, *bodies: str) -> list[str]:
        """Hand bodies of the queue of channel events to the function, and return what is to come back."""
        function = self.house.cloud.stack.functions["delivery_receipts"]
        environment = {
            **function.environment,
            "CHANNEL_EVENTS_QUEUE_URL": self.events,
            "CHANNEL_EVENTS_DEAD_LETTER_URL": self.dead,
            "REPLIES_QUEUE_URL": self.replies,
        }
        answer = self.house.cloud.invoke(replace(function, environment=environment), event_of("channel-events", bodies))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def call(self, route: str, parameters: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> Any:  # noqa: ANN401 - an answer
        """Call a webhook as API Gateway does."""
        function = self.house.cloud.stack.functions["webhooks"]
        environment = {
            **function.environment,
            "CHANNEL_EVENTS_QUEUE_URL": self.events,
            "REPLIES_QUEUE_URL": self.replies,
            "SECRETS_PATH": "/dunning/secrets/",
            "LINE_LENDERS": "demo-tw",
        }
        method, _, path = route.partition(" ")
        event = {
            "routeKey": route,
            "pathParameters": dict(parameters),
            "headers": dict(headers),
            "requestContext": {"http": {"method": method, "path": path}},
            "body": body.decode(),
            "isBase64Encoded": False,
        }
        return self.house.cloud.invoke(replace(function, environment=environment), event)

    def of_queue(self, url: str) -> list[str]:
        """Take everything off a queue."""
        found: list[str] = []
        while messages := self.house.cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self.house.cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def record(self) -> Contact:
        (contact,) = self.house.contacts()
        return contact


def event_of(queue: str, bodies: tuple[str, ...]) -> Event:
    return {
        "Records": [
            {
                "messageId": f"message-{place}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(NOW.timestamp() * 1000))},
                "eventSourceARN": f"arn:aws:sqs:ap-northeast-1:123456789012:{queue}",
            }
            for place, body in enumerate(bodies)
        ]
    }


@pytest.fixture
def channels(house: House) -> Channels:
    return Channels(house)


def test_a_text_whose_answer_was_lost_is_settled_and_then_delivered(channels: Channels) -> None:
    facts = channels.contacted(Channel.SMS)
    client: Any = boto3.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
    wire = EumAtTheWire(client, NOW)
    wire.will(WireFault.LOST_ANSWER)
    EumSmsGateway(client, channels.house.cloud.clock, "reminders", "pool").publish(outgoing_sms(facts.phone, "您好"))
    assert channels.take(wire.event(0, "PENDING", final=False)) == []
    assert (channels.record().state, channels.record().message_id) == (ContactState.SENT, wire.message_ids[0])
    assert channels.take(wire.event(0, "DELIVERED"), wire.event(0, "PENDING", final=False)) == []
    assert channels.record().state is ContactState.DELIVERED
    assert channels.house.metric("SmsDelivered") == 1


def test_a_mail_that_bounces_suspends_the_address_and_the_number_stays(channels: Channels) -> None:
    facts = channels.contacted(Channel.EMAIL)
    client: Any = boto3.client("sesv2", config=PUBLISH_ONCE)
    wire = SesAtTheWire(client, NOW)
    wire.suppressed.add(MAIL)
    SesGateway(client, "reminders").publish(outgoing_mail(MAIL))
    assert channels.take(wire.event(0, "Send"), wire.first_event(0)) == []
    standing = channels.house.standing(facts)
    assert channels.record().state is ContactState.FAILED
    assert standing.is_suspended(facts, Channel.EMAIL)
    assert not standing.is_suspended(facts, Channel.SMS)


def test_a_complaint_goes_over_the_queue_of_the_replies_to_an_opt_out(channels: Channels) -> None:
    facts = channels.contacted(Channel.EMAIL)
    client: Any = boto3.client("sesv2", config=PUBLISH_ONCE)
    wire = SesAtTheWire(client, NOW)
    SesGateway(client, "reminders").publish(outgoing_mail(MAIL))
    assert channels.take(wire.event(0, "Complaint", {"feedbackId": "f-1"})) == []
    assert channels.house.cloud.drain("replies") == 1
    assert channels.house.standing(facts).is_opted_out
    assert [review.why for review in channels.house.standing(facts).attention] == ["complaint"]


def test_words_on_whatsapp_go_over_the_queue_of_the_replies(channels: Channels) -> None:
    facts = channels.contacted(Channel.WHATSAPP)
    client: Any = boto3.client("socialmessaging", config=PUBLISH_ONCE)
    wire = WhatsAppAtTheWire(client, NOW, "reminder_1")
    assert channels.take(wire.message_from(facts.phone, type="text", text={"body": "STOP"})) == []
    assert channels.house.cloud.drain("replies") == 1
    assert channels.house.standing(facts).is_opted_out


def test_what_cannot_be_read_is_a_dead_letter_at_once(channels: Channels) -> None:
    assert channels.take("{}") == []
    assert channels.of_queue(channels.dead) == ["{}"]
    assert channels.house.metric("ChannelEventsUnreadable") == 1


class TestLine:
    """Its webhook."""

    def call(self, channels: Channels, *events: Mapping[str, Any], is_signed: bool = True) -> int:
        platform = LinePlatform()
        platform.close()
        body, signature = platform.webhook(*events)
        signature = signature if is_signed else "x" * len(signature)
        answer = channels.call("POST /line/{lender}", {"lender": "demo-tw"}, body, {"X-Line-Signature": signature})
        return int(answer["statusCode"])

    def test_brings_a_button_to_the_replies_and_a_block_to_the_customer_once_each(self, channels: Channels) -> None:
        facts = channels.contacted(Channel.LINE, ContactState.SENT)
        platform = LinePlatform()
        platform.close()
        at = NOW + timedelta(minutes=1)
        events = [
            platform.event("postback", LINE_USER, at, postback={"data": "opt_out"}),
            platform.event("unfollow", LINE_USER, at + timedelta(minutes=1)),
        ]
        for again in (False, True):
            repeated = [event | {"deliveryContext": {"isRedelivery": again}} for event in events]
            assert self.call(channels, *repeated) == 200
            channels.house.cloud.drain("replies")
            assert channels.take(*channels.of_queue(channels.events)) == []
        standing = channels.house.standing(facts)
        assert standing.is_opted_out
        assert standing.is_suspended(facts, Channel.LINE)
        assert channels.house.metric("Replies") == 1
        assert channels.house.metric("AddressesSuspended") == 1
        assert LINE_USER not in channels.house.log.getvalue()

    def test_is_answered_without_events_and_refused_without_a_signature(self, channels: Channels) -> None:
        assert self.call(channels) == 200
        assert self.call(channels, is_signed=False) == 403
        assert channels.of_queue(channels.events) == channels.of_queue(channels.replies) == []


def test_the_button_of_a_mail_opts_out_and_leaves_its_token_nowhere(channels: Channels) -> None:
    facts = channels.contacted(Channel.EMAIL, ContactState.SENT)
    token = unsubscribe_token("C0001", CLAIM_ID, KEY)
    page = channels.call("GET /unsubscribe/{token}", {"token": token}, b"", {})
    assert (page["statusCode"], channels.house.cloud.drain("replies")) == (200, 0)
    pressed = channels.call("POST /unsubscribe/{token}", {"token": token}, b"List-Unsubscribe=One-Click", {})
    assert (pressed["statusCode"], channels.house.cloud.drain("replies")) == (200, 1)
    assert channels.house.standing(facts).is_opted_out
    assert token not in channels.house.log.getvalue() + json.dumps([page, pressed])
