"""
Trial results: what a night knows of a trial. Numbers only, and no customer.

A result is whole by itself: the sums of all arms, the comparisons made of them, the signs that something is wrong, and
what a learner has decided. Pages show it, and compute nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.effect.sums import ArmSums, LiftEstimate, SumKey


class TrialSign(StrEnum):
    """A sign that a trial is broken, or does harm."""

    LEAK = "leak"
    """Somebody held out was contacted. The trial is stopped."""
    SAMPLE_RATIO = "sample_ratio"
    """The counts of the arms do not fit the configured shares."""
    MOVING_SHARES = "moving_shares"
    """The counts of the arms do not fit the probabilities that they had."""
    DRAW_WITHOUT_RECORD = "draw_without_record"
    RECORD_WITHOUT_DRAW = "record_without_draw"
    LOSS = "loss"
    """The arms lose unequal shares of their rungs."""
    PRE_TREND = "pre_trend"
    """The arms paid differently before the draw."""
    HARM = "harm"
    """An arm brings more opt-outs, complaints and wrong persons. It is paused."""


class SignSeen(NamedTuple):
    """A sign, and how large it is."""

    sign: TrialSign
    arm: str = ""
    """The arm that it is about; empty if it is about all."""
    stage: int | None = None
    """The stage at which it was seen; `None` for the trial as a whole."""
    counted: int = 0
    """Contacts, draws or rungs that it was seen in."""
    off_by: float = 0.0
    """The size of a difference of shares; 0 for what is counted."""
    p_value: float | None = None
    """`None` for what one is enough of."""


class ArmComparison(NamedTuple):
    """An arm beside another, over a whole trial or a part of it (`stage`, `payer_segment` or `place`)."""

    arm: str
    other: str
    estimate: LiftEstimate
    stage: int | None = None
    payer_segment: str | None = None
    place: str | None = None


class LiftPoint(NamedTuple):
    """The lift of an arm as of a night, for the line of a chart. Rates are shares of 1."""

    night: date
    arm: str
    other: str
    customers: int
    lift: float | None
    low: float | None
    high: float | None


class LearnedShare(NamedTuple):
    """What a learner decided in a week: the shares of the arms of a payer segment, even slice included, and why."""

    week: str
    payer_segment: str
    shares: Mapping[str, float]
    reason: str
    """A `PublishReason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What a night knows of a trial."""

    lender: str
    trial: str
    layer: str
    night: date
    """The lender's local day on which it was worked out."""
    as_of: datetime
    starts_on: date
    ends_on: date
    goal_days: int
    shares: Mapping[str, float]
    """The configured shares by arm, in the policy's order."""
    stages: tuple[int, ...]
    places: tuple[str, ...]
    is_learned: bool = False
    drawn: Mapping[str, int] = field(default_factory=dict)
    """The rungs that were drawn, by arm, running ones included."""
    running: Mapping[str, int] = field(default_factory=dict)
    """The rungs whose days are not over, by arm."""
    comparisons: tuple[ArmComparison, ...] = ()
    """Over the whole trial first, then by stage, payer segment and place."""
    harm_per_thousand: Mapping[str, float] = field(default_factory=dict)
    """Opt-outs, complaints and wrong persons per thousand texts, by arm."""
    signs: tuple[SignSeen, ...] = ()
    paused: tuple[str, ...] = ()
    """The arms that are paused."""
    is_stopped: bool = False
    learned: tuple[LearnedShare, ...] = ()
    """The newest shares of each payer segment."""
    sums: Mapping[SumKey, ArmSums] = field(default_factory=dict)
    """The sums of all arms, with the totals."""
