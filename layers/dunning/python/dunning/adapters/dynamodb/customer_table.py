"""Facts, standing, the due index and the attention index in DynamoDB."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import batched, islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import aws_call, error_code, is_too_large, write_if
from dunning.adapters.dynamodb.items import (
    file_loads_item,
    file_loads_of,
    lender_record_item,
    lender_record_of,
    read_facts,
    standing_item,
    standing_of,
)
from dunning.adapters.dynamodb.keys import (
    FACTS,
    FILES,
    LOADS,
    OWNER,
    STANDING,
    account_key,
    address_key,
    attention_key,
    due_until,
    parse_attention_key,
    parse_instant,
    parse_wake_key,
    shard_of,
    wake_key,
)
from dunning.adapters.dynamodb.reading import read_items
from dunning.adapters.dynamodb.writing import Pause, if_read, put_if_read, transact, write_conditionally
from dunning.domain.customer.lender_record import (
    ACCOUNTS_A_WRITE,
    LenderRecord,
    project_facts,
    with_accounts_indexed,
)
from dunning.domain.customer.standing import LEAST_URGENT, Standing, Wake
from dunning.domain.decision.decisions import Reason
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.attention import WaitingCustomer
from dunning.ports.customers import Customer, CustomerLook, DueCustomer, ListedCustomer, StoredCustomer
from dunning.ports.file_loads import FileLoad, FileReport, KnownLoads

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type _Stored = Mapping[str, Any] | None
type _Pair = tuple[_Stored, _Stored]

_SMALLEST_PAGE = 25

_ITEMS_A_SCAN = 500
"""A page of half a megabyte, so that a part can be left and taken up again without reading much twice."""

_MOST_OWNERS = 100
"""More customers of one account mean an id that stands for no account."""

_HAS_VERSION = "attribute_type(version, :number)"
_PAIR_READS = 8
"""How often a customer is read who changes while being read."""

# SHARD is a reserved word of DynamoDB's expressions.
_RESERVED = {"#shard": "shard"}

# The set of a number's customers is missing, or damaged: it stands for nobody.
_UNREADABLE_SET = "NOT attribute_type(customers, :set)"
_WRONG_TYPE = "ValidationException"

_TOMBSTONE = frozenset({"customer_id", "item", "schema", "revision", "erased_at"})
"""The attributes of a tombstone."""


class DynamoCustomers:
    """Implements all ports of customers, and `FileLoads`, on one table."""

    def __init__(self, client: DynamoDBClient, table: str, shards: int, pause: Pause = time.sleep) -> None:
        self._client = client
        self._table = table
        self._shards = shards
        self._pause = pause

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        """Read both items of each customer in as few calls as there can be."""
        stored = self._both_items(customer_ids)
        return {customer_id: _customer(*stored[customer_id]) for customer_id in customer_ids}

    def load_stored(self, customer_ids: Sequence[str]) -> Mapping[str, StoredCustomer | UnreadableRecordError]:
        """Read both items of each customer in as few calls as there can be."""
        stored = self._both_items(customer_ids)
        return {customer_id: _stored_customer(customer_id, *stored[customer_id]) for customer_id in customer_ids}

    def read_standings(self, customer_ids: Sequence[str]) -> Mapping[str, Standing | UnreadableRecordError]:
        """Read the items of the standings, a hundred a call."""
        keys = [{"customer_id": {"S": each}, "item": {"S": STANDING}} for each in dict.fromkeys(customer_ids)]
        return {str(item["customer_id"]["S"]): _readable_standing(item) for item in self._read(keys)}

    def look_at(
        self, customer_ids: Sequence[str], *, with_standings: bool
    ) -> Mapping[str, CustomerLook | UnreadableRecordError]:
        """Read the facts, and the standings if they are wanted, eventually consistent: at half the price."""
        names = (FACTS, STANDING) if with_standings else (FACTS,)
        keys = [{"customer_id": {"S": each}, "item": {"S": name}} for each in customer_ids for name in names]
        stored = {
            (item["customer_id"]["S"], item["item"]["S"]): item
            for item in read_items(self._client, self._table, keys, consistent=False)
        }
        return {each: _look(stored.get((each, FACTS)), stored.get((each, STANDING))) for each in customer_ids}

    def _both_items(self, customer_ids: Sequence[str]) -> Mapping[str, _Pair]:
        """
        Read both items of each customer as of one moment, though DynamoDB may read a batch's items at several.

        A standing names the revision of the facts it was stored with: if these are the facts read, nothing was written
        in between. If it names others or none, the customer is read again. What is read twice alike was stored between
        the two reads, because revision and version only rise.
        """
        pairs = dict(self._read_pairs(customer_ids))
        torn = [customer_id for customer_id in customer_ids if not _are_of_one_moment(*pairs[customer_id])]
        for _ in range(_PAIR_READS):
            if not torn:
                break
            again = self._read_pairs(torn)
            torn = [
                customer_id
                for customer_id in torn
                if again[customer_id] != pairs[customer_id] and not _are_of_one_moment(*again[customer_id])
            ]
            pairs |= again
        if torn:
            raise ServiceCallError("BatchGetItem", "KeepsChanging")
        return pairs

    def _read_pairs(self, customer_ids: Sequence[str]) -> Mapping[str, _Pair]:
        keys = [
            {"customer_id": {"S": customer_id}, "item": {"S": item}}
            for customer_id in dict.fromkeys(customer_ids)  # DynamoDB refuses a batch that names a key twice
            for item in (FACTS, STANDING)
        ]
        stored = {(item["customer_id"]["S"], item["item"]["S"]): item for item in self._read(keys)}
        return {
            customer_id: (stored.get((customer_id, FACTS)), stored.get((customer_id, STANDING)))
            for customer_id in customer_ids
        }

    def _read(self, keys: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
        return read_items(self._client, self._table, keys)

    def save_customer(
        self, lender_record: LenderRecord, standing: Standing, *, expected_revision: int, expected_version: int
    ) -> bool:
        """Put both items in one transaction, each under its own condition, and an item for each account that is new."""
        named = replace(standing, facts_revision=lender_record.revision)
        indexed, new_accounts = with_accounts_indexed(lender_record)
        items = (lender_record_item(indexed), standing_item(named, self._shards))
        stored = self._transact(
            self._put(items[0], if_read("revision", expected_revision)),
            self._put(items[1], if_read("version", expected_version)),
            *(self._put(_account_item_key(account_id, lender_record.customer_id), {}) for account_id in new_accounts),
        )
        return stored is None or all(found is None or found == item for found, item in zip(stored, items, strict=False))

    def save_lender_record(self, lender_record: LenderRecord, *, expected_revision: int) -> bool:
        """Put a lender record under the revision it was read with."""
        item, condition = lender_record_item(lender_record), if_read("revision", expected_revision)
        return put_if_read(self._client, self._table, item, condition, self._pause)

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        """Put a standing under the version it was read with."""
        item = standing_item(standing, self._shards)
        put = self._put(item, if_read("version", expected_version))["Put"]
        stored = write_conditionally("PutItem", lambda: self._client.put_item(**put), self._pause)
        if stored is None:
            return True
        return bool(stored[0]) and _holds_claim(stored[0], claim_id) if claim_id else bool(stored[0] == item)

    def _put(self, item: Any, condition: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - an item
        """Return a put that, if its condition fails, answers with what is stored."""
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                **condition,
                **({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if condition else {}),
            }
        }

    def _transact(self, *writes: Mapping[str, Any]) -> Sequence[Any] | None:
        return transact(self._client, writes, self._pause)

    def quarantine(self, customer_id: str, until: datetime) -> None:
        """Move the wake alone, because the rest of the item may be unreadable."""
        with aws_call("UpdateItem"):
            self._client.update_item(
                TableName=self._table,
                Key={"customer_id": {"S": customer_id}, "item": {"S": STANDING}},
                # The version itself may be unreadable, and is left as it is.
                UpdateExpression=(
                    "SET wake_key = :wake, #shard = :shard, reason = :reason, version = if_not_exists(version, :one)"
                ),
                ExpressionAttributeNames=_RESERVED,
                ExpressionAttributeValues={
                    ":wake": {"S": wake_key(Wake(until, LEAST_URGENT))},
                    ":shard": {"S": shard_of(customer_id, self._shards)},
                    ":reason": {"S": Reason.UNREADABLE_RECORD.value},
                    ":one": {"N": "1"},
                },
            )

    def waiting_customers(
        self, lender: str, limit: int, after: WaitingCustomer | None = None
    ) -> Sequence[WaitingCustomer]:
        """Query the attention index, page by page until there are enough."""
        found: list[WaitingCustomer] = []
        start: Any = after and {
            "customer_id": {"S": after.customer_id},
            "item": {"S": STANDING},
            "attention_lender": {"S": lender},
            "attention_at": {"S": attention_key(after.since, urgent=after.urgent)},
        }
        while len(found) < limit:
            more = {"ExclusiveStartKey": start} if start else {}
            with aws_call("Query"):
                answer = self._client.query(
                    TableName=self._table,
                    IndexName="attention",
                    KeyConditionExpression="attention_lender = :lender",
                    ExpressionAttributeValues={":lender": {"S": lender}},
                    Limit=limit - len(found),
                    **more,
                )
            found += map(_parse_waiting, answer["Items"])
            start = answer.get("LastEvaluatedKey")
            if not start:
                break
        return found

    def customers_with(self, addresses: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Read the addresses' own items, a hundred a call. An item without a readable set stands for nobody."""
        keys = {address: address_key(address) for address in addresses}
        items = [{"customer_id": {"S": key}, "item": {"S": name}} for key, name in dict.fromkeys(keys.values())]
        found = {item["customer_id"]["S"]: _customers_in(item) for item in self._read(items)}
        return {address: found.get(key, frozenset()) for address, (key, _) in keys.items()}

    def add_address(self, address: str, customer_id: str) -> frozenset[str]:
        """Add to the address's set of customers, which DynamoDB keeps whole even if other writers add to it."""
        key, name = address_key(address)
        with aws_call("UpdateItem"):
            change: Any = {
                "TableName": self._table,
                "Key": {"customer_id": {"S": key}, "item": {"S": name}},
                "ExpressionAttributeValues": {":customer": {"SS": [customer_id]}},
                "ReturnValues": "ALL_NEW",
            }
            try:
                answer = self._client.update_item(UpdateExpression="ADD customers :customer", **change)
            except ClientError as error:
                if error_code(error) != _WRONG_TYPE or is_too_large(error):
                    raise
                change["ExpressionAttributeValues"][":set"] = {"S": "SS"}
                answer = self._client.update_item(
                    UpdateExpression="SET customers = :customer", ConditionExpression=_UNREADABLE_SET, **change
                )
        return _customers_in(answer["Attributes"])

    def remove_address(self, address: str, customer_id: str) -> None:
        """Delete the address's item with its last customer, in one write; else take the customer out of the set."""
        partition, name = address_key(address)
        key: Any = {"customer_id": {"S": partition}, "item": {"S": name}}
        is_deleted = write_if(
            "DeleteItem",
            lambda: self._client.delete_item(
                TableName=self._table,
                Key=key,
                ConditionExpression=f"customers = :customer OR {_UNREADABLE_SET}",
                ExpressionAttributeValues={":customer": {"SS": [customer_id]}, ":set": {"S": "SS"}},
            ),
        )
        if is_deleted:
            return
        # Without the condition, this write would make an item of an address that has just been deleted.
        write_if(
            "UpdateItem",
            lambda: self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="DELETE customers :customer",
                ConditionExpression="attribute_exists(customers)",
                ExpressionAttributeValues={":customer": {"SS": [customer_id]}},
            ),
        )

    def customers_of_account(self, account_id: str) -> frozenset[str]:
        """Query the account's items."""
        with aws_call("Query"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="customer_id = :account",
                ExpressionAttributeValues={":account": {"S": account_key(account_id)}},
                ConsistentRead=True,
                Limit=_MOST_OWNERS,
            )
        return frozenset(str(item["item"]["S"]).removeprefix(OWNER) for item in answer["Items"])

    def read_loads(self) -> KnownLoads:
        """Read the item of the file loads."""
        found = list(self._read([{"customer_id": {"S": FILES}, "item": {"S": LOADS}}]))
        return file_loads_of(found[0]) if found else KnownLoads(0, ())

    def save_loads(self, loads: Sequence[FileLoad], *, expected_version: int) -> bool:
        """Put the item of the file loads under the version it was read with."""
        item = file_loads_item(KnownLoads(expected_version + 1, tuple(loads)))
        return put_if_read(self._client, self._table, item, if_read("version", expected_version), self._pause)

    def keep_report(self, report: FileReport) -> None:
        """Put the report beside the item of the file loads."""
        from dunning.adapters.dynamodb.file_report_items import report_item  # noqa: PLC0415 - the intake's alone

        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=report_item(report))

    def customer_ids(self, segment: int, segments: int, after: str) -> Iterator[str]:
        """Scan one segment. The items of numbers and files are skipped, and a scan never continues from them."""
        start: Any = {"customer_id": {"S": after}, "item": {"S": STANDING}} if after else None
        last = after
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            with aws_call("Scan"):
                answer = self._client.scan(
                    TableName=self._table,
                    Segment=segment,
                    TotalSegments=segments,
                    Limit=_ITEMS_A_SCAN,
                    ProjectionExpression="customer_id",
                    **more,
                )
            for item in answer["Items"]:
                customer_id = str(item["customer_id"]["S"])
                if customer_id != last and "#" not in customer_id:
                    last = customer_id
                    yield customer_id
            start = answer.get("LastEvaluatedKey")
            if not start:
                return

    def customers_of(self, lender: str, segments: int = 1) -> Iterator[ListedCustomer]:
        """Scan the table. Several segments are read in threads, a page ahead of the reader each."""
        if segments == 1:
            yield from self._customers_of_segment(lender, {})
            return
        with ThreadPoolExecutor(segments) as pool:
            scans = [
                batched(
                    self._customers_of_segment(lender, {"Segment": segment, "TotalSegments": segments}),
                    _ITEMS_A_SCAN,
                    strict=False,
                )
                for segment in range(segments)
            ]

            def page(scan: Iterator[tuple[ListedCustomer, ...]]) -> tuple[ListedCustomer, ...]:
                return next(scan, ())

            ahead = deque((scan, pool.submit(page, scan)) for scan in scans)
            while ahead:
                scan, following = ahead.popleft()
                if found := following.result():
                    ahead.append((scan, pool.submit(page, scan)))
                    yield from found

    def _customers_of_segment(self, lender: str, segment: Mapping[str, int]) -> Iterator[ListedCustomer]:
        """Both items of a customer come one after the other, facts first, though not on one page."""
        pending: ListedCustomer | None = None
        for item in self._scanned(lender, segment):
            customer_id = str(item["customer_id"]["S"])
            if item["item"]["S"] == FACTS:
                if pending is not None:
                    yield pending
                pending = ListedCustomer(customer_id, has_open=True, missing_since=_missing_since(item))
            elif pending is not None and pending.customer_id == customer_id:
                has_open = item.get("reason", {}).get("S") != Reason.NOTHING_OPEN.value
                yield pending._replace(has_open=has_open)
                pending = None
        if pending is not None:
            yield pending

    def _scanned(self, lender: str, segment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield a few attributes of the facts of a lender, and of all standings."""
        start: Any = None
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            with aws_call("Scan"):
                answer = self._client.scan(
                    TableName=self._table,
                    ProjectionExpression="customer_id, #item, #reason, not_in_list_since",
                    FilterExpression="#item = :standing OR (#item = :facts AND #lender = :lender)",
                    ExpressionAttributeNames={"#item": "item", "#reason": "reason", "#lender": "lender"},
                    ExpressionAttributeValues={
                        ":standing": {"S": STANDING},
                        ":facts": {"S": FACTS},
                        ":lender": {"S": lender},
                    },
                    **segment,
                    **more,
                )
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return

    def whole_customers(self, segment: int = 0, segments: int = 1) -> Iterator[Customer | UnreadableRecordError]:
        """Scan a segment. Both items of a customer come one after the other, though not on one page."""
        pending: dict[str, Mapping[str, Any]] = {}
        last = ""
        for item in self._all_items({"Segment": segment, "TotalSegments": segments}):
            customer_id, kind = str(item["customer_id"]["S"]), str(item["item"]["S"])
            if "#" in customer_id:
                continue
            if customer_id != last and pending:
                yield _customer(pending.get(FACTS), pending.get(STANDING))
                pending = {}
            last = customer_id
            pending[kind] = item
        if pending:
            yield _customer(pending.get(FACTS), pending.get(STANDING))

    def _all_items(self, segment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        start: Any = None
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            with aws_call("Scan"):
                answer = self._client.scan(TableName=self._table, **segment, **more)
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start:
                return

    def lender_record(self, customer_id: str) -> LenderRecord | UnreadableRecordError:
        """Read the item of the lender record."""
        found = list(self._read([{"customer_id": {"S": customer_id}, "item": {"S": FACTS}}]))
        try:
            return lender_record_of(found[0]) if found else LenderRecord(customer_id=customer_id)
        except UnreadableRecordError as error:
            return error

    def save_erased(
        self, lender_record: LenderRecord, *, expected_revision: int | None, former_accounts: Collection[str] = ()
    ) -> bool:
        """Put the record, delete the accounts, and delete the standing or raise its version, in one transaction."""
        item = lender_record_item(lender_record)
        condition = {} if expected_revision is None else if_read("revision", expected_revision)
        of_standing: dict[str, Any] = {
            "TableName": self._table,
            "Key": {"customer_id": {"S": lender_record.customer_id}, "item": {"S": STANDING}},
        }
        if lender_record.snapshot is None:
            also = {"Delete": of_standing}
        else:
            also = {
                "Update": {
                    **of_standing,
                    "UpdateExpression": "SET version = version + :one, facts_revision = :revision",
                    "ConditionExpression": _HAS_VERSION,
                    "ExpressionAttributeValues": {
                        ":one": {"N": "1"},
                        ":revision": {"N": str(lender_record.revision)},
                        ":number": {"S": "N"},
                    },
                }
            }
        accounts: list[Any] = [
            {"TableName": self._table, "Key": _account_item_key(account_id, lender_record.customer_id)}
            for account_id in former_accounts
        ]
        for delete in accounts[ACCOUNTS_A_WRITE:]:
            with aws_call("DeleteItem"):
                self._client.delete_item(**delete)
        deletes = [{"Delete": delete} for delete in accounts[:ACCOUNTS_A_WRITE]]
        stored = self._transact(self._put(item, condition), also, *deletes)
        if stored is not None and stored[0] is None:
            # No standing, or none that can be read: nobody is texted under it.
            stored = self._transact(self._put(item, condition), *deletes)
        return stored is None or bool(stored[0] == item)

    def stored_items(self, customer_id: str) -> int:
        """Count the items below a customer's key."""
        return sum(not item.keys() <= _TOMBSTONE for item in self._items_of(customer_id))

    def erase_items(self, customer_id: str, *, revision: int | None = None) -> int:
        """Delete the items below a customer's key, all but `facts`, and but a standing that names later facts."""
        items = [name for item in self._items_of(customer_id) if (name := str(item["item"]["S"])) != FACTS]
        if_read: Any = {}
        if revision is not None:
            if_read = {
                "ConditionExpression": "NOT facts_revision > :revision",
                "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
            }
        return sum(
            write_if(
                "DeleteItem",
                partial(
                    self._client.delete_item,
                    TableName=self._table,
                    Key={"customer_id": {"S": customer_id}, "item": {"S": item}},
                    **if_read,
                ),
            )
            for item in items
        )

    def _items_of(self, customer_id: str) -> list[Mapping[str, Any]]:
        """Ask for all items, not for the two known ones: a later version may keep more."""
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="customer_id = :customer",
                ExpressionAttributeValues={":customer": {"S": customer_id}},
                ConsistentRead=True,
            )
            return [item for page in pages for item in page["Items"]]

    def due(self, now: datetime, limit: int) -> Iterator[DueCustomer]:
        """Merge the shards' heads, reading no more of each than is needed."""
        page = max(_SMALLEST_PAGE, -(-limit * 5 // (self._shards * 4)))
        heads = [self._due_in(f"{shard:02d}", due_until(now), page) for shard in range(self._shards)]
        merged = islice(heapq.merge(*heads), limit)
        return (DueCustomer(customer_id, _wake_of(key, now)) for key, customer_id in merged)

    def _due_in(self, shard: str, until: str, page: int) -> Iterator[tuple[str, str]]:
        start: Any = None
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            with aws_call("Query"):
                answer = self._client.query(
                    TableName=self._table,
                    IndexName="due",
                    KeyConditionExpression="#shard = :shard AND wake_key <= :until",
                    ExpressionAttributeNames=_RESERVED,
                    ExpressionAttributeValues={":shard": {"S": shard}, ":until": {"S": until}},
                    Limit=page,
                    **more,
                )
            for item in answer["Items"]:
                yield str(item["wake_key"]["S"]), str(item["customer_id"]["S"])
            start = answer.get("LastEvaluatedKey")
            if not start:
                return


def _account_item_key(account_id: str, customer_id: str) -> dict[str, Any]:
    """Return the key of the item that says whose an account is. The item has nothing else."""
    return {"customer_id": {"S": account_key(account_id)}, "item": {"S": f"{OWNER}{customer_id}"}}


def _readable_standing(item: Mapping[str, Any]) -> Standing | UnreadableRecordError:
    try:
        return standing_of(item)
    except UnreadableRecordError as error:
        return error


def _parse_waiting(item: Mapping[str, Any]) -> WaitingCustomer:
    since, urgent = parse_attention_key(str(item["attention_at"]["S"]))
    return WaitingCustomer(str(item["customer_id"]["S"]), since, urgent)


def _customers_in(item: Mapping[str, Any]) -> frozenset[str]:
    """Return the customers in a number's item: none, if the set is missing or damaged."""
    stored = item.get("customers")
    return frozenset(stored.get("SS", ())) if isinstance(stored, dict) else frozenset()


def _wake_of(key: str, now: datetime) -> Wake:
    """Read a key. An unreadable key is due now, so that the sender quarantines its customer."""
    try:
        return parse_wake_key(key)
    except ValueError:
        return Wake(now, 0)


def _missing_since(item: Mapping[str, Any]) -> datetime | None:
    """Return the time of the list that lacks a customer. What cannot be read counts as none: one item stops no list."""
    try:
        return parse_instant(item["not_in_list_since"]["S"])
    except (KeyError, ValueError):
        return None


def _are_of_one_moment(facts: _Stored, standing: _Stored) -> bool:
    """Tell whether two items read in one batch are known to have been stored at one moment."""
    if standing is None:
        return facts is None or "name" not in facts  # nobody has planned the customer yet
    return facts is not None and standing.get("facts_revision") == facts.get("revision")


def _standing_beside(facts: _Stored, standing: _Stored) -> Standing | None:
    """Read a standing, and name the facts beside it, so that its next write names them."""
    if standing is None:
        return None
    read, revision = standing_of(standing), int(facts["revision"]["N"]) if facts else 0
    return read if read.facts_revision == revision else replace(read, facts_revision=revision)


def _customer(facts: _Stored, standing: _Stored) -> Customer | UnreadableRecordError:
    try:
        return Customer(read_facts(facts) if facts else None, _standing_beside(facts, standing))
    except UnreadableRecordError as error:
        return error


def _look(facts: _Stored, standing: _Stored) -> CustomerLook | UnreadableRecordError:
    try:
        stored = lender_record_of(facts) if facts else LenderRecord(customer_id="")
        return CustomerLook(project_facts(stored), _standing_beside(facts, standing), stored.erased_at)
    except UnreadableRecordError as error:
        return error


def _stored_customer(customer_id: str, facts: _Stored, standing: _Stored) -> StoredCustomer | UnreadableRecordError:
    try:
        return StoredCustomer(
            lender_record_of(facts) if facts else LenderRecord(customer_id=customer_id),
            _standing_beside(facts, standing),
        )
    except UnreadableRecordError as error:
        return error


def _holds_claim(item: Mapping[str, Any], claim_id: str) -> bool:
    """Tell whether a failed write was our own write, repeated by the SDK after its answer was lost."""
    return any(entry.claim_id == claim_id for entry in standing_of(item).ledger)
