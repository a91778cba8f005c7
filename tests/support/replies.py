"""Readers of replies for tests of what needs none."""

from collections.abc import Sequence
from datetime import date

from dunning.domain.replies.intents import ParsedReply, ReplyIntent


class NoReader:
    """Understands a stop, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def parse(
        self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = (), customer_name: str = ""
    ) -> ParsedReply:
        """Return an opt-out for a stop, an opt-in for a start, and nothing for all else."""
        del said_on, phone_country, our_texts, customer_name
        self.asked.append(text)
        meanings = {"退訂": (ReplyIntent.OPT_OUT,), "START": (ReplyIntent.OPT_IN,)}
        return ParsedReply(meanings.get(text, ()), by_fixed_word=True)
