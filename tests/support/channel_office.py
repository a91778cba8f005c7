"""Whoever hears what comes back on channels, on fakes: reports, blocks, words, and the customers they are about."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from dunning.contracts.channel_message import is_channel_message
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry, Standing
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import ClaimKey
from dunning.ports.queues import InboundMessage, QueueMessage
from dunning.services.channel_wishes import ChannelWishService
from dunning.services.delivery_receipts import DeliveryReceiptService
from dunning.services.replies import ReplyService
from dunning.services.send.confirmations import OptOutConfirmations
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.take_channel_events import ChannelEventService
from tests.support.builders import a_contact, a_lender_record, the_policies
from tests.support.fakes import (
    ContestedCustomers,
    FakeClock,
    FakeContacts,
    FakeDelayQueue,
    FakeEventPublisher,
    FakeGateway,
    FakeNews,
    FakeOptOutList,
    FakeQueue,
    FakeSwitch,
    FakeTelemetry,
)
from tests.support.people import NOW, someone, texted, waking
from tests.support.replies import NoReader

LINE_USER = "U" + "a1" * 16
MAIL = "wang@example.com"


class ChannelOffice:
    """Three services and their ports; `read_replies` hands over what was put on the queue of the replies."""

    def __init__(self, reader: Any = None) -> None:  # noqa: ANN401 - a reader of replies
        self.store, self.contacts = ContestedCustomers(), FakeContacts()
        self.later, self.replies_queue, self.events_queue = FakeDelayQueue(), FakeDelayQueue(), FakeQueue()
        self.publisher, self.telemetry, self.switch = FakeEventPublisher(), FakeTelemetry(), FakeSwitch()
        self.clock, self.gateway, self.opt_out_list = (
            FakeClock(NOW + timedelta(seconds=30)),
            FakeGateway(),
            FakeOptOutList(),
        )
        self._ids = count(1)
        shared: dict[str, Any] = {"policies": the_policies(), "clock": self.clock, "telemetry": self.telemetry}
        self.receipts = DeliveryReceiptService(
            store=self.store,
            phones=self.store,
            contacts=self.contacts,
            delay_queue=self.later,
            publisher=self.publisher,
            **shared,
        )
        self.wishes = ChannelWishService(store=self.store, addresses=self.store, publisher=self.publisher, **shared)
        self.channel_events = ChannelEventService(
            receipts=self.receipts,
            wishes=self.wishes,
            replies=self.replies_queue,
            queue=self.events_queue,
            telemetry=self.telemetry,
        )
        self.replies = ReplyService(
            store=self.store,
            phones=self.store,
            replies=self.contacts,
            contacts=self.contacts,
            reader=reader or NoReader(),
            confirmations=OptOutConfirmations(
                store=self.store,
                contacts=self.contacts,
                gateways=GatewaysByName(self.gateway),
                switch=self.switch,
                new_id=lambda: f"id-{next(self._ids)}",
                **shared,
            ),
            opt_out_list=self.opt_out_list,
            publisher=self.publisher,
            queue=FakeQueue(),
            failures=FakeNews(),
            receives_before_person=5,
            **shared,
        )

    def contacted(
        self,
        channel: Channel,
        number: int = 1,
        *,
        state: ContactState | None = ContactState.UNKNOWN,
        **changes: Any,  # noqa: ANN401 - fields of the facts
    ) -> Facts:
        """Put a customer there who was sent a message on a channel, with a record in some state, or none yet."""
        facts = someone(number, **({"email": MAIL, "line_user_id": LINE_USER} if number == 1 else {}) | changes)
        entry = replace(texted(facts, NOW, claim_id=claim_id(number)), channel=channel.value, send_id="5e" * 16)
        self.store.lender_records[facts.customer_id] = a_lender_record(facts)
        self.store.standings[facts.customer_id] = waking(facts, ledger=(entry,))
        for address in filter(None, (facts.phone, facts.email, facts.line_user_id)):
            self.store.phones[address.lower() if "@" in address else address] = frozenset({facts.customer_id})
        if state is not None:
            self.contacts.write([record_of(facts, entry, channel, state)])
        return facts

    def claim(self, number: int = 1) -> ClaimKey:
        """Return the claim of a customer's message as a service brings it back."""
        entry = self.standing(number).ledger[0]
        return ClaimKey(f"C{number:04d}", entry.claim_id, entry.send_id, entry.at)

    def standing(self, number: int = 1) -> Standing:
        """Return a customer's standing."""
        return self.store.standings[f"C{number:04d}"]

    @property
    def records(self) -> list[Contact]:
        """The audit records."""
        return list(self.contacts.records.values())

    def take(self, *bodies: str, receives: int = 1) -> list[str]:
        """Hand over messages of the queue of channel events."""
        messages = [InboundMessage(f"e{place}", body, receives, NOW) for place, body in enumerate(bodies)]
        return self.channel_events.handle_batch(messages)

    def read_replies(self, *bodies: str) -> list[str]:
        """Hand over these bodies, or without any what is on the queue of the replies."""
        if not bodies:
            bodies = tuple(body for body, _ in self.replies_queue.messages)
            self.replies_queue.messages.clear()
        assert all(map(is_channel_message, bodies))
        messages = [InboundMessage(f"r{place}", body, 1, NOW) for place, body in enumerate(bodies)]
        return self.replies.handle_batch(messages, lambda: 60.0)

    def look_again(self) -> list[str]:
        """Hand over the reports that have waited for their records."""
        messages, self.later.messages = self.later.messages, []
        return self.receipts.handle_waiting(
            [QueueMessage(f"w{place}", body, 1) for place, (body, _) in enumerate(messages)]
        )

    def reasons(self, kind: type) -> list[Any]:
        """Return the published events of a kind."""
        return [event for event in self.publisher.published if isinstance(event, kind)]


