"""Delivery receipts: handles delivery logs, events of all channels, and receipts that waited in the queue."""

from typing import Any

from dunning import wiring
from dunning.contracts.delivery_log import parse_reported
from dunning.entrypoint import batch_item_failures, entrypoint, inbound_messages, queue_name, sqs_messages


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Handle an event. The answer to a batch from a queue names the messages to deliver again."""
    del context
    if "awslogs" in event:
        wiring.delivery_receipt_service().handle_batch(parse_reported(event, wiring.now()))
        return batch_item_failures([])
    if wiring.is_channel_events_queue(queue_name(event)):
        return batch_item_failures(wiring.channel_event_service().handle_batch(inbound_messages(event)))
    failed = wiring.delivery_receipt_service().handle_waiting(sqs_messages(event))
    return batch_item_failures(failed)
