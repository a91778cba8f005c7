"""Today in a played world: the numbers of the page are those that are counted from the tables by other code."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import boto3
import pytest

from dunning import compiled_policies
from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import contact_of, read_facts, reply_of, standing_of
from dunning.adapters.dynamodb.tally_table import DynamoTally
from dunning.domain.customer.standing import RECENT_LIMIT
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import ContactState
from dunning.services.console.counter_labels import total_of_kind
from dunning.services.console.today import TodayService, TodayView
from tests.local.asked import SAMPLE_START
from tests.local.cloud import LocalCloud
from tests.local.payments import split
from tests.local.policies import load
from tests.local.providers import services_needed
from tests.local.runner import begin_of
from tests.local.sample import PARTS, sample_file
from tests.local.world import World, is_facts
from tests.support.aws_requests import Requests, watched

pytestmark = pytest.mark.slow(reason="plays some days of the sample on the embedded AWS, with change streams")

DAYS = 4


class AlwaysOn:
    """The switch."""

    def is_on(self) -> bool:
        return True

    def stopped_channels(self) -> frozenset[Channel]:
        return frozenset()


class Played(NamedTuple):
    """A world that has been played."""

    cloud: LocalCloud
    requests: Requests
    zones: Mapping[str, ZoneInfo]

    def today(self) -> TodayService:
        dynamodb = boto3.client("dynamodb", config=LEAN)
        customers = DynamoCustomers(dynamodb, self.cloud.stack.customers_table, 4)
        return TodayService(
            tally=DynamoTally(dynamodb, self.cloud.stack.tally_table),
            due=customers,
            standings=customers,
            attention=customers,
            switch=AlwaysOn(),
            clock=self.cloud.clock,
            zones=lambda: self.zones,
        )

    def items(self, table: str) -> Iterator[Any]:
        return self.cloud.items(table)

    def decisions(self) -> Iterator[tuple[str, datetime, str]]:
        """Yield each decision not to send as the standings remember it: of whom, when, and its counter."""
        for item in self.items(self.cloud.stack.customers_table):
            if item["item"]["S"] == "standing":
                standing = standing_of(item)
                assert len(standing.recent) < RECENT_LIMIT, "so many that some are forgotten: play fewer days"
                for at, reason, until in standing.recent:
                    yield standing.customer_id, at, f"{'stop' if until is None else 'wait'}:{reason}"

    def lenders(self) -> Mapping[str, str]:
        facts = (read_facts(item) for item in self.items(self.cloud.stack.customers_table) if is_facts(item))
        return {each.customer_id: each.lender for each in facts if each}


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    begin, policies = begin_of(SAMPLE_START), load(None)
    services = services_needed(policies.book)
    with LocalCloud(begin, policies=policies, services=services, streams=True) as cloud, watched() as requests:
        first, later = split(sample_file(SAMPLE_START), begin=begin, places=policies.book.places)
        cloud.upload("accounts/accounts.csv", first)
        world = World(cloud, policies.book, lively=True, parts=PARTS)
        world.expect(later, [], begin + timedelta(days=DAYS + 1))
        world.run_until(begin + timedelta(days=DAYS - 1, hours=15), lambda: None)
        cloud.keep_house("take_census")
        book = compiled_policies.policies()
        yield Played(cloud, requests, {lender: book.zone_of(lender) for lender in book.lenders})


def counted_otherwise(played: Played) -> Counter[tuple[str, date, str]]:
    """Count by lender, local day and counter from the items of the tables as they are in the end."""
    found: Counter[tuple[str, date, str]] = Counter()
    lenders = played.lenders()

    def add(customer_id: str, at: datetime, counter: str, number: int = 1) -> None:
        lender = lenders[customer_id]
        found[lender, at.astimezone(played.zones[lender]).date(), counter] += number

    for customer_id, at, counter in played.decisions():
        add(customer_id, at, counter)
    for item in played.items(played.cloud.stack.contacts_table):
        if item["contact"]["S"].startswith("reply#"):
            reply = reply_of(item)
            if reply.customer_id in lenders:
                add(reply.customer_id, reply.inbound.at, "replies")
                for intent in reply.intents:
                    add(reply.customer_id, reply.inbound.at, f"reply:{intent}")
            continue
        contact = contact_of(item)
        assert contact.state is not ContactState.UNKNOWN
        if contact.state is ContactState.REFUSED:
            add(contact.customer_id, contact.at, "refused")
            continue
        add(contact.customer_id, contact.at, f"sent:{'confirmation' if contact.stage is None else contact.stage}")
        if contact.channel == "sms":
            add(contact.customer_id, contact.at, "segments", contact.parts)
        add(contact.customer_id, contact.at, "price_micros", contact.price_usd_micros)
        if contact.reported_at and contact.state is ContactState.DELIVERED:
            add(contact.customer_id, contact.reported_at, "delivered")
        elif contact.state is ContactState.FAILED:
            # A mailbox stays full for hours: it counts on the day of the report.
            add(contact.customer_id, contact.reported_at or contact.at, f"failed:{contact.delivery_status}")
    return found


def shown(view: TodayView) -> dict[str, float]:
    figures = [figure for group in view.groups for figure in group.figures if figure.counter]
    return {figure.counter: figure.number for figure in figures}


COMPARED = ("wait", "stop", "sent", "failed", "reply")


def test_the_numbers_of_each_day_and_lender_are_those_of_the_tables(played: Played) -> None:
    otherwise, today = counted_otherwise(played), played.today()
    compared = 0
    for lender, zone in played.zones.items():
        day = played.cloud.clock.now().astimezone(zone).date()
        for back in range(DAYS + 1):
            on = day - timedelta(days=back)
            expected = {name: number for (of, at, name), number in otherwise.items() if (of, at) == (lender, on)}
            view = today.view(lender, on)
            by = {name: number for name, number in expected.items() if name.partition(":")[0] in COMPARED}
            assert {name: number for name, number in shown(view).items() if name.partition(":")[0] in COMPARED} == by, (
                lender,
                on,
            )
            tiles = {str(figure.label[-1]): figure.number for figure in view.tiles}
            for name in ("sent", "delivered", "failed", "replies", "segments", "price_micros"):
                assert tiles[name] == total_of_kind(expected, name), (lender, on, name)
            compared += sum(by.values())
    assert compared > 300


def test_all_lenders_together_are_the_sum_of_each(played: Played) -> None:
    today = played.today()
    everything = today.view("", None)
    alone = [today.view(lender, everything.day) for lender in played.zones]
    for place, figure in enumerate(everything.tiles):
        if figure.unit != "per_thousand":
            assert figure.number == sum(view.tiles[place].number for view in alone)


def test_behind_a_number_are_the_customers_of_whom_it_was_decided(played: Played) -> None:
    lenders, today = played.lenders(), played.today()
    zone = played.zones["demo-tw"]
    day = played.cloud.clock.now().astimezone(zone).date() - timedelta(days=1)
    expected: dict[str, set[str]] = {}
    for customer_id, at, counter in played.decisions():
        if lenders[customer_id] == "demo-tw" and at.astimezone(zone).date() == day:
            expected.setdefault(counter, set()).add(customer_id)
    assert expected
    for counter, customers in expected.items():
        found: set[str] = set()
        page = ""
        while True:
            view = today.behind("demo-tw", day, counter, page)
            assert view
            found |= {row.customer_id for row in view.rows}
            assert all(row.reason for row in view.rows)
            page = view.next_page
            if not page:
                break
        assert found == customers, counter


def test_the_amounts_are_those_of_the_accounts_in_the_night(played: Played) -> None:
    view = played.today().view("demo-tw", None)
    census = view.census
    assert census.as_of == played.cloud.clock.now()
    overdue: Counter[str] = Counter()
    late = set()
    customers = 0
    for item in played.items(played.cloud.stack.customers_table):
        facts = read_facts(item) if is_facts(item) else None
        if facts is None or facts.lender != "demo-tw":
            continue
        customers += 1
        for account in facts.accounts:
            credit = sum(max(0, each.paid - each.amount) for each in account.instalments)
            left = sum(max(0, each.amount - each.paid) for each in account.instalments if each.due_on < view.day)
            if left > credit:
                overdue[account.currency] += left - credit
                late.add(facts.customer_id)
    assert {row.currency: row.overdue.amount.amount for row in census.amounts} == overdue
    assert (census.customers, census.overdue_customers) == (customers, len(late))
    assert sum(figure.number for figure in census.reasons.figures) == customers
    assert any(row.paid.amount.amount for row in census.amounts)


def test_a_page_reads_the_tally_in_one_call_who_waits_by_lender_and_the_due_index_twice_a_minute(
    played: Played,
) -> None:
    today = played.today()
    played.requests.clear()
    today.view("", None)
    assert played.requests.sent == {"dynamodb.Query": 1 + 4 + 4}  # four lenders, four shards of the due index
    played.requests.clear()
    today.view("", None)
    today.view("demo-tw", None)
    assert played.requests.sent == {"dynamodb.Query": (1 + 4) + (1 + 1)}


def test_a_list_is_read_in_two_calls(played: Played) -> None:
    today = played.today()
    played.requests.clear()
    view = today.behind("demo-tw", played.cloud.clock.now().date(), "delivered", "")
    assert view
    assert view.rows
    assert played.requests.sent == {"dynamodb.Query": 1, "dynamodb.BatchGetItem": 1}
