"""
No policy that loads can use a channel that the law of a place keeps closed, nor outside the hours of a text.

Random policies are written as files and read by the loader. What it takes is held against the jurisdiction files, which
are read here a second time, in the plainest way.
"""

import re
import tomllib
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import event, given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reminder, Send
from dunning.domain.decision.rules import Cap, ContactHours, Policies, Rules, Windows
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.draws import SILENCE, TEXTED, Layer
from dunning.domain.effect.trials import LATEST_HELD_OUT_STAGE
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
from tests.support.people import NOW
from tests.support.strategies import many

DATA = files("dunning.policy") / "data"
LADDER = (-3, 0, 7)
COUNTRIES = ("TW", "HK", "US", "GB", "FR", "JP", "KR", "BR", "NO")
REGIONS = {"US": ("", "MA", "DC"), "BR": ("", "SP")}
SENDER = {"US": 'origination_number = "+18005550100"', "GB": 'sender_id = "DEMOFIN"'}
PHONES = {"TW": "+886900000001", "HK": "+85251000001", "US": "+12025550100"}
SPANS = {"24h": timedelta(days=1), "7d": timedelta(days=7), "60d": timedelta(days=60)}

days = st.sampled_from([None, None, date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 1)])


@cache
def law(country: str, region: str = "") -> dict[str, Any]:
    names = {entry.name.removesuffix(".toml") for entry in (DATA / "jurisdictions").iterdir()}
    under_eu = tomllib.loads((DATA / "jurisdictions/EU.toml").read_text("utf-8"))["countries"]
    found = next((name for name in (f"{country}-{region}", country) if name in names), "")
    found = found or ("EU" if country in under_eu else "default")
    return tomllib.loads((DATA / "jurisdictions" / f"{found}.toml").read_text("utf-8"))


def orders(allowed: list[Channel]) -> st.SearchStrategy[list[Channel]]:
    return st.lists(st.sampled_from(allowed), min_size=1, max_size=4, unique=True)


def lawful(countries: list[str], accepted_on: dict[str, date | None]) -> list[Channel]:
    """Return the channels that most countries open, so that policies are drawn that load."""
    opened = []
    for channel in Channel:
        sections = [law(country).get("channels", {}).get(channel.value) for country in countries]
        day = accepted_on.get(channel.value)
        if channel is Channel.SMS or all(
            section and (section["allowed"] or (day and day >= section.get("condition_since", date.max)))
            for section in sections
        ):
            opened.append(channel)
    return opened


def written(order: list[Channel]) -> str:
    return "[" + ", ".join(f'"{channel}"' for channel in order) + "]"


@st.composite
def accepted(draw: st.DrawFn) -> tuple[str, date | None]:
    day = draw(days)
    return (f'accepted_by = "A. Chen"\naccepted_on = {day}\n' if day else ""), day


