"""
Trials: arms, shares, dates and a goal, written down before chance acts.

A trial is off until it names who approved it. The rules here say which trials a policy may have; each raises a
`ValueError` that names the field and the fix.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

from dunning.domain.effect.draws import (
    EPOCH_WEEKS,
    LEAST_SILENT,
    LEAST_TEXTED,
    SILENCE,
    TEXTED,
    USUAL_TEXT,
    Arm,
    Draw,
    Layer,
    draw_arm,
    draw_learned_arm,
    epoch_of,
    holdout_threshold,
    is_name,
    restricted_to,
    unit_draw,
    weight_for_share,
)

LEAST_SHARE = 0.01
"""The smallest share of an arm: a smaller one teaches nothing within the life of a trial."""

MOST_HELD_OUT = 0.5
"""The largest share of customers that a holdout may leave without a text."""

LATEST_HELD_OUT_STAGE = 7
"""The last stage that may be held out, in days past due. Fees, notices and reports follow the later ones."""

LONGEST_GOAL_DAYS = 60
LONGEST_DAYS = 6 * 7 * EPOCH_WEEKS
"""Three years. What a longer trial finds is of customers, prices and texts that are no more."""
MOST_CUSTOMERS = 100_000_000
SHORTEST_SALT = 8

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A comparison of arms in one layer, as a lender's policy declares it."""

    trial_id: str
    """The name in records: small letters, digits, `_` and `-`, at most 16."""
    layer: Layer
    """What chance decides."""
    arms: tuple[Arm, ...]
    """The arms with their shares, which sum to 1. A holdout has the arms `text` and `silence`."""
    stages: frozenset[int]
    """The stages of the ladder at which chance acts, in days from the due date."""
    places: frozenset[str]
    """The jurisdictions whose customers take part."""
    goal_days: int
    """The days after the draw within which everything the rung asked for has to be paid, to count as a cure."""
    starts_on: date
    """The first local day on which a rung is drawn; epochs are counted from it."""
    ends_on: date
    """The last local day on which a rung is drawn."""
    salt: str
    """What makes the draws of this trial independent of all others; it contains no `#`."""
    approved_by: str = ""
    """Who approved the trial; empty means that the trial is off."""
    approved_on: date | None = None
    """The day of the approval."""
    planned_customers: int = 5_000
    """The number of customers at which the sequence of intervals is narrowest, fixed before the start."""
    is_learned: bool = False
    """Whether a learner moves the shares. The shares of the trial count until it does."""
    segments: frozenset[str] = frozenset()
    """The payer segments that take part; empty for all customers."""
    value_of_cure_usd_micros: int = 0
    """What a cure is worth to the lender, in millionths of a US dollar; for a learned share of silence only."""
    annoyance_usd_micros: int = 0
    """What a text costs in good will, beside its price, likewise."""
    share_held_out: float = field(init=False)
    """The share of the arm that hears nothing; 0 if there is none."""

    def __post_init__(self) -> None:
        """Look for the silent arm once: each draw asks."""
        silent = next((arm.share for arm in self.arms if arm.name == SILENCE), 0.0)
        object.__setattr__(self, "share_held_out", silent)


def is_in_force(trial: Trial, stage: int, place: str, day: date) -> bool:
    """Tell whether chance acts in a trial for a rung that came due on a local day."""
    return (
        bool(trial.approved_by)
        and trial.approved_on is not None
        and trial.starts_on <= day <= trial.ends_on
        and stage in trial.stages
        and place in trial.places
    )


def draw_in(
    trial: Trial,
    customer_id: str,
    day: date,
    *,
    instalment: str,
    stage: int,
    allowed: Collection[str] | None = None,
    weights: Sequence[Arm] | None = None,
) -> Draw | None:
    """
    Return the draw of a wording or an hour at a rung that came due on the local day `day`; a holdout: `draw_holdout`.

    `allowed` are the arms that are lawful for the customer and not paused; `None` means all. `weights` are the shares
    of a learner's strategy. If no arm is left, there is no draw. If a single arm is left, its probability is 1.
    """
    epoch = epoch_of(day, trial.starts_on)
    arms = weights if weights is not None else trial.arms
    if allowed is not None:
        arms = restricted_to(arms, allowed)
    if not arms:
        return None
    position = unit_draw(trial.salt, trial.layer.value, epoch, customer_id, instalment, stage)
    if weights is not None:
        return draw_learned_arm(trial.layer, trial.trial_id, position, arms)
    return draw_arm(trial.layer, trial.trial_id, position, arms)


