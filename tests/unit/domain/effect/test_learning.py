"""Learning: slow, within bounds, blind to the season, and checked before it is published."""

import json
import math
import random
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise

import pytest

from dunning.domain.effect.draws import SILENCE, Arm, learned_share, weight_for_share
from dunning.domain.effect.intervals import sequence_factor
from dunning.domain.effect.learning import (
    CAP,
    LARGEST_MOVE,
    PublishReason,
    SettledDraw,
    Worth,
    bounded_weights,
    learned_weights,
    may_learn,
    off_policy_check,
    posteriors,
    starting_weights,
    texting_lift,
    texting_share,
    texting_weights,
    weighted_rates,
    without_paused,
)
from dunning.domain.effect.strategies import (
    EVERY_SEGMENT,
    FLOOR,
    LARGEST_STRATEGY,
    Strategy,
    TrialWeights,
    even_weights,
    iso_week,
    next_week,
    strategies_for_week,
    strategy_from_json,
    strategy_in_force,
    strategy_to_json,
)
from tests.support.planted import learned_run
from tests.support.vectors import read_vectors

TODAY = date(2026, 12, 7)
ARMS = ("a", "b", "c")


def draws_of(
    arm: str, count: int, cured: int, *, on: date = TODAY, propensity: float = 1 / 3, segment: str = "new"
) -> list[SettledDraw]:
    return [SettledDraw(f"{arm}{on}{n}", on, segment, arm, propensity, n < cured) for n in range(count)]


def test_weeks_are_named_so_that_they_sort_as_they_come() -> None:
    assert iso_week(date(2026, 12, 7)) == "2026-W50"
    assert iso_week(date(2027, 1, 3)) == "2026-W53"
    assert iso_week(date(2027, 1, 4)) == "2027-W01"


def test_an_arm_that_was_drawn_more_often_in_the_week_of_pay_day_gains_nothing_by_it() -> None:
    """All arms cure 80 % in the week of pay-day and 40 % in the other; `a` was drawn mostly on pay-day."""
    pay_day, other = TODAY, TODAY - timedelta(weeks=1)
    draws = [
        *draws_of("a", 900, 720, on=pay_day, propensity=0.9),
        *draws_of("b", 100, 80, on=pay_day, propensity=0.1),
        *draws_of("a", 100, 40, on=other, propensity=0.1),
        *draws_of("b", 900, 360, on=other, propensity=0.9),
    ]
    rates = weighted_rates(draws, TODAY)
    assert rates["a"].rate == pytest.approx(rates["b"].rate, abs=1e-6)


def test_within_a_week_a_draw_weighs_the_inverse_of_its_probability() -> None:
    """Who was drawn with 0.5 and 0.1: two segments, of which one pays better, were given the arm unequally often."""
    draws = [*draws_of("a", 100, 80, propensity=0.5), *draws_of("a", 20, 4, propensity=0.1)]
    assert weighted_rates(draws, TODAY)["a"].rate == pytest.approx(0.5, abs=1e-9)


def test_after_60_days_an_outcome_counts_half() -> None:
    """Without another arm in the weeks the arm's rate is that of its weighted draws; they are as sure as fewer."""
    old = TODAY - timedelta(days=60)
    draws = [*draws_of("a", 100, 100), *draws_of("b", 100, 100), *draws_of("a", 100, 0, on=old)]
    draws += draws_of("b", 100, 0, on=old)
    rates = weighted_rates(draws, TODAY)
    assert rates["a"].rate == pytest.approx(2 / 3, abs=1e-6)
    assert rates["a"].effective == pytest.approx(150**2 / 125, abs=1e-6)


def test_a_small_segment_is_shrunk_to_what_all_segments_say() -> None:
    draws = [*draws_of("a", 800, 480, segment="late"), *draws_of("a", 10, 10, segment="new")]
    shapes = posteriors(draws, ["a"], TODAY)
    assert 0.6 < shapes["new"][0].mean < 0.76
    assert shapes["late"][0].mean == pytest.approx(0.6, abs=0.01)
    assert shapes[EVERY_SEGMENT][0].mean == pytest.approx(490 / 810, abs=0.01)


