"""What a carrier's report means, and that a record only ever learns more."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import (
    ClaimKey,
    DeliveryReceipt,
    DeliveryStatus,
    UnderWay,
    delivery_status,
    record_receipt,
    record_under_way,
)
from tests.support.people import NOW

SENT = Contact(
    customer_id="C1",
    send_id="s",
    claim_id="c",
    at=NOW,
    state=ContactState.SENT,
    stage=3,
    account_ids=("A1",),
    channel="sms",
    expires_at=NOW,
    message_id="m1",
)


def report(response: str = "", *, delivered: bool = False, minutes: int = 1, **more: Any) -> DeliveryReceipt:  # noqa: ANN401
    return DeliveryReceipt(
        message_id="m1",
        at=NOW + timedelta(minutes=minutes),
        phone="+886900000001",
        delivered=delivered,
        response=response,
        **more,
    )


ARRIVED = report("Message has been accepted by phone", delivered=True)


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ("Blocked as spam by phone carrier", DeliveryStatus.TECHNICAL_FAILURE),
        ("Destination is on a blocked list", DeliveryStatus.PERMANENT_FAILURE),
        ("Invalid phone number", DeliveryStatus.PERMANENT_FAILURE),
        ("Message body is invalid", DeliveryStatus.TECHNICAL_FAILURE),
        ("Phone carrier has blocked this message", DeliveryStatus.TECHNICAL_FAILURE),
        ("Phone carrier is currently unreachable/unavailable", DeliveryStatus.TEMPORARY_FAILURE),
        ("Phone has blocked SMS", DeliveryStatus.PERMANENT_FAILURE),
        ("Phone is on a blocked list", DeliveryStatus.PERMANENT_FAILURE),
        ("Phone is currently unreachable/unavailable", DeliveryStatus.TEMPORARY_FAILURE),
        ("Phone number is opted out", DeliveryStatus.OPTED_OUT),
        ("This delivery would exceed max price", DeliveryStatus.TECHNICAL_FAILURE),
        ("Unknown error attempting to reach phone", DeliveryStatus.UNCLASSIFIED),
        ("No quota left for account", DeliveryStatus.UNCLASSIFIED),
        ("  phone number IS  opted out. ", DeliveryStatus.OPTED_OUT),
        ("Something nobody has documented", DeliveryStatus.UNCLASSIFIED),
        ("", DeliveryStatus.UNCLASSIFIED),
    ],
)
def test_each_documented_answer_has_its_class_and_an_unknown_one_has_none(
    response: str, status: DeliveryStatus
) -> None:
    assert delivery_status(report(response)) is status


def test_a_delivered_text_is_delivered_whatever_the_carrier_writes() -> None:
    assert delivery_status(report("Invalid phone number", delivered=True)) is DeliveryStatus.DELIVERED


def test_a_receipt_brings_a_record_forward_with_what_was_billed() -> None:
    after = record_receipt(SENT, report(delivered=True, billed_parts=2, billed_price_usd_micros=12_900))
    assert (after.state, after.billed_parts, after.billed_price_usd_micros) == (ContactState.DELIVERED, 2, 12_900)
    assert after.reported_at == NOW + timedelta(minutes=1)


def test_a_receipt_that_names_its_claim_needs_no_message_id() -> None:
    arrived = replace(ARRIVED, message_id="", claim=ClaimKey("C1", "c"), status=DeliveryStatus.DELIVERED)
    after = record_receipt(SENT, arrived)
    assert (after.state, after.message_id) == (ContactState.DELIVERED, "m1")
    assert record_receipt(replace(SENT, message_id=""), arrived).message_id == ""
    assert record_receipt(SENT, replace(arrived, claim=ClaimKey("C1", "another"))) is SENT
    assert record_receipt(SENT, replace(arrived, message_id="m1", claim=ClaimKey("C1", "another"))) is SENT


def test_a_receipt_with_a_status_of_its_service_needs_no_words() -> None:
    failed = replace(report("Invalid phone number"), status=DeliveryStatus.TECHNICAL_FAILURE)
    assert delivery_status(failed) is DeliveryStatus.TECHNICAL_FAILURE
    assert record_receipt(SENT, failed).delivery_status == "technical_failure"


def test_an_unknown_record_gets_its_message_id() -> None:
    after = record_receipt(replace(SENT, state=ContactState.UNKNOWN, message_id=""), ARRIVED)
    assert (after.state, after.message_id) == (ContactState.DELIVERED, "m1")


def test_a_receipt_of_another_message_says_nothing_about_a_record() -> None:
    another = replace(ARRIVED, message_id="m2")
    assert record_receipt(SENT, another) is SENT
    lost = replace(SENT, state=ContactState.UNKNOWN, message_id="")
    assert record_receipt(record_receipt(lost, ARRIVED), another) == record_receipt(lost, ARRIVED)


def test_a_record_that_was_closed_is_opened_by_a_late_receipt() -> None:
    assert record_receipt(replace(SENT, state=ContactState.UNCONFIRMED), ARRIVED).state is ContactState.DELIVERED


def test_a_text_that_arrived_did_not_fail_whatever_comes_later() -> None:
    arrived = record_receipt(SENT, ARRIVED)
    assert record_receipt(arrived, report("Invalid phone number", minutes=90)) is arrived


def test_only_the_class_of_a_failure_is_kept_of_an_erased_customer() -> None:
    failed = record_receipt(replace(SENT, erased_at=SENT.at), report("Invalid phone number"))
    assert (failed.state, failed.response, failed.delivery_status) == (ContactState.FAILED, "", "permanent_failure")
    assert record_receipt(failed, report("Invalid phone number")) is failed


def test_of_a_customer_who_is_not_erased_the_carriers_words_are_kept() -> None:
    assert record_receipt(SENT, report("Invalid phone number")).response == "Invalid phone number"


def test_what_neither_the_record_nor_a_receipt_says_of_segments_and_fees_is_nothing() -> None:
    for record in (SENT, record_receipt(SENT, report(delivered=True))):
        assert (record.parts, record.price_usd_micros) == (0, 0)
        assert (record.billed_parts, record.billed_price_usd_micros) == (0, 0)


def test_of_what_was_never_sent_no_receipt_says_anything() -> None:
    held_out = replace(SENT, state=ContactState.HELD_OUT)
    assert record_receipt(held_out, ARRIVED) is held_out
    claim = ClaimKey("C1", "c")
    assert record_receipt(held_out, replace(ARRIVED, claim=claim)) is held_out
    nameless = replace(held_out, message_id="")
    assert record_under_way(nameless, UnderWay(claim, "m1", NOW)) is nameless


@pytest.mark.parametrize(
    "changes",
    [
        {"at": NOW + timedelta(hours=1)},
        {"response": "Phone has blocked SMS"},
        {"status": DeliveryStatus.TECHNICAL_FAILURE},
        {"billed_parts": 2},
        {"billed_price_usd_micros": 7},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_of_two_receipts_that_differ_in_anything_the_same_counts_whichever_comes_first(changes: dict[str, Any]) -> None:
    first, second = report("Invalid phone number"), replace(report("Invalid phone number"), **changes)
    assert record_receipt(SENT, first) != record_receipt(SENT, second)
    assert record_receipt(record_receipt(SENT, first), second) == record_receipt(record_receipt(SENT, second), first)


def test_a_receipt_that_comes_again_changes_nothing() -> None:
    failed = record_receipt(SENT, report("Invalid phone number"))
    assert record_receipt(failed, report("Invalid phone number")) is failed


RECEIPTS = st.lists(
    st.builds(
        report,
        st.sampled_from(["", "Invalid phone number", "Phone number is opted out"]),
        delivered=st.booleans(),
        minutes=st.integers(0, 3),
        billed_parts=st.integers(0, 2),
    ),
    max_size=4,
)


@given(RECEIPTS, st.sampled_from([ContactState.SENT, ContactState.UNKNOWN, ContactState.UNCONFIRMED]))
def test_the_order_and_repetition_of_receipts_make_no_difference_and_no_record_goes_back(
    receipts: list[DeliveryReceipt], state: ContactState
) -> None:
    before = replace(SENT, state=state)
    ends = set()
    for order in permutations(receipts):
        contact = before
        for receipt in (*order, *order[:2]):
            after = record_receipt(contact, receipt)
            assert after.state.rank >= contact.state.rank
            contact = after
        ends.add(contact)
    assert len(ends) == 1
