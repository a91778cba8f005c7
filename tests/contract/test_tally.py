"""The tally: counters that count each change once, and the customers behind them; of the fake and DynamoDB alike."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from dunning.adapters.dynamodb.tally_table import DynamoTally
from dunning.domain.census import CensusPart
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.tallies import CountedChanges
from tests.contract.conftest import Tally

DAY = date(2026, 12, 1)
NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def changes(first: int, last: int, **more: object) -> CountedChanges:
    counted = CountedChanges(
        lender="demo-tw",
        day=DAY,
        shard="shard-1",
        first=first,
        last=last,
        as_of=NOW + first * MINUTE,
        counters={"sent:0": last - first + 1, "segments": 2},
        customers={"sent:0": [f"C{number}" for number in range(first, last + 1)]},
    )
    return replace(counted, **more)  # type: ignore[arg-type]


def counters(tally: Tally, lender: str = "demo-tw", day: date = DAY) -> Mapping[str, int]:
    return {name: number for found in tally.days(lender, day, day) for name, number in found.counters.items()}


def behind(tally: Tally, counter: str) -> list[str]:
    found: list[str] = []
    page = ""
    while True:
        answer = tally.customers_behind("demo-tw", DAY, counter, page)
        found += answer.customer_ids
        page = answer.next_page
        if not page:
            return found


def test_changes_are_added_up_over_runs_and_shards_and_the_last_says_of_when_they_are(tally: Tally) -> None:
    assert tally.add(changes(1, 3)) is None
    assert tally.add(changes(4, 5)) is None
    assert tally.add(changes(2, 2, shard="shard-2")) is None
    (found,) = tally.days("demo-tw", DAY, DAY)
    assert found.counters == {"sent:0": 6, "segments": 6}
    assert (found.day, found.as_of) == (DAY, NOW + 4 * MINUTE)


def test_changes_that_come_again_are_not_added_and_the_answer_says_up_to_where_they_are_counted(tally: Tally) -> None:
    assert tally.add(changes(1, 3)) is None
    assert tally.add(changes(1, 3)) == 3
    assert tally.add(changes(3, 5)) == 3
    assert tally.add(changes(2, 2)) == 3
    assert counters(tally) == {"sent:0": 3, "segments": 2}
    assert tally.add(changes(4, 5)) is None


def test_the_longest_sequence_number_is_later_than_a_shorter(tally: Tally) -> None:
    longest = 10**40 - 1
    assert tally.add(changes(9, 9)) is None
    assert tally.add(replace(changes(10, 10), last=longest)) is None
    assert tally.add(replace(changes(10, 10), first=10**38, last=10**38)) == longest


def test_lenders_and_days_are_counted_apart(tally: Tally) -> None:
    for changed in (changes(1, 1), changes(1, 1, lender="demo-hk"), changes(1, 2, day=DAY + timedelta(days=1))):
        assert tally.add(changed) is None
    assert counters(tally) == counters(tally, "demo-hk") == {"sent:0": 1, "segments": 2}
    both = tally.days("demo-tw", DAY, DAY + timedelta(days=1))
    assert [(found.day, found.counters["sent:0"]) for found in both] == [(DAY, 1), (DAY + timedelta(days=1), 2)]
    everything = tally.days("", DAY, DAY + timedelta(days=1))
    assert [(found.lender, found.day) for found in everything] == [
        ("demo-hk", DAY), ("demo-tw", DAY), ("demo-tw", DAY + timedelta(days=1)),
    ]  # fmt: skip
    assert list(tally.days("demo-tw", DAY - timedelta(days=9), DAY - timedelta(days=1))) == []
    assert list(tally.days("nobody", DAY, DAY)) == []


def test_the_customers_behind_a_counter_come_oldest_first_and_each_once_in_a_page(tally: Tally) -> None:
    tally.add(changes(1, 3))
    tally.add(changes(4, 4, customers={"sent:0": ["C2"], "wait:on_hold": ["C7"]}))
    assert behind(tally, "sent:0") == ["C1", "C2", "C3"]
    assert behind(tally, "wait:on_hold") == ["C7"]
    assert behind(tally, "segments") == []


def test_a_long_list_is_read_page_by_page(tally: Tally) -> None:
    everybody = [f"C{number:04d}" for number in range(1200)]
    for place in range(6):
        ids: Sequence[str] = everybody[200 * place : 200 * (place + 1)]
        assert tally.add(changes(place + 1, place + 1, customers={"sent:0": ids})) is None
    first = tally.customers_behind("demo-tw", DAY, "sent:0")
    assert first.next_page
    assert len(first.customer_ids) < len(everybody)
    assert behind(tally, "sent:0") == everybody


def test_a_page_ends_after_a_hundred_customers_also_within_a_run(tally: Tally) -> None:
    everybody = [f"C{number:04d}" for number in range(250)]
    tally.add(changes(1, 1, customers={"sent:0": everybody}))
    pages = [tally.customers_behind("demo-tw", DAY, "sent:0")]
    while pages[-1].next_page:
        pages.append(tally.customers_behind("demo-tw", DAY, "sent:0", pages[-1].next_page))
    assert [len(page.customer_ids) for page in pages] == [100, 100, 50]
    assert [each for page in pages for each in page.customer_ids] == everybody


@pytest.mark.parametrize(
    "page", ["x", "@", "x@", "@1", "9@x", "9999@3", "2@" + "9" * 5000, "9" * 5000, "9" * 2000 + "@1"]
)
def test_a_page_that_is_none_shows_what_there_is(tally: Tally, page: str) -> None:
    tally.add(changes(1, 3))
    assert set(tally.customers_behind("demo-tw", DAY, "sent:0", page).customer_ids) <= {"C1", "C2", "C3"}


def test_a_day_that_is_sealed_shows_the_same_numbers_and_is_sealed_once(tally: Tally) -> None:
    for changed in (changes(1, 3), changes(2, 2, shard="shard-2"), changes(1, 1, lender="demo-hk")):
        tally.add(changed)
    tally.add(changes(7, 9, day=DAY + timedelta(days=1)))
    tally.keep_census_part(part(0, 1))
    last = DAY + timedelta(days=1)
    before = list(tally.days("", DAY, last))

    def is_over(lender: str, day: date) -> bool:
        return (lender, day) == ("demo-tw", DAY)

    assert tally.seal(DAY, last, is_over) == 1
    assert list(tally.days("", DAY, last)) == before
    assert tally.seal(DAY, last, is_over) == 0
    assert tally.seal(DAY, last, lambda *_: True) == 2
    assert list(tally.days("", DAY, last)) == before


def test_a_sum_is_one_attribute_and_a_damaged_one_is_not_taken_for_nothing() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-1")
        client.create_table(
            TableName="tally",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("tally", "part")],
            KeySchema=[{"AttributeName": "tally", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
        )
        tally = DynamoTally(client, "tally")
        tally.add(changes(1, 3, customers={}))
        tally.seal(DAY, DAY, lambda *_: True)
        (item,) = client.scan(TableName="tally")["Items"]
        assert item.keys() == {"tally", "part", "lender", "as_of", "expires_at", "sum"}
        for damaged in ("", "[]", '{"sent:0":"many"}', '{"sent:0":null}'):
            client.put_item(TableName="tally", Item={**item, "sum": {"S": damaged}})
            with pytest.raises(UnreadableRecordError):
                tally.days("", DAY, DAY)


def test_a_run_that_is_written_again_names_its_customers_once(tally: Tally) -> None:
    for _ in range(2):
        tally.add(changes(1, 3))
    assert behind(tally, "sent:0") == ["C1", "C2", "C3"]


def part(number: int, parts: int = 2, **more: object) -> CensusPart:
    counted = CensusPart(
        lender="demo-tw",
        day=DAY,
        part=number,
        parts=parts,
        as_of=NOW + number * MINUTE,
        customers=10,
        reasons={"on_hold": 4, "next_stage": 6},
        overdue_customers=3,
        overdue={"TWD": 500_000},
        promised={"TWD": 90_000, "HKD": 1},
        paid={},
    )
    return replace(counted, **more)  # type: ignore[arg-type]


def test_a_census_is_the_sum_of_its_parts_and_says_if_one_is_missing(tally: Tally) -> None:
    tally.keep_census_part(part(0))
    (unfinished,) = tally.days("demo-tw", DAY, DAY)
    assert unfinished.census
    assert not unfinished.census.is_whole
    assert (unfinished.counters, unfinished.as_of) == ({}, None)
    tally.keep_census_part(part(1, overdue={"USD": 7}))
    tally.keep_census_part(part(1, overdue={"USD": 8}))
    census = tally.days("demo-tw", DAY, DAY)[0].census
    assert census
    assert census.is_whole
    assert (census.customers, census.overdue_customers, census.as_of) == (20, 6, NOW)
    assert census.reasons == {"on_hold": 8, "next_stage": 12}
    assert census.overdue == {"TWD": 500_000, "USD": 8}
    assert census.promised == {"TWD": 180_000, "HKD": 2}
    assert census.paid == {}


@pytest.mark.parametrize("lender", ["demo-hk", "demo-tw"])
def test_a_census_is_of_one_lender_and_of_the_days_asked_for(tally: Tally, lender: str) -> None:
    for days in range(3):
        tally.keep_census_part(part(0, 1, lender=lender, day=DAY + timedelta(days=days)))
    found = [known.census for known in tally.days(lender, DAY, DAY + timedelta(days=1))]
    assert [(census.lender, census.day) for census in found if census] == [
        (lender, DAY), (lender, DAY + timedelta(days=1)),
    ]  # fmt: skip
    assert list(tally.days("another", DAY, DAY)) == []
