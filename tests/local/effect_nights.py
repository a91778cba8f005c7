"""The nights of a played half-year: the real nightly run and its steering, over rungs and books in memory."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter

from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.trial_results import LiftPoint, TrialResult
from dunning.policy import PolicyBook
from dunning.ports.trial_nights import DrawClaim, RungRun
from dunning.services.settle_trials import Shelf, TrialNightService
from dunning.services.steer_trials import SteerService
from tests.local.effect_people import LENDER
from tests.local.effect_world import ZONE, EffectWorld
from tests.support.fakes import FakeTrialControls
from tests.support.lively_trials import KeptInMemory
from tests.support.trial_fakes import FakeDrawnRungs, FakeTrialBooks, FakeTrialResults


class Nights:
    """
    The nightly run beside a world, whose policies read `controls`: what a night decides is drawn by from then on.

    Of the change streams there is one shard, and a run of changes for each night.
    """

    def __init__(self, book: PolicyBook, world: EffectWorld, controls: FakeTrialControls) -> None:
        self.rungs, self.books, self.results = FakeDrawnRungs(), FakeTrialBooks(), FakeTrialResults()
        self._world = world
        self._sequence = 0
        trials = [each.trial() for each in book.lenders[LENDER].policy.trials]
        self._service = TrialNightService(
            shelf=Shelf(
                rungs=self.rungs,
                removal=self.rungs,
                books=self.books,
                known_books=self.books,
                results=self.results,
                keeper=self.results,
                nights=self.results,
                customers=world.store,
                comparisons=KeptInMemory(),
            ),
            steering=SteerService(controls),
            policies=book,
            lenders=[LENDER],
            trials_of=lambda _lender: trials,
            zone_of=lambda _lender: ZONE,
            clock=world.clock,
            telemetry=world.office.telemetry,
        )

    def run(self) -> Sequence[TrialResult]:
        """Run a night, and return the newest results of all trials."""
        changes = [(entry.at.astimezone(ZONE).date(), entry) for entry in self._world.changes.taken()]
        for day, group in groupby(sorted(changes, key=itemgetter(0)), key=itemgetter(0)):
            entries = [entry for _, entry in group]
            first, self._sequence = self._sequence + 1, self._sequence + len(entries)
            self.rungs.keep_rungs(
                RungRun(
                    lender=LENDER,
                    day=day,
                    shard="shard",
                    first=first,
                    last=self._sequence,
                    as_of=self._world.clock.now(),
                    rungs=[entry for entry in entries if isinstance(entry, DrawnRung)],
                    claims=[entry for entry in entries if isinstance(entry, DrawClaim)],
                )
            )
        self._forget(self._world.clock.now().astimezone(ZONE).date())
        self._service.run_all(lambda: math.inf)
        return self.results.newest(LENDER)

    def _forget(self, today: date) -> None:
        """Let runs expire as they do in the table."""
        for key in [key for key in self.rungs.runs if key[1] < today - _KEPT]:
            del self.rungs.runs[key]

    def line_of(self, trial: str) -> Sequence[LiftPoint]:
        """Return the lifts of a trial, oldest first."""
        return self.results.line_of(LENDER, trial)


_KEPT = timedelta(days=60)
