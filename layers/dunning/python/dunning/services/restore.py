"""
Restore: copies customers from a restored backup table into the table in use.

Facts are taken from the backup. A standing in use is kept, because it knows every text sent since the backup, and an
older standing would send these texts again. If the standing is lost with the facts, the backup's standing is taken, and
the customer gets no texts for some days: the texts sent in between are in the audit records only. A restored customer
is decided again at once. A customer who was erased since the backup stays erased.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from itertools import batched

from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.lender_record import (
    LenderRecord,
    erase_record,
    is_barred_by_erasure,
    with_accounts_to_index,
)
from dunning.domain.customer.standing import LEAST_URGENT, Standing, Wake
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.clock import Clock
from dunning.ports.customers import CustomerStore, StoredCustomer
from dunning.services.optimistic import CONFLICT, Conflict, ContestedError, write_optimistically

QUIET = timedelta(days=8)
"""
The silence for a customer whose standing was lost.

It is longer than the caps of a day and of a week, and than the days between two stages. The texts between backup and
loss may exceed a cap of a month.
"""

_BATCH = 50


class RestoreOutcome(StrEnum):
    """The outcome for one customer."""

    FACTS = "facts brought back, standing kept"
    BOTH = "facts and standing brought back, silent for some days"
    SAME = "already as in the backup"
    NOT_IN_BACKUP = "not in the backup, left alone"
    ERASED = "erased since, left alone"
    UNREADABLE = "cannot be read in the backup, left alone"
    CONTESTED = "not brought back: kept changing, or the standing cannot be read"


class RestoreService:
    """Restores customers. `live` is the table in use, `backup` the restored table. Only `live` is written."""

    def __init__(self, *, live: CustomerStore, backup: CustomerStore, clock: Clock) -> None:
        self._live = live
        self._backup = backup
        self._clock = clock

    def restore(self, customer_ids: Iterable[str], *, change: bool) -> Counter[RestoreOutcome]:
        """
        Restore customers, and count the outcomes. It can be repeated.

        Args:
            customer_ids: the customers.
            change: whether to write; if not, the outcomes are those that a restore would have.
        """
        outcomes: Counter[RestoreOutcome] = Counter()
        for batch in batched(customer_ids, _BATCH, strict=False):
            backup, live = self._backup.load_stored(batch), self._live.load_stored(batch)
            for customer_id in batch:
                outcomes[self._customer(customer_id, backup[customer_id], live[customer_id], change=change)] += 1
        return outcomes

    def _customer(
        self,
        customer_id: str,
        backup: StoredCustomer | UnreadableRecordError,
        live: StoredCustomer | UnreadableRecordError,
        *,
        change: bool,
    ) -> RestoreOutcome:
        if isinstance(backup, UnreadableRecordError):
            return RestoreOutcome.UNREADABLE
        if backup.lender_record.snapshot is None:
            return RestoreOutcome.NOT_IN_BACKUP
        snapshot = backup.lender_record.snapshot
        nothing = StoredCustomer(LenderRecord(customer_id=customer_id), None)

        def attempt(live: StoredCustomer) -> RestoreOutcome | Conflict:
            now = self._clock.now()
            known, standing = live
            outcome = _outcome(known, standing, backup.lender_record, snapshot)
            if not change or outcome not in {RestoreOutcome.FACTS, RestoreOutcome.BOTH}:
                return outcome
            # The backup counts as a snapshot of this moment, so that only later statements take precedence.
            restored = replace(backup.lender_record, snapshot=replace(snapshot, as_of=now, paid_as_of=now))
            if known.erased_at is not None:
                restored = erase_record(restored, known.erased_at)
            restored = replace(with_accounts_to_index(restored), revision=known.revision + 1)
            after = _woken(standing, now_at=Wake(now, LEAST_URGENT)) if standing else self._silent(backup, customer_id)
            is_saved = self._live.save_customer(
                restored,
                after,
                expected_revision=known.revision,
                expected_version=standing.version if standing else 0,
            )
            return outcome if is_saved else CONFLICT

        def readable(live: StoredCustomer | UnreadableRecordError) -> StoredCustomer:
            return nothing if isinstance(live, UnreadableRecordError) else live

        try:
            return write_optimistically(
                customer_id,
                readable(live),
                lambda: readable(self._live.load_stored([customer_id])[customer_id]),
                attempt,
            )
        except ContestedError:
            return RestoreOutcome.CONTESTED

    def _silent(self, backup: StoredCustomer, customer_id: str) -> Standing:
        now = self._clock.now()
        standing = backup.standing or Standing(customer_id=customer_id)
        hold = Hold(HoldReason.OTHER, (now + QUIET).date())
        return _woken(replace(standing, holds=(*standing.holds, hold)), now_at=Wake(now, LEAST_URGENT))


def _outcome(known: LenderRecord, standing: Standing | None, backup: LenderRecord, snapshot: Facts) -> RestoreOutcome:
    """Return the outcome that a restore would have for a customer."""
    if is_barred_by_erasure(known, snapshot):
        return RestoreOutcome.ERASED
    if standing is None:
        return RestoreOutcome.BOTH
    return RestoreOutcome.SAME if _same(known, backup) else RestoreOutcome.FACTS


def _woken(standing: Standing, *, now_at: Wake) -> Standing:
    return replace(standing, version=standing.version + 1, wake=now_at, planned_for="", reason="restored")


def _same(live: LenderRecord, backup: LenderRecord) -> bool:
    return _undated(live) == _undated(backup)


def _undated(lender_record: LenderRecord) -> LenderRecord:
    snapshot = lender_record.snapshot
    return replace(
        lender_record, revision=0, snapshot=replace(snapshot, as_of=None, paid_as_of=None) if snapshot else None
    )
