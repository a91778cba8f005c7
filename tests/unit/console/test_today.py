"""Today: numbers of a day with their last thirty days, in all or by lender, each with the list behind it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.console.http_messages import PageRequest
from dunning.console.translations import LANGUAGES
from dunning.console.visits import LANGUAGE_COOKIE
from dunning.domain.census import CensusPart
from dunning.domain.counters import NAMES
from dunning.domain.customer.standing import OpenReview, Progress
from dunning.ports.sessions import Role
from dunning.services.console.today import TodayView
from tests.support.console import TAIPEI, Office
from tests.support.people import NOW, someone, waking

TODAY = date(2026, 12, 1)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def an_office(counters: Mapping[str, int], day: date = TODAY) -> Office:
    office = Office()
    if counters:
        office.count(counters, day)
    office.log_in(Role.MANAGER)
    return office


def view(office: Office, lender: str = "demo-tw", day: date | None = None) -> TodayView:
    services = office.console._services  # noqa: SLF001
    return services.today.view(lender, day)


def figures(office: Office) -> dict[str, float]:
    return {str(figure.label[-1]): figure.number for figure in view(office).tiles}


def a_night(office: Office, day: date = TODAY, **changes: object) -> None:
    part = CensusPart(lender="demo-tw", day=day, part=0, parts=1, as_of=NOW, customers=9, overdue_customers=4)
    office.tally.keep_census_part(replace(part, **changes))  # type: ignore[arg-type]


# ---------------------------------------------------------------------- the numbers


def test_a_number_is_the_sum_of_what_it_is_counted_by() -> None:
    office = an_office(
        {"sent:3": 8, "sent:-3": 2, "delivered": 7, "failed:permanent_failure": 1, "failed:unclassified": 1,
         "opt_out": 1, "reply:complaint": 2, "segments": 14, "price_micros": 2_500_000, "sentinel": 99}
    )  # fmt: skip
    assert figures(office) == {
        "sent": 10, "delivered": 7, "failed": 2, "replies": 0, "needs_person": 0, "opt_out": 1,
        "promise_kept": 0, "promise_broken": 0,
        "opt_outs_per_thousand": 100, "complaints_per_thousand": 200, "segments": 14, "price_micros": 2_500_000,
    }  # fmt: skip
    found = view(office)
    assert (found.delivered[-1], found.failed[-1], found.other[-1]) == (7, 2, 1)
    assert "US$2.50" in office.get("/today").body


def test_without_texts_there_are_no_rates_and_without_numbers_the_page_says_so() -> None:
    assert figures(an_office({"opt_out": 3}))["opt_outs_per_thousand"] == 0
    page = an_office({}).get("/today").body
    assert "Nothing has been counted yet." in page
    assert "There is no count for this day yet." in page
    assert "Nothing stands out in the numbers of this day." in page


@pytest.mark.parametrize("counter", [*NAMES, "a_counter_of_a_later_version", "later:kind"])
def test_every_counter_is_on_the_page_also_one_that_this_version_does_not_know(counter: str) -> None:
    office = an_office({counter: 4_321})
    shown = [figure for group in view(office).groups for figure in group.figures] + [*view(office).tiles]
    assert 4_321 in [figure.number for figure in shown]
    number = "US$0.00" if counter.endswith("_micros") else "4,321"
    assert number in office.get("/today").body


def test_reasons_stand_by_their_number_with_a_link_to_the_list_behind_them() -> None:
    office = an_office({"wait:quiet_hours": 3, "wait:person_cap": 17, "stop:opted_out": 0, "wait:new_reason": 1})
    groups = {group.name: group for group in view(office).groups}
    assert [figure.counter for figure in groups["wait"].figures] == [
        "wait:person_cap", "wait:quiet_hours", "wait:new_reason",
    ]  # fmt: skip
    assert groups["stop"].figures == ()
    page = office.get("/today", lender="demo-tw").body
    assert '<a href="list?lender=demo-tw&amp;day=2026-12-01&amp;counter=wait:person_cap">17</a>' in page
    assert "new_reason" in page
    assert '<a href="list?day=2026-12-01&amp;counter=wait:person_cap">17</a>' in office.get("/today").body


def test_what_has_no_list_behind_it_is_no_link() -> None:
    office = an_office({"segments": 7, "billed_segments": 8, "text:en/overdue-3@3": 9, "delivered": 0})
    page = office.get("/today", lender="demo-tw").body
    for number in ("7", "8", "9", "0"):
        assert f">{number}</a>" not in page
        assert f">{number}<" in page


def test_a_curve_has_thirty_days_and_ends_with_the_day_itself() -> None:
    office = an_office({"sent:0": 5}, TODAY - 29 * DAY)
    office.count({"sent:0": 99}, TODAY - 30 * DAY)
    office.count({"sent:0": 2}, TODAY)
    (sent, *_) = view(office).tiles
    assert (len(sent.curve), sent.curve[0], sent.curve[-1], sum(sent.curve)) == (30, 5, 2, 7)


def test_a_tile_shows_the_day_before_too_for_whoever_looks_before_anything_has_happened() -> None:
    office = an_office({"sent:0": 1_234}, TODAY - DAY)
    assert view(office).tiles[0].day_before == 1_234
    assert "day before 1,234" in office.get("/today").body


@pytest.mark.parametrize("lenders", [2, 10])
def test_all_lenders_are_added_up_and_each_has_a_row(lenders: int) -> None:
    office = an_office({})
    names = [f"a-lender-with-a-name-as-long-as-a-name-may-be-{number:02}" for number in range(lenders)]
    office.zones = dict.fromkeys(names, TAIPEI)
    for number, lender in enumerate(names):
        office.count({"sent:0": 1_000_000 + number, "delivered": 1}, TODAY, lender)
    office.count({"sent:0": 5}, TODAY, "a-lender-that-has-left")
    found = view(office, "")
    assert found.tiles[0].number == 1_000_000 * lenders + sum(range(lenders))
    assert [(row.lender, row.figures[0].number) for row in found.by_lender] == [
        (lender, 1_000_000 + number) for number, lender in enumerate(names)
    ]
    assert view(office, names[0]).by_lender == ()
    assert f"today?lender={names[-1]}&amp;day=2026-12-01" in office.get("/today").body


def test_one_lender_has_no_table_of_lenders() -> None:
    assert "By lender" not in an_office({"sent:0": 1}).get("/today").body


# ---------------------------------------------------------------------- the day


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("2026-11-30", "2026-11-30"), ("2026-12-09", "2026-12-01"), ("x", "2026-12-01"),
        ("2026-10-28", "2026-10-28"), ("2026-10-27", "2026-10-28"), ("0001-01-01", "2026-10-28"),
    ],
)  # fmt: skip
def test_a_day_lies_within_those_of_which_lists_are_kept_and_else_is_the_nearest(asked: str, shown: str) -> None:
    page = an_office({}).get("/today", day=asked).body
    assert f'value="{shown}" min="2026-10-28" max="2026-12-01"' in page
    assert ("Day before" in page) == (shown != "2026-10-28")
    assert ("Day after" in page) == (shown != "2026-12-01")


def test_a_page_of_lenders_in_several_zones_says_that_each_has_its_own_day() -> None:
    office = an_office({})
    assert "own time zone" not in office.get("/today").body
    office.zones = {"demo-tw": TAIPEI, "demo-us": ZoneInfo("America/New_York")}
    assert "own time zone" in office.get("/today").body


# ---------------------------------------------------------------------- is something wrong?


@pytest.mark.parametrize(
    ("minutes", "age", "may_lag"),
    [(0, "", False), (1, "", False), (7, "7 minutes old", False), (16, "16 minutes old", True),
     (180, "3 hours old", True), (60 * 24 * 3, "", False)],
)  # fmt: skip
def test_numbers_of_today_say_how_old_they_are(minutes: int, age: str, may_lag: bool) -> None:  # noqa: FBT001
    office = an_office({"delivered": 1})
    office.clock.move_to(NOW + minutes * MINUTE)
    office.log_in(Role.MANAGER)
    page = office.get("/today", day="2026-12-01").body
    assert (age or " old.") in page or not age
    assert ("the count is behind" in page) == may_lag
    assert (" old." in page) == bool(age)


def test_a_switch_that_is_off_is_the_first_thing_on_the_page() -> None:
    office = an_office({})
    office.switch.on = False
    page = office.get("/today").body
    assert 'role="alert"><strong>Sending is OFF' in page
    assert "Nothing stands out in the numbers of this day." not in page


@pytest.mark.parametrize(
    ("minutes", "sending", "concern"), [(14, True, False), (15, True, True), (60, True, True), (60, False, False)]
)
def test_who_waits_too_long_for_a_decision_is_a_concern_while_sending_is_on(
    minutes: int,
    sending: bool,  # noqa: FBT001
    concern: bool,  # noqa: FBT001
) -> None:
    office = an_office({"delivered": 1})
    office.switch.on = sending
    office.customers.save_standing(waking(someone(1), NOW - minutes * MINUTE), expected_version=0)
    office.customers.save_standing(waking(someone(2), NOW + MINUTE), expected_version=0)
    found = view(office)
    assert (found.oldest_due, found.oldest_due_age) == (NOW - minutes * MINUTE, minutes * MINUTE)
    assert [each.sentence.key for each in found.concerns] == ["concern.late_job"] * concern
    page = office.get("/today").body
    assert f"has waited {minutes} minutes" in page
    assert view(office, day=TODAY - DAY).oldest_due is None


def test_the_due_index_is_asked_at_most_every_half_minute() -> None:
    office = an_office({})
    assert "No customer waits for a decision." in office.get("/today").body
    office.customers.save_standing(waking(someone(1), NOW - MINUTE), expected_version=0)
    assert view(office).oldest_due is None
    office.clock.move_to(NOW + timedelta(seconds=30))
    assert view(office).oldest_due == NOW - MINUTE


@pytest.mark.parametrize(
    ("counters", "sentence", "link"),
    [
        ({"unknown": 1}, "the carrier gave no answer", "counter=unknown"),
        ({"refused": 3}, "refused 3 texts for good", "counter=refused"),
        ({"stop:no_text": 5}, "no customer can change that: no wording", "counter=stop:no_text"),
        ({"delivered": 60, "failed:permanent_failure": 40}, "40% of the texts reported on", "#group-failed"),
        ({"sent:0": 100, "opt_out": 4}, "Opt-outs are up: 40 per 1,000 texts; 10 is usual.", "counter=opt_out"),
        ({"sent:0": 100, "reply:complaint": 4}, "Complaints are up", "counter=reply:complaint"),
    ],
)
def test_what_stands_out_comes_first_and_leads_to_its_list(
    counters: Mapping[str, int], sentence: str, link: str
) -> None:
    office = an_office(counters)
    office.count(
        {"sent:0": 1000, "delivered": 900, "failed:permanent_failure": 100, "opt_out": 10, "reply:complaint": 10},
        TODAY - DAY,
    )
    (concern,) = view(office).concerns
    assert concern.counter
    page = office.get("/today").body
    first = page.partition('<ul class="tiles">')[0]
    assert sentence in first
    assert link in first


def test_who_waits_and_may_be_in_danger_is_a_concern_until_somebody_has_attended_whenever_it_began() -> None:
    office = an_office({"needs_person:distress": 1}, TODAY - DAY)
    waits = (OpenReview("distress", NOW - 3 * DAY), OpenReview("question", NOW))
    for number, review in enumerate(waits, 1):
        office.customers.save_standing(
            waking(someone(number), None, lender_id="demo-tw", attention=(review,)), expected_version=0
        )
    first = office.get("/today").body.partition('<ul class="tiles">')[0]
    assert "Customers who wait and may be in danger: 1." in first
    assert '<a href="/waiting">' in first
    assert "came to wait and may be in danger (is in distress): 1." in office.get("/today", day=str(TODAY - DAY)).body


@pytest.mark.parametrize(
    "counters",
    [
        {"delivered": 9, "failed:permanent_failure": 9},
        {"delivered": 900, "failed:permanent_failure": 140},
        {"sent:0": 10, "opt_out": 2},
        {"sent:0": 1000, "opt_out": 19},
        {"stop:opted_out": 50, "wait:person_cap": 500, "needs_person:question": 9, "stop:nothing_open": 99},
    ],
)
def test_what_is_usual_or_too_little_to_say_anything_is_no_concern(counters: Mapping[str, int]) -> None:
    office = an_office(counters)
    office.count({"sent:0": 1000, "delivered": 900, "failed:permanent_failure": 100, "opt_out": 10}, TODAY - DAY)
    assert view(office).concerns == ()


# ---------------------------------------------------------------------- money


def test_amounts_are_added_up_by_currency_with_their_nights() -> None:
    office = an_office({})
    a_night(office, TODAY - DAY, overdue={"TWD": 300_000}, as_of=NOW - DAY)
    a_night(office, overdue={"TWD": 325_000}, promised={"TWD": 100_000}, paid={"USD": 1_050})
    page = office.get("/today").body
    for amount in ("TWD 3,250", "TWD 1,000", "USD 10.50"):
        assert amount in page
    census = view(office).census
    assert [(row.currency, row.overdue.curve, row.promised.curve, row.paid.curve) for row in census.amounts] == [
        ("TWD", (300_000, 325_000), (0, 100_000), (0, 0)), ("USD", (0, 0), (0, 0), (0, 1_050)),
    ]  # fmt: skip
    assert (census.customers, census.overdue_customers, census.as_of, census.notes) == (9, 4, NOW, ())


def test_before_the_census_of_the_night_the_one_before_is_shown_with_its_age() -> None:
    office = an_office({})
    a_night(office, TODAY - 2 * DAY, as_of=NOW - timedelta(hours=50), overdue={"TWD": 100})
    assert [note.key for note in view(office).census.notes] == ["census.old"]
    assert "The last count is 2 days old" in office.get("/today").body
    assert view(office, day=TODAY - DAY).census.notes == ()


def test_a_census_that_is_not_whole_names_the_lender_and_so_does_one_that_is_missing() -> None:
    office = an_office({})
    a_night(office, parts=2)
    office.zones = {"demo-tw": TAIPEI, "demo-new": TAIPEI}
    page = office.get("/today").body
    assert "too low: demo-tw." in page
    assert "Not counted yet: demo-new." in page


def test_where_all_customers_stand_is_counted_by_reason_and_is_no_link() -> None:
    office = an_office({})
    a_night(office, reasons={"person_cap": 100_000, "not_planned": 3})
    page = office.get("/today", lender="demo-tw").body
    assert '<td class="num">100,000\n' in page
    assert "not planned yet" in page


# ---------------------------------------------------------------------- the list behind a number


def behind(office: Office, **query: str) -> str:
    return office.get("/list", **{"lender": "demo-tw", "day": "2026-12-01", "counter": "wait:person_cap"} | query).body


def test_a_list_shows_where_each_customer_stands_now_and_is_written_down() -> None:
    office = an_office({})
    office.count({"wait:person_cap": 2}, TODAY, customers={"wait:person_cap": ["C0001", "C0002", "C0003"]})
    reached = {"A1#1": Progress(-3, TODAY - 9 * DAY, TODAY), "A1#2": Progress(7, TODAY - DAY, TODAY)}
    standing = waking(someone(1), NOW + 3 * DAY, reason="person_cap", progress=reached)
    office.customers.save_standing(standing, expected_version=0)
    office.customers.save_standing(waking(someone(2), None, reason="opted_out"), expected_version=0)
    office.customers.unreadable.add("C0002")
    page = behind(office)
    assert "Waiting: enough texts to this person" in page
    first, second, third = page.partition("<tbody>")[2].partition("</tbody>")[0].strip().split("\n")
    assert 'href="/customers/C0001"' in first
    for shown in ("7 days after the due date", "enough texts to this person", "4 Dec 10:00"):
        assert shown in first
    assert "the record cannot be read" in second
    assert third.count("<td>–</td>") == 3
    assert [(entry.act, entry.subject_matter) for entry in office.table.entries] == [("listed", "wait:person_cap")]
    assert "That is the end of the list." in page


def test_nobody_behind_a_number_is_said() -> None:
    assert "Nobody stands in this list." in behind(an_office({}))


def test_a_number_or_a_page_that_is_far_too_long_is_none() -> None:
    office = an_office({})
    digits = "9" * 5000  # more than Python reads as a number, and longer than a key of DynamoDB
    assert "Nobody stands in this list." in behind(office, page=digits)
    assert "Nobody stands in this list." in behind(office, counter="sent:99999")
    for counter in (f"sent:{digits}", digits):
        answer = office.get("/list", lender="demo-tw", day="2026-12-01", counter=counter)
        assert answer.status == 404
    assert office.errors == []


def test_a_long_list_is_read_page_by_page_and_no_page_is_too_heavy() -> None:
    office = an_office({})
    everybody = [f"{number:032d}" for number in range(250)]
    office.count({"wait:person_cap": 250}, TODAY, customers={"wait:person_cap": everybody})
    for customer_id in everybody:
        standing = replace(waking(someone(1), reason="person_cap"), customer_id=customer_id)
        office.customers.save_standing(standing, expected_version=0)
    pages = [behind(office), behind(office, page="100"), behind(office, page="200")]
    assert [page.count("/customers/") for page in pages] == [100, 100, 50]
    assert "page=100" in pages[0]
    assert max(len(page.encode()) for page in pages) <= 30 << 10


def test_the_lists_of_all_lenders_follow_one_another() -> None:
    office = an_office({})
    office.zones = dict.fromkeys(("demo-a", "demo-tw", "demo-z"), TAIPEI)
    for lender in ("demo-tw", "demo-z"):
        office.count({"delivered": 1}, TODAY, lender, {"delivered": [f"of-{lender}"]})
    first = behind(office, lender="", counter="delivered")
    assert "/customers/of-demo-tw" in first
    assert "Go on with demo-z" in first
    last = behind(office, lender="", counter="delivered", shown="demo-z")
    assert "/customers/of-demo-z" in last
    assert "/customers/of-demo-tw" not in last
    assert "That is the end of the list." in last


@pytest.mark.parametrize(
    "query",
    [
        {"lender": "nobody"}, {"day": "x"}, {"counter": ""}, {"counter": "segments"}, {"counter": "text:en/a@1"},
        {"shown": "nobody"},
    ],
)  # fmt: skip
def test_there_is_no_list_behind_what_is_no_number_of_customers(query: dict[str, str]) -> None:
    asked = {"lender": "demo-tw", "day": "2026-12-01", "counter": "delivered"} | query
    assert an_office({}).get("/list", **asked).status == 404


# ---------------------------------------------------------------------- the page


def test_a_part_of_the_page_is_sent_alone_when_a_script_asks() -> None:
    office = an_office({"delivered": 3})
    part = office.send(PageRequest(method="GET", path="/today", headers={"hx-request": "true"})).body
    assert "<html" not in part
    assert "Delivered" in part


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_busy_day_of_ten_lenders_weighs_at_most_thirty_kilobytes(language: str) -> None:
    office = an_office({})
    office.cookies[LANGUAGE_COOKIE] = language
    office.zones = {f"lender-number-{number}": TAIPEI for number in range(10)}
    reasons = ["next_stage", "quiet_hours", "person_cap", "on_hold", "account_cap"]
    stops = ["nothing_open", "opted_out", "ladder_finished", "number_refused", "deceased"]
    intents = ["paid", "promise", "hardship", "question", "opt_out", "complaint", "chat"]
    counters = {
        **{f"sent:{stage}": 90_000 + stage for stage in (-3, 0, 3, 7, 15, 30)},
        **{f"wait:{reason}": 100_000 for reason in reasons}, **{f"stop:{reason}": 1_000 for reason in stops},
        **{f"reply:{intent}": 500 for intent in intents}, **{f"needs_person:{intent}": 70 for intent in intents[1:5]},
        "failed:permanent_failure": 900, "failed:temporary_failure": 90, "delivered": 500_000, "replies": 4_000,
        "segments": 700_000, "price_micros": 9_000_000_000, "opt_out": 500, "unconfirmed": 4, "attended": 12,
    }  # fmt: skip
    for lender in office.zones:
        for day in range(30):
            drawn = {name: number * (7 + day * 5 % 11) // 13 for name, number in counters.items()}
            office.count(drawn, TODAY - day * DAY, lender)
        for day in range(30):
            a_night(
                office, TODAY - day * DAY, lender=lender, reasons=dict.fromkeys([*reasons, *stops], 9_000),
                overdue={"TWD": 10**9 + day}, promised={"TWD": 10**7 + day}, paid={"TWD": 10**8 + day},
            )  # fmt: skip
    page = office.get("/today").body
    assert len(page.encode()) <= 30 << 10
