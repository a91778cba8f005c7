"""The console, by both of its doors: a browser with a session, and a program with a token."""

import json
import re
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from dunning.console.routes import ENTRANCES
from dunning.domain.decision.decisions import Reason
from tests.e2e.deployed.identity import AUDIENCE
from tests.e2e.deployed.world import World

pytestmark = pytest.mark.deployed


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON comes
        return json.loads(self.body)


@dataclass
class Browser:
    """Keeps cookies, and follows no address by itself."""

    world: World
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self._send("GET", path, headers, b"")

    def post(self, path: str, **form: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        return self._send("POST", path, headers, urlencode(form).encode())

    @property
    def token(self) -> str:
        """The token of the session, as a page has it."""
        (token,) = {part.split('"')[0] for part in self.get("/find").body.split('name="token" value="')[1:]}
        return token

    def log_in(self, group: str) -> Answer:
        """Go to the provider and back, as its redirects say."""
        self.world.provider.group = group
        begun = self.get("/login/begin")
        back = urlsplit(self.asked_to_log_in(begun.headers["Location"]))
        assert f"{back.scheme}://{back.netloc}" == self.world.outputs["ConsoleAddress"]
        return self.get(f"{back.path}?{back.query}")

    def asked_to_log_in(self, address: str) -> str:
        """Ask the provider, and return where it sends the browser."""
        parts = urlsplit(address)
        with closing(HTTPSConnection(parts.netloc, context=self._tls())) as connection:
            connection.request("GET", f"{parts.path}?{parts.query}")
            return connection.getresponse().getheader("Location", "")

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**({"Cookie": cookies} if cookies else {}), "Accept-Language": "en", **headers}
        here = f"127.0.0.1:{self.world.stand_in.port}"
        with closing(HTTPSConnection(here, context=self._tls(), timeout=30)) as connection:
            connection.request(method, f"/_aws/execute-api/{self.world.ids['ConsoleApi']}/$default{path}", body, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, {**found, "Location": found.get("location", "")}, text)

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.world.stand_in.certificate))


@pytest.fixture(scope="module")
def person(world: World) -> dict[str, str]:
    """Load somebody to look at, from a file in which a row is refused."""
    person, refused = world.people(2)
    world.upload("console.csv", [person, {**refused, "due_on": "soon"}])
    world.until("somebody is loaded", lambda: person["customer_id"] in world.standings())
    return person


@pytest.fixture(scope="module")
def customer_id(person: Mapping[str, str]) -> str:
    return person["customer_id"]


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world)


def bearer(world: World, **claims: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.provider.access_token(**claims)}"}  # type: ignore[arg-type]


class TestThePeoplesDoor:
    """A session after a login with the provider, and nothing without."""

    def test_without_a_session_there_is_the_login_and_nothing_else(self, browser: Browser) -> None:
        assert browser.get("/login").status == 200
        for path in ("/", "/today", "/find", "/customers/C-0100", "/audit"):
            answer = browser.get(path)
            assert (answer.status, answer.headers["Location"]) == (303, "/login")

    def test_a_login_leads_in_and_its_cookies_are_the_browsers_alone(self, browser: Browser) -> None:
        answer = browser.log_in("managers")
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        today = browser.get("/today")
        assert today.status == 200
        assert today.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in today.headers["content-security-policy"]

    def test_a_code_of_a_login_that_was_begun_in_another_browser_leads_nowhere(
        self, world: World, browser: Browser
    ) -> None:
        stranger = Browser(world)
        world.provider.group = "managers"
        begun = stranger.get("/login/begin")
        back = urlsplit(stranger.asked_to_log_in(begun.headers["Location"]))
        assert browser.get(f"{back.path}?{back.query}").status == 403
        assert "__Host-session" not in browser.cookies

    def test_a_session_that_somebody_made_up_is_none(self, browser: Browser) -> None:
        browser.cookies["__Host-session"] = "A" * 43
        assert browser.get("/today").status == 303

    def test_a_group_without_a_role_does_not_enter(self, browser: Browser) -> None:
        assert browser.log_in("visitors").status == 403
        assert browser.get("/today").status == 303

    def test_a_customer_is_found_and_looked_at_masked_and_the_look_is_written_down(
        self, browser: Browser, customer_id: str
    ) -> None:
        browser.log_in("legal")
        token = browser.token
        found = browser.post("/find", sought=customer_id, token=token)
        assert (found.status, found.headers["Location"]) == (303, f"/customers/{customer_id}")
        looked = browser.get(found.headers["Location"])
        assert looked.status == 200
        assert "王*" in looked.body or "A*" in looked.body
        assert "one-of-legal" in browser.get("/audit").body
        revealed = browser.post(f"/customers/{customer_id}/reveal", field="phone", purpose="call", token=token)
        assert revealed.status == 200
        # A form of another page, without the token of the session, does nothing.
        assert browser.post(f"/customers/{customer_id}/reveal", field="phone", purpose="call").status == 403

    def test_a_token_of_a_program_opens_no_page(self, world: World, browser: Browser) -> None:
        assert browser.get("/today", **bearer(world)).status == 303

    def test_a_session_that_is_used_goes_on_and_one_that_is_not_ends(self, world: World, browser: Browser) -> None:
        browser.log_in("managers")
        for minutes in (20, 20):  # each time before half an hour is over
            world.advance(timedelta(minutes=minutes))
            assert browser.get("/today").status == 200
        world.advance(timedelta(minutes=31))
        assert browser.get("/today").status == 303

    def test_a_logout_ends_the_session(self, browser: Browser) -> None:
        browser.log_in("engineers")
        token = browser.token
        kept = dict(browser.cookies)
        assert browser.post("/logout", token=token).status == 303
        browser.cookies = kept
        assert browser.get("/find").status == 303


