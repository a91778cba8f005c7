"""Today: numbers of a day with their last thirty days, in all or by lender, each with the list behind it."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from dunning.console.http_messages import PageRequest
from dunning.ports.sessions import Role
from dunning.services.console.today import TodayView
from tests.support.console import FakeCensus, FakeDay, FakePage, Office
from tests.support.people import NOW

TODAY = date(2026, 12, 1)


def an_office(counters: Mapping[str, int], day: date = TODAY) -> Office:
    office = Office()
    office.tally.counted["demo-tw"] = [FakeDay(day, counters, NOW)]
    office.log_in(Role.MANAGER)
    return office


def view(office: Office, lender: str = "demo-tw", day: date | None = None) -> TodayView:
    services = office.console._services  # noqa: SLF001
    return services.today.view(lender, day)


def figures(office: Office) -> dict[str | int | None, float]:
    return {figure.label[-1]: figure.number for figure in view(office).tiles}


def test_a_number_is_the_sum_of_what_it_is_counted_by() -> None:
    office = an_office(
        {"sent:3": 8, "sent:-3": 2, "delivered": 7, "failed:permanent_failure": 1, "failed:unclassified": 1,
         "opt_out": 1, "reply:complaint": 2, "segments": 14, "price_micros": 2_500_000, "sentinel": 99}
    )  # fmt: skip
    assert figures(office) == {
        "sent": 10, "delivered": 7, "failed": 2, "replies": 0, "needs_person": 0, "opt_out": 1,
        "promise_kept": 0, "promise_broken": 0,
        "opt_outs_per_thousand": 100, "complaints_per_thousand": 200, "segments": 14, "price": 2_500_000,
    }  # fmt: skip
    found = view(office)
    assert (found.delivered[-1], found.failed[-1], found.other[-1]) == (7, 2, 1)
    assert "US$2.50" in office.get("/today").body


def test_without_texts_there_are_no_rates_and_without_numbers_the_page_says_so() -> None:
    assert figures(an_office({"opt_out": 3}))["opt_outs_per_thousand"] == 0
    office = Office()
    office.log_in(Role.MANAGER)
    page = office.get("/today").body
    assert "Nothing has been counted yet." in page
    assert "There is no count for this day yet." in page


def test_reasons_stand_by_their_number_with_a_link_to_the_list_behind_them() -> None:
    office = an_office({"wait:quiet_hours": 3, "wait:person_cap": 17, "stop:opted_out": 0, "wait:new_reason": 1})
    groups = {group.name: group for group in view(office).groups}
    assert [figure.counter for figure in groups["wait"].figures] == [
        "wait:person_cap", "wait:quiet_hours", "wait:new_reason",
    ]  # fmt: skip
    assert groups["stop"].figures == ()
    page = office.get("/today", lender="demo-tw").body
    assert '<a href="/list?lender=demo-tw&amp;day=2026-12-01&amp;counter=wait%3Aperson_cap">17</a>' in page
    assert "new_reason" in page
    assert "/list?" not in office.get("/today").body


def test_a_curve_has_thirty_days_and_ends_with_the_day_itself() -> None:
    office = an_office({"sent:0": 5}, TODAY - timedelta(days=29))
    office.tally.counted["demo-tw"] += [
        FakeDay(TODAY - timedelta(days=30), {"sent:0": 99}, NOW),
        FakeDay(TODAY, {"sent:0": 2}, NOW),
    ]
    (sent, *_) = view(office).tiles
    assert (len(sent.curve), sent.curve[0], sent.curve[-1], sum(sent.curve)) == (30, 5, 2, 7)


@pytest.mark.parametrize(
    ("asked", "shown"), [("2026-11-30", "2026-11-30"), ("2026-12-09", "2026-12-01"), ("x", "2026-12-01")]
)
def test_a_day_that_has_not_come_or_is_none_is_today(asked: str, shown: str) -> None:
    office = an_office({})
    assert f'value="{shown}"' in office.get("/today", day=asked).body


def test_numbers_that_lag_behind_say_so() -> None:
    office = an_office({"delivered": 1})
    assert "they lag behind" not in office.get("/today").body
    office.clock.move_to(NOW + timedelta(minutes=16))
    assert "they lag behind" in office.get("/today").body


def test_a_switch_that_is_off_is_the_first_thing_on_the_page() -> None:
    office = an_office({})
    office.switch.on = False
    assert 'role="alert"><strong>Sending is OFF' in office.get("/today").body


def test_amounts_are_added_up_by_currency_and_a_night_that_is_not_complete_says_so() -> None:
    office = an_office({})
    office.tally.nights["demo-tw"] = [
        FakeCensus(as_of=NOW, overdue={"TWD": 325_000}, promised={"TWD": 100_000}, paid={"USD": 1_050})
    ]
    page = office.get("/today").body
    for amount in ("TWD 3,250", "TWD 1,000", "USD 10.50"):
        assert amount in page
    assert "not complete" not in page
    office.tally.nights["demo-tw"] = [FakeCensus(as_of=NOW, is_whole=False)]
    assert "not complete" in office.get("/today").body


def test_a_list_shows_ids_and_is_written_down() -> None:
    office = an_office({})
    office.tally.behind["demo-tw", TODAY, "wait:person_cap"] = FakePage(("C0001", "C0002"), "next")
    page = office.get("/list", lender="demo-tw", day="2026-12-01", counter="wait:person_cap").body
    assert 'href="/customers/C0002"' in page
    assert "page=next" in page
    assert "Waiting: enough texts to this person" in page
    assert [(entry.act, entry.subject_matter) for entry in office.table.entries] == [("listed", "wait:person_cap")]


@pytest.mark.parametrize(
    "query",
    [
        {"lender": "nobody", "day": "2026-12-01", "counter": "delivered"},
        {"lender": "demo-tw", "day": "x", "counter": "delivered"},
        {"lender": "demo-tw", "day": "2026-12-01", "counter": ""},
        {"lender": "demo-tw", "day": "2026-12-01", "counter": "segments"},
    ],
)
def test_there_is_no_list_behind_what_is_no_number_of_customers(query: dict[str, str]) -> None:
    assert an_office({}).get("/list", **query).status == 404


def test_a_part_of_the_page_is_sent_alone_when_a_script_asks() -> None:
    office = an_office({"delivered": 3})
    part = office.send(PageRequest(method="GET", path="/today", headers={"hx-request": "true"})).body
    assert "<html" not in part
    assert "Delivered" in part
