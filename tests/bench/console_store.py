"""
The tables of the console at the end of the wire: DynamoDB's calls that its pages make, on 100,000 customers.

Queries answer as DynamoDB does: in the order of the sort key, in pages of at most a megabyte, `Limit` counted before a
filter. No simulator holds as much and is still quick. An operation, a condition or an expression that no page uses is
refused, so that a page that begins to ask for something else fails here.

Many items differ in a number alone. Of these one text is kept, and each key has its number: `Kept`.
"""

import json
import re
import time
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Any, NamedTuple

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests.bench.dynamodb_units import Index, item_size

NUMBER = "@@@@@@"
"""Where a kept text has a customer's six digits."""

_PAGE_BYTES = 1_000_000
_KEY_CONDITION = re.compile(r"(#?\w+) = (:\w+)(?: AND (#?\w+) (?:BETWEEN (:\w+) AND (:\w+)|(<=|>=) (:\w+)))?")
_NEW = re.compile(r"attribute_not_exists\(about\)")
_FIRST, _LAST = "", "\U0010ffff"


class Kept(NamedTuple):
    """An item as JSON of the wire, its size as DynamoDB counts it, and the number that belongs into it."""

    text: str
    size: int
    number: str = ""

    def written(self) -> str:
        """Return the item."""
        return self.text.replace(NUMBER, self.number) if self.number else self.text


def kept_of(item: Mapping[str, Any]) -> Kept:
    """Return an item as it is kept."""
    return Kept(json.dumps(item, ensure_ascii=False, separators=(",", ":")), item_size(item))


class Partition:
    """The items of a partition key, by sort key. They are put in order when somebody asks."""

    def __init__(self) -> None:
        self.items: dict[str, Kept] = {}
        self._order: list[str] = []

    def put(self, sort: str, kept: Kept) -> None:
        """Put an item. A single new one goes to its place; of many the order is made anew."""
        if sort not in self.items and len(self._order) == len(self.items):
            insort(self._order, sort)
        self.items[sort] = kept

    def put_many(self, sort: str, kept: Kept) -> None:
        """Put an item among many: the order is made when somebody asks."""
        self.items[sort] = kept

    def remove(self, sort: str) -> None:
        """Take an item away."""
        if self.items.pop(sort, None) is not None:
            self._order = []

    def order(self) -> list[str]:
        """Return the sort keys in order."""
        if len(self._order) != len(self.items):
            self._order = sorted(self.items)
        return self._order


class StoredTable:
    """A table, and its indexes, which hold keys only."""

    def __init__(self, keys: tuple[str, str], *indexes: Index) -> None:
        self.keys = keys
        self.indexes = {index.name: index for index in indexes}
        self.partitions: dict[str, Partition] = defaultdict(Partition)
        self.entries: dict[str, dict[str, Partition]] = {name: defaultdict(Partition) for name in self.indexes}

    def put(self, item: Mapping[str, Any]) -> None:
        """Put an item."""
        partition, sort = (str(item[key]["S"]) for key in self.keys)
        self.partitions[partition].put(sort, kept_of(item))

    def put_numbered(self, item: Mapping[str, Any], kept: Kept, number: str) -> None:
        """Put one of many items of one text: the number takes its place in keys and indexes."""
        partition, sort = (str(item[key]["S"]).replace(NUMBER, number) for key in self.keys)
        self.partitions[partition].put_many(sort, kept._replace(number=number))
        for name, index in self.indexes.items():
            entry = index.entry(item)
            if entry is not None:
                place, order = (str(item[key]["S"]) for key in index.keys)
                # Entries of one sort key are told apart by the table's key.
                self.entries[name][place].put_many(f"{order}\x00{partition}", kept_of(entry)._replace(number=number))

    def find(self, key: Mapping[str, Any]) -> Kept | None:
        """Return the item of a key."""
        partition, sort = (str(key[name]["S"]) for name in self.keys)
        found = self.partitions.get(partition)
        return found.items.get(sort) if found else None

    def remove(self, key: Mapping[str, Any]) -> None:
        """Delete the item of a key."""
        partition, sort = (str(key[name]["S"]) for name in self.keys)
        self.partitions[partition].remove(sort)


@dataclass(frozen=True, slots=True)
class Call:
    """A call: what was asked, how many items were read for it and their bytes, and the same of what was answered."""

    operation: str
    asked: Mapping[str, Any]
    read: int
    bytes_answered: int


class UnknownRequestError(Exception):
    """A page asks for what the store does not know."""


