"""Contacts: the audit records, and the customers' replies."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import Reply
from dunning.domain.text_effects import TextDetails


class ContactKey(NamedTuple):
    """The key of a contact."""

    customer_id: str
    at: datetime
    send_id: str


class ContactLog(Protocol):
    """The audit table."""

    def write(self, contacts: Sequence[Contact]) -> None:
        """Write records. A record of the same message is replaced."""
        ...

    def write_if_absent(self, contact: Contact) -> bool:
        """
        Write a record unless the message has a record already. Return whether the stored record is now in its state.

        So a write whose answer was lost, and which the SDK repeated, counts as written. So does the same record of an
        earlier delivery, which may have died before it could tell anybody.
        """
        ...


class ContactArchive(ContactLog, Protocol):
    """The audit table, with reads and advances of records."""

    def find(self, keys: Collection[ContactKey]) -> Mapping[ContactKey, Contact | UnreadableRecordError]:
        """Read records strongly consistently. Missing records are not in the answer."""
        ...

    def advance(self, contact: Contact, *, expected: ContactState) -> bool:
        """
        Write a receipt into a record that is still in the state `expected`. Return whether it was.

        Only state, message id and the receipt's fields change.
        """
        ...

    def unknown_before(self, moment: datetime) -> Iterator[ContactKey]:
        """Yield the keys of records in state `unknown` that were claimed before a moment, oldest first."""
        ...

    def recent(self, customer_id: str, since: datetime) -> Sequence[Contact]:
        """Return a customer's records since a moment, oldest first, without unreadable records."""
        ...


class SentTexts(Protocol):
    """What the records say of texts, without their words, numbers and addresses."""

    def details_of(self, keys: Collection[ContactKey]) -> Mapping[ContactKey, TextDetails]:
        """Read a few details of records. Missing records are not in the answer, nor are those that cannot be read."""
        ...


class ReplyLog(Protocol):
    """The customers' replies."""

    def keep(self, reply: Reply) -> bool:
        """Write a reply unless it is stored already. Return whether it was written."""
        ...

    def label(self, customer_id: str, reply_id: str, label: ReplyLabel) -> Reply | None:
        """
        Keep a person's label with a customer's reply, unless it has a newer label; `reply_id` is the carrier's.

        Return the reply as it is stored now; `None` if there is no such reply.

        Raises:
            UnreadableRecordError: the stored reply cannot be read.
        """
        ...
