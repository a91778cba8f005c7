"""Queues: the messages that travel between functions, and the dead letters that wait for a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol


class Job(NamedTuple):
    """A request to judge one customer, for the wake that has come. Ids only, never personal data."""

    customer_id: str
    wake_at: datetime


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message as a queue delivered it. `receive_count` is the number of deliveries, this one included."""

    message_id: str
    body: str
    receive_count: int


@dataclass(frozen=True, slots=True)
class InboundMessage(QueueMessage):
    """A message that may hold a reply. `sent_at` is the time at which the queue or the topic took it."""

    sent_at: datetime


class DeadLetters(Protocol):
    """The queue in which messages wait for a person."""

    def park(self, body: str, why: str) -> None:
        """Put a message that cannot be read into the dead-letter queue at once."""
        ...


class Backlog(Protocol):
    """A queue, of which only the number of messages matters."""

    def depth(self) -> int:
        """Return the approximate number of messages waiting or being handled."""
        ...


class JobQueue(Backlog, DeadLetters, Protocol):
    """The queue between scanner and sender."""

    def enqueue(self, jobs: Iterable[Job]) -> int:
        """Put jobs on the queue and return the number that the queue took."""
        ...


class DelayQueue(Protocol):
    """A function's own queue, for work that has to be done later. Ids and codes only."""

    def send_with_delay(self, bodies: Sequence[str], delay: timedelta) -> None:
        """
        Put messages on the queue that become visible after a delay of at most 15 minutes.

        Raises:
            ServiceCallError: the queue refused some messages, and nothing else repeats them.
        """
        ...
