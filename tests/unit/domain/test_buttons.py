"""A button says what it says: its code is an intent, and nothing is read."""

from datetime import UTC, datetime

import pytest

from dunning.domain.delivery.channel_events import ChannelEvents, ChannelMessage, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.replies.buttons import WISHES_IN_WORDS, parse_button, read_no_words
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply_effects import is_not_understood


@pytest.mark.parametrize("intent", ReplyIntent)
def test_the_code_of_a_button_is_the_intent_and_surely(intent: ReplyIntent) -> None:
    parsed = parse_button(intent.value)
    assert (parsed.sure, parsed.likely, parsed.by_fixed_word) == ((intent,), (), True)
    assert (parsed.guess, parsed.why) == ((intent,), (f"button {intent.value}",))


def test_a_mail_that_is_marked_as_unwanted_opts_out_and_is_a_complaint() -> None:
    assert parse_button("complained").sure == (ReplyIntent.OPT_OUT, ReplyIntent.COMPLAINT)


def test_the_button_for_no_more_mail_opts_out() -> None:
    assert parse_button("unsubscribed").sure == (ReplyIntent.OPT_OUT,)


def test_a_block_says_nothing_in_words() -> None:
    assert WISHES_IN_WORDS.keys() == {Wish.COMPLAINED, Wish.UNSUBSCRIBED}
    assert is_not_understood(parse_button("blocked"))


@pytest.mark.parametrize("code", ["", "pay_now", "OPT_OUT", "distress2"])
def test_an_unknown_code_is_for_a_person(code: str) -> None:
    parsed = parse_button(code)
    assert is_not_understood(parsed)
    assert not parsed.by_fixed_word


def test_a_picture_is_for_a_person() -> None:
    assert is_not_understood(read_no_words())


def test_a_person_is_told_why_nothing_was_understood_and_never_the_code_that_somebody_sent() -> None:
    assert parse_button("pay_now").why == ("a button that nobody knows",)
    assert read_no_words().why == ("no words",)


def test_what_comes_for_the_first_time_is_read_and_no_redelivery() -> None:
    at = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    pressed = ChannelMessage(Channel.LINE, "U1", "m1", at, button="paid")
    marked = ChannelWish(Channel.EMAIL, Wish.COMPLAINED, "e1", at)
    events = ChannelEvents(wishes=(marked,), messages=(pressed,))
    assert [parse_button(each.button).sure for each in events.messages] == [(ReplyIntent.PAID,)]
    assert (marked.is_redelivery, pressed.is_redelivery, events.unreadable) == (False, False, 0)
