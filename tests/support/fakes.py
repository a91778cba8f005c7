"""Fakes of the ports, in memory. Each passes the same contract suite as its adapter on AWS."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice
from threading import Lock
from typing import BinaryIO

from dunning.contracts.job import job_body
from dunning.domain.census import CensusPart, census_of, summed
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord, project_facts, with_accounts_indexed
from dunning.domain.customer.standing import ReplyLabel, Standing, Wake
from dunning.domain.decision.decisions import Decision
from dunning.domain.decision.open_reviews import waits_for_person
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.errors import DunningError, ServiceCallError, UnreadableRecordError
from dunning.domain.outbound_events import OutboundEvent
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply import Reply
from dunning.domain.text_effects import TextDetails
from dunning.ports.attention import WaitingCustomer
from dunning.ports.contacts import ContactKey
from dunning.ports.customers import Customer, CustomerLook, DueCustomer, ListedCustomer, StoredCustomer
from dunning.ports.erasure import DeadLetter, QueueNotDrainedError, StoredUpload
from dunning.ports.file_loads import FileLoad, FileReport, KnownLoads
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing
from dunning.ports.queues import Job
from dunning.ports.split_loads import SplitLoad
from dunning.ports.tallies import CUSTOMERS_A_PAGE, CountedChanges, CustomersBehind, LenderDay
from dunning.ports.telemetry import LogEvent, Metric


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def move_to(self, moment: datetime) -> None:
        self._now = moment


def _index_key(address: str) -> str:
    return address.lower() if "@" in address else address


class FakeCustomers:
    """Facts, standing, numbers and the due index in one place, as in the table."""

    def __init__(self) -> None:
        self.lender_records: dict[str, LenderRecord] = {}
        self.standings: dict[str, Standing] = {}
        self.phones: dict[str, frozenset[str]] = {}
        self.accounts: dict[str, frozenset[str]] = {}
        self.unreadable: set[str] = set()
        self.file_loads = KnownLoads(0, ())
        self.reports: dict[str, FileReport] = {}
        self.writes = 0
        # As DynamoDB knows a transaction by its token, for ten minutes.
        self._transactions: defaultdict[str, list[object]] = defaultdict(list)
        self._lock = Lock()

    @property
    def facts(self) -> dict[str, Facts]:
        """The facts as they stand, of all who have some."""
        now = {customer_id: project_facts(lender_record) for customer_id, lender_record in self.lender_records.items()}
        return {customer_id: facts for customer_id, facts in now.items() if facts is not None}

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        return {
            customer_id: stored
            if isinstance(stored, UnreadableRecordError)
            else Customer(project_facts(stored.lender_record), stored.standing)
            for customer_id, stored in self.load_stored(customer_ids).items()
        }

    def load_stored(self, customer_ids: Sequence[str]) -> Mapping[str, StoredCustomer | UnreadableRecordError]:
        return {
            customer_id: UnreadableRecordError(customer_id)
            if customer_id in self.unreadable
            else StoredCustomer(
                self.lender_records.get(customer_id, LenderRecord(customer_id=customer_id)),
                self.standings.get(customer_id),
            )
            for customer_id in customer_ids
        }

    def save_customer(
        self, lender_record: LenderRecord, standing: Standing, *, expected_revision: int, expected_version: int
    ) -> bool:
        with self._lock:
            customer_id = lender_record.customer_id
            known, stored = self.lender_records.get(customer_id), self.standings.get(customer_id)
            if (known, stored) == (lender_record, standing):
                return True  # written already, and only the answer was lost
            versions = known.revision if known else 0, stored.version if stored else 0
            if versions != (expected_revision, expected_version):
                return (lender_record, standing, expected_revision) in self._transactions[customer_id]
            indexed, new_accounts = with_accounts_indexed(lender_record)
            self.lender_records[customer_id], self.standings[customer_id] = indexed, standing
            for account_id in new_accounts:
                self.accounts[account_id] = self.accounts.get(account_id, frozenset()) | {customer_id}
            self._transactions[customer_id].append((lender_record, standing, expected_revision))
            self.writes += 1
            return True

    def save_lender_record(self, lender_record: LenderRecord, *, expected_revision: int) -> bool:
        with self._lock:
            stored = self.lender_records.get(lender_record.customer_id)
            if (stored.revision if stored else 0) != expected_revision:
                return stored == lender_record
            self.lender_records[lender_record.customer_id] = lender_record
            self.writes += 1
            return True

    def customers_with(self, addresses: Collection[str]) -> Mapping[str, frozenset[str]]:
        return {address: self.phones.get(_index_key(address), frozenset()) for address in addresses}

    def add_address(self, address: str, customer_id: str) -> frozenset[str]:
        key = _index_key(address)
        with self._lock:
            self.phones[key] = self.phones.get(key, frozenset()) | {customer_id}
            return self.phones[key]

    def remove_address(self, address: str, customer_id: str) -> None:
        key = _index_key(address)
        with self._lock:
            left = self.phones.pop(key, frozenset()) - {customer_id}
            if left:
                self.phones[key] = left

    def customers_of_account(self, account_id: str) -> frozenset[str]:
        return self.accounts.get(account_id, frozenset())

    def read_loads(self) -> KnownLoads:
        return self.file_loads

    def save_loads(self, loads: Sequence[FileLoad], *, expected_version: int) -> bool:
        with self._lock:
            after = KnownLoads(expected_version + 1, tuple(loads))
            if self.file_loads.version != expected_version:
                return self.file_loads == after  # written already, and only the answer was lost
            self.file_loads = after
            return True

    def keep_report(self, report: FileReport) -> None:
        self.reports[report.file_id] = report

    def customer_ids(self, segment: int, segments: int, after: str) -> Iterator[str]:
        everybody = sorted(self.lender_records.keys() | self.standings.keys())
        return (
            customer_id
            for customer_id in everybody
            if zlib.crc32(customer_id.encode()) % segments == segment and customer_id > after
        )

    def customers_of(self, lender: str, segments: int = 1) -> Iterator[ListedCustomer]:
        del segments
        for customer_id, lender_record in sorted(self.lender_records.items()):
            if lender_record.snapshot is not None and lender_record.snapshot.lender == lender:
                standing = self.standings.get(customer_id)
                yield ListedCustomer(
                    customer_id,
                    has_open=standing is None or standing.reason != "nothing_open",
                    missing_since=lender_record.snapshot.not_in_list_since,
                )

    def whole_customers(self, segment: int = 0, segments: int = 1) -> Iterator[Customer | UnreadableRecordError]:
        known = sorted(self.lender_records.keys() | self.standings.keys())
        return iter(self.load([each for each in known if zlib.crc32(each.encode()) % segments == segment]).values())

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        with self._lock:
            stored = self.standings.get(standing.customer_id)
            if (stored.version if stored else 0) != expected_version:
                if claim_id:
                    return stored is not None and any(entry.claim_id == claim_id for entry in stored.ledger)
                return stored == standing
            self.standings[standing.customer_id] = standing
            self.writes += 1
            return True

    def quarantine(self, customer_id: str, until: datetime) -> None:
        with self._lock:
            stored = self.standings.get(customer_id) or Standing(customer_id=customer_id)
            self.standings[customer_id] = replace(
                stored, version=max(stored.version, 1), wake=Wake(until, 9), reason="unreadable_record"
            )

    def lender_record(self, customer_id: str) -> LenderRecord | UnreadableRecordError:
        if customer_id in self.unreadable:
            return UnreadableRecordError(customer_id)
        return self.lender_records.get(customer_id, LenderRecord(customer_id=customer_id))

    def save_erased(
        self, lender_record: LenderRecord, *, expected_revision: int | None, former_accounts: Collection[str] = ()
    ) -> bool:
        with self._lock:
            customer_id = lender_record.customer_id
            known, standing = self.lender_records.get(customer_id), self.standings.get(customer_id)
            if expected_revision is None:
                self.unreadable.discard(customer_id)
            elif (known.revision if known else 0) != expected_revision:
                erased = (lender_record, None, expected_revision)
                return known == lender_record or erased in self._transactions[customer_id]
            if lender_record.snapshot is None or standing is not None:
                self._transactions[customer_id].append((lender_record, None, expected_revision))
            self.lender_records[customer_id] = lender_record
            for account_id in former_accounts:
                if left := self.accounts.pop(account_id, frozenset()) - {customer_id}:
                    self.accounts[account_id] = left
            if lender_record.snapshot is None:
                self.standings.pop(customer_id, None)
            elif standing is not None:
                self.standings[customer_id] = replace(standing, version=standing.version + 1)
            return True

    def stored_items(self, customer_id: str) -> int:
        lender_record = self.lender_records.get(customer_id)
        identifies = lender_record is not None and bool(
            lender_record.snapshot or lender_record.events or lender_record.phones or lender_record.addresses
        )
        return identifies + (customer_id in self.standings)

    def erase_items(self, customer_id: str, *, revision: int | None = None) -> int:
        with self._lock:
            known = self.lender_records.get(customer_id)
            if revision is not None and known is not None and known.snapshot and known.revision > revision:
                return 0
            return int(self.standings.pop(customer_id, None) is not None)

    def read_standings(self, customer_ids: Sequence[str]) -> Mapping[str, Standing | UnreadableRecordError]:
        return {
            each: UnreadableRecordError("standing") if each in self.unreadable else self.standings[each]
            for each in customer_ids
            if each in self.standings
        }

    def look_at(
        self, customer_ids: Sequence[str], *, with_standings: bool
    ) -> Mapping[str, CustomerLook | UnreadableRecordError]:
        return {
            each: stored
            if isinstance(stored, UnreadableRecordError)
            else CustomerLook(
                project_facts(stored.lender_record),
                stored.standing if with_standings else None,
                stored.lender_record.erased_at,
            )
            for each, stored in self.load_stored(customer_ids).items()
        }

    def waiting_customers(
        self, lender: str, limit: int, after: WaitingCustomer | None = None
    ) -> Sequence[WaitingCustomer]:
        def place(customer: WaitingCustomer) -> tuple[bool, datetime, str]:
            return not customer.urgent, customer.since, customer.customer_id

        waiting = [
            WaitingCustomer(standing.customer_id, *waits)
            for standing in self.standings.values()
            if standing.lender_id == lender and (waits := waits_for_person(standing)) is not None
        ]
        behind = [customer for customer in waiting if after is None or place(customer) > place(after)]
        return sorted(behind, key=place)[:limit]

    def due(self, now: datetime, limit: int) -> Iterator[DueCustomer]:
        due = sorted(
            (standing.wake, standing.customer_id)
            for standing in self.standings.values()
            if standing.wake is not None and standing.wake.at <= now
        )
        return islice((DueCustomer(customer_id, wake) for wake, customer_id in due), limit)


class FakeTally:
    """The counters, the customers behind them, and the censuses, as lists and dictionaries."""

    def __init__(self) -> None:
        self.changes: list[CountedChanges] = []
        self.census_parts: dict[tuple[str, date, int], CensusPart] = {}
        self.sealed: set[tuple[str, date]] = set()

    def add(self, changes: CountedChanges) -> int | None:
        run = (changes.lender, changes.day, changes.shard)
        known = [kept.last for kept in self.changes if (kept.lender, kept.day, kept.shard) == run]
        if known and max(known) >= changes.first:
            return max(known)
        self.changes.append(changes)
        return None

    def keep_census_part(self, part: CensusPart) -> None:
        self.census_parts[part.lender, part.day, part.part] = part

    def days(self, lender: str, first: date, last: date) -> Sequence[LenderDay]:
        counted = {(kept.day, kept.lender) for kept in self.changes}
        known = counted | {(part.day, part.lender) for part in self.census_parts.values()}
        return [self._day(of, day) for day, of in sorted(known) if first <= day <= last and lender in {"", of}]

    def _day(self, lender: str, day: date) -> LenderDay:
        changes = [kept for kept in self.changes if (kept.lender, kept.day) == (lender, day)]
        parts = [part for (of, on, _), part in sorted(self.census_parts.items()) if (of, on) == (lender, day)]
        as_of = max((kept.as_of for kept in changes), default=None)
        return LenderDay(lender, day, summed(kept.counters for kept in changes), as_of, census_of(parts))

    def seal(self, first: date, last: date, is_over: Callable[[str, date], bool]) -> int:
        counted = {(kept.lender, kept.day) for kept in self.changes if first <= kept.day <= last}
        over = {(lender, day) for lender, day in counted - self.sealed if is_over(lender, day)}
        self.sealed |= over
        return len(over)

    def customers_behind(self, lender: str, day: date, counter: str, page: str = "") -> CustomersBehind:
        found = dict.fromkeys(
            customer_id
            for kept in sorted(self.changes, key=lambda kept: kept.as_of)
            if (kept.lender, kept.day) == (lender, day)
            for customer_id in kept.customers.get(counter, ())
        )
        start = int(page) if page.isdecimal() and len(page) < 7 else 0
        end = start + CUSTOMERS_A_PAGE
        return CustomersBehind(tuple(found)[start:end], str(end) if end < len(found) else "")


class FakeTrialControls:
    """What those who draw are told, by lender; `unreadable` are lenders whose control cannot be read."""

    def __init__(self) -> None:
        self.controls: dict[str, TrialControl] = {}
        self.unreadable: set[str] = set()

    def stored_control(self, lender: str) -> TrialControl:
        if lender in self.unreadable:
            raise UnreadableRecordError("control of trials: it cannot be read")
        return self.controls.get(lender, TrialControl(lender=lender))

    def publish(self, control: TrialControl, *, expected_version: int) -> bool:
        stored = self.controls.get(control.lender)
        if (stored.version if stored else 0) != expected_version:
            return False
        self.controls[control.lender] = control
        return True

    def control_of(self, lender: str) -> TrialControl | None:
        return None if lender in self.unreadable else self.stored_control(lender)


class ContestedCustomers(FakeCustomers):
    """
    Customers whom somebody else writes too: each of `meanwhile` changes a standing just before one of our writes.

    A write whose answer is lost comes before that, and once more after it: the SDK repeats the request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loses_answers = 0
        self.meanwhile: list[Callable[[Standing], Standing]] = []

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        if self.loses_answers:
            self.loses_answers -= 1
            super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)
        if self.meanwhile:
            stored = self.standings[standing.customer_id]
            written = self.meanwhile.pop(0)(stored)
            self.standings[standing.customer_id] = replace(written, version=stored.version + 1)
        return super().save_standing(standing, expected_version=expected_version, claim_id=claim_id)


