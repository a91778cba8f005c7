"""
Tables of DynamoDB, in memory: as far as scanner and sender use them.

One process holds them and does one request after the other, so each conditional write is atomic. Whatever the two
functions do not ask for is refused, and so can not go wrong unnoticed. The due index is as fresh as its table, where
DynamoDB's may be some milliseconds older.
"""

import json
import re
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

type Attribute = Mapping[str, Any]
type StoredAs = Mapping[str, Attribute]
type TableKey = tuple[str, str]


class ConditionFailedError(Exception):
    """A condition did not hold; nothing was written. `item` is what is stored, empty if nothing is."""

    def __init__(self, item: StoredAs) -> None:
        super().__init__("The conditional request failed")
        self.item = item


class RequestRefusedError(Exception):
    """The request is not valid, or is of a kind that scanner and sender do not make."""


# ------------------------------------------------------------------ expressions

_NOT_EXISTS = re.compile(r"attribute_not_exists\((\w+)\)")
_EQUALS = re.compile(r"(\w+) = (:\w+)")


def holds(item: StoredAs, condition: str, values: StoredAs) -> bool:
    """
    Tell whether a condition holds for an item, which is empty if nothing is stored.

    Raises:
        RequestRefusedError: the condition is of a kind that the two functions do not use.
    """
    if (absent := _NOT_EXISTS.fullmatch(condition)) is not None:
        return absent[1] not in item
    if (compared := _EQUALS.fullmatch(condition)) is not None:
        return item.get(compared[1]) == values[compared[2]]
    raise RequestRefusedError(f"condition: {condition!r} is neither attribute_not_exists(a) nor a = :b")


_CLAUSE = r"(#?\w+) = (?:(:\w+)|if_not_exists\((#?\w+), (:\w+)\))"
_SETTING = re.compile(rf"SET {_CLAUSE}(?:, {_CLAUSE})*")


def updated(item: StoredAs, expression: str, names: Mapping[str, str], values: StoredAs) -> StoredAs:
    """
    Return an item after `SET a = :b, c = if_not_exists(c, :d)`.

    Raises:
        RequestRefusedError: the expression does more.
    """
    if _SETTING.fullmatch(expression) is None:
        raise RequestRefusedError(f"update: {expression!r} is not a SET of values")
    after = dict(item)
    for name, value, known, otherwise in re.findall(_CLAUSE, expression):
        after[names.get(name, name)] = values[value] if value else item.get(names.get(known, known), values[otherwise])
    return after


# ------------------------------------------------------------------ tables


class Page(NamedTuple):
    """The entries of an index that a query found; the key to go on from, empty at the end."""

    entries: Sequence[StoredAs]
    last: StoredAs


class Entry(NamedTuple):
    """An entry of an index, in its order."""

    sort: str
    table_key: TableKey


_UP_TO = re.compile(r"(#?\w+) = (:\w+) AND (#?\w+) <= (:\w+)")
_MOST_A_WRITE = 25
_MOST_A_READ = 100


