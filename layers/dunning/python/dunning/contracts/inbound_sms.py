"""A reply, as two-way SMS publishes it. The carrier may add fields: no opt-out is lost over it."""

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeIs

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.notification import unwrapped
from dunning.contracts.whole_text import whole_characters
from dunning.contracts.wrong_fields import _place
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms


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
        wrapped, at = unwrapped(body, sent_at)
        payload = _with_whole_characters(wrapped)
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


def _with_whole_characters(payload: object) -> object:
    """Replace halves of characters in the text, as of an emoji that a carrier cut in two: no table takes them."""
    if isinstance(payload, dict) and isinstance(text := payload.get("messageBody"), str):
        return payload | {"messageBody": whole_characters(text)}
    return payload
