"""Contacts: the audit record of one claimed message."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ContactState(StrEnum):
    """The outcome of a claimed message, as far as we know it."""

    HELD_OUT = "held_out"
    """Nothing was sent, by lot. No receipt follows."""
    UNKNOWN = "unknown"
    SENT = "sent"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    DELIVERED = "delivered"

    @property
    def rank(self) -> int:
        """The order of knowledge: a record only moves to a state of a higher rank."""
        return list(ContactState).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One claimed message, and its audit record. Prices are in millionths of a US dollar."""

    customer_id: str
    """The customer who was texted."""
    send_id: str
    """The id of the text, the same in every delivery of its job (`decide.send_id_of`)."""
    claim_id: str
    """The id of the claim, which no other attempt has."""
    at: datetime
    """The time of the claim."""
    state: ContactState
    """The outcome, as far as it is known."""
    stage: int | None
    """The stage whose words the text uses; `None` if the text is no reminder."""
    account_ids: tuple[str, ...]
    """The accounts the text speaks of."""
    channel: str
    """The way of contact."""
    expires_at: datetime
    """The end of the jurisdiction's retention, when the record is deleted."""
    lender: str = ""
    """The id of the lender's policy."""
    jurisdiction: str = ""
    """The place whose law the text was judged by."""
    phone: str = ""
    """The number texted or called, E.164; empty on a channel of another kind of address."""
    text: str = ""
    """The words handed to SNS."""
    encoding: str = ""
    """The encoding of the segments, the carrier's additions included."""
    parts: int = 0
    """The number of segments, as estimated before sending."""
    template: str = ""
    """The wording's `id@version`."""
    registered_template: str = ""
    """The id of the wording's registration with the carrier, or empty."""
    message_id: str = ""
    """The id that SNS gave the message; empty if SNS did not accept the message or did not answer."""
    code: str = ""
    """The error code of a message that was not accepted."""
    price_usd_micros: int = 0
    """The carrier fee, as estimated before sending."""
    reasons: tuple[str, ...] = ()
    """The trace of the gates that led to the text."""
    reported_at: datetime | None = None
    """The time that the delivery receipt gives."""
    response: str = ""
    """The carrier's own words in the receipt."""
    delivery_status: str = ""
    """The class of the carrier's words (`receipt.DeliveryStatus`)."""
    billed_parts: int = 0
    """The number of segments billed; 0 if the receipt does not say."""
    billed_price_usd_micros: int = 0
    """The fee billed; 0 if the receipt does not say."""
    erased_at: datetime | None = None
    """The time at which an erasure removed the number, the address, the text and the carrier's words."""
    gateway: str = ""
    """The name of the gateway; empty for SNS."""
    address: str = ""
    """The e-mail address or the LINE user id; empty on a channel that has a number."""
    lapses_at: datetime | None = None
    """The moment after which the message must not arrive; `None` if it is not on record."""
    draws: str = ""
    """What chance decided, and with which probability (`draws.draws_to_text`); empty outside of all trials."""
    payer_segment: str = ""
    """The payer segment of the customer at the claim; empty if the policy has none and no trial drew."""
    asked: str = ""
    """What the stage asked for (`drawn_rungs.asked_to_text`); empty outside of all trials."""
    local_hour: int | None = None
    """The hour of the claim where the customer lives; `None` if the zones in question do not agree."""
