"""
Cases, notes, requests to erase, and the last turn of the switch, in the table of the console.

    case#C0012    case               who has the case, and how it was closed
    case#C0012    note#<instant>#<id>   a note for colleagues, until the customer's erasure or for a year
    erasures      C0012              a request to erase the customer
    switch        switch             who turned the switch last
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call, write_if
from dunning.adapters.dynamodb.keys import contacts_until, expiry, instant_key, parse_instant
from dunning.adapters.dynamodb.reading import read_items
from dunning.adapters.dynamodb.writing import if_read, put_if_read
from dunning.domain.errors import ServiceCallError
from dunning.ports.asked_erasures import AskedErasure
from dunning.ports.case_book import Case, CaseNote
from dunning.ports.sending_control import SwitchTurned
from dunning.ports.sessions import Role, Viewer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CASE = "case"
_NOTE = "note#"
_BEHIND_NOTES = "note$"
_ERASURES = "erasures"
_SWITCH = {"about": {"S": "switch"}, "what": {"S": "switch"}}
_KEPT_FOR = timedelta(days=366)


class DynamoCases:
    """Implements `CaseBook`, `CaseErasure`, `AskedErasures` and `SwitchHistory` on the table of the console."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    # ------------------------------------------------------------ cases

    def cases(self, customer_ids: Collection[str]) -> Mapping[str, Case]:
        """Read the items, a hundred a call."""
        keys = [_case_key(customer_id) for customer_id in dict.fromkeys(customer_ids)]
        found = [_case_of(item) for item in read_items(self._client, self._table, keys)] if keys else []
        return {case.customer_id: case for case in found}

    def case_with_notes(self, customer_id: str) -> tuple[Case, Sequence[CaseNote]]:
        """Query all below the customer: the case sorts before its notes."""
        case, notes = Case(customer_id=customer_id), []
        for item in self._below(customer_id):
            if item["what"]["S"] == _CASE:
                case = _case_of(item)
            else:
                notes.append(_note_of(item))
        return case, notes[::-1]

    def save_case(self, case: Case, *, expected_version: int) -> bool:
        """Put the case under the version that was read."""
        condition = if_read("version", expected_version, key="about")
        return put_if_read(self._client, self._table, _case_item(case), condition)

    def add_note(self, customer_id: str, note: CaseNote) -> None:
        """Put the note, unless there is one of its key."""
        item = {
            "about": {"S": _case_place(customer_id)},
            "what": {"S": f"{_NOTE}{instant_key(note.at)}#{note.note_id}"},
            **viewer_item(note.author),
            "text": {"S": note.text},
            "expires_at": expiry(note.at + _KEPT_FOR),
        }
        if not put_if_read(self._client, self._table, item, if_read("version", 0, key="about")):
            raise ServiceCallError("PutItem", "NoteExists")

    def stored_notes(self, customer_id: str) -> int:
        """Count the notes."""
        return len(self._note_keys(customer_id, None))

    def erase_case(self, customer_id: str, *, until: datetime | None = None) -> int:
        """Delete the notes, and then the case."""
        notes = self._note_keys(customer_id, until)
        for what in notes if until else [*notes, _CASE]:
            with aws_call("DeleteItem"):
                self._client.delete_item(
                    TableName=self._table, Key={"about": {"S": _case_place(customer_id)}, "what": {"S": what}}
                )
        return len(notes)

    def _note_keys(self, customer_id: str, until: datetime | None) -> list[str]:
        last = f"{_NOTE}{contacts_until(until)}" if until else _BEHIND_NOTES
        found = self._below(customer_id, first=_NOTE, last=last, ProjectionExpression="what")
        return [str(item["what"]["S"]) for item in found]

    def _below(
        self,
        customer_id: str,
        *,
        first: str = _CASE,
        last: str = _BEHIND_NOTES,
        **more: Any,  # noqa: ANN401 - a query's
    ) -> list[Mapping[str, Any]]:
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="about = :about AND what BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":about": {"S": _case_place(customer_id)},
                    ":first": {"S": first},
                    ":last": {"S": last},
                },
                ConsistentRead=True,
                **more,
            )
            return [item for page in pages for item in page["Items"]]

    # ------------------------------------------------------------ requests to erase

    def ask(self, asked: AskedErasure) -> bool:
        """Put the request, unless there is another that has not ended by now."""
        item = {
            "about": {"S": _ERASURES},
            "what": {"S": asked.customer_id},
            **viewer_item(asked.asked_by),
            "asked_at": {"S": instant_key(asked.asked_at)},
            "ends_at": {"S": instant_key(asked.ends_at)},
            "reason": {"S": asked.reason},
            "expires_at": expiry(asked.ends_at),
        }
        return write_if(
            "PutItem",
            lambda: self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(about) OR ends_at <= :now",
                ExpressionAttributeValues={":now": {"S": instant_key(asked.asked_at)}},
            ),
        )

    def pending(self) -> Sequence[AskedErasure]:
        """Query all requests."""
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="about = :about",
                ExpressionAttributeValues={":about": {"S": _ERASURES}},
                ConsistentRead=True,
            )
            found = [_asked_of(item) for page in pages for item in page["Items"]]
        return sorted(found, key=lambda asked: (asked.asked_at, asked.customer_id))

    def find_asked(self, customer_id: str) -> AskedErasure | None:
        """Get the request."""
        with aws_call("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key={"about": {"S": _ERASURES}, "what": {"S": customer_id}},
                ConsistentRead=True,
            )
        item = answer.get("Item")
        return _asked_of(item) if item else None

    def take_away(self, asked: AskedErasure) -> None:
        """Delete the request if it is still the one that was read."""
        write_if(
            "DeleteItem",
            lambda: self._client.delete_item(
                TableName=self._table,
                Key={"about": {"S": _ERASURES}, "what": {"S": asked.customer_id}},
                ConditionExpression="attribute_not_exists(about) OR asked_at = :asked_at",
                ExpressionAttributeValues={":asked_at": {"S": instant_key(asked.asked_at)}},
            ),
        )

    # ------------------------------------------------------------ the switch

    def keep_turn(self, turned: SwitchTurned) -> None:
        """Put the turn."""
        item: Mapping[str, Any] = {
            **_SWITCH,
            **viewer_item(turned.by),
            "is_on": {"BOOL": turned.on},
            "turned_at": {"S": instant_key(turned.at)},
            "reason": {"S": turned.reason},
        }
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def last_turn(self) -> SwitchTurned | None:
        """Get the turn."""
        with aws_call("GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=_SWITCH, ConsistentRead=True)
        item: Mapping[str, Any] | None = answer.get("Item")
        if not item:
            return None
        return SwitchTurned(
            on=bool(item["is_on"]["BOOL"]),
            by=viewer_of(item),
            at=parse_instant(item["turned_at"]["S"]),
            reason=str(item["reason"]["S"]),
        )


def _case_place(customer_id: str) -> str:
    return f"case#{customer_id}"


def _case_key(customer_id: str) -> dict[str, Any]:
    return {"about": {"S": _case_place(customer_id)}, "what": {"S": _CASE}}


def viewer_item(viewer: Viewer) -> dict[str, Any]:
    """Write who somebody is as attributes of an item."""
    return {"subject": {"S": viewer.subject}, "role": {"S": viewer.role.value}}


def viewer_of(item: Mapping[str, Any]) -> Viewer:
    """
    Read who somebody is.

    Raises:
        KeyError, ValueError: the item does not say it, or names no role.
    """
    return Viewer(str(item["subject"]["S"]), Role(item["role"]["S"]))


def _case_item(case: Case) -> dict[str, Any]:
    moments = {"taken_at": case.taken_at, "touched_at": case.touched_at, "closed_at": case.closed_at}
    texts = {"closed_by": case.closed_by, "outcome": case.outcome}
    return {
        **_case_key(case.customer_id),
        "version": {"N": str(case.version)},
        **(viewer_item(case.holder) if case.holder else {}),
        **{name: {"S": instant_key(moment)} for name, moment in moments.items() if moment},
        **{name: {"S": text} for name, text in texts.items() if text},
        **({"expires_at": expiry(case.touched_at + _KEPT_FOR)} if case.touched_at else {}),
    }


def _case_of(item: Mapping[str, Any]) -> Case:
    def moment(name: str) -> datetime | None:
        return parse_instant(item[name]["S"]) if name in item else None

    return Case(
        customer_id=str(item["about"]["S"]).partition("#")[2],
        version=int(item["version"]["N"]),
        holder=viewer_of(item) if "subject" in item else None,
        taken_at=moment("taken_at"),
        touched_at=moment("touched_at"),
        closed_at=moment("closed_at"),
        closed_by=str(item.get("closed_by", {}).get("S", "")),
        outcome=str(item.get("outcome", {}).get("S", "")),
    )


def _note_of(item: Mapping[str, Any]) -> CaseNote:
    written_at, _, note_id = str(item["what"]["S"]).removeprefix(_NOTE).partition("#")
    return CaseNote(parse_instant(written_at), note_id, viewer_of(item), str(item["text"]["S"]))


def _asked_of(item: Mapping[str, Any]) -> AskedErasure:
    return AskedErasure(
        customer_id=str(item["what"]["S"]),
        asked_by=viewer_of(item),
        asked_at=parse_instant(item["asked_at"]["S"]),
        ends_at=parse_instant(item["ends_at"]["S"]),
        reason=str(item["reason"]["S"]),
    )
