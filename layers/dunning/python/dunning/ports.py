"""
Ports: what the services need of the outside, as protocols.

Adapters implement them on AWS, fakes in the tests in memory; one contract suite a port runs on both.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import Dossier
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.decision.decisions import Decision
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import DunningError
from dunning.domain.outbound_events import Announcement
from dunning.domain.replies.intents import Understood
from dunning.domain.replies.reply import Reply


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


class Told(NamedTuple):
    """A customer as read by those who listen: all the lender has said, and the standing if there is one."""

    dossier: Dossier
    standing: Standing | None


class CustomerStore(Protocol):
    """Facts and standing."""

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        """
        Read customers strongly consistently; every id asked for is in the answer.

        A record that cannot be read is answered with the error, so that it harms nobody else.
        """
        ...

    def load_told(self, customer_ids: Sequence[str]) -> Mapping[str, Told | UnreadableRecordError]:
        """Read customers as `load` does, with all the lender has said; of one nobody has heard the dossier is empty."""
        ...

    def save_dossier(self, dossier: Dossier, *, expected_revision: int) -> bool:
        """
        Write a whole dossier if the stored one still has `expected_revision` (0: does not exist yet).

        Returns False when somebody else was first.
        """
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


class PhoneIndex(Protocol):
    """Which customers have, or had, a number (E.164)."""

    def customers_with(self, phones: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return the ids of each number's customers; every number asked for is in the answer."""
        ...

    def add_phone(self, phone: str, customer_id: str) -> frozenset[str]:
        """Add a customer to a number and return all that it has now; of two who add themselves one sees both."""
        ...

    def forget_phone(self, phone: str, customer_id: str) -> None:
        """Take a customer from a number."""
        ...


class CustomerScan(Protocol):
    """All customers, in parts that can be read side by side."""

    def customer_ids(self, segment: int, segments: int, after: str) -> Iterator[str]:
        """
        Yield the ids of one of `segments` parts, each customer once, in an order that stays.

        It goes on behind the customer `after`, or begins if that is empty.
        """
        ...


class Job(NamedTuple):
    """A request to judge one customer, for the wake that has come. Ids only, never personal data."""

    customer_id: str
    wake_at: datetime


class DeadLetters(Protocol):
    """Where messages wait for a person."""

    def park(self, body: str, why: str) -> None:
        """Put a message that cannot be read into the dead-letter queue at once."""
        ...


class Backlog(Protocol):
    """A queue, as one sees it who only wants to know whether anything is on it."""

    def depth(self) -> int:
        """Return about how many messages are waiting or being worked on."""
        ...


class JobQueue(Backlog, DeadLetters, Protocol):
    """The queue between scanner and sender."""

    def enqueue(self, jobs: Iterable[Job]) -> int:
        """Put jobs on the queue and return how many were taken."""
        ...


class ContactKey(NamedTuple):
    """Where a contact is found."""

    customer_id: str
    at: datetime
    send_id: str


class ContactLog(Protocol):
    """The audit table."""

    def write(self, contacts: Sequence[Contact]) -> None:
        """Write records, replacing those of the same message."""
        ...

    def write_if_absent(self, contact: Contact) -> bool:
        """Write a record unless one of this message exists; tell whether it was written."""
        ...


class ContactArchive(ContactLog, Protocol):
    """The audit table, read and brought forward."""

    def find(self, keys: Collection[ContactKey]) -> Mapping[ContactKey, Contact | UnreadableRecordError]:
        """Read records strongly consistently; those that do not exist are not in the answer."""
        ...

    def advance(self, contact: Contact, *, expected: ContactState) -> bool:
        """
        Write what a receipt says into a record that is still in the state `expected`; tell whether it was.

        Only state, message id and the receipt's fields change.
        """
        ...

    def unknown_before(self, moment: datetime) -> Iterator[ContactKey]:
        """Yield the records of messages claimed before a moment of which nobody knows what became, oldest first."""
        ...

    def recent(self, customer_id: str, since: datetime) -> Sequence[Contact]:
        """Return a customer's records since a moment, oldest first, without those that cannot be read."""
        ...


class ReplyLog(Protocol):
    """What customers wrote."""

    def keep(self, reply: Reply) -> bool:
        """Write a reply unless it is there; tell whether it was written."""
        ...


class ReplyReader(Protocol):
    """Who understands what customers write."""

    def understand(self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = ()) -> Understood:
        """
        Say what a reply means.

        `said_on` is the day on which it was said where the customer lives, `phone_country` the country of the number,
        empty if that is not known, and `our_texts` are those it may quote.
        """
        ...


