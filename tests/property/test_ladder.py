"""The ladder against the plainest way of finding the next stage: day by day, from today on."""

from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dunning.domain.customer.facts import Instalment
from dunning.domain.customer.standing import Progress
from dunning.domain.decision.ladder import next_step, stage_heard
from tests.support.builders import an_instalment

DAY = timedelta(days=1)
NO = False
DUE = date(2026, 12, 1)

days = st.integers(-25, 60).map(lambda offset: DUE + offset * DAY)
ladders = st.lists(st.integers(-12, 30), min_size=1, max_size=6, unique=True).map(sorted)
stages = st.integers(-14, 32)
progresses = st.builds(Progress, stages, days, st.just(DUE) | days)


def goes_on(progress: Progress | None, instalment: Instalment) -> bool:
    """Tell whether the ladder goes on after its last text: a due date moved beyond that text starts it again."""
    return progress is not None and (progress.due_on == instalment.due_on or instalment.due_on <= progress.on)


def plainly(
    ladder: Sequence[int],
    min_days: int,
    instalment: Instalment,
    progress: Progress | None,
    today: date,
    last_text: date | None,
    catch_up: int | None,
    repeats: bool,  # noqa: FBT001 - as the ladder takes it
) -> tuple[int, date] | None:
    due = instalment.due_on
    reached = [] if instalment.stage_reached is None else [instalment.stage_reached]
    texts = [last_text] if last_text else []
    apart = None
    if progress is not None and goes_on(progress, instalment):
        texts.append(progress.on)
        if not repeats and progress.stage > 0 and progress.stage >= max(reached, default=progress.stage):
            apart = progress
        reached.append(progress.stage)
    for stage in [stage for stage in ladder if all(stage > before for before in reached)]:
        day = due + stage * DAY
        if stage <= 0:
            later = [other for other in ladder if other > stage]
            next_words = due + (later[0] if later else 0) * DAY
            in_time = today <= day
            early_enough = today < due and next_words >= today + min_days * DAY
            if in_time or early_enough:
                return stage, day
            continue
        while any(day < text + min_days * DAY for text in texts) or (
            apart is not None and day < apart.on + min(stage - apart.stage, 999 if catch_up is None else catch_up) * DAY
        ):
            day += DAY
        return stage, day
    return None


@settings(max_examples=150)
@given(
    ladders,
    st.integers(1, 6),
    st.none() | stages,
    st.none() | progresses,
    days,
    st.none() | days,
    st.none() | st.integers(1, 8),
    st.booleans(),
)
@example([-10, 3], 3, None, Progress(-10, DUE - 4 * DAY, DUE), DUE + DAY, None, None, NO)  # late, before it was due
@example([0, 3], 1, None, Progress(0, DUE + DAY, DUE + DAY), DUE + 3 * DAY, None, None, NO)  # now due a day earlier
@example([1, 7], 1, None, Progress(1, DUE + 5 * DAY, DUE), DUE + 5 * DAY, None, None, NO)  # the very first overdue
@example([1, 7], 1, None, Progress(1, DUE + 5 * DAY, DUE), DUE + 5 * DAY, None, 2, NO)  # and may catch up
@example([3, 7], 3, 3, Progress(3, DUE + 19 * DAY, DUE), DUE + 19 * DAY, None, None, NO)  # reached there and here
@example([-3, 0, 3], 6, None, Progress(-3, DUE, DUE + 3 * DAY), DUE + DAY, None, None, NO)  # due on the day of its text
@example([-12, -5], 3, None, None, DUE - 7 * DAY, None, None, NO)  # the next stage is two days off
@example([-12, -5], 3, None, None, DUE - 8 * DAY, None, None, NO)  # or three
@example([-10], 3, None, None, DUE - 3 * DAY, None, None, NO)  # after the last stage the due day counts
@example([-10], 3, None, None, DUE - 2 * DAY, None, None, NO)
@example([-3, 7], 3, None, None, DUE, None, None, NO)  # the due day itself is no day before it
def test_the_next_stage_and_its_day_are_those_that_counting_days_finds(
    ladder: list[int],
    min_days: int,
    stage_reached: int | None,
    progress: Progress | None,
    today: date,
    last_text: date | None,
    catch_up: int | None,
    repeats: bool,  # noqa: FBT001 - drawn
) -> None:
    instalment = an_instalment(DUE.isoformat(), stage_reached=stage_reached)
    found = next_step(
        ladder,
        min_days,
        instalment,
        progress,
        today.toordinal(),
        last_text.toordinal() if last_text else 0,
        catch_up,
        repeats,
    )
    expected = plainly(ladder, min_days, instalment, progress, today, last_text, catch_up, repeats)
    assert found == (expected and (expected[0], expected[1].toordinal()))


@given(ladders, st.none() | stages, st.none() | progresses)
def test_the_stage_heard_is_the_last_overdue_stage_of_the_ladder_up_to_the_stage_reached(
    ladder: list[int], stage_reached: int | None, progress: Progress | None
) -> None:
    instalment = an_instalment(DUE.isoformat(), stage_reached=stage_reached)
    reached = [stage for stage in [stage_reached] if stage is not None]
    reached += [progress.stage] if progress is not None and goes_on(progress, instalment) else []
    overdue = [stage for stage in ladder if stage > 0 and any(stage <= step for step in reached)]
    assert stage_heard(ladder, instalment, progress) == (overdue[-1] if overdue else None)
