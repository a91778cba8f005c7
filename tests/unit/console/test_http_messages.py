"""Requests as API Gateway hands them over, and as other doors do."""

import base64
import json
from typing import Any

import pytest

from dunning.console.http_messages import request_of
from tests.local import ROOT

EVENTS = ROOT / "events" / "console"


def event_file(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / name).read_text("utf-8"))
    return found


def test_cookies_come_in_a_list_of_their_own() -> None:
    request = request_of(event_file("page.json"))
    assert (request.method, request.path) == ("GET", "/today")
    assert request.cookies == {"__Host-session": "Zm9v", "__Host-language": "zh-Hant"}
    assert request.query == {"lender": "demo-tw", "day": "2026-12-01"}
    assert request.headers["sec-fetch-site"] == "same-origin"
    assert request.request_id == "req-page"


def test_cookies_come_in_a_header_where_the_door_has_no_list() -> None:
    assert request_of(event_file("cookie_header.json")).cookies == {"__Host-session": "Zm9v", "__Host-language": "en"}


def test_a_form_is_read_whether_its_body_is_base64_or_not() -> None:
    event = event_file("form.json")
    assert event["isBase64Encoded"] is True
    request = request_of(event)
    assert request.form == {"token": "t", "sought": "+886 912 345 678"}
    plain = event | {"isBase64Encoded": False, "body": base64.b64decode(event["body"]).decode()}
    assert request_of(plain).form == request.form


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "%%%", "isBase64Encoded": True},
        {"body": None, "isBase64Encoded": False},
        {"body": "&".join(f"a{number}=1" for number in range(41)), "isBase64Encoded": False},
        {"headers": {"content-type": "application/json"}},
        {"headers": None},
    ],
)
def test_a_body_that_is_no_form_has_no_fields(changes: dict[str, Any]) -> None:
    assert request_of(event_file("form.json") | changes).form == {}


def test_a_request_with_nothing_in_it_is_read_too() -> None:
    request = request_of({"requestContext": {"http": {"method": "HEAD"}}})
    assert (request.method, request.path, request.cookies, request.query) == ("HEAD", "/", {}, {})


def test_every_sample_there_is_has_been_read() -> None:
    assert {path.name for path in EVENTS.glob("*.json")} == {"page.json", "cookie_header.json", "form.json"}
