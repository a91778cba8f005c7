"""The evaluation counts what would harm somebody, and says when it got worse."""

import json
from datetime import date
from pathlib import Path

import pytest

from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from training import evaluate
from training.corpus import HEAD, LabelledReply
from training.evaluate import Answer, Share, grave_errors, worse_than_on_record

R = ReplyIntent


def answer(given: set[ReplyIntent], parsed: ParsedReply) -> Answer:
    return Answer(LabelledReply("w", "en", "US", date(2026, 12, 1), tuple(given), None, "text"), parsed)


QUIET = ParsedReply((R.ACKNOWLEDGED,), guess=(R.ACKNOWLEDGED,))
DOUBT = ParsedReply(guess=(R.CHAT,))


@pytest.mark.parametrize(
    ("given", "parsed", "error"),
    [
        ({R.OPT_OUT}, QUIET, "a stop is followed by the next reminder"),
        ({R.OPT_OUT}, ParsedReply((R.OPT_IN,)), "a stop is followed by the next reminder"),
        ({R.OPT_OUT}, DOUBT, "a stop is not heard as a stop"),
        ({R.DISPUTE}, QUIET, "needs silence, gets none"),
        ({R.PAID}, ParsedReply((R.PROMISE,)), "a payment is taken for a promise"),
        ({R.DISTRESS}, DOUBT, "distress is not heard"),
        ({R.CHAT}, ParsedReply((R.DECEASED,)), "deceased is invented"),
        ({R.CHAT}, ParsedReply(likely=(R.DISTRESS,)), "distress is heard where there is none"),
    ],
)
def test_a_grave_error_is_counted(given: set[ReplyIntent], parsed: ParsedReply, error: str) -> None:
    assert grave_errors([answer(given, parsed)], [])[error] == Share(1, 1)


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        ({R.OPT_OUT}, ParsedReply(likely=(R.OPT_OUT,))),
        ({R.PAID}, ParsedReply(likely=(R.PAID, R.PROMISE))),
        ({R.DISTRESS}, ParsedReply(likely=(R.DISTRESS,))),
        ({R.ACKNOWLEDGED}, QUIET),
        ({R.OPT_IN}, ParsedReply((R.OPT_IN,))),
        ({R.DECEASED}, ParsedReply((R.DECEASED,))),
    ],
)
def test_what_is_heard_or_silenced_is_no_grave_error(given: set[ReplyIntent], parsed: ParsedReply) -> None:
    assert not any(share.count for share in grave_errors([answer(given, parsed)], []).values())


def test_an_everyday_text_that_opts_out_is_counted_apart() -> None:
    errors = grave_errors([answer({R.PAID}, ParsedReply((R.PAID,)))], [answer({R.CHAT}, ParsedReply((R.OPT_OUT,)))])
    assert errors["an everyday text opts out"] == Share(1, 1)


def test_a_figure_that_is_missing_or_larger_is_worse() -> None:
    assert worse_than_on_record({"a": 0.01, "b": 0.02}, {"a": 0.01, "b": 0.03}) == []
    assert worse_than_on_record({"a": 0.02}, {"a": 0.01, "b": 0.5}) == [
        "a: 0.0200, 0.0100 on record",
        "b: 1.0000, 0.5000 on record",
    ]


def test_a_share_shows_its_interval() -> None:
    assert str(Share(0, 100)) == "0.000 (0.000 to 0.037; 0 of 100)"
    assert str(Share(0, 0)) == "-"


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    file = tmp_path / "mine.tsv"
    lines = ["en\tUS\t2026-12-01\topt_out\t\tSTOP", "en\tUS\t2026-12-01\tpromise\t2026-12-04\twill pay friday"]
    file.write_text("\n".join(["\t".join(HEAD), *lines]) + "\n", "utf-8")
    return file


def test_an_exam_of_ones_own_is_examined_without_the_record(exam: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["--exam", str(exam)]) == 0
    printed = capsys.readouterr().out
    assert "2 replies" in printed
    assert "Grave errors" in printed
    assert "opt_out" in printed


def test_an_exam_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["--exam", str(tmp_path / "none.tsv")]) == 1
    assert "none.tsv" in capsys.readouterr().err


def test_a_figure_worse_than_on_record_fails(
    exam: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluate, "EXAMS", exam.parent)
    monkeypatch.setattr(evaluate, "RECORD", tmp_path / "record.json")
    assert evaluate.main(["--record"]) == 0
    assert evaluate.main([]) == 0
    record = json.loads((tmp_path / "record.json").read_text("utf-8"))
    (tmp_path / "record.json").write_text(json.dumps(record | {"opt_out is invented": -0.1}), "utf-8")
    assert evaluate.main([]) == 1
    assert "opt_out is invented" in capsys.readouterr().err
