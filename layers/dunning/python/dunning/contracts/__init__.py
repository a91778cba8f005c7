"""
Contracts: the shapes of what travels between functions, and of what comes in from outside.

Unknown fields are refused in what is ours. What a carrier sends may grow one: no opt-out is lost over it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dunning.domain.replies.reply import Inbound
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
        raise UnreadableRecordError(f"not a part of the table: {wrong_fields(error)}") from None
    if message.segment >= message.segments:
        raise UnreadableRecordError("not a part of the table: segment")
    return ReplanPart(message.segment, message.segments, message.after)


def wrong_fields(error: ValidationError, *, inside: str = "") -> str:
    """Name the fields of a message that are wrong, in our own words, and never their contents."""
    return ", ".join(inside + _place(one) for one in error.errors(include_input=False, include_url=False))


class _Notification(BaseModel):
    """What SNS puts around a message, for a queue and for a function alike."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["Notification"] = Field(alias="Type")
    message: str = Field(alias="Message")
    at: AwareDatetime = Field(alias="Timestamp")


class _TwoWaySms(BaseModel):
    """A reply as two-way SMS publishes it to its topic."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    phone: str = Field(alias="originationNumber", pattern=r"^\+[1-9][0-9]{6,14}$")
    text: str = Field(alias="messageBody", max_length=5000)
    inbound_id: str = Field(alias="inboundMessageId", pattern=r"^[A-Za-z0-9._:/+=-]{1,128}$")
    answers: str | None = Field(alias="previousPublishedMessageId", default=None, max_length=256)


_WRAPPINGS = 6
"""A message as a JSON string, in a notification, whose JSON a queue may have quoted once more."""


def parse_inbound(body: str, sent_at: datetime) -> Inbound:
    """
    Read a reply, in whatever SNS and SQS have wrapped it.

    It was said when SNS took it. Where a queue gets it without the notification around it, it is `sent_at`, when the
    queue took it: a moment that changes if somebody moves the message, so subscriptions should not be raw.

    Raises:
        UnreadableRecordError: it is no reply; the message names the fields, not their contents.
    """
    try:
        said, at = _unwrapped(body, sent_at)
        sms = _TwoWaySms.model_validate(said)
    except ValidationError as error:
        fields = ", ".join(dict.fromkeys(map(_place, error.errors(include_input=False))))
        raise UnreadableRecordError(f"not a reply: {fields}") from None
    except (ValueError, RecursionError):
        raise UnreadableRecordError("not a reply: body") from None
    return Inbound(sms.inbound_id, sms.phone, sms.text, at.astimezone(UTC), sms.answers or "")


def _unwrapped(body: str, at: datetime) -> tuple[object, datetime]:
    """Take off what is around a message, and return it with the time on the innermost wrapping."""
    said: object = body
    for _ in range(_WRAPPINGS):
        if isinstance(said, str):
            said = json.loads(said)
        elif isinstance(said, dict) and "Message" in said:
            notification = _Notification.model_validate(said)
            said, at = notification.message, notification.at
        else:
            break
    return _with_whole_characters(said), at


def _with_whole_characters(said: object) -> object:
    """Replace halves of characters in the text, as of an emoji that a carrier cut in two: no table takes them."""
    if isinstance(said, dict) and isinstance(text := said.get("messageBody"), str):
        return said | {"messageBody": text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")}
    return said


def _place(error: "ErrorDetails") -> str:
    """Name what is wrong in our own words: the name of a field we do not know is somebody else's text."""
    if error["type"] == "extra_forbidden":
        return "an unknown field"
    return ".".join(map(str, error["loc"])) or "body"


def instant(moment: datetime) -> str:
    """Write an instant as this program writes it everywhere: UTC, ISO 8601, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment.microsecond else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
