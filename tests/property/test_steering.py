"""Steering: over any sequence of nights arms are only taken away, and shares move within their bounds."""

import random
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dunning.domain.effect.draws import LEAST_SILENT, LEAST_TEXTED, SILENCE, Draw, learned_share
from dunning.domain.effect.learning import CAP, LARGEST_MOVE, starting_weights
from dunning.domain.effect.strategies import (
    FLOOR,
    LARGEST_STRATEGY,
    TrialWeights,
    strategies_for_week,
    strategy_from_json,
    strategy_in_force,
    strategy_to_json,
)
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_control import KEPT_STRATEGIES, TrialControl
from dunning.domain.effect.trial_results import SignSeen, TrialSign
from dunning.domain.effect.trials import Trial
from dunning.services.steer_trials import SteerService
from tests.support.fakes import FakeTrialControls
from tests.support.steered import LENDER, MONDAY, a_learned_trial, a_result, a_settled

WORDS = a_learned_trial({"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}, trial_id="words")
TEXTS = a_learned_trial(
    {"usual": 0.7, "silence": 0.3},
    trial_id="texts",
    salt="another salt",
    value_of_cure_usd_micros=1_000_000,
    annoyance_usd_micros=20_000,
    planned_customers=500,
)
TRIALS = {"words": WORDS, "texts": TEXTS}
SEGMENTS = ("new", "often_late")
EPSILON = 2e-6

type Nights = list[tuple[int, tuple[tuple[str, SignSeen], ...], int]]
"""The days to each night, its signs by trial, and the seed of its spells."""


def spells_of(trial: Trial, rates: dict[str, float], weeks: int, seed: int) -> list[SettledSpell]:
    """Return rungs of some weeks whose cures come as near to the rates as whole numbers can."""
    found = []
    for week in range(weeks):
        for segment in SEGMENTS:
            for arm in trial.arms:
                count = 20 + 7 * (seed % 5)
                for number in range(count):
                    day = MONDAY + timedelta(weeks=week, days=number % 7)
                    who = f"{segment}-{arm.name}-{week}-{number}"
                    draw = Draw(trial.layer, trial.trial_id, arm.name, arm.share)
                    cured = (number * 37 + seed) % count < rates[arm.name] * count
                    found.append(a_settled(trial, who, day, draw, cured=cured, segment=segment))
    return found


@st.composite
def nights(draw: st.DrawFn) -> Nights:
    """Draw nights by their distance, the signs of each, and the seed of its spells."""
    signs = st.one_of(
        st.tuples(st.just("words"), st.builds(SignSeen, st.just(TrialSign.HARM), st.sampled_from("abcd"))),
        st.tuples(st.just("texts"), st.just(SignSeen(TrialSign.HARM, "usual"))),
        st.tuples(st.sampled_from(sorted(TRIALS)), st.builds(SignSeen, st.sampled_from(TrialSign), st.just("a"))),
    )
    night = st.tuples(st.integers(0, 9), st.lists(signs, max_size=1).map(tuple), st.integers(0, 99))
    return draw(st.lists(night, min_size=1, max_size=10))


def steered(played: Nights, rates: dict[str, float]) -> list[tuple[date, TrialControl]]:
    """Return the control after each night."""
    controls = FakeTrialControls()
    service = SteerService(controls)
    today, seen = MONDAY + timedelta(weeks=5), list[tuple[date, TrialControl]]()
    for days, signs, seed in played:
        today += timedelta(days=days)
        results = [
            a_result(trial, today, *(sign for name, sign in signs if name == trial.trial_id))
            for trial in TRIALS.values()
        ]
        known = {name: spells_of(trial, rates, 5, seed) for name, trial in TRIALS.items()}
        service.steer(LENDER, results, TRIALS, known.__getitem__, today)
        seen.append((today, controls.stored_control(LENDER)))
    return seen


rates = st.fixed_dictionaries({
    name: st.sampled_from([0.2, 0.5, 0.55, 0.9]) for name in ("a", "b", "c", "d", "usual", "silence")
})  # fmt: skip


@pytest.mark.slow(reason="sequences of nights, each of which learns from hundreds of spells")
@settings(max_examples=25)
@given(nights(), rates)
def test_arms_are_only_taken_away_and_never_come_back(played: Nights, rates: dict[str, float]) -> None:
    for (_, before), (_, after) in pairwise(steered(played, rates)):
        assert after.version >= before.version
        for trial in TRIALS.values():
            assert set(after.arms_left(trial)) <= set(before.arms_left(trial))
            assert set(after.arms_left(trial)) != {SILENCE}


@pytest.mark.slow(reason="sequences of nights, each of which learns from hundreds of spells")
@settings(max_examples=25)
@given(nights(), rates)
def test_floors_caps_and_the_move_of_a_week_hold_over_any_nights(played: Nights, rates: dict[str, float]) -> None:
    for today, control in steered(played, rates):
        weeks = sorted({each.week for each in control.strategies})
        assert len(weeks) <= KEPT_STRATEGIES
        for strategy in control.strategies:
            assert strategy_from_json(strategy_to_json(strategy)) == strategy
        assert not [week for week in weeks if date.fromisoformat(f"{week}-1") > today + timedelta(days=7)]
        in_force = [strategy_in_force(control.strategies, date.fromisoformat(f"{week}-1")) for week in weeks]
        weights = [each.trials if each else {} for each in in_force]
        for before, after in pairwise([*([{}] if len(weeks) < KEPT_STRATEGIES else []), *weights]):
            for name in after:
                _hold_bounds(after[name], before.get(name) or starting_weights(TRIALS[name].arms))


def _hold_bounds(weights: TrialWeights, before: TrialWeights) -> None:
    count = len(weights.arms)
    for segment, shares in weights.by_segment.items():
        assert sum(shares) == pytest.approx(1, abs=EPSILON)
        if SILENCE in weights.arms:
            texted = learned_share(shares[0], count)
            assert LEAST_TEXTED - EPSILON <= texted <= 1 - LEAST_SILENT + EPSILON
            assert abs(texted - learned_share(before.of(segment)[0], count)) <= LARGEST_MOVE + EPSILON
            continue
        active = [share for share in shares if share]
        if len(active) > 1:
            assert all(FLOOR / count - EPSILON <= share <= CAP + EPSILON for share in active)
        if len(active) == count:
            moves = [abs(share - old) for share, old in zip(shares, before.of(segment), strict=True)]
            assert max(moves) <= LARGEST_MOVE + EPSILON


@pytest.mark.slow(reason="hundreds of spells, learned from twice")
@settings(max_examples=25)
@given(st.randoms(use_true_random=False), st.integers(0, 99), rates)
def test_the_order_of_spells_makes_no_difference(chance: random.Random, seed: int, rates: dict[str, float]) -> None:
    def control(settled_of: Callable[[str], Iterable[SettledSpell]]) -> TrialControl:
        controls = FakeTrialControls()
        today = MONDAY + timedelta(weeks=6)
        results = [a_result(trial, today) for trial in TRIALS.values()]
        SteerService(controls).steer(LENDER, results, TRIALS, settled_of, today)
        return controls.stored_control(LENDER)

    def shuffled(name: str) -> Iterable[SettledSpell]:
        found = spells_of(TRIALS[name], rates, 5, seed)
        chance.shuffle(found)
        return found

    assert control(shuffled) == control(lambda name: spells_of(TRIALS[name], rates, 5, seed))


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=16)


@given(
    st.lists(NAMES, unique=True, max_size=9), st.lists(NAMES, unique=True, min_size=2, max_size=5), st.integers(1, 12)
)
def test_weights_of_a_dozen_segments_and_five_arms_are_in_force_however_many_trials_have_them(
    trials: list[str], arms: list[str], segments: int
) -> None:
    share = round(1 / len(arms), 6)
    shares = (round(1 - share * (len(arms) - 1), 6), *[share] * (len(arms) - 1))
    weights = TrialWeights(tuple(arms), {f"payer-segment-{number:02}": shares for number in range(segments)})
    strategies = strategies_for_week(LENDER, "2026-W50", dict.fromkeys(trials, weights))
    assert all(len(strategy_to_json(each)) <= LARGEST_STRATEGY for each in strategies)
    in_force = strategy_in_force(strategies, date(2026, 12, 9))
    assert in_force is not None
    assert in_force.trials == dict.fromkeys(trials, weights)
