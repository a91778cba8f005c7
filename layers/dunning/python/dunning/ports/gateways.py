"""Gateways: the ways to customers, the bus, the uploads, the switch, and the reader of replies."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from dunning.domain.delivery.channels import Channel
from dunning.domain.outbound_events import OutboundEvent
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.ports.outgoing import Outgoing


class PublishOutcome(StrEnum):
    """The meaning of an answer to a publish."""

    ACCEPTED = "accepted"
    REFUSED_FOR_GOOD = "refused_for_good"
    REFUSED_FOR_NOW = "refused_for_now"
    UNKNOWN = "unknown"


class Published(NamedTuple):
    """
    The answer to a publish: `message_id` if accepted, else the error `code`.

    `retry_after` is the wait after a refusal for now. `opted_out` says of a refusal for good that the person wants no
    messages of ours: it is an opt-out, and no fault of the address.
    """

    outcome: PublishOutcome
    message_id: str = ""
    code: str = ""
    retry_after: timedelta = timedelta(minutes=1)
    opted_out: bool = False


class Gateway(Protocol):
    """A way to send messages of one channel. A channel may have several gateways."""

    @property
    def channel(self) -> Channel:
        """The channel whose messages it sends."""
        ...

    @property
    def name(self) -> str:
        """The name by which policies and audit records know it: `sns`."""
        ...

    @property
    def repeatable(self) -> bool:
        """
        Whether a message whose outcome is unknown may be published again with the same claim, within 24 hours.

        True only of a service that knows the claim, and takes it once.
        """
        ...

    def publish(self, outgoing: Outgoing) -> Published:
        """
        Publish with at most one request, and return the outcome as far as it is known. Raises nothing of an SDK.

        A message that the gateway cannot send, of another channel for example, is refused for now, and no request made.
        """
        ...


class SendingSwitch(Protocol):
    """The one switch that stops all sending, or the messages of some channels."""

    def is_on(self) -> bool:
        """Tell whether sending is on. A change holds within a minute, and an unreadable switch is off."""
        ...

    def stopped_channels(self) -> frozenset[Channel]:
        """Return the channels whose messages are stopped: all of them while sending is off."""
        ...


class OptOutList(Protocol):
    """The carrier's own list of numbers that want no texts."""

    def opted_out(self) -> Iterator[str]:
        """Yield the numbers, E.164."""
        ...

    def opt_in(self, phone: str) -> bool:
        """Take a number off the list. Return whether that was allowed, which it is once in 30 days."""
        ...

    def opt_out(self, phone: str) -> None:
        """Put a number on the list, where the carrier's service has a call for that. It may be there already."""
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
