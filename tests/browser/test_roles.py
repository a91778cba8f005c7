"""Who comes in, as what, and what each role finds."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dunning.console.routes import ENTRANCES
from dunning.ports.sessions import Role, Viewer
from dunning.services.console.roles import may
from tests.support.browser import Place, Reception, login_of, page_routes

pytestmark = [pytest.mark.browser, pytest.mark.slow(reason="the console that answers runs in this process")]


@pytest.mark.parametrize("role", Role)
def test_a_login_leads_to_the_pages_of_its_role_and_no_others(reception: Reception, role: Role) -> None:
    visitor = reception.visit()
    visitor.open("/today")
    assert visitor.path() == "/login"
    visitor.log_in(role)
    assert login_of(role) in visitor.page.locator("header").inner_text()
    viewer = Viewer(login_of(role), role)
    wanted = [entrance.path for entrance in ENTRANCES if may(viewer, entrance.act)]
    links = visitor.page.locator("nav a")
    assert [links.nth(number).get_attribute("href") for number in range(links.count())] == wanted
    for entrance in ENTRANCES:
        assert visitor.open(entrance.path).status == (200 if entrance.path in wanted else 403), entrance.path


def test_who_logs_out_is_out(reception: Reception) -> None:
    visitor = reception.visit()
    visitor.log_in(Role.MANAGER)
    visitor.press(visitor.words("page.log_out"))
    assert visitor.path() == "/login"
    visitor.page.go_back()
    visitor.open("/today")
    assert visitor.path() == "/login"


def test_a_session_is_in_a_cookie_that_no_script_can_read(reception: Reception) -> None:
    visitor = reception.visit(Role.AGENT)
    visitor.open("/find")
    assert visitor.page.evaluate("document.cookie") == ""
    session = next(cookie for cookie in visitor.page.context.cookies() if cookie["name"] == "__Host-session")
    assert (session["httpOnly"], session["secure"], session["sameSite"], session["path"]) == (True, True, "Lax", "/")


@pytest.mark.parametrize("role", Role)
def test_no_role_is_shown_a_link_that_it_may_not_follow(places: Mapping[str, list[Place]], role: Role) -> None:
    """The walk fails at a link that does not answer; here, that it went beyond the first page."""
    reached = {path for path, found in places.items() if any(place.role is role for place in found)}
    allowed = {route.path for route in page_routes() if route.act and may(Viewer("x", role), route.act)}
    assert reached >= {entrance.path for entrance in ENTRANCES if may(Viewer("x", role), entrance.act)}
    assert reached <= allowed | {"/login"}
