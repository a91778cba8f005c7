"""
The change stream of a table, as Lambda hands it over from a tumbling window: a shard's changes, in its order.

Only such an event names the shard, and the shard is what tells a change that comes again from a new one. The images
are passed on as they are: what they mean is known to the adapter that writes the tables.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dunning.contracts.wrong_fields import wrong_fields
from dunning.domain.errors import UnreadableRecordError

type Image = Mapping[str, Mapping[str, Any]]
"""An item as the wire has it: `{"customer_id": {"S": "C1"}}`."""


class ChangeRecord(NamedTuple):
    """A change of an item: its place in the shard, its time in whole seconds, the item before and after it."""

    sequence: int
    at: datetime
    old: Image | None
    new: Image | None


class ShardChanges(NamedTuple):
    """Changes of one shard, in its order; none at the end of a window."""

    shard: str
    records: tuple[ChangeRecord, ...]


class _Change(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    sequence: str = Field(alias="SequenceNumber", pattern="^[0-9]{1,40}$")
    at: float = Field(alias="ApproximateCreationDateTime", ge=0, le=4_102_444_800)
    old: dict[str, dict[str, Any]] | None = Field(alias="OldImage", default=None)
    new: dict[str, dict[str, Any]] | None = Field(alias="NewImage", default=None)


class _StreamRecord(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    dynamodb: _Change


class _WindowOfStream(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    shard: str = Field(alias="shardId", min_length=1, max_length=128)
    records: list[_StreamRecord] = Field(alias="Records", default=[])


def parse_shard_changes(event: Mapping[str, Any]) -> ShardChanges:
    """
    Read an event of a change stream.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    try:
        window = _WindowOfStream.model_validate(event)
    except ValidationError as error:
        raise UnreadableRecordError(f"no changes of a table: {wrong_fields(error)}") from None
    records = [
        ChangeRecord(int(change.sequence), datetime.fromtimestamp(int(change.at), UTC), change.old, change.new)
        for change in (record.dynamodb for record in window.records)
    ]
    return ShardChanges(window.shard, tuple(records))
