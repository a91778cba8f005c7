"""
The tables in memory, as DynamoDB documents them: conditions, transactions, tokens, batches, queries and both indexes.

Items never change: a write puts a new one. Two items with one content are one object, so that two worlds are compared
by identity, and the hash of a table changes with each write by two terms only.
"""

import json
import marshal
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tests.simulation.expressions import StoredItem, holds, updated

CUSTOMERS, CONTACTS, TOKENS = "customers", "contacts", "tokens"

type RowKey = tuple[str, str, str]
"""Table, partition and sort key."""

_SORT_KEYS = {CUSTOMERS: "item", CONTACTS: "contact"}


class Stored:
    """An item as it is stored. There is one object for one content."""

    __slots__ = ("item", "read")

    def __init__(self, item: StoredItem) -> None:
        self.item = item
        self.read: Any = None
        """What the item says, once somebody has read it."""


def read_once[T](row: Stored | None, read: Callable[[Any], T]) -> T | None:
    """Read an item, once: there is one object for one content."""
    if row is None:
        return None
    if row.read is None:
        row.read = read(row.item)
    found: T = row.read
    return found


_stored: dict[bytes, Stored] = {}


def stored(item: StoredItem) -> Stored:
    """Return the one object for the content of an item."""
    written: Any = item
    content = marshal.dumps(written, 0)
    known = _stored.get(content)
    if known is None:
        known = _stored[content] = Stored(item)
    return known


def forget_items() -> None:
    """Forget all contents, between two explorations."""
    _stored.clear()


