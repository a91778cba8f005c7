"""What holds for every page there is: they are found by their links, so that a new one is looked at, too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from dunning.console.routes import Route
from dunning.console.translations import LANGUAGES
from tests.support.browser import BROAD, LOCALES, NARROW, Place, Reception, Visitor, page_routes

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow(reason="the console that answers runs in this process")]

ROUTES_OF_PAGES = page_routes()
IDS = [route.view for route in ROUTES_OF_PAGES]
SCHEMES = ("light", "dark")
MOST_PAGE_BYTES, MOST_SCRIPT_BYTES = 30 * 1024, 15 * 1024
AXE = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "rules": {"target-size": {"enabled": True}},
}

type Places = Mapping[str, list[Place]]


def open_place(reception: Reception, place: Place, **how: Any) -> Visitor:  # noqa: ANN401 - as `visit` takes them
    role = None if place.address == "/login" else place.role
    visitor = reception.visit(role, **how)
    response = visitor.open(place.address)
    assert response.status == 200
    return visitor


def violations(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only in the environment of `make browser`

    found = Axe().run(page, options=AXE).response["violations"]
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]


@pytest.mark.parametrize("route", ROUTES_OF_PAGES, ids=IDS)
def test_every_page_can_be_reached_by_links(places: Places, route: Route) -> None:
    assert places.get(route.path)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("route", ROUTES_OF_PAGES, ids=IDS)
def test_axe_finds_nothing_in_both_schemes(reception: Reception, places: Places, route: Route, language: str) -> None:
    visitor = open_place(reception, places[route.path][-1], language=language)
    for scheme in SCHEMES:
        visitor.page.emulate_media(color_scheme=scheme)
        assert violations(visitor.page) == [], scheme


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [NARROW, BROAD])
@pytest.mark.parametrize("route", ROUTES_OF_PAGES, ids=IDS)
def test_nothing_leaves_the_window(
    reception: Reception, places: Places, route: Route, width: int, language: str
) -> None:
    turn = ROUTES_OF_PAGES.index(route) + list(LANGUAGES).index(language) + (width == NARROW)
    scheme = SCHEMES[turn % 2]
    visitor = open_place(reception, places[route.path][0], language=language, width=width, scheme=scheme)
    assert visitor.outside_of_the_window() == []
    assert visitor.page.locator("html").get_attribute("lang") == language
    visitor.picture(f"{route.view}-{width}-{language}-{scheme}")


@pytest.mark.parametrize("route", ROUTES_OF_PAGES, ids=IDS)
def test_a_page_says_the_same_without_its_script(reception: Reception, places: Places, route: Route) -> None:
    place = places[route.path][0]
    with_script = open_place(reception, place)
    without = open_place(reception, place, script=False)
    # Each look is a line of its own in what is looked at: lines are compared, and not how often each stands there.
    shown, expected = (set(each.page.locator("main").inner_text().splitlines()) for each in (without, with_script))
    assert shown == expected


@pytest.mark.parametrize("route", ROUTES_OF_PAGES, ids=IDS)
def test_a_printed_page_has_its_content_and_nothing_to_press(
    reception: Reception, places: Places, route: Route
) -> None:
    visitor = open_place(reception, places[route.path][0], width=794)
    visitor.page.emulate_media(media="print")
    assert visitor.page.locator("h1").is_visible()
    for gone in ("header", "form", "button", "input", "select"):
        assert visitor.page.locator(f"{gone}:visible").count() == 0, gone
    closed = visitor.page.locator("details:not(.screen, .screen *) > :not(summary, form, .screen)")
    assert all(closed.nth(number).is_visible() for number in range(closed.count()))
    visitor.picture(f"{route.view}-print")


@pytest.mark.parametrize("route", ROUTES_OF_PAGES, ids=IDS)
def test_a_page_is_light(reception: Reception, places: Places, route: Route) -> None:
    for place in places[route.path]:
        role = None if place.address == "/login" else place.role
        visitor = reception.visit(role, language="zh-Hant")
        response = visitor.open(place.address)
        assert len(response.body()) <= MOST_PAGE_BYTES, place


@pytest.mark.parametrize("route", ROUTES_OF_PAGES, ids=IDS)
def test_a_page_shows_nothing_of_anybody_to_a_browser_that_keeps_pages(
    reception: Reception, places: Places, route: Route
) -> None:
    place = places[route.path][0]
    visitor = reception.visit(None if place.address == "/login" else place.role)
    headers = visitor.open(place.address).headers
    assert headers["cache-control"] == "no-store"
    assert "content-security-policy" in headers
    assert "content-security-policy-report-only" not in headers


def test_browsers_ask_for_each_language_that_there_is() -> None:
    assert LOCALES.keys() == LANGUAGES.keys(), json.dumps(LANGUAGES)
