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
    UNKNOWN,
    contact_key,
    instant_key,
    parse_instant,
    parse_wake_key,
    phone_key,
    reply_key,
    shard_of,
    wake_key,
)
from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.customer.lender_record import (
    AccountClosed,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderEvent,
    LenderRecord,
    RecordedEvent,
    event_key,
    project_facts,
)
from dunning.domain.customer.standing import LedgerEntry, PaymentStatement, Progress, PromiseToPay, Standing
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import Reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

type Item = dict[str, AttributeValueTypeDef]
type StoredItem = Mapping[str, Any]


def _text(value: str) -> AttributeValueTypeDef:
    return {"S": value}


def _number_attribute(value: int) -> AttributeValueTypeDef:
    return {"N": str(value)}


def _json(value: object) -> AttributeValueTypeDef:
    return {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""}


def _drop_empty(item: Item) -> Item:
    """Leave out what is empty: DynamoDB's keys cannot be, and absent reads as empty."""
    return {name: value for name, value in item.items() if value.get("S") != ""}


def _read_or_refuse[T](read: Callable[[StoredItem], T], kind: str, item: StoredItem) -> T:
    try:
        return read(item)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        # Not chained: the cause might quote personal data.
        raise UnreadableRecordError(f"{kind}: {type(error).__name__}") from None


def _optional(item: StoredItem, name: str) -> str:
    value = item.get(name)
    return str(value["S"]) if value else ""


def _instant_out(moment: datetime | None) -> str:
    return instant_key(moment) if moment else ""


def _instant_in(written: str) -> datetime | None:
    return parse_instant(written) if written else None