class ConsoleStore:
    """Answers the calls of boto3's clients from memory. `calls` are those since it was last cleared."""

    def __init__(self) -> None:
        self.tables = {
            "customers": StoredTable(
                ("customer_id", "item"),
                Index("due", ("shard", "wake_key"), ("customer_id", "item")),
                Index("attention", ("attention_lender", "attention_at"), ("customer_id", "item")),
            ),
            "contacts": StoredTable(("customer_id", "contact")),
            "console": StoredTable(("about", "what")),
            "tally": StoredTable(("tally", "part")),
        }
        self.calls: list[Call] = []
        self.wall_seconds = self.cpu_seconds = 0.0
        """The time of the answers, which is no time of the function."""
        self._lock = Lock()
        self._read = 0
        self._operations: Mapping[str, Callable[[Any], str]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "Query": self._query,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "BatchWriteItem": self._batch_write,
            "TransactWriteItems": self._transact,
            "GetParameter": lambda _: '{"Parameter":{"Name":"sending","Value":"on","Type":"String"}}',
        }

    def plug_into(self, client: Any) -> None:  # noqa: ANN401 - any service's client
        """Answer all of a client's requests."""
        client.meta.events.register_first("before-send", self._answer_request)

    def _answer_request(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        began, cpu = time.perf_counter(), time.thread_time()
        body: Any = request.body
        answer = self.answer(event_name.rpartition(".")[2], body).encode()
        headers: Any = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "r"}
        found = AWSResponse(request.url, 200, headers, _Raw(answer))
        self.wall_seconds += time.perf_counter() - began
        self.cpu_seconds += time.thread_time() - cpu
        return found

    def answer(self, operation: str, body: bytes) -> str:
        """
        Answer a call.

        Raises:
            UnknownRequestError: no page of the console makes it.
        """
        operate = self._operations.get(operation)
        if operate is None:
            raise UnknownRequestError(operation)
        with self._lock:
            asked = json.loads(body)
            self._read = 0
            answer = operate(asked)
            self.calls.append(Call(operation, asked, self._read, len(answer)))
        return answer

    # -------------------------------------------------------------- reading

    def _get(self, asked: Any) -> str:  # noqa: ANN401 - a request
        found = self.tables[asked["TableName"]].find(asked["Key"])
        self._read = int(found is not None)
        return f'{{"Item":{found.written()}}}' if found else "{}"

    def _batch_get(self, asked: Any) -> str:  # noqa: ANN401 - a request
        ((name, wanted),) = asked["RequestItems"].items()
        found = [kept.written() for key in wanted["Keys"] if (kept := self.tables[name].find(key))]
        self._read = len(found)
        return f'{{"Responses":{{"{name}":[{",".join(found)}]}},"UnprocessedKeys":{{}}}}'

    def _query(self, asked: Any) -> str:  # noqa: ANN401 - a request
        table, index = self.tables[asked["TableName"]], asked.get("IndexName", "")
        keys = table.indexes[index].keys if index else table.keys
        place, first, last = _condition(asked, keys)
        partitions = table.entries[index] if index else table.partitions
        partition = partitions.get(place, Partition())
        limit, is_kept = int(asked.get("Limit", 10**9)), _filter(asked)
        answered: list[str] = []
        size, position = 0, ""
        more = ""
        for sort in _between(partition.order(), first, last, asked, keys, is_index=bool(index)):
            if self._read == limit or size > _PAGE_BYTES:
                more = f',"LastEvaluatedKey":{_key_at(partition.items[position], keys, table.keys)}'
                break
            kept = partition.items[sort]
            self._read += 1
            size += kept.size
            position = sort
            if is_kept(kept):
                answered.append(kept.written())
        else:
            if self._read == limit:  # DynamoDB does not look whether there is another
                more = f',"LastEvaluatedKey":{_key_at(partition.items[position], keys, table.keys)}'
        items = "" if asked.get("Select") == "COUNT" else f'"Items":[{",".join(_projected(asked, answered))}],'
        return f'{{{items}"Count":{len(answered)},"ScannedCount":{self._read}{more}}}'

    # -------------------------------------------------------------- writing

    def _put(self, asked: Any) -> str:  # noqa: ANN401 - a request
        self._write_new(asked)
        return "{}"

    def _write_new(self, asked: Any) -> None:  # noqa: ANN401 - a put
        table, condition = self.tables[asked["TableName"]], asked.get("ConditionExpression", "")
        if condition and (not _NEW.match(condition) or table.find({key: asked["Item"][key] for key in table.keys})):
            raise UnknownRequestError(f"{condition}: the bench writes new items only")
        table.put(asked["Item"])

    def _update(self, asked: Any) -> str:  # noqa: ANN401 - a request
        """Set and add: what sessions and the tally ask for, whose conditions always hold here."""
        table, names = self.tables[asked["TableName"]], asked.get("ExpressionAttributeNames", {})
        values = asked["ExpressionAttributeValues"]
        found = table.find(asked["Key"])
        item = json.loads(found.written()) if found else dict(asked["Key"])
        setting, _, adding = asked["UpdateExpression"].removeprefix("SET ").partition(" ADD ")
        for part in setting.split(", "):
            name, _, value = part.partition(" = ")
            item[names.get(name, name)] = values[value]
        for part in filter(None, adding.split(", ")):
            name, _, value = part.partition(" ")
            before = int(item.get(names[name], {"N": "0"})["N"])
            item[names[name]] = {"N": str(before + int(values[value]["N"]))}
        table.put(item)
        return "{}"

    def _delete(self, asked: Any) -> str:  # noqa: ANN401 - a request
        self.tables[asked["TableName"]].remove(asked["Key"])
        return "{}"

    def _batch_write(self, asked: Any) -> str:  # noqa: ANN401 - a request
        for name, writes in asked["RequestItems"].items():
            for write in writes:
                self.tables[name].remove(write["DeleteRequest"]["Key"])
        return '{"UnprocessedItems":{}}'

    def _transact(self, asked: Any) -> str:  # noqa: ANN401 - a request
        for write in asked["TransactItems"]:
            self._write_new(write["Put"])
        return "{}"


