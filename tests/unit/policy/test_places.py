"""What holds for a customer: the law of the place, our own limits and the lender's, whichever is narrowest."""

import shutil
import tomllib
from datetime import date, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dunning.domain import Decision, Reason, Send, Stop, decide
from dunning.domain.facts import Facts
from dunning.domain.rules import Cap, Rules, Scope
from dunning.policy import PolicyBook, load_policies
from dunning.policy.jurisdiction import narrowest, zones_of_countries
from dunning.policy.calendar import CalendarFile
from tests.builders import (
    IN_HONG_KONG,
    IN_MAINLAND_CHINA,
    IN_THE_UNITED_STATES,
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    day,
    instant,
    rules_of,
    the_policies,
)

DAY = timedelta(days=1)
NINE_TO_HALF_PAST_EIGHT = ((540, 1230),)
NINE_TO_EIGHT = ((540, 1200),)
NINE_TO_SEVEN = ((540, 1140),)

IN_JAPAN = {"country": "JP", "phone_country": "JP", "phone": "+819012345678"}

ONE_A_DAY, TWO_A_WEEK, THREE_A_WEEK = Cap(1, DAY), Cap(2, 7 * DAY), Cap(3, 7 * DAY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the package's policies that may be changed."""
    with as_file(files("dunning.policy")) as source:
        shutil.copytree(source, tmp_path / "policy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "policy"


def changed(folder: Path, name: str, old: str, new: str) -> PolicyBook:
    """Load the policies with one change in them."""
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), "utf-8")
    return load_policies(folder)


def rules(book: PolicyBook, facts: Facts | None = None) -> Rules:
    found = book.rules_for(facts or a_customer())
    assert isinstance(found, Rules)
    return found


def test_the_places_we_know_are_these() -> None:
    assert set(the_policies().jurisdictions) == {"TW", "CN", "HK", "US", "US-MA", "default"}


@pytest.mark.parametrize("name", ["TW", "CN", "HK", "US", "US-MA", "default"])
def test_every_number_of_a_place_says_where_it_is_from_and_how_sure_we_are(name: str) -> None:
    raw = tomllib.loads((files("dunning.policy") / "jurisdictions" / f"{name}.toml").read_text("utf-8"))
    limits = [*raw["hours"].values(), *raw["caps"], *raw.get("closed_days", ())]
    limits += [raw[field] for field in ("consent", "opt_out_line", "carrier", "retention")]
    for limit in limits:
        assert len(limit["source"]) > 10 or limit["source"] == "own default"
        assert limit["mark"] in {"V", "V2", "M", "D"}
        assert ("own default" in limit["source"]) <= (limit["mark"] == "D")
    assert raw["checked_on"] >= date(2026, 1, 1)


@pytest.mark.parametrize(
    ("facts", "jurisdiction", "week", "caps"),
    [
        pytest.param(a_customer(), "TW", (NINE_TO_HALF_PAST_EIGHT,) * 7, {ONE_A_DAY, THREE_A_WEEK}, id="Taiwan"),
        pytest.param(
            a_customer(**IN_HONG_KONG), "HK", (NINE_TO_HALF_PAST_EIGHT,) * 7, {ONE_A_DAY, THREE_A_WEEK}, id="Hong Kong"
        ),
        pytest.param(
            a_customer(**IN_MAINLAND_CHINA),
            "CN",
            (NINE_TO_HALF_PAST_EIGHT,) * 7,
            {ONE_A_DAY, THREE_A_WEEK},
            id="mainland China",
        ),
        pytest.param(
            a_customer(**IN_THE_UNITED_STATES),
            "US",
            (NINE_TO_EIGHT,) * 6 + ((),),
            {ONE_A_DAY, TWO_A_WEEK, THREE_A_WEEK},
            id="United States",
        ),
        pytest.param(
            a_customer(region="MA", **IN_THE_UNITED_STATES),
            "US-MA",
            (NINE_TO_EIGHT,) * 6 + ((),),
            {ONE_A_DAY, TWO_A_WEEK, THREE_A_WEEK, Cap(2, 7 * DAY, Scope.ACCOUNT)},
            id="Massachusetts",
        ),
        pytest.param(
            a_customer(**IN_JAPAN),
            "default",
            (NINE_TO_SEVEN,) * 6 + ((),),
            {ONE_A_DAY, TWO_A_WEEK, THREE_A_WEEK, Cap(6, 30 * DAY)},
            id="anywhere else",
        ),
    ],
)
def test_hours_and_caps_of_a_place(
    facts: Facts, jurisdiction: str, week: tuple[tuple[tuple[int, int], ...], ...], caps: set[Cap]
) -> None:
    found = rules_of(facts)
    assert found.jurisdiction == jurisdiction
    assert found.hours.week == week
    assert {*found.person_caps, *found.account_caps} == caps
    assert all(cap.scope is Scope.PERSON for cap in found.person_caps)
    assert all(cap.scope is Scope.ACCOUNT for cap in found.account_caps)
    assert found.longest_window == max(cap.window for cap in caps)


