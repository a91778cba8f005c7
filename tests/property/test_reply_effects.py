"""Replies: whatever their order and however often they arrive, they come to the same; nobody is texted against one."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.facts import FINAL_HOLDS, Facts, open_instalments
from dunning.domain.customer.standing import Standing, progress_key
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.reply_effects import ReplyLimits, apply_reply
from tests.support.builders import a_customer, a_standing, the_policies
from tests.support.strategies import START, customers, many, moments

SILENT_UNTIL_LIFTED = {
    ReplyIntent.HARDSHIP,
    ReplyIntent.DISPUTE,
    ReplyIntent.COMPLAINT,
    ReplyIntent.WRONG_PERSON,
    ReplyIntent.DECEASED,
    ReplyIntent.REPRESENTED,
}


@dataclass(frozen=True)
class GivenReply:
    """One reply: what it means, and when and on which day it was said."""

    understood: ParsedReply
    at: datetime

    @property
    def day(self) -> date:
        return self.at.date()

    def to(self, facts: Facts, standing: Standing) -> Standing:
        return apply_reply(facts, standing, self.understood, self.at, self.day, ReplyLimits()).standing


@st.composite
def replies(draw: st.DrawFn) -> GivenReply:
    """Draw a reply; several may fall on one moment."""
    at = draw(st.one_of(moments, st.integers(0, 3).map(lambda days: START + timedelta(days=days))))
    intents = draw(st.lists(st.sampled_from(ReplyIntent), unique=True, max_size=3))
    ahead = draw(st.one_of(st.none(), st.integers(-1, 16)))
    on = None if ahead is None else at.date() + timedelta(days=ahead)
    digits = draw(st.sampled_from(["", "", "", "0000", "0001", "001", "1"]))
    return GivenReply(ParsedReply(tuple(sorted(intents, key=list(ReplyIntent).index)), on, digits), at)


def after_all(facts: Facts, given_replies: list[GivenReply]) -> Standing:
    standing = a_standing()
    for reply in given_replies:
        standing = reply.to(facts, standing)
    return standing


@given(customer=customers(), given_replies=st.lists(replies(), max_size=6), data=st.data())
@many
def test_the_order_and_number_of_deliveries_make_no_difference(
    customer: tuple[str, Facts], given_replies: list[GivenReply], data: st.DataObject
) -> None:
    _, facts = customer
    shuffled = data.draw(st.permutations(given_replies))
    repeated = data.draw(st.lists(st.sampled_from(given_replies), max_size=4)) if given_replies else []
    once = after_all(facts, given_replies)
    assert after_all(facts, shuffled) == once
    assert after_all(facts, [*repeated, *shuffled, *repeated]) == once


@given(
    customer=customers(), given_replies=st.lists(replies(), min_size=1, max_size=4), later=st.integers(0, 60 * 24 * 60)
)
@many
def test_nobody_is_texted_against_what_they_said_last(
    customer: tuple[str, Facts], given_replies: list[GivenReply], later: int
) -> None:
    _, facts = customer
    facts = replace(facts, consented_at=START - timedelta(days=300))
    standing = after_all(facts, given_replies)
    now = max(reply.at for reply in given_replies) + timedelta(minutes=later)
    decision = decide(facts, standing, the_policies(), now)
    if not isinstance(decision, Send):
        return
    texted = set(decision.reminder.account_ids)
    last_in = max((reply.at for reply in given_replies if ReplyIntent.OPT_IN in reply.understood.sure), default=None)
    for reply in given_replies:
        intents = reply.understood.sure
        assert not SILENT_UNTIL_LIFTED & set(intents)
        if ReplyIntent.OPT_OUT in intents and (last_in is None or reply.at >= last_in):
            tails = [a for a in facts.accounts if reply.understood.digits and a.tail.endswith(reply.understood.digits)]
            meant = {tails[0].account_id} if len(tails) == 1 and len(reply.understood.digits) > 2 else None
            assert meant is not None, "a text after an opt-out"
            assert not meant & texted, "a text about an account that was opted out of"
        if ReplyIntent.QUESTION in intents:
            assert now.date() > reply.day + timedelta(days=2), "a text while help is on its way"


@given(customer=customers(), at=moments, ahead=st.integers(0, 14), later=st.floats(0, 1, exclude_max=True))
@many
def test_nobody_is_texted_while_a_promise_runs_and_its_instalment_is_open(
    customer: tuple[str, Facts], at: datetime, ahead: int, later: float
) -> None:
    _, facts = customer
    facts = replace(facts, consented_at=START - timedelta(days=300))
    on = at.date() + timedelta(days=ahead)
    standing = after_all(facts, [GivenReply(ParsedReply((ReplyIntent.PROMISE,), on), at)])
    owed = {progress_key(a.account_id, i.number) for a in facts.accounts for i in open_instalments(a)}
    assert bool(standing.promises) is bool(owed)
    # Until the day begins in the first of all time zones, it has not ended in any.
    begins = datetime.combine(on, time(), UTC) - timedelta(hours=14)
    now = at + max(timedelta(), begins - at) * later
    assert not isinstance(decide(facts, standing, the_policies(), now), Send)


@given(given_replies=st.lists(replies(), max_size=5))
def test_an_opt_in_lifts_opt_outs_and_no_hold(given_replies: list[GivenReply]) -> None:
    facts = a_customer()
    before = after_all(facts, given_replies)
    latest = max((reply.at for reply in given_replies), default=START) + timedelta(seconds=1)
    after = GivenReply(ParsedReply((ReplyIntent.OPT_IN,)), latest).to(facts, before)
    assert not after.is_opted_out
    assert after.holds == before.holds
    assert after.payment_statements == before.payment_statements
    assert after.promises == before.promises
    final = {hold.reason for hold in after.holds} & FINAL_HOLDS
    assert not final or not isinstance(decide(facts, after, the_policies(), latest), Send)
