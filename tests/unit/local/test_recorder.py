"""Decisions on file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dunning.domain.decision.decisions import Reason, Stop, Wait
from tests.local.recorder import Recorder, write_csv

AT = datetime(2026, 12, 1, 2, tzinfo=UTC)
WAIT = Wait(AT + timedelta(hours=1), Reason.QUIET_HOURS, (("open: %s accounts", (1,)),))
STOP = Stop(Reason.OPTED_OUT, (("opted out", ()),))


def test_a_decision_is_a_line_with_its_trace(tmp_path: Path) -> None:
    with Recorder(tmp_path / "decisions.jsonl") as recorder:
        recorder.log_decision("C1", WAIT, AT)
    assert json.loads((tmp_path / "decisions.jsonl").read_text()) == {
        "at": "2026-12-01T02:00:00Z",
        "customer_id": "C1",
        "decision": "wait",
        "reason": "quiet_hours",
        "until": "2026-12-01T03:00:00Z",
        "stage": None,
        "trace": ["open: 1 accounts"],
    }


def test_decisions_of_one_moment_are_ordered_by_customer_and_moments_by_time(tmp_path: Path) -> None:
    with Recorder(tmp_path / "decisions.jsonl") as recorder:
        for customer_id, at in (("C2", AT), ("C1", AT), ("C0", AT + timedelta(minutes=1))):
            recorder.log_decision(customer_id, STOP, at)
    lines = [json.loads(line) for line in (tmp_path / "decisions.jsonl").read_text().splitlines()]
    assert [line["customer_id"] for line in lines] == ["C1", "C2", "C0"]


def test_decisions_and_customers_are_counted(tmp_path: Path) -> None:
    with Recorder(tmp_path / "decisions.jsonl") as recorder:
        for customer_id in ("C1", "C1", "C2"):
            recorder.log_decision(customer_id, STOP, AT)
    assert recorder.decisions["stop", "opted_out"] == 3
    assert recorder.customers("stop", "opted_out") == 2
    assert recorder.customers("stop", "deceased") == 0


def test_a_csv_file_has_its_header_even_if_there_is_nothing_in_it(tmp_path: Path) -> None:
    write_csv(tmp_path / "rejects.csv", ("line", "reason"), [])
    assert (tmp_path / "rejects.csv").read_bytes() == b"\xef\xbb\xbfline,reason\r\n"
