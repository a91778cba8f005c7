"""Events of WhatsApp: Meta's webhook inside AWS's header, each status found by its claim."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dunning.contracts.claim_marks import claim_marks
from dunning.contracts.whatsapp_event import parse_whatsapp_event
from dunning.domain.delivery.channel_events import ChannelEvents, ChannelMessage
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus, UnderWay
from dunning.domain.errors import UnreadableRecordError
from tests.local.channels.wire import notification_of
from tests.support.outgoing import CLAIM_ID, CLAIMED_AT, SEND_ID, outgoing_whatsapp

SENT_AT = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
AT = datetime(2025, 1, 8, 23, 30, 42, tzinfo=UTC)
CLAIM = ClaimKey("C0001", CLAIM_ID, SEND_ID, CLAIMED_AT)
WAMID = "wamid.HBgLMTIwMDU1NTAxMDAVAgARGBI="

STATUS: dict[str, Any] = {
    "id": WAMID,
    "status": "delivered",
    "timestamp": "1736379042",
    "recipient_id": "886900000001",
    "conversation": {"id": "conversation-id", "origin": {"type": "utility"}},
    "pricing": {"billable": True, "pricing_model": "CBP", "category": "utility"},
    "biz_opaque_callback_data": json.dumps(claim_marks(outgoing_whatsapp())),
}
MESSAGE: dict[str, Any] = {
    "from": "886900000001",
    "id": WAMID,
    "timestamp": "1736379042",
    "type": "text",
    "text": {"body": "已經繳了"},
}
SAID = ChannelMessage(Channel.WHATSAPP, "+886900000001", WAMID, AT, text="已經繳了")


def relayed(entry: object) -> str:
    event = {
        "context": {
            "MetaWabaIds": [{"wabaId": "1234567890abcde", "arn": "arn:aws:social-messaging:y"}],
            "MetaPhoneNumberIds": [{"metaPhoneNumberId": "abcde1234567890", "arn": "arn:aws:social-messaging:x"}],
        },
        "whatsAppWebhookEntry": json.dumps(entry),
        "aws_account_id": "123456789012",
        "message_timestamp": "2025-01-08T23:30:43.271279391Z",
        "messageId": "6d69f07a-c317-4278-9d5c-6a84078419ec",
    }
    return notification_of(event, SENT_AT)


def parsed(**value: object) -> ChannelEvents:
    entry = {
        "id": "1234567890",
        "changes": [{"field": "messages", "value": {"messaging_product": "whatsapp", **value}}],
    }
    return parse_whatsapp_event(relayed(entry), SENT_AT)


def receipt(status: DeliveryStatus, words: str = "") -> ChannelEvents:
    found = DeliveryReceipt(
        message_id=WAMID,
        at=AT,
        phone="",
        delivered=status is DeliveryStatus.DELIVERED,
        response=words,
        claim=CLAIM,
        status=status,
    )
    return ChannelEvents(receipts=(found,))


@pytest.mark.parametrize("kind", ["delivered", "read"])
def test_a_message_that_arrived_has_arrived_whether_it_was_read_or_not(kind: str) -> None:
    assert parsed(statuses=[STATUS | {"status": kind}]) == receipt(DeliveryStatus.DELIVERED)


def test_a_message_that_was_sent_is_under_way() -> None:
    assert parsed(statuses=[STATUS | {"status": "sent"}]) == ChannelEvents(under_way=(UnderWay(CLAIM, WAMID, AT),))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (131026, DeliveryStatus.PERMANENT_FAILURE),
        (131050, DeliveryStatus.OPTED_OUT),
        (130429, DeliveryStatus.TEMPORARY_FAILURE),
        (131016, DeliveryStatus.TEMPORARY_FAILURE),
        (131047, DeliveryStatus.TECHNICAL_FAILURE),
        (132001, DeliveryStatus.TECHNICAL_FAILURE),
        (999_999, DeliveryStatus.TECHNICAL_FAILURE),
    ],
)
def test_a_failed_message_is_classed_by_meta_s_code_and_nothing_follows_from_an_unknown_code(
    code: int, status: DeliveryStatus
) -> None:
    errors = [{"code": code, "title": "failed", "message": "886900000001 is not there"}]
    assert parsed(statuses=[STATUS | {"status": "failed", "errors": errors}]) == receipt(status, str(code))


@pytest.mark.parametrize("errors", [None, [], ["x"], [{"code": "131026"}], [{"code": True}], [{"code": -1}]])
def test_a_failure_without_a_code_is_technical(errors: object) -> None:
    (found,) = parsed(statuses=[STATUS | {"status": "failed", "errors": errors}]).receipts
    assert found.status is DeliveryStatus.TECHNICAL_FAILURE


@pytest.mark.parametrize("opaque", [None, "", "{", "[" * 100_000, "[]", '{"customer_id":"C0001"}', 7])
def test_a_message_of_another_sender_has_no_claim(opaque: object) -> None:
    (found,) = parsed(statuses=[STATUS | {"biz_opaque_callback_data": opaque}]).receipts
    assert found.claim is None


@pytest.mark.parametrize(
    ("message", "text", "button"),
    [
        (MESSAGE, "已經繳了", ""),
        ({"type": "text", "text": {"body": "好\ud83d"}}, "好\ufffd", ""),
        ({"type": "text", "text": {"body": "x" * 9000}}, "x" * 5000, ""),
        ({"type": "button", "button": {"payload": "paid", "text": "已繳"}}, "", "paid"),
        (
            {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "opt_out"}}},
            "",
            "opt_out",
        ),
        ({"type": "button", "button": {"payload": "已繳"}}, "", ""),
        ({"type": "image", "image": {"id": "1"}}, "", ""),
        ({"type": "text", "text": None}, "", ""),
    ],
)
def test_words_and_buttons_come_with_the_number_that_sent_them(message: dict[str, Any], text: str, button: str) -> None:
    (found,) = parsed(messages=[MESSAGE | message]).messages
    assert found == SAID._replace(text=text, button=button)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "x",
        STATUS | {"id": None},
        STATUS | {"id": "a b"},
        STATUS | {"status": "ofTomorrow"},
        STATUS | {"status": 7},
        STATUS | {"status": {}},
    ],
)
def test_a_status_that_cannot_be_read_is_counted_and_its_neighbours_are_read(broken: object) -> None:
    assert parsed(statuses=[STATUS, broken], messages=[MESSAGE]) == receipt(DeliveryStatus.DELIVERED)._replace(
        messages=(SAID,), unreadable=1
    )


@pytest.mark.parametrize("broken", [None, MESSAGE | {"id": ""}, MESSAGE | {"from": "王"}, MESSAGE | {"from": None}])
def test_a_message_that_cannot_be_read_is_counted(broken: object) -> None:
    assert parsed(messages=[broken, MESSAGE]) == ChannelEvents(messages=(SAID,), unreadable=1)


@pytest.mark.parametrize("timestamp", [None, "soon", "1" * 40, -5])
def test_what_has_no_readable_time_has_that_of_its_notification(timestamp: object) -> None:
    assert parsed(messages=[MESSAGE | {"timestamp": timestamp}]).messages[0].at == SENT_AT


@pytest.mark.parametrize("value", [{}, {"statuses": None}, {"messages": {}}, {"contacts": []}])
def test_a_webhook_about_something_else_changes_nothing(value: dict[str, object]) -> None:
    assert parsed(**value) == ChannelEvents()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "body"),
        ("[" * 100_000, "body"),
        ("7", "body"),
        (json.dumps({"context": {}}), "whatsAppWebhookEntry"),
        (json.dumps({"whatsAppWebhookEntry": {"changes": []}}), "whatsAppWebhookEntry"),
        (json.dumps({"whatsAppWebhookEntry": "{"}), "body"),
        (json.dumps({"whatsAppWebhookEntry": "[" * 100_000}), "body"),
        (json.dumps({"whatsAppWebhookEntry": "[]"}), "changes"),
        (json.dumps({"whatsAppWebhookEntry": '{"changes": 7}'}), "changes"),
    ],
)
def test_what_is_no_event_is_refused_by_field_without_its_contents(body: str, why: str) -> None:
    with pytest.raises(UnreadableRecordError) as refused:
        parse_whatsapp_event(body, SENT_AT)
    assert str(refused.value) == f"no event of WhatsApp: {why}"


@pytest.mark.parametrize("changes", [[], [None], [{"value": None}], [{"field": "messages"}]])
def test_a_webhook_without_values_is_read(changes: list[object]) -> None:
    assert parse_whatsapp_event(relayed({"changes": changes}), SENT_AT) == ChannelEvents()
