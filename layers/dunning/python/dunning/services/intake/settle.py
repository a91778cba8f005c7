"""
Settle: compares one customer of a file with the stored record, and writes the difference.

Facts and standing are one write, so that nobody is ever stored by half.

Addresses that several customers have are found on the way (`shared_addresses`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import (
    LenderRecord,
    is_barred_by_erasure,
    project_facts,
    record_snapshot,
    with_accounts_indexed,
)
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decisions import Decision
from dunning.domain.decision.rules import Policies
from dunning.domain.errors import RecordTooLargeError, ServiceCallError, UnreadableRecordError
from dunning.domain.outbound_events import OutboundEvent
from dunning.ports.customers import AddressIndex, CustomerStore, StoredCustomer
from dunning.services.optimistic import CONFLICT, Conflict, ContestedError, write_optimistically
from dunning.services.planning import fingerprint, replan_as_told, with_payments_recorded
from dunning.services.shared_addresses import SharedAddresses, not_looked_up

BATCH = 50
"""Facts and standing of 50 customers are the 100 keys of one BatchGetItem."""


class LoadOutcome(Enum):
    """The outcome for one customer."""

    LOADED = auto()
    UNCHANGED = auto()
    OLDER = auto()
    UNREADABLE = auto()
    ERASED = auto()
    TOO_LARGE = auto()
    KEPT_CHANGING = auto()
    FAILED = auto()


class Candidate(NamedTuple):
    """
    A customer of the file without a fault, and the first line of the customer's rows.

    `paid_on` are the days of payment that the file gives, by `progress_key`.
    """

    facts: Facts
    line: int
    paid_on: Mapping[str, date] = MappingProxyType({})


class LoadedCandidate(NamedTuple):
    """
    The outcome for a candidate, the decision if there is one, and the outbound events.

    `opts_out` says whether a known customer opted out with the file, `shares_phone` whether another customer has the
    same number or another address. `failure` is why the customer could not be written this time: load the file again.
    """

    candidate: Candidate
    outcome: LoadOutcome
    decision: Decision | None = None
    opts_out: bool = False
    shares_phone: bool = False
    events: tuple[OutboundEvent, ...] = ()
    failure: ServiceCallError | None = None


class Settler:
    """Writes customers. It keeps no state, because several threads use it."""

    def __init__(self, store: CustomerStore, phones: AddressIndex, policies: Policies) -> None:
        self._store = store
        self._shared = SharedAddresses(store, phones, policies)
        self._policies = policies

    def settle_batch(
        self, batch: Sequence[Candidate], now: datetime, *, dates_unchanged: bool = False
    ) -> list[LoadedCandidate]:
        """
        Write the changes of up to `BATCH` customers, which are read together. The failure of one affects no other.

        `dates_unchanged`: of unchanged customers too, write the time of the statement.

        Raises:
            ServiceCallError: the customers cannot be read.
        """
        stored = self._store.load_stored([candidate.facts.customer_id for candidate in batch])
        return [
            self._settle(candidate, stored[candidate.facts.customer_id], now, dates_unchanged=dates_unchanged)
            for candidate in batch
        ]

    def _settle(
        self,
        candidate: Candidate,
        stored: StoredCustomer | UnreadableRecordError,
        now: datetime,
        *,
        dates_unchanged: bool,
    ) -> LoadedCandidate:
        facts = candidate.facts

        def attempt(customer: StoredCustomer) -> LoadedCandidate | Conflict:
            lender_record, before = customer
            barred = _bar(facts, lender_record)
            if barred is not None:
                return LoadedCandidate(candidate, barred)
            is_at_rest = not (lender_record.next_phone or lender_record.next_addresses)
            same = is_at_rest and _says_the_same(facts, lender_record)
            done = _is_done(lender_record, before)
            is_indexed = not with_accounts_indexed(lender_record)[1]
            if same and done and is_indexed and not dates_unchanged:
                self._shared.keep_indexed(lender_record)
                return LoadedCandidate(candidate, LoadOutcome.UNCHANGED)
            is_kept = same and not dates_unchanged
            known = project_facts(lender_record if is_kept else record_snapshot(lender_record, facts)) or facts
            entered = self._shared.enter(lender_record, known)
            if entered is None:
                return CONFLICT
            after = entered if is_kept else record_snapshot(entered, facts)
            new = not_looked_up(known, lender_record, before, is_planned=done)
            sharing = self._shared.hold_who_share(known, new, now)
            replanned = replan_as_told(after, known, before, self._policies, now, shared=sharing.addresses)
            standing = with_payments_recorded(
                replanned.standing, project_facts(lender_record), known, self._policies, now, candidate.paid_on
            )
            is_saved = self._store.save_customer(
                after,
                standing,
                expected_revision=entered.revision,
                expected_version=before.version if before else 0,
            )
            if not is_saved:
                return CONFLICT
            self._shared.keep_indexed(after)
            if same and done:
                return LoadedCandidate(candidate, LoadOutcome.UNCHANGED)
            self._shared.leave(before, known, now)
            return LoadedCandidate(
                candidate,
                LoadOutcome.LOADED,
                replanned.decision,
                # A customer who comes with an opt-out from another system has not opted out of our texts.
                before is not None and before.opted_out_at != replanned.standing.opted_out_at,
                bool(sharing.addresses),
                (*sharing.events, *replanned.events),
            )

        try:
            return write_optimistically(
                facts.customer_id,
                stored,
                lambda: self._store.load_stored([facts.customer_id])[facts.customer_id],
                attempt,
            )
        except UnreadableRecordError:
            return LoadedCandidate(candidate, LoadOutcome.UNREADABLE)
        except RecordTooLargeError:
            return LoadedCandidate(candidate, LoadOutcome.TOO_LARGE)
        except ContestedError:
            return LoadedCandidate(candidate, LoadOutcome.KEPT_CHANGING)
        except ServiceCallError as error:
            return LoadedCandidate(candidate, LoadOutcome.FAILED, failure=error)


def _is_done(lender_record: LenderRecord, standing: Standing | None) -> bool:
    """Tell whether the wake was computed from the stored facts. If not, an older release or a restore left it so."""
    facts = project_facts(lender_record)
    return facts is not None and standing is not None and standing.planned_for == fingerprint(facts)


def _bar(facts: Facts, lender_record: LenderRecord) -> LoadOutcome | None:
    """Return why a statement must not be stored, if it must not."""
    if is_barred_by_erasure(lender_record, facts):
        return LoadOutcome.ERASED
    return LoadOutcome.OLDER if _is_older(facts, lender_record.snapshot) else None


def _is_older(facts: Facts, stored: Facts | None) -> bool:
    """Tell whether a newer snapshot is stored: files may arrive out of order."""
    stated_at = stored.stated_at if stored is not None else None
    return stated_at is not None and facts.as_of is not None and stated_at > facts.as_of


def _says_the_same(facts: Facts, lender_record: LenderRecord) -> bool:
    """
    Tell whether a file brings nothing new: no other facts, and no facts newer than an event.

    A file with an `as_of` of its own is always new: it asks to be believed over earlier events.
    """
    stored = lender_record.snapshot
    if stored is None or facts.paid_as_of == facts.as_of:
        return stored == facts
    if replace(stored, as_of=None, paid_as_of=None) != replace(facts, as_of=None, paid_as_of=None):
        return False
    if not lender_record.events:
        return True
    now, after = project_facts(lender_record), project_facts(record_snapshot(lender_record, facts))
    return now is not None and after is not None and fingerprint(now) == fingerprint(after)
