"""
The ladder: the next stage of an account, and its day.

A ladder runs on the earliest unpaid instalment. Stages before and on the due date are skipped when they are late,
because their words are no longer true. Overdue stages come in order: after the stage reached comes the next stage,
never a harsher one, and never earlier than the policy allows. A ladder that is late keeps its own distances: after a
late +3 the stage +7 comes four days later, unless the policy lets it catch up.
"""

from collections.abc import Sequence

from dunning.domain.customer.facts import Instalment
from dunning.domain.customer.standing import Progress

type Step = tuple[int, int]
"""The next stage, and the first local day on which it may be sent, as an ordinal (`date.toordinal`)."""


def next_step(
    ladder: Sequence[int],
    min_days: int,
    instalment: Instalment,
    progress: Progress | None,
    today: int,
    last_text: int = 0,
    catch_up_days: int | None = None,
    repeats: bool = False,  # noqa: FBT001, FBT002 - by position, which is quicker
) -> Step | None:
    """
    Return the next stage for an account's earliest unpaid instalment, or `None` after the last.

    The stage is due if its first day is today or past. Days are ordinals. `last_text` is the day of the last text that
    marked a stage of the account, for whichever instalment: a payment moves the ladder to the next instalment, and must
    not hasten the next text.

    A ladder that is late keeps `catch_up_days` between two overdue stages, or their own distance if that is shorter, or
    if it is `None`. `repeats` says that the text of `progress.on` did not arrive: its stage is sent again.
    """
    due_on = instalment.due_on.toordinal()
    reached = instalment.stage_reached
    closest = last_text + min_days
    kept: Progress | None = None
    if progress is not None and _still_speaks(progress, instalment):
        if reached is None or progress.stage >= reached:
            reached = progress.stage
            kept = progress if reached > 0 and not repeats else None
        closest = max(closest, progress.on.toordinal() + min_days)
    for position, stage in enumerate(ladder):
        if reached is not None and stage <= reached:
            continue
        first_day = due_on + stage
        if stage > 0:
            if kept is not None:
                own = stage - kept.stage
                apart = own if catch_up_days is None else min(own, catch_up_days)
                closest = max(closest, kept.on.toordinal() + apart)
            return stage, max(first_day, closest)
        if today <= first_day:
            return stage, first_day
        if today < due_on and _far_from_next(ladder, position, today - due_on, min_days):
            return stage, first_day
    return None


def stage_heard(ladder: Sequence[int], instalment: Instalment, progress: Progress | None) -> int | None:
    """Return the last overdue stage of a ladder that an instalment has reached; `None` if it has reached none."""
    reached = instalment.stage_reached
    if progress is not None and _still_speaks(progress, instalment):
        reached = progress.stage if reached is None else max(reached, progress.stage)
    return None if reached is None else max((stage for stage in ladder if 0 < stage <= reached), default=None)


def _still_speaks(progress: Progress, instalment: Instalment) -> bool:
    """Tell whether the stage reached still holds: not if the due date has since moved past the day of its text."""
    return instalment.due_on == progress.due_on or instalment.due_on <= progress.on


def _far_from_next(ladder: Sequence[int], position: int, days: int, min_days: int) -> bool:
    """Tell whether a late stage before the due date still keeps its distance from the next stage."""
    following = ladder[position + 1] if position + 1 < len(ladder) else 0
    return following - days >= min_days
