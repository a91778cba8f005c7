"""The job: a request to judge one customer, from the scanner to the sender. Ids only."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.instants import Instant
from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.queues import Job

CUSTOMER_ID = r"^[A-Za-z0-9._:-]{1,64}$"
"""The id of a customer, as files and events write it. It is logged as it is, so nothing else gets in."""


class _JobMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1]
    customer_id: str = Field(pattern=CUSTOMER_ID)
    wake_at: Instant


def job_body(job: Job) -> str:
    """Write a job as the body of a queue message. An id that cannot be is for the reader to refuse, alone."""
    message = _JobMessage.model_construct(schema_version=1, customer_id=job.customer_id, wake_at=job.wake_at)
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
