"""
The results of trials, and how far a night has come, in the table of the tally.

trial_results, <lender>#<trial>: the newest result, packed.
trial_line#<lender>#<trial>, <night>: the lifts of a night.
trial_nights, <lender>: how far the lender's night has come.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.keys import expiry
from dunning.adapters.trial_result_text import points_of_text, points_text, result_of, result_text
from dunning.domain.effect.comparing import points_of
from dunning.domain.effect.trial_results import LiftPoint, TrialResult
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.trial_nights import NightProgress

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_RESULTS = timedelta(days=400)

_RESULTS, _NIGHTS = "trial_results", "trial_nights"
_PACKED = "result"


class DynamoTrialResults:
    """Implements `TrialResults`, `TrialResultKeeper` and `NightLog`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def newest(self, lender: str = "") -> Sequence[TrialResult]:
        """Query the newest results, of a lender or of all."""
        found = [
            result_of(_unpacked_result(item), f"{_RESULTS}, {item['part']['S']}")
            for item in self._query(_RESULTS, f"{lender}#" if lender else "")
        ]
        return sorted(found, key=lambda each: (each.night > each.ends_on, each.lender, each.trial))

    def line_of(self, lender: str, trial: str) -> Sequence[LiftPoint]:
        """Query the nights of a trial."""
        return [
            point
            for item in self._query(_line_key(lender, trial))
            for point in points_of_text(
                str(item["points"]["S"]),
                date.fromisoformat(str(item["part"]["S"])),
                f"{_line_key(lender, trial)}, {item['part']['S']}",
            )
        ]

    def keep_result(self, result: TrialResult) -> None:
        """Put the points first: a result without its point would be a gap in the line."""
        expires = expiry(result.as_of + KEEP_RESULTS)
        self._put(
            {
                "tally": {"S": _line_key(result.lender, result.trial)},
                "part": {"S": result.night.isoformat()},
                "points": {"S": points_text(points_of(result))},
                "expires_at": expires,
            }
        )
        self._put(
            {
                "tally": {"S": _RESULTS},
                "part": {"S": f"{result.lender}#{result.trial}"},
                _PACKED: {"B": zlib.compress(result_text(result).encode(), 6)},
                "expires_at": expires,
            }
        )

    def progress_of(self, lender: str) -> NightProgress | None:
        """Query the lender's item."""
        for item in self._query(_NIGHTS, lender):
            if item["part"]["S"] == lender:
                return _progress_of(item)
        return None

    def keep_progress(self, progress: NightProgress) -> None:
        """Put the lender's item."""
        self._put(
            {
                "tally": {"S": _NIGHTS},
                "part": {"S": progress.lender},
                "night": {"S": progress.night.isoformat()},
                "before": {"S": progress.before.isoformat()},
                "parts": {"S": json.dumps(sorted(progress.parts))},
                "is_finished": {"BOOL": progress.is_finished},
                "expires_at": expiry(datetime.combine(progress.night, time(), UTC) + KEEP_RESULTS),
            }
        )

    def _put(self, item: Any) -> None:  # noqa: ANN401 - an item
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def _query(self, partition: str, beginning: str = "") -> Iterator[Mapping[str, Any]]:
        values: Any = {":tally": {"S": partition}}
        condition = "tally = :tally"
        if beginning:
            values[":beginning"] = {"S": beginning}
            condition += " AND begins_with(part, :beginning)"
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            )
            for page in pages:
                yield from page["Items"]


def _line_key(lender: str, trial: str) -> str:
    return f"trial_line#{lender}#{trial}"


def _unpacked_result(item: Mapping[str, Any]) -> str:
    try:
        return zlib.decompress(bytes(item[_PACKED]["B"])).decode()
    except (LookupError, ValueError, TypeError, zlib.error) as error:
        raise UnreadableRecordError(f"{_RESULTS}, {item['part']['S']}: {type(error).__name__}") from None


def _progress_of(item: Mapping[str, Any]) -> NightProgress:
    try:
        return NightProgress(
            lender=str(item["part"]["S"]),
            night=date.fromisoformat(item["night"]["S"]),
            before=date.fromisoformat(item["before"]["S"]),
            parts=frozenset(map(int, json.loads(item["parts"]["S"]))),
            is_finished=bool(item["is_finished"]["BOOL"]),
        )
    except (LookupError, ValueError, TypeError) as error:
        raise UnreadableRecordError(f"{_NIGHTS}, {item['part']['S']}: {type(error).__name__}") from None
