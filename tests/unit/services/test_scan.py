"""The scanner's arithmetic, on fakes."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from dunning.domain.customer.standing import Wake
from dunning.domain.errors import ServiceCallError
from dunning.ports.customers import DueCustomer
from dunning.ports.queues import Job
from dunning.services.scan import ScanService, Tick
from tests.support.fakes import FakeClock, FakeCustomers, FakeQueue, FakeSwitch, FakeTelemetry
from tests.support.people import NOW, someone, waking


class Index(FakeCustomers):
    """Remembers how much was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[datetime, int]] = []

    def due(self, now: datetime, limit: int) -> Iterator[DueCustomer]:
        self.asked.append((now, limit))
        return super().due(now, limit)


class Office:
    """A scanner with everything it touches."""

    def __init__(self, capacity: int, calendars_end_on: date | None = None) -> None:
        self.index = Index()
        self.queue = FakeQueue()
        self.switch = FakeSwitch()
        self.telemetry = FakeTelemetry()
        self.scanner = ScanService(
            index=self.index,
            queue=self.queue,
            switch=self.switch,
            clock=FakeClock(NOW),
            telemetry=self.telemetry,
            capacity=capacity,
            calendars_end_on=calendars_end_on,
        )
        for number in range(10):
            facts = someone(number)
            self.index.standings[facts.customer_id] = waking(facts, NOW - timedelta(minutes=number))


@pytest.mark.parametrize(
    ("capacity", "depth", "asked", "enqueued"),
    [(4, 0, 4, 4), (4, 1, 3, 3), (4, 3, 1, 1), (100, 0, 100, 10), (100, 95, 5, 5)],
)
def test_the_room_is_the_capacity_less_what_the_queue_holds(
    capacity: int, depth: int, asked: int, enqueued: int
) -> None:
    office = Office(capacity)
    office.queue.jobs = [Job("X", NOW)] * depth
    assert office.scanner.tick() == Tick(NOW, depth, enqueued)
    assert office.index.asked == [(NOW, asked)]
    assert len(office.queue.jobs) == depth + enqueued


@pytest.mark.parametrize("depth", [4, 5, 400])
def test_a_full_queue_is_not_added_to_and_the_index_not_read(depth: int) -> None:
    office = Office(4)
    office.queue.jobs = [Job("X", NOW)] * depth
    assert office.scanner.tick() == Tick(NOW, depth, 0)
    assert office.index.asked == []


def test_a_job_names_the_customer_and_the_wake_it_answers() -> None:
    office = Office(1)
    office.scanner.tick()
    assert office.queue.jobs == [Job("C0009", NOW - timedelta(minutes=9))]


def test_nothing_is_remembered_from_tick_to_tick() -> None:
    office = Office(20)
    assert office.scanner.tick().enqueued == 10
    office.queue.jobs.clear()
    assert office.scanner.tick().enqueued == 10


def test_the_wakes_are_left_to_the_sender() -> None:
    office = Office(20)
    before = dict(office.index.standings)
    office.scanner.tick()
    assert office.index.standings == before
    assert office.index.writes == 0


def test_a_tick_tells_what_it_did() -> None:
    office = Office(4)
    office.queue.jobs = [Job("X", NOW)]
    office.scanner.tick()
    assert office.telemetry.events == [("tick", {"depth": 1, "enqueued": 3})]
    assert office.telemetry.counts == {"JobsEnqueued": 3, "QueueDepth": 1, "Ticks": 1}


def test_a_tick_while_sending_is_off_counts_the_scanner_is_not_silent() -> None:
    office = Office(4)
    office.switch.on = False
    office.scanner.tick()
    assert office.telemetry.counts == {"Ticks": 1}


def test_a_tick_that_fails_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled() -> int:
        raise ServiceCallError("GetQueueAttributes", "Throttling")

    office = Office(4)
    monkeypatch.setattr(office.queue, "depth", throttled)
    with pytest.raises(ServiceCallError):
        office.scanner.tick()
    assert "Ticks" not in office.telemetry.counts


def test_while_sending_is_off_neither_queue_nor_index_is_asked() -> None:
    office = Office(4)
    office.switch.on = False
    assert office.scanner.tick() == Tick(NOW, 0, 0)
    assert office.index.asked == []
    assert office.telemetry.events == [("tick_skipped", {"reason": "sending_off"})]


def test_the_most_urgent_of_one_moment_go_first() -> None:
    office = Office(2)
    office.index.standings = {
        facts.customer_id: waking(facts, urgency=urgency)
        for facts, urgency in ((someone(1), 3), (someone(2), 0), (someone(3), 1))
    }
    assert list(office.index.due(NOW, 1)) == [DueCustomer("C0002", Wake(NOW, 0))]
    office.scanner.tick()
    assert [job.customer_id for job in office.queue.jobs] == ["C0002", "C0003"]


@pytest.mark.parametrize("sending", [True, False])
def test_every_tick_tells_how_far_off_the_end_of_the_first_calendar_is(sending: bool) -> None:  # noqa: FBT001
    office = Office(4)
    office.switch.on = sending
    office.scanner.tick()
    assert "CalendarDaysLeft" not in office.telemetry.counts, "no rules need a calendar"
    watching = Office(4, calendars_end_on=(NOW + timedelta(days=59)).date())
    watching.switch.on = sending
    watching.scanner.tick()
    assert watching.telemetry.counts["CalendarDaysLeft"] == 59
