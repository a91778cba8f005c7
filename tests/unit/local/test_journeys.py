"""Journeys: who is shown, and what is said of a stage that chance has left out."""

from typing import Any

from tests.local.journeys import fallbacks, journeys

TEXT = {"customer_id": "C1", "local_at": "2026-12-01T10:00:00+08:00", "channel": "sms", "stage": 0, "state": "sent"}
LEFT_OUT = TEXT | {"local_at": "2026-11-28T10:00:00+08:00", "channel": "none", "stage": -3, "state": "held_out"}
ON_LINE = TEXT | {"local_at": "2026-12-04T10:00:00+08:00", "channel": "line", "stage": 3}


def _customer(customer_id: str) -> dict[str, Any]:
    return {"customer_id": customer_id, "reason": "nothing_open"}


def test_a_stage_that_chance_left_out_is_a_step_without_a_text() -> None:
    (journey,) = journeys([LEFT_OUT, TEXT, ON_LINE], [], [], [_customer("C1")])
    assert [(step.channel, step.what) for step in journey.steps] == [
        ("no text", "3 days before: left out by lot"),
        ("SMS", "on the due date: taken, no receipt"),
        ("LINE", "3 days after: taken, no receipt"),
    ]


def test_silence_is_no_channel() -> None:
    assert journeys([LEFT_OUT, TEXT], [], [], [_customer("C1")]) == []


def test_a_stage_that_chance_left_out_repeats_nothing_on_another_channel() -> None:
    lost = TEXT | {"state": "failed"}
    assert fallbacks([lost, LEFT_OUT | {"stage": 0}]) == 0
    assert fallbacks([lost, ON_LINE | {"stage": 0}]) == 1
