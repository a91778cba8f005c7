"""
Evaluate the reader of replies: `make replies-eval`, or `EXAM=file.tsv` for replies of your own.

The exams are written by people who have seen neither the corpus nor the rules, and never teach the reader. The program
ends with status 1 if a grave figure is worse than the figures on record.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from time import process_time
from typing import NamedTuple

from dunning.domain.replies.intents import QUIET_INTENTS, ParsedReply, ReplyIntent
from dunning.policy.reply_files import load_reply_reader
from dunning.ports.gateways import ReplyReader
from training.corpus import EXAMS, CorpusError, LabelledReply, read_corpus, read_corpus_file

RECORD = Path(__file__).parent / "record.json"
EVERYDAY = "everyday"
"""The exam of texts between friends and families. None of them is written to a lender, and none may opt anybody out."""

FINAL = (ReplyIntent.OPT_OUT, ReplyIntent.DECEASED, ReplyIntent.WRONG_PERSON, ReplyIntent.REPRESENTED)
TOLERANCE = 1e-9

_HEAD = f"{'Intent':15}{'heard':>17}{'right':>18}{'right if sure':>17}{'sure':>6}{'likely':>8}{'doubt':>7}"


class Answer(NamedTuple):
    """A reply, and its reading."""

    reply: LabelledReply
    parsed: ParsedReply

    @property
    def acted_on(self) -> set[ReplyIntent]:
        """The intents that are acted on, or silence the reminders until a person has confirmed them."""
        return {*self.parsed.sure, *self.parsed.likely}

    @property
    def is_right(self) -> bool:
        """Whether the best guess is exactly the intents that a person gave."""
        return set(self.parsed.guess) == set(self.reply.intents)

    @property
    def is_silenced(self) -> bool:
        """Whether the next reminder waits, at least until a person could have read the reply."""
        return not (self.parsed.is_surely_quiet or self.parsed.sure == (ReplyIntent.OPT_IN,))


@dataclass(frozen=True, slots=True)
class Share:
    """A share of replies, with its 95 % interval (Wilson)."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.count / self.total if self.total else 0.0

    def __str__(self) -> str:
        """Print share, interval and counts."""
        if not self.total:
            return "-"
        z, share, total = 1.96, self.value, self.total
        centre = share + z * z / (2 * total)
        spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
        low, high = ((centre + sign * spread) / (1 + z * z / total) for sign in (-1, 1))
        return f"{share:.3f} ({max(0.0, low):.3f} to {min(1.0, high):.3f}; {self.count:,} of {total:,})"


def share_of[T](elements: Iterable[T], where: Callable[[T], bool]) -> Share:
    """Return the share for which something holds."""
    held = [where(element) for element in elements]
    return Share(sum(held), len(held))


def answers_to(replies: Sequence[LabelledReply], reader: ReplyReader) -> list[Answer]:
    """Read replies as the function does, except that none of our texts is known."""
    return [
        Answer(reply, reader.parse(reply.text, said_on=reply.said_on, phone_country=reply.country)) for reply in replies
    ]


def grave_errors(answers: Sequence[Answer], everyday: Sequence[Answer]) -> dict[str, Share]:
    """Return the grave errors: what would harm somebody."""

    def with_intent(intent: ReplyIntent) -> list[Answer]:
        return [answer for answer in answers if intent in answer.reply.intents]

    stops = with_intent(ReplyIntent.OPT_OUT)
    paid = [answer for answer in with_intent(ReplyIntent.PAID) if ReplyIntent.PROMISE not in answer.reply.intents]
    asking = [
        answer for answer in answers if not QUIET_INTENTS.union({ReplyIntent.OPT_IN}).issuperset(answer.reply.intents)
    ]
    errors = {
        "a stop is not heard as a stop": share_of(stops, lambda answer: ReplyIntent.OPT_OUT not in answer.acted_on),
        "a stop is followed by the next reminder": share_of(stops, lambda answer: not answer.is_silenced),
        "needs silence, gets none": share_of(asking, lambda answer: not answer.is_silenced),
        "a payment is taken for a promise": share_of(paid, lambda answer: takes_for_promise(answer.parsed)),
        "distress is not heard": share_of(
            with_intent(ReplyIntent.DISTRESS), lambda answer: ReplyIntent.DISTRESS not in answer.acted_on
        ),
    }
    calm = [answer for answer in answers if ReplyIntent.DISTRESS not in answer.reply.intents]
    errors["distress is heard where there is none"] = share_of(
        calm, lambda answer: ReplyIntent.DISTRESS in answer.acted_on
    )
    for intent in FINAL:
        others = [answer for answer in answers if intent not in answer.reply.intents]
        errors[f"{intent} is invented"] = Share(sum(intent in answer.parsed.sure for answer in others), len(others))
    if everyday:
        errors["an everyday text opts out"] = share_of(
            everyday, lambda answer: ReplyIntent.OPT_OUT in answer.parsed.sure
        )
    return errors


def takes_for_promise(parsed: ParsedReply) -> bool:
    """Tell whether a reply is acted on as a promise, and as nothing else that silences longer."""
    acted_on = {*parsed.sure, *parsed.likely}
    return ReplyIntent.PROMISE in acted_on and ReplyIntent.PAID not in acted_on


