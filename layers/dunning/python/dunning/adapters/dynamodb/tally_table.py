"""
The counters, the customers behind them and the censuses in DynamoDB, in a table of their own.

counts, <day>#<lender>#<shard>: the counters of one shard of a stream, an attribute each, and the last change in them.
A shard lives for some hours, so a day has dozens.
counts, <day>#<lender>: their sum, once the day is over: one attribute, because the SDK takes longer to read a month of
sums as attributes than all else takes. The shards do not count beside it, and are deleted.
counts, <day>#<lender>#census#<part>: a part of a census.
list#<lender>#<day>, <instant>#<shard>#<first change>: the customers behind a run of changes, an attribute a counter.
A run that comes again replaces itself.

All days of all lenders are below one key, so that a month of them is read in one call.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.keys import expiry, instant_key, parse_instant
from dunning.adapters.dynamodb.writing import Pause, write_conditionally
from dunning.domain.census import CensusPart, census_of, summed
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.tallies import CUSTOMERS_A_PAGE, CountedChanges, CustomersBehind, LenderDay

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_COUNTERS = timedelta(days=400)
"""A year, and a month to compare it with."""

KEEP_LISTS = timedelta(days=35)
"""A month and some days. Lists hold ids of customers, erased ones too."""

_DIGITS = 40
"""The longest sequence number of a stream. Padded, numbers sort as texts."""

_COUNTS, _CENSUS, _SUM = "counts", "census", "sum"
_DELETED_AT_ONCE = 25
"""DynamoDB's limit of a BatchWriteItem."""

_PAGE_MARK = "@"
_PAGE = re.compile(rf"(?P<place>[!-?A-~]{{1,300}}){_PAGE_MARK}(?P<shown>[0-9]{{1,6}})")
_BESIDE_COUNTERS = frozenset({"tally", "part", "lender", "last", "as_of", "expires_at"})
_BEHIND = "~"
_BETWEEN = "tally = :tally AND part BETWEEN :first AND :last"


class DynamoTally:
    """Implements `TallyReader`, `TallyWriter` and `TallySealing`."""

    def __init__(self, client: DynamoDBClient, table: str, pause: Pause = time.sleep) -> None:
        self._client = client
        self._table = table
        self._pause = pause

    def add(self, changes: CountedChanges) -> int | None:
        """Put the customers first: if this dies in between, the run comes again and replaces them."""
        if changes.customers:
            self._put_customers(changes)
        names = {f"#c{place}": counter for place, counter in enumerate(changes.counters)}
        numbers: dict[str, Any] = {
            f":c{place}": {"N": str(number)} for place, number in enumerate(changes.counters.values())
        }
        adding = ", ".join(f"#c{place} :c{place}" for place in range(len(changes.counters)))
        stored = write_conditionally(
            "UpdateItem",
            lambda: self._client.update_item(
                TableName=self._table,
                Key=_counts_key(changes.day, changes.lender, f"#{changes.shard}"),
                UpdateExpression=(
                    f"SET lender = :lender, #last = :last, as_of = :as_of, expires_at = :expires ADD {adding}"
                ),
                ConditionExpression="attribute_not_exists(#last) OR #last < :first",
                ExpressionAttributeNames={"#last": "last", **names},
                ExpressionAttributeValues={
                    ":lender": {"S": changes.lender},
                    ":first": {"S": _padded(changes.first)},
                    ":last": {"S": _padded(changes.last)},
                    ":as_of": {"S": instant_key(changes.as_of)},
                    ":expires": expiry(changes.as_of + KEEP_COUNTERS),
                    **numbers,
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
            self._pause,
        )
        return None if stored is None else int(stored[0]["last"]["S"])

    def _put_customers(self, changes: CountedChanges) -> None:
        item: dict[str, Any] = {
            "tally": {"S": _list_key(changes.lender, changes.day)},
            "part": {"S": f"{instant_key(changes.as_of)}#{changes.shard}#{_padded(changes.first)}"},
            "expires_at": expiry(changes.as_of + KEEP_LISTS),
            **{counter: {"S": ",".join(ids)} for counter, ids in changes.customers.items()},
        }
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def days(self, lender: str, first: date, last: date) -> Sequence[LenderDay]:
        """Query all that is kept of the days, and add up what is in parts."""
        return [
            LenderDay(
                known,
                day,
                *_counters_and_time(items),
                census_of(_census_part_of(item) for item in items if _CENSUS in item),
            )
            for (day, known), items in sorted(self._by_day(first, last, lender).items())
        ]

    def seal(self, first: date, last: date, is_over: Callable[[str, date], bool]) -> int:
        """Put a sum, then delete the shards: while both are there, the sum alone counts."""
        sealed = 0
        for (day, lender), items in sorted(self._by_day(first, last).items()):
            shards = [item for item in items if "last" in item]
            if not shards or not is_over(lender, day):
                continue
            if not any(_is_sum(item) for item in items):
                self._put_sum(day, lender, shards)
                sealed += 1
            for batch in batched(shards, _DELETED_AT_ONCE, strict=False):
                deleted: Any = [
                    {"DeleteRequest": {"Key": {"tally": item["tally"], "part": item["part"]}}} for item in batch
                ]
                with aws_call("BatchWriteItem"):  # what a busy table leaves is deleted the next time
                    self._client.batch_write_item(RequestItems={self._table: deleted})
        return sealed

    def _put_sum(self, day: date, lender: str, shards: Sequence[Mapping[str, Any]]) -> None:
        counters, _ = _counters_and_time(shards)
        item: Any = {
            **_counts_key(day, lender),
            "lender": {"S": lender},
            "as_of": max((item["as_of"] for item in shards), key=lambda value: str(value["S"])),
            "expires_at": max((item["expires_at"] for item in shards), key=lambda value: int(value["N"])),
            _SUM: {"S": json.dumps(counters, separators=(",", ":"))},
        }
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def customers_behind(self, lender: str, day: date, counter: str, page: str = "") -> CustomersBehind:
        """
        Query runs of changes until there are enough customers.

        A page ends within a run: its mark is the run, and how many of its customers have been shown.
        """
        found: dict[str, None] = {}
        place, shown = _parse_page(page)
        last = ""
        while True:
            start: Any = {"tally": {"S": _list_key(lender, day)}, "part": {"S": last}} if last else None
            with aws_call("Query"):
                answer = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="tally = :tally AND part >= :place",
                    FilterExpression="attribute_exists(#counter)",
                    ProjectionExpression="part, #counter",
                    ExpressionAttributeNames={"#counter": counter},
                    ExpressionAttributeValues={":tally": {"S": _list_key(lender, day)}, ":place": {"S": place or "0"}},
                    **({"ExclusiveStartKey": start} if start else {}),
                )
            for item in answer["Items"]:
                part = str(item["part"]["S"])
                for number, customer_id in enumerate(str(item[counter]["S"]).split(",")):
                    if part == place and number < shown:
                        continue
                    if len(found) == CUSTOMERS_A_PAGE and customer_id not in found:
                        return CustomersBehind(tuple(found), f"{part}{_PAGE_MARK}{number}")
                    found[customer_id] = None
            next_key = answer.get("LastEvaluatedKey")
            if not next_key:
                return CustomersBehind(tuple(found))
            last = str(next_key["part"]["S"])

    def keep_census_part(self, part: CensusPart) -> None:
        """Put a part of a census."""
        numbers = {name: getattr(part, name) for name in _CENSUS_NUMBERS}
        item: Any = {
            **_counts_key(part.day, part.lender, f"#{_CENSUS}#{part.part:03d}"),
            "lender": {"S": part.lender},
            "as_of": {"S": instant_key(part.as_of)},
            _CENSUS: {"S": json.dumps({"part": part.part, "parts": part.parts, **numbers})},
            "expires_at": expiry(part.as_of + KEEP_COUNTERS),
        }
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def _by_day(self, first: date, last: date, lender: str = "") -> Mapping[tuple[date, str], list[Mapping[str, Any]]]:
        """Return all items of the days, by day and lender."""
        only: Any = {"FilterExpression": "lender = :lender"} if lender else {}
        named: Any = {":lender": {"S": lender}} if lender else {}
        found: defaultdict[tuple[date, str], list[Mapping[str, Any]]] = defaultdict(list)
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=_BETWEEN,
                ExpressionAttributeValues={
                    ":tally": {"S": _COUNTS},
                    ":first": {"S": first.isoformat()},
                    ":last": {"S": f"{last}{_BEHIND}"},
                    **named,
                },
                **only,
            )
            for page in pages:
                for item in page["Items"]:
                    found[_day_of_part(item), str(item["lender"]["S"])].append(item)
        return found


