"""
Outbound events, for a lender's other systems: the `detail` of each event, by its `detail-type`. Ids and codes only.

EventBridge bills by event and not by size. Reminders are many, and share an event.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dunning.domain.outbound_events import (
    CustomerNeedsPerson,
    FileLoaded,
    NumberUnreachable,
    OutboundEvent,
    PromiseBroken,
    ReminderSent,
    ReminderStopped,
    ReplyNotUnderstood,
    ReviewReason,
)

SOURCE = "dunning"


def _with_examples(*details: Mapping[str, Any]) -> ConfigDict:
    return ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"schema_version": 1, **detail} for detail in details]},
    )


class _Detail(BaseModel):
    model_config = ConfigDict(defer_build=True)  # an invocation publishes one or two kinds of event

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


class SentReminder(BaseModel):
    """One reminder that the carrier took."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    customer_id: str = Field(description="As in the account files.")
    at: AwareDatetime = Field(description="When it was claimed, in UTC.")
    send_id: str = Field(description="Names the reminder in our audit records.")
    stage: int = Field(description="Days from the due date: before it if negative.")
    account_ids: list[str]
    channel: str


class ReminderSentDetail(_Detail):
    """The carrier took reminders: all of one batch in one event."""

    model_config = ConfigDict(title="ReminderSent", **_with_examples({"reminders": [_SENT]}))

    reminders: list[SentReminder] = Field(min_length=1)


class ReminderStoppedDetail(_OfCustomer):
    """No reminder will follow until something changes."""

    model_config = ConfigDict(title="ReminderStopped", **_with_examples({**_EXAMPLE, "reason": "nothing_open"}))

    reason: str = Field(description="The decision's reason, as in our logs.")


class CustomerNeedsPersonDetail(_OfCustomer):
    """Somebody has to look at a customer."""

    model_config = ConfigDict(
        title="CustomerNeedsPerson",
        **_with_examples(
            {**_EXAMPLE, "why": "hardship", "reply_id": "d4e5f6", "urgent": False},
            {**_EXAMPLE, "why": "distress", "reply_id": "d4e5f6", "urgent": True},
            {**_EXAMPLE, "why": "ladder_finished", "reply_id": "", "urgent": False},
        ),
    )

    why: ReviewReason
    reply_id: str = Field(description="Names what they wrote, in our replies; empty if they did not write.")
    urgent: bool = Field(default=False, description="Whether somebody has to look at once: a life may depend on it.")


class ReplyNotUnderstoodDetail(_OfCustomer):
    """A customer wrote something whose reading is in doubt. Reminders are silent until a person could have looked."""

    model_config = ConfigDict(title="ReplyNotUnderstood", **_with_examples({**_EXAMPLE, "reply_id": "d4e5f6"}))

    reply_id: str = Field(description="Names what they wrote, in our replies.")


class NumberUnreachableDetail(_OfCustomer):
    """
    Messages to a customer's number or other address do not arrive.

    None is sent there until it is corrected, or a person releases it.
    """

    model_config = ConfigDict(
        title="NumberUnreachable",
        **_with_examples(
            {**_EXAMPLE, "cause": "permanent_failure", "channel": "sms"},
            {**_EXAMPLE, "cause": "blocked", "channel": "line"},
        ),
    )

    cause: str = Field(description="Our class of what was reported; `blocked` if the customer has blocked us.")
    channel: str = Field(default="sms", description="The channel of the address: sms, email, line, voice or whatsapp.")


class PromiseBrokenDetail(_OfCustomer):
    """The day a customer promised to pay by is over, and the instalment is still open."""

    model_config = ConfigDict(
        title="PromiseBroken",
        **_with_examples({**_EXAMPLE, "account_id": "A-1", "instalment_no": 1, "promised_on": "2026-11-30"}),
    )

    account_id: str
    instalment_no: int
    promised_on: date = Field(description="The customer's local day.")


