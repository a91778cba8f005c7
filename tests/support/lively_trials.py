"""Trials with results to look at: a holdout with a lift, too few customers, harm, a leak, hours that are learned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dunning.contracts.what_if_result import (
    ExampleCourse,
    ExampleCustomer,
    ExampleDecision,
    ExampleText,
    MostTextedCustomers,
    PaymentsNotKnown,
    PolicySums,
    TrialSize,
    WhatIfResult,
)
from dunning.domain.effect.courses import NextText
from dunning.domain.effect.draws import Arm, Layer
from dunning.domain.effect.sums import ArmSums, SumKey, estimate_lift
from dunning.domain.effect.trial_results import (
    ArmComparison,
    LearnedShare,
    LiftPoint,
    SignSeen,
    TrialResult,
    TrialSign,
)
from dunning.domain.effect.trials import Trial
from dunning.ports.kept_comparisons import (
    KEPT_A_LENDER,
    LARGEST_COMPARISON,
    ComparisonKeeper,
    KeptComparison,
    WrittenComparison,
)
from dunning.services.console.trials_read import LenderTrial

NIGHT = date(2026, 11, 23)
LENDER = "demo-tw"
_STAGES, _PLACES = (-3, 0, 3, 7), ("HK", "TW", "US-NY")
_SEGMENTS = ("always-on-time", "new", "often-late", "sometimes-late", "unknown")


class LivelyTrials:
    """Results in memory: read as pages do, kept as the nights do."""

    def __init__(self, results: Iterable[TrialResult] = (), points: Iterable[tuple[str, LiftPoint]] = ()) -> None:
        self.results = list(results)
        self.points = list(points)

    def newest(self, lender: str = "") -> Sequence[TrialResult]:
        found = [each for each in self.results if lender in {"", each.lender}]
        return sorted(found, key=lambda each: (each.night > each.ends_on or each.is_stopped, each.lender, each.trial))

    def line_of(self, lender: str, trial: str) -> Sequence[LiftPoint]:
        return sorted((point for of, point in self.points if of == f"{lender}/{trial}"), key=lambda point: point.night)


class KeptInMemory:
    """Kept comparisons in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, WrittenComparison] = {}

    def newest_comparisons(self) -> Sequence[KeptComparison]:
        heads = [each.head for each in self.kept.values()]
        return sorted(heads, key=lambda head: (head.kept_at, head.comparison_id), reverse=True)

    def comparison(self, comparison_id: str) -> WrittenComparison | None:
        return self.kept.get(comparison_id)

    def keep_comparison(self, head: KeptComparison, written: str) -> None:
        if len(written.encode()) > LARGEST_COMPARISON:
            raise ValueError(f"comparison: {len(written.encode())} bytes; keep at most {LARGEST_COMPARISON}")
        self.kept[head.comparison_id] = WrittenComparison(head, written)
        of_lender = [each for each in self.newest_comparisons() if each.lender == head.lender]
        for old in of_lender[KEPT_A_LENDER:]:
            del self.kept[old.comparison_id]

    def rewrite_comparison(self, head: KeptComparison, written: str) -> None:
        if head.comparison_id in self.kept:
            self.kept[head.comparison_id] = WrittenComparison(head, written)


def a_comparison(**changes: object) -> WhatIfResult:
    """Return a what-if with a difference in everything, and two examples."""
    today = PolicySums(
        texted=255, texts=1_505, segments=1_918, price_usd_micros=68_290_000,
        by_stage={-3: 200, 0: 240, 3: 250, 7: 260, 15: 280, 30: 275},
        by_hour={9: 12, 10: 640, 11: 380, 14: 200, 18: 273}, by_place={"HK": 300, "TW": 905, "US-NY": 300},
        by_channel={"sms": 1_400, "line": 105}, caps={"person_cap: 1 text in 24 hours": 50},
        waits={"next_stage": 1_498, "quiet_hours": 83}, to_people=188, handed_over={"no_written_notice": 160},
        ended={"next_stage": 83},
        most_texted=MostTextedCustomers(customers=3, texts=34, least=11, most=12),
    )  # fmt: skip
    changed = today.model_copy(
        update={"texts": 1_399, "price_usd_micros": 63_100_000, "by_stage": {0: 240, 3: 250, 7: 260, 15: 280, 30: 369}}
    )
    at = datetime(2026, 11, 16, 3, 59, tzinfo=UTC)
    text = ExampleText(
        at=at, local_at=at.astimezone(ZoneInfo("Asia/Taipei")), stage=3, channel="sms", template="a@3", parts=2
    )
    decision = ExampleDecision(at=at, reason="due", trace=("hold: none is running", "hours: open in TW"))
    before = ExampleCourse(texts=(text,), handed_over=(), decisions=(decision,))
    after = ExampleCourse(texts=(), handed_over=("no_written_notice",), decisions=())
    kinds = {
        "C0001": "fewer texts, next text: none, over to a person",
        "C0002": "as many texts, next text: other words",
    }
    trials = (
        TrialSize(lift=0.02, share=0.5, customers=33_000, weeks=1_100),
        TrialSize(lift=0.01, share=0.5, customers=132_000, weeks=None),
    )
    result = WhatIfResult(
        source="stack dunning-prod", policy="fewer-early", changed_files=("lenders/demo-tw.toml",),
        begin=at, end=at + timedelta(days=45), assumed_payments="nobody pays", customers=290, differing=174, moved=151,
        next_texts={NextText.LATER: 140, NextText.NONE: 11, NextText.OTHER_WORDS: 23}, today=today, changed=changed,
        payments=PaymentsNotKnown(base=0.6, customers_a_week=27.1, trials=trials),
        examples=tuple(
            ExampleCustomer(customer_id=customer_id, difference=kind, today=before, changed=after)
            for customer_id, kind in kinds.items()
        ),
    )  # fmt: skip
    return result.model_copy(update=changes)


