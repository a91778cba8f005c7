"""The document of a customer: it is what its schema says, and lacks nothing that is stored."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from dunning.domain.customer.facts import Facts, Hold, HoldReason
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
    LenderEvent,
    LenderRecord,
    RecordedEvent,
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
)
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.contact import Contact
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.evidence.customer_document import DOCUMENT_VERSION, EVENTS_OF_A_RECORD, customer_document
from dunning.evidence.customer_evidence import Evidence, Unreadable
from dunning.evidence.timeline import build_timeline
from dunning.ports.audit_trail import AuditEntry
from dunning.ports.sessions import Role, Viewer
from tests.devtools import schemas
from tests.support.console import a_contact, a_reply
from tests.support.people import NOW, someone

DAY = date(2026, 12, 3)
SCHEMA: Mapping[str, Any] = json.loads((schemas.FOLDER / "customer_document.json").read_text("utf-8"))
EVENTS: tuple[LenderEvent, ...] = (
    InstalmentPaid("A0001-0", 1, 100, "TWD"),
    InstalmentChanged(account_id="A0001-0", number=2, due_on=DAY, amount=5, currency="TWD", written_notice_on=DAY),
    AccountClosed("A0001-9"),
    CustomerHold(HoldReason.DISPUTE, DAY),
    CustomerReleased(HoldReason.DISPUTE),
    CustomerAttended("called_back"),
    AddressChanged(AddressKind.LINE, "U" + "0" * 32),
    ConsentChanged(Channel.EMAIL, NOW),
)
ABOUT = {"made_at": "2026-12-01T02:00:00Z", "source": "a test", "looked_at_by": "ana.costa", "because": "complaint"}


def everything() -> Evidence:
    """Return a customer of whom all is stored that there can be."""
    facts = someone()
    account = replace(facts.accounts[0], pay_account="98765432109876")
    facts = replace(
        facts,
        accounts=(account,),
        holds=(Hold(HoldReason.LEGAL, DAY, NOW),),
        consented_at=NOW,
        email="wang@example.com",
    )
    record = LenderRecord(
        customer_id="C0001",
        revision=3,
        snapshot=facts,
        events={event.subject: RecordedEvent(EventTime(NOW, 1), event, "u-7f3a") for event in EVENTS},
        phones=("+886900000001",),
        erased_at=NOW - timedelta(days=9),
        phones_until=NOW,
        next_phone="+886900000002",
        indexed_accounts=("A0001-0",),
        addresses=("old@example.com",),
        next_addresses=("next@example.com",),
    )
    standing = Standing(
        customer_id="C0001",
        version=4,
        wake=Wake(NOW, 1),
        ledger=(
            LedgerEntry(
                send_id="s",
                claim_id="c",
                at=NOW,
                stage=3,
                accounts=("A0001-0",),
                channel="sms",
                for_wake=NOW,
                failed=True,
                also_named=("A0001-0",),
                draws="hquiet.text:0.95",
            ),
        ),
        progress={"A0001-0#1": Progress(3, DAY, DAY, 500)},
        opted_out_at=NOW,
        holds=(Hold(HoldReason.QUESTION, DAY, NOW),),
        planned_for="f" * 16,
        reason="on_hold",
        opted_in_at=NOW,
        opted_out_accounts={"A0001-0": NOW},
        payment_statements=(
            PaymentStatement(
                reason=HoldReason.PROMISE, said_at=NOW, day=DAY, until=DAY, accounts=("A0001-0",), about=("A0001-0#1",)
            ),
        ),
        promises={"A0001-0#1": PromiseToPay(NOW, DAY, kept=False)},
        suspended={"sms": AddressSince("+886900000001", NOW)},
        shared={"number": AddressSince("+886900000001", NOW)},
        reply_labels={NOW.isoformat(): ReplyLabel(at=NOW, sequence=1, intents=("paid",), promised_on=DAY)},
        announced=("shared_phone",),
        facts_revision=3,
        recent=(RecentDecision(NOW, "quiet_hours", NOW),),
        lender_id="demo-tw",
        attention=(OpenReview("dispute", NOW, "reply-1"),),
        attended_at=NOW,
        outages={"line": Outage(NOW, NOW)},
    )
    reply = replace(a_reply(facts, "我要分期"), labelled_at=NOW, labels=("paid",), label_promised_on=DAY)
    return Evidence(
        customer_id="C0001",
        lender_record=record,
        standing=standing,
        contacts=(a_contact(facts, "請繳至 98765432109876。"),),
        replies=(reply,),
        unreadable=(Unreadable("contact", NOW, "broken"),),
        gaps=("the logs",),
    )


def document_of(evidence: Evidence) -> dict[str, Any]:
    looked = AuditEntry(at=NOW, entry_id="e", viewer=Viewer("ana.costa", Role.COMPLIANCE), act="looked")
    timeline = build_timeline(evidence, ZoneInfo("Asia/Taipei"), NOW)
    written = json.dumps(customer_document(evidence, timeline, [looked], **ABOUT), ensure_ascii=False)
    found: dict[str, Any] = json.loads(written)
    return found


def errors_in(document: Mapping[str, Any]) -> list[str]:
    checked = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in checked.iter_errors(document)
    ]


@pytest.mark.parametrize(
    "evidence",
    [
        everything(),
        Evidence(customer_id="C0001"),
        Evidence(customer_id="C0001", lender_record=LenderRecord(customer_id="C0001", revision=2, erased_at=NOW)),
        replace(everything(), standing=None),
    ],
    ids=["everything", "nobody", "erased", "without a standing"],
)
def test_a_document_is_what_its_schema_says(evidence: Evidence) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert errors_in(document_of(evidence)) == []


def test_the_schema_refuses_what_is_not_in_it() -> None:
    document = document_of(everything())
    document["stored"]["standing"]["secret"] = 1
    del document["stored"]["contacts"][0]["text"]
    assert len(errors_in(document)) >= 2


def test_nothing_that_is_stored_is_left_out_word_for_word() -> None:
    document = document_of(everything())
    stored = document["stored"]
    records: tuple[tuple[Any, Any], ...] = (
        (LenderRecord, stored["lender_record"]),
        (Facts, stored["facts_now"]),
        (Standing, stored["standing"]),
        (Contact, stored["contacts"][0]),
        (Reply, stored["replies"][0]),
        (InboundSms, stored["replies"][0]["inbound"]),
    )
    for kind, record in records:
        names = [field.name for field in fields(kind)] if hasattr(kind, "__dataclass_fields__") else kind._fields
        assert set(names) == set(record), kind
    assert {event["event"]["event"] for event in stored["lender_record"]["events"].values()} == {
        kind.__name__ for kind in EVENTS_OF_A_RECORD
    }
    assert stored["contacts"][0]["text"] == "請繳至 98765432109876。"
    assert document["document_version"] == DOCUMENT_VERSION
    assert [look["by"] for look in document["looks"]] == ["ana.costa"]
    assert "the logs" in document["not_read"]


def test_the_customer_of_this_test_has_a_value_in_every_field_of_the_standing_and_the_record() -> None:
    """A field that is added and empty here would be checked by nobody."""
    evidence = everything()
    assert list(empty_in(evidence.standing)) == []
    assert list(empty_in(evidence.lender_record)) == []


def empty_in(record: Any) -> Iterator[str]:  # noqa: ANN401 - a dataclass
    for field in fields(record):
        if not getattr(record, field.name):
            yield field.name
