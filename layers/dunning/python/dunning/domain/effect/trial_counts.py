"""
Trial counts: what the signs of a broken trial are read from. Numbers only; parts of a book may be added in any order.

A holdout is drawn once for a customer and an epoch. So a customer counts once, at the first rung of the epoch: later
rungs depend on whether the first was silent. Other draws are made anew at each rung, and each rung counts. Whether
customers are lost is asked of the first rung too: who is silent has more of them, and so more to lose.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dunning.domain.effect.compared_spells import epoch_drawn_in, last_before
from dunning.domain.effect.draws import SHARE_DIGITS, SILENCE, Draw, Layer
from dunning.domain.effect.settling import OutcomeState, SideEffects, Spell
from dunning.domain.effect.strategies import iso_week
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trials import Trial, expected_shares


class DrawCell(NamedTuple):
    """Where draws are counted: an epoch, an ISO week, a stage, a payer segment, and the arm that was drawn."""

    epoch: int
    week: str
    stage: int
    payer_segment: str
    arm: str


class MovingCell(NamedTuple):
    """Where draws with moving shares are counted: those of a cell were drawn with the same weights."""

    week: str
    payer_segment: str
    place: str
    stage: int


class ArmOdds(NamedTuple):
    """An arm, and the probability with which it was drawn."""

    arm: str
    propensity: float


@dataclass(slots=True)
class TrialCounts:
    """What is counted of a trial."""

    drawn: Counter[str] = field(default_factory=Counter)
    """The rungs by arm."""
    running: Counter[str] = field(default_factory=Counter)
    cells: Counter[DrawCell] = field(default_factory=Counter)
    """Draws with the configured shares. Where an arm was left out or paused, shares were others."""
    moving: dict[MovingCell, Counter[ArmOdds]] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    """The customers by arm whose first rung has no outcome: it cannot be read, or they were erased."""
    settled: Counter[str] = field(default_factory=Counter)
    """The customers by arm whose first rung's days are over."""
    harm: Counter[str] = field(default_factory=Counter)
    """Texts by arm that an opt-out, a complaint or a wrong person followed, before any other text."""
    texts: Counter[str] = field(default_factory=Counter)
    even_harm: int = 0
    """The same of the slice that a learner leaves even."""
    even_texts: int = 0
    leaks: int = 0

    def add(self, other: "TrialCounts") -> None:
        """Add what is counted of other customers."""
        for name in ("drawn", "running", "cells", "lost", "settled", "harm", "texts"):
            getattr(self, name).update(getattr(other, name))
        for cell, odds in other.moving.items():
            self.moving.setdefault(cell, Counter()).update(odds)
        self.even_harm += other.even_harm
        self.even_texts += other.even_texts
        self.leaks += other.leaks


def counts_of(trial: Trial, book: Iterable[SettledSpell]) -> TrialCounts:
    """Return what is counted of the customers of a part of a book. All spells of each customer are in it."""
    counts = TrialCounts()
    firsts: dict[tuple[str, int], SettledSpell] = {}
    harmed: dict[str, list[Spell]] = {}
    for settled in book:
        spell, outcome = settled
        draw = spell.draws[0]
        counts.drawn[draw.arm] += 1
        if outcome.state is OutcomeState.RUNNING:
            counts.running[draw.arm] += 1
        if outcome.state is OutcomeState.SETTLED and draw.arm != SILENCE:
            counts.texts[draw.arm] += 1
            counts.even_texts += draw.is_uniform
            if _is_harm(outcome.side_effects):
                harmed.setdefault(spell.customer_id, []).append(spell)
        if trial.is_learned:
            cell = MovingCell(iso_week(spell.drawn_on), spell.payer_segment, spell.place, spell.stage)
            counts.moving.setdefault(cell, Counter())[ArmOdds(draw.arm, draw.propensity)] += 1
        elif trial.layer is not Layer.HOLDOUT:
            _count_cell(counts, trial, spell)
        key = spell.customer_id, epoch_drawn_in(trial, spell)
        first = firsts.setdefault(key, settled)
        if spell.drawn_at < first.spell.drawn_at:
            firsts[key] = settled
    for spell, outcome in firsts.values():
        arm = spell.draws[0].arm
        if trial.layer is Layer.HOLDOUT:
            _count_cell(counts, trial, spell)
        if outcome.state is not OutcomeState.RUNNING:
            counts.settled[arm] += 1
            counts.lost[arm] += outcome.state is not OutcomeState.SETTLED
    _count_harm(counts, harmed.values())
    return counts


def _is_harm(effects: SideEffects) -> bool:
    return effects.opted_out or effects.complained or effects.wrong_person


def _count_harm(counts: TrialCounts, by_customer: Iterable[Sequence[Spell]]) -> None:
    for spells in by_customer:
        in_order = sorted(spells, key=lambda spell: spell.drawn_at)
        for draw in [in_order[index].draws[0] for index in last_before(in_order)]:
            counts.harm[draw.arm] += 1
            counts.even_harm += draw.is_uniform


def _count_cell(counts: TrialCounts, trial: Trial, spell: Spell) -> None:
    draw, epoch = spell.draws[0], epoch_drawn_in(trial, spell)
    if _had_configured_share(trial, draw, epoch):
        cell = DrawCell(epoch, iso_week(spell.drawn_on), spell.stage, spell.payer_segment, draw.arm)
        counts.cells[cell] += 1


def _had_configured_share(trial: Trial, draw: Draw, epoch: int) -> bool:
    """Tell whether no arm was left out or paused when the draw was made."""
    return any(
        arm.name == draw.arm and round(arm.share, SHARE_DIGITS) == draw.propensity
        for arm in expected_shares(trial, epoch)
    )