def keep_a_comparison(keeper: ComparisonKeeper, result: WhatIfResult | None = None, **changes: Any) -> KeptComparison:  # noqa: ANN401 - fields
    """Keep a what-if, and return its head."""
    result = result or a_comparison()
    head = replace(
        KeptComparison(
            comparison_id="a1b2c3d4e5f60718", lender=LENDER, kept_at=datetime(2026, 11, 23, 2, 30, tzinfo=UTC),
            kept_by="mei.chen", payments="nobody", policy=result.policy, changed_files=result.changed_files,
            customers=result.customers, differing=result.differing,
            texts_today=result.today.texts, texts_changed=result.changed.texts,
        ),
        **changes,
    )  # fmt: skip
    keeper.keep_comparison(head, result.model_dump_json())
    return head


def arm_sums(
    customers: int, rate: float, *, is_texted: bool = True, harm: float = 0.001, late: float = 0.12
) -> ArmSums:
    """Return the sums of customers with one rung each, `rate` of whom paid, with side effects in proportion."""
    cured = round(customers * rate)
    texts = customers if is_texted else 0
    return ArmSums(
        customers=customers, y=cured, k=customers, yy=cured, yk=cured, kk=customers,
        texts=texts, parts=2 * texts, price_usd_micros=45_300 * texts,
        paid_in_part=round(customers * 0.052), opt_outs=round(customers * harm), complaints=round(customers * harm / 3),
        wrong_persons=round(customers * 0.0006), hardship=round(customers * 0.009), promises=round(customers * 0.021),
        broken_promises=round(customers * 0.006), next_late=round(customers * late * 0.8),
        next_known=round(customers * 0.8), lost=round(customers * 0.001), erased=round(customers * 0.0002),
    )  # fmt: skip


def compared(
    arm: str,
    other: str,
    sums: tuple[ArmSums, ArmSums],
    share_of_other: float,
    a_week: float,
    **part: Any,  # noqa: ANN401 - fields
) -> ArmComparison:
    """Return the comparison of two arms as a night makes it."""
    estimate = estimate_lift(*sums, planned_customers=20_000, share_of_other=share_of_other, customers_a_week=a_week)
    return ArmComparison(arm, other, estimate, **part)


