"""Effect: a night has the time that is left, and says whether it is whole."""

from collections.abc import Callable
from typing import Any

import pytest

from dunning import wiring
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from functions.effect import app


class Context:
    """What Lambda says of the invocation: seven minutes are left."""

    def get_remaining_time_in_millis(self) -> int:
        return 420_000


class FakeNight:
    """A night that needs so many seconds, and the telemetry."""

    def __init__(self, needs: float = 60.0, error: Exception | None = None) -> None:
        self.needs, self.error, self.flushed = needs, error, 0

    def run_all(self, seconds_left: Callable[[], float]) -> bool:
        if self.error is not None:
            raise self.error
        return seconds_left() > self.needs

    def flush(self) -> None:
        self.flushed += 1


def handled(monkeypatch: pytest.MonkeyPatch, night: FakeNight) -> Any:  # noqa: ANN401 - the handler's answer
    for name in ("trial_night_service", "telemetry"):
        monkeypatch.setattr(wiring, name, lambda: night, raising=False)
    handler: Callable[[dict[str, Any], Context], Any] = app.lambda_handler  # type: ignore[assignment]
    return handler({}, Context())


@pytest.mark.parametrize(("needs", "is_whole"), [(60.0, True), (421.0, False)])
def test_a_night_that_ran_out_of_time_says_that_it_is_not_whole(
    monkeypatch: pytest.MonkeyPatch,
    needs: float,
    is_whole: bool,  # noqa: FBT001
) -> None:
    assert handled(monkeypatch, FakeNight(needs)) == {"is_whole": is_whole}


@pytest.mark.parametrize("error", [ServiceCallError("Query", "Throttled"), UnreadableRecordError("books/x/y/07")])
def test_a_night_that_failed_is_an_error_so_that_it_is_repeated_and_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    night = FakeNight(error=error)
    with pytest.raises(type(error)):
        handled(monkeypatch, night)
    assert night.flushed == 1
