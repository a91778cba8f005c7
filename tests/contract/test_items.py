"""What is stored is what was said, for every value there can be; and keys sort as time does."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.adapters.dynamodb.items import (
    contact_item,
    contact_of,
    lender_record_item,
    lender_record_of,
    read_facts,
    reply_item,
    reply_of,
    standing_item,
    standing_of,
)
from dunning.adapters.dynamodb.keys import (
    contact_key,
    due_until,
    instant_key,
    parse_instant,
    parse_wake_key,
    shard_of,
    wake_key,
)
from dunning.contracts.job import job_body, parse_job
from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.customer.lender_record import (
    AccountClosed,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderRecord,
    RecordedEvent,
    event_key,
    project_facts,
    record_event,
)
from dunning.domain.customer.standing import (
    AddressSince,
    LedgerEntry,
    PaymentStatement,
    Progress,
    PromiseToPay,
    Standing,
    Wake,
    progress_key,
)
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import UnreadableRecordError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.queues import Job
from tests.contract.conftest import SHARDS
from tests.support.builders import a_lender_record, an_account, an_instalment
from tests.support.people import NOW, someone, waking

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
IDS = st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
INSTANTS = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2100, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
SECONDS = INSTANTS.map(lambda moment: moment.replace(microsecond=0))
HOLDS = st.lists(st.builds(Hold, st.sampled_from(HoldReason), st.none() | DAYS), max_size=3).map(tuple)
WAKES = st.builds(Wake, INSTANTS, st.integers(0, 9))
INSTALMENTS = st.builds(
    Instalment,
    number=st.integers(1, 99_999),
    due_on=DAYS,
    amount=st.integers(-(10**17), 10**17),
    paid=st.integers(0, 10**17),
    stage_reached=st.none() | st.integers(-365, 3650),
    written_notice_on=st.none() | DAYS,
    late_fee=st.integers(0, 10**17),
)
ACCOUNTS = st.builds(
    Account,
    account_id=IDS,
    tail=TEXTS,
    currency=st.sampled_from(("TWD", "CNY", "JPY")),
    instalments=st.lists(INSTALMENTS, max_size=3).map(tuple),
    product=TEXTS,
    pay_account=TEXTS,
)
FACTS = st.builds(
    Facts,
    customer_id=IDS,
    name=WORDS,
    phone=WORDS,
    phone_country=WORDS,
    country=WORDS,
    region=TEXTS,
    language=WORDS,
    time_zone=TEXTS,
    lender=WORDS,
    consented_at=st.none() | INSTANTS,
    accounts=st.lists(ACCOUNTS, max_size=3).map(tuple),
    holds=HOLDS,
    opted_out=st.booleans(),
    as_of=st.none() | INSTANTS,
    paid_as_of=st.none() | INSTANTS,
)
CURRENCIES = st.sampled_from(("TWD", "CNY", "JPY"))
MONEY = st.integers(-(10**15), 10**15)
NUMBERS = st.integers(1, 99_999)
LENDER_EVENTS = st.one_of(
    st.builds(InstalmentPaid, IDS, NUMBERS, st.integers(0, 10**15), CURRENCIES),
    st.builds(
        InstalmentChanged,
        account_id=IDS,
        number=NUMBERS,
        due_on=DAYS,
        amount=MONEY,
        currency=CURRENCIES,
        late_fee=st.integers(0, 10**15),
        written_notice_on=st.none() | DAYS,
    ),
    st.builds(AccountClosed, IDS),
    st.builds(CustomerHold, st.sampled_from(HoldReason), st.none() | DAYS),
    st.builds(CustomerReleased, st.none() | st.sampled_from(HoldReason)),
)
RECORDED_EVENTS = st.builds(RecordedEvent, st.builds(EventTime, INSTANTS, st.integers(0, 2**53 - 1)), LENDER_EVENTS)
LENDER_RECORDS = st.builds(
    LenderRecord,
    customer_id=IDS,
    revision=st.integers(1, 10**9),
    snapshot=st.none() | FACTS,
    events=st.lists(RECORDED_EVENTS, max_size=6).map(
        lambda events: {event_key(recorded): recorded for recorded in events}
    ),
    phones=st.lists(WORDS, max_size=3).map(tuple),
    erased_at=st.none() | INSTANTS,
    phones_until=st.none() | INSTANTS,
).map(lambda made: replace(made, snapshot=made.snapshot and replace(made.snapshot, customer_id=made.customer_id)))


def _withheld(words: type[StrEnum]) -> st.SearchStrategy[dict[str, AddressSince]]:
    """Draw addresses by word. Only a refused address can be usable again."""
    usable = st.booleans() if words is Channel else st.just(value=False)
    known = st.builds(AddressSince, TEXTS.filter(bool), st.none() | INSTANTS, usable)
    return st.dictionaries(st.sampled_from([word.value for word in words]), known, max_size=3)


STANDINGS = st.builds(
    Standing,
    customer_id=IDS,
    version=st.integers(1, 10**9),
    wake=st.none() | WAKES,
    ledger=st.lists(
        st.builds(
            LedgerEntry,
            send_id=IDS,
            claim_id=IDS,
            at=INSTANTS,
            stage=st.none() | st.integers(-365, 3650),
            accounts=st.lists(IDS, max_size=3).map(tuple),
            channel=IDS,
            for_wake=st.none() | INSTANTS,
            failed=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    progress=st.dictionaries(
        st.builds(progress_key, IDS, st.integers(1, 99)), st.builds(Progress, st.integers(-365, 3650), DAYS, DAYS)
    ),
    opted_out_at=st.none() | INSTANTS,
    opted_in_at=st.none() | INSTANTS,
    opted_out_accounts=st.dictionaries(IDS, INSTANTS, max_size=3),
    suspended=_withheld(Channel),
    shared=_withheld(AddressKind),
    holds=st.lists(
        st.builds(Hold, st.sampled_from(HoldReason), st.none() | DAYS, st.none() | INSTANTS), max_size=3
    ).map(tuple),
    payment_statements=st.lists(
        st.builds(
            PaymentStatement,
            reason=st.sampled_from((HoldReason.SAYS_PAID, HoldReason.PROMISE)),
            said_at=INSTANTS,
            day=DAYS,
            until=DAYS,
            accounts=st.lists(IDS, max_size=3).map(tuple),
            about=st.lists(IDS, max_size=3).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    promises=st.dictionaries(IDS, st.builds(PromiseToPay, INSTANTS, DAYS, st.none() | st.booleans()), max_size=3),
    planned_for=TEXTS,
    reason=TEXTS,
)
CONTACTS = st.builds(
    Contact,
    customer_id=IDS,
    send_id=IDS,
    claim_id=IDS,
    at=INSTANTS,
    state=st.sampled_from(ContactState),
    stage=st.none() | st.integers(-365, 3650),
    account_ids=st.lists(IDS, max_size=3).map(tuple),
    channel=IDS,
    expires_at=SECONDS,  # the unit of DynamoDB's time to live
    lender=TEXTS,
    jurisdiction=TEXTS,
    phone=TEXTS,
    text=TEXTS,
    encoding=TEXTS,
    parts=st.integers(0, 9),
    template=TEXTS,
    registered_template=TEXTS,
    message_id=TEXTS,
    code=TEXTS,
    price_usd_micros=st.integers(0, 10**9),
    reasons=st.lists(TEXTS, max_size=3).map(tuple),
    reported_at=st.none() | INSTANTS,
    response=TEXTS,
    delivery_status=TEXTS,
    billed_parts=st.integers(0, 9),
    billed_price_usd_micros=st.integers(0, 10**9),
    erased_at=st.none() | INSTANTS,
)
REPLIES = st.builds(
    Reply,
    customer_id=st.just("") | IDS,
    inbound=st.builds(InboundSms, inbound_id=IDS, phone=WORDS, text=TEXTS, at=INSTANTS, in_reply_to=st.just("") | IDS),
    intents=st.lists(IDS, max_size=3).map(tuple),
    promised_on=st.none() | DAYS,
    expires_at=SECONDS,
)


@given(FACTS)
def test_facts_come_back_as_they_were(facts: Facts) -> None:
    assert read_facts(lender_record_item(a_lender_record(facts))) == facts


@given(LENDER_RECORDS)
def test_what_a_lender_has_said_comes_back_as_it_was(lender_record: LenderRecord) -> None:
    assert lender_record_of(lender_record_item(lender_record)) == lender_record


@given(LENDER_RECORDS)
def test_facts_are_worked_out_from_what_is_stored_as_from_what_was_said(lender_record: LenderRecord) -> None:
    assert read_facts(lender_record_item(lender_record)) == project_facts(lender_record)


def test_when_an_instalment_was_paid_is_stored_with_the_event_that_says_so_and_nowhere_else() -> None:
    facts = someone()
    recorded_event = RecordedEvent(EventTime(NOW), InstalmentPaid("A0001-0", 1, 325_000, "TWD"))
    lender_record = record_event(a_lender_record(facts), recorded_event)
    read = lender_record_of(lender_record_item(lender_record))
    assert read.snapshot == facts
    worked_out = project_facts(read)
    assert worked_out is not None
    assert worked_out.accounts[0].instalments[0].paid_at == NOW


@pytest.mark.slow(reason="draws a hundred standings with ledgers")
@given(STANDINGS)
def test_a_standing_comes_back_as_it_was(standing: Standing) -> None:
    assert standing_of(standing_item(standing, SHARDS)) == standing


@given(CONTACTS)
def test_a_contact_comes_back_as_it_was(contact: Contact) -> None:
    assert contact_of(contact_item(contact)) == contact


@given(REPLIES)
def test_a_reply_comes_back_as_it_was(reply: Reply) -> None:
    assert reply_of(reply_item(reply)) == reply


@given(st.builds(Job, IDS, INSTANTS))
def test_a_job_comes_back_as_it_was(job: Job) -> None:
    assert parse_job(job_body(job)) == job


@given(INSTANTS, st.integers(-14, 14))
def test_an_instant_is_written_the_same_wherever_it_was_said(moment: datetime, hours: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert instant_key(elsewhere) == instant_key(moment)
    assert parse_instant(instant_key(elsewhere)) == moment


@given(WAKES, WAKES)
def test_keys_sort_by_time_then_urgency(first: Wake, second: Wake) -> None:
    assert (wake_key(first) < wake_key(second)) is (first < second)
    assert parse_wake_key(wake_key(first)) == first


@given(WAKES, INSTANTS)
def test_due_is_what_wakes_up_to_now_whatever_its_urgency(wake: Wake, now: datetime) -> None:
    assert (wake_key(wake) <= due_until(now)) is (wake.at <= now)


@given(INSTANTS, INSTANTS, IDS, IDS)
def test_contacts_sort_by_time(first: datetime, second: datetime, first_id: str, second_id: str) -> None:
    if first != second:
        assert (contact_key(first, first_id) < contact_key(second, second_id)) is (first < second)


@given(IDS, st.integers(1, 100))
def test_a_customer_has_one_shard_and_it_is_among_those_that_are_read(customer_id: str, shards: int) -> None:
    assert shard_of(customer_id, shards) == shard_of(customer_id, shards)
    assert shard_of(customer_id, shards) in {f"{shard:02d}" for shard in range(shards)}


def test_customers_spread_evenly_over_the_shards() -> None:
    counts = dict.fromkeys(range(SHARDS), 0)
    for number in range(4000):
        counts[int(shard_of(f"C{number:06d}", SHARDS))] += 1
    assert all(900 <= count <= 1100 for count in counts.values())


def test_only_a_standing_with_a_wake_is_in_the_due_index() -> None:
    keys = {"shard", "wake_key"}
    assert keys <= standing_item(waking(someone()), SHARDS).keys()
    assert not keys & standing_item(waking(someone(), None), SHARDS).keys()
    assert not keys & lender_record_item(a_lender_record(someone())).keys()


def test_instalments_stored_before_there_were_notices_and_fees_are_read() -> None:
    facts = someone()
    item: dict[str, Any] = dict(lender_record_item(a_lender_record(facts)))
    accounts = json.loads(item["accounts"]["S"])
    for account in accounts:
        account["instalments"] = [written[:5] for written in account["instalments"]]
    assert read_facts(item | {"accounts": {"S": json.dumps(accounts)}}) == facts


def test_an_instalment_without_a_notice_and_a_fee_is_stored_without_them() -> None:
    item: dict[str, Any] = dict(lender_record_item(a_lender_record(someone())))
    ((written,),) = (account["instalments"] for account in json.loads(item["accounts"]["S"]))
    assert written == [1, "2026-12-04", 325_000, 0, None]


def test_a_notice_and_a_fee_are_stored() -> None:
    noticed = an_account(an_instalment(notice="2026-12-20", late_fee=10_000))
    facts = replace(someone(), accounts=(noticed,))
    assert read_facts(lender_record_item(a_lender_record(facts))) == facts


def test_no_attribute_is_empty_for_a_key_must_not_be() -> None:
    contact = Contact(
        customer_id="C1",
        send_id="send",
        claim_id="claim",
        at=NOW,
        state=ContactState.SENT,
        stage=None,
        account_ids=(),
        channel="sms",
        expires_at=NOW,
    )
    reply = Reply(
        customer_id="",
        inbound=InboundSms(inbound_id="inbound", phone="+886900000001", text="", at=NOW),
        intents=(),
        promised_on=None,
        expires_at=NOW,
    )
    for item in (
        lender_record_item(a_lender_record(someone())),
        standing_item(Standing(customer_id="C1", version=1), SHARDS),
        contact_item(contact),
        reply_item(reply),
    ):
        assert {"S": ""} not in item.values()
        assert {"S": "[]"} not in item.values()


A_REPLY = Reply(
    customer_id="C1",
    inbound=InboundSms(inbound_id="inbound", phone="+886900000001", text="STOP", at=NOW),
    intents=(),
    promised_on=None,
    expires_at=NOW,
)
A_CONTACT = Contact(
    customer_id="C1",
    send_id="send",
    claim_id="claim",
    at=NOW,
    state=ContactState.SENT,
    stage=0,
    account_ids=(),
    channel="sms",
    expires_at=NOW,
)


@pytest.mark.parametrize("number", [10**12, 10**17, 10**20, -(10**20), -(10**12), -(10**17), -(2**63)])
@pytest.mark.parametrize(
    ("item", "read"),
    [
        (lender_record_item(a_lender_record(someone())), lender_record_of),
        (standing_item(Standing(customer_id="C1", version=1), SHARDS), standing_of),
        (contact_item(A_CONTACT), contact_of),
        (reply_item(A_REPLY), reply_of),
    ],
    ids=["lender record", "standing", "contact", "reply"],
)
def test_no_number_however_large_makes_an_item_raise_another_error_than_ours(
    item: dict[str, Any], read: Callable[[Any], object], number: int
) -> None:
    for attribute in [name for name, value in item.items() if "N" in value]:
        with contextlib.suppress(UnreadableRecordError):
            read({**item, attribute: {"N": str(number)}})


def test_a_number_that_is_no_schema_is_not_quoted() -> None:
    with pytest.raises(UnreadableRecordError, match=r"^facts of no schema: KeyError$"):
        lender_record_of({"schema": {"N": "886912345678"}})


@pytest.mark.parametrize("revision", [0, -1])
def test_a_revision_under_which_nothing_could_be_written_is_not_read(revision: int) -> None:
    written = {"N": str(revision)}
    with pytest.raises(UnreadableRecordError):
        lender_record_of({**lender_record_item(a_lender_record(someone())), "revision": written})
    with pytest.raises(UnreadableRecordError):
        standing_of({**standing_item(Standing(customer_id="C1", version=1), SHARDS), "version": written})


def test_a_claim_stays_within_one_write_unit() -> None:
    facts = someone(accounts=2)
    ledger = tuple(
        LedgerEntry(
            send_id="a" * 32,
            claim_id="b" * 32,
            at=NOW - timedelta(days=7 * weeks),
            stage=3,
            accounts=("A0001-0", "A0001-1"),
            channel="sms",
            for_wake=NOW - timedelta(days=7 * weeks),
        )
        for weeks in range(3)
    )
    progress = {
        progress_key(account.account_id, number): Progress(3, NOW.date(), NOW.date())
        for account in facts.accounts
        for number in (1, 2)
    }
    item = standing_item(waking(facts, ledger=ledger, progress=progress, planned_for="0" * 16), SHARDS)
    size = sum(len(name) + len(str(next(iter(value.values())))) for name, value in item.items())
    assert size < 1024
