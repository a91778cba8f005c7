"""News first: when sending counts as off because a reply or an event is not known yet, and when it does not."""

from datetime import timedelta

import pytest

from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import RecordTooLargeError, ServiceCallError, UnreadableRecordError
from dunning.services.news_first import NewsFirstSwitch, note_failures
from tests.support.fakes import FakeClock, FakeNews, FakeSwitch, FakeTelemetry
from tests.support.people import NOW

MINUTE = timedelta(minutes=1)


class Office:
    """The switch with everything it looks at."""

    def __init__(self, *, on: bool = True) -> None:
        self.clock, self.news, self.telemetry = FakeClock(NOW), FakeNews(), FakeTelemetry()
        self.switch = NewsFirstSwitch(FakeSwitch(on=on), self.news, self.clock, self.telemetry)

    def look(self) -> bool:
        """Look a minute later."""
        self.clock.move_to(self.clock.now() + MINUTE)
        return self.switch.is_on()


def test_sending_is_on_when_the_switch_is_and_nothing_waits() -> None:
    office = Office()
    assert office.switch.is_on()
    assert office.telemetry.counts == {}


def test_the_queues_are_not_asked_while_the_switch_is_off() -> None:
    office = Office(on=False)
    office.news.error = ServiceCallError("GetQueueAttributes", "AccessDenied")
    assert not office.switch.is_on()
    assert office.telemetry.events == []


def test_a_failure_stops_sending_until_its_message_has_come_back() -> None:
    office = Office()
    office.news.note()
    assert not office.look()
    assert office.telemetry.counts == {"NewsHeldUp": 1}
    assert office.telemetry.events == [("news_held_up", {"reason": "failed"})]
    office.news.failures = 0
    assert office.look()


def test_news_that_has_just_come_stops_nothing_and_news_that_keeps_waiting_does() -> None:
    office = Office()
    assert office.look()
    office.news.messages = 3
    assert office.look()
    assert office.look()
    assert not office.look()
    office.news.messages = 0
    assert [office.look() for _ in range(3)] == [False, False, True]
    assert office.telemetry.events == 3 * [("news_held_up", {"reason": "waiting"})]


def test_at_its_first_look_nobody_knows_how_long_news_has_waited() -> None:
    office = Office()
    office.news.messages = 1
    assert not office.switch.is_on()


def test_queues_that_cannot_be_asked_stop_sending() -> None:
    office = Office()
    assert office.look()
    office.news.error = ServiceCallError("GetQueueAttributes", "Throttling")
    assert not office.look()
    office.news.error = None
    assert office.look()


def test_what_has_waited_too_long_is_also_waited_for_while_a_function_has_it_in_hand() -> None:
    office = Office()
    office.news.messages = 1
    assert not office.look()
    office.news.messages = 0
    assert not office.look()


def test_the_queues_are_asked_at_most_every_thirty_seconds() -> None:
    office = Office()
    assert office.switch.is_on()
    office.news.note()
    office.clock.move_to(NOW + timedelta(seconds=29))
    assert office.switch.is_on()
    office.clock.move_to(NOW + timedelta(seconds=30))
    assert not office.switch.is_on()


def test_who_asks_twice_at_one_moment_gets_one_answer() -> None:
    office = Office()
    assert office.switch.is_on()
    office.news.note()
    assert office.switch.is_on()


def test_news_that_is_held_up_stops_no_channel_by_its_name_but_the_switch_does() -> None:
    switch = FakeSwitch()
    switch.stopped = frozenset({Channel.LINE})
    news = FakeNews()
    news.note()
    news_first = NewsFirstSwitch(switch, news, FakeClock(NOW), FakeTelemetry())
    assert not news_first.is_on()
    assert news_first.stopped_channels() == {Channel.LINE}


@pytest.mark.parametrize(
    ("errors", "noted"),
    [
        ([], 0),
        ([UnreadableRecordError("facts: KeyError")], 0),
        ([RecordTooLargeError("TransactWriteItems")], 0),
        ([ServiceCallError("PutItem", "Throttling")], 1),
        ([KeyError("x"), UnreadableRecordError("facts: KeyError")], 1),
    ],
    ids=[
        "none",
        "a record that stays unreadable",
        "a record that has outgrown the table",
        "a fault of the service",
        "an error nobody foresaw",
    ],
)
def test_only_a_failure_that_may_pass_is_noted(errors: list[Exception], noted: int) -> None:
    news, telemetry = FakeNews(), FakeTelemetry()
    note_failures(news, telemetry, errors)
    assert news.failures == noted


def test_a_note_that_is_not_taken_is_logged_and_fails_nothing() -> None:
    news, telemetry = FakeNews(), FakeTelemetry()
    news.error = ServiceCallError("SendMessage", "Throttling")
    note_failures(news, telemetry, [ServiceCallError("PutItem", "Throttling")])
    assert telemetry.events == [("news_failure_not_noted", {"error": "ServiceCallError"})]
