"""A step of the load of a split file, on the queue of file parts. Ids only: the name of a file may be personal."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.errors import UnreadableRecordError


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part to load; without a number, the step before: to find out whom a whole list lacks."""

    split_id: str
    part: int | None


class _FilePartMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1]
    split_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    part: int | None = Field(ge=0, le=9999)


def file_part_body(step: FilePart) -> str:
    """Write a step as the body of a queue message."""
    return _FilePartMessage(schema_version=1, split_id=step.split_id, part=step.part).model_dump_json()


def parse_file_part(body: str) -> FilePart:
    """
    Read a step from the body of a queue message.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    try:
        message = _FilePartMessage.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableRecordError(f"not a part of a file: {wrong_fields(error)}") from None
    return FilePart(message.split_id, message.part)
