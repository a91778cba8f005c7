"""Calls from outside: the bytes that were signed, whatever API Gateway has done to them."""

import base64
from typing import Any

import pytest

from dunning.contracts.http_call import HttpAnswer, HttpCall, http_response, parse_http_call
from dunning.contracts.line_event import is_signed_by_line
from dunning.domain.errors import UnreadableRecordError
from tests.local.channels.line import CHANNEL_SECRET, LinePlatform
from tests.support.outgoing import LINE_USER
from tests.support.people import NOW

EVENT: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "POST /line/{lender}",
    "headers": {"X-Line-Signature": "s", "content-type": "application/json"},
    "requestContext": {"http": {"method": "POST", "path": "/line/demo-tw", "sourceIp": "192.0.2.1"}},
    "body": '{"events": []}',
    "isBase64Encoded": False,
}


def test_a_call_is_read_with_its_headers_in_small_letters() -> None:
    headers = {"x-line-signature": "s", "content-type": "application/json"}
    assert parse_http_call(EVENT | {"pathParameters": {"lender": "demo-tw"}}) == HttpCall(
        "POST", "/line/demo-tw", headers, b'{"events": []}', "POST /line/{lender}", {"lender": "demo-tw"}
    )


def test_an_answer_is_kept_nowhere() -> None:
    answer = http_response(HttpAnswer(404, "<p>", {"x-robots-tag": "noindex"}))
    assert (answer["statusCode"], answer["body"], answer["headers"]["cache-control"]) == (404, "<p>", "no-store")
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert answer["headers"]["x-robots-tag"] == "noindex"
    assert http_response(HttpAnswer(200))["body"] == ""


@pytest.mark.parametrize("packed", [False, True])
def test_a_signature_holds_for_the_bytes_of_a_call_however_they_were_handed_over(packed: bool) -> None:  # noqa: FBT001
    platform = LinePlatform()
    platform.close()
    text = {"type": "text", "id": "1", "text": "不要再傳😀"}
    body, signature = platform.webhook(platform.event("message", LINE_USER, NOW, message=text))
    handed_over = base64.b64encode(body).decode() if packed else body.decode()
    call = parse_http_call(EVENT | {"body": handed_over, "isBase64Encoded": packed})
    assert is_signed_by_line(call.body, signature, CHANNEL_SECRET)


@pytest.mark.parametrize("body", [None, ""])
def test_a_call_may_have_no_body(body: str | None) -> None:
    assert parse_http_call(EVENT | {"body": body, "headers": None}).body == b""


@pytest.mark.parametrize(
    "changes",
    [
        {"requestContext": None},
        {"requestContext": {"http": {}}},
        {"headers": "x"},
        {"body": 7},
        {"body": "\ud83d"},
        {"body": "not base64!", "isBase64Encoded": True},
        {"body": 7, "isBase64Encoded": True},
    ],
)
def test_what_is_no_call_is_refused_without_its_contents(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecordError, match=r"^no call: (body|requestContext, headers or body)$"):
        parse_http_call(EVENT | changes)
