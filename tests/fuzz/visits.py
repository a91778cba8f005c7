"""What comes by HTTP: a request to the console changes nothing unasked, and a webhook is believed by its signature."""

import base64
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from html import unescape
from random import Random
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode

from dunning import wiring
from dunning.console.http_messages import PageRequest, request_of
from dunning.console.render import static_files
from dunning.console.router import route_of
from dunning.console.routes import ROUTES
from dunning.console.views.entrance import SESSION_COOKIE
from dunning.contracts.channel_event import parse_channel_events
from dunning.contracts.channel_message import is_channel_message, parse_channel_message
from dunning.contracts.unsubscribe import unsubscribe_token
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.queues import InboundMessage
from dunning.ports.secret_store import UNSUBSCRIBE_KEY, line_secret
from dunning.ports.sessions import Role
from dunning.services.console.login import form_token
from dunning.services.webhooks import WebhookService
from functions.console.app import lambda_handler
from functions.webhooks import app as webhooks
from tests.fuzz.mutation import HOSTILE_TEXTS, mutate_json, mutate_text
from tests.fuzz.parser import TAKEN, Parser
from tests.fuzz.planted import NAME, PHONE, WORDS, found
from tests.support.channel_office import line_body, line_event
from tests.support.console import Office, a_contact, a_reply
from tests.support.fakes import FakeClock, FakeDelayQueue, FakeSecrets, FakeTelemetry
from tests.support.people import NOW, someone

_SCRIPT = "<script>alert(1)</script>"
_STATUSES = frozenset({200, 302, 303, 400, 401, 403, 404, 409, 413, 422, 429})
_OPEN = frozenset({"reveal", "document"})
"""The views that show who somebody is, to those who have said what for."""

_FIELDS = {
    "purpose": "customer_called", "reason": "dispute", "until": "2026-12-20", "version": "1", "sought": "C0001",
    "customer": "C0001", "part": "phone", "text": "called back", "reply": "reply-1", "intent": "dispute", "sure": "1",
    "outcome": "called_back", "colleague": "", "typed": "C0001", "day": "2026-12-01", "hour": "2", "language": "en",
    "back": "/today", "page": "", "made_as": "", "promised_on": "2026-12-05", "field": "name",
}  # fmt: skip
"""What the forms of all pages ask for."""

_QUERY = {"lender": "demo-tw", "day": "2026-12-01", "counter": "delivered", "kind": "", "place": "TW", "page": ""}


class _Telemetry(FakeTelemetry):
    def flush(self) -> None:
        """Do nothing: it is looked at where it is."""


def _office() -> tuple[Office, Mapping[Role, str]]:
    """Return a console with two customers, and a session of each role. Its secrets are the same each time."""
    office = Office()
    for number in (1, 2):
        facts = someone(number, name=NAME, phone=PHONE) if number == 1 else someone(number)
        office.keep(facts, contacts=[a_contact(facts, "【示範分期】請繳款")], replies=[a_reply(facts, WORDS)])
    office.keep_report()
    sessions = {}
    for role in Role:
        office.cookies.clear()
        office.log_in(role, f"somebody.{role.value}")
        sessions[role] = office.cookies[SESSION_COOKIE]
    return office, sessions


def _changeable(office: Office) -> tuple[object, ...]:
    """Return all that a person may change by a form, to be compared."""
    return (
        dict(office.customers.lender_records), dict(office.customers.standings), office.switch.on, repr(office.bus),
        repr(vars(office.bus)), repr(vars(office.cases)),
    )  # fmt: skip


def _event_of(data: bytes) -> dict[str, Any]:
    """Write an event as API Gateway does, which hands over whole characters, and bodies in base64."""
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError):
        asked = {"path": data.decode("utf-8", "replace")}
    asked = asked if isinstance(asked, dict) else {"path": str(asked)}

    def text_of(name: str, default: str = "") -> str:
        value = asked.get(name, default)
        return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace").decode()

    headers = {"content-type": "application/x-www-form-urlencoded", "host": "console.example"}
    site, language = text_of("site"), text_of("language", "en")
    return {
        "rawPath": text_of("path", "/"),
        "rawQueryString": text_of("query"),
        "cookies": [text_of("cookie")],
        "headers": headers | {"sec-fetch-site": site, "accept-language": language, "hx-request": text_of("fragment")},
        "requestContext": {"http": {"method": text_of("method", "GET")}, "requestId": "r", "routeKey": "$default"},
        "body": base64.b64encode(text_of("body").encode()).decode(),
        "isBase64Encoded": True,
    }


