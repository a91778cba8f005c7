"""
Delivery receipts: brings the reports of all channels to the audit records, and applies them to the customers.

    delivery logs ──> numbers ──> customers ──> claims of about that time ──> records, a hundred a call
                                                   │                             │ by message id, else the only
    events with their claim ──> its record by key ─┤                             v unknown record that fits
                                                   │                          advance, one write a record
                                                   ├── no record yet: looked at again a minute later, by ids
                                                   └── a failure that changes the standing (version = :read)

The logs are those of the AWS account. A text without a claim of ours belongs to another sender. It is counted and left
alone, and so is an event without a claim: nothing is guessed where a service brings the claim back. A report that is
delivered again changes nothing, but completes the work of a delivery that crashed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from dunning.contracts.delivery_log import Reported
from dunning.contracts.waiting_receipt import WaitingReceipt, parse_waiting_receipt, waiting_receipt_body
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.rules import Policies
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import (
    ClaimKey,
    DeliveryReceipt,
    DeliveryStatus,
    UnderWay,
    delivery_status,
    record_receipt,
    record_under_way,
)
from dunning.domain.delivery.receipt_effects import apply_receipt, changes_standing
from dunning.domain.errors import DunningError, UnexpectedError, UnreadableRecordError, error_location
from dunning.domain.outbound_events import OutboundEvent
from dunning.ports.clock import Clock
from dunning.ports.contacts import ContactArchive, ContactKey
from dunning.ports.customers import AddressIndex, Customer, CustomerStore
from dunning.ports.gateways import EventPublisher
from dunning.ports.queues import DelayQueue, QueueMessage
from dunning.ports.telemetry import LogEvent, Metric, Telemetry, message_metrics
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically
from dunning.services.planning import log_planned_decision, replan, told_again
from dunning.services.send.claims import unknown_outcome_record
from dunning.services.suspended_addresses import new_suspensions

_NEAR = timedelta(minutes=15)
"""A claim and the publish of its text are seconds apart, or a minute if the sender waits for its pace."""

_AT_ONCE = timedelta(minutes=1)
"""The longest distance between a receipt and its claim if only number and time are known."""

_RECHECK_AFTER = timedelta(minutes=1)
"""The sender writes its records within a minute."""

_SENDER_IS_DONE = timedelta(minutes=15)
"""By then a sender has written its records, or died: a batch takes one minute, and its jobs come back after six."""

_WORKERS = 8
"""Records and customers written at the same time. Each waits for a few calls, and the client has 32 connections."""


type Report = DeliveryReceipt | UnderWay
"""What a service reports of a message: how it ended, or only that it is under way."""


class ClaimedReport(NamedTuple):
    """A report that should name its claim, and whether it may have been worked on before."""

    report: Report
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """
    A report and its claim, with the record if it exists already.

    `mend` says that the record may have the receipt and the standing not. `recovered` says that the text had failed and
    has arrived after all.
    """

    report: Report
    key: ContactKey
    contact: Contact | None
    mend: bool = False
    recovered: bool = False


class _StoredRecord(NamedTuple):
    """A record as it is stored, or `None` if its retention is over."""

    contact: Contact | None


class _Claim(NamedTuple):
    """A claim of about the time of a receipt, whether it is known to have failed, and the customer's number."""

    key: ContactKey
    failed: bool
    phone: str


