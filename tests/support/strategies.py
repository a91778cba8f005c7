"""Random customers of several places, and what may happen to them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, progress_key
from tests.support.builders import IN_HONG_KONG, IN_MAINLAND_CHINA, IN_THE_UNITED_STATES, a_customer

_MANY = settings(max_examples=6 * settings().max_examples)


def many[**P](test: Callable[P, None]) -> Callable[P, None]:
    """Draw six times as many examples: of whole customers each is cheap, and their corners are many."""
    return pytest.mark.slow(reason="600 customers, each judged by rules that are stated a second time")(_MANY(test))


START = datetime(2026, 10, 20, 0, 0, tzinfo=UTC)
LADDER = (-3, 0, 3, 7, 15, 30)

PLACES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "TW": ({}, ("TWD", "USD")),
    "HK": (IN_HONG_KONG, ("HKD", "USD")),
    "CN": (IN_MAINLAND_CHINA, ("CNY", "HKD")),
    "US": (IN_THE_UNITED_STATES, ("USD", "TWD")),
    "US-TX": (IN_THE_UNITED_STATES | {"region": "TX"}, ("USD",)),
    "US-MA": (IN_THE_UNITED_STATES | {"region": "MA"}, ("USD",)),
    "US-known": (IN_THE_UNITED_STATES | {"time_zone": "Pacific/Honolulu"}, ("USD",)),
    "JP": (
        IN_THE_UNITED_STATES | {"country": "JP", "phone_country": "JP", "phone": "+819012345678"},
        ("JPY",),
    ),
}

moments = st.integers(0, 75 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
days = st.integers(-45, 75).map(lambda ahead: (START + timedelta(days=ahead)).date())


@st.composite
def accounts(draw: st.DrawFn, number: int, currencies: tuple[str, ...]) -> Account:
    """Draw a contract: up to four periods a month apart, some paid in part, in full or beyond."""
    first = draw(days)
    amount = draw(st.integers(100, 5_000_000))
    count = draw(st.integers(1, 4))
    instalments = []
    for period in range(count):
        paid = draw(st.sampled_from([0, 0, 0, 0, amount // 2, amount, amount + amount // 3]))
        reached = draw(st.sampled_from([None, None, None, None, *LADDER])) if period == 0 else None
        due_on = first + timedelta(days=30 * period)
        notice = draw(st.sampled_from([None, 20, 30, 30, 45, 70]))
        issued = None if notice is None else due_on + timedelta(days=notice)
        late_fee = draw(st.sampled_from([0, 0, 0, amount // 50]))
        instalments.append(
            Instalment(
                number=period + 1,
                due_on=due_on,
                amount=amount,
                paid=paid,
                stage_reached=reached,
                written_notice_on=issued,
                late_fee=late_fee,
            )
        )
    return Account(
        account_id=f"A{number}",
        tail=f"{number:04d}",
        currency=draw(st.sampled_from(currencies)),
        instalments=tuple(instalments),
    )


@st.composite
def customers(draw: st.DrawFn) -> tuple[str, Facts]:
    """Draw a customer and the name of their place."""
    place = draw(st.sampled_from(sorted(PLACES)))
    changes, currencies = PLACES[place]
    count = draw(st.integers(1, 3))
    owed = tuple(draw(accounts(number, currencies)) for number in range(count))
    return place, a_customer(*owed, **changes)


@st.composite
def standings(draw: st.DrawFn, facts: Facts) -> tuple[Standing, datetime]:
    """Draw what a customer has been sent so far, and the moment at which they are asked about."""
    now = draw(moments)
    ages = sorted(draw(st.lists(st.integers(0, 9 * 24 * 60), max_size=4)), reverse=True)
    ledger = tuple(
        LedgerEntry(
            send_id=f"send-{position}",
            claim_id=f"claim-{position}",
            at=now - timedelta(minutes=age),
            stage=0,
            accounts=(draw(st.sampled_from(facts.accounts)).account_id,),
            channel="sms",
            for_wake=None,
        )
        for position, age in enumerate(ages)
    )
    progress: dict[str, Progress] = {}
    for account in facts.accounts:
        for instalment in account.instalments:
            stage = draw(st.sampled_from([None, None, None, None, None, None, *LADDER]))
            if stage is not None:
                on = max(instalment.due_on + timedelta(days=stage), START.date())
                progress[progress_key(account.account_id, instalment.number)] = Progress(
                    stage, min(on, now.date()), instalment.due_on
                )
    holds = draw(
        st.lists(
            days.map(lambda until: Hold(HoldReason.PROMISE, until)),
            max_size=1,
        )
    )
    return Standing(customer_id=facts.customer_id, version=1, ledger=ledger, progress=progress, holds=tuple(holds)), now


@dataclass(frozen=True)
class Payment:
    """Money that arrives for an account: a share of what is open, from its earliest instalment on."""

    at: datetime
    account: int
    share: float

    def change(self, facts: Facts) -> Facts:
        """Return the facts once it is booked."""
        account = facts.accounts[self.account % len(facts.accounts)]
        money = round(sum(max(0, instalment.open) for instalment in account.instalments) * self.share)
        booked = []
        for instalment in account.instalments:
            used = min(money, max(0, instalment.open))
            money -= used
            booked.append(replace(instalment, paid=instalment.paid + used))
        paid = replace(account, instalments=tuple(booked))
        return replace(facts, accounts=tuple(paid if other is account else other for other in facts.accounts))


@dataclass(frozen=True)
class Silence:
    """The customer opts out for good, or gets a hold up to a day; `None` until it is lifted."""

    at: datetime
    opt_out: bool
    until: date | None

    def change(self, facts: Facts) -> Facts:
        """Return the facts once it is known."""
        if self.opt_out:
            return replace(facts, opted_out=True)
        return replace(facts, holds=(*facts.holds, Hold(HoldReason.DISPUTE, self.until)))


@dataclass(frozen=True)
class Notice:
    """A written notice is issued about an account's earliest open instalment, unless that is not overdue yet."""

    at: datetime
    account: int

    def change(self, facts: Facts) -> Facts:
        """Return the facts once it is on record."""
        account = facts.accounts[self.account % len(facts.accounts)]
        late = [
            instalment
            for instalment in account.instalments
            if instalment.open > 0 and instalment.due_on < self.at.date()
        ]
        if not late:
            return facts
        about = min(late, key=lambda instalment: instalment.due_on)
        noticed = replace(about, written_notice_on=self.at.date())
        instalments = tuple(noticed if instalment is about else instalment for instalment in account.instalments)
        changed = replace(account, instalments=instalments)
        return replace(facts, accounts=tuple(changed if other is account else other for other in facts.accounts))


