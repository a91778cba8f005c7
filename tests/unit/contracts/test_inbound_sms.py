"""Replies as SNS and SQS hand them over: in each wrapping the same reply; what is none is told by its fields."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dunning.contracts.inbound_sms import parse_inbound
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms
from tests.support.vectors import read_vectors

SENT_AT = datetime(2026, 12, 1, 2, 0, 4, tzinfo=UTC)
SAID_AT = datetime(2026, 12, 1, 2, 0, 3, 123_000, tzinfo=UTC)
VECTORS: list[dict[str, Any]] = read_vectors("inbound")
SMS: dict[str, Any] = {
    "originationNumber": "+886900000001",
    "destinationNumber": "+886900000009",
    "messageKeyword": "KEYWORD_1",
    "messageBody": "退訂",
    "inboundMessageId": "reply-1",
}
REPLY = InboundSms(inbound_id="reply-1", phone="+886900000001", text="退訂", at=SAID_AT)


def notification(message: object = SMS, **changes: object) -> dict[str, object]:
    """Put a message into what SNS sends to a queue."""
    around = {
        "Type": "Notification",
        "MessageId": "11111111-0000-4000-8000-000000000000",
        "Message": json.dumps(message),
        "Timestamp": "2026-12-01T02:00:03.123Z",
    }
    return around | changes


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_replies_that_others_have_seen_are_read(vector: dict[str, Any]) -> None:
    message = vector["message"]
    sms = parse_inbound(json.dumps(message), SENT_AT)
    assert (sms.phone, sms.text, sms.inbound_id, sms.in_reply_to, sms.at) == (
        message["originationNumber"],
        message["messageBody"],
        message["inboundMessageId"],
        message["previousPublishedMessageId"],
        SENT_AT,
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(json.dumps(notification()), id="a notification"),
        pytest.param(json.dumps(notification(), ensure_ascii=False), id="not escaped"),
        pytest.param(json.dumps(json.dumps(notification())), id="quoted once more"),
        pytest.param(json.dumps(notification(json.dumps(SMS))), id="a message quoted once more"),
        pytest.param(
            json.dumps(notification(SMS | {"new": [1]}, Subject=None, New={})), id="with fields we do not know"
        ),
        pytest.param(json.dumps(notification(Timestamp="2026-12-01T10:00:03.123+08:00")), id="another zone"),
    ],
)
def test_in_a_notification_it_was_said_when_sns_took_it(body: str) -> None:
    assert parse_inbound(body, SENT_AT) == REPLY


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(json.dumps(SMS), id="raw delivery"),
        pytest.param(json.dumps(json.dumps(SMS)), id="a JSON string"),
        pytest.param(json.dumps(SMS | {"previousPublishedMessageId": None}), id="an answer to nothing"),
    ],
)
def test_without_one_it_was_said_when_the_queue_took_it(body: str) -> None:
    sms = parse_inbound(body, SENT_AT)
    assert (sms.text, sms.at, sms.in_reply_to) == ("退訂", SENT_AT, "")


def test_half_a_character_does_not_keep_a_reply_from_being_read() -> None:
    cut = json.dumps(SMS | {"messageBody": "STOP \ud83d"})
    assert parse_inbound(cut, SENT_AT).text == "STOP \ufffd"
    assert parse_inbound(json.dumps(notification()).replace("\\u9000", "\\ud83d"), SENT_AT).text == "\ufffd訂"


@pytest.mark.parametrize("text", ["", " ", "\n", "👍", "x" * 1600])
def test_an_empty_and_a_long_text_are_replies_too(text: str) -> None:
    assert parse_inbound(json.dumps(SMS | {"messageBody": text}), SENT_AT).text == text


@pytest.mark.parametrize(
    "damaged", ["yesterday", "2026-12-01T02:00:03", "", None, 7, [], "0001-01-01T00:00:00+23:00", "9999-01-01T00:00Z"]
)
def test_a_damaged_time_keeps_no_reply_from_being_heard(damaged: object) -> None:
    assert parse_inbound(json.dumps(notification(Timestamp=damaged)), SENT_AT) == replace(REPLY, at=SENT_AT)


def test_a_notification_without_a_time_is_of_the_time_at_which_the_queue_took_it() -> None:
    body = notification()
    del body["Timestamp"]
    assert parse_inbound(json.dumps(body), SENT_AT).at == SENT_AT


@pytest.mark.parametrize("reference", [7, ["m1"], {}, "m" * 257, True])
def test_an_odd_reference_to_our_text_keeps_no_reply_from_being_heard(reference: object) -> None:
    body = json.dumps(notification(SMS | {"previousPublishedMessageId": reference}))
    assert parse_inbound(body, SENT_AT) == REPLY


def test_of_a_text_beyond_the_limit_the_beginning_is_heard() -> None:
    assert parse_inbound(json.dumps(SMS | {"messageBody": "STOP " + "x" * 9000}), SENT_AT).text == "STOP " + "x" * 4995


@pytest.mark.parametrize("damaged", [1, None, "", "reply#1", "王小明", "r" * 129, []])
def test_a_reply_with_an_unusable_id_gets_one_that_stays_the_same_and_names_nobody(damaged: object) -> None:
    once, again = (
        parse_inbound(json.dumps(notification(SMS | {"inboundMessageId": damaged}, MessageId=message_id)), SENT_AT)
        for message_id in ("first delivery", "second delivery")
    )
    assert once == again == replace(REPLY, inbound_id=once.inbound_id)
    assert re.fullmatch("digest:[0-9a-f]{64}", once.inbound_id)
    other = parse_inbound(json.dumps(SMS | {"inboundMessageId": damaged, "messageBody": "?"}), SENT_AT)
    assert other.inbound_id != once.inbound_id


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "body"),
        ("{", "body"),
        ("[]", "body"),
        ("null", "body"),
        ("7", "body"),
        ('"hello"', "body"),
        ("[" * 100_000, "body"),
        ("{}", "originationNumber, messageBody"),
        (json.dumps(SMS | {"originationNumber": "0900000001"}), "originationNumber"),
        (json.dumps(SMS | {"originationNumber": "DEMOFIN"}), "originationNumber"),
        (json.dumps(SMS | {"messageBody": None}), "messageBody"),
        (json.dumps(notification(Type="SubscriptionConfirmation")), "Type"),
        (json.dumps(notification(Message="hello")), "body"),
    ],
)
def test_a_message_that_is_no_reply_is_described_by_its_fields_and_never_quoted(body: str, says: str) -> None:
    with pytest.raises(UnreadableRecordError) as refused:
        parse_inbound(body, SENT_AT)
    assert str(refused.value) == f"not a reply: {says}"
    assert refused.value.__cause__ is None
