"""What services report beside receipts, and on channels beside SMS: what a record learns, and what follows."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from dunning.domain.customer.standing import AddressSince, Standing
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import (
    ClaimKey,
    DeliveryReceipt,
    DeliveryStatus,
    UnderWay,
    record_receipt,
    record_under_way,
)
from dunning.domain.delivery.receipt_effects import apply_receipt
from tests.support.people import NOW, someone

CLAIM = ClaimKey("C0001", "claim", "send", NOW)
TAKEN = UnderWay(CLAIM, "m-1", NOW + timedelta(seconds=1))


def record(state: ContactState = ContactState.UNKNOWN, **changes: Any) -> Contact:  # noqa: ANN401 - fields
    fields: dict[str, Any] = {
        "customer_id": "C0001",
        "send_id": "send",
        "claim_id": "claim",
        "at": NOW,
        "state": state,
        "stage": -3,
        "account_ids": ("A0001-0",),
        "channel": "line",
        "expires_at": NOW + timedelta(days=1827),
    }
    return Contact(**(fields | changes))


def receipt(status: DeliveryStatus, **changes: Any) -> DeliveryReceipt:  # noqa: ANN401 - fields
    found = DeliveryReceipt(
        message_id="m-1",
        at=NOW + timedelta(minutes=1),
        phone="",
        delivered=status is DeliveryStatus.DELIVERED,
        response="",
        claim=CLAIM,
        status=status,
    )
    return replace(found, **changes)


class TestUnderWay:
    """The service has the message, and more is not known."""

    def test_settles_what_nobody_knew(self) -> None:
        after = record_under_way(record(), TAKEN)
        assert (after.state, after.message_id) == (ContactState.SENT, "m-1")

    @pytest.mark.parametrize("state", [state for state in ContactState if state is not ContactState.UNKNOWN])
    def test_never_lowers_a_record(self, state: ContactState) -> None:
        before = record(state, message_id="m-0")
        assert record_under_way(before, TAKEN) is before

    @pytest.mark.parametrize("state", [ContactState.SENT, ContactState.DELIVERED, ContactState.FAILED])
    def test_fills_in_the_message_id_where_there_is_none(self, state: ContactState) -> None:
        after = record_under_way(record(state), TAKEN)
        assert (after.state, after.message_id) == (state, "m-1")

    def test_says_nothing_of_a_message_that_was_refused(self) -> None:
        before = record(ContactState.REFUSED)
        assert record_under_way(before, TAKEN) is before

    @pytest.mark.parametrize("claim", [None, CLAIM._replace(claim_id="another")])
    def test_of_another_claim_or_of_none_says_nothing(self, claim: ClaimKey | None) -> None:
        before = record()
        assert record_under_way(before, TAKEN._replace(claim=claim)) is before

    def test_and_receipts_come_to_the_same_record_in_any_order(self) -> None:
        reports: list[UnderWay | DeliveryReceipt] = [
            TAKEN,
            receipt(DeliveryStatus.TEMPORARY_FAILURE),
            receipt(DeliveryStatus.DELIVERED, message_id=""),
        ]
        results = set()
        for order in permutations([*reports, TAKEN]):
            found = record()
            for report in order:
                found = (
                    record_under_way(found, report) if isinstance(report, UnderWay) else record_receipt(found, report)
                )
            results.add(found)
        (final,) = results
        assert (final.state, final.message_id) == (ContactState.DELIVERED, "m-1")


class TestABadAddress:
    """A failure for good."""

    def test_of_a_number_on_another_channel_says_nothing_of_texts(self) -> None:
        facts = someone()
        failed = record(ContactState.FAILED, channel="whatsapp", phone=facts.phone)
        after = apply_receipt(facts, Standing(customer_id="C0001"), receipt(DeliveryStatus.PERMANENT_FAILURE), failed)
        assert not after.is_suspended(facts, Channel.SMS)

    def test_of_a_text_suspends_the_number_for_texts_though_the_report_does_not_name_it(self) -> None:
        facts = someone()
        failed = record(ContactState.FAILED, channel="sms", phone=facts.phone)
        after = apply_receipt(facts, Standing(customer_id="C0001"), receipt(DeliveryStatus.PERMANENT_FAILURE), failed)
        assert after.is_suspended(facts, Channel.SMS)

    def test_that_the_customer_no_longer_has_suspends_nothing(self) -> None:
        facts = someone(email="new@example.com")
        failed = record(ContactState.FAILED, channel="email", address="old@example.com")
        before = Standing(customer_id="C0001")
        assert apply_receipt(facts, before, receipt(DeliveryStatus.PERMANENT_FAILURE), failed) == before

    def test_of_an_erased_record_suspends_nothing(self) -> None:
        facts, before = someone(email="new@example.com"), Standing(customer_id="C0001")
        failed = record(ContactState.FAILED, channel="email", erased_at=NOW)
        assert apply_receipt(facts, before, receipt(DeliveryStatus.PERMANENT_FAILURE), failed) == before

    @pytest.mark.parametrize(
        ("reported", "kept", "channel"),
        [
            pytest.param({"phone": "+886911"}, {"phone": "+886922"}, "sms", id="the number that the report names"),
            pytest.param({"phone": "+886911"}, {}, "sms", id="that number though the record has none"),
            pytest.param({}, {"address": "new@example.com"}, "email", id="the address of the record"),
            pytest.param({}, {"phone": "+886911"}, "line", id="the number by which another channel reaches"),
        ],
    )
    def test_is_out_of_use_on_its_channel_whoever_names_it(
        self, reported: dict[str, str], kept: dict[str, str], channel: str
    ) -> None:
        facts = replace(someone(email="new@example.com"), phone="+886911")
        failed = record(ContactState.FAILED, channel=channel, **kept)
        named = receipt(DeliveryStatus.PERMANENT_FAILURE, **reported)
        after = apply_receipt(facts, Standing(customer_id="C0001"), named, failed)
        address = "new@example.com" if channel == "email" else "+886911"
        assert after.suspended == {channel: AddressSince(address, named.at)}

    def test_that_nobody_names_suspends_nothing_where_the_customer_has_none(self) -> None:
        facts, before = replace(someone(), line_user_id=None), Standing(customer_id="C0001")
        failed = record(ContactState.FAILED, channel="line")
        assert apply_receipt(facts, before, receipt(DeliveryStatus.PERMANENT_FAILURE), failed) == before
