"""
Items: our types as DynamoDB attributes and back.

What is queried or conditioned on is an attribute of its own. What is only read as a whole (accounts, ledger,
progress, holds) is one JSON document: it decodes ten times faster than nested attributes, and a claim stays
below the 1 KB that one write unit covers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from dunning.adapters.dynamodb.keys import (
    FACTS,
    STANDING,
    contact_key,
    instant_key,
    parse_instant,
    parse_wake_key,
    shard_of,
    wake_key,
)
from dunning.domain.contact import Contact, ContactState
from dunning.domain.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.standing import LedgerEntry, Progress, Standing
from dunning.ports import UnreadableRecordError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

type Item = dict[str, AttributeValueTypeDef]
type StoredItem = Mapping[str, Any]


def _text(value: str) -> AttributeValueTypeDef:
    return {"S": value}


def _number(value: int) -> AttributeValueTypeDef:
    return {"N": str(value)}


def _json(value: object) -> AttributeValueTypeDef:
    return {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""}


def _drop_empty(item: Item) -> Item:
    """Leave out what is empty: DynamoDB's keys cannot be, and absent reads as empty."""
    return {name: value for name, value in item.items() if value.get("S") != ""}


def _readable[T](read: Callable[[StoredItem], T], kind: str, item: StoredItem) -> T:
    try:
        return read(item)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        # Not chained: the cause might quote personal data.
        raise UnreadableRecordError(f"{kind}: {type(error).__name__}") from None


def _optional(item: StoredItem, name: str) -> str:
    value = item.get(name)
    return str(value["S"]) if value else ""


def _holds_out(holds: tuple[Hold, ...]) -> list[list[str | None]]:
    return [[hold.reason.value, hold.until.isoformat() if hold.until else None] for hold in holds]


def _holds_in(written: str) -> tuple[Hold, ...]:
    if not written:
        return ()
    return tuple(
        Hold(HoldReason(reason), date.fromisoformat(until) if until else None) for reason, until in json.loads(written)
    )


def _instalment_out(one: Instalment) -> list[int | str | None]:
    notice = one.written_notice_on.isoformat() if one.written_notice_on else None
    return [one.number, one.due_on.isoformat(), one.amount, one.paid, one.stage_reached, notice, one.late_fee]


def _instalment_in(
    number: int, due_on: str, amount: int, paid: int, stage: int | None, notice: str | None = None, late_fee: int = 0
) -> Instalment:
    """Read an instalment; those written before there were notices and late fees have neither element."""
    issued = date.fromisoformat(notice) if notice else None
    return Instalment(number, date.fromisoformat(due_on), amount, paid, stage, issued, late_fee)


def facts_item(facts: Facts) -> Item:
    """Write facts as an item."""
    accounts = [
        {
            "account_id": account.account_id,
            "tail": account.tail,
            "currency": account.currency,
            "product": account.product,
            "instalments": [_instalment_out(instalment) for instalment in account.instalments],
        }
        for account in facts.accounts
    ]
    return _drop_empty(
        {
            "customer_id": _text(facts.customer_id),
            "item": _text(FACTS),
            "name": _text(facts.name),
            "phone": _text(facts.phone),
            "phone_country": _text(facts.phone_country),
            "country": _text(facts.country),
            "region": _text(facts.region),
            "language": _text(facts.language),
            "time_zone": _text(facts.time_zone),
            "lender": _text(facts.lender),
            "consented_at": _text(instant_key(facts.consented_at) if facts.consented_at else ""),
            "accounts": _json(accounts),
            "holds": _json(_holds_out(facts.holds)),
            "opted_out": {"BOOL": facts.opted_out},
            "as_of": _text(instant_key(facts.as_of) if facts.as_of else ""),
        }
    )


def _read_facts(item: StoredItem) -> Facts:
    accounts = tuple(
        Account(
            account["account_id"],
            account["tail"],
            account["currency"],
            tuple([_instalment_in(*written) for written in account["instalments"]]),
            account["product"],
        )
        for account in json.loads(_optional(item, "accounts") or "[]")
    )
    consented_at, as_of = _optional(item, "consented_at"), _optional(item, "as_of")
    return Facts(
        customer_id=item["customer_id"]["S"],
        name=item["name"]["S"],
        phone=item["phone"]["S"],
        phone_country=item["phone_country"]["S"],
        country=item["country"]["S"],
        region=_optional(item, "region"),
        language=item["language"]["S"],
        time_zone=_optional(item, "time_zone"),
        lender=item["lender"]["S"],
        consented_at=parse_instant(consented_at) if consented_at else None,
        accounts=accounts,
        holds=_holds_in(_optional(item, "holds")),
        opted_out=bool(item["opted_out"]["BOOL"]),
        as_of=parse_instant(as_of) if as_of else None,
    )


def facts_of(item: StoredItem) -> Facts:
    """
    Read facts.

    Raises:
        UnreadableRecordError: the item is not what `facts_item` writes.
    """
    return _readable(_read_facts, "facts", item)


