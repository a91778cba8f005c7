"""A policy may tighten the law of a place and never loosen it, and texts nobody in a country it does not name."""

import re
from datetime import date, timedelta
from importlib.resources import files

import pytest

from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Cap, FatigueLimits, Rules
from dunning.policy import PolicyBook, PolicyError
from dunning.policy.effective import effective_rules
from ops.english import in_english
from tests.support.builders import (
    IN_HONG_KONG,
    IN_MAINLAND_CHINA,
    IN_THE_UNITED_STATES,
    a_customer,
    policies_with_lender,
)
from tests.support.people import NOW

NAME = "lenders/demo-tw.toml"
TEXT = (files("dunning.policy") / "data" / NAME).read_text("utf-8")


def book_of(text: str) -> PolicyBook:
    return policies_with_lender("demo-tw", text)


def with_line(line: str) -> str:
    """Return the policy with a line more in front of its first table."""
    return TEXT.replace("[sender_name]", f"{line}\n\n[sender_name]")


def with_country(line: str, country: str = "US") -> str:
    return TEXT.replace(f"[countries.{country}]", f"[countries.{country}]\n{line}")


def refusal(text: str) -> str:
    with pytest.raises(PolicyError) as refused:
        book_of(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "field", "law"),
    [
        pytest.param(with_line('hours = { daily = "06:59-20:00" }'), "hours: mon 06:59-20:00", "Taiwan", id="earlier"),
        pytest.param(with_line('hours = { daily = "07:00-22:01" }'), "hours: mon 07:00-22:01", "Taiwan", id="later"),
        pytest.param(
            with_line('hours = { mon-sat = "09:00-20:00", sun = "09:00-22:30" }'),
            "hours: sun 09:00-22:30",
            "Taiwan",
            id="one day",
        ),
        pytest.param(
            with_line('hours = { daily = "09:00-20:00", holiday = "06:00-20:00" }'),
            "hours: holiday 06:00-20:00",
            "Taiwan",
            id="on holidays",
        ),
        pytest.param(
            with_line('hours = { daily = "09:00-20:00", working_day = "06:00-20:00" }'),
            "hours: working_day 06:00-20:00",
            "Taiwan",
            id="on moved working days",
        ),
        pytest.param(
            with_line('hours = { daily = "07:30-20:00" }'),
            "hours: mon 07:30-20:00",
            "United States",
            id="lawful in Taiwan, not in the United States",
        ),
        pytest.param(
            with_country('hours = { daily = "07:30-20:00" }'),
            "countries.US.hours: mon 07:30-20:00",
            "United States",
            id="a country's own hours",
        ),
        pytest.param(
            with_country('caps = [{ at_most = 3, within = "7d", scope = "account" }]'),
            "countries.US.caps.0: at most 3",
            "Massachusetts",
            id="a cap, in a region",
        ),
        pytest.param(
            with_country('caps = [{ at_most = 3, within = "24h", scope = "account" }]'),
            "countries.US.caps.0: at most 3",
            "Massachusetts",
            id="a cap that could never bind under the law's",
        ),
    ],
)
def test_what_is_looser_than_the_law_is_refused_and_both_lines_are_named(text: str, field: str, law: str) -> None:
    message = refusal(text)
    name, line, rest = message.split(":", 2)
    assert name == NAME
    written = text.splitlines()[int(line) - 1]
    assert written.partition(" ")[0] in field
    assert rest.startswith(f" {field} is looser than the law of {law}, ")
    assert "jurisdictions/" in rest


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(with_line('hours = { daily = "08:00-21:00" }'), id="as wide as the strictest law"),
        pytest.param(
            with_country('hours = { daily = "08:00-21:00" }')
            .replace("[sender_name]", 'hours = { daily = "07:00-22:00" }\n\n[sender_name]')
            .replace("[countries.HK]", '[countries.HK]\nhours = { daily = "08:00-23:00" }'),
            id="each country as wide as its own law",
        ),
        pytest.param(
            with_country('caps = [{ at_most = 2, within = "7d", scope = "account" }]'), id="the law's own cap"
        ),
        pytest.param(with_country('caps = [{ at_most = 9, within = "60d", scope = "account" }]'), id="a longer window"),
    ],
)
def test_what_is_as_strict_as_the_law_loads(text: str) -> None:
    assert book_of(text).lenders


