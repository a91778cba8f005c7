"""The console on this machine: the real handler behind a server on the loopback, over a world that is played."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import pytest

from dunning.adapters.dynamodb.keys import REPLY
from tests.local.console import LocalConsole, http_event
from tests.local.issuer import LOGINS
from tests.local.runner import begin_of
from tests.local.world import NoTextError
from tests.support.browser import later_in_the_day
from tests.support.lender_files import csv_of, row

pytestmark = pytest.mark.slow(reason="the embedded AWS is filled and played for some days")

BEGIN = begin_of(datetime(2026, 12, 1, tzinfo=UTC).date())


class Browser:
    """Follows redirects and keeps cookies, the safe ones too: a browser trusts the loopback."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self._opener = urllib.request.build_opener(_Stay)

    def get(self, address: str) -> tuple[int, str]:
        return self._ask(address, None)

    def post(self, path: str, **form: str) -> tuple[int, str]:
        return self._ask(path, urlencode(form).encode())

    def log_in(self, login: str) -> None:
        self.cookies.clear()
        _, page = self.get("/login/begin")
        (choice,) = (found for found in re.findall(r'href="([^"]+)"', page) if f"login={login}" in found)
        issuer = self.last.rpartition("/authorize")[0]
        assert self.get(issuer + choice.replace("&amp;", "&"))[0] == 200

    def _ask(self, address: str, body: bytes | None) -> tuple[int, str]:
        for _ in range(6):
            self.last = address if address.startswith("http") else self.origin + address
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            headers |= {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
            request = urllib.request.Request(self.last, body, headers if self.last.startswith(self.origin) else {})  # noqa: S310
            try:
                answer: HTTPResponse = self._opener.open(request, timeout=30)
            except urllib.error.HTTPError as error:
                answer = error  # type: ignore[assignment]
            for written in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = written.partition(";")[0].partition("=")
                self.cookies[name] = value
            if answer.status in {302, 303}:
                address, body = str(answer.headers["Location"]), None
                continue
            return answer.status, answer.read().decode()
        raise AssertionError("redirected without end")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Let the browser above do it."""


@pytest.fixture(scope="module")
def console() -> Iterator[LocalConsole]:
    with TemporaryDirectory() as folder:
        changed = later_in_the_day(Path(folder))
        with LocalConsole(accounts=csv_of([row()]).encode(), start=BEGIN, days=2, what_if=changed) as console:
            yield console


@pytest.fixture
def browser(console: LocalConsole) -> Browser:
    return Browser(console.origin)


@pytest.mark.parametrize("login", LOGINS)
def test_each_login_comes_in_through_the_flow_of_production(browser: Browser, login: str) -> None:
    browser.log_in(login)
    status, page = browser.get("/")
    assert status == 200
    assert login in page


def test_a_customer_is_found_read_and_revealed_and_all_of_it_is_written_down(browser: Browser) -> None:
    browser.log_in("mei.chen")
    _, page = browser.get("/find")
    (token,) = set(re.findall(r'name="token" value="([^"]+)"', page))
    status, page = browser.post("/find", token=token, sought="0912-345-678")
    assert status == 200
    assert "Customer C-1001" in page
    assert "+886912345678" not in page
    status, page = browser.post("/customers/C-1001/reveal", token=token, field="phone", purpose="call")
    assert (status, "+886912345678" in page) == (200, True)
    _, page = browser.get("/audit")
    assert "was shown a hidden value" in page


def test_a_changed_policy_is_compared_over_those_who_were_played_and_kept(browser: Browser) -> None:
    browser.log_in("mei.chen")
    _, page = browser.get("/what-if")
    (address,) = set(re.findall(r'href="(/what-if/[0-9a-f]{16})"', page))
    assert "make console" in page
    _, page = browser.get(address)
    assert "1 of 1 customers would get something else, or at another time." in page
    assert "lenders/demo-tw.toml" in page
    _, page = browser.get(f"{address}/1")
    assert 'href="/customers/C-1001"' in page


def test_time_moves_a_reply_silences_and_a_payment_ends_it(browser: Browser, console: LocalConsole) -> None:
    browser.log_in("ana.costa")
    before = console.cloud.clock.now()
    assert "It is now" in browser.post("/local", act="day")[1]
    assert console.cloud.clock.now() >= before + timedelta(days=1)
    browser.log_in("ana.costa")
    assert (
        "The reply has arrived." in browser.post("/local", act="reply", customer="C-1001", text="我沒有錢，付不出來")[1]
    )
    _, page = browser.get("/customers/C-1001")
    assert "The customer wrote" in page
    assert "我沒有錢" not in page
    assert "The payment has arrived." in browser.post("/local", act="payment", customer="C-1001")[1]
    _, page = browser.get("/customers/C-1001")
    assert "Everything is paid" in page
    assert "Nothing is open" in browser.post("/local", act="payment", customer="C-1001")[1]
    assert "no such customer" in browser.post("/local", act="reply", customer="C9", text="x")[1]


def test_today_counts_what_has_been_sent_in_this_world(browser: Browser, console: LocalConsole) -> None:
    browser.log_in("mei.chen")
    status, page = browser.get("/today")
    assert status == 200
    table = page.partition('<details id="chart-table">')[2]
    assert sum(map(int, re.findall(r'<td class="num">(\d+)', table))) == len(console.cloud.outbox) > 0
    assert "customers; 0 of them have something overdue" in page


def test_after_each_act_the_page_says_what_happened_and_reloading_it_repeats_nothing(
    browser: Browser, console: LocalConsole
) -> None:
    _, page = browser.post("/local/C-1001", act="reply", customer="C-1001", text="我沒有錢，付不出來")
    assert "1 reply, understood as: cannot pay" in page
    assert "1 customer handed to a person" in page
    assert browser.last == f"{console.origin}/local/C-1001"
    replies = sum(
        item["contact"]["S"].startswith(REPLY) for item in console.cloud.items(console.cloud.stack.contacts_table)
    )
    assert "cannot pay" in browser.get("/local")[1]
    assert replies == sum(
        item["contact"]["S"].startswith(REPLY) for item in console.cloud.items(console.cloud.stack.contacts_table)
    )


def test_each_customers_page_leads_to_playing_this_customer_and_holds_no_number(browser: Browser) -> None:
    browser.log_in("jun.li")
    _, page = browser.get("/customers/C-1001")
    assert 'href="/local/C-1001"' in page
    _, page = browser.get("/local/C-1001")
    assert "Play as customer C-1001" in page
    assert "912345678" not in page
    assert browser.get("/local/C9")[0] == 200
    assert browser.last.endswith("/local")


def test_what_cannot_happen_is_said_and_the_clock_goes_on(
    browser: Browser, console: LocalConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise NoTextError("mine.jsonl:3: receipt: no text has gone to that number")

    with monkeypatch.context() as patch:
        patch.setattr(console.world, "run_until", fail)
        assert "mine.jsonl:3: receipt" in browser.post("/local", act="hour")[1]
    assert "It is now" in browser.post("/local", act="hour")[1]


@pytest.mark.parametrize(
    ("host", "status", "location"),
    [("evil.example", 421, None), ("127.0.0.1:1", 421, None), ("localhost:8765", 307, "/today?a=1")],
)
def test_by_another_name_nothing_is_served(console: LocalConsole, host: str, status: int, location: str | None) -> None:
    connection = HTTPConnection(console.origin.removeprefix("http://"), timeout=10)
    connection.request("GET", "/today?a=1", headers={"Host": host})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (status, location and console.origin + location)
    connection.close()


def test_nobody_but_a_page_of_ours_moves_the_clock(console: LocalConsole) -> None:
    before = console.cloud.clock.now()
    request = urllib.request.Request(f"{console.origin}/local", b"act=day", {"Origin": "https://evil.example"})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)  # noqa: S310
    assert console.cloud.clock.now() == before


@pytest.mark.parametrize(
    ("headers", "cookies"), [({"Cookie": "a=1; b=2"}, ["a=1", "b=2"]), ({}, None), ({"cookie": ""}, None)]
)
def test_an_event_is_built_as_the_door_in_the_cloud_builds_it(
    headers: Mapping[str, str], cookies: list[str] | None
) -> None:
    event = http_event("POST", "/find?a=1", {"Host": "x", **headers}, b"q=1", BEGIN)
    assert event.get("cookies") == cookies
    assert event["headers"] == {"host": "x"}
    assert (event["rawPath"], event["rawQueryString"], event["body"], event["isBase64Encoded"]) == (
        "/find", "a=1", "cT0x", True,
    )  # fmt: skip
    assert "body" not in http_event("GET", "/", {}, b"", BEGIN)