def _check_console(data: bytes) -> str:
    office, _ = _office()
    event = _event_of(data)
    before, telemetry = _changeable(office), _Telemetry()
    with patch.multiple(wiring, console=lambda: office.console, telemetry=lambda: telemetry):
        answer: Any = lambda_handler(event, object())  # type: ignore[arg-type]
    status, body, headers = answer["statusCode"], answer["body"], answer["headers"]
    assert office.errors == [], f"an error that nobody has foreseen: {office.errors!r}"
    assert status in _STATUSES, f"answered with {status}"
    for written in (*headers.values(), *answer["cookies"]):
        assert written.isprintable(), "a header that ends early"
    is_page = headers["Content-Type"].startswith("text/html")
    if is_page and body:
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert _SCRIPT not in body, "what somebody wrote is run"
    request = request_of(event)
    if not _may_change(request):
        assert _changeable(office) == before, "changed without a form of ours"
    route, _ = route_of(request)
    if not found(*_words_of(request)):
        assert found(office.table.entries, headers, answer["cookies"]) == []
        shown = unescape(body)  # an escaped quotation mark has digits of its own
        assert (route is not None and route.view in _OPEN) or found(shown) == [], (
            "a person is shown who was not asked for"
        )
    return TAKEN if status < 400 else f"answered with {status}"


def _words_of(request: PageRequest) -> Iterator[str]:
    """Yield what somebody has typed: a page may show it again."""
    yield request.path
    for fields in (request.query, request.form, request.headers, request.cookies):
        yield from fields
        yield from fields.values()


def _may_change(request: PageRequest) -> bool:
    session = request.cookies.get(SESSION_COOKIE, "")
    is_ours = request.headers.get("sec-fetch-site") == "same-origin"
    return request.method == "POST" and is_ours and request.form.get("token") == form_token(session)


@cache
def _samples() -> tuple[bytes, ...]:
    office, sessions = _office()
    places = {
        "customer_id": "C0001", "report_id": office.reports.kept[0].report_id, "lender": "demo-tw", "trial": "holdout",
        "comparison_id": "20261201T020000", "number": "1", "name": next(iter(static_files().by_name)),
    }  # fmt: skip
    samples = []
    for route in ROUTES:
        path = "/".join(places.get(part[1:-1], part) if part[:1] == "<" else part for part in route.path.split("/"))
        for role in (Role.MANAGER, Role.COMPLIANCE, Role.AGENT):
            session = sessions[role]
            form = _FIELDS | {"token": form_token(session)} if route.method == "POST" else {}
            asked = {
                "method": route.method, "path": path, "cookie": f"{SESSION_COOKIE}={session}", "site": "same-origin",
                "query": urlencode(_QUERY) if route.method == "GET" else "", "body": urlencode(form),
            }  # fmt: skip
            samples.append(json.dumps(asked).encode())
    return tuple(samples)


def _console_requests() -> Iterator[bytes]:
    yield from _samples()


def _mutate_request(data: bytes, chance: Random) -> bytes:
    """Change a field of the form or of the query as often as the rest; a login stays good, most of the time."""
    try:
        asked = json.loads(data)
        name = chance.choice(["body", "query"])
        fields = dict(parse_qsl(asked[name], keep_blank_values=True))
        field = chance.choice([field for field in fields if field != "token"])
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return mutate_json(data, chance)
    if not chance.randrange(4):
        return mutate_json(data, chance)
    fields[field] = (
        chance.choice(HOSTILE_TEXTS)
        if chance.randrange(2)
        else mutate_text(fields[field].encode("utf-8", "replace"), chance).decode("utf-8", "replace")
    )
    return json.dumps(asked | {name: urlencode(fields, errors="replace")}).encode()


# ------------------------------------------------------------------ webhooks

_LINE_SECRET, _KEY = "0123456789abcdef", "k" * 32
_LINE_ROUTE, _BUTTON = "POST /line/{lender}", "/unsubscribe/{token}"
_GOOD = "good"
_NOT_IN_A_QUEUE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LARGEST_MESSAGE = 256 * 1024


