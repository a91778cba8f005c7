"""The order of another erasure round, which the queue of lender events holds beside the lender's own events."""

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from dunning.contracts.lender_event import Id, ReceivedEvent, parse_lender_event


class ErasureRound(NamedTuple):
    """Another round for a customer who was erased a short while ago."""

    customer_id: str


class _ErasureRoundMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1]
    task: Literal["erase_again"]
    customer_id: Id


def erasure_round_body(customer_id: str) -> str:
    """Write the message that orders another round for an erased customer. It holds the id and no other data."""
    return _ErasureRoundMessage(schema_version=1, task="erase_again", customer_id=customer_id).model_dump_json()


def parse_lender_message(body: str, now: datetime) -> ReceivedEvent | ErasureRound:
    """
    Read a message of the queue: a lender's event in its envelope, or the order of another erasure round.

    Raises:
        UnreadableRecordError: the message is neither; the error names the fields, not their contents.
    """
    try:
        return ErasureRound(_ErasureRoundMessage.model_validate_json(body).customer_id)
    except ValidationError:
        return parse_lender_event(body, now)
