"""The audit table in DynamoDB."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dunning.adapters.aws_call import CONDITION_FAILED, aws_call, is_passing, write_if
from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.items import (
    CONTACT,
    LABEL_ATTRIBUTES,
    RECEIPT,
    REPLY_FIELDS,
    contact_item,
    contact_of,
    read_or_refuse,
    reply_item,
    reply_of,
)
from dunning.adapters.dynamodb.keys import (
    REPLY,
    UNKNOWN,
    address_key,
    contact_key,
    contacts_until,
    instant_key,
    parse_instant,
    replies_until,
)
from dunning.adapters.dynamodb.layouts import ItemLayout
from dunning.adapters.dynamodb.reading import read_items
from dunning.adapters.dynamodb.writing import Pause, write_conditionally
from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.domain.replies.reply import Reply
from dunning.domain.text_effects import TextDetails
from dunning.ports.contacts import ContactKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WRITE_ONCE = LEAN.merge(Config(retries={"total_max_attempts": 1, "mode": "standard"}))
"""For the batches of new records: they have no conditions, so the SDK must not repeat them."""

_DETAILS = ItemLayout(*[field for field in CONTACT.fields if field.name in TextDetails._fields])
_KEY_AND_DETAILS = ("customer_id", "contact", *TextDetails._fields)

_ITEMS_A_WRITE = 25
"""DynamoDB's limit of a BatchWriteItem."""

_CALLS_AGAIN = 8
"""The tries for items that a throttled batch left unprocessed."""

# TEXT is a reserved word of DynamoDB's expressions.
_IDENTIFYING = " OR ".join(f"attribute_exists({name})" for name in ("phone", "address", "#text", "#response"))
_REDACT = "REMOVE phone, address, #text, #response SET erased_at = if_not_exists(erased_at, :at)"
_IDENTIFYING_NAMES = {"#text": "text", "#response": "response"}
_UP_TO = "customer_id = :customer AND contact <= :last"
_BETWEEN = "customer_id = :customer AND contact BETWEEN :first AND :last"
# The record must still exist: an update would create an expired record again.
_STILL_THERE = "attribute_exists(customer_id)"


