"""
Standing: what we know about contacting a customer.

The ledger is the only thing caps are computed from; progress says how far each ladder has been heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dunning.domain.facts import Facts, Hold

SMS = "sms"

LEDGER_FLOOR = timedelta(days=31)
"""The ledger remembers at least this long, so that a policy may lengthen a cap without forgetting texts."""

PROGRESS_LIMIT = 24
"""Ladders remembered per customer; beyond it those of paid instalments are forgotten, the oldest first."""


LEAST_URGENT = 9
"""The highest `urgency` a wake has: one digit in the index."""


class Wake(NamedTuple):
    """When a customer is next worth a decision; of all who wake together the lowest `urgency` goes first."""

    at: datetime
    urgency: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One claimed contact. `answers` is the wake that led to it, so that a repeated job is recognised."""

    send_id: str
    claim_id: str
    at: datetime
    stage: int
    accounts: tuple[str, ...]
    channel: str
    answers: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """The last stage heard for one instalment, the local day it was claimed, and the due date it spoke of."""

    stage: int
    on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What we know about contacting one customer, versioned: every change bumps `version`.

    `ledger` is ordered by time. `progress` is keyed by `progress_key`. `planned_for` names the facts the
    wake was last computed from. `suspended_phone` is a number the carrier refused for good.
    """

    customer_id: str
    version: int = 0
    wake: Wake | None = None
    ledger: tuple[LedgerEntry, ...] = ()
    progress: Mapping[str, Progress] = field(default_factory=dict)
    opted_out_at: datetime | None = None
    suspended_phone: str = ""
    holds: tuple[Hold, ...] = ()
    planned_for: str = ""
    reason: str = ""


def progress_key(account_id: str, number: int) -> str:
    """Name the ladder of one instalment of one account."""
    return f"{account_id}#{number}"


def with_claim(
    standing: Standing, entry: LedgerEntry, heard: Mapping[str, Progress], remember: timedelta, facts: Facts
) -> Standing:
    """
    Return the standing as it is once a contact is claimed: entry in the ledger, rungs marked, version bumped.

    Entries older than `remember` (at least `LEDGER_FLOOR`) are dropped: no cap looks back that far. Of the ladders
    none is forgotten whose instalment is still open: it would be heard all over again.
    """
    oldest = entry.at - max(remember, LEDGER_FLOOR)
    kept = tuple(past for past in standing.ledger if past.at > oldest)
    progress = {**standing.progress, **heard}
    if len(progress) > PROGRESS_LIMIT:
        still_open = {progress_key(a.account_id, i.number) for a in facts.accounts for i in a.instalments if i.open > 0}
        done = sorted(progress.keys() - still_open, key=lambda key: (progress[key].on, key))
        for key in done[: len(progress) - PROGRESS_LIMIT]:
            del progress[key]
    return replace(standing, version=standing.version + 1, ledger=(*kept, entry), progress=progress)


def without_claim(standing: Standing, before: Standing, claim_id: str) -> Standing:
    """
    Return the standing after a claim was released: as if the contact had never been claimed.

    `before` is the standing the claim was made on; only the released contact's rungs go back to it.
    """
    entry = next((e for e in standing.ledger if e.claim_id == claim_id), None)
    if entry is None:
        return standing
    others = {key: heard for key, heard in standing.progress.items() if key.rpartition("#")[0] not in entry.accounts}
    ledger = tuple(e for e in standing.ledger if e.claim_id != claim_id)
    return replace(standing, version=standing.version + 1, ledger=ledger, progress={**before.progress, **others})


def claim_answering(standing: Standing, wake_at: datetime) -> LedgerEntry | None:
    """Return the contact that was claimed for this wake, if any: the job has been here before."""
    return next((entry for entry in standing.ledger if entry.answers == wake_at), None)
