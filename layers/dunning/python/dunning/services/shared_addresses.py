"""
Shared addresses: two customers with one number, mailbox or LINE account.

A text that the wrong person reads discloses a debt. So an address of two customers is used for neither until a person
has looked at them. A new address is first written to the lender record (`next_phone`, `next_addresses`), then indexed,
then looked up, and given to the customer last. Of two writers the later sees both customers, and holds both: the
earlier has to start over if it has not written its facts. The note costs a write for each new address, and lets an
erasure find the address even if the writer died in between.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import (
    LenderRecord,
    new_addresses,
    present_addresses,
    project_facts,
    with_next_addresses,
)
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.open_reviews import with_open_review
from dunning.domain.decision.rules import Policies
from dunning.domain.delivery.channels import AddressKind
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.outbound_events import CustomerNeedsPerson, OutboundEvent, ReviewReason
from dunning.ports.customers import AddressIndex, CustomerStore, StoredCustomer
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically
from dunning.services.planning import replan, with_shared_addresses

_MOST_SHARING = 20
"""
The most customers with one address that are marked one by one.

More mean a made-up address, entered where none was known. The customer is then only reported: the earlier customers are
marked already.
"""


class Sharing(NamedTuple):
    """The addresses that are found to be other customers', too, and an event for each customer who has one of them."""

    addresses: Sequence[str]
    events: Sequence[OutboundEvent]


class SharedAddresses:
    """Finds and marks customers who share an address. It keeps no state, because several threads use it."""

    def __init__(self, store: CustomerStore, index: AddressIndex, policies: Policies) -> None:
        self._store = store
        self._index = index
        self._policies = policies

    def enter(self, lender_record: LenderRecord, facts: Facts) -> LenderRecord | None:
        """
        Index the new addresses of the facts, and return the record that names them; `None` if another writer was first.

        This comes before all other writes, so that every customer who has or gets an address can be found by it.
        """
        new = new_addresses(lender_record, facts)
        if not new:
            return lender_record
        noted = with_next_addresses(lender_record, new)
        if noted is not lender_record and not self._store.save_lender_record(
            noted, expected_revision=lender_record.revision
        ):
            return None
        for address in new:
            self._index.add_address(address, facts.customer_id)
        return noted

    def hold_who_share(self, facts: Facts, addresses: Sequence[str], now: datetime) -> Sharing:
        """
        Hold all other customers who have or get one of these addresses of a customer.

        The search comes after the customer's own addresses are noted and indexed: of two customers written at the same
        moment, the later sees both.
        """
        if not addresses:
            return Sharing((), ())
        indexed = self._index.customers_with(addresses)
        shared: list[str] = []
        affected: dict[str, None] = {}
        for address in addresses:
            others = indexed[address] - {facts.customer_id}
            is_made_up = len(others) > _MOST_SHARING
            sharing = [] if is_made_up else self._who_have(address, others)
            if sharing or is_made_up:
                shared.append(address)
                affected |= dict.fromkeys([facts.customer_id, *sharing])
            for customer_id in sharing:
                self._mark(customer_id, address, now)
        events = [CustomerNeedsPerson(customer_id, now, ReviewReason.SHARED_PHONE) for customer_id in affected]
        return Sharing(shared, events)

    def leave(self, before: Standing | None, facts: Facts, now: datetime) -> None:
        """Release the last customer who still has an address, once another customer's address has been corrected."""
        for known in before.shared.values() if before is not None else ():
            if known.address in facts.addresses:
                continue
            others = self._index.customers_with([known.address])[known.address] - {facts.customer_id}
            sharing = self._who_have(known.address, others)
            if len(sharing) == 1:
                self._mark(sharing[0], known.address, now, is_shared=False)

    def keep_indexed(self, lender_record: LenderRecord) -> None:
        """
        Index the addresses of a customer who has returned after an erasure, if they are not indexed.

        A round of the erasure that had not read the customer's return may have removed them meanwhile.
        """
        addresses = present_addresses(lender_record)
        if lender_record.erased_at is None or not addresses:
            return
        for address, customer_ids in self._index.customers_with(addresses).items():
            if lender_record.customer_id not in customer_ids:
                self._index.add_address(address, lender_record.customer_id)

    def _who_have(self, address: str, customer_ids: frozenset[str]) -> list[str]:
        """Return who has or gets an address. A customer whose record cannot be read counts as an owner."""
        found = self._store.load_stored(sorted(customer_ids)) if customer_ids else {}
        return [
            customer_id
            for customer_id, known in found.items()
            if isinstance(known, UnreadableRecordError) or known.lender_record.has_or_gets(address)
        ]

    def _mark(self, customer_id: str, address: str, now: datetime, *, is_shared: bool = True) -> None:
        """Write that a customer shares an address, or no longer does, and replan the customer."""
        kind = AddressKind.of_address(address)

        def attempt(customer: StoredCustomer) -> Conflict | None:
            lender_record, before = customer.lender_record, customer.standing or Standing(customer_id=customer_id)
            facts = project_facts(lender_record)
            if not lender_record.has_or_gets(address):
                return None
            if is_shared and _is_held_for(before, facts, address):
                return self._announce_again(before, now)
            if is_shared:
                after = with_shared_addresses(before, [address], now)
            else:
                after = replace(before, shared={key: known for key, known in before.shared.items() if key != kind})
            if facts is not None and address not in facts.addresses and before.shares_address(facts, kind.channel):
                # Held for the present address, which stays marked. The load that gives the next address looks again.
                after = with_open_review(before, ReviewReason.SHARED_PHONE.value, now) if is_shared else before
            if facts is None:
                planned = replace(after, version=before.version + 1)
            else:
                planned = replan(facts, before, after, self._policies, now).standing
            return None if self._store.save_standing(planned, expected_version=before.version) else CONFLICT

        def read() -> StoredCustomer | UnreadableRecordError:
            return self._store.load_stored([customer_id])[customer_id]

        with suppress(UnreadableRecordError):  # quarantined as it is
            write_optimistically(customer_id, read(), read, attempt)

    def _announce_again(self, before: Standing, now: datetime) -> Conflict | None:
        """Write that a held customer waits for a person, who may have attended to an earlier owner of the address."""
        after = with_open_review(before, ReviewReason.SHARED_PHONE.value, now)
        if after is before:
            return None
        again = replace(after, version=before.version + 1)
        return None if self._store.save_standing(again, expected_version=before.version) else CONFLICT


def not_looked_up(
    facts: Facts, lender_record: LenderRecord, standing: Standing | None, *, is_planned: bool
) -> Sequence[str]:
    """
    Return the addresses whose other owners were not looked up before, so that a released customer is not held again.

    `is_planned` says that the wake was computed from the stored facts: all their addresses were looked up.
    """
    present = present_addresses(lender_record)
    known = {each.address for each in standing.shared.values()} if standing is not None else set()
    return [address for address in facts.addresses if address not in present or not (is_planned or address in known)]


def _is_held_for(standing: Standing, facts: Facts | None, address: str) -> bool:
    """Tell whether a customer is held for an address, or will be once it is theirs."""
    kind = AddressKind.of_address(address)
    if facts is not None and address in facts.addresses:
        return standing.shares_address(facts, kind.channel)
    known = standing.shared.get(kind)
    return known is not None and known.address == address