def _call_of(data: bytes) -> tuple[dict[str, Any], bool]:
    """Write a call as API Gateway does, and tell if it is signed. The signature `good` is the one that fits."""
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError):
        asked = {}
    asked = asked if isinstance(asked, dict) else {}
    texts = {name: value for name, value in asked.items() if isinstance(value, str)}
    body = texts.get("body", "").encode("utf-8", "surrogateescape" if _is_bytes(texts.get("body", "")) else "replace")
    signed = base64.b64encode(hmac.new(_LINE_SECRET.encode(), body, sha256).digest()).decode()
    signature = signed if texts.get("signature") == _GOOD else texts.get("signature", "")
    route = texts.get("route", _LINE_ROUTE)
    event = {
        "routeKey": route, "requestContext": {"http": {"method": route.partition(" ")[0], "path": "/"}},
        "headers": {"x-line-signature": signature, "content-type": texts.get("type", "")},
        "pathParameters": {"lender": texts.get("lender", ""), "token": texts.get("token", "")},
        "body": base64.b64encode(body).decode(), "isBase64Encoded": True,
    }  # fmt: skip
    return event, signature == signed


def _is_bytes(text: str) -> bool:
    """Tell whether the halves of characters in a text stand for bytes that are no UTF-8."""
    return all("\udc80" <= sign <= "\udcff" for sign in text if "\ud800" <= sign <= "\udfff")


def _check_webhook(data: bytes) -> str:
    replies, events, secrets, telemetry = FakeDelayQueue(), FakeDelayQueue(), FakeSecrets(), _Telemetry()
    secrets.secrets = {line_secret("demo-tw"): _LINE_SECRET, UNSUBSCRIBE_KEY: _KEY}
    service = WebhookService(
        secrets=secrets, replies=replies, channel_events=events, line_lenders=["demo-tw"], clock=FakeClock(NOW),
        telemetry=telemetry,
    )  # fmt: skip
    event, is_signed = _call_of(data)
    with patch.multiple(wiring, webhook_service=lambda: service, telemetry=lambda: telemetry):
        answer: Any = webhooks.lambda_handler(event, object())  # type: ignore[arg-type]
    assert answer["statusCode"] in {200, 403, 404, 413}
    assert found(telemetry.events) == []
    if not is_signed and event["routeKey"] == _LINE_ROUTE:
        assert answer["statusCode"] in {403, 413}, "believed without its signature"
    if answer["statusCode"] != 200:
        assert not replies.messages
        assert not events.messages
    for body, _ in (*replies.messages, *events.messages):
        assert not _NOT_IN_A_QUEUE.search(body), "a sign that no queue takes"
        assert len(body.encode()) <= _LARGEST_MESSAGE
    for body, _ in replies.messages:
        assert is_channel_message(body)
        parse_channel_message(body)
    for body, _ in events.messages:
        with suppress(UnreadableRecordError):
            parse_channel_events(InboundMessage("m0", body, 1, NOW))
    return TAKEN if answer["statusCode"] == 200 else f"answered with {answer['statusCode']}"


def _webhooks() -> Iterator[bytes]:
    kinds: dict[str, dict[str, Any]] = {
        "message": {"message": {"type": "text", "id": "1", "text": WORDS}}, "postback": {"postback": {"data": "paid"}},
        "unfollow": {}, "follow": {},
    }  # fmt: skip
    for number, (kind, members) in enumerate(kinds.items()):
        body = line_body(line_event(kind, number, **members))
        yield json.dumps({"route": _LINE_ROUTE, "lender": "demo-tw", "signature": _GOOD, "body": body}).encode()
    yield json.dumps({"route": _LINE_ROUTE, "lender": "demo-tw", "signature": "bad", "body": body}).encode()
    token = unsubscribe_token("C0001", "c1" * 16, _KEY)
    pressed = {"token": token, "type": "application/x-www-form-urlencoded", "body": "List-Unsubscribe=One-Click"}
    yield json.dumps({"route": f"POST {_BUTTON}", **pressed}).encode()
    yield json.dumps({"route": f"GET {_BUTTON}", **pressed}).encode()


def visit_parsers() -> Iterable[Parser]:
    """Return the parsers of what comes by HTTP: requests to the console, and calls of LINE and of mail programs."""
    return (
        Parser("console", _check_console, _console_requests, _mutate_request),
        Parser("webhook", _check_webhook, _webhooks, mutate_json),
    )
