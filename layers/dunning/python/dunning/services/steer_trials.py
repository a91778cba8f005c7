"""
Steer trials: once a night, tell those who draw what follows from what is known by then.

An arm that does harm is paused, and a trial whose silence was broken is stopped, before anything else. Once a week the
shares of learned trials move. Everything is worked out from what is stored: a night that runs again changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from dunning.domain.effect.steering import (
    decided_step,
    is_judged,
    learned_from,
    learning_trials,
    weights_in_force,
    with_decisions,
    with_signs,
    with_steps,
)
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.effect.trial_results import TrialResult
from dunning.domain.effect.trials import Trial
from dunning.ports.trial_books import TrialControlWriter
from dunning.services.optimistic import MAX_ATTEMPTS, ContestedError


class SteerService:
    """Pauses, stops and moves what chance may draw."""

    def __init__(self, control: TrialControlWriter) -> None:
        self._book = control

    def steer(
        self,
        lender: str,
        results: Sequence[TrialResult],
        trials: Mapping[str, Trial],
        settled_of: Callable[[str], Iterable[SettledSpell]],
        today: date,
    ) -> tuple[TrialResult, ...]:
        """
        Tell those who draw what a night demands, and return its results with what was decided.

        Args:
            lender: the id of the lender.
            results: what the night knows of the lender's trials, with the signs that it has seen.
            trials: the lender's trials, by id.
            settled_of: returns all spells of a trial with their outcomes, in any order. It is asked once a week.
            today: the lender's local day.

        Raises:
            UnreadableRecordError: the control, or a trial's spells, cannot be read. Arms that do harm are paused by
                then if the control was readable.
            ContestedError: another night of the lender kept changing the control.
            ServiceCallError: the control cannot be read or written.
        """
        control = self._published(lender, lambda stored: with_signs(stored, results, trials))
        if learning_trials(control, trials.values(), today) and not is_judged(control, today):
            control = self._published(lender, lambda stored: _with_week(stored, trials, settled_of, today))
        return tuple(with_decisions(result, control, trials.get(result.trial)) for result in results)

    def _published(self, lender: str, change: Callable[[TrialControl], TrialControl]) -> TrialControl:
        """Change the control under the version that was read. A write whose answer was lost is found when it is."""
        for _ in range(MAX_ATTEMPTS):
            stored = self._book.stored_control(lender)
            changed = change(stored)
            if changed == stored:
                return stored
            changed = replace(changed, version=stored.version + 1)
            if self._book.publish(changed, expected_version=stored.version):
                return changed
        raise ContestedError(f"the trial control of lender {lender} kept changing")


def _with_week(
    control: TrialControl,
    trials: Mapping[str, Trial],
    settled_of: Callable[[str], Iterable[SettledSpell]],
    today: date,
) -> TrialControl:
    """Return the control with the strategy of next week, unless it has one. One trial's spells are held at a time."""
    if is_judged(control, today):
        return control
    in_force = weights_in_force(control, today)
    steps = {}
    for trial in learning_trials(control, trials.values(), today):
        known = learned_from(trial.trial_id, settled_of(trial.trial_id))
        before = in_force.get(trial.trial_id)
        paused = control.paused.get(trial.trial_id, frozenset())
        steps[trial.trial_id] = decided_step(trial, known, before, today, paused)
    return with_steps(control, steps, today)
