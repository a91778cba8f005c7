"""
Channel messages: what people write or press on channels other than SMS, on their way to the replies.

Whoever has read an event of a channel puts these on the queue of the replies, one for each message. A wish that says as
much as words travels as the button that was pressed.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.instants import Instant
from dunning.contracts.job import CUSTOMER_ID
from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.delivery.channel_events import ChannelMessage, ChannelWish
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms

_LONGEST_TEXT = 5000
_NOT_IN_A_QUEUE = {0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}
"""Signs that no message of a queue may hold."""

_OUR_MARK = '"schema_version":1,"channel":'
"""How the body of a channel message begins, and that of no other reply."""


class _ChannelMessageBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1]
    channel: Channel = Field(strict=False)
    inbound_id: str = Field(pattern=r"^[!-~]{1,256}$")
    at: Instant
    address: str = Field(max_length=320)
    customer_id: str = Field(pattern=f"^$|{CUSTOMER_ID}")
    text: str = Field(max_length=_LONGEST_TEXT)
    button: str = Field(pattern=r"^[a-z0-9_]{0,40}$")


def channel_message_body(message: ChannelMessage) -> str:
    """Write what a person wrote or pressed as the body of a queue message. It holds personal data."""
    return _ChannelMessageBody(
        schema_version=1,
        channel=message.channel,
        inbound_id=message.inbound_id,
        at=message.at,
        address=message.address,
        customer_id="",
        text=message.text[:_LONGEST_TEXT].translate(_NOT_IN_A_QUEUE),
        button=message.button,
    ).model_dump_json()


def wish_body(wish: ChannelWish) -> str:
    """Write a wish that says as much as words as the body of a queue message. It may hold personal data."""
    return _ChannelMessageBody(
        schema_version=1,
        channel=wish.channel,
        inbound_id=wish.event_id,
        at=wish.at,
        address=wish.address,
        customer_id=wish.claim.customer_id if wish.claim else "",
        text="",
        button=wish.wish.value,
    ).model_dump_json()


def is_channel_message(body: str) -> bool:
    """Tell whether a body is a channel message: it begins as we write it. An SMS that quotes it does not begin so."""
    return body.startswith("{" + _OUR_MARK)


def parse_channel_message(body: str) -> InboundSms:
    """
    Read what `channel_message_body` or `wish_body` wrote.

    Raises:
        UnreadableRecordError: it is something else; the message names the fields, not their contents.
    """
    try:
        message = _ChannelMessageBody.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableRecordError(f"no channel message: {wrong_fields(error)}") from None
    if not message.address and not message.customer_id:
        raise UnreadableRecordError("no channel message: address")
    is_number = message.channel in {Channel.SMS, Channel.VOICE, Channel.WHATSAPP}
    return InboundSms(
        inbound_id=message.inbound_id,
        phone=message.address if is_number else "",
        text=message.text,
        at=message.at,
        channel=message.channel,
        address="" if is_number else message.address,
        button=message.button,
        customer_id=message.customer_id,
    )
