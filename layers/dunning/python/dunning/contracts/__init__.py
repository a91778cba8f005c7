"""Contracts: the shapes of what travels between functions. Unknown fields are refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dunning.ports import Job, UnreadableRecordError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class _JobMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    customer_id: str = Field(min_length=1, max_length=128)
    wake_at: AwareDatetime


def job_body(job: Job) -> str:
    """Write a job as the body of a queue message."""
    message = _JobMessage(schema_version=1, customer_id=job.customer_id, wake_at=job.wake_at)
    return message.model_dump_json()


def parse_job(body: str) -> Job:
    """
    Read a job from the body of a queue message.

    Raises:
        UnreadableRecordError: it is not a job; the message names the fields, not their contents.
    """
    try:
        message = _JobMessage.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableRecordError(f"not a job: {wrong_fields(error)}") from None
    return Job(message.customer_id, message.wake_at)


@dataclass(frozen=True, slots=True)
class ReplanPart:
    """One of `segments` parts of the table, from behind the customer `after` on, or from its beginning."""

    segment: int
    segments: int
    after: str


class _ReplanMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

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
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    try:
        message = _ReplanMessage.model_validate_json(body)
    except ValidationError as error:
        fields = ", ".join(map(_place, error.errors(include_input=False)))
        raise UnreadableRecordError(f"not a part of the table: {fields}") from None
    if message.segment >= message.segments:
        raise UnreadableRecordError("not a part of the table: segment")
    return ReplanPart(message.segment, message.segments, message.after)


def wrong_fields(error: ValidationError, *, inside: str = "") -> str:
    """Name the fields of a message that are wrong, in our own words, and never their contents."""
    return ", ".join(inside + _place(one) for one in error.errors(include_input=False, include_url=False))


def _place(error: "ErrorDetails") -> str:
    """Name what is wrong in our own words: the name of a field we do not know is somebody else's text."""
    if error["type"] == "extra_forbidden":
        return "an unknown field"
    return ".".join(map(str, error["loc"])) or "body"


def instant(moment: datetime) -> str:
    """Write an instant as this program writes it everywhere: UTC, ISO 8601, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment.microsecond else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
