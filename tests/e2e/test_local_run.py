"""Ten days on the embedded AWS, through the real handlers and the command line."""

import csv
import io
import json
import re
import runpy
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from dunning import wiring
from dunning.domain.texts.segments import count_segments
from dunning.services.intake.rows import COLUMNS
from ops.columns import WIDTH, width_of
from ops.customer import main as show_customer
from tests.local.command import main
from tests.local.people import exams
from tests.local.report import report
from tests.local.results import FILES
from tests.local.runner import NothingLoadedError, Progress, Result, RunFailedError, begin_of, run
from tests.local.sample import sample_file
from tests.local.scripted_events import read_scripted_events
from tests.local.world import NoTextError
from tests.support.html_tables import tables_of

pytestmark = pytest.mark.slow(reason="plays whole days of a lender on the embedded AWS")

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
                *("at", "local_at", "customer_id", "account_ids", "stage", "channel", "to", "text", "encoding"),
                *("segments", "template", "message_id"),
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

    def test_each_customer_has_a_line_without_a_name_or_a_number_in_full(self, out: Path) -> None:
        lines = {line["customer_id"]: line for line in _lines(out / "customers.jsonl")}
        assert lines.keys() == {"SOON", "LATE", "PAYS", "HELD", "DONE", "NORTH", "EAST", "SILENT"}
        assert (lines["SOON"]["name"], lines["SOON"]["phone"]) == ("王*明", "+886 9** *** 001")
        assert [line["open"] for line in lines["SOON"]["open"]] == ["TWD 3,250"]
        assert lines["HELD"]["silences"] == ["silent until a person releases it (dispute)"]
        assert not lines["DONE"]["open"]
        whole = (out / "customers.jsonl").read_text("utf-8")
        assert not [name for name in ("王小明", "欧阳娜", "Amelia", "912345001") if name in whole]

    def test_what_is_stored_is_for_its_owner_alone_and_gives_a_customers_timeline(
        self, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert (out / "stored.jsonl").stat().st_mode & 0o777 == 0o600
        shutil.copytree(out, tmp_path / "copy")
        assert show_customer(["--out", str(tmp_path / "copy"), "PAYS"]) == 0
        printed = capsys.readouterr().out
        for words in ("(next_stage)", "(delivered)", "is paid up to", "no text: everything is paid (nothing_open)"):
            assert words in printed

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
        assert summary["refused"] == {"total": 1, "by_reason": {"not_a_date": 1}, "noted": {}}
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


class TestARunThatDoesNotEndWell:
    """The results of the run before stay."""

    @pytest.fixture
    def before(self, tmp_path: Path) -> dict[str, bytes]:
        """The results of a run, and a file of the user's own beside them."""
        (tmp_path / "notes.txt").write_text("mine", "utf-8")
        run(PORTFOLIO, start=START, days=1, out=tmp_path)
        return _contents(tmp_path)

    @pytest.mark.parametrize(
        ("accounts", "says"),
        [
            (b"PK\x03\x04 a workbook", r"^nothing was loaded: accounts\.csv(:1)?: This is not a CSV text file\."),
            (b"customer_id;name\r\n", r"^nothing was loaded: accounts\.csv:1: No line at the top names the columns\."),
        ],
    )
    def test_a_file_that_is_refused_whole_ends_it_at_once_in_one_line(
        self, accounts: bytes, says: str, before: dict[str, bytes], tmp_path: Path
    ) -> None:
        steps: list[Progress] = []
        with pytest.raises(NothingLoadedError, match=says) as refused:
            run(accounts, start=START, days=DAYS, out=tmp_path, on_progress=steps.append)
        assert not steps
        assert "\n" not in str(refused.value)
        assert _contents(tmp_path) == before

    def test_rows_that_are_all_refused_are_reported_with_line_and_field(
        self, before: dict[str, bytes], tmp_path: Path
    ) -> None:
        rows = [_row(f"BAD{number}", TAIPEI, "tomorrow", phone=f"0912-345-{number:03}") for number in range(12)]
        with pytest.raises(NothingLoadedError) as refused:
            run(_file(rows), start=START, days=DAYS, out=tmp_path)
        first, *refusals, last = str(refused.value).splitlines()
        assert first == "nothing was loaded: every row of accounts.csv was refused"
        assert len(refusals) == 10
        assert refusals[0].startswith("accounts.csv:2: due_on: Write the date as YYYY-MM-DD")
        assert last == "accounts.csv: and 2 more refusals"
        assert _contents(tmp_path) == before

    def test_an_interrupt_leaves_nothing_behind(self, before: dict[str, bytes], tmp_path: Path) -> None:
        with pytest.raises(KeyboardInterrupt):
            run(PORTFOLIO, start=START, days=DAYS, out=tmp_path, on_progress=_fail_with(KeyboardInterrupt()))
        assert _contents(tmp_path) == before
        assert not list(tmp_path.parent.glob(".*.unfinished"))

    def test_an_unforeseen_error_is_reported_in_one_line_that_says_where_more_is_written(
        self, before: dict[str, bytes], tmp_path: Path
    ) -> None:
        with pytest.raises(
            RunFailedError, match=r"^the run failed \(ZeroDivisionError\): the end of .*log tells"
        ) as it:
            run(PORTFOLIO, start=START, days=DAYS, out=tmp_path, on_progress=_fail_with(ZeroDivisionError()))
        log = Path(str(it.value).partition("the end of ")[2].removesuffix(" tells where"))
        assert "ZeroDivisionError" in log.read_text("utf-8").splitlines()[-1]
        assert _contents(tmp_path) == before


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _fail_with(error: BaseException) -> Callable[[Progress], None]:
    def fail(progress: Progress) -> None:
        del progress
        raise error

    return fail


class TestTheCommandLine:
    """What a person sees, and what a script gets as the exit status."""

    def test_it_reports_what_was_sent(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        accounts = tmp_path / "mine.csv"
        accounts.write_bytes(PORTFOLIO)
        out = tmp_path / "out"
        assert main(["--accounts", str(accounts), "--start", "2026-12-01", "--days", "3", "--out", str(out)]) == 0
        printed = capsys.readouterr()
        assert "SENT, by stage" in printed.out
        assert "9 customers with 9 instalments in mine.csv: 8 customers loaded, 1 refusal" in printed.out
        assert str(out / "outbox.jsonl") in printed.out
        assert printed.out.endswith(f"A page of it to mail: {out / 'report.html'}\n")
        assert "+886912345678" not in printed.out
        assert max(width_of(line) for line in printed.out.splitlines() if str(out) not in line) <= WIDTH
        assert not printed.err, "no progress where nobody watches"

    def test_on_a_terminal_one_line_shows_how_far_it_is(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accounts = tmp_path / "mine.csv"
        accounts.write_bytes(PORTFOLIO)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        asked = ["--accounts", str(accounts), "--start", "2026-12-01", "--days", "2", "--out", str(tmp_path / "out")]
        assert main(asked) == 0
        progress = capsys.readouterr().err
        assert "\r\x1b[K2026-12-01, day 1 of 2: texts 1, customers waiting 5" in progress
        assert progress.endswith("\r\x1b[K")
        assert "\n" not in progress

    def test_a_run_in_which_everything_was_refused_fails(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        accounts = tmp_path / "bad.csv"
        accounts.write_bytes(_file([_row("BAD", TAIPEI, "tomorrow")]))
        assert main(["--accounts", str(accounts), "--start", "2026-12-01", "--out", str(tmp_path / "out")]) == 1
        assert capsys.readouterr().err.startswith("nothing was loaded: bad.csv:2: due_on: Write the date as")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--start", "1 December"], "START=1 December is not a date such as 2026-12-01, between"),
            (["--start", "2026-02-30"], "START=2026-02-30 is not a date such as 2026-12-01, between"),
            (["--days", "0"], "DAYS=0 is not a number of days from 1 to 3660"),
            (["--days", "many"], "DAYS=many is not a number of days from 1 to 3660"),
            (["--accounts", "none.csv"], "ACCOUNTS=none.csv: No such file or directory"),
            (["--events", "none.jsonl"], "EVENTS=none.jsonl: No such file or directory"),
            (["--out", __file__], f"OUT={__file__} is a file: name a folder"),
            (["--policies", "nowhere"], "POLICIES=nowhere: there is no such folder"),
            (["--lender", "demo"], "LENDER=demo: there is no such lender"),
        ],
    )
    def test_what_cannot_be_is_refused_in_one_line_by_the_name_of_its_variable(
        self, arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--out", str(tmp_path / "out"), *arguments]) == 2
        printed = capsys.readouterr().err
        assert printed.startswith(says)
        assert printed.count("\n") == 1
        assert not (tmp_path / "out").exists()

    def test_an_interrupt_is_reported_in_one_line(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupted() -> int:
            raise KeyboardInterrupt

        monkeypatch.setattr("tests.local.command.main", interrupted)
        with pytest.raises(SystemExit) as exit_:
            runpy.run_module("tests.local.__main__", run_name="__main__")
        assert exit_.value.code == 130
        assert capsys.readouterr().err == "Interrupted: what an earlier run has left is as it was.\n"

    def test_a_users_own_policies_are_played(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        accounts, out, lenders = tmp_path / "mine.csv", tmp_path / "out", tmp_path / "policies" / "lenders"
        accounts.write_bytes(_file([_row("SOON", TAIPEI, "2026-12-05"), _row("NORTH", SHANGHAI, "2026-12-05")]))
        written = (Path(wiring.__file__).parent / "policy" / "data" / "lenders" / "demo-tw.toml").read_text("utf-8")
        lenders.mkdir(parents=True)
        changed = re.sub(r"ladder = .*", "ladder = [-3, 0]", written.replace('id = "demo-tw"', 'id = "mine"'))
        (lenders / "mine.toml").write_text(changed, "utf-8")
        asked = ["--accounts", str(accounts), "--start", "2026-12-01", "--days", "9", "--out", str(out)]
        assert main([*asked, "--policies", str(lenders.parent), "--lender", "mine"]) == 0
        stages = {line["stage"] for line in _lines(out / "outbox.jsonl")}
        assert stages == {-3, 0}
        assert {line["lender"] for line in _lines(out / "contacts.jsonl")} == {"mine"}
        assert capsys.readouterr().out


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Five days of the sample: seconds of CPU, and the fewest days in which a carrier turns a text away."""
    return run(sample_file(START), start=START, days=5, out=tmp_path_factory.mktemp("lively"), sample=True)


class TestTheCounts:
    """Each number of the report can be led back to the others."""

    def test_sends_lead_to_texts(self, lively: Result) -> None:
        sends, sent = lively.summary["sends"], lively.summary["sent"]
        assert sends["decided"] == sum(by["decisions"] for by in lively.summary["decisions"]["send"].values())
        assert sends["decided"] == sends["published"] + sends["throttled"] + sends["refused"] + sends["unknown"]
        assert sends["throttled"] > 0
        assert sent["texts"] == sends["published"] + sends["unknown"] + sends["confirmations"]
        assert sent["texts"] == len(_lines(lively.files["sent"]))

    def test_every_table_of_texts_comes_to_all_texts(self, lively: Result) -> None:
        sent = lively.summary["sent"]
        for split in ("by_stage", "by_country", "by_channel"):
            assert sum(figures["texts"] for figures in sent[split].values()) == sent["texts"]
            assert sum(figures["segments"] for figures in sent[split].values()) == sent["segments"]
        assert sum(sent["by_state"].values()) == sent["texts"] + sent["by_state"].get("refused", 0)
        assert sent["by_stage"].get("None", {"texts": 0})["texts"] == lively.summary["sends"]["confirmations"]

    def test_decisions_by_stage_come_to_all_decisions(self, lively: Result) -> None:
        for reasons in lively.summary["decisions"].values():
            for numbers in reasons.values():
                assert sum(numbers["by_stage"].values()) == numbers["decisions"]

    def test_an_event_is_published_for_every_reminder(self, lively: Result) -> None:
        assert lively.summary["reminders_published"] == lively.summary["sends"]["published"]

    def test_every_customer_who_was_loaded_stands_somewhere(self, lively: Result) -> None:
        standing = lively.summary["at_the_end"]
        assert sum(sum(reasons.values()) for reasons in standing.values()) == lively.summary["run"]["loaded"]

    def test_the_accounts_of_the_sample_are_among_the_results(self, lively: Result) -> None:
        assert (lively.files["sent"].parent / "accounts.csv").read_bytes() == sample_file(START)


def _overdue_and_paid(day: date) -> tuple[Counter[str], Counter[str]]:
    """Count by the file alone what is overdue as a day ends, and what was paid on it, by currency."""
    overdue: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(PORTFOLIO.decode())):
        paid_on = date.fromisoformat(row["paid_on"]) if row["paid_on"] else date.max
        if row["customer_id"] == "BAD":
            continue
        if date.fromisoformat(row["due_on"]) < day < paid_on:
            overdue[row["currency"]] += int(row["amount"])
        if paid_on == day:
            paid[row["currency"]] += int(row["amount"])
    return overdue, paid


class TestThePageToMail:
    """report.html, counted again from the other files by other means."""

    def test_money_is_what_the_file_says(self, result: Result) -> None:
        tables = tables_of(result.files["page"].read_text("utf-8"))
        for currency in ("TWD", "CNY", "USD"):
            rows = tables[f"{currency} by day"]
            assert [row[0] for row in rows] == [f"2026-12-{number + 1:02d}" for number in range(DAYS)]
            for day, overdue, promised, paid in rows:
                due, came = _overdue_and_paid(date.fromisoformat(day))
                shown = [int(float(cell.replace(",", ""))) for cell in (overdue, promised, paid)]
                assert shown == [due[currency], 0, came[currency]], (currency, day)
        assert any(_overdue_and_paid(START + timedelta(days=number))[1] for number in range(DAYS))

    def test_texts_money_for_them_and_failures_are_those_of_the_lines(self, lively: Result) -> None:
        tables = tables_of(lively.files["page"].read_text("utf-8"))
        sent, contacts = _lines(lively.files["sent"]), _lines(lively.files["contacts"])
        hours = Counter(line["local_at"][11:13] + ":00" for line in sent)
        assert tables["By hour of the day"] == [[hour, str(number)] for hour, number in sorted(hours.items())]
        days = Counter(line["local_at"][:10] for line in sent)
        assert {day: int(number) for day, number in tables["By day"] if number != "0"} == days
        failed = sum(line["state"] == "failed" for line in contacts)
        assert sum(int(number) for _, number in tables["What did not arrive, by class"]) == failed > 0
        by_customer = Counter(Counter(line["customer_id"] for line in sent).values())
        (spread,) = (rows for caption, rows in tables.items() if caption.startswith("By customer: "))
        assert {int(texts): int(who) for texts, who in spread if who != "0" and texts != "0"} == by_customer
        assert sum(int(who) for _, who in spread) == lively.summary["run"]["loaded"]
        cost = sum(line["price_usd_micros"] for line in contacts if line["message_id"]) / 1_000_000
        for caption, column in (("By country of the number", 3), ("By segments of a text", 3), ("By channel", 3)):
            costs = sum(float(row[column].removeprefix("$")) for row in tables[caption])
            assert costs == pytest.approx(cost, abs=0.005 * len(tables[caption]))

    def test_who_waits_for_a_person_is_who_was_handed_over(self, lively: Result) -> None:
        tables = tables_of(lively.files["page"].read_text("utf-8"))
        shown = {customer for _, _, ids in tables["By reason"] for customer in ids.split(", ")}
        kinds = {"CustomerNeedsPerson", "ReplyNotUnderstood"}
        events = [line for line in _lines(lively.files["events"]) if line["event"] in kinds]
        assert shown <= {line["detail"]["customer_id"] for line in events}
        waiting = {line["customer_id"] for line in _lines(lively.files["customers"]) if line["waits_for_person"]}
        assert shown == waiting != set()

    def test_it_holds_no_name_and_no_number_in_full(self, lively: Result) -> None:
        page = lively.files["page"].read_text("utf-8")
        with (lively.files["page"].parent / "accounts.csv").open(encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                assert row["name"] not in page
                assert not row["email"] or row["email"] not in page
                assert not row["line_user_id"] or row["line_user_id"] not in page
                assert re.sub(r"\D", "", row["phone"])[-8:] not in page


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
def scripted_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    scripted = read_scripted_events(EVENTS.encode(), "mine.jsonl")
    return run(PORTFOLIO, start=START, days=DAYS, out=tmp_path_factory.mktemp("scripted"), scripted=scripted)


class TestAUsersOwnEvents:
    """Payments, replies and receipts from a file."""

    def test_end_the_texts_where_they_should(self, scripted_run: Result) -> None:
        texts = {
            who: [t["local_at"][:10] for t in _texts_to(who, scripted_run.outbox)] for who in ("SOON", "PAYS", "LATE")
        }
        assert texts == {"SOON": ["2026-12-02"], "PAYS": ["2026-12-01"], "LATE": ["2026-12-01"]}

    def test_are_counted_and_published_as_events(self, scripted_run: Result) -> None:
        replies = scripted_run.summary["replies"]
        assert (replies["total"], replies["not_understood"], replies["by_intent"]) == (1, 0, {"opt_out": 1})
        assert replies["judged"] == 0
        (line,) = _lines(scripted_run.files["replies"])
        assert (line["customer_id"], line["sure"], line["followed"]) == ("SOON", ["opt_out"], ["no text any more"])
        assert (line["band"], line["meant"], line["right"]) == ("sure", None, None)
        assert scripted_run.replies == []
        assert scripted_run.summary["unreachable"] == 1
        kinds = [line["event"] for line in _lines(scripted_run.files["events"])]
        assert {"ReminderSent", "ReminderStopped", "NumberUnreachable"} <= set(kinds)

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("no json", "mine.jsonl:1: is not JSON"),
            ("{}", 'mine.jsonl:1: write "at" and one of'),
            ('{"at": "tomorrow", "reply": {"from": "+1", "text": "x"}}', "mine.jsonl:1: at: write an instant"),
            ('{"at": "2026-12-01T00:00:00", "reply": {"from": "+1", "text": "x"}}', "mine.jsonl:1: at: add Z"),
            ('{"at": "2026-12-01T00:00:00Z", "reply": {"from": "+1"}}', "mine.jsonl:1: reply: write an object"),
            (
                '{"at": "2026-12-01T00:00:00Z", "event": "InstalmentPayed", "detail": {}}',
                "mine.jsonl:1: event: there is none",
            ),
            (
                '{"at": "2026-12-01T00:00:00Z", "event": "AccountClosed", "detail": {}}',
                "events/schemas/AccountClosed.json",
            ),
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

    def test_speak_of_customers_of_the_accounts_by_numbers_as_people_write_them(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        accounts, file, out = tmp_path / "mine.csv", tmp_path / "mine.jsonl", tmp_path / "out"
        accounts.write_bytes(PORTFOLIO)
        file.write_text(
            '{"at": "2026-12-02T12:00:00+08:00", "reply": {"from": "0912 345 001", "text": "退訂"}}', "utf-8"
        )
        asked = ["--accounts", str(accounts), "--start", "2026-12-01", "--out", str(out), "--events", str(file)]
        assert main([*asked, "--days", "6"]) == 0
        texts = _texts_to("SOON", _lines(out / "outbox.jsonl"))
        assert [text["local_at"][:10] for text in texts] == ["2026-12-02"]
        assert main([*asked, "--days", "1"]) == 0
        assert capsys.readouterr().err == (
            "EVENTS: 1 event lies outside the run, which lasts from 2026-12-01 to 2026-12-01 in UTC+8; left out: "
            "mine.jsonl:1\n"
        )


def _receipt(at: str, to: str, **response: str) -> dict[str, object]:
    return {"at": f"2026-12-{at}+08:00", "receipt": {"to": to, **response}}


class TestAUsersOwnReceipts:
    """They say what became of a text; the carrier of the local run has no say in it."""

    @staticmethod
    def _states(out: Path, *receipts: Mapping[str, object]) -> list[tuple[str, str]]:
        scripted = read_scripted_events("\n".join(map(json.dumps, receipts)).encode(), "mine.jsonl")
        accounts = _file([_row("SOON", TAIPEI, "2026-12-05", phone="0912-345-001")])
        result = run(accounts, start=START, days=DAYS, out=out, scripted=scripted)
        return [(line["at"][8:10], line["state"]) for line in _lines(result.files["contacts"])]

    def test_a_failure_hours_after_the_text_makes_it_fail(self, tmp_path: Path) -> None:
        failed = _receipt("02T20:00:00", NEW, response="Phone carrier has blocked this message")
        assert self._states(tmp_path, failed) == [("02", "failed"), ("05", "delivered"), ("08", "delivered")]

    def test_a_failure_is_of_the_last_text_and_those_before_arrive(self, tmp_path: Path) -> None:
        failed = _receipt("07T20:00:00", NEW, response="Phone carrier has blocked this message")
        assert self._states(tmp_path, failed) == [("02", "delivered"), ("05", "failed"), ("08", "delivered")]

    def test_a_text_whose_receipt_is_yet_to_come_has_none(self, tmp_path: Path) -> None:
        arrived = _receipt("10T20:00:00", NEW)
        assert self._states(tmp_path, arrived) == [("02", "delivered"), ("05", "delivered"), ("08", "delivered")]

    def test_one_before_any_text_to_the_number_ends_the_run_with_its_line(self, tmp_path: Path) -> None:
        with pytest.raises(NoTextError, match=r"^mine\.jsonl:1: receipt: no text has gone to \+886 9\*\* \*\*\* 001"):
            self._states(tmp_path, _receipt("02T08:00:00", NEW))
        assert not list(tmp_path.iterdir())


def test_a_customer_can_be_erased_during_a_run(tmp_path: Path) -> None:
    erased = {"at": "2026-12-02T20:00:00+08:00", "event": "CustomerErased", "detail": {"customer_id": "SOON"}}
    result = run(
        PORTFOLIO,
        start=START,
        days=4,
        out=tmp_path,
        scripted=read_scripted_events(json.dumps(erased).encode(), "mine.jsonl"),
    )
    assert len(_texts_to("SOON", result.outbox)) == 1
    assert list(report(result.summary, [], result.files))
    assert "SOON" not in {line["customer_id"] for line in _lines(result.files["customers"])}


class TestWhatPeopleOfTheSampleWrite:
    """Replies of the exams, where a reply can come from."""

    def test_nobody_answers_a_text_that_shows_a_sender_id(self, lively: Result) -> None:
        texted = {line["to"][:4] for line in lively.outbox}
        answered = Counter(line["country"] for line in _lines(lively.files["replies"]))
        assert "+852" in texted
        assert answered["TW"]
        assert "HK" not in answered

    def test_each_reply_is_of_an_exam_and_kept_with_what_it_means(self, lively: Result) -> None:
        examined = {(reply.text, *reply.intents) for reply in exams()}
        lines = _lines(lively.files["replies"])
        written = [line for line in lines if line["text"]]
        assert {(line["text"], *line["meant"]["intents"]) for line in written} <= examined
        assert lively.summary["replies"]["judged"] == len(written)
        assert {line["channel"] for line in lines if not line["text"]} <= {"line", "email"}  # buttons, and a sticker

    def test_the_report_shows_ten_of_them(self, lively: Result) -> None:
        whole = "\n".join(report(lively.summary, [], {}, lively.replies))
        assert len(lively.replies) == 10
        assert all(line["text"].splitlines()[0][:20] in whole for line in lively.replies)
