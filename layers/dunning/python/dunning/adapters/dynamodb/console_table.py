"""
Sessions and the audit trail in DynamoDB, in the table of the console.

    session#<hash of the id>    session              a login, until its end
    audit#2026-12-03            <instant>#<id>       an entry of a day
    customer#C0012              <instant>#<id>       the same entry among those of its customer
    colleague#<subject>         <instant>#<id>       the same entry among those of whoever looked or acted

All copies of an entry are written at once: a list by customer has no delay then, as that of an index would have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call, write_if
from dunning.adapters.dynamodb.case_table import viewer_item, viewer_of
from dunning.adapters.dynamodb.keys import contacts_until, expiry, instant_key, parse_instant
from dunning.adapters.dynamodb.writing import transact
from dunning.domain.errors import ServiceCallError
from dunning.ports.audit_trail import AuditEntry, AuditPage
from dunning.ports.sessions import Role, Session, Viewer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SESSION = "session"
_ENTRIES_A_QUERY = 1000
"""A third of a megabyte: DynamoDB answers with a whole one at most."""
_KEPT_FOR = timedelta(days=5 * 366)
_LONGEST_COUNTED = timedelta(days=2)


class DynamoConsole:
    """Implements `Sessions` and `AuditTrail` on one table, whose keys are `about` and `what`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, session: Session) -> None:
        """Put the session, unless there is one of its key."""
        item = {
            **_key_of_session(session.key),
            **viewer_item(session.viewer),
            "began_at": {"S": instant_key(session.began_at)},
            "seen_at": {"S": instant_key(session.seen_at)},
            "ends_at": {"S": instant_key(session.ends_at)},
            "expires_at": expiry(session.ends_at),
        }
        if not write_if(
            "PutItem",
            lambda: self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(about)"
            ),
        ):
            raise ServiceCallError("PutItem", "SessionExists")

    def find(self, key: str) -> Session | None:
        """Get the session. DynamoDB deletes what has expired some time later, so the reader looks at the times."""
        with aws_call("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=_key_of_session(key), ConsistentRead=True)
        item: Mapping[str, Any] | None = answer.get("Item")
        if not item:
            return None
        try:
            return Session(
                key=key,
                viewer=viewer_of(item),
                began_at=parse_instant(item["began_at"]["S"]),
                seen_at=parse_instant(item["seen_at"]["S"]),
                ends_at=parse_instant(item["ends_at"]["S"]),
            )
        except (KeyError, ValueError):
            return None  # of another release: log in again

    def seen(self, key: str, at: datetime) -> None:
        """Update the session if it is still there."""
        write_if(
            "UpdateItem",
            lambda: self._client.update_item(
                TableName=self._table,
                Key=_key_of_session(key),
                UpdateExpression="SET seen_at = :at",
                ConditionExpression="attribute_exists(about)",
                ExpressionAttributeValues={":at": {"S": instant_key(at)}},
            ),
        )

    def remove(self, key: str) -> None:
        """Delete the session."""
        with aws_call("DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=_key_of_session(key))

    def write(self, entry: AuditEntry) -> None:
        """Put all copies of the entry, or none."""
        places = [_of_day(entry.at.astimezone(UTC).date()), _of_colleague(entry.viewer.subject)]
        if entry.customer_id:
            places.append(_of_customer(entry.customer_id))
        writes = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": _entry_item(place, entry),
                    "ConditionExpression": "attribute_not_exists(about)",
                }
            }
            for place in places
        ]
        if transact(self._client, writes) is not None:
            raise ServiceCallError("TransactWriteItems", "EntryExists")

    def of_day(self, day: date, limit: int, page: str = "", subject: str = "") -> AuditPage:
        """Query the day, or the person from the day's first moment to its last."""
        about = _of_colleague(subject) if subject else _of_day(day)
        return self._page(about, limit, page, first=day.isoformat(), last=f"{day.isoformat()}~")

    def between(self, first: datetime, last: datetime) -> Iterator[AuditEntry]:
        """Query the day, page by page."""
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="about = :day AND what BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":day": {"S": _of_day(first.astimezone(UTC).date())},
                    ":first": {"S": instant_key(first)},
                    ":last": {"S": instant_key(last)},
                },
                ConsistentRead=True,
            )
            for page in pages:
                yield from map(_entry_of, page["Items"])

    def page_of_customer(self, customer_id: str, limit: int, page: str = "") -> AuditPage:
        """Query the customer."""
        return self._page(_of_customer(customer_id), limit, page)

    def of_customer(
        self, customer_id: str, limit: int | None = None, before: datetime | None = None
    ) -> Sequence[AuditEntry]:
        """Query the customer, until there are enough."""
        about, last = _of_customer(customer_id), instant_key(before) if before else "~"
        if limit is not None:
            return self._page(about, limit, last=last).entries
        found: list[AuditEntry] = []
        page = last
        while page:
            entries, page = self._page(about, _ENTRIES_A_QUERY, page)
            found += entries
        return found

    def count(self, subject: str, act: str, since: datetime, now: datetime) -> int:
        """Query what the person did, and let DynamoDB filter: what others did is not read, however much it is."""
        if now - since > _LONGEST_COUNTED:
            raise ValueError("since and now are more than two days apart")
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="about = :colleague AND what BETWEEN :since AND :now",
                FilterExpression="act = :act",
                ExpressionAttributeValues={
                    ":colleague": {"S": _of_colleague(subject)},
                    ":since": {"S": instant_key(since)},
                    ":now": {"S": contacts_until(now)},
                    ":act": {"S": act},
                },
                Select="COUNT",
                ConsistentRead=True,
            )
            return sum(page["Count"] for page in pages)

    def _page(self, about: str, limit: int, page: str = "", first: str = "0", last: str = "~") -> AuditPage:
        """Query backwards from the end, or from an entry. One more than is asked for tells whether there are more."""
        if page and page < first:
            return AuditPage((), "")  # an address that somebody has changed
        with aws_call("Query"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="about = :about AND what BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":about": {"S": about},
                    ":first": {"S": first},
                    ":last": {"S": min(page, last) if page else last},
                },
                ScanIndexForward=False,
                Limit=limit + 1,
                ConsistentRead=True,
            )
        items = answer["Items"]
        following = str(items[limit]["what"]["S"]) if len(items) > limit else ""
        return AuditPage(tuple(map(_entry_of, items[:limit])), following)


