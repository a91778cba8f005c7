"""Trials: the rungs that were drawn, what came of them, what each night knows, and what those who draw are told."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.effect.trial_results import LiftPoint, TrialResult


class RungsOfDay(NamedTuple):
    """
    What the change streams told of a lender's local day.

    The same rung may be in it twice, for a stream delivers at least once. `claimed` are the send ids of claims with a
    draw, `rungs` the records of reminders.
    """

    claimed: frozenset[str]
    rungs: tuple[DrawnRung, ...]


class DrawnRungLog(Protocol):
    """The rungs on record, by lender and local day. They are kept for some weeks."""

    def rungs_of(self, lender: str, day: date) -> RungsOfDay:
        """
        Return what is known of a day.

        Raises:
            UnreadableRecordError: an entry cannot be read.
        """
        ...


class TrialBooks(Protocol):
    """All spells of a trial with their outcomes, in parts by customer: all spells of a customer are in one part."""

    def read_part(self, lender: str, trial: str, part: int) -> Iterator[SettledSpell]:
        """
        Yield the spells of a part; none of a part that was never written.

        Raises:
            UnreadableRecordError: the part cannot be read. Nothing is lost: mend it, or take it away.
        """
        ...

    def write_part(self, lender: str, trial: str, part: int, spells: Iterable[SettledSpell]) -> None:
        """Put spells in place of a part."""
        ...


class TrialResults(Protocol):
    """What is known of trials, as pages read it."""

    def newest(self, lender: str = "") -> Sequence[TrialResult]:
        """Return the newest result of each trial, running ones first; an empty `lender` asks for all."""
        ...

    def line_of(self, lender: str, trial: str) -> Sequence[LiftPoint]:
        """Return the lifts of a trial, a night each, oldest first."""
        ...


class TrialResultKeeper(Protocol):
    """What is known of trials, as the nightly run writes it."""

    def keep_result(self, result: TrialResult) -> None:
        """Keep a result in the place of the one before, and its points in those of the same night."""
        ...


class TrialControlReader(Protocol):
    """What those who draw are told."""

    def control_of(self, lender: str) -> TrialControl | None:
        """Return what holds, some minutes old at most; `None` if it cannot be read: then nothing is left to chance."""
        ...


class TrialControlWriter(Protocol):
    """What those who draw are told, as steering changes it."""

    def stored_control(self, lender: str) -> TrialControl:
        """
        Return what is stored, strongly consistent; an empty control if nothing is.

        Raises:
            UnreadableRecordError: what is stored cannot be read.
        """
        ...

    def publish(self, control: TrialControl, *, expected_version: int) -> bool:
        """Put a control in the place of the one with the version that was read. Return whether it still was there."""
        ...
