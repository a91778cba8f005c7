"""What a run writes down: the decisions as they fall, and the files a person or a program reads afterwards."""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from dunning.contracts.instants import instant
from dunning.domain.decision.decisions import Decision, trace_of
from dunning.ports.telemetry import LogEvent, Metric


class Recorder:
    """
    A telemetry that writes every decision to a file and counts.

    Decisions of one virtual instant come from several threads: they are written together, ordered by customer,
    so that two runs of one file read the same.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._moment: datetime | None = None
        self._of_moment: list[tuple[str, str]] = []
        self._customers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.decisions: Counter[tuple[str, str]] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.stages: defaultdict[tuple[str, str], Counter[int | None]] = defaultdict(Counter)
        self.events: Counter[str] = Counter()
        self.metrics: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write_moment()
        self._file.close()

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        """Write one decision with its trace and, for a text, what became of it."""
        del recorded
        line = json.dumps(
            {
                "at": instant(at),
                "customer_id": customer_id,
                "decision": decision.kind,
                "reason": decision.reason.value,
                "until": instant(decision.until) if decision.until else None,
                "stage": decision.stage,
                "trace": trace_of(decision),
                **outcome,
            },
            ensure_ascii=False,
        )
        key = (decision.kind, decision.reason.value)
        with self._lock:
            if at != self._moment:
                self._write_moment()
                self._moment = at
            self._of_moment.append((customer_id, line))
            self.decisions[key] += 1
            self.stages[key][decision.stage] += 1
            if "outcome" in outcome:
                self.outcomes[outcome["outcome"]] += 1
            self._customers[key].add(customer_id)

    def _write_moment(self) -> None:
        # A stable sort: several decisions about one customer stay in their order.
        self._file.writelines(line + "\n" for _, line in sorted(self._of_moment, key=itemgetter(0)))
        self._of_moment.clear()

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        """Count an event."""
        del fields
        with self._lock:
            self.events[event] += 1

    def count(self, metric: Metric, value: float = 1) -> None:
        """Add to a metric."""
        with self._lock:
            self.metrics[metric] += int(value)

    def gauge(self, metric: Metric, value: float) -> None:
        """Keep where a metric stands."""
        with self._lock:
            self.metrics[metric] = int(value)

    def customers(self, kind: str, reason: str) -> int:
        """Return how many different customers a decision was made about."""
        return len(self._customers[kind, reason])


def write_json_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a line of JSON for each."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one JSON document with its keys in order."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file that Excel reads, too."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
