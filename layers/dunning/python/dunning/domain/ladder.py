"""
The ladder: which stage of an account is to be heard, and when.

A ladder runs on the earliest unpaid instalment. Rungs before and on the due date are skipped when late: what
they say is no longer so. Overdue rungs are heard in order, the next one after the last that was heard, never
a harsher one, and never closer together than the policy allows.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dunning.domain.facts import Instalment
from dunning.domain.standing import Progress


class Step(NamedTuple):
    """The rung to be heard next, and the local day from which it may be."""

    stage: int
    from_day: date


def _still_speaks(progress: Progress, instalment: Instalment) -> bool:
    """Tell whether what was heard still holds: not if the due date has since moved past that day."""
    return instalment.due_on == progress.due_on or instalment.due_on <= progress.on


def next_step(
    ladder: Sequence[int],
    min_days: int,
    instalment: Instalment,
    progress: Progress | None,
    today: date,
) -> Step | None:
    """
    Return the next rung for an account's earliest unpaid instalment, or `None` after the last.

    The rung is to be heard now if its `from_day` is today or past, as long as it stays the answer.
    """
    reached = instalment.stage_reached
    last_day = None
    if progress is not None and _still_speaks(progress, instalment):
        reached = progress.stage if reached is None else max(reached, progress.stage)
        last_day = progress.on
    due_on = instalment.due_on
    days = (today - due_on).days
    for position, stage in enumerate(ladder):
        if reached is not None and stage <= reached:
            continue
        if stage > 0:
            from_day = due_on + timedelta(days=stage)
            if last_day is not None:
                from_day = max(from_day, last_day + timedelta(days=min_days))
            return Step(stage, from_day)
        if days <= stage:
            return Step(stage, due_on + timedelta(days=stage))
        if days < 0 and _far_from_next(ladder, position, days, min_days):
            return Step(stage, due_on + timedelta(days=stage))
    return None


def _far_from_next(ladder: Sequence[int], position: int, days: int, min_days: int) -> bool:
    """Tell whether a late rung before the due date still keeps its distance from the next rung."""
    following = ladder[position + 1] if position + 1 < len(ladder) else 0
    return following - days >= min_days
