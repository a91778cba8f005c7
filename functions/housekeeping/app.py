"""
Housekeeping: does the scheduled task that the event names in `task`.

A census may be taken in parts, an event each: `{"task": "take_census", "part": 0, "parts": 4}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning import wiring
from dunning.entrypoint import entrypoint

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    """
    Do one task.

    Raises:
        UnexpectedError: there is no such task, or an error was raised that is not ours.
    """
    match event.get("task"):
        case "sync_opt_outs":
            wiring.carrier_opt_out_service().sync()
        case "close_unknown":
            wiring.close_unknown_service().close()
        case "take_census":
            wiring.census_service().take(
                lambda: context.get_remaining_time_in_millis() / 1000, event.get("part", 0), event.get("parts", 1)
            )
            wiring.seal_service().seal()
        case _:
            raise ValueError("no such task")
