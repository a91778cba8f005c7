"""Customers: facts and standing, the due index, the index of addresses, and the scan of all customers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.errors import UnreadableRecordError


class Customer(NamedTuple):
    """Both items of a customer, as they were at one moment; either may not exist yet."""

    facts: Facts | None
    standing: Standing | None


class StoredCustomer(NamedTuple):
    """A customer with the whole lender record, and the standing if it exists."""

    lender_record: LenderRecord
    standing: Standing | None


class CustomerStore(Protocol):
    """Facts and standing."""

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        """
        Read customers strongly consistently, both items as of one moment. Every id asked for is in the answer.

        An unreadable record is answered with its error, so that it does not affect other customers.
        """
        ...

    def load_stored(self, customer_ids: Sequence[str]) -> Mapping[str, StoredCustomer | UnreadableRecordError]:
        """Read customers as `load` does, with the whole lender record. An unknown customer has an empty record."""
        ...

    def save_customer(
        self, lender_record: LenderRecord, standing: Standing, *, expected_revision: int, expected_version: int
    ) -> bool:
        """
        Write both items at once, if both still have the revision and the version that were read (0: not there yet).

        What changes the facts of a customer with a standing is written so: then no claim that was decided on the
        former facts passes, and nobody is stored by half. New accounts are indexed with it (`AccountIndex`).

        Returns False if another writer was first. A write whose answer was lost is recognised and counts as written.

        Raises:
            RecordTooLargeError: the customer does not fit into the store.
        """
        ...

    def save_lender_record(self, lender_record: LenderRecord, *, expected_revision: int) -> bool:
        """
        Write a lender record alone, if the stored record still has `expected_revision` (0: does not exist yet).

        For a customer whom nobody texts (no standing, or not planned), and for what is no fact, such as former numbers.

        Returns False if another writer was first. A record that is stored as it is to be written counts as written.

        Raises:
            RecordTooLargeError: the record does not fit into the store.
        """
        ...

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        """
        Write a whole standing if the stored standing still has `expected_version` (0: does not exist yet).

        Returns False if another writer was first. If the answer of a write is lost, the SDK repeats the write, which
        then fails against itself. A standing that is stored as it is to be written counts as written. With a `claim_id`
        the write is recognised in the stored ledger, even if somebody else has written since.
        """
        ...

    def quarantine(self, customer_id: str, until: datetime) -> None:
        """Move only the wake of a customer whose record cannot be used, so that no other customer is blocked."""
        ...


class StandingReader(Protocol):
    """Standings alone, for who looks at many customers and decides nothing."""

    def read_standings(self, customer_ids: Sequence[str]) -> Mapping[str, Standing | UnreadableRecordError]:
        """Read the standings there are, a hundred in a call; a customer without one is not in the answer."""
        ...


CUSTOMERS_A_LOOK = 100
"""As many customers as are read in a call if their standings are left out."""


class CustomerLook(NamedTuple):
    """A customer as a night sees the customer. Facts and standing may be from two moments."""

    facts: Facts | None
    standing: Standing | None
    erased_at: datetime | None


class CustomerLooks(Protocol):
    """Customers for who settles what came of draws."""

    def look_at(
        self, customer_ids: Sequence[str], *, with_standings: bool
    ) -> Mapping[str, CustomerLook | UnreadableRecordError]:
        """Read customers, a hundred in a call; what was written just now may lack. Every id is in the answer."""
        ...


class DueCustomer(NamedTuple):
    """A customer whose wake has come."""

    customer_id: str
    wake: Wake


class DueIndex(Protocol):
    """The sparse index of customers that have a wake."""

    def due(self, now: datetime, limit: int) -> Iterator[DueCustomer]:
        """Yield at most `limit` customers whose wake has come, earliest first, then most urgent first."""
        ...


class AddressIndex(Protocol):
    """
    Which customers have, or had, an address: a number (E.164), an e-mail address, or a LINE user id.

    E-mail addresses are the same in capitals and in small letters.
    """

    def customers_with(self, addresses: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return the ids of each address's customers. Every address asked for is in the answer."""
        ...

    def add_address(self, address: str, customer_id: str) -> frozenset[str]:
        """Add a customer to an address and return all its customers. Of two concurrent calls the later sees both."""
        ...

    def remove_address(self, address: str, customer_id: str) -> None:
        """Take a customer from an address."""
        ...


class AccountIndex(Protocol):
    """Which customers have, or had, an account. It is written with the customer (`CustomerStore.save_customer`)."""

    def customers_of_account(self, account_id: str) -> frozenset[str]:
        """Return the ids of an account's customers, a hundred at most, strongly consistent."""
        ...


class ListedCustomer(NamedTuple):
    """A lender's customer as a scan sees it: whether something is open, and the whole list that lacks the customer."""

    customer_id: str
    has_open: bool
    missing_since: datetime | None


class LenderScan(Protocol):
    """All customers of a lender."""

    def customers_of(self, lender: str, segments: int = 1) -> Iterator[ListedCustomer]:
        """
        Yield each customer who has facts of this lender once, in any order; what was written just now may lack.

        The scan has as many `segments`, which are read side by side.
        """
        ...


class CustomerScan(Protocol):
    """All customers, in parts that can be read side by side."""

    def customer_ids(self, segment: int, segments: int, after: str) -> Iterator[str]:
        """
        Yield the ids of one of `segments` parts, each customer once, in a stable order.

        The scan continues after the customer `after`, or starts at the beginning if that is empty.
        """
        ...


class WholeScan(Protocol):
    """All customers, with all that is stored of each."""

    def whole_customers(self, segment: int = 0, segments: int = 1) -> Iterator[Customer | UnreadableRecordError]:
        """
        Yield each customer of one of `segments` parts once, in any order; what was written just now may lack.

        Facts and standing may be from two moments: good for counting, and for nothing else.
        """
        ...
