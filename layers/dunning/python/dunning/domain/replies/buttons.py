"""
Buttons: what a pressed button means. Pure.

A button says what it says: its code is an intent, and needs no reading. So does the button of a mail program for no
more mail, and so does a mail that somebody marks as unwanted.
"""

from collections.abc import Mapping

from dunning.domain.delivery.channel_events import Wish
from dunning.domain.replies.intents import ParsedReply, ReplyIntent

WISHES_IN_WORDS: Mapping[Wish, tuple[ReplyIntent, ...]] = {
    Wish.UNSUBSCRIBED: (ReplyIntent.OPT_OUT,),
    Wish.COMPLAINED: (ReplyIntent.OPT_OUT, ReplyIntent.COMPLAINT),
}
"""Wishes that say as much as words: they end the messages of all channels. A block only ends those of its address."""

_INTENTS_OF_CODE: Mapping[str, tuple[ReplyIntent, ...]] = {
    **{intent.value: (intent,) for intent in ReplyIntent},
    **{wish.value: intents for wish, intents in WISHES_IN_WORDS.items()},
}


def parse_button(code: str) -> ParsedReply:
    """Return the meaning of a pressed button. What an unknown code means is in doubt: a person has to look."""
    intents = _INTENTS_OF_CODE.get(code, ())
    if not intents:
        return ParsedReply(why=("a button that nobody knows",))
    return ParsedReply(sure=intents, guess=intents, by_fixed_word=True, why=(f"button {code}",))


def read_no_words() -> ParsedReply:
    """Return the meaning of a message without words, such as a picture or a sticker: a person has to look."""
    return ParsedReply(why=("no words",))
