"""What a reading says of itself: how certain each intent is, whether it is in doubt, and whether it is surely quiet."""

import pytest

from dunning.domain.replies.intents import Band, ParsedReply, ReplyIntent, in_order

OPT_OUT, PAID, HARDSHIP = ReplyIntent.OPT_OUT, ReplyIntent.PAID, ReplyIntent.HARDSHIP
OK, AWAY, CHAT = ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY, ReplyIntent.CHAT


def test_an_intent_that_is_neither_sure_nor_likely_is_in_doubt() -> None:
    parsed = ParsedReply(sure=(PAID,), likely=(HARDSHIP,), guess=(PAID, OPT_OUT))
    assert [parsed.band(intent) for intent in (PAID, HARDSHIP, OPT_OUT)] == [Band.SURE, Band.LIKELY, Band.DOUBT]


@pytest.mark.parametrize(
    ("parsed", "is_quiet", "in_doubt"),
    [
        (ParsedReply(), False, True),
        (ParsedReply(guess=(OK,)), False, True),
        (ParsedReply(sure=(OK,)), True, False),
        (ParsedReply(sure=(OK, AWAY)), True, False),
        (ParsedReply(sure=(AWAY,), likely=(OK,)), True, True),
        (ParsedReply(likely=(OK,)), False, True),
        (ParsedReply(sure=(CHAT,)), False, False),
        (ParsedReply(sure=(OK, PAID)), False, False),
        (ParsedReply(sure=(OK,), likely=(PAID,)), False, True),
        (ParsedReply(sure=(PAID,)), False, False),
    ],
)
def test_a_reply_is_surely_quiet_if_it_surely_asks_for_nothing_and_likely_for_nothing_else(
    parsed: ParsedReply,
    is_quiet: bool,  # noqa: FBT001 - a column of the table
    in_doubt: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert (parsed.is_surely_quiet, parsed.is_in_doubt) == (is_quiet, in_doubt)


def test_intents_stand_in_one_order_each_once_however_they_are_given() -> None:
    assert in_order([CHAT, PAID, OPT_OUT, PAID]) == (OPT_OUT, PAID, CHAT)
    assert in_order(()) == ()
