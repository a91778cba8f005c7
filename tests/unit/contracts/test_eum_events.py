"""Events of End User Messaging: what each says, found by its claim, whatever it is wrapped in."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.session import get_session

from dunning.contracts.claim_marks import claim_marks
from dunning.contracts.eum_event import EVENT_STATUSES, UNDER_WAY, parse_eum_event
from dunning.contracts.waiting_receipt import WaitingReceipt, parse_waiting_receipt, waiting_receipt_body
from dunning.domain.delivery.channel_events import ChannelEvents
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus, UnderWay, delivery_status
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.contacts import ContactKey
from tests.local.channels.wire import notification_of
from tests.support.outgoing import CLAIM_ID, CLAIMED_AT, SEND_ID, outgoing_sms

SENT_AT = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
REPORTED_AT = datetime(2023, 6, 17, 4, 11, 43, 470_000, tzinfo=UTC)
CLAIM = ClaimKey("C0001", CLAIM_ID, SEND_ID, CLAIMED_AT)

DOCUMENTED: dict[str, Any] = {
    "eventType": "TEXT_SUCCESSFUL",
    "eventVersion": "1.0",
    "eventTimestamp": 1686975103470,
    "isFinal": True,
    "originationPhoneNumber": "+12065550152",
    "destinationPhoneNumber": "+14255550156",
    "isInternationalSend": False,
    "mcc": "310",
    "mnc": "800",
    "messageId": "862a8790-60c0-4430-9b2b-658bdexample",
    "messageRequestTimestamp": 1686975103170,
    "messageEncoding": "GSM",
    "messageType": "PROMOTIONAL",
    "messageStatus": "SUCCESSFUL",
    "messageStatusDescription": "Message has been accepted by phone carrier",
    "context": claim_marks(outgoing_sms("+14255550156", "")),
    "totalMessageParts": 1,
    "totalMessagePrice": 0.09582,
    "totalCarrierFee": 0.0,
}
"""The example of the guide's page "Messaging events", with a context of ours."""


def event(**changes: object) -> str:
    return notification_of(DOCUMENTED | changes, SENT_AT)


def receipt(**changes: object) -> DeliveryReceipt:
    (found,) = parse_eum_event(event(**changes), SENT_AT).receipts
    return found


def test_the_documented_event_is_a_delivery_found_by_its_claim() -> None:
    assert receipt() == DeliveryReceipt(
        message_id="862a8790-60c0-4430-9b2b-658bdexample",
        at=REPORTED_AT,
        phone="",
        delivered=True,
        response="Message has been accepted by phone carrier",
        billed_parts=1,
        billed_price_usd_micros=95_820,
        claim=CLAIM,
        status=DeliveryStatus.DELIVERED,
    )


def test_every_event_about_texts_and_calls_has_a_class() -> None:
    """A kind of event that a new version of the SDK brings has to be read, and put into a class."""
    shape: Any = get_session().get_service_model("pinpoint-sms-voice-v2").shape_for("EventType")
    kinds = shape.enum
    ours = {kind for kind in kinds if kind.startswith(("TEXT_", "VOICE_")) and not kind.endswith("_ALL")}
    assert set(EVENT_STATUSES) == ours


@pytest.mark.parametrize(("kind", "status"), EVENT_STATUSES.items())
def test_a_final_event_has_the_status_of_its_kind(kind: str, status: DeliveryStatus | None) -> None:
    events = parse_eum_event(event(eventType=kind), SENT_AT)
    if status is UNDER_WAY:
        assert events == ChannelEvents(under_way=(UnderWay(CLAIM, DOCUMENTED["messageId"], REPORTED_AT),))
    else:
        (found,) = events.receipts
        assert found.delivered is (status is DeliveryStatus.DELIVERED)
        assert delivery_status(found) is status
        assert events.under_way == ()


@pytest.mark.parametrize("kind", EVENT_STATUSES)
def test_an_event_that_is_not_final_only_says_that_the_message_is_under_way(kind: str) -> None:
    events = parse_eum_event(event(eventType=kind, isFinal=False), SENT_AT)
    assert (events.receipts, len(events.under_way)) == ((), 1)