def _day_out(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day_in(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None


def _holds_out(holds: tuple[Hold, ...]) -> list[list[object]]:
    return [
        [hold.reason.value, _day_out(hold.until)]
        if hold.since is None
        else [hold.reason.value, _day_out(hold.until), instant_key(hold.since)]
        for hold in holds
    ]


def _hold_in(reason: str, until: str | None, since: str = "") -> Hold:
    """Read a hold; only the customer's own have a moment."""
    return Hold(HoldReason(reason), _day_in(until), _instant_in(since))


def _holds_in(written: str) -> tuple[Hold, ...]:
    return tuple([_hold_in(*hold) for hold in json.loads(written)]) if written else ()


def _instalment_out(one: Instalment) -> list[int | str | None]:
    notice = _day_out(one.written_notice_on)
    return [one.number, one.due_on.isoformat(), one.amount, one.paid, one.stage_reached, notice, one.late_fee]


def _instalment_in(
    number: int, due_on: str, amount: int, paid: int, stage: int | None, notice: str | None = None, late_fee: int = 0
) -> Instalment:
    """Read an instalment; those written before there were notices and late fees have neither element."""
    return Instalment(number, date.fromisoformat(due_on), amount, paid, stage, _day_in(notice), late_fee)


def _event_out(said: RecordedEvent) -> list[object]:
    kept: list[object]
    match said.event:
        case InstalmentPaid() as paid:
            kept = ["paid", paid.account_id, paid.number, paid.paid, paid.currency]
        case InstalmentChanged() as to:
            notice = _day_out(to.written_notice_on)
            kept = [
                "changed",
                to.account_id,
                to.number,
                to.due_on.isoformat(),
                to.amount,
                to.currency,
                to.late_fee,
                notice,
            ]
        case AccountClosed() as closed:
            kept = ["closed", closed.account_id]
        case CustomerHold() as held:
            kept = ["held", held.reason.value, _day_out(held.until)]
        case CustomerReleased() as released:
            kept = ["released", released.reason.value if released.reason else None]
    return [instant_key(said.time.at), said.time.sequence, *kept]


def _event_in(at: str, sequence: int, kind: str, *kept: Any) -> RecordedEvent:  # noqa: ANN401 - from JSON
    readers: Mapping[str, Callable[..., LenderEvent]] = {
        "paid": InstalmentPaid,
        "changed": lambda account_id, number, due_on, amount, currency, late_fee, notice: InstalmentChanged(
            account_id, number, date.fromisoformat(due_on), amount, currency, late_fee, _day_in(notice)
        ),
        "closed": AccountClosed,
        "held": lambda reason, until: CustomerHold(HoldReason(reason), _day_in(until)),
        "released": lambda reason: CustomerReleased(HoldReason(reason) if reason else None),
    }
    return RecordedEvent(EventTime(parse_instant(at), sequence), readers[kind](*kept))


def _snapshot_out(facts: Facts) -> Item:
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
    return {
        "name": _text(facts.name),
        "phone": _text(facts.phone),
        "phone_country": _text(facts.phone_country),
        "country": _text(facts.country),
        "region": _text(facts.region),
        "language": _text(facts.language),
        "time_zone": _text(facts.time_zone),
        "lender": _text(facts.lender),
        "consented_at": _text(_instant_out(facts.consented_at)),
        "accounts": _json(accounts),
        "holds": _json(_holds_out(facts.holds)),
        "opted_out": {"BOOL": facts.opted_out},
        "as_of": _text(_instant_out(facts.as_of)),
        "paid_as_of": _text(_instant_out(facts.paid_as_of)),
    }


def lender_record_item(lender_record: LenderRecord) -> Item:
    """Write what a lender has said as an item; before the first snapshot it holds events only."""
    events = [_event_out(said) for _, said in sorted(lender_record.events.items())]
    return _drop_empty(
        {
            "customer_id": _text(lender_record.customer_id),
            "item": _text(FACTS),
            "revision": _number_attribute(lender_record.revision),
            **(_snapshot_out(lender_record.snapshot) if lender_record.snapshot else {}),
            "events": _json(events),
            "phones": _json(list(lender_record.phones)),
            "erased_at": _text(_instant_out(lender_record.erased_at)),
            "phones_until": _text(_instant_out(lender_record.phones_until)),
        }
    )


def _read_snapshot(item: StoredItem) -> Facts:
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
        consented_at=_instant_in(_optional(item, "consented_at")),
        accounts=accounts,
        holds=_holds_in(_optional(item, "holds")),
        opted_out=bool(item["opted_out"]["BOOL"]),
        as_of=_instant_in(_optional(item, "as_of")),
        paid_as_of=_instant_in(_optional(item, "paid_as_of")),
    )


def _read_lender_record(item: StoredItem) -> LenderRecord:
    said = [_event_in(*written) for written in json.loads(_optional(item, "events") or "[]")]
    return LenderRecord(
        customer_id=item["customer_id"]["S"],
        revision=int(item["revision"]["N"]),
        snapshot=_read_snapshot(item) if "name" in item else None,
        events={event_key(one): one for one in said},
        phones=tuple(json.loads(_optional(item, "phones") or "[]")),
        erased_at=_instant_in(_optional(item, "erased_at")),
        phones_until=_instant_in(_optional(item, "phones_until")),
    )


def lender_record_of(item: StoredItem) -> LenderRecord:
    """
    Read what a lender has said.

    Raises:
        UnreadableRecordError: the item is not what `lender_record_item` writes.
    """
    return _read_or_refuse(_read_lender_record, "facts", item)


def read_facts(item: StoredItem) -> Facts | None:
    """
    Read what a lender has said and work out the facts; `None` if there has been no snapshot.

    Raises:
        UnreadableRecordError: the item is not what `lender_record_item` writes.
    """
    return _read_or_refuse(lambda stored: project_facts(_read_lender_record(stored)), "facts", item)


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
            instant_key(entry.for_wake) if entry.for_wake else None,
            *([True] if entry.failed else []),
        ]
        for entry in standing.ledger
    ]
    progress = {
        key: [heard.stage, heard.on.isoformat(), heard.due_on.isoformat()] for key, heard in standing.progress.items()
    }
    payment_statements = [
        [
            one.reason.value,
            instant_key(one.said_at),
            one.day.isoformat(),
            one.until.isoformat(),
            list(one.accounts),
            list(one.about),
        ]
        for one in standing.payment_statements
    ]
    promises = {
        key: [instant_key(promise.said_at), promise.on.isoformat(), promise.kept]
        for key, promise in standing.promises.items()
    }
    accounts_out = {account_id: instant_key(at) for account_id, at in standing.opted_out_accounts.items()}
    item: Item = {
        "customer_id": _text(standing.customer_id),
        "item": _text(STANDING),
        "version": _number_attribute(standing.version),
        "ledger": _json(ledger),
        "progress": _json(progress),
        "opted_out_at": _text(_instant_out(standing.opted_out_at)),
        "opted_in_at": _text(_instant_out(standing.opted_in_at)),
        "opted_out_accounts": _json(accounts_out),
        "suspended_phone": _text(standing.suspended_phone),
        "suspended_at": _text(_instant_out(standing.suspended_at)),
        "shared_phone": _text(standing.shared_phone),
        "shared_at": _text(_instant_out(standing.shared_at)),
        "holds": _json(_holds_out(standing.holds)),
        "payment_statements": _json(payment_statements),
        "promises": _json(promises),
        "planned_for": _text(standing.planned_for),
        "reason": _text(standing.reason),
    }
    if standing.wake is not None:
        item["shard"] = _text(shard_of(standing.customer_id, shards))
        item["wake_key"] = _text(wake_key(standing.wake))
    return _drop_empty(item)


