"""Decisions: send, wait or stop, each with its reason and the trace of gates that led to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from dunning.domain.delivery.channels import NO_CONTACT
from dunning.domain.texts.extras import NO_EXTRAS, Extras

if TYPE_CHECKING:
    from dunning.domain.decision.rules import Cap
    from dunning.domain.effect.draws import Draw
    from dunning.domain.effect.settling import Asked


class Reason(StrEnum):
    """The reason of a decision. The values appear in logs, metrics, reports and tables."""

    DUE = "due"
    HELD_OUT = "held_out"

    SENDING_OFF = "sending_off"
    ON_HOLD = "on_hold"
    NEXT_STAGE = "next_stage"
    QUIET_HOURS = "quiet_hours"
    CLOSED_DAY = "closed_day"
    PERSON_CAP = "person_cap"
    ACCOUNT_CAP = "account_cap"
    CHANNEL_SHUT = "channel_shut"
    CARRIER_BUSY = "carrier_busy"

    NOTHING_OPEN = "nothing_open"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    NUMBER_REFUSED = "number_refused"
    SHARED_PHONE = "shared_phone"
    NO_CHANNEL = "no_channel"
    NOT_IN_LIST = "not_in_list"
    DECEASED = "deceased"
    BANKRUPT = "bankrupt"
    REPRESENTED = "represented"
    WRONG_PERSON = "wrong_person"
    CEASED = "ceased"
    LADDER_FINISHED = "ladder_finished"
    UNANSWERED = "unanswered"
    NO_WRITTEN_NOTICE = "no_written_notice"

    UNKNOWN_LENDER = "unknown_lender"
    UNKNOWN_JURISDICTION = "unknown_jurisdiction"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    STORED_ELSEWHERE = "stored_elsewhere"
    UNKNOWN_TIME_ZONE = "unknown_time_zone"
    UNKNOWN_CURRENCY = "unknown_currency"
    CALENDAR_NOT_COVERED = "calendar_not_covered"
    NO_LAWFUL_MOMENT = "no_lawful_moment"
    NO_TEXT = "no_text"
    TEXT_REFUSED = "text_refused"
    TEXT_TOO_LONG = "text_too_long"
    TEMPLATE_NOT_REGISTERED = "template_not_registered"
    UNREADABLE_RECORD = "unreadable_record"


type TraceStep = tuple[str, tuple[object, ...]]
"""A gate's message, with `%` marks, and its values. The two are joined only when the trace is read."""


@dataclass(slots=True)
class ShutGate:
    """
    A gate that is shut, and the earliest instant at which the wait for it may end (`None`: it never opens by itself).

    `steps` are its lines of the trace. `opens_at` is when the gate itself opens, where the wait ends at another moment:
    at the customer's turn, or when another account comes due. `NEXT_STAGE` with it says that the hours are open, and
    the turn has not come. `cap` is the cap that is reached.
    """

    reason: Reason
    until: datetime | None
    steps: tuple[TraceStep, ...]
    stage: int | None = None
    opens_at: datetime | None = None
    cap: Cap | None = None


class ReachedStage(NamedTuple):
    """One account's part in a reminder: its earliest unpaid instalment, and the stage that the reminder marks."""

    account_id: str
    number: int
    due_on: date
    stage: int


class Reminder(NamedTuple):
    """
    One message, ready to send. `stage` is the stage whose words it uses; `reached_stages` are all stages it marks.

    `also_named` are accounts whose overdue amount is in the text, although no stage of theirs was due.
    `text` holds the words handed to SNS; `parts` and `encoding` include the carrier's additions. `draws` is what chance
    decided. A reminder that is held out is claimed and goes nowhere: it has no text, `channel` and `gateway` are none,
    and `would_go_by` is the channel on which it would have gone. Of a drawn one `asked` is all that it asks for.
    """

    send_id: str
    channel: str
    stage: int
    on: date
    reached_stages: tuple[ReachedStage, ...]
    text: str
    encoding: str
    parts: int
    template: str
    registered_template: str
    also_named: tuple[str, ...] = ()
    gateway: str = "sns"
    extras: Extras = NO_EXTRAS
    draws: tuple[Draw, ...] = ()
    would_go_by: str = ""
    payer_segment: str = ""
    asked: tuple[Asked, ...] = ()

    @property
    def is_held_out(self) -> bool:
        """Whether chance has left the stage out, so that nothing is sent."""
        return self.channel == NO_CONTACT

    @property
    def account_ids(self) -> tuple[str, ...]:
        """The accounts the text speaks of."""
        return (*[reached.account_id for reached in self.reached_stages], *self.also_named)


class Send(NamedTuple):
    """
    Claim this reminder now, and send it unless it is held out. `lacking_notice` and `finished` as in `Wait`.

    The reason of a reminder that is held out is `HELD_OUT`.
    """

    reminder: Reminder
    steps: tuple[TraceStep, ...]
    kind: Literal["send"] = "send"
    reason: Reason = Reason.DUE
    until: None = None
    lacking_notice: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()

    @property
    def stage(self) -> int:
        """The stage whose words the text uses."""
        return self.reminder.stage


class Wait(NamedTuple):
    """
    Not now. `until` is the earliest lawful moment, or `None` if the wake is to stay as it is.

    `urgency` orders customers who wake at the same moment, lowest first. `stage` is the stage that will be due then, if
    known. `zone` is the customer's time zone, in which the trace is written. `lacking_notice` are the instalments, by
    `progress_key`, that stand at a stage whose written notice is not on record; `finished` those that have heard the
    last stage. `gates` are those in the way, the first and then each other one once, as its time comes.
    """

    until: datetime | None
    reason: Reason
    steps: tuple[TraceStep, ...]
    urgency: int = 0
    stage: int | None = None
    zone: tzinfo | None = None
    kind: Literal["wait"] = "wait"
    lacking_notice: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    gates: tuple[ShutGate, ...] = ()


class Stop(NamedTuple):
    """
    No contact. `until` is the time of the next look; `None` if only new facts can change the decision.

    `lacking_notice` and `finished` as in `Wait`.
    """

    reason: Reason
    steps: tuple[TraceStep, ...]
    until: datetime | None = None
    stage: int | None = None
    zone: tzinfo | None = None
    kind: Literal["stop"] = "stop"
    lacking_notice: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()


type Decision = Send | Wait | Stop


def trace_of(decision: Decision) -> list[str]:
    """Return the gates a decision passed and the gates in its way, a line each, in the customer's local time."""
    zone = None if isinstance(decision, Send) else decision.zone
    return [message % tuple([_in_local_time(value, zone) for value in values]) for message, values in decision.steps]


def _in_local_time(value: object, zone: tzinfo | None) -> object:
    return value.astimezone(zone or UTC).isoformat(" ", "minutes") if isinstance(value, datetime) else value
