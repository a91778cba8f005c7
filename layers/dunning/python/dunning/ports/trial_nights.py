"""Trial nights: what the nightly run of trials reads and writes beside books and results."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_results import TrialResult
from dunning.domain.effect.trials import Trial


class DrawClaim(NamedTuple):
    """A claim with a draw; or, once its text was refused for now, that the claim was released."""

    customer_id: str
    send_id: str
    claim_id: str
    at: datetime
    is_released: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRun:
    """
    What a run of changes tells of rungs: those of one lender and local day, from one shard of one stream.

    `first` and `last` are the sequence numbers of the run. A run that comes again replaces itself; if it is cut
    otherwise, its rungs are there twice, and whoever reads them takes each once.
    """

    lender: str
    day: date
    """The local day of the claims."""
    shard: str
    first: int
    last: int
    as_of: datetime
    rungs: Sequence[DrawnRung] = ()
    claims: Sequence[DrawClaim] = ()


class DrawnRungWriter(Protocol):
    """The rungs on record, as the tally writes them."""

    def keep_rungs(self, run: RungRun) -> None:
        """Keep a run for sixty days."""
        ...


class ErasedDraws(NamedTuple):
    """A customer whose draws go, the moment up to which they do, and the time of the last round of the erasure."""

    customer_id: str
    until: datetime
    at: datetime


class DrawRemoval(Protocol):
    """What the night removes of erased customers, before it reads anything."""

    def erased_draws(self) -> Sequence[ErasedDraws]:
        """Return all customers whose erasure the night has to work off."""
        ...

    def remove_rungs(self, lender: str, day: date, until: Mapping[str, datetime]) -> int:
        """Take these customers' rungs and claims up to a moment out of a day, and return in how many entries."""
        ...

    def draws_removed(self, erased: ErasedDraws) -> None:
        """Forget a customer, unless another round has begun since."""
        ...


class KnownBooks(Protocol):
    """The books there are, those of trials that no policy names any more too."""

    def books(self) -> Iterator[tuple[str, str]]:
        """Yield lender and trial of each book."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NightProgress:
    """How far a lender's night has come, so that another invocation goes on there."""

    lender: str
    night: date
    before: date
    """The last night before it that was finished; the day before it, if there is none."""
    parts: frozenset[int] = field(default_factory=frozenset)
    """The parts of the books that are settled."""
    is_finished: bool = False


class NightLog(Protocol):
    """How far the nights have come."""

    def progress_of(self, lender: str) -> NightProgress | None:
        """Return what is kept of a lender's last night."""
        ...

    def keep_progress(self, progress: NightProgress) -> None:
        """Keep how far a night has come, in place of what was kept before."""
        ...


class TrialSteering(Protocol):
    """What follows from results: arms that are paused, trials that are stopped, shares that move."""

    def steer(
        self,
        lender: str,
        results: Sequence[TrialResult],
        trials: Mapping[str, Trial],
        settled_of: Callable[[str], Iterable[SettledSpell]],
        today: date,
    ) -> tuple[TrialResult, ...]:
        """Tell those who draw, and return the results with what was decided."""
        ...
