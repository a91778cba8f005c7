"""
Replan: works out every customer's wake again, after a policy, a calendar or a jurisdiction has changed.

A stricter rule holds at once, because every job is judged again before sending. An earlier contact would have to wait
for the customer's old wake, so a replan moves the wakes. The table is read in parts, side by side. A part that runs out
of time is put back on the queue with the last customer done. A replan can be repeated, and may run while senders run: a
standing is written only if its wake or its reason changes, and under the version it was read with.
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
from dunning.services.planning import Replanned, log_planned_decision, replan, told_again

PARTS = 8
"""The default number of parts of the table that are read side by side."""

_BATCH = 50
"""Facts and standing of 50 customers are the 100 keys of one BatchGetItem."""

_SECONDS_TO_FINISH = 20.0
"""The time that a batch may need once it has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """
    The number of customers read, with another wake or reason, that cannot be read, and that kept changing.

    `finished` says whether a part was read to its end.
    """

    customers: int = 0
    changed: int = 0
    unreadable: int = 0
    contested: int = 0
    finished: bool = True


class ReplanService:
    """Replans customers."""

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
        """Put all parts of the table on the queue and return their number."""
        self._queue.send_with_delay([replan_body(ReplanPart(part, parts, "")) for part in range(parts)], timedelta())
        self._telemetry.log_event(LogEvent.REPLAN_STARTED, parts=parts)
        return parts

    def handle_batch(self, messages: Sequence[QueueMessage], seconds_left: Callable[[], float]) -> list[str]:
        """
        Replan parts and return the ids of the messages to deliver again.

        A message that is no part returns, too, and ends in the dead-letter queue: only `start` writes to this queue.
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
        Replan the customers of a part, from its start position, as long as there is time.

        Args:
            part: the customers.
            seconds_left: the time left; an unfinished part is put back on the queue.
            change: whether to write; if not, the result counts the customers that would change.

        Raises:
            ServiceCallError: a call failed. Standings written before stay written: do the part again.
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
                unreadable += 1  # the sender quarantines the customer when a job comes
                continue
            except ContestedError:
                contested += 1  # the other writer has replanned the customer
                continue
            if replanned is not None:
                changed += 1
                events += replanned.events
                if change:
                    log_planned_decision(self._telemetry, customer_id, replanned.decision, now)
        if change:
            self._publisher.publish(events)
        return Counted(
            customers=counted.customers + len(customer_ids),
            changed=counted.changed + changed,
            unreadable=counted.unreadable + unreadable,
            contested=counted.contested + contested,
        )

    def _customer(
        self, customer_id: str, found: Customer | UnreadableRecordError, now: datetime, *, change: bool
    ) -> Replanned | None:
        """Replan one customer; `None` if nothing changes."""
        tried: list[Replanned] = []

        def attempt(customer: Customer) -> Replanned | Conflict | None:
            before = customer.standing
            if customer.facts is None or before is None or not before.is_planned:
                return None  # the customer has no facts, has been erased, or is being loaded
            replanned = replan(customer.facts, before, before, self._policies, now)
            again = told_again(tried[-1].events, before) if tried else []
            if _changes_nothing(before, replanned, now):
                return replanned._replace(events=tuple(again)) if again else None
            replanned = replanned._replace(events=(*again, *replanned.events))
            if not change or self._store.save_standing(replanned.standing, expected_version=before.version):
                return replanned
            tried.append(replanned)
            return CONFLICT

        return write_optimistically(customer_id, found, lambda: self._store.load([customer_id])[customer_id], attempt)


def _changes_nothing(before: Standing, replanned: Replanned, now: datetime) -> bool:
    """Tell whether only the version changes. A text that has been due for a while keeps its wake."""
    after = replanned.standing
    if isinstance(replanned.decision, Send) and before.wake is not None and before.wake.at <= now:
        after = replace(after, wake=before.wake, reason=before.reason)
    return replace(after, version=before.version) == before
