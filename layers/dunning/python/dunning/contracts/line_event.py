"""
Webhook events of LINE: what people write and press, who follows and who blocks, and which notices have arrived.

A webhook is believed only if its signature is that of the raw bytes. Each event is read by itself: no opt-out is lost
over an event beside it.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dunning.contracts.claim_marks import claim_of_tag
from dunning.contracts.delivery_log import moment_of_milliseconds
from dunning.contracts.whole_text import whole_characters
from dunning.domain.delivery.channel_events import ChannelEvents, ChannelMessage, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import DeliveryReceipt, DeliveryStatus
from dunning.domain.errors import UnreadableRecordError

MOST_WEBHOOK_BYTES = 1024 * 1024
"""LINE's webhooks have a few kilobytes; a queue takes a megabyte."""

_MOST_EVENTS = 1000
_LONGEST_TEXT = 5000
_USER_ID = re.compile(r"U[0-9a-f]{32}")
_EVENT_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_BUTTON_CODE = re.compile(r"[a-z0-9_]{1,40}")

_NOT_FOR_US = frozenset(
    {
        "accountLink", "activated", "beacon", "botResumed", "botSuspended", "deactivated", "join", "leave",
        "memberJoined", "memberLeft", "membership", "module", "unsend", "videoPlayComplete",
    }
)  # fmt: skip
"""Events that LINE documents and that change nothing here."""

_WITH_ID = ("delivery", "follow", "message", "postback", "unfollow")
"""The events that are read. A tuple: what comes from outside may have no hash."""

LINE_EVENTS = _NOT_FOR_US.union(_WITH_ID)
"""All kinds of events that LINE documents."""


def is_signed_by_line(body: bytes, signature: str, secret: str) -> bool:
    """
    Tell whether a webhook's body is signed with the channel's secret.

    The comparison takes the same time wherever the signatures differ. Without a secret nothing is signed.
    """
    expected = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    return bool(secret) and hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass"))


def parse_line_events(body: bytes, received_at: datetime) -> ChannelEvents:
    """
    Read a webhook whose signature has been checked. A probe has no events.

    An event without a readable time has that at which the webhook was received.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    if len(body) > MOST_WEBHOOK_BYTES:
        raise UnreadableRecordError("no webhook of LINE: longer than LINE sends")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableRecordError("no webhook of LINE: body") from None
    events = payload.get("events") if isinstance(payload, dict) else None
    if not isinstance(events, list) or len(events) > _MOST_EVENTS:
        raise UnreadableRecordError("no webhook of LINE: events")
    read = [_line_event(event, received_at) if isinstance(event, dict) else _UNREADABLE for event in events]
    return ChannelEvents(
        receipts=tuple(receipt for found in read for receipt in found.receipts),
        wishes=tuple(wish for found in read for wish in found.wishes),
        messages=tuple(message for found in read for message in found.messages),
        unreadable=sum(found.unreadable for found in read),
    )


_UNREADABLE, _NOTHING = ChannelEvents(unreadable=1), ChannelEvents()


def _line_event(event: Mapping[str, Any], received_at: datetime) -> ChannelEvents:
    kind, event_id = event.get("type"), event.get("webhookEventId")
    if isinstance(kind, str) and kind in _NOT_FOR_US:
        return _NOTHING
    if kind not in _WITH_ID or not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
        return _UNREADABLE
    at = moment_of_milliseconds(event.get("timestamp")) or received_at
    if kind == "delivery":
        return _arrived(event, at)
    source = event.get("source")
    source = source if isinstance(source, dict) else {}
    if source.get("type") in ("group", "room"):
        return _NOTHING  # no place for anybody's instalments
    user_id = source.get("userId")
    if not isinstance(user_id, str) or not _USER_ID.fullmatch(user_id):
        return _UNREADABLE
    return _of_person(event, user_id, event_id, at)


def _of_person(event: Mapping[str, Any], user_id: str, event_id: str, at: datetime) -> ChannelEvents:
    context = event.get("deliveryContext")
    again = isinstance(context, dict) and context.get("isRedelivery") is True
    match event["type"]:
        case "follow" | "unfollow":
            wish = Wish.FOLLOWED if event["type"] == "follow" else Wish.BLOCKED
            return ChannelEvents(
                wishes=(ChannelWish(Channel.LINE, wish, event_id, at, address=user_id, is_redelivery=again),)
            )
        case "postback":
            pressed = event.get("postback")
            code = pressed.get("data") if isinstance(pressed, dict) else None
            button = code if isinstance(code, str) and _BUTTON_CODE.fullmatch(code) else ""
            return ChannelEvents(
                messages=(ChannelMessage(Channel.LINE, user_id, event_id, at, button=button, is_redelivery=again),)
            )
        case _:
            content = event.get("message")
            content = content if isinstance(content, dict) else {}
            written = content.get("text") if content.get("type") == "text" else ""
            text = whole_characters(written)[:_LONGEST_TEXT] if isinstance(written, str) else ""
            return ChannelEvents(
                messages=(ChannelMessage(Channel.LINE, user_id, event_id, at, text=text, is_redelivery=again),)
            )


def _arrived(event: Mapping[str, Any], at: datetime) -> ChannelEvents:
    """Read that a notification message has arrived. Without our tag it was sent by somebody else."""
    delivery = event.get("delivery")
    tag = delivery.get("data") if isinstance(delivery, dict) else None
    if not isinstance(tag, str):
        return _UNREADABLE
    receipt = DeliveryReceipt(
        message_id="",  # LINE names none: the record has it
        at=at,
        phone="",
        delivered=True,
        response="",
        claim=claim_of_tag(tag),
        status=DeliveryStatus.DELIVERED,
    )
    return ChannelEvents(receipts=(receipt,))
