"""Replies: the messages of customers. Personal data: encrypted where it rests, kept for a time, never logged."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.delivery.channels import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSms:
    """
    What a customer wrote or pressed, as it arrived: an SMS, or a message of another channel.

    `inbound_id` is the carrier's, the same at each delivery. `phone` is E.164, and empty on a channel that knows no
    number: `address` then is the LINE user id or the mail address. `button` is the code of a pressed button, or empty.
    `customer_id` is the customer whose message the button belongs to, where the channel says so. It is not stored: the
    reply has it.
    """

    inbound_id: str
    phone: str
    text: str
    at: datetime
    in_reply_to: str = ""
    channel: Channel = Channel.SMS
    address: str = ""
    button: str = ""
    customer_id: str = ""

    @property
    def sender(self) -> str:
        """The number or the other address from which it came; empty if only the customer is known."""
        return self.phone or self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    One customer's reply with its intents (values of `ReplyIntent`).

    `intents` is the best guess at all that the customer says, `sure` and `likely` are what was acted on, and `why`
    names what decided. `digits` are the last digits of an account that the reply names. `labels` are the intents that a
    person gave at `labelled_at`, with the day of a promise; `label_sequence` orders labels of one moment.

    `lender` is the customer's when the reply came. `customer_id` is empty if no customer has the number. The reply is
    deleted at `expires_at`.
    """

    customer_id: str
    inbound: InboundSms
    intents: tuple[str, ...]
    promised_on: date | None
    expires_at: datetime
    sure: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    digits: str = ""
    labels: tuple[str, ...] = ()
    labelled_at: datetime | None = None
    label_sequence: int = 0
    label_promised_on: date | None = None
    lender: str = ""

    @property
    def label(self) -> ReplyLabel | None:
        """The newest label of a person, if there is one."""
        if self.labelled_at is None:
            return None
        return ReplyLabel(
            at=self.labelled_at,
            sequence=self.label_sequence,
            intents=self.labels,
            promised_on=self.label_promised_on,
        )

    def with_label(self, label: ReplyLabel) -> "Reply":
        """Return the reply with a person's label, unless it has a newer label."""
        if not label.is_newer_than(self.label):
            return self
        return replace(
            self,
            labels=label.intents,
            labelled_at=label.at,
            label_sequence=label.sequence,
            label_promised_on=label.promised_on,
        )
