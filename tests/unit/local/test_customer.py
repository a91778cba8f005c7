"""`make customer`: the page of one customer of the last run, and what is said if there is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.columns import WIDTH, width_of
from tests.local.customer import main

CUSTOMER: dict[str, Any] = {
    "customer_id": "C0012",
    "name": "林*傑",
    "phone": "+886 9** *** 766",
    "language": "zh-Hant",
    "place": "TW",
    "time_zone": "Asia/Taipei",
    "lender": "demo-tw",
    "open": [
        {"account_id": "C0012-1", "digits": "7676", "product": "手機", "number": 3, "due_on": "2026-11-20",
         "amount": "TWD 9,803", "open": "TWD 9,803"},
    ],
    "next_decision_at": "2026-12-01T02:00:00Z",
    "reason": "on_hold",
    "silences": ["silent until a person releases it (hardship)"],
    "promises": [{"about": "C0012-1 no. 3", "said_at": "2026-11-18T03:25:00Z", "on": "2026-11-20", "kept": False}],
}  # fmt: skip
NOBODY = {**CUSTOMER, "customer_id": "C0013", "open": [], "next_decision_at": None, "reason": "nothing_open"}
CONTACT = {
    "customer_id": "C0012", "at": "2026-11-17T02:00:00Z", "stage": -3, "state": "delivered",
    "text": "【示範分期】林*傑您好，末四碼7676分期NT$9,803於11/20到期，請用官方APP繳。" * 3,
}  # fmt: skip
REPLY = {
    "customer_id": "C0012", "local_at": "2026-11-18T11:25:00+08:00", "reply_id": "inbound-000001",
    "text": "我失業了\n可以分期嗎" * 12, "band": "likely", "guess": ["hardship"], "sure": [], "likely": ["hardship"],
    "promised_on": None, "why": ["hardship 0.71: 失業"], "label": None,
    "followed": ["silent until a person releases it (hardship)", "a person is called (hardship)"],
}  # fmt: skip
LABELLED = {**REPLY, "text": "x", "why": [], "label": {"at": "", "intents": ["promise"], "promised_on": "2026-11-20"}}
DECISION = {
    "customer_id": "C0012", "at": "2026-11-18T03:25:00Z", "decision": "wait", "reason": "on_hold", "stage": 0,
    "until": "2026-11-23T01:00:00Z",
}  # fmt: skip


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """What a run has left."""
    run = {"run": {"start": "2026-11-16", "last_day": "2026-12-30"}}
    (tmp_path / "summary.json").write_text(json.dumps(run), "utf-8")
    write(tmp_path, "customers", CUSTOMER, NOBODY)
    write(tmp_path, "contacts", CONTACT, {**CONTACT, "customer_id": "C0099"})
    write(tmp_path, "replies", REPLY, LABELLED)
    write(tmp_path, "decisions", *[DECISION] * 25)
    return tmp_path


def write(folder: Path, what: str, *lines: object) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / f"{what}.jsonl").write_text(text, "utf-8")


def page(out: Path, customer_id: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["--out", str(out), customer_id]) == 0
    return capsys.readouterr().out


def test_the_page_says_who_it_is_what_is_open_and_what_is_planned(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = page(out, "C0012", capsys)
    assert "C0012  林*傑  +886 9** *** 766" in shown
    assert "next decision 2026-12-01 10:00; until then: a dispute, promise, hardship or other hold (on_hold)" in shown
    assert "hold          silent until a person releases it (hardship)" in shown
    assert "promise       C0012-1 no. 3 by 2026-11-20: broken" in shown
    assert "TWD 9,803" in shown


def test_the_page_shows_texts_and_replies_with_what_was_understood_why_and_what_followed(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = page(out, "C0012", capsys)
    assert "  2026-11-17 10:00  3 days before: delivered" in shown
    assert "  2026-11-18 11:25  inbound-000001" in shown
    for line in (
        "understood    hardship (likely)",
        "band          likely: silence, and a person confirms it",
        "why           hardship 0.71: 失業",
        "why           nothing in it is known",
        "a person says promise, by 2026-11-20",
        "followed      a person is called (hardship)",
    ):
        assert f"  {line}\n" in shown


def test_the_last_decisions_are_shown_in_the_customers_time(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = page(out, "C0012", capsys)
    assert "DECISIONS, the last 20 of 25" in shown
    assert shown.count("  2026-11-18 11:25  wait") == 20
    assert "2026-11-23 09:00" in shown


def test_no_line_is_wider_than_a_terminal(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert max(map(width_of, page(out, "C0012", capsys).splitlines())) <= WIDTH


def test_a_customer_of_whom_there_is_nothing_to_tell_has_a_page(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = page(out, "C0013", capsys)
    assert "no more texts everything is paid (nothing_open)" in shown
    assert "TEXTS (0)\n  none" in shown
    assert "REPLIES (0)\n  none" in shown
    assert "DECISIONS\n  none" in shown


def test_several_customers_are_shown_one_after_the_other(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(out), "C0013", "C0012"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("  C0013  ") < shown.index("  C0012  ")


@pytest.mark.parametrize(
    ("customer_id", "says"),
    [
        ("C12", "has no such customer; did you mean C0012"),
        ("nobody", "has no such customer\n"),
        ("C0099", "CUSTOMER=C0099: the customer was erased during the run"),
    ],
)
def test_who_is_not_there_is_said_in_one_line_with_the_nearest(
    customer_id: str, says: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(out), customer_id]) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out


def test_without_a_run_a_run_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "C0012"]) == 2
    assert capsys.readouterr().err == f"OUT={tmp_path}: no run has left its results there yet: make run\n"


def test_what_an_earlier_version_has_left_or_what_is_spoilt_is_played_again(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "replies.jsonl").write_text("{", "utf-8")
    assert main(["--out", str(out), "C0012"]) == 2
    assert "replies.jsonl cannot be read: play it again with make run" in capsys.readouterr().err
    (out / "customers.jsonl").unlink()
    assert main(["--out", str(out), "C0012"]) == 2
    assert "has left no customers.jsonl: play it again with make run" in capsys.readouterr().err
    (out / "summary.json").write_text("[]", "utf-8")
    assert main(["--out", str(out), "C0012"]) == 2
    assert "summary.json there is not of a run: name another folder" in capsys.readouterr().err


def test_a_customer_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == "make customer: name the customer by the id, as in CUSTOMER=C0012\n"
