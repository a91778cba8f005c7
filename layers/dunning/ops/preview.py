"""
Preview: all texts of a lender as they arrive, with their costs and faults, on a terminal.

The texts are those of `dunning.policy.text_preview`, which the console shows, too.
"""

import argparse
import itertools
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from dunning.domain.decision.decisions import Reminder
from dunning.domain.delivery.channels import Channel
from dunning.domain.texts.previewed import Message, filling_of
from dunning.evidence.words import stage_name
from dunning.policy import PolicyBook, PolicyError, load_policies
from dunning.policy.lender import Lender
from dunning.policy.text_preview import UnknownChoiceError, channels_used, first_country, preview
from ops.columns import WIDTH, fold, pad
from ops.own_policies import over_the_package


def warnings_of(message: Message) -> list[str]:
    """Return everything a manager should know about a text before using it."""
    warnings = [f"will not be sent: {words.removeprefix('text: ')}" for _, words in message.refusals]
    reminder = message.reminder
    if reminder is None:
        return warnings
    if message.is_longer_than_typical:
        warnings.append(f"{_segments(reminder.parts)} where {message.typical_parts} is typical")
    if message.spares_fee:
        warnings.append("the text with a late fee is not used here: it is not registered, or over the budget")
    warnings += [f"check: {doubt.message} ({doubt.rule})" for doubt in message.to_check]
    return warnings


def report(messages: Sequence[Message], title: str) -> Iterator[str]:
    """Yield the lines of the preview."""
    yield title
    for stage, texts in itertools.groupby(messages, key=lambda message: message.case.stage):
        yield ""
        yield f"{stage_sign(stage)}  {stage_name(stage)}"
        for message in texts:
            yield ""
            yield from _lines(message)
    yield ""
    yield _summary(messages)


def stage_sign(stage: int) -> str:
    """Write a stage as policies do: `-3`, `0`, `+3`."""
    return f"{stage:+d}" if stage else "0"


def _lines(message: Message) -> Iterator[str]:
    reminder = message.reminder
    if reminder is None:
        yield f"  {message.case}"
    elif message.case.channel is not Channel.SMS:
        yield from _lines_of_channel(message, reminder)
    else:
        length = _length(message.arriving)
        figures = f"{_segments(reminder.parts):10}  {reminder.encoding:5}  {length:>10}  ${message.price / 1e6:.4f}"
        yield f"  {pad(str(message.case), 22)}  {figures}  {reminder.template}"
        yield from (f"  | {line}" for line in fold(message.arriving, WIDTH - 8))
    yield from (f"  ! {warning}" for warning in warnings_of(message))


def _lines_of_channel(message: Message, reminder: Reminder) -> Iterator[str]:
    """Yield a mail, a bubble, a spoken text or a template with all that is beside its text."""
    extras = reminder.extras
    figures = f"{len(reminder.text):5} characters  ${message.price / 1e6:.4f}"
    yield f"  {pad(str(message.case), 22)}  {figures}  {reminder.template}"
    beside = (
        ("subject", extras.subject),
        ("preview", extras.preview),
        ("buttons", "  ".join(f"[{button.label}] {button.code}" for button in extras.buttons)),
        ("values", "  ".join(f"{{{{{at}}}}} {value}" for at, value in enumerate(extras.parameters, 1))),
    )
    for name, words in beside:
        if words:
            yield from (f"  {name}: {line}" for line in fold(words, WIDTH - 14))
    for paragraph in reminder.text.splitlines():
        yield from (f"  | {line}".rstrip() for line in (list(fold(paragraph, WIDTH - 8)) or [""]))


def _segments(parts: int) -> str:
    return "1 segment" if parts == 1 else f"{parts} segments"


def _length(text: str) -> str:
    """Say how full the segments are, in the units that are counted: `68 of 70`."""
    filling = filling_of(text)
    return f"{filling.units} of {filling.room}"


