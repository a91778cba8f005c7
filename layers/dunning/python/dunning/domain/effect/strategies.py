"""
Strategies: the weights that a learner gives to the arms of trials, from an ISO week on. What a draw needs of them.

A strategy chooses among arms that a policy lists and the law allows, and nothing else. How it is made is in `learning`.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import NamedTuple

from dunning.domain.effect.draws import SHARE_DIGITS, SILENCE, Arm, is_name

FLOOR = 0.1
"""The weight below which no arm falls, divided by the number of arms."""

LARGEST_STRATEGY = 4096
"""The bytes of a strategy, at most."""

EVERY_SEGMENT = "*"
"""Stands for the payer segments that have no weights of their own."""


def iso_week(day: date) -> str:
    """Return the ISO week of a day, such as `2026-W49`. Weeks sort as their names do."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


class TrialWeights(NamedTuple):
    """The weights of a trial's arms, by payer segment; `EVERY_SEGMENT` holds those of all others."""

    arms: tuple[str, ...]
    by_segment: Mapping[str, tuple[float, ...]]

    def of(self, payer_segment: str) -> tuple[float, ...]:
        """Return the weights of the arms in a segment; even ones if none were learned."""
        even = tuple(1 / len(self.arms) for _ in self.arms)
        return self.by_segment.get(payer_segment) or self.by_segment.get(EVERY_SEGMENT) or even


