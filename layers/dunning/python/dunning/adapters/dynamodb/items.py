"""
Items: our types as DynamoDB attributes and back.

What is queried or conditioned on is an attribute of its own. What is only read as a whole (accounts, ledger,
progress, holds) is one JSON document: it decodes ten times faster than nested attributes, and a claim stays
below the 1 KB that one write unit covers. In a document a type is an array by position. Its layout, below, is the
only place that says in which order; how a layout may change is said in `layouts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from dunning.adapters.dynamodb.keys import (
    FACTS,
    FILES,
    LOADS,
    STANDING,
    UNKNOWN,
    address_key,
    attention_key,
    contact_key,
    parse_wake_key,
    reply_key,
    shard_of,
    wake_key,
)
from dunning.adapters.dynamodb.layouts import (
    DAY,
    FLAG,
    INSTANT,
    NUMBER,
    REVISION,
    SECONDS,
    TEXT,
    TEXTS,
    ArrayLayout,
    Codec,
    Field,
    Item,
    ItemLayout,
    StoredItem,
    arrays,
    arrays_by_key,
    instants_by_key,
    listed,
    objects,
    optional,
    word,
)
from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.customer.lender_record import (
    AccountClosed,
    AddressChanged,
    ConsentChanged,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderRecord,
    RecordedEvent,
    event_key,
    project_facts,
)
from dunning.domain.customer.standing import (
    AddressSince,
    LedgerEntry,
    OpenReview,
    Outage,
    PaymentStatement,
    Progress,
    PromiseToPay,
    RecentDecision,
    ReplyLabel,
    Standing,
)
from dunning.domain.decision.open_reviews import waits_for_person
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.payer_segments import NO_HISTORY, PaymentHistory
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.file_loads import FileLoad, KnownLoads

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SCHEMA = 4
"""
The number of the layouts below, stored with every item as `schema`; it rises by one whenever a field is appended.

Items that were stored before there was a number have none. No reader needs it, since fields are only ever appended:
it tells people, and the message about an item that cannot be read, which program wrote the item.
"""

HOLD = ArrayLayout(
    Hold,
    Field("reason", word(HoldReason)),
    Field("until", optional(DAY)),
    Field("since", optional(INSTANT), None),
)
INSTALMENT = ArrayLayout(
    Instalment,
    Field("number", NUMBER),
    Field("due_on", DAY),
    Field("amount", NUMBER),
    Field("paid", NUMBER),
    Field("stage_reached", optional(NUMBER)),
    Field("written_notice_on", optional(DAY), None),
    Field("late_fee", NUMBER, 0),
)
ACCOUNT = ArrayLayout(
    Account,
    Field("account_id", TEXT),
    Field("tail", TEXT),
    Field("currency", TEXT),
    Field("product", TEXT),
    Field("instalments", arrays(INSTALMENT)),
    Field("pay_account", TEXT, ""),
)
"""Stored as an object, by name: accounts are few."""

EVENT_TIME = ArrayLayout(EventTime, Field("at", INSTANT), Field("sequence", NUMBER))
INSTALMENT_PAID = ArrayLayout(
    InstalmentPaid,
    Field("account_id", TEXT),
    Field("number", NUMBER),
    Field("paid", NUMBER),
    Field("currency", TEXT),
)
INSTALMENT_CHANGED = ArrayLayout(
    InstalmentChanged,
    Field("account_id", TEXT),
    Field("number", NUMBER),
    Field("due_on", DAY),
    Field("amount", NUMBER),
    Field("currency", TEXT),
    Field("late_fee", NUMBER),
    Field("written_notice_on", optional(DAY)),
)
ACCOUNT_CLOSED = ArrayLayout(AccountClosed, Field("account_id", TEXT))
CUSTOMER_HOLD = ArrayLayout(CustomerHold, Field("reason", word(HoldReason)), Field("until", optional(DAY)))
CUSTOMER_RELEASED = ArrayLayout(CustomerReleased, Field("reason", optional(word(HoldReason))))
CUSTOMER_ATTENDED = ArrayLayout(CustomerAttended, Field("outcome", TEXT))
ADDRESS_CHANGED = ArrayLayout(AddressChanged, Field("kind", word(AddressKind)), Field("address", TEXT))
CONSENT_CHANGED = ArrayLayout(ConsentChanged, Field("channel", word(Channel)), Field("consented_at", optional(INSTANT)))
EVENT_KINDS: Mapping[str, ArrayLayout[Any]] = {
    "paid": INSTALMENT_PAID,
    "changed": INSTALMENT_CHANGED,
    "closed": ACCOUNT_CLOSED,
    "held": CUSTOMER_HOLD,
    "released": CUSTOMER_RELEASED,
    "attended": CUSTOMER_ATTENDED,
    "address": ADDRESS_CHANGED,
    "consent": CONSENT_CHANGED,
}
"""
An event is stored as its time, its kind and its fields, in one array. Who said so comes behind the fields, if known.
A field that is appended to an event has to come behind that.

