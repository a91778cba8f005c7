"""
Keeping books: which spells a night adds to a trial's book, which it looks at again, and what is left of the erased.

A spell is looked at on the night after its last day, and again on the last night on which late payments may still
change it. Four weeks after its last day it is asked once whether the next instalment was late.
"""

import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dunning.domain.effect.compared_spells import epoch_drawn_in, instalments_not_asked_before
from dunning.domain.effect.drawn_rungs import DrawnRung, spell_for
from dunning.domain.effect.draws import Layer
from dunning.domain.effect.settling import (
    REOPENED_DAYS,
    Asked,
    OutcomeState,
    Spell,
    SpellOutcome,
    last_day,
)
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trials import Trial

BOOK_PARTS = 64
"""The parts of a trial's book. A part of a million spells fits into memory."""

NEXT_LATE_DAYS = 28
"""The days after the last day of a spell by which the next monthly instalment has come due."""

KEPT_AFTER_THE_END = timedelta(days=45)
"""The days after the last spell of a trial for which its book is looked at: the next instalment is known by then."""

_RUNNING = SpellOutcome(state=OutcomeState.RUNNING)
_ERASED = SpellOutcome(state=OutcomeState.ERASED)
_NOBODY = "#"
"""Begins what stands in place of an erased customer's id. No customer id has a `#`."""


def book_part_of(customer_id: str) -> int:
    """Return the part of a book that holds all spells of a customer."""
    return zlib.crc32(customer_id.encode()) % BOOK_PARTS


def is_kept_up(trial: Trial, today: date) -> bool:
    """Tell whether a night looks at a trial: from its first day until nothing of its spells can change any more."""
    return trial.starts_on <= today <= trial.ends_on + timedelta(days=trial.goal_days) + KEPT_AFTER_THE_END


def new_spells(
    book: Collection[SettledSpell], rungs: Iterable[DrawnRung], trial: Trial, zone: ZoneInfo
) -> list[SettledSpell]:
    """
    Return the spells of rungs that a book does not have, by `send_id`, in the order of their draws.

    The local day is that of `zone` until the customer is looked at for the first time. A holdout's rung that asks for
    an instalment for the first time asks for that alone: what it asked for before has its own spell.

    Raises:
        ValueError: the draws of a rung cannot be read, or nothing is known of what it asked for.
    """
    mark = f"{trial.trial_id}."
    known = {each.spell.send_id for each in book}
    found: dict[str, SettledSpell] = {}
    for rung in sorted(rungs, key=lambda each: (each.at, each.send_id)):
        if mark not in rung.draws or rung.send_id in known or rung.send_id in found:
            continue
        spell = spell_for(rung, trial, rung.at.astimezone(zone).date())
        if spell is not None:
            found[spell.send_id] = SettledSpell(spell, _RUNNING)
    return _asking_anew(trial, book, found.values()) if trial.layer is Layer.HOLDOUT else list(found.values())


def _asking_anew(trial: Trial, book: Iterable[SettledSpell], found: Collection[SettledSpell]) -> list[SettledSpell]:
    customers = {each.spell.customer_id for each in found}
    before: dict[tuple[str, int], set[tuple[str, int]]] = {}
    for spell, _ in book:
        if spell.customer_id in customers:
            known = before.setdefault((spell.customer_id, epoch_drawn_in(trial, spell)), set())
            instalments_not_asked_before(spell.asked, known)
    anew = []
    for spell, outcome in found:
        known = before.setdefault((spell.customer_id, epoch_drawn_in(trial, spell)), set())
        asked = instalments_not_asked_before(spell.asked, known) or spell.asked
        anew.append(SettledSpell(replace(spell, asked=asked), outcome))
    return anew


def where_the_customer_lives(spell: Spell, zone: ZoneInfo) -> Spell:
    """Return a spell with the local day of its draw where the customer lives."""
    return replace(spell, drawn_on=spell.drawn_at.astimezone(zone).date())


def end_of_last_day(spell: Spell, zone: ZoneInfo) -> datetime:
    """Return the instant at which the last day of a spell ends; a day on which clocks change has its own length."""
    return datetime.combine(last_day(spell) + timedelta(days=1), time(), zone).astimezone(UTC)


def is_to_be_settled(settled: SettledSpell, today: date, before: date) -> bool:
    """
    Tell whether a spell is settled tonight: once its days are over, and on the last night that may change it.

    `before` is the day of the night before: if the last night was missed, the next one stands in for it.
    """
    spell, outcome = settled
    if outcome.state is OutcomeState.ERASED or today <= last_day(spell):
        return False
    if outcome.state is OutcomeState.RUNNING:
        return True
    return before < last_day(spell) + timedelta(days=1 + REOPENED_DAYS) <= today


def is_to_be_asked_for_the_next(settled: SettledSpell, today: date, before: date) -> bool:
    """Tell whether it is time to see if the next instalment was late; `before` is the day of the night before."""
    spell, outcome = settled
    return (
        outcome.state is OutcomeState.SETTLED
        and outcome.next_late is None
        and before < last_day(spell) + timedelta(days=NEXT_LATE_DAYS) <= today
    )


def without_the_erased(book: Sequence[SettledSpell], erased: Iterable[tuple[str, datetime]]) -> list[SettledSpell]:
    """
    Return a book in which nothing tells who was erased: the spell stays as one that has left, for the counts of arms.

    `erased` are customers, and the moment up to which their spells leave. Spells of one customer stay together under a
    number that says nothing.
    """
    until = dict(erased)
    numbers: dict[str, str] = {}
    used = {each.spell.customer_id for each in book if each.spell.customer_id.startswith(_NOBODY)}
    kept = []
    for each in book:
        customer_id = each.spell.customer_id
        if customer_id in until and each.spell.drawn_at <= until[customer_id]:
            if customer_id not in numbers:
                numbers[customer_id] = f"{_NOBODY}{len(used) + len(numbers) + 1}"
            kept.append(_without_person(each.spell, numbers[customer_id]))
        else:
            kept.append(each)
    return kept


def _without_person(spell: Spell, number: str) -> SettledSpell:
    """Return what is left of a spell: what was drawn, on which day, and in which group."""
    left = replace(
        spell,
        customer_id=number,
        send_id="",
        drawn_at=datetime.combine(spell.drawn_on, time(), UTC),
        asked=(Asked("", 0, 0),),
        parts=0,
        price_usd_micros=0,
    )
    return SettledSpell(left, _ERASED)
