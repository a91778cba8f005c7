"""
Fatigue only tightens: with it nobody gets more texts, and none comes earlier.

With several contracts a reminder before a due date may take the place of one that fatigue has put off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import FatigueLimits, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.courses import AssumedPayment
from dunning.services.what_if import CustomerAtStart, PlayedUnder, course_of
from tests.support.builders import a_customer, a_standing, an_account, an_instalment, taipei, the_policies

BEGIN = taipei("2026-11-02 00:00")
END = BEGIN + timedelta(days=100)
FIRST = date(2026, 11, 2)


@dataclass(frozen=True)
class WithFatigue:
    """The sample's policies, with limits for unanswered reminders, and other distances between stages."""

    limits: FatigueLimits | None
    min_days: int
    catch_up: int | None
    ladder: tuple[int, ...] = (-3, 0, 3, 7, 15, 30)

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        rules = the_policies().rules_for(facts, at)
        assert isinstance(rules, Rules)
        return replace(
            rules,
            ladder=self.ladder,
            urgency=tuple(stage for stage in rules.urgency if stage in self.ladder),
            fatigue=self.limits,
            min_days_between_stages=self.min_days,
            catch_up_days=self.catch_up,
        )

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        return the_policies().price(country, parts, channel)


@st.composite
def portfolios(draw: st.DrawFn, most: int = 3) -> tuple[Facts, Sequence[AssumedPayment]]:
    """Draw somebody with up to so many accounts, and what is paid meanwhile."""
    accounts = []
    payments = []
    for number in range(draw(st.integers(1, most))):
        account_id = f"A{number}"
        first = draw(st.integers(-40, 30))
        instalments = []
        for period in range(draw(st.integers(1, 4))):
            due_on = FIRST + timedelta(days=first + 30 * period)
            notice = (due_on + timedelta(days=20)).isoformat() if draw(st.booleans()) else ""
            instalments.append(an_instalment(due_on.isoformat(), number=period + 1, notice=notice))
            if draw(st.integers(0, 3)) == 0:
                minutes = draw(st.integers(1, 100 * 24 * 60))
                paid = 325_000 if draw(st.booleans()) else draw(st.integers(1, 324_999))
                payments.append(AssumedPayment(BEGIN + timedelta(minutes=minutes), account_id, period + 1, paid))
        accounts.append(an_account(*instalments, account_id=account_id, tail=f"567{number}"))
    return a_customer(*accounts), sorted(payments)


LIMITS = st.builds(
    lambda after, more: FatigueLimits(after, None if more is None else after + more),
    st.integers(2, 6),
    st.none() | st.integers(1, 4),
)


DISTANCES = (st.integers(1, 4), st.none() | st.integers(4, 9))

type Drawn = tuple[Facts, Sequence[AssumedPayment]]


def texts_off_and_on(drawn: Drawn, policies: WithFatigue) -> tuple[Sequence[datetime], Sequence[datetime]]:
    """Play somebody without and with the limits, and return when the texts are sent."""
    facts, payments = drawn
    customer = CustomerAtStart(facts, a_standing())
    both = (replace(policies, limits=None), policies)
    off, on = (
        [text.at for text in course_of(customer, payments, PlayedUnder(each, BEGIN, END)).texts] for each in both
    )
    return off, on


def have_had_no_more(off: Sequence[datetime], on: Sequence[datetime]) -> bool:
    """Tell whether at every moment as many texts or fewer have been sent: none is more, and none is earlier."""
    return len(on) <= len(off) and all(later >= earlier for later, earlier in zip(on, off, strict=False))


@given(portfolios(), LIMITS, *DISTANCES)
def test_on_a_ladder_after_the_due_date_nobody_has_had_more_texts_at_any_moment(
    drawn: Drawn, limits: FatigueLimits, min_days: int, catch_up: int | None
) -> None:
    off, on = texts_off_and_on(drawn, WithFatigue(limits, min_days, catch_up, ladder=(3, 7, 15, 30)))
    assert have_had_no_more(off, on), (off, on)


@given(portfolios(most=1), LIMITS, *DISTANCES)
def test_with_a_single_contract_nobody_has_had_more_texts_at_any_moment_on_any_ladder(
    drawn: Drawn, limits: FatigueLimits, min_days: int, catch_up: int | None
) -> None:
    off, on = texts_off_and_on(drawn, WithFatigue(limits, min_days, catch_up))
    assert have_had_no_more(off, on), (off, on)


@given(portfolios(), LIMITS, *DISTANCES)
def test_nobody_gets_more_texts_in_all(
    drawn: Drawn, limits: FatigueLimits, min_days: int, catch_up: int | None
) -> None:
    off, on = texts_off_and_on(drawn, WithFatigue(limits, min_days, catch_up))
    assert len(on) <= len(off), (off, on)


def test_the_limits_bite() -> None:
    """Somebody who never pays gets fewer texts, and a person takes over: else the rules above would say nothing."""
    facts = a_customer(*(an_account(an_instalment("2026-11-05"), account_id=f"A{n}", tail=f"567{n}") for n in (1, 2)))
    off, on = texts_off_and_on((facts, ()), WithFatigue(FatigueLimits(2, 3), 3, None))
    assert (len(off), len(on)) == (5, 3)
