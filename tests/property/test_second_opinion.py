"""The second opinion: nothing gets quieter by it, and nothing ends by the larger reader alone."""

from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.replies.intents import QUIET_INTENTS, ParsedReply, ReplyIntent
from dunning.domain.replies.second_opinion import with_second_opinion

intents = st.lists(st.sampled_from(ReplyIntent), unique=True, max_size=3)
answers = st.lists(st.sampled_from(ReplyIntent), unique=True, min_size=1, max_size=4).map(frozenset)

ENDS_CONTACT = {ReplyIntent.OPT_OUT, ReplyIntent.WRONG_PERSON, ReplyIntent.DECEASED, ReplyIntent.REPRESENTED}


def in_order(chosen: list[ReplyIntent]) -> tuple[ReplyIntent, ...]:
    return tuple(intent for intent in ReplyIntent if intent in chosen)


@st.composite
def doubtful(draw: st.DrawFn) -> ParsedReply:
    """Draw a reading that is in doubt, and that no fixed word decided."""
    sure = in_order(draw(intents))
    likely = in_order([intent for intent in draw(intents) if intent not in sure])
    return ParsedReply(sure=sure if likely else (), likely=likely, guess=in_order(draw(intents)))


def all_of(parsed: ParsedReply) -> set[ReplyIntent]:
    return {*parsed.sure, *parsed.likely, *parsed.guess}


@given(doubtful(), answers)
def test_nothing_that_was_sure_or_likely_is_lost(parsed: ParsedReply, larger: frozenset[ReplyIntent]) -> None:
    after = with_second_opinion(parsed, larger)
    gone = {ReplyIntent.OPT_IN} if ReplyIntent.OPT_OUT in {*after.sure, *after.likely} else set()
    assert {*parsed.sure} - gone <= {*after.sure}
    assert {*parsed.likely} - gone <= {*after.sure, *after.likely}
    assert not {*after.sure} & {*after.likely}


@given(doubtful(), answers)
def test_contact_ends_for_sure_only_if_the_local_reader_held_that_for_likely(
    parsed: ParsedReply, larger: frozenset[ReplyIntent]
) -> None:
    after = with_second_opinion(parsed, larger)
    assert ENDS_CONTACT & {*after.sure} <= {*parsed.sure, *parsed.likely}
    assert {*after.sure} - {*parsed.sure} <= larger & all_of(parsed)


@given(doubtful(), answers)
def test_a_reply_becomes_surely_quiet_only_by_both(parsed: ParsedReply, larger: frozenset[ReplyIntent]) -> None:
    after = with_second_opinion(parsed, larger)
    if after.is_surely_quiet:
        assert larger <= QUIET_INTENTS
        assert parsed.is_surely_quiet or all_of(parsed) <= QUIET_INTENTS


@given(doubtful(), answers)
def test_what_the_larger_reader_says_is_at_least_likely(parsed: ParsedReply, larger: frozenset[ReplyIntent]) -> None:
    after = with_second_opinion(parsed, larger)
    found = {*after.sure, *after.likely}
    nothing = QUIET_INTENTS | {ReplyIntent.CHAT}
    assert larger - nothing - found <= ({ReplyIntent.OPT_IN} if ReplyIntent.OPT_OUT in found else set())
    assert found
    if ReplyIntent.DISTRESS in larger | all_of(parsed):
        assert ReplyIntent.DISTRESS in found


@given(doubtful(), answers)
def test_no_texts_come_back_where_a_stop_is_likely(parsed: ParsedReply, larger: frozenset[ReplyIntent]) -> None:
    after = with_second_opinion(parsed, larger)
    assert not {ReplyIntent.OPT_OUT, ReplyIntent.OPT_IN} <= {*after.sure, *after.likely}
    if ReplyIntent.OPT_IN in after.sure:
        assert ReplyIntent.OPT_IN in {*parsed.sure, *parsed.likely}


@given(doubtful(), answers)
def test_intents_stand_in_their_order(parsed: ParsedReply, larger: frozenset[ReplyIntent]) -> None:
    after = with_second_opinion(parsed, larger)
    for chosen in (after.sure, after.likely, after.guess):
        assert chosen == in_order(list(chosen))