_CENSUS_NUMBERS = ("customers", "reasons", "overdue_customers", "overdue", "promised", "paid")


def _counters_and_time(items: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, int], datetime | None]:
    """Return the counters and the last change in them: those of the sum, or else of all shards together."""
    sums = [item for item in items if _is_sum(item)] or [item for item in items if "last" in item]
    as_of = max((parse_instant(str(item["as_of"]["S"])) for item in sums), default=None)
    return summed(map(_counters, sums)), as_of


def _is_sum(item: Mapping[str, Any]) -> bool:
    return _SUM in item


def _counters(item: Mapping[str, Any]) -> dict[str, int]:
    if _is_sum(item):
        return _counters_of_sum(str(item[_SUM]["S"]))
    return {name: int(value["N"]) for name, value in item.items() if name not in _BESIDE_COUNTERS}


def _counters_of_sum(written: str) -> dict[str, int]:
    try:
        return {name: int(number) for name, number in json.loads(written).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise UnreadableRecordError(f"sum of a day: {type(error).__name__}") from None


def _census_part_of(item: Mapping[str, Any]) -> CensusPart:
    try:
        return CensusPart(
            lender=str(item["lender"]["S"]),
            day=_day_of_part(item),
            as_of=parse_instant(str(item["as_of"]["S"])),
            **json.loads(item[_CENSUS]["S"]),
        )
    except (LookupError, ValueError, TypeError) as error:
        raise UnreadableRecordError(f"census: {type(error).__name__}") from None


def _counts_key(day: date, lender: str, ending: str = "") -> dict[str, Any]:
    return {"tally": {"S": _COUNTS}, "part": {"S": f"{day}#{lender}{ending}"}}


def _day_of_part(item: Mapping[str, Any]) -> date:
    return date.fromisoformat(str(item["part"]["S"]).partition("#")[0])


def _parse_page(page: str) -> tuple[str, int]:
    """Read where a page begins; whatever is none is the beginning."""
    match = _PAGE.fullmatch(page)
    return (match["place"], int(match["shown"])) if match else ("", 0)


def _list_key(lender: str, day: date) -> str:
    return f"list#{lender}#{day}"


def _padded(sequence: int) -> str:
    return str(sequence).zfill(_DIGITS)
