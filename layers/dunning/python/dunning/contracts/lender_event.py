"""
Lender events, as a lender's systems put them on their bus. Unknown fields and uncertain values are refused.

The envelope is EventBridge's, and may gain fields. `detail` is ours, with a model for each `detail-type`. The error of
a refused message names the fields, never their contents.
"""

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from dunning.contracts.instants import FIRST_YEAR, LAST_YEAR, Instant
from dunning.contracts.job import CUSTOMER_ID
from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.customer.addresses import is_line_user_id, is_mail_address
from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.lender_record import (
    AccountClosed,
    AddressChanged,
    ConsentChanged,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderEvent,
    RecordedEvent,
)
from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.texts.money import MINOR_DIGITS

MOST_AHEAD = timedelta(minutes=5)
"""The most by which a lender's clock may be ahead of ours. An event from the future would overrule all later events."""

_MOST_MONEY = 10**15
"""Every system's numbers hold smaller amounts exactly."""


def _in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError("out of range")
    return day


def _known_currency(currency: str) -> str:
    if currency not in MINOR_DIGITS:
        raise ValueError("unknown currency")
    return currency


type Id = Annotated[
    str,
    StringConstraints(pattern=CUSTOMER_ID),
    Field(description="As in the account files. It appears in logs: it must say nothing of the person."),
]
type LocalDay = Annotated[date, AfterValidator(_in_range)]
type Currency = Annotated[
    str,
    StringConstraints(pattern="^[A-Z]{3}$"),
    AfterValidator(_known_currency),
    Field(description="ISO 4217."),
]
type InstalmentNumber = Annotated[
    int, Field(ge=1, le=99_999, description="The instalment's number within its account.")
]


type By = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._:|-]{0,80}$"),
    Field(
        description="Who says so: the subject id of the person at the identity provider, or the name of a system. "
        "No e-mail address: it appears in logs."
    ),
]


class ErasureRequest(NamedTuple):
    """The lender had a customer erased at this moment, and by whom."""

    at: datetime
    by: str = ""


class GivenLabel(NamedTuple):
    """A person's label, the carrier's id of the reply that it is for, and who gave it."""

    reply_id: str
    label: ReplyLabel
    by: str = ""


def _event(title: str, *details: Mapping[str, JsonValue]) -> ConfigDict:
    """Return the title and the examples for the schema of an event. Each example starts with the common fields."""
    common: dict[str, JsonValue] = {
        "schema_version": 1,
        "customer_id": "C-1001",
        "at": "2026-12-01T09:30:00+08:00",
    }
    return ConfigDict(title=title, json_schema_extra={"examples": [{**common, **detail} for detail in details]})


