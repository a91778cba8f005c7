"""Log lines and metrics through Powertools: structured, ids only, one metric a decision and reason."""

from collections import defaultdict
from datetime import datetime
from threading import Lock

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from dunning.contracts.instants import instant
from dunning.domain.decision.decisions import Decision, trace_of
from dunning.ports.telemetry import LogEvent, Metric, metric_of_decision


def lean_logger() -> Logger:
    """
    Return a logger without the fields that each line repeats or CloudWatch knows: every byte costs money.

    The log group names the function, CloudWatch keeps the time, and the place in the code would always be this file.
    """
    logger = Logger(location=None, timestamp=None)
    logger.remove_keys(["service"])
    return logger


class PowertoolsTelemetry:
    """
    Implements `Telemetry`. Metrics are added up and go out with `flush`, once an invocation.

    `Metrics` is not made for threads; a counter behind a lock is.
    """

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self._logger = logger
        self._metrics = metrics
        self._counts: defaultdict[Metric, float] = defaultdict(float)
        self._lock = Lock()

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        """Log a decision, and count it. A trace that an audit record holds is not stored twice."""
        self._logger.info(
            LogEvent.DECISION.value,
            extra={
                "at": instant(at),
                "customer_id": customer_id,
                "decision": decision.kind,
                "reason": decision.reason.value,
                "stage": decision.stage,
                "until": instant(decision.until) if decision.until else None,
                "trace": None if recorded else trace_of(decision),
                **{name: value for name, value in outcome.items() if value},
            },
        )
        self.count(metric_of_decision(decision))

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        """Log an event."""
        self._logger.info(event.value, extra=fields)

    def count(self, metric: Metric, value: float = 1) -> None:
        """Add to a metric."""
        with self._lock:
            self._counts[metric] += value

    def gauge(self, metric: Metric, value: float) -> None:
        """Set a metric. The last value of an invocation counts."""
        with self._lock:
            self._counts[metric] = value

    def flush(self) -> None:
        """Flush the counted metrics."""
        with self._lock:
            counts, self._counts = self._counts, defaultdict(float)
        if not counts:
            return
        for metric, value in counts.items():
            self._metrics.add_metric(metric.value, MetricUnit.Count, value)
        self._metrics.flush_metrics()
