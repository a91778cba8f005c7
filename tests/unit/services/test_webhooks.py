"""Calls from outside: who is believed, what goes on which queue, and what nobody learns from an answer or a log."""

import base64
import hashlib
import hmac
import json
from typing import Any
from unittest.mock import patch

import pytest

from dunning.contracts.channel_message import is_channel_message, parse_channel_message
from dunning.contracts.http_call import HttpAnswer, HttpCall
from dunning.contracts.unsubscribe import unsubscribe_token
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import ServiceCallError
from dunning.services.webhooks import MOST_BODY_BYTES, WebhookService
from tests.support.channel_office import LINE_USER, line_body, line_event
from tests.support.fakes import FakeClock, FakeDelayQueue, FakeSecrets, FakeTelemetry
from tests.support.people import NOW

SECRET, KEY = "0123456789abcdef", "k" * 32
ONE_CLICK = b"List-Unsubscribe=One-Click"
WORDS = line_event("message", 1, message={"type": "text", "id": "1", "text": "不要再傳了😀"})
PRESSED = line_event("postback", 2, postback={"data": "paid"})
BLOCKED = line_event("unfollow", 3)


class Door:
    """The service, its queues and its secrets."""

    def __init__(self) -> None:
        self.replies, self.events = FakeDelayQueue(), FakeDelayQueue()
        self.secrets, self.telemetry = FakeSecrets(), FakeTelemetry()
        self.secrets.secrets = {"line/demo-tw/channel-secret": SECRET, "unsubscribe": KEY}
        self.service = WebhookService(
            secrets=self.secrets,
            replies=self.replies,
            channel_events=self.events,
            line_lenders=["demo-tw"],
            clock=FakeClock(NOW),
            telemetry=self.telemetry,
        )

    def line(self, body: str | bytes, signature: str | None = None, lender: str = "demo-tw") -> HttpAnswer:
        raw = body.encode() if isinstance(body, str) else body
        signed = signature_of(raw) if signature is None else signature
        return self.call("POST /line/{lender}", {"lender": lender}, raw, {"x-line-signature": signed})

    def unsubscribe(self, token: str, body: bytes = ONE_CLICK, method: str = "POST") -> HttpAnswer:
        return self.call(f"{method} /unsubscribe/{{token}}", {"token": token}, body, {})

    def call(self, route: str, parameters: dict[str, str], body: bytes, headers: dict[str, str]) -> HttpAnswer:
        return self.service.answer(HttpCall("POST", "/", headers, body, route, parameters))

    @property
    def queued(self) -> tuple[list[str], list[str]]:
        return [body for body, _ in self.replies.messages], [body for body, _ in self.events.messages]


