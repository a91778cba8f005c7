"""A clock that moves when it is told to, and only then."""

from datetime import UTC, datetime
from threading import Lock


class VirtualClock:
    """
    The clock of a local run, shared by all threads of a handler.

    `sleep` returns at once and moves nothing: the pacing of sends must neither slow a run down nor shift it.
    """

    def __init__(self, now: datetime) -> None:
        self._lock = Lock()
        self._now = now.astimezone(UTC)
        self._millis = _millis(self._now)
        self.slept = 0.0

    def now(self) -> datetime:
        """Return the virtual instant, in UTC."""
        return self._now

    def millis(self) -> float:
        """Return the virtual instant in milliseconds since 1970, as AWS writes it in events."""
        return self._millis

    def sleep(self, seconds: float) -> None:
        """Remember that somebody wanted to sleep."""
        with self._lock:
            self.slept += seconds

    def move_to(self, moment: datetime) -> None:
        """
        Move on to a later instant.

        Raises:
            ValueError: the instant is naive, or earlier than now.
        """
        if moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} has no time zone")
        with self._lock:
            if moment < self._now:
                raise ValueError(f"the clock cannot go back from {self._now.isoformat()} to {moment.isoformat()}")
            self._now = moment.astimezone(UTC)
            self._millis = _millis(self._now)


def _millis(moment: datetime) -> float:
    return moment.timestamp() * 1000