def test_the_default_policy_is_the_ladder_of_six_stages_at_ten_o_clock() -> None:
    for lender in the_policies().lenders.values():
        assert lender.ladder == (-3, 0, 3, 7, 15, 30)
        assert lender.preferred_hour == 600
        assert {(cap.at_most, cap.within) for cap in lender.caps} == {(1, DAY), (3, 7 * DAY)}


def test_unless_a_lender_says_otherwise_due_today_goes_first_then_before_then_overdue_by_age() -> None:
    assert rules_of(a_customer()).urgency == (0, -3, 3, 7, 15, 30)


@pytest.mark.parametrize(
    ("weeks", "monday"),
    [
        pytest.param([None, None], ((0, 1440),), id="nobody says anything"),
        pytest.param([((540, 1230),), ((480, 1200),)], ((540, 1200),), id="the later start and the earlier end"),
        pytest.param([((540, 720), (780, 1230)), ((600, 800),)], ((600, 720), (780, 800)), id="a break stays a break"),
        pytest.param([((540, 720),), ((720, 1230),)], (), id="hours that only touch are none"),
    ],
)
def test_the_narrowest_of_several_hours_holds(
    weeks: list[tuple[tuple[int, int], ...] | None], monday: tuple[tuple[int, int], ...]
) -> None:
    assert narrow(*(windows if windows is None else (windows,) * 7 for windows in weeks)) == (monday,) * 7


@pytest.mark.parametrize(
    ("hours", "monday"),
    [
        pytest.param("00:00-24:00", NINE_TO_HALF_PAST_EIGHT, id="wider hours have no effect"),
        pytest.param("08:00-12:00, 13:00-23:00", ((540, 720), (780, 1230)), id="a break has, wider ends have none"),
        pytest.param("10:00-18:00", ((600, 1080),), id="narrower hours hold"),
    ],
)
def test_a_lender_may_narrow_the_hours_of_a_place_and_never_widen_them(
    folder: Path, hours: str, monday: tuple[tuple[int, int], ...]
) -> None:
    book = changed(
        folder, "lenders/demo-tw.toml", "max_segments = 2", f'max_segments = 2\nhours = {{ daily = "{hours}" }}'
    )
    assert rules(book).hours.week[0] == monday
    assert rules(book).overdue_hours.week[0] == monday


def test_our_own_hours_do_not_loosen_the_law(folder: Path) -> None:
    book = changed(folder, "jurisdictions/TW.toml", '"09:00-20:30"', '"05:00-23:30"')
    assert rules(book).hours.week[0] == ((420, 1320),)


def test_a_lender_with_weaker_caps_changes_nothing_and_one_with_stronger_caps_is_heard(folder: Path) -> None:
    weaker = rules(changed(folder, "lenders/demo-tw.toml", "at_most = 3", "at_most = 30"))
    assert {ONE_A_DAY, THREE_A_WEEK} <= set(weaker.person_caps)
    stronger = rules(changed(folder, "lenders/demo-tw.toml", "at_most = 30", "at_most = 1"))
    assert Cap(1, 7 * DAY) in stronger.person_caps


def test_a_lender_may_add_a_window_of_its_own(folder: Path) -> None:
    own = '[[caps]]\nat_most = 8\nwithin = "60d"\nscope = "account"\n\n[sns.TW]'
    found = rules(changed(folder, "lenders/demo-tw.toml", "[sns.TW]", own))
    assert found.account_caps == (Cap(8, 60 * DAY, Scope.ACCOUNT),)
    assert found.longest_window == 60 * DAY


