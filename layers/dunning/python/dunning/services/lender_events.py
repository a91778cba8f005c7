"""
Lender events: records the events of a lender's systems, and replans the customers.

    events ──> all events of one customer ──> lender record and standing, replanned, one write ──> outbound events
                        │                     (revision = :read)   (version = :read)
                        └─ labels of replies ──> stored replies ─────┘

Events come late, twice and out of order, and the lender record puts them in order. Each write raises the standing's
version, so that a text decided on older facts cannot be claimed: a customer who has just paid gets no reminder. A label
is kept with its reply first. An event that is delivered again repairs a crash between these two writes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched

from dunning.contracts.erasure_round import ErasureRound, erasure_round_body, parse_lender_message
from dunning.contracts.instants import instant
from dunning.contracts.lender_event import ErasureRequest, GivenLabel, ReceivedEvent
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import (
    AccountClosed,
    CustomerAttended,
    CustomerReleased,
    InstalmentChanged,
    InstalmentPaid,
    LenderRecord,
    RecordedEvent,
    new_addresses,
    project_facts,
    record_event,
    with_addresses_given,
)
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.open_reviews import with_attended, with_released, with_reply_attended
from dunning.domain.decision.rules import Policies
from dunning.domain.errors import DunningError, UnreadableRecordError, error_location
from dunning.domain.outbound_events import OutboundEvent
from dunning.domain.replies.reply import Reply
from dunning.domain.replies.reply_effects import apply_label
from dunning.ports.clock import Clock
from dunning.ports.contacts import ReplyLog
from dunning.ports.customers import AddressIndex, CustomerStore, StoredCustomer
from dunning.ports.gateways import EventPublisher
from dunning.ports.queues import DeadLetters, DelayQueue, NewsFailures, QueueMessage
from dunning.ports.telemetry import LogEvent, Metric, Telemetry
from dunning.services.erasure.erase import ROUND_INTERVAL, SECOND_ROUND, EraseService
from dunning.services.erasure.purge import PurgeService
from dunning.services.news_first import note_failures
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically
from dunning.services.parking import park
from dunning.services.planning import (
    counted,
    fingerprint,
    log_planned_decision,
    replan,
    replan_as_told,
    with_payments_recorded,
)
from dunning.services.reply_place import reply_place
from dunning.services.send.claims import OutOfTimeError
from dunning.services.shared_addresses import SharedAddresses

BATCH = 50
"""The lender records and standings of 50 customers are the 100 keys of one BatchGetItem."""

_WORKERS = 8
"""Customers worked on at the same time. Each waits for a few calls, and the client has 32 connections."""

_SECONDS_TO_FINISH = 5.0
"""The time that one customer's reads and writes may still need."""


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _CustomerBatch:
    """All messages of a batch about one customer."""

    messages: list[QueueMessage] = field(default_factory=list)
    recorded: list[RecordedEvent] = field(default_factory=list)
    erasures: list[ErasureRequest] = field(default_factory=list)
    labels: list[GivenLabel] = field(default_factory=list)
    rounds: list[ErasureRound] = field(default_factory=list)

    @property
    def searched_before(self) -> datetime | None:
        """The time before which every round of the customer has read all files."""
        earlier = [searched_before for _, searched_before in self.rounds]
        return min((before for before in earlier if before), default=None) if all(earlier) else None