class DeliveryReceiptService:
    """Brings receipts to the records, and applies them to the customers."""

    def __init__(
        self,
        *,
        store: CustomerStore,
        phones: AddressIndex,
        contacts: ContactArchive,
        delay_queue: DelayQueue,
        publisher: EventPublisher,
        policies: Policies,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._phones = phones
        self._contacts = contacts
        self._delay_queue = delay_queue
        self._publisher = publisher
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="delivery_receipts")

    def handle_batch(self, reported: Reported) -> None:
        """
        Handle the logs that a subscription hands over.

        Raises:
            ServiceCallError: a call failed. Lambda hands the logs over again, and receipts done before change nothing.
            ContestedError: other writers kept changing a customer. Lambda hands the logs over again.
            UnreadableRecordError: a customer's record cannot be read. Lambda hands the logs over again.
            UnexpectedError: an unforeseen error. Lambda hands the logs over again.
        """
        if reported.unreadable:
            self._telemetry.log_event(LogEvent.RECEIPTS_UNREADABLE, logs=reported.unreadable)
            self._telemetry.count(Metric.RECEIPTS_UNREADABLE, reported.unreadable)
        owners, customers = self._customers_of({receipt.phone for receipt in reported.receipts if receipt.phone})
        matches, failures = self._match(reported.receipts, owners, customers)
        failures |= self._act(matches)
        self._log_failures(failures)
        for failure in failures.values():
            raise failure

    def handle_waiting(self, messages: Sequence[QueueMessage]) -> list[str]:
        """Handle reports whose records were missing before. Return the ids of the messages to deliver again."""
        failed: list[str] = []
        waiting: dict[str, _Match] = {}
        for message in messages:
            try:
                key, report = parse_waiting_receipt(message.body)
            except UnreadableRecordError as error:
                self._telemetry.log_event(LogEvent.RECEIPT_UNREADABLE, message_id=message.message_id, why=str(error))
                self._telemetry.count(Metric.RECEIPTS_UNREADABLE)
                failed.append(message.message_id)  # ends with the dead letters
                continue
            waiting[message.message_id] = _Match(report=report, key=key, contact=None, mend=message.receive_count > 1)
        failures = self._follow_up(list(waiting.values()))
        return failed + [message_id for message_id, match in waiting.items() if match.key.customer_id in failures]

    def handle_claimed(self, reports: Sequence[ClaimedReport]) -> Mapping[str, DunningError]:
        """
        Handle reports that name their claims, and return the customers whose reports have to come again.

        Their records are found by key, and nothing is guessed. A report without a claim, or with one that is none of
        ours, is counted as another's.
        """
        claimed = [(report, report.report.claim) for report in reports]
        try:
            entries = self._entries_of({claim for _, claim in claimed if claim is not None})
        except DunningError as error:
            failures: dict[str, DunningError] = {claim.customer_id: error for _, claim in claimed if claim is not None}
            self._log_failures(failures)
            return failures
        latest = self._clock.now() + _NEAR
        failures = {}
        matches: list[_Match] = []
        for (report, again), claim in claimed:
            match entries.get(claim) if claim is not None else None:
                case UnreadableRecordError() as unreadable if claim is not None:
                    failures[claim.customer_id] = unreadable
                case ContactKey() as key if key.at <= latest:
                    matches.append(_Match(report=report, key=key, contact=None, mend=again))
                case _:
                    self._not_ours(report)
        self._log_failures(failures)
        return failures | self._follow_up(matches)

    def _entries_of(self, claims: set[ClaimKey]) -> Mapping[ClaimKey, ContactKey | UnreadableRecordError]:
        """Return the record's key of each claim: what the claim does not say, the customer's ledger does."""
        keys: dict[ClaimKey, ContactKey | UnreadableRecordError] = {
            claim: ContactKey(claim.customer_id, claim.claimed_at, claim.send_id)
            for claim in claims
            if claim.claimed_at is not None and claim.send_id
        }
        short = claims - keys.keys()
        loaded = self._store.load(sorted({claim.customer_id for claim in short})) if short else {}
        for claim in short:
            customer = loaded[claim.customer_id]
            if isinstance(customer, UnreadableRecordError):
                keys[claim] = customer
                continue
            ledger = customer.standing.ledger if customer.standing else ()
            entry = next((entry for entry in ledger if entry.claim_id == claim.claim_id), None)
            if entry is not None:
                keys[claim] = ContactKey(claim.customer_id, entry.at, entry.send_id)
        return keys

    def _follow_up(self, matches: Sequence[_Match]) -> dict[str, DunningError]:
        """Find the records of claims, act on their reports, and return the customers for whom that failed."""
        failures: dict[str, DunningError]
        try:
            found = self._contacts.find({match.key for match in matches})
            failures = {
                key.customer_id: record for key, record in found.items() if isinstance(record, UnreadableRecordError)
            }
            recorded = [_with_record(match, found) for match in matches if match.key.customer_id not in failures]
            for match in filter(_is_anothers, recorded):
                self._not_ours(match.report)
            failures |= self._act([match for match in recorded if not _is_anothers(match)])
        except DunningError as error:
            failures = {match.key.customer_id: error for match in matches}
        self._log_failures(failures)
        return failures

    def _customers_of(
        self, phones: set[str]
    ) -> tuple[Mapping[str, frozenset[str]], Mapping[str, Customer | UnreadableRecordError]]:
        """Return the present and former owners of each number, and these customers."""
        owners = self._phones.customers_with(phones)
        everybody = sorted({customer_id for ids in owners.values() for customer_id in ids})
        return owners, self._store.load(everybody)

    def _match(
        self,
        receipts: Iterable[DeliveryReceipt],
        owners: Mapping[str, frozenset[str]],
        customers: Mapping[str, Customer | UnreadableRecordError],
    ) -> tuple[list[_Match], dict[str, DunningError]]:
        """
        Find the claim of each receipt, and count the receipts without a claim.

        A receipt may be about a customer whose record cannot be read. Such customers are returned with their errors, so
        that the receipt is not lost.
        """
        candidates = [
            (receipt, list(_claims_near(receipt, owners.get(receipt.phone, frozenset()), customers)))
            for receipt in receipts
        ]
        found = self._contacts.find({claim.key for _, claims in candidates for claim in claims})
        matches: list[_Match] = []
        failures: dict[str, DunningError] = {}
        for receipt, claims in candidates:
            match = _fitting(receipt, claims, found)
            if match is not None:
                matches.append(match)
                continue
            unread: dict[str, object] = {
                customer_id: customers[customer_id] for customer_id in owners.get(receipt.phone, ())
            }
            unread |= {claim.key.customer_id: found[claim.key] for claim in claims if claim.key in found}
            errors = {
                customer_id: error for customer_id, error in unread.items() if isinstance(error, UnreadableRecordError)
            }
            if not errors:
                self._not_ours(receipt)
            failures |= errors
        return matches, failures

    def _log_failures(self, failures: Mapping[str, DunningError]) -> None:
        for customer_id, failure in failures.items():
            self._telemetry.log_event(LogEvent.RECEIPTS_FAILED, customer_id=customer_id, error=type(failure).__name__)

    def _not_ours(self, report: Report) -> None:
        # A message id is not personal data; the number is.
        self._telemetry.log_event(LogEvent.RECEIPT_WITHOUT_CONTACT, message_id=report.message_id)
        self._telemetry.count(Metric.RECEIPTS_WITHOUT_CONTACT)

    def _act(self, matches: Sequence[_Match]) -> dict[str, DunningError]:
        """
        Write receipts, first to the records, then to the standings that change.

        Returns the customers for whom a write failed. All others are done.
        """
        failures: dict[str, DunningError] = {}
        waiting = [match for match in matches if match.contact is None]
        now = self._clock.now()
        too_early = [match for match in waiting if now - match.key.at < _SENDER_IS_DONE]
        if too_early:
            bodies = [waiting_receipt_body(WaitingReceipt(match.key, match.report)) for match in too_early]
            self._delay_queue.send_with_delay(bodies, _RECHECK_AFTER)
        dead = [(match.key.customer_id, match) for match in waiting if now - match.key.at >= _SENDER_IS_DONE]
        by_record: defaultdict[ContactKey, list[_Match]] = defaultdict(list)
        for match in [*matches, *self._each(dead, self._recorded, failures)]:
            if match is not None and match.contact is not None:
                by_record[match.key].append(match)
        for key, same in list(by_record.items()):
            guessed = [match for match in same if match.report.claim is None]
            if len({match.report.message_id for match in guessed}) > 1:
                # Two messages for one claim, and nothing says which is the right one. The claim stays as it is.
                by_record[key] = [match for match in same if match.report.claim is not None]
                for match in guessed:
                    self._not_ours(match.report)
        records = [(key.customer_id, same) for key, same in by_record.items() if same]
        following: defaultdict[str, list[_Match]] = defaultdict(list)
        for followed in self._each(records, self._settle, failures):
            if followed:
                following[followed[0].key.customer_id] += followed
        cases = [(customer_id, (customer_id, followed)) for customer_id, followed in following.items()]
        events = [event for of_customer in self._each(cases, self._follow, failures) for event in of_customer]
        if events:
            self._publisher.publish(events)
        return failures

    def _each[T, R](
        self, work: Sequence[tuple[str, T]], do: Callable[[T], R], failures: dict[str, DunningError]
    ) -> list[R]:
        """Call a function for each item on several threads, and return the results. Failures are kept by customer."""
        running = [(customer_id, self._pool.submit(do, item)) for customer_id, item in work]
        # This thread wakes once, and not for each future.
        wait([future for _, future in running])
        done: list[R] = []
        for customer_id, future in running:
            error = future.exception()
            if error is None:
                done.append(future.result())
            else:
                failures[customer_id] = self._foreseen(customer_id, error)
        return done

    def _foreseen(self, customer_id: str, error: BaseException) -> DunningError:
        """Return an error that may be raised. Of an unforeseen error only kind and place are logged."""
        if isinstance(error, DunningError):
            return error
        self._telemetry.log_event(
            LogEvent.RECEIPT_NOT_FOLLOWED,
            customer_id=customer_id,
            error=type(error).__name__,
            where=error_location(error),
        )
        return UnexpectedError(type(error).__name__)

    def _recorded(self, match: _Match) -> _Match | None:
        """Write the record of a claim whose sender died before it wrote one; `None` if the customer is erased."""
        customer_id = match.key.customer_id
        found = self._store.load([customer_id])[customer_id]
        if isinstance(found, UnreadableRecordError):
            raise found
        ledger = found.standing.ledger if found.standing else ()
        entry = next(
            (claim for claim in ledger if (claim.at, claim.send_id) == (match.key.at, match.key.send_id)), None
        )
        if entry is None:
            self._not_ours(match.report)
            return None
        contact = unknown_outcome_record(customer_id, found.facts, entry, self._policies)
        self._contacts.write_if_absent(contact)
        return replace(match, contact=contact)

    def _settle(self, matches: Sequence[_Match]) -> Sequence[_Match]:
        """Advance one record by all its reports, in one write. Return the receipts that change the standing."""
        key = matches[0].key
        recovered = False

        def attempt(stored: _StoredRecord) -> Sequence[_Match] | Conflict:
            nonlocal recovered
            contact = stored.contact
            if contact is None:
                return ()
            of_it = [match for match in matches if not _is_anothers(replace(match, contact=contact))]
            for match in matches:
                if match not in of_it:
                    self._not_ours(match.report)
            after = contact
            for match in of_it:
                after = _recorded_in(after, match.report)
            # A write that was refused may have been made: what had recovered before it has recovered.
            recovered |= contact.state is ContactState.FAILED and after.state is ContactState.DELIVERED
            following = [
                replace(match, recovered=recovered)
                for match in of_it
                if isinstance(match.report, DeliveryReceipt)
                and (match.mend or recovered or changes_standing(delivery_status(match.report)))
            ]
            if after is contact:
                return following
            if not self._contacts.advance(after, expected=contact.state):
                return CONFLICT
            self._count(contact, after, of_it)
            return following

        def reread() -> _StoredRecord | UnreadableRecordError:
            found = self._contacts.find([key]).get(key)
            return found if isinstance(found, UnreadableRecordError) else _StoredRecord(found)

        return write_optimistically(key.customer_id, _StoredRecord(matches[0].contact), reread, attempt)

    def _count(self, before: Contact, after: Contact, matches: Sequence[_Match]) -> None:
        counts = message_metrics(Channel(after.channel))
        statuses = {_class_of(match.report) for match in matches}
        if after.state is ContactState.DELIVERED and before.state is not ContactState.DELIVERED:
            self._telemetry.count(counts.delivered)
        if after.state is ContactState.FAILED and before.state is not ContactState.FAILED:
            self._telemetry.count(counts.failed)
            if DeliveryStatus.TECHNICAL_FAILURE in statuses:
                self._telemetry.count(counts.technical_failure)
            if DeliveryStatus.UNCLASSIFIED in statuses:
                self._telemetry.count(counts.failed_unclassified)
        if after.billed_parts and not before.billed_parts and before.parts:
            self._telemetry.count(Metric.SEGMENTS_ESTIMATED, before.parts)
            self._telemetry.count(Metric.SEGMENTS_BILLED, after.billed_parts)
            if after.billed_parts != before.parts:
                self._telemetry.count(Metric.SEGMENTS_UNEXPECTED)
        self._telemetry.log_event(
            LogEvent.RECEIPT,
            customer_id=after.customer_id,
            send_id=after.send_id,
            channel=after.channel,
            state=after.state.value,
            # The class, not the carrier's words, which may hold personal data.
            statuses=",".join(sorted(statuses)),
        )

    def _follow(self, case: tuple[str, Sequence[_Match]]) -> Sequence[OutboundEvent]:
        """Apply receipts to the standing of a customer, if they change anything."""
        customer_id, matches = case
        first: list[Standing] = []
        tried: list[OutboundEvent] = []

        def attempt(customer: Customer) -> Sequence[OutboundEvent] | Conflict:
            facts, before = customer
            if facts is None or before is None:
                return ()  # erased meanwhile
            first.append(before)
            now, again = self._clock.now(), told_again(tried, before)
            records = self._contacts.find({match.key for match in matches})
            after = before
            for match in matches:
                record = records.get(match.key)
                if isinstance(record, Contact) and isinstance(match.report, DeliveryReceipt):
                    after = apply_receipt(facts, after, match.report, record)
            # If a text arrived after all, the standing is written even if it has no failure yet: another invocation,
            # which read the record earlier, may be about to write the failure. Its write now fails, and it reads again.
            if after == before and not any(match.recovered for match in matches):
                return (*self._new_suspensions(facts, first[0], before, now), *again)
            planned = replan(facts, before, after, self._policies, now)
            if not self._store.save_standing(planned.standing, expected_version=before.version):
                tried[:] = [*again, *planned.events]
                return CONFLICT
            log_planned_decision(self._telemetry, customer_id, planned.decision, now)
            if planned.standing.is_opted_out and not before.is_opted_out:
                self._telemetry.count(Metric.OPT_OUTS)
            return (*self._new_suspensions(facts, first[0], planned.standing, now), *again, *planned.events)

        def read() -> Customer | UnreadableRecordError:
            return self._store.load([customer_id])[customer_id]

        return write_optimistically(customer_id, read(), read, attempt)

    def _new_suspensions(
        self, facts: Facts, before: Standing, after: Standing, now: datetime
    ) -> Sequence[OutboundEvent]:
        return new_suspensions(self._telemetry, facts, before, after, DeliveryStatus.PERMANENT_FAILURE.value, now)


