"""Planning: computes the wake that follows from a customer's facts and standing, and the fingerprint of the facts."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts, with_small_rests_settled
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.returning import caps_after_erasure
from dunning.domain.customer.settled_instalments import with_payments_known
from dunning.domain.customer.standing import LEAST_URGENT, AddressSince, Standing, Wake, progress_key, with_decision
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, Reason, Send, Stop, Wait
from dunning.domain.decision.open_reviews import with_open_review, with_stops_announced
from dunning.domain.decision.reviews import announce, reviews_of
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.delivery.channels import AddressKind
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
    """The next wake (`None`: not before new facts), its reason, and the decision that led to it."""

    wake: Wake | None
    reason: str
    decision: Decision


class Replanned(NamedTuple):
    """A standing with its next wake, the decision that led to the wake, and the outbound events that follow."""

    standing: Standing
    decision: Decision
    events: tuple[OutboundEvent, ...]


def plan(facts: Facts, standing: Standing, policies: Policies, now: datetime) -> Plan:
    """Decide for a customer and turn the decision into the next wake. A text that is due leads to a wake at once."""
    decision = decide(facts, standing, policies, now)
    wake = Wake(now, 0) if isinstance(decision, Send) else wake_after(decision)
    return Plan(wake_for_promises(wake, facts, standing, policies, now), decision.reason.value, decision)


def replan(
    facts: Facts, before: Standing, after: Standing, policies: Policies, now: datetime, *, first: bool = False
) -> Replanned:
    """
    Replan a customer whose facts have changed, or whose standing has changed from `before` to `after`.

    A customer whose first load has not finished gets no wake. Only the load itself gives the wake, with `first`.

    The version is raised even if nothing else changes, so that no claim decided on older knowledge can pass.
    """
    settled = promises_settled(facts, match_to_instalments(after, counted(facts, policies, now)), policies, now)
    wake, reason, decision = plan(facts, settled.standing, policies, now)
    standing = replace(
        settled.standing,
        version=before.version + 1,
        wake=wake,
        reason=reason,
        planned_for=fingerprint(facts),
        lender_id=facts.lender,
    )
    standing = with_recent(standing, decision, now)
    events = [*broken(settled, now), *stopped(before, decision, now)]
    if not before.is_planned and not first:
        return Replanned(replace(standing, wake=None, reason="", planned_for=""), decision, tuple(events))
    standing, reviews = with_reviews(standing, decision, now, facts)
    return Replanned(standing, decision, (*events, *reviews))


def counted(facts: Facts, policies: Policies, at: datetime) -> Facts:
    """Return the facts with the rests that are too small to count as paid, by the lender's policy."""
    rules = policies.rules_for(facts, at)
    return with_small_rests_settled(facts, rules.smallest_amounts) if isinstance(rules, Rules) else facts


def replan_as_told(
    lender_record: LenderRecord,
    facts: Facts,
    before: Standing | None,
    policies: Policies,
    now: datetime,
    *,
    shared: Sequence[str] = (),
) -> Replanned:
    """
    Replan a customer after a statement of the lender. An opt-out stays, even if the lender no longer reports it.

    `shared` are the addresses that another customer has been found to have, too.
    """
    known = before or Standing(customer_id=facts.customer_id)
    after = known
    if not known.is_planned:
        caps = caps_after_erasure(lender_record.erased_at, facts, policies.rules_for(facts, now), now)
        after = replace(after, ledger=(*caps, *after.ledger)) if caps else after
    if facts.opted_out and not after.opted_out_at:
        after = replace(after, opted_out_at=now)
    if shared:
        after = with_shared_addresses(after, shared, now)
    return replan(facts, known, after, policies, now, first=True)


def with_payments_recorded(
    standing: Standing,
    before: Facts | None,
    after: Facts,
    policies: Policies,
    now: datetime,
    paid_on: Mapping[str, date] = MappingProxyType({}),
) -> Standing:
    """
    Return a standing with what the change of the facts says of how the customer pays.

    `paid_on` are the days of payment that a file gives, by `progress_key`.
    """
    zone = _zones(after, policies, now)[0]
    history = with_payments_known(standing.history, before, after, paid_on, zone)
    return standing if history == standing.history else replace(standing, history=history)


def with_shared_addresses(standing: Standing, addresses: Sequence[str], at: datetime) -> Standing:
    """Return a standing with addresses that are found to be another customer's, too: the finder announces it to all."""
    announced = (*standing.announced, Reason.SHARED_PHONE.value)
    found = {AddressKind.of_address(address).value: AddressSince(address, at) for address in addresses}
    shared = {**standing.shared, **found}
    standing = replace(standing, shared=shared, announced=announced)
    return with_open_review(standing, ReviewReason.SHARED_PHONE.value, at)


def promises_settled(facts: Facts, standing: Standing, policies: Policies, now: datetime) -> JudgedPromises:
    """Judge a customer's promises by the local days of the customer's place."""
    if not standing.promises:
        return JudgedPromises(standing, ())
    return settle_promises(standing, counted(facts, policies, now), _zones(facts, policies, now), now)


def broken(settled: JudgedPromises, now: datetime) -> list[OutboundEvent]:
    """Return an event for each promise that has just been broken."""
    return [
        PromiseBroken(
            customer_id=settled.standing.customer_id,
            at=now,
            account_id=account_id,
            number=int(number),
            promised_on=settled.standing.promises[key].on,
        )
        for key in settled.broken
        for account_id, _, number in [key.rpartition("#")]
    ]