def expected_shares(trial: Trial, epoch: int) -> tuple[Arm, ...]:
    """
    Return the shares that the counts of an epoch are judged by: those of the draws that left something to chance.

    They are the configured ones, but for a holdout after its first epoch: who was held out before is not drawn.
    """
    if trial.layer is not Layer.HOLDOUT:
        return trial.arms
    silent = holdout_threshold(trial.share_held_out, epoch)
    return tuple(Arm(arm.name, silent if arm.name == SILENCE else 1 - silent) for arm in trial.arms)


def within_floors(trial: Trial, weights: Sequence[Arm]) -> tuple[Arm, ...]:
    """
    Return a learner's weights such that enough are texted, where an arm is silent.

    A weight below the floor is raised to it, and the silent arm gives what is missing. The even slice keeps enough
    silent.
    """
    if not trial.share_held_out:
        return tuple(weights)
    least = weight_for_share(LEAST_TEXTED, len(weights))
    texted = {arm.name: max(arm.share, least) for arm in weights if arm.name != SILENCE}
    return tuple(Arm(arm.name, texted.get(arm.name, 1 - sum(texted.values()))) for arm in weights)


def check_trials(trials: Sequence[Trial], owed: Mapping[str, Collection[int]]) -> None:
    """
    Check all trials of a policy.

    `owed` are the stages whose text law or contract owes the customer, by place.

    Raises:
        ValueError: a rule is broken; the message names the trial, the field and the fix.
    """
    for trial in trials:
        check_names(trial)
        check_shares(trial)
        check_dates(trial)
        check_reach(trial)
        check_silence(trial, owed)
        check_worth(trial)
    check_unlike(trials)
    check_apart(trials)
    check_holdout_comes_first(trials)


def _refuse(trial: Trial, field: str, fault: str, fix: str) -> ValueError:
    return ValueError(f"trials.{trial.trial_id or '?'}.{field}: {fault}; {fix}")


def check_names(trial: Trial) -> None:
    """Check the id, the arms' names, the salt, and that an approval names who and when."""
    form = "use 1 to 16 of a-z, 0-9, _ and -"
    if not is_name(trial.trial_id):
        raise _refuse(trial, "id", f"{trial.trial_id!r} cannot stand in a record", form)
    names = [arm.name for arm in trial.arms]
    for name in names:
        if not is_name(name):
            raise _refuse(trial, "arms", f"{name!r} cannot stand in a record", form)
    if len(set(names)) != len(names):
        raise _refuse(trial, "arms", "a name stands twice", "give each arm a name of its own")
    if trial.layer is Layer.HOLDOUT and set(names) != {TEXTED, SILENCE}:
        raise _refuse(trial, "arms", "a holdout compares a text with silence", f"name them {TEXTED} and {SILENCE}")
    if len(trial.salt) < SHORTEST_SALT or "#" in trial.salt:
        raise _refuse(trial, "salt", "it is too short or contains #", f"use {SHORTEST_SALT} random letters or more")
    if bool(trial.approved_by) != (trial.approved_on is not None):
        fix = "give approved_by and approved_on, or neither"
        raise _refuse(trial, "approved_by", "an approval needs a person and a day", fix)


def check_shares(trial: Trial) -> None:
    """Check that the shares sum to 1, and that no arm has too little or is silent for too many."""
    shares = [arm.share for arm in trial.arms]
    if len(shares) < 2:  # noqa: PLR2004 - a comparison
        raise _refuse(trial, "arms", "one arm is no comparison", "give two or more")
    if not all(math.isfinite(share) and share >= LEAST_SHARE for share in shares):
        raise _refuse(trial, "arms", f"an arm has a share below {LEAST_SHARE}", "raise it, or leave the arm out")
    if abs(sum(shares) - 1) > _ROUNDING:
        raise _refuse(trial, "arms", f"the shares sum to {sum(shares):.6g}", "make them sum to 1")
    if trial.layer is Layer.HOLDOUT and trial.share_held_out > MOST_HELD_OUT:
        raise _refuse(trial, "arms", f"{SILENCE} has a share above {MOST_HELD_OUT}", "hold out half at most")
    if trial.is_learned and trial.layer is Layer.HOLDOUT:
        fix = f"fix its shares, or give a trial of texts the arms {USUAL_TEXT} and {SILENCE}"
        raise _refuse(trial, "learned", "a holdout is drawn for the person, and its share stays", fix)
    if trial.is_learned and len(shares) < 3 and not trial.share_held_out:  # noqa: PLR2004 - two arms are a plain trial
        raise _refuse(trial, "learned", "a learner needs three arms", "fix the shares of two arms, with a planned end")


