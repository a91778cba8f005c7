"""The clock: time, so that tests and the local run can move it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, so that tests and the local run can move it."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...
