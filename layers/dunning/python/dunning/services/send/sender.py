"""
Sender: decides each job again, claims the contact, publishes it once, and keeps its record.

SNS has no idempotency key, so exactly once is impossible. We never send twice. If an outcome is not known, the record
says so, and a delivery receipt settles it later:

    decide ──> claim (version = :read) ──> publish once ──> accepted          record `sent`
                 │ another writer was first    │            refused for good  record, number suspended, claim released
                 └──> read and decide again    │            refused for now   claim released, wake soon, no record
                                               └─ no answer: the claim stays, record `unknown`, never re-sent
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from dunning.contracts.job import parse_job
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import (
    LedgerEntry,
    Standing,
    Wake,
    claims_for_wake,
    said_last,
    with_address_refused,
    with_decision,
    with_outage,
    without_outage,
)
from dunning.domain.decision.channel_choice import OUTAGE_REMEMBERED
from dunning.domain.decision.decide import RECHECK_AFTER, decide
from dunning.domain.decision.decisions import Decision, Reason, Reminder, Send, Stop, TraceStep, Wait, trace_of
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import DunningError, UnreadableRecordError, error_location
from dunning.domain.outbound_events import (
    NumberUnreachable,
    OutboundEvent,
    ReminderSent,
)
from dunning.domain.replies.promises import JudgedPromises
from dunning.ports.clock import Clock
from dunning.ports.contacts import ContactLog
from dunning.ports.customers import Customer, CustomerStore
from dunning.ports.gateways import EventPublisher, Published, PublishOutcome, SendingSwitch
from dunning.ports.outgoing import Outgoing
from dunning.ports.queues import Job, JobQueue, QueueMessage
from dunning.ports.telemetry import LogEvent, Metric, Telemetry, message_metrics, metric_of_outcome
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically
from dunning.services.parking import park
from dunning.services.planning import (
    broken,
    plan,
    promises_settled,
    stopped,
    told_again,
    wake_after,
    wake_for_promises,
    with_recent,
    with_reviews,
)
from dunning.services.send.claims import (
    SECONDS_TO_FINISH,
    OutOfTimeError,
    PricedPolicies,
    release_claim,
    unknown_outcome_record,
    with_reminder_claimed,
)
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.messages import UnsubscribeUrl, held_out_record, message_to, record_of

_CHANNEL_RECHECK = timedelta(minutes=15)
"""The wait for a channel that is stopped: its customers must not fill each tick."""


def workers_for(per_second: float) -> int:
    """
    Return the number of threads that keep a pace: a claim and a publish take 0.4 s at worst.

    A client has 32 connections (`adapters/client.py`), and more threads would wait for them.
    """
    return max(2, min(32, math.ceil(per_second * 0.4)))


class Pacer:
    """Hands out slots at an even rate to all threads of a sender."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._gap = timedelta(seconds=1 / per_second)
        self._next: datetime | None = None
        self._lock = Lock()

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        with self._lock:
            now = self._clock.now()
            turn = now if self._next is None or self._next < now else self._next
            self._next = turn + self._gap
        if turn > now:
            self._clock.sleep((turn - now).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One customer's turn in a batch, for the last of the customer's jobs, with its outbound events."""

    job: Job
    wakes: frozenset[datetime]
    """The wakes of all the customer's jobs in the batch: an earlier delivery may have claimed a text for any."""
    redelivered: bool
    seconds_left: Callable[[], float]
    events: list[OutboundEvent] = field(default_factory=list)
    tried: list[OutboundEvent] = field(default_factory=list)
    """The events of a write that was refused, and that may have been made before."""


class SendService:
    """
    Handles the sender's jobs.

    `per_second` is this instance's share of the account's rate. `max_receive_count` is the queue's: a customer whose
    job fails at its last receive is quarantined.
    """

    def __init__(  # noqa: PLR0913 - its ports and its limits
        self,
        *,
        store: CustomerStore,
        contacts: ContactLog,
        queue: JobQueue,
        gateways: GatewaysByName,
        switch: SendingSwitch,
        publisher: EventPublisher,
        policies: PricedPolicies,
        clock: Clock,
        telemetry: Telemetry,
        new_id: Callable[[], str],
        per_second: float,
        max_receive_count: int,
        unsubscribe_url: UnsubscribeUrl | None = None,
    ) -> None:
        self._store = store
        self._contacts = contacts
        self._queue = queue
        self._gateways = gateways
        self._unsubscribe_url = unsubscribe_url
        self._switch = switch
        self._publisher = publisher
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry
        self._new_id = new_id
        self._max_receive_count = max_receive_count
        self._pacer = Pacer(clock, per_second)
        self._pool = ThreadPoolExecutor(workers_for(per_second), thread_name_prefix="send")

    def handle_batch(self, messages: Sequence[QueueMessage], seconds_left: Callable[[], float]) -> list[str]:
        """
        Handle a batch and return the ids of the messages to deliver again.

        The failure of a customer affects no other customer. Messages that are no jobs are parked at once.
        """
        jobs: dict[str, Job] = {}
        wakes: defaultdict[str, set[datetime]] = defaultdict(set)
        not_parked: list[str] = []
        of_customer: defaultdict[str, list[QueueMessage]] = defaultdict(list)
        for message in messages:
            try:
                job = parse_job(message.body)
            except UnreadableRecordError as error:
                if not self._park(message, str(error)):
                    not_parked.append(message.message_id)
                continue
            jobs[job.customer_id] = job
            wakes[job.customer_id].add(job.wake_at)
            of_customer[job.customer_id].append(message)
        if not jobs:
            return not_parked

        loaded = self._store.load(list(jobs))
        running: dict[str, Future[Contact | None]] = {}
        turns: list[_Turn] = []
        for customer_id, job in jobs.items():
            found = loaded[customer_id]
            receives = max(message.receive_count for message in of_customer[customer_id])
            turn = _Turn(
                job=job, wakes=frozenset(wakes[customer_id]), redelivered=receives > 1, seconds_left=seconds_left
            )
            turns.append(turn)
            running[customer_id] = self._pool.submit(self._judge, turn, found)

        # This thread wakes once, and not for each future: the wake-ups are half the cost of the threads.
        wait(running.values())
        records: list[Contact] = []
        failed: set[str] = set()
        for customer_id, future in running.items():
            failure = future.exception()
            if failure is None:
                if (record := future.result()) is not None:
                    records.append(record)
            elif not self._quarantine(customer_id, of_customer[customer_id], failure):
                failed.add(customer_id)
        failed |= self._write_records(records)
        # Published once. A sender that dies before this line publishes no events, but the records are what counts.
        self._publisher.publish([event for turn in turns for event in turn.events])
        return not_parked + [message.message_id for customer_id in failed for message in of_customer[customer_id]]

    def _park(self, message: QueueMessage, why: str) -> bool:
        """Park a message that is no job, and return whether the queue took it."""
        return park(
            self._queue,
            self._telemetry,
            message,
            why,
            parked=LogEvent.JOB_PARKED,
            not_parked=LogEvent.JOB_NOT_PARKED,
            counted=Metric.JOBS_PARKED,
        )

    def _write_records(self, records: list[Contact]) -> set[str]:
        """Write the batch's records. If that fails, return the customers: their jobs return and record `unknown`."""
        if not records:
            return set()
        try:
            self._contacts.write(records)
        except DunningError as error:
            self._telemetry.log_event(LogEvent.RECORDS_NOT_WRITTEN, error=type(error).__name__, records=len(records))
            self._telemetry.count(Metric.RECORDS_NOT_WRITTEN, len(records))
            for record in records:
                # These traces are stored nowhere else.
                trace = " | ".join(record.reasons)
                self._telemetry.log_event(LogEvent.RECORD_NOT_WRITTEN, customer_id=record.customer_id, trace=trace)
            return {record.customer_id for record in records}
        return set()

    def _quarantine(self, customer_id: str, messages: list[QueueMessage], error: BaseException) -> bool:
        """
        Log a failure. Move the wake of a customer who keeps failing by a day, so that no other customer is blocked.

        The wake moves at the last receive, or at once if the record cannot be read, because another try would not help:
        every tick until then would enqueue the customer again, and some forty such customers would fill the queue.
        """
        receives = max(message.receive_count for message in messages)
        out_of_time = isinstance(error, OutOfTimeError)
        hopeless = isinstance(error, UnreadableRecordError) or receives >= self._max_receive_count
        self._telemetry.log_event(
            LogEvent.JOB_FAILED,
            customer_id=customer_id,
            error=type(error).__name__,
            where=error_location(error),
            receives=receives,
        )
        self._telemetry.count(Metric.JOBS_OUT_OF_TIME if out_of_time else Metric.JOBS_FAILED)
        if out_of_time or not hopeless:
            return False
        now = self._clock.now()
        try:
            self._store.quarantine(customer_id, now + RECHECK_AFTER)
        except DunningError as second:
            self._telemetry.log_event(LogEvent.NOT_QUARANTINED, customer_id=customer_id, error=type(second).__name__)
            return False
        stop = Stop(
            Reason.UNREADABLE_RECORD,
            (("failed %s times: %s", (receives, type(error).__name__)),),
            now + RECHECK_AFTER,
        )
        self._telemetry.log_decision(customer_id, stop, now)
        self._telemetry.count(Metric.CUSTOMERS_QUARANTINED)
        return True

    def _judge(self, turn: _Turn, found: Customer | UnreadableRecordError) -> Contact | None:
        """Decide for one customer and act on the decision; return the record of a claimed message."""
        customer_id = turn.job.customer_id

        def attempt(customer: Customer) -> Contact | Conflict | None:
            judged = _judged_by(customer_id, customer)
            if turn.redelivered:
                self._settle(turn, *judged)  # at each attempt: the other writer may be the sender that had the job
            return self._act(turn, *judged)

        return write_optimistically(customer_id, found, lambda: self._store.load([customer_id])[customer_id], attempt)

    def _act(self, turn: _Turn, facts: Facts | None, standing: Standing) -> Contact | Conflict | None:
        """Decide for a customer as stored, and claim and publish, or leave the wake that follows."""
        customer_id = turn.job.customer_id
        decision, now = self._decide(facts, standing)
        settled = promises_settled(facts, standing, self._policies, now) if facts else JudgedPromises(standing, ())
        turn.events.extend(told_again(turn.tried, standing))
        if not isinstance(decision, Send) or facts is None:
            reviewed, reviews = with_reviews(settled.standing, decision, now, facts)
            events = [*broken(settled, now), *stopped(standing, decision, now), *reviews]
            if not self._leave(facts, standing, settled._replace(standing=reviewed), decision, now):
                turn.tried[:] = events
                return CONFLICT
            self._telemetry.log_decision(customer_id, decision, now)
            turn.events.extend(events)
            return None
        if turn.seconds_left() < SECONDS_TO_FINISH:
            raise OutOfTimeError
        turn.tried.clear()  # told of
        claimed = self._claim(facts, settled.standing, decision.reminder, now, turn.job.wake_at)
        if claimed is None:
            return CONFLICT
        after, following, reviews = claimed
        turn.events.extend(broken(settled, now))
        record = self._publish(facts, settled.standing, after, decision, now, turn.events)
        if record is not None and record.state is ContactState.SENT:
            turn.events.append(_sent(customer_id, decision.reminder, now))
        claim_stays = record is not None and record.state is not ContactState.REFUSED
        if isinstance(following, Stop) and claim_stays:
            # No wake follows, so this is the only place to say that the customer is over to a person.
            self._telemetry.log_decision(customer_id, following, now)
            turn.events.extend(stopped(standing, following, now))
        if claim_stays:
            turn.events.extend(reviews)
        return record

    def _decide(self, facts: Facts | None, standing: Standing) -> tuple[Decision, datetime]:
        """
        Decide. For a text, wait for a turn and decide again, because time has passed.

        The hours may have ended meanwhile, and the switch may be off. The switch is read each time.
        """
        now = self._clock.now()
        if facts is None:
            return Stop(Reason.NOTHING_OPEN, (("facts: none on record", ()),)), now
        decision = decide(facts, standing, self._policies, now, sending=self._switch.is_on())
        if isinstance(decision, Send) and not decision.reminder.is_held_out:
            self._pacer.wait()
            now = self._clock.now()
            decision = decide(facts, standing, self._policies, now, sending=self._switch.is_on())
        if isinstance(decision, Send) and _channel_of(decision.reminder) in self._switch.stopped_channels():
            return _channel_off(decision, now), now
        return decision, now

    def _leave(
        self, facts: Facts | None, standing: Standing, settled: JudgedPromises, decision: Decision, now: datetime
    ) -> bool:
        """Write the wake that follows from a wait or a stop. Return false if another writer was first."""
        if isinstance(decision, Wait) and decision.until is None:
            return True
        wake = wake_after(decision)
        if facts is not None:
            wake = wake_for_promises(wake, facts, settled.standing, self._policies, now)
        # Version 0: the customer is not on record, and a job that came too late must not create a standing.
        same = standing.reason == decision.reason.value or standing.version == 0
        if same and standing.wake == wake and settled.standing is standing:
            return True
        after = replace(
            settled.standing,
            version=standing.version + 1,
            wake=wake,
            reason=decision.reason.value,
            lender_id=facts.lender if facts else standing.lender_id,
        )
        after = with_recent(after, decision, now)
        return self._store.save_standing(after, expected_version=standing.version)

    def _claim(
        self, facts: Facts, standing: Standing, reminder: Reminder, now: datetime, for_wake: datetime
    ) -> tuple[Standing, Decision, list[OutboundEvent]] | None:
        """
        Reserve one contact before its text is published, with the wake that follows.

        Opt-outs, holds and other claims raise the version too, so that a claim cannot pass them. Returns the standing
        with the claim, the decision that follows and its reviews, or `None` if another writer was first.
        """
        rules = self._rules(facts, now)
        after = with_reminder_claimed(standing, facts, reminder, rules, now, for_wake, self._new_id())
        entry = after.ledger[-1]
        after = without_outage(after, entry.channel)
        following = plan(facts, after, self._policies, now)
        after, reviews = with_reviews(
            replace(after, wake=following.wake, reason=following.reason, lender_id=facts.lender),
            following.decision,
            now,
            facts,
        )
        if not self._store.save_standing(after, expected_version=standing.version, claim_id=entry.claim_id):
            return None
        return after, following.decision, reviews

    def _rules(self, facts: Facts, now: datetime) -> Rules:
        rules = self._policies.rules_for(facts, now)
        if not isinstance(rules, Rules):
            # A decision to send has just been made with these rules.
            raise DunningError(rules.value)
        return rules

    def _publish(
        self,
        facts: Facts,
        before: Standing,
        claimed: Standing,
        decision: Send,
        now: datetime,
        events: list[OutboundEvent],
    ) -> Contact | None:
        """
        Publish a claimed reminder once, and act on the outcome. `events` gets those of a definite refusal.

        One that is held out goes to no gateway, and only its record is returned.
        """
        rules = self._rules(facts, now)
        reminder = decision.reminder
        entry = claimed.ledger[-1]
        if entry.is_held_out:
            self._telemetry.log_decision(facts.customer_id, decision, now, recorded=True, send_id=reminder.send_id)
            return held_out_record(facts, rules, entry, tuple(trace_of(decision)))
        gateway = reminder.gateway
        outgoing = message_to(facts, rules, entry, reminder, gateway, self._unsubscribe_url)
        answer = self._gateways.publish_once(gateway, outgoing)
        self._telemetry.log_decision(
            facts.customer_id,
            decision,
            now,
            recorded=answer.outcome is not PublishOutcome.REFUSED_FOR_NOW,
            outcome=answer.outcome.value,
            send_id=reminder.send_id,
            message_id=answer.message_id,
            code=answer.code,
        )
        self._telemetry.count(metric_of_outcome(answer.outcome, outgoing.channel))
        if answer.outcome is PublishOutcome.REFUSED_FOR_NOW:
            busy_until = Wake(now + answer.retry_after, before.wake.urgency if before.wake else 0)
            fails_over = rules.failover_after is not None
            self._release_for_now(claimed, before, entry, busy_until, fails_over=fails_over)
            return None
        if answer.outcome is PublishOutcome.REFUSED_FOR_GOOD:
            events.extend(self._release_for_good(facts, before, claimed, outgoing, answer))
        price = self._policies.price(facts.phone_country, reminder.parts, outgoing.channel)
        record = record_of(rules, outgoing, entry, reminder, answer, price, tuple(trace_of(decision)), gateway)
        # The ledger keeps the segment of drawn texts alone: a claim has to stay small.
        is_known = record.payer_segment == reminder.payer_segment
        return record if is_known else replace(record, payer_segment=reminder.payer_segment)

    def _release_for_now(
        self, claimed: Standing, before: Standing, entry: LedgerEntry, wake: Wake, *, fails_over: bool
    ) -> None:
        """
        Release the claim of a message that its gateway did not take, and come back to it soon.

        With `fails_over` the outage is kept, so that another channel takes over in the end.
        """

        def then(standing: Standing, contested: bool) -> Standing:  # noqa: FBT001 - as `release_claim` calls it
            del contested
            standing = _without_reviews_of_claim(standing, before, claimed)
            standing = with_decision(standing, self._clock.now(), Reason.CARRIER_BUSY.value, wake.at)
            if fails_over:
                standing = replace(standing, outages=before.outages)
                standing = with_outage(standing, entry.channel, self._clock.now(), OUTAGE_REMEMBERED)
            return replace(standing, wake=wake, reason=Reason.CARRIER_BUSY.value)

        release_claim(self._store, self._telemetry, claimed, before, entry.claim_id, then)

    def _release_for_good(
        self, facts: Facts, before: Standing, claimed: Standing, outgoing: Outgoing, answer: Published
    ) -> list[OutboundEvent]:
        """
        Release the claim of a message that can never arrive, and decide again: another channel may reach the customer.

        The address is suspended, or all texts end if the service says that the person has opted out. Returns the events
        that follow.
        """
        channel = outgoing.channel
        events: list[OutboundEvent] = []

        def then(standing: Standing, contested: bool) -> Standing:  # noqa: FBT001 - as `release_claim` calls it
            now = self._clock.now()
            standing = _without_reviews_of_claim(standing, before, claimed)
            if answer.opted_out:
                standing = replace(standing, opted_out_at=said_last(standing.opted_out_at, now))
            else:
                standing = with_address_refused(standing, channel, outgoing.address, now)
            planned = plan(facts, standing, self._policies, now)
            standing, reviews = with_reviews(standing, planned.decision, now, facts)
            events[:] = [*(stopped(before, planned.decision, now) if answer.opted_out else ()), *reviews]
            # The other writer may have corrected the address: decide again.
            wake = Wake(now, 0) if contested and planned.wake is None else planned.wake
            standing = with_recent(standing, planned.decision, now)
            return replace(standing, wake=wake, reason=planned.reason)

        release_claim(self._store, self._telemetry, claimed, before, outgoing.claim_id, then)
        if answer.opted_out:
            self._telemetry.count(Metric.OPT_OUTS)
            return events
        return [NumberUnreachable(facts.customer_id, self._clock.now(), "refused", channel), *events]

    def _settle(self, turn: _Turn, facts: Facts | None, standing: Standing) -> None:
        """
        Record the claims of earlier deliveries as `unknown` if they have no record.

        The sender that made a claim died before it recorded the outcome. A sender may also have died before its
        metrics left: the alarm about unknown texts rather rings twice than never.
        """
        customer_id = turn.job.customer_id
        for wake_at in sorted(turn.wakes):
            for entry in claims_for_wake(standing, wake_at):
                contact = unknown_outcome_record(customer_id, facts, entry, self._policies)
                if self._contacts.write_if_absent(contact) and not entry.is_held_out:
                    self._telemetry.log_event(
                        LogEvent.SMS_UNKNOWN, customer_id=customer_id, send_id=entry.send_id, code="sender_crashed"
                    )
                    self._telemetry.count(message_metrics(Channel(entry.channel)).unknown)


def _judged_by(customer_id: str, customer: Customer) -> tuple[Facts | None, Standing]:
    """
    Return the facts and the standing for a decision; no facts if the customer has not been planned yet.

    A load that died before it wrote the standing has not looked for customers who share the number, and has not entered
    the caps of a customer who returns after an erasure. Until the file is loaded again, the customer counts as unknown.
    """
    facts = customer.facts if customer.standing and customer.standing.is_planned else None
    return facts, customer.standing or Standing(customer_id=customer_id)


def _channel_of(reminder: Reminder) -> str:
    """Return the channel of a reminder; of one that is held out, the one it would have gone by: arms are alike."""
    return reminder.would_go_by or reminder.channel


def _channel_off(decision: Send, now: datetime) -> Wait:
    """Return the wait for a channel that is stopped. Nobody is moved to another: the switch changes no words."""
    until = now + _CHANNEL_RECHECK
    step: TraceStep = ("switch: %s is off", (_channel_of(decision.reminder),))
    return Wait(until, Reason.SENDING_OFF, (*decision.steps, step), 0, decision.stage)


def _without_reviews_of_claim(standing: Standing, before: Standing, claimed: Standing) -> Standing:
    """Return the standing without what its claim was thought to begin or to end: it has not come about."""
    announced = [stop for stop in standing.announced if stop in before.announced or stop not in claimed.announced]
    announced += [stop for stop in before.announced if stop not in claimed.announced and stop not in announced]
    attention = [item for item in standing.attention if item in before.attention or item not in claimed.attention]
    attention += [item for item in before.attention if item not in claimed.attention and item not in attention]
    return replace(
        standing,
        announced=tuple(sorted(announced)),
        attention=tuple(sorted(attention, key=lambda item: item.since)),
    )


def _sent(customer_id: str, reminder: Reminder, now: datetime) -> ReminderSent:
    return ReminderSent(
        customer_id=customer_id,
        at=now,
        send_id=reminder.send_id,
        stage=reminder.stage,
        account_ids=reminder.account_ids,
        channel=reminder.channel,
    )
