"""Notifications: what SNS puts around a message, for a queue and for a function alike."""

import json
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.errors import UnreadableRecordError

_WRAPPINGS = 6
"""A message as a JSON string, in a notification, whose JSON a queue may have quoted once more."""

_FIRST_YEAR, _LAST_YEAR = 2000, 2100


class _Notification(BaseModel):
    """What SNS puts around a message. A message is read without its time, too."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["Notification"] = Field(alias="Type")
    message: str = Field(alias="Message")
    at: object = Field(alias="Timestamp", default=None)


def unwrapped(body: str, at: datetime) -> tuple[object, datetime]:
    """
    Return a message without its wrappings, and the time on the innermost wrapping; `at` if there is none.

    Raises:
        ValidationError: a notification is damaged.
        ValueError: what should be JSON is none.
        RecursionError: the JSON is nested too deeply.
    """
    payload: object = body
    for _ in range(_WRAPPINGS):
        if isinstance(payload, str):
            payload = json.loads(payload)
        elif isinstance(payload, dict) and "Message" in payload:
            notification = _Notification.model_validate(payload)
            payload, at = notification.message, aware_moment(notification.at) or at
        else:
            break
    return payload, at


def read_notified[M: BaseModel](body: str, at: datetime, model: type[M], what: str) -> tuple[object, M, datetime]:
    """
    Return a message without its wrappings, what a model makes of it, and the time on the innermost wrapping.

    Raises:
        UnreadableRecordError: it is none; the message says of what, and names the fields, not their contents.
    """
    try:
        payload, notified_at = unwrapped(body, at)
        return payload, model.model_validate(payload), notified_at
    except ValidationError as error:
        raise UnreadableRecordError(f"no event of {what}: {wrong_fields(error)}") from None
    except (ValueError, RecursionError):
        raise UnreadableRecordError(f"no event of {what}: body") from None


def aware_moment(written: object) -> datetime | None:
    """Read the time of a notification or an event: `None` if it is damaged, names no zone, or cannot be."""
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else None
        in_utc = moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
    return in_utc if in_utc is not None and _FIRST_YEAR <= in_utc.year < _LAST_YEAR else None
