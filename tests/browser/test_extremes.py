"""Nothing at all, much of it, and names as long as they may be."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dunning.console.routes import Route
from dunning.console.translations import LANGUAGES
from dunning.ports.sessions import Role
from tests.support.browser import BROAD, NARROW, Place, Reception, page_routes

pytestmark = [pytest.mark.browser, pytest.mark.slow(reason="the console that answers runs in this process")]

LONGEST_ID = "A123456789-" * 5 + "B12345678"
LONGEST_LENDER = "the-lender-with-the-longest-name-of-all-lenders-there-are"
ROWS = 500
"""As many as a page of a list may have."""

MAKE_LONG = """([id, lender, rows]) => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        let written = text.data.replace(/\\bC\\d{4}\\b/g, id).replace(/\\bdemo-(tw|cn|us|hk)\\b/g, lender);
        if (text.parentElement.closest(".num, .figure")) written = written.replace(/^\\s*[\\d,.]+\\s*$/, "123,456,789");
        text.data = written;
    }
    for (const table of document.querySelectorAll("main tbody, main ul.ids")) {
        const row = table.lastElementChild;
        for (let number = table.children.length; row && number < rows; number++) table.append(row.cloneNode(true));
    }
}"""

EMPTY = (
    "/today?day=2026-01-05",
    "/today?lender=demo-tw&day=2026-01-05",
    "/list?lender=demo-tw&day=2026-01-05&counter=sent",
    "/audit?day=2026-01-05",
)


def test_an_id_may_have_sixty_four_characters() -> None:
    assert len(LONGEST_ID) == 64


@pytest.mark.parametrize("width", [NARROW, BROAD])
@pytest.mark.parametrize("route", page_routes(), ids=[route.view for route in page_routes()])
def test_the_longest_names_and_numbers_stay_in_the_window(
    reception: Reception, places: Mapping[str, list[Place]], route: Route, width: int
) -> None:
    for number, place in enumerate(places[route.path][:2]):
        visitor = reception.visit(None if place.address == "/login" else place.role, width=width)
        visitor.open(place.address)
        visitor.page.evaluate(MAKE_LONG, [LONGEST_ID, LONGEST_LENDER, 3])
        assert visitor.outside_of_the_window() == [], place
        visitor.picture(f"long-{route.view}-{number}-{width}")


@pytest.mark.parametrize("width", [NARROW, BROAD])
@pytest.mark.parametrize("route", page_routes(), ids=[route.view for route in page_routes()])
def test_many_rows_stay_in_the_window(
    reception: Reception, places: Mapping[str, list[Place]], route: Route, width: int
) -> None:
    place = places[route.path][0]
    visitor = reception.visit(None if place.address == "/login" else place.role, width=width)
    visitor.open(place.address)
    visitor.page.evaluate(MAKE_LONG, ["C100000", "demo-tw", ROWS])
    assert visitor.outside_of_the_window() == [], place


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("address", EMPTY)
def test_a_page_of_nothing_says_so(reception: Reception, address: str, language: str) -> None:
    visitor = reception.visit(Role.MANAGER, language=language, width=NARROW)
    assert visitor.open(address).status == 200
    empty = [visitor.words(key) for key in ("today.nothing", "list.empty", "audit.empty")]
    assert any(words in visitor.page.locator("main").inner_text() for words in empty)
    assert visitor.outside_of_the_window() == []
    visitor.picture(f"empty-{address.partition('?')[0][1:]}-{len(address)}-{language}")