class Rows(Mapping[RowKey, Stored]):
    """The items of all tables. A write returns other rows and leaves these as they are."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: dict[RowKey, Stored], known_hash: int | None = None) -> None:
        self._items = items
        self._hash = known_hash if known_hash is not None else sum(hash(pair) for pair in items.items())

    def __getitem__(self, key: RowKey) -> Stored:
        return self._items[key]

    def __iter__(self) -> Iterator[RowKey]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return self._hash & 0x7FFFFFFFFFFFFFFF

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Rows) and self._hash == other._hash and self._items == other._items

    def get(self, key: RowKey, default: Any = None) -> Any:  # noqa: ANN401 - as a mapping
        """Return an item, or the default."""
        return self._items.get(key, default)

    def item(self, table: str, partition: str, sort: str) -> StoredItem | None:
        """Return the content of an item, if there is one."""
        found = self._items.get((table, partition, sort))
        return found.item if found is not None else None

    def below(self, table: str, partition: str) -> list[tuple[str, StoredItem]]:
        """Return the items of a partition with their sort keys, in their order."""
        return sorted(
            ((key[2], row.item) for key, row in self._items.items() if key[0] == table and key[1] == partition),
            key=_first,
        )

    def of_table(self, table: str) -> list[tuple[RowKey, StoredItem]]:
        """Return all items of a table, ordered by their keys."""
        return sorted(((key, row.item) for key, row in self._items.items() if key[0] == table), key=_first)

    def changed(self, changes: Mapping[RowKey, Stored | None]) -> "Rows":
        """Return the rows with other items in some places; `None` takes an item away."""
        items, total = dict(self._items), self._hash
        for key, row in changes.items():
            before = items.get(key)
            if before is not None:
                total -= hash((key, before))
            if row is None:
                items.pop(key, None)
            else:
                items[key] = row
                total += hash((key, row))
        return Rows(items, total)


def _first(pair: tuple[Any, Any]) -> Any:  # noqa: ANN401 - a key
    return pair[0]


class Outcome:
    """What a request came to: the rows after it, a key that stands for the answer, and the answer or its error."""

    __slots__ = ("error", "key", "rows", "value")

    def __init__(
        self,
        rows: Rows,
        key: object,
        value: Any = None,  # noqa: ANN401 - an answer of DynamoDB
        error: Callable[[], Exception] | None = None,
    ) -> None:
        self.rows = rows
        self.key = key
        self.value = value
        self.error = error


def row_key(table: str, key_or_item: StoredItem) -> RowKey:
    """Return the key of an item, or of a key as requests write it."""
    sort = _SORT_KEYS.get(table, "item")
    return table, key_or_item["customer_id"]["S"], key_or_item[sort]["S"] if sort in key_or_item else ""


def keys_of(operation: str, request: Mapping[str, Any]) -> tuple[RowKey, ...]:
    """Return the keys that a request names."""
    if operation == "batch_get_item":
        return tuple(row_key(table, key) for table, asked in request["RequestItems"].items() for key in asked["Keys"])
    if operation == "batch_write_item":
        return tuple(
            row_key(table, put["PutRequest"]["Item"]) for table, puts in request["RequestItems"].items() for put in puts
        )
    if operation == "transact_write_items":
        return tuple(_key_of_write(write) for entry in request["TransactItems"] for write in entry.values())
    if operation in {"put_item", "update_item", "delete_item"}:
        return (_key_of_write(request),)
    return ()


def _key_of_write(write: Mapping[str, Any]) -> RowKey:
    return row_key(write["TableName"], write.get("Item") or write["Key"])


def read_batch(
    rows: Rows, request: Mapping[str, Any], keys: Sequence[RowKey], found: Sequence[Stored | None] | None = None
) -> Outcome:
    """Answer a BatchGetItem. `found` are the items if they were not read at one moment."""
    read = tuple(rows.get(key) for key in keys) if found is None else tuple(found)
    responses: dict[str, list[StoredItem]] = {table: [] for table in request["RequestItems"]}
    for key, row in zip(keys, read, strict=True):
        if row is not None:
            responses[key[0]].append(row.item)
    return Outcome(rows, ("read", read), {"Responses": responses, "UnprocessedKeys": {}})


def read_half(rows: Rows, request: Mapping[str, Any], keys: Sequence[RowKey]) -> Outcome:
    """Answer a BatchGetItem of a busy table: the first key is read, and the others are left unprocessed."""
    ((table, asked),) = request["RequestItems"].items()
    row = rows.get(keys[0])
    left = {table: {**asked, "Keys": asked["Keys"][1:]}} if len(keys) > 1 else {table: asked}
    read = [row.item] if row is not None and len(keys) > 1 else []
    return Outcome(rows, ("half", row), {"Responses": {table: read}, "UnprocessedKeys": left})


def write_half(rows: Rows, request: Mapping[str, Any]) -> Outcome:
    """Answer a BatchWriteItem of a busy table: nothing is written, and all is left unprocessed."""
    return Outcome(rows, "unprocessed", {"UnprocessedItems": request["RequestItems"]})


def busy(operation: str) -> Callable[[], Exception]:
    """Return the error of a write that meets another writer's transaction."""
    if operation == "transact_write_items":
        answer: Any = {
            "Error": {"Code": "TransactionCanceledException"},
            "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
        }
    else:
        answer = {"Error": {"Code": "TransactionConflictException"}}
    return partial(ClientError, answer, operation)


def perform(rows: Rows, operation: str, request: Mapping[str, Any], keys: Sequence[RowKey]) -> Outcome:
    """Do what a request asks for."""
    return _OPERATIONS[operation](rows, request, keys)


def _write_batch(rows: Rows, request: Mapping[str, Any], keys: Sequence[RowKey]) -> Outcome:
    puts = [put["PutRequest"]["Item"] for entries in request["RequestItems"].values() for put in entries]
    written = {key: stored(item) for key, item in zip(keys, puts, strict=True)}
    return Outcome(rows.changed(written), "written", {"UnprocessedItems": {}})


def _put(rows: Rows, request: Mapping[str, Any], keys: Sequence[RowKey]) -> Outcome:
    return _write(rows, "PutItem", (("Put", request, keys[0]),))


def _update(rows: Rows, request: Mapping[str, Any], keys: Sequence[RowKey]) -> Outcome:
    return _write(rows, "UpdateItem", (("Update", request, keys[0]),))


def _delete(rows: Rows, request: Mapping[str, Any], keys: Sequence[RowKey]) -> Outcome:
    return _write(rows, "DeleteItem", (("Delete", request, keys[0]),))


