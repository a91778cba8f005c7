"""The distributions: as scipy has them, to nine digits (`tests/devtools/statistics_table.py` writes the answers)."""

import math

import pytest

from dunning.domain.effect.distributions import (
    BetaShape,
    beta_density,
    binomial_probability,
    binomial_tail,
    binomial_test,
    chi_square_tail,
    incomplete_beta,
    normal_quantile,
    probability_greater,
)
from tests.support.vectors import read_vectors

ANSWERS = read_vectors("statistics")


def test_the_incomplete_beta_function_is_that_of_scipy() -> None:
    for successes, failures, at, answer in ANSWERS["incomplete_beta"]:
        assert incomplete_beta(BetaShape(successes, failures), at) == pytest.approx(answer, rel=1e-9, abs=1e-12)


def test_the_beta_density_is_that_of_scipy() -> None:
    for successes, failures, at, answer in ANSWERS["beta_density"]:
        assert beta_density(BetaShape(successes, failures), at) == pytest.approx(answer, rel=1e-9)


def test_the_tail_of_chi_square_is_that_of_scipy_for_two_groups_and_more() -> None:
    for statistic, freedom, answer in ANSWERS["chi_square_tail"]:
        assert chi_square_tail(statistic, freedom) == pytest.approx(answer, rel=1e-9)


def test_the_exact_binomial_test_is_that_of_scipy() -> None:
    for count, draws, share, answer in ANSWERS["binomial_test"]:
        assert binomial_test(count, draws, share) == pytest.approx(answer, rel=1e-9)


def test_the_normal_quantile_is_that_of_scipy() -> None:
    for probability, answer in ANSWERS["normal_quantile"]:
        assert normal_quantile(probability) == pytest.approx(answer, abs=1e-9)


def test_the_probability_that_a_rate_is_so_many_times_another_is_the_integral_of_scipy() -> None:
    for first, second, times, answer in ANSWERS["probability_greater"]:
        assert probability_greater(BetaShape(*first), BetaShape(*second), times) == pytest.approx(answer, abs=1e-9)


def test_of_two_rates_either_is_greater() -> None:
    first, second = BetaShape(31, 170), BetaShape(28, 190)
    both = probability_greater(first, second) + probability_greater(second, first)
    assert both == pytest.approx(1, abs=1e-12)


def test_probabilities_of_all_counts_sum_to_1_and_tails_are_their_sums() -> None:
    probabilities = [binomial_probability(count, 40, 0.15) for count in range(41)]
    assert math.fsum(probabilities) == pytest.approx(1, abs=1e-12)
    for count in range(41):
        assert binomial_tail(count, 40, 0.15, upper=True) == pytest.approx(math.fsum(probabilities[count:]), abs=1e-12)
        assert binomial_tail(count, 40, 0.15, upper=False) == pytest.approx(
            math.fsum(probabilities[: count + 1]), abs=1e-12
        )


def test_counts_that_cannot_be_and_shares_without_chance_have_their_probability() -> None:
    assert binomial_tail(-1, 10, 0.5, upper=False) == 0
    assert binomial_tail(11, 10, 0.5, upper=True) == 0
    assert binomial_probability(0, 5, 0.0) == 1
    assert binomial_probability(5, 5, 1.0) == 1
    assert binomial_probability(4, 5, 1.0) == 0
    assert binomial_probability(-1, 5, 0.5) == binomial_probability(6, 5, 0.5) == 0
    assert incomplete_beta(BetaShape(2, 3), 0) == 0
    assert incomplete_beta(BetaShape(2, 3), 1) == 1
    assert chi_square_tail(0, 3) == 1
    assert chi_square_tail(1e-15, 0) == 1


def test_quantiles_and_factors_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="probability is 1: a quantile needs one between 0 and 1"):
        normal_quantile(1)
    with pytest.raises(ValueError, match="times is 0: rates are compared by a factor above 0"):
        probability_greater(BetaShape(1, 1), BetaShape(1, 1), 0)
