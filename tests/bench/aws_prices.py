"""The price file: what AWS bills for each unit, in which region, from where and how sure."""

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

FILE = Path(__file__).with_name("aws_prices.toml")


class Price(BaseModel):
    """`dollars` for `per` units; `mark` as in the policies: V first hand, V2 second hand, M from memory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: str = Field(min_length=2)
    what: str = Field(min_length=2)
    dollars: Decimal = Field(gt=0)
    per: int = Field(gt=0)
    mark: Literal["V", "V2", "M"]
    source: str = Field(min_length=3)

    def of(self, units: float) -> Decimal:
        """Return what so many units cost, in US dollars."""
        return Decimal(repr(units)) * self.dollars / self.per


class PriceList(NamedTuple):
    """The prices of one region, by the names the bill uses."""

    region: str
    checked_on: date
    prices: Mapping[str, Price]

    def marks(self) -> Mapping[str, int]:
        """Return how many prices carry each mark."""
        marks = [price.mark for price in self.prices.values()]
        return {mark: marks.count(mark) for mark in ("V", "V2", "M") if mark in marks}


class PriceError(Exception):
    """The file lacks what was asked for."""


def load_prices(region: str = "", file: Path = FILE) -> PriceList:
    """
    Read the prices of a region; where a region names none, those of the default region hold.

    Raises:
        PriceError: there are no prices of that region.
        pydantic.ValidationError: a price is not as it should be.
    """
    written = tomllib.loads(file.read_text("utf-8"))
    checked_on: date = written.pop("checked_on")
    default: str = written.pop("default_region")
    region = region or default
    if region not in written:
        raise PriceError(f"no prices of {region!r}; there are: {', '.join(sorted(written))}")
    table = TypeAdapter(dict[str, Price])
    return PriceList(
        region, checked_on, {**table.validate_python(written[default]), **table.validate_python(written[region])}
    )
