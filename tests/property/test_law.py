"""
No policy that loads can send outside the law of its places, whatever it says.

Random policies are written as files and read by the loader. It may refuse one; one that it takes is lived with, and
every text is held against the jurisdiction files, which are read here a second time, in the plainest way.
"""

import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import event, given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reminder, Send
from dunning.domain.decision.rules import Policies
from dunning.policy import PolicyError
from dunning.policy.jurisdiction import zones_of_countries
from tests.support.arms import ARMS, ForcedArm
from tests.support.builders import (
    a_customer,
    a_standing,
    after,
    an_account,
    an_instalment,
    policies_with_lender,
    the_policies,
)
from tests.support.strategies import many

START = datetime(2026, 11, 20, tzinfo=UTC)
LIFE = timedelta(days=75)
DATA = files("dunning.policy") / "data"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

PHONES = {"CN": "+8613800000000", "TW": "+886900000001", "US": "+12025550100"}
DEMANDED = {
    "US": 'origination_number = "+18005550100"',
    **dict.fromkeys(("AU", "GB", "ID", "PH", "SG", "TH", "VN"), 'sender_id = "DEMOFIN"'),
    "IN": 'sender_id = "DEMOFI"\nentity_id = "DEMO-IN"',
}


@cache
def law(place: str) -> dict[str, Any]:
    return tomllib.loads((DATA / "jurisdictions" / f"{place}.toml").read_text("utf-8"))


@cache
def place_of(country: str, region: str = "") -> str:
    names = {entry.name.removesuffix(".toml") for entry in (DATA / "jurisdictions").iterdir()}
    for name in (f"{country}-{region}", country):
        if name in names:
            return name
    groups = [name for name in sorted(names) if country in law(name).get("countries", ())]
    return groups[0] if groups else "default"


@cache
def calendar(country: str) -> dict[str, Any]:
    return tomllib.loads((DATA / "calendars" / f"{country}.toml").read_text("utf-8"))


def holds(limit: Mapping[str, Any], day: date) -> bool:
    """Tell whether an entry of a file is in force on a day."""
    return bool(limit.get("in_force_from", day) <= day <= limit.get("in_force_until", day))


def law_on(place: str, day: date) -> dict[str, Any]:
    """Return what a file says on a day: entries that hold then, and sections as amended."""
    says: dict[str, Any] = {
        name: [entry for entry in value if holds(entry, day)] if name in ("caps", "closed_days") else value
        for name, value in law(place).items()
    }
    for amendment in law(place).get("amendments", ()):
        if amendment["in_force_from"] <= day:
            sections = {name: section for name, section in amendment.items() if name != "in_force_from"}
            if "hours" in sections:
                sections["hours"] = says["hours"] | {"law": sections["hours"]}
            says |= sections
    return says


COUNTRIES = (
    *("TW", "CN", "HK", "US", "GB", "FR", "GR", "IN", "SG", "MY", "ID", "PH", "AU", "TH", "VN", "KR", "JP", "BR"),
    "CH",
)
"""Each place, one country of the EU, and one that has no file of its own."""

REGIONS = {
    "US": ("", "MA", "NY", "DC", "TX"),
    "AU": ("", "NSW", "WA"),
    "BR": ("", "SP", "RJ", "AL", "AM", "ES", "PR"),
    "ID": ("", "JK"),
}

ODD_ZONES = ("Asia/Urumqi", "America/New_York")
"""What a lender may say of a person by mistake, or by custom: no zone of most places."""

clocks = st.integers(0, 48).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
decent = st.sampled_from(["09:00-18:00", "10:00-12:00, 13:00-17:00", "09:30-17:30", "08:00-18:00", "11:00-14:00"])


@st.composite
def windows(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 9)):
        return draw(decent)
    start, end = sorted(draw(st.lists(clocks, min_size=2, max_size=2, unique=True)))
    return f"{start}-{end}"


@st.composite
def hours(draw: st.DrawFn) -> str:
    days = draw(st.sampled_from([("daily",), ("mon-fri", "sat-sun"), ("mon-sat", "sun"), ("mon-fri", "sat", "sun")]))
    table = {name: draw(windows()) for name in days}
    for special in ("holiday", "working_day"):
        if draw(st.integers(0, 3)) == 0:
            table[special] = draw(st.one_of(st.just(""), windows()))
    return "{ " + ", ".join(f'{name} = "{times}"' for name, times in table.items()) + " }"


caps = st.tuples(
    st.sampled_from([1, 1, 1, 2, 2, 3, 6]),
    st.sampled_from(["24h", "7d", "30d"]),
    st.sampled_from(["person", "account"]),
)


def caps_of(drawn: list[tuple[int, str, str]]) -> str:
    return ", ".join(f'{{ at_most = {n}, within = "{span}", scope = "{scope}" }}' for n, span, scope in drawn)


