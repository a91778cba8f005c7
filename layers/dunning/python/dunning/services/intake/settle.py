"""
Settle: compares one customer of a file with the stored record, and writes the difference.

Facts and standing are one write, so that nobody is ever stored by half.

Two customers with one number are both held until a person has looked at them: a text read by the wrong person discloses
a debt. So a new number is first written to the lender record (`next_phone`), then indexed, then looked up, and given to
the customer last. Of two loads the later sees both customers, and holds both: the earlier has to start over if it has
not written its facts. The note costs a write for each new number, and lets an erasure find the number even if the load
died in between.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import (
    LenderRecord,
    is_barred_by_erasure,
    project_facts,
    record_snapshot,
    with_accounts_indexed,
    with_phone,
)
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decisions import Decision
from dunning.domain.decision.open_reviews import with_open_review
from dunning.domain.decision.rules import Policies
from dunning.domain.errors import RecordTooLargeError, ServiceCallError, UnreadableRecordError
from dunning.domain.outbound_events import CustomerNeedsPerson, OutboundEvent, ReviewReason
from dunning.ports.customers import CustomerStore, PhoneIndex, StoredCustomer
from dunning.services.optimistic import CONFLICT, Conflict, ContestedError, write_optimistically
from dunning.services.planning import fingerprint, replan, replan_as_told, with_shared_phone

BATCH = 50
"""Facts and standing of 50 customers are the 100 keys of one BatchGetItem."""

_MOST_SHARING = 20
"""
The most customers on one number that are marked one by one.

More mean a made-up number, entered where none was known. The customer is then only reported: the earlier customers are
marked already.
"""


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
    """A customer of the file without a fault, and the first line of the customer's rows."""

    facts: Facts
    line: int


