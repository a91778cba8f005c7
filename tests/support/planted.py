"""Planted effects: people whose cures follow rates that a test has chosen, drawn as a trial draws them."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dunning.domain.effect.draws import Arm, Layer, draw_learned_arm, is_held_out, unit_draw
from dunning.domain.effect.learning import SettledDraw, learned_weights
from dunning.domain.effect.strategies import TrialWeights, even_weights
from dunning.domain.effect.sums import ArmSums, LiftEstimate, estimate_lift

MONDAY = date(2026, 1, 5)


class PlantedTrial(NamedTuple):
    """A holdout with a lift that is known because it was planted."""

    base: float
    lift: float
    share: float
    customers_a_day: int
    days: int
    rungs: tuple[int, ...] = (1,)
    """The numbers of rungs that a customer may have, each as often as the others."""
    planned: int = 5_000


def daily_looks(seed: int, trial: PlantedTrial) -> Iterator[LiftEstimate]:
    """Yield the estimate of each day. A customer with several rungs pays alike in all of them."""
    rng = random.Random(seed)
    texted, silent = _Running(), _Running()
    number = 0
    for _ in range(trial.days):
        for _ in range(trial.customers_a_day):
            number += 1
            is_silent = is_held_out(f"seed-{seed}", trial.share, f"C{number}", 0)
            rate = trial.base if is_silent else trial.base + trial.lift
            rungs = rng.choice(trial.rungs)
            # Half of a customer's leaning is the customer's own: good and bad payers, with the planted mean.
            own = rate if len(trial.rungs) == 1 else rate + (1 - rate) * 0.6 * rng.choice((-1, 1))
            own = min(own, 1.0)
            cured = sum(rng.random() < own for _ in range(rungs))
            (silent if is_silent else texted).add(cured, rungs)
        yield estimate_lift(
            texted.sums(),
            silent.sums(),
            planned_customers=trial.planned,
            share_of_other=trial.share,
            customers_a_week=7 * trial.customers_a_day,
        )


class _Running:
    """Sums that grow by a customer at a time: a plain second way to make them."""

    def __init__(self) -> None:
        self.rows: list[int] = [0] * 6

    def add(self, y: int, k: int) -> None:
        for index, value in enumerate((1, y, k, y * y, y * k, k * k)):
            self.rows[index] += value

    def sums(self) -> ArmSums:
        customers, y, k, yy, yk, kk = self.rows
        return ArmSums(customers=customers, y=y, k=k, yy=yy, yk=yk, kk=kk)


class LearnedRun(NamedTuple):
    """What a learner did: all draws, and the weights of each week."""

    draws: Sequence[SettledDraw]
    weeks: Sequence[TrialWeights]

    @property
    def cure_rate(self) -> float:
        """The share of all draws that were cured."""
        return sum(draw.is_cured for draw in self.draws) / len(self.draws)


def learned_run(
    seed: int,
    rates: Mapping[str, float],
    *,
    days: int = 180,
    draws_a_day: int = 60,
    settled_after: int = 14,
) -> LearnedRun:
    """Return what a learner does with arms of these cure rates."""
    rng = random.Random(seed)
    arms = tuple(rates)
    weights = even_weights(arms)
    weeks, draws = [weights], list[SettledDraw]()
    for number in range(days):
        today = MONDAY + timedelta(days=number)
        if number and number % 7 == 0:
            settled = [draw for draw in draws if draw.drawn_on <= today - timedelta(days=settled_after)]
            weights = learned_weights(settled, weights, today)
            weeks.append(weights)
        weighted = [Arm(*pair) for pair in zip(arms, weights.of("all"), strict=True)]
        for person in range(draws_a_day):
            customer = f"C{number}-{person}"
            draw = draw_learned_arm(Layer.HOUR, "hour", unit_draw(f"seed-{seed}", "hour", 0, customer), weighted)
            is_cured = rng.random() < rates[draw.arm]
            draws.append(SettledDraw(customer, today, "all", draw.arm, draw.propensity, is_cured))
    return LearnedRun(draws, weeks)