@pytest.mark.parametrize(
    ("facts", "zones"),
    [
        pytest.param(a_customer(), {"Asia/Taipei"}, id="Taiwan has one"),
        pytest.param(a_customer(region="CA", **IN_THE_UNITED_STATES), {"America/Los_Angeles"}, id="California has one"),
        pytest.param(
            a_customer(region="TX", **IN_THE_UNITED_STATES), {"America/Chicago", "America/Denver"}, id="Texas has two"
        ),
        pytest.param(
            a_customer(country="TW", phone_country="HK"),
            {"Asia/Taipei", "Asia/Hong_Kong"},
            id="a Hong Kong number in Taiwan may be in either",
        ),
        pytest.param(
            a_customer(country="ID", phone_country="ID"),
            {"Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"},
            id="a country without a file has those of the IANA table",
        ),
    ],
)
def test_the_possible_time_zones_of_a_customer(facts: Facts, zones: set[str]) -> None:
    found = rules_of(facts).zones
    assert {zone.key for zone in found} == zones
    assert len(found) == len(zones)


def test_an_american_of_an_unknown_state_may_be_anywhere_from_new_york_to_honolulu() -> None:
    for region in ("", "ZZ"):
        zones = {zone.key for zone in rules_of(a_customer(region=region, **IN_THE_UNITED_STATES)).zones}
        assert {"America/New_York", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu"} <= zones


def test_all_american_states_are_known_and_every_zone_of_theirs_is_possible_for_an_unknown_one() -> None:
    place = the_policies().jurisdictions["US"]
    assert len(place.regions) == 51
    now = instant("2026-01-15 12:00", "UTC")
    july = instant("2026-07-15 12:00", "UTC")

    def clocks(name: str) -> tuple[timedelta | None, ...]:
        return tuple(moment.astimezone(ZoneInfo(name)).utcoffset() for moment in (now, july))

    anywhere = {clocks(name) for name in place.time_zones}
    assert {clocks(name) for zones in place.regions.values() for name in zones} == anywhere


def test_a_country_that_is_none_has_no_rules() -> None:
    assert the_policies().rules_for(a_customer(country="default")) is Reason.UNKNOWN_JURISDICTION
    assert the_policies().rules_for(a_customer(country="US-MA")) is Reason.UNKNOWN_JURISDICTION
    assert the_policies().rules_for(a_customer(country="")) is Reason.UNKNOWN_JURISDICTION
    assert the_policies().rules_for(a_customer(lender="")) is Reason.UNKNOWN_LENDER


def test_every_country_of_the_world_has_rules_with_a_time_zone() -> None:
    for country in zones_of_countries():
        found = rules_of(a_customer(country=country, phone_country=country))
        assert found.zones


@pytest.mark.parametrize(
    ("place", "consent", "opt_out", "registered", "signed_by_carrier", "sender_id"),
    [
        pytest.param({}, False, False, False, False, "DEMOFIN", id="Taiwan"),
        pytest.param(IN_HONG_KONG, False, False, False, False, "DEMOFIN", id="Hong Kong"),
        pytest.param(IN_MAINLAND_CHINA, False, False, True, True, "", id="mainland China"),
        pytest.param(IN_THE_UNITED_STATES, True, True, False, False, "", id="United States"),
        pytest.param(IN_JAPAN, True, True, False, False, "", id="anywhere else"),
    ],
)
def test_what_a_place_and_its_carriers_demand(
    place: dict[str, Any],
    *,
    consent: bool,
    opt_out: bool,
    registered: bool,
    signed_by_carrier: bool,
    sender_id: str,
) -> None:
    found = rules_of(a_customer(**place))
    assert found.consent_required is consent
    assert bool(found.opt_out_line) is opt_out
    assert (found.registered is not None) is registered
    assert found.signature_by_carrier is signed_by_carrier
    assert found.sender_id == sender_id


def test_american_numbers_are_reached_from_an_origination_number() -> None:
    assert rules_of(a_customer(**IN_THE_UNITED_STATES)).origination_number == "+18005550100"
    assert rules_of(a_customer()).origination_number == ""


def test_carriers_ask_by_the_number_and_the_law_by_the_place() -> None:
    found = rules_of(a_customer(country="TW", phone_country="CN", lender="demo-cn"))
    assert found.jurisdiction == "TW"
    assert found.signature_by_carrier
    assert found.registered


def overdue(place: dict[str, Any], due: str, currency: str) -> Facts:
    return a_customer(an_account(an_instalment(due, 32_500), currency=currency), **place)


def at_noon(facts: Facts, on: str, zone: str, hour: str = "12:00") -> Decision:
    return decide(facts, a_standing(), the_policies(), instant(f"{on} {hour}", zone))


def test_after_chinas_calendar_has_ended_overdue_texts_stop_and_due_day_texts_still_go() -> None:
    shanghai = "Asia/Shanghai"
    last_day = at_noon(overdue(IN_MAINLAND_CHINA, "2026-12-20", "CNY"), "2026-12-31", shanghai)
    assert isinstance(last_day, Send)
    day_after = at_noon(overdue(IN_MAINLAND_CHINA, "2026-12-20", "CNY"), "2027-01-01", shanghai)
    assert isinstance(day_after, Stop)
    assert day_after.reason is Reason.CALENDAR_NOT_COVERED
    assert day_after.until == instant("2027-01-08 12:00", shanghai)
    due_today = at_noon(overdue(IN_MAINLAND_CHINA, "2027-01-01", "CNY"), "2027-01-01", shanghai)
    assert isinstance(due_today, Send)


def test_a_wait_that_would_end_after_the_calendar_ends_with_it() -> None:
    shanghai = "Asia/Shanghai"
    decision = at_noon(overdue(IN_MAINLAND_CHINA, "2026-12-30", "CNY"), "2026-12-31", shanghai)
    assert (decision.reason, decision.until) == (Reason.NEXT_STAGE, instant("2027-01-02 10:00", shanghai))


def test_where_one_account_needs_the_calendar_and_another_does_not_the_other_is_written_about() -> None:
    accounts = (
        an_account(an_instalment("2026-12-20"), account_id="A1", currency="CNY"),
        an_account(an_instalment("2027-01-01"), account_id="A2", currency="CNY"),
    )
    for order in (accounts, accounts[::-1]):
        decision = at_noon(a_customer(*order, **IN_MAINLAND_CHINA), "2027-01-01", "Asia/Shanghai")
        assert isinstance(decision, Send)
        assert decision.reminder.account_ids == ("A2",)


@pytest.mark.parametrize(
    ("place", "currency", "zone", "on", "due", "reason"),
    [
        pytest.param(IN_HONG_KONG, "HKD", "Asia/Hong_Kong", "2026-12-06", "2026-12-01", Reason.CLOSED_DAY,
                     id="Hong Kong, overdue on a Sunday: no"),
        pytest.param(IN_HONG_KONG, "HKD", "Asia/Hong_Kong", "2026-12-25", "2026-12-20", Reason.CLOSED_DAY,
                     id="Hong Kong, overdue at Christmas: no"),
        pytest.param(IN_HONG_KONG, "HKD", "Asia/Hong_Kong", "2026-12-06", "2026-12-06", Reason.DUE,
                     id="Hong Kong, due today on a Sunday: yes"),
        pytest.param(IN_HONG_KONG, "HKD", "Asia/Hong_Kong", "2026-12-25", "2026-12-25", Reason.DUE,
                     id="Hong Kong, due today at Christmas: yes"),
        pytest.param(IN_THE_UNITED_STATES, "USD", "America/New_York", "2026-12-06", "2026-12-01", Reason.CLOSED_DAY,
                     id="United States, overdue on a Sunday: no"),
        pytest.param(IN_THE_UNITED_STATES, "USD", "America/New_York", "2026-12-06", "2026-12-06", Reason.CLOSED_DAY,
                     id="United States, due today on a Sunday: no"),
        pytest.param(IN_THE_UNITED_STATES, "USD", "America/New_York", "2026-12-25", "2026-12-20", Reason.DUE,
                     id="United States, overdue at Christmas: no law speaks against it"),
        pytest.param(IN_MAINLAND_CHINA, "CNY", "Asia/Shanghai", "2026-10-01", "2026-09-20", Reason.CLOSED_DAY,
                     id="China, overdue on the national day: no"),
        pytest.param(IN_MAINLAND_CHINA, "CNY", "Asia/Shanghai", "2026-10-01", "2026-10-01", Reason.DUE,
                     id="China, due today on the national day: yes"),
        pytest.param({}, "TWD", "Asia/Taipei", "2026-12-06", "2026-12-01", Reason.DUE,
                     id="Taiwan, overdue on a Sunday: no law speaks against it"),
        pytest.param(IN_THE_UNITED_STATES | IN_JAPAN | {"country": "JP", "phone_country": "JP"}, "JPY", "Asia/Tokyo",
                     "2026-11-23", "2026-11-23", Reason.CLOSED_DAY, id="Japan, due today on a holiday: no"),
        pytest.param(IN_THE_UNITED_STATES | IN_JAPAN, "JPY", "Asia/Tokyo", "2026-11-24", "2026-11-24", Reason.DUE,
                     id="Japan, due today on a working day: yes"),
        pytest.param(IN_THE_UNITED_STATES | {"country": "PA", "phone_country": "PA"}, "USD", "America/Panama",
                     "2026-11-24", "2026-11-24", Reason.CALENDAR_NOT_COVERED,
                     id="a country without a calendar: nothing, fail closed"),
    ],
)  # fmt: skip
def test_closed_days(place: dict[str, Any], currency: str, zone: str, on: str, due: str, reason: Reason) -> None:
    facts = overdue(place, due, currency)
    decision = at_noon(facts, on, zone, "15:30")
    assert decision.reason is reason


def test_a_chinese_number_is_written_to_in_registered_words_only() -> None:
    unregistered = overdue(IN_MAINLAND_CHINA | {"lender": "demo-tw", "language": "zh-Hant"}, "2026-12-01", "CNY")
    decision = at_noon(unregistered, "2026-12-01", "Asia/Shanghai")
    assert decision.reason is Reason.TEMPLATE_NOT_REGISTERED
    registered = at_noon(overdue(IN_MAINLAND_CHINA, "2026-12-01", "CNY"), "2026-12-01", "Asia/Shanghai")
    assert isinstance(registered, Send)
    assert registered.reminder.registered_template == "CN-DEMO-0003"
    assert not set("【】") & set(registered.reminder.text)
    elsewhere = at_noon(a_customer(), "2026-12-01", "Asia/Taipei")
    assert isinstance(elsewhere, Send)
    assert elsewhere.reminder.registered_template == ""


def test_every_text_a_chinese_number_may_get_is_registered() -> None:
    found = rules_of(a_customer(**IN_MAINLAND_CHINA))
    assert found.registered is not None
    ids = [
        found.registered[found.texts[language, stage, several].template]
        for language in found.languages
        for stage in found.ladder
        for several in (False, True)
    ]
    assert len(ids) == len(set(ids)) == 24


CALENDARS = sorted(
    entry.name.removesuffix(".toml")
    for entry in (files("dunning.policy") / "calendars").iterdir()
    if entry.name.endswith(".toml")
)


@pytest.mark.parametrize("country", CALENDARS)
def test_a_calendar_loads_is_named_after_its_country_and_covers_all_its_days(country: str) -> None:
    raw = (files("dunning.policy") / "calendars" / f"{country}.toml").read_text("utf-8")
    calendar = CalendarFile.model_validate(tomllib.loads(raw))
    assert calendar.country == country
    assert country in zones_of_countries()
    assert calendar.source
    assert calendar.holidays
    assert max(calendar.holidays) <= calendar.valid_until
    assert calendar.valid_until >= day("2026-12-31")


def test_the_calendars_of_places_we_know_are_there() -> None:
    assert {"TW", "CN", "HK", "US"} <= set(CALENDARS)


def test_a_text_of_three_segments_is_estimated_at_three_times_the_price() -> None:
    book = the_policies()
    assert book.price("TW", 1) == 41_700
    assert book.price("TW", 3) == 125_100
    assert book.price("ZZ", 2) == 100_000
