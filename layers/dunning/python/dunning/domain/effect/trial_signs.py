"""
Signs: rules by which a night sees that a trial is broken, or does harm; a function each.

The levels are those of `sample_ratio`. Each rule gives the signs that it sees, worst first, and none if all is well.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.effect.compared_spells import epoch_drawn_in
from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.draws import SILENCE, TEXTED, Layer, draws_from_text, epoch_begins, epoch_of
from dunning.domain.effect.sample_ratio import (
    LEAST_DRAWS,
    ContactMade,
    FitOfCounts,
    HarmCount,
    HeldOutSpan,
    MovingCount,
    arms_to_pause,
    differential_loss,
    fit_of_rates,
    fit_to_shares,
    leaks,
    unmatched,
)
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_counts import ArmOdds, TrialCounts
from dunning.domain.effect.trial_results import SignSeen, TrialSign
from dunning.domain.effect.trials import Trial, expected_shares

GRACE = timedelta(days=1)
"""Claims and records come by two streams, a day late at most."""

DRAWN_LATE = timedelta(days=14)
"""In the first days of an epoch a text may go out that was drawn in the epoch before."""

_LEAST_IN_A_CELL = 50
"""Draws of a cell before its probabilities are taken as known."""

_ROUNDING = 1e-3


def held_out_spans(trial: Trial, book: Iterable[SettledSpell]) -> list[HeldOutSpan]:
    """Return from when to when customers of a holdout may hear nothing at its stages."""
    since: dict[tuple[str, int], date] = {}
    for spell, _ in book:
        if trial.layer is Layer.HOLDOUT and spell.draws[0].arm == SILENCE:
            key = spell.customer_id, epoch_drawn_in(trial, spell)
            since[key] = min(spell.drawn_on, since.get(key, spell.drawn_on))
    return [
        HeldOutSpan(
            customer_id,
            trial.stages,
            first,
            min(epoch_begins(epoch + 1, trial.starts_on) - timedelta(days=1), trial.ends_on),
        )
        for (customer_id, epoch), first in since.items()
    ]


def contacts_in(trial: Trial, rungs: Iterable[DrawnRung], zone: ZoneInfo) -> list[ContactMade]:
    """
    Return the contacts by which a holdout may have been broken, with their days in `zone`.

    A text goes out in any case, with the probability 1, if it marks a stage outside of the trial as well, or repeats a
    text that did not arrive. Such a text breaks no silence. Nor does a text without a draw in the first days of a
    trial: it may have come due before.
    """
    return [
        ContactMade(rung.customer_id, rung.stage, rung.at.astimezone(zone).date(), rung.channel, rung.send_id)
        for rung in rungs
        if not rung.was_silent
        and rung.stage in trial.stages
        and (not rung.place or rung.place in trial.places)
        and not _may_be_sent(trial, rung, rung.at.astimezone(zone).date())
    ]


def _may_be_sent(trial: Trial, rung: DrawnRung, day: date) -> bool:
    draw = next((each for each in draws_from_text(rung.draws) if each.layer is Layer.HOLDOUT), None)
    if draw is None or draw.trial not in {"", trial.trial_id}:
        return day < trial.starts_on + DRAWN_LATE
    if draw.propensity == 1:
        return True
    if day < trial.starts_on:
        return False
    epoch = epoch_of(day, trial.starts_on)
    return bool(epoch) and draw.arm == TEXTED and day < epoch_begins(epoch, trial.starts_on) + DRAWN_LATE


def leaks_of_holdout(trial: Trial, book: Iterable[SettledSpell], rungs: Iterable[DrawnRung], zone: ZoneInfo) -> int:
    """Return how many contacts broke the silence of a holdout's customers."""
    spans = held_out_spans(trial, book)
    if not spans:
        return 0
    silent = {span.customer_id for span in spans}
    of_silent = [rung for rung in rungs if rung.customer_id in silent]
    return len(leaks(spans, contacts_in(trial, of_silent, zone)))


def leak_signs(counts: TrialCounts) -> list[SignSeen]:
    """See contacts of customers who were held out: one is enough."""
    return [SignSeen(TrialSign.LEAK, arm=SILENCE, counted=counts.leaks)] if counts.leaks else []


