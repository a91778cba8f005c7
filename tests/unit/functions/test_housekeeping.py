"""Housekeeping: a schedule names the task, and nothing else is done."""

from collections.abc import Callable
from typing import Any

import pytest

from dunning import wiring
from dunning.domain.errors import UnexpectedError
from dunning.ports.telemetry import LogEvent
from functions.housekeeping import app


class Context:
    """What Lambda says of the invocation: seven seconds are left."""

    def get_remaining_time_in_millis(self) -> int:
        return 7_000


def lambda_handler(event: dict[str, Any]) -> None:
    handler: Callable[[dict[str, Any], Context], None] = app.lambda_handler  # type: ignore[assignment]
    handler(event, Context())


class FakeService:
    """All services and the telemetry."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def sync(self) -> None:
        self.done.append("sync")

    def close(self) -> None:
        self.done.append("close")

    def take(self, seconds_left: Callable[[], float], part: int, parts: int) -> None:
        self.done.append(f"census of {part} of {parts} in {seconds_left():.0f} s")

    def seal(self) -> None:
        self.done.append("seal")

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        del fields
        self.done.append(event)

    def flush(self) -> None:
        self.done.append("flush")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    found = FakeService()
    for name in ("carrier_opt_out_service", "census_service", "close_unknown_service", "seal_service", "telemetry"):
        monkeypatch.setattr(wiring, name, lambda: found, raising=False)
    return found


@pytest.mark.parametrize(("task", "done"), [("sync_opt_outs", "sync"), ("close_unknown", "close")])
def test_the_task_that_is_named_is_done(service: FakeService, task: str, done: str) -> None:
    lambda_handler({"task": task})
    assert service.done == [done, "flush"]


@pytest.mark.parametrize(("named", "taken"), [({}, "0 of 1"), ({"part": 2, "parts": 4}, "2 of 4")])
def test_a_census_is_taken_in_the_time_there_is_and_days_that_are_over_are_sealed(
    service: FakeService, named: dict[str, int], taken: str
) -> None:
    lambda_handler({"task": "take_census", **named})
    assert service.done == [f"census of {taken} in 7 s", "seal", "flush"]


@pytest.mark.parametrize("event", [{}, {"task": None}, {"task": "sync"}, {"task": ["close_unknown"]}])
def test_a_task_that_is_not_known_is_an_error(service: FakeService, event: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedError, match=r"^ValueError$"):
        lambda_handler(event)
    assert service.done == ["unexpected", "flush"]
