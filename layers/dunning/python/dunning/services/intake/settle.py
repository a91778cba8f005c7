"""
Settle: one customer of a file against what is stored.

Facts and standing are two writes, facts first. The standing names the facts its wake was computed from, so that a
crash between the two shows, and the next load of the file repairs it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

from dunning.domain.decision import Decision
from dunning.domain.dossier import facts_now, is_erased_for, with_statement
from dunning.domain.errors import DunningError
from dunning.domain.facts import Facts
from dunning.domain.rules import Policies
from dunning.ports import CustomerStore, Told, UnreadableRecordError
from dunning.services.planning import fingerprint, replan_as_told

BATCH = 50
"""Facts and standing of 50 customers are the 100 keys of one BatchGetItem."""

_TRIES = 5


class IntakeConflictError(DunningError):
    """Others kept changing a customer. The file is to be loaded again: what is done will not be done twice."""


class Outcome(Enum):
    """What became of a customer."""

    LOADED = auto()
    UNCHANGED = auto()
    OLDER = auto()
    UNREADABLE = auto()
    ERASED = auto()


class Candidate(NamedTuple):
    """A customer of the file without a fault, and the first line that names them."""

    facts: Facts
    line: int


class Settled(NamedTuple):
    """What became of a candidate, the decision if one was made, and whether a customer we know opted out with it."""

    candidate: Candidate
    outcome: Outcome
    decision: Decision | None = None
    opts_out: bool = False


class Settler:
    """Writes customers. Used by several threads: it keeps nothing."""

    def __init__(self, store: CustomerStore, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    def settle_batch(self, batch: Sequence[Candidate], now: datetime) -> list[Settled]:
        """
        Write what is new of up to `BATCH` customers, which are read together.

        Raises:
            IntakeConflictError: others kept changing a customer.
        """
        stored = self._store.load_told([candidate.facts.customer_id for candidate in batch])
        return [self._settle(candidate, stored[candidate.facts.customer_id], now) for candidate in batch]

    def _settle(self, candidate: Candidate, stored: Told | UnreadableRecordError, now: datetime) -> Settled:
        facts = candidate.facts
        for _ in range(_TRIES):
            if isinstance(stored, UnreadableRecordError):
                return Settled(candidate, Outcome.UNREADABLE)
            dossier, before = stored
            if is_erased_for(dossier, facts):
                return Settled(candidate, Outcome.ERASED)
            if _is_older(facts, dossier.statement):
                return Settled(candidate, Outcome.OLDER)
            same = _says_the_same(facts, dossier.statement)
            after = dossier if same else with_statement(dossier, facts)
            known = facts_now(after) or facts
            if same and before is not None and before.planned_for == fingerprint(known):
                return Settled(candidate, Outcome.UNCHANGED)
            if same or self._store.save_dossier(after, expected_revision=dossier.revision):
                standing, decision, _ = replan_as_told(after, known, before, self._policies, now)
                if self._store.save_standing(standing, expected_version=before.version if before else 0):
                    # Who comes with an opt-out from another system has not opted out of our texts.
                    opts_out = before is not None and before.opted_out_at != standing.opted_out_at
                    return Settled(candidate, Outcome.LOADED, decision, opts_out)
            stored = self._store.load_told([facts.customer_id])[facts.customer_id]
        raise IntakeConflictError(f"customer {facts.customer_id} kept changing")


def _is_older(facts: Facts, stored: Facts | None) -> bool:
    """Tell whether the lender has said something since: files may arrive out of order."""
    return stored is not None and stored.as_of is not None and facts.as_of is not None and stored.as_of > facts.as_of


def _says_the_same(facts: Facts, stored: Facts | None) -> bool:
    """
    Tell whether a file brings nothing new.

    One that says itself as of when it speaks always does: it is an order to believe it, not what was said before.
    """
    if stored is None or facts.paid_as_of == facts.as_of:
        return stored == facts
    return replace(stored, as_of=None, paid_as_of=None) == replace(facts, as_of=None, paid_as_of=None)