class Announcer(Protocol):
    """The way to the lender's other systems."""

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Put them on the bus. What it does not take is told to the journal in full, and never fails the work."""
        ...


class OptOutList(Protocol):
    """The carrier's own list of numbers that want no texts."""

    def opted_out(self) -> Iterator[str]:
        """Yield the numbers, E.164."""
        ...

    def opt_in(self, phone: str) -> bool:
        """Take a number off; tell whether that was allowed: once in 30 days."""
        ...


class LaterQueue(Protocol):
    """A function's own queue, for what has to be looked at again. Ids and codes only."""

    def again(self, bodies: Sequence[str], delay: timedelta) -> None:
        """
        Put messages on it that are seen after a delay of at most 15 minutes.

        Raises:
            OutsideError: some were not taken, and nothing else brings them back.
        """
        ...


class CustomerErasure(Protocol):
    """The items of a customer, whatever they hold and whether they can be read or not."""

    def dossier(self, customer_id: str) -> Dossier | UnreadableRecordError:
        """Read what the lender has said strongly consistently, and nothing else."""
        ...

    def bury(self, dossier: Dossier) -> None:
        """Write a dossier over one that cannot be read."""
        ...

    def stored_items(self, customer_id: str) -> int:
        """Return how many tell anything of the customer: all but the id and moment that an erasure leaves."""
        ...

    def erase_items(self, customer_id: str) -> int:
        """Delete all but what the lender has said, and return how many there were."""
        ...


class ContactErasure(Protocol):
    """Audit records that still tell who was texted and what, or quote a carrier; and what customers wrote."""

    def telling_records(self, customer_id: str) -> int:
        """Return how many there are of a customer."""
        ...

    def redact(self, customer_id: str, at: datetime, *, until: datetime | None = None) -> int:
        """
        Take number, text and the carrier's words out of them, note when, and return how many there were.

        The rest of a record stays, the class of a failure too.

        `until`: of texts that were claimed by then, if only those.
        """
        ...

    def stored_replies(self, customer_id: str) -> int:
        """Return how many replies of a customer there are."""
        ...

    def erase_replies(self, customer_id: str, phones: Collection[str], *, until: datetime | None = None) -> int:
        """
        Delete what a customer wrote, also from these numbers while nobody was known to have them; return how much.

        `until`: what was written by then, if only that.
        """
        ...


class StoredUpload(NamedTuple):
    """One version of an uploaded file."""

    key: str
    version_id: str
    uploaded_at: datetime


class UploadErasure(Protocol):
    """The files of accounts that are still in the bucket, in every version."""

    def uploads(self) -> Iterator[StoredUpload]:
        """Yield them. What only marks a file as deleted is none."""
        ...

    def read(self, upload: StoredUpload) -> AbstractContextManager[Iterator[bytes]]:
        """Open one as a stream of byte chunks."""
        ...

    def delete(self, upload: StoredUpload) -> None:
        """Delete one for good; one that is gone already is no error."""
        ...


class GivenUp(NamedTuple):
    """A message among the dead letters, and by what the queue knows that it was handed to us."""

    body: str
    handle: str


class OutOfSightError(DunningError):
    """Not every message of a queue could be looked at: others have some in their hands."""


class DeadLetterErasure(Protocol):
    """A dead-letter queue, looked through for what is to go. `name` is said of it where something is told."""

    @property
    def name(self) -> str:
        """Whose dead letters they are."""
        ...

    def look(self) -> Iterator[GivenUp]:
        """
        Yield all messages. Each is hidden from others for a minute and then there again, unless it is replaced.

        Raises:
            OutOfSightError: there are some that could not be looked at.
            OutsideError: a call failed.
        """
        ...

    def replace(self, message: GivenUp, body: str) -> None:
        """Put a body in the place of a message, or nothing if it is empty. Of a crash in between both are left."""
        ...


class Outcome(StrEnum):
    """What an answer to a publish means."""

    ACCEPTED = "accepted"
    REFUSED_FOR_GOOD = "refused_for_good"
    REFUSED_FOR_NOW = "refused_for_now"
    UNKNOWN = "unknown"


class Sms(NamedTuple):
    """One SMS as SNS takes it."""

    phone: str
    text: str
    sender_id: str = ""
    origination_number: str = ""
    entity_id: str = ""
    template_id: str = ""
    max_price: str = ""


class Published(NamedTuple):
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

    def decided(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        """Tell one decision with its trace, unless an audit record holds that, and of a text what became of it."""
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