type Event = Payment | Silence | Notice

payments = st.builds(Payment, moments, st.integers(0, 2), st.sampled_from([0.1, 0.3, 0.5, 0.9, 1.0]))
notices = st.builds(Notice, moments, st.integers(0, 2))
silences = st.builds(Silence, moments, st.booleans(), st.one_of(st.none(), days))

LATE = st.sampled_from([0, 0, 0, 0, 1, 7, 59, 60, 601, 1439, 1440, 5000, 20_000])
"""Minutes that a wake is late: mostly none, sometimes an outage of days."""


@dataclass(frozen=True)
class Life:
    """What happens to one customer: changes of facts, how late each wake is, and which jobs come twice."""

    place: str
    facts: Facts
    events: tuple[Event, ...]
    late: tuple[int, ...]
    repeats: tuple[bool, ...]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Draw a customer and what happens to them in eleven weeks."""
    place, facts = draw(customers())
    events: list[Event] = draw(st.lists(payments, max_size=4))
    events += draw(st.lists(silences, max_size=1))
    events += draw(st.lists(notices, max_size=2))
    return Life(
        place,
        facts,
        tuple(sorted(events, key=lambda event: event.at)),
        tuple(draw(st.lists(LATE, min_size=1, max_size=12))),
        tuple(draw(st.lists(st.booleans(), min_size=1, max_size=3))),
    )