class LenderEventDetail(BaseModel):
    """What every event of a lender says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1, 2]
    customer_id: Id
    at: Instant = Field(
        description="When the lender's system says this: ISO 8601 with an offset. Of two events about the same thing "
        "the later counts, whichever comes first. At most five minutes ahead of our clock."
    )
    sequence: int = Field(
        default=0, ge=0, le=2**53 - 1, description="Orders events of the same moment; the higher counts."
    )
    by: By = ""


class InstalmentPaidDetail(LenderEventDetail):
    """
    So much of an instalment is paid by now.

    An absolute amount, so that a repeat harms nothing; lower if a payment was reversed.
    """

    model_config = _event(
        "InstalmentPaid", {"sequence": 0, "account_id": "A-1", "instalment_no": 1, "paid": 325_000, "currency": "TWD"}
    )

    account_id: Id
    instalment_no: InstalmentNumber
    paid: int = Field(ge=0, le=_MOST_MONEY, description="Paid so far, in minor units of the currency.")
    currency: Currency

    def lender_event(self) -> LenderEvent:
        """Return the event as the domain knows it."""
        return InstalmentPaid(self.account_id, self.instalment_no, self.paid, self.currency)


class InstalmentChangedDetail(LenderEventDetail):
    """An instalment is due at another time, or comes to something else; or there is a new one."""

    model_config = _event(
        "InstalmentChanged",
        {
            "account_id": "A-1",
            "instalment_no": 2,
            "due_on": "2027-01-15",
            "amount": 335_000,
            "currency": "TWD",
            "late_fee": 10_000,
            "written_notice_on": None,
        },
    )

    account_id: Id
    instalment_no: InstalmentNumber
    due_on: LocalDay = Field(description="The customer's local day.")
    amount: int = Field(
        ge=-_MOST_MONEY, le=_MOST_MONEY, description="In minor units, late fee included; negative for a credit."
    )
    currency: Currency
    late_fee: int = Field(default=0, ge=0, le=_MOST_MONEY, description="The part of the amount that is a late fee.")
    written_notice_on: LocalDay | None = Field(
        default=None, description="The day on which a written notice about its being late was issued."
    )

    @field_validator("late_fee")
    @classmethod
    def _is_part_of_the_amount(cls, fee: int, info: ValidationInfo) -> int:
        if fee > max(0, info.data.get("amount", fee)):
            raise ValueError("more than the amount")
        return fee

    @field_validator("written_notice_on")
    @classmethod
    def _was_issued_when_it_was_late(cls, notice: date | None, info: ValidationInfo) -> date | None:
        if notice is None:
            return None
        if notice < info.data.get("due_on", notice):
            raise ValueError("before the due date")
        # The latest day there is anywhere: the customer's zone is not known here.
        said_at: datetime | None = info.data.get("at")
        if said_at is not None and notice > (said_at + timedelta(hours=14)).date():
            raise ValueError("in the future")
        return notice

    def lender_event(self) -> LenderEvent:
        """Return the event as the domain knows it."""
        return InstalmentChanged(
            account_id=self.account_id,
            number=self.instalment_no,
            due_on=self.due_on,
            amount=self.amount,
            currency=self.currency,
            late_fee=self.late_fee,
            written_notice_on=self.written_notice_on,
        )


class AccountClosedDetail(LenderEventDetail):
    """Nothing of an account is to be paid any more."""

    model_config = _event("AccountClosed", {"account_id": "A-1"})

    account_id: Id

    def lender_event(self) -> LenderEvent:
        """Return the event as the domain knows it."""
        return AccountClosed(self.account_id)


class CustomerHoldDetail(LenderEventDetail):
    """The customer is to be left in peace, up to and including a day, or until a person releases them."""

    model_config = _event("CustomerHold", {"reason": "hardship", "until": "2027-01-31"}, {"reason": "deceased"})

    reason: str = Field(
        min_length=1,
        max_length=64,
        description=f"One of {', '.join(HoldReason)}. A word we do not know is honoured as 'other' and counted: "
        "silence is the safe side.",
    )
    until: LocalDay | None = Field(default=None, description="The last local day of it; without it, until released.")

    @property
    def is_understood(self) -> bool:
        """Whether we know the reason."""
        return self.reason in HoldReason

    def lender_event(self) -> LenderEvent:
        """Return the event as the domain knows it."""
        return CustomerHold(HoldReason(self.reason) if self.is_understood else HoldReason.OTHER, self.until)


class CustomerReleasedDetail(LenderEventDetail):
    """A person has looked at it: holds of a reason, or all, end here, whoever placed them."""

    model_config = _event("CustomerReleased", {"reason": "hardship"}, {})

    reason: HoldReason | None = Field(
        default=None, strict=False, description="Which holds end; without it all. A word we do not know is refused."
    )

    def lender_event(self) -> LenderEvent:
        """Return the event as the domain knows it."""
        return CustomerReleased(self.reason)


class CustomerAttendedDetail(LenderEventDetail):
    """
    A person has attended to the customer: what waited for a person up to then waits no more.

    Nothing else changes. A hold goes on, and so does an opt-out: release, hold or label the customer besides.
    """

    model_config = _event("CustomerAttended", {"by": "u-7f3a", "outcome": "called_back"}, {})

    outcome: str = Field(
        default="", pattern="^[a-z_]{0,40}$", description="What came of it, as a code of your own; it appears in logs."
    )

    def lender_event(self) -> LenderEvent:
        """Return the event as the domain knows it."""
        return CustomerAttended(self.outcome)


class AddressChangedDetail(LenderEventDetail):
    """
    The customer has another e-mail address or LINE user id, or none any more.

    A later file counts once it has an address of the kind itself.
    """

    model_config = _event(
        "AddressChanged",
        {"channel": "email", "address": "wang@example.com"},
        {"channel": "line", "address": "U0123456789abcdef0123456789abcdef"},
        {"channel": "email", "address": None},
    )

    channel: Literal["email", "line"] = Field(description="The channel that the address is for. Numbers come by file.")
    address: str | None = Field(
        max_length=254,
        description="The address; null if there is none any more. A LINE user id is U and 32 hexadecimal digits.",
    )

    @field_validator("address")
    @classmethod
    def _can_be_an_address(cls, address: str | None, info: ValidationInfo) -> str | None:
        if address is None:
            return None
        if info.data.get("channel") == "line":
            if not is_line_user_id(address):
                raise ValueError("no LINE user id")
            return address
        if not is_mail_address(address):
            raise ValueError("no e-mail address")
        return address.lower()

    def lender_event(self) -> LenderEvent:
        """Return the event as the domain knows it."""
        return AddressChanged(AddressKind(self.channel), self.address or "")


class ConsentChangedDetail(LenderEventDetail):
    """
    The customer has consented to a channel, or takes the consent back.

    A withdrawal holds whatever later files say, until there is a consent that was given after it.
    """

    model_config = _event(
        "ConsentChanged",
        {"channel": "line", "consented_at": "2026-11-30T18:05:00+08:00"},
        {"channel": "email", "consented_at": None},
    )

    channel: Channel = Field(strict=False, description="The channel. A word we do not know is refused.")
    consented_at: Instant | None = Field(
        description="When the customer consented, at most five minutes ahead of `at`; null if the consent is withdrawn."
    )

    @field_validator("consented_at")
    @classmethod
    def _was_given(cls, consented_at: datetime | None, info: ValidationInfo) -> datetime | None:
        said_at: datetime | None = info.data.get("at")
        if consented_at is not None and said_at is not None and consented_at - MOST_AHEAD > said_at:
            raise ValueError("in the future")
        return consented_at

    def lender_event(self) -> LenderEvent:
        """Return the event as the domain knows it."""
        return ConsentChanged(self.channel, self.consented_at)


class CustomerErasedDetail(LenderEventDetail):
    """The customer is to be forgotten. Whoever consents anew afterwards is a new customer."""

    model_config = _event("CustomerErased", {})


class ReplyLabelledDetail(LenderEventDetail):
    """
    A person has read a reply, and says what it means.

    The label takes the place of our reading: what that led to ends, and the label acts as if the customer had surely
    said so when writing. An opt-out stays all the same. Of two labels for one reply the later counts.
    """

    model_config = _event(
        "ReplyLabelled",
        {"reply_id": "d4e5f6", "intents": ["paid"]},
        {"reply_id": "d4e5f6", "intents": ["promise", "hardship"], "promised_on": "2026-12-18"},
    )

    reply_id: str = Field(
        pattern=r"^[A-Za-z0-9._:/+=-]{1,128}$",
        description="As in CustomerNeedsPerson and ReplyNotUnderstood: the carrier's id of the reply.",
    )
    intents: list[ReplyIntent] = Field(
        strict=False,
        max_length=len(ReplyIntent),
        description="All that the customer says; none, or chat, if it is nothing of these.",
    )
    promised_on: LocalDay | None = Field(
        default=None, description="The day that a promise names, if it names a certain one."
    )

    @field_validator("promised_on")
    @classmethod
    def _is_the_day_of_a_promise(cls, day: date | None, info: ValidationInfo) -> date | None:
        if day is not None and ReplyIntent.PROMISE not in info.data.get("intents", ()):
            raise ValueError("no promise")
        return day

    def given_label(self) -> GivenLabel:
        """Return the label as the domain knows it, its intents in their order and each once."""
        intents = tuple([intent.value for intent in ReplyIntent if intent in self.intents])
        return GivenLabel(
            self.reply_id,
            ReplyLabel(at=self.at, sequence=self.sequence, intents=intents, promised_on=self.promised_on),
            self.by,
        )


EVENTS: Mapping[str, type[LenderEventDetail]] = {
    "InstalmentPaid": InstalmentPaidDetail,
    "InstalmentChanged": InstalmentChangedDetail,
    "AccountClosed": AccountClosedDetail,
    "CustomerHold": CustomerHoldDetail,
    "CustomerReleased": CustomerReleasedDetail,
    "CustomerAttended": CustomerAttendedDetail,
    "AddressChanged": AddressChangedDetail,
    "ConsentChanged": ConsentChangedDetail,
    "CustomerErased": CustomerErasedDetail,
    "ReplyLabelled": ReplyLabelledDetail,
}
"""The models by their `detail-type`."""


class ReceivedEvent(NamedTuple):
    """An event as the domain knows it. `is_understood` is false for a hold with an unknown reason."""

    customer_id: str
    event: RecordedEvent | ErasureRequest | GivenLabel
    is_understood: bool = True


class _Envelope(BaseModel):
    """What EventBridge puts around an event. It adds fields as it likes: those that we do not read are let be."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    kind: str = Field(alias="detail-type")
    source: str = ""
    detail: dict[str, JsonValue]


