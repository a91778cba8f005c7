"""The logs of decisions: read to their end however many lines there are, and what is missing is told."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from ops import decision_logs
from ops.decision_logs import DECIDING, ReadLogs, read_decision_logs
from tests.support.fakes import FakeClock
from tests.support.people import NOW

MADE_AT = datetime(2026, 6, 1, tzinfo=UTC)


class FakeLogs:
    """CloudWatch Logs with queries as Insights answers: running for a while, sorted, and cut at their limit."""

    def __init__(self, *lines: tuple[datetime, Mapping[str, Any]], groups: Sequence[str] = DECIDING) -> None:
        self.lines = sorted(enumerate(lines), key=lambda line: line[1][0])
        self.groups = [{"logGroupName": f"/prod/{name}", "creationTime": MADE_AT.timestamp() * 1000} for name in groups]
        self.statuses: list[str] = []
        self.queries: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.limit = 3

    def get_paginator(self, operation: str) -> "FakeLogs":
        assert operation == "describe_log_groups"
        return self

    def paginate(self, **wanted: str) -> Iterator[dict[str, Any]]:
        assert wanted == {"logGroupNamePrefix": "/prod/"}
        yield {"logGroups": self.groups[:2]}
        yield {"logGroups": self.groups[2:]}

    def start_query(self, **query: Any) -> dict[str, str]:  # noqa: ANN401 - of a query
        self.queries.append(query)
        return {"queryId": str(len(self.queries))}

    def stop_query(self, **query: str) -> None:
        self.stopped.append(query["queryId"])

    def get_query_results(self, **query: str) -> dict[str, Any]:
        status = self.statuses.pop(0) if self.statuses else "Complete"
        start = self.queries[int(query["queryId"]) - 1]["startTime"]
        rows = [
            [
                {"field": "@timestamp", "value": f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}"},
                {"field": "@message", "value": json.dumps({"message": "decision", **line})},
                {"field": "@log", "value": "123456789012:/prod/sender"},
                {"field": "@ptr", "value": str(number)},
            ]
            for number, (at, line) in self.lines
            if at.timestamp() >= start
        ]
        return {"status": status, "results": rows[: self.limit] if status == "Complete" else []}


def read(logs: FakeLogs, since: datetime | None = None, clock: FakeClock | None = None) -> ReadLogs:
    with patch.object(decision_logs, "_LINES_A_QUERY", logs.limit):
        return read_decision_logs(logs, "prod", "C1", since, clock or FakeClock())


def line(number: int) -> dict[str, Any]:
    return {"customer_id": "C1", "reason": str(number)}


def test_all_lines_are_read_though_a_query_returns_only_so_many() -> None:
    minutes = (0, 0, 1, 1, 1, 2, 3, 4, 5, 5)
    logs = FakeLogs(*((NOW - timedelta(hours=1) + timedelta(minutes=m), line(n)) for n, m in enumerate(minutes)))
    logs.limit = 4
    found = read(logs)
    assert [entry.fields["reason"] for entry in found.lines] == [str(number) for number in range(10)]
    assert found.is_whole
    assert {entry.function for entry in found.lines} == {"sender"}
    assert len(logs.queries) > 2


def test_more_lines_in_a_second_than_a_query_returns_are_told_to_be_too_many() -> None:
    logs = FakeLogs(*((NOW - timedelta(hours=1), line(number)) for number in range(5)))
    found = read(logs)
    assert len(found.lines) == 3
    assert not found.is_whole
    assert "The logs of decisions could not be read to their end (more than 3 lines in a second)" in found.gaps[-1]


def test_one_query_asks_for_one_customer_in_all_groups_for_as_long_as_they_are_kept() -> None:
    logs = FakeLogs()
    assert read(logs).lines == []
    (query,) = logs.queries
    assert query["logGroupNames"] == [f"/prod/{function}" for function in DECIDING]
    assert '| filter customer_id = "C1" |' in query["queryString"]
    assert query["startTime"] == MADE_AT.timestamp()
    assert query["endTime"] > NOW.timestamp()


@pytest.mark.parametrize(("days", "kept_from"), [(None, "2026-06-01"), (90, "2026-09-02"), (2192, "2026-06-01")])
def test_it_is_told_since_when_decisions_are_kept(days: int | None, kept_from: str) -> None:
    logs = FakeLogs()
    for group in logs.groups:
        group.update({} if days is None else {"retentionInDays": days})
    found = read(logs)
    assert found.gaps == [
        f"The logs of {', '.join(DECIDING)} go back to {kept_from}. What was decided before is not shown."
    ]
    assert found.is_whole, "what is no longer kept is no failure"


def test_a_log_that_begins_later_than_others_is_named() -> None:
    logs = FakeLogs()
    logs.groups[0]["creationTime"] = (MADE_AT + timedelta(days=30)).timestamp() * 1000
    gaps = read(logs).gaps
    assert gaps[0].startswith("The logs of intake, lender_events")
    assert gaps[1] == "The logs of sender go back to 2026-07-01. What was decided before is not shown."


def test_a_day_before_the_logs_begin_asks_for_all_of_them() -> None:
    logs = FakeLogs()
    assert not any("as asked for" in gap for gap in read(logs, MADE_AT - timedelta(days=1)).gaps)
    assert logs.queries[0]["startTime"] == MADE_AT.timestamp()


def test_an_answer_is_waited_for() -> None:
    logs = FakeLogs((NOW - timedelta(hours=1), line(1)))
    logs.statuses = ["Scheduled", "Running", "Running"]
    clock = FakeClock()
    assert len(read(logs, clock=clock).lines) == 1
    assert clock.now() == NOW + timedelta(seconds=3)


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout"])
def test_a_query_that_fails_is_told(status: str) -> None:
    logs = FakeLogs((NOW - timedelta(hours=1), line(1)))
    logs.statuses = [status]
    found = read(logs)
    assert not found.is_whole
    assert f"(the query ended as {status})" in found.gaps[-1]


def test_a_query_that_does_not_end_is_stopped_and_told() -> None:
    logs = FakeLogs()
    logs.statuses = ["Running"] * 2_000
    found = read(logs)
    assert not found.is_whole
    assert "(the query took too long)" in found.gaps[-1]
    assert logs.stopped == ["1"]


def refusing(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "C1"}}, "any")


def test_logs_that_may_not_be_read_are_told_by_the_code_of_the_error() -> None:
    logs = FakeLogs()
    with patch.object(logs, "start_query", side_effect=refusing("AccessDeniedException")):
        found = read(logs)
    assert not found.is_whole
    assert found.gaps[-1].startswith("The logs of decisions could not be read to their end (AccessDeniedException)")
    with patch.object(logs, "get_paginator", side_effect=refusing("AccessDeniedException")):
        found = read(logs)
    assert found == ReadLogs(
        [], ["The logs of decisions could not be read (AccessDeniedException): none of them is shown."], is_whole=False
    )


def test_a_stack_without_logs_has_none_to_read() -> None:
    found = read(FakeLogs(groups=()))
    assert not found.is_whole
    assert len(found.gaps) == len(DECIDING)
