"""Webhooks of LINE: believed by their signature, each event read by itself, nothing lost over an event beside it."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.contracts.line_event import LINE_EVENTS, MOST_WEBHOOK_BYTES, is_signed_by_line, parse_line_events
from dunning.domain.delivery.channel_events import ChannelEvents, ChannelMessage, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.receipt import ClaimKey, DeliveryReceipt, DeliveryStatus
from dunning.domain.errors import UnreadableRecordError
from tests.support.outgoing import CLAIM_ID, LINE_USER

RECEIVED_AT = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
AT = datetime(2022, 4, 22, 1, 35, 46, 705_000, tzinfo=UTC)
EVENT_ID = "01G17EJCGAVV66J5WNA7ZCTF6H"
SECRET = "channel-secret"

COMMON: dict[str, Any] = {
    "mode": "active",
    "timestamp": 1650591346705,
    "webhookEventId": EVENT_ID,
    "deliveryContext": {"isRedelivery": False},
}
PERSON = COMMON | {"source": {"type": "user", "userId": LINE_USER}}
TEXT = PERSON | {
    "type": "message",
    "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
    "message": {"id": "444573844083572737", "type": "text", "quoteToken": "q3Plxr4AgKd", "text": "已經繳了"},
}
PRESSED = PERSON | {"type": "postback", "replyToken": "b60d432864f44d079f6d8efe86cf404b", "postback": {"data": "paid"}}
DELIVERY = COMMON | {"type": "delivery", "delivery": {"data": f"{CLAIM_ID}/C0001"}}
SAID = ChannelMessage(Channel.LINE, LINE_USER, EVENT_ID, AT, text="已經繳了")


def webhook(*events: object) -> bytes:
    return json.dumps({"destination": "U" + "b0" * 16, "events": events}).encode()


def parsed(*events: object) -> ChannelEvents:
    return parse_line_events(webhook(*events), RECEIVED_AT)


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class TestTheSignature:
    """HMAC-SHA256 of the raw bytes with the channel's secret, in base64."""

    def test_a_body_signed_with_the_secret_is_line_s(self) -> None:
        body = webhook(TEXT)
        assert is_signed_by_line(body, signature(body), SECRET)

    @given(st.data())
    def test_one_altered_byte_is_enough_to_refuse_it(self, data: st.DataObject) -> None:
        body = webhook(TEXT)
        place = data.draw(st.integers(0, len(body) - 1))
        altered = body[:place] + bytes([body[place] ^ data.draw(st.integers(1, 255))]) + body[place + 1 :]
        assert not is_signed_by_line(altered, signature(body), SECRET)

    def test_the_same_document_in_other_bytes_is_refused(self) -> None:
        body = webhook(TEXT)
        respaced = json.dumps(json.loads(body), indent=1).encode()
        assert not is_signed_by_line(respaced, signature(body), SECRET)

    @given(st.text())
    def test_no_other_signature_is_believed_whatever_its_characters(self, other: str) -> None:
        body = webhook()
        assert is_signed_by_line(body, other, SECRET) is (other == signature(body))

    def test_half_a_character_in_a_signature_breaks_nothing(self) -> None:
        assert not is_signed_by_line(b"", "\ud83d", SECRET)

    def test_another_channel_s_secret_does_not_sign(self) -> None:
        assert not is_signed_by_line(webhook(), signature(webhook(), "another"), SECRET)

    def test_without_a_secret_nothing_is_signed(self) -> None:
        assert not is_signed_by_line(webhook(), signature(webhook(), ""), "")


def test_a_probe_has_no_events() -> None:
    assert parsed() == ChannelEvents()


def test_words_and_buttons_come_with_the_person_who_sent_them() -> None:
    assert parsed(TEXT).messages == (SAID,)
    assert parsed(PRESSED).messages == (ChannelMessage(Channel.LINE, LINE_USER, EVENT_ID, AT, button="paid"),)


@pytest.mark.parametrize(("kind", "wish"), [("follow", Wish.FOLLOWED), ("unfollow", Wish.BLOCKED)])
def test_to_follow_and_to_block_are_wishes(kind: str, wish: Wish) -> None:
    found = ChannelWish(Channel.LINE, wish, EVENT_ID, AT, LINE_USER)
    assert parsed(PERSON | {"type": kind}) == ChannelEvents(wishes=(found,))