def check_dates(trial: Trial) -> None:
    """Check the order of approval, start and end, the goal, and the planned number of customers."""
    if trial.ends_on < trial.starts_on:
        raise _refuse(trial, "ends_on", "it is before starts_on", "plan an end that comes after the start")
    if (trial.ends_on - trial.starts_on).days >= LONGEST_DAYS:
        raise _refuse(
            trial, "ends_on", "the trial is too long", f"end it within {LONGEST_DAYS} days, and begin another"
        )
    if trial.approved_on is not None and trial.approved_on > trial.starts_on:
        raise _refuse(trial, "approved_on", "it is after starts_on", "start the trial after its approval")
    if not 1 <= trial.goal_days <= LONGEST_GOAL_DAYS:
        raise _refuse(trial, "goal_days", f"{trial.goal_days} days", f"choose 1 to {LONGEST_GOAL_DAYS}")
    if trial.planned_customers < 1:
        raise _refuse(trial, "planned_customers", f"{trial.planned_customers}", "plan with one customer or more")
    if trial.planned_customers > MOST_CUSTOMERS:
        raise _refuse(trial, "planned_customers", "nobody has so many", f"plan with {MOST_CUSTOMERS} at most")


def check_reach(trial: Trial) -> None:
    """Check that a trial says at which stages and places it acts."""
    if not trial.stages:
        raise _refuse(trial, "stages", "none is named", "name the stages of the ladder at which chance acts")
    if not trial.places:
        raise _refuse(trial, "places", "none is named", "name the places whose customers take part")
    if trial.segments and trial.layer is Layer.HOLDOUT:
        fix = f"leave it out, or give a trial of texts the arms {USUAL_TEXT} and {SILENCE}"
        raise _refuse(trial, "segments", "a holdout lasts an epoch, and a payer segment does not", fix)


def check_silence(trial: Trial, owed: Mapping[str, Collection[int]]) -> None:
    """Check that no arm is silent where law or contract owes the text, or where a fee, notice or report follows."""
    if not trial.share_held_out:
        return
    if trial.layer is not Layer.HOLDOUT:
        _check_silence_among_texts(trial)
    late = sorted(stage for stage in trial.stages if stage > LATEST_HELD_OUT_STAGE)
    if late:
        fix = f"leave it out, or hold out stages up to {LATEST_HELD_OUT_STAGE} only"
        raise _refuse(trial, "stages", f"stage {late[0]} comes too late to be silent", fix)
    for place in sorted(trial.places):
        if place not in owed:
            fix = "say for the place which texts are owed, or leave the place out"
            raise _refuse(trial, "places", f"nothing is known of the texts that are owed in {place}", fix)
        both = sorted(trial.stages & set(owed[place]))
        if both:
            fix = "leave out the stage or the place"
            raise _refuse(trial, "stages", f"the text of stage {both[0]} is owed to customers in {place}", fix)


def _check_silence_among_texts(trial: Trial) -> None:
    """Check a trial that leaves out texts rung by rung: up to the due date, beside the usual text, and never all."""
    if {arm.name for arm in trial.arms} != {USUAL_TEXT, SILENCE} or trial.layer is not Layer.TEXT:
        fix = (
            f"name the arms {USUAL_TEXT} and {SILENCE} in the layer {Layer.TEXT}, and compare others in their own trial"
        )
        raise _refuse(trial, "arms", f"{SILENCE} is compared with the usual text alone", fix)
    if overdue := sorted(stage for stage in trial.stages if stage > 0):
        fix = "name stages up to 0, or use a holdout"
        raise _refuse(trial, "stages", f"at stage {overdue[0]} silence is drawn for the person only", fix)
    least = LEAST_SILENT if trial.is_learned else 0
    if 1 - trial.share_held_out < LEAST_TEXTED - _ROUNDING or trial.share_held_out < least - _ROUNDING:
        most = f"from {least:g} to {1 - LEAST_TEXTED:g}"
        raise _refuse(trial, "arms", f"{SILENCE} has a share of {trial.share_held_out:g}", f"choose one {most}")


