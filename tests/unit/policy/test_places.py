"""What holds for a customer: the law of the place, our own limits and the lender's, whichever is narrowest."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, Reason, Send, Stop
from dunning.domain.decision.hours import next_open
from dunning.domain.decision.rules import Cap, Rules, Scope, Windows
from dunning.policy import PolicyBook, load_policies
from dunning.policy.fields import parse_span, parse_windows
from dunning.policy.jurisdiction import narrowest, zones_of_countries
from dunning.services.send.claims import LONGEST_RETENTION_DAYS
from tests.support.builders import (
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
from tests.support.people import NOW

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NINE_TO_HALF_PAST_EIGHT = ((540, 1230),)
NINE_TO_EIGHT = ((540, 1200),)
CONSENTED = datetime(2026, 1, 1, tzinfo=UTC)
TODAY = day("2026-11-30")

ONE_A_DAY, TWO_A_WEEK, THREE_A_WEEK = Cap(1, DAY), Cap(2, 7 * DAY), Cap(3, 7 * DAY)
EIGHT_A_MONTH = Cap(8, 30 * DAY)
"""Our own default for a lender without a cap for more than a week."""

IN_INDIA = """
[countries.IN]
sender_id = "DEMOFN"
entity_id = "DEMO-IN-ENTITY"
max_price = "0.01"
registered = { "en/before-3@3" = "IN-DEMO-0001" }
"""


def living_in(country: str, region: str = "", **changes: Any) -> Facts:  # noqa: ANN401 - fields
    """Describe a customer of the lender that texts people all over the world, with a number of the same country."""
    facts = {"phone_country": country, "lender": "demo-world", "language": "en", "consented_at": CONSENTED} | changes
    return a_customer(country=country, region=region, **facts)


def changed(folder: Path, name: str, old: str, new: str) -> PolicyBook:
    """Load the policies with one change in them."""
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), "utf-8")
    return load_policies(folder)


def rules(book: PolicyBook, facts: Facts | None = None) -> Rules:
    found = book.rules_for(facts or a_customer(), NOW)
    assert isinstance(found, Rules)
    return found


# Written by hand from the law and from what we chose, not from the data files. "none": no law is known. "closed": no
# hour of the day. Ours is what holds in the end, for texts up to the due date; the last two columns are for overdue
# ones. A holiday is one that falls on a day of Monday to Friday.
HOURS = """
place   | law: Mon-Fri | Saturday    | Sunday      | holiday     | ours: Mon-Fri | Saturday   | Sunday      | holiday     | overdue: Sun | holiday
CN      | 08:00-22:00  | 08:00-22:00 | 08:00-22:00 | 08:00-22:00 | 09:00-20:30  | 09:00-20:30 | 09:00-20:30 | 09:00-20:30 | 09:00-20:30  | closed
TW      | 07:00-22:00  | 07:00-22:00 | 07:00-22:00 | 07:00-22:00 | 09:00-20:30  | 09:00-20:30 | 09:00-20:30 | 09:00-20:30 | 09:00-20:30  | 09:00-20:30
HK      | none         | none        | none        | none        | 09:00-20:30  | 09:00-20:30 | 09:00-20:30 | 09:00-20:30 | closed       | closed
US      | 08:00-21:00  | 08:00-21:00 | 08:00-21:00 | 08:00-21:00 | 09:00-20:00  | 09:00-20:00 | closed      | 09:00-20:00 | closed       | 09:00-20:00
US-MA   | 08:00-21:00  | 08:00-21:00 | 08:00-21:00 | 08:00-21:00 | 09:00-20:00  | 09:00-20:00 | closed      | 09:00-20:00 | closed       | 09:00-20:00
US-DC   | 08:00-21:00  | 08:00-21:00 | 08:00-21:00 | 08:00-21:00 | 09:00-20:00  | 09:00-20:00 | closed      | 09:00-20:00 | closed       | 09:00-20:00
US-NY   | 08:00-21:00  | 08:00-21:00 | 08:00-21:00 | 08:00-21:00 | 09:00-20:00  | 09:00-20:00 | closed      | 09:00-20:00 | closed       | 09:00-20:00
GB      | none         | none        | none        | none        | 08:00-20:00  | 09:00-17:00 | closed      | closed      | closed       | closed
EU      | none         | none        | none        | none        | 09:00-19:00  | 09:00-19:00 | closed      | 09:00-19:00 | closed       | closed
GR      | 09:00-20:00  | closed      | closed      | 09:00-20:00 | 09:00-19:00   | closed      | closed      | 09:00-19:00 | closed       | closed
IN      | 08:00-19:00  | 08:00-19:00 | 08:00-19:00 | 08:00-19:00 | 09:00-18:30  | 09:00-18:30 | 09:00-18:30 | 09:00-18:30 | 09:00-18:30  | closed
SG      | none         | none        | none        | none        | 09:00-20:00  | 09:00-20:00 | closed      | 09:00-20:00 | closed       | 09:00-20:00
MY      | none         | none        | none        | none        | 09:00-20:00  | 09:00-20:00 | 09:00-20:00 | closed      | 09:00-20:00  | closed
ID      | 08:00-20:00  | 08:00-20:00 | closed      | closed      | 09:00-19:00  | 09:00-19:00 | closed      | closed      | closed       | closed
PH      | 06:00-22:00  | 06:00-22:00 | 06:00-22:00 | 06:00-22:00 | 08:00-20:00  | 08:00-20:00 | 08:00-20:00 | 08:00-20:00 | 08:00-20:00  | 08:00-20:00
AU      | 07:30-21:00  | 09:00-21:00 | 09:00-21:00 | closed      | 09:00-20:00  | 09:00-20:00 | 09:00-20:00 | closed      | 09:00-20:00  | closed
TH      | 08:00-20:00  | 08:00-18:00 | 08:00-18:00 | 08:00-18:00 | 09:00-18:00  | 09:00-18:00 | 09:00-18:00 | 09:00-18:00 | 09:00-18:00  | 09:00-18:00
VN      | 07:00-21:00  | 07:00-21:00 | 07:00-21:00 | 07:00-21:00 | 08:00-20:00  | 08:00-20:00 | 08:00-20:00 | 08:00-20:00 | 08:00-20:00  | 08:00-20:00
KR      | 08:00-21:00  | 08:00-21:00 | 08:00-21:00 | 08:00-21:00 | 09:00-20:00  | 09:00-20:00 | 09:00-20:00 | 09:00-20:00 | 09:00-20:00  | 09:00-20:00
JP      | 08:00-21:00  | 08:00-21:00 | 08:00-21:00 | 08:00-21:00 | 09:00-20:00  | 09:00-20:00 | 09:00-20:00 | 09:00-20:00 | 09:00-20:00  | 09:00-20:00
BR      | none         | none        | none        | none        | 09:00-19:00   | closed      | closed      | closed      | closed       | closed
BR-AL   | 08:00-20:00  | 08:00-14:00 | closed      | closed      | 09:00-19:00   | 09:00-13:00 | closed      | closed      | closed       | closed
BR-AM   | 08:00-19:00  | closed      | closed      | 08:00-19:00 | 09:00-18:30   | closed      | closed      | closed      | closed       | closed
BR-ES   | 08:00-19:00  | closed      | closed      | 08:00-19:00 | 09:00-18:30   | closed      | closed      | closed      | closed       | closed
BR-RJ   | 09:00-19:00  | closed      | closed      | 09:00-19:00 | 09:00-18:30   | closed      | closed      | closed      | closed       | closed
BR-SP   | 08:00-20:00  | 08:00-14:00 | closed      | closed      | 09:00-19:00   | 09:00-13:00 | closed      | closed      | closed       | closed
default | none         | none        | none        | none        | 09:00-19:00  | 09:00-19:00 | closed      | closed      | closed       | closed
"""  # noqa: E501 - a table

CAPS = """
place   | law                         | ours
CN      | none                        | 1/24h person, 3/7d person
TW      | none                        | 1/24h person, 3/7d person
HK      | none                        | 1/24h person, 3/7d person
US      | none                        | 1/24h person, 2/7d person
US-MA   | 2/7d account                | 1/24h person, 2/7d person
US-DC   | 5/7d person                 | 1/24h person, 2/7d person
US-NY   | 3/7d account                | 1/24h person, 2/7d person
GB      | none                        | 1/24h person, 3/7d person
EU      | none                        | 1/24h person, 3/7d person
GR      | 1/2d person                 | 1/24h person, 3/7d person
IN      | none                        | 1/24h person, 3/7d person
SG      | none                        | 1/24h person, 3/7d person
MY      | none                        | 1/24h person, 3/7d person
ID      | none                        | 1/24h person, 3/7d person
PH      | none                        | 1/24h person, 3/7d person
AU      | 3/7d account, 10/31d account | 1/24h person, 3/7d person
TH      | 1/24h person                | 1/24h person, 3/7d person
VN      | 5/24h person                | 1/24h person, 3/7d person
KR      | 7/7d account                | 1/24h person, 3/7d person
JP      | none                        | 1/24h person, 3/7d person
BR      | none                        | 1/24h person, 3/7d person
BR-AL   | none                        | 1/24h person, 3/7d person
BR-AM   | none                        | 1/24h person, 3/7d person
BR-ES   | none                        | 1/24h person, 3/7d person
BR-RJ   | none                        | 1/24h person, 3/7d person
BR-SP   | none                        | 1/24h person, 3/7d person
default | none                        | 1/24h person, 2/7d person, 6/30d person
"""

MONDAY_TO_FRIDAY, SATURDAY, SUNDAY = day("2026-11-18"), day("2026-11-21"), day("2026-11-22")


class Example(NamedTuple):
    """Somebody in a place whose clock is known, and a holiday there."""

    facts: Facts
    zone: str
    holiday: date


EXAMPLES = {
    "CN": Example(a_customer(**IN_MAINLAND_CHINA), "Asia/Shanghai", day("2026-10-01")),
    "TW": Example(living_in("TW"), "Asia/Taipei", day("2026-12-25")),
    "HK": Example(living_in("HK"), "Asia/Hong_Kong", day("2026-12-25")),
    "US": Example(living_in("US", "CA"), "America/Los_Angeles", day("2026-12-25")),
    "US-MA": Example(living_in("US", "MA"), "America/New_York", day("2026-12-25")),
    "US-DC": Example(living_in("US", "DC"), "America/New_York", day("2026-12-25")),
    "US-NY": Example(living_in("US", "NY"), "America/New_York", day("2026-12-25")),
    "GB": Example(living_in("GB"), "Europe/London", day("2026-11-30")),
    "EU": Example(living_in("FR"), "Europe/Paris", day("2026-11-11")),
    "GR": Example(living_in("GR"), "Europe/Athens", day("2026-12-25")),
    "IN": Example(living_in("IN"), "Asia/Kolkata", day("2026-10-20")),
    "SG": Example(living_in("SG"), "Asia/Singapore", day("2026-12-25")),
    "MY": Example(living_in("MY"), "Asia/Kuala_Lumpur", day("2026-12-25")),
    "ID": Example(living_in("ID", "BA"), "Asia/Makassar", day("2026-12-25")),
    "PH": Example(living_in("PH"), "Asia/Manila", day("2026-12-25")),
    "AU": Example(living_in("AU", "VIC"), "Australia/Melbourne", day("2026-12-25")),
    "TH": Example(living_in("TH"), "Asia/Bangkok", day("2026-12-10")),
    "VN": Example(living_in("VN"), "Asia/Ho_Chi_Minh", day("2026-09-02")),
    "KR": Example(living_in("KR"), "Asia/Seoul", day("2026-12-25")),
    "JP": Example(living_in("JP"), "Asia/Tokyo", day("2026-11-23")),
    "BR": Example(living_in("BR", "PR"), "America/Sao_Paulo", day("2026-12-25")),
    "BR-AL": Example(living_in("BR", "AL"), "America/Maceio", day("2026-12-25")),
    "BR-AM": Example(living_in("BR", "AM"), "America/Manaus", day("2026-12-25")),
    "BR-ES": Example(living_in("BR", "ES"), "America/Sao_Paulo", day("2026-12-25")),
    "BR-RJ": Example(living_in("BR", "RJ"), "America/Sao_Paulo", day("2026-12-25")),
    "BR-SP": Example(living_in("BR", "SP"), "America/Sao_Paulo", day("2026-12-25")),
    "default": Example(living_in("NO"), "Europe/Oslo", day("2026-12-25")),
}
PLACES = list(EXAMPLES)
AMERICAN = {"US", "US-MA", "US-DC", "US-NY"}


def rows(table: str) -> dict[str, list[str]]:
    """Read a table as its rows by place."""
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()[1:]]
    return {place: cells for place, *cells in lines}


def caps_in(written: str) -> set[Cap]:
    """Read `3/7d account, 10/31d account`."""
    found = set()
    for piece in written.split(", ") if written != "none" else ():
        number, _, scope = piece.partition(" ")
        at_most, _, within = number.partition("/")
        found.add(Cap(int(at_most), parse_span(within), Scope(scope)))
    return found


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PolicyBook:
    """Return the package's policies, with a lender that texts people in India as well."""
    folder = tmp_path_factory.mktemp("with-india") / "policy"
    with as_file(files("dunning.policy") / "data") as source:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    lender = folder / "lenders/demo-world.toml"
    lender.write_text(lender.read_text("utf-8") + IN_INDIA, "utf-8")
    return load_policies(folder)


