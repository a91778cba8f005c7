"""Who waits for a person: take, read, label, write a note, close; and the switch of all sending."""

from __future__ import annotations

import re

import pytest

from dunning.console.routes import ROUTES
from dunning.ports.sessions import Role
from tests.local.console import LocalConsole
from tests.support.browser import Reception, Visitor, customers_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow(reason="the console that answers runs in this process"),
    pytest.mark.skipif(
        not {"/waiting", "/sending"} <= {route.path for route in ROUTES}, reason="there is no page of cases yet"
    ),
]

UNCLEAR = "嗯 那個再看看吧"
"""A reply that the reader is unsure of: it waits for a person."""

NOTE = "called at ten, nobody answered"


def open_first_case(visitor: Visitor) -> str:
    """Take the first case of the list that nobody has, and return its customer."""
    visitor.open("/waiting")
    visitor.page.locator("button[formaction$='/take']").first.click()
    visitor.page.wait_for_url("**/waiting/*")
    return visitor.path().rpartition("/")[2]


def test_a_case_is_taken_noted_and_closed_and_each_act_is_in_the_audit_trail(reception: Reception) -> None:
    visitor = reception.visit(Role.AGENT)
    customer_id = open_first_case(visitor)
    visitor.picture("case-taken")
    visitor.page.locator("textarea[name=text]").fill(NOTE)
    visitor.press(visitor.words("case.write_note"))
    assert NOTE in visitor.page.locator("main").inner_text()
    visitor.page.locator("input[name=outcome][value=released]").check()
    visitor.press(visitor.words("case.close"))
    visitor.page.wait_for_url(re.compile(r"/waiting(\?|$)"))
    visitor.picture("case-closed")
    visitor.open("/audit")
    rows = visitor.page.locator("tbody tr").filter(has_text=customer_id)
    assert rows.count() >= 3
    assert NOTE not in visitor.page.content()


def test_a_reply_that_was_not_understood_is_labelled_with_one_press(
    reception: Reception, console: LocalConsole
) -> None:
    facts = next(facts for facts in reversed(customers_of(console)) if facts.phone.startswith("+886"))
    console.act({"act": "reply", "customer": facts.customer_id, "text": UNCLEAR})
    visitor = reception.visit(Role.AGENT)
    visitor.open(f"/waiting/{facts.customer_id}")
    summary = visitor.page.locator("summary").filter(has_text=visitor.words("case.correct"))
    if summary.count():
        summary.first.click()
    visitor.page.locator("button[name=intent][value=hardship]").first.click()
    visitor.page.wait_for_load_state()
    visitor.picture("case-labelled")
    console.act({"act": "hour"})
    visitor.open(f"/customers/{facts.customer_id}")
    labelled = visitor.words("intent.hardship")
    assert visitor.page.locator(".timeline > li.reply", has_text=labelled).count() == 1


def test_sending_is_paused_and_resumed_by_a_manager_with_a_typed_word(reception: Reception) -> None:
    manager, engineer = reception.visit(Role.MANAGER), reception.visit(Role.ENGINEER)
    manager.open("/sending")
    manager.page.locator("input[name=reason]").fill("the carrier sends everything twice")
    manager.press(manager.words("sending.pause"))
    assert manager.words("sending.off") in manager.text()
    manager.picture("sending-off")
    manager.open("/today")
    assert manager.words("today.sending_off") in manager.text()
    engineer.open("/sending")
    assert engineer.page.locator("form[action='/sending/resume']").count() == 0
    manager.open("/sending")
    word = manager.page.locator("label[for=typed]").inner_text()
    manager.page.locator("input[name=reason]").fill("the carrier has mended it")
    manager.page.locator("input[name=typed]").fill("something else")
    manager.press(manager.words("sending.resume"))
    manager.open("/sending")
    assert manager.words("sending.off") in manager.text()
    manager.page.locator("input[name=reason]").fill("the carrier has mended it")
    typed = re.search(manager.words("sending.type", word="(.+)"), word)
    assert typed
    manager.page.locator("input[name=typed]").fill(typed[1])
    manager.press(manager.words("sending.resume"))
    assert manager.words("sending.on") in manager.text()