class TestWhatPeopleDo:
    """Pages and acts, by the role of the function alone."""

    def test_every_page_of_the_menu_opens_for_a_manager(self, browser: Browser, customer_id: str) -> None:
        del customer_id
        browser.log_in("managers")
        opened = {entrance.path: browser.get(entrance.path).status for entrance in ENTRANCES}
        assert set(opened.values()) == {200}, opened

    def test_what_was_refused_of_a_file_is_shown_to_who_says_why(self, world: World, browser: Browser) -> None:
        browser.log_in("managers")
        token = browser.token

        def refused() -> list[str]:
            (entry,) = [part for part in browser.get("/files").body.split("<li>") if "console.csv" in part] or [""]
            return re.findall(r'action="(/files/[^"]+/rejects)"', entry)

        world.until("the file is told of", lambda: bool(refused()))
        (address,) = refused()
        assert browser.post(address, token=token).status == 400
        rejects = browser.post(address, purpose="audit", token=token)
        assert rejects.status == 200
        assert "due_on" in rejects.body
        assert "soon" not in rejects.body

    def test_a_manager_stops_all_sending_and_lets_it_go_on(self, world: World, browser: Browser) -> None:
        browser.log_in("managers")
        token = browser.token

        def switch() -> str:
            parameter = world.as_manager("ssm").get_parameter(Name=world.ids["SendingParameter"])
            return str(parameter["Parameter"]["Value"])

        assert browser.post("/sending/pause", reason="a test of the switch", token=token).status == 303
        assert switch() == "off"
        assert browser.post("/sending/resume", reason="the test is over", typed="yes", token=token).status == 409
        assert switch() == "off"
        assert browser.post("/sending/resume", reason="the test is over", typed="RESUME", token=token).status == 303
        assert switch() == "on"

    def test_a_hold_goes_to_the_customer_by_way_of_the_bus(
        self, world: World, browser: Browser, customer_id: str
    ) -> None:
        browser.log_in("agents")
        held = browser.post(f"/customers/{customer_id}/hold", reason="dispute", token=browser.token)
        assert held.status == 303
        world.until("the hold counts", lambda: world.standings()[customer_id].reason == Reason.ON_HOLD.value)

    def test_a_case_is_taken_and_a_colleague_sees_by_whom(
        self, world: World, browser: Browser, person: Mapping[str, str], customer_id: str
    ) -> None:
        world.reply(person, "Is it true that the parcel arrives on Thursday?")
        browser.log_in("agents")
        world.until("a person is wanted", lambda: customer_id in browser.get("/waiting").body)
        assert browser.post(f"/waiting/{customer_id}/take", token=browser.token).status == 303
        browser.log_in("managers")
        assert "one-of-agents" in browser.get("/waiting").body


class TestTheProgramsDoor:
    """A token of the provider, for us, in time, with the scope of the route."""

    PATHS = ("/api/today", "/api/customers/C-0100", "/api/audit", "/api/nothing")

    @pytest.mark.parametrize("path", PATHS)
    def test_without_a_token_nobody_comes_in(self, browser: Browser, path: str) -> None:
        assert browser.get(path).status == 401

    @pytest.mark.parametrize("path", PATHS)
    def test_nor_with_a_session(self, browser: Browser, path: str) -> None:
        browser.log_in("legal")
        assert browser.get(path).status == 401

    @pytest.mark.parametrize(
        "claims",
        [
            {"is_forged": True},
            {"exp": 1_700_000_000},
            {"iss": "https://login.example"},
            {"aud": "another"},
            {"aud": None, "client_id": "another"},
        ],
        ids=["forged", "expired", "of another issuer", "for somebody else", "of another client"],
    )
    def test_a_token_that_is_not_good_is_refused(
        self, world: World, browser: Browser, claims: Mapping[str, object]
    ) -> None:
        assert browser.get("/api/today", **bearer(world, **claims)).status == 401

    @pytest.mark.parametrize(
        ("path", "scope"),
        [("/api/today", "dunning/audit"), ("/api/audit", "dunning/read"), ("/api/today", "openid")],
    )
    def test_a_good_token_without_the_scope_of_the_route_is_refused(
        self, world: World, browser: Browser, path: str, scope: str
    ) -> None:
        assert browser.get(path, **bearer(world, scope=scope)).status == 403

    def test_a_program_reads_the_numbers_a_customer_and_who_looked(
        self, world: World, browser: Browser, customer_id: str
    ) -> None:
        today = browser.get("/api/today?lender=demo-tw", **bearer(world))
        assert (today.status, today.json["lender"]) == (200, "demo-tw")
        customer = browser.get(f"/api/customers/{customer_id}", **bearer(world))
        assert customer.json["decision"]["reason"]["code"]
        audit = browser.get("/api/audit", **bearer(world, scope="dunning/audit openid", aud=[AUDIENCE]))
        acts = [(entry["viewer"]["subject"], entry["act"]) for entry in audit.json["entries"]]
        assert ("program:warehouse", "looked") in acts
        assert acts[0] == ("program:warehouse", "exported_audit")

    @pytest.mark.parametrize("path", ["/API/today", "//api/today", "/api/../api/today", "/%61pi/today", "/api/today/"])
    def test_no_spelling_of_a_path_gets_past_the_authorizer(self, browser: Browser, path: str) -> None:
        answer = browser.get(path)
        assert answer.status in {401, 404}
        assert "counters" not in answer.body


def test_nothing_of_a_visit_is_in_a_log(world: World, customer_id: str) -> None:
    written = json.dumps(world.logged("console"))
    assert customer_id not in written
    assert "one-of-" not in written
