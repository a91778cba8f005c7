r"""
The corpus: replies with the intents that people gave them. Invented by people for this purpose; nobody's own words.

One file for each writer, tab-separated with a head line: `lang country said_on intents promised_on text`. A line break
inside a text is `\n`. Files in `train/` teach the reader, files in `exams/` only examine it.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from dunning.domain.replies.intents import ReplyIntent

CORPUS = Path(__file__).parent / "corpus"
TRAIN, EXAMS = CORPUS / "train", CORPUS / "exams"
HEAD = ("lang", "country", "said_on", "intents", "promised_on", "text")

_ALONE = frozenset({ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY, ReplyIntent.CHAT})


class CorpusError(Exception):
    """A line of the corpus cannot be read. The message names file, line and field."""


class LabelledReply(NamedTuple):
    """One reply, its intents by a person, and the writer (the name of its file)."""

    writer: str
    language: str
    country: str
    said_on: date
    intents: tuple[ReplyIntent, ...]
    promised_on: date | None
    text: str


def read_corpus(folder: Path) -> list[LabelledReply]:
    """
    Read all files of a folder, in the order of their names.

    Raises:
        CorpusError: a line is not as described above, or there is no file.
    """
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise CorpusError(f"{folder}: no file *.tsv")
    return [reply for file in files for reply in read_corpus_file(file)]


def read_corpus_file(file: Path) -> Iterator[LabelledReply]:
    """
    Yield the replies of one file.

    Raises:
        CorpusError: a line is not as described above.
    """
    lines = file.read_text("utf-8").removesuffix("\n").split("\n")
    if tuple(lines[0].split("\t")) != HEAD:
        raise CorpusError(f"{file}:1: the head line is not {' '.join(HEAD)}, parted by tabs")
    for number, line in enumerate(lines[1:], 2):
        try:
            yield _read(file.stem, line)
        except ValueError as error:
            raise CorpusError(f"{file}:{number}: {error}") from error


def _read(writer: str, line: str) -> LabelledReply:
    fields = line.split("\t")
    if len(fields) != len(HEAD):
        raise ValueError(f"{len(fields)} fields, not {len(HEAD)}")
    language, country, said_on, written, promised_on, text = fields
    given = {ReplyIntent(intent) for intent in written.split(",")}
    intents = tuple([intent for intent in ReplyIntent if intent in given])
    if len(intents) > 1 and not _ALONE.isdisjoint(intents):
        raise ValueError(f"intents: {written}: acknowledged, auto_reply and chat stand alone")
    day = date.fromisoformat(promised_on) if promised_on else None
    if day and ReplyIntent.PROMISE not in intents:
        raise ValueError("promised_on: only a promise names a day")
    return LabelledReply(
        writer, language, country, date.fromisoformat(said_on), intents, day, text.replace("\\n", "\n")
    )
