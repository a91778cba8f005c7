"""A second opinion can bring silence and can confirm. It makes nothing final by itself, and no reply quieter."""

from datetime import date

import pytest

from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.second_opinion import wants_second_opinion, with_second_opinion

OPT_OUT, OPT_IN, PAID, PROMISE = ReplyIntent.OPT_OUT, ReplyIntent.OPT_IN, ReplyIntent.PAID, ReplyIntent.PROMISE
HARDSHIP, DISTRESS, QUESTION = ReplyIntent.HARDSHIP, ReplyIntent.DISTRESS, ReplyIntent.QUESTION
OK, AWAY, CHAT = ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY, ReplyIntent.CHAT
WEIGHTY = (
    OPT_OUT, OPT_IN, ReplyIntent.WRONG_PERSON, ReplyIntent.DECEASED, ReplyIntent.REPRESENTED, ReplyIntent.REFUSAL,
)  # fmt: skip


def asked(parsed: ParsedReply, *larger: ReplyIntent) -> ParsedReply:
    return with_second_opinion(parsed, frozenset(larger))


def test_only_a_doubt_that_no_fixed_word_has_settled_is_asked_about() -> None:
    assert wants_second_opinion(ParsedReply())
    assert wants_second_opinion(ParsedReply(likely=(PAID,)))
    assert wants_second_opinion(ParsedReply(sure=(PAID,), likely=(HARDSHIP,)))
    assert not wants_second_opinion(ParsedReply(sure=(PAID,)))
    assert not wants_second_opinion(ParsedReply(sure=(OPT_OUT,), likely=(PAID,), by_fixed_word=True))


def test_without_an_answer_nothing_changes() -> None:
    parsed = ParsedReply(likely=(PAID,), guess=(PAID,), why=("已繳",))
    assert with_second_opinion(parsed, None) is parsed


def test_where_it_is_not_wanted_it_changes_nothing() -> None:
    parsed = ParsedReply(sure=(PAID,), guess=(PAID,))
    assert asked(parsed, OPT_OUT) is parsed


@pytest.mark.parametrize("parsed", [ParsedReply(likely=(PAID,), guess=(PAID,)), ParsedReply(guess=(PAID,))])
def test_what_both_found_is_sure(parsed: ParsedReply) -> None:
    assert asked(parsed, PAID).sure == (PAID,)
    assert not asked(parsed, PAID).likely


def test_what_the_larger_reader_alone_found_is_likely() -> None:
    parsed = asked(ParsedReply(likely=(PAID,), guess=(PAID,)), PROMISE)
    assert (parsed.sure, parsed.likely) == ((), (PAID, PROMISE))
    assert parsed.guess == (PROMISE,)


def test_what_the_local_reader_holds_for_likely_stays_likely() -> None:
    parsed = asked(ParsedReply(likely=(HARDSHIP, PAID), guess=(PAID,)), PAID)
    assert (parsed.sure, parsed.likely) == ((PAID,), (HARDSHIP,))


@pytest.mark.parametrize("intent", WEIGHTY)
def test_contact_ends_or_comes_back_only_if_the_local_reader_held_that_for_likely(intent: ReplyIntent) -> None:
    assert asked(ParsedReply(likely=(intent,), guess=(intent,)), intent).sure == (intent,)
    for parsed in (ParsedReply(), ParsedReply(guess=(intent,))):
        assert (asked(parsed, intent).sure, asked(parsed, intent).likely) == ((), (intent,))


def test_a_reply_that_asks_to_be_marked_as_paid_is_paid_only_if_the_local_reader_thought_so() -> None:
    parsed = asked(ParsedReply(guess=(CHAT,)), PAID)
    assert (parsed.sure, parsed.likely) == ((), (PAID,))


@pytest.mark.parametrize("quiet", [OK, AWAY])
def test_a_reply_is_surely_quiet_only_if_both_say_quiet_and_nothing_else(quiet: ReplyIntent) -> None:
    for parsed in (ParsedReply(guess=(quiet,)), ParsedReply(likely=(quiet,), guess=(quiet,))):
        assert asked(parsed, quiet).is_surely_quiet
    for parsed in (
        ParsedReply(),
        ParsedReply(guess=(CHAT,)),
        ParsedReply(guess=(quiet, HARDSHIP)),
        ParsedReply(likely=(HARDSHIP,), guess=(quiet,)),
    ):
        assert not asked(parsed, quiet).is_surely_quiet
        assert asked(parsed, quiet).is_in_doubt
        assert quiet not in asked(parsed, quiet).sure


def test_a_quiet_intent_is_not_confirmed_beside_what_is_sure() -> None:
    assert asked(ParsedReply(sure=(PAID,), likely=(OK,), guess=(OK,)), OK).sure == (PAID,)


def test_the_best_guess_holds_chat_only_where_there_is_nothing_else() -> None:
    assert asked(ParsedReply(likely=(PAID,)), PAID, CHAT).guess == (PAID,)
    assert asked(ParsedReply(likely=(PAID,)), CHAT).guess == (CHAT,)


def test_chat_is_no_finding_beside_another() -> None:
    parsed = asked(ParsedReply(likely=(PAID,), guess=(PAID,)), CHAT)
    assert (parsed.sure, parsed.likely) == ((), (PAID,))
    assert asked(ParsedReply(), CHAT).likely == (CHAT,)
    assert asked(ParsedReply(guess=(CHAT,)), CHAT).sure == (CHAT,)


def test_distress_is_at_least_likely_whoever_found_it() -> None:
    assert asked(ParsedReply(guess=(PAID,)), PAID, DISTRESS).likely == (DISTRESS,)
    assert asked(ParsedReply(guess=(PAID, DISTRESS)), PAID).likely == (DISTRESS,)
    assert asked(ParsedReply(likely=(DISTRESS,), guess=(DISTRESS,)), DISTRESS).sure == (DISTRESS,)


def test_a_wish_for_texts_falls_to_a_wish_for_none_whoever_found_that() -> None:
    for parsed, larger in (
        (ParsedReply(likely=(OPT_OUT,), guess=(OPT_OUT,)), OPT_IN),
        (ParsedReply(sure=(OPT_IN,), likely=(QUESTION,), guess=(OPT_IN,)), OPT_OUT),
    ):
        found = asked(parsed, larger)
        assert OPT_OUT in found.likely
        assert OPT_IN not in (*found.sure, *found.likely, *found.guess)


def test_day_and_digits_are_the_local_readers_and_a_person_is_told_what_the_larger_reader_said() -> None:
    parsed = asked(
        ParsedReply(likely=(PROMISE,), promised_on=date(2026, 12, 4), digits="1234", why=("週五",)), PROMISE, PAID
    )
    assert (parsed.promised_on, parsed.digits) == (date(2026, 12, 4), "1234")
    assert parsed.why == ("週五", "larger reader: paid, promise")
