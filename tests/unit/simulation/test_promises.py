"""The judges of the proof: what they must see, on moves made by hand."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import LedgerEntry
from tests.simulation.promises import (
    AT_NIGHT,
    CLAIMED_TWICE,
    FORGOTTEN,
    IN_SILENCE,
    LADDER,
    NOT_CLAIMED,
    TOO_OFTEN,
    TWICE,
    UNRECORDED,
    judge_end,
    judge_move,
)
from tests.simulation.scenarios import FACTS, rows_of
from tests.simulation.simulator import Move, Situation, Step
from tests.simulation.tables import Rows
from tests.simulation.world import Text, World
from tests.support.builders import a_lender_record
from tests.support.people import NOW, waking

RECORD = a_lender_record(FACTS)


def a_claim(number: int = 1, at: datetime = NOW, send_id: str = "") -> LedgerEntry:
    return LedgerEntry(
        send_id=send_id or f"send-{number}",
        claim_id=f"job/{number}.1",
        at=at,
        stage=-3,
        accounts=("A0001-0",),
        channel="sms",
        for_wake=at,
    )


def a_sent(number: int = 1, at: datetime = NOW, words: str = "") -> Text:
    return Text(FACTS.phone, words or f"words {number}", at, f"job/{number}", f"job/{number}!1")


def a_world(*ledger: LedgerEntry, texts: tuple[Text, ...] = (), **changes: Any) -> World:  # noqa: ANN401 - fields
    standing = replace(waking(FACTS, NOW + timedelta(days=3)), ledger=ledger, **changes)
    return World(Rows(rows_of(RECORD, standing)), texts=texts)


def judged(before: World, after: World, now: datetime = NOW) -> list[str]:
    to = Situation(after, now)
    return judge_move(Situation(before, now), Move("ok", 0, 0, to, Step("call", "job/1")))


def test_a_text_under_a_claim_of_its_own_by_day_breaks_nothing() -> None:
    assert judged(a_world(), a_world(a_claim())) == []
    assert judged(a_world(a_claim()), a_world(a_claim(), texts=(a_sent(),))) == []


def test_a_text_without_a_claim_is_seen() -> None:
    assert judged(a_world(), a_world(texts=(a_sent(),))) == [NOT_CLAIMED]


@pytest.mark.parametrize("hour", [0, 8, 21, 23])
def test_a_text_outside_the_hours_is_seen(hour: int) -> None:
    at = NOW.replace(hour=0) + timedelta(hours=hour - 8)
    assert judged(a_world(a_claim()), a_world(a_claim(), texts=(a_sent(at=at),)), at) == [AT_NIGHT]


def test_two_texts_within_a_day_are_seen_and_after_a_whole_day_they_are_not() -> None:
    claims = (a_claim(1, NOW - timedelta(days=1)), a_claim(2))
    for ago, broken in ((timedelta(hours=23, minutes=59), [f"{TOO_OFTEN}: 1 in 24 hours"]), (timedelta(days=1), [])):
        first, second = a_sent(1, NOW - ago), a_sent(2)
        assert judged(a_world(*claims, texts=(first,)), a_world(*claims, texts=(first, second))) == broken


def test_four_texts_within_a_week_are_seen() -> None:
    claims = tuple(a_claim(number) for number in range(4))
    texts = tuple(a_sent(number, NOW - timedelta(days=6 - 2 * number)) for number in range(4))
    broken = judged(a_world(*claims, texts=texts[:3]), a_world(*claims, texts=texts))
    assert broken == [f"{TOO_OFTEN}: 3 in 168 hours"]


def test_the_same_words_twice_are_seen() -> None:
    claims = (a_claim(1), a_claim(2))
    texts = (a_sent(1, NOW - timedelta(days=2), "same"), a_sent(2, NOW, "same"))
    assert judged(a_world(*claims, texts=texts[:1]), a_world(*claims, texts=texts)) == [TWICE]


def test_two_claims_of_one_text_are_seen() -> None:
    first, second = a_claim(1, send_id="same"), a_claim(2, send_id="same")
    assert judged(a_world(first), a_world(first, second)) == [CLAIMED_TWICE]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"opted_out_at": NOW}, "opted out"),
        ({"holds": (Hold(HoldReason.HARDSHIP, None, NOW),)}, "held: hardship"),
        ({"suspended_phone": FACTS.phone, "suspended_at": NOW}, "number refused"),
        ({"shared_phone": FACTS.phone, "shared_at": NOW}, "shared number"),
    ],
)
def test_a_claim_after_silence_was_stored_is_seen(changes: dict[str, Any], why: str) -> None:
    assert judged(a_world(**changes), a_world(a_claim(), **changes)) == [f"{IN_SILENCE}: {why}"]


def test_a_claim_without_a_record_and_a_ladder_that_does_not_know_of_it_are_seen() -> None:
    assert judge_end(a_world(a_claim()), NOW) == sorted([UNRECORDED, f"{LADDER}: a text whose stage is not marked"])


def test_somebody_due_without_a_wake_and_without_a_stop_is_seen() -> None:
    assert judge_end(a_world(wake=None), NOW) == [FORGOTTEN]
    assert judge_end(a_world(wake=None, reason="on_hold"), NOW) == []
