"""Signs of a broken trial: each is seen, and chance alone is not taken for it."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from math import inf

import pytest

from dunning.domain.effect.distributions import BetaShape, probability_greater
from dunning.domain.effect.draws import is_held_out
from dunning.domain.effect.sample_ratio import (
    ContactMade,
    HarmCount,
    HeldOutSpan,
    MovingCount,
    arms_to_pause,
    differential_loss,
    fit_of_rates,
    fit_to_shares,
    is_harmful,
    leaks,
    pre_trend,
    probability_of_harm,
    unmatched,
)
from tests.support.vectors import read_vectors

ANSWERS = read_vectors("statistics")
SHARES = [0.95, 0.05]
MONDAY = date(2026, 12, 7)


def test_counts_are_compared_with_the_configured_shares_as_scipy_does() -> None:
    for counts, shares, answer in ANSWERS["fit_to_shares"]:
        assert fit_to_shares(counts, shares).p_value == pytest.approx(answer, rel=1e-9)


def test_rates_of_several_groups_are_compared_as_scipy_does() -> None:
    for successes, totals, answer in ANSWERS["fit_of_rates"]:
        assert fit_of_rates(successes, totals).p_value == pytest.approx(answer, rel=1e-9)


def test_unequal_shares_are_no_alarm_and_a_loss_of_a_fifth_of_the_held_out_is() -> None:
    assert not fit_to_shares([9_500, 500], SHARES).is_alarming()
    lost = fit_to_shares([9_500, 400], SHARES)
    assert lost.is_alarming()
    assert lost.off_by == pytest.approx(0.0096, abs=1e-4), "the size is said as well"


def test_with_few_expected_the_exact_test_takes_the_place_of_chi_square() -> None:
    """Of 150 draws 7.5 are expected to be held out; the answer is scipy's `binomtest(0, 150, 0.05)`."""
    answer = next(p for count, draws, _, p in ANSWERS["binomial_test"] if (count, draws) == (0, 150))
    assert fit_to_shares([150, 0], SHARES).p_value == pytest.approx(answer, rel=1e-9)
    three = fit_to_shares([140, 10, 0], [0.9, 0.05, 0.05])
    assert 0.001 < three.p_value < 0.01, "three tests: the smallest p-value counts three times"


def test_nothing_is_judged_before_100_draws_and_more_comparisons_ask_for_more() -> None:
    few = fit_to_shares([60, 39], SHARES)
    assert few.p_value < 1e-9
    assert not few.is_alarming()
    many = fit_to_shares([900, 100], [0.93, 0.07])
    assert many.is_alarming()
    assert not many.is_alarming(comparisons=20)


def test_100_draws_are_enough_and_the_largest_difference_is_said() -> None:
    assert fit_to_shares([60, 40], SHARES).is_alarming()
    assert fit_to_shares([60, 25, 15], [0.5, 0.3, 0.2]).off_by == pytest.approx(0.1)


def test_an_arm_that_should_be_empty_may_have_no_draw_at_all() -> None:
    assert fit_to_shares([999, 1], [1.0, 0.0]).is_alarming()
    assert fit_to_shares([1_000, 0], [1.0, 0.0]).p_value == 1
    assert fit_to_shares([0, 0], SHARES).p_value == 1


def test_shares_that_do_not_fit_the_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^shares: they do not sum to 1"):
        fit_to_shares([10, 10], [0.5, 0.4])
    with pytest.raises(ValueError, match=r"^shares: "):
        fit_to_shares([10, 10], [1.0])


def test_chance_alone_raises_an_alarm_in_a_thousandth_of_all_trials_at_most_twice() -> None:
    alarms = 0
    for trial in range(1_000):
        held_out = sum(is_held_out(f"salt-{trial}", 0.2, f"C{n}", 0) for n in range(150))
        alarms += fit_to_shares([150 - held_out, held_out], [0.8, 0.2]).is_alarming()
    assert alarms <= 4


def moving_count(probabilities: Sequence[float], drawn: int) -> MovingCount:
    """Return the count of an arm beside the probabilities that it had in each draw, whether it was drawn or not."""
    return MovingCount(drawn, sum(probabilities), sum(each * (1 - each) for each in probabilities))


def test_moving_shares_are_compared_with_the_probabilities_of_the_draws() -> None:
    rng = random.Random(1)
    probabilities = [rng.choice((0.1, 0.25, 0.6)) for _ in range(5_000)]
    drawn = sum(rng.random() < probability for probability in probabilities)
    assert not moving_count(probabilities, drawn).is_alarming
    assert moving_count(probabilities, drawn - 150).is_alarming
    assert moving_count(probabilities, drawn + 150).is_alarming


def test_a_count_that_chance_brings_once_in_300_trials_is_no_alarm_yet() -> None:
    """Of 1,000 draws with 0.25 the standard deviation is 13.7."""
    assert not moving_count([0.25] * 1_000, 250 + 45).is_alarming
    assert moving_count([0.25] * 1_000, 250 + 46).is_alarming
    assert moving_count([0.25] * 1_000, 250 - 46).is_alarming


def test_newest_probabilities_in_place_of_the_drawn_ones_are_noticed() -> None:
    rng = random.Random(2)
    drawn = sum(rng.random() < probability for probability in [0.25] * 1_000 + [0.4] * 1_000)
    assert moving_count([0.4] * 2_000, drawn).is_alarming