def test_hours_and_caps_of_a_country_stand_there_instead_of_the_general_ones() -> None:
    own = 'hours = { daily = "12:00-13:00" }\ncaps = [{ at_most = 1, within = "60d", scope = "account" }]'
    book = book_of(with_country(own, "HK"))
    there, here = book.rules("demo-tw", "HK", at=NOW), book.rules("demo-tw", "TW", at=NOW)
    assert isinstance(there, Rules)
    assert isinstance(here, Rules)
    assert there.hours.week[0] == ((720, 780),)
    assert [(cap.count, cap.window.days) for cap in there.account_caps] == [(1, 60)]
    assert here.hours.week[0] != ((720, 780),)
    assert here.account_caps == ()


def test_people_and_numbers_of_a_country_that_is_not_named_are_not_texted() -> None:
    book = book_of(TEXT)
    assert isinstance(book.rules_for(a_customer(**IN_HONG_KONG), NOW), Rules)
    at_home_in_japan = a_customer(**(IN_MAINLAND_CHINA | {"lender": "demo-tw", "country": "JP"}))
    assert book.rules_for(at_home_in_japan, NOW) is Reason.COUNTRY_NOT_ALLOWED
    with_a_japanese_number = a_customer(phone_country="JP", phone="+819012345678")
    assert book.rules_for(with_a_japanese_number, NOW) is Reason.COUNTRY_NOT_ALLOWED


def test_a_policy_for_a_region_alone_texts_nobody_else_in_the_country() -> None:
    book = book_of(TEXT.replace("[countries.US]", "[countries.US-MA]"))
    assert isinstance(book.rules_for(a_customer(**IN_THE_UNITED_STATES, region="MA"), NOW), Rules)
    assert book.rules_for(a_customer(**IN_THE_UNITED_STATES), NOW) is Reason.COUNTRY_NOT_ALLOWED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            TEXT.replace('origination_number = "+18005550100"\n', ""),
            r"countries.US.origination_number: carriers of United States demand an own number",
            id="US number",
        ),
        pytest.param(
            TEXT + '\n[countries.CN]\nmax_price = "0.20"\n',
            "countries.CN.registered: carriers of Mainland China demand registered texts",
            id="China",
        ),
        pytest.param(
            with_country('sender_id = "DEMOFIN"'),
            "countries.US.sender_id: carriers of United States take no sender id",
            id="a sender id refused",
        ),
        pytest.param(TEXT.replace("[countries.HK]", "[countries.XX]"), "countries.XX: is no country", id="no country"),
        pytest.param(
            TEXT.replace('en = "in our app"', 'en = "in our app"\nzh-Hans = "官方APP"'),
            "pay: zh-Hans is not one of languages",
            id="words nobody reads",
        ),
    ],
)
def test_what_carriers_demand_and_a_policy_does_not_give_is_refused(text: str, says: str) -> None:
    assert says in refusal(text)


def test_what_the_country_of_a_foreign_number_demands_is_demanded_too() -> None:
    rules = book_of(TEXT).rules("demo-tw", "TW", "", "US", at=NOW)
    assert isinstance(rules, Rules)
    assert rules.jurisdiction == "TW"
    assert rules.consent_required
    assert rules.opt_out_line


def test_what_follows_from_replies_is_the_lenders_and_has_its_usual_days() -> None:
    changed = TEXT.replace("question_days = 2\ndoubt_days = 3", "question_days = 1\ndoubt_days = 7")
    usual = re.sub(r"\[replies\][^\[]*", "", TEXT)
    for text, days in ((changed, (3, 14, 1, 7)), (usual, (3, 14, 2, 3))):
        rules = book_of(text).rules_for(a_customer(), NOW)
        assert isinstance(rules, Rules)
        assert (rules.grace_days, rules.promise_days, rules.question_days, rules.doubt_days) == days


def rules_in(text: str, country: str = "TW") -> Rules:
    found = book_of(text).rules("demo-tw", country, at=NOW)
    assert isinstance(found, Rules)
    return found


MONTH = timedelta(days=30)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("", {Cap(8, MONTH)}, id="none of its own: our default"),
        pytest.param('[[caps]]\nat_most = 5\nwithin = "30d"\nscope = "person"\n', {Cap(5, MONTH)}, id="a tighter one"),
        pytest.param(
            '[[caps]]\nat_most = 12\nwithin = "31d"\nscope = "person"\n',
            {Cap(12, timedelta(days=31))},
            id="a looser one of its own choice",
        ),
        pytest.param(
            '[[caps]]\nat_most = 4\nwithin = "30d"\nscope = "account"\n', {Cap(8, MONTH)}, id="one of each account only"
        ),
    ],
)
def test_a_policy_without_a_cap_for_a_month_has_ours(line: str, expected: set[Cap]) -> None:
    found = rules_in(TEXT.replace("[replies]", f"{line}\n[replies]", 1))
    assert {cap for cap in found.person_caps if cap.window > timedelta(days=7)} == expected
    assert found.longest_window >= MONTH


