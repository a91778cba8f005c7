"""
Every schedule of two programs that share a table: who goes first, where they change, and which calls fail.

The programs run with the real adapter on a table in memory. Before each call of the table, between the two items of a
batch that is read, and before a call that the SDK repeats, the other program may have its turn. A call may fail: it is
lost before it has an effect; its answer is lost and the SDK repeats it; or its program dies after it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Semaphore, Thread
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError

from dunning.adapters.dynamodb.customer_table import DynamoCustomers

type TableItem = Mapping[str, Any]
type ItemKey = tuple[str, str]

SWITCHES = 2
FAULTS = 2


class Fault(Enum):
    """What may happen to a call."""

    LOST = auto()
    REPEATED = auto()
    DIES = auto()


class ProcessDiedError(BaseException):
    """The program is gone, and no part of it goes on."""


class Choices:
    """The choices of one schedule: those of a prefix, and the first of all options after it."""

    def __init__(self, prefix: tuple[int, ...] = ()) -> None:
        self._prefix = prefix
        self._made: list[tuple[int, int]] = []

    def choose(self, options: int) -> int:
        """Choose one of the options, by number."""
        place = len(self._made)
        choice = self._prefix[place] if place < len(self._prefix) else 0
        self._made.append((choice, options))
        return choice

    def next_prefix(self) -> tuple[int, ...] | None:
        """Return the prefix of the next schedule; `None` after the last."""
        made = self._made
        while made and made[-1][0] + 1 >= made[-1][1]:
            made.pop()
        return (*(choice for choice, _ in made[:-1]), made[-1][0] + 1) if made else None


def all_schedules() -> Iterator[Choices]:
    """Yield the choices of every schedule, each after the schedule before it has run."""
    prefix: tuple[int, ...] | None = ()
    while prefix is not None:
        choices = Choices(prefix)
        yield choices
        prefix = choices.next_prefix()


class Turns:
    """Lets two programs run by turns, as a schedule has it. A single program has all turns."""

    def __init__(self, choices: Choices, switches: int = SWITCHES, faults: int = FAULTS) -> None:
        self._choices = choices
        self._switches = switches
        self._faults = faults
        self._turn = (Semaphore(0), Semaphore(0))
        self._alive: set[int] = set()
        self._has_begun = False
        self._errors: list[BaseException] = []

    def run(self, *programs: Callable[[], object]) -> None:
        """Run two programs to their ends, and raise what a program raises."""
        self._alive = set(range(len(programs)))
        threads = [Thread(target=self._program, args=(number, work)) for number, work in enumerate(programs)]
        for thread in threads:
            thread.start()
        self._turn[self._choices.choose(len(programs))].release()
        for thread in threads:
            thread.join()
        for error in self._errors:
            raise error

    def _program(self, number: int, work: Callable[[], object]) -> None:
        self._turn[number].acquire()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self._errors.append(error)
        finally:
            self._alive.discard(number)
            for other in tuple(self._alive):
                self._turn[other].release()

    def maybe_switch(self, number: int, ways: int = 1) -> int:
        """Let the other program have its turn, or not; return 0 if not, or else which of the `ways` it was."""
        others = self._alive - {number}
        is_beginning, self._has_begun = not self._has_begun, True
        # To change before the first call is to begin with the other program, which is a schedule of its own.
        if not others or not self._switches or is_beginning:
            return 0
        way = self._choices.choose(ways + 1)
        if way:
            self._switches -= 1
            self._turn[others.pop()].release()
            self._turn[number].acquire()
        return way

    def maybe_fail(self, *kinds: Fault) -> Fault | None:
        """Let a call fail in one of these ways, or not."""
        if not self._alive or not self._faults:
            return None
        kind = self._choices.choose(len(kinds) + 1)
        if not kind:
            return None
        self._faults -= 1
        return kinds[kind - 1]


class InlinePool:
    """A pool of no threads: what is submitted is done at once, because its program runs by turns."""

    @staticmethod
    def submit(work: Callable[..., Any], *arguments: object) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except BaseException as error:  # noqa: BLE001 - as a thread's
            future.set_exception(error)
        return future


@dataclass
class SteppedTable:
    """The items of a table with the keys `customer_id` and `item`. `before_put` sees an item before it is stored."""

    items: dict[ItemKey, TableItem] = field(default_factory=dict)
    tokens: dict[str, list[Any]] = field(default_factory=dict)
    """The transactions that were made, by their tokens."""
    before_put: Callable[[TableItem], None] = lambda _: None
    forgets_tokens: bool = False
    shared: frozenset[str] = frozenset({"facts", "standing"})
    """The items that both programs use. With calls about other items it makes no difference who is first."""

    def of(self, customer_id: str, item: str) -> TableItem | None:
        """Return a stored item."""
        return self.items.get((customer_id, item))


class SteppedClient:
    """The client of one program: what `DynamoCustomers` calls of DynamoDB, a step at a time."""

    def __init__(self, table: SteppedTable, number: int) -> None:
        self.table = table
        self.turns: Turns | None = None
        self._number = number
        self._is_dead = False

    def revive(self) -> None:
        """Start the program again, without faults and alone."""
        self._is_dead = False
        self.turns = None

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: ANN401, N803 - as boto3
        ((name, asked),) = RequestItems.items()
        assert asked["ConsistentRead"]
        keys = [_key(key) for key in asked["Keys"]]
        if len(keys) != len(set(keys)):
            raise _refused("ValidationException", "BatchGetItem")
        self._step(keys)
        if self._fails(Fault.LOST):
            raise ConnectTimeoutError(endpoint_url="dynamodb")
        before = dict(self.table.items)
        # The batch is torn: the facts, or the rest, are read before the other program's turn.
        is_pair = len({item for _, item in keys}) > 1
        way = self.turns.maybe_switch(self._number, 2) if self.turns and is_pair else 0
        read = [(before if way and (key[1] == "facts") == (way == 1) else self.table.items).get(key) for key in keys]
        return {"Responses": {name: [item for item in read if item is not None]}, "UnprocessedKeys": {}}

    def query(self, *, ExpressionAttributeValues: Any, **_: Any) -> Any:  # noqa: ANN401, N803 - as boto3
        owner = ExpressionAttributeValues[":customer"]["S"]
        self._step([(owner, "standing")])
        return {"Items": [item for (customer_id, _), item in self.table.items.items() if customer_id == owner]}

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401 - as boto3
        assert operation == "query"

        @dataclass
        class Pages:
            client: SteppedClient

            def paginate(self, **request: Any) -> Any:  # noqa: ANN401 - as boto3
                return [self.client.query(**request)]

        return Pages(self)

    def scan(self, **_: Any) -> Any:  # noqa: ANN401 - as boto3
        self._step([])
        return {"Items": list(self.table.items.values())}

    def put_item(self, **put: Any) -> Any:  # noqa: ANN401 - as boto3
        return self._write("PutItem", [{"Put": put}])

    def update_item(self, **update: Any) -> Any:  # noqa: ANN401 - as boto3
        self._write("UpdateItem", [{"Update": update}])
        return {"Attributes": self.table.items[_key(update["Key"])]}

    def delete_item(self, **delete: Any) -> Any:  # noqa: ANN401 - as boto3
        return self._write("DeleteItem", [{"Delete": delete}])

    def transact_write_items(self, *, TransactItems: Any, ClientRequestToken: str) -> Any:  # noqa: ANN401, N803
        return self._write("TransactWriteItems", TransactItems, ClientRequestToken)

    def _write(self, operation: str, writes: list[Any], token: str = "") -> Any:  # noqa: ANN401 - as boto3
        keys = [_key(write.get("Item") or write["Key"]) for entry in writes for write in entry.values()]
        self._step(keys)
        is_shared = any(item in self.table.shared for _, item in keys)
        fault = self._fails(*(Fault if is_shared else (Fault.LOST, Fault.DIES)))
        if fault is Fault.LOST:
            raise ConnectTimeoutError(endpoint_url="dynamodb")
        if fault is Fault.REPEATED:
            try:
                self._apply(operation, writes, token)
            except ClientError:
                return self._apply(operation, writes, token)
            self._step(keys)
            return self._apply(operation, writes, token)
        answer = self._apply(operation, writes, token)
        if fault is Fault.DIES:
            self._is_dead = True
            raise ProcessDiedError
        return answer

    def _step(self, keys: Sequence[ItemKey]) -> None:
        """Let the other program have its turn before a call about items that both use."""
        if self._is_dead:
            raise ProcessDiedError
        if self.turns and any(item in self.table.shared for _, item in keys):
            self.turns.maybe_switch(self._number)

    def _fails(self, *kinds: Fault) -> Fault | None:
        return self.turns.maybe_fail(*kinds) if self.turns else None

    def _apply(self, operation: str, writes: list[Any], token: str) -> Any:  # noqa: ANN401 - as boto3
        """Do all writes, or none if a condition does not hold."""
        if token and token in self.table.tokens and not self.table.forgets_tokens:
            if self.table.tokens[token] != writes:
                raise _refused("IdempotentParameterMismatchException", operation)
            return {}
        parsed = [
            (kind, write, _key(write.get("Item") or write["Key"])) for entry in writes for kind, write in entry.items()
        ]
        reasons = [
            {"Code": "None"} if _holds(self.table.items.get(key), write) else _failed(self.table.items.get(key), write)
            for _, write, key in parsed
        ]
        if any(reason["Code"] != "None" for reason in reasons):
            answer: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, **reasons[0]}
            if operation == "TransactWriteItems":
                answer = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(answer, operation)
        updated = {
            key: _updated(self.table.items.get(key) or write["Key"], write)
            for kind, write, key in parsed
            if kind == "Update"
        }
        if token:
            self.table.tokens[token] = writes
        for kind, write, _ in parsed:
            if kind == "Put":
                self.table.before_put(write["Item"])
        for kind, write, key in parsed:
            if kind == "Put":
                self.table.items[key] = write["Item"]
            elif kind == "Delete":
                self.table.items.pop(key, None)
            else:
                self.table.items[key] = updated[key]
        return {}


def stepped_store(client: SteppedClient) -> DynamoCustomers:
    """Return the customers' table as the adapter sees it through a client."""
    # The adapter calls of a client what a `SteppedClient` has.
    as_boto3: Any = client
    return DynamoCustomers(as_boto3, "customers", 4)