def _summary(messages: Sequence[Message]) -> str:
    sendable = [message for message in messages if not message.refusals]
    segments = sum(message.reminder.parts for message in sendable if message.reminder)
    is_sms = all(message.case.channel is Channel.SMS for message in messages)
    dearest = max(sendable, key=lambda message: message.price, default=None)
    parts = [f"{len(messages)} texts", *([_segments(segments)] if is_sms else [])]
    if dearest:
        parts.append(f"dearest ${dearest.price / 1e6:.4f} ({stage_sign(dearest.case.stage)} {dearest.case})")
    warnings = sum(len(warnings_of(message)) for message in messages)
    parts.append("1 warning" if warnings == 1 else f"{warnings or 'no'} warnings")
    unsent = len(messages) - len(sendable)
    parts.append(f"{unsent} cannot be sent" if unsent else "all can be sent")
    return " · ".join(parts)


class _Parser(argparse.ArgumentParser):
    """Reports an error in one line; `--help` prints the rest."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m ops.preview",
        description="Show all texts of a lender as they arrive, with their segments, their price and every warning.",
        epilog="make preview LENDER=demo-tw LANGUAGE=zh-Hant COUNTRY=TW CHANNEL=email POLICIES=folder\n\n"
        "Exit status: 0 every text can be sent, 1 one cannot, 2 something asked for is not there or not loaded.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lender", metavar="ID", help="whose texts")
    parser.add_argument("--language", metavar="TAG", help="in which language (default: the lender's first)")
    parser.add_argument("--country", metavar="CODE", help="where, as US or US-MA (default: the lender's first)")
    parser.add_argument(
        "--channel",
        choices=[channel.value for channel in Channel],
        help="on which channel (default: all that the lender uses there)",
    )
    parser.add_argument("--policies", type=Path, metavar="FOLDER", help="a folder of policies, laid over the package's")
    return parser


def _chosen(
    book: PolicyBook, lender_id: str, language: str | None, country: str | None
) -> tuple[Lender, str, str, str]:
    """Return the lender, language, country and region that are asked for, or the lender's first ones."""
    lender = book.lenders.get(lender_id)
    if lender is None:
        raise UnknownChoiceError(f"no lender is called {lender_id!r}; there are: {', '.join(book.lenders)}")
    policy = lender.policy
    if language is not None and language not in policy.languages:
        raise UnknownChoiceError(f"{lender_id} has no texts in {language!r}; it has: {', '.join(policy.languages)}")
    code, _, region = (country or first_country(book, lender)).upper().partition("-")
    if country and book.places.of(code) is None:
        there = ", ".join(policy.countries)
        raise UnknownChoiceError(f"{country!r} is no country (ISO 3166); {lender_id} texts people in: {there}")
    return lender, language or policy.languages[0], code, region


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the texts that are asked for."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    out = sys.stdout.write
    if asked.policies and not asked.policies.is_dir():
        parser.error(f"there is no folder {asked.policies}")
    try:
        book = load_policies(asked.policies and over_the_package(asked.policies))
        if not asked.lender:
            out(f"{parser.format_help()}\nlenders:\n")
            for lender_id, lender in book.lenders.items():
                languages, countries = ", ".join(lender.policy.languages), ", ".join(lender.policy.countries)
                out(f"  {lender_id:12} languages {languages}; countries {countries}\n")
            return 0
        lender, language, country, region = _chosen(book, asked.lender, asked.language, asked.country)
        channels = (Channel(asked.channel),) if asked.channel else channels_used(book, lender, country, region)
        by_channel = {each: list(preview(book, lender, language, country, region, each)) for each in channels}
    except (UnknownChoiceError, PolicyError, OSError) as error:
        parser.error(str(error))
    place = f"{country}-{region}" if region else country
    for channel, messages in by_channel.items():
        title = f"{lender.policy.id} in {language}, to {place}"
        is_sms = channel is Channel.SMS
        says = f"at most {_segments(lender.policy.max_segments)} a text" if is_sms else f"by {channel.value}"
        for line in report(messages, f"{title}: {says}"):
            out(f"{line}\n")
    return 1 if any(message.refusals for messages in by_channel.values() for message in messages) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make preview | head` ends quietly
    sys.exit(main())