@cache
def registered() -> str:
    book = the_policies()
    found = [*book.texts.values(), *book.texts_with_fee.values()]
    return "\n".join(f'"{text.template}" = "R{number}"' for number, text in enumerate(found))


HOTLINES = ('"our help desk"', '"our help desk"', '"1300 88 1234"', '"our app"')


@st.composite
def policies(draw: st.DrawFn) -> tuple[str, tuple[str, ...]]:
    """Draw a policy file and the countries it texts people in."""
    stages = sorted(draw(st.sets(st.sampled_from((-3, 0, 3, 7, 15, 30)), min_size=1)))
    countries = draw(st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3, unique=True))
    lines = [
        'id = "drawn"\nlanguages = ["en"]\nhotline = "0800-000-123"\npreferred_hour = "10:00"\nmax_segments = 2',
        f"ladder = {stages}\nmin_days_between_stages = 3",
        'sender_name = { en = "Demo Finance" }\npay = { en = "in our app" }',
        f"caps = [{caps_of(draw(st.lists(caps, min_size=1, max_size=2)))}]",
    ]
    if draw(st.booleans()):
        lines.append(f"hours = {draw(hours())}")
    for country in countries:
        lines.append(f'[countries.{country}]\nmax_price = "0.30"\n{DEMANDED.get(country, "")}')
        if country == "MY" or draw(st.integers(0, 3)) == 0:
            lines.append(f"hotline = {draw(st.sampled_from(HOTLINES))}")
        if draw(st.integers(0, 2)) == 0:
            lines.append(f"hours = {draw(hours())}")
        if draw(st.integers(0, 2)) == 0:
            lines.append(f"caps = [{caps_of(draw(st.lists(caps, max_size=2)))}]")
        if country in ("CN", "IN"):
            lines.append(f"[countries.{country}.registered]\n{registered()}")
    return "\n".join(lines), tuple(countries)


@dataclass(frozen=True)
class Person:
    """Who is texted: where they are, where their number is from, and when something fell due."""

    facts: Facts
    late: tuple[int, ...]


@st.composite
def people(draw: st.DrawFn, countries: tuple[str, ...]) -> Person:
    country = draw(st.sampled_from(countries))
    number = draw(st.sampled_from(countries)) if draw(st.integers(0, 2)) == 0 else country
    region = draw(st.sampled_from(REGIONS.get(country, ("",))))
    zone = draw(st.sampled_from(["", "", zones_of_countries()[country][0], *ODD_ZONES]))
    accounts = [
        an_account(
            *(an_instalment(str(due), 32_500, number=at) for at, due in enumerate(sorted(dues), 1)),
            account_id=f"A{position}", currency="USD",
        )
        for position, dues in enumerate(
            draw(st.lists(st.sets(st.dates(date(2026, 11, 1), date(2027, 1, 25)), min_size=1, max_size=3), min_size=1,
                          max_size=2))
        )
    ]  # fmt: skip
    facts = a_customer(
        *accounts, country=country, region=region, phone_country=number, phone=PHONES.get(number, "+447400000000"),
        time_zone=zone, language="en", name="John Smith", lender="drawn",
        consented_at=draw(st.sampled_from([None, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)])),
    )  # fmt: skip
    return Person(facts, tuple(draw(st.lists(st.sampled_from([0, 0, 0, 1, 61, 600, 1439]), min_size=1, max_size=6))))


def lived(book: Policies, person: Person) -> list[tuple[datetime, Reminder]]:
    """Return what a person is sent in ten weeks, each wake late by some minutes."""
    standing, now = a_standing(), START
    sent: list[tuple[datetime, Reminder]] = []
    for late in itertools.islice(itertools.cycle(person.late), 400):
        if now > START + LIFE:
            return sent
        decision = decide(person.facts, standing, book, now)
        if isinstance(decision, Send):
            if not decision.reminder.is_held_out:
                sent.append((now, decision.reminder))
            standing = after(standing, person.facts, decision.reminder, now)
        elif decision.until is None:
            return sent
        else:
            now = decision.until + timedelta(minutes=late)
    raise AssertionError("woken four hundred times")


def open_at(week: Mapping[str, str], local: datetime, country: str) -> bool:
    """Tell whether written hours are open: the rule of the week, its holidays and its moved working days."""
    days = {}
    for name, times in week.items():
        if name in ("holiday", "working_day"):
            continue
        first, _, last = name.replace("daily", "mon-sun").partition("-")
        for day in range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1):
            days[day] = times
    times = days[local.weekday()]
    if "holiday" in week and str(local.date()) in map(str, calendar(country)["holidays"]):
        times = week["holiday"]
    return any(start <= f"{local:%H:%M}" < end for start, end in re.findall(r"(\d\d:\d\d)-(\d\d:\d\d)", times))


