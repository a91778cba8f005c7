"""
Ports: what the services need of the outside, as protocols.

Adapters implement them on AWS, fakes in the tests in memory; one contract suite a port runs on both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from dunning.domain.contact import Contact
from dunning.domain.decision import Decision
from dunning.domain.errors import DunningError
from dunning.domain.facts import Facts
from dunning.domain.standing import Standing, Wake


class UnreadableRecordError(DunningError):
    """A stored record, or a message, is not what this version of the program writes."""


class OutsideError(DunningError):
    """A call to the outside failed; `code` is the service's own error code."""

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation}: {code}")
        self.code = code


class Clock(Protocol):
    """Time, so that tests and the local run can move it."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Customer(NamedTuple):
    """Both items of a customer, as read together and strongly consistent; either may not exist yet."""

    facts: Facts | None
    standing: Standing | None


class CustomerStore(Protocol):
    """Facts and standing."""

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        """
        Read customers strongly consistently; every id asked for is in the answer.

        A record that cannot be read is answered with the error, so that it harms nobody else.
        """
        ...

    def save_facts(self, facts: Facts) -> bool:
        """Write facts unless newer ones (by `as_of`) are stored; tell whether they now are the stored ones."""
        ...

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        """
        Write a whole standing if the stored one still has `expected_version` (0: does not exist yet).

        Returns False when somebody else was first. A write whose answer was lost and which the SDK repeated
        fails against itself: with a `claim_id` that is recognised in the stored ledger and counts as written.
        """
        ...

    def set_aside(self, customer_id: str, until: datetime) -> None:
        """Move only the wake of a customer whose record cannot be used, so that it blocks nobody."""
        ...


class Due(NamedTuple):
    """A customer whose wake has come."""

    customer_id: str
    wake: Wake


class DueIndex(Protocol):
    """The sparse index of customers that have a wake."""

    def due(self, now: datetime, limit: int) -> Iterator[Due]:
        """Yield at most `limit` customers whose wake has come, earliest first, then most urgent first."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A request to judge one customer, for the wake that has come. Ids only, never personal data."""

    customer_id: str
    wake_at: datetime


class JobQueue(Protocol):
    """The queue between scanner and sender."""

    def depth(self) -> int:
        """Return about how many jobs are waiting or being worked on."""
        ...

    def enqueue(self, jobs: Iterable[Job]) -> int:
        """Put jobs on the queue and return how many were taken."""
        ...

    def park(self, body: str, why: str) -> None:
        """Put a message that cannot be read into the dead-letter queue at once."""
        ...


class ContactLog(Protocol):
    """The audit table."""

    def write(self, contacts: Sequence[Contact]) -> None:
        """Write records, replacing those of the same message."""
        ...

    def write_if_absent(self, contact: Contact) -> bool:
        """Write a record unless one of this message exists; tell whether it was written."""
        ...


class CustomerErasure(Protocol):
    """The items of a customer, whatever they hold and whether they can be read or not."""

    def stored_items(self, customer_id: str) -> int:
        """Return how many there are."""
        ...

    def erase_items(self, customer_id: str) -> int:
        """Delete them, facts first, and return how many there were."""
        ...


class ContactErasure(Protocol):
    """Audit records that still tell who was texted and what."""

    def telling_records(self, customer_id: str) -> int:
        """Return how many there are of a customer."""
        ...

    def redact(self, customer_id: str, at: datetime) -> int:
        """Take number and text out of them, note when, and return how many there were. The rest of a record stays."""
        ...


class Outcome(StrEnum):
    """What an answer to a publish means."""

    ACCEPTED = "accepted"
    REFUSED_FOR_GOOD = "refused_for_good"
    REFUSED_FOR_NOW = "refused_for_now"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sms:
    """One SMS as SNS takes it."""

    phone: str
    text: str
    sender_id: str = ""
    origination_number: str = ""
    entity_id: str = ""
    template_id: str = ""
    max_price: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """
    The answer to a publish: `message_id` if accepted, else the error `code`.

    `retry_after` is how long to wait after a refusal for now.
    """

    outcome: Outcome
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


class Uploads(Protocol):
    """The upload bucket."""

    def open(self, bucket: str, key: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open an uploaded file as a stream of byte chunks."""
        ...

    def write_rejects(self, bucket: str, key: str, rows: Iterable[Sequence[str]]) -> None:
        """Write a reject file (CSV, UTF-8 with BOM so that Excel reads it)."""
        ...


class Journal(Protocol):
    """Where decisions and events are told: log lines and metrics, ids only."""

    def decided(self, customer_id: str, decision: Decision, at: datetime, **outcome: str) -> None:
        """Tell one decision with its trace and, for a text, what became of it."""
        ...

    def event(self, name: str, **fields: str | float | None) -> None:
        """Tell something from the catalogue of events."""
        ...

    def count(self, name: str, value: float = 1) -> None:
        """Add to a metric."""
        ...

    def gauge(self, name: str, value: float) -> None:
        """Say where a metric stands."""
        ...
