"""Whoever returns after an erasure counts as having been texted up to every cap, as nothing is known of before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.returning import BEFORE_ERASURE, caps_after_erasure
from dunning.domain.customer.standing import LedgerEntry
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Cap, Scope
from tests.support.builders import a_customer, an_account, rules_of, taipei

NOW = taipei("2026-12-01 10:00")
DAY = timedelta(days=1)
BACK = a_customer(an_account(account_id="A1"), an_account(account_id="A2"))
RULES = replace(
    rules_of(BACK),
    person_caps=(Cap(1, DAY), Cap(3, 7 * DAY)),
    account_caps=(Cap(4, 7 * DAY, Scope.ACCOUNT),),
    longest_window=7 * DAY,
)


def test_a_customer_who_returns_counts_as_texted_just_now_of_every_account_up_to_every_cap() -> None:
    unknown = LedgerEntry(
        send_id=BEFORE_ERASURE, claim_id="", at=NOW, stage=None, accounts=("A1", "A2"), channel="sms", for_wake=None
    )
    assert caps_after_erasure(NOW - DAY, BACK, RULES, NOW) == (unknown,) * 4
    of_persons = replace(RULES, account_caps=())
    assert caps_after_erasure(NOW - DAY, BACK, of_persons, NOW) == (unknown,) * 3


def test_a_new_customer_has_had_no_text() -> None:
    assert caps_after_erasure(None, BACK, RULES, NOW) == ()


@pytest.mark.parametrize(
    ("longest_window", "remembered"),
    [pytest.param(7 * DAY, 31 * DAY, id="a month"), pytest.param(40 * DAY, 40 * DAY, id="the longest window")],
)
def test_a_text_from_before_an_erasure_counts_as_long_as_any_text(
    longest_window: timedelta, remembered: timedelta
) -> None:
    rules = replace(RULES, longest_window=longest_window)
    assert caps_after_erasure(NOW - remembered, BACK, rules, NOW)
    assert caps_after_erasure(NOW - remembered - timedelta(seconds=1), BACK, rules, NOW) == ()


def test_without_caps_or_rules_no_text_is_assumed() -> None:
    assert caps_after_erasure(NOW, BACK, replace(RULES, person_caps=(), account_caps=()), NOW) == ()
    assert caps_after_erasure(NOW, BACK, Reason.UNKNOWN_LENDER, NOW) == ()
