"""
What the console's pages are measured on: ten lenders, so many customers with all that is stored of them, a busy day.

Everything is written by the project's own writers, or is of the text that they write with another number in it.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dunning.adapters.dynamodb.case_table import DynamoCases
from dunning.adapters.dynamodb.console_table import DynamoConsole
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import contact_item, lender_record_item, reply_item, standing_item
from dunning.adapters.dynamodb.keys import attention_key, contact_key, instant_key, reply_key
from dunning.adapters.dynamodb.tally_table import DynamoTally
from dunning.domain.census import CensusPart
from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import OpenReview, Progress, RecentDecision, Standing, Wake, progress_key
from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import DeliveryStatus
from dunning.domain.outbound_events import ReviewReason
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.asked_erasures import AskedErasure
from dunning.ports.audit_trail import AuditEntry
from dunning.ports.case_book import Case, CaseNote
from dunning.ports.file_loads import FileReport
from dunning.ports.sessions import Role, Session, Viewer
from dunning.ports.tallies import CountedChanges
from dunning.services.console.login import session_key
from tests.bench.console_store import NUMBER, ConsoleStore, Kept, kept_of
from tests.bench.portfolio import NOW, customer, standing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = Mapping[str, Mapping[str, Any]]

LENDERS = tuple(f"lender-{number:02d}" for number in range(10))
DAYS = 35
"""Days of the tally: as many as lists are kept."""

BUSY = "C000000"
"""A customer with a long life: hundreds of texts, replies and looks."""
TYPICAL = "C000011"

COLLEAGUES = 50
SHARDS = 4
_FAR = timedelta(days=1827)
_VARIANTS = 40
_WAITING_SHARE = 50
"""Of so many customers one waits for a person."""
_BUSY_TEXTS, _BUSY_REPLIES, _BUSY_ENTRIES = 300, 100, 400
_TEXT = "【示範分期】王*明您好，末碼1234分期款NT$3,250將於12/4到期，請用官方APP繳款，已繳請忽略，客服0800-000-123"
_REASONS = (
    "accounts with something open: 1",
    "stage: 3, due since 2026-11-20",
    "hours: open in TW until 20:00",
    "at most 1 in 24h: none",
    "at most 3 in 7d: 1",
)
_REVIEWS = (
    ReviewReason.DISPUTE,
    ReviewReason.HARDSHIP,
    ReviewReason.COMPLAINT,
    ReviewReason.QUESTION,
    ReviewReason.LADDER_FINISHED,
    ReviewReason.SHARED_PHONE,
    ReviewReason.DISTRESS,
)


def write_lenders(folder: Path, sample: Path) -> None:
    """Write ten lenders after the one of a file."""
    (folder / "lenders").mkdir(parents=True)
    written = sample.read_text("utf-8")
    for lender in LENDERS:
        (folder / "lenders" / f"{lender}.toml").write_text(written.replace('"demo-tw"', f'"{lender}"'), "utf-8")


def fill(store: ConsoleStore, client: "DynamoDBClient", customers: int) -> None:
    """Fill the tables, with an entry of the audit trail for each customer on the day itself."""
    _put_customers(store, customers)
    _put_busy_life(store)
    _put_audit(store, DynamoConsole(client, "console"), customers)
    _put_tally(DynamoTally(client, "tally"), customers)
    _put_files(DynamoCustomers(client, "customers", SHARDS))
    _put_cases(DynamoCases(client, "console"), customers)


def open_session(client: "DynamoDBClient", role: Role) -> str:
    """Log somebody of a role in, and return the id that the browser keeps."""
    session_id, now = f"session-{role.value}", datetime.now(UTC)
    session = Session(
        key=session_key(session_id),
        viewer=Viewer(f"colleague-{list(Role).index(role):02d}", role),
        began_at=now,
        seen_at=now,
        ends_at=now + timedelta(hours=8),
    )
    DynamoConsole(client, "console").add(session)
    return session_id


# ------------------------------------------------------------------ customers


def _put_customers(store: ConsoleStore, customers: int) -> None:
    table, contacts = store.tables["customers"], store.tables["contacts"]
    models = [_model(variant) for variant in range(_VARIANTS)]
    waiting = [_waiting_model(variant) for variant in range(_VARIANTS)]
    for number in range(customers):
        digits = f"{number:06d}"
        waits = number % _WAITING_SHARE == 0
        place = number // _WAITING_SHARE if waits else number
        for item, kept in (waiting if waits else models)[place % _VARIANTS]:
            (contacts if "contact" in item else table).put_numbered(item, kept, digits)


type _Numbered = tuple[Item, Kept]
"""An item, and its text with the number's place in it."""


