"""The corpus is read line by line, and a bad line is refused by file, line and field."""

from datetime import date
from pathlib import Path

import pytest

from dunning.domain.replies.intents import ReplyIntent
from training.corpus import EXAMS, HEAD, TRAIN, CorpusError, read_corpus, read_corpus_file

GOOD = "en\tUS\t2026-12-01\tpaid,opt_out\t\tpaid it, stop\\nplease"


def written(folder: Path, *lines: str, head: str = "\t".join(HEAD)) -> Path:
    file = folder / "somebody.tsv"
    file.write_text("\n".join([head, *lines]) + "\n", "utf-8")
    return file


def test_a_line_is_a_reply_with_its_intents_in_their_order(tmp_path: Path) -> None:
    (reply,) = read_corpus_file(written(tmp_path, GOOD))
    assert reply.writer == "somebody"
    assert reply.said_on == date(2026, 12, 1)
    assert reply.intents == (ReplyIntent.OPT_OUT, ReplyIntent.PAID)
    assert reply.text == "paid it, stop\nplease"


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        (GOOD.replace("\t\t", "\t"), "5 fields, not 6"),
        (GOOD.replace("opt_out", "optout"), "'optout' is not a valid ReplyIntent"),
        (
            GOOD.replace("paid,opt_out", "paid,chat"),
            "intents: paid,chat: acknowledged, auto_reply and chat stand alone",
        ),
        (GOOD.replace("2026-12-01", "1.12.2026"), "Invalid isoformat string"),
        (GOOD.replace("\t\t", "\t2026-12-04\t"), "promised_on: only a promise names a day"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path: Path, line: str, refusal: str) -> None:
    file = written(tmp_path, GOOD, line)
    with pytest.raises(CorpusError) as refused:
        list(read_corpus_file(file))
    assert str(refused.value).startswith(f"{file}:3: ")
    assert refusal in str(refused.value)


def test_a_file_without_the_head_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="the head line is not lang country said_on intents promised_on text"):
        list(read_corpus_file(written(tmp_path, GOOD, head="text\tlabel")))


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no file \*\.tsv"):
        read_corpus(tmp_path)


@pytest.mark.slow(reason="every line of the corpus is read once, or a bad line would be found only by a training")
def test_no_text_of_an_exam_teaches_the_reader_and_every_intent_is_taught_and_examined() -> None:
    taught, examined = read_corpus(TRAIN), read_corpus(EXAMS)
    texts = {reply.text.lower() for reply in taught}
    copies = [reply.text for reply in examined if len(reply.text) > 12 and reply.text.lower() in texts]
    assert copies == []
    for replies in (taught, examined):
        assert {intent for reply in replies for intent in reply.intents} == set(ReplyIntent)
