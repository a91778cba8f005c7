"""
Tally: counts the changes of both tables, by lender and local day, from their change streams.

    changes of a shard ──> what each counts for ──> a run for each lender and day
                             │                         │ add, unless the run is counted already
                             │                         └─> the customers behind it, then the counters
                             ├─> the rungs that it tells of, if the lender has trials: kept first, by day of the claim
                             └─> an opt-out or a complaint: which text it follows, of which the record is read

A stream delivers a change at least once, and of a shard the first time in order. The counters of a lender, day and
shard know the last change in them. So a change that comes again is left out, in whatever batch it comes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.contracts.change_stream import ChangeRecord, ShardChanges
from dunning.domain.counters import changes_of_contact, changes_of_reply, changes_of_standing, is_listed
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.effect.drawn_rungs import DrawnRung, rung_of
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import Reply
from dunning.domain.text_effects import EffectChange, TextDetails, counters_of_effect, effects_of_change
from dunning.ports.contacts import ContactKey, SentTexts
from dunning.ports.tallies import CountedChanges, ImageReader, TallyWriter
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.ports.trial_nights import DrawClaim, DrawnRungWriter, RungRun

COUNTERS_A_RUN = 250
"""The most counters that are added at once: some more would not fit into an expression of DynamoDB (4 KB)."""

type CountedItem = Standing | Contact | Reply


class _CountedChange(NamedTuple):
    lender: str
    day: date
    sequence: int
    at: datetime
    customer_id: str
    counters: Mapping[str, int]


class _RungChange(NamedTuple):
    lender: str
    day: date
    sequence: int
    at: datetime
    entry: DrawnRung | DrawClaim


class _ReadChange(NamedTuple):
    record: ChangeRecord
    old: CountedItem | None
    new: CountedItem | None
    lender: str
    customer_id: str


class TallyService:
    """
    Counts changes. `zone_of` is the time zone in which a lender's days begin and end.

    Of a lender that `has_trials`, the rungs on record are kept in `rungs` for the nightly run. `texts` tells of the
    text that an opt-out or a complaint follows. No record is read of any other change.
    """

    def __init__(
        self,
        *,
        images: ImageReader,
        tally: TallyWriter,
        zone_of: Callable[[str], ZoneInfo],
        telemetry: Telemetry,
        rungs: DrawnRungWriter,
        has_trials: Callable[[str], bool],
        texts: SentTexts,
    ) -> None:
        self._images = images
        self._tally = tally
        self._zone_of = zone_of
        self._telemetry = telemetry
        self._rungs = rungs
        self._has_trials = has_trials
        self._texts = texts

    def count(self, changes: ShardChanges) -> None:
        """
        Count the changes of a shard that are not counted yet. A change that cannot be read is passed over, and logged.

        Raises:
            ServiceCallError: a call failed. What is counted is not counted again: deliver the batch again.
        """
        read = [change for record in changes.records if (change := self._read(record)) is not None]
        self._keep_rungs(changes.shard, read)
        effects = self._effect_counters(read)
        found = [
            counted
            for change, followed in zip(read, effects, strict=True)
            if (counted := self._counted(change, followed)).counters
        ]
        found.sort(key=lambda change: (change.lender, change.day, change.sequence))
        for (lender, day), group in groupby(found, key=lambda change: (change.lender, change.day)):
            self._add(lender, day, changes.shard, list(group))

    def _read(self, record: ChangeRecord) -> _ReadChange | None:
        try:
            old = self._images.read(record.old) if record.old else None
            new = self._images.read(record.new) if record.new else None
            known = new or old
            if known is None:
                return None
            lender = known.lender_id if isinstance(known, Standing) else known.lender
            if old is None and isinstance(new, Contact) and self._has_trials(lender):
                rung_of(new)  # a rung that cannot be read is not counted either
        except (UnreadableRecordError, ValueError) as error:
            self._telemetry.log_event(LogEvent.CHANGE_NOT_COUNTED, sequence=str(record.sequence), error=str(error))
            self._telemetry.count(Metric.CHANGES_NOT_COUNTED)
            return None
        return _ReadChange(record, old, new, lender, known.customer_id)

    def _effect_counters(self, read: Sequence[_ReadChange]) -> list[Mapping[str, int]]:
        """Return for each change what the effects of texts count for; the records of all these texts are read once."""
        effects = [_text_effects_of(change) for change in read]
        keys = [
            _key_of_text(change, effect)
            for change, own in zip(read, effects, strict=True)
            for effect in own
            if effect.text is not None
        ]
        details = self._texts.details_of(keys) if keys else {}
        return [_sum_of_effects(change, own, details) for change, own in zip(read, effects, strict=True)]

    def _counted(self, change: _ReadChange, effects: Mapping[str, int]) -> _CountedChange:
        record = change.record
        day = record.at.astimezone(self._zone_of(change.lender)).date()
        counters = {**counters_of_change(change.old, change.new), **effects}
        return _CountedChange(change.lender, day, record.sequence, record.at, change.customer_id, counters)

    def _keep_rungs(self, shard: str, read: Sequence[_ReadChange]) -> None:
        """Keep the rungs and claims before anything is counted: if this dies, all of it comes again."""
        found = [
            _RungChange(
                change.lender,
                entry.at.astimezone(self._zone_of(change.lender)).date(),
                change.record.sequence,
                change.record.at,
                entry,
            )
            for change in read
            if self._has_trials(change.lender)
            for entry in rungs_of_change(change.old, change.new)
        ]
        found.sort(key=lambda change: (change.lender, change.day, change.sequence))
        for (lender, day), group in groupby(found, key=lambda change: (change.lender, change.day)):
            run = list(group)
            self._rungs.keep_rungs(
                RungRun(
                    lender=lender,
                    day=day,
                    shard=shard,
                    first=run[0].sequence,
                    last=run[-1].sequence,
                    as_of=max(change.at for change in run),
                    rungs=[change.entry for change in run if isinstance(change.entry, DrawnRung)],
                    claims=[change.entry for change in run if isinstance(change.entry, DrawClaim)],
                )
            )

    def _add(self, lender: str, day: date, shard: str, run: Sequence[_CountedChange]) -> None:
        for part in _parts_that_fit(run):
            left = part
            while left:
                known = self._tally.add(_together(lender, day, shard, left))
                if known is None:
                    break
                left = [change for change in left if change.sequence > known]


def _parts_that_fit(run: Sequence[_CountedChange]) -> Iterator[Sequence[_CountedChange]]:
    """Yield a run in its order, in as many parts as it takes for each to have few enough counters."""
    counters: set[str] = set()
    begin = 0
    for number, change in enumerate(run):
        if number > begin and len(counters | change.counters.keys()) > COUNTERS_A_RUN:
            yield run[begin:number]
            begin, counters = number, set()
        counters |= change.counters.keys()
    yield run[begin:]


def _text_effects_of(change: _ReadChange) -> list[EffectChange]:
    match change.old, change.new:
        case (Standing() | None, Standing()):
            return effects_of_change(change.old, change.new)
        case _:
            return []


def _key_of_text(change: _ReadChange, effect: EffectChange) -> ContactKey:
    assert effect.text is not None  # noqa: S101 - the caller asks only for texts that are known
    return ContactKey(change.customer_id, effect.text.at, effect.text.send_id)


def _sum_of_effects(
    change: _ReadChange, effects: Sequence[EffectChange], details: Mapping[ContactKey, TextDetails]
) -> Mapping[str, int]:
    counters: dict[str, int] = {}
    for effect in effects:
        known = details.get(_key_of_text(change, effect)) if effect.text is not None else None
        for counter, number in counters_of_effect(effect, known).items():
            counters[counter] = counters.get(counter, 0) + number
    return counters


def rungs_of_change(old: CountedItem | None, new: CountedItem | None) -> list[DrawnRung | DrawClaim]:
    """
    Return what a change tells of rungs: a new record of a reminder, claims with a draw, and claims that were released.

    A claim that leaves the ledger as another one comes is forgotten, because it is too old for any cap: its record
    stays. A release takes a claim out and adds none.

    Raises:
        ValueError: a record does not say in a known form what was asked for.
    """
    match old, new:
        case (None, Contact()):
            rung = rung_of(new)
            return [] if rung is None else [rung]
        case (Standing() | None, Standing()):
            before = _drawn_claims(old) if old is not None else {}
            after = _drawn_claims(new)
            left = {entry.claim_id for entry in new.ledger}
            is_release = old is not None and left <= {entry.claim_id for entry in old.ledger}
            released = [claim for claim_id, claim in before.items() if claim_id not in left] if is_release else []
            return [
                *(claim for claim_id, claim in after.items() if claim_id not in before),
                *(claim._replace(is_released=True) for claim in released),
            ]
        case _:
            return []


def _drawn_claims(standing: Standing) -> dict[str, DrawClaim]:
    return {
        entry.claim_id: DrawClaim(standing.customer_id, entry.send_id, entry.claim_id, entry.at)
        for entry in standing.ledger
        if entry.draws
    }


def counters_of_change(old: CountedItem | None, new: CountedItem | None) -> Mapping[str, int]:
    """Return what a change of an item counts for."""
    match old, new:
        case (Standing() | None, Standing()):
            return changes_of_standing(old, new)
        case (Contact() | None, Contact()):
            return changes_of_contact(old, new)
        case (Reply() | None, Reply()):
            return changes_of_reply(old, new)
        case _:
            return {}


def _together(lender: str, day: date, shard: str, run: Sequence[_CountedChange]) -> CountedChanges:
    counters: dict[str, int] = {}
    customers: dict[str, dict[str, None]] = {}
    for change in run:
        for counter, number in change.counters.items():
            counters[counter] = counters.get(counter, 0) + number
            if change.customer_id and is_listed(counter):
                customers.setdefault(counter, {})[change.customer_id] = None
    return CountedChanges(
        lender=lender,
        day=day,
        shard=shard,
        first=run[0].sequence,
        last=run[-1].sequence,
        as_of=max(change.at for change in run),
        counters=counters,
        customers={counter: tuple(ids) for counter, ids in customers.items()},
    )
