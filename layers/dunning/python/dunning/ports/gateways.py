"""Gateways: the carrier, the bus, the uploads, the switch, and the reader of replies."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from dunning.domain.outbound_events import OutboundEvent
from dunning.domain.replies.intents import ParsedReply, ReplyIntent


class PublishOutcome(StrEnum):
    """The meaning of an answer to a publish."""

    ACCEPTED = "accepted"
    REFUSED_FOR_GOOD = "refused_for_good"
    REFUSED_FOR_NOW = "refused_for_now"
    UNKNOWN = "unknown"


class Sms(NamedTuple):
    """One SMS as SNS takes it."""

    phone: str
    text: str
    sender_id: str = ""
    origination_number: str = ""
    entity_id: str = ""
    template_id: str = ""
    max_price: str = ""


class Published(NamedTuple):
    """
    The answer to a publish: `message_id` if accepted, else the error `code`.

    `retry_after` is the wait after a refusal for now.
    """

    outcome: PublishOutcome
    message_id: str = ""
    code: str = ""
    retry_after: timedelta = timedelta(minutes=1)


class SmsGateway(Protocol):
    """The way to the carrier."""

    def publish(self, sms: Sms) -> Published:
        """Publish once, never twice, and return the outcome as far as it is known. Raises no error of the SDK."""
        ...


class SendingSwitch(Protocol):
    """The one switch that stops all sending."""

    def is_on(self) -> bool:
        """Tell whether sending is on. A change holds within a minute, and an unreadable switch is off."""
        ...


class OptOutList(Protocol):
    """The carrier's own list of numbers that want no texts."""

    def opted_out(self) -> Iterator[str]:
        """Yield the numbers, E.164."""
        ...

    def opt_in(self, phone: str) -> bool:
        """Take a number off the list. Return whether that was allowed, which it is once in 30 days."""
        ...


class ReplyReader(Protocol):
    """Reads the customers' replies."""

    def parse(
        self,
        text: str,
        *,
        said_on: date,
        phone_country: str,
        our_texts: Sequence[str] = (),
        customer_name: str = "",
    ) -> ParsedReply:
        """
        Return the reading of a reply.

        `said_on` is the local day of the reply, `phone_country` the country of the number, empty if that is not known,
        and `our_texts` are the texts that the reply may quote. `customer_name` is the name of whoever has the number, a
        line each if several customers have it: a reader that asks outside takes the names out first.
        """
        ...


class LargerReader(Protocol):
    """A reader outside the account, asked for a second opinion on replies that are in doubt."""

    def read(self, masked_text: str, country: str) -> frozenset[ReplyIntent] | None:
        """
        Return the intents of a masked reply, at least one, or `None` if there is no answer to rely on.

        `country` is that of the number, or empty. The call ends within five seconds. Raises no error of the SDK.
        """
        ...


class Uploads(Protocol):
    """The upload bucket."""

    def open(self, bucket: str, key: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open an uploaded file as a stream of byte chunks."""
        ...

    def write_rejects(self, bucket: str, key: str, rows: Iterable[Sequence[str]]) -> None:
        """Write a reject file (CSV, UTF-8 with BOM so that Excel reads it)."""
        ...


class EventPublisher(Protocol):
    """The way to the lender's other systems."""

    def publish(self, events: Sequence[OutboundEvent]) -> None:
        """Put events on the bus. An event that the bus refuses is logged in full, and never fails the caller."""
        ...