@st.composite
def policies(draw: st.DrawFn) -> tuple[str, tuple[str, ...], dict[str, date | None]]:
    """Draw a policy, its countries, and the day on which it has accepted calls and WhatsApp."""
    countries = draw(st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3, unique=True))
    lines = [
        'id = "drawn"\nlanguages = ["en"]\nhotline = "0800-000-123"\npreferred_hour = "10:00"\nmax_segments = 2',
        f"ladder = {list(LADDER)}\nmin_days_between_stages = 3",
        'sender_name = { en = "Demo Finance" }\npay = { en = "in our app" }',
    ]
    if draw(st.integers(0, 2)) == 0:
        lines.append('hours = { mon-fri = "09:30-11:30, 17:00-18:30", sat-sun = "", holiday = "" }')
    span = draw(st.sampled_from(list(SPANS)))
    cap = f'at_most = {draw(st.integers(1, 4))}\nwithin = "{span}"\nscope = "person"'
    lines.append(f'[[caps]]\nat_most = 1\nwithin = "24h"\nscope = "person"\n[[caps]]\n{cap}\nchannels = ["voice"]')
    calls, called_on = draw(accepted())
    templates, templates_on = draw(accepted())
    accepted_on = {"voice": called_on, "whatsapp": templates_on}
    allowed = lawful(countries, accepted_on) if draw(st.integers(0, 4)) else list(Channel)
    if draw(st.booleans()):
        general = [channel for channel in draw(orders(allowed)) if channel not in ("voice", "whatsapp")]
        lines.insert(2, f"channels = {written(general or [Channel.SMS])}")
    lines.append('[email]\nsender_address = "a@notice.demo.example"\n[line]\naccount = "@demo"')
    lines.append(f'[voice]\norigination_number = "+886900000200"\nvoice = "ZHIYU"\n{calls}')
    approved = [
        f'"{words.template}" = "approved"'
        for staged in the_policies().wordings["en"].channels.words[Channel.WHATSAPP]
        for words in (staged.single, staged.several)
    ]
    lines.append(f'[whatsapp]\nsender = "number-id-1"\n{templates}[whatsapp.registered]\n' + "\n".join(approved))
    for stage in LADDER:
        if draw(st.booleans()):
            order = [channel for channel in draw(orders(allowed)) if stage <= 0 or channel != "whatsapp"]
            lines.append(f'[stages."{stage}"]\nchannels = {written(order or [Channel.SMS])}')
    for country in countries:
        lines.append(f'[countries.{country if country != "NO" else "default"}]\nmax_price = "0.30"')
        lines.append(SENDER.get(country, ""))
        if draw(st.integers(0, 4)) == 0:
            lines.append(f"channels = {written(draw(orders(allowed)))}")
    return "\n".join(lines), tuple(countries), accepted_on


def inside(narrow: Windows, wide: Windows) -> bool:
    return all(any(a <= start and end <= b for a, b in wide) for start, end in narrow)


def check_hours(narrow: ContactHours, wide: ContactHours, law_hours: str | None) -> None:
    whole = ((0, 1440),)
    if law_hours:
        start, end = (int(hour) * 60 + int(minute) for hour, minute in re.findall(r"(\d\d):(\d\d)", law_hours))
        whole = ((start, end),)
    for own, customers in zip(narrow.week, wide.week, strict=True):
        assert inside(own, customers)
        assert inside(own, whole)
    for day in {*narrow.special, *wide.special}:
        there = narrow.special.get(day, narrow.week[day.weekday()])
        assert inside(there, wide.special.get(day, wide.week[day.weekday()]))
        assert inside(there, whole)


def check_channels(found: Rules, homes: list[dict[str, Any]], accepted_on: dict[str, date | None]) -> None:
    for stage, order in found.channels.items():
        assert len({use.channel for use in order}) == len(order)
        for use in order:
            assert stage <= 0 or use.channel is not Channel.WHATSAPP
            for says in homes:
                if use.channel is Channel.SMS:
                    continue
                section = says.get("channels", {}).get(use.channel.value)
                assert section is not None, "nothing is known of it"
                day = accepted_on.get(use.channel.value)
                assert section["allowed"] or (section["condition"] and day and day >= section["condition_since"])
                assert use.consent_required >= section.get("consent", {}).get("required", False)
                own_hours = section.get("hours", {}).get("week", {}).get("daily")
                check_hours(use.hours_for(found, 0), found.hours, own_hours)
                check_hours(use.hours_for(found, 1), found.overdue_hours, own_hours)
                for cap in says["caps"]:
                    if use.channel.value in cap.get("channels", ()):
                        assert Cap(cap["at_most"], SPANS[cap["within"]]) in use.caps
            assert all(cap.window <= found.longest_window for cap in use.caps)


@many
@given(st.data())
def test_no_policy_that_loads_can_use_a_channel_that_a_law_keeps_closed_or_outside_its_hours(
    data: st.DataObject,
) -> None:
    policy, countries, accepted_on = data.draw(policies())
    try:
        book = policies_with_lender("drawn", policy)
    except PolicyError as refused:
        event("refused: " + re.sub(r".*?: ", "", str(refused), count=2)[:30])
        return
    country = data.draw(st.sampled_from(countries))
    phone_country = data.draw(st.sampled_from(countries))
    region = data.draw(st.sampled_from(REGIONS.get(country, ("",))))
    found = book.rules("drawn", country, region, phone_country, at=NOW)
    if not isinstance(found, Rules):
        event(f"no rules: {found}")
        return
    event(f"{len({use.channel for order in found.channels.values() for use in order})} channels")
    homes = [law(country, region), *([law(phone_country)] if phone_country != country else [])]
    check_channels(found, homes, accepted_on)


