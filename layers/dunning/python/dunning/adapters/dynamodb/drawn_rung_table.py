"""
The rungs on record, in the table of the tally.

draws#<lender>#<day>, <first change>#<last change>#<shard>#<number>: the rungs and claims of a run of changes, packed in
one attribute. A run that does not fit into an item has several. It lives for sixty days.
draws_erased, <customer id>: an erasure that the night has to work off.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call, write_if
from dunning.adapters.dynamodb.keys import expiry, instant_key, parse_instant
from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.settling import Asked
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.trial_books import RungsOfDay
from dunning.ports.trial_nights import DrawClaim, ErasedDraws, RungRun

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_RUNGS = timedelta(days=60)

_KEEP_MARKS = timedelta(days=400)
"""As long as a book lives that nobody writes any more. A night deletes a mark much sooner."""

_ERASED = "draws_erased"
_VERSION = 1
_DIGITS = 40
_LONGEST = 250_000
"""Characters of JSON in an item, before they are packed: packed they are a tenth of that, and never more."""


class DynamoDrawnRungs:
    """Implements `DrawnRungLog`, `DrawnRungWriter`, `DrawErasure` and `DrawRemoval`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep_rungs(self, run: RungRun) -> None:
        """Put an item, or several if one does not hold all."""
        rows = [*map(_row_of_rung, run.rungs), *map(_row_of_claim, run.claims)]
        for number, packed in enumerate(_packed(rows)):
            item: Any = {
                "tally": {"S": _day_key(run.lender, run.day)},
                "part": {"S": f"{run.first:0{_DIGITS}d}#{run.last:0{_DIGITS}d}#{run.shard}#{number}"},
                "draws": {"B": packed},
                "expires_at": expiry(run.as_of + KEEP_RUNGS),
            }
            with aws_call("PutItem"):
                self._client.put_item(TableName=self._table, Item=item)

    def rungs_of(self, lender: str, day: date) -> RungsOfDay:
        """Query all items of the day, and take each rung once."""
        rungs: dict[str, DrawnRung] = {}
        claims: set[DrawClaim] = set()
        for item in self._items_of(lender, day):
            for row in _rows_of(item):
                entry = _rung_or_claim(row, item)
                if isinstance(entry, DrawClaim):
                    claims.add(entry)
                elif entry.send_id not in rungs or entry.at < rungs[entry.send_id].at:
                    rungs[entry.send_id] = entry
        released = {claim.claim_id for claim in claims if claim.is_released}
        claimed = frozenset(claim.send_id for claim in claims if claim.claim_id not in released)
        return RungsOfDay(claimed, tuple(rungs.values()))

    def mark_draws(self, customer_id: str, until: datetime, at: datetime) -> None:
        """Put the mark in place of that of the round before."""
        item: Any = {
            "tally": {"S": _ERASED},
            "part": {"S": customer_id},
            "until": {"S": instant_key(until)},
            "at": {"S": instant_key(at)},
            "expires_at": expiry(at + _KEEP_MARKS),
        }
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def erased_draws(self) -> Sequence[ErasedDraws]:
        """Query all marks. One that cannot be read is not named: it is a customer's."""
        try:
            return [
                ErasedDraws(
                    str(item["part"]["S"]), parse_instant(str(item["until"]["S"])), parse_instant(str(item["at"]["S"]))
                )
                for item in self._query(_ERASED)
            ]
        except (LookupError, ValueError) as error:
            raise UnreadableRecordError(f"{_ERASED}: {type(error).__name__}") from None

    def remove_rungs(self, lender: str, day: date, until: Mapping[str, datetime]) -> int:
        """Put each item anew that names such a customer; delete it if nothing is left."""
        changed = 0
        for item in self._items_of(lender, day):
            rows = _rows_of(item)
            left = [row for row in rows if not _is_of(_rung_or_claim(row, item), until)]
            if len(left) == len(rows):
                continue
            changed += 1
            if left:
                (packed,) = _packed(left)
                with aws_call("PutItem"):
                    self._client.put_item(TableName=self._table, Item={**item, "draws": {"B": packed}})
            else:
                with aws_call("DeleteItem"):
                    self._client.delete_item(TableName=self._table, Key={"tally": item["tally"], "part": item["part"]})
        return changed

    def draws_removed(self, erased: ErasedDraws) -> None:
        """Delete the mark, if it is still that of the same round."""
        write_if(
            "DeleteItem",
            lambda: self._client.delete_item(
                TableName=self._table,
                Key={"tally": {"S": _ERASED}, "part": {"S": erased.customer_id}},
                ConditionExpression="#at = :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": {"S": instant_key(erased.at)}},
            ),
        )

    def _items_of(self, lender: str, day: date) -> Iterator[Mapping[str, Any]]:
        return self._query(_day_key(lender, day))

    def _query(self, partition: str) -> Iterator[Mapping[str, Any]]:
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="tally = :tally",
                ExpressionAttributeValues={":tally": {"S": partition}},
                ConsistentRead=True,
            )
            for page in pages:
                yield from page["Items"]


