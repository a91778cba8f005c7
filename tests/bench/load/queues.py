"""Queues of SQS, in memory: messages hidden while they are handled, redrive, and deliveries that come twice."""

import heapq
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple


@dataclass(slots=True)
class QueuedMessage:
    """A message; `sent_at` in seconds since 1970."""

    message_id: str
    body: str
    sent_at: float
    receives: int = 0
    first_received_at: float = 0.0


class Received(NamedTuple):
    """A message as received, and the handle with which it is deleted."""

    message: QueuedMessage
    handle: str


class QueueDepth(NamedTuple):
    """The messages that wait, and those hidden because they are being handled."""

    visible: int
    hidden: int


class Queue:
    """
    A standard queue.

    A message that is received is hidden for `visibility_seconds`. If it is not deleted, it comes again; after
    `most_receives` it goes to the `dead_letters` instead. `comes_twice` says whether a message received for the first
    time is to be handed out once more: SQS delivers at least once.
    """

    def __init__(
        self,
        *,
        visibility_seconds: float = 30,
        dead_letters: "Queue | None" = None,
        most_receives: int = 0,
        comes_twice: Callable[[], bool] = lambda: False,
    ) -> None:
        self._visibility = visibility_seconds
        self._dead_letters = dead_letters
        self._most_receives = most_receives
        self._comes_twice = comes_twice
        self._visible: deque[QueuedMessage] = deque()
        self._hidden: dict[str, QueuedMessage] = {}
        self._ends: list[tuple[float, str]] = []
        """When hidden messages are visible again, earliest first; also of messages that are deleted by now."""

    def send(self, body: str, now: float) -> str:
        """Add a message, and return its id."""
        message = QueuedMessage(uuid.uuid4().hex, body, now)
        self._visible.append(message)
        return message.message_id

    def receive(self, most: int, now: float) -> list[Received]:
        """Hide up to so many messages, and return them."""
        self._show_again(now)
        received: list[Received] = []
        while self._visible and len(received) < most:
            message = self._visible.popleft()
            if self._dead_letters is not None and 0 < self._most_receives <= message.receives:
                self._dead_letters._visible.append(message)  # noqa: SLF001 - a queue, too
                continue
            message.receives += 1
            message.first_received_at = message.first_received_at or now
            handle = uuid.uuid4().hex
            self._hidden[handle] = message
            heapq.heappush(self._ends, (now + self._visibility, handle))
            received.append(Received(message, handle))
            if message.receives == 1 and self._comes_twice():
                self._visible.append(replace(message))
        return received

    def delete(self, handle: str) -> None:
        """Delete a message. A handle that is no longer of use deletes nothing, and is no error."""
        self._hidden.pop(handle, None)

    def depth(self, now: float) -> QueueDepth:
        """Count the messages."""
        self._show_again(now)
        return QueueDepth(len(self._visible), len(self._hidden))

    def _show_again(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, handle = heapq.heappop(self._ends)
            if (message := self._hidden.pop(handle, None)) is not None:
                self._visible.append(message)
