"""The stored result of a what-if: two policies over the same customers, as JSON. Ids and codes, no name, no text."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dunning.domain.effect.courses import CourseSums, CourseText, NextText, TracedDecision

_STRICT = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class MostTextedCustomers(BaseModel):
    """The one per cent of the customers who get the most texts."""

    model_config = _STRICT

    customers: int
    texts: int
    least: int = Field(description="The fewest texts of any of them.")
    most: int


class PolicySums(BaseModel):
    """What would be sent under one policy. Prices are estimates, in millionths of a US dollar."""

    model_config = _STRICT

    texted: int = Field(description="Customers who would get a text.")
    texts: int
    segments: int = Field(description="Segments of SMS.")
    price_usd_micros: int
    by_stage: Mapping[int, int]
    by_hour: Mapping[int, int] = Field(description="By the hour of the customer's day.")
    by_place: Mapping[str, int]
    by_channel: Mapping[str, int]
    caps: Mapping[str, int] = Field(description="Decisions to wait with a cap in the way, by the cap.")
    waits: Mapping[str, int] = Field(description="Decisions to wait, by the reason of the first gate in the way.")
    to_people: int = Field(description="Customers about whom a person is told.")
    handed_over: Mapping[str, int] = Field(description="The same, by reason: a customer may have several.")
    ended: Mapping[str, int] = Field(description="Customers by the reason of the last decision.")
    most_texted: MostTextedCustomers


class ExampleText(BaseModel):
    """A text of an example."""

    model_config = _STRICT

    at: AwareDatetime
    local_at: AwareDatetime
    stage: int
    channel: str
    template: str
    parts: int


class ExampleDecision(BaseModel):
    """A decision of an example, with the gates that it passed and those in its way."""

    model_config = _STRICT

    at: AwareDatetime
    reason: str
    trace: tuple[str, ...]


class ExampleCourse(BaseModel):
    """What would happen to a customer under one policy."""

    model_config = _STRICT

    texts: tuple[ExampleText, ...]
    handed_over: tuple[str, ...]
    decisions: tuple[ExampleDecision, ...] = Field(description="From the first that differs on.")


class ExampleCustomer(BaseModel):
    """A customer whose course differs."""

    model_config = _STRICT

    customer_id: str
    difference: str
    today: ExampleCourse
    changed: ExampleCourse


class TrialSize(BaseModel):
    """How many customers, and how many weeks, a trial takes to find a lift; `null` weeks: it never ends."""

    model_config = _STRICT

    lift: float = Field(description="Of the cure rate: 0.02 are two points.")
    share: float = Field(description="Of the customers who get today's policy.")
    customers: int
    weeks: int | None


class PaymentsNotKnown(BaseModel):
    """All that is said of payments: what it takes to know."""

    model_config = _STRICT

    says: Literal["not known: run a trial"] = "not known: run a trial"
    base: float = Field(description="The cure rate that the sizes are computed for.")
    customers_a_week: float
    trials: tuple[TrialSize, ...]


class WhatIfResult(BaseModel):
    """Two policies over the same customers, with the same assumed payments."""

    model_config = _STRICT

    schema_version: Literal[1] = 1
    source: str = Field(description="Where the customers are from: a file, or a stack.")
    policy: str = Field(description="The folder of the changed policy.")
    changed_files: tuple[str, ...]
    begin: AwareDatetime
    end: AwareDatetime
    assumed_payments: str
    customers: int
    differing: int = Field(description="Customers whose course differs in any way.")
    moved: int = Field(description="Customers whose next text moves, comes or goes.")
    next_texts: Mapping[NextText, int]
    today: PolicySums
    changed: PolicySums
    payments: PaymentsNotKnown
    examples: tuple[ExampleCustomer, ...]


def policy_sums(sums: CourseSums) -> PolicySums:
    """Write sums, each count in order."""
    top = sums.most_texted()
    return PolicySums(
        texted=sums.texted,
        texts=sums.texts,
        segments=sums.segments,
        price_usd_micros=sums.price,
        by_stage=dict(sorted(sums.by_stage.items())),
        by_hour=dict(sorted(sums.by_hour.items())),
        by_place=dict(sorted(sums.by_place.items())),
        by_channel=dict(sorted(sums.by_channel.items())),
        caps=dict(sorted(sums.caps.items())),
        waits=dict(sorted(sums.waits.items())),
        to_people=sums.to_people,
        handed_over=dict(sorted(sums.handed_over.items())),
        ended=dict(sorted(sums.ended.items())),
        most_texted=MostTextedCustomers(customers=top.customers, texts=top.texts, least=top.least, most=top.most),
    )


def example_text(text: CourseText) -> ExampleText:
    """Write a text without its words, which hold a name."""
    return ExampleText(
        at=text.at,
        local_at=text.local_at,
        stage=text.stage,
        channel=text.channel,
        template=text.template,
        parts=text.parts,
    )


def example_decision(decision: TracedDecision) -> ExampleDecision:
    """Write a decision."""
    return ExampleDecision(at=decision.at, reason=decision.reason, trace=decision.trace)