def _transact(rows: Rows, request: Mapping[str, Any], keys: Sequence[RowKey]) -> Outcome:
    """
    Write all or nothing.

    A request with a token that is known answers as before and does nothing. DynamoDB knows a token for ten minutes.
    """
    token = (TOKENS, request.get("ClientRequestToken", ""), "")
    if token[1] and rows.get(token) is not None:
        return Outcome(rows, "written", {})
    writes = [
        (kind, write, key)
        for (kind, write), key in zip(
            ((kind, write) for entry in request["TransactItems"] for kind, write in entry.items()), keys, strict=True
        )
    ]
    outcome = _write(rows, "TransactWriteItems", writes)
    if outcome.error is None and token[1]:
        outcome.rows = outcome.rows.changed({token: stored({})})
    return outcome


def _write(rows: Rows, operation: str, writes: Sequence[tuple[str, Mapping[str, Any], RowKey]]) -> Outcome:
    reasons = [
        {"Code": "None"} if holds(rows.item(*key), write) else _failed(rows.item(*key), write)
        for _, write, key in writes
    ]
    if any(reason["Code"] != "None" for reason in reasons):
        answer: Any = {
            "Error": {"Code": "ConditionalCheckFailedException"},
            **{name: value for name, value in reasons[0].items() if name == "Item"},
        }
        if operation == "TransactWriteItems":
            answer = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        seen = tuple(
            rows.get(key) if "Item" in reason else reason["Code"]
            for reason, (_, _, key) in zip(reasons, writes, strict=True)
        )
        return Outcome(rows, ("refused", seen), error=partial(ClientError, answer, operation))
    changes: dict[RowKey, Stored | None] = {}
    for kind, write, key in writes:
        if kind == "Put":
            changes[key] = stored(write["Item"])
        elif kind == "Delete":
            changes[key] = None
        elif kind == "Update":
            changes[key] = stored(updated(rows.item(*key), write))
    after = rows.changed(changes)
    last = writes[-1][2]
    wants_item = "ReturnValues" in writes[-1][1]
    value = {"Attributes": after.item(*last)} if wants_item else {}
    return Outcome(after, ("written", after.get(last)) if wants_item else "written", value)


def _failed(item: StoredItem | None, write: Mapping[str, Any]) -> dict[str, Any]:
    reason: dict[str, Any] = {"Code": "ConditionalCheckFailed"}
    if item is not None and write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        reason["Item"] = item
    return reason


def _query(rows: Rows, request: Mapping[str, Any], _: Sequence[RowKey]) -> Outcome:
    """Answer a Query of a table or of an index, in the order of the sort key. An index holds what has its keys."""
    table = request["TableName"]
    index = request.get("IndexName")
    found = [
        (key, item)
        for key, item in rows.of_table(table)
        if holds(item, request, "KeyConditionExpression") and holds(item, request, "FilterExpression")
    ]
    if index == "due":
        found = sorted(
            ((key, item) for key, item in found if "wake_key" in item and "shard" in item),
            key=lambda pair: pair[1]["wake_key"]["S"],
        )
        items: list[Any] = [{"wake_key": item["wake_key"], "customer_id": item["customer_id"]} for _, item in found]
    elif index:
        items = [{"customer_id": item["customer_id"], "contact": item["contact"]} for _, item in found if index in item]
    else:
        items = [item for _, item in found]
    return _answer_with(rows, items)


def _scan(rows: Rows, request: Mapping[str, Any], _: Sequence[RowKey]) -> Outcome:
    found = [item for _, item in rows.of_table(request["TableName"]) if holds(item, request, "FilterExpression")]
    return _answer_with(rows, found)


def _answer_with(rows: Rows, items: Sequence[Any]) -> Outcome:
    return Outcome(rows, ("items", json.dumps(items, sort_keys=True)), {"Items": list(items)})


_OPERATIONS: dict[str, Callable[[Rows, Mapping[str, Any], Sequence[RowKey]], Outcome]] = {
    "batch_get_item": read_batch,
    "batch_write_item": _write_batch,
    "put_item": _put,
    "update_item": _update,
    "delete_item": _delete,
    "transact_write_items": _transact,
    "query": _query,
    "scan": _scan,
}