def check_worth(trial: Trial) -> None:
    """Check that a learned share of silence says what it weighs, and that no other trial does."""
    weighs = trial.is_learned and trial.share_held_out > 0
    if weighs and trial.value_of_cure_usd_micros <= 0:
        fix = "say what one is worth to you, in US dollars"
        raise _refuse(trial, "value_of_cure", "nobody knows when a text is worth its price", fix)
    for name, amount in (
        ("value_of_cure", trial.value_of_cure_usd_micros),
        ("annoyance", trial.annoyance_usd_micros),
    ):
        if amount and not weighs:
            fix = f"take it out, or learn the share of {SILENCE}"
            raise _refuse(trial, name, "this trial weighs nothing", fix)


def check_unlike(trials: Sequence[Trial]) -> None:
    """Check that no two trials have an id or a salt in common: two with one salt would be one trial."""
    for first, second in combinations(trials, 2):
        if first.trial_id == second.trial_id:
            raise _refuse(second, "id", "it stands twice", "give each trial an id of its own, and never one anew")
        if first.salt == second.salt:
            raise _refuse(second, "salt", f"trial {first.trial_id} has the same", "give each trial a salt of its own")


def check_apart(trials: Sequence[Trial]) -> None:
    """Check that at no rung two trials of one layer act."""
    for first, second in combinations(trials, 2):
        if first.layer is second.layer and _meet(first, second):
            fix = "let them differ in stages, places, segments or dates"
            raise _refuse(second, "stages", f"trial {first.trial_id} of the same layer acts there as well", fix)


def check_holdout_comes_first(trials: Sequence[Trial]) -> None:
    """Check that no holdout begins while another trial runs at its rungs: it would take away a part of its arms."""
    for holdout in trials:
        for running in trials:
            if (
                holdout.layer is Layer.HOLDOUT
                and running.layer is not Layer.HOLDOUT
                and running.starts_on < holdout.starts_on
                and _meet(holdout, running)
            ):
                fix = f"start it with that trial or before, or after {running.ends_on}"
                raise _refuse(holdout, "starts_on", f"trial {running.trial_id} is running then", fix)


def _meet(first: Trial, second: Trial) -> bool:
    """Tell whether two trials have a stage, a place, a payer segment and a day in common."""
    return (
        bool(first.stages & second.stages)
        and bool(first.places & second.places)
        and (not first.segments or not second.segments or bool(first.segments & second.segments))
        and first.starts_on <= second.ends_on
        and second.starts_on <= first.ends_on
    )


def check_kept(before: Iterable[Trial], after: Iterable[Trial], today: date) -> None:
    """
    Check that a policy's change leaves a running trial as it was written down; it may only end, or be turned off.

    Raises:
        ValueError: a running trial was changed; the message names the field and the fix.
    """
    later = {trial.trial_id: trial for trial in after}
    for trial in before:
        now = later.get(trial.trial_id)
        if now is None or not is_running(trial, today):
            continue
        for attribute in _KEPT:
            if getattr(trial, attribute) != getattr(now, attribute):
                name = _AS_WRITTEN.get(attribute, attribute)
                raise _refuse(now, name, "the trial is running", "end it, and begin another with a new id and salt")
        if now.ends_on > trial.ends_on:
            raise _refuse(now, "ends_on", "a planned end was put off", "begin another trial instead")


_KEPT = (
    "layer", "arms", "stages", "places", "segments", "goal_days", "starts_on", "salt", "planned_customers",
    "is_learned", "value_of_cure_usd_micros", "annoyance_usd_micros",
)  # fmt: skip
"""What stays while a trial runs."""
_AS_WRITTEN = {
    "is_learned": "learned",
    "value_of_cure_usd_micros": "value_of_cure",
    "annoyance_usd_micros": "annoyance",
}
"""What the fields are called in a policy."""


def is_running(trial: Trial, today: date) -> bool:
    """Tell whether a trial is approved, has begun, and has not ended."""
    return bool(trial.approved_by) and trial.starts_on <= today <= trial.ends_on


def weeks_left(trial: Trial, today: date) -> int:
    """Return the weeks from a day to the planned end (`weeks_to`)."""
    return weeks_to(trial.ends_on, today)


def weeks_to(end: date, today: date) -> int:
    """Return the weeks from a day to the end of another, a part of a week as a whole week; 0 after it."""
    return max(0, -(-((end - today).days + 1) // 7))
