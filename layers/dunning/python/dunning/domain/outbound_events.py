"""Outbound events, for the lender's other systems. Ids and codes only, never personal data."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ReviewReason(StrEnum):
    """Why a customer needs a person."""

    OPT_OUT = "opt_out"
    HARDSHIP = "hardship"
    DISPUTE = "dispute"
    WRONG_PERSON = "wrong_person"
    DECEASED = "deceased"
    REPRESENTED = "represented"
    COMPLAINT = "complaint"
    REFUSAL = "refusal"
    DISTRESS = "distress"
    SUSPICION = "suspicion"
    QUESTION = "question"
    PROMISE_UNCLEAR = "promise_unclear"
    PROMISED_BEFORE = "promised_before"
    SHARED_PHONE = "shared_phone"
    LADDER_FINISHED = "ladder_finished"
    UNANSWERED = "unanswered"
    NO_WRITTEN_NOTICE = "no_written_notice"
    NUMBER_REFUSED = "number_refused"
    NO_CHANNEL = "no_channel"
    NO_CONSENT = "no_consent"
    UNKNOWN_LENDER = "unknown_lender"
    UNKNOWN_JURISDICTION = "unknown_jurisdiction"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    STORED_ELSEWHERE = "stored_elsewhere"
    UNKNOWN_TIME_ZONE = "unknown_time_zone"
    UNKNOWN_CURRENCY = "unknown_currency"
    NO_LAWFUL_MOMENT = "no_lawful_moment"
    NO_TEXT = "no_text"
    TEXT_REFUSED = "text_refused"
    TEXT_TOO_LONG = "text_too_long"
    TEMPLATE_NOT_REGISTERED = "template_not_registered"


URGENT_REVIEWS = frozenset({ReviewReason.DISTRESS})
"""Reviews that cannot wait: a life may depend on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderSent:
    """The carrier accepted a reminder."""

    customer_id: str
    at: datetime
    send_id: str
    stage: int
    account_ids: tuple[str, ...]
    channel: str


@dataclass(frozen=True, slots=True)
class ReminderStopped:
    """No reminder will follow until the facts or the standing change; `reason` is the decision's."""

    customer_id: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class CustomerNeedsPerson:
    """A person has to look at this customer; `reply_id` names the customer's reply, if there is one."""

    customer_id: str
    at: datetime
    why: ReviewReason
    reply_id: str = ""

    @property
    def urgent(self) -> bool:
        """Whether a person has to look at once."""
        return self.why in URGENT_REVIEWS


@dataclass(frozen=True, slots=True)
class ReplyNotUnderstood:
    """A customer wrote a reply whose reading is in doubt. The reminders are silent until a person could have looked."""

    customer_id: str
    at: datetime
    reply_id: str


@dataclass(frozen=True, slots=True)
class NumberUnreachable:
    """
    The customer's address on a channel gets no messages until it is corrected or released.

    `cause` is the class of the failure, or `blocked` if the customer has blocked us. The channel is a `Channel`.
    """

    customer_id: str
    at: datetime
    cause: str
    channel: str = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseBroken:
    """The day a customer promised to pay by is over, and the instalment is still open."""

    customer_id: str
    at: datetime
    account_id: str
    number: int
    promised_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLoaded:
    """
    The load of a file of accounts has come to its end. It is about no customer.

    `file_id` is the same each time the event is published for an upload. `refused` is the reason if the whole file was
    refused. `rejects_key` is empty if there are no rejects, or if the file's name might say who somebody is.
    """

    file_id: str
    at: datetime
    uploaded_at: datetime
    refused: str
    rows: int
    rows_refused: int
    customers_loaded: int
    customers_unchanged: int
    customers_refused: int
    customers_older: int
    customers_erased: int
    customers_not_in_list: int
    phones_shared: int
    parts: int
    seconds: float
    has_rejects: bool
    rejects_key: str


type OutboundEvent = (
    ReminderSent
    | ReminderStopped
    | CustomerNeedsPerson
    | ReplyNotUnderstood
    | NumberUnreachable
    | PromiseBroken
    | FileLoaded
)
