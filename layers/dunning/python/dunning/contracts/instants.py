"""Instants as this program writes them everywhere, and as it reads them in messages."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

FIRST_YEAR, LAST_YEAR = 2000, 2100
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*")


def _not_a_number_of_seconds(written: object) -> object:
    if not isinstance(written, str | datetime) or (isinstance(written, str) and not _DATED.fullmatch(written)):
        raise ValueError("not an instant")
    return written


def _in_utc(moment: datetime) -> datetime:
    # Compared first: near the first and the last year another zone's clock cannot be read in UTC.
    if not datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) <= moment < datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC):
        raise ValueError("out of range")
    return moment.astimezone(UTC)


type Instant = Annotated[
    # Not strict: the validator before it accepts only text, and a strict field would refuse text as an instant.
    AwareDatetime, Field(strict=False), BeforeValidator(_not_a_number_of_seconds), AfterValidator(_in_utc)
]


def instant(moment: datetime) -> str:
    """Write an instant as this program writes it everywhere: UTC, ISO 8601, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment.microsecond else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
