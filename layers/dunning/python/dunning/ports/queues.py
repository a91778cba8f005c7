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


class News(Protocol):
    """
    What the queues of replies and of lender events hold. Any of it may forbid the next text.

    A message in hand cannot be told from a message that has failed and is hidden until its next delivery. So a function
    that fails leaves a note, which is kept until the message has come back.
    """

    def waiting(self) -> int:
        """Return the approximate number of messages that no function has in hand."""
        ...

    def has_failed(self) -> bool:
        """Tell whether a message has failed and may not have come back yet."""
        ...


class NewsFailures(Protocol):
    """Where a function notes that news has failed for no fault of its own and will come back."""

    def note(self) -> None:
        """
        Leave a note.

        Raises:
            ServiceCallError: the note was not taken.
        """
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
