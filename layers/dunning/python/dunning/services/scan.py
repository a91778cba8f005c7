"""
Scan: enqueues the customers whose wake has come, no more than can be sent before the next tick.

The scanner keeps no state. The due index is the queue that may grow. A lost job comes back with the next tick, and a
repeated job is harmless.
"""

from dataclasses import dataclass
from datetime import date, datetime

from dunning.ports.clock import Clock
from dunning.ports.customers import DueIndex
from dunning.ports.gateways import SendingSwitch
from dunning.ports.queues import Job, JobQueue
from dunning.ports.telemetry import LogEvent, Metric, Telemetry


@dataclass(frozen=True, slots=True)
class Tick:
    """The result of one tick: its time, the jobs that the queue still held, and the jobs added."""

    at: datetime
    depth: int
    enqueued: int


class ScanService:
    """
    Runs the scanner's ticks. `capacity` is the number of texts that can be sent between two ticks.

    `calendars_end_on` is the last day covered by every calendar that a policy needs, `None` if no policy needs one. The
    scanner measures the days left because it runs every minute, whether anything is due or not. A tick is counted when
    it is done. A failed tick is not counted, and the alarm watches for the missing count.
    """

    def __init__(
        self,
        *,
        index: DueIndex,
        queue: JobQueue,
        switch: SendingSwitch,
        clock: Clock,
        telemetry: Telemetry,
        capacity: int,
        calendars_end_on: date | None = None,
    ) -> None:
        self._index = index
        self._queue = queue
        self._switch = switch
        self._clock = clock
        self._telemetry = telemetry
        self._capacity = capacity
        self._calendars_end_on = calendars_end_on

    def tick(self) -> Tick:
        """Enqueue as many customers from the head of the due index as the queue has room for."""
        now = self._clock.now()
        if self._calendars_end_on is not None:
            self._telemetry.gauge(Metric.CALENDAR_DAYS_LEFT, (self._calendars_end_on - now.date()).days)
        if not self._switch.is_on():
            self._telemetry.log_event(LogEvent.TICK_SKIPPED, reason="sending_off")
            self._telemetry.count(Metric.TICKS)
            return Tick(now, 0, 0)
        depth = self._queue.depth()
        room = self._capacity - depth
        enqueued = 0
        if room > 0:
            due = self._index.due(now, room)
            enqueued = self._queue.enqueue(Job(customer.customer_id, customer.wake.at) for customer in due)
        self._telemetry.count(Metric.JOBS_ENQUEUED, enqueued)
        self._telemetry.count(Metric.QUEUE_DEPTH, depth)
        self._telemetry.count(Metric.TICKS)
        self._telemetry.log_event(LogEvent.TICK, depth=depth, enqueued=enqueued)
        return Tick(now, depth, enqueued)
