"""Telling: what every service says to the telemetry in the same way."""

import traceback
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Protocol

from dunning.domain.decision.decisions import Decision, Send
from dunning.domain.errors import DunningError
from dunning.ports.telemetry import Telemetry


class UnexpectedError(DunningError):
    """Something went wrong that nobody foresaw, told by its kind only. The event is to be handed over again."""


class _FlushedTelemetry(Telemetry, Protocol):
    def flush(self) -> None: ...


class _Wiring(Protocol):
    @property
    def telemetry(self) -> Callable[[], _FlushedTelemetry]: ...


def entrypoint[**P, R](wiring: _Wiring) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """
    Put around a function's handler what holds for each. What was counted goes out at the end, however that comes.

    Lambda logs the words of an error that leaves a handler, and puts them beside the event it gives up. Ours are
    written for that; those of others might quote a number or a text. In place of an error that is none of ours the
    handler raises `UnexpectedError`, and the telemetry is told where it arose.
    """

    def around(handler: Callable[P, R]) -> Callable[P, R]:
        @wraps(handler)
        def guarded(*args: P.args, **named: P.kwargs) -> R:
            telemetry = wiring.telemetry()
            try:
                return handler(*args, **named)
            except DunningError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is
                telemetry.log_event("unexpected", error=type(error).__name__, where=error_location(error))
                unexpected = UnexpectedError(type(error).__name__)
            finally:
                telemetry.flush()
            raise unexpected  # here, where nothing leads back to the error

        return guarded

    return around


def error_location(error: BaseException) -> str:
    """Return the function and line an error arose in. Its own words might quote what must not be logged."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""


def log_planned_decision(telemetry: Telemetry, customer_id: str, decision: Decision, at: datetime) -> None:
    """Tell the decision a wake was planned by; one to send is told by the sender, who makes it afresh."""
    if not isinstance(decision, Send):
        telemetry.log_decision(customer_id, decision, at)
