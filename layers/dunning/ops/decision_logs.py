"""The logs of the functions that decide, as a deployed stack keeps them: all lines about one customer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from dunning.evidence.customer_evidence import LoggedLine, read_logged_line

if TYPE_CHECKING:
    from dunning.ports.clock import Clock

DECIDING = (
    "sender",
    "intake",
    "lender_events",
    "delivery_receipts",
    "replies",
    "housekeeping",
    "replan",
)
"""The functions that decide: the log group of each is `/<stack>/<function>`."""

_LINES_A_QUERY = 10_000
"""The most lines that a query of CloudWatch Logs Insights returns."""

_ASK_EVERY_SECONDS = 1.0
_LONGEST_WAIT = timedelta(minutes=15)
_UNDER_WAY = frozenset({"Scheduled", "Running", "Unknown"})
_COMPLETE = "Complete"


class ReadLogs(NamedTuple):
    """
    The lines about a customer, oldest first.

    `gaps` say in words what is not kept and what could not be read; `is_whole` tells that all that is kept was read.
    """

    lines: list[LoggedLine]
    gaps: list[str]
    is_whole: bool


class _QueryError(Exception):
    """A query did not come to its end; the message says why."""


def read_decision_logs(
    client: Any,  # noqa: ANN401 - a client of CloudWatch Logs, for which there are no types
    stack: str,
    customer_id: str,
    since: datetime | None,
    clock: Clock,
) -> ReadLogs:
    """
    Read all lines about a customer by queries of CloudWatch Logs Insights.

    Args:
        client: a client of CloudWatch Logs.
        stack: the stack's name.
        customer_id: the customer, an id without quotes.
        since: the earliest moment to read; `None` for as far back as the groups are kept.
        clock: for the end of the time that is read, and to wait for the answer.

    What cannot be read is a gap and no error: the rest of the evidence is shown all the same.
    """
    now = clock.now()
    try:
        kept_from = _kept_from(client, stack, now)
    except (ClientError, BotoCoreError) as error:
        gap = f"The logs of decisions could not be read ({_why(error)}): none of them is shown."
        return ReadLogs([], [gap], is_whole=False)
    missing = [function for function in DECIDING if function not in kept_from]
    gaps = [f"The log of {function} is not there: none of its decisions is shown." for function in missing]
    if not kept_from:
        return ReadLogs([], gaps, is_whole=False)
    for day in sorted({moment.date() for moment in kept_from.values()}):
        functions = [function for function in DECIDING if function in kept_from and kept_from[function].date() == day]
        gaps.append(f"The logs of {', '.join(functions)} go back to {day}. What was decided before is not shown.")
    begins = min(kept_from.values())
    if since is not None and since > begins:
        begins = since
        gaps.append(f"Logs were read from {since:%Y-%m-%d %H:%M} UTC on, as asked for.")
    found: dict[str, LoggedLine] = {}
    try:
        for pointer, line in _lines(client, [f"/{stack}/{name}" for name in kept_from], customer_id, begins, clock):
            found.setdefault(pointer, line)
    except (ClientError, BotoCoreError, _QueryError) as error:
        gaps.append(f"The logs of decisions could not be read to their end ({_why(error)}): some may be missing.")
        return ReadLogs(list(found.values()), gaps, is_whole=False)
    return ReadLogs(list(found.values()), gaps, is_whole=not missing)


def _why(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return str(error) if isinstance(error, _QueryError) else type(error).__name__


def _kept_from(client: Any, stack: str, now: datetime) -> dict[str, datetime]:  # noqa: ANN401 - a client of CloudWatch
    """Return since when the log of each function is kept, of those that are there."""
    prefix = f"/{stack}/"
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    groups = {group["logGroupName"].removeprefix(prefix): group for page in pages for group in page["logGroups"]}
    return {function: _begins(groups[function], now) for function in DECIDING if function in groups}


def _begins(group: Mapping[str, Any], now: datetime) -> datetime:
    """Return the earliest moment of which a group can have lines: it was made then, or its retention ends there."""
    made_at = _of_milliseconds(group["creationTime"])
    days = group.get("retentionInDays")
    return made_at if days is None else max(made_at, now - timedelta(days=days))


def _lines(
    client: Any,  # noqa: ANN401 - a client of CloudWatch Logs
    groups: Sequence[str],
    customer_id: str,
    begins: datetime,
    clock: Clock,
) -> Iterator[tuple[str, LoggedLine]]:
    """Yield the lines about a customer with what tells each from all others. The last of a query may come again."""
    ends = clock.now()
    while True:
        rows = _query(client, groups, customer_id, begins, ends, clock)
        logged_at = begins
        for row in rows:
            logged_at = _moment(row["@timestamp"])
            function = row.get("@log", "").rpartition("/")[2]
            line = read_logged_line(row["@message"], customer_id, function, logged_at)
            if line is not None:
                yield row["@ptr"], line
        if len(rows) < _LINES_A_QUERY:
            return
        if int(logged_at.timestamp()) <= int(begins.timestamp()):
            raise _QueryError(f"more than {_LINES_A_QUERY} lines in a second")
        begins = logged_at


def _query(
    client: Any,  # noqa: ANN401 - a client of CloudWatch Logs
    groups: Sequence[str],
    customer_id: str,
    begins: datetime,
    ends: datetime,
    clock: Clock,
) -> list[dict[str, str]]:
    query_id = client.start_query(
        logGroupNames=list(groups),
        startTime=int(begins.timestamp()),
        endTime=int(ends.timestamp()) + 1,
        queryString=(
            f'fields @timestamp, @message, @log | filter customer_id = "{customer_id}" '
            f"| sort @timestamp asc | limit {_LINES_A_QUERY}"
        ),
    )["queryId"]
    until = clock.now() + _LONGEST_WAIT
    while True:
        answer = client.get_query_results(queryId=query_id)
        if answer["status"] == _COMPLETE:
            return [{field["field"]: field["value"] for field in row} for row in answer["results"]]
        if answer["status"] not in _UNDER_WAY:
            raise _QueryError(f"the query ended as {answer['status']}")
        if clock.now() >= until:
            client.stop_query(queryId=query_id)
            raise _QueryError("the query took too long")
        clock.sleep(_ASK_EVERY_SECONDS)


def _moment(written: str) -> datetime:
    """Read a timestamp of Insights: `2026-12-01 02:00:00.000`, in UTC; or milliseconds."""
    if written.isdecimal():
        return _of_milliseconds(int(written))
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def _of_milliseconds(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
