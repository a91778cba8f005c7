"""Trials and what-ifs in a browser: what is seen first, by keys alone, without script, and without eyes."""

from __future__ import annotations

import pytest

from dunning.console.translations import LANGUAGES
from dunning.ports.sessions import Role
from tests.support.browser import BROAD, NARROW, Reception

pytestmark = [pytest.mark.browser, pytest.mark.slow(reason="the console that answers runs in this process")]

QUIET = "/trials/demo-tw/quiet"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_may_be_said_of_a_trial_stands_above_all_else(reception: Reception, language: str) -> None:
    visitor = reception.visit(Role.MANAGER, language=language, width=NARROW)
    visitor.open(QUIET)
    headline = visitor.page.locator(".headline").first
    assert headline.inner_text() == visitor.words("trial.more_pay")
    assert (headline.bounding_box() or {})["y"] < 400


@pytest.mark.parametrize("width", [NARROW, BROAD])
def test_the_words_of_a_chart_keep_their_size_however_wide_it_is(reception: Reception, width: int) -> None:
    visitor = reception.visit(Role.MANAGER, width=width)
    visitor.open(QUIET)
    label = visitor.page.get_by_role("img").locator("text").first
    assert 10 < (label.bounding_box() or {})["height"] < 20


def test_a_chart_says_what_it_shows_to_those_who_cannot_see_it(reception: Reception) -> None:
    visitor = reception.visit(Role.MANAGER)
    visitor.open(QUIET)
    chart = visitor.page.get_by_role("img")
    assert "texts and no text" in (chart.get_by_text("texts and no text").text_content() or "")
    assert "At the end +2.9, at least +0.2, at most +5.7." in (chart.locator("desc").text_content() or "")


def test_by_keys_alone_one_comes_from_the_list_to_the_figures_behind_a_line(reception: Reception) -> None:
    visitor = reception.visit(Role.MANAGER, script=False)
    visitor.open("/trials")
    visitor.page.get_by_role("link", name="quiet").focus()
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url(f"**{QUIET}")
    visitor.page.locator("summary").first.focus()
    visitor.page.keyboard.press("Enter")
    assert visitor.page.get_by_role("cell", name="+2.9").first.is_visible()


def test_a_list_of_one_lender_shows_no_other(reception: Reception) -> None:
    visitor = reception.visit(Role.COMPLIANCE)
    visitor.open("/trials")
    visitor.page.locator("#lender").select_option("demo-us")
    visitor.press(visitor.words("today.show"))
    assert [each.inner_text() for each in visitor.page.locator("h2 a").all()] == ["small"]


def test_from_a_comparison_one_comes_to_both_traces_and_to_the_customer(reception: Reception) -> None:
    visitor = reception.visit(Role.ENGINEER)
    visitor.open("/what-if")
    visitor.page.locator("main table a").first.click()
    visitor.page.wait_for_url("**/what-if/*")
    assert visitor.words("what_if.not_known") in visitor.text()
    visitor.page.get_by_role("link", name=visitor.words("what_if.example", number=1), exact=True).click()
    visitor.page.wait_for_url("**/what-if/*/1")
    assert visitor.page.locator(".trace:visible").count() == 2
    visitor.page.locator("h1 a").click()
    visitor.page.wait_for_url("**/customers/*")


@pytest.mark.parametrize("language", LANGUAGES)
def test_rates_of_a_lender_without_trials_stand_above_their_tables(reception: Reception, language: str) -> None:
    visitor = reception.visit(Role.COMPLIANCE, language=language, width=NARROW)
    visitor.open("/rates")
    headline = visitor.page.locator(".headline").first
    assert (headline.bounding_box() or {})["y"] < 400
    headings = [each.inner_text() for each in visitor.page.locator("h2").all()]
    assert [visitor.words(f"rates_by.{part}") for part in ("stage", "hour", "text")] == headings[-3:]


def test_by_keys_alone_and_without_script_one_comes_to_the_rates_of_half_a_year(reception: Reception) -> None:
    visitor = reception.visit(Role.COMPLIANCE, script=False)
    visitor.open("/rates")
    visitor.page.locator("#weeks").focus()
    visitor.page.keyboard.press("End")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/rates?*weeks=26*")
    assert visitor.page.locator("#weeks").input_value() == "26"


def test_an_agent_has_no_entry_to_these_pages(reception: Reception) -> None:
    visitor = reception.visit(Role.AGENT)
    assert [visitor.open(path).status for path in ("/rates", "/trials", "/what-if")] == [403, 403, 403]
    entrances = "nav a[href='/rates'], nav a[href='/trials'], nav a[href='/what-if']"
    assert visitor.page.locator(entrances).count() == 0