def test_caps_of_a_country_have_our_default_for_a_month_too() -> None:
    own = with_country('caps = [{ at_most = 1, within = "24h", scope = "person" }]', "TW")
    assert Cap(8, MONTH) in rules_in(own).person_caps


def test_overdue_texts_rest_on_holidays_unless_the_policy_says_otherwise_and_the_law_does_not() -> None:
    new_year = date(2027, 1, 1)
    assert rules_in(TEXT).overdue_hours.special[new_year] == ()
    assert rules_in(TEXT).hours.covered_until is None, "texts up to the due date need no calendar"
    without = with_line("rest_on_holidays = false")
    assert rules_in(without).overdue_hours.covered_until is None
    assert rules_in(without, "HK").overdue_hours.special[new_year] == (), "the closed days of a place stay"


def test_small_amounts_are_one_unit_or_ten_and_a_policys_own() -> None:
    ours = rules_in(TEXT).smallest_amounts
    assert {currency: ours[currency] for currency in ("TWD", "JPY", "USD", "KWD", "KRW")} == {
        "TWD": 1000, "JPY": 10, "USD": 100, "KWD": 1000, "KRW": 1,
    }  # fmt: skip
    own = rules_in(with_line('smallest_amounts = { TWD = 50, USD = "0.50" }')).smallest_amounts
    assert (own["TWD"], own["USD"], own["HKD"]) == (5000, 50, 100)


def test_the_pace_and_the_spread_are_own_or_the_policys() -> None:
    ours = rules_in(TEXT)
    assert (ours.catch_up_days, ours.spread) == (None, timedelta(hours=3))
    own = rules_in(with_line('catch_up = 5\nspread = "0h"'))
    assert (own.catch_up_days, own.spread) == (5, timedelta())


def test_unanswered_reminders_change_nothing_unless_the_policy_names_it() -> None:
    assert rules_in(TEXT).fatigue is None
    assert rules_in(with_line("fatigue = { after = 4 }")).fatigue == FatigueLimits(4, None)
    assert rules_in(with_line("fatigue = { after = 4, stop_after = 6 }")).fatigue == FatigueLimits(4, 6)


def test_the_policy_check_says_what_follows_when_nobody_answers() -> None:
    book = book_of(with_line("fatigue = { after = 4, stop_after = 6 }"))
    (taiwan,) = (found for found in effective_rules(book, "demo-tw", date(2026, 12, 1)) if found.place == "TW")
    stages = in_english(next(limit.effective for limit in taiwan.limits if limit.topic == "stages"))
    assert "after 4 reminders without an answer 6 days apart or more" in stages
    assert "after 6 a person takes over" in stages


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param("catch_up = 2", r"catch_up.*min_days_between_stages is 3", id="less than stages keep anyway"),
        pytest.param('catch_up = "fast"', r"'fast' is neither \"own_pace\" nor a number of days", id="a pace in words"),
        pytest.param("catch_up = 61", r"61 is neither \"own_pace\" nor a number of days from 1 to 60", id="too long"),
        pytest.param('spread = "13h"', "spread.*longer than 12h", id="over more than half a day"),
        pytest.param('spread = "soon"', "spread.*3h|spread.*span", id="a spread in words"),
        pytest.param("smallest_amounts = { XAU = 1 }", "smallest_amounts.*XAU", id="a currency nobody knows"),
        pytest.param('smallest_amounts = { JPY = "0.5" }', "smallest_amounts.*JPY", id="half a yen"),
        pytest.param("smallest_amounts = { TWD = 5000 }", "5000 TWD is no small rest.*at most 1000", id="most debts"),
        pytest.param("smallest_amounts = { TWD = -1 }", "smallest_amounts", id="less than nothing"),
        pytest.param('rest_on_holidays = "no"', "rest_on_holidays", id="a flag in words"),
        pytest.param(
            "fatigue = { after = 4, stop_after = 4 }",
            r"fatigue.stop_after: 4 is not more than after = 4, which would have no effect; raise it",
            id="a person who takes over before anything changes",
        ),
        pytest.param("fatigue = { after = 1 }", "fatigue.after", id="the first reminder is no fatigue"),
        pytest.param("fatigue = { stop_after = 6 }", "fatigue.after", id="a stop alone"),
    ],
)
def test_a_pace_a_spread_or_an_amount_that_cannot_be_is_refused(line: str, says: str) -> None:
    assert re.search(says, refusal(with_line(line)))
