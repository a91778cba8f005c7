"""
News first: no text leaves before the news that may forbid it has been taken down.

A reply or a lender's event is usually taken down within seconds. After a fault the texts would go first: the wakes have
come, and what failed is hidden until its next delivery. So sending counts as off while

- news has failed for no fault of its own, until it has come back (`News.has_failed`);
- news has been waiting for more than two minutes: the functions do not keep up, or do not run;
- the queues cannot be asked.

A message that will always fail (it cannot be read, or its customer's record cannot be read or has outgrown the table)
leaves no note, so that it stops nobody else's texts.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock

from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import DunningError, RecordTooLargeError, UnreadableRecordError
from dunning.ports.clock import Clock
from dunning.ports.gateways import SendingSwitch
from dunning.ports.queues import News, NewsFailures
from dunning.ports.telemetry import LogEvent, Metric, Telemetry

LOOK_INTERVAL = timedelta(seconds=30)
"""As often as the switch is read."""

USUALLY_READ_WITHIN = timedelta(minutes=2)
"""A queue that was empty so shortly ago is being read: what waits now has just come."""

SETTLES_WITHIN = timedelta(minutes=3)
"""After news has waited too long: the time between two ticks, and the time in which a function is done with it."""


class NewsFirstSwitch:
    """Implements `SendingSwitch`: the switch, and off as long as news is held up."""

    def __init__(self, switch: SendingSwitch, news: News, clock: Clock, telemetry: Telemetry) -> None:
        self._switch = switch
        self._news = news
        self._clock = clock
        self._telemetry = telemetry
        self._looked_at: datetime | None = None
        self._empty_at: datetime | None = None
        self._settled_at: datetime | None = None
        self._is_held_up = True
        self._lock = Lock()

    def is_on(self) -> bool:
        """Ask the switch, and look at the queues at most every thirty seconds."""
        if not self._switch.is_on():
            return False
        with self._lock:
            now = self._clock.now()
            if self._looked_at is None or not self._looked_at <= now < self._looked_at + LOOK_INTERVAL:
                why = self._why_held_up(now)
                self._is_held_up, self._looked_at = bool(why), now
                if why:
                    self._telemetry.log_event(LogEvent.NEWS_HELD_UP, reason=why)
                    self._telemetry.count(Metric.NEWS_HELD_UP)
            return not self._is_held_up

    def stopped_channels(self) -> frozenset[Channel]:
        """Ask the switch. News that is held up stops all sending, and no channel by its name."""
        return self._switch.stopped_channels()

    def _why_held_up(self, now: datetime) -> str:
        try:
            is_empty, has_failed = self._news.waiting() == 0, self._news.has_failed()
        except DunningError as error:
            return type(error).__name__
        if is_empty:
            self._empty_at = now
        if self._empty_at is None or now - self._empty_at > USUALLY_READ_WITHIN:
            self._settled_at = now + SETTLES_WITHIN
        if has_failed:
            return "failed"
        return "waiting" if self._settled_at is not None and now < self._settled_at else ""


def note_failures(failures: NewsFailures, telemetry: Telemetry, errors: Iterable[BaseException]) -> None:
    """
    Leave a note if any of these errors may be over when the message comes back.

    A note that is not taken is only logged: the message comes back all the same.
    """
    if all(isinstance(error, UnreadableRecordError | RecordTooLargeError) for error in errors):
        return
    try:
        failures.note()
    except DunningError as error:
        telemetry.log_event(LogEvent.NEWS_FAILURE_NOT_NOTED, error=type(error).__name__)