def a_holdout(
    trial: str = "quiet", *, customers: int = 61_000, rates: tuple[float, float] = (0.631, 0.602)
) -> TrialResult:
    """Return a holdout of five per cent with the cure rates of both arms, by stage, payer segment and place."""
    held_out = customers // 19
    texted, silent = arm_sums(customers, rates[0]), arm_sums(held_out, rates[1], is_texted=False, harm=0.0003)
    sums = {SumKey(trial, "text"): texted, SumKey(trial, "silence"): silent}
    comparisons = [compared("text", "silence", (texted, silent), 0.05, customers / 14)]
    parts: list[dict[str, Any]] = [
        *[{"stage": stage} for stage in _STAGES],
        *[{"payer_segment": segment} for segment in _SEGMENTS],
        *[{"place": place} for place in _PLACES],
    ]
    for number, part in enumerate(parts):
        size = customers // (3 + number)
        lift = (rates[0] - rates[1]) * (0.2 + 0.3 * (number % 5))
        pair = arm_sums(size, rates[1] + lift), arm_sums(size // 19, rates[1], is_texted=False)
        comparisons.append(compared("text", "silence", pair, 0.05, size / 14, **part))
        for arm, each in zip(("text", "silence"), pair, strict=True):
            sums[SumKey(trial, arm, **part)] = each
    return TrialResult(
        lender=LENDER,
        trial=trial,
        layer=Layer.HOLDOUT.value,
        night=NIGHT,
        as_of=datetime(2026, 11, 23, 18, 10, tzinfo=UTC),
        starts_on=date(2026, 8, 17),
        ends_on=date(2027, 2, 14),
        goal_days=14,
        shares={"text": 0.95, "silence": 0.05},
        stages=_STAGES,
        places=_PLACES,
        drawn={"text": texted.drawn + 4_300, "silence": silent.drawn + 226},
        running={"text": 4_300, "silence": 226},
        comparisons=tuple(comparisons),
        harm_per_thousand={"text": 1.9},
        sums=sums,
    )


def several_arms(
    trial: str, layer: Layer, rates: Mapping[str, float], other: str, *, customers: int = 9_000, harmful: str = ""
) -> TrialResult:
    """Return a trial of several arms, each compared with one of them."""
    arms = {arm: arm_sums(customers, rate, harm=0.011 if arm == harmful else 0.001) for arm, rate in rates.items()}
    share = 1 / len(rates)
    return replace(
        a_holdout(trial),
        layer=layer.value,
        shares=dict.fromkeys(rates, share),
        drawn={arm: sums.drawn + 300 for arm, sums in arms.items()},
        running=dict.fromkeys(rates, 300),
        comparisons=tuple(
            compared(arm, other, (sums, arms[other]), 0.5, customers / 7, **part)
            for part in ({}, *({"stage": stage} for stage in _STAGES))
            for arm, sums in arms.items()
            if arm != other
        ),
        harm_per_thousand={arm: 12.3 if arm == harmful else 1.8 for arm in rates},
        sums={SumKey(trial, arm): sums for arm, sums in arms.items()},
        paused=(harmful,) if harmful else (),
        signs=(SignSeen(TrialSign.HARM, arm=harmful, counted=9_000, off_by=0.011),) if harmful else (),
    )


def line_to(result: TrialResult, weeks: int = 14) -> list[tuple[str, LiftPoint]]:
    """Return a line that comes to the lifts of a result, with intervals that narrow night by night."""
    found = []
    for each in result.comparisons:
        if (each.stage, each.payer_segment, each.place) != (None, None, None) or each.estimate.lift is None:
            continue
        estimate, nights = each.estimate, 7 * weeks
        half = estimate.interval.width / 2 if estimate.interval else 0.05
        for number in range(nights):
            part = (number + 1) / nights
            wander = 0.02 * (1 - part) * (1 if number % 9 < 5 else -1)
            lift, wide = (estimate.lift or 0) + wander, half / part**0.5
            is_known = number > nights // 10 and estimate.interval is not None
            found.append(
                (
                    f"{result.lender}/{result.trial}",
                    LiftPoint(
                        result.night - timedelta(days=nights - 1 - number), each.arm, each.other,
                        round((estimate.arm.customers + estimate.other.customers) * part), lift,
                        lift - wide if is_known else None, lift + wide if is_known else None,
                    ),
                )
            )  # fmt: skip
    return found


def lively() -> LivelyTrials:
    """Return five trials: each shows something else."""
    leaked = replace(
        a_holdout("spring", customers=21_000, rates=(0.611, 0.604)),
        is_stopped=True,
        signs=(SignSeen(TrialSign.LEAK, arm="silence", stage=3, counted=2),),
    )
    hours = several_arms("hours", Layer.HOUR, {"10": 0.61, "13": 0.604, "18": 0.628, "2030": 0.619}, "10")
    hours = replace(
        hours,
        is_learned=True,
        learned=tuple(
            LearnedShare(
                "2026-W48",
                segment,
                {"10": 0.18, "13": 0.12, "18": 0.46 - number / 50, "2030": 0.24 + number / 50},
                reason,
            )
            for number, (segment, reason) in enumerate(
                zip(("*", *_SEGMENTS), ("better_or_alike", "unchanged", "too_few_draws") * 2, strict=True)
            )
        ),
    )
    tone = several_arms("tone", Layer.TEXT, {"usual": 0.60, "kind": 0.602, "blunt": 0.598}, "usual", harmful="blunt")
    small = replace(a_holdout("small", customers=270, rates=(0.62, 0.57)), lender="demo-us", ends_on=date(2026, 12, 20))
    results = (a_holdout(), small, tone, leaked, hours)
    return LivelyTrials(results, [point for each in results for point in line_to(each)])


def planned_trials() -> Sequence[LenderTrial]:
    """Return what policies say of trials: of one with a result, and of two that have none yet."""
    quiet = Trial(
        trial_id="quiet",
        layer=Layer.HOLDOUT,
        arms=(Arm("text", 0.95), Arm("silence", 0.05)),
        stages=frozenset(_STAGES),
        places=frozenset(_PLACES),
        goal_days=14,
        starts_on=date(2026, 8, 17),
        ends_on=date(2027, 2, 14),
        salt="any-salt-of-letters",
        approved_by="Lin Yi-chun",
        approved_on=date(2026, 8, 3),
        planned_customers=20_000,
    )
    soon = replace(quiet, trial_id="winter", starts_on=date(2027, 3, 1), ends_on=date(2027, 8, 30))
    return [
        LenderTrial(LENDER, quiet),
        LenderTrial(LENDER, soon),
        LenderTrial(LENDER, replace(soon, trial_id="unasked", approved_by="", approved_on=None)),
    ]
