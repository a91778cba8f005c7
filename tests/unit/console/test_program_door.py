"""The door of programs: JSON for whoever has a token that API Gateway found good, and nothing for anybody else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dunning.console.http_messages import PageAnswer, PageRequest, claims_of
from dunning.console.plain import as_plain
from dunning.console.program_door import PROGRAM_VIEWS
from dunning.console.router import route_of
from dunning.console.routes import PROGRAM_PREFIX, PROGRAM_ROUTES, ROUTES, ProgramRoute, Route
from dunning.ports.sessions import Role
from dunning.services.console.audited import LookAct
from dunning.services.console.programs import ROLE_OF_SCOPE, ProgramScope, program_with, scopes_of
from dunning.services.console.shown import AmountShown, CodeShown
from tests.support.console import SCOPES, Office, an_office_with
from tests.support.people import NOW

READS = {"sub": "7abc", "scope": "dunning/read"}
AUDITS = {"sub": "7abc", "scope": "dunning/audit"}


def ask(office: Office, path: str, claims: Mapping[str, object], **query: str) -> PageAnswer:
    request = PageRequest(method="GET", path=path, query=query)
    route, parts = route_of(request)
    assert not isinstance(route, Route)
    return office.console.programs.answer(route, request, claims, parts)


def body_of(answer: PageAnswer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def path_of(route: ProgramRoute) -> str:
    return route.path.replace("<customer_id>", "C0001")


@pytest.mark.parametrize("route", PROGRAM_ROUTES, ids=lambda route: route.path)
class TestEachRoute:
    """Who comes in, and who does not."""

    def test_without_an_authorizer_nobody_comes_in(self, route: ProgramRoute) -> None:
        office, _ = an_office_with()
        answer = ask(office, path_of(route), {})
        assert (answer.status, json.loads(answer.body)) == (401, {"error": "unauthorized"})
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert not office.table.entries
        assert not office.evidence.reads

    def test_a_session_of_a_person_opens_nothing(self, route: ProgramRoute) -> None:
        office, _ = an_office_with()
        office.log_in(Role.COMPLIANCE)
        request = PageRequest(method="GET", path=path_of(route), cookies=dict(office.cookies))
        found, parts = route_of(request)
        assert isinstance(found, ProgramRoute)
        assert office.console.programs.answer(found, request, {}, parts).status == 401

    @pytest.mark.parametrize("claims", [READS, AUDITS, {"sub": "7abc", "scope": "openid"}, {"sub": "7abc"}])
    def test_its_own_scope_opens_it_and_no_other(self, route: ProgramRoute, claims: Mapping[str, object]) -> None:
        office, _ = an_office_with()
        answer = ask(office, path_of(route), claims)
        has_scope = claims.get("scope") == SCOPES[route.scope]
        assert answer.status == (200 if has_scope else 403)
        if not has_scope:
            assert not office.table.entries
            assert not office.evidence.reads

    def test_a_token_without_a_subject_opens_nothing(self, route: ProgramRoute) -> None:
        office, _ = an_office_with()
        assert ask(office, path_of(route), {"scope": SCOPES[route.scope]}).status == 403

    def test_answers_json_that_nobody_keeps(self, route: ProgramRoute) -> None:
        office, _ = an_office_with()
        answer = ask(office, path_of(route), READS if route.scope is ProgramScope.READ else AUDITS)
        assert answer.content_type == "application/json; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert json.loads(answer.body)["schema_version"] == 1

    def test_tells_a_fault_of_ours_in_a_code_without_its_words(
        self, route: ProgramRoute, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office, _ = an_office_with()

        def broken(*_: object) -> PageAnswer:
            raise ZeroDivisionError("+886912345678")

        monkeypatch.setitem(PROGRAM_VIEWS, route.view, broken)
        answer = ask(office, path_of(route), READS if route.scope is ProgramScope.READ else AUDITS)
        assert (answer.status, json.loads(answer.body)) == (500, {"error": "unexpected"})
        assert [type(error) for error in office.errors] == [ZeroDivisionError]


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/nothing", "/api/today/", "/api/customers/C1/reveal", "/api/customers/", "/api/audit/2026-12-01"],
)
def test_a_path_that_no_route_is_for_is_refused_before_anything_is_said_of_it(path: str) -> None:
    office, _ = an_office_with()
    assert ask(office, path, {}).status == 401
    assert ask(office, path, READS).status == 404


def test_rates_are_of_a_lender_and_of_a_window_that_there_is() -> None:
    office, _ = an_office_with()
    office.count({"sent:7": 8, "hour:10": 8, "text:x@1": 8, "payer:?": 8}, NOW.date())
    for query, reminders in (({}, 8), ({"lender": "demo-tw", "weeks": "26"}, 8)):
        answer = ask(office, "/api/rates", READS, **query)
        assert (answer.status, json.loads(answer.body)["reminders"]) == (200, reminders)
    for query in ({"lender": "nobody"}, {"weeks": "5"}, {"weeks": "-4"}):
        answer = ask(office, "/api/rates", READS, **query)
        assert (answer.status, json.loads(answer.body)) == (404, {"error": "no_such_lender_or_weeks"})


@pytest.mark.parametrize("path", ["/API/today", "//api/today", "/api%2Ftoday", "/./api/today", "/apitoday", "/api"])
def test_a_path_that_only_looks_like_one_of_programs_is_none_and_shows_nothing(path: str) -> None:
    assert not path.startswith(PROGRAM_PREFIX)
    assert route_of(PageRequest(method="GET", path=path)) == (None, {})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_programs_only_read(method: str) -> None:
    for route in PROGRAM_ROUTES:
        assert route_of(PageRequest(method=method, path=path_of(route))) == (None, {})


def test_no_page_of_people_lies_below_the_prefix_of_programs() -> None:
    assert not [route.path for route in ROUTES if route.path.startswith(PROGRAM_PREFIX)]
    assert all(route.path.startswith(PROGRAM_PREFIX) for route in PROGRAM_ROUTES)
    assert {route.view for route in PROGRAM_ROUTES} == set(PROGRAM_VIEWS)


class TestClaims:
    """They are those of the authorizer, and come with a route that has one."""

    CONTEXT: Mapping[str, object] = {"jwt": {"claims": {"sub": "7abc", "scope": "dunning/read"}, "scopes": None}}

    @pytest.mark.parametrize(
        "context",
        [
            {"routeKey": "$default", "authorizer": CONTEXT},
            {"authorizer": CONTEXT},
            {"routeKey": "GET /api/today"},
            {"routeKey": "GET /api/today", "authorizer": None},
            {"routeKey": "GET /api/today", "authorizer": {"lambda": {"sub": "7abc"}}},
            {"routeKey": "GET /api/today", "authorizer": {"jwt": None}},
            {"routeKey": "GET /api/today", "authorizer": {"jwt": {"claims": ["sub"]}}},
        ],
    )
    def test_of_a_way_without_an_authorizer_are_none(self, context: Mapping[str, object]) -> None:
        assert claims_of({"requestContext": context}) == {}

    def test_of_the_authorizer_are_taken(self) -> None:
        event = {"requestContext": {"routeKey": "GET /api/today", "authorizer": self.CONTEXT}}
        assert claims_of(event) == {"sub": "7abc", "scope": "dunning/read"}

    @pytest.mark.parametrize(
        ("claims", "scopes"),
        [
            ({"scope": "dunning/read openid"}, {"dunning/read", "openid"}),
            ({"scp": "[dunning.read openid]"}, {"dunning.read", "openid"}),
            ({"scp": "[dunning.read, openid]"}, {"dunning.read", "openid"}),
            ({"scope": ["dunning/read"]}, set()),
            ({}, set()),
        ],
    )
    def test_name_scopes_as_text(self, claims: Mapping[str, object], scopes: set[str]) -> None:
        assert scopes_of(claims) == scopes

    def test_make_a_viewer_whose_name_says_that_it_is_no_person(self) -> None:
        viewer = program_with(AUDITS, ProgramScope.AUDIT, "dunning/audit")
        assert viewer == ("program:7abc", Role.COMPLIANCE)
        long = program_with({**READS, "sub": "x" * 300}, ProgramScope.READ, "dunning/read")
        assert long is not None
        assert len(long.subject) == 80

    def test_a_part_of_a_scopes_name_is_no_scope(self) -> None:
        assert program_with({"sub": "7abc", "scope": "dunning/readers"}, ProgramScope.READ, "dunning/read") is None

    def test_every_scope_has_a_role(self) -> None:
        assert set(ROLE_OF_SCOPE) == set(ProgramScope)


class TestToday:
    """The numbers of a day."""

    def test_are_those_of_the_counters(self) -> None:
        office, _ = an_office_with()
        day = NOW.astimezone(ZoneInfo("Asia/Taipei")).date()
        office.count({"wait:quiet_hours": 3, "failed:permanent_failure": 1}, day)
        found = body_of(ask(office, "/api/today", READS, lender="demo-tw", day=day.isoformat()))
        assert found["counters"] == {"wait:quiet_hours": 3, "failed:permanent_failure": 1}
        assert found["totals"]["failed"] == 1
        assert (found["lender"], found["day"], found["zone"]) == ("demo-tw", day.isoformat(), "Asia/Taipei")
        assert found["is_sending"] is True

    @pytest.mark.parametrize("query", [{"lender": "another"}, {"day": "yesterday"}, {"day": "2999-01-01"}])
    def test_of_a_lender_or_day_that_is_not_there_are_not_those_of_another(self, query: dict[str, str]) -> None:
        office, _ = an_office_with()
        answer = ask(office, "/api/today", READS, **query)
        assert (answer.status, json.loads(answer.body)) == (404, {"error": "no_such_lender_or_day"})


class TestACustomer:
    """As the page shows them: masked, with the decision and its reason in codes."""

    def test_is_masked_and_the_look_is_written_down_first(self) -> None:
        office, facts = an_office_with()
        answer = ask(office, "/api/customers/C0001", READS)
        found = body_of(answer)
        assert found["customer_id"] == "C0001"
        assert found["decision"]["reason"]["group"] == "reason"
        assert facts.name not in answer.body
        assert facts.phone not in answer.body
        assert "請打給我" not in answer.body  # what they wrote
        (entry,) = office.table.entries
        assert (entry.viewer.subject, entry.act, entry.customer_id) == ("program:7abc", LookAct.LOOKED, "C0001")

    def test_is_not_shown_if_the_look_cannot_be_written_down(self) -> None:
        office, _ = an_office_with()
        office.table.broken = True
        answer = ask(office, "/api/customers/C0001", READS)
        assert (answer.status, json.loads(answer.body)) == (503, {"error": "unavailable"})

    def test_who_is_not_there_is_not_found(self) -> None:
        office, _ = an_office_with()
        assert ask(office, "/api/customers/C9999", READS).status == 404


class TestTheAuditTrail:
    """All entries of a day, and that a program read them."""

    def test_is_handed_over_with_who_looked_at_whom(self) -> None:
        office, _ = an_office_with()
        office.log_in(Role.AGENT, "mei.chen")
        office.get("/customers/C0001")
        found = body_of(ask(office, "/api/audit", AUDITS, day=NOW.date().isoformat()))
        assert found["is_whole"] is True
        entries = [(entry["viewer"]["subject"], entry["act"], entry["customer_id"]) for entry in found["entries"]]
        assert entries == [("program:7abc", "exported_audit", ""), ("mei.chen", "looked", "C0001")]

    def test_is_not_handed_over_if_that_cannot_be_written_down(self) -> None:
        office, _ = an_office_with()
        office.table.broken = True
        assert ask(office, "/api/audit", AUDITS).status == 503

    def test_of_no_day_is_not_that_of_today(self) -> None:
        office, _ = an_office_with()
        assert ask(office, "/api/audit", AUDITS, day="monday").status == 404


class TestPlainValues:
    """View models as JSON."""

    def test_codes_stay_codes_times_are_in_utc_and_amounts_in_minor_units(self) -> None:
        @dataclass(frozen=True)
        class View:
            """A view model."""

            reason: CodeShown
            amount: AmountShown
            at: datetime
            day: date
            window: timedelta
            zone: ZoneInfo
            ids: tuple[str, ...]
            of: frozenset[str]
            named: Mapping[int, bool]
            nobody: None = None

        taipei = ZoneInfo("Asia/Taipei")
        view = View(
            CodeShown("reason", "quiet_hours"), AmountShown(325_000, "TWD"), datetime(2026, 12, 4, 10, tzinfo=taipei),
            date(2026, 12, 4), timedelta(hours=1), taipei, ("C1", "C2"), frozenset({"b", "a"}), {1: True},
        )  # fmt: skip
        assert as_plain(view) == {
            "reason": {"group": "reason", "code": "quiet_hours"},
            "amount": {"amount": 325_000, "currency": "TWD"},
            "at": "2026-12-04T02:00:00Z",
            "day": "2026-12-04",
            "window": 3600.0,
            "zone": "Asia/Taipei",
            "ids": ["C1", "C2"],
            "of": ["a", "b"],
            "named": {"1": True},
            "nobody": None,
        }
        assert datetime(2026, 12, 4, 2, tzinfo=UTC) == view.at

    def test_a_value_of_an_unknown_kind_is_refused(self) -> None:
        with pytest.raises(TypeError, match="object is no plain value"):
            as_plain(object())