def _day_key(lender: str, day: date) -> str:
    return f"draws#{lender}#{day}"


def _packed(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield the rows, as many at a time as fit into an item."""
    page: list[str] = []
    size = 0
    for row in rows:
        written = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        if page and size + len(written) > _LONGEST:
            yield _pack(page)
            page, size = [], 0
        page.append(written)
        size += len(written) + 1
    if page:
        yield _pack(page)


def _pack(page: Sequence[str]) -> bytes:
    return zlib.compress(f"[{_VERSION},{','.join(page)}]".encode(), 6)


def _rows_of(item: Mapping[str, Any]) -> list[Any]:
    try:
        rows: list[Any]
        version, *rows = json.loads(zlib.decompress(bytes(item["draws"]["B"])))
    except (LookupError, ValueError, TypeError, zlib.error) as error:
        raise _unreadable_rungs(item, type(error).__name__) from None
    if version != _VERSION:
        raise _unreadable_rungs(item, f"another version than {_VERSION}")
    return rows


def _unreadable_rungs(item: Mapping[str, Any], why: str) -> UnreadableRecordError:
    return UnreadableRecordError(f"{item['tally']['S']}, {item['part']['S']}: {why}")


def _row_of_rung(rung: DrawnRung) -> list[object]:
    return [
        "r", rung.customer_id, rung.send_id, rung.at.astimezone(UTC).isoformat(), rung.stage, rung.place, rung.channel,
        rung.draws, rung.payer_segment, rung.asked, rung.parts, rung.price_usd_micros,
    ]  # fmt: skip


def _row_of_claim(claim: DrawClaim) -> list[object]:
    at = claim.at.astimezone(UTC).isoformat()
    return ["x" if claim.is_released else "c", claim.customer_id, claim.send_id, claim.claim_id, at]


def _rung_or_claim(row: Any, item: Mapping[str, Any]) -> DrawnRung | DrawClaim:  # noqa: ANN401 - JSON
    try:
        match row:
            case ["r", str(customer_id), str(send_id), str(at), int(stage), str(place), str(channel), str(draws),
                  str(payer_segment), list(asked), int(parts), int(price)]:  # fmt: skip
                return DrawnRung(
                    customer_id=customer_id,
                    send_id=send_id,
                    at=datetime.fromisoformat(at),
                    stage=stage,
                    place=sys.intern(place),
                    channel=sys.intern(channel),
                    draws=sys.intern(draws),
                    payer_segment=sys.intern(payer_segment),
                    asked=tuple([Asked(str(account), int(of), int(still_open)) for account, of, still_open in asked]),
                    parts=parts,
                    price_usd_micros=price,
                )
            case ["c" | "x" as kind, str(customer_id), str(send_id), str(claim_id), str(at)]:
                return DrawClaim(customer_id, send_id, claim_id, datetime.fromisoformat(at), kind == "x")
    except (ValueError, TypeError) as error:
        raise _unreadable_rungs(item, type(error).__name__) from None
    raise _unreadable_rungs(item, "neither a rung nor a claim")


def _is_of(entry: DrawnRung | DrawClaim, until: Mapping[str, datetime]) -> bool:
    """Tell whether an entry is from the time of an erased customer that is gone."""
    moment = until.get(entry.customer_id)
    return moment is not None and entry.at <= moment
