"""
What was stored under each schema stays readable, and what is stored now is what the golden files hold.

`golden/schema-<number>/` has an item of each kind, as DynamoDB stores it. All people are invented, and no two values of
an object are alike: two fields exchanged are noticed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from dunning.adapters.dynamodb import items
from dunning.adapters.dynamodb.file_report_items import report_item, report_of
from dunning.adapters.dynamodb.items import (
    SCHEMA,
    contact_item,
    contact_of,
    file_loads_item,
    file_loads_of,
    lender_record_item,
    lender_record_of,
    reply_item,
    reply_of,
    standing_item,
    standing_of,
)
from dunning.adapters.dynamodb.layouts import ArrayLayout, ItemLayout
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
    Wake,
    label_key,
)
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.payer_segments import PaymentHistory
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.file_loads import FileLoad, FileReport, KnownLoads
from tests.contract.conftest import SHARDS

type Stored = dict[str, dict[str, Any]]

FOLDER = Path(__file__).parent / "golden"
SCHEMAS = sorted(int(folder.name.removeprefix("schema-")) for folder in FOLDER.iterdir())


def _at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, 7, 9, 123_456, tzinfo=UTC)


EVENTS = (
    RecordedEvent(EventTime(_at(2, 3), 11), InstalmentPaid("A-21", 4, 128_000, "TWD"), "core.people"),
    RecordedEvent(
        EventTime(_at(3, 4), 12),
        InstalmentChanged(
            account_id="A-22",
            number=5,
            due_on=date(2026, 12, 5),
            amount=345_600,
            currency="JPY",
            late_fee=1_200,
            written_notice_on=date(2026, 12, 28),
        ),
        "core.people",
    ),
    RecordedEvent(EventTime(_at(4, 5), 13), AccountClosed("A-23"), "core.people"),
    RecordedEvent(EventTime(_at(5, 6), 14), CustomerHold(HoldReason.HARDSHIP, date(2027, 1, 6)), "core.people"),
    RecordedEvent(EventTime(_at(6, 7), 15), CustomerReleased(HoldReason.COMPLAINT), "core.people"),
    RecordedEvent(EventTime(_at(7, 8), 16), CustomerAttended("called_back"), "u-7f3a"),
    RecordedEvent(EventTime(_at(8, 9), 17), AddressChanged(AddressKind.LINE, "U" + "4" * 32), "core.people"),
    RecordedEvent(EventTime(_at(9, 10), 18), ConsentChanged(Channel.EMAIL, _at(9, 11)), "core.people"),
)
OBJECTS: Mapping[str, Any] = {
    "lender_record": LenderRecord(
        customer_id="C-1001",
        revision=17,
        indexed_accounts=("A-1", "A-2"),
        snapshot=Facts(
            customer_id="C-1001",
            name="林測試",
            phone="+886900000001",
            phone_country="TW",
            country="HK",
            region="KLN",
            language="zh-Hant",
            time_zone="Asia/Taipei",
            lender="demo-tw",
            consented_at=_at(7, 8),
            accounts=(
                Account(
                    account_id="A-24",
                    tail="5678",
                    currency="CNY",
                    instalments=(
                        Instalment(
                            number=1,
                            due_on=date(2026, 11, 21),
                            amount=325_000,
                            paid=111_000,
                            stage_reached=30,
                            written_notice_on=date(2026, 12, 22),
                            late_fee=9_900,
                        ),
                        Instalment(number=2, due_on=date(2026, 12, 21), amount=326_000, paid=112_000),
                    ),
                    product="phone loan",
                    pay_account="822-99990001",
                ),
            ),
            holds=(Hold(HoldReason.DISPUTE, date(2027, 2, 8), _at(8, 9)), Hold(HoldReason.LEGAL, date(2027, 2, 9))),
            opted_out=True,
            as_of=_at(9, 10),
            paid_as_of=_at(10, 11),
            not_in_list_since=_at(10, 12),
            email="reader@example.com",
            line_user_id="U" + "1" * 32,
            channel_consents={"email": _at(10, 13), "line": _at(10, 14)},
        ),
        events={event_key(recorded): recorded for recorded in EVENTS},
        phones=("+886900000001", "+886900000002"),
        erased_at=_at(11, 12),
        phones_until=_at(12, 13),
        next_phone="+886900000006",
        addresses=("reader@example.com", "former@example.com"),
        next_addresses=("next@example.com",),
    ),
    "standing": Standing(
        customer_id="C-1002",
        version=18,
        wake=Wake(_at(13, 14), 3),
        ledger=(
            LedgerEntry(
                send_id="send-1",
                claim_id="claim-1",
                at=_at(14, 15),
                stage=7,
                accounts=("A-25", "A-26"),
                channel="sms",
                for_wake=_at(15, 16),
                failed=True,
                also_named=("A-33", "A-34"),
                draws="hquiet.text:0.95;tkind.usual:0.5",
                payer_segment="punctual",
                asked="0.3:50000",
            ),
            LedgerEntry(
                send_id="send-2",
                claim_id="claim-2",
                at=_at(16, 17),
                stage=-3,
                accounts=("A-27",),
                channel="sms",
                for_wake=_at(17, 18),
            ),
        ),
        progress={"A-25#6": Progress(14, date(2026, 11, 23), date(2026, 12, 24), 214_000)},
        opted_out_at=_at(18, 19),
        holds=(Hold(HoldReason.QUESTION, date(2027, 3, 10), _at(19, 20)),),
        planned_for="facts-1",
        reason="due",
        opted_in_at=_at(20, 21),
        opted_out_accounts={"A-28": _at(21, 22)},
        payment_statements=(
            PaymentStatement(
                reason=HoldReason.SAYS_PAID,
                said_at=_at(22, 23),
                day=date(2026, 11, 25),
                until=date(2026, 12, 26),
                accounts=("A-29",),
                about=("A-29#8",),
                silent_until=date(2026, 12, 28),
            ),
        ),
        promises={"A-30#9": PromiseToPay(_at(23, 1), date(2026, 12, 27), kept=False)},
        suspended={
            "sms": AddressSince("+886900000003", _at(24, 2)),
            "line": AddressSince("U" + "3" * 32, _at(24, 4), is_usable=True),
        },
        shared={
            "number": AddressSince("+886900000004", _at(25, 3)),
            "email": AddressSince("shared@example.com", _at(25, 5)),
        },
        reply_labels={
            label_key(_at(19, 20)): ReplyLabel(
                at=_at(20, 8), sequence=4, intents=("paid", "question"), promised_on=date(2026, 12, 29)
            )
        },
        facts_revision=19,
        announced=("no_written_notice:A-25#6", "number_refused"),
        recent=(
            RecentDecision(_at(25, 4).replace(microsecond=0), "quiet_hours", _at(26, 5).replace(microsecond=0)),
            RecentDecision(_at(26, 6).replace(microsecond=0), "no_consent"),
        ),
        lender_id="demo-hk",
        attention=(
            OpenReview("number_refused", _at(26, 7)),
            OpenReview("not_understood", _at(26, 8), "in-31"),
        ),
        attended_at=_at(26, 9),
        history=PaymentHistory(on_time=11, late=3, last_late_days=9, streak=5, silent_run=2),
        outages={"line": Outage(_at(26, 10).replace(microsecond=0), _at(26, 11).replace(microsecond=0))},
    ),
    "contact": Contact(
        customer_id="C-1003",
        send_id="send-3",
        claim_id="claim-3",
        at=_at(26, 4),
        state=ContactState.UNKNOWN,
        stage=21,
        account_ids=("A-31", "A-32"),
        channel="sms",
        expires_at=datetime(2031, 12, 31, tzinfo=UTC),
        lender="demo-hk",
        jurisdiction="HK",
        phone="+85251234567",
        text="A payment is due.",
        encoding="GSM-7",
        parts=2,
        template="single",
        registered_template="T-33",
        message_id="message-1",
        code="Throttled",
        price_usd_micros=41_700,
        reasons=("due", "stage 21"),
        reported_at=_at(27, 5),
        response="Delivered to the phone",
        delivery_status="delivered",
        billed_parts=3,
        billed_price_usd_micros=62_550,
        erased_at=_at(28, 6),
        gateway="eum",
        address="U" + "2" * 32,
        lapses_at=_at(28, 7),
        draws="hquiet.text:0.95;ttone.kind:0.31;ohour.18:0.25u",
        payer_segment="often_late",
        asked="0.2:120000,1.7:90000",
    ),
    "reply": Reply(
        customer_id="C-1004",
        inbound=InboundSms(
            inbound_id="inbound-1",
            phone="+886900000005",
            text="I pay on Friday.",
            at=_at(29, 7),
            in_reply_to="message-2",
            channel=Channel.LINE,
            address="U" + "4" * 32,
            button="paid",
        ),
        intents=("promise", "help"),
        promised_on=date(2026, 12, 4),
        expires_at=datetime(2027, 6, 30, tzinfo=UTC),
        sure=("promise", "complaint"),
        likely=("question",),
        why=("day", "w:pay"),
        digits="9876",
        labels=("promise", "dispute"),
        labelled_at=_at(30, 8),
        label_sequence=6,
        label_promised_on=date(2026, 12, 11),
        lender="demo-cn",
    ),
    "file_loads": KnownLoads(
        20,
        (FileLoad("accounts/one.csv", _at(21, 9), is_finished=True), FileLoad("accounts/two.csv", _at(22, 10))),
    ),
    "file_report": FileReport(
        file_id="0f" * 16,
        uploaded_at=_at(21, 9),
        ended_at=_at(21, 10),
        expires_at=_at(28, 9).replace(microsecond=0),
        name="accounts/three.csv",
        list_of="demo-tw",
        refused="no_heading",
        line=2,
        field="due_on",
        hint="Write the heading.",
        rejects_key="rejects/three.csv",
        rows=101,
        rows_refused=3,
        rows_noted=4,
        customers_loaded=51,
        customers_unchanged=6,
        customers_refused=7,
        older=8,
        erased=9,
        not_in_list=10,
        phones_shared=11,
        holds_not_understood=12,
        columns_ignored=13,
        parts=14,
        seconds=15,
    ),
}
"""What is stored now."""


def _without_the_console(stored: Any) -> Any:  # noqa: ANN401 - any of the objects
    """Return what schema 3 knew: neither who acted nor what waits for a person, and nothing that is only counted."""
    match stored:
        case Standing():
            progress = {key: replace(reached, asked=0) for key, reached in stored.progress.items()}
            return replace(
                stored,
                ledger=tuple(replace(entry, draws="", payer_segment="", asked="") for entry in stored.ledger),
                recent=(),
                lender_id="",
                attention=(),
                attended_at=None,
                progress=progress,
                suspended={"sms": stored.suspended["sms"]},
                shared={"number": stored.shared["number"]},
                outages={},
                history=PaymentHistory(),
            )
        case LenderRecord():
            known = {
                key: recorded._replace(by="")
                for key, recorded in stored.events.items()
                if not isinstance(recorded.event, CustomerAttended | AddressChanged | ConsentChanged)
            }
            assert stored.snapshot
            snapshot = replace(stored.snapshot, email=None, line_user_id=None, channel_consents=None)
            return replace(
                stored, events=known, indexed_accounts=(), snapshot=snapshot, addresses=(), next_addresses=()
            )
        case Reply():
            inbound = replace(stored.inbound, channel=Channel.SMS, address="", button="")
            return replace(stored, lender="", inbound=inbound)
        case Contact():
            return replace(stored, gateway="", address="", lapses_at=None, draws="", payer_segment="", asked="")
    return stored


def _as_read(schema: int, kind: str) -> Any:  # noqa: ANN401 - any of the objects
    """Return what an item of a schema is read as: a field that is younger than the schema has its default."""
    stored = OBJECTS[kind]
    if schema < 4:
        stored = _without_the_console(stored)
    match stored:
        case LenderRecord(snapshot=Facts() as snapshot) if schema < 3:
            accounts = tuple(replace(account, pay_account="") for account in snapshot.accounts)
            snapshot = replace(snapshot, accounts=accounts, not_in_list_since=None)
            return replace(stored, snapshot=snapshot, next_phone="")
        case Standing() if schema < 3:
            ledger = tuple(replace(entry, also_named=()) for entry in stored.ledger)
            stored = replace(stored, ledger=ledger, facts_revision=0, announced=())
    if schema < 2:
        match stored:
            case Standing():
                statements = tuple(replace(each, silent_until=None) for each in stored.payment_statements)
                return replace(stored, payment_statements=statements, reply_labels={})
            case Reply():
                younger: dict[str, Any] = {
                    field.name: field.default for field in items.REPLY_FIELDS.fields if field.name in YOUNGER
                }
                return replace(stored, **younger)
    return stored


YOUNGER = {"sure", "likely", "why", "digits", "labels", "labelled_at", "label_sequence", "label_promised_on"}
"""The fields of a reply that came with schema 2."""

WRITE: Mapping[str, Callable[[Any], Mapping[str, Any]]] = {
    "lender_record": lender_record_item,
    "standing": lambda standing: standing_item(standing, SHARDS),
    "contact": contact_item,
    "reply": reply_item,
    "file_loads": file_loads_item,
    "file_report": report_item,
}
READ: Mapping[str, Callable[[Stored], Any]] = {
    "lender_record": lender_record_of,
    "standing": standing_of,
    "contact": contact_of,
    "reply": reply_of,
    "file_loads": file_loads_of,
    "file_report": report_of,
}
KINDS = sorted(OBJECTS)
SINCE = dict.fromkeys(KINDS, 1) | {"file_loads": 3, "file_report": 4}
"""The first schema with an item of a kind."""
ARRAYS = {"attention": 0, "events": 0, "loads": 0, "holds": 0, "ledger": 0, "outages": 1, "payment_statements": 0,
          "progress": 1, "promises": 1, "recent": 0, "reply_labels": 1, "shared": 1, "suspended": 1}  # fmt: skip
"""Documents made of arrays: in a list, or (1) by key. Beside them there are the instalments of `accounts`."""
FULL_LENGTHS: Mapping[str, tuple[object, ...]] = {
    "attention": (None,) * 2 + ("",),
    "holds": (None,) * 3,
    "instalments": (None,) * 6 + (0,),
    "ledger": (None,) * 7 + (False, [], "", "", ""),
    "loads": (None,) * 2 + (False,),
    "recent": (None,) * 3,
    "shared": (None,) * 2 + (False,),
    "suspended": (None,) * 2 + (False,),
}
"""What a newer program writes where an array of today leaves defaults out at its end."""


def _golden_text(schema: int, kind: str) -> str:
    return (FOLDER / f"schema-{schema}" / f"{kind}.json").read_text("utf-8")


def _golden(schema: int, kind: str) -> Stored:
    item: Stored = json.loads(_golden_text(schema, kind))
    return item


def _written_text(kind: str) -> str:
    return json.dumps(WRITE[kind](OBJECTS[kind]), ensure_ascii=False, indent=2) + "\n"


def _arrays(document: str, read: Any) -> Iterator[tuple[str, list[Any]]]:  # noqa: ANN401 - JSON
    """Yield each array of a document that stands for one object, with the name of what it is stored in."""
    if document == "accounts":
        yield from (("instalments", array) for account in read for array in account["instalments"])
    elif document in ARRAYS:
        yield from ((document, array) for array in (read.values() if ARRAYS[document] else read))


def _changed(item: Stored, change: Callable[[str, Any], None]) -> Stored:
    """Return a copy of an item, with each JSON document changed in place."""
    changed = dict(item)
    for name in item.keys() & {*ARRAYS, "accounts"}:
        document = json.loads(item[name]["S"])
        change(name, document)
        changed[name] = {"S": json.dumps(document)}
    return changed


def _shifted(item: Stored, shift: Callable[[list[Any]], list[Any]]) -> Iterator[Stored]:
    """Yield copies of an item, each with another array shifted."""
    for name in sorted(item.keys() & {*ARRAYS, "accounts"}):
        for index in range(len(list(_arrays(name, json.loads(item[name]["S"]))))):
            document = json.loads(item[name]["S"])
            _, array = list(_arrays(name, document))[index]
            array[:] = shift(array)
            yield item | {name: {"S": json.dumps(document)}}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_what_the_golden_file_of_this_schema_holds(kind: str) -> None:
    assert _written_text(kind) == _golden_text(SCHEMA, kind)


@pytest.mark.parametrize(
    ("schema", "kind"), [(schema, kind) for schema in SCHEMAS for kind in KINDS if schema >= SINCE[kind]]
)
def test_an_item_of_every_schema_there_has_been_is_read(schema: int, kind: str) -> None:
    item = _golden(schema, kind)
    assert item["schema"] == {"N": str(schema)}
    read, stored = READ[kind](item), _as_read(schema, kind)
    assert read == stored
    # What is only shown does not count when two standings are compared.
    for shown in ("recent", "lender_id"):
        assert getattr(read, shown, ()) == getattr(stored, shown, ())
    assert [reached.asked for reached in getattr(read, "progress", {}).values()] == [
        reached.asked for reached in getattr(stored, "progress", {}).values()
    ]


def test_every_schema_up_to_this_one_has_its_golden_files() -> None:
    assert list(range(1, SCHEMA + 1)) == SCHEMAS
    for schema in SCHEMAS:
        kinds = [kind for kind in KINDS if schema >= SINCE[kind]]
        assert sorted(path.stem for path in (FOLDER / f"schema-{schema}").iterdir()) == kinds


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_newer_program_appends_is_passed_over(kind: str) -> None:
    def append(name: str, document: Any) -> None:  # noqa: ANN401 - JSON
        for stored_in, array in _arrays(name, document):
            array.extend(FULL_LENGTHS.get(stored_in, ())[len(array) :])
            array.append("appended")
        if name == "accounts":
            for account in document:
                account["appended"] = 1

    item = _changed(_golden(SCHEMA, kind), append)
    newer = item | {"schema": {"N": str(SCHEMA + 1)}, "appended": {"S": "later"}}
    assert READ[kind](newer) == OBJECTS[kind]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if SINCE[kind] == 1])
def test_an_item_of_before_there_were_schemas_is_read(kind: str) -> None:
    item = _golden(1, kind)
    del item["schema"]
    assert READ[kind](item) == _as_read(1, kind)


SHIFTS: Mapping[str, Callable[[list[Any]], list[Any]]] = {
    "without its first element": lambda array: array[1:],
    "with its first element twice": lambda array: [array[0], *array],
    "with nothing before it": lambda array: [None, *array],
    "without most of its elements": lambda array: array[:1],
    "with flags for numbers": lambda array: [bool(x) if type(x) is int else x for x in array] + [True],
    "with texts for numbers": lambda array: [str(x) if type(x) is int else x for x in array],
}


@pytest.mark.parametrize("kind", ["lender_record", "standing"])
@pytest.mark.parametrize("shift", list(SHIFTS)[:4])
def test_a_shifted_array_is_refused_and_not_misread(shift: str, kind: str) -> None:
    shifted = list(_shifted(_golden(SCHEMA, kind), SHIFTS[shift]))
    assert shifted
    for item in shifted:
        with pytest.raises(UnreadableRecordError):
            READ[kind](item)


@pytest.mark.parametrize("shift", list(SHIFTS)[4:])
def test_an_amount_is_a_number_and_neither_a_flag_nor_a_text(shift: str) -> None:
    item = _golden(SCHEMA, "lender_record")
    accounts = json.loads(item["accounts"]["S"])
    for position in (0, 2, 3, 4, 6):
        array = list(accounts[0]["instalments"][0])
        array[position] = SHIFTS[shift]([array[position]])[0]
        changed = [{**accounts[0], "instalments": [array]}]
        with pytest.raises(UnreadableRecordError):
            lender_record_of(item | {"accounts": {"S": json.dumps(changed)}})


LAYOUTS = {name: layout for name, layout in sorted(vars(items).items()) if isinstance(layout, ArrayLayout | ItemLayout)}


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        (name, first, second)
        for name, layout in LAYOUTS.items()
        if name != "RECEIPT"  # its order is that of its part of CONTACT
        for first, second in combinations(range(len(layout.fields)), 2)
    ],
)
def test_no_two_fields_can_be_exchanged_unnoticed(
    monkeypatch: pytest.MonkeyPatch, name: str, first: int, second: int
) -> None:
    layout = LAYOUTS[name]
    fields = list(layout.fields)
    fields[first], fields[second] = (
        fields[second]._replace(default=fields[first].default),
        fields[first]._replace(default=fields[second].default),
    )
    other = ArrayLayout(layout.kept, *fields) if isinstance(layout, ArrayLayout) else ItemLayout(*fields)
    monkeypatch.setattr(layout, "__dict__", vars(other))
    assert any(_is_noticed(kind) for kind in KINDS)


def _is_noticed(kind: str) -> bool:
    try:
        return _written_text(kind) != _golden_text(SCHEMA, kind)
    except (AttributeError, TypeError, ValueError):
        return True


def test_a_record_that_cannot_be_read_says_which_newer_program_wrote_it_and_nothing_of_what_it_holds() -> None:
    item = _golden(SCHEMA, "standing") | {"ledger": {"S": '[["secret"]]'}}
    with pytest.raises(UnreadableRecordError) as refused:
        standing_of(item)
    assert str(refused.value) == "standing: TypeError"
    with pytest.raises(UnreadableRecordError) as refused:
        standing_of(item | {"schema": {"N": "7"}})
    assert str(refused.value) == f"standing of schema 7, known is {SCHEMA}: TypeError"
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("schema", [{"S": "1"}, {"N": "?"}, {"NULL": True}])
def test_a_schema_that_is_no_number_changes_nothing(schema: dict[str, Any]) -> None:
    assert standing_of(_golden(SCHEMA, "standing") | {"schema": schema}) == OBJECTS["standing"]
    with pytest.raises(UnreadableRecordError, match=r"^standing: JSONDecodeError$"):
        standing_of(_golden(SCHEMA, "standing") | {"schema": schema, "ledger": {"S": "?"}})


@pytest.mark.parametrize(
    "document",
    ["{}", '"abc"', "1", "null", "[1]", '["ab"]', '[{"number":1}]', "[[]]", "[" * 100_000],
    ids=lambda document: document[:20],
)
def test_a_document_of_another_shape_is_refused(document: str) -> None:
    for kind, name in (("standing", "ledger"), ("standing", "holds"), ("standing", "progress"),
                       ("lender_record", "accounts"), ("lender_record", "events"), ("lender_record", "phones"),
                       ("contact", "reasons")):  # fmt: skip
        if (name, document) == ("progress", "{}"):
            continue
        if name in {"phones", "reasons"} and document == '["ab"]':
            continue
        with pytest.raises(UnreadableRecordError):
            READ[kind](_golden(SCHEMA, kind) | {name: {"S": document}})


def test_an_event_of_a_kind_nobody_knows_is_refused_rather_than_lost() -> None:
    unknown = json.dumps([["2026-11-02T03:07:09.123456Z", 1, "forgiven", "A-1"]])
    with pytest.raises(UnreadableRecordError):
        lender_record_of(_golden(SCHEMA, "lender_record") | {"events": {"S": unknown}})


def test_a_layout_has_the_fields_its_type_is_made_of() -> None:
    with pytest.raises(ValueError, match="is not made of these fields"):
        ArrayLayout(Progress, *items.PROGRESS.fields[1:])


def test_a_field_that_may_be_left_out_is_at_the_end() -> None:
    stage, on, due_on, asked = items.PROGRESS.fields
    with pytest.raises(ValueError, match="default before its end"):
        ArrayLayout(Progress, stage, on._replace(default=None), due_on, asked)
