"""
Microseconds to understand a reply, beside a naive list of stop words.

Target: at most 500 for an ordinary reply, little beside the calls that keep it. The naive list looks for each word as
it is written, `any(word in text ...)`: what it gets wrong of the published replies and of ordinary chat is told.
"""

import sys
from collections.abc import Callable
from datetime import date

from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.local_reader import LocalReader
from dunning.policy.reply_files import load_reply_reader, read_reply_files
from tests.bench.linting import microseconds
from tests.support.reminders import staged_reminders
from tests.support.vectors import read_vectors

_SAID_ON = date(2026, 12, 1)
_LONGEST = 2_000


def published() -> list[tuple[str, bool]]:
    """Return replies, and whether each opts out by what its source says."""
    replies = read_vectors("replies")
    chat = read_vectors("chat")
    return [(reply["text"], reply["expected"] == "opt_out") for reply in replies] + [
        (message["text"], False) for message in chat
    ]


def stop_words() -> list[str]:
    """Return the stop words of all languages as a naive list has them."""
    words = [word for file in read_reply_files().values() for word in file.fixed_words]
    return sorted(
        {
            written
            for word in words
            if word.intent is ReplyIntent.OPT_OUT and not word.countries
            for written in word.alone
            if "|" not in written and "?" not in written
        }
    )


def ours(reader: LocalReader, texts: list[str], our_texts: tuple[str, ...] = ()) -> Callable[[], list[bool]]:
    """Return a run that understands replies, and tells which opt out."""

    def run() -> list[bool]:
        return [
            ReplyIntent.OPT_OUT in reader.parse(text, said_on=_SAID_ON, phone_country="TW", our_texts=our_texts).sure
            for text in texts
        ]

    return run


def naive(words: list[str], texts: list[str]) -> Callable[[], list[bool]]:
    """Return a run that looks for each word in each reply."""

    def run() -> list[bool]:
        return [any(word in text.lower() for word in words) for text in texts]

    return run


def main() -> None:
    """Print what one reply costs, and how often either list is wrong."""
    reader, words, replies = load_reply_reader(), stop_words(), published()
    texts, expected = [text for text, _ in replies], [opts_out for _, opts_out in replies]
    quoting = tuple(message.text for message in staged_reminders().values())[:3]
    out = sys.stdout.write
    out(f"microseconds a reply, one core; {len(texts)} replies of {sum(map(len, texts)) // len(texts)} characters\n")
    for name, run, of in (
        ("understood", ours(reader, texts), len(texts)),
        ("understood beside three texts of ours", ours(reader, texts, quoting), len(texts)),
        (f"reference: a naive list of {len(words)} words", naive(words, texts), len(texts)),
        (f"one of {_LONGEST:,} characters", ours(reader, ["do not stop, " * (_LONGEST // 13)]), 1),
    ):
        out(f"  {name:42} {microseconds(run, rounds=5, repeats=3) / of:10.2f}\n")
    for name, run in (("ours", ours(reader, texts)), ("naive", naive(words, texts))):
        verdicts = list(zip(run(), expected, strict=True))
        out(f"  {name:6} misses {sum(not is_ and should for is_, should in verdicts)} stops of {sum(expected)}")
        out(f", sees {sum(is_ and not should for is_, should in verdicts)} where there are none\n")


if __name__ == "__main__":
    main()
