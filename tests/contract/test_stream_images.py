"""Images of a change stream: read as what they are, and without anybody's words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.adapters.dynamodb.items import contact_item, lender_record_item, reply_item, standing_item
from dunning.adapters.dynamodb.stream_images import DynamoImages
from dunning.domain.customer.standing import OpenReview, RecentDecision
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms, Reply
from tests.support.builders import a_lender_record
from tests.support.people import NOW, someone, waking

CONTACT = Contact(
    customer_id="C1", send_id="s", claim_id="c", at=NOW, state=ContactState.FAILED, stage=7, account_ids=("A1",),
    channel="sms", expires_at=NOW.replace(microsecond=0), lender="demo-tw", parts=2, price_usd_micros=80,
    delivery_status="opted_out",
)  # fmt: skip
REPLY = Reply(
    customer_id="C1",
    inbound=InboundSms(inbound_id="r", phone="+886900000001", text="", at=NOW),
    intents=("paid",),
    promised_on=None,
    expires_at=NOW.replace(microsecond=0) + timedelta(days=1),
    lender="demo-tw",
)


def test_a_standing_is_read_as_it_is_stored() -> None:
    standing = waking(
        someone(1),
        lender_id="demo-tw",
        recent=(RecentDecision(NOW.replace(microsecond=0), "on_hold"),),
        attention=(OpenReview("dispute", NOW, "r1"),),
    )
    read = DynamoImages().read(standing_item(standing, 4))
    assert read == standing
    assert (read.recent, read.lender_id) == (standing.recent, "demo-tw")


def test_a_contact_and_a_reply_are_read_without_their_words() -> None:
    sent = replace(CONTACT, text="王*明您好", response="blocked", reasons=("due",))
    assert DynamoImages().read(contact_item(sent)) == CONTACT
    wrote = replace(REPLY, inbound=replace(REPLY.inbound, text="我付了"), why=("付了",), digits="1234")
    assert DynamoImages().read(reply_item(wrote)) == REPLY


def test_a_reply_of_nobody_has_no_customer() -> None:
    read = DynamoImages().read(reply_item(replace(REPLY, customer_id="", lender="")))
    assert isinstance(read, Reply)
    assert read.customer_id == ""


def test_what_a_lender_has_said_is_not_counted() -> None:
    assert DynamoImages().read(lender_record_item(a_lender_record(someone(1)))) is None


@pytest.mark.parametrize("damage", [{"ledger": {"S": "?"}}, {"version": {"N": "0"}}, {"item": {"S": 7}}])
def test_a_damaged_image_is_an_error_of_ours(damage: dict[str, dict[str, object]]) -> None:
    with pytest.raises(UnreadableRecordError):
        DynamoImages().read({**standing_item(waking(someone(1)), 4), **damage})
