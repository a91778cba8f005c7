"""Erasure: everything that may still name a customer, and how it goes."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.errors import DunningError, UnreadableRecordError


class CustomerErasure(Protocol):
    """The items of a customer, whatever they hold and whether they can be read or not."""

    def lender_record(self, customer_id: str) -> LenderRecord | UnreadableRecordError:
        """Read what the lender has said strongly consistently, and nothing else."""
        ...

    def write_tombstone(self, lender_record: LenderRecord) -> None:
        """Write a lender record over one that cannot be read."""
        ...

    def stored_items(self, customer_id: str) -> int:
        """Return how many tell anything of the customer: all but the id and moment that an erasure leaves."""
        ...

    def erase_items(self, customer_id: str) -> int:
        """Delete all but what the lender has said, and return how many there were."""
        ...


class ContactErasure(Protocol):
    """Audit records that still tell who was texted and what, or quote a carrier; and what customers wrote."""

    def identifying_records(self, customer_id: str) -> int:
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


class DeadLetter(NamedTuple):
    """A message among the dead letters, and by what the queue knows that it was handed to us."""

    body: str
    handle: str


class QueueNotDrainedError(DunningError):
    """Not every message of a queue could be looked at: others have some in their hands."""


class DeadLetterErasure(Protocol):
    """A dead-letter queue, looked through for what is to go. `name` is said of it where something is told."""

    @property
    def name(self) -> str:
        """Whose dead letters they are."""
        ...

    def scan(self) -> Iterator[DeadLetter]:
        """
        Yield all messages. Each is hidden from others for a minute and then there again, unless it is replaced.

        Raises:
            QueueNotDrainedError: there are some that could not be looked at.
            ServiceCallError: a call failed.
        """
        ...

    def replace(self, message: DeadLetter, body: str) -> None:
        """Put a body in the place of a message, or nothing if it is empty. Of a crash in between both are left."""
        ...
