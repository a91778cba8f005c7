"""Customers: facts and standing, the due index, the numbers, and all of them one after the other."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.errors import UnreadableRecordError


class Customer(NamedTuple):
    """Both items of a customer, as read together and strongly consistent; either may not exist yet."""

    facts: Facts | None
    standing: Standing | None


class StoredCustomer(NamedTuple):
    """A customer as read by those who listen: all the lender has said, and the standing if there is one."""

    lender_record: LenderRecord
    standing: Standing | None


class CustomerStore(Protocol):
    """Facts and standing."""

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        """
        Read customers strongly consistently; every id asked for is in the answer.

        A record that cannot be read is answered with the error, so that it harms nobody else.
        """
        ...

    def load_stored(self, customer_ids: Sequence[str]) -> Mapping[str, StoredCustomer | UnreadableRecordError]:
        """Read customers as `load` does, with the whole lender record; that of an unknown customer is empty."""
        ...

    def save_lender_record(self, lender_record: LenderRecord, *, expected_revision: int) -> bool:
        """
        Write a whole lender record if the stored one still has `expected_revision` (0: does not exist yet).

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

    def quarantine(self, customer_id: str, until: datetime) -> None:
        """Move only the wake of a customer whose record cannot be used, so that it blocks nobody."""
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


class PhoneIndex(Protocol):
    """Which customers have, or had, a number (E.164)."""

    def customers_with(self, phones: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return the ids of each number's customers; every number asked for is in the answer."""
        ...

    def add_phone(self, phone: str, customer_id: str) -> frozenset[str]:
        """Add a customer to a number and return all that it has now; of two who add themselves one sees both."""
        ...

    def remove_phone(self, phone: str, customer_id: str) -> None:
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
