"""
Chance: what the trials of a policy decide, once all other gates are open (gate 12). Pure.

A held-out stage is claimed and nothing is sent. A text arm chooses a wording among those that may be sent. An hour arm
moves the preferred hour, before the hours and caps are asked. What is drawn follows from the customer and the rung
alone: whoever asks again comes to the same arm.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import NamedTuple

from dunning.domain.decision.rules import Rules
from dunning.domain.effect.draws import TEXTED, Draw
from dunning.domain.effect.trials import Trial, draw_in, is_in_force

USUAL_TEXT = "usual"
"""The text arm with the wording that is used where no trial runs."""

_LONGEST_HOUR = 2
"""The digits of an hour; an arm with minutes has two more."""
_MINUTES_OF_DAY = 24 * 60


class DrawnFor(NamedTuple):
    """What is drawn for: a customer's earliest unpaid instalment at a stage, and the local day it came due."""

    customer_id: str
    instalment: str
    stage: int
    day: date


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
    for trial in rules.holdouts:
        running = [is_in_force(trial, stage, rules.jurisdiction, drawn_for.day) for stage in stages]
        if any(running):
            return _draw_among(trial, drawn_for, None if all(running) and not repeats else {TEXTED})
    return None


def draw_text(
    rules: Rules, drawn_for: DrawnFor, stages: Collection[int], may_be_sent: Callable[[str], bool]
) -> Draw | None:
    """Return the draw of a wording among the arms that may be sent; `None` if no trial of wordings runs."""
    trial = _running(rules.trials_of_texts, rules.jurisdiction, drawn_for.day, stages)
    if trial is None:
        return None
    allowed = {arm.name for arm in trial.arms if may_be_sent(arm.name)}
    return _draw_among(trial, drawn_for, allowed)


def draw_hour(rules: Rules, drawn_for: DrawnFor, is_open_at: Callable[[int], bool]) -> Draw | None:
    """Return the draw of a preferred hour among those that are open on the day; `None` if no trial of hours runs."""
    trial = _running(rules.trials_of_hours, rules.jurisdiction, drawn_for.day, (drawn_for.stage,))
    if trial is None:
        return None
    minutes = {arm.name: minute_of_hour_arm(arm.name) for arm in trial.arms}
    return _draw_among(trial, drawn_for, {name for name, at in minutes.items() if at is not None and is_open_at(at)})


def _draw_among(trial: Trial, drawn_for: DrawnFor, allowed: Collection[str] | None = None) -> Draw | None:
    customer_id, instalment, stage, day = drawn_for
    return draw_in(trial, customer_id, day, instalment=instalment, stage=stage, allowed=allowed)


def _running(trials: Iterable[Trial], place: str, day: date, stages: Collection[int]) -> Trial | None:
    """Return the trial of a layer that runs for all of the stages: the loader lets there be one at most."""
    for trial in trials:
        if all(is_in_force(trial, stage, place, day) for stage in stages):
            return trial
    return None
