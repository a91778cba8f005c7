"""The console's handler: events of API Gateway in, answers out; the door itself has tests of its own."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from dunning import wiring
from dunning.console.http_messages import CookieToSet, PageAnswer, PageRequest
from dunning.console.routes import ProgramRoute, Route
from functions.console.app import lambda_handler
from tests.local import ROOT
from tests.local.events import LambdaContext
from tests.support.fakes import FakeTelemetry

EVENTS = ROOT / "events" / "console"


class FakePrograms:
    """The door of programs, which says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, object], Mapping[str, str]]] = []

    def answer(
        self,
        route: ProgramRoute | None,
        request: PageRequest,
        claims: Mapping[str, object],
        parts: Mapping[str, str],
    ) -> PageAnswer:
        del request
        self.asked.append((route.view if route else "", claims, parts))
        return PageAnswer(body="{}", content_type="application/json; charset=utf-8")


class FakeConsole:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, PageRequest, Mapping[str, str]]] = []
        self.programs = FakePrograms()

    def answer(self, route: Route, request: PageRequest, parts: Mapping[str, str]) -> PageAnswer:
        self.asked.append((route.view, request, parts))
        cookies = (CookieToSet("__Host-session", "new", 28800), CookieToSet("__Host-login"))
        return PageAnswer(
            status=303, body="頁", headers={"Location": "/", "Cache-Control": "no-store"}, cookies=cookies
        )

    def not_found(self, request: PageRequest) -> PageAnswer:
        self.asked.append(("not_found", request, {}))
        return PageAnswer(status=404)


class FlushedTelemetry(FakeTelemetry):
    """A telemetry with a `flush`."""

    def flush(self) -> None:
        """Do nothing."""


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> FakeConsole:
    found = FakeConsole()
    monkeypatch.setattr(wiring, "console", lambda: found)
    monkeypatch.setattr(wiring, "telemetry", FlushedTelemetry)
    return found


def handle(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of an event
    event = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    http = event["requestContext"]["http"]
    http["method"] = changes.pop("method", http["method"])
    event |= changes
    http["path"] = event["rawPath"]
    found: dict[str, Any] = lambda_handler(event, LambdaContext("console"))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(("name", "view"), [("page", "today"), ("cookie_header", "today"), ("form", "find")])
def test_an_event_is_answered_by_its_route_with_cookies_that_scripts_cannot_read(
    console: FakeConsole, name: str, view: str
) -> None:
    answer = handle(name)
    assert answer["statusCode"] == 303
    assert answer["body"] == "頁"
    assert answer["headers"]["Location"] == "/"
    assert answer["cookies"] == [
        "__Host-session=new; Path=/; Max-Age=28800; HttpOnly; Secure; SameSite=Lax",
        "__Host-login=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
    ]
    ((asked, request, parts),) = console.asked
    assert (asked, parts) == (view, {})
    assert request.cookies["__Host-session"] == "Zm9v"


@pytest.mark.parametrize("customer_id", ["C0012", "A-1.b_2", "10293"])
def test_the_id_of_a_customer_stands_in_the_path(console: FakeConsole, customer_id: str) -> None:
    handle("page", rawPath=f"/customers/{customer_id}")
    ((asked, _, parts),) = console.asked
    assert (asked, parts) == ("customer", {"customer_id": customer_id})


def test_a_page_is_asked_for_by_its_head_too(console: FakeConsole) -> None:
    assert handle("page", method="HEAD")["statusCode"] == 303
    assert console.asked[0][0] == "today"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("DELETE", "/today"), ("POST", "/today"), ("GET", "/customers/a/b")]
)
def test_what_no_route_is_for_is_not_found(console: FakeConsole, method: str, path: str) -> None:
    assert handle("page", method=method, rawPath=path)["statusCode"] == 404
    assert console.asked[0][0] == "not_found"


CLAIMS = {"sub": "7abc", "scope": "dunning/read"}


def of_a_program(route_key: str) -> dict[str, Any]:
    """Return the context of a request that has been through the authorizer."""
    event = json.loads((EVENTS / "page.json").read_text("utf-8"))
    context: dict[str, Any] = event["requestContext"]
    return {"requestContext": context | {"routeKey": route_key, "authorizer": {"jwt": {"claims": CLAIMS}}}}


@pytest.mark.parametrize(
    ("path", "view", "parts"),
    [
        ("/api/today", "today", {}),
        ("/api/customers/C0012", "customer", {"customer_id": "C0012"}),
        ("/api/audit", "audit", {}),
        ("/api/nothing", "", {}),
    ],
)
def test_programs_are_answered_by_their_own_door_with_the_claims_of_the_authorizer(
    console: FakeConsole, path: str, view: str, parts: Mapping[str, str]
) -> None:
    answer = handle("page", rawPath=path, **of_a_program(f"GET {path}"))
    assert answer["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert console.programs.asked == [(view, CLAIMS, parts)]
    assert not console.asked


@pytest.mark.parametrize("path", ["/api/today", "/api/customers/C0012", "/api/audit", "/api/nothing"])
def test_by_the_way_of_people_no_claims_reach_the_door_of_programs(console: FakeConsole, path: str) -> None:
    handle("page", rawPath=path, **of_a_program("$default"))
    ((_, claims, _),) = console.programs.asked
    assert claims == {}


def test_ten_kilobytes_of_headers_are_read(console: FakeConsole) -> None:
    handle("page", cookies=["__Host-session=Zm9v", f"other={'x' * 10_000}"])
    assert console.asked[0][1].cookies["__Host-session"] == "Zm9v"


def test_the_body_of_the_sample_is_the_form_that_a_browser_sends() -> None:
    event = json.loads((EVENTS / "form.json").read_text("utf-8"))
    assert base64.b64decode(event["body"]) == b"token=t&sought=%2B886+912+345+678"