class _Raw(BytesIO):
    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def _named(asked: Mapping[str, Any], name: str) -> str:
    return str(asked["ExpressionAttributeNames"][name]) if name.startswith("#") else name


def _condition(asked: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, str, str]:
    """Return the partition, and the first and the last sort key that are asked for."""
    found = _KEY_CONDITION.fullmatch(asked["KeyConditionExpression"])
    if found is None:
        raise UnknownRequestError(asked["KeyConditionExpression"])
    partition, place, sort, low, high, sign, limit = found.groups()
    if [_named(asked, partition), *([_named(asked, sort)] if sort else [])] != [*keys[: 2 if sort else 1]]:
        raise UnknownRequestError(asked["KeyConditionExpression"])

    def value(name: str) -> str:
        return str(asked["ExpressionAttributeValues"][name]["S"])

    first, last = _FIRST, _LAST
    if low:
        first, last = value(low), value(high)
    elif sign == ">=":
        first = value(limit)
    elif sign == "<=":
        last = value(limit)
    return value(place), first, last


def _between(
    order: Sequence[str], first: str, last: str, asked: Mapping[str, Any], keys: tuple[str, ...], *, is_index: bool
) -> Iterator[str]:
    """Yield the sort keys from the first to the last, in the direction and from the place that are asked for."""
    low = bisect_left(order, first)
    high = bisect_right(order, f"{last}\x00\U0010ffff" if is_index else last)
    start = asked.get("ExclusiveStartKey")
    is_forward = asked.get("ScanIndexForward", True)
    if start:
        place = str(start[keys[1]]["S"])
        if is_index:
            place = f"{place}\x00{start['customer_id']['S']}"
        if is_forward:
            low = max(low, bisect_right(order, place))
        else:
            high = min(high, bisect_left(order, place))
    for number in range(low, high) if is_forward else range(high - 1, low - 1, -1):
        yield order[number]


def _key_at(kept: Kept, *keys: tuple[str, ...]) -> str:
    item = json.loads(kept.written())
    return json.dumps({name: item[name] for names in keys for name in names})


def _filter(asked: Mapping[str, Any]) -> Callable[[Kept], bool]:
    """Return what keeps an item of a query, as far as pages ask for it."""
    condition = asked.get("FilterExpression", "")
    if not condition:
        return lambda _: True
    if found := re.fullmatch(r"attribute_exists\((#\w+)\)", condition):
        sign = f"{json.dumps(_named(asked, found[1]))}:{{"
        return lambda kept: sign in kept.text
    if found := re.fullmatch(r"(\w+) = (:\w+)", condition):
        value = json.dumps(asked["ExpressionAttributeValues"][found[2]], separators=(",", ":"))
        equals = f'"{found[1]}":{value}'
        return lambda kept: equals in kept.text
    raise UnknownRequestError(condition)


def _projected(asked: Mapping[str, Any], items: Sequence[str]) -> Sequence[str]:
    """Return the items with the attributes that are asked for."""
    if "ProjectionExpression" not in asked:
        return items
    names = [_named(asked, name.strip()) for name in asked["ProjectionExpression"].split(",")]
    return [json.dumps({name: item[name] for name in names if name in item}) for item in map(json.loads, items)]
