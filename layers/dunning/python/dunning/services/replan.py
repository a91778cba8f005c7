"""
Replan: work out every customer's wake anew, after a policy, a calendar or a jurisdiction has changed.

What is stricter holds at once, because every job is judged afresh. What is earlier would hold only from a customer's
next wake on: this is what moves it. The table is read in parts, side by side; a part that runs out of time is put back
on the queue with the place to go on from. It can be repeated and may run while senders run: a standing is written only
if its wake or its reason changes, and under the version it was read with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched

from dunning.contracts.replan_part import ReplanPart, parse_replan_part, replan_body
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decisions import Send
from dunning.domain.decision.rules import Policies
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.domain.outbound_events import OutboundEvent
from dunning.ports.clock import Clock
from dunning.ports.customers import Customer, CustomerScan, CustomerStore
from dunning.ports.gateways import EventPublisher
from dunning.ports.queues import DelayQueue, QueueMessage
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.optimistic import CONFLICT, Conflict, ContestedError, write_optimistically
from dunning.services.planning import Replanned, replan

PARTS = 8
"""Parts of the table that are read side by side, unless told otherwise."""

_BATCH = 50
"""Facts and standing of 50 customers are the 100 keys of one BatchGetItem."""

_SECONDS_TO_FINISH = 20.0
"""What a batch that has been begun may still need."""


@dataclass(frozen=True, slots=True)
class Counted:
    """
    How many customers were looked at, got another wake or reason, cannot be read, and kept changing meanwhile.

    `finished` tells whether a part was read to its end.
    """

    customers: int = 0
    changed: int = 0
    unreadable: int = 0
    contested: int = 0
    finished: bool = True


class ReplanService:
    """Plans customers anew."""

    def __init__(
        self,
        *,
        store: CustomerStore,
        scan: CustomerScan,
        queue: DelayQueue,
        publisher: EventPublisher,
        policies: Policies,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._scan = scan
        self._queue = queue
        self._publisher = publisher
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry

    def start(self, parts: int = PARTS) -> int:
        """Put all parts of the table on the queue and return how many there are."""
        self._queue.send_with_delay([replan_body(ReplanPart(part, parts, "")) for part in range(parts)], timedelta())
        self._telemetry.log_event(LogEvent.REPLAN_STARTED, parts=parts)
        return parts

    def handle_batch(self, messages: Sequence[QueueMessage], seconds_left: Callable[[], float]) -> list[str]:
        """
        Work parts off and return the message ids that are to come back.

        What is no part comes back too, and ends in the dead-letter queue: only `start` writes to this queue.
        """
        failed = []
        for message in messages:
            try:
                self._part(parse_replan_part(message.body), seconds_left)
            except DunningError as error:
                self._telemetry.log_event(
                    LogEvent.REPLAN_FAILED, message_id=message.message_id, error=type(error).__name__
                )
                self._telemetry.count(Metric.REPLAN_FAILED)
                failed.append(message.message_id)
        return failed

    def replan_part(self, part: ReplanPart, seconds_left: Callable[[], float], *, change: bool = True) -> Counted:
        """
        Plan the customers of a part anew, from where it says, as long as there is time.

        Args:
            part: which customers.
            seconds_left: how much time there is; a part that is not finished is put back on the queue.
            change: whether to write; without it the count is what would change.

        Raises:
            ServiceCallError: a call failed. What is done stays done: do the part again.
        """
        counted = Counted()
        customer_ids = self._scan.customer_ids(part.segment, part.segments, part.after)
        for batch in batched(customer_ids, _BATCH, strict=False):
            counted = self._batch(batch, counted, change=change)
            if seconds_left() < _SECONDS_TO_FINISH:
                self._queue.send_with_delay([replan_body(replace(part, after=batch[-1]))], timedelta())
                return replace(counted, finished=False)
        return counted

    def _part(self, part: ReplanPart, seconds_left: Callable[[], float]) -> None:
        counted = self.replan_part(part, seconds_left)
        self._telemetry.log_event(
            LogEvent.REPLANNED,
            segment=part.segment,
            segments=part.segments,
            customers=counted.customers,
            changed=counted.changed,
            unreadable=counted.unreadable,
            contested=counted.contested,
            finished=str(counted.finished),
        )
        self._telemetry.count(Metric.CUSTOMERS_REPLANNED, counted.customers)
        self._telemetry.count(Metric.WAKES_MOVED, counted.changed)

    def _batch(self, customer_ids: Sequence[str], counted: Counted, *, change: bool) -> Counted:
        now = self._clock.now()
        found = self._store.load(customer_ids)
        events: list[OutboundEvent] = []
        changed = unreadable = contested = 0
        for customer_id in customer_ids:
            try:
                replanned = self._customer(customer_id, found[customer_id], now, change=change)
            except UnreadableRecordError:
                unreadable += 1  # whoever meets it with a job sets it aside
                continue
            except ContestedError:
                contested += 1  # judged afresh by whoever changed it
                continue
            if replanned is not None:
                changed += 1
                events += replanned.events
        if change:
            self._publisher.publish(events)
        return Counted(
            counted.customers + len(customer_ids),
            counted.changed + changed,
            counted.unreadable + unreadable,
            counted.contested + contested,
        )

    def _customer(
        self, customer_id: str, found: Customer | UnreadableRecordError, now: datetime, *, change: bool
    ) -> Replanned | None:
        """Plan one customer anew; `None` if nothing changes."""

        def attempt(customer: Customer) -> Replanned | Conflict | None:
            before = customer.standing
            if customer.facts is None or before is None or not before.is_planned:
                return None  # nothing is owed, the customer has been erased, or a load is at it
            replanned = replan(customer.facts, before, before, self._policies, now)
            if _changes_nothing(before, replanned, now):
                return None
            if not change or self._store.save_standing(replanned.standing, expected_version=before.version):
                return replanned
            return CONFLICT

        return write_optimistically(customer_id, found, lambda: self._store.load([customer_id])[customer_id], attempt)


def _changes_nothing(before: Standing, replanned: Replanned, now: datetime) -> bool:
    """Tell whether nothing changes but the version; a text that has been due for a while stays due since then."""
    after = replanned.standing
    if isinstance(replanned.decision, Send) and before.wake is not None and before.wake.at <= now:
        after = replace(after, wake=before.wake, reason=before.reason)
    return replace(after, version=before.version) == before
