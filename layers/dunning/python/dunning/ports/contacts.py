"""Contacts: the audit records, and what customers wrote."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import Reply


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
