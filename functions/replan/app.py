"""
Replan: works out every customer's wake again, after a policy has changed.

An event without records starts a replan: the function puts the parts of the table on its queue. The queue then delivers
the parts. The answer names the messages to deliver again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning import wiring
from dunning.entrypoint import batch_item_failures, entrypoint, sqs_messages
from dunning.services.replan import PARTS

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Start a replan, in as many `parts` as the event says, or replan parts."""
    if "Records" not in event:
        return {"parts": wiring.replan_service().start(int(event.get("parts", PARTS)))}
    failed = wiring.replan_service().handle_batch(
        sqs_messages(event), lambda: context.get_remaining_time_in_millis() / 1000
    )
    return batch_item_failures(failed)
