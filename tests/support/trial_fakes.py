"""Trial fakes: the rungs on record, the books, the results and nights of trials, in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from dunning.domain.effect.comparing import points_of
from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_results import LiftPoint, TrialResult
from dunning.domain.effect.trials import Trial
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.trial_books import RungsOfDay
from dunning.ports.trial_nights import ErasedDraws, NightProgress, RungRun


class FakeDrawnRungs:
    """The rungs on record by lender and day, and the erasures to work off."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, date, str, int, int], RungRun] = {}
        self.marks: dict[str, ErasedDraws] = {}
        self.unreadable: set[tuple[str, date]] = set()

    def keep_rungs(self, run: RungRun) -> None:
        self.runs[run.lender, run.day, run.shard, run.first, run.last] = run

    def rungs_of(self, lender: str, day: date) -> RungsOfDay:
        if (lender, day) in self.unreadable:
            raise UnreadableRecordError(f"draws#{lender}#{day}")
        runs = [run for run in self.runs.values() if (run.lender, run.day) == (lender, day)]
        claims = {claim for run in runs for claim in run.claims}
        released = {claim.claim_id for claim in claims if claim.is_released}
        rungs: dict[str, DrawnRung] = {}
        for rung in (rung for run in runs for rung in run.rungs):
            if rung.send_id not in rungs or rung.at < rungs[rung.send_id].at:
                rungs[rung.send_id] = rung
        claimed = frozenset(claim.send_id for claim in claims if claim.claim_id not in released)
        return RungsOfDay(claimed, tuple(rungs.values()))

    def mark_draws(self, customer_id: str, until: datetime, at: datetime) -> None:
        self.marks[customer_id] = ErasedDraws(customer_id, until, at)

    def erased_draws(self) -> Sequence[ErasedDraws]:
        return list(self.marks.values())

    def remove_rungs(self, lender: str, day: date, until: Mapping[str, datetime]) -> int:
        changed = 0
        for key, run in list(self.runs.items()):
            if (run.lender, run.day) != (lender, day):
                continue
            rungs = [each for each in run.rungs if not (each.at <= until.get(each.customer_id, _NEVER))]
            claims = [each for each in run.claims if not (each.at <= until.get(each.customer_id, _NEVER))]
            if len(rungs) + len(claims) < len(run.rungs) + len(run.claims):
                changed += 1
                self.runs[key] = RungRun(
                    lender=run.lender, day=run.day, shard=run.shard, first=run.first, last=run.last, as_of=run.as_of,
                    rungs=rungs, claims=claims,
                )  # fmt: skip
                if not rungs and not claims:
                    del self.runs[key]
        return changed

    def draws_removed(self, erased: ErasedDraws) -> None:
        if self.marks.get(erased.customer_id) == erased:
            del self.marks[erased.customer_id]


_NEVER = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


class FakeTrialBooks:
    """The books of trials by lender, trial and part."""

    def __init__(self) -> None:
        self.parts: dict[tuple[str, str, int], tuple[SettledSpell, ...]] = {}
        self.written = 0

    def read_part(self, lender: str, trial: str, part: int) -> Iterator[SettledSpell]:
        yield from self.parts.get((lender, trial, part), ())

    def write_part(self, lender: str, trial: str, part: int, spells: Iterable[SettledSpell]) -> None:
        self.parts[lender, trial, part] = tuple(spells)
        self.written += 1

    def books(self) -> Iterator[tuple[str, str]]:
        yield from dict.fromkeys((lender, trial) for lender, trial, _ in self.parts)

    def of_trial(self, lender: str, trial: str) -> list[SettledSpell]:
        """All spells of a trial."""
        return [each for key, part in sorted(self.parts.items()) if key[:2] == (lender, trial) for each in part]


class FakeTrialResults:
    """The newest results, the lifts of each night, and how far nights have come."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, str], TrialResult] = {}
        self.points: dict[tuple[str, str, date], tuple[LiftPoint, ...]] = {}
        self.progress: dict[str, NightProgress] = {}

    def newest(self, lender: str = "") -> Sequence[TrialResult]:
        found = [result for (of, _), result in self.results.items() if lender in {"", of}]
        return sorted(found, key=lambda each: (each.night > each.ends_on, each.lender, each.trial))

    def line_of(self, lender: str, trial: str) -> Sequence[LiftPoint]:
        nights = sorted(key for key in self.points if key[:2] == (lender, trial))
        return [point for night in nights for point in self.points[night]]

    def keep_result(self, result: TrialResult) -> None:
        self.results[result.lender, result.trial] = result
        self.points[result.lender, result.trial, result.night] = points_of(result)

    def progress_of(self, lender: str) -> NightProgress | None:
        return self.progress.get(lender)

    def keep_progress(self, progress: NightProgress) -> None:
        self.progress[progress.lender] = progress


class FakeSteering:
    """Steers nothing, and remembers what it was given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.spells: dict[str, list[SettledSpell]] = {}

    def steer(
        self,
        lender: str,
        results: Sequence[TrialResult],
        trials: Mapping[str, Trial],
        settled_of: Callable[[str], Iterable[SettledSpell]],
        today: date,
    ) -> tuple[TrialResult, ...]:
        del today
        self.calls.append((lender, tuple(result.trial for result in results)))
        self.spells = {trial_id: list(settled_of(trial_id)) for trial_id in trials}
        return tuple(results)