def _key_of_session(key: str) -> dict[str, Any]:
    return {"about": {"S": f"session#{key}"}, "what": {"S": _SESSION}}


def _of_day(day: date) -> str:
    return f"audit#{day.isoformat()}"


def _of_colleague(subject: str) -> str:
    return f"colleague#{subject}"


def _of_customer(customer_id: str) -> str:
    return f"customer#{customer_id}"


def _entry_item(about: str, entry: AuditEntry) -> dict[str, Any]:
    texts = {
        "subject": entry.viewer.subject,
        "role": entry.viewer.role.value,
        "act": entry.act,
        "customer_id": entry.customer_id,
        "subject_matter": entry.subject_matter,
        "purpose": entry.purpose,
    }
    return {
        "about": {"S": about},
        "what": {"S": f"{instant_key(entry.at)}#{entry.entry_id}"},
        **{name: {"S": text} for name, text in texts.items() if text},
        "expires_at": expiry(entry.at + _KEPT_FOR),
    }


def _entry_of(item: Mapping[str, Any]) -> AuditEntry:
    written_at, _, entry_id = str(item["what"]["S"]).partition("#")

    def text(name: str) -> str:
        return str(item.get(name, {}).get("S", ""))

    return AuditEntry(
        at=parse_instant(written_at),
        entry_id=entry_id,
        viewer=Viewer(text("subject"), Role(text("role"))),
        act=text("act"),
        customer_id=text("customer_id"),
        subject_matter=text("subject_matter"),
        purpose=text("purpose"),
    )