def _key(key: TableItem) -> ItemKey:
    return key["customer_id"]["S"], key["item"]["S"]


def _failed(item: TableItem | None, write: Mapping[str, Any]) -> dict[str, Any]:
    reason: dict[str, Any] = {"Code": "ConditionalCheckFailed"}
    if item is not None and write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        reason["Item"] = item
    return reason


def _holds(item: TableItem | None, write: Mapping[str, Any]) -> bool:
    condition = write.get("ConditionExpression", "")
    if not condition:
        return True
    if (named := re.fullmatch(r"attribute_(not_)?exists\((\w+)\)", condition)) is not None:
        return (item is not None and named[2] in item) != bool(named[1])
    if (typed := re.fullmatch(r"attribute_type\((\w+), (:\w+)\)", condition)) is not None:
        return item is not None and write["ExpressionAttributeValues"][typed[2]]["S"] in item.get(typed[1], {})
    if " OR " in condition:
        return any(_holds(item, {**write, "ConditionExpression": part}) for part in condition.split(" OR "))
    if condition.startswith("NOT "):
        return not _holds(item, {**write, "ConditionExpression": condition.removeprefix("NOT ")})
    compared = re.fullmatch(r"(\w+) ([=>]) (:\w+)", condition)
    assert compared is not None, condition
    known, value = (item or {}).get(compared[1]), write["ExpressionAttributeValues"][compared[3]]
    return known == value if compared[2] == "=" else known is not None and int(known["N"]) > int(value["N"])


