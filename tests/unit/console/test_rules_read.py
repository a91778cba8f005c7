"""Texts and rules: a page shows what decides, from whom it comes, and where that is written."""

import re
from html import unescape

import pytest

from dunning.console.translations import LANGUAGES
from dunning.ports.sessions import Role
from tests.support.builders import the_policies
from tests.support.console import Office


def in_front_of(role: Role = Role.COMPLIANCE, language: str = "en") -> Office:
    office = Office()
    office.log_in(role)
    office.post("/language", language=language)
    return office


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def row_of(page: str, day: str) -> str:
    rows = re.findall(r"<tbody><tr><th scope=\"rowgroup\">.*?</tbody>", page, re.DOTALL)
    (row,) = [row for row in map(text_of, rows) if re.search(rf"\b{day}\b", row.partition(":")[0])]
    return row


def test_a_regulator_sees_why_nothing_goes_out_on_a_day_from_whom_and_by_which_source() -> None:
    page = in_front_of().get("/rules", lender="demo-tw", place="HK").body
    sunday = row_of(page, "Sun")
    assert "closed" in sunday
    assert "none on Sundays, overdue texts" in sunday
    monday = row_of(page, "Mon")
    assert "closed" not in monday
    assert "09:00-20:30" in monday


def test_a_day_names_only_who_sets_its_hours() -> None:
    page = in_front_of().get("/rules", lender="demo-tw", place="TW").body
    assert "our default 09:00-20:30 every day own default: ends well before the law's hour" in row_of(page, "Sun")
    assert "07:00-22:00" not in row_of(page, "Sun")
    assert "none on public holidays, overdue texts" in row_of(page, "public holiday")


def test_every_limit_stands_with_its_source_its_mark_and_the_line_in_which_it_is_written() -> None:
    page = text_of(in_front_of().get("/rules", lender="demo-tw", place="TW").body)
    assert re.search(
        r"law 07:00-22:00 every day 金融機構作業委託他人處理內部作業制度及程序辦法 \(2023-08-25\) art\. 14-I-3.*? "
        r"the law's own words were read · checked on \w+ \d+ \w+ 2026 · in jurisdictions/TW\.toml:\d+",
        page,
    )
    assert "left to the lender" in page
    assert "lender 1 in 24 hours, a person" in page


def test_a_limit_without_effect_is_shown_as_such() -> None:
    page = text_of(in_front_of().get("/rules", lender="demo-tw", place="US").body)
    assert "lender without effect: something stricter holds 3 in 7 days, a person" in page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lender", ["demo-tw", "demo-cn", "demo-world"])
def test_all_places_of_a_lender_can_be_read_in_every_language(lender: str, language: str) -> None:
    office = in_front_of(Role.AGENT, language)
    found = re.findall(r'<option value="([^"]+)"', office.get("/rules", lender=lender).body)
    assert len(found) >= len(the_policies().lenders[lender].policy.countries)
    for place in (found[0], found[-1]):
        rules = office.get("/rules", lender=lender, place=place)
        texts = office.get("/texts", lender=lender, place=place)
        assert (rules.status, texts.status, office.errors) == (200, 200, [])
        assert f'<option value="{place}" selected>' in rules.body


def test_what_is_not_known_is_answered_with_what_there_is() -> None:
    office = in_front_of()
    for path in ("/rules", "/texts"):
        page = office.get(path, lender="nobody", place="<script>", language="fr").body
        assert "<script>" not in page
        assert "demo-cn" in page
    assert office.errors == []


def test_texts_stand_as_they_arrive_masked_with_their_segments_and_their_price() -> None:
    page = in_front_of().get("/texts", lender="demo-tw", place="TW", language="zh-Hant").body
    assert '<blockquote class="phone" lang="zh-Hant">【示範分期】王*明您好' in page
    assert "王小明" not in page
    assert "segments: 1 · 68 of 70 characters (UCS-2) · US$0.0417" in text_of(page)
    assert "It takes more segments than with typical values." in page
    assert page.count("<article") == 28


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_place_of_which_most_is_said_stays_below_thirty_kilobytes(language: str) -> None:
    office = in_front_of(language=language)
    for page in ("/rules", "/texts"):
        assert len(office.get(page, lender="demo-world", place="CN").body.encode()) <= 30 * 1024