class FileLoadedDetail(_Detail):
    """The load of a file of accounts has come to its end: once for a file, however many parts it was loaded in."""

    model_config = ConfigDict(
        title="FileLoaded",
        **_with_examples(
            {
                "file_id": "0f6e1d2c3b4a59687786950413223140",
                "at": "2026-12-01T02:41:03.123456Z",
                "uploaded_at": "2026-12-01T02:00:03.123000Z",
                "refused": "",
                "rows": 1000000,
                "rows_refused": 12,
                "customers_loaded": 480000,
                "customers_unchanged": 19994,
                "customers_refused": 6,
                "customers_older": 0,
                "customers_erased": 0,
                "customers_not_in_list": 0,
                "phones_shared": 3,
                "parts": 16,
                "seconds": 2460.0,
                "has_rejects": True,
                "rejects_key": "rejects/2026-12-01.csv",
            }
        ),
    )

    file_id: str = Field(description="Names the upload. The same if the event comes again.")
    at: AwareDatetime = Field(description="When the load ended, in UTC.")
    uploaded_at: AwareDatetime = Field(description="When the file was uploaded, in UTC.")
    refused: str = Field(description="Why the file, or a part of it, was refused whole, as in the rejects; or empty.")
    rows: int
    rows_refused: int
    customers_loaded: int = Field(description="Customers of whom the file said something new.")
    customers_unchanged: int
    customers_refused: int = Field(description="All refused customers; those below of erased customers are in it.")
    customers_older: int = Field(description="Customers of whom a newer file has spoken already.")
    customers_erased: int = Field(description="Customers who were erased, and are not taken up again.")
    customers_not_in_list: int = Field(description="Customers whom a whole list lacks.")
    phones_shared: int = Field(description="Customers who are held because another has the same number.")
    parts: int = Field(description="How many parts the file was loaded in.")
    seconds: float = Field(description="From the beginning of the load to its end.")
    has_rejects: bool
    rejects_key: str = Field(
        description="Where the rejects are in the bucket of uploads. Empty without rejects, and if the file's name is "
        "no plain id: it might say who somebody is. The rejects are then below rejects/ under the file's name."
    )


DETAILS: Mapping[str, type[BaseModel]] = {
    ReminderSent.__name__: ReminderSentDetail,
    ReminderStopped.__name__: ReminderStoppedDetail,
    CustomerNeedsPerson.__name__: CustomerNeedsPersonDetail,
    ReplyNotUnderstood.__name__: ReplyNotUnderstoodDetail,
    NumberUnreachable.__name__: NumberUnreachableDetail,
    PromiseBroken.__name__: PromiseBrokenDetail,
    FileLoaded.__name__: FileLoadedDetail,
}
"""The models by their `detail-type`."""


class BusEntry(NamedTuple):
    """One event for the bus, and how many outbound events are in it."""

    detail_type: str
    detail: str
    events: int = 1

    @property
    def size(self) -> int:
        """The size that counts against the limit of a call, in bytes."""
        return len(SOURCE) + len(self.detail_type) + len(self.detail.encode())


def bus_entries(events: Sequence[OutboundEvent], most_bytes: int) -> Iterator[BusEntry]:
    """Write outbound events as entries of at most `most_bytes` each. Reminders share as few entries as possible."""
    reminders = [_reminder(event) for event in events if isinstance(event, ReminderSent)]
    yield from _bundled(reminders, most_bytes)
    for event in events:
        if not isinstance(event, ReminderSent):
            yield BusEntry(type(event).__name__, _detail(event).model_dump_json())


def _bundled(reminders: Sequence[SentReminder], most_bytes: int) -> Iterator[BusEntry]:
    """Write reminders as one entry, or as two halves if they do not fit."""
    if not reminders:
        return
    event = BusEntry(
        ReminderSent.__name__, ReminderSentDetail(reminders=list(reminders)).model_dump_json(), len(reminders)
    )
    if event.size <= most_bytes or len(reminders) == 1:
        yield event
        return
    half = len(reminders) // 2
    yield from _bundled(reminders[:half], most_bytes)
    yield from _bundled(reminders[half:], most_bytes)


def _reminder(sent: ReminderSent) -> SentReminder:
    return SentReminder(
        customer_id=sent.customer_id,
        at=sent.at,
        send_id=sent.send_id,
        stage=sent.stage,
        account_ids=list(sent.account_ids),
        channel=sent.channel,
    )


def _detail(
    event: ReminderStopped | CustomerNeedsPerson | ReplyNotUnderstood | NumberUnreachable | PromiseBroken | FileLoaded,
) -> BaseModel:
    match event:
        case ReminderStopped():
            return ReminderStoppedDetail(customer_id=event.customer_id, at=event.at, reason=event.reason)
        case CustomerNeedsPerson():
            return CustomerNeedsPersonDetail(
                customer_id=event.customer_id,
                at=event.at,
                why=event.why,
                reply_id=event.reply_id,
                urgent=event.urgent,
            )
        case ReplyNotUnderstood():
            return ReplyNotUnderstoodDetail(customer_id=event.customer_id, at=event.at, reply_id=event.reply_id)
        case NumberUnreachable():
            return NumberUnreachableDetail(
                customer_id=event.customer_id, at=event.at, cause=event.cause, channel=event.channel
            )
        case PromiseBroken():
            return PromiseBrokenDetail(
                customer_id=event.customer_id,
                at=event.at,
                account_id=event.account_id,
                instalment_no=event.number,
                promised_on=event.promised_on,
            )
        case FileLoaded():
            return FileLoadedDetail(**asdict(event))