def _updated(item: TableItem, update: Mapping[str, Any]) -> TableItem:
    after, values = dict(item), update["ExpressionAttributeValues"]
    expression = update["UpdateExpression"]
    if (of_set := re.fullmatch(r"(ADD|DELETE) (\w+) (:\w+)", expression)) is not None:
        stored = after.pop(of_set[2], {"SS": []})
        if "SS" not in stored:
            raise _refused("ValidationException", "UpdateItem")
        kept, changed = set(stored["SS"]), set(values[of_set[3]]["SS"])
        left = sorted(kept | changed if of_set[1] == "ADD" else kept - changed)
        return {**after, of_set[2]: {"SS": left}} if left else after
    for clause in re.split(r", (?![^(]*\))", expression.removeprefix("SET ")):
        name, _, value = clause.partition(" = ")
        attribute = update.get("ExpressionAttributeNames", {}).get(name, name)
        if (known_or_new := re.fullmatch(r"if_not_exists\((\w+), (:\w+)\)", value)) is not None:
            after[attribute] = item.get(known_or_new[1], values[known_or_new[2]])
        elif (added := re.fullmatch(r"(\w+) \+ (:\w+)", value)) is not None:
            after[attribute] = {"N": str(int(item[added[1]]["N"]) + int(values[added[2]]["N"]))}
        else:
            after[attribute] = values[value]
    return after


def _refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)