def claim_id(number: int) -> str:
    """Return the id of a customer's claim."""
    return f"{number:032x}"


def record_of(facts: Facts, entry: LedgerEntry, channel: Channel, state: ContactState) -> Contact:
    """Return the record of a message."""
    address = facts.address_of(channel)
    is_number = address.startswith("+")
    return replace(
        a_contact(facts.customer_id, entry, state, NOW + timedelta(days=1827)),
        channel=channel.value,
        phone=address if is_number else "",
        address="" if is_number else address,
        text="...",
        message_id="" if state is ContactState.UNKNOWN else "taken-1",
    )


def eum_body(claim: ClaimKey | None, kind: str, *, final: bool = True, message_id: str = "m-1") -> str:
    """Return an event of End User Messaging, as the topic's notification."""
    event = {
        "eventType": kind,
        "eventTimestamp": int((NOW + timedelta(seconds=3)).timestamp() * 1000),
        "isFinal": final,
        "messageId": message_id,
        "context": marks_of(claim) if claim else {},
    }
    return notification(event)


def marks_of(claim: ClaimKey) -> dict[str, str]:
    """Return the marks of a claim, as they travel."""
    assert claim.claimed_at is not None
    return {
        "customer_id": claim.customer_id,
        "send_id": claim.send_id,
        "claim_id": claim.claim_id,
        "claimed_at": str(int(claim.claimed_at.timestamp() * 1_000_000)),
    }


def notification(event: dict[str, Any]) -> str:
    """Return an event in what SNS puts around it."""
    return json.dumps({"Type": "Notification", "Message": json.dumps(event), "Timestamp": "2026-12-01T02:00:05.000Z"})


def line_body(*events: dict[str, Any]) -> str:
    """Return the body of a webhook of LINE."""
    return json.dumps({"destination": "U" + "0" * 32, "events": events}, ensure_ascii=False)


def line_event(
    kind: str, number: int, *, minutes: float = 1, user: str = LINE_USER, **details: object
) -> dict[str, Any]:
    """Return an event of a person on LINE, some minutes after the message."""
    at = NOW + timedelta(minutes=minutes)
    return {
        "type": kind,
        "timestamp": int(at.timestamp() * 1000),
        "webhookEventId": f"01H{number:023}",
        "source": {"type": "user", "userId": user},
        **details,
    }


def bodies(office: ChannelOffice) -> Sequence[dict[str, Any]]:
    """Return what is on the queue of the replies."""
    return [json.loads(body) for body, _ in office.replies_queue.messages]
