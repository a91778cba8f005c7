"""Tally: counts the changes of both tables from their change streams, a shard's window at a time."""

from typing import Any

from dunning import wiring
from dunning.contracts.change_stream import parse_shard_changes
from dunning.entrypoint import entrypoint


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, dict[str, str]]:
    """Count a batch of changes. The answer is what a window asks for: the counters are kept in the table."""
    del context
    wiring.tally_service().count(parse_shard_changes(event))
    return {"state": {}}
