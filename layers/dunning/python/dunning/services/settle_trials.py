"""
Settle trials: works out each night what came of the draws of all trials, and what that says of them.

    the erased leave ──> rungs of seven weeks, by part of the books
                           └─> each part: new spells, outcomes of those whose days are over, the book is written back
                                 └─> sums and counts of all parts ──> results: comparisons and signs
                                       └─> those who draw are told (`TrialSteering`), and the results are kept

A night may be repeated, and a night that was missed is made up for: what a book has is not added again, and every sum
is made anew from whole books. If time runs out, the parts that are settled are on record, and the next invocation of
the same night goes on with the others. Until all are settled, the results of the night before stay.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import batched
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import progress_key
from dunning.domain.decision.decide import zones_of
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.effect.compared_spells import compared_spells
from dunning.domain.effect.comparing import comparisons_of
from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.draws import SILENCE, draws_from_text
from dunning.domain.effect.keeping_books import (
    BOOK_PARTS,
    book_part_of,
    end_of_last_day,
    is_kept_up,
    is_to_be_asked_for_the_next,
    is_to_be_settled,
    new_spells,
    where_the_customer_lives,
    without_the_erased,
)
from dunning.domain.effect.settling import OutcomeState, Spell, SpellOutcome, next_instalment_was_late, settle_spell
from dunning.domain.effect.sums import ArmSums, SettledSpell, SumKey, merged, sums_of
from dunning.domain.effect.trial_counts import TrialCounts, counts_of
from dunning.domain.effect.trial_results import SignSeen, TrialResult, TrialSign
from dunning.domain.effect.trial_signs import GRACE, leaks_of_holdout, leaks_seen, record_signs, signs_of_trial
from dunning.domain.effect.trials import Trial
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.ports.clock import Clock
from dunning.ports.customers import CUSTOMERS_A_LOOK, CustomerLook, CustomerLooks
from dunning.ports.kept_comparisons import ComparisonsToErase, KeptComparison, WrittenComparison
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.ports.trial_books import DrawnRungLog, TrialBooks, TrialResultKeeper, TrialResults
from dunning.ports.trial_nights import (
    DrawRemoval,
    ErasedDraws,
    KnownBooks,
    NightLog,
    NightProgress,
    TrialSteering,
)

LOOKED_BACK = timedelta(days=50)
"""Rungs of so many days are compared with the books each night. A night that was missed is made up for until then."""

RUNGS_KEPT = timedelta(days=60)
"""The rungs on record are kept for so long."""

MARKS_KEPT = timedelta(days=2)
"""A change stream may bring a rung of an erased customer a day after the last round."""

_SECONDS_TO_FINISH = 60.0
"""With less time left no part is begun: results and shares have to be worked out and kept, too."""

_DAY = timedelta(days=1)


class Shelf(NamedTuple):
    """What the night keeps and reads, each a port; several are one table."""

    rungs: DrawnRungLog
    removal: DrawRemoval
    books: TrialBooks
    known_books: KnownBooks
    results: TrialResults
    keeper: TrialResultKeeper
    nights: NightLog
    customers: CustomerLooks
    comparisons: ComparisonsToErase


@dataclass(frozen=True, slots=True)
class _SortedRungs:
    """The rungs of a lender by part of the books, each once; and what lacks its record or its draw, by trial."""

    by_part: Sequence[Mapping[str, DrawnRung]]
    signs: Mapping[str, Sequence[SignSeen]]


@dataclass(slots=True)
class _NightSums:
    """What a night has found of a trial so far."""

    sums: dict[SumKey, ArmSums] = field(default_factory=dict)
    counts: TrialCounts = field(default_factory=TrialCounts)


@dataclass(slots=True)
class _Looks:
    """The customers to look at, with the places of their spells in the books, and who is seen with the standing."""

    places: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    with_standing: set[str] = field(default_factory=set)

    def add(self, trial_id: str, index: int, settled: SettledSpell, progress: NightProgress) -> None:
        if is_to_be_settled(settled, progress.night, progress.before):
            if settled.outcome.state is not OutcomeState.SETTLED:
                self.with_standing.add(settled.spell.customer_id)
        elif not is_to_be_asked_for_the_next(settled, progress.night, progress.before):
            return
        self.places.setdefault(settled.spell.customer_id, []).append((trial_id, index))


class _CustomerPlace(NamedTuple):
    zone: ZoneInfo
    smallest_amounts: Mapping[str, int]


class TrialNightService:
    """
    Works out the trials of lenders.

    `trials_of` gives the trials of a lender's policy, ended ones too. `zone_of` is the time zone in which a lender's
    days begin and end.
    """

    def __init__(
        self,
        *,
        shelf: Shelf,
        steering: TrialSteering,
        policies: Policies,
        lenders: Collection[str],
        trials_of: Callable[[str], Sequence[Trial]],
        zone_of: Callable[[str], ZoneInfo],
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._shelf = shelf
        self._steering = steering
        self._policies = policies
        self._lenders = lenders
        self._trials_of = trials_of
        self._zone_of = zone_of
        self._clock = clock
        self._telemetry = telemetry

    def run_all(self, seconds_left: Callable[[], float]) -> bool:
        """
        Work out tonight's results of all lenders, and return whether all are done. A lender that is done is left out.

        Raises:
            Exception: a lender's night failed; those of the other lenders are done. It can be repeated.
        """
        failed: Exception | None = self._remove_the_erased()
        is_whole = True
        for lender in sorted(self._lenders):
            try:
                is_whole &= self.run(lender, seconds_left)
            except Exception as error:  # noqa: BLE001 - a fault in one lender's trials keeps no other from its alarms
                self._log_failure(lender, error)
                failed = error
        if failed is not None:
            raise failed
        if is_whole:
            self._telemetry.count(Metric.TRIAL_NIGHTS)
        return is_whole

    def run(self, lender: str, seconds_left: Callable[[], float]) -> bool:
        """
        Work out tonight's results of a lender, and return whether they are done.

        Raises:
            UnreadableRecordError: a rung on record, or a part of a book, cannot be read; its message names which.
            ServiceCallError: a call failed. What was settled is on record.
        """
        now = self._clock.now()
        zone = self._zone_of(lender)
        today = now.astimezone(zone).date()
        trials = {trial.trial_id: trial for trial in self._trials_of(lender) if is_kept_up(trial, today)}
        progress = self._progress(lender, today)
        if not trials or progress.is_finished:
            return True
        first = max(today - LOOKED_BACK, min(trial.starts_on for trial in trials.values()))
        rungs = self._read_rungs(lender, first, today, trials)
        found = {trial_id: _NightSums() for trial_id in trials}
        former = {result.trial: result for result in self._shelf.results.newest(lender)}
        stopped = {trial_id for trial_id in trials if trial_id in former and former[trial_id].is_stopped}
        for part in range(BOOK_PARTS):
            if seconds_left() < _SECONDS_TO_FINISH:
                self._telemetry.log_event(
                    LogEvent.TRIAL_NIGHT_UNFINISHED, lender=lender, parts=len(progress.parts), of=BOOK_PARTS
                )
                return False
            books = self._settled_books(progress, part, trials, rungs.by_part[part], now)
            for trial_id, book in books.items():
                counts = counts_of(trials[trial_id], book)
                if trial_id not in stopped:
                    counts.leaks = leaks_of_holdout(trials[trial_id], book, rungs.by_part[part].values(), zone)
                found[trial_id].counts.add(counts)
                found[trial_id].sums = merged(found[trial_id].sums, sums_of(compared_spells(trials[trial_id], book)))
            if part not in progress.parts:
                progress = replace(progress, parts=progress.parts | {part})
                self._shelf.nights.keep_progress(progress)
        for trial_id in stopped:  # everybody is texted again, which is no further leak
            found[trial_id].counts.leaks = leaks_seen(former[trial_id].signs)
        results = [
            _result(lender, trial, found[trial_id], rungs.signs.get(trial_id, ()), today, now)
            for trial_id, trial in trials.items()
        ]
        self._keep(lender, results, trials, former, today)
        self._shelf.nights.keep_progress(replace(progress, is_finished=True))
        return True

    def _progress(self, lender: str, today: date) -> NightProgress:
        known = self._shelf.nights.progress_of(lender)
        if known is None:
            return NightProgress(lender=lender, night=today, before=today - _DAY)
        if known.night >= today:
            return known
        return NightProgress(lender=lender, night=today, before=known.night if known.is_finished else known.before)

    def _read_rungs(self, lender: str, first: date, today: date, trials: Mapping[str, Trial]) -> _SortedRungs:
        by_part: list[dict[str, DrawnRung]] = [{} for _ in range(BOOK_PARTS)]
        claimed: set[str] = set()
        recorded: dict[str, DrawnRung] = {}
        for number in range((today - first).days + 1):
            day = first + timedelta(days=number)
            rungs_of_day = self._shelf.rungs.rungs_of(lender, day)
            is_complete = day < today - GRACE
            if is_complete:
                claimed |= rungs_of_day.claimed
            for rung in rungs_of_day.rungs:
                try:
                    draws_from_text(rung.draws)
                except ValueError as error:
                    raise UnreadableRecordError(f"rungs of {lender}, {day}: {error}") from None
                part = by_part[book_part_of(rung.customer_id)]
                known = part.get(rung.send_id)
                if known is None or rung.at < known.at:
                    part[rung.send_id] = rung
                if is_complete and rung.draws:
                    recorded[rung.send_id] = rung
        return _SortedRungs(by_part, _record_signs_by_trial(claimed, recorded, trials))

    def _settled_books(
        self,
        progress: NightProgress,
        part: int,
        trials: Mapping[str, Trial],
        rungs: Mapping[str, DrawnRung],
        now: datetime,
    ) -> dict[str, list[SettledSpell]]:
        """Return a part of the books of all trials, settled as of tonight, and write back what has changed."""
        lender = progress.lender
        books = {trial_id: list(self._shelf.books.read_part(lender, trial_id, part)) for trial_id in trials}
        if part in progress.parts:
            return books
        zone = self._zone_of(lender)
        before = {trial_id: tuple(book) for trial_id, book in books.items()}
        for trial_id, trial in trials.items():
            try:
                books[trial_id] += new_spells(books[trial_id], rungs.values(), trial, zone)
            except ValueError as error:
                raise UnreadableRecordError(f"rungs of {lender}, trial {trial_id}: {error}") from None
        self._settle(books, progress, zone, now)
        for trial_id, book in books.items():
            if tuple(book) != before[trial_id]:
                self._shelf.books.write_part(lender, trial_id, part, book)
        return books

    def _settle(
        self, books: dict[str, list[SettledSpell]], progress: NightProgress, zone: ZoneInfo, now: datetime
    ) -> None:
        """Look at the customers of spells whose time has come, each once for all trials."""
        wanted = _Looks()
        for trial_id, book in books.items():
            for index, each in enumerate(book):
                wanted.add(trial_id, index, each, progress)
        erased: dict[str, datetime] = {}
        for with_standings in (True, False):
            ids = [each for each in wanted.places if (each in wanted.with_standing) is with_standings]
            for batch in batched(ids, CUSTOMERS_A_LOOK, strict=False):
                for customer_id, look in self._shelf.customers.look_at(batch, with_standings=with_standings).items():
                    if not isinstance(look, UnreadableRecordError) and look.erased_at is not None:
                        erased[customer_id] = look.erased_at
                    for trial_id, index in wanted.places[customer_id]:
                        books[trial_id][index] = self._settled(books[trial_id][index], look, progress, zone, now)
        if erased:
            self._remove_rungs_of_spells(books, progress.lender, zone, erased)
            for trial_id, book in books.items():
                books[trial_id] = without_the_erased(book, erased.items())

    def _remove_rungs_of_spells(
        self, books: Mapping[str, Sequence[SettledSpell]], lender: str, zone: ZoneInfo, erased: Mapping[str, datetime]
    ) -> None:
        """Take the rungs of customers out, whose erasure is not marked yet: the next night would add them again."""
        days = {
            spell.drawn_at.astimezone(zone).date()
            for book in books.values()
            for spell, _ in book
            if spell.customer_id in erased
        }
        for day in sorted(days):
            self._shelf.removal.remove_rungs(lender, day, erased)

    def _settled(
        self,
        settled: SettledSpell,
        look: CustomerLook | UnreadableRecordError,
        progress: NightProgress,
        zone: ZoneInfo,
        now: datetime,
    ) -> SettledSpell:
        spell, before = settled
        facts = None if isinstance(look, UnreadableRecordError) else look.facts
        if facts is not None and facts.lender != progress.lender:
            facts = None
        standing = None if isinstance(look, UnreadableRecordError) else look.standing
        place = self._place_of(facts, zone, now)
        outcome = before
        if is_to_be_settled(settled, progress.night, progress.before):
            if before.state is OutcomeState.RUNNING and facts is not None:
                spell = where_the_customer_lives(spell, place.zone)
            outcome = settle_spell(
                spell,
                facts,
                standing,
                ends_at=end_of_last_day(spell, place.zone),
                night=now,
                before=None if before.state is OutcomeState.RUNNING else before,
                smallest_amounts=place.smallest_amounts,
            )
            if before.state is OutcomeState.SETTLED:
                outcome = replace(outcome, side_effects=before.side_effects)
        if facts is not None and outcome.state is OutcomeState.SETTLED and outcome.next_late is None:
            outcome = _with_next(spell, outcome, facts, now.astimezone(place.zone).date(), place.zone)
        return SettledSpell(spell, outcome)

    def _place_of(self, facts: Facts | None, zone: ZoneInfo, now: datetime) -> _CustomerPlace:
        """Return where a customer lives; the lender's zone if that is not known."""
        rules = self._policies.rules_for(facts, now) if facts is not None else None
        if facts is None or not isinstance(rules, Rules):
            return _CustomerPlace(zone, {})
        zones = zones_of(facts.time_zone, rules, now) or rules.zones
        return _CustomerPlace(zones[0] if zones else zone, rules.smallest_amounts)

    def _keep(
        self,
        lender: str,
        results: Sequence[TrialResult],
        trials: Mapping[str, Trial],
        former: Mapping[str, TrialResult],
        today: date,
    ) -> None:
        """Tell those who draw, then log and keep what was found. A sign counts on the first night that sees it."""

        def settled_of(trial_id: str) -> Iterable[SettledSpell]:
            for part in range(BOOK_PARTS):
                yield from self._shelf.books.read_part(lender, trial_id, part)

        for result in self._steering.steer(lender, results, trials, settled_of, today):
            known = former[result.trial].signs if result.trial in former else ()
            for sign in _new_signs(result.signs, known):
                self._telemetry.log_event(
                    LogEvent.TRIAL_SIGN,
                    lender=lender,
                    trial=result.trial,
                    sign=sign.sign.value,
                    arm=sign.arm,
                    stage=sign.stage,
                    counted=sign.counted,
                    off_by=sign.off_by,
                )
                self._telemetry.count(Metric.TRIAL_LEAKS if sign.sign is TrialSign.LEAK else Metric.TRIAL_SIGNS)
            self._shelf.keeper.keep_result(result)
            self._telemetry.log_event(
                LogEvent.TRIAL_NIGHT,
                lender=lender,
                trial=result.trial,
                night=today.isoformat(),
                drawn=sum(result.drawn.values()),
                running=sum(result.running.values()),
                signs=len(result.signs),
            )

    def _remove_the_erased(self) -> DunningError | None:
        """
        Take erased customers out of the rungs on record, of all books before they are read, and of kept what-ifs.

        What cannot be read is returned as an error, and does not keep the rest from being done. The marks then stay.
        """
        failures: list[UnreadableRecordError] = []

        def tried[R](work: Callable[[], R], otherwise: R) -> R:
            try:
                return work()
            except UnreadableRecordError as error:
                self._log_failure("", error)
                failures.append(error)
                return otherwise

        shelf = self._shelf
        marks: Sequence[ErasedDraws] = tried(shelf.removal.erased_draws, ())
        if marks:
            until = {mark.customer_id: mark.until for mark in marks}
            now = self._clock.now()
            books = list(shelf.known_books.books())
            lenders = sorted({*self._lenders, *(lender for lender, _ in books)})
            # A day more on both sides: of each zone.
            days = [now.date() - timedelta(days=number) for number in range(-1, RUNGS_KEPT.days + 3)]
            numbers = sorted({book_part_of(customer_id) for customer_id in until})
            heads: Sequence[KeptComparison] = tried(shelf.comparisons.newest_comparisons, ())
            removed = {
                "entries": sum(
                    tried(partial(shelf.removal.remove_rungs, lender, day, until), 0)
                    for lender in lenders
                    for day in days
                ),
                "parts": sum(
                    tried(partial(self._remove_from_part, *book, part, until), 0) for book in books for part in numbers
                ),
                "comparisons": sum(tried(partial(self._remove_examples, head, until), 0) for head in heads),
            }
            for mark in marks:
                if not failures and now >= mark.at + MARKS_KEPT:
                    shelf.removal.draws_removed(mark)
            self._telemetry.log_event(LogEvent.DRAWS_ERASED, customers=len(marks), **removed)
        return failures[0] if failures else None

    def _remove_from_part(self, lender: str, trial_id: str, part: int, until: Mapping[str, datetime]) -> bool:
        """Take customers out of a part of a book, and return whether any was in it."""
        book = list(self._shelf.books.read_part(lender, trial_id, part))
        left = without_the_erased(book, until.items())
        if left == book:
            return False
        self._shelf.books.write_part(lender, trial_id, part, left)
        return True

    def _remove_examples(self, head: KeptComparison, customer_ids: Collection[str]) -> int:
        """Take customers out of the examples of a what-if, whenever it was kept; return 1 if any was there, else 0."""
        found = self._shelf.comparisons.comparison(head.comparison_id)
        if found is None:
            return 0
        left = without_examples_of(found, customer_ids)
        if left == found.written:
            return 0
        self._shelf.comparisons.rewrite_comparison(found.head, left)
        return 1

    def _log_failure(self, lender: str, error: Exception) -> None:
        """Log a failure; in words if they are ours: those of a library might quote what it has read."""
        why = str(error) if isinstance(error, DunningError) else ""
        self._telemetry.log_event(LogEvent.TRIAL_NIGHT_FAILED, lender=lender, error=type(error).__name__, why=why)


