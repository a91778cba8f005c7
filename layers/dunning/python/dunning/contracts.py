"""Contracts: the shapes of what travels between functions. Unknown fields are refused."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dunning.ports import Job, UnreadableRecordError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class _JobMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

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
        fields = ", ".join(map(_place, error.errors(include_input=False)))
        raise UnreadableRecordError(f"not a job: {fields}") from None
    return Job(message.customer_id, message.wake_at)


def _place(error: "ErrorDetails") -> str:
    """Name what is wrong in our own words: the name of a field we do not know is somebody else's text."""
    if error["type"] == "extra_forbidden":
        return "an unknown field"
    return ".".join(map(str, error["loc"])) or "body"


def instant(moment: datetime) -> str:
    """Write an instant as this program writes it everywhere: UTC, ISO 8601, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment.microsecond else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
