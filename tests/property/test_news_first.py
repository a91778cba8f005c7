"""
News first, stated over time: whenever a reply or an event comes and however long AWS fails, no text goes before it.

The queue is modelled as SQS has it: a message is handed out at once if it is visible, is hidden for the visibility
timeout from then on, and a note of a failure is kept for the retention of its queue. The figures are the template's.
"""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dunning.services.news_first import LOOK_INTERVAL, USUALLY_READ_WITHIN, NewsFirstSwitch
from tests.local import ROOT
from tests.local.template import translate
from tests.support.fakes import FakeClock, FakeSwitch, FakeTelemetry
from tests.support.people import NOW

RESOURCES = translate(ROOT / "template.yaml")["Resources"]
SECOND = timedelta(seconds=1)
HIDDEN = max(RESOURCES[queue]["Properties"]["VisibilityTimeout"] for queue in ("Replies", "LenderEvents")) * SECOND
HANDLED_WITHIN = RESOURCES["RepliesFunction"]["Properties"]["Timeout"] * SECOND
NOTES_KEPT = RESOURCES["NewsFailures"]["Properties"]["MessageRetentionPeriod"] * SECOND
DAY = timedelta(days=1)
TICK = timedelta(minutes=1)  # as the scanner looks
TICK = timedelta(minutes=1)  # as the scanner looks


class _Message:
    """The fate of one message: when it waits, when its failures are noted, and when it has been taken down."""

    def __init__(self, came: datetime, fault: tuple[datetime, datetime], took: timedelta, picked_up: timedelta) -> None:
        self.waits: list[tuple[datetime, datetime]] = []
        self.notes: list[datetime] = []
        visible = came
        while True:
            received = visible + picked_up
            self.waits.append((visible, received))
            done = received + took
            if not fault[0] <= done < fault[1]:
                self.taken_down = done
                return
            self.notes.append(done)
            visible = received + HIDDEN


class _Queues:
    """The queues at the clock's time, with one message."""

    def __init__(self, message: _Message, clock: FakeClock) -> None:
        self._message = message
        self._clock = clock

    def waiting(self) -> int:
        now = self._clock.now()
        return sum(begin <= now < end for begin, end in self._message.waits)

    def has_failed(self) -> bool:
        now = self._clock.now()
        return any(noted <= now < noted + NOTES_KEPT for noted in self._message.notes)


@given(
    begins=st.integers(0, 3600).map(lambda seconds: NOW + seconds * SECOND),
    lasts=st.integers(1, 12 * 3600).map(lambda seconds: seconds * SECOND),
    came=st.integers(-1800, 1800).map(lambda seconds: seconds * SECOND),
    took=st.integers(0, int(HANDLED_WITHIN / SECOND)).map(lambda seconds: seconds * SECOND),
    picked_up=st.integers(0, 1800).map(lambda seconds: seconds * SECOND),
    begin=st.integers(0, 59),
)
def test_no_text_leaves_between_the_first_failure_of_a_message_and_its_end(
    begins: datetime, lasts: timedelta, came: timedelta, took: timedelta, picked_up: timedelta, begin: int
) -> None:
    message = _Message(begins + came, (begins, begins + lasts), took, picked_up)
    clock = FakeClock(NOW - timedelta(hours=1))
    switch = NewsFirstSwitch(FakeSwitch(), _Queues(message, clock), clock, FakeTelemetry())
    known_from = min([*message.notes, message.waits[0][0] + USUALLY_READ_WITHIN + TICK]) + LOOK_INTERVAL
    moment = clock.now() + begin * SECOND
    while moment < message.taken_down:
        moment += TICK
        clock.move_to(moment)
        is_on = switch.is_on()
        if known_from <= moment < message.taken_down:
            assert not is_on, (moment - begins, message.waits, message.notes)
    clock.move_to(message.taken_down + NOTES_KEPT + LOOK_INTERVAL + DAY)
    assert switch.is_on()
