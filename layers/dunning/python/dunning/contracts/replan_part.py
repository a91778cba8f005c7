"""A part of the customers table to replan."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.errors import UnreadableRecordError


@dataclass(frozen=True, slots=True)
class ReplanPart:
    """One of `segments` parts of the table, from behind the customer `after` on, or from its beginning."""

    segment: int
    segments: int
    after: str


class _ReplanMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1]
    segment: int = Field(ge=0)
    segments: int = Field(ge=1, le=1000)
    after: str = Field(max_length=128)


def replan_body(part: ReplanPart) -> str:
    """Write a part of the table as the body of a queue message."""
    message = _ReplanMessage(schema_version=1, segment=part.segment, segments=part.segments, after=part.after)
    return message.model_dump_json()


def parse_replan_part(body: str) -> ReplanPart:
    """
    Read a part of the table from the body of a queue message.

    Raises:
        UnreadableRecordError: it is not a part; the message names the fields, not their contents.
    """
    try:
        message = _ReplanMessage.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableRecordError(f"not a part of the table: {wrong_fields(error)}") from None
    if message.segment >= message.segments:
        raise UnreadableRecordError("not a part of the table: segment")
    return ReplanPart(message.segment, message.segments, message.after)