class FakeQueue:
    """A queue whose jobs are looked at, not received."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.parked: list[str] = []

    def depth(self) -> int:
        return len(self.jobs)

    def enqueue(self, jobs: Iterable[Job]) -> int:
        jobs = list(jobs)
        self.jobs += jobs
        return len(jobs)

    def park(self, body: str, why: str) -> None:
        del why
        self.parked.append(body)

    def bodies(self) -> list[str]:
        return [job_body(job) for job in self.jobs]


class FakeContacts:
    """The audit table as a dictionary."""

    def __init__(self) -> None:
        self.records: dict[ContactKey, Contact] = {}
        self.replies: dict[tuple[str, datetime, str], Reply] = {}
        self._lock = Lock()

    @staticmethod
    def _key(contact: Contact) -> ContactKey:
        return ContactKey(contact.customer_id, contact.at, contact.send_id)

    def write(self, contacts: Sequence[Contact]) -> None:
        for contact in contacts:
            self.records[self._key(contact)] = contact

    def write_if_absent(self, contact: Contact) -> bool:
        with self._lock:
            stored = self.records.setdefault(self._key(contact), contact)
            return stored.state is contact.state

    def find(self, keys: Collection[ContactKey]) -> Mapping[ContactKey, Contact | UnreadableRecordError]:
        return {key: self.records[key] for key in keys if key in self.records}

    def details_of(self, keys: Collection[ContactKey]) -> Mapping[ContactKey, TextDetails]:
        return {
            key: TextDetails(record.template, record.payer_segment, record.local_hour)
            for key in keys
            if (record := self.records.get(key)) is not None
        }

    def advance(self, contact: Contact, *, expected: ContactState) -> bool:
        with self._lock:
            stored = self.records.get(self._key(contact))
            if stored is None or stored.state is not expected:
                return False
            message_id = contact.message_id or stored.message_id
            advanced = replace(stored, state=contact.state, message_id=message_id)
            if contact.reported_at:
                advanced = replace(
                    advanced,
                    reported_at=contact.reported_at,
                    response=contact.response,
                    delivery_status=contact.delivery_status,
                    billed_parts=contact.billed_parts,
                    billed_price_usd_micros=contact.billed_price_usd_micros,
                )
            self.records[self._key(contact)] = advanced
            return True

    def unknown_before(self, moment: datetime) -> Iterator[ContactKey]:
        unknown = [
            key for key, record in self.records.items() if record.state is ContactState.UNKNOWN and record.at < moment
        ]
        return iter(sorted(unknown, key=lambda key: (key.at, key.send_id)))

    def recent(self, customer_id: str, since: datetime) -> Sequence[Contact]:
        found = [record for record in self.records.values() if record.customer_id == customer_id and record.at >= since]
        return sorted(found, key=lambda record: (record.at, record.send_id))

    def keep(self, reply: Reply) -> bool:
        key = (reply.customer_id or reply.inbound.phone, reply.inbound.at, reply.inbound.inbound_id)
        with self._lock:
            if key in self.replies:
                return False
            self.replies[key] = reply
            return True

    def label(self, customer_id: str, reply_id: str, label: ReplyLabel) -> Reply | None:
        for key, reply in self.replies.items():
            if (key[0], key[2]) == (customer_id, reply_id):
                self.replies[key] = reply.with_label(label)
                return self.replies[key]
        return None

    def identifying_records(self, customer_id: str) -> int:
        return sum(record.customer_id == customer_id and _identifies(record) for record in self.records.values())

    def redact(self, customer_id: str, at: datetime, *, until: datetime | None = None) -> int:
        identifying = {
            key: record
            for key, record in self.records.items()
            if record.customer_id == customer_id and _identifies(record) and (until is None or record.at <= until)
        }
        self.records |= {
            key: replace(record, phone="", address="", text="", response="", erased_at=record.erased_at or at)
            for key, record in identifying.items()
        }
        return len(identifying)

    def stored_replies(self, customer_id: str) -> int:
        return sum(owner == customer_id for owner, _, _ in self.replies)

    def labelled_replies(self, customer_id: str) -> int:
        return sum(key[0] == customer_id and reply.label is not None for key, reply in self.replies.items())

    def erase_replies(self, customer_id: str, addresses: Collection[str], *, until: datetime | None = None) -> int:
        owners = {customer_id, *addresses}
        gone = [key for key in self.replies if key[0] in owners and (until is None or key[1] <= until)]
        for key in gone:
            del self.replies[key]
        return len(gone)


def _identifies(contact: Contact) -> bool:
    """Tell whether a record says who was texted, or what, or quotes a carrier."""
    return bool(contact.phone or contact.text or contact.response)


class FakeEventPublisher:
    """A bus that keeps what is put on it."""

    def __init__(self) -> None:
        self.published: list[OutboundEvent] = []

    def publish(self, events: Sequence[OutboundEvent]) -> None:
        self.published += events


class FakeOptOutList:
    """The carrier's list. A number can be taken off once."""

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.taken_off: list[str] = []

    def opted_out(self) -> Iterator[str]:
        return iter(list(self.numbers))

    def opt_out(self, phone: str) -> None:
        if phone not in self.numbers:
            self.numbers.append(phone)

    def opt_in(self, phone: str) -> bool:
        if phone in self.taken_off:
            return False
        self.taken_off.append(phone)
        self.numbers = [number for number in self.numbers if number != phone]
        return True


