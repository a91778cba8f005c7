"""A reply as it is kept: who sent it, and what a person says that it means."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.replies.reply import InboundSms, Reply
from tests.support.people import NOW

INBOUND = InboundSms(inbound_id="reply-1", phone="+886900000001", text="月底繳", at=NOW)
REPLY = Reply(
    customer_id="C1", inbound=INBOUND, intents=("promise",), promised_on=None, expires_at=NOW + timedelta(days=9)
)
LABEL = ReplyLabel(at=NOW, sequence=1, intents=("paid", "promise"), promised_on=date(2026, 12, 31))


@pytest.mark.parametrize(
    ("phone", "address", "sender"),
    [
        ("+886900000001", "", "+886900000001"),
        ("+886900000001", "U1", "+886900000001"),
        ("", "U1", "U1"),
        ("", "", ""),
    ],
)
def test_a_reply_comes_from_its_number_or_on_a_channel_without_numbers_from_its_address(
    phone: str, address: str, sender: str
) -> None:
    assert replace(INBOUND, phone=phone, address=address).sender == sender


def test_a_reply_that_nobody_has_judged_has_no_label() -> None:
    assert REPLY.label is None


def test_a_reply_has_the_label_that_it_was_given() -> None:
    labelled = REPLY.with_label(LABEL)
    assert labelled.label == LABEL
    assert labelled.intents == REPLY.intents


@pytest.mark.parametrize(
    ("other", "counts"),
    [
        (ReplyLabel(at=NOW + timedelta(seconds=1), intents=("paid",)), True),
        (replace(LABEL, sequence=2), True),
        (replace(LABEL, sequence=0), False),
        (ReplyLabel(at=NOW - timedelta(seconds=1), sequence=9), False),
        (LABEL, False),
    ],
)
def test_of_two_labels_the_newer_counts_whichever_comes_first(other: ReplyLabel, counts: bool) -> None:  # noqa: FBT001 - a column
    newest = other if counts else LABEL
    assert REPLY.with_label(LABEL).with_label(other).label == newest
    assert REPLY.with_label(other).with_label(LABEL).label == newest


def test_the_first_label_of_a_moment_has_the_number_nought_unless_the_lender_counts() -> None:
    assert replace(REPLY, labelled_at=NOW, labels=("paid",)).label == ReplyLabel(at=NOW, intents=("paid",))
