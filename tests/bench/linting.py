"""
Microseconds to lint a faultless message, beside rendering it and counting its segments, and beside a naive list.

Target: at most 8 a message, less than half of a send. The naive list looks for each blocking word as it is written,
`any(word in text ...)`, and finds no other script, no trick and no word boundary.
"""

import sys
import time
import tomllib
from collections.abc import Callable
from importlib.resources import files

from dunning.domain.texts.lint import ArrivingText, Linter
from dunning.domain.texts.segments import count_segments
from dunning.domain.texts.wording import Text, render
from dunning.policy import PolicyBook, load_policies

_ROUNDS = 25
_REPEATS = 500
_LENDERS = {"zh-Hant": "demo-tw", "zh-Hans": "demo-cn", "en": "demo-tw"}
_TYPICAL = {
    "zh-Hant": {"name": "王*明", "amount": "NT$3,250", "date": "12/5"},
    "zh-Hans": {"name": "王*明", "amount": "3,250.00元", "date": "12月5日"},
    "en": {"amount": "USD 325.00", "date": "Dec 5"},
}

_DENIED = {
    "zh-Hant": ("您好", "您好，本公司不會要求提供密碼"),
    "zh-Hans": ("您好", "您好，我司不会要求提供密码"),
    "en": ("Demo Finance:", "Demo Finance: We never ask for your PIN."),
}
"""What makes a faultless message one that has to be read in full: a listed word, denied."""


def microseconds(run: Callable[[], object], rounds: int = _ROUNDS, repeats: int = _REPEATS) -> float:
    """Return how long one call takes, the best of some rounds: the machine's noise only ever slows down."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        best = min(best, time.perf_counter() - start)
    return best / repeats * 1e6


def cases(policies: PolicyBook, language: str) -> list[tuple[Text, dict[str, str], ArrivingText]]:
    """Return every text of a language for one instalment, with its values and the message they make."""
    lender = policies.lenders[_LENDERS[language]].policy
    common = {"tail": "5678", "days": "7", "count": "2", "pay": lender.pay[language], "hotline": str(lender.hotline)}
    sender = lender.sender_name[language]
    made = []
    for (of, stage, several), text in policies.texts.items():
        if of != language or several:
            continue
        values = common | _TYPICAL[language]
        filled = {name: values[name] for name in text.placeholders}
        signed = f"{sender}: " if language == "en" else f"【{sender}】"
        opt_out = policies.opt_out_lines[language] if language == "en" else ""
        arriving = f"{signed}{render(text, filled)}{opt_out}"
        values["sender"] = sender
        message = ArrivingText(
            arriving,
            language,
            values,
            overdue=stage > 0,
            opt_out_line=opt_out,
            links_allowed=False,
            link_domains=frozenset(),
            due_today=stage == 0,
        )
        made.append((text, filled, message))
    return made


def blocking_words() -> list[str]:
    """Return the blocking words of the list as they are written."""
    raw = tomllib.loads((files("dunning.policy") / "data" / "linter.toml").read_text("utf-8"))
    return [word for rule in raw["words"] if rule["severity"] == "block" for word in (*rule["zh"], *rule["en"])]


def faultless(linter: Linter, messages: list[ArrivingText]) -> Callable[[], None]:
    """Return a run that lints messages, all of which have to pass."""

    def run() -> None:
        for message in messages:
            if linter.faults(message):
                raise AssertionError(message.text)

    return run


def naive(words: list[str], messages: list[ArrivingText]) -> Callable[[], None]:
    """Return a run that looks for each word in each message."""

    def run() -> None:
        for message in messages:
            lowered = message.text.lower()
            if any(word in lowered for word in words):
                raise AssertionError(message.text)

    return run


def composed(made: list[tuple[Text, dict[str, str], ArrivingText]]) -> Callable[[], None]:
    """Return a run that renders texts and counts their segments."""

    def run() -> None:
        for text, filled, _ in made:
            count_segments(render(text, filled))

    return run


def built(messages: list[ArrivingText]) -> Callable[[], None]:
    """Return a run that builds messages."""

    def run() -> None:
        for message in messages:
            ArrivingText(*message)

    return run


def main() -> None:
    """Print a paragraph for each language."""
    policies, words = load_policies(), blocking_words()
    linter = policies.linter
    out = sys.stdout.write
    out(f"microseconds a message, one core, best of {_ROUNDS}; target 8 for a faultless one\n")
    for language in _LENDERS:
        made = cases(policies, language)
        messages = [message for *_, message in made]
        denied = [message._replace(text=message.text.replace(*_DENIED[language], 1)) for message in messages]
        out(f"  {language}, {sum(len(message.text) for message in messages) // len(made)} characters\n")
        for name, run in (
            ("a faultless message", faultless(linter, messages)),
            ("one with a denied word, read in full", faultless(linter, denied)),
            ("building a message", built(messages)),
            ("reference: rendering, segments", composed(made)),
            (f"reference: a naive list of {len(words)} words", naive(words, messages)),
        ):
            out(f"    {name:42} {microseconds(run) / len(made):7.2f}\n")


if __name__ == "__main__":
    main()
