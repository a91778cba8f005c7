"""What happens in a played world between two moments: texts, replies, wakes, and who is handed to a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from dunning.adapters.dynamodb import items
from dunning.adapters.dynamodb.keys import REPLY
from tests.local.cloud import LocalCloud, parse_wake


class TextSent(NamedTuple):
    """A text to a customer; `stage` is `None` if it is no reminder."""

    customer_id: str
    stage: int | None


class ReplyRead(NamedTuple):
    """A reply of a customer and what was understood: intents, none if it is in doubt."""

    customer_id: str
    intents: tuple[str, ...]


class WakeMoved(NamedTuple):
    """A customer's next decision was moved; `None` if only new facts can lead to one."""

    customer_id: str
    at: datetime | None


class HandedOver(NamedTuple):
    """A customer who needs a person, and why."""

    customer_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What happened, each in the order in which it did, or by customer."""

    texts: Sequence[TextSent] = ()
    replies: Sequence[ReplyRead] = ()
    wakes: Sequence[WakeMoved] = ()
    handed_over: Sequence[HandedOver] = ()
    receipts: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether nothing happened."""
        return not (self.texts or self.replies or self.wakes or self.handed_over or self.receipts)


class Watch:
    """Remembers how a world stands, and tells what has happened since."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._sent = len(cloud.outbox)
        self._published = len(cloud.published_events)
        self._wakes = _wakes(cloud)
        self._replies = _replies(cloud).keys()
        self._reported = _reported(cloud)

    def look(self) -> Happened:
        """Return what has happened since the watch began."""
        cloud = self._cloud
        contacts = {
            item["message_id"]["S"]: items.contact_of(item)
            for item in cloud.items(cloud.stack.contacts_table)
            if "message_id" in item
        }
        sent = [contacts[sms.message_id] for sms in cloud.outbox[self._sent :] if sms.message_id in contacts]
        wakes, replies = _wakes(cloud), _replies(cloud)
        return Happened(
            texts=[TextSent(contact.customer_id, contact.stage) for contact in sent],
            replies=[reply for key, reply in replies.items() if key not in self._replies],
            wakes=[
                WakeMoved(customer_id, wakes.get(customer_id))
                for customer_id in sorted(wakes.keys() | self._wakes.keys())
                if wakes.get(customer_id) != self._wakes.get(customer_id)
            ],
            handed_over=[
                HandedOver(event.detail["customer_id"], event.detail.get("why", "not_understood"))
                for event in cloud.published_events[self._published :]
                if event.kind in {"CustomerNeedsPerson", "ReplyNotUnderstood"}
            ],
            receipts=_reported(cloud) - self._reported,
        )


def _wakes(cloud: LocalCloud) -> Mapping[str, datetime]:
    return {
        item["customer_id"]["S"]: parse_wake(item["wake_key"]["S"])
        for item in cloud.items(cloud.stack.customers_table)
        if "wake_key" in item
    }


def _replies(cloud: LocalCloud) -> Mapping[tuple[str, str], ReplyRead]:
    kept = (item for item in cloud.items(cloud.stack.contacts_table) if item["contact"]["S"].startswith(REPLY))
    found = ((item, items.reply_of(item)) for item in kept)
    return {
        (item["customer_id"]["S"], item["contact"]["S"]): ReplyRead(reply.customer_id, tuple(reply.intents))
        for item, reply in sorted(found, key=lambda pair: pair[1].inbound.at)
    }


def _reported(cloud: LocalCloud) -> int:
    """Return how many texts the carrier has reported on."""
    return sum("reported_at" in item for item in cloud.items(cloud.stack.contacts_table))
