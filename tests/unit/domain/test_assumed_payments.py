"""Assumed payments: drawn once for each instalment, the same for every policy, and as likely as the table says."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.effect.assumed_payments import (
    Hazards,
    ObservedInstalment,
    Period,
    assumed_payments,
    hazards_from_records,
    payer_group,
)
from tests.support.builders import a_customer, an_account, an_instalment, day, taipei

TAIPEI = ZoneInfo("Asia/Taipei")
BEGIN = taipei("2026-12-01 00:00")
PERIOD = Period(BEGIN, BEGIN + timedelta(days=45))


def somebody(number: int, due: str = "2026-12-05", **changes: object) -> Facts:
    account = an_account(an_instalment(due), account_id=f"A{number}")
    return replace(a_customer(account), customer_id=f"C{number}", **changes)  # type: ignore[arg-type]


def days_paid(hazards: Hazards, due: str = "2026-12-05", customers: int = 4_000) -> list[int]:
    """Return on which day past due each of many customers pays who does."""
    return [
        (payment.at.astimezone(TAIPEI).date() - day(due)).days
        for number in range(customers)
        for payment in assumed_payments(somebody(number, due), hazards, PERIOD, TAIPEI, seed=1)
    ]


def test_the_same_customer_table_and_seed_pay_the_same() -> None:
    hazards = {"all": {0: 0.5, 3: 0.5}}
    first, again, other = (
        [assumed_payments(somebody(number), hazards, PERIOD, TAIPEI, seed) for number in range(50)]
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert {len(payments) for payments in first} == {0, 1}


def test_as_many_pay_as_the_hazards_say() -> None:
    paid = days_paid({"all": {-2: 0.2, 0: 0.5, 10: 0.25}})
    shares = [paid.count(late) / 4_000 for late in (-2, 0, 10)]
    assert shares == pytest.approx([0.2, 0.4, 0.1], abs=0.025)
    assert set(paid) == {-2, 0, 10}


def test_days_that_are_past_at_the_beginning_do_not_count_against_who_still_owes() -> None:
    paid = days_paid({"all": {0: 0.9, 8: 0.5}}, due="2026-11-25")
    assert len(paid) / 4_000 == pytest.approx(0.5, abs=0.025)


def test_a_hazard_of_one_leaves_nobody_and_no_table_pays_nothing() -> None:
    assert len(days_paid({"all": {1: 1.0}}, customers=100)) == 100
    assert days_paid({}, customers=10) == []
    assert days_paid({"overdue": {1: 1.0}}, customers=10) == []


def test_a_customer_belongs_to_the_overdue_if_anything_is_overdue_at_the_beginning() -> None:
    late, today, ahead = (somebody(1, due) for due in ("2026-11-30", "2026-12-01", "2026-12-09"))
    assert [payer_group(facts, BEGIN, TAIPEI) for facts in (late, today, ahead)] == ["overdue", "current", "current"]
    settled = replace(late, accounts=(an_account(an_instalment("2026-11-30", paid=325_000)),))
    assert payer_group(settled, BEGIN, TAIPEI) == "current"


def test_a_group_of_its_own_goes_before_that_of_everybody() -> None:
    hazards = {"all": {30: 1.0}, "overdue": {2: 1.0}}
    assert days_paid(hazards, due="2026-11-30", customers=3) == [2, 2, 2]
    assert days_paid(hazards, customers=3) == [30, 30, 30]


def test_what_is_paid_before_or_after_the_period_is_left_out() -> None:
    assert days_paid({"all": {60: 1.0}}, customers=5) == []
    paid = [assumed_payments(somebody(1), {"all": {0: 1.0}}, PERIOD, TAIPEI, seed) for seed in range(20)]
    moments = [payment.at.astimezone(TAIPEI) for payments in paid for payment in payments]
    assert {moment.date().isoformat() for moment in moments} == {"2026-12-05"}
    assert len({moment.time() for moment in moments}) > 10


def test_the_hazard_from_records_is_who_paid_of_those_who_still_owed_and_were_still_known() -> None:
    observed = [
        *[ObservedInstalment(0, 40)] * 5,
        *[ObservedInstalment(3, 40)] * 2,
        *[ObservedInstalment(None, 1)] * 2,  # due yesterday: nobody knows yet whether they pay on day 3
        ObservedInstalment(None, 40),
    ]
    assert hazards_from_records(observed) == pytest.approx({0: 5 / 10, 3: 2 / 3})
    assert hazards_from_records([]) == {}
