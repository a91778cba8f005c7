"""
Trial control: what the nightly run tells those who draw.

Weights of learned trials, arms that are paused, trials that are stopped.

It can take arms away and move shares within their bounds, and nothing else. If it cannot be read, nobody knows which
arms are paused: then nothing is left to chance.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from dunning.domain.effect.draws import SILENCE
from dunning.domain.effect.strategies import Strategy
from dunning.domain.effect.trials import Trial

KEPT_STRATEGIES = 9
"""Strategies that are kept: a rung is drawn with that of the week in which it came due, and may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialControl:
    """What holds for a lender's trials. `version` is raised by one with every change; 0 is that of nothing stored."""

    lender: str
    version: int = 0
    strategies: tuple[Strategy, ...] = ()
    """The newest strategies, oldest first."""
    paused: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The arms that do harm, by trial."""
    stopped: frozenset[str] = frozenset()
    """The trials whose silence was broken, or that are broken otherwise: they draw nothing any more."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why the newest weights of a learned trial are as they are, by trial: a `PublishReason`."""

    def arms_left(self, trial: Trial) -> Collection[str]:
        """Return the arms of a trial that may be drawn: all but paused ones; of a stopped trial none."""
        if trial.trial_id in self.stopped:
            return ()
        paused = self.paused.get(trial.trial_id, frozenset())
        return [arm.name for arm in trial.arms if arm.name not in paused]


def arm_without_chance(trial: Trial) -> str:
    """Return the arm that everybody gets where nothing is left to chance: the first that is not silent."""
    return next((arm.name for arm in trial.arms if arm.name != SILENCE), trial.arms[0].name)