def leaks_seen(signs: Iterable[SignSeen]) -> int:
    """Return the contacts that broke a silence, as a night before has counted them."""
    return sum(sign.counted for sign in signs if sign.sign is TrialSign.LEAK)


class _ComparedDraws(NamedTuple):
    """Draws that are compared at once: those of an epoch, of a stage in it, and of a week of that stage."""

    epoch: int
    stage: int | None = None
    week: str | None = None


def sample_ratio_signs(trial: Trial, counts: TrialCounts) -> list[SignSeen]:
    """See counts that do not fit the configured shares: of the trial, of its stages, and of their ISO weeks."""
    arms = [arm.name for arm in trial.arms]
    scopes: dict[_ComparedDraws, list[int]] = {}
    for cell, number in counts.cells.items():
        whole = _ComparedDraws(cell.epoch)
        stage = whole._replace(stage=cell.stage)
        for scope in (whole, stage, stage._replace(week=cell.week)):
            scopes.setdefault(scope, [0] * len(arms))[arms.index(cell.arm)] += number
    judged = {scope: row for scope, row in scopes.items() if sum(row) >= LEAST_DRAWS}
    found = []
    for scope, row in judged.items():
        shares = {arm.name: arm.share for arm in expected_shares(trial, scope.epoch)}
        fit = fit_to_shares(row, [shares[arm] for arm in arms])
        if fit.is_alarming(len(judged)):
            found.append(_sign_of_fit(TrialSign.SAMPLE_RATIO, fit, stage=scope.stage))
    return _worst_by_stage(found)


def _sign_of_fit(sign: TrialSign, fit: FitOfCounts, *, arm: str = "", stage: int | None = None) -> SignSeen:
    return SignSeen(sign, arm=arm, stage=stage, counted=fit.draws, off_by=fit.off_by, p_value=fit.p_value)


def _worst_by_stage(signs: Sequence[SignSeen]) -> list[SignSeen]:
    worst: dict[int | None, SignSeen] = {}
    for sign in signs:
        known = worst.get(sign.stage)
        if known is None or (sign.p_value or 0) < (known.p_value or 0):
            worst[sign.stage] = sign
    return sorted(worst.values(), key=lambda sign: (sign.p_value or 0, sign.stage is not None, sign.stage or 0))


def moving_share_signs(trial: Trial, counts: TrialCounts) -> list[SignSeen]:
    """
    See counts that do not fit the probabilities that the arms had, where a learner moves the shares.

    A record names the probability of the arm that was drawn. The draws of a week, segment, place and stage have the
    same weights, so those of the other arms are known from their own draws.
    """
    arms = [each.name for each in trial.arms]
    totals = dict.fromkeys(arms, MovingCount(0, 0.0, 0.0))
    number = 0
    for odds in counts.moving.values():
        drawn, probabilities = _of_same_weights(odds, arms)
        here = sum(drawn.values())
        number += here
        for arm, probability in probabilities.items():
            total = totals[arm]
            totals[arm] = MovingCount(
                total.drawn + drawn[arm],
                total.expected + here * probability,
                total.variance + here * probability * (1 - probability),
            )
    return [
        SignSeen(
            TrialSign.MOVING_SHARES,
            arm=arm,
            counted=total.drawn,
            off_by=abs(total.drawn - total.expected) / number,
            p_value=math.erfc(abs(total.z) / math.sqrt(2)),
        )
        for arm, total in totals.items()
        if number >= LEAST_DRAWS and total.is_alarming
    ]


def _of_same_weights(odds: Counter[ArmOdds], arms: Sequence[str]) -> tuple[Counter[str], dict[str, float]]:
    """
    Return the draws of a cell that had the same weights, by arm, and the probabilities of all arms.

    A rung that is late has the weights of another week, and where an arm is paused, the others have larger shares. Such
    draws are left out, if every arm tells which they are; else the cell is not judged. Nor is a small cell: an arm that
    was not drawn there does not tell its probability, and gets the rest.
    """
    by_arm: dict[str, list[tuple[int, float]]] = {}
    for (arm, propensity), drawn in odds.items():
        by_arm.setdefault(arm, []).append((drawn, propensity))
    if len({len(found) for found in by_arm.values()}) != 1:
        return Counter(), {}
    most = {arm: max(found) for arm, found in by_arm.items()}
    counts = Counter({arm: drawn for arm, (drawn, _) in most.items()})
    known = {arm: propensity for arm, (_, propensity) in most.items()}
    missing = [arm for arm in arms if arm not in known]
    rest = 1 - sum(known.values())
    if counts.total() < _LEAST_IN_A_CELL or rest < -_ROUNDING or (not missing and rest > _ROUNDING):
        return Counter(), {}
    return counts, known | {arm: max(0.0, rest) / len(missing) for arm in missing}


