"""Replies: whatever their order and however often they arrive, they come to the same; nobody is texted against one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.customer.facts import FINAL_HOLDS, Facts, HoldReason, open_instalments
from dunning.domain.customer.standing import ReplyLabel, Standing, progress_key
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.reply_effects import ReplyLimits, apply_label, apply_reply
from tests.support.builders import a_customer, a_standing, the_policies
from tests.support.strategies import START, customers, many, moments

SILENT_UNTIL_LIFTED = {
    ReplyIntent.HARDSHIP,
    ReplyIntent.DISPUTE,
    ReplyIntent.REFUSAL,
    ReplyIntent.COMPLAINT,
    ReplyIntent.WRONG_PERSON,
    ReplyIntent.DECEASED,
    ReplyIntent.REPRESENTED,
    ReplyIntent.DISTRESS,
    ReplyIntent.SUSPICION,
}
"""Intents that silence until a person has looked, whether they are sure or likely."""
QUIET = {ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY}
ABOUT_MONEY = {ReplyIntent.PAID, ReplyIntent.PROMISE}
USUAL = ReplyLimits()
EARTH_IS_BEHIND = timedelta(hours=14)
"""A local day has not ended anywhere before its date in UTC has begun, less this."""


@dataclass(frozen=True)
class GivenReply:
    """One reply: what it means, and when and on which day it was said."""

    understood: ParsedReply
    at: datetime
    limits: ReplyLimits = USUAL

    @property
    def day(self) -> date:
        return self.at.date()

    def to(self, facts: Facts, standing: Standing) -> Standing:
        return apply_reply(facts, standing, self.understood, self.at, self.day, self.limits).standing

    @property
    def might_mean(self) -> set[ReplyIntent]:
        """What it says, surely or likely."""
        return {*self.understood.sure, *self.understood.likely}

    @property
    def readable_until(self) -> date:
        """The day until which nobody may be reminded, so that a person can read it."""
        limits, day = self.limits, self.day
        left = min(limits.question_days, limits.doubt_days)
        while left:
            day += timedelta(days=1)
            left -= day.isoweekday() < 6 and day not in limits.holidays
        return day


@dataclass(frozen=True)
class GivenReplyLabel:
    """What a person says of a reply."""

    label: ReplyLabel
    said_at: datetime

    def to(self, facts: Facts, standing: Standing) -> Standing:
        return apply_label(facts, standing, self.label, "", self.said_at, self.said_at.date(), ReplyLimits()).standing


def in_order(intents: Iterable[ReplyIntent]) -> tuple[ReplyIntent, ...]:
    return tuple(sorted(intents, key=list(ReplyIntent).index))


all_limits = st.builds(
    ReplyLimits,
    grace_days=st.integers(1, 14),
    promise_days=st.integers(1, 31),
    question_days=st.integers(1, 10),
    doubt_days=st.integers(1, 10),
    refusal_ends_contact=st.booleans(),
    holidays=st.frozensets(st.dates(START.date(), START.date() + timedelta(days=90)), max_size=9),
)


@st.composite
def replies(draw: st.DrawFn, limits: st.SearchStrategy[ReplyLimits] = st.just(USUAL)) -> GivenReply:  # noqa: B008
    """Draw a reply; several may fall on one moment."""
    at = draw(st.one_of(moments, st.integers(0, 3).map(lambda days: START + timedelta(days=days))))
    intents = draw(st.lists(st.sampled_from(ReplyIntent), unique=True, max_size=3))
    surely = draw(st.integers(0, len(intents)))
    ahead = draw(st.one_of(st.none(), st.integers(-1, 16)))
    on = None if ahead is None else at.date() + timedelta(days=ahead)
    digits = draw(st.sampled_from(["", "", "", "0000", "0001", "001", "1"]))
    parsed = ParsedReply(in_order(intents[:surely]), on, digits, in_order(intents[surely:]))
    return GivenReply(parsed, at, draw(limits))


@st.composite
def labels(draw: st.DrawFn, moments_of_replies: st.SearchStrategy[datetime]) -> GivenReplyLabel:
    """Draw a label of a reply; several may fall on one moment, and be for one reply."""
    said_at = draw(moments_of_replies)
    intents = in_order(draw(st.lists(st.sampled_from(ReplyIntent), unique=True, max_size=2)))
    ahead = draw(st.one_of(st.none(), st.integers(-1, 16)))
    on = said_at.date() + timedelta(days=ahead) if ahead is not None and ReplyIntent.PROMISE in intents else None
    at = START + timedelta(days=80 + draw(st.integers(0, 2)))
    label = ReplyLabel(at=at, sequence=draw(st.integers(0, 1)), intents=intents, promised_on=on)
    return GivenReplyLabel(label, said_at)


def after_all(facts: Facts, given_replies: Sequence[GivenReply | GivenReplyLabel]) -> Standing:
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


@given(customer=customers(), given_replies=st.lists(replies(), min_size=1, max_size=4), data=st.data())
@many
def test_nor_do_the_order_and_number_of_what_people_say_of_them(
    customer: tuple[str, Facts], given_replies: list[GivenReply], data: st.DataObject
) -> None:
    _, facts = customer
    spoken = st.sampled_from([reply.at for reply in given_replies])
    happened: list[GivenReply | GivenReplyLabel] = [
        *given_replies,
        *data.draw(st.lists(labels(spoken), min_size=1, max_size=4)),
    ]
    once = after_all(facts, happened)
    shuffled = data.draw(st.permutations(happened))
    repeated = data.draw(st.lists(st.sampled_from(happened), max_size=4))
    assert after_all(facts, shuffled) == once
    assert after_all(facts, [*repeated, *shuffled, *repeated]) == once


@given(given_replies=st.lists(replies(), min_size=1, max_size=4), data=st.data())
@many
def test_what_a_person_says_of_a_reply_takes_its_place_but_for_opt_outs(
    given_replies: list[GivenReply], data: st.DataObject
) -> None:
    facts = a_customer()
    given = data.draw(labels(st.sampled_from([reply.at for reply in given_replies])))
    after = after_all(facts, [*given_replies, given])
    others = [reply for reply in given_replies if reply.at != given.said_at]
    meant = tuple(intent for intent in ReplyIntent if intent in given.label.intents and intent is not ReplyIntent.CHAT)
    surely = GivenReply(ParsedReply(meant, given.label.promised_on), given.said_at)
    expected = after_all(facts, [*others, *([surely] if set(meant) - QUIET else [])])
    assert [hold for hold in after.holds if hold.reason is not HoldReason.DOUBT] == [
        hold for hold in expected.holds if hold.reason is not HoldReason.DOUBT
    ]
    assert (after.payment_statements, after.promises) == (expected.payment_statements, expected.promises)
    in_doubt = {hold.since for hold in after.holds if hold.reason is HoldReason.DOUBT}
    assert given.said_at not in in_doubt
    assert set(after.opted_out_accounts) >= set(after_all(facts, given_replies).opted_out_accounts)
    for reply in given_replies:
        if ReplyIntent.OPT_OUT in reply.understood.sure and not reply.understood.digits:
            assert after.opted_out_at is not None
            assert after.opted_out_at >= reply.at


@given(
    customer=customers(),
    before=st.lists(replies(), max_size=3),
    reply=replies(all_limits),
    minutes=st.integers(0, 60 * 24 * 16),
)
@many
def test_nobody_is_reminded_before_a_person_could_have_read_a_reply_that_is_not_surely_quiet(
    customer: tuple[str, Facts], before: list[GivenReply], reply: GivenReply, minutes: int
) -> None:
    """
    The invariant of doubt.

    Three replies are understood so well that nobody has to read them first: one that surely asks for texts and for
    nothing else; one that opts out of a single account, about the others; and one that surely speaks of payments only,
    whose silence ends with its days, or once it is paid.
    """
    _, facts = customer
    facts = replace(facts, consented_at=START - timedelta(days=300))
    parsed = reply.understood
    standing = reply.to(facts, after_all(facts, before))
    now = reply.at + timedelta(minutes=minutes)
    decision = decide(facts, standing, the_policies(), now)
    if (
        not isinstance(decision, Send)
        or parsed.is_surely_quiet
        or (parsed.sure == (ReplyIntent.OPT_IN,) and not parsed.likely)
    ):
        return
    surely = set(parsed.sure) - QUIET
    readable = datetime.combine(reply.readable_until + timedelta(days=1), time(), UTC) - EARTH_IS_BEHIND
    if not parsed.likely and surely and surely <= {*ABOUT_MONEY, ReplyIntent.OPT_IN, ReplyIntent.OPT_OUT}:
        if ReplyIntent.OPT_OUT in surely:
            assert parsed.digits, "a text after an opt-out"
            assert standing.opted_out_accounts, "a text after an opt-out of all"
            assert not set(standing.opted_out_accounts) & set(decision.reminder.account_ids)
        about_money = [statement for statement in standing.payment_statements if statement.said_at == reply.at]
        owed = {progress_key(a.account_id, i.number) for a in facts.accounts for i in a.instalments if i.open > 0}
        for statement in about_money:
            over = datetime.combine(statement.until + timedelta(days=1), time(), UTC) - EARTH_IS_BEHIND
            assert now >= min(over, readable) or owed.isdisjoint(statement.about), "a text before its days are over"
        if surely & ABOUT_MONEY and not about_money:
            assert now >= readable
        return
    assert now >= readable, "a text before a person could have read the reply"


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
        assert not SILENT_UNTIL_LIFTED & reply.might_mean
        assert ReplyIntent.OPT_OUT not in reply.understood.likely
        if ReplyIntent.OPT_OUT in intents and (last_in is None or reply.at >= last_in):
            tails = [a for a in facts.accounts if reply.understood.digits and a.tail.endswith(reply.understood.digits)]
            meant = {tails[0].account_id} if len(tails) == 1 and len(reply.understood.digits) > 2 else None
            assert meant is not None, "a text after an opt-out"
            assert not meant & texted, "a text about an account that was opted out of"
        if ReplyIntent.QUESTION in reply.might_mean:
            begins = datetime.combine(reply.readable_until + timedelta(days=1), time(), UTC)
            assert now >= begins - EARTH_IS_BEHIND, "a text while help is on its way"


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
