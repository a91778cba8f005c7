"""Trial results as text: JSON, and back, exactly. A field that was added since has its default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from dunning.domain.effect.intervals import Interval
from dunning.domain.effect.sums import ArmSummary, ArmSums, FirstLine, LiftEstimate, SumKey
from dunning.domain.effect.trial_results import (
    ArmComparison,
    LearnedShare,
    LiftPoint,
    SignSeen,
    TrialResult,
    TrialSign,
)
from dunning.domain.errors import UnreadableRecordError

_VERSION = 1
_SUMS = tuple(field.name for field in fields(ArmSums))
_SUMMARY = tuple(field.name for field in fields(ArmSummary))
_PLAIN = ("lender", "trial", "layer", "goal_days", "is_learned", "is_stopped")
_COUNTS = ("shares", "drawn", "running", "harm_per_thousand")
_NUMBERS = (
    "lift", "needs_customers", "needs_weeks", "price_usd_micros_per_additional_cure", "price_is_at_least",
    "price_is_at_most",
)  # fmt: skip


def result_text(result: TrialResult) -> str:
    """Write a result."""
    return _dump(
        {
            "v": _VERSION,
            **{name: getattr(result, name) for name in _PLAIN},
            **{name: dict(getattr(result, name)) for name in _COUNTS},
            **{name: getattr(result, name).isoformat() for name in ("night", "as_of", "starts_on", "ends_on")},
            **{name: list(getattr(result, name)) for name in ("stages", "places", "paused")},
            "signs": result.signs,
            "learned": [[each.week, each.payer_segment, dict(each.shares), each.reason] for each in result.learned],
            "comparisons": [_comparison_row(each) for each in result.comparisons],
            "sums": [[*key, *(getattr(entry, name) for name in _SUMS)] for key, entry in result.sums.items()],
        }
    )


def points_text(points: tuple[LiftPoint, ...]) -> str:
    """Write the points of a night."""
    return _dump([point[1:] for point in points])


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _comparison_row(comparison: ArmComparison) -> list[object]:
    estimate = comparison.estimate
    return [
        comparison.arm,
        comparison.other,
        comparison.stage,
        comparison.payer_segment,
        comparison.place,
        estimate.first_line.value,
        list(asdict(estimate.arm).values()),
        list(asdict(estimate.other).values()),
        estimate.interval,
        estimate.at_the_end,
        *(getattr(estimate, name) for name in _NUMBERS),
    ]


def result_of(text: str, name: str) -> TrialResult:
    """
    Read a result.

    Raises:
        UnreadableRecordError: it is not what `result_text` writes. The message has `name`.
    """
    try:
        found = json.loads(text)
        if found["v"] != _VERSION:
            raise UnreadableRecordError(f"{name}: another version than {_VERSION}")
        return TrialResult(
            **{each: found[each] for each in (*_PLAIN, *_COUNTS)},
            night=date.fromisoformat(found["night"]),
            as_of=datetime.fromisoformat(found["as_of"]),
            starts_on=date.fromisoformat(found["starts_on"]),
            ends_on=date.fromisoformat(found["ends_on"]),
            stages=tuple(found["stages"]),
            places=tuple(found["places"]),
            paused=tuple(found["paused"]),
            signs=tuple(SignSeen(TrialSign(sign), *rest) for sign, *rest in found["signs"]),
            learned=tuple(LearnedShare(*each) for each in found["learned"]),
            comparisons=tuple(map(_comparison_of, found["comparisons"])),
            sums=dict(map(_sums_of_row, found["sums"])),
        )
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableRecordError(f"{name}: {type(error).__name__}") from None


def points_of_text(text: str, night: date, name: str) -> tuple[LiftPoint, ...]:
    """
    Read the points of a night.

    Raises:
        UnreadableRecordError: it is not what `points_text` writes. The message has `name`.
    """
    try:
        return tuple(LiftPoint(night, *row) for row in json.loads(text))
    except (ValueError, TypeError) as error:
        raise UnreadableRecordError(f"{name}: {type(error).__name__}") from None


def _comparison_of(row: list[Any]) -> ArmComparison:
    arm, other, stage, payer_segment, place, first_line, ours, theirs, interval, at_the_end, *numbers = row
    estimate = LiftEstimate(
        first_line=FirstLine(first_line),
        arm=_summary_of_row(ours),
        other=_summary_of_row(theirs),
        interval=_interval_of(interval),
        at_the_end=_interval_of(at_the_end),
        **dict(zip(_NUMBERS, numbers, strict=True)),
    )
    return ArmComparison(arm, other, estimate, stage, payer_segment, place)


def _summary_of_row(row: list[Any]) -> ArmSummary:
    return ArmSummary(**dict(zip(_SUMMARY, row, strict=True)))


def _interval_of(row: list[float] | None) -> Interval | None:
    return None if row is None else Interval(*row)


def _sums_of_row(row: list[Any]) -> tuple[SumKey, ArmSums]:
    keys = len(SumKey._fields)
    return SumKey(*row[:keys]), ArmSums(**_named_sums(row[keys:]))


def _named_sums(numbers: list[int]) -> Mapping[str, int]:
    """Return the sums by name; those that were added since are 0."""
    return dict(zip(_SUMS, numbers, strict=False))