def day_errors(answers: Sequence[Answer]) -> dict[str, Share]:
    """Return how often the day of a promise is right, for promises with a day and without."""
    promises = [answer for answer in answers if ReplyIntent.PROMISE in answer.reply.intents]
    named = [answer for answer in promises if answer.reply.promised_on]
    return {
        "promised days right": share_of(
            [answer for answer in named if ReplyIntent.PROMISE in answer.acted_on | set(answer.parsed.guess)],
            lambda answer: answer.parsed.promised_on == answer.reply.promised_on,
        ),
        "promised days right, the promise heard or not": share_of(
            named, lambda answer: answer.parsed.promised_on == answer.reply.promised_on
        ),
        "no day is named, and none is read": share_of(
            [answer for answer in promises if not answer.reply.promised_on],
            lambda answer: answer.parsed.promised_on is None,
        ),
    }


def report(answers: Sequence[Answer], everyday: Sequence[Answer]) -> Iterator[str]:
    """Yield the lines of the evaluation."""
    yield f"exact sets of intents              {share_of(answers, lambda answer: answer.is_right)}"
    for what, share in day_errors(answers).items():
        yield f"{what:35}{share}"
    yield ""
    yield "Grave errors"
    for what, share in grave_errors(answers, everyday).items():
        yield f"  {what:41} {share}"
    yield ""
    yield _HEAD
    for intent in ReplyIntent:
        yield intent_line(intent, answers)
    yield ""
    bands = Counter(band_of(answer.parsed) for answer in answers)
    yield "Replies " + ", ".join(f"{band} {count / len(answers):.0%}" for band, count in bands.most_common())
    yield "Exact sets by language: " + ", ".join(
        f"{language} {share_of(part, lambda answer: answer.is_right).value:.2f} ({len(part)})"
        for language, part in _by_language(answers).items()
    )


def intent_line(intent: ReplyIntent, answers: Sequence[Answer]) -> str:
    """Return one line of the table of intents."""
    given = [answer for answer in answers if intent in answer.reply.intents]
    guessed = [answer for answer in answers if intent in answer.parsed.guess]
    sure = [answer for answer in answers if intent in answer.parsed.sure]
    likely = [answer for answer in given if intent in answer.parsed.likely]
    recall = share_of(given, lambda answer: intent in answer.parsed.guess)
    precision = share_of(guessed, lambda answer: intent in answer.reply.intents)
    acted = share_of(sure, lambda answer: intent in answer.reply.intents)
    is_sure = share_of(given, lambda answer: intent in answer.parsed.sure)
    doubt = len(given) - is_sure.count - len(likely)
    return (
        f"{intent:15}{recall.value:>9.2f} of {recall.total:<4}{precision.value:>10.2f} of {precision.total:<4}"
        f"{acted.value:>9.2f} of {acted.total:<4}{is_sure.count:>6}{len(likely):>8}{doubt:>7}"
    )


def band_of(parsed: ParsedReply) -> str:
    """Return the band of a whole reply."""
    if parsed.sure and not parsed.likely:
        return "sure"
    return "likely" if parsed.likely else "in doubt"


def _by_language(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    parts: dict[str, list[Answer]] = {}
    for answer in answers:
        parts.setdefault(answer.reply.language, []).append(answer)
    return dict(sorted(parts.items()))


def worse_than_on_record(figures: dict[str, float], record: dict[str, float]) -> list[str]:
    """Return what got worse, a line each."""
    return [
        f"{what}: {figures.get(what, 1.0):.4f}, {known:.4f} on record"
        for what, known in record.items()
        if figures.get(what, 1.0) > known + TOLERANCE
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the evaluation, and return the exit status."""
    parser = argparse.ArgumentParser(prog="make replies-eval", description=__doc__)
    parser.add_argument("--exam", type=Path, help="a file of replies with their intents, instead of the exams")
    parser.add_argument("--record", action="store_true", help="put the figures on record")
    options = parser.parse_args(arguments)
    try:
        replies = list(read_corpus_file(options.exam)) if options.exam else read_corpus(EXAMS)
    except (CorpusError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    everyday = [reply for reply in replies if reply.writer == EVERYDAY]
    exam = [reply for reply in replies if reply.writer != EVERYDAY]
    reader = load_reply_reader()
    start = process_time()
    answers = answers_to(exam, reader)
    microseconds = (process_time() - start) / max(1, len(exam)) * 1e6
    print(f"{len(exam):,} replies, {microseconds:.0f} microseconds each\n")
    friends = answers_to(everyday, reader)
    print("\n".join(report(answers, friends)))
    if options.exam:
        return 0
    figures = {what: round(share.value, 6) for what, share in grave_errors(answers, friends).items()}
    figures["exact sets missed"] = round(1 - share_of(answers, lambda answer: answer.is_right).value, 6)
    if options.record:
        RECORD.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        return 0
    worse = worse_than_on_record(figures, json.loads(RECORD.read_text("utf-8")))
    if worse:
        print("\nWorse than on record:\n  " + "\n  ".join(worse), file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
