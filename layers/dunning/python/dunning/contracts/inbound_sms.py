"""A reply, as two-way SMS publishes it. The carrier may add fields: no opt-out is lost over it."""

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal, TypeIs

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.wrong_fields import _place
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms


class _Notification(BaseModel):
    """What SNS puts around a message, for a queue and for a function alike. A reply is read without its time, too."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["Notification"] = Field(alias="Type")
    message: str = Field(alias="Message")
    at: object = Field(alias="Timestamp", default=None)


class _TwoWaySms(BaseModel):
    """A reply as two-way SMS publishes it to its topic. Only number and text are needed to hear it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    phone: str = Field(alias="originationNumber", pattern=r"^\+[1-9][0-9]{6,14}$")
    text: str = Field(alias="messageBody")
    inbound_id: object = Field(alias="inboundMessageId", default=None)
    in_reply_to: object = Field(alias="previousPublishedMessageId", default=None)


_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_LONGEST_TEXT = 5000
_REFERENCE = re.compile(r"[!-~]{1,256}")
_FIRST_YEAR, _LAST_YEAR = 2000, 2100

_WRAPPINGS = 6
"""A message as a JSON string, in a notification, whose JSON a queue may have quoted once more."""


def parse_inbound(body: str, sent_at: datetime) -> InboundSms:
    """
    Read a reply, in whatever SNS and SQS have wrapped it.

    It was said when SNS took it. If there is no notification around it, or if the time of that cannot be read, it was
    said at `sent_at`, when the queue took it: a moment that changes if a person moves the message, so subscriptions
    should not be raw.

    Raises:
        UnreadableRecordError: it is no reply; the message names the fields, not their contents.
    """
    try:
        payload, at = _unwrapped(body, sent_at)
        sms = _TwoWaySms.model_validate(payload)
    except ValidationError as error:
        fields = ", ".join(dict.fromkeys(map(_place, error.errors(include_input=False))))
        raise UnreadableRecordError(f"not a reply: {fields}") from None
    except (ValueError, RecursionError):
        raise UnreadableRecordError("not a reply: body") from None
    return InboundSms(
        inbound_id=sms.inbound_id if _is_usable(sms.inbound_id) else _digest(payload),
        phone=sms.phone,
        text=sms.text[:_LONGEST_TEXT],
        at=at.astimezone(UTC),
        in_reply_to=sms.in_reply_to if _is_reference(sms.in_reply_to) else "",
    )


def _is_usable(written: object) -> TypeIs[str]:
    return isinstance(written, str) and _ID.fullmatch(written) is not None


def _is_reference(written: object) -> TypeIs[str]:
    return isinstance(written, str) and _REFERENCE.fullmatch(written) is not None


def _digest(payload: object) -> str:
    """Return an id for a message without a usable one: the same at each delivery, and no word of the message."""
    return f"digest:{sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()}"


def _unwrapped(body: str, at: datetime) -> tuple[object, datetime]:
    """Return a message without its wrappings, and the time on the innermost wrapping."""
    payload: object = body
    for _ in range(_WRAPPINGS):
        if isinstance(payload, str):
            payload = json.loads(payload)
        elif isinstance(payload, dict) and "Message" in payload:
            notification = _Notification.model_validate(payload)
            payload, at = notification.message, _notified_at(notification.at) or at
        else:
            break
    return _with_whole_characters(payload), at


def _notified_at(written: object) -> datetime | None:
    """Read a notification's time: `None` if it is damaged, names no zone, or cannot be."""
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else None
        in_utc = moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
    return in_utc if in_utc is not None and _FIRST_YEAR <= in_utc.year < _LAST_YEAR else None


def _with_whole_characters(payload: object) -> object:
    """Replace halves of characters in the text, as of an emoji that a carrier cut in two: no table takes them."""
    if isinstance(payload, dict) and isinstance(text := payload.get("messageBody"), str):
        return payload | {"messageBody": text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")}
    return payload
