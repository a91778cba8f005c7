"""
Replan: every customer's wake is worked out anew, after a policy has changed.

Invoked without records it begins: it puts the parts of the table on its queue. What the queue delivers are parts to be
worked off; those that are to come back are named in the answer.
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
    """Begin, in as many `parts` as the event says, or work parts off."""
    if "Records" not in event:
        return {"parts": wiring.replan_service().start(int(event.get("parts", PARTS)))}
    failed = wiring.replan_service().handle_batch(
        sqs_messages(event), lambda: context.get_remaining_time_in_millis() / 1000
    )
    return batch_item_failures(failed)
