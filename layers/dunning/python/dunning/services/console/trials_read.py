"""Trials, for people: what each may say, what stands beside it, and what to do. Nothing is estimated here."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import dropwhile
from typing import NamedTuple

from dunning.contracts.trials_document import trials_document
from dunning.domain.decision.chance import minute_of_hour_arm
from dunning.domain.effect.draws import SILENCE, TEXTED, USUAL_TEXT, Layer
from dunning.domain.effect.payer_segments import UNKNOWN_PAYER
from dunning.domain.effect.strategies import EVERY_SEGMENT
from dunning.domain.effect.sums import LIFT_WORTH_FINDING, ArmSummary, FirstLine, LiftEstimate, SumKey
from dunning.domain.effect.trial_results import ArmComparison, LiftPoint, SignSeen, TrialResult, TrialSign
from dunning.domain.effect.trials import Trial, weeks_left, weeks_to
from dunning.ports.clock import Clock
from dunning.ports.trial_books import TrialResults
from dunning.services.console.shown import CodeShown, MeasureShown, SentenceShown, StageShown

PARTS_SHOWN = 16
"""Parts of a trial on its page: with more it would weigh more than 30 KB."""

LINES_SHOWN = 3
"""Comparisons whose line is drawn, for the same reason."""

LONGEST_WEEKS = 520
"""More weeks are said to be more than ten years."""

NIGHTS_SHOWN = 21
"""Rows of the table beside the lines, all comparisons together."""

NIGHTS_DRAWN = 60
"""Nights of a line: more of them cannot be told apart."""


class LenderTrial(NamedTuple):
    """A trial as a lender's policy has it."""

    lender: str
    trial: Trial