def _entry_in(
    send_id: str,
    claim_id: str,
    at: str,
    stage: int | None,
    accounts: list[str],
    channel: str,
    for_wake: str | None,
    failed: bool = False,  # noqa: FBT001, FBT002 - an element of a list in JSON
) -> LedgerEntry:
    return LedgerEntry(
        send_id,
        claim_id,
        parse_instant(at),
        stage,
        tuple(accounts),
        channel,
        parse_instant(for_wake) if for_wake else None,
        failed,
    )


def _payment_statement_in(
    reason: str, said_at: str, day: str, until: str, accounts: list[str], about: list[str]
) -> PaymentStatement:
    return PaymentStatement(
        HoldReason(reason),
        parse_instant(said_at),
        date.fromisoformat(day),
        date.fromisoformat(until),
        tuple(accounts),
        tuple(about),
    )


def _read_standing(item: StoredItem) -> Standing:
    progress = {
        key: Progress(stage, date.fromisoformat(on), date.fromisoformat(due_on))
        for key, (stage, on, due_on) in json.loads(_optional(item, "progress") or "{}").items()
    }
    promises = {
        key: PromiseToPay(parse_instant(said_at), date.fromisoformat(on), kept)
        for key, (said_at, on, kept) in json.loads(_optional(item, "promises") or "{}").items()
    }
    accounts_out = json.loads(_optional(item, "opted_out_accounts") or "{}")
    wake = _optional(item, "wake_key")
    return Standing(
        customer_id=item["customer_id"]["S"],
        version=int(item["version"]["N"]),
        wake=parse_wake_key(wake) if wake else None,
        ledger=tuple([_entry_in(*entry) for entry in json.loads(_optional(item, "ledger") or "[]")]),
        progress=progress,
        opted_out_at=_instant_in(_optional(item, "opted_out_at")),
        opted_in_at=_instant_in(_optional(item, "opted_in_at")),
        opted_out_accounts={account_id: parse_instant(at) for account_id, at in accounts_out.items()},
        suspended_phone=_optional(item, "suspended_phone"),
        suspended_at=_instant_in(_optional(item, "suspended_at")),
        shared_phone=_optional(item, "shared_phone"),
        shared_at=_instant_in(_optional(item, "shared_at")),
        holds=_holds_in(_optional(item, "holds")),
        payment_statements=tuple(
            [_payment_statement_in(*written) for written in json.loads(_optional(item, "payment_statements") or "[]")]
        ),
        promises=promises,
        planned_for=_optional(item, "planned_for"),
        reason=_optional(item, "reason"),
    )


