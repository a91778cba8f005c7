"""
Steering: what follows for those who draw from what a night knows. Arms are paused, trials stopped, weights moved.

It can take arms away for as long as a trial runs, and move shares within their bounds. It can add nothing. The same
night gives the same control, however often it is worked out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from dunning.domain.effect.draws import SHARE_DIGITS, SILENCE, Arm, learned_share, restricted_to
from dunning.domain.effect.learning import (
    PublishReason,
    SettledDraw,
    Worth,
    is_enough_known,
    learned_weights,
    may_learn,
    off_policy_check,
    starting_weights,
    texting_weights,
    without_paused,
)
from dunning.domain.effect.settling import OutcomeState
from dunning.domain.effect.strategies import (
    EVERY_SEGMENT,
    TrialWeights,
    fits_no_strategy,
    next_week,
    strategies_for_week,
    strategy_in_force,
)
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_control import KEPT_STRATEGIES, TrialControl
from dunning.domain.effect.trial_results import LearnedShare, TrialResult, TrialSign
from dunning.domain.effect.trials import Trial


def with_signs(control: TrialControl, results: Iterable[TrialResult], trials: Mapping[str, Trial]) -> TrialControl:
    """
    Return a control with what the signs of a night demand: harm pauses an arm, a leak stops its trial for good.

    A trial of which no arm is left but silence is stopped: nobody is left out because texts do harm to others. What was
    paused or stopped stays so. All other signs are told, and stop nothing.
    """
    paused, stopped = dict(control.paused), set(control.stopped)
    for result in results:
        harmful = {each.arm for each in result.signs if each.sign is TrialSign.HARM}
        if harmful:
            paused[result.trial] = paused.get(result.trial, frozenset()) | harmful
        trial = trials.get(result.trial)
        names = [arm.name for arm in trial.arms] if trial else [*result.shares]
        is_silent = bool(names) and all(name == SILENCE or name in paused.get(result.trial, ()) for name in names)
        if is_silent or any(each.sign is TrialSign.LEAK for each in result.signs):
            stopped.add(result.trial)
    return replace(control, paused=paused, stopped=frozenset(stopped))


def is_judged(control: TrialControl, today: date) -> bool:
    """Tell whether the weights that count from next week on have been decided already."""
    return any(each.week >= next_week(today) for each in control.strategies)


def learning_trials(control: TrialControl, trials: Iterable[Trial], today: date) -> list[Trial]:
    """Return the trials whose weights may move: learned ones that draw next week, by id."""
    monday = today + timedelta(days=7 - today.weekday())
    return sorted(
        (
            trial
            for trial in trials
            if trial.is_learned
            and trial.approved_by
            and trial.starts_on <= today
            and monday <= trial.ends_on
            and trial.trial_id not in control.stopped
        ),
        key=lambda trial: trial.trial_id,
    )


class LearnedFrom(NamedTuple):
    """What a trial is learned from: its settled draws, in an order of their own, and what a text cost."""

    draws: Sequence[SettledDraw]
    price_usd_micros: float
    """Of a rung that was texted, on the average."""


def learned_from(trial: str, settled: Iterable[SettledSpell]) -> LearnedFrom:
    """Return what a trial is learned from, the same in whatever order the spells come."""
    draws: list[SettledDraw] = []
    texts = price = 0
    for spell, outcome in settled:
        if outcome.state is not OutcomeState.SETTLED:
            continue
        who = (spell.customer_id, spell.drawn_on, spell.payer_segment)
        draws += [
            SettledDraw(*who, draw.arm, draw.propensity, outcome.cured)
            for draw in spell.draws
            if draw.trial == trial and draw.propensity < 1
        ]
        texts += spell.parts > 0
        price += spell.price_usd_micros
    return LearnedFrom(sorted(draws), price / texts if texts else 0.0)


class LearnedStep(NamedTuple):
    """What a week decides of a trial. Without weights its own shares count on."""

    weights: TrialWeights | None
    reason: PublishReason


def decided_step(
    trial: Trial, known: LearnedFrom, before: TrialWeights | None, today: date, paused: Collection[str]
) -> LearnedStep:
    """
    Return the weights of a trial for the next week, and why they moved or not.

    They move only if the check on the logged draws lets them (`off_policy_check`). Otherwise those in force stay, but
    for paused arms.
    """
    names = tuple(arm.name for arm in trial.arms)
    if before is not None and before.arms != names:
        before = None  # of another trial with this id, long ago: it is as none
    old = without_paused(before or starting_weights(trial.arms), paused)
    left = [name for name in names if name not in paused]
    if SILENCE in names:
        is_known = is_enough_known(known.draws, left)
        worth = Worth(trial.value_of_cure_usd_micros, known.price_usd_micros, trial.annoyance_usd_micros)
        new = texting_weights(known.draws, old, worth, trial.planned_customers)
    else:
        is_known = may_learn(known.draws, left)
        new = learned_weights(known.draws, old, today, paused)
    check = off_policy_check(known.draws, new, old, today)
    if check.may_publish:
        return LearnedStep(new, check.reason)
    return LearnedStep(old if before is not None else None, check.reason if is_known else PublishReason.TOO_FEW_DRAWS)


def weights_in_force(control: TrialControl, today: date) -> Mapping[str, TrialWeights]:
    """Return the weights of this week, by trial."""
    strategy = strategy_in_force(control.strategies, today)
    return strategy.trials if strategy is not None else {}


def with_steps(control: TrialControl, steps: Mapping[str, LearnedStep], today: date) -> TrialControl:
    """
    Return a control with the strategy of the next week. There is one even if no weight has moved: the week is decided.

    The strategies of the last weeks are kept, for rungs that are late. Weights that fit into no strategy are refused,
    and those of this week stay.
    """
    week, in_force = next_week(today), weights_in_force(control, today)
    weights, reasons = {}, {}
    for trial, (found, reason) in steps.items():
        is_refused = found is not None and fits_no_strategy(control.lender, week, trial, found)
        kept = in_force.get(trial) if is_refused else found
        reasons[trial] = (PublishReason.TOO_LARGE if is_refused else reason).value
        if kept is not None:
            weights[trial] = kept
    strategies = (*control.strategies, *strategies_for_week(control.lender, week, weights))
    newest = sorted({each.week for each in strategies})[-KEPT_STRATEGIES:]
    return replace(control, strategies=tuple(each for each in strategies if each.week in newest), reasons=reasons)


def with_decisions(result: TrialResult, control: TrialControl, trial: Trial | None) -> TrialResult:
    """Return a result with what was decided of its trial: paused arms, whether it is stopped, and the newest shares."""
    paused = tuple(sorted(control.paused.get(result.trial, ())))
    is_stopped = result.trial in control.stopped
    learned = () if trial is None or is_stopped else _newest_shares(control, trial)
    return replace(result, paused=paused, is_stopped=is_stopped, learned=learned)


def _newest_shares(control: TrialControl, trial: Trial) -> tuple[LearnedShare, ...]:
    reason = control.reasons.get(trial.trial_id)
    if reason is None or not control.strategies:
        return ()
    week = max(each.week for each in control.strategies)
    weights = weights_in_force(control, date.fromisoformat(f"{week}-1")).get(trial.trial_id)
    left = control.arms_left(trial)
    if weights is None or set(weights.arms) != {arm.name for arm in trial.arms}:
        shares = {arm.name: arm.share for arm in restricted_to(trial.arms, left)}
        return (_shares_in_order(trial, week, EVERY_SEGMENT, shares, reason),)
    found = []
    for segment, each in sorted(weights.by_segment.items()):
        arms = restricted_to([Arm(*pair) for pair in zip(weights.arms, each, strict=True)], left)
        shares = {arm.name: learned_share(arm.share, len(arms)) for arm in arms}
        found.append(_shares_in_order(trial, week, segment, shares, reason))
    return tuple(found)


def _shares_in_order(trial: Trial, week: str, segment: str, shares: Mapping[str, float], reason: str) -> LearnedShare:
    """Return the shares of all arms of a trial, in its order; a paused arm has none."""
    return LearnedShare(
        week, segment, {arm.name: round(shares.get(arm.name, 0.0), SHARE_DIGITS) for arm in trial.arms}, reason
    )