class LenderEventService:
    """Handles the events from a lender's bus: of these sources, or of all if none is named."""

    def __init__(  # noqa: PLR0913 - its ports
        self,
        *,
        store: CustomerStore,
        phones: AddressIndex,
        replies: ReplyLog,
        erasing: EraseService,
        purging: PurgeService,
        dead_letters: DeadLetters,
        delay_queue: DelayQueue,
        failures: NewsFailures,
        publisher: EventPublisher,
        policies: Policies,
        clock: Clock,
        telemetry: Telemetry,
        sources: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._shared = SharedAddresses(store, phones, policies)
        self._replies = replies
        self._erasing = erasing
        self._purging = purging
        self._dead_letters = dead_letters
        self._delay_queue = delay_queue
        self._failures = failures
        self._publisher = publisher
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry
        self._sources = sources
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="lender_events")

    def handle_batch(self, messages: Sequence[QueueMessage], seconds_left: Callable[[], float]) -> list[str]:
        """
        Handle a batch and return the ids of the messages to deliver again.

        The failure of a customer affects no other customer. Messages about an unreadable record return until they end
        among the dead letters, so that no statement is lost. Messages that are no events are parked at once.
        """
        cases, failed = self._sort(messages)
        events: list[OutboundEvent] = []
        errors: dict[str, BaseException] = {}
        for part in batched(cases.items(), BATCH, strict=False):
            errors |= self._work_off(dict(part), seconds_left, events)
        note_failures(self._failures, self._telemetry, errors.values())
        not_done = set(errors)
        if events:
            self._publisher.publish(events)
        again = {
            customer_id: case.searched_before
            for customer_id, case in cases.items()
            if case.rounds and customer_id not in not_done
        }
        if again and not self._go_on_erasing(again, seconds_left):
            not_done.update(again)
        return failed + [
            message.message_id for customer_id in sorted(not_done) for message in cases[customer_id].messages
        ]

    def _sort(self, messages: Sequence[QueueMessage]) -> tuple[dict[str, _CustomerBatch], list[str]]:
        """Group the messages by customer, and park the messages that are no events."""
        cases: defaultdict[str, _CustomerBatch] = defaultdict(_CustomerBatch)
        not_parked: list[str] = []
        now = self._clock.now()
        for message in messages:
            try:
                received = parse_lender_message(message.body, now, self._sources)
            except UnreadableRecordError as error:
                if not self._park(message, str(error)):
                    not_parked.append(message.message_id)
                continue
            case = cases[received.customer_id]
            case.messages.append(message)
            match received:
                case ErasureRound() as erasure_round:
                    case.rounds.append(erasure_round)
                case ReceivedEvent(event=ErasureRequest() as erasure):
                    case.erasures.append(erasure)
                case ReceivedEvent(event=GivenLabel() as given):
                    case.labels.append(given)
                case ReceivedEvent(event=RecordedEvent() as recorded, is_understood=is_understood):
                    case.recorded.append(recorded)
                    if not is_understood:
                        self._telemetry.log_event(LogEvent.HOLD_NOT_UNDERSTOOD, customer_id=received.customer_id)
                        self._telemetry.count(Metric.HOLDS_NOT_UNDERSTOOD)
        return cases, not_parked

    def _park(self, message: QueueMessage, why: str) -> bool:
        """Park a message that is no event, and return whether the queue took it."""
        return park(
            self._dead_letters,
            self._telemetry,
            message,
            why,
            parked=LogEvent.EVENT_PARKED,
            not_parked=LogEvent.EVENT_NOT_PARKED,
            counted=Metric.EVENTS_REFUSED,
        )

    def _work_off(
        self, cases: dict[str, _CustomerBatch], seconds_left: Callable[[], float], events: list[OutboundEvent]
    ) -> dict[str, BaseException]:
        """Handle customers who are read together, side by side. Return the errors of those whose messages return."""
        try:
            stored = self._store.load_stored(list(cases))
        except DunningError as error:
            for customer_id, case in cases.items():
                self._log_failure(customer_id, case, error)
            return dict.fromkeys(cases, error)
        running = {
            customer_id: self._pool.submit(self._customer, customer_id, case, stored[customer_id], seconds_left)
            for customer_id, case in cases.items()
        }
        wait(running.values())
        failed: dict[str, BaseException] = {}
        for customer_id, future in running.items():
            failure = future.exception()
            if failure is None:
                events += future.result()
            else:
                self._log_failure(customer_id, cases[customer_id], failure)
                failed[customer_id] = failure
        return failed

    def _log_failure(self, customer_id: str, case: _CustomerBatch, error: BaseException) -> None:
        self._telemetry.log_event(
            LogEvent.LENDER_EVENT_FAILED,
            customer_id=customer_id,
            error=type(error).__name__,
            where=error_location(error),
            receives=max(message.receive_count for message in case.messages),
        )
        self._telemetry.count(Metric.LENDER_EVENTS_FAILED, len(case.messages))

    def _customer(
        self,
        customer_id: str,
        case: _CustomerBatch,
        stored: StoredCustomer | UnreadableRecordError,
        seconds_left: Callable[[], float],
    ) -> Iterable[OutboundEvent]:
        """Handle the messages of a batch about one customer."""
        if seconds_left() < _SECONDS_TO_FINISH:
            raise OutOfTimeError
        if case.erasures:
            # The second round is ordered first. After a crash in between, the first round is repeated with the message.
            self._delay_queue.send_with_delay([erasure_round_body(customer_id)], SECOND_ROUND)
            for at, by in case.erasures:
                if by:
                    self._log_event(customer_id, at, "erased", by)
            self._erasing.erase(customer_id, max(erasure.at for erasure in case.erasures))
        if case.rounds:
            self._erasing.erase_again(customer_id)
        if case.erasures:
            stored = self._store.load_stored([customer_id])[customer_id]
        labelled = self._keep_labels(customer_id, case.labels)
        if not (case.recorded or case.erasures or labelled):
            return ()
        return self._take(customer_id, case.recorded, labelled, stored)

    def _keep_labels(self, customer_id: str, labels: Sequence[GivenLabel]) -> list[Reply]:
        """Keep people's labels with the replies they are for, and return these replies."""
        labelled: list[Reply] = []
        for reply_id, label, by in labels:
            reply = self._replies.label(customer_id, reply_id, label)
            if reply is None:
                self._telemetry.log_event(LogEvent.LABEL_OF_UNKNOWN_REPLY, customer_id=customer_id, reply_id=reply_id)
                self._telemetry.count(Metric.LABELS_OF_UNKNOWN_REPLY)
                continue
            labelled.append(reply)
            self._telemetry.log_event(
                LogEvent.REPLY_LABELLED,
                customer_id=customer_id,
                reply_id=reply_id,
                intents=",".join(reply.intents),
                labels=",".join(reply.labels),
                **({"by": by} if by else {}),
            )
            self._telemetry.count(Metric.REPLIES_LABELLED)
        return labelled

    def _with_labels(self, facts: Facts, standing: Standing, labelled: Sequence[Reply]) -> Standing:
        """Return a standing with the effect of people's labels of replies."""
        for reply in labelled:
            if reply.label is not None:
                at = reply.inbound.at
                place = reply_place(facts, self._policies, at)
                effect = apply_label(
                    counted(facts, self._policies, at), standing, reply.label, reply.digits, at, place.day, place.limits
                )
                standing = effect.standing
        return standing

    def _take(
        self,
        customer_id: str,
        recorded: Sequence[RecordedEvent],
        labelled: Sequence[Reply],
        stored: StoredCustomer | UnreadableRecordError,
    ) -> Iterable[OutboundEvent]:
        """Put events into the lender record, and replan the customer if the facts or the labels change anything."""

        def attempt(customer: StoredCustomer) -> Sequence[OutboundEvent] | Conflict:
            lender_record, stored_standing = customer
            after = _with_events(lender_record, recorded)
            facts = project_facts(after)
            new = new_addresses(lender_record, facts) if facts else ()
            if new and facts is not None:
                entered = self._shared.enter(lender_record, facts)
                if entered is None:
                    return CONFLICT
                lender_record, after = entered, with_addresses_given(_with_events(entered, recorded))
            before = stored_standing or Standing(customer_id=customer_id)
            known = _with_attention(self._with_labels(facts, before, labelled), recorded, labelled) if facts else before
            if facts is None or (
                known == before and (not before.is_planned or before.planned_for == fingerprint(facts))
            ):
                # Nothing changes, or not before the load plans the customer. The events are kept.
                return () if self._keep_events(lender_record, after) else CONFLICT
            now = self._clock.now()
            # Before the load plans the customer it looks all addresses up itself.
            sharing = self._shared.hold_who_share(facts, new if before.is_planned else (), now)
            standing, decision, events = (
                replan_as_told(after, facts, known, self._policies, now, shared=sharing.addresses)
                if before.is_planned
                else replan(facts, before, known, self._policies, now)
            )
            standing = with_payments_recorded(standing, project_facts(lender_record), facts, self._policies, now)
            is_saved = self._store.save_customer(
                after, standing, expected_revision=lender_record.revision, expected_version=before.version
            )
            if not is_saved:
                return CONFLICT
            self._log_new_events(lender_record, after)
            log_planned_decision(self._telemetry, customer_id, decision, now)
            if sharing.addresses:
                self._telemetry.count(Metric.PHONES_SHARED)
            if new:
                self._shared.leave(stored_standing, facts, now)
            return (*sharing.events, *events)

        return write_optimistically(
            customer_id, stored, lambda: self._store.load_stored([customer_id])[customer_id], attempt
        )

    def _keep_events(self, before: LenderRecord, after: LenderRecord) -> bool:
        """Write events that nobody acts on yet. Return false if another writer was first."""
        if after is before:
            return True
        is_saved = self._store.save_lender_record(after, expected_revision=before.revision)
        if is_saved:
            self._log_new_events(before, after)
        return is_saved

    def _log_new_events(self, before: LenderRecord, after: LenderRecord) -> None:
        """
        Count and log new events, by their ids: the record forgets an event once a snapshot knows it.

        Log also events of a customer without a snapshot (no fault), and of accounts not in it.
        """
        if after is before:
            return
        recorded_now = [entry for key, entry in after.events.items() if before.events.get(key) != entry]
        for time, event, by in recorded_now:
            self._log_event(after.customer_id, time.at, event.subject, by)
        new = [entry.event for entry in recorded_now]
        self._telemetry.count(Metric.LENDER_EVENTS_RECORDED, len(new))
        if after.snapshot is None:
            self._telemetry.log_event(LogEvent.LENDER_EVENT_OF_UNKNOWN_CUSTOMER, customer_id=after.customer_id)
            self._telemetry.count(Metric.LENDER_EVENTS_OF_UNKNOWN_CUSTOMER, len(new))
            return
        known = {account.account_id for account in after.snapshot.accounts}
        for event in new:
            if isinstance(event, InstalmentPaid | InstalmentChanged | AccountClosed) and event.account_id not in known:
                self._telemetry.log_event(
                    LogEvent.LENDER_EVENT_OF_UNKNOWN_ACCOUNT,
                    customer_id=after.customer_id,
                    account_id=event.account_id,
                )
                self._telemetry.count(Metric.LENDER_EVENTS_OF_UNKNOWN_ACCOUNT)

    def _log_event(self, customer_id: str, at: datetime, subject: str, by: str) -> None:
        who = {"by": by} if by else {}
        self._telemetry.log_event(
            LogEvent.LENDER_EVENT, customer_id=customer_id, at=instant(at), subject=subject, **who
        )

    def _go_on_erasing(self, again: Mapping[str, datetime | None], seconds_left: Callable[[], float]) -> bool:
        """
        Continue erasures in uploads and dead letters, and order another round for the customers not finished.

        The next round does not read the files again that this round has read.
        """
        try:
            uploads = self._erasing.erase_uploads(again, seconds_left)
            if uploads.is_finished:
                waiting, delay = uploads.waiting | self._purging.purge(list(again), seconds_left), ROUND_INTERVAL
            else:
                waiting, delay = frozenset(again), SECOND_ROUND
            if waiting:
                bodies = [
                    erasure_round_body(customer_id, max(uploads.searched_before, again[customer_id] or _LONG_AGO))
                    for customer_id in sorted(waiting)
                ]
                self._delay_queue.send_with_delay(bodies, delay)
        except DunningError as error:
            self._telemetry.log_event(LogEvent.ERASURE_FAILED, error=type(error).__name__, customers=len(again))
            self._telemetry.count(Metric.LENDER_EVENTS_FAILED, len(again))
            return False
        return True


def _with_events(lender_record: LenderRecord, recorded: Iterable[RecordedEvent]) -> LenderRecord:
    for event in recorded:
        lender_record = record_event(lender_record, event)
    return lender_record


def _with_attention(standing: Standing, recorded: Sequence[RecordedEvent], labelled: Sequence[Reply]) -> Standing:
    """Return a standing without the open reviews that people have attended to."""
    for reply in labelled:
        standing = with_reply_attended(standing, reply.inbound.inbound_id)
    for time, event, _ in recorded:
        match event:
            case CustomerAttended():
                standing = with_attended(standing, time.at)
            case CustomerReleased(reason=reason):
                standing = with_released(standing, reason, time.at)
            case _:
                pass
    return standing
