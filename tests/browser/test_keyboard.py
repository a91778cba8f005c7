"""Keys alone, and what a refresh must leave alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from dunning.console.routes import Route
from dunning.ports.sessions import Role
from tests.local.console import LocalConsole
from tests.support.browser import Place, Reception, Visitor, busiest, page_routes

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow(reason="the console that answers runs in this process")]

MOST_STOPS = 40
"""How many presses of the key are looked at on a page."""

FOCUSED: str = """() => {
    const each = document.activeElement, box = each.getBoundingClientRect(), style = getComputedStyle(each);
    const last = window.lastFocused;
    window.lastFocused = each;
    return {
        tag: each.tagName, href: each.getAttribute("href"), name: each.getAttribute("name"),
        ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        shown: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        tall: box.height,
        inOrder: !last || last === document.body || last === each
            || Boolean(last.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING),
    };
}"""


def stops(page: Page) -> list[dict[str, Any]]:
    """Press the tabulator from the top until the focus leaves the page, and say where it stood."""
    found: list[dict[str, Any]] = []
    while len(found) < MOST_STOPS:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop["tag"] == "BODY":
            break
        found.append(stop)
    return found


def press_until(visitor: Visitor, selector: str) -> None:
    """Press the tabulator until the focus stands on something."""
    for _ in range(100):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the tabulator does not come to {selector}")


@pytest.mark.parametrize("route", page_routes(), ids=[route.view for route in page_routes()])
def test_the_focus_goes_in_order_and_can_be_seen(
    reception: Reception, places: Mapping[str, list[Place]], route: Route
) -> None:
    place = places[route.path][0]
    visitor = reception.visit(None if place.address == "/login" else place.role)
    visitor.open(place.address)
    found = stops(visitor.page)
    assert found[0]["href"] == "#content"
    for stop in found:
        assert stop["ring"], stop
        assert stop["shown"], stop
        assert stop["inOrder"], stop


def test_the_first_stop_skips_to_the_content(reception: Reception) -> None:
    visitor = reception.visit(Role.MANAGER)
    visitor.open("/today")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.locator(".skip").is_visible()
    visitor.picture("skip-link")
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("document.activeElement.closest('main') !== null")


def test_a_morning_can_be_worked_with_keys_alone(reception: Reception, console: LocalConsole) -> None:
    customer_id = busiest(console)[0]
    visitor = reception.visit(Role.AGENT)
    keyboard = visitor.page.keyboard
    visitor.open("/audit")
    press_until(visitor, "nav a[href='/find']")
    keyboard.press("Enter")
    visitor.page.wait_for_url("**/find")
    press_until(visitor, "#sought")
    keyboard.type(customer_id)
    keyboard.press("Enter")
    visitor.page.wait_for_url(f"**/customers/{customer_id}")
    press_until(visitor, ".decision summary")
    keyboard.press("Enter")
    assert visitor.page.locator(".gates").is_visible()
    press_until(visitor, "form.reveal select")
    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    keyboard.press("Enter")
    visitor.page.locator("blockquote.shown").wait_for()
    visitor.picture("revealed")


def test_a_refresh_keeps_the_focus_and_what_is_open_and_brings_new_numbers(
    reception: Reception, console: LocalConsole
) -> None:
    visitor = reception.visit(Role.MANAGER)
    page = visitor.page
    page.clock.install()
    visitor.open("/today")
    refreshed = page.locator("[hx-trigger*='every']").first
    link = refreshed.locator("a").first
    link.focus()
    page.evaluate("document.activeElement.mine = true")
    openable = page.locator("details")
    for number in range(openable.count()):
        openable.nth(number).locator("summary").evaluate("summary => summary.click()")
    link.focus()
    before = page.locator("[aria-live]").all_inner_texts()
    console.act({"act": "hour"})
    with page.expect_response(lambda response: response.request.headers.get("hx-request") == "true") as answered:
        page.clock.run_for(31_000)
    assert answered.value.status == 200
    page.wait_for_function(
        "before => [...document.querySelectorAll('[aria-live]')].map(each => each.innerText).join() != before",
        arg=",".join(before),
    )
    assert page.evaluate("document.activeElement.mine")
    assert all(openable.nth(number).get_attribute("open") is not None for number in range(openable.count()))
