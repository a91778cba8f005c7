"""
Channel events: hands on what comes back from the services that send messages.

    a message of the queue ──> its events ──> receipts, under way: the delivery receipts
                                         ├──> blocks, and their ends: the customers with the address
                                         └──> words, buttons, wishes as good as words: the queue of the replies

A message that cannot be read is parked. All else that fails comes again, and what is done before changes nothing.
"""

from collections.abc import Sequence
from datetime import timedelta

from dunning.contracts.channel_event import parse_channel_events
from dunning.contracts.channel_message import channel_message_body, wish_body
from dunning.domain.delivery.channel_events import ChannelEvents, ChannelWish
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.domain.replies.buttons import WISHES_IN_WORDS
from dunning.ports.queues import DeadLetters, DelayQueue, InboundMessage
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.channel_wishes import ChannelWishService
from dunning.services.delivery_receipts import ClaimedReport, DeliveryReceiptService, Report
from dunning.services.parking import park

_AT_ONCE = timedelta()


class ChannelEventService:
    """Takes the messages of the queue of channel events apart."""

    def __init__(
        self,
        *,
        receipts: DeliveryReceiptService,
        wishes: ChannelWishService,
        replies: DelayQueue,
        queue: DeadLetters,
        telemetry: Telemetry,
    ) -> None:
        self._receipts = receipts
        self._wishes = wishes
        self._replies = replies
        self._queue = queue
        self._telemetry = telemetry

    def handle_batch(self, messages: Sequence[InboundMessage]) -> list[str]:
        """Handle a batch and return the ids of the messages to deliver again."""
        failed: list[str] = []
        read: list[tuple[InboundMessage, ChannelEvents]] = []
        for message in messages:
            try:
                read.append((message, parse_channel_events(message)))
            except UnreadableRecordError as error:
                if not self._park(message, str(error)):
                    failed.append(message.message_id)
        unreadable = sum(events.unreadable for _, events in read)
        if unreadable:
            self._telemetry.log_event(LogEvent.CHANNEL_EVENTS_UNREADABLE, events=unreadable)
            self._telemetry.count(Metric.CHANNEL_EVENTS_UNREADABLE, unreadable)
        # Words first: a stop does not wait behind a thousand receipts.
        not_handed_on = self._hand_on(read)
        not_reported = self._receipts.handle_claimed(
            [
                ClaimedReport(report, again=message.receive_count > 1)
                for message, events in read
                for report in _reports(events)
            ]
        )
        not_applied = self._apply_blocks(read)
        for message, events in read:
            claims = [report.claim for report in _reports(events)]
            has_failed = (
                message.message_id in not_handed_on
                or any(claim is not None and claim.customer_id in not_reported for claim in claims)
                or any(wish.address in not_applied for wish in _blocks(events))
            )
            if has_failed:
                failed.append(message.message_id)
                self._telemetry.count(Metric.CHANNEL_EVENTS_FAILED)
        return failed

    def _hand_on(self, read: Sequence[tuple[InboundMessage, ChannelEvents]]) -> frozenset[str]:
        """Put words on the queue of the replies, and return the messages of which that failed."""
        not_handed_on = set()
        for message, events in read:
            bodies = [channel_message_body(each) for each in events.messages]
            bodies += [
                wish_body(wish)
                for wish in events.wishes
                if wish.wish in WISHES_IN_WORDS and (wish.address or wish.claim is not None)
            ]
            if not bodies:
                continue
            try:
                self._replies.send_with_delay(bodies, _AT_ONCE)
            except DunningError as error:
                not_handed_on.add(message.message_id)
                self._telemetry.log_event(
                    LogEvent.CHANNEL_EVENT_FAILED, message_id=message.message_id, error=type(error).__name__
                )
        return frozenset(not_handed_on)

    def _apply_blocks(self, read: Sequence[tuple[InboundMessage, ChannelEvents]]) -> frozenset[str]:
        """Apply blocks and their ends, and return the addresses of which that failed."""
        blocks = [wish for _, events in read for wish in _blocks(events)]
        try:
            return frozenset(self._wishes.apply(blocks))
        except DunningError as error:
            self._telemetry.log_event(LogEvent.CHANNEL_EVENT_FAILED, error=type(error).__name__)
            return frozenset(wish.address for wish in blocks)

    def _park(self, message: InboundMessage, why: str) -> bool:
        return park(
            self._queue,
            self._telemetry,
            message,
            why,
            parked=LogEvent.CHANNEL_EVENT_PARKED,
            not_parked=LogEvent.CHANNEL_EVENT_NOT_PARKED,
            counted=Metric.CHANNEL_EVENTS_UNREADABLE,
        )


def _reports(events: ChannelEvents) -> list[Report]:
    return [*events.receipts, *events.under_way]


def _blocks(events: ChannelEvents) -> list[ChannelWish]:
    return [wish for wish in events.wishes if wish.wish not in WISHES_IN_WORDS]