class FakeDelayQueue:
    """A queue whose messages are looked at, not received."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, timedelta]] = []

    def send_with_delay(self, bodies: Sequence[str], delay: timedelta) -> None:
        self.messages += [(body, delay) for body in bodies]


class FakeBacklog:
    """A queue of which one only asks how much is on it."""

    def __init__(self) -> None:
        self.waiting = 0

    def depth(self) -> int:
        return self.waiting


class FakeNews:
    """Replies and lender events that wait or have failed; and the place where failures are noted."""

    def __init__(self) -> None:
        self.messages = 0
        self.failures = 0
        self.error: DunningError | None = None

    def waiting(self) -> int:
        if self.error is not None:
            raise self.error
        return self.messages

    def has_failed(self) -> bool:
        return self.failures > 0

    def note(self) -> None:
        if self.error is not None:
            raise self.error
        self.failures += 1


class FakeDeadLetters:
    """Dead letters, some of which others may have in their hands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.bodies: list[str] = []
        self.elsewhere = 0
        self._handles = count()

    def scan(self) -> Iterator[DeadLetter]:
        for body in list(self.bodies):
            yield DeadLetter(body, f"{body} {next(self._handles)}")
        if self.elsewhere:
            raise QueueNotDrainedError

    def replace(self, message: DeadLetter, body: str) -> None:
        if message.body in self.bodies:
            self.bodies.remove(message.body)
        if body:
            self.bodies.append(body)


