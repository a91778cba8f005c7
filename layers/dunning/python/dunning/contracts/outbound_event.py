"""
What we tell a lender's other systems: the `detail` of each event, by its `detail-type`. Ids and codes only.

EventBridge bills an event, not what is in it: reminders, of which there are many, share one.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dunning.domain.outbound_events import (
    Announcement,
    CustomerNeedsPerson,
    NumberUnreachable,
    PromiseBroken,
    ReminderSent,
    ReminderStopped,
    ReplyNotUnderstood,
    Why,
)

SOURCE = "dunning"


def _examples(*details: Mapping[str, Any]) -> ConfigDict:
    return ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"schema_version": 1, **detail} for detail in details]},
    )


class _Detail(BaseModel):
    model_config = ConfigDict(defer_build=True)  # of all that may be told, an event tells one or two

    schema_version: Literal[1] = 1


class _OfCustomer(_Detail):
    customer_id: str = Field(description="As in the account files.")
    at: AwareDatetime = Field(description="When it happened, in UTC.")


_EXAMPLE = {"customer_id": "C-1001", "at": "2026-12-01T02:00:03.123456Z"}
_SENT = {
    **_EXAMPLE,
    "send_id": "6f1ed002ab5595859014ebf0951522d9",
    "stage": -3,
    "account_ids": ["A-1"],
    "channel": "sms",
}


class Reminder(BaseModel):
    """One reminder that the carrier took."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    customer_id: str = Field(description="As in the account files.")
    at: AwareDatetime = Field(description="When it was claimed, in UTC.")
    send_id: str = Field(description="Names the reminder in our audit records.")
    stage: int = Field(description="Days from the due date: before it if negative.")
    account_ids: list[str]
    channel: str


class RemindersSent(_Detail):
    """The carrier took reminders: all of one batch in one event."""

    model_config = ConfigDict(title="ReminderSent", **_examples({"reminders": [_SENT]}))

    reminders: list[Reminder] = Field(min_length=1)


class Stopped(_OfCustomer):
    """No reminder will follow until something changes."""

    model_config = ConfigDict(title="ReminderStopped", **_examples({**_EXAMPLE, "reason": "nothing_open"}))

    reason: str = Field(description="The decision's reason, as in our logs.")


class NeedsPerson(_OfCustomer):
    """Somebody has to look at a customer."""

    model_config = ConfigDict(
        title="CustomerNeedsPerson",
        **_examples(
            {**_EXAMPLE, "why": "hardship", "reply_id": "d4e5f6"},
            {**_EXAMPLE, "why": "ladder_finished", "reply_id": ""},
        ),
    )

    why: Why
    reply_id: str = Field(description="Names what they wrote, in our replies; empty if they did not write.")


class NotUnderstood(_OfCustomer):
    """A customer wrote something that no rule understands. Nothing was changed by it."""

    model_config = ConfigDict(title="ReplyNotUnderstood", **_examples({**_EXAMPLE, "reply_id": "d4e5f6"}))

    reply_id: str = Field(description="Names what they wrote, in our replies.")


class Unreachable(_OfCustomer):
    """Texts to a customer's number do not arrive. None is sent until it is corrected, or a person releases it."""

    model_config = ConfigDict(title="NumberUnreachable", **_examples({**_EXAMPLE, "cause": "dead"}))

    cause: str = Field(description="Our class of what the carrier reported.")


class Broken(_OfCustomer):
    """The day a customer promised to pay by is over, and the instalment is still open."""

    model_config = ConfigDict(
        title="PromiseBroken",
        **_examples({**_EXAMPLE, "account_id": "A-1", "instalment_no": 1, "promised_on": "2026-11-30"}),
    )

    account_id: str
    instalment_no: int
    promised_on: date = Field(description="The customer's local day.")


DETAILS: Mapping[str, type[BaseModel]] = {
    ReminderSent.__name__: RemindersSent,
    ReminderStopped.__name__: Stopped,
    CustomerNeedsPerson.__name__: NeedsPerson,
    ReplyNotUnderstood.__name__: NotUnderstood,
    NumberUnreachable.__name__: Unreachable,
    PromiseBroken.__name__: Broken,
}
"""The models by their `detail-type`."""


class Event(NamedTuple):
    """One event for the bus, and how many announcements are in it."""

    detail_type: str
    detail: str
    announcements: int = 1

    @property
    def size(self) -> int:
        """What it counts for in a call, in bytes."""
        return len(SOURCE) + len(self.detail_type) + len(self.detail.encode())


def events_of(announcements: Sequence[Announcement], most_bytes: int) -> Iterator[Event]:
    """Write announcements as events of at most so many bytes each; the reminders among them share as few as hold."""
    reminders = [_reminder(one) for one in announcements if isinstance(one, ReminderSent)]
    yield from _bundled(reminders, most_bytes)
    for one in announcements:
        if not isinstance(one, ReminderSent):
            yield Event(type(one).__name__, _detail(one).model_dump_json())


def _bundled(reminders: Sequence[Reminder], most_bytes: int) -> Iterator[Event]:
    """Halve what does not fit."""
    if not reminders:
        return
    event = Event(ReminderSent.__name__, RemindersSent(reminders=list(reminders)).model_dump_json(), len(reminders))
    if event.size <= most_bytes or len(reminders) == 1:
        yield event
        return
    half = len(reminders) // 2
    yield from _bundled(reminders[:half], most_bytes)
    yield from _bundled(reminders[half:], most_bytes)


def _reminder(sent: ReminderSent) -> Reminder:
    return Reminder(
        customer_id=sent.customer_id,
        at=sent.at,
        send_id=sent.send_id,
        stage=sent.stage,
        account_ids=list(sent.account_ids),
        channel=sent.channel,
    )


def _detail(
    told: ReminderStopped | CustomerNeedsPerson | ReplyNotUnderstood | NumberUnreachable | PromiseBroken,
) -> BaseModel:
    match told:
        case ReminderStopped():
            return Stopped(customer_id=told.customer_id, at=told.at, reason=told.reason)
        case CustomerNeedsPerson():
            return NeedsPerson(customer_id=told.customer_id, at=told.at, why=told.why, reply_id=told.reply_id)
        case ReplyNotUnderstood():
            return NotUnderstood(customer_id=told.customer_id, at=told.at, reply_id=told.reply_id)
        case NumberUnreachable():
            return Unreachable(customer_id=told.customer_id, at=told.at, cause=told.cause)
        case PromiseBroken():
            return Broken(
                customer_id=told.customer_id,
                at=told.at,
                account_id=told.account_id,
                instalment_no=told.number,
                promised_on=told.promised_on,
            )
