"""
Events of WhatsApp, as AWS relays them from Meta: a header of AWS, and Meta's webhook as a string of JSON inside.

The claim comes back in what Meta calls opaque data. That somebody has read a message says no more than that it arrived.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.claim_marks import claim_of_marks
from dunning.contracts.delivery_log import moment_of_milliseconds
from dunning.contracts.json_objects import objects_in
from dunning.contracts.notification import unwrapped
from dunning.contracts.whole_text import whole_characters
from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.delivery.channel_events import ChannelEvents, ChannelMessage
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus, UnderWay
from dunning.domain.errors import UnreadableRecordError

_FAILURES: Mapping[int, DeliveryStatus] = {
    131026: DeliveryStatus.PERMANENT_FAILURE,  # the number is not on WhatsApp, or cannot get such messages
    131050: DeliveryStatus.OPTED_OUT,  # the person has stopped messages of this account
    130429: DeliveryStatus.TEMPORARY_FAILURE,  # too many messages at once
    131016: DeliveryStatus.TEMPORARY_FAILURE,  # the service is overloaded
}
"""
Meta's codes for a message that was not delivered, of which something follows.

All others are about our template, our account or our money: the same message would fail again.
"""

_ARRIVED = ("delivered", "read")
_MESSAGE_ID = re.compile(r"[!-~]{1,256}")
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")
_SECONDS = re.compile(r"[0-9]{9,11}")
_BUTTON_CODE = re.compile(r"[a-z0-9_]{1,40}")
_LONGEST_TEXT = 5000
_MOST_ENTRIES = 1000


class _Relayed(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    entry: str = Field(alias="whatsAppWebhookEntry", max_length=1024 * 1024)


def parse_whatsapp_event(body: str, sent_at: datetime) -> ChannelEvents:
    """
    Read an event in whatever SNS and SQS have wrapped it.

    What has no readable time has that of the notification, else `sent_at`. A status or a message that cannot be read is
    counted, and does not affect others.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    try:
        payload, notified_at = unwrapped(body, sent_at)
        entry = json.loads(_Relayed.model_validate(payload).entry)
    except ValidationError as error:
        raise UnreadableRecordError(f"no event of WhatsApp: {wrong_fields(error)}") from None
    except (ValueError, RecursionError):
        raise UnreadableRecordError("no event of WhatsApp: body") from None
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list):
        raise UnreadableRecordError("no event of WhatsApp: changes")
    found = objects_in([change.get("value") for change in objects_in(changes)])
    read = [_status_event(status, notified_at) for value in found for status in _items_named(value, "statuses")]
    read += [_inbound(message, notified_at) for value in found for message in _items_named(value, "messages")]
    return ChannelEvents(
        receipts=tuple(receipt for events in read for receipt in events.receipts),
        under_way=tuple(under_way for events in read for under_way in events.under_way),
        messages=tuple(message for events in read for message in events.messages),
        unreadable=sum(events.unreadable for events in read),
    )


def _items_named(value: Mapping[str, Any], name: str) -> list[object]:
    items = value.get(name)
    return items[:_MOST_ENTRIES] if isinstance(items, list) else []


def _status_event(status: object, notified_at: datetime) -> ChannelEvents:
    if not isinstance(status, dict):
        return ChannelEvents(unreadable=1)
    message_id, kind = status.get("id"), status.get("status")
    if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id):
        return ChannelEvents(unreadable=1)
    claim, at = _opaque_claim(status.get("biz_opaque_callback_data")), _moment_of_seconds(status.get("timestamp"))
    if kind in _ARRIVED:
        return _ended(message_id, at or notified_at, DeliveryStatus.DELIVERED, "", claim)
    if kind == "failed":
        code = _error_code_of(status.get("errors"))
        verdict = _FAILURES.get(code, DeliveryStatus.TECHNICAL_FAILURE)
        return _ended(message_id, at or notified_at, verdict, str(code), claim)
    if kind == "sent":
        return ChannelEvents(under_way=(UnderWay(claim, message_id, at or notified_at),))
    return ChannelEvents(unreadable=1)


def _ended(message_id: str, at: datetime, status: DeliveryStatus, words: str, claim: ClaimKey | None) -> ChannelEvents:
    receipt = DeliveryReceipt(
        message_id=message_id,
        at=at,
        phone="",
        delivered=status is DeliveryStatus.DELIVERED,
        response=words,
        claim=claim,
        status=status,
    )
    return ChannelEvents(receipts=(receipt,))


def _inbound(message: object, notified_at: datetime) -> ChannelEvents:
    if not isinstance(message, dict):
        return ChannelEvents(unreadable=1)
    message_id, sender = message.get("id"), message.get("from")
    if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id):
        return ChannelEvents(unreadable=1)
    if not isinstance(sender, str) or not _DIGITS.fullmatch(sender.removeprefix("+")):
        return ChannelEvents(unreadable=1)
    text, button = _words_or_button(message)
    found = ChannelMessage(
        channel=Channel.WHATSAPP,
        address=f"+{sender.removeprefix('+')}",
        inbound_id=message_id,
        at=_moment_of_seconds(message.get("timestamp")) or notified_at,
        text=text,
        button=button,
    )
    return ChannelEvents(messages=(found,))


def _words_or_button(message: Mapping[str, Any]) -> tuple[str, str]:
    """Return the words of a message and the code of a pressed button: at most one of the two is there."""
    match message:
        case {"type": "text", "text": {"body": str(text)}}:
            return whole_characters(text)[:_LONGEST_TEXT], ""
        case {"type": "button", "button": {"payload": str(code)}}:
            return "", code if _BUTTON_CODE.fullmatch(code) else ""
        case {"type": "interactive", "interactive": {"button_reply": {"id": str(code)}}} if _BUTTON_CODE.fullmatch(
            code
        ):
            return "", code
        case _:
            return "", ""


def _opaque_claim(opaque: object) -> ClaimKey | None:
    try:
        marks = json.loads(opaque) if isinstance(opaque, str) else None
    except (ValueError, RecursionError):
        return None
    return claim_of_marks(marks) if isinstance(marks, dict) else None


def _error_code_of(errors: object) -> int:
    match errors:
        case [{"code": int(code)}, *_] if 0 < code < 10**9:
            return code
        case _:
            return 0


def _moment_of_seconds(written: object) -> datetime | None:
    text = str(written)
    return moment_of_milliseconds(int(text) * 1000) if _SECONDS.fullmatch(text) else None
