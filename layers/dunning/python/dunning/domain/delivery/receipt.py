"""
Delivery receipts: a carrier's report of a text, and its meaning.

Receipts come late, twice, out of order or not at all. A record only ever gains knowledge. In the end it is the same,
whatever the order of its receipts.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.delivery.contact import Contact, ContactState


class DeliveryStatus(StrEnum):
    """The class of a receipt, which decides what follows for the customer."""

    DELIVERED = "delivered"
    OPTED_OUT = "opted_out"
    PERMANENT_FAILURE = "permanent_failure"
    TEMPORARY_FAILURE = "temporary_failure"
    TECHNICAL_FAILURE = "technical_failure"
    UNCLASSIFIED = "unclassified"


class ClaimKey(NamedTuple):
    """
    The claim of a message, as a service has brought it back: its audit record is found by key.

    A service that takes few characters brings back customer and claim only: the ledger has the rest.
    """

    customer_id: str
    claim_id: str
    send_id: str = ""
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """
    One report of the carrier, or of another service that delivers.

    `at` is when SNS took the text, or when another service reports. `phone` is E.164, or empty if it cannot be read or
    the channel knows none. `response` is the carrier's own words, or a code. `billed_parts` and
    `billed_price_usd_micros`, in millionths of a US dollar, are 0 if the carrier leaves them out. `claim` is known
    where the service brings it back, and `status` where the service has codes and not only words.
    """

    message_id: str
    at: datetime
    phone: str
    delivered: bool
    response: str
    billed_parts: int = 0
    billed_price_usd_micros: int = 0
    claim: ClaimKey | None = None
    status: DeliveryStatus | None = None


class UnderWay(NamedTuple):
    """
    The service has the message, and more is not known: it neither arrived nor failed.

    The event settles an `unknown` outcome: the message was taken. Nothing else follows from it, and never a second
    message.
    """

    claim: ClaimKey | None
    message_id: str
    at: datetime


_STATUSES = {
    "phone number is opted out": DeliveryStatus.OPTED_OUT,
    "invalid phone number": DeliveryStatus.PERMANENT_FAILURE,
    "destination is on a blocked list": DeliveryStatus.PERMANENT_FAILURE,
    "phone is on a blocked list": DeliveryStatus.PERMANENT_FAILURE,
    "phone has blocked sms": DeliveryStatus.PERMANENT_FAILURE,
    "phone carrier is currently unreachable/unavailable": DeliveryStatus.TEMPORARY_FAILURE,
    "phone is currently unreachable/unavailable": DeliveryStatus.TEMPORARY_FAILURE,
    "blocked as spam by phone carrier": DeliveryStatus.TECHNICAL_FAILURE,
    "phone carrier has blocked this message": DeliveryStatus.TECHNICAL_FAILURE,
    "message body is invalid": DeliveryStatus.TECHNICAL_FAILURE,
    "this delivery would exceed max price": DeliveryStatus.TECHNICAL_FAILURE,
    "unknown error attempting to reach phone": DeliveryStatus.UNCLASSIFIED,
    "no quota left for account": DeliveryStatus.UNCLASSIFIED,  # ours to look at: the number is not to blame
}
"""
All reasons that the Amazon SNS guide documents, "Viewing CloudWatch metrics and logs for SMS deliveries", and the
answer to a text beyond the account's spend limit.

The class of each is our own choice.
"""


def delivery_status(receipt: DeliveryReceipt) -> DeliveryStatus:
    """Class a receipt. A failure in words that nobody has documented is for a person to look at."""
    if receipt.delivered:
        return DeliveryStatus.DELIVERED
    if receipt.status is not None:
        return receipt.status
    return _STATUSES.get(" ".join(receipt.response.casefold().split()).rstrip(". "), DeliveryStatus.UNCLASSIFIED)


def record_receipt(contact: Contact, receipt: DeliveryReceipt) -> Contact:
    """
    Return a record with a receipt; the same record if it knows more already.

    A record never goes back to a state of a lower rank. Of two receipts of one state the same receipt always counts, so
    that their order makes no difference. A receipt of another message changes nothing: of another claim, or, where the
    service brings no claim back, of another message id.
    """
    if receipt.claim is not None:
        if receipt.claim.claim_id != contact.claim_id:
            return contact
    elif contact.message_id not in {"", receipt.message_id}:
        return contact
    if contact.state is ContactState.HELD_OUT:
        return contact  # nothing was sent
    state = ContactState.DELIVERED if receipt.delivered else ContactState.FAILED
    after = replace(
        contact,
        state=state,
        message_id=contact.message_id or receipt.message_id,
        reported_at=receipt.at,
        # Carriers may write anything, personal data included. Of an erased customer only the class is kept.
        response=receipt.response if contact.erased_at is None else "",
        delivery_status=delivery_status(receipt).value,
        billed_parts=receipt.billed_parts,
        billed_price_usd_micros=receipt.billed_price_usd_micros,
    )
    if (state.rank, *_details(after)) <= (contact.state.rank, *_details(contact)):
        return contact
    return after


def record_under_way(contact: Contact, under_way: UnderWay) -> Contact:
    """
    Return a record with the news that the service has the message; the same record if it knows that already.

    An unknown outcome is settled: the message was sent. A record that knows more keeps its state, and a refused one all
    of it. The message id is filled in where there is none. News of another claim changes nothing.
    """
    if under_way.claim is None or under_way.claim.claim_id != contact.claim_id:
        return contact
    if contact.state in {ContactState.REFUSED, ContactState.HELD_OUT}:
        return contact
    state = ContactState.SENT if contact.state is ContactState.UNKNOWN else contact.state
    message_id = contact.message_id or under_way.message_id
    if (state, message_id) == (contact.state, contact.message_id):
        return contact
    return replace(contact, state=state, message_id=message_id)


def _details(contact: Contact) -> tuple[float, str, str, int, int]:
    reported = contact.reported_at.timestamp() if contact.reported_at else 0.0
    return reported, contact.response, contact.delivery_status, contact.billed_parts, contact.billed_price_usd_micros
