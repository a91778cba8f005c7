"""
The tally of a run on this machine, worked out from the tables of the embedded AWS and the decisions as they fall.

It answers what the tally of a deployed stack answers, by the same names of counters.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from threading import Lock
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.adapters.dynamodb import items
from dunning.adapters.dynamodb.keys import REPLY
from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Decision
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.ports.telemetry import LogEvent, Metric
from tests.local.cloud import LocalCloud
from tests.local.world import is_facts

_PAGE = 100


class LocalDay(NamedTuple):
    """The counters of a day."""

    day: date
    counters: Mapping[str, int]
    as_of: datetime


class LocalCustomers(NamedTuple):
    """A page of the customers behind a counter."""

    customer_ids: tuple[str, ...]
    next_page: str


class LocalCensus(NamedTuple):
    """Where all customers of a lender stand now."""

    as_of: datetime
    is_whole: bool
    customers: int
    overdue_customers: int
    overdue: Mapping[str, int]
    promised: Mapping[str, int]
    paid: Mapping[str, int]


class DecisionCounter:
    """A telemetry that remembers each decision not to send."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.decisions: list[tuple[datetime, str, str]] = []
        """When, about whom, and the counter."""

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        """Remember a decision."""
        del recorded, outcome
        if decision.kind != "send":
            with self._lock:
                self.decisions.append((at, customer_id, f"{decision.kind}:{decision.reason.value}"))

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        """Leave out what is no decision."""

    def count(self, metric: Metric, value: float = 1) -> None:
        """Leave out a metric."""

    def gauge(self, metric: Metric, value: float) -> None:
        """Leave out a metric."""


class LocalTally:
    """Implements what the pages need of the tally; worked out anew whenever the virtual clock has moved."""

    def __init__(self, cloud: LocalCloud, decisions: DecisionCounter, zones: Mapping[str, ZoneInfo]) -> None:
        self._cloud = cloud
        self._decisions = decisions
        self._zones = zones
        self._worked_out_at: tuple[datetime, int] | None = None
        self._customers: dict[tuple[str, date, str], list[str]] = {}
        self._sums: Counter[tuple[str, date, str]] = Counter()
        self._facts: dict[str, Facts] = {}

    def days(self, lender: str, first: date, last: date) -> Sequence[LocalDay]:
        """Return the counters of the days."""
        self._work_out()
        by_day: defaultdict[date, dict[str, int]] = defaultdict(dict)
        for (of, day, counter), customers in self._customers.items():
            if of == lender and first <= day <= last:
                by_day[day][counter] = len(customers)
        for (of, day, counter), total in self._sums.items():
            if of == lender and first <= day <= last:
                by_day[day][counter] = total
        return [LocalDay(day, by_day[day], self._cloud.clock.now()) for day in sorted(by_day)]

    def customers_behind(self, lender: str, day: date, counter: str, page: str = "") -> LocalCustomers:
        """Return a page of customers."""
        self._work_out()
        found = self._customers.get((lender, day, counter), [])
        start = int(page) if page.isdigit() else 0
        following = str(start + _PAGE) if start + _PAGE < len(found) else ""
        return LocalCustomers(tuple(dict.fromkeys(found[start : start + _PAGE])), following)

    def censuses(self, lender: str, first: date, last: date) -> Sequence[LocalCensus]:
        """Return the count of now, for the days up to today."""
        self._work_out()
        now = self._cloud.clock.now()
        today = now.astimezone(self._zones[lender]).date()
        if not first <= today <= last:
            return []
        overdue: Counter[str] = Counter()
        late = set()
        mine = [facts for facts in self._facts.values() if facts.lender == lender]
        for facts in mine:
            for account in facts.accounts:
                for each in account.instalments:
                    if each.open > 0 and each.due_on < today:
                        overdue[account.currency] += each.open
                        late.add(facts.customer_id)
        return [LocalCensus(now, True, len(mine), len(late), overdue, {}, {})]  # noqa: FBT003 - the whole table

    def _work_out(self) -> None:
        state = (self._cloud.clock.now(), len(self._decisions.decisions))
        if state == self._worked_out_at:
            return
        self._worked_out_at = state
        stack = self._cloud.stack
        self._customers, self._sums = defaultdict(list), Counter()
        read = (items.read_facts(item) for item in self._cloud.items(stack.customers_table) if is_facts(item))
        self._facts = {facts.customer_id: facts for facts in read if facts is not None}
        for at, customer_id, counter in self._decisions.decisions:
            self._put(customer_id, at, counter)
        for item in self._cloud.items(stack.contacts_table):
            if item["contact"]["S"].startswith(REPLY):
                reply = items.reply_of(item)
                for intent in reply.intents or ("nothing",):
                    self._put(reply.customer_id, reply.inbound.at, f"reply:{intent}")
                self._put(reply.customer_id, reply.inbound.at, "replies")
            else:
                self._put_contact(items.contact_of(item))
        for event in self._cloud.published_events:
            if event.kind == "CustomerNeedsPerson":
                self._put(event.detail["customer_id"], event.at, f"needs_person:{event.detail['why']}")
            elif event.kind == "ReplyNotUnderstood":
                self._put(event.detail["customer_id"], event.at, "needs_person:not_understood")

    def _put_contact(self, contact: Contact) -> None:
        stage = "confirmation" if contact.stage is None else str(contact.stage)
        if contact.state not in {ContactState.UNKNOWN, ContactState.REFUSED}:
            self._put(contact.customer_id, contact.at, f"sent:{stage}")
            self._add(contact.customer_id, contact.at, "segments", contact.parts)
            self._add(contact.customer_id, contact.at, "price_micros", contact.price_usd_micros)
        if contact.state is ContactState.DELIVERED:
            self._put(contact.customer_id, contact.at, "delivered")
        elif contact.state is ContactState.FAILED:
            self._put(contact.customer_id, contact.at, f"failed:{contact.delivery_status or 'unclassified'}")

    def _day(self, customer_id: str, at: datetime) -> tuple[str, date] | None:
        facts = self._facts.get(customer_id)
        if facts is None or facts.lender not in self._zones:
            return None
        return facts.lender, at.astimezone(self._zones[facts.lender]).date()

    def _put(self, customer_id: str, at: datetime, counter: str) -> None:
        if place := self._day(customer_id, at):
            self._customers[*place, counter].append(customer_id)

    def _add(self, customer_id: str, at: datetime, counter: str, number: int) -> None:
        if place := self._day(customer_id, at):
            self._sums[*place, counter] += number
