"""
A played half-year with its nights: what was planted, what the trials have found, and what can be counted beside it.

The counts beside it are made from people, payments and records, by nothing of the nightly run.
"""

import resource
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.draws import SILENCE, TEXTED, Layer, draws_from_text, epoch_of
from dunning.domain.effect.trial_results import LearnedShare, LiftPoint, SignSeen, TrialResult, TrialSign
from dunning.domain.effect.trials import Trial
from dunning.ports.trial_books import TrialResultKeeper
from dunning.services.controlled_policies import ControlledPolicies
from tests.local.effect_nights import Nights
from tests.local.effect_people import (
    BEGIN,
    LENDER,
    HoldoutTerms,
    PlantedEffects,
    effects_for,
    planted_in_trial,
)
from tests.local.effect_world import ZONE, EffectWorld, Happened
from tests.local.policies import Policies, load
from tests.support.fakes import FakeTrialControls

POLICIES = Path(__file__).parent / "trial_policies"
"""The lender of the play, as a folder of policies of one's own."""

_A_MONTH = 30


class Check(NamedTuple):
    """A count beside the nights. `is_right` is `None` for what is only told."""

    name: str
    number: int
    more: str = ""
    is_right: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRun:
    """A played half-year."""

    customers: int
    days: int
    seed: int
    begin: date
    effects: PlantedEffects
    planted: Mapping[str, str]
    """What was planted, in words, by trial."""
    planted_lifts: Mapping[str, float]
    """The lift that was planted, as a share of 1, by trial: known of what moves payments."""
    happened: Happened
    results: Sequence[TrialResult]
    """What the last night knows of each trial, in the policy's order."""
    lines: Mapping[str, Sequence[LiftPoint]]
    learned: Mapping[str, Sequence[LearnedShare]]
    """All shares that a learner has decided, by trial, oldest first."""
    first_seen: Mapping[tuple[str, TrialSign, str], date]
    """The night on which a sign was first seen, by trial, sign and arm."""
    checks: Sequence[Check]
    seconds: float
    seconds_of_nights: float
    memory_mb: float

    @property
    def is_right(self) -> bool:
        """Whether all that was checked is as it has to be."""
        return all(check.is_right is not False for check in self.checks)


@dataclass(slots=True)
class _Diary:
    """What the nights have seen, in order."""

    first_seen: dict[tuple[str, TrialSign, str], date] = field(default_factory=dict)
    learned: dict[str, list[LearnedShare]] = field(default_factory=dict)
    results: Sequence[TrialResult] = ()
    seconds: float = 0.0

    def note(self, results: Sequence[TrialResult], night: date) -> None:
        self.results = results
        for result in results:
            for sign in result.signs:
                self.first_seen.setdefault(_sign_key(result, sign), night)
            known = self.learned.setdefault(result.trial, [])
            known += [share for share in result.learned if share not in known]


def _sign_key(result: TrialResult, sign: SignSeen) -> tuple[str, TrialSign, str]:
    return result.trial, sign.sign, sign.arm


