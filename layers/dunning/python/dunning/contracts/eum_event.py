"""
Events of AWS End User Messaging about texts and calls, as its topic publishes them to a queue.

Only a final event says how a message ended. The claim comes back in `context`. Numbers in the carriers' words are taken
out, as in delivery logs.
"""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from dunning.contracts.claim_marks import claim_of_marks
from dunning.contracts.delivery_log import (
    MOST_MICROS,
    carrier_words,
    moment_of_milliseconds,
    price_micros,
    segments_billed,
)
from dunning.contracts.notification import read_notified
from dunning.domain.delivery.channel_events import ChannelEvents
from dunning.domain.delivery.receipt import DeliveryReceipt, DeliveryStatus, UnderWay

UNDER_WAY = None
"""The class of an event that says neither that a message arrived nor that it did not."""

EVENT_STATUSES: Mapping[str, DeliveryStatus | None] = {
    "TEXT_QUEUED": UNDER_WAY,
    "TEXT_PENDING": UNDER_WAY,
    "TEXT_SENT": UNDER_WAY,
    "TEXT_UNKNOWN": UNDER_WAY,  # after 72 hours without a carrier's word AWS says so itself: nobody knows
    "TEXT_SUCCESSFUL": DeliveryStatus.DELIVERED,
    "TEXT_DELIVERED": DeliveryStatus.DELIVERED,
    "TEXT_INVALID": DeliveryStatus.PERMANENT_FAILURE,
    "TEXT_BLOCKED": DeliveryStatus.PERMANENT_FAILURE,
    "TEXT_UNREACHABLE": DeliveryStatus.TEMPORARY_FAILURE,
    "TEXT_CARRIER_UNREACHABLE": DeliveryStatus.TEMPORARY_FAILURE,
    "TEXT_TTL_EXPIRED": DeliveryStatus.TEMPORARY_FAILURE,
    "TEXT_CARRIER_BLOCKED": DeliveryStatus.TECHNICAL_FAILURE,
    "TEXT_INVALID_MESSAGE": DeliveryStatus.TECHNICAL_FAILURE,
    "TEXT_PROTECT_BLOCKED": DeliveryStatus.TECHNICAL_FAILURE,
    "TEXT_SPAM": DeliveryStatus.TECHNICAL_FAILURE,
    "VOICE_INITIATED": UNDER_WAY,
    "VOICE_RINGING": UNDER_WAY,
    "VOICE_ANSWERED": UNDER_WAY,
    "VOICE_COMPLETED": DeliveryStatus.DELIVERED,
    "VOICE_BUSY": DeliveryStatus.TEMPORARY_FAILURE,
    "VOICE_NO_ANSWER": DeliveryStatus.TEMPORARY_FAILURE,
    "VOICE_TTL_EXPIRED": DeliveryStatus.TEMPORARY_FAILURE,
    "VOICE_FAILED": DeliveryStatus.TECHNICAL_FAILURE,  # the call may have been answered: no second one
}
"""All events about texts and calls. A test compares them with the SDK's enumeration."""


class _EumEvent(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: str = Field(alias="eventType", max_length=64)
    message_id: str = Field(alias="messageId", pattern=r"^[!-~]{1,256}$")
    at: object = Field(alias="eventTimestamp", default=None)
    is_final: bool = Field(alias="isFinal")
    context: object = None
    description: object = Field(alias="messageStatusDescription", default=None)
    parts: object = Field(alias="totalMessageParts", default=None)
    price: object = Field(alias="totalMessagePrice", default=None)
    fee: object = Field(alias="totalCarrierFee", default=None)


def parse_eum_event(body: str, sent_at: datetime) -> ChannelEvents:
    """
    Read an event in whatever SNS and SQS have wrapped it.

    An event without a readable time of its own has that of its notification, else `sent_at`. An event of another kind
    of message is counted as unreadable.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    _, event, notified_at = read_notified(body, sent_at, _EumEvent, "a message")
    if event.kind not in EVENT_STATUSES:
        return ChannelEvents(unreadable=1)
    claim = claim_of_marks(event.context) if isinstance(event.context, dict) else None
    at = moment_of_milliseconds(event.at) or notified_at
    status = EVENT_STATUSES[event.kind]
    if status is UNDER_WAY or not event.is_final:
        return ChannelEvents(under_way=(UnderWay(claim, event.message_id, at),))
    receipt = DeliveryReceipt(
        message_id=event.message_id,
        at=at,
        phone="",  # the record has it, and is found by its claim
        delivered=status is DeliveryStatus.DELIVERED,
        response=carrier_words(event.description),
        billed_parts=segments_billed(event.parts),
        billed_price_usd_micros=_billed(event.price, event.fee),
        claim=claim,
        status=status,
    )
    return ChannelEvents(receipts=(receipt,))


def _billed(price: object, fee: object) -> int:
    """Add up the price of a message and the carrier's fee, as AWS bills both."""
    total = price_micros(price) + price_micros(fee)
    return total if total < MOST_MICROS else 0
