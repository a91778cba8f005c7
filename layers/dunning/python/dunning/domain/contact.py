"""Contacts: the audit record of one claimed message."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ContactState(StrEnum):
    """What became of a claimed message, as far as we know."""

    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Contact:
    """
    One claimed message. `price` is the estimated carrier fee in millionths of a US dollar.

    `expires_at` is when the jurisdiction's retention ends and the record is deleted.
    """

    customer_id: str
    send_id: str
    claim_id: str
    at: datetime
    state: ContactState
    stage: int
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