def play_effect(  # noqa: PLR0913 - its people, its time and what is planted
    *,
    customers: int,
    days: int,
    seed: int,
    lift: float = 0.05,
    nights_apart: int = 7,
    effects: PlantedEffects | None = None,
    countries: Collection[str] = (),
    policies: Policies | None = None,
    keeper: TrialResultKeeper | None = None,
    on_night: Callable[[date, EffectWorld], None] = lambda _day, _world: None,
) -> EffectRun:
    """
    Play people with planted effects, and return what the trials have found.

    `lift` is that of the holdout, as a share of 1, unless `effects` are given. `countries` are those in which people
    live; all if none is named. The nightly run comes every so many
    nights, and after the last day. What each night knows is kept by the `keeper`, too. The same arguments give the
    same run.

    Raises:
        PlayError: a service has failed.
        ValueError: no text can have so large an effect.
    """
    started = time.process_time()
    policies = policies or load(POLICIES)
    trials = {each.id: each.trial() for each in policies.book.lenders[LENDER].policy.trials}
    terms = holdout_terms(policies)
    planted = effects or effects_for(lift, terms, max(1, days // _A_MONTH))
    diary = _Diary()
    controls = FakeTrialControls()

    def night(day: date) -> None:
        number = (day - BEGIN).days
        if number % nights_apart and number != days:
            return
        before = time.process_time()
        results = nights.run()
        diary.note(results, day)
        diary.seconds += time.process_time() - before
        if keeper:
            for result in results:
                keeper.keep_result(result)
        on_night(day, world)

    world = EffectWorld(
        customers=customers,
        days=days,
        seed=seed,
        effects=planted,
        policies=ControlledPolicies(policies.book, controls),
        reader=policies.replies,
        countries=countries,
        on_night=night,
    )
    nights = Nights(policies.book, world, controls)
    happened = world.play()
    lifts = {"quiet": _planted_lift(world, terms)}
    return EffectRun(
        customers=customers,
        days=days,
        seed=seed,
        begin=BEGIN,
        effects=planted,
        planted=_in_words(planted, lifts),
        planted_lifts=lifts,
        happened=happened,
        results=sorted(diary.results, key=lambda result: list(trials).index(result.trial)),
        lines={trial: nights.line_of(trial) for trial in trials},
        learned=diary.learned,
        first_seen=diary.first_seen,
        checks=list(checks_of(world, trials, diary.results)),
        seconds=time.process_time() - started,
        seconds_of_nights=diary.seconds,
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


# ------------------------------------------------------------------ what was planted


def holdout_terms(policies: Policies) -> HoldoutTerms:
    """Return what the holdout of the lender compares."""
    policy = policies.book.lenders[LENDER].policy
    (quiet,) = (each.trial() for each in policy.trials if each.layer is Layer.HOLDOUT)
    return HoldoutTerms(tuple(sorted(quiet.stages)), tuple(policy.ladder), quiet.goal_days)


def _planted_lift(world: EffectWorld, terms: HoldoutTerms) -> float:
    """Return the lift that is planted in the people who are there."""
    there = [person for person in world.people.values() if person.home.trial == "quiet"]
    return planted_in_trial(there, world.effects.moved, terms, max(1, world.days // _A_MONTH), world.seed).lift


def _in_words(effects: PlantedEffects, lifts: Mapping[str, float]) -> dict[str, str]:
    """Return what was planted, by trial."""

    def of_thousand(share: float) -> str:
        return f"{share * 1000:g}"

    return {
        "quiet": f"a text moves {effects.moved * 100:.0f} of 100 late instalments to the day after it, and nothing of "
        f"those who always pay on time. In the terms of this trial that is {lifts['quiet'] * 100:+.1f} points.",
        "tone": f"the curt words make {of_thousand(effects.opt_outs_if_curt)} of 1,000 opt out and "
        f"{of_thousand(effects.complaints_if_curt)} complain, the usual ones {of_thousand(effects.opt_outs)} and "
        f"{of_thousand(effects.complaints)}. Both bring as many payments.",
        "hour": f"a text at 18:00 moves {effects.moved_at_best_hour * 100:.0f} of 100 late instalments, an earlier one "
        f"{effects.moved * 100:.0f}.",
        "spare": "texts do nothing for those who always pay on time.",
    }


# ------------------------------------------------------------------ what can be counted beside the nights


def checks_of(world: EffectWorld, trials: Mapping[str, Trial], results: Sequence[TrialResult]) -> Iterator[Check]:
    """Yield what can be counted beside the nights, and whether it is as it has to be."""
    records = list(world.records.records.values())
    drawn = {record.send_id for record in records if record.draws}
    claimed = world.changes.claimed
    yield Check("draws of claims", len(claimed))
    yield _none("  without a record", len(claimed - drawn))
    yield _none("  records with a draw that no claim drew", len(drawn - claimed))
    yield from _held_out(world, records, trials["quiet"])
    yield from _plain_lift(world, records, trials["quiet"], results)
    yield from _spared(records, trials["spare"])


def _spared(records: Sequence[Contact], spare: Trial) -> Iterator[Check]:
    """Count the texts that those who always pay on time were spared, and by which share at both ends."""
    theirs = sorted((record.at, record.state is ContactState.HELD_OUT) for record in records if _draws(record, spare))
    if not theirs:
        return
    month = timedelta(days=_A_MONTH)
    first = [is_spared for at, is_spared in theirs if at < theirs[0][0] + month]
    last = [is_spared for at, is_spared in theirs if at > theirs[-1][0] - month]
    says = f"{mean(first) * 100:.0f} % in the first month, {mean(last) * 100:.0f} % in the last"
    yield Check("texts spared those who always pay on time", sum(spared for _, spared in theirs), says)


def _none(name: str, number: int) -> Check:
    return Check(name, number, "as it has to be" if number == 0 else "WRONG: there may be none", number == 0)


def _held_out(world: EffectWorld, records: Sequence[Contact], quiet: Trial) -> Iterator[Check]:
    """Look at all texts of those who are held out, by what their stages say alone."""
    silent = {
        record.customer_id for record in records if record.state is ContactState.HELD_OUT and _draws(record, quiet)
    }
    theirs = [record for record in records if record.customer_id in silent and record.stage is not None]
    sent = [record for record in theirs if record.state is not ContactState.HELD_OUT]
    broken = [record for record in sent if record.stage in quiet.stages and not _owed(record, quiet)]
    yield Check("customers held out", len(silent), f"of {_there(world, 'quiet'):,} where it runs")
    yield Check("  stages left out", len(theirs) - len(sent))
    yield Check("  texts at later stages, in no trial", sum(not _in(record, quiet) for record in sent))
    yield _none("  texts at the stages of the trial: leaks", len(broken))


def _draws(record: Contact, trial: Trial) -> bool:
    return any(draw.trial == trial.trial_id for draw in draws_from_text(record.draws))


def _owed(record: Contact, trial: Trial) -> bool:
    """Tell whether a text had to go out, because it marks a stage outside of the trial, too: its draw says so."""
    return any(
        draw.trial == trial.trial_id and draw.layer is Layer.HOLDOUT and draw.propensity == 1
        for draw in draws_from_text(record.draws)
    )


def _in(record: Contact, trial: Trial) -> bool:
    return record.stage in trial.stages


def _there(world: EffectWorld, trial: str) -> int:
    return sum(person.home.trial == trial for person in world.people.values())


def _plain_lift(
    world: EffectWorld, records: Sequence[Contact], quiet: Trial, results: Sequence[TrialResult]
) -> Iterator[Check]:
    """Count the cures of both arms from the payments themselves, over the instalments whose days are over."""
    counted: set[tuple[str, int, int]] = set()
    rungs: Counter[str] = Counter()
    cures: Counter[str] = Counter()
    last = BEGIN + timedelta(days=world.days - quiet.goal_days)
    for record in sorted(records, key=lambda each: each.at):
        arms = [
            draw.arm for draw in draws_from_text(record.draws) if draw.trial == quiet.trial_id and draw.propensity < 1
        ]
        day = record.at.astimezone(ZONE).date()
        if not arms or record.stage is None or day >= last:
            continue
        person = world.people[record.customer_id]
        instalment = (day - timedelta(days=record.stage) - person.first_due).days // _A_MONTH
        key = record.customer_id, instalment, epoch_of(day, quiet.starts_on)
        if key in counted:
            continue
        counted.add(key)
        paid_on = world.paid_on.get((record.customer_id, instalment))
        rungs[arms[0]] += 1
        cures[arms[0]] += paid_on is not None and paid_on <= day + timedelta(days=quiet.goal_days)
    if not (rungs[TEXTED] and rungs[SILENCE]):
        return
    plain = cures[TEXTED] / rungs[TEXTED] - cures[SILENCE] / rungs[SILENCE]
    found = [
        each.estimate.lift
        for result in results
        if result.trial == quiet.trial_id
        for each in result.comparisons
        if each.stage is None and each.payer_segment is None and each.place is None and each.estimate.lift is not None
    ]
    is_right = bool(found) and abs(found[0] - plain) < _ROUNDING
    says = f"the lift counted plainly: {plain * 100:+.1f} points" if is_right else "WRONG: the nights say else"
    yield Check("instalments whose days are over", rungs.total(), says, is_right)


_ROUNDING = 1e-6
