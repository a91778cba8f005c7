"""A reply, as two-way SMS publishes it. The carrier may add fields: no opt-out is lost over it."""

import json
from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.wrong_fields import _place
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms


class _Notification(BaseModel):
    """What SNS puts around a message, for a queue and for a function alike."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["Notification"] = Field(alias="Type")
    message: str = Field(alias="Message")
    at: AwareDatetime = Field(alias="Timestamp")


class _TwoWaySms(BaseModel):
    """A reply as two-way SMS publishes it to its topic."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    phone: str = Field(alias="originationNumber", pattern=r"^\+[1-9][0-9]{6,14}$")
    text: str = Field(alias="messageBody", max_length=5000)
    inbound_id: str = Field(alias="inboundMessageId", pattern=r"^[A-Za-z0-9._:/+=-]{1,128}$")
    in_reply_to: str | None = Field(alias="previousPublishedMessageId", default=None, max_length=256)


_WRAPPINGS = 6
"""A message as a JSON string, in a notification, whose JSON a queue may have quoted once more."""


def parse_inbound(body: str, sent_at: datetime) -> InboundSms:
    """
    Read a reply, in whatever SNS and SQS have wrapped it.

    It was said when SNS took it. Where a queue gets it without the notification around it, it is `sent_at`, when the
    queue took it: a moment that changes if a person moves the message, so subscriptions should not be raw.

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
        inbound_id=sms.inbound_id,
        phone=sms.phone,
        text=sms.text,
        at=at.astimezone(UTC),
        in_reply_to=sms.in_reply_to or "",
    )


def _unwrapped(body: str, at: datetime) -> tuple[object, datetime]:
    """Return a message without its wrappings, and the time on the innermost wrapping."""
    payload: object = body
    for _ in range(_WRAPPINGS):
        if isinstance(payload, str):
            payload = json.loads(payload)
        elif isinstance(payload, dict) and "Message" in payload:
            notification = _Notification.model_validate(payload)
            payload, at = notification.message, notification.at
        else:
            break
    return _with_whole_characters(payload), at


def _with_whole_characters(payload: object) -> object:
    """Replace halves of characters in the text, as of an emoji that a carrier cut in two: no table takes them."""
    if isinstance(payload, dict) and isinstance(text := payload.get("messageBody"), str):
        return payload | {"messageBody": text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")}
    return payload
