"""A rest below the smallest amount of its currency: nobody is texted, and the instalment counts as paid."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from dunning.domain.customer.facts import Account, HoldReason, Instalment, open_instalments, with_small_rests_settled
from dunning.domain.customer.standing import PaymentStatement
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send, Wait
from dunning.domain.decision.rules import FatigueLimits
from dunning.services.planning import counted, promises_settled
from tests.support.builders import (
    a_customer,
    a_standing,
    a_text,
    an_account,
    an_instalment,
    day,
    policies_with,
    progress_at,
    promised,
    rules_of,
    taipei,
    texts_sent,
    the_policies,
)

IN_DECEMBER = taipei("2026-12-05 10:00")


def rest(minor: int, due: str = "2026-12-01", number: int = 1) -> Instalment:
    return an_instalment(due, 325_000, number=number, paid=325_000 - minor)


def open_of(account: Account, smallest: int) -> list[tuple[int, int]]:
    return [(each.number, each.open) for each in open_instalments(account, smallest)]


@pytest.mark.parametrize(
    ("currency", "minor", "reason"),
    [
        pytest.param("TWD", 1, Reason.NOTHING_OPEN, id="a cent"),
        pytest.param("TWD", 999, Reason.NOTHING_OPEN, id="a cent less than ten"),
        pytest.param("TWD", 1000, Reason.DUE, id="ten"),
        pytest.param("USD", 99, Reason.NOTHING_OPEN, id="a cent less than a dollar"),
        pytest.param("USD", 100, Reason.DUE, id="a dollar"),
        pytest.param("JPY", 9, Reason.NOTHING_OPEN, id="nine yen"),
        pytest.param("JPY", 10, Reason.DUE, id="ten yen"),
    ],
)
def test_less_than_the_smallest_amount_is_nothing(currency: str, minor: int, reason: Reason) -> None:
    facts = a_customer(an_account(rest(minor), currency=currency))
    assert decide(facts, a_standing(), the_policies(), IN_DECEMBER).reason is reason


def test_the_ladder_goes_on_with_the_next_instalment() -> None:
    facts = a_customer(an_account(rest(1), an_instalment("2027-01-12", number=2)))
    assert texts_sent(facts, IN_DECEMBER, taipei("2027-01-13 00:00")) == [("2027-01-09", -3), ("2027-01-12", 0)]


def test_several_small_rests_are_not_added_up() -> None:
    facts = a_customer(an_account(rest(999), rest(999, "2026-11-01", 2)), an_account(rest(999), account_id="A2"))
    assert decide(facts, a_standing(), the_policies(), IN_DECEMBER).reason is Reason.NOTHING_OPEN


def test_a_small_rest_beside_a_debt_is_not_asked_for() -> None:
    facts = a_customer(an_account(rest(999), account_id="A2"), an_account(an_instalment("2026-12-02")))
    decision = decide(facts, a_standing(), the_policies(), IN_DECEMBER)
    assert isinstance(decision, Send)
    assert decision.reminder.account_ids == ("A1",)
    assert "NT$3,250" in decision.reminder.text


def test_what_an_accounts_credit_leaves_may_be_too_small_too() -> None:
    credit = an_instalment("2026-10-01", 100_000, number=3, paid=100_000 + 324_999)
    account = an_account(credit, an_instalment("2026-12-01"), an_instalment("2027-01-12", number=2))
    assert [each.number for each in open_instalments(account, 1000)] == [2]
    settled = with_small_rests_settled(a_customer(account), {"TWD": 1000}).accounts[0]
    assert [(each.number, each.open) for each in open_instalments(settled)] == [(2, 325_000)]


@pytest.mark.parametrize("smallest", [1, 2, 3, 4])
def test_with_small_rests_settled_as_much_is_open_as_without_counting_them(smallest: int) -> None:
    kinds = [(0, 0), (-3, 0), (3, 4), (2, 2), (2, 1), (3, 0), (5, 1)]
    for amounts in product(kinds, repeat=3):
        account = an_account(
            *(
                an_instalment(amount=amount, number=number, paid=paid)
                for number, (amount, paid) in enumerate(amounts, 1)
            )
        )
        settled = with_small_rests_settled(a_customer(account), {"TWD": smallest}).accounts[0]
        assert open_of(settled, 1) == open_of(account, smallest)


def test_rests_of_each_account_are_measured_by_its_own_currency() -> None:
    accounts = [an_account(rest(99), account_id=currency, currency=currency) for currency in ("USD", "TWD", "EUR")]
    settled = with_small_rests_settled(a_customer(*accounts), {"USD": 100, "TWD": 50}).accounts
    assert [(each.account_id, each.instalments[0].open) for each in settled] == [("USD", 0), ("TWD", 99), ("EUR", 99)]


def test_of_a_currency_without_a_smallest_amount_every_rest_counts() -> None:
    facts = a_customer(an_account(rest(1), currency="EUR"), an_account(rest(1), account_id="A2"))
    settled = with_small_rests_settled(facts, {"TWD": 2}).accounts
    assert [account.instalments[0].open for account in settled] == [1, 0]
    assert with_small_rests_settled(facts, {}) is facts


@pytest.mark.parametrize("minor", [325_000, 1000, 0])
def test_facts_without_a_small_rest_are_left_alone(minor: int) -> None:
    facts = a_customer(an_account(rest(minor), an_instalment("2026-12-05", number=2)))
    assert with_small_rests_settled(facts, rules_of(facts).smallest_amounts) is facts


def test_a_policy_may_ask_for_every_cent_or_for_none_below_its_own_amount() -> None:
    facts = a_customer(an_account(rest(1)))
    every_cent = policies_with(facts, smallest_amounts={"TWD": 1})
    assert isinstance(decide(facts, a_standing(), every_cent, IN_DECEMBER), Send)
    larger = policies_with(facts, smallest_amounts={"TWD": 400_000})
    assert decide(a_customer(), a_standing(), larger, IN_DECEMBER).reason is Reason.NOTHING_OPEN


def test_a_promise_is_kept_although_a_small_rest_is_left() -> None:
    facts = a_customer(an_account(rest(1)))
    said_at = taipei("2026-12-02 10:00")
    standing = a_standing(**promised(said_at, day("2026-12-04"), "A1#1"))
    settled = promises_settled(facts, standing, the_policies(), taipei("2026-12-04 20:00"))
    assert settled.standing.promises["A1#1"].kept is True
    assert settled.broken == ()


def test_a_payment_claim_ends_once_only_a_small_rest_is_left() -> None:
    said_at = taipei("2026-12-04 11:00")
    claim = PaymentStatement(
        reason=HoldReason.SAYS_PAID,
        said_at=said_at,
        day=day("2026-12-04"),
        until=day("2026-12-07"),
        accounts=("A1",),
        about=("A1#1",),
    )
    standing = a_standing(payment_statements=(claim,))
    unpaid = a_customer(an_account(an_instalment(), an_instalment("2026-12-05", number=2)))
    assert decide(unpaid, standing, the_policies(), IN_DECEMBER).reason is Reason.ON_HOLD
    almost = replace(unpaid, accounts=(an_account(rest(1), an_instalment("2026-12-05", number=2)),))
    decision = decide(almost, standing, the_policies(), IN_DECEMBER)
    assert isinstance(decision, Send)
    assert decision.stage == 0


@pytest.mark.parametrize(("minor", "reason"), [(999, Reason.NEXT_STAGE), (1000, Reason.UNANSWERED)])
def test_a_payment_that_leaves_only_a_small_rest_is_an_answer_to_the_reminders_before_it(
    minor: int, reason: Reason
) -> None:
    """Of a stage of an older release nobody knows what it asked for: only what is paid in full counts as answered."""
    facts = a_customer(an_account(rest(minor), an_instalment("2026-12-28", number=2)))
    texts = [a_text(taipei(f"2026-12-{on} 10:00"), stage=3) for on in ("04", "08", "16")]
    standing = a_standing(*texts, progress=progress_at(15, "2026-12-16"))
    tired = policies_with(facts, fatigue=FatigueLimits(after=2, stop_after=3))
    assert decide(facts, standing, tired, taipei("2026-12-17 12:00")).reason is reason


def test_where_no_policy_is_known_every_rest_counts() -> None:
    facts = a_customer(an_account(rest(1)), lender="nobody")
    assert counted(facts, the_policies(), IN_DECEMBER) is facts
    assert decide(facts, a_standing(), the_policies(), IN_DECEMBER).reason is Reason.UNKNOWN_LENDER


def test_the_next_stage_is_waited_for_as_of_the_next_instalment() -> None:
    facts = a_customer(an_account(rest(1), an_instalment("2027-01-12", number=2)))
    decision = decide(facts, a_standing(), the_policies(), IN_DECEMBER)
    assert isinstance(decision, Wait)
    assert decision.until == taipei("2027-01-12 10:00") - timedelta(days=3)