def test_a_notice_that_has_arrived_is_found_by_its_tag() -> None:
    receipt = DeliveryReceipt(
        message_id="",
        at=AT,
        phone="",
        delivered=True,
        response="",
        claim=ClaimKey("C0001", CLAIM_ID),
        status=DeliveryStatus.DELIVERED,
    )
    assert parsed(DELIVERY) == ChannelEvents(receipts=(receipt,))


def test_a_notice_of_another_sender_has_no_claim() -> None:
    hashed = "68df277462529930889fab80ecffdc0883906320591df93c25efc08300410fc2"
    (found,) = parsed(DELIVERY | {"delivery": {"data": hashed}}).receipts
    assert found.claim is None


def test_an_event_that_comes_again_says_so_and_has_the_same_id() -> None:
    again = {"deliveryContext": {"isRedelivery": True}}
    assert parsed(TEXT | again).messages == (SAID._replace(is_redelivery=True),)
    (wish,) = parsed(PERSON | {"type": "unfollow"} | again).wishes
    assert (wish.is_redelivery, wish.event_id) == (True, EVENT_ID)


@pytest.mark.parametrize("kind", ["image", "sticker", "audio", "video", "file", "location", None])
def test_what_is_no_text_is_a_message_without_words_for_a_person_to_look_at(kind: str | None) -> None:
    (found,) = parsed(TEXT | {"message": {"id": "1", "type": kind, "text": "not read"}}).messages
    assert (found.text, found.button, found.address) == ("", "", LINE_USER)


@pytest.mark.parametrize("data", ["已繳", "a b", "x" * 41, "", 7, None])
def test_a_button_that_is_not_ours_has_no_code(data: object) -> None:
    (found,) = parsed(PRESSED | {"postback": {"data": data}}).messages
    assert found.button == ""


def test_a_long_text_is_cut_and_half_a_character_is_replaced() -> None:
    (found,) = parsed(TEXT | {"message": {"type": "text", "text": "x" * 9000}}).messages
    assert len(found.text) == 5000
    (found,) = parsed(TEXT | {"message": {"type": "text", "text": "好\ud83d"}}).messages
    assert found.text == "好\ufffd"


@pytest.mark.parametrize("kind", sorted(LINE_EVENTS - {"delivery", "follow", "message", "postback", "unfollow"}))
def test_events_that_change_nothing_here_are_passed_over(kind: str) -> None:
    assert parsed(COMMON | {"type": kind}) == ChannelEvents()


@pytest.mark.parametrize("source", [{"type": "group", "groupId": "Ca"}, {"type": "room", "roomId": "Ra"}])
def test_nothing_that_is_written_in_a_group_is_read(source: dict[str, str]) -> None:
    assert parsed(TEXT | {"source": source | {"userId": LINE_USER}}) == ChannelEvents()


@pytest.mark.parametrize(
    "broken",
    [
        "event",
        None,
        {},
        TEXT | {"type": "ofTomorrow"},
        TEXT | {"type": {}},
        TEXT | {"type": ["message"]},
        TEXT | {"source": {"type": {}, "userId": 7}},
        TEXT | {"webhookEventId": "a b"},
        TEXT | {"webhookEventId": None},
        TEXT | {"source": None},
        TEXT | {"source": {"type": "user"}},
        TEXT | {"source": {"type": "user", "userId": "王小明"}},
        DELIVERY | {"delivery": None},
        DELIVERY | {"delivery": {"data": 7}},
    ],
)
def test_an_event_that_cannot_be_read_is_counted_and_its_neighbours_are_read(broken: object) -> None:
    assert parsed(TEXT, broken, PRESSED) == ChannelEvents(
        messages=(SAID, ChannelMessage(Channel.LINE, LINE_USER, EVENT_ID, AT, button="paid")), unreadable=1
    )


@pytest.mark.parametrize("timestamp", [None, "soon", -1, 10**17])
def test_an_event_without_a_readable_time_has_that_at_which_it_was_received(timestamp: object) -> None:
    (found,) = parsed(TEXT | {"timestamp": timestamp}).messages
    assert found.at == RECEIVED_AT


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 200_000, "body"),
        (b"[]", "events"),
        (b"{}", "events"),
        (b'{"events": {}}', "events"),
        (json.dumps({"events": [{}] * 1001}).encode(), "events"),
        (b" " * (MOST_WEBHOOK_BYTES + 1), "longer than LINE sends"),
    ],
)
def test_what_is_no_webhook_is_refused_by_field_without_its_contents(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableRecordError) as refused:
        parse_line_events(body, RECEIVED_AT)
    assert str(refused.value) == f"no webhook of LINE: {why}"
