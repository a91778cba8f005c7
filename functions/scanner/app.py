"""Scanner: enqueues the customers whose wake has come, at each tick of EventBridge Scheduler."""

from typing import Any

from dunning import wiring
from dunning.entrypoint import entrypoint


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Do one tick. The time in the event is not used, because a late tick has to look at the present."""
    del event, context
    tick = wiring.scan_service().tick()
    return {"depth": tick.depth, "enqueued": tick.enqueued}