def _numbered(number: int, *items: Item) -> list[_Numbered]:
    """Return items with the place of the number in place of a number."""
    digits = f"{number:06d}"
    found: list[_Numbered] = []
    for item in items:
        kept = kept_of(item)
        keys = {name: {"S": value["S"].replace(digits, NUMBER)} for name, value in item.items() if "S" in value}
        found.append((keys, kept._replace(text=kept.text.replace(digits, NUMBER))))
    return found


def _model(variant: int) -> list[_Numbered]:
    """Return the items of a customer with two texts, and a reply if the variant is even."""
    number = 900_001 + variant
    facts, stored = _customer(number, variant)
    items: list[Item] = [lender_record_item(_record(facts)), standing_item(stored, SHARDS)]
    items += [contact_item(_contact(facts, at)) for at in (NOW - timedelta(days=9), NOW - timedelta(days=16))]
    if variant % 2 == 0:
        items.append(reply_item(_reply(facts, NOW - timedelta(days=9, minutes=-20))))
    account, phone = f"account#{facts.accounts[0].account_id}", f"phone#{facts.phone}"
    items.append({"customer_id": {"S": account}, "item": {"S": f"owner#{facts.customer_id}"}})
    items.append({"customer_id": {"S": phone}, "item": {"S": "phone"}, "customers": {"SS": [facts.customer_id]}})
    return _numbered(number, *items)


def _waiting_model(variant: int) -> list[_Numbered]:
    """Return the items of a customer who waits for a person, since some hours or days."""
    number = 900_001 + variant
    facts, stored = _customer(number, variant)
    since = NOW - timedelta(hours=3 * variant + 1)
    reply = _reply(facts, since)
    review = OpenReview(_REVIEWS[variant % len(_REVIEWS)], since, reply.inbound.inbound_id)
    stored = replace(stored, attention=(review,), wake=Wake(NOW + timedelta(days=2), 0))
    items: list[Item] = [lender_record_item(_record(facts)), standing_item(stored, SHARDS)]
    assert items[1]["attention_at"]["S"][2:] == attention_key(since, urgent=False)[2:]
    items += [contact_item(_contact(facts, since - timedelta(minutes=20))), reply_item(reply)]
    return _numbered(number, *items)


def _record(facts: Facts) -> LenderRecord:
    return LenderRecord(customer_id=facts.customer_id, revision=1, snapshot=facts, phones=(facts.phone,))


def _customer(number: int, variant: int) -> tuple[Facts, Standing]:
    """Return one of several kinds: not due yet, overdue and texted, with two accounts, held."""
    kind = variant // len(LENDERS)
    ahead = (9, -4, -20, 3)[kind]
    facts = replace(
        customer(number, NOW.date() + timedelta(days=ahead), accounts=1 + (kind == 2), paid=3),
        lender=LENDERS[variant % len(LENDERS)],
        holds=(Hold(HoldReason.DISPUTE, NOW.date() + timedelta(days=9)),) if kind == 3 else (),
    )
    account = facts.accounts[0]
    due = next(each for each in account.instalments if each.open)
    stored = replace(
        standing(facts, 2),
        progress={progress_key(account.account_id, due.number): Progress(0, due.due_on, due.due_on)},
        # The last kind's last is due, and has been for two minutes.
        wake=Wake(NOW - timedelta(minutes=2) if variant == _VARIANTS - 1 else NOW + timedelta(days=1 + kind), 0),
        reason=(Reason.NEXT_STAGE, Reason.PERSON_CAP, Reason.NEXT_STAGE, Reason.ON_HOLD)[kind].value,
        lender_id=facts.lender,
        recent=tuple(
            RecentDecision(NOW - timedelta(days=day), Reason.NEXT_STAGE.value, NOW - timedelta(days=day - 1))
            for day in range(6, 0, -1)
        ),
    )
    return facts, stored


