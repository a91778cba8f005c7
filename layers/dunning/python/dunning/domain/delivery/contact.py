"""Contacts: the audit record of one claimed message."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ContactState(StrEnum):
    """What became of a claimed message, as far as we know."""

    UNKNOWN = "unknown"
    SENT = "sent"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    DELIVERED = "delivered"

    @property
    def rank(self) -> int:
        """How much is known: a record only ever moves to a state of a higher rank."""
        return list(ContactState).index(self)


@dataclass(frozen=True, slots=True)
class Contact:
    """
    One claimed message. `price` is the estimated carrier fee in millionths of a US dollar.

    `stage` is `None` for what is no reminder. `expires_at` is when the jurisdiction's retention ends and the record is
    deleted. The carrier's receipt adds when it was `reported_at`, its own words as `response`, the class of them as
    `delivery_status`, and what it billed. `erased_at` is when number, text and the carrier's words were taken out.
    """

    customer_id: str
    send_id: str
    claim_id: str
    at: datetime
    state: ContactState
    stage: int | None
    account_ids: tuple[str, ...]
    channel: str
    expires_at: datetime
    lender: str = ""
    jurisdiction: str = ""
    phone: str = ""
    text: str = ""
    encoding: str = ""
    parts: int = 0
    template: str = ""
    registered_template: str = ""
    message_id: str = ""
    code: str = ""
    price: int = 0
    reasons: tuple[str, ...] = ()
    reported_at: datetime | None = None
    response: str = ""
    delivery_status: str = ""
    billed_parts: int = 0
    billed_price: int = 0
    erased_at: datetime | None = None
