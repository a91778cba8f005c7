"""Rates for people: what stands on the page and in the document, by lender and window, in every language."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import jsonschema
import pytest

from dunning.console.translations import LANGUAGES
from dunning.domain.text_effects import TextEffect, TextPart
from dunning.ports.sessions import Role
from dunning.services.console.rates_read import ROWS_SHOWN, RatesService, RatesView
from tests.local import ROOT
from tests.support.console import TAIPEI, Office

TODAY = date(2026, 12, 1)
DAY = timedelta(days=1)


def reminders(
    number: int, *, stage: int = 7, hour: object = 18, template: str = "zh-Hant/overdue-7@3", payer: str = "punctual"
) -> dict[str, int]:
    return {f"sent:{stage}": number, f"hour:{hour}": number, f"text:{template}": number, f"payer:{payer}": number}


def effects(
    effect: str,
    number: int,
    *,
    stage: object = 7,
    hour: object = 18,
    template: str = "zh-Hant/overdue-7@3",
    payer: str = "punctual",
) -> dict[str, int]:
    values = {"stage": stage, "hour": hour, "text": template, "payer": payer}
    return {f"{effect}_by_{part}:{value}": number for part, value in values.items()}


def an_office(*counted: Mapping[str, int], lender: str = "demo-tw") -> Office:
    office = Office()
    for back, counters in enumerate(counted):
        office.count(counters, TODAY - back * DAY, lender)
    office.log_in(Role.COMPLIANCE)
    return office


def service(office: Office) -> RatesService:
    return RatesService(office.tally, office.clock, lambda: office.zones)


def view(office: Office, lender: str = "", weeks: str = "") -> RatesView:
    return service(office).view(lender, weeks)


def a_lively_office() -> Office:
    return an_office(
        reminders(3000),
        effects("opt_out", 6),
        effects("complaint", 3),
        {
            **reminders(1000, stage=30, hour=11, template="zh-Hant/overdue-30@2", payer="unknown"),
            **effects("opt_out", 40, stage=30, hour=11, template="zh-Hant/overdue-30@2", payer="unknown"),
        },
    )


def test_the_page_says_the_rates_of_all_and_of_each_row_with_numbers_and_intervals() -> None:
    page = unescape(a_lively_office().get("/rates").body)
    assert "Of 1,000 reminders 11.5 were followed by an opt-out, and 0.8 by a complaint." in page
    assert "4,000 reminders, " in page
    for heading in ("By stage", "By the customer's hour", "By wording", "By how they have paid so far"):
        assert heading in page
    assert "40 · 29.5 to 54.0" in page
    assert "10:00 to 12:00" in page
    assert "history not known" in page
    assert "say where to look, and not why" in page


def test_a_row_of_which_more_follows_than_of_the_others_stands_out_by_its_name() -> None:
    shown = view(a_lively_office())
    assert shown.nothing_found is None
    assert len(shown.stands_out) == len(TextPart)
    page = unescape(a_lively_office().get("/rates").body)
    assert "30 days after the due date: Opt-outs 40.0 per 1,000 (of all: 11.5)" in page
    assert '<span class="badge bad">higher</span>' in page


@pytest.mark.parametrize(
    ("counted", "sentence"),
    [
        ([reminders(150), {**reminders(40, stage=30), **effects("opt_out", 3, stage=30)}], "too few reminders"),
        ([reminders(900), reminders(900, stage=30)], "No row differs from the others"),
        ([{}], "No reminder was sent in this time."),
    ],
)
def test_where_nothing_stands_out_the_page_says_whether_it_could(
    counted: list[Mapping[str, int]], sentence: str
) -> None:
    page = unescape(an_office(*counted).get("/rates").body)
    assert sentence in page
    assert "What stands out" not in page


@pytest.mark.parametrize(("weeks", "shown", "days"), [("", 4, 28), ("26", 26, 182), ("5", 4, 28), ("-1", 4, 28)])
def test_a_window_ends_today_and_is_one_that_can_be_chosen(weeks: str, shown: int, days: int) -> None:
    found = view(an_office(reminders(10)), weeks=weeks)
    assert (found.weeks, (found.last - found.first).days + 1, found.last) == (shown, days, TODAY)


def test_days_that_were_not_counted_in_this_way_are_left_out_and_the_page_says_so() -> None:
    office = an_office(reminders(10), {"sent:7": 99, "text:zh-Hant/overdue-7@3": 99})
    assert view(office).whole.reminders == 10
    assert "Days before Tue 1 Dec 2026 are left out" in unescape(office.get("/rates").body)
    assert "are left out" not in an_office(reminders(10)).get("/rates").body


def test_a_lender_is_shown_alone_or_all_together_and_one_that_is_no_more_not_at_all() -> None:
    office = an_office(reminders(10))
    office.zones = {"demo-tw": TAIPEI, "demo-hk": TAIPEI}
    office.count(reminders(5), TODAY, "demo-hk")
    office.count(reminders(90), TODAY, "gone")
    assert [view(office, lender).whole.reminders for lender in ("demo-tw", "demo-hk", "", "gone")] == [10, 5, 15, 15]
    page = office.get("/rates", lender="demo-hk").body
    assert "<option selected>demo-hk</option>" in page


def test_without_payer_segments_the_page_says_that_there_are_none() -> None:
    office = an_office(reminders(500, payer="?"))
    assert [part.name.code for part in view(office).parts] == ["stage", "hour", "text"]
    assert "No payer segment is on record" in office.get("/rates").body


def test_rows_for_which_there_is_no_room_are_joined_before_what_is_not_known() -> None:
    many = [reminders(20 + number, template=f"zh-Hant/own-{number}@1") for number in range(ROWS_SHOWN + 3)]
    office = an_office(*many, {"sent:7": 9, "hour:?": 9, "payer:?": 9})
    (wordings,) = [part for part in view(office).parts if part.name.code == "text"]
    assert len(wordings.lines) == ROWS_SHOWN + 2
    *_, joined, not_known = wordings.lines
    assert (joined.reminders, not_known.reminders) == (20 + 21 + 22, 9)
    assert "all others" in office.get("/rates").body


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fullest_page_stays_below_thirty_kilobytes(language: str) -> None:
    stages, hours = range(-14, 61, 3), range(8, 22)
    counted = [
        {
            **reminders(900, stage=stage, hour=hour, template=f"zh-Hant/wording-{stage}@12", payer=f"seg-{stage % 12}"),
            **{
                name: number
                for effect in TextEffect
                for name, number in effects(
                    effect, 20 + 9 * hour, stage=stage, hour=hour, template=f"zh-Hant/wording-{stage}@12",
                    payer=f"seg-{stage % 12}",
                ).items()
            },
        }
        for stage, hour in zip(stages, [*hours, *hours], strict=False)
    ]  # fmt: skip
    office = an_office(*counted)
    office.post("/language", language=language)
    answer = office.get("/rates")
    assert (answer.status, f'lang="{language}"' in answer.body) == (200, True)
    assert len(answer.body.encode()) < 30 * 1024


def test_programs_read_what_the_schema_describes() -> None:
    schema = json.loads((Path(ROOT) / "events" / "schemas" / "rates.json").read_text("utf-8"))
    written = service(a_lively_office()).document("demo-tw", "13")
    assert written
    document = json.loads(written)
    jsonschema.validate(document, schema)
    assert (document["weeks"], document["reminders"]) == (13, 4000)
    assert [part["by"] for part in document["parts"]] == ["stage", "hour", "text", "payer"]
    (late,) = [row for row in document["parts"][0]["rows"] if row["value"] == "30"]
    assert late["rates"][0] == {
        "effect": "opt_out", "count": 40, "rate": 0.04, "differs": "higher",
        "interval": {"low": pytest.approx(0.0295, abs=1e-4), "high": pytest.approx(0.054, abs=1e-4)},
    }  # fmt: skip


@pytest.mark.parametrize(("lender", "weeks"), [("nobody", ""), ("demo-tw", "5"), ("demo-tw", "four")])
def test_programs_are_told_if_there_is_no_such_lender_or_window(lender: str, weeks: str) -> None:
    assert service(an_office(reminders(1))).document(lender, weeks) is None


def test_what_is_not_known_is_null_for_programs() -> None:
    written = service(an_office({"sent:7": 9, "hour:?": 9, "payer:?": 9})).document()
    assert written
    values = {
        part["by"]: [(row["kind"], row["value"]) for row in part["rows"]] for part in json.loads(written)["parts"]
    }
    not_known = [("not_known", None)]
    assert values == {"stage": [("value", "7")], "hour": not_known, "text": not_known, "payer": not_known}


def test_what_follows_no_reminder_has_a_row_of_its_own_for_people_and_for_programs() -> None:
    office = an_office({**reminders(500), **{f"opt_out_by_{part}:~": 3 for part in TextPart}})
    page = office.get("/rates").body
    assert page.count("after no reminder") == len(TextPart)
    assert "Of 1,000 reminders 0.0 were followed by an opt-out" in page
    written = service(office).document()
    assert written
    for part in json.loads(written)["parts"]:
        assert [row["kind"] for row in part["rows"]] == ["value", "no_reminder"]
        assert part["rows"][1]["rates"][0]["count"] == 3