def _contact(facts: Facts, at: datetime) -> Contact:
    return Contact(
        customer_id=facts.customer_id,
        send_id=f"{at:%Y%m%d%H%M%S}".ljust(32, "a"),
        claim_id="b" * 32,
        at=at,
        state=ContactState.DELIVERED,
        stage=3,
        account_ids=(facts.accounts[0].account_id,),
        channel="sms",
        expires_at=at + _FAR,
        lender=facts.lender,
        jurisdiction="TW",
        phone=facts.phone,
        text=_TEXT,
        encoding="UCS-2",
        parts=1,
        template="zh-Hant/before-3@3",
        message_id=f"{facts.customer_id}-{at:%Y%m%d%H%M%S}",
        price_usd_micros=41_700,
        reasons=_REASONS,
        reported_at=at + timedelta(seconds=9),
        response="Message has been accepted by phone carrier",
        delivery_status=DeliveryStatus.DELIVERED.value,
        billed_parts=1,
        billed_price_usd_micros=41_700,
    )


def _reply(facts: Facts, at: datetime) -> Reply:
    inbound = InboundSms(
        inbound_id=f"in-{at:%Y%m%d%H%M%S}-{facts.customer_id}",
        phone=facts.phone,
        text="我已經繳了，請查一下，謝謝",
        at=at,
    )
    return Reply(
        customer_id=facts.customer_id,
        inbound=inbound,
        intents=(ReplyIntent.PAID.value,),
        promised_on=None,
        expires_at=at + _FAR,
        likely=(ReplyIntent.PAID.value,),
        why=("words: 已經繳",),
        lender=facts.lender,
    )


def _put_busy_life(store: ConsoleStore) -> None:
    facts, _ = _customer(int(BUSY[1:]), 0)
    for number in range(_BUSY_TEXTS):
        contact = _contact(facts, NOW - timedelta(days=3 + number, minutes=number))
        store.tables["contacts"].put(contact_item(contact))
        assert contact_item(contact)["contact"]["S"] == contact_key(contact.at, contact.send_id)
    for number in range(_BUSY_REPLIES):
        reply = _reply(facts, NOW - timedelta(days=3 + 3 * number, minutes=number - 9))
        store.tables["contacts"].put(reply_item(reply))
        assert reply_item(reply)["contact"]["S"] == reply_key(reply.inbound.at, reply.inbound.inbound_id)


# ------------------------------------------------------------------ the table of the console


def _put_audit(store: ConsoleStore, trail: DynamoConsole, entries: int) -> None:
    """Write the entries of a day: everywhere as the trail writes one, with other times, people and customers."""
    chance = random.Random(1)
    table = store.tables["console"]
    roles = list(Role)
    begin = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC)
    models: dict[tuple[str, int], list[Kept]] = {}
    for number in range(entries + _BUSY_ENTRIES):
        at = begin + (NOW - begin) * (number / (entries + _BUSY_ENTRIES))
        is_busy = number >= entries
        customer_id = BUSY if is_busy else f"C{chance.randrange(max(1, entries)):06d}"
        # Now and then somebody sees a list; nearly always it is a customer's page.
        act = ("listed", "revealed")[number % 2] if number % 10 == 0 and not is_busy else "looked"
        colleague = number % COLLEAGUES
        viewer = Viewer(f"colleague-{colleague:02d}", roles[colleague % len(roles)])
        entry_id = f"{number:032x}"
        if (act, colleague) not in models:
            trail.write(
                AuditEntry(
                    at=at,
                    entry_id=entry_id,
                    viewer=viewer,
                    act=act,
                    customer_id="" if act == "listed" else customer_id,
                    subject_matter={"listed": "wait:quiet_hours", "revealed": "phone"}.get(act, ""),
                    purpose="attend" if act == "revealed" else "",
                )
            )
            what = f"{instant_key(at)}#{entry_id}"
            places = [f"audit#{at:%Y-%m-%d}", f"colleague#{viewer.subject}", f"customer#{customer_id}"]
            models[act, colleague] = [
                Kept(found.text.replace(what, "%when%").replace(customer_id, "%whom%"), found.size)
                for place in places
                if (found := table.partitions[place].items.get(what))
            ]
            continue
        what = f"{instant_key(at)}#{entry_id}"
        places = [f"audit#{at:%Y-%m-%d}", f"colleague#{viewer.subject}", f"customer#{customer_id}"]
        for place, kept in zip(places, models[act, colleague], strict=False):
            text = kept.text.replace("%when%", what).replace("%whom%", customer_id)
            table.partitions[place].put_many(what, Kept(text, kept.size))


