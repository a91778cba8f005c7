"""Reading with a second opinion: whom it asks, with what, how often, and what is counted."""

from collections.abc import Sequence
from datetime import date

import pytest

from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.ports.gateways import ReplyReader
from dunning.services.reader_with_second_opinion import ReaderWithSecondOpinion
from tests.support.fakes import FakeClock, FakeLargerReader, FakeTelemetry

PAID, HARDSHIP = ReplyIntent.PAID, ReplyIntent.HARDSHIP
IN_DOUBT = ParsedReply(guess=(PAID,))


class OneReading:
    """Reads every reply the same way."""

    def __init__(self) -> None:
        self.reads = IN_DOUBT

    def parse(
        self,
        text: str,
        *,
        said_on: date,
        phone_country: str,
        our_texts: Sequence[str] = (),
        customer_name: str = "",
    ) -> ParsedReply:
        del text, said_on, phone_country, our_texts, customer_name
        return self.reads


class Desk:
    """A reader and what is around it."""

    def __init__(self) -> None:
        self.local, self.larger = OneReading(), FakeLargerReader()
        self.clock, self.telemetry = FakeClock(), FakeTelemetry()
        self.reader: ReplyReader = ReaderWithSecondOpinion(self.local, self.larger, self.clock, self.telemetry)

    def reads(self, text: str, *our_texts: str, name: str = "") -> ParsedReply:
        return self.reader.parse(
            text, said_on=date(2026, 12, 1), phone_country="TW", our_texts=our_texts, customer_name=name
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_reply_in_doubt_is_masked_and_asked_about_once(desk: Desk) -> None:
    desk.larger.answers.append(frozenset({PAID}))
    parsed = desk.reads("王小明昨天轉了3000", name="王小明")
    assert parsed.sure == (PAID,)
    assert desk.larger.asked == [("<name>昨天轉了<number>", "TW")]
    assert desk.telemetry.counts == {"LargerReaderAsked": 1}


@pytest.mark.parametrize(
    "reading", [ParsedReply(sure=(PAID,)), ParsedReply(sure=(PAID,), likely=(HARDSHIP,), by_fixed_word=True)]
)
def test_a_reply_that_is_not_in_doubt_stays_here(desk: Desk, reading: ParsedReply) -> None:
    desk.local.reads = reading
    assert desk.reads("已繳") is reading
    assert not desk.larger.asked
    assert not desk.telemetry.counts


@pytest.mark.parametrize("text", ["", "  ", "0912-345-678", "王小明", "!?"])
def test_a_reply_of_which_nothing_is_left_is_not_asked_about(desk: Desk, text: str) -> None:
    assert desk.reads(text, name="王小明") is IN_DOUBT
    assert not desk.larger.asked


def test_a_text_of_ours_that_a_reply_repeats_stays_here(desk: Desk) -> None:
    desk.reads("【示範分期】王*明您好 已經繳了", "【示範分期】王*明您好", "")
    assert desk.larger.asked == [("已經繳了", "TW")]


def test_without_an_answer_the_local_reading_holds_and_that_is_counted(desk: Desk) -> None:
    assert desk.reads("昨天轉了") is IN_DOUBT
    assert desk.telemetry.counts == {"LargerReaderAsked": 1, "LargerReaderNoAnswer": 1}


def test_after_three_calls_in_a_row_without_an_answer_nobody_waits_for_a_minute(desk: Desk) -> None:
    for _ in range(5):
        assert desk.reads("昨天轉了") is IN_DOUBT
    assert len(desk.larger.asked) == 3
    desk.clock.sleep(60)
    desk.reads("昨天轉了")
    desk.reads("昨天轉了")
    assert len(desk.larger.asked) == 4
    desk.clock.sleep(60)
    desk.larger.answers = [frozenset({PAID}), None, None, frozenset({PAID})]
    assert [desk.reads("昨天轉了").sure for _ in range(4)] == [(PAID,), (), (), (PAID,)]


def test_an_answer_between_two_silences_ends_the_row(desk: Desk) -> None:
    desk.larger.answers = [None, None, frozenset({PAID}), None, None, frozenset({PAID})]
    for _ in range(6):
        desk.reads("昨天轉了")
    assert len(desk.larger.asked) == 6