def even_weights(arms: Sequence[str]) -> TrialWeights:
    """Return the weights with which a learner begins."""
    share = round(1 / len(arms), SHARE_DIGITS)
    rest = round(1 - share * (len(arms) - 1), SHARE_DIGITS)
    return TrialWeights(tuple(arms), {EVERY_SEGMENT: (rest, *[share] * (len(arms) - 1))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """
    The weights of a lender's learned trials from an ISO week on, until there is a newer strategy.

    A week has several strategies, each with trials of its own, if all weights together are too large for one.
    """

    lender: str
    week: str
    """The first ISO week in which the weights count, such as `2026-W49`."""
    trials: Mapping[str, TrialWeights]

    @property
    def version(self) -> str:
        """The SHA-256 of the canonical JSON: the same weights have the same version."""
        return sha256(strategy_to_json(self).encode()).hexdigest()

    def weights_of(self, trial: str, arms: Sequence[str], payer_segment: str) -> tuple[Arm, ...] | None:
        """Return the weighted arms of a trial in a segment; `None` if the strategy does not know these arms."""
        weights = self.trials.get(trial)
        if weights is None or set(weights.arms) != set(arms):
            return None
        of = dict(zip(weights.arms, weights.of(payer_segment), strict=True))
        return tuple(Arm(name, of[name]) for name in arms)


def strategy_to_json(strategy: Strategy) -> str:
    """Return the canonical JSON of a strategy: sorted keys, no spaces."""
    trials = {
        trial: {"arms": list(weights.arms), "weights": {name: list(each) for name, each in weights.by_segment.items()}}
        for trial, weights in strategy.trials.items()
    }
    written = {"lender": strategy.lender, "week": strategy.week, "trials": trials}
    return json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def strategy_from_json(text: str) -> Strategy:
    """
    Return the strategy of a canonical JSON.

    Raises:
        ValueError: the text is too long, not canonical, or a weight breaks a bound. The message names the field.
    """
    if len(text.encode()) > LARGEST_STRATEGY:
        raise ValueError(f"strategy: {len(text.encode())} bytes; a strategy has at most {LARGEST_STRATEGY}")
    try:
        written = json.loads(text)
        trials = {
            trial: TrialWeights(
                tuple(weights["arms"]), {segment: tuple(each) for segment, each in weights["weights"].items()}
            )
            for trial, weights in written["trials"].items()
        }
        strategy = Strategy(lender=written["lender"], week=written["week"], trials=trials)
        canonical = strategy_to_json(strategy)
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise ValueError("strategy: it is no JSON of lender, week and trials with arms and weights") from error
    if canonical != text:
        raise ValueError("strategy: it is not canonical; write it with sorted keys and without spaces")
    if not isinstance(strategy.lender, str) or not isinstance(strategy.week, str):
        raise ValueError("strategy: lender and week are texts")  # noqa: TRY004 - it is the data that is wrong
    _check_week(strategy.week)
    for trial, weights in trials.items():
        _check_weights(trial, weights)
    return strategy


def _check_week(week: str) -> None:
    try:
        begins = date.fromisoformat(f"{week}-1")
    except ValueError as error:
        raise ValueError("strategy.week: it is no ISO week such as 2026-W49") from error
    if iso_week(begins) != week:
        raise ValueError("strategy.week: it is no ISO week such as 2026-W49")


def _check_weights(trial: str, weights: TrialWeights) -> None:
    place = f"strategy.trials.{trial}"
    arms = weights.arms
    if not is_name(trial) or len(arms) < 2 or len(set(arms)) != len(arms):  # noqa: PLR2004 - a choice
        raise ValueError(f"{place}: it needs a name that fits into a record, and two or more different arms")
    if not all(isinstance(arm, str) and is_name(arm) for arm in arms):
        raise ValueError(f"{place}.arms: an arm has a name that does not fit into a record")
    # Who is left out is never nobody: the even slice sees to it.
    least = [0 if arm == SILENCE else FLOOR / len(arms) - 10**-SHARE_DIGITS for arm in arms]
    for segment, shares in weights.by_segment.items():
        if len(shares) != len(arms) or not all(isinstance(share, float | int) for share in shares):
            raise ValueError(f"{place}.weights.{segment}: give a number for each arm")
        if not all(share == 0 or low <= share <= 1 for share, low in zip(shares, least, strict=True)):
            raise ValueError(f"{place}.weights.{segment}: use 0 for a paused arm, else {FLOOR / len(arms):.3g} to 1")
        if not math.isclose(sum(shares), 1, abs_tol=10**-SHARE_DIGITS):
            raise ValueError(f"{place}.weights.{segment}: the weights sum to {sum(shares):.6g}; make them sum to 1")


def strategies_for_week(lender: str, week: str, trials: Mapping[str, TrialWeights]) -> tuple[Strategy, ...]:
    """
    Return the strategies of a week: one if all weights fit into it, else several, and at least one.

    Raises:
        ValueError: the weights of a single trial are too large (`fits_no_strategy`). Nothing is left out.
    """
    strategies = [Strategy(lender=lender, week=week, trials={})]
    for trial, weights in sorted(trials.items()):
        grown = replace(strategies[-1], trials={**strategies[-1].trials, trial: weights})
        if _fits_in_one(grown):
            strategies[-1] = grown
        elif fits_no_strategy(lender, week, trial, weights):
            fault = f"it has too many arms and segments for the {LARGEST_STRATEGY} bytes of a strategy"
            raise ValueError(f"strategy.trials.{trial}: {fault}; take some away")
        else:
            strategies.append(Strategy(lender=lender, week=week, trials={trial: weights}))
    return tuple(strategies)


def fits_no_strategy(lender: str, week: str, trial: str, weights: TrialWeights) -> bool:
    """Tell whether the weights of a trial do not even fit into a strategy of their own."""
    return not _fits_in_one(Strategy(lender=lender, week=week, trials={trial: weights}))


def _fits_in_one(strategy: Strategy) -> bool:
    return len(strategy_to_json(strategy).encode()) <= LARGEST_STRATEGY


def strategy_in_force(strategies: Iterable[Strategy], due_on: date) -> Strategy | None:
    """
    Return the strategy of the ISO week in which a rung came due, with all its trials; `None` if none had begun.

    So planning and sending agree, and a strategy that is published between the two moves no rung.
    """
    week = iso_week(due_on)
    begun = [each for each in strategies if each.week <= week]
    newest = max([each.week for each in begun], default="")
    of_week = [each for each in begun if each.week == newest]
    if len(of_week) > 1:
        trials = {trial: weights for each in of_week for trial, weights in each.trials.items()}
        return replace(of_week[0], trials=trials)
    return of_week[0] if of_week else None


def next_week(today: date) -> str:
    """Return the ISO week from which a strategy counts that is published today: never the present one."""
    return iso_week(today + timedelta(days=7))
