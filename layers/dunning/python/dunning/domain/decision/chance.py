"""
Chance: what the trials of a policy decide, once all other gates are open (gate 12). Pure.

A held-out stage is claimed and nothing is sent. A text arm chooses a wording among those that may be sent, or silence.
An hour arm moves the preferred hour, before the hours and caps are asked. What is drawn follows from the customer, the
rung and the control of its week: whoever asks again comes to the same arm. The control takes arms away and moves the
shares of learned trials; if it cannot be read, nothing is left to chance.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import NamedTuple

from dunning.domain.decision.rules import Rules
from dunning.domain.effect.draws import SILENCE, TEXTED, Arm, Draw, Layer
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


def draw_silence(rules: Rules, drawn_for: DrawnFor, stages: Collection[int], *, repeats: bool) -> Draw | None:
    """
    Return the draw of the holdout; `None` if none runs for any stage that the text would mark.

    A text that also marks a stage of which nothing may be left out goes out in any case, and so does one that repeats
    a text which did not arrive: its draw says that nothing was left to chance.
    """
    place, day = rules.jurisdiction, drawn_for.day
    for trial in rules.holdouts:
        running = [is_in_force(trial, stage, place, day) for stage in stages]
        if True in running:
            return _draw_among(rules, trial, drawn_for, _ONLY_TEXTED if repeats or False in running else _EITHER)
    return None


_EITHER, _ONLY_TEXTED = frozenset({TEXTED, SILENCE}).__contains__, frozenset({TEXTED}).__contains__


def draw_text(
    rules: Rules,
    drawn_for: DrawnFor,
    stages: Collection[int],
    may_be_sent: Callable[[str], bool],
    *,
    repeats: bool,
    has_variants: bool = True,
) -> Draw | None:
    """
    Return the draw of a wording among the arms that may be sent, or of silence; `None` if no trial of texts runs.

    A text that repeats one which did not arrive is sent. Without variants, as on other channels than SMS, wordings are
    not compared, and silence is.
    """
    trials = rules.trials_of_texts if has_variants else [each for each in rules.trials_of_texts if each.share_held_out]
    trial = _running(trials, rules, drawn_for, stages)
    if trial is None:
        return None
    return _draw_among(rules, trial, drawn_for, lambda arm: not repeats if arm == SILENCE else may_be_sent(arm))


def draw_hour(rules: Rules, drawn_for: DrawnFor, is_open_at: Callable[[int], bool]) -> Draw | None:
    """Return the draw of a preferred hour among those that are open on the day; `None` if no trial of hours runs."""
    trial = _running(rules.trials_of_hours, rules, drawn_for, (drawn_for.stage,))
    if trial is None:
        return None

    def may_be_drawn(arm: str) -> bool:
        minute = minute_of_hour_arm(arm)
        return minute is not None and is_open_at(minute)

    return _draw_among(rules, trial, drawn_for, may_be_drawn)


def _draw_among(rules: Rules, trial: Trial, drawn_for: DrawnFor, is_allowed: Callable[[str], bool]) -> Draw | None:
    """
    Return the draw of a trial among the arms that are allowed and not paused, with the shares of its week.

    Nothing is drawn if only silence is left. If the control cannot be read, the arm without chance is taken; of hours
    it is the policy's own, which no arm has to name.
    """
    if rules.trial_control is None:
        arm = arm_without_chance(trial)
        is_known = trial.layer is not Layer.HOUR and is_allowed(arm)
        return Draw(trial.layer, trial.trial_id, arm, 1.0) if is_known else None
    allowed = [arm for arm in rules.arms_left[trial.trial_id] if is_allowed(arm)]
    if not allowed or allowed == _ONLY_SILENCE:
        return None
    customer_id, instalment, stage, day, _, _ = drawn_for
    return draw_in(
        trial,
        customer_id,
        day,
        instalment=instalment,
        stage=stage,
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


def _running(trials: Iterable[Trial], rules: Rules, drawn_for: DrawnFor, stages: Collection[int]) -> Trial | None:
    """Return the trial of a layer that runs for the customer at all stages: the loader lets there be one at most."""
    for trial in trials:
        if all(is_in_force(trial, stage, rules.jurisdiction, drawn_for.day) for stage in stages) and (
            not trial.segments or drawn_for.payer_segment in trial.segments
        ):
            return trial
    return None
