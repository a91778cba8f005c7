"""The order of another erasure round, which the queue of lender events holds beside the lender's own events."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from dunning.contracts.instants import Instant, instant
from dunning.contracts.lender_event import Id, ReceivedEvent, parse_lender_event


class ErasureRound(NamedTuple):
    """
    Another round for a customer who was erased a short while ago.

    Earlier rounds have read all files uploaded before `searched_before`.
    """

    customer_id: str
    searched_before: datetime | None = None


class _ErasureRoundMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[1]
    task: Literal["erase_again"]
    customer_id: Id
    searched_before: Instant | None = None


def erasure_round_body(customer_id: str, searched_before: datetime | None = None) -> str:
    """Write the message that orders another round for an erased customer. It holds an id and a time."""
    return _ErasureRoundMessage(
        schema_version=1,
        task="erase_again",
        customer_id=customer_id,
        searched_before=None if searched_before is None else instant(searched_before),  # type: ignore[arg-type]
    ).model_dump_json(exclude_none=True)


def parse_lender_message(body: str, now: datetime, sources: Collection[str] = ()) -> ReceivedEvent | ErasureRound:
    """
    Read a message of the queue: a lender's event in its envelope, or the order of another erasure round.

    If there are `sources`, an event of any other is refused.

    Raises:
        UnreadableRecordError: the message is neither; the error names the fields, not their contents.
    """
    try:
        message = _ErasureRoundMessage.model_validate_json(body)
    except ValidationError:
        return parse_lender_event(body, now, sources)
    return ErasureRound(message.customer_id, message.searched_before)