def without_examples_of(comparison: WrittenComparison, customer_ids: Collection[str]) -> str:
    """
    Return what is written of a what-if without these customers. No other part of it names a customer.

    Raises:
        UnreadableRecordError: it is not what `what_if.json` describes.
    """
    try:
        result = json.loads(comparison.written)
        examples = [each for each in result["examples"] if each["customer_id"] not in customer_ids]
        if len(examples) == len(result["examples"]):
            return comparison.written
    except (LookupError, RecursionError, TypeError, ValueError) as error:
        raise UnreadableRecordError(
            f"kept comparison {comparison.head.comparison_id}: {type(error).__name__}"
        ) from None
    return json.dumps({**result, "examples": examples}, ensure_ascii=False, separators=(",", ":"))


def _record_signs_by_trial(
    claimed: Collection[str], recorded: Mapping[str, DrawnRung], trials: Mapping[str, Trial]
) -> dict[str, list[SignSeen]]:
    """
    Return by trial which draws and records lack the other.

    A claim without a record does not tell its trial: each may lack it.
    """
    found: dict[str, list[SignSeen]] = {}
    for trial_id in trials:
        ids = {
            send_id
            for send_id, rung in recorded.items()
            if any(draw.trial == trial_id for draw in draws_from_text(rung.draws))
        }
        others = recorded.keys() - ids
        found[trial_id] = record_signs(set(claimed) - others, ids)
    return found