def test_an_arm_of_which_nothing_is_known_is_expected_to_be_as_the_average() -> None:
    shapes = posteriors(draws_of("a", 300, 150), ["a", "b"], TODAY)
    assert shapes["new"][1].mean == pytest.approx(0.5, abs=0.01)
    assert shapes["new"][1].deviation > 3 * shapes["new"][0].deviation
    assert sum(shapes["new"][1]) == pytest.approx(20), "what all segments say is worth 20 draws"
    assert sum(shapes["new"][0]) == pytest.approx(320)


def test_a_rate_is_a_share_of_1_whatever_week_and_arm_add() -> None:
    """`a` cures everybody in a bad week, in which `b` cures nobody; in the good one `b` cures everybody."""
    bad, good = TODAY - timedelta(weeks=1), TODAY
    draws = [*draws_of("a", 100, 100, on=bad), *draws_of("b", 100, 0, on=bad), *draws_of("b", 100, 100, on=good)]
    rates = weighted_rates(draws, TODAY)
    assert rates["a"].rate == 1
    assert 0 <= rates["b"].rate < 0.6


def enough(arms: tuple[str, ...] = ARMS, per_week: int = 25, weeks: int = 4) -> list[SettledDraw]:
    return [
        draw
        for week in range(weeks)
        for arm in arms
        for draw in draws_of(arm, per_week, per_week // 2, on=TODAY - timedelta(weeks=week))
    ]


def test_weights_move_from_100_settled_draws_of_each_arm_four_weeks_and_three_arms_on() -> None:
    assert may_learn(enough(), ARMS)
    assert not may_learn(enough(per_week=24), ARMS)
    assert not may_learn(enough(per_week=50, weeks=3), ARMS)
    assert not may_learn(enough(("a", "b")), ("a", "b")), "two arms are a plain trial"
    assert not may_learn(enough(), (*ARMS, "d"))


def test_before_that_weights_stay_and_a_paused_arm_still_leaves() -> None:
    before = even_weights(ARMS)
    assert learned_weights([], before, TODAY) == before
    paused = learned_weights([], before, TODAY, paused={"b"})
    assert paused.of("new") == (0.5, 0.0, 0.5)


def test_the_better_arm_gains_by_15_points_a_week_at_most() -> None:
    draws = [draw._replace(is_cured=draw.is_cured or draw.arm == "b") for draw in enough(per_week=100)]
    weights = even_weights(ARMS)
    seen = []
    for _ in range(5):
        weights = learned_weights(draws, weights, TODAY)
        seen.append(weights.of("new")[1])
    assert seen == pytest.approx([1 / 3 + 0.15, 1 / 3 + 0.30, 1 / 3 + 0.45, CAP, CAP], abs=1e-5)
    assert min(weights.of("new")) >= FLOOR / 3
    assert weights.of("a segment never seen") == weights.of(EVERY_SEGMENT)


def test_a_paused_arm_is_drawn_by_nobody_and_the_others_share_its_weight() -> None:
    assert bounded_weights((0.0, 0.5, 0.5), (0.5, 0.25, 0.25), paused={0}) == (0.0, 0.5, 0.5)
    assert bounded_weights((0.0, 1.0), (0.5, 0.5), paused={0}) == (0.0, 1.0)
    with pytest.raises(ValueError, match="paused: every arm is paused; end the trial"):
        bounded_weights((0.5, 0.5), (0.5, 0.5), paused={0, 1})


def test_with_an_arm_paused_the_rest_still_learns_if_it_is_three_arms() -> None:
    """The paused arm has too few draws, and will never have more."""
    arms = ("a", "b", "c", "d")
    draws = [
        draw
        for week in range(4)
        for arm, count, cured in (("a", 40, 10), ("b", 40, 30), ("c", 40, 10), ("d", 5, 1))
        for draw in draws_of(arm, count, cured, on=TODAY - timedelta(weeks=week), propensity=0.25)
    ]
    weights = learned_weights(draws, even_weights(arms), TODAY, {"d"}).of("new")
    assert weights[1] == pytest.approx(1 / 3 + 0.15, abs=1e-6)
    assert weights[3] == 0
    two = learned_weights(draws, even_weights(arms), TODAY, {"c", "d"}).of("new")
    assert two == (0.5, 0.5, 0, 0), "two arms are a plain trial"


def test_a_learner_begins_at_the_shares_of_the_trial_as_far_as_its_bounds_allow() -> None:
    weights = starting_weights([Arm("a", 0.5), Arm("b", 0.25), Arm("c", 0.25)]).of("any")
    assert [learned_share(weight, 3) for weight in weights] == pytest.approx([0.5, 0.25, 0.25], abs=1e-6)
    extreme = starting_weights([Arm("a", 0.98), Arm("b", 0.01), Arm("c", 0.01)]).of("any")
    assert extreme == pytest.approx((CAP, 0.1, 0.1), abs=1e-6)
    silent = starting_weights([Arm("usual", 0.95), Arm(SILENCE, 0.05)]).of("any")
    assert silent == pytest.approx((1.0, 0.0), abs=1e-6)
    most = starting_weights([Arm(SILENCE, 0.99), Arm("usual", 0.01)]).of("any")
    assert learned_share(most[1], 2) == pytest.approx(0.1, abs=1e-6)


def test_what_a_paused_arm_had_the_others_share_in_every_segment() -> None:
    weights = TrialWeights(ARMS, {EVERY_SEGMENT: (0.5, 0.25, 0.25), "new": (0.2, 0.4, 0.4)})
    left = without_paused(weights, {"a"})
    assert left.by_segment == {EVERY_SEGMENT: (0, 0.5, 0.5), "new": (0, 0.5, 0.5)}
    assert without_paused(weights, ()) is weights


TEXTS = ("usual", SILENCE)
DEAR = Worth(value=1_000_000, price=60_000, annoyance=40_000)
"""A text is worth its price from 10 points on."""


def texts_of(
    usual: tuple[int, int], silent: tuple[int, int], weeks: int = 4, *, share: float = 0.5, segment: str = "new"
) -> list[SettledDraw]:
    """Return the draws of some weeks: of each arm so many a week, and cured."""
    return [
        draw
        for week in range(weeks)
        for arm, (count, cured), propensity in (("usual", usual, share), (SILENCE, silent, 1 - share))
        for draw in draws_of(
            arm, count, cured, on=TODAY - timedelta(weeks=week), propensity=propensity, segment=segment
        )
    ]


def test_the_lift_of_a_text_is_the_difference_of_the_rates_with_its_interval() -> None:
    lift = texting_lift(texts_of((250, 200), (250, 175)), 2_000)
    assert lift is not None
    assert (lift.low + lift.high) / 2 == pytest.approx(0.1, abs=1e-9)
    half = math.sqrt(0.8 * 0.2 / 1000 + 0.7 * 0.3 / 1000) * sequence_factor(2_000, 2_000)
    assert lift.width / 2 == pytest.approx(half, rel=0.01)


def test_shares_that_move_from_week_to_week_make_no_lift() -> None:
    """Both arms cure 80 % in the week of pay-day, when most were texted, and 40 % in the other, when few were."""
    pay_day, other = TODAY, TODAY - timedelta(weeks=1)
    draws = [
        *draws_of("usual", 900, 720, on=pay_day, propensity=0.9),
        *draws_of(SILENCE, 100, 80, on=pay_day, propensity=0.1),
        *draws_of("usual", 100, 40, on=other, propensity=0.1),
        *draws_of(SILENCE, 900, 360, on=other, propensity=0.9),
    ]
    lift = texting_lift(draws, 2_000)
    assert lift is not None
    assert (lift.low + lift.high) / 2 == pytest.approx(0, abs=1e-9)


def test_nothing_is_said_of_a_lift_below_100_customers_of_each_arm() -> None:
    assert texting_lift(texts_of((250, 200), (24, 20)), 2_000) is None
    same = [draw._replace(cluster="one") for draw in texts_of((250, 200), (250, 175))]
    assert texting_lift(same, 2_000) is None, "a customer with many rungs is one customer"


def test_a_small_group_in_which_all_were_cured_is_not_certain() -> None:
    lift = texting_lift(texts_of((250, 250), (25, 25), share=0.9), 2_000)
    assert lift is not None
    assert lift.low < -0.02
    assert lift.high > 0.02


def test_a_segment_is_texted_by_what_a_text_adds_there_and_stays_while_too_little_is_known() -> None:
    before = starting_weights([Arm("usual", 0.7), Arm(SILENCE, 0.3)])
    draws = [
        *texts_of((350, 333), (150, 143), share=0.7, segment="on_time"),
        *texts_of((350, 210), (150, 60), share=0.7, segment="late"),
        *texts_of((9, 9), (4, 4), share=0.7, segment="small"),
        *texts_of((900, 800), (400, 355), weeks=3, share=0.7, segment="young"),
    ]
    weights = texting_weights(draws, before, DEAR, 2_000)
    texted = {name: learned_share(shares[0], 2) for name, shares in weights.by_segment.items()}
    assert texted == pytest.approx({EVERY_SEGMENT: 0.7, "on_time": 0.55, "late": 0.85}, abs=1e-6)
    assert all(sum(shares) == pytest.approx(1, abs=1e-6) for shares in weights.by_segment.values())
    turned = texting_weights(draws, TrialWeights((SILENCE, "usual"), {EVERY_SEGMENT: (0.3, 0.7)}), DEAR, 2_000)
    assert turned.by_segment["late"][1] > 0.7, "arms may stand in any order"


def test_texting_falls_step_by_step_where_it_is_worthless_and_never_to_nothing() -> None:
    share, steps = 0.95, []
    for _ in range(8):
        share = texting_share(share, 0.001, value=1_000, price=60, annoyance=10)
        steps.append(share)
    assert steps == pytest.approx([0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0.1, 0.1])
    assert texting_share(0.1, 0.08, value=1_000, price=60, annoyance=10) == 0.25
    assert texting_share(0.95, None, value=1_000, price=60, annoyance=10) == 0.95
    assert texting_share(0.1, None, value=1_000, price=60, annoyance=10) == 0.25, "nothing known: most are texted"


def test_a_share_of_all_draws_and_its_weight_belong_together() -> None:
    for share in (0.10, 0.5, 0.95):
        assert learned_share(weight_for_share(share, 2), 2) == pytest.approx(share)


STRATEGY = Strategy(
    lender="demo-tw",
    week="2026-W50",
    trials={"hour": TrialWeights(ARMS, {EVERY_SEGMENT: (0.4, 0.3, 0.3), "new": (0.2, 0.8, 0.0)})},
)


def test_a_strategy_is_one_canonical_text_and_its_version_is_its_digest() -> None:
    text = strategy_to_json(STRATEGY)
    assert strategy_from_json(text) == STRATEGY
    assert STRATEGY.version == sha256(text.encode()).hexdigest()
    other_order = replace(
        STRATEGY, trials={"hour": TrialWeights(ARMS, dict(reversed([*STRATEGY.trials["hour"].by_segment.items()])))}
    )
    assert other_order.version == STRATEGY.version
    assert replace(STRATEGY, week="2026-W51").version != STRATEGY.version


def test_a_dozen_segments_of_two_trials_fit_into_a_strategy() -> None:
    by_segment = {f"segment_number_{n}": (0.123456, 0.234567, 0.321987, 0.31999) for n in range(13)}
    weights = TrialWeights(("morning", "noon", "afternoon", "evening"), by_segment)
    text = strategy_to_json(replace(STRATEGY, trials={"wording": weights, "hour": weights}))
    assert len(text.encode()) <= LARGEST_STRATEGY


def test_silence_may_have_no_weight_for_the_even_slice_leaves_enough_out_and_a_text_may_not() -> None:
    strategy = Strategy(
        lender="demo-tw", week="2026-W50", trials={"t": TrialWeights(TEXTS, {EVERY_SEGMENT: (0.98, 0.02)})}
    )
    assert strategy_from_json(strategy_to_json(strategy)) == strategy
    turned = Strategy(
        lender="demo-tw", week="2026-W50", trials={"t": TrialWeights(TEXTS, {EVERY_SEGMENT: (0.02, 0.98)})}
    )
    with pytest.raises(ValueError, match=r"^strategy.trials.t.weights.\*: "):
        strategy_from_json(strategy_to_json(turned))


def test_trials_that_fit_into_no_single_strategy_share_the_week_and_all_of_them_count() -> None:
    segments = {f"payer-segment-{number:02}": (0.2, 0.2, 0.2, 0.2, 0.2) for number in range(12)}
    trials = {f"trial-{number}": TrialWeights(("a", "b", "c", "d", "e"), segments) for number in range(9)}
    strategies = strategies_for_week("demo-tw", "2026-W50", trials)
    assert 1 < len(strategies) < len(trials)
    assert all(len(strategy_to_json(each)) <= LARGEST_STRATEGY for each in strategies)
    in_force = strategy_in_force(strategies, TODAY)
    assert in_force is not None
    assert in_force.trials == trials
    assert strategies_for_week("demo-tw", "2026-W50", {}) == (Strategy(lender="demo-tw", week="2026-W50", trials={}),)


def test_a_trial_that_fits_into_no_strategy_is_refused_by_name() -> None:
    arms = tuple(f"arm-{number}" for number in range(400))
    weights = TrialWeights(arms, {EVERY_SEGMENT: tuple(1 / 400 for _ in arms)})
    with pytest.raises(ValueError, match=r"^strategy.trials.wide: it has too many arms and segments .* take some away"):
        strategies_for_week("demo-tw", "2026-W50", {"wide": weights})


def test_a_strategy_weighs_the_arms_of_a_trial_in_the_order_of_the_trial() -> None:
    assert STRATEGY.weights_of("hour", ("c", "a", "b"), "new") == (Arm("c", 0.0), Arm("a", 0.2), Arm("b", 0.8))
    assert STRATEGY.weights_of("hour", ARMS, "late") == (Arm("a", 0.4), Arm("b", 0.3), Arm("c", 0.3))
    assert STRATEGY.weights_of("hour", ("a", "b"), "new") is None, "the policy has other arms now"
    assert STRATEGY.weights_of("tone", ARMS, "new") is None


def changed(**changes: object) -> str:
    return json.dumps(json.loads(strategy_to_json(STRATEGY)) | changes, sort_keys=True, separators=(",", ":"))


def with_weights(*weights: object) -> str:
    return changed(trials={"hour": {"arms": list(ARMS), "weights": {"new": list(weights)}}})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "Expecting value"),
        ("{}", "strategy: it is no JSON of lender, week and trials"),
        ("[]", "strategy: it is no JSON of lender, week and trials"),
        (changed(trials={"hour": {"arms": 3, "weights": {}}}), "strategy: it is no JSON of lender"),
        (strategy_to_json(STRATEGY) + " ", "strategy: it is not canonical"),
        (changed(more=1), "strategy: it is not canonical"),
        (changed(week=50), "strategy: lender and week are texts"),
        (changed(week="2026-50"), "strategy.week: it is no ISO week"),
        (changed(week="2026-W54"), "strategy.week: it is no ISO week"),
        (changed(week="2026W50"), "strategy.week: it is no ISO week"),
        (changed(trials={"Hour": {"arms": ["a", "b"], "weights": {}}}), "strategy.trials.Hour: it needs a name"),
        (changed(trials={"hour": {"arms": ["a", "a"], "weights": {}}}), "strategy.trials.hour: it needs a name"),
        (changed(trials={"hour": {"arms": ["a", "B"], "weights": {}}}), "strategy.trials.hour.arms: an arm has a name"),
        (with_weights(0.5, 0.5), "strategy.trials.hour.weights.new: give a number for each arm"),
        (with_weights(0.5, 0.3, "0.2"), "strategy.trials.hour.weights.new: give a number for each arm"),
        (with_weights(0.5, 0.3, 0.3), "strategy.trials.hour.weights.new: the weights sum to 1.1"),
        (with_weights(0.5, 0.49, 0.01), "strategy.trials.hour.weights.new: use 0 for a paused arm, else 0.0333 to 1"),
        (with_weights(1.2, -0.2, 0.0), "strategy.trials.hour.weights.new: use 0 for a paused arm"),
        (changed(lender="x" * LARGEST_STRATEGY), "a strategy has at most 4096"),
    ],
)
def test_a_strategy_that_breaks_a_bound_is_refused_by_field(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        strategy_from_json(text)


def test_a_rung_is_drawn_with_the_strategy_of_the_week_in_which_it_came_due() -> None:
    later = replace(STRATEGY, week="2026-W52")
    both = [later, STRATEGY]
    assert strategy_in_force(both, date(2026, 12, 6)) is None
    assert strategy_in_force(both, date(2026, 12, 7)) == STRATEGY
    assert strategy_in_force(both, date(2026, 12, 20)) == STRATEGY
    assert strategy_in_force(both, date(2026, 12, 21)) == later


@pytest.mark.parametrize("today", [date(2026, 12, 7), date(2026, 12, 10), date(2026, 12, 13)])
def test_a_strategy_that_is_published_in_a_week_moves_no_rung_of_that_week(today: date) -> None:
    fresh = replace(STRATEGY, week=next_week(today))
    assert fresh.week == "2026-W51"
    assert strategy_in_force([fresh], today) is None


def logged(count: int, seed: int = 1, rates: tuple[float, ...] = (0.6, 0.6, 0.6)) -> list[SettledDraw]:
    rng = random.Random(seed)
    draws = []
    for number in range(count):
        index = rng.randrange(3)
        on = TODAY - timedelta(days=number % 50)
        draws.append(SettledDraw(f"C{number}", on, "new", ARMS[index], 1 / 3, rng.random() < rates[index]))
    return draws


def weights(*shares: float) -> TrialWeights:
    return TrialWeights(ARMS, {EVERY_SEGMENT: shares})


def test_the_value_of_other_weights_on_logged_draws_is_that_of_numpy() -> None:
    table = read_vectors("statistics")["snips"]
    rows = zip(table["arms"], table["cured"], table["clusters"], strict=True)
    draws = [
        SettledDraw(str(who), TODAY, "new", ARMS[arm], table["logged"][arm], bool(cured)) for arm, cured, who in rows
    ]
    check = off_policy_check(draws, weights(*table["weights"]), weights(*table["logged"]), TODAY)
    assert check.new == pytest.approx(table["new"], abs=1e-9)
    assert check.old == pytest.approx(table["old"], abs=1e-9)
    assert check.difference == pytest.approx(tuple(table["difference"]), abs=1e-9)
    assert check.effective == pytest.approx(table["effective"], rel=1e-9)


def test_weights_that_are_better_or_alike_are_published() -> None:
    check = off_policy_check(
        logged(6_000, rates=(0.5, 0.6, 0.7)), weights(0.2, 0.3, 0.5), weights(0.3, 0.4, 0.3), TODAY
    )
    assert check.reason is PublishReason.BETTER_OR_ALIKE
    assert check.may_publish
    assert check.difference.contains(0.9 * (0.2 * 0.5 + 0.3 * 0.6 + 0.5 * 0.7 - 0.3 * 0.5 - 0.4 * 0.6 - 0.3 * 0.7))


def test_weights_that_may_lose_more_than_a_point_are_kept_back() -> None:
    check = off_policy_check(
        logged(6_000, rates=(0.5, 0.6, 0.7)), weights(0.5, 0.3, 0.2), weights(0.3, 0.4, 0.3), TODAY
    )
    assert check.reason is PublishReason.MAY_BE_WORSE
    assert not check.may_publish


def test_with_an_effective_number_below_200_the_old_weights_stay() -> None:
    assert off_policy_check(logged(150), weights(0.5, 0.3, 0.2), weights(0.3, 0.4, 0.3), TODAY).reason is (
        PublishReason.TOO_FEW_DRAWS
    )
    long_ago = [draw._replace(drawn_on=TODAY - timedelta(weeks=9)) for draw in logged(6_000)]
    check = off_policy_check(long_ago, weights(0.5, 0.3, 0.2), weights(0.3, 0.4, 0.3), TODAY)
    assert (check.reason, check.effective) == (PublishReason.TOO_FEW_DRAWS, 0)


def test_the_same_weights_are_not_published_anew() -> None:
    assert not off_policy_check(logged(6_000), weights(0.3, 0.4, 0.3), weights(0.3, 0.4, 0.3), TODAY).may_publish


@pytest.mark.slow(reason="four half-years of a learner that learns weekly")
def test_a_planted_best_hour_leads_and_cures_more_than_even_shares_would() -> None:
    runs = [learned_run(seed, {"a": 0.6, "b": 0.64, "c": 0.6, "d": 0.6}) for seed in range(4)]
    assert all(max(run.weeks[-1].of("all")) == run.weeks[-1].of("all")[1] for run in runs)
    assert sum(run.cure_rate for run in runs) / 4 > 0.618
    for run in runs:
        for before, after in pairwise(run.weeks):
            moves = [abs(new - old) for new, old in zip(after.of("all"), before.of("all"), strict=True)]
            assert max(moves) <= LARGEST_MOVE + 1e-6
