"""Telemetry for two readers: CloudWatch, and a second telemetry such as the local run's."""

from datetime import datetime

from dunning.adapters.powertools_telemetry import PowertoolsTelemetry
from dunning.domain.decision.decisions import Decision
from dunning.ports.telemetry import LogEvent, Metric, Telemetry


class FanOutTelemetry:
    """Implements `Telemetry`: passes each call to a first telemetry, and to a second if there is one."""

    def __init__(self, first: PowertoolsTelemetry, second: Telemetry | None) -> None:
        self._first = first
        self._all: tuple[Telemetry, ...] = (first, second) if second else (first,)

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        """Log a decision with both."""
        for telemetry in self._all:
            telemetry.log_decision(customer_id, decision, at, recorded=recorded, **outcome)

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        """Log an event with both."""
        for telemetry in self._all:
            telemetry.log_event(event, **fields)

    def count(self, metric: Metric, value: float = 1) -> None:
        """Add to a metric of both."""
        for telemetry in self._all:
            telemetry.count(metric, value)

    def gauge(self, metric: Metric, value: float) -> None:
        """Set a metric of both."""
        for telemetry in self._all:
            telemetry.gauge(metric, value)

    def flush(self) -> None:
        """Flush the counted metrics of the first telemetry. Only CloudWatch needs that."""
        self._first.flush()