class FakeGateway:
    """A carrier that answers as it is told, and accepts when it is told nothing."""

    channel = Channel.SMS
    name = "sns"
    repeatable = False

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.answers: list[Published] = []
        self._lock = Lock()

    def publish(self, sms: Outgoing) -> Published:
        with self._lock:
            self.published.append(sms)
            if self.answers:
                return self.answers.pop(0)
            return Published(PublishOutcome.ACCEPTED, message_id=f"message-{len(self.published)}")


class FakeSwitch:
    """The switch."""

    def __init__(self, *, on: bool = True) -> None:
        self.on = on
        self.stopped: frozenset[Channel] = frozenset()

    def is_on(self) -> bool:
        return self.on

    def stopped_channels(self) -> frozenset[Channel]:
        return self.stopped if self.on else frozenset(Channel)


class FakeSecrets:
    """Secrets by name."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = dict(secrets)
        self.asked: list[str] = []

    def secret(self, name: str) -> str:
        self.asked.append(name)
        if name not in self.secrets:
            raise ServiceCallError("GetParameter", "ParameterNotFound")
        return self.secrets[name]


class FakeUploads:
    """A bucket as a dictionary of keys."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.rejects: dict[str, list[list[str]]] = {}

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[Iterator[bytes]]:
        del bucket
        if key not in self.files:
            raise ServiceCallError("GetObject", "NoSuchKey")
        body = self.files[key]
        yield (body[start : start + 1024] for start in range(0, len(body), 1024))

    def write_rejects(self, bucket: str, key: str, rows: Iterable[Sequence[str]]) -> None:
        del bucket
        self.rejects[key] = [list(row) for row in rows]


