"""Replies: the texts of customers. Personal data: encrypted where it rests, kept for a time, never logged."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSms:
    """An SMS as it arrived. `inbound_id` is the carrier's, the same at each delivery; `phone` is E.164."""

    inbound_id: str
    phone: str
    text: str
    at: datetime
    in_reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    One customer's reply with its intents (values of `ReplyIntent`), none if no rule understands it.

    `customer_id` is empty if no customer has the number. The reply is deleted at `expires_at`.
    """

    customer_id: str
    inbound: InboundSms
    intents: tuple[str, ...]
    promised_on: date | None
    expires_at: datetime
