"""Planning: the wake a customer's facts lead to, and the name of the facts it was computed from."""

import hashlib
import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.returning import caps_after_erasure
from dunning.domain.customer.standing import LEAST_URGENT, Standing, Wake
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, Reason, Send, Stop, Wait
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.outbound_events import (
    CustomerNeedsPerson,
    OutboundEvent,
    PromiseBroken,
    ReminderStopped,
    ReviewReason,
)
from dunning.domain.replies.payment_statements import match_to_instalments
from dunning.domain.replies.promises import JudgedPromises, promise_ends, settle_promises
from dunning.ports.telemetry import Telemetry


class Plan(NamedTuple):
    """When a customer is next worth a decision (`None`: not before new facts), why, and what led to it."""

    wake: Wake | None
    reason: str
    decision: Decision


class Replanned(NamedTuple):
    """A standing with its next wake, the decision that led to it, and what others may want to know of it."""

    standing: Standing
    decision: Decision
    events: tuple[OutboundEvent, ...]


def plan(facts: Facts, standing: Standing, policies: Policies, now: datetime) -> Plan:
    """Decide for a customer and turn the decision into the next wake; a text that is due wakes at once."""
    decision = decide(facts, standing, policies, now)
    wake = Wake(now, 0) if isinstance(decision, Send) else wake_after(decision)
    return Plan(wake_for_promises(wake, facts, standing, policies), decision.reason.value, decision)


def replan(
    facts: Facts, before: Standing, after: Standing, policies: Policies, now: datetime, *, first: bool = False
) -> Replanned:
    """
    Plan a customer anew whose facts or standing have changed from `before` to `after`.

    One whose load has not come to its end gets no wake: that is the load's to give, as `first` says it does.

    The version is bumped even if nothing else changes: a claim that was decided on what was known before must not pass.
    """
    settled = promises_settled(facts, match_to_instalments(after, facts), policies, now)
    wake, reason, decision = plan(facts, settled.standing, policies, now)
    standing = replace(
        settled.standing, version=before.version + 1, wake=wake, reason=reason, planned_for=fingerprint(facts)
    )
    if not before.is_planned and not first:
        standing = replace(standing, wake=None, reason="", planned_for="")
    return Replanned(standing, decision, (*broken(settled, now), *stopped(before, decision, now)))


def replan_as_told(
    lender_record: LenderRecord,
    facts: Facts,
    before: Standing | None,
    policies: Policies,
    now: datetime,
    *,
    shares_phone: bool = False,
) -> Replanned:
    """
    Plan a customer anew of whom the lender has said something. An opt-out stays that is no longer spoken of.

    `shares_phone` tells that another customer has just turned out to have the same number.
    """
    known = before or Standing(facts.customer_id)
    if not known.is_planned:
        known = replace(
            known,
            ledger=(*caps_after_erasure(lender_record.erased_at, facts, policies.rules_for(facts), now), *known.ledger),
        )
    opted_out_at = known.opted_out_at or (now if facts.opted_out else None)
    after = replace(known, opted_out_at=opted_out_at)
    if shares_phone:
        after = replace(after, shared_phone=facts.phone, shared_at=now)
    return replan(facts, before or Standing(facts.customer_id), after, policies, now, first=True)


def promises_settled(facts: Facts, standing: Standing, policies: Policies, now: datetime) -> JudgedPromises:
    """Judge a customer's promises by the days of where they live."""
    if not standing.promises:
        return JudgedPromises(standing, ())
    return settle_promises(standing, facts, _zones(facts, policies), now)


def broken(settled: JudgedPromises, now: datetime) -> list[OutboundEvent]:
    """Tell of promises that have just been broken."""
    return [
        PromiseBroken(settled.standing.customer_id, now, account_id, int(number), settled.standing.promises[key].on)
        for key in settled.broken
        for account_id, _, number in [key.rpartition("#")]
    ]


def stopped(before: Standing, decision: Decision, now: datetime) -> list[OutboundEvent]:
    """Tell of a customer who was being reminded and is no more, and of one who is over to a person now."""
    if not isinstance(decision, Stop) or before.version == 0 or before.reason == decision.reason.value:
        return []
    events: list[OutboundEvent] = [ReminderStopped(before.customer_id, now, decision.reason.value)]
    if decision.reason is Reason.LADDER_FINISHED:
        events.append(CustomerNeedsPerson(before.customer_id, now, ReviewReason.LADDER_FINISHED))
    return events


def log_planned_decision(telemetry: Telemetry, customer_id: str, decision: Decision, at: datetime) -> None:
    """Log the decision a wake was planned by; a decision to send is logged by the sender, which decides afresh."""
    if not isinstance(decision, Send):
        telemetry.log_decision(customer_id, decision, at)


def wake_after(decision: Decision) -> Wake | None:
    """Return the wake a decision not to send leads to; `None` when only new facts can change anything."""
    if decision.until is None:
        return None
    return Wake(decision.until, decision.urgency if isinstance(decision, Wait) else LEAST_URGENT)


def wake_for_promises(wake: Wake | None, facts: Facts, standing: Standing, policies: Policies) -> Wake | None:
    """Return the wake, or the end of a promise if that is earlier, so that a broken one is noticed."""
    ends = promise_ends(standing, _zones(facts, policies)) if standing.promises else None
    return wake if ends is None or (wake is not None and wake.at <= ends) else Wake(ends, LEAST_URGENT)


def _zones(facts: Facts, policies: Policies) -> tuple[ZoneInfo, ...]:
    rules = policies.rules_for(facts)
    return rules.zones if isinstance(rules, Rules) and rules.zones else (ZoneInfo("UTC"),)


def fingerprint(facts: Facts) -> str:
    """Return a name for what the facts say, which depends neither on when they were said nor on the order."""
    content = json.dumps(replace(facts, as_of=None, paid_as_of=None), default=_canonical, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _canonical(value: Any) -> object:  # noqa: ANN401 - what JSON does not know: a date, or a part of the facts
    """Write what JSON does not know; `asdict` would take ten times as long."""
    if isinstance(value, date):
        return value.isoformat()
    return [getattr(value, name) for name in value.__slots__]