A new kind is not an appended field. An older program refuses it, rather than lose what a lender said: programs that
read the kind have to be deployed before those that write it.
"""
_KIND_OF = {layout.kept: kind for kind, layout in EVENT_KINDS.items()}


def _event_out(recorded: RecordedEvent) -> list[object]:
    kind = _KIND_OF[type(recorded.event)]
    written = [*EVENT_TIME.write(recorded.time), kind, *EVENT_KINDS[kind].write(recorded.event)]
    return [*written, recorded.by] if recorded.by else written


def _events_out(events: Mapping[str, RecordedEvent]) -> list[list[object]]:
    return [_event_out(recorded) for _, recorded in sorted(events.items())]


def _event_in(at: str, sequence: int, kind: str, *fields: object) -> RecordedEvent:
    layout = EVENT_KINDS[kind]
    by = fields[len(layout.fields)] if len(fields) > len(layout.fields) else ""
    if type(by) is not str:
        raise TypeError("no text")
    return RecordedEvent(EVENT_TIME.read(at, sequence), layout.read(*fields), by)


def _events_in(written: object) -> dict[str, RecordedEvent]:
    recorded_events = [_event_in(*listed(array)) for array in listed(written)]
    return {event_key(recorded): recorded for recorded in recorded_events}


FILE_LOAD = ArrayLayout(
    FileLoad,
    Field("key", TEXT),
    Field("uploaded_at", INSTANT),
    Field("is_finished", FLAG, False),  # noqa: FBT003 - the default of a field
)
FILE_LOADS = ItemLayout(Field("version", NUMBER), Field("loads", arrays(FILE_LOAD), ()))

LEDGER_ENTRY = ArrayLayout(
    LedgerEntry,
    Field("send_id", TEXT),
    Field("claim_id", TEXT),
    Field("at", INSTANT),
    Field("stage", optional(NUMBER)),
    Field("accounts", TEXTS),
    Field("channel", TEXT),
    Field("for_wake", optional(INSTANT)),
    Field("failed", FLAG, False),  # noqa: FBT003 - the default of a field
    Field("also_named", TEXTS, ()),
    Field("draws", TEXT, ""),
    Field("payer_segment", TEXT, ""),
    Field("asked", TEXT, ""),
)
PROGRESS = ArrayLayout(
    Progress, Field("stage", NUMBER), Field("on", DAY), Field("due_on", DAY), Field("asked", NUMBER, 0)
)
PAYMENT_STATEMENT = ArrayLayout(
    PaymentStatement,
    Field("reason", word(HoldReason)),
    Field("said_at", INSTANT),
    Field("day", DAY),
    Field("until", DAY),
    Field("accounts", TEXTS),
    Field("about", TEXTS),
    Field("silent_until", optional(DAY), None),
)
INSTALMENT_PROMISE = ArrayLayout(
    PromiseToPay,
    Field("said_at", INSTANT),
    Field("on", DAY),
    Field("kept", optional(FLAG)),
)

REPLY_LABEL = ArrayLayout(
    ReplyLabel,
    Field("at", INSTANT),
    Field("sequence", NUMBER),
    Field("intents", TEXTS),
    Field("promised_on", optional(DAY), None),
)

RECENT_DECISION = ArrayLayout(
    RecentDecision,
    Field("at", SECONDS),
    Field("reason", TEXT),
    Field("until", optional(SECONDS), None),
)
"""In seconds since 1970: a third of the size of an instant as text, six times in each claim."""

OPEN_REVIEW = ArrayLayout(
    OpenReview,
    Field("why", TEXT),
    Field("since", INSTANT),
    Field("reply_id", TEXT, ""),
)

OUTAGE = ArrayLayout(
    Outage,
    Field("since", INSTANT),
    Field("last", SECONDS),
)
"""Of two types, so that a shifted array is not misread."""

LENDER_RECORD = ItemLayout(
    Field("customer_id", TEXT),
    Field("revision", REVISION),
    Field("events", Codec(frozenset({list}), _events_out, _events_in), {}),
    Field("phones", TEXTS, ()),
    Field("erased_at", INSTANT, None),
    Field("phones_until", INSTANT, None),
    Field("next_phone", TEXT, ""),
    Field("indexed_accounts", TEXTS, ()),
    Field("addresses", TEXTS, ()),
    Field("next_addresses", TEXTS, ()),
)
SNAPSHOT = ItemLayout(
    Field("name", TEXT),
    Field("phone", TEXT),
    Field("phone_country", TEXT),
    Field("country", TEXT),
    Field("region", TEXT, ""),
    Field("language", TEXT),
    Field("time_zone", TEXT, ""),
    Field("lender", TEXT),
    Field("consented_at", INSTANT, None),
    Field("accounts", objects(ACCOUNT), ()),
    Field("holds", arrays(HOLD), ()),
    Field("opted_out", FLAG),
    Field("as_of", INSTANT, None),
    Field("paid_as_of", INSTANT, None),
    Field("not_in_list_since", INSTANT, None),
    Field("email", TEXT, None),
    Field("line_user_id", TEXT, None),
    Field("channel_consents", instants_by_key(), None),
)
"""Stored in the item of the lender record, which has none of them before the first snapshot."""

ADDRESS_SINCE = ArrayLayout(
    AddressSince,
    Field("address", TEXT),
    Field("at", optional(INSTANT)),
    Field("is_usable", FLAG, False),  # noqa: FBT003 - the default of a field
)


class _WithheldAddresses(NamedTuple):
    """The suspended and shared addresses as they are stored: the number apart, as before there were other channels."""

    suspended_phone: str
    suspended_at: datetime | None
    shared_phone: str
    shared_at: datetime | None
    suspended: Mapping[str, AddressSince]
    shared: Mapping[str, AddressSince]


WITHHELD_ADDRESSES = ItemLayout(
    Field("suspended_phone", TEXT, ""),
    Field("suspended_at", INSTANT, None),
    Field("shared_phone", TEXT, ""),
    Field("shared_at", INSTANT, None),
    Field("suspended", arrays_by_key(ADDRESS_SINCE), {}),
    Field("shared", arrays_by_key(ADDRESS_SINCE), {}),
)
"""
An older program knows the number alone, and must not text a number that is refused or shared.

