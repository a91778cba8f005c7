"""
Sessions and the audit trail in DynamoDB, in the table of the console.

    session#<hash of the id>    session              a login, until its end
    audit#2026-12-03            <instant>#<id>       an entry of a day
    customer#C0012              <instant>#<id>       the same entry among those of its customer

Both copies of an entry are written at once: a list by customer has no delay then, as that of an index would have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call, write_if
from dunning.adapters.dynamodb.keys import contacts_until, instant_key, parse_instant
from dunning.adapters.dynamodb.writing import transact
from dunning.domain.errors import ServiceCallError
from dunning.ports.audit_trail import AuditEntry
from dunning.ports.sessions import Role, Session, Viewer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SESSION = "session"
_KEPT_FOR = timedelta(days=5 * 366)
_MOST_DAYS_COUNTED = 2


class DynamoConsole:
    """Implements `Sessions` and `AuditTrail` on one table, whose keys are `about` and `what`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, session: Session) -> None:
        """Put the session, unless there is one of its key."""
        item = {
            **_key_of_session(session.key),
            "subject": {"S": session.viewer.subject},
            "role": {"S": session.viewer.role.value},
            "began_at": {"S": instant_key(session.began_at)},
            "seen_at": {"S": instant_key(session.seen_at)},
            "ends_at": {"S": instant_key(session.ends_at)},
            "expires_at": {"N": str(int(session.ends_at.timestamp()))},
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
                viewer=Viewer(item["subject"]["S"], Role(item["role"]["S"])),
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
        """Put both copies of the entry, or none."""
        places = [_of_day(entry.at.astimezone(UTC).date())]
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

    def of_day(self, day: date, limit: int) -> Sequence[AuditEntry]:
        """Query the day."""
        return self._newest(_of_day(day), limit)

    def of_customer(self, customer_id: str, limit: int) -> Sequence[AuditEntry]:
        """Query the customer."""
        return self._newest(_of_customer(customer_id), limit)

    def count(self, subject: str, act: str, since: datetime, now: datetime) -> int:
        """Query each day, and let DynamoDB filter."""
        first, last = since.astimezone(UTC).date(), now.astimezone(UTC).date()
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        if len(days) > _MOST_DAYS_COUNTED:
            raise ValueError("since and now are more than two days apart")
        count = 0
        for day in days:
            with aws_call("Query"):
                pages = self._client.get_paginator("query").paginate(
                    TableName=self._table,
                    KeyConditionExpression="about = :day AND what BETWEEN :since AND :now",
                    FilterExpression="subject = :subject AND act = :act",
                    ExpressionAttributeValues={
                        ":day": {"S": _of_day(day)},
                        ":since": {"S": instant_key(since)},
                        ":now": {"S": contacts_until(now)},
                        ":subject": {"S": subject},
                        ":act": {"S": act},
                    },
                    Select="COUNT",
                    ConsistentRead=True,
                )
                count += sum(page["Count"] for page in pages)
        return count

    def _newest(self, about: str, limit: int) -> Sequence[AuditEntry]:
        with aws_call("Query"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="about = :about",
                ExpressionAttributeValues={":about": {"S": about}},
                ScanIndexForward=False,
                Limit=limit,
                ConsistentRead=True,
            )
        return [_entry_of(item) for item in answer["Items"]]


def _key_of_session(key: str) -> dict[str, Any]:
    return {"about": {"S": f"session#{key}"}, "what": {"S": _SESSION}}


def _of_day(day: date) -> str:
    return f"audit#{day.isoformat()}"


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
        "expires_at": {"N": str(int((entry.at + _KEPT_FOR).timestamp()))},
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