def standing_item(standing: Standing, shards: int) -> Item:
    """Write a standing as an item; without a wake it is in no index."""
    ledger = [
        [
            entry.send_id,
            entry.claim_id,
            instant_key(entry.at),
            entry.stage,
            list(entry.accounts),
            entry.channel,
            instant_key(entry.answers) if entry.answers else None,
        ]
        for entry in standing.ledger
    ]
    progress = {
        key: [heard.stage, heard.on.isoformat(), heard.due_on.isoformat()] for key, heard in standing.progress.items()
    }
    item: Item = {
        "customer_id": _text(standing.customer_id),
        "item": _text(STANDING),
        "version": _number(standing.version),
        "ledger": _json(ledger),
        "progress": _json(progress),
        "opted_out_at": _text(instant_key(standing.opted_out_at) if standing.opted_out_at else ""),
        "suspended_phone": _text(standing.suspended_phone),
        "holds": _json(_holds_out(standing.holds)),
        "planned_for": _text(standing.planned_for),
        "reason": _text(standing.reason),
    }
    if standing.wake is not None:
        item["shard"] = _text(shard_of(standing.customer_id, shards))
        item["wake_key"] = _text(wake_key(standing.wake))
    return _drop_empty(item)


def _read_standing(item: StoredItem) -> Standing:
    ledger = tuple(
        LedgerEntry(
            send_id,
            claim_id,
            parse_instant(at),
            stage,
            tuple(accounts),
            channel,
            parse_instant(answers) if answers else None,
        )
        for send_id, claim_id, at, stage, accounts, channel, answers in json.loads(_optional(item, "ledger") or "[]")
    )
    progress = {
        key: Progress(stage, date.fromisoformat(on), date.fromisoformat(due_on))
        for key, (stage, on, due_on) in json.loads(_optional(item, "progress") or "{}").items()
    }
    wake, opted_out_at = _optional(item, "wake_key"), _optional(item, "opted_out_at")
    return Standing(
        customer_id=item["customer_id"]["S"],
        version=int(item["version"]["N"]),
        wake=parse_wake_key(wake) if wake else None,
        ledger=ledger,
        progress=progress,
        opted_out_at=parse_instant(opted_out_at) if opted_out_at else None,
        suspended_phone=_optional(item, "suspended_phone"),
        holds=_holds_in(_optional(item, "holds")),
        planned_for=_optional(item, "planned_for"),
        reason=_optional(item, "reason"),
    )


def standing_of(item: StoredItem) -> Standing:
    """
    Read a standing.

    Raises:
        UnreadableRecordError: the item is not what `standing_item` writes.
    """
    return _readable(_read_standing, "standing", item)


def contact_item(contact: Contact) -> Item:
    """Write a contact as an item."""
    return _drop_empty(
        {
            "customer_id": _text(contact.customer_id),
            "contact": _text(contact_key(contact.at, contact.send_id)),
            "send_id": _text(contact.send_id),
            "claim_id": _text(contact.claim_id),
            "at": _text(instant_key(contact.at)),
            "state": _text(contact.state.value),
            "stage": _number(contact.stage),
            "account_ids": _json(list(contact.account_ids)),
            "channel": _text(contact.channel),
            "expires_at": _number(int(contact.expires_at.timestamp())),
            "lender": _text(contact.lender),
            "jurisdiction": _text(contact.jurisdiction),
            "phone": _text(contact.phone),
            "text": _text(contact.text),
            "encoding": _text(contact.encoding),
            "parts": _number(contact.parts),
            "template": _text(contact.template),
            "registered_template": _text(contact.registered_template),
            "message_id": _text(contact.message_id),
            "code": _text(contact.code),
            "price": _number(contact.price),
            "reasons": _json(list(contact.reasons)),
        }
    )


def _read_contact(item: StoredItem) -> Contact:
    return Contact(
        customer_id=item["customer_id"]["S"],
        send_id=item["send_id"]["S"],
        claim_id=item["claim_id"]["S"],
        at=parse_instant(item["at"]["S"]),
        state=ContactState(item["state"]["S"]),
        stage=int(item["stage"]["N"]),
        account_ids=tuple(json.loads(_optional(item, "account_ids") or "[]")),
        channel=item["channel"]["S"],
        expires_at=datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC),
        lender=_optional(item, "lender"),
        jurisdiction=_optional(item, "jurisdiction"),
        phone=_optional(item, "phone"),
        text=_optional(item, "text"),
        encoding=_optional(item, "encoding"),
        parts=int(item["parts"]["N"]),
        template=_optional(item, "template"),
        registered_template=_optional(item, "registered_template"),
        message_id=_optional(item, "message_id"),
        code=_optional(item, "code"),
        price=int(item["price"]["N"]),
        reasons=tuple(json.loads(_optional(item, "reasons") or "[]")),
    )


def contact_of(item: StoredItem) -> Contact:
    """
    Read a contact.

    Raises:
        UnreadableRecordError: the item is not what `contact_item` writes.
    """
    return _readable(_read_contact, "contact", item)
