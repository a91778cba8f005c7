"""Builders: a customer, what they owe, and what they have been sent, with only what a test is about spelled out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Account, Facts, HoldReason, Instalment
from dunning.domain.customer.lender_record import (
    EventTime,
    LenderEvent,
    LenderRecord,
    RecordedEvent,
    project_facts,
    record_snapshot,
)
from dunning.domain.customer.standing import (
    LedgerEntry,
    PaymentStatement,
    Progress,
    PromiseToPay,
    Standing,
    progress_key,
    with_claim,
)
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Reminder, Send
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.draws import draws_to_text
from dunning.policy import PolicyBook, load_policies
from dunning.policy.files import DataFile
from dunning.policy.lender import load_lenders
from dunning.ports.customers import CustomerStore, StoredCustomer


def instant(wall: str, zone: str) -> datetime:
    """Return the instant at which clocks in a zone show `2026-12-01 10:00`."""
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def taipei(wall: str) -> datetime:
    """Return the instant at which clocks in Taipei show `2026-12-01 10:00`."""
    return instant(wall, "Asia/Taipei")


def day(written: str) -> date:
    """Read `2026-12-01`."""
    return date.fromisoformat(written)


def an_instalment(
    due: str = "2026-12-01",
    amount: int = 325_000,
    *,
    number: int = 1,
    paid: int = 0,
    stage_reached: int | None = None,
    notice: str = "",
    late_fee: int = 0,
) -> Instalment:
    """Describe one period: NT$3,250 due on 1 December 2026, unless told otherwise; `notice` is a day."""
    return Instalment(
        number=number,
        due_on=day(due),
        amount=amount,
        paid=paid,
        stage_reached=stage_reached,
        written_notice_on=day(notice) if notice else None,
        late_fee=late_fee,
    )


def an_account(*instalments: Instalment, account_id: str = "A1", tail: str = "5678", currency: str = "TWD") -> Account:
    """Describe a contract with these instalments, or one of the usual kind."""
    return Account(account_id=account_id, tail=tail, currency=currency, instalments=instalments or (an_instalment(),))


def a_customer(*accounts: Account, **changes: Any) -> Facts:  # noqa: ANN401 - fields
    """Describe a customer in Taiwan with these accounts, or one of the usual kind."""
    facts = Facts(
        customer_id="C1",
        name="王小明",
        phone="+886900000001",
        phone_country="TW",
        country="TW",
        region="",
        language="zh-Hant",
        time_zone="",
        lender="demo-tw",
        consented_at=None,
        accounts=accounts or (an_account(),),
    )
    return replace(facts, **changes)


def a_lender_record(facts: Facts) -> LenderRecord:
    """Describe a lender who has stated these facts and nothing else."""
    return LenderRecord(customer_id=facts.customer_id, revision=1, snapshot=facts, phones=(facts.phone,))


def by_event(at: datetime, event: LenderEvent, sequence: int = 0) -> RecordedEvent:
    """Describe an event that the lender gives a time, and a place among those of that time."""
    return RecordedEvent(EventTime(at, sequence), event)


def facts_of(record: LenderRecord) -> Facts:
    """Return what the lender has said of a customer who is known."""
    facts = project_facts(record)
    assert facts is not None
    return facts


def store_facts(store: CustomerStore, facts: Facts) -> bool:
    """State facts to a store, as intake does; tell whether they are now the stored ones."""
    stored = store.load_stored([facts.customer_id])[facts.customer_id]
    assert isinstance(stored, StoredCustomer)
    after = record_snapshot(stored.lender_record, facts)
    return after is not stored.lender_record and store.save_lender_record(
        after, expected_revision=stored.lender_record.revision
    )


def store_customer(store: CustomerStore, facts: Facts, standing: Standing) -> bool:
    """Put a customer into a store who is not there yet, as a load leaves them."""
    return store.save_customer(a_lender_record(facts), standing, expected_revision=0, expected_version=0)


IN_HONG_KONG = {"country": "HK", "phone_country": "HK", "phone": "+85251234567"}
IN_MAINLAND_CHINA = {
    "country": "CN",
    "phone_country": "CN",
    "phone": "+8613800000000",
    "language": "zh-Hans",
    "lender": "demo-cn",
}
IN_THE_UNITED_STATES = {
    "country": "US",
    "phone_country": "US",
    "phone": "+12025550100",
    "language": "en",
    "name": "John Smith",
    "consented_at": datetime(2026, 1, 1, tzinfo=UTC),
}
"""A state is not known: any zone of the country is possible."""


def a_text(
    at: datetime, *accounts: str, stage: int = 0, claim_id: str = "claim", for_wake: datetime | None = None
) -> LedgerEntry:
    """Describe a text that was claimed at an instant, about these accounts or `A1`."""
    return LedgerEntry(
        send_id=f"send-{at.isoformat()}",
        claim_id=claim_id,
        at=at,
        stage=stage,
        accounts=accounts or ("A1",),
        channel="sms",
        for_wake=for_wake,
    )


def a_contact(customer_id: str, entry: LedgerEntry, state: ContactState, expires_at: datetime) -> Contact:
    """Describe the audit record of a claim, without what was sent."""
    return Contact(
        customer_id=customer_id,
        send_id=entry.send_id,
        claim_id=entry.claim_id,
        at=entry.at,
        state=state,
        stage=entry.stage,
        account_ids=entry.accounts,
        channel=entry.channel,
        expires_at=expires_at,
    )


def progress_at(
    stage: int, on: str, *, due: str = "2026-12-01", account: str = "A1", number: int = 1
) -> dict[str, Progress]:
    """Describe a ladder: the stage that was sent on a day, for an instalment that was due on another."""
    return {progress_key(account, number): Progress(stage, day(on), day(due))}


def a_standing(
    *ledger: LedgerEntry,
    progress: Mapping[str, Progress] | None = None,
    **changes: Any,  # noqa: ANN401 - fields
) -> Standing:
    """Describe what `C1` has been sent, and the stages that ladders have reached."""
    return replace(Standing(customer_id="C1", version=1, ledger=ledger, progress=progress or {}), **changes)


def promised(said_at: datetime, on: date, *instalments: str, kept: bool | None = None) -> dict[str, Any]:
    """Describe a promise about instalments, by `progress_key`, as fields of a standing."""
    accounts = tuple(sorted({key.rpartition("#")[0] for key in instalments}))
    statement = PaymentStatement(
        reason=HoldReason.PROMISE, said_at=said_at, day=said_at.date(), until=on, accounts=accounts, about=instalments
    )
    return {"payment_statements": (statement,), "promises": dict.fromkeys(instalments, PromiseToPay(said_at, on, kept))}


def texted_ago(now: datetime, *spans: timedelta) -> Standing:
    """Describe a customer who was texted these spans before now, about an account that is paid by now."""
    return a_standing(*(a_text(now - span, "A9") for span in sorted(spans, reverse=True)))


@cache
def the_spread_policies() -> PolicyBook:
    """Return the policies that come with the package."""
    return load_policies()


@cache
def the_policies() -> PolicyBook:
    """Return the policies that come with the package, but without the spread: a rule's moment can be written down."""
    book = the_spread_policies()
    return book.with_lenders({
        name: lender._replace(policy=lender.policy.model_copy(update={"spread": timedelta()}))
        for name, lender in book.lenders.items()
    })  # fmt: skip