def stopped(before: Standing, decision: Decision, now: datetime) -> list[OutboundEvent]:
    """Return the event for a customer whose reminders end with this decision."""
    if not isinstance(decision, Stop) or before.version == 0 or before.reason == decision.reason.value:
        return []
    return [ReminderStopped(before.customer_id, now, decision.reason.value)]


def told_again(tried: Sequence[OutboundEvent], stored: Standing) -> list[OutboundEvent]:
    """
    Return the events of a refused write that the stored standing bears out: they are promised at least once.

    The write may have been made, and only its answer lost. Somebody else has written since, or the table would have
    known it. Whoever wrote the same tells of it, too.
    """
    calls = reviews_of(stored.announced)
    return [
        event
        for event in tried
        if (isinstance(event, ReminderStopped) and event.reason == stored.reason)
        or (isinstance(event, CustomerNeedsPerson) and not event.reply_id and event.why in calls)
        or (isinstance(event, PromiseBroken) and _has_broken(event, stored))
    ]


def _has_broken(event: PromiseBroken, stored: Standing) -> bool:
    promise = stored.promises.get(progress_key(event.account_id, event.number))
    return promise is not None and promise.kept is False


def with_recent(standing: Standing, decision: Decision, now: datetime) -> Standing:
    """Return the standing with a decision not to send among the recent decisions. A text has a record of its own."""
    if isinstance(decision, Send):
        return standing
    return with_decision(standing, now, decision.reason.value, decision.until)


def with_reviews(
    standing: Standing, decision: Decision, now: datetime, facts: Facts | None
) -> tuple[Standing, list[OutboundEvent]]:
    """
    Return the standing and the events of a decision whose stops only a person can end, each announced once.

    A shared address stays announced while it is shared, even if another channel is open.
    """
    announced = announce(standing.announced, decision)
    if standing.shared and facts is not None and standing.shares_any_address(facts):
        stops = {*announced.stops, *(stop for stop in standing.announced if stop == Reason.SHARED_PHONE)}
        announced = announced._replace(stops=tuple(sorted(stops)))
    if announced.stops != standing.announced:
        standing = replace(standing, announced=announced.stops)
    if announced.stops or standing.attention:
        standing = with_stops_announced(standing, reviews_of(announced.stops), announced.new, now)
    return standing, [CustomerNeedsPerson(standing.customer_id, now, review) for review in announced.new]


def log_planned_decision(telemetry: Telemetry, customer_id: str, decision: Decision, at: datetime) -> None:
    """Log the decision behind a planned wake. A decision to send is logged by the sender, which decides again."""
    if not isinstance(decision, Send):
        telemetry.log_decision(customer_id, decision, at)


def wake_after(decision: Decision) -> Wake | None:
    """Return the wake that follows from a decision not to send; `None` if only new facts can change the decision."""
    if decision.until is None:
        return None
    return Wake(decision.until, decision.urgency if isinstance(decision, Wait) else LEAST_URGENT)


def wake_for_promises(
    wake: Wake | None, facts: Facts, standing: Standing, policies: Policies, now: datetime
) -> Wake | None:
    """Return the wake, or the end of a promise if that is earlier, so that a broken promise is noticed."""
    ends = promise_ends(standing, _zones(facts, policies, now)) if standing.promises else None
    return wake if ends is None or (wake is not None and wake.at <= ends) else Wake(ends, LEAST_URGENT)


def _zones(facts: Facts, policies: Policies, now: datetime) -> tuple[ZoneInfo, ...]:
    rules = policies.rules_for(facts, now)
    return rules.zones if isinstance(rules, Rules) and rules.zones else (ZoneInfo("UTC"),)


_APPENDED = frozenset({"not_in_list_since", "email", "line_user_id", "channel_consents"})
"""Fields that the facts did not have when the first fingerprints were stored."""

_TIMES = frozenset({"as_of", "paid_as_of"})


def fingerprint(facts: Facts) -> str:
    """Return a hash of the facts, which depends neither on the time nor on the order of the lender's statements."""
    fields = zip(Facts.__slots__, _field_values(facts), strict=False)
    content = _ENCODER.encode([None if name in _TIMES else value for name, value in fields])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _canonical(value: Any) -> object:  # noqa: ANN401 - what JSON does not know: a date, or a part of the facts
    """Convert a value that JSON does not know. `asdict` would take ten times as long."""
    return value.isoformat() if isinstance(value, date) else _field_values(value)


_ENCODER = json.JSONEncoder(default=_canonical, sort_keys=True, check_circular=False)  # the facts are a tree


def _field_values(value: Any) -> Sequence[object]:  # noqa: ANN401 - the facts, or a part of them
    """Return the values of the fields, in order."""
    always, appended = _fields(value.__slots__)
    parts = always(value)
    # A field that was appended counts only with a value, so that the fingerprints that are stored stay right.
    return (*parts, *(part for name in appended if (part := getattr(value, name)) is not None)) if appended else parts


@cache
def _fields(names: tuple[str, ...]) -> tuple[Callable[[Any], tuple[object, ...]], Sequence[str]]:
    """Return what reads the fields that always count, and the names of those that were appended: these are the last."""
    return attrgetter(*(name for name in names if name not in _APPENDED)), [n for n in names if n in _APPENDED]
