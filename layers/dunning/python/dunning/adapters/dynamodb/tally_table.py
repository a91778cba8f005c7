"""
The counters, the customers behind them and the censuses in DynamoDB, in a table of their own.

counts#<lender>, <day>#<shard>: the counters of one shard of a stream, an attribute each, and the last change in them.
A shard lives for some hours, so a day has several.
list#<lender>#<day>, <instant>#<shard>#<first change>: the customers behind a run of changes, an attribute a counter.
A run that comes again replaces itself.
census#<lender>, <day>#<part>: a part of a census.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.keys import instant_key, parse_instant
from dunning.adapters.dynamodb.writing import Pause, write_conditionally
from dunning.domain.census import Census, CensusPart, census_of, summed
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.tallies import CountedChanges, CustomersBehind, DayCounters

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_COUNTERS = timedelta(days=400)
"""A year, and a month to compare it with."""

KEEP_LISTS = timedelta(days=35)
"""A month and some days. Lists hold ids of customers, erased ones too."""

_CUSTOMERS_A_PAGE = 500
_DIGITS = 40
"""The longest sequence number of a stream. Padded, numbers sort as texts."""

_BESIDE_COUNTERS = frozenset({"tally", "part", "last", "as_of", "expires_at"})
_BEHIND = "~"
_BETWEEN = "tally = :tally AND part BETWEEN :first AND :last"


class DynamoTally:
    """Implements `TallyReader` and `TallyWriter`."""

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
                Key={"tally": {"S": f"counts#{changes.lender}"}, "part": {"S": f"{changes.day}#{changes.shard}"}},
                UpdateExpression=f"SET #last = :last, as_of = :as_of, expires_at = :expires ADD {adding}",
                ConditionExpression="attribute_not_exists(#last) OR #last < :first",
                ExpressionAttributeNames={"#last": "last", **names},
                ExpressionAttributeValues={
                    ":first": {"S": _padded(changes.first)},
                    ":last": {"S": _padded(changes.last)},
                    ":as_of": {"S": instant_key(changes.as_of)},
                    ":expires": _expiry(changes.as_of + KEEP_COUNTERS),
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
            "expires_at": _expiry(changes.as_of + KEEP_LISTS),
            **{counter: {"S": ",".join(ids)} for counter, ids in changes.customers.items()},
        }
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def days(self, lender: str, first: date, last: date) -> Sequence[DayCounters]:
        """Query the shards of all days, and add them up."""
        by_day: dict[date, list[Mapping[str, Any]]] = {}
        for item in self._parts(f"counts#{lender}", first, last):
            by_day.setdefault(_day_of_part(item), []).append(item)
        return [
            DayCounters(
                day, summed(map(_counters, items)), max(parse_instant(str(item["as_of"]["S"])) for item in items)
            )
            for day, items in sorted(by_day.items())
        ]

    def customers_behind(self, lender: str, day: date, counter: str, page: str = "") -> CustomersBehind:
        """Query runs of changes until there are enough customers."""
        found: dict[str, None] = {}
        last = page
        while True:
            start: Any = {"tally": {"S": _list_key(lender, day)}, "part": {"S": last}} if last else None
            with aws_call("Query"):
                answer = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="tally = :tally",
                    FilterExpression="attribute_exists(#counter)",
                    ProjectionExpression="part, #counter",
                    ExpressionAttributeNames={"#counter": counter},
                    ExpressionAttributeValues={":tally": {"S": _list_key(lender, day)}},
                    **({"ExclusiveStartKey": start} if start else {}),
                )
            for item in answer["Items"]:
                found |= dict.fromkeys(str(item[counter]["S"]).split(","))
                if len(found) >= _CUSTOMERS_A_PAGE:
                    return CustomersBehind(tuple(found), str(item["part"]["S"]))
            next_key = answer.get("LastEvaluatedKey")
            if not next_key:
                return CustomersBehind(tuple(found))
            last = str(next_key["part"]["S"])

    def keep_census_part(self, part: CensusPart) -> None:
        """Put a part of a census."""
        numbers = {name: getattr(part, name) for name in _CENSUS_NUMBERS}
        item: Any = {
            "tally": {"S": f"census#{part.lender}"},
            "part": {"S": f"{part.day}#{part.part:03d}"},
            "as_of": {"S": instant_key(part.as_of)},
            "census": {"S": json.dumps({"part": part.part, "parts": part.parts, **numbers})},
            "expires_at": _expiry(part.as_of + KEEP_COUNTERS),
        }
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def censuses(self, lender: str, first: date, last: date) -> Sequence[Census]:
        """Query the parts of all days."""
        by_day: dict[date, list[CensusPart]] = {}
        for item in self._parts(f"census#{lender}", first, last):
            part = _census_part_of(lender, item)
            by_day.setdefault(part.day, []).append(part)
        found = [census_of(parts) for _, parts in sorted(by_day.items())]
        return [census for census in found if census is not None]

    def _parts(self, tally: str, first: date, last: date) -> Sequence[Mapping[str, Any]]:
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=_BETWEEN,
                ExpressionAttributeValues={
                    ":tally": {"S": tally},
                    ":first": {"S": first.isoformat()},
                    ":last": {"S": f"{last}{_BEHIND}"},
                },
            )
            return [item for page in pages for item in page["Items"]]


_CENSUS_NUMBERS = ("customers", "reasons", "overdue_customers", "overdue", "promised", "paid")


def _counters(item: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if name not in _BESIDE_COUNTERS}


def _census_part_of(lender: str, item: Mapping[str, Any]) -> CensusPart:
    try:
        return CensusPart(
            lender=lender,
            day=_day_of_part(item),
            as_of=parse_instant(str(item["as_of"]["S"])),
            **json.loads(item["census"]["S"]),
        )
    except (LookupError, ValueError, TypeError) as error:
        raise UnreadableRecordError(f"census: {type(error).__name__}") from None


def _day_of_part(item: Mapping[str, Any]) -> date:
    return date.fromisoformat(str(item["part"]["S"]).partition("#")[0])


def _list_key(lender: str, day: date) -> str:
    return f"list#{lender}#{day}"


def _padded(sequence: int) -> str:
    return str(sequence).zfill(_DIGITS)


def _expiry(moment: datetime) -> Any:  # noqa: ANN401 - an attribute
    return {"N": str(int(moment.timestamp()))}