class Table:
    """Items by two keys, and at most one index, of keys only, over items that have both its attributes."""

    def __init__(self, keys: tuple[str, str], index: tuple[str, str] | None = None) -> None:
        self._keys = keys
        self._index = index
        self.items: dict[TableKey, StoredAs] = {}
        self._written: dict[TableKey, str] = {}
        """Items as JSON, once they have been read: facts are read again and again."""
        self._entries: defaultdict[str, list[Entry]] = defaultdict(list)

    def key_of(self, item: StoredAs) -> TableKey:
        """
        Return the key of an item.

        Raises:
            RequestRefusedError: it has none.
        """
        try:
            return item[self._keys[0]]["S"], item[self._keys[1]]["S"]
        except KeyError as missing:
            raise RequestRefusedError(f"the key {missing} is missing") from None

    def put(self, item: StoredAs, condition: str = "", values: StoredAs | None = None) -> None:
        """
        Store an item if the condition holds for what is stored.

        Raises:
            ConditionFailedError: it does not.
        """
        key = self.key_of(item)
        before = self.items.get(key)
        if condition and not holds(before or {}, condition, values or {}):
            raise ConditionFailedError(before or {})
        if self._index is not None:
            self._reindex(key, before, item)
        self.items[key] = item
        self._written.pop(key, None)

    def update(self, key: StoredAs, expression: str, names: Mapping[str, str], values: StoredAs) -> None:
        """Change an item, or make it, without a condition."""
        self.put(updated(self.items.get(self.key_of(key), key), expression, names, values))

    def put_all(self, items: Sequence[StoredAs]) -> None:
        """Store the items of a batch, each without a condition."""
        if not 0 < len(items) <= _MOST_A_WRITE:
            raise RequestRefusedError(f"a batch has 1 to {_MOST_A_WRITE} writes, not {len(items)}")
        for item in items:
            self.put(item)

    def read(self, keys: Sequence[StoredAs]) -> Iterator[str]:
        """Yield those items of a batch that are there, as JSON."""
        if not 0 < len(keys) <= _MOST_A_READ:
            raise RequestRefusedError(f"a batch has 1 to {_MOST_A_READ} keys, not {len(keys)}")
        for key in map(self.key_of, keys):
            if (item := self.items.get(key)) is not None:
                if key not in self._written:
                    self._written[key] = json.dumps(item, ensure_ascii=False)
                yield self._written[key]

    def query(
        self, condition: str, names: Mapping[str, str], values: StoredAs, *, limit: int, start: StoredAs | None = None
    ) -> Page:
        """
        Return entries of the index up to a sort key, lowest first.

        Raises:
            RequestRefusedError: the condition is of another kind.
        """
        asked = _UP_TO.fullmatch(condition)
        if asked is None or self._index is None:
            raise RequestRefusedError(f"key condition: {condition!r} is not one attribute, and another up to a value")
        if (names.get(asked[1], asked[1]), names.get(asked[3], asked[3])) != self._index:
            raise RequestRefusedError(f"key condition: {condition!r} is not about {self._index}")
        entries = self._entries[shard := values[asked[2]]["S"]]
        first = bisect_right(entries, self._entry_of(start)) if start else 0
        found = entries[first : min(first + limit, _end(entries, values[asked[4]]["S"]))]
        listed = [self._listed(shard, entry) for entry in found]
        return Page(listed, listed[-1] if len(listed) == limit else {})

    def due(self, until: str) -> int:
        """Count the entries of the index up to a sort key, in all its partitions."""
        return sum(_end(entries, until) for entries in self._entries.values())

    def earliest(self) -> str:
        """Return the lowest sort key of the index, empty if there is none."""
        return min((entries[0].sort for entries in self._entries.values() if entries), default="")

    def _reindex(self, key: TableKey, before: StoredAs | None, after: StoredAs) -> None:
        old, new = self._place_of(before), self._place_of(after)
        if old == new:
            return
        if old is not None:
            entries = self._entries[old[0]]
            del entries[bisect_right(entries, Entry(old[1], key)) - 1]
        if new is not None:
            insort(self._entries[new[0]], Entry(new[1], key))

    def _place_of(self, item: StoredAs | None) -> tuple[str, str] | None:
        if item is None or self._index is None or not item.keys() >= set(self._index):
            return None
        return item[self._index[0]]["S"], item[self._index[1]]["S"]

    def _entry_of(self, listed: StoredAs) -> Entry:
        assert self._index is not None
        return Entry(listed[self._index[1]]["S"], self.key_of(listed))

    def _listed(self, shard: str, entry: Entry) -> StoredAs:
        assert self._index is not None
        (hash_key, range_key), (of_shard, of_sort) = self._keys, self._index
        return {
            hash_key: {"S": entry.table_key[0]},
            range_key: {"S": entry.table_key[1]},
            of_shard: {"S": shard},
            of_sort: {"S": entry.sort},
        }


def _end(entries: Sequence[Entry], until: str) -> int:
    """Return how many entries there are up to a sort key."""
    return bisect_right(entries, until, key=lambda entry: entry.sort)
