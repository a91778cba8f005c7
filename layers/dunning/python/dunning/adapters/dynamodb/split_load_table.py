"""Split loads in the customers table: an item each, beside the list of file loads. Its time to live removes it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dunning.adapters.dynamodb.items import FILE_LOAD, SCHEMA, read_or_refuse
from dunning.adapters.dynamodb.keys import FILES, split_key
from dunning.adapters.dynamodb.layouts import (
    FLAG,
    INSTANT,
    NUMBER,
    SECONDS,
    TEXT,
    TEXTS,
    ArrayLayout,
    Codec,
    Field,
    ItemLayout,
    arrays,
    listed,
)
from dunning.adapters.dynamodb.reading import read_items
from dunning.adapters.dynamodb.writing import Pause, if_read, put_if_read
from dunning.ports.split_loads import PartCounts, SplitLoad

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PART_COUNTS = ArrayLayout(
    PartCounts,
    Field("customers_loaded", NUMBER, 0),
    Field("customers_unchanged", NUMBER, 0),
    Field("customers_refused", NUMBER, 0),
    Field("older", NUMBER, 0),
    Field("phones_shared", NUMBER, 0),
    Field("erased", NUMBER, 0),
    Field("holds_not_understood", NUMBER, 0),
    Field("not_in_list", NUMBER, 0),
    Field("refused", TEXT, ""),
)
_COUNTS = Codec(frozenset({list}), PART_COUNTS.write, lambda written: PART_COUNTS.read(*listed(written)))


def _read_numbers(written: object) -> tuple[int, ...]:
    numbers = tuple(listed(written))
    if not {int}.issuperset(map(type, numbers)):
        raise TypeError("an element of another type")
    return numbers


_NUMBERS = Codec(frozenset({list}), list, _read_numbers)

# The default of a field is given by position.
SPLIT_LOAD = ItemLayout(
    Field("split_id", TEXT),
    Field("version", NUMBER),
    Field("bucket", TEXT),
    Field("key", TEXT),
    Field("uploaded_at", INSTANT),
    Field("begun_at", INSTANT),
    Field("expires_at", SECONDS),
    Field("parts", NUMBER),
    Field("rows", NUMBER),
    Field("columns_ignored", NUMBER, 0),
    Field("list_of", TEXT, ""),
    Field("decimal_comma", FLAG, False),  # noqa: FBT003
    Field("long_numbers_are_exact", FLAG, False),  # noqa: FBT003
    Field("serials", TEXTS, ()),
    Field("older_under_way", FLAG, False),  # noqa: FBT003
    Field("overtaken_by", arrays(FILE_LOAD), ()),
    Field("is_compared", FLAG, True),  # noqa: FBT003
    Field("done", _NUMBERS, ()),
    Field("counts", _COUNTS, PartCounts()),
    Field("completed_by", NUMBER, None),
    Field("is_finished", FLAG, False),  # noqa: FBT003
)


def split_load_of(item: Mapping[str, Any]) -> SplitLoad:
    """
    Read the item of a split load.

    Raises:
        UnreadableRecordError: the item is none.
    """
    return read_or_refuse(lambda stored: SplitLoad(**SPLIT_LOAD.read(stored)), "split load", item)


class DynamoSplitLoads:
    """Implements `SplitLoads`."""

    def __init__(self, client: DynamoDBClient, table: str, pause: Pause = time.sleep) -> None:
        self._client = client
        self._table = table
        self._pause = pause

    def read_split(self, split_id: str) -> SplitLoad | None:
        """Read the item of a split load."""
        found = list(read_items(self._client, self._table, [_item_key(split_id)]))
        if not found:
            return None
        return split_load_of(found[0])

    def save_split(self, split: SplitLoad) -> bool:
        """Put the item under the version before its own."""
        item: Any = {**_item_key(split.split_id), "schema": {"N": str(SCHEMA)}, **SPLIT_LOAD.write(split)}
        return put_if_read(self._client, self._table, item, if_read("version", split.version - 1), self._pause)


def _item_key(split_id: str) -> Any:  # noqa: ANN401 - as boto3 has it
    return {"customer_id": {"S": FILES}, "item": {"S": split_key(split_id)}}
