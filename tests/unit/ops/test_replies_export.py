"""`make replies-export`: labelled replies become lines of the corpus, and no personal data comes along."""

import json
import stat
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply import InboundSms, Reply
from ops.replies_export import FILE, HEAD, LabelledText, corpus_lines, main
from tests.support.people import NOW
from tests.unit.ops.conftest import STACK, Deployed
from training import corpus
from training.corpus import LabelledReply, read_corpus_file

TEXT = "我是王小明，轉好了 末五碼22186，寄到 wang@example.com 或 https://x.example/1，電話0912345678"
PERSONAL = ("王小明", "22186", "wang", "example", "0912345678")
LINE: dict[str, Any] = {
    "local_at": "2026-12-01T11:25:00+08:00",
    "customer_id": "C0012",
    "language": "zh-Hant",
    "country": "TW",
    "text": TEXT,
    "masked_text": "我是<name>，轉好了 末五碼<number>",
    "label": {"at": "2026-12-01T05:00:00Z", "intents": ["paid"], "promised_on": None},
}


def keep(stack: Deployed, reply_id: str, text: str, *intents: str, customer_id: str = "C0001") -> None:
    inbound = InboundSms(inbound_id=reply_id, phone="+886900000001", text=text, at=NOW)
    expires_at = NOW + timedelta(days=90)
    stack.contacts.keep(
        Reply(customer_id=customer_id, inbound=inbound, intents=(), promised_on=None, expires_at=expires_at)
    )
    if intents:
        day = date(2026, 12, 4) if "promise" in intents else None
        label = ReplyLabel(at=NOW, intents=intents, promised_on=day)
        assert stack.contacts.label(customer_id, reply_id, label)


def leave(out: Path, *lines: object) -> None:
    (out / "replies.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def replies_in(out: Path) -> list[LabelledReply]:
    return list(read_corpus_file(out / FILE))


def test_labelled_replies_of_a_stack_are_written_as_the_corpus_has_them(
    stack: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(stack, "r1", TEXT, "paid")
    keep(stack, "r2", "週五繳，可以嗎", "promise", "question")
    keep(stack, "r3", "沒人看過")
    assert main(["--stack", STACK, "--out", str(tmp_path)]) == 0
    paid, promise = sorted(replies_in(tmp_path), key=lambda reply: len(reply.intents))
    assert (paid.language, paid.country, paid.intents) == ("zh-Hant", "TW", (ReplyIntent.PAID,))
    assert promise.intents == (ReplyIntent.PROMISE, ReplyIntent.QUESTION)
    assert (promise.promised_on, promise.text) == (date(2026, 12, 4), "週五繳,可以嗎")
    out = capsys.readouterr().out
    assert out.startswith(f"2 labelled replies written to {tmp_path / FILE}\n")
    assert "Read each line before it joins" in out


def test_no_personal_data_reaches_the_file(stack: Deployed, tmp_path: Path) -> None:
    keep(stack, "r1", TEXT, "paid")
    assert main(["--stack", STACK, "--out", str(tmp_path)]) == 0
    written = (tmp_path / FILE).read_text("utf-8")
    assert not [word for word in (*PERSONAL, "C0001") if word in written]
    assert "<name>" in written
    assert "<number>" in written
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_reply_whose_customer_is_not_known_is_left_out_for_its_name_cannot_be_masked(
    stack: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(stack, "r1", TEXT, "paid", customer_id="C0009")
    assert main(["--stack", STACK, "--out", str(tmp_path)]) == 0
    assert not (tmp_path / FILE).exists()
    assert capsys.readouterr().out == (
        "0 labelled replies\n1 left out: the customer's name is not known, and cannot be masked\n"
    )


def test_labelled_replies_of_a_local_run_are_written_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave(tmp_path, LINE, {**LINE, "label": None}, {**LINE, "masked_text": ""})
    assert main(["--out", str(tmp_path)]) == 0
    (reply,) = replies_in(tmp_path)
    assert (reply.said_on, reply.intents, reply.text) == (date(2026, 12, 1), (ReplyIntent.PAID,), LINE["masked_text"])
    assert "1 left out" in capsys.readouterr().out


def test_a_file_that_somebody_may_be_reading_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(tmp_path, LINE)
    assert main(["--out", str(tmp_path)]) == 0
    before = (tmp_path / FILE).read_bytes()
    assert main(["--out", str(tmp_path)]) == 2
    assert "move it away first" in capsys.readouterr().err
    assert (tmp_path / FILE).read_bytes() == before


def test_what_cannot_be_is_refused_in_one_line(
    stack: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del stack
    assert main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"OUT={tmp_path}: no run has left its replies there: make run, or name a stack\n"
    leave(tmp_path, {})
    assert main(["--out", str(tmp_path)]) == 2
    assert "replies.jsonl cannot be read" in capsys.readouterr().err
    assert main(["--stack", "nowhere", "--out", str(tmp_path)]) == 2
    assert "nowhere" in capsys.readouterr().err
    with pytest.raises(SystemExit) as exit_:
        main(["--nonsense"])
    assert exit_.value.code == 2


@pytest.mark.parametrize(
    ("intents", "masked", "written", "why"),
    [
        ((), "你好嗎", ["zh-Hant\tTW\t2026-12-01\tchat\t\t你好嗎"], []),
        (("paid",), "已繳", ["zh-Hant\tTW\t2026-12-01\tpaid\t\t已繳"], []),
        (("paid", "chat"), "已繳", [], ["acknowledged, auto_reply and chat stand alone in the corpus"]),
        (("paid",), "<number>", [], ["nothing is left of the text once it is masked"]),
    ],
)
def test_what_the_corpus_cannot_hold_is_left_out_by_its_reason(
    intents: tuple[str, ...], masked: str, written: list[str], why: list[str]
) -> None:
    left_out: Counter[str] = Counter()
    labelled = LabelledText("zh-Hant", "TW", date(2026, 12, 1), intents, date(2026, 12, 4), masked)
    assert list(corpus_lines([labelled], left_out)) == written
    assert list(left_out) == why


def test_the_head_line_is_that_of_the_corpus() -> None:
    assert HEAD == corpus.HEAD


def test_the_same_text_is_written_once() -> None:
    left_out: Counter[str] = Counter()
    labelled = LabelledText("en", "US", date(2026, 12, 1), ("paid",), None, "paid it")
    assert len(list(corpus_lines([labelled, labelled], left_out))) == 1
    assert left_out == {"the same text is there already": 1}


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("x","y")',
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "＝1+1",
        "＋1",
        "－1",
        "＠A1",
        "'=1+1",
        '"=1',
        " =1",
        "\u200b=1",
    ],
)
def test_a_text_that_a_spreadsheet_would_work_out_is_left_out(text: str) -> None:
    left_out: Counter[str] = Counter()
    labelled = LabelledText("en", "US", date(2026, 12, 1), ("paid",), None, f"{text} paid")
    assert list(corpus_lines([labelled], left_out)) == []
    assert left_out == {"the text begins as a formula of a spreadsheet does": 1}


@pytest.mark.parametrize("text", ["paid =1+1", "I paid 5-6 days ago", "'twas paid", "😀 paid", "(paid)"])
def test_a_sign_elsewhere_in_a_text_is_no_formula(text: str) -> None:
    labelled = LabelledText("en", "US", date(2026, 12, 1), ("paid",), None, text)
    assert len(list(corpus_lines([labelled], Counter()))) == 1
