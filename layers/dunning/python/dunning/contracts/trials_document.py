"""What is known of trials, as programs read it: numbers and codes, no customer. Rates and shares are shares of 1."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dunning.domain.effect.draws import Layer
from dunning.domain.effect.sums import FirstLine
from dunning.domain.effect.trial_results import TrialResult, TrialSign

_READ = ConfigDict(extra="forbid", frozen=True, defer_build=True, from_attributes=True)


class DocumentInterval(BaseModel):
    """The lowest and the highest lift that the data allow."""

    model_config = _READ

    low: float
    high: float


class DocumentArm(BaseModel):
    """An arm: never the cures alone. `null` where nothing is known."""

    model_config = _READ

    customers: int
    rungs: int
    cure_rate: float | None
    paid_in_part_rate: float | None
    opt_outs_per_thousand: float | None
    complaints_per_thousand: float | None
    hardship_per_thousand: float | None
    promises_per_thousand: float | None
    broken_promise_rate: float | None
    next_late_rate: float | None
    texts_per_cure: float | None
    price_usd_micros_per_rung: float | None


class DocumentEstimate(BaseModel):
    """The cures of an arm less those of another."""

    model_config = _READ

    first_line: FirstLine
    arm: DocumentArm
    other: DocumentArm
    lift: float | None
    interval: DocumentInterval | None = Field(description="It may be looked at every day.")
    at_the_end: DocumentInterval | None = Field(description="It holds if it is looked at once, at the planned end.")
    needs_customers: int | None
    needs_weeks: int | None
    price_usd_micros_per_additional_cure: float | None
    price_is_at_least: float | None
    price_is_at_most: float | None


class DocumentComparison(BaseModel):
    """An arm beside another, over the whole trial, or over a part of it: a stage, a payer segment or a place."""

    model_config = _READ

    arm: str
    other: str
    estimate: DocumentEstimate
    stage: int | None
    payer_segment: str | None
    place: str | None


class DocumentSign(BaseModel):
    """A sign that a trial is broken, or does harm."""

    model_config = _READ

    sign: TrialSign
    arm: str
    stage: int | None
    counted: int
    off_by: float
    p_value: float | None


class DocumentLearned(BaseModel):
    """The shares that a learner gave to the arms of a payer segment. A share is no finding."""

    model_config = _READ

    week: str
    payer_segment: str
    shares: Mapping[str, float]
    reason: str


class DocumentTrial(BaseModel):
    """What the last night knows of a trial."""

    model_config = _READ

    lender: str
    trial: str
    layer: Layer
    night: date
    as_of: AwareDatetime
    starts_on: date
    ends_on: date
    goal_days: int
    shares: Mapping[str, float]
    stages: tuple[int, ...]
    places: tuple[str, ...]
    is_learned: bool
    drawn: Mapping[str, int]
    running: Mapping[str, int]
    comparisons: tuple[DocumentComparison, ...]
    harm_per_thousand: Mapping[str, float]
    signs: tuple[DocumentSign, ...]
    paused: tuple[str, ...]
    is_stopped: bool
    learned: tuple[DocumentLearned, ...]


class TrialsDocument(BaseModel):
    """What is known of trials, running ones first."""

    model_config = _READ

    schema_version: Literal[1] = 1
    trials: tuple[DocumentTrial, ...]


def trials_document(results: Iterable[TrialResult]) -> str:
    """Return the JSON of results."""
    trials = tuple(DocumentTrial.model_validate(result) for result in results)
    return TrialsDocument(trials=trials).model_dump_json()
