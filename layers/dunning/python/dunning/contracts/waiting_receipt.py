"""A delivery receipt whose audit record is not there yet: it waits on a queue. Ids and codes only, no number."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.delivery_log import MOST_MICROS, MOST_PARTS
from dunning.contracts.instants import Instant
from dunning.contracts.job import CUSTOMER_ID
from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.delivery.receipt import DeliveryReceipt, DeliveryStatus
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.contacts import ContactKey


class WaitingReceipt(NamedTuple):
    """A receipt whose record is not there yet, and the claim it is about. It travels without the number."""

    key: ContactKey
    receipt: DeliveryReceipt


class _WaitingReceiptMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1]
    customer_id: str = Field(pattern=CUSTOMER_ID)
    contact_at: Instant
    send_id: str = Field(min_length=1, max_length=128)
    message_id: str = Field(min_length=1, max_length=256)
    at: Instant
    delivered: bool
    response: str = Field(max_length=1000)
    billed_parts: int = Field(ge=0, lt=MOST_PARTS)
    billed_price_usd_micros: int = Field(ge=0, lt=MOST_MICROS)
    status: DeliveryStatus | None = Field(default=None, strict=False)


def waiting_receipt_body(later: WaitingReceipt) -> str:
    """Write a receipt that is to be looked at again as the body of a queue message."""
    key, receipt = later
    return _WaitingReceiptMessage(
        schema_version=1,
        customer_id=key.customer_id,
        contact_at=key.at,
        send_id=key.send_id,
        message_id=receipt.message_id,
        at=receipt.at,
        delivered=receipt.delivered,
        response=receipt.response,
        billed_parts=receipt.billed_parts,
        billed_price_usd_micros=receipt.billed_price_usd_micros,
        status=receipt.status,
    ).model_dump_json(exclude_none=True)


def parse_waiting_receipt(body: str) -> WaitingReceipt:
    """
    Read what `waiting_receipt_body` wrote.

    Raises:
        UnreadableRecordError: it is something else; the message names the fields, not their contents.
    """
    try:
        message = _WaitingReceiptMessage.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableRecordError(f"no receipt: {wrong_fields(error)}") from None
    receipt = DeliveryReceipt(
        message_id=message.message_id,
        at=message.at,
        phone="",
        delivered=message.delivered,
        response=message.response,
        billed_parts=message.billed_parts,
        billed_price_usd_micros=message.billed_price_usd_micros,
        status=message.status,
    )
    return WaitingReceipt(ContactKey(message.customer_id, message.contact_at, message.send_id), receipt)
