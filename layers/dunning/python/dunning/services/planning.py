"""Planning: the wake a customer's facts lead to, and the name of the facts it was computed from."""

import hashlib
import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from dunning.domain.decide import decide
from dunning.domain.decision import Decision, Send, Wait
from dunning.domain.facts import Facts
from dunning.domain.rules import Policies
from dunning.domain.standing import LEAST_URGENT, Standing, Wake


class Plan(NamedTuple):
    """When a customer is next worth a decision (`None`: not before new facts), why, and what led to it."""

    wake: Wake | None
    reason: str
    decision: Decision


def plan(facts: Facts, standing: Standing, policies: Policies, now: datetime) -> Plan:
    """Decide for a customer and turn the decision into the next wake; a text that is due wakes at once."""
    decision = decide(facts, standing, policies, now)
    wake = Wake(now, 0) if isinstance(decision, Send) else wake_after(decision)
    return Plan(wake, decision.reason.value, decision)


def wake_after(decision: Decision) -> Wake | None:
    """Return the wake a decision not to send leads to; `None` when only new facts can change anything."""
    if decision.until is None:
        return None
    return Wake(decision.until, decision.urgency if isinstance(decision, Wait) else LEAST_URGENT)


def fingerprint(facts: Facts) -> str:
    """Return a name for what the facts say, which does not depend on when they were said."""
    said = json.dumps(replace(facts, as_of=None), default=_canonical)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _canonical(value: Any) -> object:  # noqa: ANN401 - what JSON does not know: a date, or a part of the facts
    """Write what JSON does not know; `asdict` would take ten times as long."""
    if isinstance(value, date):
        return value.isoformat()
    return [getattr(value, name) for name in value.__slots__]