def test_probabilities_without_chance_have_to_be_met_exactly() -> None:
    assert moving_count([1.0, 1.0, 0.0], 2).z == 0
    assert moving_count([1.0, 1.0, 0.0], 1).z == inf


def test_one_arm_that_loses_more_of_its_customers_is_noticed() -> None:
    assert not differential_loss([95, 5], [9_500, 500]).is_alarming()
    assert differential_loss([95, 30], [9_500, 500]).is_alarming()
    assert differential_loss([0, 6], [9_500, 500]).is_alarming(), "few losses are tested exactly"
    assert not differential_loss([0, 0], [9_500, 500]).is_alarming()
    assert differential_loss([500, 500], [500, 500]).p_value == 1


def test_where_one_arm_has_few_losses_to_expect_all_are_tested_exactly_by_their_part() -> None:
    fit = differential_loss([95, 30], [9_500, 500])
    assert fit.p_value == fit_to_shares([95, 30], SHARES).p_value
    assert fit.off_by == pytest.approx(0.06 - 0.0125)
    assert fit.draws == 10_000
    assert differential_loss([9_405, 470], [9_500, 500]).p_value == fit.p_value, "of many losses the rest is tested"
    assert fit_of_rates([], []).p_value == 1
    for cured in range(1, 400):
        assert fit_of_rates([cured], [401]).p_value == 1, "one group differs from nobody"


def test_arms_that_paid_differently_before_the_draw_are_noticed() -> None:
    assert not pre_trend([5_700, 290], [9_500, 500]).is_alarming()
    assert pre_trend([5_700, 240], [9_500, 500]).is_alarming()


def span(customer_id: str = "C1") -> HeldOutSpan:
    return HeldOutSpan(customer_id, frozenset({0, 3}), MONDAY, MONDAY + timedelta(days=100))


def contact(customer_id: str = "C1", stage: int | None = 3, days: int = 5, channel: str = "sms") -> ContactMade:
    return ContactMade(customer_id, stage, MONDAY + timedelta(days=days), channel, f"{customer_id}-{stage}-{days}")


@pytest.mark.parametrize("channel", ["sms", "line", "voice"])
def test_a_single_contact_on_any_channel_breaks_a_silence(channel: str) -> None:
    broken = contact(channel=channel)
    assert leaks([span(), span("C2")], [contact("C3"), broken]) == [broken]
    assert leaks([span()], [contact(days=0), contact(days=100)]) == [contact(days=0), contact(days=100)]


def test_what_sends_nothing_or_is_no_reminder_of_the_stages_breaks_no_silence() -> None:
    harmless = [contact(channel="none"), contact(stage=14), contact(stage=None), contact(days=-1), contact(days=101)]
    assert leaks([span()], harmless) == []


def test_draws_without_a_record_and_records_without_a_draw_are_named() -> None:
    assert not unmatched(["a", "b"], ["b", "a"]).is_alarming
    assert unmatched(["a", "b"], ["b", "c"]) == (frozenset({"a"}), frozenset({"c"}))
    assert unmatched(["a"], []).is_alarming
    assert unmatched([], ["a"]).is_alarming


def test_an_arm_with_several_times_the_opt_outs_is_paused_and_the_others_are_not() -> None:
    even = HarmCount(10, 2_000)
    arms = {"plain": HarmCount(4, 1_000), "kind": HarmCount(6, 1_000), "stern": HarmCount(22, 1_000)}
    assert arms_to_pause(arms, even) == {"stern"}


def test_harm_is_not_judged_before_200_texts_nor_from_the_first_opt_outs() -> None:
    assert not is_harmful(HarmCount(150, 199), HarmCount(10, 2_000))
    assert is_harmful(HarmCount(150, 200), HarmCount(10, 2_000))
    assert not is_harmful(HarmCount(2, 200), HarmCount(4, 2_000))


def test_the_prior_of_harm_is_the_rate_of_both_worth_200_texts() -> None:
    prior = 200 * 12.5 / 3_001
    arm, even = BetaShape(8 + prior, 992 + 200 - prior), BetaShape(4 + prior, 1_996 + 200 - prior)
    expected = probability_greater(arm, even, 1.5)
    assert probability_of_harm(HarmCount(8, 1_000), HarmCount(4, 2_000)) == pytest.approx(expected, abs=1e-12)


def test_the_probability_of_harm_rises_with_the_opt_outs() -> None:
    even = HarmCount(20, 4_000)
    rising = [probability_of_harm(HarmCount(events, 1_000), even) for events in (0, 5, 8, 12, 20)]
    assert rising == sorted(rising)
    assert rising[1] < 0.5 < rising[3]


@pytest.mark.slow(reason="60 trials of 60 days, looked at daily")
def test_looked_at_daily_an_arm_without_harm_is_hardly_ever_paused_and_a_harmful_one_is() -> None:
    def is_paused(seed: int, rate: float) -> bool:
        rng = random.Random(seed)
        arm, even = HarmCount(0, 0), HarmCount(0, 0)
        for _ in range(30):
            arm = HarmCount(arm.events + sum(rng.random() < rate for _ in range(60)), arm.texts + 60)
            even = HarmCount(even.events + sum(rng.random() < 0.01 for _ in range(60)), even.texts + 60)
            if is_harmful(arm, even):
                return True
        return False

    assert sum(is_paused(seed, 0.01) for seed in range(20)) <= 1
    assert sum(is_paused(seed, 0.05) for seed in range(20)) >= 19
