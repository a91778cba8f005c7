"""The door: who may come in by which route, what a browser is told, and what a foreign page cannot do."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from dunning.console.http_messages import PageAnswer, PageRequest
from dunning.console.render import static_files
from dunning.console.routes import ROUTES, Route
from dunning.console.views.entrance import LOGIN_COOKIE, SESSION_COOKIE
from dunning.console.visits import LANGUAGE_COOKIE
from dunning.ports.sessions import Role
from dunning.services.console.login import IDLE_AT_MOST, SESSION_LASTS, session_key
from tests.support.console import ORIGIN, Office, an_office_with
from tests.support.lively_trials import LivelyTrials, a_holdout, keep_a_comparison
from tests.support.people import NOW

EVERYBODY = frozenset(Role)
NUMBERS = EVERYBODY - {Role.AGENT}
WITH_CUSTOMERS = EVERYBODY - {Role.ENGINEER}
ENTER = {
    ("GET", "/"): EVERYBODY,
    ("POST", "/logout"): EVERYBODY,
    ("GET", "/today"): NUMBERS,
    ("GET", "/list"): NUMBERS,
    ("GET", "/find"): EVERYBODY,
    ("POST", "/find"): EVERYBODY,
    ("GET", "/customers/<customer_id>"): EVERYBODY,
    ("GET", "/customers/<customer_id>/print"): EVERYBODY,
    ("POST", "/customers/<customer_id>/reveal"): WITH_CUSTOMERS,
    ("POST", "/customers/<customer_id>/document"): frozenset({Role.COMPLIANCE}),
    ("GET", "/audit"): EVERYBODY,
    ("GET", "/waiting"): EVERYBODY,
    ("GET", "/waiting/<customer_id>"): WITH_CUSTOMERS,
    ("POST", "/waiting/<customer_id>/take"): WITH_CUSTOMERS,
    ("POST", "/waiting/<customer_id>/give-back"): WITH_CUSTOMERS,
    ("POST", "/waiting/<customer_id>/note"): WITH_CUSTOMERS,
    ("POST", "/waiting/<customer_id>/label"): WITH_CUSTOMERS,
    ("POST", "/waiting/<customer_id>/close"): WITH_CUSTOMERS,
    ("POST", "/customers/<customer_id>/hold"): WITH_CUSTOMERS,
    ("POST", "/customers/<customer_id>/release"): WITH_CUSTOMERS,
    ("POST", "/customers/<customer_id>/erase"): frozenset({Role.MANAGER}),
    ("GET", "/erasures"): frozenset({Role.MANAGER, Role.COMPLIANCE}),
    ("POST", "/erasures/<customer_id>/confirm"): frozenset({Role.COMPLIANCE}),
    ("POST", "/erasures/<customer_id>/withdraw"): frozenset({Role.MANAGER, Role.COMPLIANCE}),
    ("GET", "/sending"): NUMBERS,
    ("POST", "/sending/pause"): NUMBERS,
    ("POST", "/sending/resume"): frozenset({Role.MANAGER}),
    ("POST", "/audit"): {Role.COMPLIANCE},
    ("POST", "/audit/csv"): {Role.COMPLIANCE},
    ("GET", "/audit/customers/<customer_id>"): {Role.COMPLIANCE},
    ("GET", "/files"): NUMBERS,
    ("POST", "/files/<report_id>/rejects"): {Role.MANAGER, Role.COMPLIANCE},
    ("POST", "/files/<report_id>/csv"): {Role.MANAGER, Role.COMPLIANCE},
    ("GET", "/rules"): EVERYBODY,
    ("GET", "/texts"): EVERYBODY,
    ("GET", "/rates"): NUMBERS,
    ("GET", "/trials"): NUMBERS,
    ("GET", "/trials/<lender>/<trial>"): NUMBERS,
    ("GET", "/what-if"): NUMBERS,
    ("GET", "/what-if/<comparison_id>"): NUMBERS,
    ("GET", "/what-if/<comparison_id>/<number>"): NUMBERS,
}
"""Who may come in by each route that needs a login; said here once more, so that a change is seen."""

OPEN = {
    ("GET", "/login"),
    ("GET", "/login/begin"),
    ("GET", "/callback"),
    ("POST", "/language"),
    ("GET", "/static/<name>"),
}
"""The routes that need no login."""


def ask(office: Office, route: Route) -> PageAnswer:
    report = office.keep_report()
    office.trials = LivelyTrials([a_holdout()])
    kept = keep_a_comparison(office.comparisons)
    parts = {
        "customer_id": "C0001",
        "report_id": report.report_id,
        "lender": "demo-tw",
        "trial": "quiet",
        "comparison_id": kept.comparison_id,
        "number": "1",
    }
    path = re.sub(r"<(\w+)>", lambda name: parts[name[1]], route.path)
    if route.method == "POST":
        return office.post(path, sought="C0001", field="phone", purpose="call", reason="dispute", day="2026-12-01")
    query = {"lender": "demo-tw", "day": "2026-12-01", "counter": "wait:person_cap"} if path == "/list" else {}
    return office.get(path, **query)


def test_every_route_is_known_to_this_table() -> None:
    assert {(route.method, route.path) for route in ROUTES if route.needs_login} == set(ENTER)
    assert {(route.method, route.path) for route in ROUTES if not route.needs_login} == OPEN


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", [r for r in ROUTES if r.needs_login], ids=lambda r: f"{r.method} {r.path}")
def test_a_role_comes_in_by_its_own_routes_and_by_no_other(role: Role, route: Route) -> None:
    office, _ = an_office_with()
    office.log_in(role)
    answer = ask(office, route)
    assert (answer.status != 403) is (role in ENTER[route.method, route.path])
    assert answer.status in {200, 303, 403, 409}  # 409: who may do it cannot do it now
    assert office.errors == []


@pytest.mark.parametrize("route", [r for r in ROUTES if r.needs_login], ids=lambda r: f"{r.method} {r.path}")
def test_without_a_login_nobody_comes_in(route: Route) -> None:
    office, _ = an_office_with()
    answer = ask(office, route)
    assert (answer.status, answer.headers["Location"], answer.body) == (303, "/login", "")
    assert office.evidence.reads == []


def test_a_page_is_asked_for_by_its_head_only_and_nothing_unknown_has_a_page() -> None:
    office, _ = an_office_with()
    assert office.get("/customers").status == 404
    assert office.send(PageRequest(method="DELETE", path="/today")).status == 404
    assert office.get(f"/customers/{'9' * 501}").status == 404


# ------------------------------------------------------------------ headers


def test_who_is_logged_in_keeps_the_menu_on_a_page_that_is_not_there() -> None:
    office = Office()
    assert 'href="/find"' not in office.get("/nowhere").body
    office.log_in(Role.AGENT)
    answer = office.get("/nowhere")
    assert (answer.status, 'href="/find"' in answer.body) == (404, True)


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/today", "/today"),
        ("/list", "/today"),
        ("/customers/C0001", "/find"),
        ("/waiting/C0001", "/waiting"),
        ("/texts", "/rules"),
        ("/audit/customers/C0001", "/audit"),
    ],
)
def test_the_menu_marks_the_entry_to_which_a_page_belongs(path: str, entry: str) -> None:
    office, _ = an_office_with()
    office.log_in(Role.COMPLIANCE)
    marked = "page" if path == entry else "true"
    page = office.get(path, **({"day": "2026-12-01", "counter": "delivered"} if path == "/list" else {})).body
    assert re.findall(r'<a href="([^"]+)" aria-current="(\w+)"', page.partition("</nav>")[0]) == [(entry, marked)]


@pytest.mark.parametrize("path", ["/login", "/today", "/customers/C0001", "/nowhere", "/customers/C9999", "/"])
def test_every_answer_has_the_headers_that_protect_it(path: str) -> None:
    office, _ = an_office_with()
    office.log_in(Role.MANAGER)
    headers = office.get(path).headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self' https://login.example; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")


def test_static_files_are_kept_for_ever_under_a_name_that_changes_with_them() -> None:
    for name in static_files().by_name:
        answer = Office().get(f"/static/{name}")
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    assert Office().get("/static/console.css").status == 404
    assert Office().get("/static/..").status == 404


def test_pages_hold_no_script_and_no_style_of_their_own_and_call_no_words_of_htmx_that_are_evaluated() -> None:
    office, _ = an_office_with()
    office.log_in(Role.MANAGER)
    for path in ("/today", "/customers/C0001", "/find", "/audit", "/files", "/rules", "/texts", "/login"):
        page = office.get(path).body
        assert page.count("<script") == page.count('<script src="/static/htmx')
        for word in ("<style", " style=", "hx-on", "hx-vals", "hx-live", "javascript:", " onclick"):
            assert word not in page


# ------------------------------------------------------------------ foreign pages


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": ORIGIN},
    ],
)
@pytest.mark.parametrize("route", [r for r in ROUTES if r.method == "POST"], ids=lambda r: r.path)
def test_a_foreign_page_changes_and_shows_nothing(route: Route, headers: dict[str, str]) -> None:
    office, _ = an_office_with()
    office.log_in(Role.MANAGER)
    answer = office.post(
        route.path.replace("<customer_id>", "C0001"), headers=headers, field="phone", purpose="call", sought="C0001"
    )
    assert (answer.status, answer.cookies) == (403, ())
    assert len(office.table.sessions) == 1
    assert office.table.entries == []


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": ORIGIN}])
def test_a_page_of_ours_may_send_a_form_in_a_browser_of_today_and_in_an_old_one(headers: dict[str, str]) -> None:
    office, _ = an_office_with()
    office.log_in(Role.MANAGER)
    assert office.post("/find", headers=headers, sought="C0001").status == 303


@pytest.mark.parametrize("token", ["", "wrong", "令牌"])
def test_a_form_without_the_token_of_the_session_does_nothing(token: str) -> None:
    office, _ = an_office_with()
    office.log_in(Role.MANAGER)
    answer = office.post("/customers/C0001/reveal", token=token, field="phone", purpose="call")
    assert answer.status == 403
    assert office.table.entries == []


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
def test_a_change_of_language_leads_back_to_a_page_of_ours_and_nowhere_else(back: str) -> None:
    office = Office()
    answer = office.post("/language", language="zh-Hant", back=back)
    assert (answer.headers["Location"], office.cookies[LANGUAGE_COOKIE]) == ("/", "zh-Hant")
    assert '<html lang="zh-Hant">' in office.get("/login").body


@pytest.mark.parametrize(
    ("back", "location"),
    [
        ("/find?q=a%20b", "/find?q=a%20b"),
        ("/\t/evil.example", "/%09/evil.example"),
        ("/today\r\nSet-Cookie: a=b", "/today%0D%0ASet-Cookie:%20a=b"),
        ("/customers/客", "/customers/%E5%AE%A2"),
        ("/\udc80", "/?"),
    ],
)
def test_an_address_is_no_header_more_and_no_other_site(back: str, location: str) -> None:
    answer = Office().post("/language", language="en", back=back)
    assert answer.headers["Location"] == location


def test_a_language_that_there_is_not_is_not_kept() -> None:
    office = Office()
    assert office.post("/language", language="xx; Path=/", back="/find").cookies == ()


# ------------------------------------------------------------------ logging in


def test_a_login_ends_with_a_session_of_a_new_id_that_is_stored_as_a_hash_only() -> None:
    office = Office()
    answer = office.log_in(Role.MANAGER)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    session_id = office.cookies[SESSION_COOKIE]
    (session,) = office.table.sessions.values()
    assert session.key == session_key(session_id) == hashlib.sha256(session_id.encode()).hexdigest()
    assert LOGIN_COOKIE not in office.cookies
    assert office.get("/").headers["Location"] == "/today"


def test_an_agent_begins_where_an_agent_may_be() -> None:
    office = Office()
    office.log_in(Role.AGENT)
    assert office.get("/").headers["Location"] == "/waiting"


def test_the_provider_is_shown_a_challenge_and_gets_its_verifier() -> None:
    office = Office()
    office.log_in(Role.MANAGER)
    digest = hashlib.sha256(office.provider.asked["verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == office.provider.asked["challenge"]
    assert len({office.provider.asked[name] for name in ("state", "nonce", "challenge", "verifier")}) == 4


def test_a_session_that_somebody_planted_in_the_browser_ends_with_the_login() -> None:
    office = Office()
    office.log_in(Role.ENGINEER, subject="attacker")
    planted = office.cookies[SESSION_COOKIE]
    office.log_in(Role.MANAGER)
    assert office.cookies[SESSION_COOKIE] != planted
    assert session_key(planted) not in office.table.sessions
    assert [session.viewer.subject for session in office.table.sessions.values()] == ["mei.chen"]


def test_an_id_that_was_never_given_out_is_nobodys_session() -> None:
    office = Office()
    office.cookies[SESSION_COOKIE] = "a-guess"
    assert office.get("/today").headers["Location"] == "/login"


@pytest.mark.parametrize(("secret", "state"), [("", ""), ("another", None), (None, "another"), (None, "")])
def test_a_callback_that_this_browser_has_not_begun_logs_nobody_in(secret: str | None, state: str | None) -> None:
    office = Office()
    office.get("/login/begin")
    if secret is not None:
        office.cookies[LOGIN_COOKIE] = secret
    answer = office.get("/callback", code="good-code", state=office.provider.asked["state"] if state is None else state)
    assert answer.status == 403
    assert "not begun in this browser" in answer.body
    assert office.table.sessions == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["console", "another"]},
        {"aud": ["console", "another"], "azp": "another"},
        {"exp": (NOW - timedelta(minutes=3)).timestamp()},
        {"exp": "soon"},
        {"exp": True},
        {"iat": (NOW + timedelta(minutes=3)).timestamp()},
        {"iat": None},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": ""},
        {"sub": "mei.chen@example.com"},
        {"sub": "x" * 81},
        {"sub": 7},
    ],
)
def test_a_token_that_is_not_for_this_login_logs_nobody_in(changes: dict[str, object]) -> None:
    office = Office()
    office.provider.changes = changes
    answer = office.log_in(Role.MANAGER)
    assert (answer.status, office.table.sessions, office.errors) == (403, {}, [])


def test_a_token_for_several_that_names_us_as_the_party_it_is_for_is_taken() -> None:
    office = Office()
    office.provider.changes = {"aud": ["another", "console"], "azp": "console"}
    assert office.log_in(Role.MANAGER).status == 303


@pytest.mark.parametrize("groups", [[], ["group-unknown"], None, "group", {"group-manager": True}, [7]])
def test_without_a_group_that_is_known_nobody_enters(groups: object) -> None:
    office = Office()
    office.provider.changes = {"groups": groups}
    answer = office.log_in(Role.MANAGER)
    assert answer.status == 403
    assert "no role" in answer.body


def test_with_two_roles_nobody_enters_and_a_single_group_may_come_as_text() -> None:
    office = Office()
    office.provider.changes = {"groups": ["group-manager", "group-compliance"]}
    assert "more than one role" in office.log_in(Role.MANAGER).body
    office.provider.changes = {"groups": "group-manager"}
    assert office.log_in(Role.MANAGER).status == 303


def test_a_provider_that_is_down_is_named_and_sessions_go_on() -> None:
    office = Office()
    office.log_in(Role.MANAGER)
    office.provider.down = True
    assert office.get("/login/begin").status == 502
    assert office.get("/today").status == 200


def test_a_session_ends_after_half_an_hour_without_use_and_after_eight_hours_in_any_case() -> None:
    office = Office()
    office.log_in(Role.MANAGER)
    office.clock.move_to(NOW + IDLE_AT_MOST - timedelta(seconds=1))
    assert office.get("/today").status == 200
    office.clock.move_to(office.clock.now() + IDLE_AT_MOST)
    assert office.get("/today").status == 303
    office.log_in(Role.MANAGER)
    began = office.clock.now()
    while office.clock.now() < began + SESSION_LASTS - timedelta(minutes=20):
        office.clock.move_to(office.clock.now() + timedelta(minutes=20))
        office.get("/today")
    assert office.get("/today").status == 200
    office.clock.move_to(began + SESSION_LASTS)
    assert office.get("/today").status == 303


def test_a_logout_ends_the_session_for_whoever_has_copied_the_cookie_too() -> None:
    office = Office()
    office.log_in(Role.MANAGER)
    copied = office.cookies[SESSION_COOKIE]
    answer = office.post("/logout")
    assert answer.headers["Location"] == "https://login.example/logout"
    assert office.table.sessions == {}
    office.cookies[SESSION_COOKIE] = copied
    assert office.get("/today").status == 303


def test_a_part_of_a_page_that_is_asked_for_after_the_end_sends_the_browser_to_the_login() -> None:
    answer = Office().send(PageRequest(method="GET", path="/today", headers={"hx-request": "true"}))
    assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/login")


# ------------------------------------------------------------------ faults


def test_a_fault_shows_a_number_to_ask_for_and_nothing_of_the_fault() -> None:
    office = Office()
    office.log_in(Role.MANAGER)

    def broken(lender: str, first: date, last: date) -> list[object]:
        raise ValueError(f"secret of {lender}, {first}, {last}")

    office.tally.days = broken  # type: ignore[assignment,method-assign]
    answer = office.send(PageRequest(method="GET", path="/today", request_id="req-1"))
    assert answer.status == 500
    assert "req-1" in answer.body
    assert "secret of" not in answer.body
    assert [type(error) for error in office.errors] == [ValueError]


def test_who_looks_is_written_down_before_anything_is_shown_and_if_not_nothing_is() -> None:
    office, facts = an_office_with()
    office.log_in(Role.AGENT)
    assert office.get("/customers/C0001").status == 200
    assert [(entry.act, entry.customer_id) for entry in office.table.entries] == [("looked", "C0001")]
    office.table.broken = True
    for answer in (
        office.get("/customers/C0001"),
        office.post("/customers/C0001/reveal", field="phone", purpose="call"),
    ):
        assert answer.status == 503
        assert facts.phone not in answer.body
        assert "A0001-0" not in answer.body


def test_a_value_is_shown_to_whoever_says_what_for_after_that_is_written_down() -> None:
    office, facts = an_office_with()
    office.log_in(Role.AGENT)
    reads = len(office.evidence.reads)
    for field, value in (("phone", facts.phone), ("name", facts.name), ("reply#reply-1", "請打給我")):
        assert value in office.post("/customers/C0001/reveal", field=field, purpose="call").body
    assert [(entry.subject_matter, entry.purpose) for entry in office.table.entries] == [
        ("phone", "call"),
        ("name", "call"),
        ("reply#reply-1", "call"),
    ]
    assert len(office.evidence.reads) == reads + 3


@pytest.mark.parametrize("purpose", ["", "curiosity", "call; drop"])
def test_a_value_without_a_purpose_is_not_shown_and_not_even_read(purpose: str) -> None:
    office, facts = an_office_with()
    office.log_in(Role.MANAGER)
    answer = office.post("/customers/C0001/reveal", field="phone", purpose=purpose)
    assert (answer.status, office.evidence.reads, office.table.entries) == (403, [], [])
    assert facts.phone not in answer.body


def test_after_thirty_values_in_an_hour_there_is_no_more_until_the_hour_is_over() -> None:
    office, facts = an_office_with()
    office.log_in(Role.MANAGER)
    for _ in range(30):
        assert office.post("/customers/C0001/reveal", field="phone", purpose="call").status == 200
    answer = office.post("/customers/C0001/reveal", field="phone", purpose="call")
    assert (answer.status, facts.phone in answer.body) == (429, False)
    office.log_in(Role.AGENT, subject="jun.li")
    assert office.post("/customers/C0001/reveal", field="phone", purpose="call").status == 200
    office.log_in(Role.MANAGER)
    office.clock.move_to(NOW + timedelta(hours=1, seconds=1))
    office.log_in(Role.MANAGER)
    assert office.post("/customers/C0001/reveal", field="phone", purpose="call").status == 200


def test_only_compliance_sees_what_others_have_looked_at() -> None:
    office, _ = an_office_with()
    office.log_in(Role.AGENT, subject="jun.li")
    office.get("/customers/C0001")
    office.log_in(Role.MANAGER)
    office.get("/customers/C0001")
    assert "jun.li" not in office.get("/audit").body
    office.log_in(Role.COMPLIANCE, subject="ana.costa")
    page = office.get("/audit").body
    assert "jun.li" in page
    assert "mei.chen" in page


def test_somebody_is_found_by_id_or_number_and_the_number_is_in_no_address() -> None:
    office, facts = an_office_with()
    office.log_in(Role.AGENT)
    local = "0" + facts.phone.removeprefix("+886")
    for sought in ("C0001", f" {facts.phone} ", local, f"{local[:4]}-{local[4:7]}-{local[7:]}"):
        answer = office.post("/find", sought=sought)
        assert (answer.status, answer.headers["Location"]) == (303, "/customers/C0001")
    assert "Nobody was found" in office.post("/find", sought="0900000000").body
    assert "Nobody was found" in office.post("/find", sought="x" * 81).body
    office.keep(replace(facts, customer_id="C0002"))
    office.customers.phones[facts.phone] = frozenset({"C0001", "C0002"})
    page = office.post("/find", sought=facts.phone).body
    assert "/customers/C0001" in page
    assert "/customers/C0002" in page
