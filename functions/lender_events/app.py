"""Lender events: handles a lender's events from SQS. The answer names the messages to deliver again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning import wiring
from dunning.entrypoint import batch_item_failures, entrypoint, sqs_messages

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Handle a batch."""
    failed = wiring.lender_event_service().handle_batch(
        sqs_messages(event), lambda: context.get_remaining_time_in_millis() / 1000
    )
    return batch_item_failures(failed)
