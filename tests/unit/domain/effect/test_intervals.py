"""Intervals: as wide as they have to be, and no narrower; the sizes that trials need; the weights of arms."""

import random

import pytest

from dunning.domain.effect.distributions import BetaShape
from dunning.domain.effect.intervals import (
    ClusterSums,
    Interval,
    RateEstimate,
    best_arm_weights,
    confidence_sequence,
    customers_needed,
    difference_of,
    newcombe,
    normal_interval,
    rate_by_customer,
    sequence_factor,
    weeks_needed,
    wilson,
)
from tests.support.vectors import read_vectors

ANSWERS = read_vectors("statistics")


def cluster_sums(pairs: list[tuple[int, int]]) -> ClusterSums:
    return ClusterSums(
        len(pairs),
        sum(y for y, _ in pairs),
        sum(k for _, k in pairs),
        sum(y * y for y, _ in pairs),
        sum(y * k for y, k in pairs),
        sum(k * k for _, k in pairs),
    )


def test_the_interval_of_a_difference_is_newcombes_made_of_scipys_score_intervals() -> None:
    for *groups, answer in ANSWERS["newcombe"]:
        assert newcombe(*groups) == pytest.approx(tuple(answer), abs=1e-9)


def test_newcombes_own_examples_come_out_as_printed() -> None:
    """Table II of the paper: 56/70 less 48/80, and 10/10 less 0/20."""
    assert [round(end, 4) for end in newcombe(56, 70, 48, 80)] == [0.0524, 0.3339]
    assert [round(end, 4) for end in newcombe(10, 10, 0, 20)] == [0.6791, 1.0]


def test_a_score_interval_stays_between_0_and_1() -> None:
    assert wilson(0, 10).low == 0
    assert wilson(10, 10).high == 1
    assert wilson(0, 10).high == pytest.approx(0.2775, abs=1e-4)


def test_a_rate_by_customer_and_its_error_are_those_of_the_linear_part() -> None:
    for table in ANSWERS["clusters"]:
        estimate = rate_by_customer(cluster_sums(list(zip(table["y"], table["k"], strict=True))))
        assert estimate.rate == pytest.approx(table["rate"], abs=1e-9)
        assert estimate.error == pytest.approx(table["error"], abs=1e-9)


def test_a_small_group_in_which_everybody_cured_is_not_certain() -> None:
    cautious = rate_by_customer(cluster_sums([(1, 1)] * 20))
    assert cautious.rate == 1
    assert cautious.error == pytest.approx((22 / 24 * 2 / 24 / 24) ** 0.5)
    assert rate_by_customer(cluster_sums([(3, 3)])).error == float("inf")


def coverage(seed: int, *, by_customer: bool, runs: int = 300) -> float:
    """Return how often the interval of two groups alike holds 0, if customers pay alike in all their rungs."""
    rng = random.Random(seed)
    held = 0
    for _ in range(runs):
        groups = []
        for _ in range(2):
            pairs = []
            for _ in range(60):
                rungs, rate = rng.randint(1, 4), rng.choice((0.2, 0.9))
                pairs.append((sum(rng.random() < rate for _ in range(rungs)), rungs))
            groups.append(pairs if by_customer else [(int(i < y), 1) for y, k in pairs for i in range(k)])
        first, second = (rate_by_customer(cluster_sums(pairs)) for pairs in groups)
        held += normal_interval(difference_of(first, second)).contains(0)
    return held / runs


def test_an_interval_by_customer_covers_and_by_rung_does_not() -> None:
    assert coverage(1, by_customer=True) >= 0.93
    assert coverage(1, by_customer=False) < 0.91


def test_the_sequence_of_intervals_is_narrowest_compared_with_a_single_look_at_the_planned_number() -> None:
    """The width of the boundary at a number of customers is the least over all plans for the plan of that number."""
    at_plan = sequence_factor(4_500, 4_500)
    assert at_plan < min(sequence_factor(4_500, planned) for planned in (1_000, 3_000, 6_500, 20_000))
    assert at_plan / 1.959964 == pytest.approx(1.5486, abs=1e-4)
    assert sequence_factor(50_000, 4_500) / 1.959964 == pytest.approx(1.6612, abs=1e-4)


def test_a_sequence_of_intervals_is_always_wider_than_a_single_look() -> None:
    estimate = RateEstimate(0.03, 0.01)
    for customers in (10, 100, 1_000, 10_000, 1_000_000):
        assert confidence_sequence(estimate, customers, 5_000).width > normal_interval(estimate).width
    assert confidence_sequence(estimate, 5_000, 5_000).contains(0.03)


def test_the_customers_that_a_lift_needs() -> None:
    assert [customers_needed(0.6, lift, 0.05) for lift in (0.04, 0.02, 0.01)] == [24_737, 99_053, 396_402]
    assert customers_needed(0.6, 0.04, 0.1) == 13_030
    assert customers_needed(0.6, 0.04, 0.5) == 4_616
    assert customers_needed(0.6, -0.04, 0.5) == customers_needed(0.4, 0.04, 0.5)


def test_an_interval_that_is_looked_at_daily_needs_nearly_twice_the_customers() -> None:
    once, daily = customers_needed(0.6, 0.02, 0.05), customers_needed(0.6, 0.02, 0.05, looked_at_daily=True)
    assert 1.8 < daily / once < 2.0


@pytest.mark.parametrize(
    ("base", "lift", "share"),
    [(0.6, 0, 0.1), (0.99, 0.02, 0.1), (0, 0.1, 0.1), (1, -0.1, 0.1), (0.1, -0.1, 0.1), (0.6, 0.02, 0), (0.6, 0.02, 1)],
)
def test_a_lift_or_a_share_that_cannot_be_is_refused_by_name(base: float, lift: float, share: float) -> None:
    with pytest.raises(ValueError, match=r"^(lift|share) is "):
        customers_needed(base, lift, share)


def test_as_many_customers_as_needed_find_the_lift_four_times_in_five() -> None:
    rng = random.Random(4)
    needed = customers_needed(0.6, 0.08, 0.2)
    held, texted = needed // 5, needed - needed // 5
    found = 0
    for _ in range(250):
        cured = sum(rng.random() < 0.68 for _ in range(texted))
        others = sum(rng.random() < 0.6 for _ in range(held))
        found += newcombe(cured, texted, others, held).low > 0
    assert 0.73 <= found / 250 <= 0.87


def test_weeks_are_whole_and_nobody_a_week_is_no_answer() -> None:
    assert weeks_needed(1_001, 500) == 3
    assert weeks_needed(0, 500) == 0
    assert weeks_needed(1_000, 0) is None


def test_the_weights_of_arms_are_their_probabilities_to_be_the_best() -> None:
    for shapes, answer in ANSWERS["best_arm_weights"]:
        weights = best_arm_weights([BetaShape(*shape) for shape in shapes])
        assert weights == pytest.approx(tuple(answer), abs=1e-3)
        assert sum(weights) == pytest.approx(1, abs=1e-12)


def test_two_arms_have_the_weights_of_the_exact_integral() -> None:
    assert best_arm_weights([BetaShape(3, 4)]) == (1.0,)
    assert best_arm_weights([BetaShape(5, 5), BetaShape(5, 5)]) == pytest.approx((0.5, 0.5), abs=1e-9)


def test_an_interval_holds_its_ends() -> None:
    assert Interval(0.1, 0.2).contains(0.1)
    assert Interval(0.1, 0.2).contains(0.2)
    assert not Interval(0.1, 0.2).contains(0.21)
