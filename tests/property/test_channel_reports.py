"""What comes back on channels comes late, twice, in any order and in any bundles: what it comes to is the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dunning.contracts.channel_message import channel_message_body
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.channel_events import ChannelMessage
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.reply import Reply
from tests.support.channel_office import (
    LINE_USER,
    ChannelOffice,
    eum_body,
    line_body,
    line_event,
    marks_of,
    notification,
)
from tests.support.people import NOW

PEOPLE = {1: Channel.EMAIL, 2: Channel.SMS, 3: Channel.LINE}
"""Customers, and the channel on which each was sent a message whose outcome nobody knows."""

Body = tuple[str, str]
"""Which queue a message is on, and the message."""


def office_of(unrecorded: frozenset[int]) -> ChannelOffice:
    office = ChannelOffice()
    for number, channel in PEOPLE.items():
        state = None if number in unrecorded else ContactState.UNKNOWN
        office.contacted(channel, number, state=state, line_user_id=LINE_USER[:-1] + str(number))
    return office


def messages(office: ChannelOffice) -> list[Body]:
    """Return all that may come back about these customers."""
    mail: dict[str, Any] = {
        "messageId": "mail-1",
        "timestamp": "2026-12-01T02:00:00Z",
        "destination": ["wang@example.com"],
        "tags": {name: [mark] for name, mark in marks_of(office.claim(1)).items()},
    }
    events = [
        {"eventType": "Send", "mail": mail, "send": {}},
        {"eventType": "DeliveryDelay", "mail": mail, "deliveryDelay": {"timestamp": "2026-12-01T02:02:00Z"}},
        {"eventType": "Delivery", "mail": mail, "delivery": {"timestamp": "2026-12-01T02:03:00Z"}},
        {
            "eventType": "Bounce",
            "mail": mail,
            "bounce": {
                "timestamp": "2026-12-01T02:01:00Z", "bounceType": "Transient", "bounceSubType": "MailboxFull",
            },
        },
        {
            "eventType": "Bounce",
            "mail": mail,
            "bounce": {"timestamp": "2026-12-01T02:04:00Z", "bounceType": "Permanent", "bounceSubType": "General"},
        },
        {
            "eventType": "Complaint",
            "mail": mail,
            "complaint": {"timestamp": "2026-12-01T02:09:00Z", "feedbackId": "f-1"},
        },
    ]  # fmt: skip
    found: list[Body] = [("events", notification(event)) for event in events]
    found += [
        ("events", eum_body(office.claim(2), kind, final=final))
        for kind, final in (
            ("TEXT_PENDING", False), ("TEXT_DELIVERED", True), ("TEXT_INVALID", True), ("TEXT_UNREACHABLE", True),
        )
    ]  # fmt: skip
    user = LINE_USER[:-1] + "3"
    found += [
        ("events", line_body(line_event(kind, number, minutes=number, user=user)))
        for number, kind in enumerate(("unfollow", "follow", "unfollow", "follow"), 1)
    ]
    claim = office.claim(3)
    tag = f"{claim.claim_id}/{claim.customer_id}"
    found.append(("events", line_body(line_event("delivery", 9, delivery={"data": tag}))))
    found += [
        (
            "replies",
            channel_message_body(
                ChannelMessage(Channel.LINE, user, f"01H{minute}", NOW + timedelta(minutes=minute), button=button)
            ),
        )
        for minute, button in ((11, "opt_out"), (12, "opt_in"), (13, "paid"), (14, "surprise"))
    ]
    phone = office.store.facts["C0002"].phone
    stop = ChannelMessage(Channel.WHATSAPP, phone, "wamid.1", NOW + timedelta(minutes=15), text="退訂")
    return [*found, ("replies", channel_message_body(stop))]


COUNT = len(messages(office_of(frozenset())))


def result(office: ChannelOffice) -> tuple[dict[str, Contact], dict[str, Standing], dict[Any, Reply]]:
    """
    Return records, standings and replies, without how often they were written.

    What was decided on the way is left out, and which stops were announced: that is history, and the same standing
    leads to the same decision.
    """
    records = {key.customer_id: record for key, record in office.contacts.records.items()}
    standings = {
        customer_id: replace(
            standing,
            version=0,
            wake=None,
            planned_for="",
            reason="",
            announced=(),
            attention=tuple(sorted(review for review in standing.attention if review.reply_id)),
        )
        for customer_id, standing in office.store.standings.items()
    }
    return records, standings, office.contacts.replies


def receive(office: ChannelOffice, bundles: Sequence[Sequence[int]]) -> None:
    known = messages(office)
    for bundle in bundles:
        assert office.take(*(known[place][1] for place in bundle if known[place][0] == "events")) == []
        replies = [known[place][1] for place in bundle if known[place][0] == "replies"]
        replies += [body for body, _ in office.replies_queue.messages]
        office.replies_queue.messages.clear()
        if replies:
            assert office.read_replies(*replies) == []


def settled(bundles: Sequence[Sequence[int]], unrecorded: frozenset[int] = frozenset()) -> Any:  # noqa: ANN401
    office = office_of(unrecorded)
    # All is read long after the sender must be done, so that a record that is missing is written.
    office.clock.move_to(NOW + timedelta(hours=1))
    receive(office, bundles)
    assert office.look_again() == []
    return result(office)


@pytest.mark.slow(reason="plays what comes back on three channels twice over, for each example")
@settings(max_examples=60)
@given(
    subset=st.sets(st.integers(0, COUNT - 1)),
    data=st.data(),
    unrecorded=st.frozensets(st.sampled_from(sorted(PEOPLE))),
)
def test_any_order_any_repetition_and_any_bundles_end_in_the_same_state(
    subset: set[int], data: st.DataObject, unrecorded: frozenset[int]
) -> None:
    ordered = sorted(subset)
    repeats = data.draw(st.lists(st.sampled_from(ordered), max_size=4)) if ordered else []
    shuffled = data.draw(st.permutations([*ordered, *repeats]))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(shuffled)), max_size=4)))
    edges = [0, *cuts, len(shuffled)]
    bundles = [shuffled[first:last] for first, last in pairwise(edges)]
    assert settled(bundles, unrecorded) == settled([ordered], unrecorded)