def loss_signs(trial: Trial, counts: TrialCounts) -> list[SignSeen]:
    """See arms that lose unequal shares of their customers: unreadable, gone, or erased."""
    arms = [arm.name for arm in trial.arms]
    fit = differential_loss([counts.lost[arm] for arm in arms], [counts.settled[arm] for arm in arms])
    return [_sign_of_fit(TrialSign.LOSS, fit)] if fit.is_alarming() else []


def pre_trend_signs(trial: Trial, counts: TrialCounts) -> list[SignSeen]:
    """
    See arms whose customers paid differently before the draw, by the payer segment that their record names.

    A learner gives each segment shares of its own: there a difference is meant, and it is the moving shares that tell.
    """
    if trial.is_learned:
        return []
    arms = [arm.name for arm in trial.arms]
    found: list[SignSeen] = []
    for epoch in sorted({cell.epoch for cell in counts.cells}):
        rows: dict[str, list[int]] = {}
        for cell, number in counts.cells.items():
            if cell.epoch == epoch:
                rows.setdefault(cell.payer_segment, [0] * len(arms))[arms.index(cell.arm)] += number
        totals = [sum(row[index] for row in rows.values()) for index in range(len(arms))]
        if len(rows) > 1:
            fits = [fit_of_rates(row, totals) for _, row in sorted(rows.items())]
            alarming = [fit for fit in fits if fit.is_alarming(len(fits))]
            found += [_sign_of_fit(TrialSign.PRE_TREND, min(alarming, key=lambda fit: fit.p_value))] if alarming else []
    return found


def harm_signs(trial: Trial, counts: TrialCounts) -> list[SignSeen]:
    """
    See arms that bring more opt-outs, complaints and wrong persons.

    Where a learner runs, than the slice that it leaves even; else, than the other arms together. Silence is no text.
    """
    arms = [arm.name for arm in trial.arms if arm.name != SILENCE]
    if len(arms) < 2:  # noqa: PLR2004 - a comparison
        return []
    by_arm = {arm: HarmCount(counts.harm[arm], counts.texts[arm]) for arm in arms}
    found = []
    for arm, count in by_arm.items():
        others = HarmCount(
            sum(each.events for name, each in by_arm.items() if name != arm),
            sum(each.texts for name, each in by_arm.items() if name != arm),
        )
        beside = HarmCount(counts.even_harm, counts.even_texts) if trial.is_learned and counts.even_texts else others
        if arm in arms_to_pause({arm: count}, beside):
            off_by = count.events / count.texts - (beside.events / beside.texts if beside.texts else 0.0)
            found.append(SignSeen(TrialSign.HARM, arm=arm, counted=count.events, off_by=off_by))
    return found


def record_signs(claimed: Collection[str], recorded: Collection[str]) -> list[SignSeen]:
    """See draws of claims without a record, and records that no claim drew, by send ids of whole days."""
    apart = unmatched(claimed, recorded)
    return [
        SignSeen(sign, counted=len(send_ids))
        for sign, send_ids in (
            (TrialSign.DRAW_WITHOUT_RECORD, apart.without_record),
            (TrialSign.RECORD_WITHOUT_DRAW, apart.without_draw),
        )
        if send_ids
    ]


def signs_of_trial(trial: Trial, counts: TrialCounts) -> tuple[SignSeen, ...]:
    """Return all signs that are seen in what was counted of a trial."""
    shares = moving_share_signs if trial.is_learned else sample_ratio_signs
    return (
        *leak_signs(counts),
        *shares(trial, counts),
        *loss_signs(trial, counts),
        *pre_trend_signs(trial, counts),
        *harm_signs(trial, counts),
    )