def _put_cases(cases: DynamoCases, customers: int) -> None:
    """Let every seventh who waits be taken, with two notes, and let three erasures be asked for."""
    for number in range(0, customers, 7 * _WAITING_SHARE):
        customer_id = f"C{number:06d}"
        at = NOW - timedelta(minutes=number % 50 + 3)
        agent = Viewer(f"colleague-{number // 7 % COLLEAGUES:02d}", Role.AGENT)
        cases.save_case(
            Case(customer_id=customer_id, version=1, holder=agent, taken_at=at, touched_at=at), expected_version=0
        )
        for note in range(2):
            cases.add_note(
                customer_id, CaseNote(at + timedelta(seconds=note), f"{note}" * 32, agent, "Called, no answer.")
            )
    for number in range(3):
        asked_at = NOW - timedelta(hours=number + 1)
        cases.ask(
            AskedErasure(
                customer_id=f"C{number + 40:06d}",
                asked_by=Viewer("colleague-00", Role.MANAGER),
                asked_at=asked_at,
                ends_at=asked_at + timedelta(days=7),
                reason="own_request",
            )
        )


# ------------------------------------------------------------------ the tally and the files


def _counters() -> Mapping[str, int]:
    texts = [f"zh-Hant/{name}@{version}" for name in ("before-3", "on-0", "after-3", "after-7") for version in range(3)]
    return {
        **{f"sent:{stage}": 400 - 10 * stage for stage in (-3, 0, 3, 7, 15, 30)},
        **{f"text:{text}": 90 for text in texts},
        **{f"wait:{reason.value}": 70 for reason in Reason if reason.value in _WAITS},
        **{f"stop:{reason.value}": 20 for reason in Reason if reason.value in _STOPS},
        **{f"needs_person:{review.value}": 2 for review in _REVIEWS},
        **{f"reply:{intent.value}": 9 for intent in ReplyIntent},
        **{f"failed:{status.value}": 5 for status in DeliveryStatus if status is not DeliveryStatus.DELIVERED},
        "delivered": 2000,
        "replies": 140,
        "opt_out": 6,
        "promise_kept": 11,
        "promise_broken": 7,
        "labelled": 4,
        "attended": 20,
        "segments": 2600,
        "price_micros": 108_420_000,
        "billed_segments": 2580,
        "billed_micros": 107_586_000,
    }


_WAITS = frozenset({"next_stage", "quiet_hours", "closed_day", "person_cap", "account_cap", "on_hold", "carrier_busy"})
_STOPS = frozenset({"nothing_open", "opted_out", "not_in_list", "deceased", "wrong_person", "ladder_finished"})
_OPEN_DAYS = 2
"""Today and yesterday are not sealed."""
_PARTS_OF_DAY = 12
"""Of each stream: six times four hours, on two partitions."""
_RUNS = 100
_CUSTOMERS_A_RUN = 100


