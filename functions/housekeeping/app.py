"""Housekeeping: what a schedule has done now and then, named in its input as `task`."""

from typing import Any

from dunning import wiring
from dunning.entrypoint import entrypoint


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: object) -> None:
    """
    Do one task.

    Raises:
        UnexpectedError: there is no such task, or something else went wrong that is not told in words of ours.
    """
    del context
    match event.get("task"):
        case "sync_opt_outs":
            wiring.carrier_opt_out_service().sync()
        case "close_unknown":
            wiring.close_unknown_service().close()
        case _:
            raise ValueError("no such task")
