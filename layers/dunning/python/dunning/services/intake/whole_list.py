"""
Whole list: who is missing in a file that is a lender's whole list.

A customer whom the list lacks may have paid, moved to another lender, or been lost by a broken export. Nobody knows, so
there is no text until a file names the customer again. A list that lacks too many customers is broken, and refused
before anything is written.

The customers of a lender are found by a scan of the table: a list comes once a day at most, and an index would cost a
write with every change of every customer.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import batched
from typing import NamedTuple

from dunning.domain.customer.lender_record import project_facts, record_missing
from dunning.domain.decision.decisions import Decision
from dunning.domain.decision.rules import Policies
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.outbound_events import OutboundEvent
from dunning.ports.customers import CustomerStore, LenderScan, StoredCustomer
from dunning.services.intake.refusals import FileRefusedError, Refusal
from dunning.services.intake.settle import BATCH
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically
from dunning.services.planning import replan

PREFIX = "complete/"
_MOST_MISSING = 0.1
_FOLDERS = 3


class MissingCustomer(NamedTuple):
    """A customer who is newly missing, the decision that follows if it is new, and the outbound events."""

    customer_id: str
    decision: Decision | None
    events: Sequence[OutboundEvent]


def lender_of_list(key: str, lenders: frozenset[str]) -> str:
    """
    Return the lender whose whole list a file is, by its key; nothing if it is no whole list.

    Raises:
        FileRefusedError: the key names no lender.
    """
    if not key.startswith(PREFIX):
        return ""
    folders = key.split("/", _FOLDERS - 1)
    if len(folders) < _FOLDERS or folders[1] not in lenders:
        raise FileRefusedError(Refusal.UNKNOWN_LIST)
    return folders[1]


class WholeLists:
    """Finds and marks the customers whom a lender's whole list lacks. It keeps no state."""

    def __init__(
        self, store: CustomerStore, scan: LenderScan, policies: Policies, most_missing: float = _MOST_MISSING
    ) -> None:
        self._store = store
        self._scan = scan
        self._policies = policies
        self._most_missing = most_missing

    def missing(self, lender: str, since: datetime, is_in_list: Callable[[str], bool], segments: int = 1) -> list[str]:
        """
        Return the known customers whom a list lacks. Those whom another list lacked before are left out.

        The table is read in as many `segments` side by side.

        Those whom an earlier try of this list has marked are in it: the report of the last try is the one that stays.

        Raises:
            FileRefusedError: it lacks too many of the customers who have something open.
        """
        missing: list[str] = []
        known = lost = 0
        for customer_id, has_open, missing_since in self._scan.customers_of(lender, segments):
            if missing_since not in {None, since}:
                continue
            known += has_open
            if not is_in_list(customer_id):
                lost += has_open
                missing.append(customer_id)
        if lost > known * self._most_missing:
            hint = f"It lacks {lost:,} of {known:,}; at most {self._most_missing:.0%} may be missing."
            raise FileRefusedError(Refusal.TOO_MANY_MISSING, hint=hint)
        return missing

    def mark(
        self, lender: str, customer_ids: Iterable[str], since: datetime, now: datetime
    ) -> Iterator[MissingCustomer]:
        """
        Mark customers of a lender as missing since a list, and plan them anew.

        It can be repeated, and then yields those marked already, too.

        Raises:
            ContestedError, ServiceCallError: not all are marked: do it again.
        """
        for batch in batched(customer_ids, BATCH, strict=False):
            stored = self._store.load_stored(batch)
            for customer_id in batch:
                marked = self._mark(lender, customer_id, stored[customer_id], since, now)
                if marked is not None:
                    yield marked

    def _mark(
        self,
        lender: str,
        customer_id: str,
        stored: StoredCustomer | UnreadableRecordError,
        since: datetime,
        now: datetime,
    ) -> MissingCustomer | None:
        def attempt(customer: StoredCustomer) -> MissingCustomer | Conflict | None:
            lender_record, before = customer
            after = record_missing(lender_record, since)
            facts = project_facts(after)
            if facts is None or facts.lender != lender:
                return None
            if after is lender_record:
                return MissingCustomer(customer_id, None, ()) if facts.not_in_list_since == since else None
            if before is None:  # stored by half: the next load plans the customer
                is_saved = self._store.save_lender_record(after, expected_revision=lender_record.revision)
                return MissingCustomer(customer_id, None, ()) if is_saved else CONFLICT
            replanned = replan(facts, before, before, self._policies, now)
            is_saved = self._store.save_customer(
                after,
                replanned.standing,
                expected_revision=lender_record.revision,
                expected_version=before.version,
            )
            return MissingCustomer(customer_id, replanned.decision, replanned.events) if is_saved else CONFLICT

        def read() -> StoredCustomer | UnreadableRecordError:
            return self._store.load_stored([customer_id])[customer_id]

        try:
            return write_optimistically(customer_id, stored, read, attempt)
        except UnreadableRecordError:
            return None  # the sender quarantines the customer