So the number for SMS stays where that program looks.
"""

STANDING_FIELDS = ItemLayout(
    Field("customer_id", TEXT),
    Field("version", REVISION),
    Field("ledger", arrays(LEDGER_ENTRY), ()),
    Field("progress", arrays_by_key(PROGRESS), {}),
    Field("opted_out_at", INSTANT, None),
    Field("opted_in_at", INSTANT, None),
    Field("opted_out_accounts", instants_by_key(), {}),
    Field("holds", arrays(HOLD), ()),
    Field("payment_statements", arrays(PAYMENT_STATEMENT), ()),
    Field("promises", arrays_by_key(INSTALMENT_PROMISE), {}),
    Field("planned_for", TEXT, ""),
    Field("reason", TEXT, ""),
    Field("reply_labels", arrays_by_key(REPLY_LABEL), {}),
    Field("announced", TEXTS, ()),
    Field("facts_revision", NUMBER, 0),
    Field("recent", arrays(RECENT_DECISION), ()),
    Field("lender_id", TEXT, ""),
    Field("attention", arrays(OPEN_REVIEW), ()),
    Field("attended_at", INSTANT, None),
    Field("outages", arrays_by_key(OUTAGE), {}),
    Field("history", Codec(frozenset({list}), list, PaymentHistory.from_list), NO_HISTORY),
)
"""All but the wake, which is stored as a key of the due index, and the withheld addresses."""

RECEIPT = ItemLayout(
    Field("reported_at", INSTANT, None),
    Field("response", TEXT, ""),
    Field("delivery_status", TEXT, ""),
    Field("billed_parts", NUMBER, 0),
    Field("billed_price_usd_micros", NUMBER, 0),
)
"""The fields of a contact that a delivery receipt sets."""

CONTACT = ItemLayout(
    Field("customer_id", TEXT),
    Field("send_id", TEXT),
    Field("claim_id", TEXT),
    Field("at", INSTANT),
    Field("state", word(ContactState)),
    Field("stage", NUMBER, None),
    Field("account_ids", TEXTS, ()),
    Field("channel", TEXT),
    Field("expires_at", SECONDS),
    Field("lender", TEXT, ""),
    Field("jurisdiction", TEXT, ""),
    Field("phone", TEXT, ""),
    Field("text", TEXT, ""),
    Field("encoding", TEXT, ""),
    Field("parts", NUMBER),
    Field("template", TEXT, ""),
    Field("registered_template", TEXT, ""),
    Field("message_id", TEXT, ""),
    Field("code", TEXT, ""),
    Field("price_usd_micros", NUMBER),
    Field("reasons", TEXTS, ()),
    Field("erased_at", INSTANT, None),
    *RECEIPT.fields,
    Field("gateway", TEXT, ""),
    Field("address", TEXT, ""),
    Field("lapses_at", INSTANT, None),
    Field("draws", TEXT, ""),
    Field("payer_segment", TEXT, ""),
    Field("asked", TEXT, ""),
    Field("local_hour", NUMBER, None),
)
INBOUND_SMS = ItemLayout(
    Field("inbound_id", TEXT),
    Field("at", INSTANT),
    Field("phone", TEXT),
    Field("text", TEXT, ""),
    Field("in_reply_to", TEXT, ""),
    Field("channel", word(Channel), Channel.SMS),
    Field("address", TEXT, ""),
    Field("button", TEXT, ""),
)
REPLY_FIELDS = ItemLayout(
    Field("intents", TEXTS, ()),
    Field("promised_on", DAY, None),
    Field("expires_at", SECONDS),
    Field("sure", TEXTS, ()),
    Field("likely", TEXTS, ()),
    Field("why", TEXTS, ()),
    Field("digits", TEXT, ""),
    Field("labels", TEXTS, ()),
    Field("labelled_at", INSTANT, None),
    Field("label_sequence", NUMBER, 0),
    Field("label_promised_on", DAY, None),
    Field("lender", TEXT, ""),
)
LABEL_ATTRIBUTES = ("labels", "labelled_at", "label_sequence", "label_promised_on")
"""The attributes of a stored reply that a person's label sets."""


