"""Housekeeping: does the scheduled task that the event names in `task`."""

from typing import Any

from dunning import wiring
from dunning.entrypoint import entrypoint


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: object) -> None:
    """
    Do one task.

    Raises:
        UnexpectedError: there is no such task, or an error was raised that is not ours.
    """
    del context
    match event.get("task"):
        case "sync_opt_outs":
            wiring.carrier_opt_out_service().sync()
        case "close_unknown":
            wiring.close_unknown_service().close()
        case _:
            raise ValueError("no such task")