def _claims_near(
    receipt: DeliveryReceipt, owners: Iterable[str], customers: Mapping[str, Customer | UnreadableRecordError]
) -> Iterator[_Claim]:
    """Yield the claims near the time of a receipt, of all customers who have or had its number."""
    for customer_id in sorted(owners):
        customer = customers[customer_id]
        if isinstance(customer, UnreadableRecordError) or customer.standing is None:
            continue
        for entry in customer.standing.ledger:
            if abs(entry.at - receipt.at) <= _NEAR and not entry.is_held_out:
                key = ContactKey(customer_id, entry.at, entry.send_id)
                yield _Claim(key, entry.failed, customer.facts.phone if customer.facts else "")


def _fitting(
    receipt: DeliveryReceipt, claims: Sequence[_Claim], found: Mapping[ContactKey, Contact | UnreadableRecordError]
) -> _Match | None:
    """
    Return the claim of a receipt: the claim with its message id, else the only unsettled claim that fits.

    An unsettled claim fits if it is to this number, of the same minute, and recorded as `unknown` or not at all. If two
    claims fit, neither is taken.
    """
    fits: list[_Match] = []
    for claim in claims:
        contact = found.get(claim.key)
        if isinstance(contact, Contact) and contact.message_id == receipt.message_id:
            return _Match(report=receipt, key=claim.key, contact=contact, mend=claim.failed and receipt.delivered)
        if abs(claim.key.at - receipt.at) > _AT_ONCE:
            continue
        if isinstance(contact, UnreadableRecordError):
            return None
        if contact is None or _is_unsettled(contact):
            phone = contact.phone if contact is not None and contact.phone else claim.phone
            if phone == receipt.phone:
                fits.append(_Match(report=receipt, key=claim.key, contact=contact))
    return fits[0] if len(fits) == 1 else None


def _is_unsettled(contact: Contact) -> bool:
    """Tell whether the message of a record is not known."""
    return contact.state is ContactState.UNKNOWN and not contact.message_id


def _with_record(match: _Match, found: Mapping[ContactKey, Contact | UnreadableRecordError]) -> _Match:
    contact = found.get(match.key)
    return replace(match, contact=contact) if isinstance(contact, Contact) else match


def _is_anothers(match: _Match) -> bool:
    """Tell whether the record has turned out to be of another message than the report."""
    contact, claim = match.contact, match.report.claim
    if contact is None:
        return False
    if claim is not None:
        return contact.claim_id != claim.claim_id
    return contact.message_id != match.report.message_id and not _is_unsettled(contact)


def _recorded_in(contact: Contact, report: Report) -> Contact:
    if isinstance(report, UnderWay):
        return record_under_way(contact, report)
    return record_receipt(contact, report)


def _class_of(report: Report) -> str:
    return delivery_status(report).value if isinstance(report, DeliveryReceipt) else "under_way"