def homes(facts: Facts) -> list[tuple[str, str]]:
    """Return the countries, with their regions, whose law holds: the person's, and a foreign number's."""
    own = [(facts.country, facts.region)]
    return own if facts.phone_country == facts.country else [*own, (facts.phone_country, "")]


def zones(facts: Facts, at: datetime) -> list[str]:
    """Return the zones in which a text has to be lawful: the person's own, unless it shows no time of the place."""
    possible = [zones_of_place(country, region) for country, region in homes(facts)]
    everywhere = [zone for zones_there in possible for zone in zones_there]
    if not facts.time_zone:
        return everywhere
    own = at.astimezone(ZoneInfo(facts.time_zone)).replace(tzinfo=None)
    at_home = any(at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == own for zone in possible[0])
    return [facts.time_zone] if at_home else [facts.time_zone, *everywhere]


def zones_of_place(country: str, region: str) -> list[str]:
    place = place_of(country)
    of_place = law(place) if place == country else {}
    named: list[str] = of_place.get("regions", {}).get(region) or of_place.get("time_zones") or []
    return named or list(zones_of_countries()[country])


def check_one(facts: Facts, at: datetime, reminder: Reminder, place: str, country: str) -> None:
    for zone in zones(facts, at):
        local = at.astimezone(ZoneInfo(zone))
        says = law_on(place, local.date())
        for limit in says["hours"].values():
            assert open_at(limit["week"], local, country), f"{place}: outside hours"
            if "holiday" in limit["week"]:
                assert local.date() <= calendar(country)["valid_until"]
        for closed in says.get("closed_days", ()):
            if closed["stages"] == "overdue" and reminder.stage <= 0:
                continue
            if closed["day"] == "sunday":
                assert local.isoweekday() != 7, f"{place}: on a Sunday"
            else:
                assert str(local.date()) not in map(str, calendar(country)["holidays"]), f"{place}: on a holiday"
                assert local.date() <= calendar(country)["valid_until"], f"{place}: beyond the calendar"
        check_words(facts, at, reminder, says)


def check_words(facts: Facts, at: datetime, reminder: Reminder, says: Mapping[str, Any]) -> None:
    if says["consent"]["required"]:
        assert facts.consented_at is not None
        assert facts.consented_at <= at
    if says["opt_out"]["line_required"]:
        assert "stop" in reminder.text.casefold()
    if "origination_number" not in DEMANDED.get(facts.phone_country, ""):
        assert "reply" not in reminder.text.casefold(), "nobody can answer what is not sent from an own number"
    if not says.get("call_back_numbers", {"allowed": True})["allowed"]:
        assert not re.search(r"0800-000-123|1300 88 1234", reminder.text), "a number to call"
    if reminder.stage > 0:
        assert reminder.stage >= says.get("grace", {}).get("first_overdue_day", 0), "in days of grace"
    if not says["links"]["allowed"]:
        assert not re.search(r"https?:|www\.|\w\.(?:com|net|io)\b", reminder.text)


def check_caps(sent: list[tuple[datetime, Reminder]], facts: Facts, place: str) -> None:
    units = {"h": timedelta(hours=1), "d": timedelta(days=1)}
    for cap in [cap for cap in law(place)["caps"] if not cap.get("channels")]:  # all goes by SMS here
        window = int(cap["within"][:-1]) * units[cap["within"][-1]]
        for account in facts.accounts if cap["scope"] == "account" else [None]:
            times = [at for at, reminder in sent if account is None or account.account_id in reminder.account_ids]
            for last in times:
                if not holds(cap, last.astimezone(ZoneInfo(zones_of_place(*homes(facts)[0])[0])).date()):
                    continue
                assert sum(last - window < moment <= last for moment in times) <= cap["at_most"], (
                    f"{place}: {cap['source']}"
                )


@many
@given(st.data())
def test_no_policy_that_loads_can_send_outside_the_law_of_its_places(data: st.DataObject) -> None:
    policy, countries = data.draw(policies())
    try:
        book = policies_with_lender("drawn", policy)
    except PolicyError:
        event("refused")
        return
    person = data.draw(people(countries))
    facts = person.facts
    sent = lived(book, person)
    event(f"{place_of(facts.country, facts.region)}: {'texts' if sent else 'no text'}")
    check_all(facts, sent)
    chance = data.draw(st.sampled_from(ARMS))
    check_all(facts, lived(ForcedArm(book, *chance), person))


def check_all(facts: Facts, sent: list[tuple[datetime, Reminder]]) -> None:
    """Hold what a person was sent against the law of all places that apply."""
    for country, region in homes(facts):
        place = place_of(country, region)
        for at, reminder in sent:
            check_one(facts, at, reminder, place, country)
        check_caps(sent, facts, place)
    if law(place_of(facts.phone_country))["carrier"]["registered_template"]:
        assert all(reminder.registered_template for _, reminder in sent)
