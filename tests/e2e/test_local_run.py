"""Ten days on the embedded AWS, through the real handlers and the command line."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from dunning.domain.texts.segments import count_segments
from dunning.services.intake.rows import COLUMNS
from tests.local.__main__ import main
from tests.local.recorder import FILES
from tests.local.runner import NothingLoadedError, Result, begin_of, run
from tests.local.said import read_said

START = date(2026, 12, 1)
DAYS = 10

TAIPEI = {"name": "王小明", "phone": "0912-345-678", "country": "TW", "language": "zh-Hant", "lender": "demo-tw"}
SHANGHAI = {"name": "欧阳娜", "phone": "13812345678", "country": "CN", "language": "zh-Hans", "lender": "demo-cn"}
BOSTON = {
    "name": "Amelia Hughes",
    "phone": "617-555-0123",
    "country": "US",
    "region": "MA",
    "language": "en",
    "lender": "demo-tw",
    "consented_at": "2026-01-05",
}


def _row(customer_id: str, person: Mapping[str, str], due_on: str, **more: str) -> dict[str, str]:
    currency = {"TW": "TWD", "CN": "CNY", "US": "USD"}[person["country"]]
    return {
        "customer_id": customer_id,
        "account_id": f"{customer_id}-1",
        "account_number": "2026-0007-4321",
        "instalment_no": "1",
        "due_on": due_on,
        "amount": "3250",
        "currency": currency,
        **person,
        **more,
    }


def _file(rows: Iterable[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


PORTFOLIO = _file(
    [
        _row("SOON", TAIPEI, "2026-12-05", phone="0912-345-001"),
        _row("LATE", TAIPEI, "2026-11-20", phone="0912-345-002"),
        _row("PAYS", TAIPEI, "2026-12-04", phone="0912-345-003", paid_on="2026-12-06", paid_amount="3250"),
        _row("HELD", TAIPEI, "2026-12-04", phone="0912-345-004", hold="dispute"),
        _row("DONE", TAIPEI, "2026-12-04", phone="0912-345-005", paid_on="2026-11-28", paid_amount="3250"),
        _row("NORTH", SHANGHAI, "2026-12-04"),
        _row("EAST", BOSTON, "2026-12-04"),
        _row("SILENT", {**BOSTON, "consented_at": "", "phone": "617-555-0124"}, "2026-12-04"),
        _row("BAD", TAIPEI, "tomorrow"),
    ]
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def result(out: Path) -> Result:
    return run(PORTFOLIO, start=START, days=DAYS, out=out)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _texts_to(customer_id: str, outbox: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [line for line in outbox if line["customer_id"] == customer_id]


@pytest.mark.usefixtures("result")
class TestTheFiles:
    """What `OUT` holds afterwards."""

    def test_all_are_there_and_none_is_half_written(self, out: Path) -> None:
        assert {path.name for path in out.iterdir()} == set(FILES.values())

    def test_each_line_of_the_outbox_says_what_was_sent_to_whom_and_when(self, out: Path) -> None:
        lines = _lines(out / "outbox.jsonl")
        assert lines
        for line in lines:
            assert set(line) == {
                *("at", "local_at", "customer_id", "account_ids", "stage", "to", "text", "encoding", "segments"),
                *("template", "message_id"),
            }
            assert line["at"].endswith("Z")
            assert datetime.fromisoformat(line["at"]) == datetime.fromisoformat(line["local_at"])
            assert line["account_ids"] == [f"{line['customer_id']}-1"]
            assert isinstance(line["stage"], int)
            assert re.fullmatch(r"\+\d{8,15}", line["to"])
            assert re.fullmatch(r"[a-zA-Z-]+/[a-z0-9-]+@\d+", line["template"])

    def test_the_segments_are_those_of_the_text_as_it_arrives(self, out: Path) -> None:
        for line in _lines(out / "outbox.jsonl"):
            assert count_segments(line["text"]) == (line["encoding"], line["segments"])

    def test_message_ids_are_unique_and_each_has_its_contact(self, out: Path) -> None:
        sent = [line["message_id"] for line in _lines(out / "outbox.jsonl")]
        recorded = [line["message_id"] for line in _lines(out / "contacts.jsonl")]
        assert sorted(sent) == sorted(recorded)
        assert len(set(sent)) == len(sent)

    def test_each_decision_has_its_trace(self, out: Path) -> None:
        lines = _lines(out / "decisions.jsonl")
        assert {line["decision"] for line in lines} == {"send", "wait", "stop"}
        for line in lines:
            assert {"at", "customer_id", "decision", "reason", "until", "trace"} <= set(line)
            assert line["at"].endswith("Z")
            assert line["trace"]
            assert all(isinstance(step, str) for step in line["trace"])

    def test_refusals_say_where_and_why(self, out: Path) -> None:
        (line,) = csv.DictReader(io.StringIO((out / "rejects.csv").read_text("utf-8-sig")))
        assert (line["file"], line["line"], line["customer_id"], line["field"], line["reason"]) == (
            *("accounts.csv", "10", "BAD", "due_on", "not_a_date"),
        )

    def test_the_summary_adds_up(self, out: Path) -> None:
        summary = json.loads((out / "summary.json").read_text("utf-8"))
        sent = summary["sent"]
        assert sent["texts"] == len(_lines(out / "outbox.jsonl"))
        for split in ("by_stage", "by_country"):
            assert sum(part["texts"] for part in sent[split].values()) == sent["texts"]
            assert sum(part["cost_usd"] for part in sent[split].values()) == pytest.approx(sent["cost_usd"])
        assert summary["decisions"]["send"]["due"]["decisions"] == sent["texts"]
        assert sum(sum(state.values()) for state in summary["at_the_end"].values()) == 8
        assert summary["refused"] == {"total": 1, "by_reason": {"not_a_date": 1}}
        assert summary["payments"] == {"total": 1, "after_stage": {"0": 1}}


class TestWhatWasSent:
    """Who got which text, and when."""

    def test_nothing_outside_decent_hours(self, result: Result) -> None:
        for line in result.outbox:
            local = datetime.fromisoformat(line["local_at"]).time()
            assert time(9) <= local < time(20, 30), line["local_at"]

    def test_local_time_is_the_customers(self, result: Result) -> None:
        offsets = {line["customer_id"]: line["local_at"][-6:] for line in result.outbox}
        assert offsets["SOON"] == offsets["NORTH"] == "+08:00"
        assert offsets["EAST"] == "-05:00"

    def test_the_ladder_is_climbed_from_before_the_due_date_on(self, result: Result) -> None:
        texts = _texts_to("SOON", result.outbox)
        assert [(text["local_at"][:10], text["stage"]) for text in texts] == [
            ("2026-12-02", -3),
            ("2026-12-05", 0),
            ("2026-12-08", 3),
        ]

    def test_a_payment_during_the_run_ends_the_texts(self, result: Result) -> None:
        days = [text["local_at"][:10] for text in _texts_to("PAYS", result.outbox)]
        assert days == ["2026-12-01", "2026-12-04"]

    @pytest.mark.parametrize("customer_id", ["HELD", "DONE", "SILENT", "BAD"])
    def test_some_are_left_alone(self, customer_id: str, result: Result) -> None:
        assert not _texts_to(customer_id, result.outbox)

    def test_a_carriers_signature_is_part_of_the_text_that_arrives(self, result: Result) -> None:
        assert all(text["text"].startswith("【示范分期】") for text in _texts_to("NORTH", result.outbox))


def test_the_same_file_gives_the_same_texts_again(result: Result, tmp_path: Path) -> None:
    again = run(PORTFOLIO, start=START, days=DAYS, out=tmp_path)
    assert [{**line, "message_id": ""} for line in again.outbox] == [
        {**line, "message_id": ""} for line in result.outbox
    ]


def test_a_file_that_is_no_csv_is_refused_and_said_so(tmp_path: Path) -> None:
    with pytest.raises(NothingLoadedError, match=r"not a CSV text file"):
        run(b"PK\x03\x04 a workbook", start=START, days=DAYS, out=tmp_path)
    (line,) = csv.DictReader(io.StringIO((tmp_path / "rejects.csv").read_text("utf-8-sig")))
    assert line["reason"] == "not_a_csv"
    assert json.loads((tmp_path / "summary.json").read_text("utf-8"))["sent"]["texts"] == 0


class TestTheCommandLine:
    """What a person sees, and what a script gets as the exit status."""

    def test_it_reports_what_was_sent(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        accounts = tmp_path / "mine.csv"
        accounts.write_bytes(PORTFOLIO)
        out = tmp_path / "out"
        assert main(["--accounts", str(accounts), "--start", "2026-12-01", "--days", "3", "--out", str(out)]) == 0
        printed = capsys.readouterr()
        assert "SENT, by stage" in printed.out
        assert "9 customers" in printed.out
        assert str(out / "outbox.jsonl") in printed.out
        assert "+886912345678" not in printed.out
        assert "sent" in printed.err

    def test_a_run_in_which_everything_was_refused_fails(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        accounts = tmp_path / "bad.csv"
        accounts.write_bytes(_file([_row("BAD", TAIPEI, "tomorrow")]))
        assert main(["--accounts", str(accounts), "--start", "2026-12-01", "--out", str(tmp_path / "out")]) == 1
        assert "ERROR: nothing was loaded" in capsys.readouterr().err

    def test_a_file_that_is_not_there_is_said_in_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--accounts", str(tmp_path / "none.csv"), "--out", str(tmp_path / "out")]) == 2
        assert capsys.readouterr().err == f"{tmp_path / 'none.csv'}: No such file or directory\n"

    @pytest.mark.parametrize(
        "arguments", [["--start", "1 December"], ["--start", "2026-02-30"], ["--days", "0"], ["--days", "many"]]
    )
    def test_dates_and_days_that_cannot_be_are_refused_in_one_line(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_run_begins_at_midnight_in_utc_plus_8() -> None:
    assert begin_of(START) == datetime(2026, 11, 30, 16, tzinfo=UTC)


NEW = "+886912345001"
EVENTS = "\n".join(
    json.dumps(line, ensure_ascii=False)
    for line in (
        {"at": "2026-12-02T12:00:00+08:00", "reply": {"from": NEW, "text": "不要再傳簡訊給我了"}},
        {
            "at": "2026-12-02T08:00:00+08:00",
            "event": "InstalmentPaid",
            "detail": {
                "customer_id": "PAYS", "account_id": "PAYS-1", "instalment_no": 1, "paid": 325000, "currency": "TWD",
            },
        },
        {"at": "2026-12-01T12:00:00+08:00", "receipt": {"to": "+886912345002", "response": "Phone has blocked SMS"}},
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Result:
    said = read_said(EVENTS.encode(), "mine.jsonl")
    return run(PORTFOLIO, start=START, days=DAYS, out=tmp_path_factory.mktemp("heard"), said=said)


class TestAUsersOwnEvents:
    """Payments, replies and receipts from a file."""

    def test_end_the_texts_where_they_should(self, heard: Result) -> None:
        texts = {who: [t["local_at"][:10] for t in _texts_to(who, heard.outbox)] for who in ("SOON", "PAYS", "LATE")}
        assert texts == {"SOON": ["2026-12-02"], "PAYS": ["2026-12-01"], "LATE": ["2026-12-01"]}

    def test_are_counted_and_told_on(self, heard: Result) -> None:
        assert heard.summary["replies"] == {"total": 1, "not_understood": 0, "by_intent": {"opt_out": 1}}
        assert heard.summary["unreachable"] == 1
        told = [line["event"] for line in _lines(heard.files["events"])]
        assert {"ReminderSent", "ReminderStopped", "NumberUnreachable"} <= set(told)

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("no json", "mine.jsonl:1: is not JSON"),
            ("{}", 'mine.jsonl:1: write "at" and one of'),
            ('{"at": "tomorrow", "reply": {"from": "+1", "text": "x"}}', "mine.jsonl:1: at: write an instant"),
            ('{"at": "2026-12-01T00:00:00", "reply": {"from": "+1", "text": "x"}}', "mine.jsonl:1: at: add Z"),
            ('{"at": "2026-12-01T00:00:00Z", "reply": {"from": "+1"}}', "mine.jsonl:1: reply: write an object"),
            ('{"at": "2026-12-01T00:00:00Z", "event": "Paid", "detail": {}}', "mine.jsonl:1:"),
            ('{"at": "2026-12-01T00:00:00Z", "event": "AccountClosed", "detail": {}}', "customer_id"),
        ],
    )
    def test_that_cannot_be_read_are_refused_by_line_and_field_before_anything_runs(
        self, line: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "mine.jsonl"
        file.write_text(line, "utf-8")
        assert main(["--events", str(file), "--out", str(tmp_path / "out")]) == 2
        printed = capsys.readouterr().err
        assert says in printed
        assert printed.count("\n") == 1
