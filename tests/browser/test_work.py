"""The work of a morning: find, read why, look, let time pass, answer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dunning.console.translations import LANGUAGES
from dunning.domain.decision.gates import GATES
from dunning.ports.sessions import Role
from tests.local.console import LocalConsole
from tests.support.browser import Reception, Visitor, busiest, customers_of, login_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow(reason="the console that answers runs in this process")]

PAID = "已經繳了"
"""A reply; every sender of the sample may write Chinese."""


def choose_purpose(visitor: Visitor, field: str) -> None:
    visitor.page.locator("#purpose select").select_option("call")
    visitor.page.locator(f"button[name=field][value={field}]").click()


def test_a_number_of_today_leads_to_its_list_and_from_there_to_a_customer_and_why(reception: Reception) -> None:
    visitor = reception.visit(Role.MANAGER)
    visitor.open("/today")
    lender = visitor.page.locator("#lender option").nth(1).get_attribute("value") or ""
    lender = lender or visitor.page.locator("#lender option").nth(1).inner_text()
    visitor.page.locator("#lender").select_option(lender)
    visitor.press(visitor.words("today.show"))
    link = visitor.page.locator("#figures a[href^='list?']").filter(has_text=re.compile(r"^[1-9]")).first
    link.click()
    visitor.page.wait_for_url("**/list?**")
    visitor.page.locator("table a[href^='/customers/']").first.click()
    visitor.page.wait_for_url("**/customers/**")
    assert visitor.page.locator(".decision .headline").inner_text()


@pytest.mark.parametrize("written", ["id", "national", "international"])
def test_a_customer_is_found_by_what_people_have_at_hand(
    reception: Reception, console: LocalConsole, written: str
) -> None:
    facts = next(facts for facts in customers_of(console) if facts.phone.startswith("+886"))
    sought = {"id": facts.customer_id, "national": f"0{facts.phone[4:]}", "international": facts.phone}[written]
    visitor = reception.visit(Role.AGENT)
    visitor.open("/find")
    visitor.page.locator("#sought").fill(sought)
    visitor.press(visitor.words("find.button"))
    visitor.page.wait_for_url(f"**/customers/{facts.customer_id}")


def test_who_is_not_there_is_not_found(reception: Reception) -> None:
    visitor = reception.visit(Role.AGENT)
    visitor.open("/find")
    visitor.page.locator("#sought").fill("C999999")
    visitor.press(visitor.words("find.button"))
    assert visitor.words("find.nobody") in visitor.text()
    assert "C999999" not in visitor.page.url


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_why_can_be_read_and_its_questions_opened(reception: Reception, console: LocalConsole, language: str) -> None:
    visitor = reception.visit(Role.COMPLIANCE, language=language)
    visitor.open_customer(busiest(console)[0])
    assert visitor.page.locator(".decision .headline").inner_text()
    assert not visitor.page.locator(".gates").is_visible()
    visitor.press(visitor.words("customer.gates"))
    assert visitor.page.locator(".gates li").count() == len(GATES)
    assert visitor.words("gate.1") in visitor.page.locator(".gates").inner_text()


@pytest.mark.parametrize("script", ["with", "without"])
def test_a_value_is_shown_for_a_purpose_and_the_look_is_in_the_audit_trail(
    reception: Reception, console: LocalConsole, script: str
) -> None:
    customer_id = busiest(console)[1]
    facts = next(facts for facts in customers_of(console) if facts.customer_id == customer_id)
    visitor = reception.visit(Role.AGENT, script=script == "with")
    visitor.open_customer(customer_id)
    assert facts.phone[-6:] not in visitor.page.content()
    choose_purpose(visitor, "phone")
    visitor.page.locator("blockquote.shown").wait_for()
    assert re.sub(r"\D", "", visitor.page.locator("blockquote.shown").inner_text()) == facts.phone[1:]
    visitor.open("/audit")
    row = visitor.page.locator("tbody tr").filter(has_text=visitor.words("purpose.call")).first
    assert customer_id in row.inner_text()
    assert login_of(Role.AGENT) in row.inner_text() or login_of(Role.AGENT) in visitor.text()


def test_the_language_is_switched_on_the_page_and_kept(reception: Reception, console: LocalConsole) -> None:
    visitor = reception.visit(Role.MANAGER)
    customer_id = busiest(console)[0]
    visitor.open(f"/customers/{customer_id}")
    for language, name in LANGUAGES.items():
        visitor.press(name)
        assert visitor.page.locator("html").get_attribute("lang") == language
        assert visitor.path() == f"/customers/{customer_id}"
    visitor.open("/audit")
    assert visitor.page.locator("html").get_attribute("lang") == list(LANGUAGES)[-1]


@pytest.mark.parametrize(("act", "step"), [("hour", timedelta(hours=1)), ("wake", timedelta(0))])
def test_the_clock_is_moved_on_its_page(reception: Reception, console: LocalConsole, act: str, step: timedelta) -> None:
    before = console.cloud.clock.now()
    visitor = reception.visit(Role.MANAGER)
    visitor.on_the_clock(act=act)
    assert console.cloud.clock.now() > before + step - timedelta(seconds=1)
    visitor.picture(f"local-after-{act}")


def test_a_reply_written_as_a_customer_is_in_the_timeline_hidden(reception: Reception, console: LocalConsole) -> None:
    facts = next(facts for facts in customers_of(console) if facts.phone.startswith("+886"))
    visitor = reception.visit(Role.AGENT)
    visitor.open(f"/customers/{facts.customer_id}")
    before = visitor.page.locator(".timeline > li.reply").count()

    def write(page: Page) -> None:
        form = page.locator('form:has(input[name=act][value="reply"])')
        form.locator("[name=customer]").fill(facts.customer_id)
        form.locator("textarea").fill(PAID)

    visitor.on_the_clock(write, act="reply")
    visitor.open(f"/customers/{facts.customer_id}")
    assert visitor.page.locator(".timeline > li.reply").count() == before + 1
    assert PAID not in visitor.page.content()


def test_a_payment_put_on_the_bus_lowers_what_is_open(reception: Reception, console: LocalConsole) -> None:
    facts = next(
        facts
        for facts in reversed(customers_of(console))
        if sum(each.open > 0 for account in facts.accounts for each in account.instalments) > 1
    )
    visitor = reception.visit(Role.AGENT)
    visitor.open(f"/customers/{facts.customer_id}")
    before = visitor.page.locator(".timeline > li").count()

    def write(page: Page) -> None:
        form = page.locator('form:has(input[name=act][value="payment"])')
        form.locator("[name=customer]").fill(facts.customer_id)

    visitor.on_the_clock(write, act="payment")
    visitor.open(f"/customers/{facts.customer_id}")
    assert visitor.page.locator(".timeline > li").count() > before
    open_before = sum(each.open for account in facts.accounts for each in account.instalments)
    facts = next(each for each in customers_of(console) if each.customer_id == facts.customer_id)
    assert sum(each.open for account in facts.accounts for each in account.instalments) < open_before
