"""Telemetry: log lines and metrics, ids only."""

from datetime import datetime
from typing import Protocol

from dunning.domain.decision.decisions import Decision


class Telemetry(Protocol):
    """Where decisions and events are told: log lines and metrics, ids only."""

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        """Tell one decision with its trace, unless an audit record holds that, and of a text what became of it."""
        ...

    def log_event(self, name: str, **fields: str | float | None) -> None:
        """Tell something from the catalogue of events."""
        ...

    def count(self, name: str, value: float = 1) -> None:
        """Add to a metric."""
        ...

    def gauge(self, name: str, value: float) -> None:
        """Say where a metric stands."""
        ...
