"""
Claims: the steps after the claim of a contact that all sending services share.

    publish once ──> accepted          record `sent`
        │            refused for good  record, claim released
        │            refused for now   claim released, no record
        └─ no answer: the claim stays, record `unknown`, never re-sent
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import (
    LedgerEntry,
    Progress,
    Standing,
    first_asked,
    progress_key,
    with_claim,
    without_claim,
)
from dunning.domain.decision.decisions import Reminder
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.drawn_rungs import asked_to_text
from dunning.domain.effect.draws import draws_to_text
from dunning.domain.errors import DunningError, UnreadableRecordError
from dunning.ports.customers import CustomerStore
from dunning.ports.telemetry import LogEvent, Telemetry
from dunning.services.optimistic import CONFLICT, Conflict, ContestedError, write_optimistically

SECONDS_TO_FINISH = 15.0
"""The time that a claimed message may still need: a publish that times out, and the batch's records."""

LONGEST_RETENTION_DAYS = 2192
"""Six years, the longest that a place asks for: the retention of a record whose place is not known."""


class PricedPolicies(Policies, Protocol):
    """Rules, and the estimated price of a segment."""

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        """Return millionths of a US dollar."""
        ...


class OutOfTimeError(DunningError):
    """The invocation has too little time left to claim and publish; the message goes back to the queue."""


def unknown_outcome_record(customer_id: str, facts: Facts | None, entry: LedgerEntry, policies: Policies) -> Contact:
    """
    Return the record of a claim whose sender died before it knew or recorded the outcome.

    Of a claim that is held out the outcome is known: nothing was sent.
    """
    rules = policies.rules_for(facts, entry.at) if facts else None
    retention = rules.retention_days if isinstance(rules, Rules) else LONGEST_RETENTION_DAYS
    state = ContactState.HELD_OUT if entry.is_held_out else ContactState.UNKNOWN
    return replace(
        record_of_claim(customer_id, entry, state, retention),
        lender=facts.lender if facts else "",
        code="" if entry.is_held_out else "sender_crashed",
    )


def record_of_claim(customer_id: str, entry: LedgerEntry, state: ContactState, retention_days: int) -> Contact:
    """Return what the audit record of every claim says, whatever became of it."""
    return Contact(
        customer_id=customer_id,
        send_id=entry.send_id,
        claim_id=entry.claim_id,
        at=entry.at,
        state=state,
        stage=entry.stage,
        account_ids=entry.accounts,
        channel=entry.channel,
        expires_at=entry.at + timedelta(days=retention_days),
        draws=entry.draws,
        payer_segment=entry.payer_segment,
        asked=entry.asked,
    )


def with_reminder_claimed(
    standing: Standing,
    facts: Facts,
    reminder: Reminder,
    rules: Rules,
    at: datetime,
    for_wake: datetime,
    claim_id: str,
) -> Standing:
    """Return the standing with one more contact in its ledger, and the stages that the contact marks."""
    accounts = reminder.account_ids
    entry = LedgerEntry(
        send_id=reminder.send_id,
        claim_id=claim_id,
        at=at,
        stage=reminder.stage,
        accounts=accounts,
        channel=reminder.channel,
        for_wake=for_wake,
        also_named=reminder.also_named,
        draws=draws_to_text(reminder.draws),
        payer_segment=reminder.payer_segment if reminder.draws else "",
        asked=asked_to_text(reminder.asked, accounts),
    )
    reached = {
        key: Progress(reached.stage, reminder.on, reached.due_on, first_asked(standing, facts, key))
        for reached in reminder.reached_stages
        for key in [progress_key(reached.account_id, reached.number)]
    }
    return with_claim(standing, entry, reached, rules.longest_window, facts)


def release_claim(
    store: CustomerStore,
    telemetry: Telemetry,
    claimed: Standing,
    before: Standing,
    claim_id: str,
    then: Callable[[Standing, bool], Standing],
) -> None:
    """
    Release a claim after a definite refusal: it no longer counts against a cap, and its stage is not reached.

    `then` gets the standing without the claim, and whether another writer has changed the standing meanwhile.
    """

    def release(standing: Standing) -> Conflict | None:
        if not any(entry.claim_id == claim_id for entry in standing.ledger):
            return None  # the release was written, and only its answer was lost
        released = then(without_claim(standing, before, claim_id), standing is not claimed)
        return None if store.save_standing(released, expected_version=standing.version) else CONFLICT

    def reread() -> Standing | UnreadableRecordError:
        found = store.load([claimed.customer_id])[claimed.customer_id]
        if isinstance(found, UnreadableRecordError):
            return found
        return found.standing or UnreadableRecordError("standing: missing")

    try:
        write_optimistically(claimed.customer_id, claimed, reread, release)
    except (ContestedError, UnreadableRecordError):
        # The claim stays: it counts against every cap, and nothing is sent twice.
        telemetry.log_event(LogEvent.CLAIM_NOT_RELEASED, customer_id=claimed.customer_id)