@st.composite
def people(draw: st.DrawFn, country: str, region: str) -> Facts:
    """Draw a customer whom some channels reach, with an instalment that is due soon or late."""
    due_on = NOW.date() + timedelta(days=draw(st.integers(-3, 5)))
    return a_customer(
        an_account(an_instalment(str(due_on), 32_500), currency="USD"), country=country, region=region,
        phone_country=country, phone=PHONES.get(country, "+447400000000"), time_zone=zones_of_countries()[country][0],
        language="en", name="John Smith", lender="drawn", consented_at=NOW - timedelta(days=99),
        email=draw(st.sampled_from([None, "john@example.com"])),
        line_user_id=draw(st.sampled_from([None, "U" + "a1" * 16])),
        channel_consents=draw(
            st.sampled_from([None, dict.fromkeys(("voice", "whatsapp", "email"), NOW - timedelta(days=9))])
        ),
    )  # fmt: skip


def lived(book: Policies, facts: Facts) -> list[tuple[datetime, Reminder]]:
    """Return what is claimed for a customer in three weeks, each at once."""
    standing, now = a_standing(), NOW
    claimed: list[tuple[datetime, Reminder]] = []
    while now < NOW + timedelta(days=21):
        decision = decide(facts, standing, book, now)
        if isinstance(decision, Send):
            claimed.append((now, decision.reminder))
            standing = after(standing, facts, decision.reminder, now)
        elif decision.until is None:
            break
        else:
            now = decision.until
    return claimed


def check_lawful(found: Rules, facts: Facts, at: datetime, reminder: Reminder) -> None:
    """Hold a message against the hours and caps of its channel, which are held against the law above."""
    uses = {use.channel: use for use in found.channels[reminder.stage]}
    hours = uses[Channel(reminder.channel)].hours_for(found, reminder.stage)
    local = at.astimezone(ZoneInfo(facts.time_zone))
    windows = hours.special.get(local.date(), hours.week[local.weekday()])
    assert any(start <= local.hour * 60 + local.minute < end for start, end in windows)


def essence(claimed: list[tuple[datetime, Reminder]]) -> list[tuple[object, ...]]:
    """Return what a customer notices of messages: when, which stage, on which channel, in which words."""
    return [(at, each.stage, each.channel, each.text) for at, each in claimed]


@many
@given(st.data())
def test_no_arm_goes_by_another_channel_than_the_law_and_silence_goes_by_none(data: st.DataObject) -> None:
    policy, countries, _ = data.draw(policies())
    try:
        book = policies_with_lender("drawn", policy)
    except PolicyError:
        event("refused")
        return
    country = data.draw(st.sampled_from(countries))
    region = data.draw(st.sampled_from(REGIONS.get(country, ("",))))
    facts = data.draw(people(country, region))
    found = book.rules("drawn", country, region, country, at=NOW)
    if not isinstance(found, Rules):
        return
    usual = lived(book, facts)
    for layer, arm in ARMS:
        claimed = lived(ForcedArm(book, layer, arm), facts)
        messages = [(at, each) for at, each in claimed if not each.is_held_out]
        event(f"{arm}: {min(len(messages), 3)} messages")
        for channel in {each.channel for _, each in messages}:
            event(f"{arm} by {channel}")
        for at, reminder in messages:
            check_lawful(found, facts, at, reminder)
        if arm in {TEXTED, "usual"}:
            assert essence(claimed) == essence(usual), "a draw that changes nothing has changed something"
        if arm == SILENCE:
            latest = LATEST_HELD_OUT_STAGE if layer is Layer.HOLDOUT else 0
            assert all(each.stage > latest for _, each in messages), "a stage that may be left out"
            assert bool(claimed) == bool(usual)
