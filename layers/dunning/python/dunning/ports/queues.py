"""Queues: what travels between functions, and where messages wait for a person."""

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
    """One message as a queue delivered it. `receive_count` is how often it has been delivered, this time included."""

    message_id: str
    body: str
    receive_count: int


@dataclass(frozen=True, slots=True)
class InboundMessage(QueueMessage):
    """A message that may hold a reply. `sent_at` is when the queue or the topic took it."""

    sent_at: datetime


class DeadLetters(Protocol):
    """Where messages wait for a person."""

    def park(self, body: str, why: str) -> None:
        """Put a message that cannot be read into the dead-letter queue at once."""
        ...


class Backlog(Protocol):
    """A queue, as one sees it who only wants to know whether anything is on it."""

    def depth(self) -> int:
        """Return about how many messages are waiting or being worked on."""
        ...


class JobQueue(Backlog, DeadLetters, Protocol):
    """The queue between scanner and sender."""

    def enqueue(self, jobs: Iterable[Job]) -> int:
        """Put jobs on the queue and return how many were taken."""
        ...


class DelayQueue(Protocol):
    """A function's own queue, for what has to be looked at again. Ids and codes only."""

    def send_with_delay(self, bodies: Sequence[str], delay: timedelta) -> None:
        """
        Put messages on it that are seen after a delay of at most 15 minutes.

        Raises:
            ServiceCallError: some were not taken, and nothing else brings them back.
        """
        ...
