"""Replies: what a customer wrote to us. Personal data: encrypted where it rests, kept for a time, never logged."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class InboundSms:
    """An SMS as it came in. `inbound_id` is the carrier's, the same if it is delivered again; `phone` is E.164."""

    inbound_id: str
    phone: str
    text: str
    at: datetime
    in_reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What one customer wrote, and how it was understood: codes of `Meaning`, none if no rule understands it.

    `customer_id` is empty for a number that no customer has. `expires_at` is when it is deleted.
    """

    customer_id: str
    inbound: InboundSms
    intents: tuple[str, ...]
    promised_on: date | None
    expires_at: datetime
