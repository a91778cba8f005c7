"""A report of a message whose audit record is not there yet: it waits on a queue. Ids and codes only, no address."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.delivery_log import MOST_MICROS, MOST_PARTS
from dunning.contracts.instants import Instant
from dunning.contracts.job import CUSTOMER_ID
from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus, UnderWay
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.contacts import ContactKey


class WaitingReceipt(NamedTuple):
    """A report whose record is not there yet, and the claim it is about. A receipt travels without the number."""

    key: ContactKey
    report: DeliveryReceipt | UnderWay


class _WaitingReceiptMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1]
    customer_id: str = Field(pattern=CUSTOMER_ID)
    contact_at: Instant
    send_id: str = Field(min_length=1, max_length=128)
    message_id: str = Field(max_length=256)
    at: Instant
    delivered: bool
    response: str = Field(max_length=1000)
    billed_parts: int = Field(ge=0, lt=MOST_PARTS)
    billed_price_usd_micros: int = Field(ge=0, lt=MOST_MICROS)
    status: DeliveryStatus | None = Field(default=None, strict=False)
    claim_id: str | None = Field(default=None, min_length=1, max_length=128)
    under_way: Literal[True] | None = None


def waiting_receipt_body(later: WaitingReceipt) -> str:
    """Write a report that is to be looked at again as the body of a queue message."""
    key, report = later
    receipt = report if isinstance(report, DeliveryReceipt) else None
    return _WaitingReceiptMessage(
        schema_version=1,
        customer_id=key.customer_id,
        contact_at=key.at,
        send_id=key.send_id,
        message_id=report.message_id,
        at=report.at,
        delivered=receipt is not None and receipt.delivered,
        response=receipt.response if receipt else "",
        billed_parts=receipt.billed_parts if receipt else 0,
        billed_price_usd_micros=receipt.billed_price_usd_micros if receipt else 0,
        status=receipt.status if receipt else None,
        claim_id=report.claim.claim_id if report.claim else None,
        under_way=None if receipt else True,
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
    key = ContactKey(message.customer_id, message.contact_at, message.send_id)
    claim = ClaimKey(key.customer_id, message.claim_id, key.send_id, key.at) if message.claim_id else None
    if message.under_way:
        return WaitingReceipt(key, UnderWay(claim, message.message_id, message.at))
    if not message.message_id and claim is None:
        raise UnreadableRecordError("no receipt: message_id")
    receipt = DeliveryReceipt(
        message_id=message.message_id,
        at=message.at,
        phone="",
        delivered=message.delivered,
        response=message.response,
        billed_parts=message.billed_parts,
        billed_price_usd_micros=message.billed_price_usd_micros,
        claim=claim,
        status=message.status,
    )
    return WaitingReceipt(key, receipt)
