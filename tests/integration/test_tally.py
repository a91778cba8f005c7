"""The tally: what the real handlers have done over some days is what the counters say, and who is behind them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest

from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import contact_of, standing_of
from dunning.adapters.dynamodb.keys import STANDING
from dunning.adapters.dynamodb.tally_table import DynamoTally
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect_rates import CountedDay, effect_rates
from dunning.domain.text_effects import TextEffect
from tests.local.cloud import LenderEvent, LocalCloud
from tests.local.run_rates import rates_of_run
from tests.support.lender_files import WANG, csv_of, row

pytestmark = pytest.mark.slow(reason="plays some days on the embedded AWS, with change streams")

BEGIN = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # midnight in Taipei
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 5)
PEOPLE = 12


def _rows() -> Iterator[Mapping[str, str]]:
    for number in range(PEOPLE):
        yield row(
            WANG,
            customer_id=f"C{number:04d}",
            account_id=f"A{number:04d}",
            phone=f"+88691200{number:04d}",
            due_on=(FIRST + timedelta(days=number % 6)).isoformat(),
            paid_on="",
            paid_amount="",
        )


@pytest.fixture(scope="module")
def played() -> Iterator[LocalCloud]:
    with LocalCloud(BEGIN, streams=True) as cloud:

        def count() -> None:
            cloud.count_changes()

        cloud.upload("accounts/people.csv", csv_of(_rows()).encode())
        cloud.count_changes()
        cloud.run_until(BEGIN + timedelta(days=2), on_step=count)
        phone = next(_rows())["phone"]
        cloud.reply({"originationNumber": phone, "messageBody": "我要投訴你們", "inboundMessageId": "in-1"})
        cloud.count_changes()
        cloud.run_until(BEGIN + timedelta(days=5), on_step=count)
        cloud.keep_house("take_census")
        yield cloud


@pytest.fixture
def tally(played: LocalCloud) -> DynamoTally:
    return DynamoTally(boto3.client("dynamodb"), played.stack.tally_table)


def _contacts(cloud: LocalCloud) -> list[Contact]:
    items: Iterator[Any] = cloud.items(cloud.stack.contacts_table)
    return [contact_of(item) for item in items if not item["contact"]["S"].startswith("reply#")]


def _total(tally: DynamoTally) -> Counter[str]:
    total: Counter[str] = Counter()
    for day in tally.days("demo-tw", FIRST, LAST):
        total.update(day.counters)
    return total


def test_the_counters_are_what_the_audit_table_holds(played: LocalCloud, tally: DynamoTally) -> None:
    contacts, total = _contacts(played), _total(tally)
    taken = [contact for contact in contacts if contact.state is not ContactState.UNKNOWN]
    assert taken
    sent = Counter(f"sent:{contact.stage}" for contact in taken if contact.stage is not None)
    assert {name: number for name, number in total.items() if name.startswith("sent:")} == sent
    assert total["segments"] == sum(contact.parts for contact in taken)
    assert total["price_micros"] == sum(contact.price_usd_micros for contact in taken)
    assert total["replies"] == total["reply:complaint"] == total["needs_person:complaint"] == 1
    assert any(name.startswith("wait:") for name in total)


def test_reminders_are_counted_by_the_hour_where_the_customer_lives_and_by_payer_segment(
    played: LocalCloud, tally: DynamoTally
) -> None:
    contacts, total = _contacts(played), _total(tally)
    taken = [contact for contact in contacts if contact.state is not ContactState.UNKNOWN]
    by_hour = Counter(f"hour:{(contact.at + timedelta(hours=8)).hour}" for contact in taken)
    assert {name: number for name, number in total.items() if name.startswith("hour:")} == by_hour
    assert sum(number for name, number in total.items() if name.startswith("payer:")) == len(taken)


def test_a_complaint_counts_by_the_stage_hour_and_wording_of_the_last_reminder_before_it(
    played: LocalCloud, tally: DynamoTally
) -> None:
    complained = BEGIN + timedelta(days=2)
    last = max(
        (contact for contact in _contacts(played) if contact.customer_id == "C0000" and contact.at <= complained),
        key=lambda contact: contact.at,
    )
    counted = {name: number for name, number in _total(tally).items() if name.startswith("complaint_by_")}
    assert counted == {
        f"complaint_by_stage:{last.stage}": 1,
        f"complaint_by_hour:{(last.at + timedelta(hours=8)).hour}": 1,
        f"complaint_by_text:{last.template}": 1,
        "complaint_by_payer:?": 1,
    }


def test_the_rates_of_the_counters_are_those_of_what_is_stored_at_the_end(
    played: LocalCloud, tally: DynamoTally
) -> None:
    stored: Iterator[Any] = played.items(played.stack.customers_table)
    standings = [standing_of(item) for item in stored if item["item"]["S"] == STANDING]
    counted = [CountedDay(day.day, day.counters) for day in tally.days("demo-tw", FIRST, LAST)]
    at_the_end = rates_of_run(_contacts(played), standings, LAST)
    assert effect_rates(counted, FIRST, LAST).tables == at_the_end.tables
    assert at_the_end.whole.rates[TextEffect.COMPLAINT].count == 1


def test_behind_a_counter_are_those_who_were_texted_on_that_day(played: LocalCloud, tally: DynamoTally) -> None:
    for day in tally.days("demo-tw", FIRST, LAST):
        for counter in [name for name in day.counters if name.startswith("sent:")]:
            texted = {
                contact.customer_id
                for contact in _contacts(played)
                if f"sent:{contact.stage}" == counter and (contact.at + timedelta(hours=8)).date() == day.day
            }
            assert set(tally.customers_behind("demo-tw", day.day, counter).customer_ids) == texted


def test_whoever_complained_waits_for_a_person_until_somebody_attends(played: LocalCloud) -> None:
    customers = DynamoCustomers(boto3.client("dynamodb"), played.stack.customers_table, 4)
    (waiting,) = customers.waiting_customers("demo-tw", 9)
    assert waiting.customer_id == "C0000"
    at = played.clock.now().isoformat()
    detail = {"schema_version": 2, "customer_id": "C0000", "at": at, "by": "u-1", "outcome": "called_back"}
    played.lender_says(LenderEvent("CustomerAttended", detail))
    assert list(customers.waiting_customers("demo-tw", 9)) == []


def test_what_is_handed_over_again_changes_no_number(played: LocalCloud, tally: DynamoTally) -> None:
    played.count_changes()
    before = _total(tally)
    played._handed_on.clear()  # noqa: SLF001 - as a stream that is read from its beginning
    assert played.count_changes() > PEOPLE
    assert _total(tally) == before


def test_the_census_counts_everybody_of_the_lender(tally: DynamoTally) -> None:
    (census,) = [known.census for known in tally.days("demo-tw", FIRST, LAST + timedelta(days=1)) if known.census]
    assert census.is_whole
    assert census.customers == sum(census.reasons.values()) == PEOPLE
    assert census.overdue_customers > 0
    assert set(census.overdue) == {"TWD"}


def test_no_name_and_no_number_is_in_the_tally(played: LocalCloud) -> None:
    stored = str(list(played.items(played.stack.tally_table)))
    assert "C0000" in stored
    for person in _rows():
        assert person["name"] not in stored
        assert person["phone"] not in stored