class DynamoContacts:
    """Implements `ContactArchive`, `SentTexts`, `ReplyLog` and `ContactErasure`."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        pause: Pause = time.sleep,
        *,
        once: DynamoDBClient | None = None,
    ) -> None:
        """
        Take the clients.

        Args:
            client: for calls that are safe to repeat.
            table: the name of the table.
            pause: waits between two tries of a write.
            once: the client that writes new records in batches, made with `WRITE_ONCE`.
        """
        self._client = client
        self._once = once or client
        self._table = table
        self._pause = pause

    def write(self, contacts: Sequence[Contact]) -> None:
        """
        Write records in batches, and ask for each batch once. Of several records of one message the last is written.

        DynamoDB refuses a batch with a key twice. And a batch has no conditions: repeated by the SDK after a lost
        answer, it would write over a receipt that has come in between. What the SDK would have repeated is written
        record by record, and only over what knows less.
        """
        newest = {_key(contact): contact for contact in contacts}
        for batch in batched(newest.values(), _ITEMS_A_WRITE, strict=False):
            if not self._is_written(batch):
                for contact in batch:
                    self._write_over_less(contact)

    def _is_written(self, batch: Sequence[Contact]) -> bool:
        """Write a batch; `False` if nobody knows whether it was written."""
        requests: list[Any] = [{"PutRequest": {"Item": contact_item(contact)}} for contact in batch]
        for _ in range(_CALLS_AGAIN):
            with aws_call("BatchWriteItem"):
                try:
                    answer = self._once.batch_write_item(RequestItems={self._table: requests})
                except BotoCoreError:
                    return False
                except ClientError as error:
                    if is_passing(error):
                        return False
                    raise
            requests = list(answer.get("UnprocessedItems", {}).get(self._table, []))
            if not requests:
                return True
        raise ServiceCallError("BatchWriteItem", "UnprocessedItems")

    def _write_over_less(self, contact: Contact) -> None:
        """Put a record unless a record is there that knows more than that nothing is known."""
        put = partial(
            self._client.put_item,
            TableName=self._table,
            Item=contact_item(contact),
            ConditionExpression="attribute_not_exists(customer_id) OR #state = :unknown",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":unknown": {"S": ContactState.UNKNOWN.value}},
        )
        write_if("PutItem", put)

    def write_if_absent(self, contact: Contact) -> bool:
        """Put a record unless it is there. If it is, DynamoDB answers with what is stored."""
        item = contact_item(contact)
        put = partial(
            self._client.put_item,
            TableName=self._table,
            Item=item,
            ConditionExpression="attribute_not_exists(customer_id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        stored = write_conditionally("PutItem", put, self._pause)
        return stored is None or bool(stored[0].get("state") == item["state"])

    def keep(self, reply: Reply) -> bool:
        """Put a reply unless it is there."""
        return write_if(
            "PutItem",
            lambda: self._client.put_item(
                TableName=self._table,
                Item=reply_item(reply),
                ConditionExpression="attribute_not_exists(customer_id)",
            ),
        )

    def label(self, customer_id: str, reply_id: str, label: ReplyLabel) -> Reply | None:
        """Find a reply by the carrier's id, and update its label under the label that was read."""
        for _ in range(_CALLS_AGAIN):
            key, reply = self._find_reply(customer_id, reply_id)
            if reply is None:
                return None
            labelled = reply.with_label(label)
            if labelled is reply or self._set_label(customer_id, key, reply, labelled):
                return labelled
        raise ServiceCallError("UpdateItem", CONDITION_FAILED)

    def _find_reply(self, customer_id: str, reply_id: str) -> tuple[str, Reply | None]:
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=_BETWEEN,
                FilterExpression="inbound_id = :reply",
                ExpressionAttributeValues={
                    ":customer": {"S": customer_id},
                    ":first": {"S": REPLY},
                    ":last": {"S": replies_until(None)},
                    ":reply": {"S": reply_id},
                },
                ConsistentRead=True,
            )
            for page in pages:
                for item in page["Items"]:
                    return str(item["contact"]["S"]), reply_of(item)
        return "", None

    def _set_label(self, customer_id: str, key: str, before: Reply, labelled: Reply) -> bool:
        written = {name: value for name, value in REPLY_FIELDS.write(labelled).items() if name in LABEL_ATTRIBUTES}
        left = [name for name in LABEL_ATTRIBUTES if name not in written]
        values: dict[str, Any] = {f":{name}": value for name, value in written.items()}
        is_unchanged = "attribute_not_exists(labelled_at)"
        if before.labelled_at is not None:
            is_unchanged = "labelled_at = :known"
            values[":known"] = {"S": instant_key(before.labelled_at)}
        setting = ", ".join(f"{name} = :{name}" for name in written)
        leaving = f" REMOVE {', '.join(left)}" if left else ""
        return write_if(
            "UpdateItem",
            lambda: self._client.update_item(
                TableName=self._table,
                Key={"customer_id": {"S": customer_id}, "contact": {"S": key}},
                UpdateExpression=f"SET {setting}{leaving}",
                ConditionExpression=f"{_STILL_THERE} AND {is_unchanged}",
                ExpressionAttributeValues=values,
            ),
        )

    def find(self, keys: Collection[ContactKey]) -> Mapping[ContactKey, Contact | UnreadableRecordError]:
        """Read records, a hundred a call."""
        wanted = [_key_of(key) for key in dict.fromkeys(keys)]
        return {_parse_key(item): _contact_or_error(item) for item in read_items(self._client, self._table, wanted)}

    def details_of(self, keys: Collection[ContactKey]) -> Mapping[ContactKey, TextDetails]:
        """Read the key and three attributes of records, a hundred a call: the role of the tally may read no others."""
        wanted = [_key_of(key) for key in dict.fromkeys(keys)]
        items = read_items(self._client, self._table, wanted, consistent=False, attributes=_KEY_AND_DETAILS)
        found = {_parse_key(item): _details_or_none(item) for item in items}
        return {key: details for key, details in found.items() if details is not None}

    def advance(self, contact: Contact, *, expected: ContactState) -> bool:
        """Update state, message id and the receipt's fields under the state that was read."""
        names = {"state", "message_id"} | (RECEIPT.names if contact.reported_at else set())
        # STATE is a reserved word of DynamoDB's expressions, and more may become one; defaults are not kept.
        written: dict[str, Any] = {name: value for name, value in CONTACT.write(contact).items() if name in names}
        # A known message id stays. The carrier's earlier words do not.
        left = names - written.keys() - {"message_id"}
        if contact.state is not ContactState.UNKNOWN:
            left.add("unknown")
        setting = ", ".join(f"#{name} = :{name}" for name in written)
        leaving = " REMOVE " + ", ".join(f"#{name}" for name in sorted(left)) if left else ""
        return write_if(
            "UpdateItem",
            lambda: self._client.update_item(
                TableName=self._table,
                Key=_key_of(_key(contact)),
                UpdateExpression=f"SET {setting}{leaving}",
                ConditionExpression="#state = :expected",
                ExpressionAttributeNames={f"#{name}": name for name in (*written, *left)},
                ExpressionAttributeValues={
                    **{f":{name}": value for name, value in written.items()},
                    ":expected": {"S": expected.value},
                },
            ),
        )

    def unknown_before(self, moment: datetime) -> Iterator[ContactKey]:
        """Query the sparse index of records with an unknown outcome."""
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="unknown",
                KeyConditionExpression="#unknown = :yes AND contact < :until",
                ExpressionAttributeNames={"#unknown": "unknown"},
                ExpressionAttributeValues={":yes": {"S": UNKNOWN}, ":until": {"S": instant_key(moment)}},
            )
            for page in pages:
                yield from map(_parse_key, page["Items"])

    def recent(self, customer_id: str, since: datetime) -> Sequence[Contact]:
        """Query a customer's records. The replies have keys after all records."""
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="customer_id = :customer AND contact BETWEEN :since AND :replies",
                ExpressionAttributeValues={
                    ":customer": {"S": customer_id},
                    ":since": {"S": instant_key(since)},
                    ":replies": {"S": REPLY},
                },
                ConsistentRead=True,
            )
            records = [_contact_or_error(item) for page in pages for item in page["Items"]]
        return [record for record in records if isinstance(record, Contact)]

    def identifying_records(self, customer_id: str) -> int:
        """Count the records that hold a number, a text or a carrier's words."""
        return len(self._identifying(customer_id, None))

    def redact(self, customer_id: str, at: datetime, *, until: datetime | None = None) -> int:
        """Remove number, text and the carrier's words from a customer's records, one update each."""
        keys = self._identifying(customer_id, until)
        for key in keys:
            remove = partial(
                self._client.update_item,
                TableName=self._table,
                Key={"customer_id": {"S": customer_id}, "contact": {"S": key}},
                UpdateExpression=_REDACT,
                ConditionExpression=_STILL_THERE,
                ExpressionAttributeNames=_IDENTIFYING_NAMES,
                ExpressionAttributeValues={":at": {"S": instant_key(at)}},
            )
            write_if("UpdateItem", remove)
        return len(keys)

    def _identifying(self, customer_id: str, until: datetime | None) -> list[str]:
        """Find records. The replies have keys after all records."""
        return self._keys_between(
            customer_id,
            "",
            contacts_until(until) if until else REPLY,
            FilterExpression=_IDENTIFYING,
            ExpressionAttributeNames=_IDENTIFYING_NAMES,
        )

    def stored_replies(self, customer_id: str) -> int:
        """Count the replies beside a customer's records."""
        return len(self._replies(customer_id, None))

    def labelled_replies(self, customer_id: str) -> int:
        """Count the replies that a person has labelled."""
        is_labelled = "attribute_exists(labelled_at)"
        return len(self._keys_between(customer_id, REPLY, replies_until(None), FilterExpression=is_labelled))

    def erase_replies(self, customer_id: str, addresses: Collection[str], *, until: datetime | None = None) -> int:
        """Delete the replies below the customer and below the numbers."""
        owners = (customer_id, *(address_key(address)[0] for address in addresses))
        keys = [(owner, key) for owner in owners for key in self._replies(owner, until)]
        for owner, key in keys:
            with aws_call("DeleteItem"):
                self._client.delete_item(
                    TableName=self._table, Key={"customer_id": {"S": owner}, "contact": {"S": key}}
                )
        return len(keys)

    def _replies(self, owner: str, until: datetime | None) -> list[str]:
        return self._keys_between(owner, REPLY, replies_until(until))

    def _keys_between(self, owner: str, first: str, last: str, **more: Any) -> list[str]:  # noqa: ANN401 - of a query
        bounds: dict[str, Any] = {":customer": {"S": owner}, ":last": {"S": last}}
        if first:
            bounds[":first"] = {"S": first}
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=_BETWEEN if first else _UP_TO,
                ExpressionAttributeValues=bounds,
                ProjectionExpression="contact",
                ConsistentRead=True,
                **more,
            )
            return [str(item["contact"]["S"]) for page in pages for item in page["Items"]]


def _key(contact: Contact) -> ContactKey:
    return ContactKey(contact.customer_id, contact.at, contact.send_id)


def _key_of(key: ContactKey) -> Any:  # noqa: ANN401 - a key
    return {"customer_id": {"S": key.customer_id}, "contact": {"S": contact_key(key.at, key.send_id)}}


def _parse_key(item: Mapping[str, Any]) -> ContactKey:
    at, _, send_id = str(item["contact"]["S"]).partition("#")
    return ContactKey(str(item["customer_id"]["S"]), parse_instant(at), send_id)


def _details_or_none(item: Mapping[str, Any]) -> TextDetails | None:
    try:
        return read_or_refuse(lambda stored: TextDetails(**_DETAILS.read(stored)), "contact", item)
    except UnreadableRecordError:
        return None


def _contact_or_error(item: Mapping[str, Any]) -> Contact | UnreadableRecordError:
    try:
        return contact_of(item)
    except UnreadableRecordError as error:
        return error
