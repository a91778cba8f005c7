"""What a place demands beyond hours and caps: no number to call, data that stay there, days of grace."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send, trace_of
from dunning.domain.decision.rules import Rules
from dunning.domain.texts.numbers_to_call import holds_number_to_call
from dunning.policy import PolicyBook, PolicyError, load_policies
from tests.support.builders import (
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    instant,
    policies_with,
    policies_with_lender,
    the_policies,
)
from tests.support.people import NOW

WORLD = (files("dunning.policy") / "data" / "lenders/demo-world.toml").read_text("utf-8")
IN_MALAYSIA = {"country": "MY", "phone_country": "MY", "lender": "demo-world", "language": "en", "name": "John Smith"}
IN_SINGAPORE = {"country": "SG", "phone_country": "SG"}
IN_GREECE = IN_MALAYSIA | {"country": "GR", "phone_country": "GR"}
WORDS = 'hotline = { en = "in our app" }'


def world(text: str) -> PolicyBook:
    return policies_with_lender("demo-world", text)


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


@pytest.mark.parametrize(
    "words", ["0800-000-123", "+60 3 1234 5678", "1300 88 1234", "1333", "call 03/1234 5678", "(03)12345678"]
)
def test_a_number_to_call_is_found_however_it_is_grouped(words: str) -> None:
    assert holds_number_to_call(words)


@pytest.mark.parametrize("words", ["our app", "our help desk, 24/7", "7-Eleven", "Demo 360", "Bank 100"])
def test_words_with_few_digits_are_no_number_to_call(words: str) -> None:
    assert not holds_number_to_call(words)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        pytest.param(WORDS, "", "hotline", id="the lender's hotline, which holds where the country has none"),
        pytest.param(WORDS, 'hotline = "03-1234 5678" # MY', "countries.MY.hotline", id="the hotline of the country"),
        pytest.param(
            '\nen = "in our app"\n',
            '\nen = "in our app or 1300 88 1234"\n',
            "pay.en",
            id="a number among the ways to pay",
        ),
        pytest.param('en = "Demo Finance"', 'en = "Demo 1300-88"', "sender_name.en", id="a number in the name"),
    ],
)
def test_where_carriers_block_numbers_to_call_a_lender_whose_words_hold_one_is_refused_by_line(
    old: str, new: str, field: str
) -> None:
    text = WORLD.replace(old, new)
    with pytest.raises(PolicyError) as refused:
        world(text)
    message = str(refused.value)
    line = line_of(text, new.strip() or "hotline")
    assert message.startswith(f"lenders/demo-world.toml:{line}: {field}: ")
    assert "carriers of Malaysia block" in message
    assert "jurisdictions/MY.toml:" in message


def test_a_lender_who_texts_nobody_there_keeps_its_number() -> None:
    i, j = WORLD.index("[countries.MY]"), WORLD.index("[countries.ID]")
    assert "demo-world" in world(WORLD[:i] + WORLD[j:]).lenders


def test_there_a_text_says_in_words_whom_to_ask_and_elsewhere_by_number() -> None:
    noon = instant("2026-12-02 12:00", "Asia/Kuala_Lumpur")
    facts = a_customer(an_account(an_instalment("2026-12-02"), currency="MYR"), **IN_MALAYSIA)
    sent = decide(facts, a_standing(), the_policies(), noon)
    assert isinstance(sent, Send), trace_of(sent)
    assert "in our app" in sent.reminder.text
    assert not re.search(r"[0-9]{5}|0800", sent.reminder.text)
    found = the_policies().rules_for(a_customer(lender="demo-world"), NOW)
    assert isinstance(found, Rules)
    assert found.hotline["en"] == "0800-000-123"
    assert found.numbers_to_call_allowed


def test_a_number_to_call_that_reached_a_text_all_the_same_is_not_sent() -> None:
    facts = a_customer(an_account(an_instalment("2026-12-02"), currency="USD"), **IN_MALAYSIA | IN_SINGAPORE)
    noon = instant("2026-12-02 13:30", "Asia/Singapore")
    decision = decide(facts, a_standing(), policies_with(facts, numbers_to_call_allowed=False), noon)
    assert decision.reason is Reason.TEXT_REFUSED
    assert "holds a number to call" in trace_of(decision)[-1]
    assert isinstance(decide(facts, a_standing(), the_policies(), noon), Send)


def test_a_malaysian_number_gets_no_number_to_call_wherever_its_owner_lives() -> None:
    facts = a_customer(an_account(an_instalment("2026-12-02"), currency="USD"), **IN_MALAYSIA | {"country": "SG"})
    sent = decide(facts, a_standing(), the_policies(), instant("2026-12-02 13:30", "Asia/Singapore"))
    assert isinstance(sent, Send), trace_of(sent)
    assert not re.search(r"[0-9]{5}|0800", sent.reminder.text)


IN_INDIA = """
[countries.IN]
sender_id = "DEMOFN"
entity_id = "DEMO-IN-ENTITY"
max_price = "0.01"
registered = { "en/before-3@3" = "IN-DEMO-0001" }
"""


@pytest.mark.parametrize("region", ["ap-south-1", "ap-south-2"])
def test_people_in_india_are_texted_by_a_stack_in_india(region: str) -> None:
    book = world(WORLD + IN_INDIA).stored_in(region)
    assert isinstance(book.rules("demo-world", "IN", at=NOW), Rules)


@pytest.mark.parametrize("region", ["ap-northeast-1", "eu-central-1", ""])
def test_elsewhere_there_are_no_rules_for_people_or_numbers_of_india(region: str) -> None:
    book = world(WORLD + IN_INDIA).stored_in(region)
    assert book.rules("demo-world", "IN", at=NOW) is Reason.STORED_ELSEWHERE
    assert book.rules("demo-world", "SG", "", "IN", at=NOW) is Reason.STORED_ELSEWHERE
    assert book.rules("demo-world", "IN", "", "SG", at=NOW) is Reason.STORED_ELSEWHERE
    assert isinstance(book.rules("demo-world", "SG", at=NOW), Rules)


def test_tools_that_store_nothing_know_the_rules_of_india_anywhere() -> None:
    assert isinstance(world(WORLD + IN_INDIA).rules("demo-world", "IN", at=NOW), Rules)


def test_in_greece_overdue_texts_begin_on_the_tenth_day() -> None:
    found = the_policies().rules("demo-world", "GR", at=NOW)
    assert isinstance(found, Rules)
    assert found.ladder == (-3, 0, 15, 30)
    assert found.urgency == (0, -3, 15, 30)
    athens = "Europe/Athens"
    facts = a_customer(an_account(an_instalment("2026-12-01"), currency="EUR"), **IN_GREECE)
    waiting = decide(facts, a_standing(), the_policies(), instant("2026-12-02 12:00", athens))
    assert waiting.until == instant("2026-12-16 10:00", athens)
    younger = an_account(an_instalment("2026-12-10"), account_id="A2", currency="EUR")
    beside = a_customer(an_account(an_instalment("2026-12-01"), currency="EUR"), younger, **IN_GREECE)
    sent = decide(beside, a_standing(), the_policies(), instant("2026-12-16 12:00", athens))
    assert isinstance(sent, Send)
    assert sent.reminder.account_ids == ("A1",), "no text calls the other one overdue before its tenth day"
    abroad = the_policies().rules("demo-world", "SG", "", "GR", at=NOW)
    assert isinstance(abroad, Rules)
    assert abroad.ladder == (-3, 0, 15, 30), "a number of a place brings its days of grace along"


def test_a_stage_on_the_first_day_after_the_grace_stays(folder: Path) -> None:
    place = folder / "jurisdictions/GR.toml"
    place.write_text(place.read_text("utf-8").replace("first_overdue_day = 10", "first_overdue_day = 15"), "utf-8")
    found = load_policies(folder).rules("demo-world", "GR", at=NOW)
    assert isinstance(found, Rules)
    assert found.ladder == (-3, 0, 15, 30)


def test_a_ladder_of_which_days_of_grace_leave_nothing_is_refused() -> None:
    with pytest.raises(
        PolicyError, match=r"ladder: no stage is left in Greece: overdue texts from day 10, .*GR\.toml:"
    ):
        world(WORLD.replace("[-3, 0, 3, 7, 15, 30]", "[3, 7]"))