class LoadedCandidate(NamedTuple):
    """
    The outcome for a candidate, the decision if there is one, and the outbound events.

    `opts_out` says whether a known customer opted out with the file, `shares_phone` whether another customer has the
    same number. `failure` is why the customer could not be written this time: load the file again.
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

    def __init__(self, store: CustomerStore, phones: PhoneIndex, policies: Policies) -> None:
        self._store = store
        self._phones = phones
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
            same = not lender_record.next_phone and _says_the_same(facts, lender_record)
            done = _is_done(lender_record, before)
            is_indexed = not with_accounts_indexed(lender_record)[1]
            if same and done and is_indexed and not dates_unchanged:
                self._keep_indexed(lender_record)
                return LoadedCandidate(candidate, LoadOutcome.UNCHANGED)
            entered = self._enter_number(lender_record, facts)
            if entered is None:
                return CONFLICT
            after = entered if same and not dates_unchanged else record_snapshot(entered, facts)
            known = project_facts(after) or facts
            is_new = not _was_looked_at(known.phone, lender_record, before, done=done)
            held = self._hold_who_share(known, now) if is_new else []
            replanned = replan_as_told(after, known, before, self._policies, now, shares_phone=bool(held))
            is_saved = self._store.save_customer(
                after,
                replanned.standing,
                expected_revision=entered.revision,
                expected_version=before.version if before else 0,
            )
            if not is_saved:
                return CONFLICT
            self._keep_indexed(after)
            if same and done:
                return LoadedCandidate(candidate, LoadOutcome.UNCHANGED)
            if before is not None and before.shared_phone not in {"", known.phone}:
                self._leave_number(before.shared_phone, facts.customer_id, now)
            return LoadedCandidate(
                candidate,
                LoadOutcome.LOADED,
                replanned.decision,
                # A customer who comes with an opt-out from another system has not opted out of our texts.
                before is not None and before.opted_out_at != replanned.standing.opted_out_at,
                bool(held),
                (*held, *replanned.events),
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

    def _enter_number(self, lender_record: LenderRecord, facts: Facts) -> LenderRecord | None:
        """
        Index a new number, and return the lender record that names it; `None` if another writer was first.

        This comes before all other writes, so that every customer who has or gets the number can be found by it.
        """
        if lender_record.snapshot is not None and lender_record.snapshot.phone == facts.phone:
            return lender_record
        noted = with_phone(lender_record, facts.phone)
        if noted is not lender_record and not self._store.save_lender_record(
            noted, expected_revision=lender_record.revision
        ):
            return None
        self._phones.add_phone(facts.phone, facts.customer_id)
        return noted

    def _hold_who_share(self, facts: Facts, now: datetime) -> list[OutboundEvent]:
        """
        Hold all other customers who have or get this customer's number, and return an event for each of them.

        The search comes after the customer's own number is noted and indexed: of two customers loaded at the same
        moment, the later sees both.
        """
        others = self._phones.customers_with([facts.phone])[facts.phone] - {facts.customer_id}
        if len(others) > _MOST_SHARING:
            return [CustomerNeedsPerson(facts.customer_id, now, ReviewReason.SHARED_PHONE)]
        sharing = self._who_have(facts.phone, others)
        for customer_id in sharing:
            self._mark(customer_id, facts.phone, now)
        affected = [facts.customer_id, *sharing] if sharing else []
        return [CustomerNeedsPerson(customer_id, now, ReviewReason.SHARED_PHONE) for customer_id in affected]

    def _leave_number(self, phone: str, customer_id: str, now: datetime) -> None:
        """Release the last customer who still has a number, once another customer's number has been corrected."""
        others = self._phones.customers_with([phone])[phone] - {customer_id}
        sharing = self._who_have(phone, others)
        if len(sharing) == 1:
            self._mark(sharing[0], phone, now, is_shared=False)

    def _keep_indexed(self, lender_record: LenderRecord) -> None:
        """
        Index the number of a customer who has returned after an erasure, if it is not indexed.

        A round of the erasure that had not read the customer's return may have removed it meanwhile.
        """
        snapshot = lender_record.snapshot
        if lender_record.erased_at is None or snapshot is None:
            return
        if snapshot.customer_id not in self._phones.customers_with([snapshot.phone])[snapshot.phone]:
            self._phones.add_phone(snapshot.phone, snapshot.customer_id)

    def _who_have(self, phone: str, customer_ids: frozenset[str]) -> list[str]:
        """Return who has or gets a number. A customer whose record cannot be read counts as an owner."""
        found = self._store.load_stored(sorted(customer_ids)) if customer_ids else {}
        return [
            customer_id
            for customer_id, known in found.items()
            if isinstance(known, UnreadableRecordError) or known.lender_record.has_or_gets(phone)
        ]

    def _mark(self, customer_id: str, phone: str, now: datetime, *, is_shared: bool = True) -> None:
        """Write that a customer shares a number, or no longer does, and replan the customer."""

        def attempt(customer: StoredCustomer) -> Conflict | None:
            lender_record, before = customer.lender_record, customer.standing or Standing(customer_id=customer_id)
            facts = project_facts(lender_record)
            if not lender_record.has_or_gets(phone):
                return None
            if is_shared and _is_held_for(before, facts, phone):
                return self._announce_again(before, now)
            if is_shared:
                after = with_shared_phone(before, phone, now)
            else:
                after = replace(before, shared_phone="", shared_at=None)
            if facts is not None and facts.phone != phone and before.shares_address(facts):
                # Held for the present number, which stays marked. The load that gives the next number looks again.
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
        """Write that a held customer waits for a person, who may have attended to an earlier owner of the number."""
        after = with_open_review(before, ReviewReason.SHARED_PHONE.value, now)
        if after is before:
            return None
        again = replace(after, version=before.version + 1)
        return None if self._store.save_standing(again, expected_version=before.version) else CONFLICT


def _is_done(lender_record: LenderRecord, standing: Standing | None) -> bool:
    """Tell whether the wake was computed from the stored facts. If not, an older release or a restore left it so."""
    facts = project_facts(lender_record)
    return facts is not None and standing is not None and standing.planned_for == fingerprint(facts)


def _was_looked_at(phone: str, lender_record: LenderRecord, standing: Standing | None, *, done: bool) -> bool:
    """Tell whether the owners of the number were looked up before, so that a released customer is not held again."""
    if lender_record.snapshot is None or lender_record.snapshot.phone != phone:
        return False
    return done or (standing is not None and standing.shared_phone == phone)


def _is_held_for(standing: Standing, facts: Facts | None, phone: str) -> bool:
    """Tell whether a customer is held for a number, or will be once it is theirs."""
    if facts is not None and facts.phone == phone:
        return standing.shares_address(facts)
    return standing.shared_phone == phone


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