def _with_next(spell: Spell, outcome: SpellOutcome, facts: Facts, today: date, zone: ZoneInfo) -> SpellOutcome:
    paid_on = {
        progress_key(account.account_id, each.number): each.paid_at.astimezone(zone).date()
        for account in facts.accounts
        for each in account.instalments
        if each.paid_at is not None
    }
    return replace(outcome, next_late=next_instalment_was_late(spell, facts, today, paid_on))


def _new_signs(signs: Iterable[SignSeen], former: Iterable[SignSeen]) -> list[SignSeen]:
    """Return the signs that the night before did not see, or saw less often, as far as they are counted one by one."""
    known = {(sign.sign, sign.arm, sign.stage): sign.counted for sign in former}
    return [
        sign
        for sign in signs
        if (sign.sign, sign.arm, sign.stage) not in known
        or (sign.sign is TrialSign.LEAK and sign.counted > known[sign.sign, sign.arm, sign.stage])
    ]


def _result(
    lender: str, trial: Trial, found: _NightSums, signs: Sequence[SignSeen], today: date, now: datetime
) -> TrialResult:
    counts = found.counts
    names = [arm.name for arm in trial.arms]
    return TrialResult(
        lender=lender,
        trial=trial.trial_id,
        layer=trial.layer.value,
        night=today,
        as_of=now,
        starts_on=trial.starts_on,
        ends_on=trial.ends_on,
        goal_days=trial.goal_days,
        shares={arm.name: arm.share for arm in trial.arms},
        stages=tuple(sorted(trial.stages)),
        places=tuple(sorted(trial.places)),
        is_learned=trial.is_learned,
        drawn={name: counts.drawn[name] for name in names},
        running={name: counts.running[name] for name in names},
        comparisons=comparisons_of(trial, found.sums, today),
        harm_per_thousand={
            name: 1000 * counts.harm[name] / counts.texts[name]
            for name in names
            if name != SILENCE and counts.texts[name]
        },
        signs=(*signs_of_trial(trial, counts), *signs),
        sums=found.sums,
    )
