"""Money by day: what is overdue, promised and paid, and by which text it was asked for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.census import count_customer
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Progress, Standing
from tests.local.money import NO_TEXT, money_of
from tests.support.builders import a_customer, a_standing, an_account, an_instalment, day, promised

TODAY = date(2026, 12, 10)
SAID_AT = datetime(2026, 12, 1, 2, tzinfo=UTC)
REACHED = {"A1#1": Progress(7, TODAY, TODAY)}


def amounts(
    facts: Facts, standing: Standing | None = None, paid: Mapping[tuple[str, str], int] | None = None
) -> dict[tuple[str, str], int]:
    """Return the amounts of a customer by kind and stage."""
    found: Counter[tuple[str, str]] = Counter()
    for whose, kind, amount in money_of(facts, standing, TODAY, paid or {}):
        found[kind, whose.stage] += amount
    return dict(found)


@pytest.mark.parametrize(
    ("due_on", "amount", "paid", "expected"),
    [
        ("2026-12-09", 5_000, 0, {("overdue", NO_TEXT): 5_000}),
        ("2026-12-09", 5_000, 2_000, {("overdue", NO_TEXT): 3_000}),
        ("2026-12-09", 5_000, 5_000, {}),
        ("2026-12-09", 5_000, 6_000, {}),
        ("2026-12-10", 5_000, 0, {}),
        ("2026-12-11", 5_000, 0, {}),
    ],
)
def test_what_was_due_before_a_day_and_is_open_is_overdue(
    due_on: str, amount: int, paid: int, expected: dict[tuple[str, str], int]
) -> None:
    facts = a_customer(an_account(an_instalment(due_on, number=1, amount=amount, paid=paid)))
    assert amounts(facts) == expected


def test_money_stands_by_the_last_text_about_its_instalment() -> None:
    facts = a_customer(
        an_account(an_instalment("2026-12-03", number=1, amount=500), an_instalment("2026-12-04", number=2, amount=70))
    )
    standing = a_standing(progress=REACHED, **promised(SAID_AT, day("2026-12-12"), "A1#1"))
    paid = {(facts.customer_id, "A1#1"): 40, (facts.customer_id, "A1#2"): 3, ("somebody else", "A1#1"): 9}
    assert amounts(facts, standing, paid) == {
        ("overdue", "7"): 500,
        ("promised", "7"): 500,
        ("paid", "7"): 40,
        ("overdue", NO_TEXT): 70,
        ("paid", NO_TEXT): 3,
    }


@pytest.mark.parametrize(("on", "kept"), [("2026-12-09", None), ("2026-12-12", True), ("2026-12-12", False)])
def test_a_promise_whose_day_has_ended_or_that_is_settled_counts_no_more(on: str, kept: bool | None) -> None:  # noqa: FBT001
    facts = a_customer(an_account(an_instalment("2026-12-03", number=1, amount=500)))
    standing = a_standing(**promised(SAID_AT, day(on), "A1#1", kept=kept))
    assert {kind for kind, _ in amounts(facts, standing)} == {"overdue"}


@given(
    st.lists(st.tuples(st.integers(1, 28), st.integers(-900, 900), st.integers(0, 900)), max_size=6),
    st.integers(1, 28),
    st.sampled_from([None, True, False]),
)
def test_overdue_and_promised_come_to_what_the_nightly_census_counts(
    rows: list[tuple[int, int, int]],
    promised_on: int,
    kept: bool | None,  # noqa: FBT001
) -> None:
    instalments = [
        an_instalment(f"2026-12-{due:02d}", number=number + 1, amount=amount, paid=paid)
        for number, (due, amount, paid) in enumerate(rows)
    ]
    account = an_account()
    facts = a_customer(replace(account, instalments=tuple(sorted(instalments, key=lambda each: each.due_on))))
    standing = a_standing(progress=REACHED, **promised(SAID_AT, date(2026, 12, promised_on), "A1#1", "A1#3", kept=kept))
    counted = count_customer(facts, standing, TODAY)
    found = amounts(facts, standing)
    for kind, census in (("overdue", counted.overdue), ("promised", counted.promised)):
        assert sum(amount for (what, _), amount in found.items() if what == kind) == sum(census.values())
