"""Gateways: the carrier, the bus, the uploads, the switch, and the reader of replies."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from dunning.domain.outbound_events import OutboundEvent
from dunning.domain.replies.intents import ParsedReply


class PublishOutcome(StrEnum):
    """What an answer to a publish means."""

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

    `retry_after` is how long to wait after a refusal for now.
    """

    outcome: PublishOutcome
    message_id: str = ""
    code: str = ""
    retry_after: timedelta = timedelta(minutes=1)


class SmsGateway(Protocol):
    """The way to the carrier."""

    def publish(self, sms: Sms) -> Published:
        """Publish once, never twice, and say what is known about the outcome. Raises nothing of the SDK's."""
        ...


class SendingSwitch(Protocol):
    """The one switch that stops all sending."""

    def is_on(self) -> bool:
        """Tell whether sending is on; a change holds within a minute, and what cannot be read is off."""
        ...


class OptOutList(Protocol):
    """The carrier's own list of numbers that want no texts."""

    def opted_out(self) -> Iterator[str]:
        """Yield the numbers, E.164."""
        ...

    def opt_in(self, phone: str) -> bool:
        """Take a number off; tell whether that was allowed: once in 30 days."""
        ...


class ReplyReader(Protocol):
    """Who understands what customers write."""

    def parse(self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = ()) -> ParsedReply:
        """
        Say what a reply means.

        `said_on` is the day on which it was said where the customer lives, `phone_country` the country of the number,
        empty if that is not known, and `our_texts` are those it may quote.
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
        """Put events on the bus. An event the bus does not take is logged in full, and never fails the work."""
        ...