def policies_with_lender(name: str, policy: str) -> PolicyBook:
    """Return the package's law and texts with one lender only, whose policy is this TOML."""
    book = the_policies()
    file = DataFile(f"lenders/{name}.toml", policy)
    return book.with_lenders(load_lenders({name: file}, book.wordings, book.places, book.linter))


def rules_of(facts: Facts, at: datetime | None = None) -> Rules:
    """Return what holds for a customer under the package's policies, on 1 December 2026 unless said otherwise."""
    rules = the_policies().rules_for(facts, at or datetime(2026, 12, 1, 4, tzinfo=UTC))
    assert isinstance(rules, Rules), rules
    return rules


class OnlyRules:
    """Policies that know one set of rules."""

    def __init__(self, rules: Rules | Reason) -> None:
        self._rules = rules

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the rules, whoever asks and when."""
        del facts, at
        return self._rules


def policies_with(facts: Facts, **changes: Any) -> OnlyRules:  # noqa: ANN401 - fields
    """Return what holds for a customer, with some rules changed."""
    return OnlyRules(replace(rules_of(facts), **changes))


def after(standing: Standing, facts: Facts, reminder: Reminder, now: datetime) -> Standing:
    """Claim a reminder, as the sender does."""
    entry = LedgerEntry(
        send_id=reminder.send_id,
        claim_id=f"claim-{standing.version}",
        at=now,
        stage=reminder.stage,
        accounts=reminder.account_ids,
        channel=reminder.channel,
        for_wake=now,
        also_named=reminder.also_named,
        draws=draws_to_text(reminder.draws),
    )
    reached_stages = {
        progress_key(reached.account_id, reached.number): Progress(reached.stage, reminder.on, reached.due_on)
        for reached in reminder.reached_stages
    }
    return with_claim(standing, entry, reached_stages, timedelta(), facts)


def texts_sent(
    facts: Facts, start: datetime, end: datetime, *, standing: Standing | None = None, policies: Policies | None = None
) -> list[tuple[str, int]]:
    """
    Wake a customer at every moment the decisions name, and return what is sent until `end`: local day and stage.

    Time that passes before `start` is an outage: nobody woke the customer.
    """
    standing = standing or a_standing()
    policies = policies or the_policies()
    sent: list[tuple[str, int]] = []
    now: datetime | None = start
    while now is not None and now < end:
        decision = decide(facts, standing, policies, now)
        if isinstance(decision, Send):
            sent.append((decision.reminder.on.isoformat(), decision.stage))
            standing = after(standing, facts, decision.reminder, now)
        else:
            assert decision.until is None or decision.until > now
            now = decision.until
    return sent
