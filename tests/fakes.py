"""Fakes of the ports, in memory. Each passes the same contract suite as its adapter on AWS."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Lock

from dunning.contracts import job_body
from dunning.domain.contact import Contact
from dunning.domain.decision import Decision
from dunning.domain.facts import Facts
from dunning.domain.standing import Standing, Wake
from dunning.ports import Customer, Due, Job, Outcome, Published, Sms, UnreadableRecordError


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


class FakeCustomers:
    """Facts, standing and the due index in one place, as in the table."""

    def __init__(self) -> None:
        self.facts: dict[str, Facts] = {}
        self.standings: dict[str, Standing] = {}
        self.unreadable: set[str] = set()
        self.writes = 0
        self._lock = Lock()

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        return {
            customer_id: UnreadableRecordError(customer_id)
            if customer_id in self.unreadable
            else Customer(self.facts.get(customer_id), self.standings.get(customer_id))
            for customer_id in customer_ids
        }

    def save_facts(self, facts: Facts) -> bool:
        with self._lock:
            stored = self.facts.get(facts.customer_id)
            if stored and stored.as_of and facts.as_of and stored.as_of > facts.as_of:
                return False
            self.facts[facts.customer_id] = facts
            self.writes += 1
            return True

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        with self._lock:
            stored = self.standings.get(standing.customer_id)
            if (stored.version if stored else 0) != expected_version:
                return bool(claim_id and stored and any(entry.claim_id == claim_id for entry in stored.ledger))
            self.standings[standing.customer_id] = standing
            self.writes += 1
            return True

    def set_aside(self, customer_id: str, until: datetime) -> None:
        with self._lock:
            stored = self.standings.get(customer_id) or Standing(customer_id)
            self.standings[customer_id] = replace(
                stored, version=max(stored.version, 1), wake=Wake(until, 9), reason="unreadable_record"
            )

    def stored_items(self, customer_id: str) -> int:
        return (customer_id in self.facts) + (customer_id in self.standings)

    def erase_items(self, customer_id: str) -> int:
        with self._lock:
            self.unreadable.discard(customer_id)
            return sum(held.pop(customer_id, None) is not None for held in (self.facts, self.standings))

    def due(self, now: datetime, limit: int) -> Iterator[Due]:
        due = sorted(
            (standing.wake, standing.customer_id)
            for standing in self.standings.values()
            if standing.wake is not None and standing.wake.at <= now
        )
        return islice((Due(customer_id, wake) for wake, customer_id in due), limit)


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
        self.records: dict[tuple[str, datetime, str], Contact] = {}

    @staticmethod
    def _key(contact: Contact) -> tuple[str, datetime, str]:
        return contact.customer_id, contact.at, contact.send_id

    def write(self, contacts: Sequence[Contact]) -> None:
        for contact in contacts:
            self.records[self._key(contact)] = contact

    def write_if_absent(self, contact: Contact) -> bool:
        if self._key(contact) in self.records:
            return False
        self.records[self._key(contact)] = contact
        return True

    def telling_records(self, customer_id: str) -> int:
        return sum(one.customer_id == customer_id and bool(one.phone or one.text) for one in self.records.values())

    def redact(self, customer_id: str, at: datetime) -> int:
        del at
        telling = self.telling_records(customer_id)
        for key, contact in self.records.items():
            if contact.customer_id == customer_id:
                self.records[key] = replace(contact, phone="", text="")
        return telling


class FakeGateway:
    """A carrier that answers as it is told, and accepts when it is told nothing."""

    def __init__(self) -> None:
        self.published: list[Sms] = []
        self.answers: list[Published] = []
        self._lock = Lock()

    def publish(self, sms: Sms) -> Published:
        with self._lock:
            self.published.append(sms)
            if self.answers:
                return self.answers.pop(0)
            return Published(Outcome.ACCEPTED, message_id=f"message-{len(self.published)}")


class FakeSwitch:
    """The switch."""

    def __init__(self, *, on: bool = True) -> None:
        self.on = on

    def is_on(self) -> bool:
        return self.on


class FakeUploads:
    """A bucket as a dictionary of keys."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.rejects: dict[str, list[list[str]]] = {}

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[Iterator[bytes]]:
        del bucket
        body = self.files[key]
        yield (body[start : start + 1024] for start in range(0, len(body), 1024))

    def write_rejects(self, bucket: str, key: str, rows: Iterable[Sequence[str]]) -> None:
        del bucket
        self.rejects[key] = [list(row) for row in rows]


class FakeJournal:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.decisions: list[tuple[str, Decision, datetime]] = []
        self.events: list[tuple[str, dict[str, str | float | None]]] = []
        self.counts: dict[str, float] = {}

    def decided(self, customer_id: str, decision: Decision, at: datetime, **outcome: str) -> None:
        del outcome
        self.decisions.append((customer_id, decision, at))

    def event(self, name: str, **fields: str | float | None) -> None:
        self.events.append((name, fields))

    def count(self, name: str, value: float = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + value

    def gauge(self, name: str, value: float) -> None:
        self.counts[name] = value
