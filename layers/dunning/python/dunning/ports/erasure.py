"""Erasure: all stored data that may name a customer, and its deletion."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.errors import DunningError, UnreadableRecordError


class CustomerErasure(Protocol):
    """The items of a customer, whether they can be read or not."""

    def lender_record(self, customer_id: str) -> LenderRecord | UnreadableRecordError:
        """Read only the lender record, strongly consistently."""
        ...

    def save_erased(
        self, lender_record: LenderRecord, *, expected_revision: int | None, former_accounts: Collection[str] = ()
    ) -> bool:
        """
        Write what an erasure leaves, and see to it that no claim passes that was decided on what is erased.

        If nothing of the customer is left, the standing goes at once. If the customer has returned, its version rises.

        Args:
            lender_record: the record after the erasure.
            expected_revision: the revision that was read; `None` writes over a record that cannot be read.
            former_accounts: the accounts that the customer is no longer found by.

        Returns False if another writer was first.
        """
        ...

    def stored_items(self, customer_id: str) -> int:
        """Return the number of items that say anything of the customer: all items but a tombstone."""
        ...

    def erase_items(self, customer_id: str, *, revision: int | None = None) -> int:
        """
        Delete all items but the lender record, and return their number.

        `revision` is the tombstone's: a standing that was stored with a later record stays, for the customer has
        returned meanwhile.
        """
        ...


class ContactErasure(Protocol):
    """Audit records that hold a number, a text or a carrier's words, and the customers' replies."""

    def identifying_records(self, customer_id: str) -> int:
        """Return the number of a customer's records that hold personal data."""
        ...

    def redact(self, customer_id: str, at: datetime, *, until: datetime | None = None) -> int:
        """
        Take number, text and the carrier's words out of a customer's records, and return the number of records.

        The rest of a record stays, the class of a failure too. The record gets the time of the erasure.

        `until`: limits the erasure to texts claimed by then.
        """
        ...

    def stored_replies(self, customer_id: str) -> int:
        """Return the number of a customer's replies."""
        ...

    def labelled_replies(self, customer_id: str) -> int:
        """Return the number of a customer's replies that a person has labelled."""
        ...

    def erase_replies(self, customer_id: str, phones: Collection[str], *, until: datetime | None = None) -> int:
        """
        Delete a customer's replies, and the replies kept below these numbers. Return their number.

        `until`: limits the deletion to replies written by then.
        """
        ...


class DrawErasure(Protocol):
    """What an erasure leaves for the night, which has all draws of all customers before it."""

    def mark_draws(self, customer_id: str, until: datetime, at: datetime) -> None:
        """See to it that the night removes what a customer drew up to a moment. `at` is the time of this round."""
        ...


class StoredUpload(NamedTuple):
    """One version of an uploaded file."""

    key: str
    version_id: str
    uploaded_at: datetime


class UploadErasure(Protocol):
    """The files of accounts that are still in the bucket, in every version."""

    def uploads(self) -> Iterator[StoredUpload]:
        """Yield all versions of all files, without delete markers."""
        ...

    def read(self, upload: StoredUpload) -> AbstractContextManager[Iterator[bytes]]:
        """Open a version as a stream of byte chunks."""
        ...

    def delete(self, upload: StoredUpload) -> None:
        """Delete a version for good. A version that is gone already is no error."""
        ...


class DeadLetter(NamedTuple):
    """A message among the dead letters, with the queue's receipt handle of this delivery."""

    body: str
    handle: str


class QueueNotDrainedError(DunningError):
    """Not every message of a queue could be read: another reader holds some of them."""


class DeadLetterErasure(Protocol):
    """A dead-letter queue, searched for data to erase. Log lines call it `name`."""

    @property
    def name(self) -> str:
        """The function whose dead letters the queue holds."""
        ...

    def scan(self) -> Iterator[DeadLetter]:
        """
        Yield all messages. A message is hidden from other readers for a minute, and then visible unless replaced.

        Raises:
            QueueNotDrainedError: some messages could not be read.
            ServiceCallError: a call failed.
        """
        ...

    def replace(self, message: DeadLetter, body: str) -> None:
        """Replace a message by a body, or delete it if the body is empty. A crash in between leaves both messages."""
        ...