class SideEffect(NamedTuple):
    """A measure of the arms of a trial, in the order of the arms."""

    name: CodeShown
    figures: tuple[MeasureShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftRow:
    """
    The lift of an arm over another, in the whole trial or a part of it, with what stands beside it.

    `sentence` is said if both arms have customers, `to_do` if something follows from `says`. `picture` holds lift, low
    and high as shares of 1, for a chart.
    """

    arm: object
    other: object
    part: object = None
    says: SentenceShown
    to_do: SentenceShown | None
    sentence: SentenceShown | None
    ends_too_soon: SentenceShown | None
    customers: int
    cure_rates: tuple[MeasureShown, MeasureShown]
    lift: MeasureShown
    low: MeasureShown
    high: MeasureShown
    at_the_end: SentenceShown | None
    costs: SentenceShown
    price: MeasureShown
    price_between: SentenceShown | None
    beside: tuple[SideEffect, ...]
    picture: tuple[float, float, float] | None


class LiftLine(NamedTuple):
    """The lifts of an arm over another by night, and those of them that stand in the table."""

    arm: object
    other: object
    points: tuple[LiftPoint, ...]
    in_table: tuple[LiftPoint, ...]


class ArmRow(NamedTuple):
    """An arm: its configured share, the rungs that were drawn, those still running, and those without an outcome."""

    arm: object
    share: MeasureShown
    drawn: int
    running: int
    lost: int
    erased: int
    harm: MeasureShown
    is_paused: bool


class SignShown(NamedTuple):
    """A sign that something is wrong: what was seen, at which stage (`None` for the trial as a whole), what to do."""

    seen: SentenceShown
    stage: StageShown | None
    to_do: CodeShown


class LearnedRow(NamedTuple):
    """What a learner decided for a payer segment."""

    week: str
    payer_segment: object
    shares: tuple[MeasureShown, ...]
    reason: CodeShown


class HeldOutCost(NamedTuple):
    """Who is held out, and what that has cost so far."""

    held_out: SentenceShown
    cures: SentenceShown


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """A trial. `state` is `running`, `paused` (arms of it), `stopped`, `ended`, `coming`, `waiting` or `off`."""

    lender: str
    trial: str
    layer: CodeShown
    state: CodeShown
    starts_on: date
    ends_on: date
    weeks_left: int
    goal_days: int
    stages: tuple[StageShown, ...]
    places: tuple[str, ...]
    approved_by: str
    approved_on: date | None
    is_in_policy: bool
    planned_customers: int | None
    as_of: datetime | None
    is_learned: bool
    arms: tuple[ArmRow, ...]
    lifts: tuple[LiftRow, ...]
    parts: tuple[tuple[CodeShown, tuple[LiftRow, ...]], ...] = ()
    parts_left_out: int = 0
    lines: tuple[LiftLine, ...] = ()
    signs: tuple[SignShown, ...]
    held_out: HeldOutCost | None
    learned: tuple[LearnedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsView:
    """All trials, running first; `lenders` are those that have any."""

    lender: str
    lenders: tuple[str, ...]
    trials: tuple[TrialView, ...]


class TrialsService:
    """
    Reads trials for people.

    Args:
        results: what each night knows.
        planned: the trials of all policies, approved or not.
        clock: the time.
    """

    def __init__(self, results: TrialResults, planned: Callable[[], Sequence[LenderTrial]], clock: Clock) -> None:
        self._results = results
        self._planned = planned
        self._clock = clock

    def view(self, lender: str = "") -> TrialsView:
        """Return all trials of a lender, or of all; those without a result yet come last."""
        plans = {(each.lender, each.trial.trial_id): each.trial for each in self._planned()}
        found = self._results.newest()
        known = {(each.lender, each.trial) for each in found}
        views = [_trial_view(each, plans.get((each.lender, each.trial))) for each in found]
        today = self._clock.now().date()
        views.sort(key=lambda each: _ORDER[each.state.code])
        views += [_without_result(each, *key, today) for key, each in plans.items() if key[1:] and key not in known]
        lenders = tuple(sorted({each.lender for each in views}))
        shown = lender if lender in lenders else ""
        return TrialsView(
            lender=shown, lenders=lenders, trials=tuple(each for each in views if shown in {"", each.lender})
        )

    def trial(self, lender: str, trial: str) -> TrialView | None:
        """Return all that is known of a trial; `None` if there is none."""
        plan = next(
            (each.trial for each in self._planned() if (each.lender, each.trial.trial_id) == (lender, trial)), None
        )
        result = next(
            (each for each in self._results.newest() if (each.lender, each.trial) == (lender, trial)), None
        )  # not asked by lender: an address may be longer than a key
        if result is None:
            return _without_result(plan, lender, trial, self._clock.now().date()) if plan else None
        return _trial_view(result, plan, self._results.line_of(lender, trial))

    def document(self, lender: str = "") -> str:
        """Return the JSON of what the last night knows of each trial, as programs read it (`trials.json`)."""
        return trials_document([each for each in self._results.newest() if lender in {"", each.lender}])


def _trial_view(result: TrialResult, plan: Trial | None, points: Sequence[LiftPoint] | None = None) -> TrialView:
    """Return a result for people; without `points` as it stands in a list, without parts and lines."""
    whole = [each for each in result.comparisons if _trial_part(each) is None]
    parts = [each for each in result.comparisons if _is_part_worth_showing(result, each)] if points is not None else []
    return TrialView(
        lender=result.lender,
        trial=result.trial,
        layer=CodeShown("trial_layer", result.layer),
        state=CodeShown("trial_state", _state_of(result)),
        starts_on=result.starts_on,
        ends_on=result.ends_on,
        weeks_left=weeks_to(result.ends_on, result.night),
        goal_days=result.goal_days,
        stages=tuple(map(StageShown, result.stages)),
        places=result.places,
        approved_by=plan.approved_by if plan else "",
        approved_on=plan.approved_on if plan else None,
        is_in_policy=plan is not None,
        planned_customers=plan.planned_customers if plan else None,
        as_of=result.as_of,
        is_learned=result.is_learned,
        arms=tuple(_arm_rows(result)),
        lifts=tuple(_lift_row(result, each) for each in whole),
        parts=tuple(_by_kind(result, parts[:PARTS_SHOWN])),
        parts_left_out=max(0, len(parts) - PARTS_SHOWN),
        lines=tuple(_lines(whole[:LINES_SHOWN], points or ())),
        signs=tuple(map(_sign, result.signs)),
        held_out=_held_out_cost(result, whole),
        learned=tuple(_learned(result)),
    )


def _without_result(plan: Trial, lender: str, trial: str, today: date) -> TrialView:
    """Return a trial of a policy of which no night knows anything yet."""
    is_over = plan.ends_on < today
    state = "off" if not plan.approved_by else "ended" if is_over else "coming" if plan.starts_on > today else "waiting"
    return TrialView(
        lender=lender,
        trial=trial,
        layer=CodeShown("trial_layer", plan.layer.value),
        state=CodeShown("trial_state", state),
        starts_on=plan.starts_on,
        ends_on=plan.ends_on,
        weeks_left=weeks_left(plan, today),
        goal_days=plan.goal_days,
        stages=tuple(map(StageShown, sorted(plan.stages))),
        places=tuple(sorted(plan.places)),
        approved_by=plan.approved_by,
        approved_on=plan.approved_on,
        is_in_policy=True,
        planned_customers=plan.planned_customers,
        as_of=None,
        is_learned=plan.is_learned,
        arms=tuple(
            ArmRow(arm_shown(arm.name), MeasureShown(arm.share, "percent"), 0, 0, 0, 0, _PER_THOUSAND_UNKNOWN, False)  # noqa: FBT003
            for arm in plan.arms
        ),
        lifts=(),
        signs=(),
        held_out=None,
        learned=(),
    )


_PER_THOUSAND_UNKNOWN = MeasureShown(None, "per_thousand")


def _state_of(result: TrialResult) -> str:
    if result.is_stopped:
        return "stopped"
    if result.night > result.ends_on:
        return "ended"
    return "paused" if result.paused else "running"


_ORDER = {"running": 0, "paused": 0, "stopped": 1, "ended": 2}
"""How trials with results follow one another in the list."""


def arm_shown(arm: str) -> object:
    """Return an arm as people name it: an hour as a time, a wording by its name."""
    if arm in {TEXTED, SILENCE, USUAL_TEXT}:
        return CodeShown("trial_arm", arm)
    minute = minute_of_hour_arm(arm)
    return arm if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def segment_shown(payer_segment: str) -> object:
    """Return a payer segment as people name it: those that a policy names, by their names."""
    shown = {UNKNOWN_PAYER: "unknown", EVERY_SEGMENT: "every"}.get(payer_segment)
    return CodeShown("trial_segment", shown) if shown else payer_segment


def _trial_part(comparison: ArmComparison) -> tuple[str, object] | None:
    """Return the kind and the name of a part; `None` for the whole trial."""
    if comparison.stage is not None:
        return "stage", StageShown(comparison.stage)
    if comparison.payer_segment is not None:
        return "segment", segment_shown(comparison.payer_segment)
    return None if comparison.place is None else ("place", comparison.place)


def _is_part_worth_showing(result: TrialResult, comparison: ArmComparison) -> bool:
    """Tell whether something is a part of a trial that is not the whole of it: the only place of a trial is."""
    return _trial_part(comparison) is not None and (comparison.place is None or len(result.places) > 1)


def _by_kind(result: TrialResult, parts: Sequence[ArmComparison]) -> Iterator[tuple[CodeShown, tuple[LiftRow, ...]]]:
    for kind in ("stage", "segment", "place"):
        rows = tuple(_lift_row(result, each) for each in parts if (_trial_part(each) or ("", None))[0] == kind)
        if rows:
            yield CodeShown("trial_by", kind), rows


# ------------------------------------------------------------------ a lift


def _lift_row(result: TrialResult, comparison: ArmComparison) -> LiftRow:
    estimate, part = comparison.estimate, _trial_part(comparison)
    interval = estimate.interval
    bounds = (interval.low, interval.high) if interval else (None, None)
    names = {"arm": arm_shown(comparison.arm), "other": arm_shown(comparison.other)}
    is_holdout = result.layer == Layer.HOLDOUT
    ends_too_soon = _ends_too_soon(result, estimate)
    return LiftRow(
        **names,
        part=part[1] if part else None,
        says=_first_sentence(result, estimate, names),
        to_do=None if ends_too_soon else _to_do(result, comparison, names),
        sentence=_sentence(estimate, names, result.goal_days, is_holdout=is_holdout),
        ends_too_soon=ends_too_soon,
        customers=estimate.arm.customers + estimate.other.customers,
        cure_rates=(MeasureShown(estimate.arm.cure_rate, "percent"), MeasureShown(estimate.other.cure_rate, "percent")),
        lift=MeasureShown(estimate.lift, "points"),
        low=MeasureShown(bounds[0], "points"),
        high=MeasureShown(bounds[1], "points"),
        at_the_end=_at_the_end(result, estimate),
        costs=_costs(estimate),
        price=MeasureShown(estimate.price_usd_micros_per_additional_cure, "usd_micros"),
        price_between=_price_between(estimate),
        beside=tuple(_beside(result, comparison)),
        picture=(estimate.lift, interval.low, interval.high) if estimate.lift is not None and interval else None,
    )


BREAKING = frozenset(
    {TrialSign.LEAK, TrialSign.SAMPLE_RATIO, TrialSign.MOVING_SHARES, TrialSign.LOSS, TrialSign.PRE_TREND}
)
"""The signs after which no conclusion may be drawn."""


def _is_broken(result: TrialResult) -> bool:
    return any(each.sign in BREAKING for each in result.signs)


def _draws_no_more(result: TrialResult) -> bool:
    return _state_of(result) in {"stopped", "ended"}


def _first_sentence(result: TrialResult, estimate: LiftEstimate, names: Mapping[str, object]) -> SentenceShown:
    """Return what may be said: nothing of a broken trial; with too few customers how many it takes, and how long."""
    if _is_broken(result):
        return SentenceShown("trial.no_conclusion")
    is_holdout = result.layer == Layer.HOLDOUT
    have = estimate.arm.customers + estimate.other.customers
    numbers = {
        "have": have,
        "needs": estimate.needs_customers or 0,
        "weeks": estimate.needs_weeks or 0,
        "points": MeasureShown(LIFT_WORTH_FINDING, "size_in_points"),
    }
    match estimate.first_line:
        case FirstLine.MORE_PAY:
            key = "trial.more_pay" if is_holdout else "trial.more_pay_with"
        case FirstLine.FEWER_PAY:
            key = "trial.fewer_pay" if is_holdout else "trial.fewer_pay_with"
        case FirstLine.NO_DIFFERENCE_FOUND:
            key = "trial.no_difference_found"
        case FirstLine.TOO_FEW if estimate.needs_customers is None:
            key = "trial.nothing_known"
        case FirstLine.TOO_FEW if estimate.needs_weeks == 0:
            key = "trial.too_few_in_an_arm"
        case FirstLine.TOO_FEW if _draws_no_more(result):
            key = "trial.too_few_at_the_end"
        case FirstLine.TOO_FEW if estimate.needs_weeks is None:
            key = "trial.too_few_for_ever"
        case FirstLine.TOO_FEW:
            key = "trial.too_few" if estimate.needs_weeks <= LONGEST_WEEKS else "trial.too_few_for_years"
    return SentenceShown(key, {**names, **numbers})


def _sentence(
    estimate: LiftEstimate, names: Mapping[str, object], goal_days: int, *, is_holdout: bool
) -> SentenceShown | None:
    """Return both rates and the lift in a sentence, with the interval if there is one; `None` without customers."""
    if estimate.lift is None:
        return None
    if estimate.interval:
        key = "trial.lift_of_texts" if is_holdout else "trial.lift_of_arm"
    else:
        key = "trial.lift_of_texts_unsure" if is_holdout else "trial.lift_of_arm_unsure"
    return SentenceShown(
        key,
        {
            **names,
            "days": goal_days,
            "rate": MeasureShown(estimate.arm.cure_rate, "percent"),
            "other_rate": MeasureShown(estimate.other.cure_rate, "percent"),
            "lift": MeasureShown(estimate.lift, "points"),
            "low": MeasureShown(estimate.interval.low if estimate.interval else None, "points"),
            "high": MeasureShown(estimate.interval.high if estimate.interval else None, "points"),
        },
    )


def _to_do(result: TrialResult, comparison: ArmComparison, names: Mapping[str, object]) -> SentenceShown | None:
    """Return what a manager does next. A sign says itself what to do, and a learner needs nobody."""
    estimate = comparison.estimate
    if _is_broken(result) or result.is_learned:
        return None
    better = comparison.arm if estimate.first_line is FirstLine.MORE_PAY else comparison.other
    is_silent = SILENCE in {comparison.arm, comparison.other}
    match estimate.first_line:
        case FirstLine.MORE_PAY | FirstLine.FEWER_PAY if is_silent:
            key = "trial.next_texts_harm" if better == SILENCE else "trial.next_texts_help"
        case FirstLine.MORE_PAY:
            key = "trial.next_arm_helps"
        case FirstLine.FEWER_PAY:
            key = "trial.next_other_stays"
        case FirstLine.NO_DIFFERENCE_FOUND:
            key = "trial.next_by_cost"
        case FirstLine.TOO_FEW if _draws_no_more(result) or (estimate.needs_customers and estimate.needs_weeks is None):
            key = "trial.next_a_larger_one"
        case FirstLine.TOO_FEW:
            key = "trial.next_wait"
    return SentenceShown(key, names)


def _ends_too_soon(result: TrialResult, estimate: LiftEstimate) -> SentenceShown | None:
    """Tell that a running trial ends before it is large enough."""
    if _state_of(result) not in {"running", "paused"}:
        return None
    left = weeks_to(result.ends_on, result.night)
    if estimate.first_line is not FirstLine.TOO_FEW or not estimate.needs_weeks or estimate.needs_weeks <= left:
        return None
    return SentenceShown("trial.ends_too_soon", {"left": left, "day": result.ends_on})


def _at_the_end(result: TrialResult, estimate: LiftEstimate) -> SentenceShown | None:
    """Return the interval for a single look; before the end it would only mislead whoever looks."""
    if estimate.at_the_end is None or _state_of(result) != "ended" or _is_broken(result):
        return None
    low, high = (MeasureShown(bound, "points") for bound in estimate.at_the_end)
    return SentenceShown("trial.at_the_end", {"low": low, "high": high})


def _costs(estimate: LiftEstimate) -> SentenceShown:
    """Return the price of an additional cure, with its bounds. That more pay, or no more, is said only if sure."""
    price, least, most = (
        MeasureShown(micros, "usd_micros")
        for micros in (
            estimate.price_usd_micros_per_additional_cure,
            estimate.price_is_at_least,
            estimate.price_is_at_most,
        )
    )
    low, high = estimate.interval or (-math.inf, math.inf)
    is_sure = high <= 0 if price.value is None else low > 0
    if (price.value is None or price.value <= 0) and not is_sure:
        return SentenceShown("trial.price_not_known")
    if price.value is None:
        return SentenceShown("trial.no_price")
    if price.value == 0:
        return SentenceShown("trial.costs_nothing")
    if price.value < 0:
        return SentenceShown("trial.costs_less", {"price": MeasureShown(-price.value, "usd_micros")})
    if least.value is None:
        return SentenceShown("trial.price_unsure", {"price": price})
    key = "trial.price_without_bound" if most.value is None else "trial.price"
    return SentenceShown(key, {"price": price, "least": least, "most": most})


def _price_between(estimate: LiftEstimate) -> SentenceShown | None:
    """Return the bounds of the price of an additional cure, short; `None` if nothing is known of them."""
    if estimate.price_is_at_least is None:
        return None
    least, most = (MeasureShown(each, "usd_micros") for each in (estimate.price_is_at_least, estimate.price_is_at_most))
    key = "trial.from_on" if most.value is None else "trial.between"
    return SentenceShown(key, {"low": least, "high": most})


BESIDE: tuple[tuple[str, Callable[[ArmSummary], float | None], str], ...] = (
    ("cured", lambda arm: arm.cure_rate, "percent"),
    ("paid_in_part", lambda arm: arm.paid_in_part_rate, "percent"),
    ("promises", lambda arm: arm.promises_per_thousand, "per_thousand"),
    ("broken_promises", lambda arm: arm.broken_promise_rate, "percent"),
    ("opt_outs", lambda arm: arm.opt_outs_per_thousand, "per_thousand"),
    ("complaints", lambda arm: arm.complaints_per_thousand, "per_thousand"),
    ("hardship", lambda arm: arm.hardship_per_thousand, "per_thousand"),
    ("next_late", lambda arm: arm.next_late_rate, "percent"),
    ("texts_per_cure", lambda arm: arm.texts_per_cure, "decimal"),
    ("price_per_rung", lambda arm: arm.price_usd_micros_per_rung, "usd_exact"),
)
"""What stands beside every lift, and in which unit. Wrong persons come after complaints: only the sums have them."""

PRICE_PER_INSTALMENT = "price_per_instalment"
"""What the price of a rung is called in a holdout, whose instalments count once with all their texts."""


def _beside(result: TrialResult, comparison: ArmComparison) -> Iterator[SideEffect]:
    """Yield all measures of both arms: never the cures alone."""
    arms = (comparison.estimate.arm, comparison.estimate.other)
    for measure, of, unit in BESIDE:
        is_of_instalments = measure == "price_per_rung" and result.layer == Layer.HOLDOUT
        name = PRICE_PER_INSTALMENT if is_of_instalments else measure
        yield SideEffect(CodeShown("trial_beside", name), tuple(MeasureShown(of(arm), unit) for arm in arms))
        if name == "complaints":
            wrong = tuple(_wrong_persons(result, comparison, arm) for arm in (comparison.arm, comparison.other))
            yield SideEffect(CodeShown("trial_beside", "wrong_persons"), wrong)


def _wrong_persons(result: TrialResult, comparison: ArmComparison, arm: str) -> MeasureShown:
    part = comparison
    sums = result.sums.get(SumKey(result.trial, arm, part.stage, part.payer_segment, part.place))
    known = sums is not None and sums.k
    return MeasureShown(1000 * sums.wrong_persons / sums.k if sums and known else None, "per_thousand")


# ------------------------------------------------------------------ all else


def _arm_rows(result: TrialResult) -> Iterator[ArmRow]:
    for arm, share in result.shares.items():
        sums = result.sums.get(SumKey(result.trial, arm))
        yield ArmRow(
            arm_shown(arm),
            MeasureShown(share, "percent"),
            result.drawn.get(arm, 0),
            result.running.get(arm, 0),
            sums.lost if sums else 0,
            sums.erased if sums else 0,
            MeasureShown(result.harm_per_thousand.get(arm), "per_thousand"),
            arm in result.paused,
        )


def _lines(comparisons: Sequence[ArmComparison], points: Sequence[LiftPoint]) -> Iterator[LiftLine]:
    rows = max(1, NIGHTS_SHOWN // max(1, len(comparisons)))
    for each in comparisons:
        of_pair = (point for point in points if (point.arm, point.other) == (each.arm, each.other))
        # A line begins where it is drawn from: nights before anything is known would move its beginning.
        found = tuple(dropwhile(lambda point: point.lift is None, of_pair))
        by_week = {point.night.isocalendar()[:2]: point for point in found}  # the last night of each week
        step = -(-len(by_week) // rows) if by_week else 1
        newest_first = tuple(by_week.values())[::-1]
        if found:
            drawn = found[:: -math.ceil(len(found) / NIGHTS_DRAWN)][::-1]  # the last night is always among them
            yield LiftLine(arm_shown(each.arm), arm_shown(each.other), drawn, newest_first[::step])


def _sign(sign: SignSeen) -> SignShown:
    """Return a sign in words, and what to do about it."""
    values = {
        "arm": arm_shown(sign.arm) if sign.arm else "",
        "counted": sign.counted,
        "off_by": MeasureShown(abs(sign.off_by), "percent"),
    }
    return SignShown(
        SentenceShown(f"trial_sign.{sign.sign}", values),
        None if sign.stage is None else StageShown(sign.stage),
        CodeShown("trial_to_do", sign.sign),
    )


def _held_out_cost(result: TrialResult, whole: Sequence[ArmComparison]) -> HeldOutCost | None:
    """Return who is held out and what it costs, for a trial with a silent arm."""
    if SILENCE not in result.shares:
        return None
    against = next((each for each in whole if SILENCE in {each.arm, each.other}), None)
    if against is None:
        return None
    estimate, is_other = against.estimate, against.other == SILENCE
    silent = estimate.other if is_other else estimate.arm
    held_out = SentenceShown(
        "trial.held_out" if result.layer == Layer.HOLDOUT else "trial.left_out",
        {
            "share": MeasureShown(result.shares[SILENCE], "percent"),
            "customers": silent.customers,
            "rungs": result.drawn.get(SILENCE, 0),
        },
    )
    if estimate.lift is None or estimate.interval is None or _is_broken(result):
        return HeldOutCost(held_out, SentenceShown("trial.cures_unknown"))
    lifts = (estimate.lift, *estimate.interval)
    if not is_other:
        lift, low, high = lifts
        lifts = (-lift, -high, -low)
    lost, least, most = (round(each * silent.rungs) for each in lifts)
    if most <= 0:
        return HeldOutCost(held_out, SentenceShown("trial.cures_none"))
    key = "trial.cures_lost" if least > 0 else "trial.cures_lost_perhaps"
    return HeldOutCost(held_out, SentenceShown(key, {"cures": max(0, lost), "least": least, "most": most}))


def _learned(result: TrialResult) -> Iterator[LearnedRow]:
    for each in sorted(result.learned, key=lambda row: (row.week, row.payer_segment), reverse=True):
        yield LearnedRow(
            each.week,
            segment_shown(each.payer_segment),
            tuple(MeasureShown(each.shares.get(arm), "percent") for arm in result.shares),
            CodeShown("trial_reason", each.reason),
        )
