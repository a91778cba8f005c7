"""The scenarios: what is stored at first, and which messages come."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dunning.adapters.dynamodb.items import lender_record_item, standing_item
from dunning.adapters.dynamodb.keys import PHONE, phone_key
from dunning.contracts.job import job_body
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord, project_facts
from dunning.domain.customer.standing import Standing
from dunning.ports.queues import Job
from dunning.services.planning import fingerprint
from tests.simulation.cast import event_body
from tests.simulation.ports import SHARDS
from tests.simulation.promises import CustomerRow
from tests.simulation.simulator import Situation
from tests.simulation.tables import CUSTOMERS, RowKey, Rows, Stored, stored
from tests.simulation.world import Mail, World
from tests.support.builders import a_lender_record
from tests.support.people import NOW, someone, waking

SAID_AT = NOW - timedelta(minutes=1)
FACTS = someone()
CUSTOMER = FACTS.customer_id

type Kept = Callable[[CustomerRow, World], bool]
"""Tells whether the news of a scenario is kept, by what is stored at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A start, and what must be stored at the end whatever happens."""

    name: str
    start: Callable[[], Situation]
    kept: Kept = lambda _, __: True
    wakes: int = 2
    """How many wakes are lived through after everything was delivered."""


def rows_of(lender_record: LenderRecord, standing: Standing | None) -> dict[RowKey, Stored]:
    """Store a customer as an earlier load has left them."""
    customer_id = lender_record.customer_id
    rows = {(CUSTOMERS, customer_id, "facts"): stored(lender_record_item(lender_record))}
    facts = project_facts(lender_record)
    if standing is not None:
        planned = replace(
            standing, planned_for=fingerprint(facts) if facts else "", facts_revision=lender_record.revision
        )
        rows[CUSTOMERS, customer_id, "standing"] = stored(standing_item(planned, SHARDS))
    for phone in lender_record.phones:
        partition = phone_key(phone)
        rows[CUSTOMERS, partition, PHONE] = stored(
            {"customer_id": {"S": partition}, "item": {"S": PHONE}, "customers": {"SS": [customer_id]}}
        )
    return rows


def job(name: str = "job", facts: Facts = FACTS, at: datetime = NOW, copies: int = 0) -> Mail:
    """Return a job for a wake that has come."""
    return Mail(name, "job", job_body(Job(facts.customer_id, at)), NOW, copies=copies)


def event(kind: str, name: str = "", **detail: object) -> Mail:
    """Return an event of the lender."""
    return Mail(name or kind, "event", event_body(kind, CUSTOMER, SAID_AT, **detail), NOW)


def beginning(*mail: Mail, facts: Facts = FACTS, standing: Standing | None = None) -> Callable[[], Situation]:
    """Return what makes the first situation: a customer who is due, and messages that come."""

    def start() -> Situation:
        rows = rows_of(a_lender_record(facts), standing or waking(facts))
        return Situation(World(Rows(rows), mail=mail), NOW)

    return start


def _is_held(customer: CustomerRow, _: World) -> bool:
    record = customer.record
    return record is not None and any("held:" in key for key in record.events)


SCENARIOS = (
    Scenario(name="send", start=beginning(job())),
    Scenario(name="send x duplicate", start=beginning(job("job a"), job("job b"))),
    Scenario(name="send x redelivery", start=beginning(job(copies=1))),
    Scenario(name="send x hold", start=beginning(job(), event("CustomerHold", reason="dispute")), kept=_is_held),
)

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