def _text(value: str) -> AttributeValueTypeDef:
    return {"S": value}


_SCHEMA: Item = {"schema": {"N": str(SCHEMA)}}


def read_or_refuse[T](read: Callable[[StoredItem], T], kind: str, item: StoredItem) -> T:
    """
    Read an item.

    Raises:
        UnreadableRecordError: the item is none of its kind, or a newer program has written it.
    """
    try:
        return read(item)
    except (LookupError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        # Not chained: the cause might quote personal data.
        raise UnreadableRecordError(f"{kind}{_newer_schema(item)}: {type(error).__name__}") from None


def _newer_schema(item: StoredItem) -> str:
    """Say which schema an item has, if a newer program wrote it."""
    try:
        schema = int(item["schema"]["N"])
    except (LookupError, ValueError, TypeError, OverflowError):
        return ""
    if schema > _MOST_SCHEMAS:
        return " of no schema"  # whatever stands there is not quoted
    return f" of schema {schema}, known is {SCHEMA}" if schema > SCHEMA else ""


_MOST_SCHEMAS = 9_999


def lender_record_item(lender_record: LenderRecord) -> Item:
    """Write what a lender has said as an item; before the first snapshot it holds events only."""
    return {
        "item": _text(FACTS),
        **_SCHEMA,
        **LENDER_RECORD.write(lender_record),
        **(SNAPSHOT.write(lender_record.snapshot) if lender_record.snapshot else {}),
    }


def _read_lender_record(item: StoredItem) -> LenderRecord:
    record = LENDER_RECORD.read(item)
    snapshot = Facts(customer_id=record["customer_id"], **SNAPSHOT.read(item)) if "name" in item else None
    return LenderRecord(snapshot=snapshot, **record)


def lender_record_of(item: StoredItem) -> LenderRecord:
    """
    Read what a lender has said.

    Raises:
        UnreadableRecordError: the item is not what `lender_record_item` writes.
    """
    return read_or_refuse(_read_lender_record, "facts", item)


def read_facts(item: StoredItem) -> Facts | None:
    """
    Read what a lender has said and work out the facts; `None` if there has been no snapshot.

    Raises:
        UnreadableRecordError: the item is not what `lender_record_item` writes.
    """
    return read_or_refuse(lambda stored: project_facts(_read_lender_record(stored)), "facts", item)


def standing_item(standing: Standing, shards: int) -> Item:
    """Write a standing as an item. With a wake it is in the due index, and in that of attention if it waits."""
    item: Item = {"item": _text(STANDING), **_SCHEMA, **STANDING_FIELDS.write(standing)}
    if standing.suspended or standing.shared:
        item |= WITHHELD_ADDRESSES.write(_withheld_addresses(standing))
    if standing.wake is not None:
        item["shard"] = _text(shard_of(standing.customer_id, shards))
        item["wake_key"] = _text(wake_key(standing.wake))
    waits = waits_for_person(standing)
    if waits is not None and standing.lender_id:
        item["attention_lender"] = _text(standing.lender_id)
        item["attention_at"] = _text(attention_key(waits.since, urgent=waits.urgent))
    return item


def _read_standing(item: StoredItem) -> Standing:
    wake = parse_wake_key(item["wake_key"]["S"]) if "wake_key" in item else None
    suspended, shared = _read_withheld(item)
    return Standing(**STANDING_FIELDS.read(item), wake=wake, suspended=suspended, shared=shared)


def _withheld_addresses(standing: Standing) -> _WithheldAddresses:
    suspended, shared = dict(standing.suspended), dict(standing.shared)
    refused, known = suspended.get(Channel.SMS), shared.pop(AddressKind.NUMBER, AddressSince(""))
    if refused is None or refused.is_usable:
        refused = AddressSince("")
    else:
        del suspended[Channel.SMS]
    return _WithheldAddresses(refused.address, refused.at, known.address, known.at, suspended, shared)


def _read_withheld(item: StoredItem) -> tuple[Mapping[str, AddressSince], Mapping[str, AddressSince]]:
    """Read the suspended addresses by channel, and the shared ones by kind."""
    if WITHHELD_ADDRESSES.names.isdisjoint(item):
        return {}, {}  # nearly everybody
    stored = _WithheldAddresses(**WITHHELD_ADDRESSES.read(item))
    suspended, shared = dict(stored.suspended), dict(stored.shared)
    if stored.suspended_phone:
        suspended[Channel.SMS.value] = AddressSince(stored.suspended_phone, stored.suspended_at)
    if stored.shared_phone:
        shared[AddressKind.NUMBER.value] = AddressSince(stored.shared_phone, stored.shared_at)
    return suspended, shared


def standing_of(item: StoredItem) -> Standing:
    """
    Read a standing.

    Raises:
        UnreadableRecordError: the item is not what `standing_item` writes.
    """
    return read_or_refuse(_read_standing, "standing", item)


def file_loads_item(known: KnownLoads) -> Item:
    """Write the list of file loads as an item."""
    return {"customer_id": _text(FILES), "item": _text(LOADS), **_SCHEMA, **FILE_LOADS.write(known)}


def file_loads_of(item: StoredItem) -> KnownLoads:
    """
    Read the list of file loads.

    Raises:
        UnreadableRecordError: the item is not what `file_loads_item` writes.
    """
    return read_or_refuse(lambda stored: KnownLoads(**FILE_LOADS.read(stored)), "file loads", item)


def contact_item(contact: Contact) -> Item:
    """Write a contact as an item; only one whose fate is unknown is in the index of those."""
    item = {"contact": _text(contact_key(contact.at, contact.send_id)), **_SCHEMA, **CONTACT.write(contact)}
    if contact.state is ContactState.UNKNOWN:
        item["unknown"] = _text(UNKNOWN)
    return item


def contact_of(item: StoredItem) -> Contact:
    """
    Read a contact.

    Raises:
        UnreadableRecordError: the item is not what `contact_item` writes.
    """
    return read_or_refuse(lambda stored: Contact(**CONTACT.read(stored)), "contact", item)


def reply_item(reply: Reply) -> Item:
    """Write what a customer wrote as an item beside their contacts; of an unknown sender below the address."""
    inbound = reply.inbound
    return {
        "customer_id": _text(reply.customer_id or address_key(inbound.sender)[0]),
        "contact": _text(reply_key(inbound.at, inbound.inbound_id)),
        **_SCHEMA,
        **INBOUND_SMS.write(inbound),
        **REPLY_FIELDS.write(reply),
    }


def _read_reply(item: StoredItem) -> Reply:
    inbound = InboundSms(**INBOUND_SMS.read(item))
    owner = item["customer_id"]["S"]
    customer_id = "" if owner == address_key(inbound.sender)[0] else owner
    return Reply(customer_id=customer_id, inbound=inbound, **REPLY_FIELDS.read(item))


def reply_of(item: StoredItem) -> Reply:
    """
    Read what a customer wrote.

    Raises:
        UnreadableRecordError: the item is not what `reply_item` writes.
    """
    return read_or_refuse(_read_reply, "reply", item)