def test_silence_of_the_carrier_is_no_failure_so_that_nothing_is_sent_again() -> None:
    events = parse_eum_event(event(eventType="TEXT_UNKNOWN", messageStatus="UNKNOWN"), SENT_AT)
    assert (events.receipts, len(events.under_way)) == ((), 1)


def test_a_text_that_has_lapsed_failed_for_now() -> None:
    assert delivery_status(receipt(eventType="TEXT_TTL_EXPIRED")) is DeliveryStatus.TEMPORARY_FAILURE


def test_the_price_and_the_carriers_fee_are_both_billed() -> None:
    assert receipt(totalMessagePrice=0.0417, totalCarrierFee="0.0025").billed_price_usd_micros == 44_200
    assert receipt(totalMessagePrice=None, totalCarrierFee="free").billed_price_usd_micros == 0
    assert receipt(totalMessagePrice=999, totalCarrierFee=2).billed_price_usd_micros == 0


def test_numbers_are_taken_out_of_the_carriers_words() -> None:
    assert receipt(messageStatusDescription="+1 425-555-0156 is gone").response == "… is gone"


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"account": "bar"},
        "customer_id",
        DOCUMENTED["context"] | {"claim_id": None},
        DOCUMENTED["context"] | {"claim_id": "a b"},
        DOCUMENTED["context"] | {"customer_id": "a/b"},
        DOCUMENTED["context"] | {"claimed_at": "soon"},
        DOCUMENTED["context"] | {"claimed_at": "9" * 40},
    ],
)
def test_an_event_of_another_sender_has_no_claim(context: object) -> None:
    assert receipt(context=context).claim is None


@pytest.mark.parametrize("at", [None, "soon", -1, 10**15, True, 1.5])
def test_an_event_without_a_readable_time_has_that_of_its_notification(at: object) -> None:
    later = SENT_AT + timedelta(hours=1)
    (found,) = parse_eum_event(event(eventTimestamp=at), later).receipts
    assert found.at == SENT_AT
    (bare,) = parse_eum_event(json.dumps(DOCUMENTED | {"eventTimestamp": at}), later).receipts
    assert bare.at == later


@pytest.mark.parametrize("kind", ["MEDIA_DELIVERED", "RCS_READ", "REGISTRATION_APPROVED", "TEXT_OF_TOMORROW"])
def test_an_event_of_another_kind_is_counted_and_changes_nothing(kind: str) -> None:
    assert parse_eum_event(event(eventType=kind), SENT_AT) == ChannelEvents(unreadable=1)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "body"),
        ("[" * 100_000, "body"),
        ("7", "body"),
        (json.dumps({"eventType": "TEXT_DELIVERED", "isFinal": True}), "messageId"),
        (json.dumps(DOCUMENTED | {"messageId": "+14255550156 x"}), "messageId"),
        (json.dumps({name: DOCUMENTED[name] for name in DOCUMENTED if name != "isFinal"}), "isFinal"),
        (json.dumps({"Type": "SubscriptionConfirmation", "Message": "hello"}), "Type"),
    ],
)
def test_what_is_no_event_is_refused_by_field_without_its_contents(body: str, why: str) -> None:
    with pytest.raises(UnreadableRecordError) as refused:
        parse_eum_event(body, SENT_AT)
    assert str(refused.value) == f"no event of a message: {why}"


def test_a_receipt_that_waits_for_its_record_keeps_its_status() -> None:
    waiting = receipt(eventType="TEXT_SPAM")
    key = ContactKey("C0001", CLAIMED_AT, SEND_ID)
    again = parse_waiting_receipt(waiting_receipt_body(WaitingReceipt(key, waiting)))
    assert isinstance(again.report, DeliveryReceipt)
    assert delivery_status(again.report) is delivery_status(waiting) is DeliveryStatus.TECHNICAL_FAILURE


def test_a_receipt_of_sns_waits_in_the_words_of_earlier_versions() -> None:
    written = waiting_receipt_body(
        WaitingReceipt(
            ContactKey("C0001", CLAIMED_AT, SEND_ID),
            DeliveryReceipt(message_id="m", at=CLAIMED_AT, phone="", delivered=False, response="Invalid phone number"),
        )
    )
    assert "status" not in json.loads(written)
    report = parse_waiting_receipt(written).report
    assert isinstance(report, DeliveryReceipt)
    assert delivery_status(report) is DeliveryStatus.PERMANENT_FAILURE
