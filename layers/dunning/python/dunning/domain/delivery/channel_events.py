"""
Channel events: what comes back from the services that send messages, one form for all of them.

Services report late, twice and out of order. An event says only what is certain: that a message was taken, that it
arrived or did not, what a person did or wrote.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, UnderWay


class Wish(StrEnum):
    """What a person did with a channel, without words."""

    COMPLAINED = "complained"
    """Marked a mail as unwanted."""
    UNSUBSCRIBED = "unsubscribed"
    """Asked for no more mail by the button of the mail program, or in the service's list of preferences."""
    BLOCKED = "blocked"
    """Blocked our account, or removed it from the friends."""
    FOLLOWED = "followed"
    """Added our account as a friend, or unblocked it."""


class ChannelWish(NamedTuple):
    """
    A wish of a person about one channel.

    `address` is personal data, and empty if the event names none but the claim. `event_id` is the same at each
    delivery.
    """

    channel: Channel
    wish: Wish
    event_id: str
    at: datetime
    address: str = ""
    claim: ClaimKey | None = None
    is_redelivery: bool = False


class ChannelMessage(NamedTuple):
    """
    What a person wrote to us, or the button that a person pressed.

    `text` are the person's words, or empty. `button` is the code of the pressed button, as we sent it, or empty: its
    meaning needs no reading. A message that is neither, a picture for example, has both empty: a person has to look.
    """

    channel: Channel
    address: str
    inbound_id: str
    at: datetime
    text: str = ""
    button: str = ""
    is_redelivery: bool = False


class ChannelEvents(NamedTuple):
    """The events of one message of a queue or a webhook, and how many of them cannot be read."""

    receipts: tuple[DeliveryReceipt, ...] = ()
    under_way: tuple[UnderWay, ...] = ()
    wishes: tuple[ChannelWish, ...] = ()
    messages: tuple[ChannelMessage, ...] = ()
    unreadable: int = 0
