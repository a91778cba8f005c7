"""Every wait ends at the earliest lawful moment: not later, and never before one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

from hypothesis import assume, event, given
from hypothesis import strategies as st

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send, Stop, Wait
from dunning.domain.decision.gates import GATES
from dunning.domain.effect.draws import Layer
from tests.support.arms import ARMS, ForcedArm
from tests.support.builders import rules_of, the_spread_policies
from tests.support.strategies import customers, many, standings

MICROSECOND, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)

NOTHING_FOLLOWS = {Reason.LADDER_FINISHED, Reason.NO_WRITTEN_NOTICE, Reason.CALENDAR_NOT_COVERED}
"""Why a wait may end without a text: they are over, one needs a notice, or nobody knows whether it is a holiday."""

CHANGES_OF_THE_DAY = (
    *(
        time(0),
        time(9),
        time(9, 30),
        time(10),
        time(10, 45),
        time(11, 30),
        time(12),
        time(12, 59, 59),
        time(13),
        time(19),
    ),
    *(time(20), time(20, 30)),
)

PLACE_UNKNOWN = next(gate.reasons for gate in GATES if Reason.UNKNOWN_LENDER in gate.reasons)


def moments_between(start: datetime, end: datetime, facts: Facts, standing: Standing) -> Iterator[datetime]:
    """Yield the moments at which something might open a gate before `end`, and evenly spread ones beside them."""
    yield end - MICROSECOND
    yield end - MINUTE
    for step in range(24):
        yield start + (end - start) * step / 24
    zones = rules_of(facts).zones
    for zone in (zones[0], zones[-1]):
        day = start.astimezone(zone).date()
        while day <= end.astimezone(zone).date():
            for clock in CHANGES_OF_THE_DAY:
                yield datetime.combine(day, clock, zone)
            day += DAY
    for entry in standing.ledger:
        for window in (1, 7, 30):
            yield entry.at + timedelta(days=window)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Facts, Standing, datetime]:
    """Draw a customer, what they have been sent, and a moment."""
    _, facts = draw(customers())
    standing, now = draw(standings(facts))
    return facts, standing, now


@many
@given(cases(), st.sampled_from([None, *ARMS]))
def test_a_wait_ends_at_the_earliest_moment_at_which_a_text_may_go(
    case: tuple[Facts, Standing, datetime], arm: tuple[Layer, str] | None
) -> None:
    facts, standing, now = case
    policies = ForcedArm(the_spread_policies(), *arm) if arm else the_spread_policies()
    decision = decide(facts, standing, policies, now)
    event(decision.reason.value)
    assume(isinstance(decision, Wait))
    assert isinstance(decision, Wait)
    until = decision.until
    assert until is not None
    assert until > now
    then = decide(facts, standing, policies, until)
    if then.reason in PLACE_UNKNOWN:
        assert decision.reason is Reason.ON_HOLD  # answered first; when it ends, what is unknown is complained of
        return
    if isinstance(then, Stop):
        assert then.reason in NOTHING_FOLLOWS
    else:
        assert isinstance(then, Send), then.reason
        assert (then.stage, rules_of(facts).urgency.index(then.stage)) == (decision.stage, decision.urgency)
    for moment in moments_between(now, until, facts, standing):
        if now <= moment < until:
            earlier = decide(facts, standing, policies, moment.astimezone(now.tzinfo))
            assert not isinstance(earlier, Send), f"a text may go at {moment}"


@many
@given(cases(), st.sampled_from([None, *ARMS]))
def test_asking_again_while_waiting_never_puts_the_end_off(
    case: tuple[Facts, Standing, datetime], arm: tuple[Layer, str] | None
) -> None:
    facts, standing, now = case
    policies = ForcedArm(the_spread_policies(), *arm) if arm else the_spread_policies()
    decision = decide(facts, standing, policies, now)
    assume(isinstance(decision, Wait))
    assert decision.until is not None
    assume(isinstance(decide(facts, standing, policies, decision.until), Send))
    span = decision.until - now
    for moment in (now + span / 3, now + span / 2, decision.until - MICROSECOND):
        again = decide(facts, standing, policies, moment)
        assert isinstance(again, Wait)
        assert again.until == decision.until


@many
@given(cases(), st.lists(st.integers(1, 5000), min_size=2, max_size=5))
def test_the_same_question_has_the_same_answer_whatever_was_asked_before(
    case: tuple[Facts, Standing, datetime], minutes: list[int]
) -> None:
    facts, standing, now = case
    asked = [now, *(now + timedelta(minutes=later) for later in minutes)]
    first = [decide(facts, standing, the_spread_policies(), moment) for moment in asked]
    backwards = [decide(facts, standing, the_spread_policies(), moment) for moment in reversed(asked)]
    assert first == backwards[::-1]


@many
@given(cases())
def test_the_order_of_a_customers_accounts_changes_nothing_that_is_sent(
    case: tuple[Facts, Standing, datetime],
) -> None:
    facts, standing, now = case
    turned = replace(facts, accounts=facts.accounts[::-1])
    decision, other = (
        decide(facts, standing, the_spread_policies(), now),
        decide(turned, standing, the_spread_policies(), now),
    )
    assert isinstance(decision, Send) == isinstance(other, Send)
    if isinstance(decision, Send) and isinstance(other, Send):
        assert sorted(decision.reminder.reached_stages, key=str) == sorted(other.reminder.reached_stages, key=str)
