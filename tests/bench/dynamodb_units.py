"""
What DynamoDB bills for a call on demand: request units, by the rules of its developer guide.

A simulator's `ConsumedCapacity` is not those rules, so they are written down here. Sizes are bytes of UTF-8, names
included. A read unit is 4 KB read strongly consistently, a write unit is 1 KB written; each item of a batch is
rounded up by itself, the items of a query together. Of a write the larger of the item before and after counts, and a
write whose condition fails is billed like one that succeeds. Each index is written as well when what it holds changes.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

READ_UNIT = 4096
WRITE_UNIT = 1024

OVERHEAD_STORED = 100
"""Bytes that DynamoDB adds to each stored item and to each entry of an index, for storage only."""

type Attributes = Mapping[str, Mapping[str, Any]]
"""An item as the wire has it: `{"customer_id": {"S": "C1"}}`."""


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index that projects its keys only; `table_keys` are those of the table it belongs to."""

    name: str
    keys: tuple[str, ...]
    table_keys: tuple[str, ...]

    def entry(self, item: Attributes | None) -> dict[str, Mapping[str, Any]] | None:
        """Return what the index holds of an item; `None` if the item lacks one of its keys (a sparse index)."""
        if item is None or any(key not in item for key in self.keys):
            return None
        return {key: item[key] for key in (*self.keys, *self.table_keys) if key in item}


def item_size(item: Attributes) -> int:
    """Return the size of an item in bytes: names and values, without what storage adds."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def read_units(size: int, *, consistent: bool, transactional: bool = False) -> float:
    """
    Return the units of reading one item, or one page of a query.

    Args:
        size: bytes of the item, or of all items a query has looked at; one that is not there costs as a small one.
        consistent: strongly consistent, a whole unit for each 4 KB; otherwise half of one.
        transactional: two units for each 4 KB.
    """
    blocks = max(1, math.ceil(size / READ_UNIT))
    return blocks * (2.0 if transactional else 1.0 if consistent else 0.5)


def write_units(
    before: Attributes | None,
    after: Attributes | None,
    indexes: Collection[Index] = (),
    *,
    transactional: bool = False,
) -> float:
    """
    Return the units of one write, those of the indexes included.

    Args:
        before: the item that was there, `None` if there was none.
        after: the item that is there now, `None` if it was deleted.
        indexes: those of the table.
        transactional: two units for each 1 KB.
    """
    size = max(item_size(item) if item else 0 for item in (before, after))
    units = _blocks(size) + sum(index_units(before, after, index) for index in indexes)
    return units * (2.0 if transactional else 1.0)


def failed_write_units(existing: Attributes | None) -> float:
    """Return the units of a write whose condition did not hold: the size of the item that is there, no index."""
    return float(_blocks(item_size(existing) if existing else 0))


def index_units(before: Attributes | None, after: Attributes | None, index: Index) -> int:
    """Return the units an index takes: a new entry one write, a changed key two (one to delete), a lost one one."""
    old, new = index.entry(before), index.entry(after)
    if old == new:
        return 0
    return sum(_blocks(item_size(entry)) for entry in (old, new) if entry is not None)


def stored_bytes(items: Iterable[Attributes], indexes: Collection[Index]) -> int:
    """Return what items and their index entries take in storage, in bytes."""
    total = 0
    for item in items:
        total += item_size(item) + OVERHEAD_STORED
        for index in indexes:
            if (entry := index.entry(item)) is not None:
                total += item_size(entry) + OVERHEAD_STORED
    return total


def _blocks(size: int) -> int:
    return max(1, math.ceil(size / WRITE_UNIT))


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            size = len(str(content).encode())
        case "N":
            size = _number_size(str(content))
        case "B":
            size = len(content)
        case "BOOL" | "NULL":
            size = 1
        case "SS" | "NS" | "BS":
            size = sum(_value_size({kind[0]: element}) for element in content)
        case "L":
            size = 3 + sum(1 + _value_size(element) for element in content)
        case "M":
            size = 3 + sum(1 + len(name.encode()) + _value_size(element) for name, element in content.items())
        case _:
            raise ValueError(f"no such type of DynamoDB: {kind}")
    return size


def _number_size(written: str) -> int:
    """About one byte for two significant digits and one more; a sign takes another (developer guide: approximate)."""
    digits = written.lstrip("-").replace(".", "").strip("0")
    return max(1, math.ceil(len(digits) / 2)) + 1 + written.startswith("-")