class FakeWorkFiles:
    """Work files beside the uploads, as a dictionary of keys."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[Iterator[bytes]]:
        del bucket
        if key not in self.files:
            raise ServiceCallError("GetObject", "NoSuchKey")
        body = self.files[key]
        yield (body[start : start + 1024] for start in range(0, len(body), 1024))

    def put(self, bucket: str, key: str, body: BinaryIO) -> None:
        del bucket
        self.files[key] = body.read()

    def remove(self, bucket: str, prefix: str) -> int:
        del bucket
        gone = [key for key in self.files if key.startswith(prefix)]
        for key in gone:
            del self.files[key]
        return len(gone)


class FakeSplitLoads:
    """Split loads as a dictionary."""

    def __init__(self) -> None:
        self.splits: dict[str, SplitLoad] = {}

    def read_split(self, split_id: str) -> SplitLoad | None:
        return self.splits.get(split_id)

    def save_split(self, split: SplitLoad) -> bool:
        stored = self.splits.get(split.split_id)
        if (stored.version if stored else 0) != split.version - 1:
            return stored == split
        self.splits[split.split_id] = split
        return True


class FakeUploadErasure:
    """Versions of files, in a bucket that is looked into."""

    def __init__(self) -> None:
        self.versions: dict[StoredUpload, bytes] = {}
        self._put = 0

    def put(self, key: str, body: bytes, at: datetime) -> StoredUpload:
        self._put += 1
        upload = StoredUpload(key, f"v{self._put}", at)
        self.versions[upload] = body
        return upload

    def uploads(self) -> Iterator[StoredUpload]:
        return iter(list(self.versions))

    @contextmanager
    def read(self, upload: StoredUpload) -> Iterator[Iterator[bytes]]:
        if upload not in self.versions:
            raise ServiceCallError("GetObject", "NoSuchVersion")
        body = self.versions[upload]
        yield (body[start : start + 1024] for start in range(0, len(body), 1024))

    def delete(self, upload: StoredUpload) -> None:
        self.versions.pop(upload, None)


class FakeLargerReader:
    """Gives the answers it was told to give, then none, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[frozenset[ReplyIntent] | None] = []
        self.asked: list[tuple[str, str]] = []

    def read(self, masked_text: str, country: str) -> frozenset[ReplyIntent] | None:
        self.asked.append((masked_text, country))
        return self.answers.pop(0) if self.answers else None


class FakeTelemetry:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.decisions: list[tuple[str, Decision, datetime]] = []
        self.events: list[tuple[str, dict[str, str | float | None]]] = []
        self.counts: dict[str, float] = {}

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        del recorded, outcome
        self.decisions.append((customer_id, decision, at))

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        self.events.append((event, fields))

    def count(self, metric: Metric, value: float = 1) -> None:
        self.counts[metric] = self.counts.get(metric, 0) + value

    def gauge(self, metric: Metric, value: float) -> None:
        self.counts[metric] = value
