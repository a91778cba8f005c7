"""Every route, walked: by each role and by nobody, with the session's token and without, from here and elsewhere."""

from enum import StrEnum

import pytest

from dunning.console.http_messages import PageAnswer, PageRequest
from dunning.console.routes import ROUTES, Route
from dunning.console.views.entrance import SESSION_COOKIE
from dunning.ports.sessions import Role
from dunning.services.console.login import form_token
from dunning.services.console.roles import MAY, Act
from tests.support.console import Office, an_office_with

ALLOWED = {
    Act.SEE_TODAY: "manager compliance engineer",
    Act.SEE_LISTS: "manager compliance engineer",
    Act.FIND: "manager agent compliance engineer",
    Act.SEE_CUSTOMER: "manager agent compliance engineer",
    Act.SEE_PERSON: "manager agent compliance",
    Act.REVEAL: "manager agent compliance",
    Act.EXPORT: "compliance",
    Act.SEE_OWN_AUDIT: "manager agent compliance engineer",
    Act.SEE_ALL_AUDIT: "compliance",
    Act.SEE_FILES: "manager compliance engineer",
    Act.OPEN_REJECTS: "manager compliance",
    Act.SEE_RULES: "manager agent compliance engineer",
    Act.SEE_TRIALS: "manager compliance engineer",
    Act.SEE_WAITING: "manager agent compliance engineer",
    Act.ATTEND: "manager agent compliance",
    Act.HOLD: "manager agent compliance",
    Act.RELEASE: "manager agent compliance",
    Act.SEE_SENDING: "manager compliance engineer",
    Act.PAUSE: "manager compliance engineer",
    Act.RESUME: "manager",
    Act.SEE_ERASURES: "manager compliance",
    Act.ASK_ERASURE: "manager",
    Act.CONFIRM_ERASURE: "compliance",
}
"""The table of the design, said once more: a change of what a role may do is seen here."""

VISITORS = [None, *Role]


class Fault(StrEnum):
    """What is wrong with a request."""

    NOTHING = "nothing"
    NO_TOKEN = "no token"
    WRONG_TOKEN = "token of another session"
    OTHER_SITE = "another site"
    NOWHERE = "no origin"


def visit(office: Office, route: Route, fault: Fault) -> PageAnswer:
    """Ask for a route as a browser does, with a fault."""
    path = route.path.replace("<customer_id>", "C0001").replace("<name>", "none.css").replace("<report_id>", "none")
    form = {"reason": "dispute", "outcome": "attended", "text": "a note", "sought": "C0001", "field": "phone"}
    form |= {"purpose": "call", "typed": "RESUME", "language": "en", "back": "/"}
    match fault:
        case Fault.NO_TOKEN:
            pass
        case Fault.WRONG_TOKEN:
            form["token"] = form_token("another session")
        case _:
            form["token"] = form_token(office.cookies.get(SESSION_COOKIE, ""))
    site = {Fault.OTHER_SITE: {"sec-fetch-site": "cross-site"}, Fault.NOWHERE: {}}
    headers = site.get(fault, {"sec-fetch-site": "same-origin"})
    return office.send(
        PageRequest(
            method=route.method, path=path, headers=headers, form=form if route.method == "POST" else {}, query={}
        )
    )


def expected(route: Route, role: Role | None, fault: Fault) -> set[int]:
    """Return the statuses that the request may have."""
    is_post = route.method == "POST"
    if is_post and fault in {Fault.OTHER_SITE, Fault.NOWHERE}:
        return {403}
    if route.needs_login and role is None:
        return {303}
    if is_post and role is not None and fault in {Fault.NO_TOKEN, Fault.WRONG_TOKEN}:
        return {403}
    if route.act is not None and role is not None and role.value not in ALLOWED[route.act].split():
        return {403}
    return {200, 302, 303, 404, 409} if route.needs_login else {200, 302, 303, 403, 404, 409}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("role", VISITORS, ids=str)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_lets_in_whom_the_table_names_and_nobody_else_and_nothing_happens_for_the_others(
    route: Route, role: Role | None, fault: Fault
) -> None:
    office, _ = an_office_with()
    if role is not None:
        office.log_in(role)
    sessions = dict(office.table.sessions)
    answer = visit(office, route, fault)
    statuses = expected(route, role, fault)
    assert answer.status in statuses
    assert office.errors == []
    if statuses == {403}:
        assert (office.table.entries, office.bus.events, office.cases.stored) == ([], [], {})
        assert (office.table.sessions, office.switch.on, answer.cookies) == (sessions, True, ())
    if statuses == {303}:
        assert answer.headers["Location"] == "/login"
        assert (office.table.entries, office.evidence.reads, office.bus.events) == ([], [], [])


def test_the_table_of_the_program_is_that_of_the_design() -> None:
    assert {act: {role.value for role in roles} for act, roles in MAY.items()} == {
        act: set(names.split()) for act, names in ALLOWED.items()
    }


def test_every_act_but_those_that_only_a_page_asks_about_has_a_route() -> None:
    assert set(Act) - {route.act for route in ROUTES} == {Act.SEE_PERSON}


def test_what_changes_something_is_never_a_page_to_get() -> None:
    changing = {"take", "give_back", "note", "label", "close", "hold", "release", "pause", "resume", "reveal"}
    changing |= {"ask_erasure", "confirm_erasure", "withdraw_erasure", "log_out", "language", "find"}
    hidden_from_addresses = {"audit_of", "audit_csv", "rejects", "rejects_csv", "document"}
    assert {route.view for route in ROUTES if route.method == "POST"} == changing | hidden_from_addresses