def signature_of(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def token() -> str:
    return unsubscribe_token("C0001", "c1" * 16, KEY)


class TestLine:
    """Is believed by its signature."""

    def test_has_each_message_put_among_the_replies_and_nothing_else(self, door: Door) -> None:
        assert door.line(line_body(WORDS, PRESSED)) == HttpAnswer(200)
        replies, events = door.queued
        assert all(map(is_channel_message, replies))
        words, pressed = map(parse_channel_message, replies)
        assert (words.channel, words.address, words.text, words.button) == (Channel.LINE, LINE_USER, "不要再傳了😀", "")
        assert (pressed.inbound_id, pressed.text, pressed.button) == (PRESSED["webhookEventId"], "", "paid")
        assert events == []

    def test_has_blocks_put_among_the_events_of_channels_as_they_came(self, door: Door) -> None:
        body = line_body(BLOCKED)
        door.line(body)
        assert door.queued == ([], [body])

    def test_gets_its_answer_to_a_probe_and_nothing_is_queued(self, door: Door) -> None:
        assert door.line(line_body()).status == 200
        assert door.queued == ([], [])

    @pytest.mark.parametrize("wrong", ["", "x", "signed otherwise", "\ud83d"])
    def test_is_not_believed_with_another_signature_and_that_is_counted(self, door: Door, wrong: str) -> None:
        body = line_body(WORDS)
        signature = signature_of(body.encode(), "another secret") if wrong == "signed otherwise" else wrong
        assert door.line(body, signature) == HttpAnswer(403)
        assert door.queued == ([], [])
        assert door.telemetry.counts == {"WebhooksRefused": 1}

    def test_is_not_believed_if_a_single_byte_was_changed(self, door: Door) -> None:
        body = line_body(WORDS).encode()
        assert door.line(body.replace(b"paid", b"paie") + b" ", signature_of(body)).status == 403

    def test_is_not_believed_where_no_secret_is_set(self, door: Door) -> None:
        door.secrets.secrets["line/demo-tw/channel-secret"] = ""
        body = line_body(WORDS).encode()
        assert door.line(body, signature_of(body, "")).status == 403

    def test_of_a_lender_without_line_is_refused_like_a_wrong_signature_and_no_secret_is_asked_for(
        self, door: Door
    ) -> None:
        assert door.line(line_body(WORDS), lender="../demo-tw") == HttpAnswer(403)
        assert door.secrets.asked == []

    def test_is_not_read_if_it_is_larger_than_a_queue_takes(self, door: Door) -> None:
        assert door.line(b" " * (MOST_BODY_BYTES + 1)).status == 413
        assert door.secrets.asked == []

    @pytest.mark.parametrize("body", [b"{", b"\xff\x00", b'{"events": 1}'])
    def test_that_cannot_be_read_though_it_is_signed_waits_for_a_person(self, door: Door, body: bytes) -> None:
        assert door.line(body).status == 200
        replies, (kept,) = door.queued
        assert replies == []
        assert isinstance(json.loads(kept), str)

    def test_is_called_in_again_if_a_queue_or_the_secret_cannot_be_reached(self, door: Door) -> None:
        broken = ServiceCallError("SendMessageBatch", "x")
        with patch.object(door.replies, "send_with_delay", side_effect=broken):
            assert door.line(line_body(WORDS)).status == 503
        del door.secrets.secrets["line/demo-tw/channel-secret"]
        assert door.line(line_body(WORDS)).status == 503
        assert door.telemetry.counts == {"WebhooksFailed": 2}

    def test_may_send_signs_that_no_queue_takes(self, door: Door) -> None:
        odd = line_event("message", 1, message={"type": "text", "text": "a\uffff\ufffeb"})
        door.line(line_body(odd, BLOCKED))
        assert not any(sign in body for bodies in door.queued for body in bodies for sign in "\ufffe\uffff")

    def test_leaves_neither_words_nor_ids_in_the_log(self, door: Door) -> None:
        door.line(line_body(WORDS), "wrong")
        door.line(line_body(WORDS))
        printed = repr(door.telemetry.events)
        assert LINE_USER not in printed
        assert "不要" not in printed


class TestTheButtonOfAMail:
    """RFC 8058: a POST by the mail program, and a page for people."""

    def test_is_put_among_the_replies_under_the_claim_of_its_mail(self, door: Door, token: str) -> None:
        answer = door.unsubscribe(token)
        assert (answer.status, "form" in answer.page) == (200, False)
        (body,), events = door.queued
        pressed = parse_channel_message(body)
        assert (pressed.channel, pressed.customer_id, pressed.button, pressed.address) == (
            Channel.EMAIL,
            "C0001",
            "unsubscribed",
            "",
        )
        assert events == []

    def test_unsubscribes_nobody_by_a_get_and_shows_a_button(self, door: Door, token: str) -> None:
        answer = door.unsubscribe(token, b"", "GET")
        assert answer.status == 200
        assert '<form method="post">' in answer.page
        assert 'name="List-Unsubscribe" value="One-Click"' in answer.page
        assert door.queued == ([], [])
        assert door.secrets.asked == []

    def test_shows_everybody_the_same_page_that_loads_nothing_and_names_nobody(self, door: Door, token: str) -> None:
        answer = door.unsubscribe(token, b"", "GET")
        assert door.unsubscribe("x", b"", "GET") == answer
        assert token not in answer.page
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        style = answer.page.partition("<style>")[2].partition("</style>")[0]
        assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
        assert "src=" not in answer.page
        assert answer.headers["referrer-policy"] == "no-referrer"

    @pytest.mark.parametrize("wrong", ["", "x", "altered", "of another key", "too long"])
    def test_with_a_token_that_is_not_ours_unsubscribes_nobody(self, door: Door, token: str, wrong: str) -> None:
        tokens = {
            "altered": token[:-1] + ("A" if token[-1] != "A" else "B"),
            "of another key": unsubscribe_token("C0001", "c1" * 16, "another"),
            "too long": token * 20,
        }
        answer = door.unsubscribe(tokens.get(wrong, wrong))
        assert answer.status == 404
        assert door.queued == ([], [])
        assert door.telemetry.counts == {"WebhooksRefused": 1}

    @pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=Two-Clicks", b"x" * 5000])
    def test_without_the_words_of_a_mail_program_unsubscribes_nobody(self, door: Door, token: str, body: bytes) -> None:
        assert door.unsubscribe(token, body).status == 404
        assert door.queued == ([], [])

    def test_says_that_it_did_not_work_if_it_did_not(self, door: Door, token: str) -> None:
        with patch.object(door.replies, "send_with_delay", side_effect=ServiceCallError("SendMessageBatch", "x")):
            answer = door.unsubscribe(token)
        assert answer.status == 503
        assert "尚未完成" in answer.page

    def test_leaves_no_token_in_the_log(self, door: Door, token: str) -> None:
        door.unsubscribe(token + "A")
        door.unsubscribe(token)
        assert token[:20] not in repr(door.telemetry.events)


def test_what_nobody_answers_is_refused(door: Door) -> None:
    details: dict[str, Any] = {}
    assert door.call("$default", details, b"", {}).status == 404