def parse_lender_event(body: str, now: datetime, sources: Collection[str] = ()) -> ReceivedEvent:
    """
    Read a lender's event in its envelope. If there are `sources`, an event of any other is refused.

    Raises:
        UnreadableRecordError: the message is none; the error names the fields, not their contents.
    """
    try:
        envelope = _Envelope.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableRecordError(f"not a lender's event: {wrong_fields(error)}") from None
    if sources and envelope.source not in sources:
        raise UnreadableRecordError("not a lender's event: source, which LenderSources does not name")
    model = EVENTS.get(envelope.kind)
    if model is None:
        raise UnreadableRecordError("not a lender's event: detail-type")
    try:
        event = model.model_validate_json(json.dumps(envelope.detail))
    except ValidationError as error:
        raise UnreadableRecordError(f"not a lender's event: {wrong_fields(error, inside='detail.')}") from None
    if event.at - MOST_AHEAD > now:  # not added to `now`, which in a local run may be the end of all years
        raise UnreadableRecordError("not a lender's event: detail.at, in the future")
    return _received(event)


def _received(event: LenderEventDetail) -> ReceivedEvent:
    match event:
        case CustomerErasedDetail():
            return ReceivedEvent(event.customer_id, ErasureRequest(event.at, event.by))
        case ReplyLabelledDetail():
            return ReceivedEvent(event.customer_id, event.given_label())
        case (
            InstalmentPaidDetail()
            | InstalmentChangedDetail()
            | AccountClosedDetail()
            | CustomerHoldDetail()
            | CustomerReleasedDetail()
            | CustomerAttendedDetail()
            | AddressChangedDetail()
            | ConsentChangedDetail()
        ):
            recorded = RecordedEvent(EventTime(event.at, event.sequence), event.lender_event(), event.by)
            return ReceivedEvent(
                event.customer_id, recorded, not isinstance(event, CustomerHoldDetail) or event.is_understood
            )
        case _:
            raise TypeError(type(event).__name__)
