"""
Chance: what the trials of a policy decide, once all other gates are open (gate 12). Pure.

A held-out stage is claimed and nothing is sent. A text arm chooses a wording among those that may be sent, or silence.
An hour arm moves the preferred hour, before the hours and caps are asked. What is drawn follows from the customer, the
rung and the control of its week: whoever asks again comes to the same arm. The control takes arms away and moves the
shares of learned trials; if it cannot be read, nothing is left to chance.
"""

from collections.abc import Callable, Collection
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from dunning.domain.decision.rules import Rules
from dunning.domain.effect.draws import SILENCE, TEXTED, Arm, Draw, Layer, draw_holdout, epoch_of
from dunning.domain.effect.strategies import strategy_in_force
from dunning.domain.effect.trial_control import TrialControl, arm_without_chance
from dunning.domain.effect.trials import Trial, draw_in, is_in_force, within_floors

_LONGEST_HOUR = 2
"""The digits of an hour; an arm with minutes has two more."""
_MINUTES_OF_DAY = 24 * 60


class DrawnFor(NamedTuple):
    """
    What is drawn for: a customer's earliest unpaid instalment at a stage, and the local day it came due.

    The payer segment is worked out only for trials that ask for it.
    """

    customer_id: str
    instalment: str
    stage: int
    day: date
    currency: str
    segment_in: Callable[[int, str], str]
    """Returns the payer segment at a stage, for texts in a currency."""

    @property
    def payer_segment(self) -> str:
        """The payer segment of the customer."""
        return self.segment_in(self.stage, self.currency)


def minute_of_hour_arm(name: str) -> int | None:
    """Return the minute of the day that an hour arm names: `18` is six in the evening, `0930` half past nine."""
    if not (name.isascii() and name.isdigit()) or len(name) not in (_LONGEST_HOUR, 2 * _LONGEST_HOUR):
        return None
    hour, minute = int(name[:2]), int(name[2:] or "0")
    return hour * 60 + minute if minute < 60 and hour * 60 + minute < _MINUTES_OF_DAY else None  # noqa: PLR2004


def draw_silence(rules: Rules, customer_id: str, day: date, stages: Collection[int], *, repeats: bool) -> Draw | None:
    """
    Return the draw of the holdout; `None` if none runs for any stage that the text would mark.

    A text that also marks a stage of which nothing may be left out goes out in any case, and so does one that repeats
    a text which did not arrive: its draw says that nothing was left to chance. `day` is the day the rung came due.
    """
    drawn, certain = _holdout_at(rules, day, tuple(stages))
    if drawn is None or repeats:
        return certain
    trial, epoch = drawn
    return draw_holdout(trial.trial_id, trial.salt, trial.share_held_out, customer_id, epoch)


@lru_cache(maxsize=4096)  # stages and days of the rules in force, not customers
def _holdout_at(rules: Rules, day: date, stages: tuple[int, ...]) -> tuple[tuple[Trial, int] | None, Draw | None]:
    """Return the holdout that is drawn and its epoch, if one is; and the draw where nothing is left to chance."""
    for trial, runs_for_all in _trials_that_run(rules, Layer.HOLDOUT, stages, day):
        left = {TEXTED} if rules.trial_control is None else set(rules.arms_left[trial.trial_id])
        if TEXTED not in left:
            break
        is_drawn = SILENCE in left and runs_for_all
        certain = Draw(trial.layer, trial.trial_id, TEXTED, 1.0)
        return (trial, epoch_of(day, trial.starts_on)) if is_drawn else None, certain
    return None, None


def draw_text(
    rules: Rules,
    drawn_for: DrawnFor,
    stages: Collection[int],
    may_be_sent: Callable[[str], bool],
    *,
    repeats: bool,
    has_variants: bool,
) -> Draw | None:
    """
    Return the draw of a wording among the arms that may be sent, or of silence; `None` if no trial of texts runs.

    A text that repeats one which did not arrive is sent. Without variants, as on other channels than SMS, wordings are
    not compared, and silence is.
    """
    trial = _running(Layer.TEXT, rules, drawn_for, stages)
    if trial is None or not (has_variants or trial.share_held_out):
        return None
    return _draw_among(rules, trial, drawn_for, lambda arm: not repeats if arm == SILENCE else may_be_sent(arm))


def draw_hour(rules: Rules, drawn_for: DrawnFor, is_open_at: Callable[[int], bool]) -> Draw | None:
    """Return the draw of a preferred hour among those that are open on the day; `None` if no trial of hours runs."""
    trial = _running(Layer.HOUR, rules, drawn_for, (drawn_for.stage,))
    if trial is None:
        return None

    def may_be_drawn(arm: str) -> bool:
        minute = minute_of_hour_arm(arm)
        return minute is not None and is_open_at(minute)

    return _draw_among(rules, trial, drawn_for, may_be_drawn)


def _draw_among(rules: Rules, trial: Trial, drawn_for: DrawnFor, is_allowed: Callable[[str], bool]) -> Draw | None:
    """
    Return the draw of a trial among the arms that are allowed and not paused, with the shares of its week.

    Nothing is drawn if no arm or only silence is left. If the control cannot be read, the arm without chance is taken;
    of hours it is the policy's own, which no arm has to name.
    """
    if rules.trial_control is None:
        arm = arm_without_chance(trial)
        is_known = trial.layer is not Layer.HOUR and is_allowed(arm)
        return Draw(trial.layer, trial.trial_id, arm, 1.0) if is_known else None
    allowed = [arm for arm in rules.arms_left[trial.trial_id] if is_allowed(arm)]
    if allowed == _ONLY_SILENCE:
        return None
    return draw_in(
        trial,
        drawn_for.customer_id,
        drawn_for.day,
        instalment=drawn_for.instalment,
        stage=drawn_for.stage,
        allowed=None if len(allowed) == len(trial.arms) else allowed,
        weights=_weights_of(trial, rules.trial_control, drawn_for) if trial.is_learned else None,
    )


_ONLY_SILENCE = [SILENCE]


def _weights_of(trial: Trial, control: TrialControl, drawn_for: DrawnFor) -> tuple[Arm, ...] | None:
    """Return the weights of the strategy of the week in which the rung came due; `None` before the first one."""
    strategy = strategy_in_force(control.strategies, drawn_for.day)
    if strategy is None:
        return None
    weights = strategy.weights_of(trial.trial_id, [arm.name for arm in trial.arms], drawn_for.payer_segment)
    return None if weights is None else within_floors(trial, weights)


def _running(layer: Layer, rules: Rules, drawn_for: DrawnFor, stages: Collection[int]) -> Trial | None:
    """Return the trial of a layer that runs for the customer at all stages: the loader lets there be one at most."""
    for trial, runs_for_all in _trials_that_run(rules, layer, tuple(stages), drawn_for.day):
        if runs_for_all and (not trial.segments or drawn_for.payer_segment in trial.segments):
            return trial
    return None


@lru_cache(maxsize=4096)  # stages and days of the rules in force, not customers
def _trials_that_run(rules: Rules, layer: Layer, stages: tuple[int, ...], day: date) -> tuple[tuple[Trial, bool], ...]:
    """Return the trials of a layer that run for any of some stages of a day, and whether they run for all of them."""
    running = [
        (trial, [is_in_force(trial, stage, rules.jurisdiction, day) for stage in stages])
        for trial in rules.trials
        if trial.layer is layer
    ]
    return tuple([(trial, all(at_stages)) for trial, at_stages in running if any(at_stages)])
