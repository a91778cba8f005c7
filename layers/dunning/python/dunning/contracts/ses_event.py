"""
Events of Amazon SES about mails, as its topic publishes them to a queue.

The claim comes back among the tags. What receiving servers say is left out: it may quote an address.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from dunning.contracts.claim_marks import claim_of_labels
from dunning.contracts.json_objects import objects_in
from dunning.contracts.notification import aware_moment, read_notified
from dunning.domain.delivery.channel_events import ChannelEvents, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus, UnderWay

MAIL_EVENTS: Mapping[str, str] = {
    "Send": "send",
    "Reject": "reject",
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Delivery": "delivery",
    "Rendering Failure": "failure",
    "DeliveryDelay": "deliveryDelay",
    "Subscription": "subscription",
}
"""The kinds of events that are read, and the member with the details of each. Openings and clicks are not tracked."""

NOT_TRACKED = frozenset({"Open", "Click"})

_HARD_BOUNCES: Mapping[str, DeliveryStatus] = {"UnsubscribedRecipient": DeliveryStatus.OPTED_OUT}
"""Permanent bounces that are not about the address; all others are."""

_SOFT_BOUNCES: Mapping[str, DeliveryStatus] = {
    "General": DeliveryStatus.TEMPORARY_FAILURE,
    "MailboxFull": DeliveryStatus.TEMPORARY_FAILURE,
    "CustomTimeoutExceeded": DeliveryStatus.TEMPORARY_FAILURE,
    "MessageTooLarge": DeliveryStatus.TECHNICAL_FAILURE,
    "ContentRejected": DeliveryStatus.TECHNICAL_FAILURE,
    "AttachmentRejected": DeliveryStatus.TECHNICAL_FAILURE,
}
"""Transient bounces, which SES reports when it has stopped trying."""

_SUPPRESSED = "OnAccountSuppressionList"
_LONGEST_ADDRESS = 320
_SUBTYPES = frozenset(
    {
        *_HARD_BOUNCES, *_SOFT_BOUNCES, _SUPPRESSED, "NoEmail", "Suppressed", "Undetermined",
    }
)  # fmt: skip


class _Mail(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    message_id: str = Field(alias="messageId", pattern=r"^[!-~]{1,256}$")
    at: object = Field(alias="timestamp", default=None)
    tags: object = None
    destination: object = None


class _MailEvent(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: str = Field(alias="eventType", max_length=64)
    mail: _Mail


class _AboutMail(NamedTuple):
    """A mail's event without its kind: whose mail it was, when the event was, and its details."""

    claim: ClaimKey | None
    message_id: str
    at: datetime
    address: str
    details: Mapping[str, Any]


def parse_ses_event(body: str, sent_at: datetime) -> ChannelEvents:
    """
    Read an event in whatever SNS and SQS have wrapped it.

    An event without a readable time of its own has that of its notification, else `sent_at`. An opening or a click,
    which nothing should report, is counted as unreadable, and so is a kind that nobody knows.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    payload, event, notified_at = read_notified(body, sent_at, _MailEvent, "a mail")
    member = MAIL_EVENTS.get(event.kind)
    if member is None or not isinstance(payload, dict):
        return ChannelEvents(unreadable=1)
    details = payload.get(member)
    details = details if isinstance(details, dict) else {}
    at = aware_moment(details.get("timestamp")) or (aware_moment(event.mail.at) if event.kind == "Send" else None)
    claim = claim_of_labels(_first_of_each(event.mail.tags))
    return _events(
        event.kind, _AboutMail(claim, event.mail.message_id, at or notified_at, _only(event.mail.destination), details)
    )


def _events(kind: str, event: _AboutMail) -> ChannelEvents:
    match kind:
        case "Delivery":
            return _mail_receipt(event, DeliveryStatus.DELIVERED, "")
        case "Bounce":
            return _bounced(event)
        case "Reject" | "Rendering Failure":
            return _mail_receipt(event, DeliveryStatus.TECHNICAL_FAILURE, kind)
        case "Complaint":
            return _complained(event)
        case "Subscription":
            return _subscribed(event)
        case _:  # sent, or late: neither arrived nor failed
            return ChannelEvents(under_way=(UnderWay(event.claim, event.message_id, event.at),))


def _bounced(event: _AboutMail) -> ChannelEvents:
    kind, subtype = (str(event.details.get(name, "")) for name in ("bounceType", "bounceSubType"))
    words = f"{kind} {subtype if subtype in _SUBTYPES else 'Other'}"
    if kind == "Permanent":
        return _mail_receipt(event, _HARD_BOUNCES.get(subtype, DeliveryStatus.PERMANENT_FAILURE), words)
    if kind == "Transient" and subtype in _SOFT_BOUNCES:
        return _mail_receipt(event, _SOFT_BOUNCES[subtype], words)
    # SES cannot say what the receiving server meant, and the mail may have arrived: nothing follows.
    return ChannelEvents(under_way=(UnderWay(event.claim, event.message_id, event.at),))


def _complained(event: _AboutMail) -> ChannelEvents:
    wishes = (_wish(event, Wish.COMPLAINED, event.details.get("feedbackId")),)
    if event.details.get("complaintSubType") != _SUPPRESSED:
        return ChannelEvents(wishes=wishes)
    # An earlier complaint: SES has taken the mail, and has not sent it.
    return _mail_receipt(event, DeliveryStatus.PERMANENT_FAILURE, f"Complaint {_SUPPRESSED}")._replace(wishes=wishes)


def _subscribed(event: _AboutMail) -> ChannelEvents:
    """Read a change of preferences in the list of SES: only that somebody wants no more mail concerns us."""
    now = event.details.get("newTopicPreferences")
    preferences = now if isinstance(now, dict) else {}
    topics = objects_in(preferences.get("topicSubscriptionStatus"))
    wanted = [topic.get("subscriptionStatus") for topic in topics]
    if preferences.get("unsubscribeAll") is not True and (not wanted or any(status != "OptOut" for status in wanted)):
        return ChannelEvents()
    return ChannelEvents(wishes=(_wish(event, Wish.UNSUBSCRIBED, None),))


def _wish(event: _AboutMail, wish: Wish, event_id: object) -> ChannelWish:
    known = event_id if isinstance(event_id, str) and event_id.isascii() and event_id.isprintable() else ""
    return ChannelWish(
        channel=Channel.EMAIL,
        wish=wish,
        event_id=(known or f"{event.message_id}:{wish.value}")[:256],
        at=event.at,
        address=event.address,
        claim=event.claim,
    )


def _mail_receipt(event: _AboutMail, status: DeliveryStatus, words: str) -> ChannelEvents:
    receipt = DeliveryReceipt(
        message_id=event.message_id,
        at=event.at,
        phone="",
        delivered=status is DeliveryStatus.DELIVERED,
        response=words,
        claim=event.claim,
        status=status,
    )
    return ChannelEvents(receipts=(receipt,))


def _first_of_each(tags: object) -> dict[str, object]:
    """Return the tags, of which SES writes each as a list of values."""
    found = tags if isinstance(tags, dict) else {}
    return {name: values[0] for name, values in found.items() if isinstance(values, list) and values}


def _only(destination: object) -> str:
    """Return the address of a mail to one person."""
    match destination:
        case [str(address)] if len(address) <= _LONGEST_ADDRESS and address.isascii() and address.isprintable():
            return address
        case _:
            return ""
