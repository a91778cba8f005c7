"""Scanner: a tick of EventBridge Scheduler puts the customers whose wake has come on the queue."""

from typing import Any

from dunning import wiring
from dunning.entrypoint import entrypoint


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Work one tick. What the event says of its time is not used: a late tick looks at the present."""
    del event, context
    tick = wiring.scan_service().tick()
    return {"depth": tick.depth, "enqueued": tick.enqueued}
