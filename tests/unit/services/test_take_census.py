"""The census: where all customers of each lender stand, in numbers, as of a night."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.census import NOT_PLANNED, Census, CensusPart, census_of, count_customer
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Progress, Standing
from dunning.services.take_census import CensusService
from tests.support.builders import a_customer, a_standing, an_account, an_instalment, day, promised, store_customer
from tests.support.fakes import FakeClock, FakeCustomers, FakeTally, FakeTelemetry
from tests.support.people import someone, waking

NIGHT = datetime(2026, 12, 9, 20, 10, tzinfo=UTC)
TODAY = date(2026, 12, 10)  # in Taipei
LATE = an_instalment("2026-12-09", number=1, amount=5_000, paid=1_000)


def facts_with(*instalments: object, **changes: object) -> Facts:
    return replace(a_customer(an_account(*instalments)), **changes)  # type: ignore[arg-type]


def test_what_is_due_before_today_is_overdue_and_what_falls_due_today_is_not() -> None:
    facts = facts_with(LATE, an_instalment("2026-12-10", number=2, amount=900))
    assert count_customer(facts, a_standing(), TODAY).overdue == {"TWD": 4_000}
    assert count_customer(facts, a_standing(), TODAY + timedelta(days=1)).overdue == {"TWD": 4_900}


def test_a_credit_of_the_account_lessens_what_is_overdue() -> None:
    facts = facts_with(LATE, an_instalment("2026-11-01", number=2, amount=-1_500))
    assert count_customer(facts, None, TODAY).overdue == {"TWD": 2_500}


@pytest.mark.parametrize(
    ("on", "kept", "amounts"),
    [("2026-12-10", None, {"TWD": 4_000}), ("2026-12-09", None, {}), ("2026-12-12", False, {})],
)
def test_a_promise_counts_until_its_day_has_ended(
    on: str,
    kept: bool | None,  # noqa: FBT001
    amounts: dict[str, int],
) -> None:
    standing = a_standing(**promised(NIGHT, day(on), "A1#1", kept=kept))
    assert count_customer(facts_with(LATE), standing, TODAY).promised == amounts


@pytest.mark.parametrize(("asked", "paid"), [(4_500, {"TWD": 500}), (4_000, {}), (3_000, {}), (0, {})])
def test_what_has_been_paid_since_a_text_first_asked_counts_as_paid(asked: int, paid: dict[str, int]) -> None:
    standing = a_standing(progress={"A1#1": Progress(3, TODAY, TODAY, asked)})
    assert count_customer(facts_with(LATE), standing, TODAY).paid == paid


@pytest.mark.parametrize("paid", [5_000, 5_001, 9_000])
def test_of_an_instalment_that_is_paid_or_overpaid_all_that_was_asked_is_paid_and_nothing_promised(paid: int) -> None:
    standing = replace(
        a_standing(progress={"A1#1": Progress(3, TODAY, TODAY, 4_500)}), **promised(NIGHT, TODAY, "A1#1")
    )
    counted = count_customer(facts_with(replace(LATE, paid=paid)), standing, TODAY)
    assert (counted.paid, counted.promised, counted.overdue) == ({"TWD": 4_500}, {}, {})


def a_part(number: int, **changes: Any) -> CensusPart:  # noqa: ANN401 - fields
    as_of = NIGHT + timedelta(minutes=number)
    return replace(CensusPart(lender="demo-tw", day=TODAY, part=number, parts=2, as_of=as_of), **changes)


def test_a_census_is_the_sum_of_its_parts_as_of_the_first() -> None:
    amounts = {"TWD": 3, "USD": 1}
    first = a_part(0, customers=2, reasons={"due": 2}, overdue_customers=1, overdue=amounts, promised=amounts)
    second = a_part(1, customers=5, reasons={"due": 1, "on_hold": 4}, overdue={"TWD": 4}, promised={"TWD": 5})
    census = census_of([replace(second, paid=amounts), replace(first, paid={"TWD": 6})])
    assert census == Census(
        lender="demo-tw",
        day=TODAY,
        as_of=NIGHT,
        is_whole=True,
        customers=7,
        reasons={"due": 3, "on_hold": 4},
        overdue_customers=1,
        overdue={"TWD": 7, "USD": 1},
        promised={"TWD": 8, "USD": 1},
        paid={"TWD": 9, "USD": 1},
    )


def test_a_part_without_customers_adds_nothing_and_of_no_parts_there_is_no_census() -> None:
    census = census_of([a_part(0)])
    assert census is not None
    assert (census.customers, census.overdue_customers, census.is_whole) == (0, 0, False)
    assert (census.reasons, census.overdue, census.promised, census.paid) == ({}, {}, {}, {})
    assert census_of([]) is None


def test_a_customer_counts_by_the_reason_of_the_last_decision() -> None:
    assert count_customer(facts_with(LATE), replace(a_standing(), reason="on_hold"), TODAY).reasons == {"on_hold": 1}
    assert count_customer(facts_with(LATE), None, TODAY).reasons == {NOT_PLANNED: 1}
    assert count_customer(facts_with(LATE), a_standing(), TODAY).reasons == {NOT_PLANNED: 1}


class House:
    """The service and what it touches."""

    def __init__(self, lenders: Sequence[str] = ()) -> None:
        self.store, self.tally, self.telemetry = FakeCustomers(), FakeTally(), FakeTelemetry()
        self.service = CensusService(
            scan=self.store,
            tally=self.tally,
            lenders=lenders,
            zone_of=lambda lender: ZoneInfo("Asia/Taipei" if lender == "demo-tw" else "UTC"),
            clock=FakeClock(NIGHT),
            telemetry=self.telemetry,
        )

    def censuses(self, lender: str, first: date, last: date) -> list[Census]:
        return [known.census for known in self.tally.days(lender, first, last) if known.census]

    def add(self, number: int, lender: str, due_in: int = 5) -> Standing:
        facts = replace(someone(number, due_in=due_in), lender=lender)
        standing = waking(facts, reason="next_stage")
        assert store_customer(self.store, facts, standing)
        return standing


def test_lenders_are_counted_apart_each_on_its_own_day() -> None:
    house = House()
    for number in range(3):
        house.add(number, "demo-tw", due_in=-3)
    house.add(9, "demo-us", due_in=30)
    assert house.service.take(lambda: 900.0) == 4
    (tw,) = house.censuses("demo-tw", TODAY, TODAY)
    (us,) = house.censuses("demo-us", TODAY - timedelta(days=1), TODAY)
    assert (tw.customers, tw.overdue_customers, tw.reasons, tw.is_whole) == (3, 3, {"next_stage": 3}, True)
    assert (us.day, us.customers, us.overdue_customers) == (date(2026, 12, 9), 1, 0)
    assert tw.as_of == NIGHT


def test_whoever_cannot_be_read_or_has_no_facts_is_left_out() -> None:
    house = House()
    house.add(1, "demo-tw")
    house.store.unreadable.add(house.add(2, "demo-tw").customer_id)
    house.store.standings["C0009"] = Standing(customer_id="C0009", version=1)
    house.service.take(lambda: 900.0)
    (census,) = house.censuses("demo-tw", TODAY, TODAY)
    assert census.customers == 1
    assert house.telemetry.events[-1][1]["unreadable"] == 1


def test_a_census_that_runs_out_of_time_keeps_what_it_has_and_says_so() -> None:
    house = House()
    for number in range(600):
        house.add(number, "demo-tw")
    house.service.take(lambda: 1.0)
    (census,) = house.censuses("demo-tw", TODAY, TODAY)
    assert (census.customers, census.is_whole) == (500, False)


def test_a_second_census_of_a_day_replaces_the_first() -> None:
    house = House()
    house.add(1, "demo-tw")
    house.service.take(lambda: 900.0)
    house.add(2, "demo-tw")
    house.service.take(lambda: 900.0)
    (census,) = house.censuses("demo-tw", TODAY, TODAY)
    assert census.customers == 2


def test_a_census_in_parts_is_whole_when_every_part_is_there_also_for_a_lender_without_customers_in_one() -> None:
    house = House(["demo-tw", "demo-us"])
    for number in range(9):
        house.add(number, "demo-tw")
    house.add(99, "demo-us")
    assert sum(house.service.take(lambda: 900.0, part, 4) for part in range(3)) < 10
    assert not any(census.is_whole for census in house.censuses("", TODAY - timedelta(days=1), TODAY))
    house.service.take(lambda: 900.0, 3, 4)
    found = house.censuses("", TODAY - timedelta(days=1), TODAY)
    assert {(census.lender, census.customers, census.is_whole) for census in found} == {
        ("demo-tw", 9, True), ("demo-us", 1, True),
    }  # fmt: skip


def test_a_part_that_runs_out_of_time_leaves_the_census_not_whole() -> None:
    house = House(["demo-tw"])
    for number in range(1200):
        house.add(number, "demo-tw")
    house.service.take(lambda: 1.0, 0, 2)
    house.service.take(lambda: 900.0, 1, 2)
    (census,) = house.censuses("demo-tw", TODAY, TODAY)
    assert not census.is_whole


def test_a_lender_whose_list_is_empty_has_a_census_of_nobody() -> None:
    house = House(["demo-tw"])
    house.service.take(lambda: 900.0)
    (census,) = house.censuses("demo-tw", TODAY, TODAY)
    assert (census.customers, census.is_whole) == (0, True)
