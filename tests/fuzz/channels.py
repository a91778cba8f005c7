"""What services report of channels: each event is read, or refused with a reason, whatever it holds."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from dunning.contracts.claim_marks import claim_labels, claim_marks, claim_tag
from dunning.contracts.delivery_log import A_NUMBER
from dunning.contracts.eum_event import EVENT_STATUSES, parse_eum_event
from dunning.contracts.job import CUSTOMER_ID
from dunning.contracts.line_event import LINE_EVENTS, parse_line_events
from dunning.contracts.ses_event import MAIL_EVENTS, parse_ses_event
from dunning.contracts.unsubscribe import parse_unsubscribe, unsubscribe_token
from dunning.contracts.whatsapp_event import parse_whatsapp_event
from dunning.domain.delivery.channel_events import ChannelEvents
from dunning.domain.delivery.receipt import ClaimKey
from dunning.domain.errors import UnreadableRecordError
from tests.fuzz.mutation import mutate_json, mutate_text
from tests.fuzz.parser import TAKEN, Parser
from tests.fuzz.planted import PHONE, WORDS, assert_named, found
from tests.local.channels.wire import notification_of
from tests.support.outgoing import CLAIM_ID, LINE_USER, outgoing_sms
from tests.support.people import NOW

_ADDRESS = "wu.secret@example.com"
_OUTGOING = outgoing_sms(PHONE, WORDS)
_SECRET = "a secret"


def _check(read: Callable[[bytes], ChannelEvents], beginning: str, data: bytes) -> str:
    try:
        events = read(data)
    except UnreadableRecordError as error:
        assert_named(str(error), beginning)
        assert error.__suppress_context__ or error.__context__ is None
        assert found(error) == []
        assert _ADDRESS not in repr(error)
        return str(error)
    assert read(data) == events
    claims = [receipt.claim for receipt in events.receipts] + [under_way.claim for under_way in events.under_way]
    for claim in [*claims, *(wish.claim for wish in events.wishes)]:
        _check_claim(claim)
    moments = [receipt.at for receipt in events.receipts] + [under_way.at for under_way in events.under_way]
    for at in [*moments, *(wish.at for wish in events.wishes), *(message.at for message in events.messages)]:
        assert at.tzinfo is UTC
        assert 2000 <= at.year < 2101
    for receipt in events.receipts:
        assert not A_NUMBER.search(receipt.response), "a number in a service's words"
        assert 0 <= receipt.billed_price_usd_micros < 10**9
        assert 0 <= receipt.billed_parts < 100
        assert receipt.status is not None, "a receipt whose words decide"
    for wish in events.wishes:
        (wish.address + wish.event_id).encode()
    for message in events.messages:
        assert not (message.text and message.button)
        assert len(message.text) <= 5000
        message.text.encode()
        assert 0 < len(message.inbound_id) <= 256
    assert _ADDRESS not in repr((events.receipts, events.under_way, events.messages))
    is_anything = any(events[:4])
    return TAKEN if is_anything else "unreadable" if events.unreadable else "about nothing here"


def _check_claim(claim: ClaimKey | None) -> None:
    if claim is None:
        return
    assert re.fullmatch(CUSTOMER_ID, claim.customer_id), "an id that is logged as it is"
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,100}", claim.claim_id)
    assert claim.claimed_at is None or isinstance(claim.claimed_at, datetime)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _check_eum(data: bytes) -> str:
    return _check(lambda body: parse_eum_event(_text(body), NOW), "no event of a message: ", data)


def _eum_events() -> Iterator[bytes]:
    for kind in EVENT_STATUSES:
        event: dict[str, Any] = {
            "eventType": kind, "eventTimestamp": 1_764_554_400_000, "isFinal": True, "messageId": "message-1",
            "destinationPhoneNumber": PHONE, "messageStatusDescription": f"{PHONE} {WORDS}",
            "context": claim_marks(_OUTGOING), "totalMessageParts": 1, "totalMessagePrice": 0.0417,
            "totalCarrierFee": 0,
        }  # fmt: skip
        yield notification_of(event, NOW).encode()
        yield json.dumps(event | {"isFinal": False}).encode()


def _check_ses(data: bytes) -> str:
    return _check(lambda body: parse_ses_event(_text(body), NOW), "no event of a mail: ", data)


def _ses_events() -> Iterator[bytes]:
    tags = {name: [label] for name, label in claim_labels(_OUTGOING).items()}
    mail = {"messageId": "m-1", "timestamp": "2026-12-01T02:00:00.000Z", "destination": [_ADDRESS], "tags": tags}
    for kind, member in MAIL_EVENTS.items():
        details = {
            "timestamp": "2026-12-01T02:00:05.000Z", "bounceType": "Permanent", "bounceSubType": "General",
            "feedbackId": "f-1", "complaintSubType": None, "smtpResponse": f"250 {_ADDRESS} {WORDS}",
            "bouncedRecipients": [{"emailAddress": _ADDRESS, "diagnosticCode": f"550 {_ADDRESS}"}],
            "newTopicPreferences": {"unsubscribeAll": True, "topicSubscriptionStatus": []},
        }  # fmt: skip
        yield notification_of({"eventType": kind, "mail": mail, member: details}, NOW).encode()
    soft = {"bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": "2026-12-01T02:00:05.000Z"}
    yield json.dumps({"eventType": "Bounce", "mail": mail, "bounce": soft}).encode()


def _check_line(data: bytes) -> str:
    return _check(lambda body: parse_line_events(body, NOW), "no webhook of LINE: ", data)


def _line_webhooks() -> Iterator[bytes]:
    common = {
        "mode": "active", "timestamp": 1_764_554_400_000, "webhookEventId": "01G17EJCGAVV66J5WNA7ZCTF6H",
        "deliveryContext": {"isRedelivery": False}, "source": {"type": "user", "userId": LINE_USER},
        "message": {"id": "1", "type": "text", "text": WORDS}, "postback": {"data": "paid"},
        "delivery": {"data": claim_tag(_OUTGOING)},
    }  # fmt: skip
    events = [common | {"type": kind} for kind in ("message", "postback", "follow", "unfollow", "delivery")]
    yield json.dumps({"destination": "U" + "b0" * 16, "events": events}).encode()
    for event in events:
        yield json.dumps({"destination": "U" + "b0" * 16, "events": [event]}, ensure_ascii=False).encode()
    others = [common | {"type": kind} for kind in sorted(LINE_EVENTS)]
    yield json.dumps({"destination": "U" + "b0" * 16, "events": others}).encode()
    yield b'{"destination": "U", "events": []}'


def _check_whatsapp(data: bytes) -> str:
    return _check(lambda body: parse_whatsapp_event(_text(body), NOW), "no event of WhatsApp: ", data)


def _whatsapp_events() -> Iterator[bytes]:
    opaque = json.dumps(claim_marks(_OUTGOING))
    known = {"id": "wamid.1", "timestamp": "1764554400", "biz_opaque_callback_data": opaque}
    kinds = ("sent", "delivered", "read")
    statuses: list[dict[str, Any]] = [known | {"status": kind, "recipient_id": PHONE[1:]} for kind in kinds]
    errors = [{"code": 131026, "message": f"{PHONE} {WORDS}"}]
    statuses.append(known | {"status": "failed", "errors": errors})
    text = {"from": PHONE[1:], "id": "wamid.2", "timestamp": "1764554400", "type": "text", "text": {"body": WORDS}}
    button = text | {"type": "button", "button": {"payload": "paid"}}
    values: list[dict[str, Any]] = [{"statuses": statuses}, {"messages": [text, button]}]
    values += [{"statuses": [status]} for status in statuses]
    for value in values:
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
        event = {"whatsAppWebhookEntry": json.dumps(entry), "messageId": "m"}
        yield notification_of(event, NOW).encode()


def _mutate_whatsapp(data: bytes, chance: Random) -> bytes:
    """Change the webhook inside as often as what stands around it."""
    try:
        event = json.loads(json.loads(data)["Message"])
        inner = mutate_json(event["whatsAppWebhookEntry"].encode(), chance)
    except (KeyError, TypeError, ValueError, AttributeError):
        return _mutate_event(data, chance)
    if not chance.randrange(3):
        return _mutate_event(data, chance)
    changed = notification_of(event | {"whatsAppWebhookEntry": inner.decode("utf-8", "replace")}, NOW)
    return changed.encode("utf-8", "replace")


def _mutate_notification(data: bytes, chance: Random) -> bytes:
    """Change the event inside as often as the notification."""
    try:
        inner = json.loads(data)["Message"].encode()
    except (KeyError, TypeError, ValueError, AttributeError):
        return _mutate_event(data, chance)
    return _mutate_event(inner if chance.randrange(3) else data, chance)


def _mutate_event(data: bytes, chance: Random) -> bytes:
    return mutate_json(data, chance) if chance.randrange(8) else mutate_text(data, chance)


def _check_unsubscribe(data: bytes) -> str:
    token, _, body = data.partition(b"\n")
    try:
        wish = parse_unsubscribe(token.decode("utf-8", "replace"), body, _SECRET, NOW)
    except UnreadableRecordError as error:
        assert_named(str(error), "not the button for no more mail: ")
        assert error.__suppress_context__ or error.__context__ is None
        return str(error)
    assert wish.claim == ClaimKey("C0001", CLAIM_ID), "another customer than the token was made for"
    return TAKEN


def _unsubscribes() -> Iterator[bytes]:
    token = unsubscribe_token("C0001", CLAIM_ID, _SECRET).encode()
    yield token + b"\nList-Unsubscribe=One-Click"
    yield token + b'\n--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--'
    yield token + b"\n"


def channel_parsers() -> Iterable[Parser]:
    """Return the parsers of what services and people send back over channels."""
    return (
        Parser("eum_event", _check_eum, _eum_events, _mutate_notification),
        Parser("ses_event", _check_ses, _ses_events, _mutate_notification),
        Parser("line_webhook", _check_line, _line_webhooks, _mutate_event),
        Parser("whatsapp_event", _check_whatsapp, _whatsapp_events, _mutate_whatsapp),
        Parser("unsubscribe", _check_unsubscribe, _unsubscribes, mutate_text),
    )