def _put_tally(tally: DynamoTally, customers: int) -> None:
    """Count every day in shards as the tally does, seal what is over, and take the census of each night."""
    today, chance = NOW.date(), random.Random(2)
    for back in range(DAYS):
        day = today - timedelta(days=back)
        for lender in LENDERS:
            figures = {name: round(number * chance.uniform(0.5, 1.2)) for name, number in _counters().items()}
            # A table has a stream, and a stream new shards every four hours.
            of_texts = {name: number for name, number in figures.items() if _is_of_texts(name)}
            of_customers = {name: number for name, number in figures.items() if not _is_of_texts(name)}
            for part in range(_PARTS_OF_DAY if back < _OPEN_DAYS else 1):
                parts = _PARTS_OF_DAY if back < _OPEN_DAYS else 1
                for stream, counters in (("contacts", of_texts), ("customers", of_customers)):
                    shares = {name: max(1, number // parts) for name, number in counters.items()}
                    tally.add(_changes(lender, day, f"{stream}-{part:03d}", 1, shares, {}))
            tally.keep_census_part(_census(lender, day, round(customers / len(LENDERS) * chance.uniform(0.9, 1))))
    tally.seal(today - timedelta(days=DAYS), today - timedelta(days=_OPEN_DAYS), lambda _, __: True)
    for place, lender in enumerate(LENDERS):
        for run in range(_RUNS if customers > _RUNS * _CUSTOMERS_A_RUN else 1):
            first = run * _CUSTOMERS_A_RUN
            ids = [f"C{(first + number) * len(LENDERS) + place:06d}" for number in range(_CUSTOMERS_A_RUN)]
            behind = {"sent:3": ids[:60], "delivered": ids[:58], "wait:next_stage": ids[60:]}
            # What is rare stands in the first and the last run alone: all others are read to find it.
            if run in {0, _RUNS - 1}:
                behind["failed:opted_out"] = ids[58:60]
            tally.add(_changes(lender, today, "lists", 1000 * (run + 1), dict.fromkeys(behind, 1), behind))


def _is_of_texts(counter: str) -> bool:
    kinds = {"sent", "text", "delivered", "failed", "segments", "price_micros", "billed_segments", "billed_micros"}
    return counter.partition(":")[0] in kinds


def _changes(
    lender: str, day: date, shard: str, first: int, counters: Mapping[str, int], customers: Mapping[str, list[str]]
) -> CountedChanges:
    return CountedChanges(
        lender=lender,
        day=day,
        shard=shard,
        first=first,
        last=first + 900,
        as_of=min(NOW, datetime(day.year, day.month, day.day, 12, tzinfo=UTC)) - timedelta(seconds=first % 997),
        counters=counters,
        customers=customers,
    )


def _census(lender: str, day: date, customers: int) -> CensusPart:
    return CensusPart(
        lender=lender,
        day=day,
        part=0,
        parts=1,
        as_of=datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=5),
        customers=customers,
        reasons=dict.fromkeys(sorted(_WAITS | _STOPS), customers // 13),
        overdue_customers=customers // 3,
        overdue={"TWD": 325_000 * customers},
        promised={"TWD": 32_500 * customers},
        paid={"TWD": 90_000 * customers},
    )


def _put_files(customers: DynamoCustomers) -> None:
    """Keep the reports of half a year, each second with refused rows."""
    for number in range(180):
        at = NOW - timedelta(days=number, hours=3)
        customers.keep_report(
            FileReport(
                file_id=f"{number:032x}",
                uploaded_at=at,
                ended_at=at + timedelta(seconds=70),
                expires_at=at + _FAR,
                name=f"accounts/2026/list-{number:03d}.csv",
                list_of=LENDERS[number % len(LENDERS)],
                rejects_key=f"rejects/list-{number:03d}.csv" if number % 2 else "",
                rows=100_000,
                rows_refused=17 if number % 2 else 0,
                customers_loaded=4_000,
                customers_unchanged=95_000,
                not_in_list=12,
                seconds=70,
            )
        )


def pages(customer_id: str = TYPICAL) -> Iterator[tuple[str, str]]:
    """Yield what each page is called, and its address."""
    today, lists = NOW.date().isoformat(), partial("/list?lender={}&day={}&counter={}".format, "lender-01")
    yield from (
        ("Today, all lenders", "/today"),
        ("Today, one lender", "/today?lender=lender-01"),
        ("list behind a number", lists(today, "sent:3")),
        ("list behind a rare number", lists(today, "failed:opted_out")),
        ("Waiting, all lenders", "/waiting"),
        ("Waiting, one lender", "/waiting?lender=lender-00"),
        ("a case", "/waiting/C000000"),
        ("Customer", f"/customers/{customer_id}"),
        ("Customer, a long life", f"/customers/{BUSY}"),
        ("print of a customer", f"/customers/{customer_id}/print"),
        ("Find", "/find"),
        ("Files", "/files"),
        ("Rules", "/rules"),
        ("Texts", "/texts"),
        ("Audit of the day", "/audit"),
        ("Audit of a customer", f"/audit/customers/{BUSY}"),
        ("Sending", "/sending"),
        ("Erasures", "/erasures"),
    )
