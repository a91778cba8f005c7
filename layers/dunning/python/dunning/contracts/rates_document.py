"""What follows reminders, as programs read it: numbers and codes, no customer. Rates and intervals are shares of 1."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dunning.domain.effect_rates import Differs, EffectRates, RateRow
from dunning.domain.text_effects import NO_REMINDER, NOT_KNOWN, TextEffect, TextPart

_WRITTEN = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class DocumentBounds(BaseModel):
    """The lowest and the highest rate that the numbers allow, with 95 %."""

    model_config = _WRITTEN

    low: float
    high: float


class DocumentRate(BaseModel):
    """How many reminders something followed, once a customer. `null` where nothing is known."""

    model_config = _WRITTEN

    effect: TextEffect
    count: int
    rate: float | None
    interval: DocumentBounds | None
    differs: Differs = Field(description="From all other rows of its part together, with all comparisons in mind.")


class DocumentRateRow(BaseModel):
    """The rates of some reminders."""

    model_config = _WRITTEN

    kind: Literal["value", "not_known", "no_reminder"] = Field(
        description="What follows no reminder of the last 31 days has a row without reminders and rates."
    )
    value: str | None = Field(
        description="Days from the due date, first local hour of a band of two, template, or payer segment."
    )
    reminders: int
    rates: tuple[DocumentRate, ...]


class DocumentRatePart(BaseModel):
    """The rates by one thing that reminders are told apart by. All reminders are in its rows."""

    model_config = _WRITTEN

    by: TextPart
    rows: tuple[DocumentRateRow, ...]


class RatesDocument(BaseModel):
    """The rates of some weeks. `lender` is empty for all."""

    model_config = _WRITTEN

    schema_version: Literal[1] = 1
    lender: str
    weeks: int
    first: date = Field(description="Later than the weeks say if earlier days were not counted in this way.")
    last: date
    reminders: int
    rates: tuple[DocumentRate, ...]
    parts: tuple[DocumentRatePart, ...]


_KINDS: Mapping[str, Literal["not_known", "no_reminder"]] = {NOT_KNOWN: "not_known", NO_REMINDER: "no_reminder"}


def rates_document(lender: str, weeks: int, rates: EffectRates) -> str:
    """Return the JSON of rates."""
    return RatesDocument(
        lender=lender,
        weeks=weeks,
        first=rates.first,
        last=rates.last,
        reminders=rates.whole.reminders,
        rates=_rates_of(rates.whole),
        parts=tuple(
            DocumentRatePart(
                by=table.part,
                rows=tuple(
                    DocumentRateRow(
                        kind=_KINDS.get(row.value, "value"),
                        value=row.value if row.has_value else None,
                        reminders=row.reminders,
                        rates=_rates_of(row),
                    )
                    for row in table.rows
                ),
            )
            for table in rates.tables
        ),
    ).model_dump_json()


def _rates_of(row: RateRow) -> tuple[DocumentRate, ...]:
    return tuple(
        DocumentRate(
            effect=effect,
            count=rate.count,
            rate=rate.rate,
            interval=DocumentBounds(low=rate.interval.low, high=rate.interval.high) if rate.interval else None,
            differs=rate.differs,
        )
        for effect, rate in row.rates.items()
    )
