"""
Compared spells: what of a trial's book arms are compared by.

A holdout is drawn for a person, and what follows its first silence depends on it: who was moved to pay reaches no later
stage. So an instalment counts once, from the first stage at which the trial drew for it, with all texts of its days. A
draw that is made anew at each rung counts at each. What a customer does counts once, after the last text before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dunning.domain.effect.draws import Layer, epoch_of
from dunning.domain.effect.settling import Asked, SideEffects, Spell, last_day
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trials import Trial

type _InstalmentName = tuple[str, int]


def epoch_drawn_in(trial: Trial, spell: Spell) -> int:
    """Return the epoch of a spell; where it is a day earlier than the trial, that is a matter of zones."""
    return epoch_of(max(spell.drawn_on, trial.starts_on), trial.starts_on)


def compared_spells(trial: Trial, book: Iterable[SettledSpell]) -> list[SettledSpell]:
    """Return the spells of a part of a book that count, and with what. All spells of each customer are in it."""
    by_customer: dict[str, list[SettledSpell]] = {}
    for each in book:
        by_customer.setdefault(each.spell.customer_id, []).append(each)
    compared: list[SettledSpell] = []
    for own in by_customer.values():
        own.sort(key=lambda each: each.spell.drawn_at)
        if trial.layer is Layer.HOLDOUT:
            own = _first_for_each_instalment(trial, own)  # noqa: PLW2901 - what of them counts
        compared += _each_effect_once(own)
    return compared


def instalments_not_asked_before(asked: Iterable[Asked], before: set[_InstalmentName]) -> tuple[Asked, ...]:
    """Return what a rung asked for and no rung before it, and put it among what was asked for."""
    new = tuple([each for each in asked if (each.account_id, each.number) not in before])
    before.update([(each.account_id, each.number) for each in new])
    return new


def _first_for_each_instalment(trial: Trial, own: Sequence[SettledSpell]) -> list[SettledSpell]:
    """
    Return a customer's spells that ask for an instalment first in their epoch, each with the texts of its days.

    The payer segment is that of the customer's first spell of the epoch: later ones follow from what was drawn.
    """
    firsts: list[SettledSpell] = []
    before: dict[int, set[_InstalmentName]] = {}
    segments: dict[int, str] = {}
    at: dict[tuple[int, _InstalmentName], int] = {}
    for each in own:
        spell = each.spell
        epoch = epoch_drawn_in(trial, spell)
        segment = segments.setdefault(epoch, spell.payer_segment)
        new = instalments_not_asked_before(spell.asked, before.setdefault(epoch, set()))
        if new:
            at |= {(epoch, (asked.account_id, asked.number)): len(firsts) for asked in new}
            firsts.append(SettledSpell(replace(spell, payer_segment=segment), each.outcome))
            continue
        index = at[epoch, (spell.asked[0].account_id, spell.asked[0].number)]
        first, outcome = firsts[index]
        if spell.drawn_on <= last_day(first):
            firsts[index] = SettledSpell(
                replace(
                    first,
                    parts=first.parts + spell.parts,
                    price_usd_micros=first.price_usd_micros + spell.price_usd_micros,
                    further_texts=first.further_texts + (spell.parts > 0),
                ),
                outcome,
            )
    return firsts


def _each_effect_once(own: Sequence[SettledSpell]) -> list[SettledSpell]:
    """Return a customer's spells, each with those side effects that are put down to it."""
    if not any(any(each.outcome.side_effects) for each in own):
        return list(own)
    kept: list[dict[str, bool]] = [{} for _ in own]
    for name in SideEffects._fields:
        affected = [index for index, each in enumerate(own) if getattr(each.outcome.side_effects, name)]
        for index in last_before([own[index].spell for index in affected]):
            kept[affected[index]][name] = True
    return [
        SettledSpell(spell, replace(outcome, side_effects=SideEffects(**flags)))
        for (spell, outcome), flags in zip(own, kept, strict=True)
    ]


def last_before(spells: Sequence[Spell]) -> list[int]:
    """
    Return which of a customer's spells, in their order, something that falls into their days is put down to.

    An opt-out falls into the days of all texts of the weeks before. Put down to each of them it would be counted
    several times, and for the arms of all of them: an arm would hide behind the others.
    """
    return [
        index
        for index, spell in enumerate(spells)
        if index + 1 == len(spells) or spells[index + 1].drawn_on > last_day(spell)
    ]