def standing_of(item: StoredItem) -> Standing:
    """
    Read a standing.

    Raises:
        UnreadableRecordError: the item is not what `standing_item` writes.
    """
    return _read_or_refuse(_read_standing, "standing", item)


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
            "stage": _text("") if contact.stage is None else _number_attribute(contact.stage),
            "account_ids": _json(list(contact.account_ids)),
            "channel": _text(contact.channel),
            "expires_at": _number_attribute(int(contact.expires_at.timestamp())),
            "lender": _text(contact.lender),
            "jurisdiction": _text(contact.jurisdiction),
            "phone": _text(contact.phone),
            "text": _text(contact.text),
            "encoding": _text(contact.encoding),
            "parts": _number_attribute(contact.parts),
            "template": _text(contact.template),
            "registered_template": _text(contact.registered_template),
            "message_id": _text(contact.message_id),
            "code": _text(contact.code),
            "price": _number_attribute(contact.price),
            "reasons": _json(list(contact.reasons)),
            "unknown": _text(UNKNOWN if contact.state is ContactState.UNKNOWN else ""),
            "erased_at": _text(_instant_out(contact.erased_at)),
            **receipt_attributes(contact),
        }
    )


def receipt_attributes(contact: Contact) -> Item:
    """Write what a receipt says, nothing if there is none."""
    if contact.reported_at is None:
        return {}
    return {
        "reported_at": _text(instant_key(contact.reported_at)),
        "response": _text(contact.response),
        "delivery_status": _text(contact.delivery_status),
        "billed_parts": _number_attribute(contact.billed_parts),
        "billed_price": _number_attribute(contact.billed_price),
    }


def _optional_number(item: StoredItem, name: str) -> int | None:
    value = item.get(name)
    return int(value["N"]) if value else None


def _read_contact(item: StoredItem) -> Contact:
    return Contact(
        customer_id=item["customer_id"]["S"],
        send_id=item["send_id"]["S"],
        claim_id=item["claim_id"]["S"],
        at=parse_instant(item["at"]["S"]),
        state=ContactState(item["state"]["S"]),
        stage=_optional_number(item, "stage"),
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
        reported_at=_instant_in(_optional(item, "reported_at")),
        response=_optional(item, "response"),
        delivery_status=_optional(item, "delivery_status"),
        billed_parts=_optional_number(item, "billed_parts") or 0,
        billed_price=_optional_number(item, "billed_price") or 0,
        erased_at=_instant_in(_optional(item, "erased_at")),
    )


def contact_of(item: StoredItem) -> Contact:
    """
    Read a contact.

    Raises:
        UnreadableRecordError: the item is not what `contact_item` writes.
    """
    return _read_or_refuse(_read_contact, "contact", item)


def reply_item(reply: Reply) -> Item:
    """Write what a customer wrote as an item beside their contacts; for an unknown number below the number."""
    inbound = reply.inbound
    return _drop_empty(
        {
            "customer_id": _text(reply.customer_id or phone_key(inbound.phone)),
            "contact": _text(reply_key(inbound.at, inbound.inbound_id)),
            "inbound_id": _text(inbound.inbound_id),
            "at": _text(instant_key(inbound.at)),
            "phone": _text(inbound.phone),
            "text": _text(inbound.text),
            "in_reply_to": _text(inbound.in_reply_to),
            "intents": _json(list(reply.intents)),
            "promised_on": _text(_day_out(reply.promised_on) or ""),
            "expires_at": _number_attribute(int(reply.expires_at.timestamp())),
        }
    )