def without_rest(book: PolicyBook) -> PolicyBook:
    """Return the policies without our own rule that overdue texts rest on every public holiday."""
    return book.with_lenders({
        name: lender._replace(policy=lender.policy.model_copy(update={"rest_on_holidays": False}))
        for name, lender in book.lenders.items()
    })  # fmt: skip


def minutes_open(found: Rules, zone: str, on: date, *, overdue: bool) -> Windows:
    """Ask minute by minute when a text may go on a day."""
    hours = found.overdue_hours if overdue else found.hours
    zones = (ZoneInfo(zone),)
    moment = midnight = instant(f"{on} 00:00", zone)
    stretches: list[tuple[int, int]] = []
    while (moment := next_open(hours, zones, moment)) < midnight + DAY:
        start = moment
        while moment < midnight + DAY and next_open(hours, zones, moment) == moment:
            moment += MINUTE
        stretches.append(((start - midnight) // MINUTE, (moment - midnight) // MINUTE))
    return tuple(stretches)


def windows(written: str) -> Windows:
    """Read `09:00-20:30`, or `closed`."""
    return () if written == "closed" else parse_windows(written)


@pytest.mark.parametrize("place", PLACES)
def test_the_hours_of_a_place(book: PolicyBook, place: str) -> None:
    facts, zone, holiday = EXAMPLES[place]
    found = rules(without_rest(book), facts)
    assert found.jurisdiction == place
    expected = rows(HOURS)[place]
    law = book.places.by_id[place].law.hours.law
    if law is None:
        assert expected[:4] == ["none"] * 4
    else:
        on_a_holiday = law.week.week[holiday.weekday()] if law.week.holiday is None else law.week.holiday
        assert [law.week.week[0], law.week.week[5], law.week.week[6], on_a_holiday] == list(map(windows, expected[:4]))
        assert set(law.week.week[:5]) == {law.week.week[0]}
    ordinary = [minutes_open(found, zone, on, overdue=False) for on in (MONDAY_TO_FRIDAY, SATURDAY, SUNDAY, holiday)]
    assert ordinary == list(map(windows, expected[4:8]))
    overdue = [minutes_open(found, zone, on, overdue=True) for on in (MONDAY_TO_FRIDAY, SATURDAY, SUNDAY, holiday)]
    assert overdue == list(map(windows, [*expected[4:6], *expected[8:10]]))


@pytest.mark.parametrize("place", PLACES)
def test_the_caps_of_a_place(book: PolicyBook, place: str) -> None:
    law, ours = map(caps_in, rows(CAPS)[place])
    caps = [cap for cap in book.places.by_id[place].law.caps if not cap.channels]
    assert {Cap(cap.at_most, cap.within, cap.scope) for cap in caps if cap.is_law} == law
    assert {Cap(cap.at_most, cap.within, cap.scope) for cap in caps if not cap.is_law} == ours
    found = rules(book, EXAMPLES[place].facts)
    lenders_own = {ONE_A_DAY, THREE_A_WEEK, EIGHT_A_MONTH}
    assert {*found.person_caps, *found.account_caps} == law | ours | lenders_own
    assert all(cap.scope is Scope.PERSON for cap in found.person_caps)
    assert all(cap.scope is Scope.ACCOUNT for cap in found.account_caps)
    assert found.longest_window == max(cap.window for cap in law | ours | lenders_own)


def test_the_places_we_know_are_these() -> None:
    assert set(the_policies().places.by_id) == set(PLACES) == set(rows(HOURS)) == set(rows(CAPS))


def limits_in(value: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every table of a jurisdiction file that states a limit, with its name."""
    if isinstance(value, list):
        for position, element in enumerate(value):
            yield from limits_in(element, f"{path}.{position}")
    elif isinstance(value, dict):
        is_none = path in ("", "regions", "hours") or re.search(
            r"\.week$|^amendments\.\d+$|^regions|(^|\.)channels$", path
        )
        if not is_none:
            yield path, value
        for key, element in value.items():
            yield from limits_in(element, f"{path}.{key}" if path else key)


@pytest.mark.parametrize("place", PLACES)
def test_every_limit_says_where_it_is_from_how_sure_we_are_and_when_somebody_looked(place: str) -> None:
    raw = tomllib.loads((files("dunning.policy") / "data" / "jurisdictions" / f"{place}.toml").read_text("utf-8"))
    limits = dict(limits_in(raw))
    assert {"hours.ours", "caps.0", "required.0", "forbidden.0", "opt_out", "links", "carrier", "consent"} <= set(
        limits
    )
    for name, limit in limits.items():
        source = limit["source"]
        assert limit["mark"] in {"V", "Vq", "V2", "M", "D"}, name
        assert len(source) > 10, name
        assert source.startswith("own default: ") is (limit["mark"] == "D"), name
        assert "own default" not in source.removeprefix("own default: "), name
        assert (limit["mark"] == "M") <= ("from memory" in source), name
        assert date(2026, 1, 1) <= limit["checked_on"] <= TODAY, name


EVERYWHERE = {
    "threat-of-arrest", "threat-to-seize", "threat-of-suit", "false-authority", "last-notice", "third-parties", "shame",
    "visits", "abuse", "asks-for-secrets", "marketing", "short-link", "foreign-link",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_what_a_text_must_and_must_not_say_in_a_place(place: str) -> None:
    law = the_policies().places.by_id[place].law
    required_items = [item for required in law.required for item in required.says]
    assert len(required_items) == len(set(required_items))
    assert {"sender", "name", "account", "amount", "date", "pay", "contact", "way_out"} <= set(required_items)
    assert law.opt_out.line_required is ("opt_out" in required_items) is (place in AMERICAN | {"default"})
    forbidden = [rule for entry in law.forbidden for rule in entry.rules]
    assert len(forbidden) == len(set(forbidden))
    assert set(forbidden) - {"link-not-allowed"} == EVERYWHERE
    assert law.links.allowed is ("link-not-allowed" not in forbidden) is (place in AMERICAN | {"GB", "EU", "GR", "AU"})


@pytest.mark.parametrize("place", PLACES)
def test_the_words_by_which_people_opt_out(place: str) -> None:
    words = the_policies().places.by_id[place].law.opt_out.words
    assert len(words) == len(set(words))
    assert {"STOP", "CANCEL", "END", "QUIT", "REMOVE", "UNSUBSCRIBE", "OPT OUT"} <= set(words)
    assert {"R", "TD", "T", "N"} <= set(words) if place == "CN" else not {"R", "TD", "T", "N"} & set(words)
    assert ({"退订", "退訂", "取消", "拒收", "停止"} <= set(words)) is (
        place in {"CN", "TW", "HK", "SG", "MY", "default"}
    )
    own = {"US": "REVOKE", "EU": "ARRET", "GR": "ARRET", "BR": "SAIR", "ID": "BERHENTI"}
    assert own.get(place.partition("-")[0], "STOP") in words


@pytest.mark.parametrize("place", PLACES)
def test_an_opt_out_is_confirmed_by_a_text_in_the_united_states_only(book: PolicyBook, place: str) -> None:
    # Massachusetts counts every text, D.C. wants consent for each; everywhere else nothing allows one more.
    assert book.places.by_id[place].law.opt_out.confirmation is (place in {"US", "US-NY"})
    assert bool(rules(book, EXAMPLES[place].facts).confirmations) is (place in {"US", "US-NY"})


def test_a_number_of_another_place_gets_a_confirmation_only_if_both_allow_it() -> None:
    assert not rules_of(replace(living_in("US"), phone="+85251234567", phone_country="HK")).confirmations
    assert not rules_of(replace(a_customer(), phone="+12025550100", phone_country="US")).confirmations


# place: consent required, registered template, entity, sender id; own number; sender ids at all; signed by the carrier
DEMANDS = {
    "CN": (False, True, False, False, False, False, True),
    "TW": (False, False, False, False, False, True, False),
    "HK": (False, False, False, False, False, True, False),
    "US": (True, False, False, False, True, False, False),
    **dict.fromkeys(("US-MA", "US-DC", "US-NY"), (True, False, False, False, True, False, False)),
    "GB": (False, False, False, True, False, True, False),
    "EU": (False, False, False, False, False, True, False),
    "GR": (False, False, False, False, False, True, False),
    "IN": (True, True, True, True, False, True, False),
    "SG": (False, False, False, True, False, True, False),
    "MY": (False, False, False, False, False, False, False),
    "ID": (False, False, False, True, False, True, False),
    "PH": (False, False, False, True, False, True, False),
    "AU": (False, False, False, True, False, True, False),
    "TH": (False, False, False, True, False, True, False),
    "VN": (False, False, False, True, False, True, False),
    "KR": (False, False, False, False, False, False, False),
    "JP": (False, False, False, False, False, True, False),
    **dict.fromkeys(
        ("BR", "BR-AL", "BR-AM", "BR-ES", "BR-RJ", "BR-SP"), (False, False, False, False, False, False, False)
    ),
    "default": (True, False, False, False, False, True, False),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_a_place_and_its_carriers_demand(book: PolicyBook, place: str) -> None:
    consent, template, entity, registered_sender, own_number, sender_id, signed_by_carrier = DEMANDS[place]
    law = book.places.by_id[place].law
    assert law.carrier.registered_entity is entity
    assert law.carrier.registered_sender is registered_sender
    assert law.carrier.sender_id is sender_id
    assert law.consent.basis == ("consent" if consent else "contract")
    found = rules(book, EXAMPLES[place].facts)
    assert found.consent_required is consent
    assert (found.registered is not None) is template
    assert law.carrier.origination_number is own_number
    assert found.signature_by_carrier is signed_by_carrier
    assert bool(found.opt_out_line) is law.opt_out.line_required
    assert found.sender_id or not registered_sender
    assert sender_id or not found.sender_id


def test_records_are_kept_as_long_as_the_longest_of_the_places_asks() -> None:
    assert rules_of(a_customer(**IN_MAINLAND_CHINA)).retention_days == 5 * 365 + 2
    assert rules_of(living_in("US")).retention_days == 6 * 365 + 2
    assert rules_of(living_in("TW", phone_country="US")).retention_days == 6 * 365 + 2


def test_a_record_whose_place_is_not_known_is_kept_as_long_as_any_place_asks() -> None:
    longest = max(place.law.retention.days for place in the_policies().places.by_id.values())
    assert longest == LONGEST_RETENTION_DAYS


def test_the_default_policy_is_the_ladder_of_six_stages_at_ten_o_clock() -> None:
    for policy in (lender.policy for lender in the_policies().lenders.values()):
        assert policy.ladder == (-3, 0, 3, 7, 15, 30)
        assert policy.preferred_hour == 600
        assert {(cap.at_most, cap.within) for cap in policy.caps if not cap.channels} == {(1, DAY), (3, 7 * DAY)}


def test_unless_a_lender_says_otherwise_due_today_goes_first_then_before_then_overdue_by_age() -> None:
    assert rules_of(a_customer()).urgency == (0, -3, 3, 7, 15, 30)


@pytest.mark.parametrize(
    ("hours", "narrow"),
    [
        pytest.param([], ((0, 1440),), id="nobody says anything"),
        pytest.param([((540, 1230),), ((480, 1200),)], ((540, 1200),), id="the later start and the earlier end"),
        pytest.param([((540, 720), (780, 1230)), ((600, 800),)], ((600, 720), (780, 800)), id="a break stays a break"),
        pytest.param([((540, 720),), ((720, 1230),)], (), id="hours that only touch are none"),
    ],
)
def test_the_narrowest_of_several_hours_holds(hours: list[Windows], narrow: Windows) -> None:
    assert narrowest(hours) == narrow


@pytest.mark.parametrize(
    ("hours", "monday"),
    [
        pytest.param("07:00-22:00", NINE_TO_HALF_PAST_EIGHT, id="the law's hours have no effect: ours are narrower"),
        pytest.param("08:00-12:00, 13:00-22:00", ((540, 720), (780, 1230)), id="a break has, wider ends have none"),
        pytest.param("10:00-18:00", ((600, 1080),), id="narrower hours hold"),
    ],
)
def test_a_lender_may_narrow_the_hours_of_a_place(folder: Path, hours: str, monday: Windows) -> None:
    own = f'max_price = "0.20"\nhours = {{ daily = "{hours}" }}\n\n[countries.HK]'
    book = changed(folder, "lenders/demo-tw.toml", 'max_price = "0.20"\n\n[countries.HK]', own)
    assert rules(book).hours.week[0] == monday
    assert rules(book).overdue_hours.week[0] == monday
    assert rules(book, a_customer(**IN_HONG_KONG)).hours.week[0] == NINE_TO_HALF_PAST_EIGHT


def test_weaker_caps_of_a_lender_change_nothing_and_stronger_ones_count(folder: Path) -> None:
    weaker = rules(changed(folder, "lenders/demo-tw.toml", "at_most = 3", "at_most = 5"))
    assert {ONE_A_DAY, THREE_A_WEEK} <= set(weaker.person_caps)
    stronger = rules(changed(folder, "lenders/demo-tw.toml", "at_most = 5", "at_most = 1"))
    assert Cap(1, 7 * DAY) in stronger.person_caps


def test_a_lender_may_add_a_window_of_its_own(folder: Path) -> None:
    own = '[[caps]]\nat_most = 8\nwithin = "60d"\nscope = "account"\n\n[countries.TW]'
    found = rules(changed(folder, "lenders/demo-tw.toml", "[countries.TW]", own))
    assert found.account_caps == (Cap(8, 60 * DAY, Scope.ACCOUNT),)
    assert found.longest_window == 60 * DAY


def test_a_lender_texts_nobody_outside_its_list_neither_people_nor_numbers() -> None:
    book = the_policies()
    assert book.rules_for(a_customer(country="JP", phone_country="JP"), NOW) is Reason.COUNTRY_NOT_ALLOWED
    assert book.rules_for(a_customer(country="JP"), NOW) is Reason.COUNTRY_NOT_ALLOWED
    assert book.rules_for(a_customer(phone_country="JP"), NOW) is Reason.COUNTRY_NOT_ALLOWED
    assert book.rules_for(living_in("CN"), NOW) is Reason.COUNTRY_NOT_ALLOWED
    assert book.rules_for(living_in("TW", phone_country="IN"), NOW) is Reason.COUNTRY_NOT_ALLOWED


@pytest.mark.parametrize("far", ["SO", "CU", "PG", "JM"])
def test_a_number_of_a_far_country_gets_no_text_unless_its_owner_lives_there_or_the_policy_names_it(
    book: PolicyBook, far: str
) -> None:
    """Premium numbers of far countries earn somebody a share of each text."""
    assert book.rules_for(living_in("SG", phone_country=far), NOW) is Reason.COUNTRY_NOT_ALLOWED
    assert isinstance(book.rules_for(living_in(far), NOW), Rules)
    assert isinstance(book.rules_for(living_in(far, phone_country="SG"), NOW), Rules)
    assert isinstance(book.rules_for(living_in("JP"), NOW), Rules)


def test_a_taiwanese_with_a_number_of_hong_kong_obeys_the_law_of_both() -> None:
    found = rules_of(a_customer(phone_country="HK"))
    assert found.jurisdiction == "TW"
    assert [zone.key for zone in found.zones] == ["Asia/Taipei", "Asia/Hong_Kong"]
    sunday, christmas, taiwans_own = day("2026-12-06"), day("2026-12-25"), day("2026-10-09")
    found = rules(without_rest(the_policies()), a_customer(phone_country="HK"))
    for closed in (sunday, christmas):
        assert minutes_open(found, "Asia/Taipei", closed, overdue=False) == NINE_TO_HALF_PAST_EIGHT
        assert minutes_open(found, "Asia/Taipei", closed, overdue=True) == (), "Hong Kong is closed"
    assert minutes_open(found, "Asia/Taipei", taiwans_own, overdue=True) == NINE_TO_HALF_PAST_EIGHT


def test_hours_closed_days_and_caps_of_two_places_add_up() -> None:
    found = rules_of(living_in("TH", phone_country="AU", region=""))
    assert set(found.person_caps) == {ONE_A_DAY, THREE_A_WEEK, EIGHT_A_MONTH}
    assert set(found.account_caps) == {Cap(3, 7 * DAY, Scope.ACCOUNT), Cap(10, 31 * DAY, Scope.ACCOUNT)}
    assert found.hours.week == (((540, 1080),),) * 7
    both, thai, australian = day("2026-01-01"), day("2026-12-10"), day("2026-01-26")
    assert found.hours.special[both] == ()
    assert found.hours.special[thai] == ((540, 1080),)
    assert found.hours.special[australian] == ()
    assert found.hours.covered_until == day("2027-12-31")


def test_the_consent_and_the_opt_out_line_of_either_place_are_asked_for() -> None:
    found = rules_of(a_customer(phone_country="US"))
    assert found.consent_required
    assert found.opt_out_line


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
            living_in("ID"),
            {"Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"},
            id="Indonesia has three clocks in four zones",
        ),
        pytest.param(living_in("ID", "PA"), {"Asia/Jayapura"}, id="Papua has one"),
        pytest.param(
            living_in("AU", "NSW"),
            {"Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"},
            id="New South Wales has three",
        ),
        pytest.param(
            living_in("ES"),
            {"Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"},
            id="a member of the Union has its own, of the IANA table",
        ),
        pytest.param(
            living_in("CL"),
            {"America/Santiago", "America/Coyhaique", "America/Punta_Arenas", "Pacific/Easter"},
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


@pytest.mark.parametrize(
    ("facts", "zone", "on", "opens", "closes"),
    [
        # Lord Howe Island is 4:30 ahead of the Cocos Islands in summer: 09:00 there, 20:00 here.
        pytest.param(living_in("AU"), "Australia/Sydney", "2026-12-02", "13:30", "20:00", id="Australia, summer"),
        pytest.param(living_in("AU"), "Australia/Sydney", "2026-07-01", "12:30", "19:30", id="Australia, winter"),
        pytest.param(living_in("AU", "WA"), "Australia/Perth", "2026-12-02", "09:00", "19:15", id="the west and Eucla"),
        pytest.param(living_in("ID"), "Asia/Jakarta", "2026-12-02", "09:00", "17:00", id="Indonesia, three clocks"),
        pytest.param(living_in("ID", "PA"), "Asia/Jayapura", "2026-12-02", "09:00", "19:00", id="Papua"),
        pytest.param(living_in("BR"), "America/Sao_Paulo", "2026-12-02", "11:00", "18:00", id="Brazil, four clocks"),
        pytest.param(living_in("BR", "SP"), "America/Sao_Paulo", "2026-12-05", "09:00", "13:00", id="a Saturday"),
        pytest.param(living_in("MY"), "Asia/Kuching", "2026-12-02", "09:00", "20:00", id="Malaysia, two that agree"),
    ],
)
def test_where_several_zones_are_possible_only_the_hours_common_to_all_are_lawful(
    facts: Facts, zone: str, on: str, opens: str, closes: str
) -> None:
    found = rules_of(facts)
    first, end = instant(f"{on} {opens}", zone), instant(f"{on} {closes}", zone)
    assert next_open(found.hours, found.zones, instant(f"{on} 00:00", zone)) == first
    assert next_open(found.hours, found.zones, end - MINUTE) == end - MINUTE
    assert next_open(found.hours, found.zones, end) > end + 10 * 60 * MINUTE


@pytest.mark.parametrize(("place", "regions"), [("US", 51), ("AU", 8), ("ID", 38), ("BR", 27)])
def test_all_regions_are_known_and_every_zone_of_theirs_is_possible_for_an_unknown_one(
    place: str, regions: int
) -> None:
    law = the_policies().places.by_id[place].law
    assert len(law.regions) == regions
    seasons = [instant("2026-01-15 12:00", "UTC"), instant("2026-07-15 12:00", "UTC")]

    def clocks(names: tuple[str, ...]) -> set[tuple[timedelta | None, ...]]:
        return {tuple(moment.astimezone(ZoneInfo(name)).utcoffset() for moment in seasons) for name in names}

    anywhere = clocks(law.time_zones)
    assert clocks(tuple(name for zones in law.regions.values() for name in zones)) <= anywhere
    assert clocks(zones_of_countries()[place]) <= anywhere


def test_every_member_of_the_european_union_is_under_its_file_but_greece_which_has_its_own() -> None:
    union = the_policies().places.by_id["EU"].law
    assert len(union.countries) == 26
    for country in union.countries:
        assert rules_of(living_in(country)).jurisdiction == "EU"
    assert rules_of(living_in("GR")).jurisdiction == "GR"
    for country in ("GB", "NO", "CH", "IS", "UA"):
        assert rules_of(living_in(country)).jurisdiction != "EU"


def test_a_country_that_is_none_has_no_rules() -> None:
    assert the_policies().rules_for(a_customer(country="default"), NOW) is Reason.UNKNOWN_JURISDICTION
    assert the_policies().rules_for(a_customer(country="US-MA"), NOW) is Reason.UNKNOWN_JURISDICTION
    assert the_policies().rules_for(a_customer(country="EU"), NOW) is Reason.UNKNOWN_JURISDICTION
    assert the_policies().rules_for(a_customer(country=""), NOW) is Reason.UNKNOWN_JURISDICTION
    assert the_policies().rules_for(a_customer(lender=""), NOW) is Reason.UNKNOWN_LENDER


def test_every_country_of_the_world_has_rules_with_a_time_zone() -> None:
    book = the_policies()
    for country in zones_of_countries():
        found = book.rules_for(living_in(country), NOW)
        if country in {"CN", "IN"}:
            assert found is Reason.COUNTRY_NOT_ALLOWED
        else:
            assert isinstance(found, Rules)
            assert found.zones


def test_customers_get_texts_from_the_number_that_the_lender_has_in_their_country() -> None:
    assert rules_of(a_customer(**IN_THE_UNITED_STATES)).origination_number == "+18005550100"
    assert rules_of(a_customer()).origination_number == "+886900000100"
    assert rules_of(a_customer(country="HK", phone_country="HK")).origination_number == ""


def test_carriers_ask_by_the_number_and_the_law_by_the_place() -> None:
    found = rules_of(a_customer(country="TW", phone_country="CN", lender="demo-cn"))
    assert found.jurisdiction == "TW"
    assert found.signature_by_carrier
    assert found.registered


def overdue(place: dict[str, Any], due: str, currency: str) -> Facts:
    return a_customer(an_account(an_instalment(due, 32_500), currency=currency), **place)


def elsewhere(country: str, region: str = "") -> dict[str, Any]:
    """Return the fields of a customer of the lender that texts people all over the world."""
    return IN_THE_UNITED_STATES | {
        "country": country, "region": region, "phone_country": country, "lender": "demo-world"
    }  # fmt: skip


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
        pytest.param(IN_THE_UNITED_STATES, "USD", "America/New_York", "2026-12-25", "2026-12-20", Reason.CLOSED_DAY,
                     id="United States, overdue at Christmas: no, by our own default"),
        pytest.param(IN_THE_UNITED_STATES, "USD", "America/New_York", "2026-12-25", "2026-12-25", Reason.DUE,
                     id="United States, due today at Christmas: yes"),
        pytest.param(IN_MAINLAND_CHINA, "CNY", "Asia/Shanghai", "2026-10-01", "2026-09-20", Reason.CLOSED_DAY,
                     id="China, overdue on the national day: no"),
        pytest.param(IN_MAINLAND_CHINA, "CNY", "Asia/Shanghai", "2026-10-01", "2026-10-01", Reason.DUE,
                     id="China, due today on the national day: yes"),
        pytest.param({}, "TWD", "Asia/Taipei", "2026-12-06", "2026-12-01", Reason.DUE,
                     id="Taiwan, overdue on a Sunday: no law speaks against it"),
        pytest.param(elsewhere("NO"), "EUR", "Europe/Oslo", "2026-12-25", "2026-12-25", Reason.CLOSED_DAY,
                     id="anywhere else, due today on a holiday: no"),
        pytest.param(elsewhere("NO"), "EUR", "Europe/Oslo", "2026-11-24", "2026-11-24", Reason.DUE,
                     id="anywhere else, due today on a working day: yes"),
        pytest.param(elsewhere("GB"), "GBP", "Europe/London", "2026-11-30", "2026-11-30", Reason.CLOSED_DAY,
                     id="Britain, due today on a holiday of Scotland only: no"),
        pytest.param(elsewhere("ID", "JK"), "IDR", "Asia/Jakarta", "2026-12-06", "2026-12-06", Reason.CLOSED_DAY,
                     id="Indonesia, due today on a Sunday: no"),
        pytest.param(elsewhere("PA"), "USD", "America/Panama", "2026-11-24", "2026-11-24", Reason.CALENDAR_NOT_COVERED,
                     id="a country without a calendar: nothing, fail closed"),
    ],
)  # fmt: skip
def test_closed_days(place: dict[str, Any], currency: str, zone: str, on: str, due: str, reason: Reason) -> None:
    facts = overdue(place, due, currency)
    decision = at_noon(facts, on, zone, "15:30")
    assert decision.reason is reason


def test_a_chinese_number_is_written_to_in_registered_words_only() -> None:
    registered = at_noon(overdue(IN_MAINLAND_CHINA, "2026-12-01", "CNY"), "2026-12-01", "Asia/Shanghai")
    assert isinstance(registered, Send)
    assert registered.reminder.registered_template == "CN-DEMO-0103"
    assert not set("【】") & set(registered.reminder.text)
    at_home = at_noon(a_customer(), "2026-12-01", "Asia/Taipei")
    assert isinstance(at_home, Send)
    assert at_home.reminder.registered_template == ""


def test_a_text_that_is_not_registered_does_not_go_to_a_chinese_number(folder: Path) -> None:
    book = changed(folder, "lenders/demo-cn.toml", '"zh-Hans/today@3" = "CN-DEMO-0103"\n', "")
    facts = overdue(IN_MAINLAND_CHINA, "2026-12-01", "CNY")
    decision = decide(facts, a_standing(), book, instant("2026-12-01 12:00", "Asia/Shanghai"))
    assert decision.reason is Reason.TEMPLATE_NOT_REGISTERED


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


def test_a_text_of_three_segments_is_estimated_at_three_times_the_price() -> None:
    book = the_policies()
    assert book.price("TW", 1) == 41_700
    assert book.price("TW", 3) == 125_100
    assert book.price("ZZ", 2) == 100_000


def test_every_country_we_have_a_file_for_has_an_estimated_price_and_two_segments_are_within_the_lenders_limit() -> (
    None
):
    book = the_policies()
    prices = tomllib.loads((files("dunning.policy") / "data" / "prices.toml").read_text("utf-8"))["per_segment"]
    for place, (law, _) in book.places.by_id.items():
        for country in law.countries or (place.partition("-")[0],):
            assert country in prices
            found = book.lenders["demo-world"].country(country, "", place)
            assert (found is None) is (country in {"CN", "IN"})
            if found:
                assert book.price(country, 2) <= float(found[1].max_price) * 1_000_000, country


@pytest.mark.parametrize("place", sorted(EXAMPLES))
def test_a_refusal_to_pay_ends_contact_in_the_united_states_and_nowhere_else(book: PolicyBook, place: str) -> None:
    refusal = book.places.by_id[place].law.refusal
    assert (refusal is not None and refusal.ends_contact) is (place in AMERICAN)
    assert rules(book, EXAMPLES[place].facts).refusal_ends_contact is (place in AMERICAN)


def test_the_holidays_of_either_place_are_no_working_days_whatever_the_contact_hours() -> None:
    found = rules_of(a_customer(**IN_MAINLAND_CHINA))
    assert day("2026-10-01") in found.holidays
    assert not rules_of(a_customer()).hours.special
    assert day("2026-10-10") in rules_of(a_customer()).holidays
