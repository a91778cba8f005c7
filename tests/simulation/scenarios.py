"""The scenarios: what is stored at first, and which messages come, in any order and at any moment."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement
from typing import Any

from dunning.adapters.dynamodb.items import contact_item, lender_record_item, reply_item, standing_item
from dunning.adapters.dynamodb.keys import PHONE, address_key, phone_key
from dunning.contracts.erasure_round import erasure_round_body
from dunning.contracts.job import job_body
from dunning.contracts.replan_part import ReplanPart, replan_body
from dunning.domain.customer.facts import Facts, Hold, HoldReason, open_instalments
from dunning.domain.customer.lender_record import (
    CustomerHold,
    EventTime,
    LenderRecord,
    RecordedEvent,
    project_facts,
    record_event,
)
from dunning.domain.customer.standing import AddressSince, LedgerEntry, Progress, Standing, progress_key
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.outbound_events import CustomerNeedsPerson
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.erasure import StoredUpload
from dunning.ports.queues import Job
from dunning.services.planning import fingerprint
from tests.simulation.cast import LOADED, event_body, reply_body
from tests.simulation.customer_rows import CustomerRow, contacts_in, customer_at, customers_in
from tests.simulation.ports import SHARDS
from tests.simulation.promises import open_instalments_of
from tests.simulation.simulator import Situation
from tests.simulation.tables import CONTACTS, CUSTOMERS, RowKey, Rows, Stored, row_key, stored
from tests.simulation.workers import claim_id_of
from tests.simulation.world import NOTES_ARE_KEPT, Mail, Text, World
from tests.support.builders import IN_THE_UNITED_STATES, a_lender_record, an_account, an_instalment
from tests.support.people import NOW, paid_up, someone, waking

SAID_AT = NOW - timedelta(minutes=1)
DAY = timedelta(days=1)
FACTS = someone()
CUSTOMER = FACTS.customer_id
ACCOUNT = FACTS.accounts[0].account_id
ANOTHER_NUMBER = "+886977777777"

EVENING = datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
"""Half past eight in Taipei: the first moment at which no text may go out."""

MORNING_IN_NEW_YORK = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
_IN_NEW_YORK: dict[str, Any] = {**IN_THE_UNITED_STATES, "region": "NY", "time_zone": "America/New_York"}
AMERICAN = replace(
    someone(),
    **_IN_NEW_YORK,
    accounts=(an_account(an_instalment("2026-12-04", 19_000), account_id=ACCOUNT, currency="USD"),),
)

type Kept = Callable[[CustomerRow, World], bool]
"""Tells whether news is kept, by what is stored at the end."""


def nothing_to_keep(_: CustomerRow, __: World) -> bool:
    """Tell that a scenario brings no news."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A start, and what must be stored at the end whatever happens."""

    name: str
    group: str
    """The line of the report that it belongs to."""
    start: Callable[[], Situation]
    kept: Kept = nothing_to_keep
    wakes: int = 2
    """How many wakes are lived through after everything was delivered."""
    is_deep: bool = False
    """Whether it is left to `deep`, because another scenario stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A message that changes something: what is stored before it, and how it is told at the end that it was kept."""

    name: str
    mail: Mail
    kept: Kept
    record: LenderRecord | None = None
    standing: Standing | None = None
    reply: Reply | None = None


def rows_of(lender_record: LenderRecord, standing: Standing | None) -> dict[RowKey, Stored]:
    """Store a customer as an earlier load has left them."""
    customer_id, snapshot = lender_record.customer_id, lender_record.snapshot
    others = [each for each in (snapshot.email, snapshot.line_user_id) if each] if snapshot else []
    lender_record = replace(lender_record, addresses=(*lender_record.addresses, *others))
    rows = {(CUSTOMERS, customer_id, "facts"): stored(lender_record_item(lender_record))}
    facts = project_facts(lender_record)
    if standing is not None:
        planned = replace(
            standing, planned_for=fingerprint(facts) if facts else "", facts_revision=lender_record.revision
        )
        rows[CUSTOMERS, customer_id, "standing"] = stored(standing_item(planned, SHARDS))
    for address in (*lender_record.phones, *lender_record.addresses):
        partition, name = address_key(address)
        rows[CUSTOMERS, partition, name] = stored(
            {"customer_id": {"S": partition}, "item": {"S": name}, "customers": {"SS": [customer_id]}}
        )
    return rows


EMPTY = World(Rows({}))


def job(name: str = "job", facts: Facts = FACTS, at: datetime = NOW, copies: int = 0) -> Mail:
    """Return a job for a wake that has come."""
    return Mail(name, "job", job_body(Job(facts.customer_id, at)), at, copies=copies)


def starting(
    *mail: Mail,
    record: LenderRecord | None = None,
    standing: Standing | None = None,
    replies: tuple[Reply, ...] = (),
    now: datetime = NOW,
    is_new: bool = False,
    before: World = EMPTY,
) -> Callable[[], Situation]:
    """Return what makes the first situation: a customer who is due, and messages that come."""

    def start() -> Situation:
        known = record or a_lender_record(FACTS)
        facts = known.snapshot or FACTS
        rows = {} if is_new else rows_of(known, standing or waking(facts, now))
        for reply in replies:
            item = reply_item(reply)
            rows[row_key(CONTACTS, item)] = stored(item)
        return Situation(before._replace(rows=Rows(rows), mail=mail), now)

    return start


def with_rows(start: Callable[[], Situation], rows: Mapping[RowKey, Stored]) -> Callable[[], Situation]:
    """Return what makes the same situation, with more items or others."""

    def more() -> Situation:
        here = start()
        return here._replace(world=here.world._replace(rows=here.world.rows.changed(rows)))

    return more


# ------------------------------------------------------------------ what lenders say


def _event(kind: str, name: str, kept: Kept, **more: object) -> News:
    mail = Mail(name, "event", event_body(kind, CUSTOMER, SAID_AT, **more), NOW)
    return News(name=name, mail=mail, kept=kept)


def _has_event(subject: str) -> Kept:
    def look(customer: CustomerRow, _: World) -> bool:
        return customer.record is not None and any(key.startswith(subject) for key in customer.record.events)

    return look


def _is_paid(customer: CustomerRow, _: World) -> bool:
    return customer.record is not None and not open_instalments_of(customer.record)


def _is_erased(customer: CustomerRow, _: World) -> bool:
    return customer.record is not None and customer.record.erased_at is not None


def _is_labelled(customer: CustomerRow, _: World) -> bool:
    return customer.standing is not None and bool(customer.standing.reply_labels)


def _is_attended(customer: CustomerRow, _: World) -> bool:
    return customer.standing is not None and customer.standing.attended_at == SAID_AT


MAILBOX = "their.own@example.com"
"""The mailbox that an event brings."""


def _has_address(customer: CustomerRow, world: World) -> bool:
    """Tell whether the mailbox is kept, and the customer is found by it."""
    partition, name = address_key(MAILBOX)
    indexed = world.rows.item(CUSTOMERS, partition, name)
    is_found = indexed is not None and CUSTOMER in indexed["customers"]["SS"]
    return is_found and _has_event("address:")(customer, world)


def places_that_name_the_customer(world: World) -> list[str]:
    """Return at which ports personal data of the customer is left: name, number, mailbox, or the words of a text."""
    personal = [FACTS.name, FACTS.phone, FACTS.phone[1:], MAILBOX, SECRET]
    places = {
        "tables": repr([(key, row.item) for key, row in world.rows.items() if key[0] != "tokens"]),
        "messages": repr([mail.body for mail in world.mail if not mail.is_done]),
        "dead letters": repr(world.letters),
        "files": repr([body.decode() for _, body in world.uploads]),
        "bus": repr(world.bus),
    }
    return [place for place, content in places.items() if any(word in content for word in personal)]


SECRET = "my mother is ill"
"""The words of the customer's reply, which an erasure takes away."""

REPLY = Reply(
    customer_id=CUSTOMER,
    inbound=InboundSms(inbound_id="in-1", phone=FACTS.phone, text=SECRET, at=SAID_AT - timedelta(minutes=1)),
    intents=("acknowledged",),
    promised_on=None,
    expires_at=datetime(2031, 12, 1, tzinfo=UTC),
)

KNOWN = a_lender_record(FACTS)
HELD = record_event(KNOWN, RecordedEvent(EventTime(SAID_AT - timedelta(hours=1)), CustomerHold(HoldReason.DISPUTE)))
PAID = {"account_id": ACCOUNT, "instalment_no": 1, "paid": 325_000, "currency": "TWD"}
LATER = {"account_id": ACCOUNT, "instalment_no": 1, "due_on": "2027-02-04", "amount": 325_000, "currency": "TWD"}

EVENTS = (
    _event("InstalmentPaid", "payment", _is_paid, **PAID),
    _event("InstalmentChanged", "change", _has_event("changed:"), **LATER),
    _event("CustomerHold", "hold", _has_event("held:"), reason="dispute"),
    replace(
        _event("CustomerReleased", "release", _has_event("released:"), reason="dispute"),
        record=HELD,
        standing=waking(FACTS, None, reason="on_hold"),
    ),
    _event("AccountClosed", "close", _is_paid, account_id=ACCOUNT),
    replace(_event("ReplyLabelled", "label", _is_labelled, reply_id="in-1", intents=["dispute"]), reply=REPLY),
    _event("CustomerAttended", "attended", _is_attended, schema_version=2, outcome="called_back"),
    _event("AddressChanged", "address", _has_address, schema_version=2, channel="email", address=MAILBOX),
    _event("ConsentChanged", "consent", _has_event("consent:"), schema_version=2, channel="email", consented_at=None),
    replace(_event("CustomerErased", "erasure", _is_erased), reply=REPLY),
)


# ------------------------------------------------------------------ what customers say


def _reply(text: str, name: str = "", *, facts: Facts = FACTS, at: datetime = SAID_AT) -> News:
    name = name or f"reply {text}"
    mail = Mail(name, "reply", reply_body("in-2", facts.phone, text, at), at + timedelta(minutes=1))
    return News(name=name, mail=mail, kept=_reply_is_kept(text))


_ASK_FOR_A_PERSON = frozenset({
    "hardship", "dispute", "refusal", "wrong_person", "deceased", "represented", "complaint", "distress", "suspicion",
    "question",
})  # fmt: skip
"""The intents after which a person is called, by the table of the design."""

_CHANGE_NOTHING = frozenset({"acknowledged", "auto_reply"})


def _reply_is_kept(text: str) -> Kept:
    """Return what tells that a reply is stored, that it has had its effect, and that a person was called if needed."""

    def look(customer: CustomerRow, world: World) -> bool:
        is_stored = any(key[0] == CONTACTS and key[2].startswith("reply#") and "in-2" in key[2] for key in world.rows)
        if not is_stored or customer.standing is None:
            return False
        if text in _ASK_FOR_A_PERSON and not _a_person_was_called(world):
            return False
        return _has_had_its_effect(text, customer.standing)

    return look


def _a_person_was_called(world: World) -> bool:
    if "OutboundEventsLost" in world.alarms:
        return True
    return any(isinstance(event, CustomerNeedsPerson) and event.reply_id == "in-2" for event in world.bus)


def _has_had_its_effect(text: str, standing: Standing) -> bool:
    if text == "opt_out":
        return standing.opted_out_at is not None
    if text == "opt_in":
        return standing.opted_in_at is not None
    if text in {"paid", "promise"}:
        return bool(standing.payment_statements)
    return text in _CHANGE_NOTHING or bool(standing.holds)


REPLIES = (
    *(_reply(intent.value) for intent in ReplyIntent),
    _reply("?opt_out", "reply likely opt_out"),
    _reply("", "reply not understood"),
)

CONFIRMED = _reply(
    "opt_out", "opt-out with confirmation", facts=AMERICAN, at=MORNING_IN_NEW_YORK - timedelta(minutes=1)
)


# ------------------------------------------------------------------ what files say

UPLOADED = replace(FACTS, as_of=NOW - timedelta(minutes=2), paid_as_of=NOW - timedelta(days=1))


def _load(name: str, facts: Facts, kept: Kept) -> News:
    LOADED[name] = facts
    return News(name=name, mail=Mail(name, "load", name, NOW), kept=kept)


def _has_phone(customer: CustomerRow, world: World) -> bool:
    indexed = world.rows.item(CUSTOMERS, phone_key(ANOTHER_NUMBER), PHONE)
    return customer.facts is not None and customer.facts.phone == ANOTHER_NUMBER and indexed is not None


LOADS = (
    _load("load paid", replace(paid_up(FACTS), as_of=NOW - timedelta(minutes=2)), _is_paid),
    _load(
        "load held",
        replace(UPLOADED, holds=(Hold(HoldReason.DISPUTE),)),
        lambda customer, _: customer.facts is not None and bool(customer.facts.holds),
    ),
    _load("load another number", replace(UPLOADED, phone=ANOTHER_NUMBER), _has_phone),
)
FIRST_LOAD = _load(
    "load of somebody new", UPLOADED, lambda customer, _: customer.facts is not None and customer.standing is not None
)


# ------------------------------------------------------------------ the scenarios


def _unless_erased(*kept: Kept) -> Kept:
    """Return what tells that all news is kept, or gone with the customer."""

    def look(customer: CustomerRow, world: World) -> bool:
        return _is_erased(customer, world) or all(each(customer, world) for each in kept)

    return look


def _beside_the_sender(news: News, group: str) -> Scenario:
    return Scenario(
        name=f"send x {news.name}",
        group=f"send x {group}",
        start=starting(
            job(),
            news.mail,
            record=news.record,
            standing=news.standing,
            replies=(news.reply,) if news.reply else (),
        ),
        kept=news.kept,
    )


def _together(group: str, first: News, second: News) -> Scenario:
    """Return the scenario of two pieces of news. The customer wakes at once: a text follows unless they forbid it."""
    if first.name == second.name:
        second = replace(second, name=f"{second.name} again", mail=second.mail._replace(name=f"{second.name} again"))
    replies = tuple({news.reply.inbound.inbound_id: news.reply for news in (first, second) if news.reply}.values())
    return Scenario(
        name=f"{first.name} x {second.name}",
        group=group,
        start=starting(
            first.mail,
            second.mail,
            record=first.record or second.record,
            standing=first.standing or second.standing,
            replies=replies,
        ),
        kept=_unless_erased(first.kept, second.kept),
    )


def _receipts_are_kept(customer: CustomerRow, world: World) -> bool:
    reported = {ContactState.DELIVERED, ContactState.FAILED}
    states = {contact.message_id: contact.state for contact in contacts_in(world.rows)}
    del customer
    return all(text.by in world.unseen or states.get(text.message_id) in reported for text in world.texts)


def is_planned_anew(customer: CustomerRow, _: World) -> bool:
    wake = customer.standing.wake if customer.standing else None
    return wake is None or wake.at < NOW + timedelta(days=50)


REPORTS = {
    "receipt delivered": "delivered",
    "receipt of a bad number": "Invalid phone number",
    "receipt of an opt-out": "Phone number is opted out",
    "receipt of a failure for now": "Phone is currently unreachable/unavailable",
    "receipt of a refused text": "Blocked as spam by phone carrier",
}

UPLOAD = (
    StoredUpload("uploads/accounts.csv", "v1", NOW - timedelta(hours=5)),
    f"customer_id,name,phone\r\n{CUSTOMER},{FACTS.name},{FACTS.phone}\r\n".encode(),
)
LETTER = reply_body("in-3", FACTS.phone, SECRET, SAID_AT)


_OF_EACH_KIND = frozenset({
    "reply opt_out", "reply opt_in", "reply paid", "reply promise", "reply hardship", "reply acknowledged",
    "reply not understood",
})  # fmt: skip
"""A reply of each kind of effect beside each event. The others differ from `hardship` by the reason of their hold."""

CHANGE_THE_RECORD_ALONE = frozenset({"address", "consent"})
"""The events that change the lender's record as a hold does, and no more: beside replies a hold stands for them."""


def _all_scenarios() -> Iterator[Scenario]:
    yield Scenario(name="send", group="send", start=starting(job()))
    yield Scenario(name="send x duplicate", group="send x duplicate", start=starting(job("job a"), job("job b")))
    yield Scenario(name="send x redelivery", group="send x redelivery", start=starting(job(copies=1)))
    for news in EVENTS:
        if news.name != "erasure":
            yield _beside_the_sender(news, "event")
    for news in REPLIES:
        yield _beside_the_sender(news, "reply")
    yield Scenario(
        name="send x opt-out with confirmation",
        group="send x confirmed opt-out",
        start=starting(
            job(at=MORNING_IN_NEW_YORK),
            CONFIRMED.mail,
            record=a_lender_record(AMERICAN),
            now=MORNING_IN_NEW_YORK,
        ),
        kept=CONFIRMED.kept,
    )
    for name, reports in REPORTS.items():
        yield Scenario(
            name=f"send x {name}",
            group="send x receipt",
            start=starting(job(), before=EMPTY._replace(reports=reports)),
            kept=_receipts_are_kept,
            wakes=1,
        )
    for news in LOADS:
        yield _beside_the_sender(news, "load")
    yield Scenario(
        name="send x load of somebody new",
        group="send x load",
        start=starting(job(), FIRST_LOAD.mail, is_new=True),
        kept=FIRST_LOAD.kept,
    )
    yield Scenario(
        name="send x replan",
        group="send x replan",
        start=starting(
            job(),
            Mail("replan", "part", replan_body(ReplanPart(0, 1, "")), NOW),
            standing=waking(FACTS, NOW + timedelta(days=60)),
        ),
        kept=is_planned_anew,
    )
    erasure = EVENTS[-1]
    yield Scenario(
        name="send x erasure",
        group="send x erasure",
        start=starting(
            job(), erasure.mail, replies=(REPLY,), before=EMPTY._replace(uploads=(UPLOAD,), letters=(LETTER,))
        ),
        kept=erasure.kept,
    )
    for first, second in combinations_with_replacement(EVENTS, 2):
        yield _together("event x event", first, second)
    for reply in REPLIES:
        for event in EVENTS:
            scenario = _together("reply x event", reply, event)
            is_deep = reply.name not in _OF_EACH_KIND or event.name in CHANGE_THE_RECORD_ALONE
            yield replace(scenario, is_deep=is_deep)
    for load in LOADS:
        for event in EVENTS:
            yield _together("load x event", load, event)


def _texted(*ago: timedelta) -> tuple[Standing, World]:
    """Return a customer who was texted before, and the texts as the carrier took them."""
    ledger = tuple(
        LedgerEntry(
            send_id="earlier", claim_id="", at=NOW - span, stage=None, accounts=("A9",), channel="sms", for_wake=None
        )
        for span in ago
    )
    texts = tuple(
        Text(FACTS.phone, f"earlier {number}", NOW - span, "earlier", f"earlier!{number}")
        for number, span in enumerate(ago)
    )
    return waking(FACTS, ledger=ledger), EMPTY._replace(texts=texts, unseen=frozenset({"earlier"}))


def _not_before_the_note_ends(_: CustomerRow, world: World) -> bool:
    return all(text.at >= NOW + NOTES_ARE_KEPT for text in world.texts)


def _at_the_limits() -> Iterator[Scenario]:
    """Yield starts at which a text is due and not allowed: too soon, too late in the day, or switched off."""
    for name, ago in {
        "cap of a day": (timedelta(hours=23, minutes=59),),
        "cap of a week": (timedelta(days=6, hours=23), timedelta(days=4), timedelta(days=2)),
    }.items():
        standing, before = _texted(*ago)
        yield Scenario(
            name=f"send x {name}", group="send x limits", start=starting(job(), standing=standing, before=before)
        )
    for name, now in {"night": EVENING, "a minute before night": EVENING - timedelta(minutes=1)}.items():
        yield Scenario(name=f"send x {name}", group="send x limits", start=starting(job(at=now), now=now))
    off = EMPTY._replace(off_since=NOW - timedelta(hours=1))
    yield Scenario(name="send x switch off", group="send x limits", start=starting(job(), before=off))
    yield Scenario(
        name="send x failed news",
        group="send x limits",
        start=starting(job(), before=EMPTY._replace(noted_at=NOW)),
        kept=_not_before_the_note_ends,
    )
    yield Scenario(
        name="send x hold x reply opt_out",
        group="send x event x reply",
        start=starting(job(), EVENTS[2].mail, REPLIES[0].mail),
        kept=_unless_erased(EVENTS[2].kept, REPLIES[0].kept),
        is_deep=True,
    )


def _of_replies() -> Iterator[Scenario]:
    """Yield a reply beside itself, as two deliveries of one message, and an opt-out beside an opt-in."""
    by_name = {reply.name: reply for reply in REPLIES}
    for name in sorted(_OF_EACH_KIND):
        yield _together("reply x itself", by_name[name], by_name[name])
    yield Scenario(
        name="opt-out with confirmation x itself",
        group="reply x itself",
        start=starting(
            CONFIRMED.mail,
            CONFIRMED.mail._replace(name="opt-out again"),
            record=a_lender_record(AMERICAN),
            standing=waking(AMERICAN, MORNING_IN_NEW_YORK),
            now=MORNING_IN_NEW_YORK,
        ),
        kept=CONFIRMED.kept,
    )


def _is_opted_in(customer: CustomerRow, _: World) -> bool:
    return customer.standing is not None and not customer.standing.is_opted_out


def _of_housekeeping() -> Iterator[Scenario]:
    """Yield the carrier's list of numbers, which is compared at night, beside the sender and news; and the scanner."""
    group = "carrier's list"
    compared = Mail(group, "list", "", NOW)
    listed = EMPTY._replace(listed=frozenset({FACTS.phone}))
    opt_in = next(reply for reply in REPLIES if reply.name == "reply opt_in")
    erasure = EVENTS[-1]
    yield Scenario(
        name=f"send x {group}", group=group, start=starting(job(), compared, before=listed), kept=_is_opted_out
    )
    yield Scenario(
        name=f"reply opt_in x {group}",
        group=group,
        start=starting(
            opt_in.mail,
            compared,
            standing=waking(FACTS, None, reason="opted_out", opted_out_at=NOW - DAY),
            before=listed,
        ),
        kept=_is_opted_in,
    )
    yield Scenario(
        name=f"erasure x {group}", group=group, start=starting(erasure.mail, compared, before=listed), kept=erasure.kept
    )
    tick = Mail("tick", "tick", "", NOW)
    yield Scenario(name="scan", group="scan", start=starting(tick))
    yield Scenario(name="send x scan", group="scan", start=starting(job(), tick))
    other = someone(2)
    of_two = with_rows(starting(tick), rows_of(a_lender_record(other), waking(other, NOW)))
    yield Scenario(name="scan of two", group="scan", start=of_two)


def _are_both_held(_: CustomerRow, world: World) -> bool:
    standings = [customer_at(world.rows, customer_id).standing for customer_id in customers_in(world.rows)]
    return len(standings) == 2 and all(
        standing is not None and standing.reason == "shared_phone" for standing in standings
    )


def _of_one_number() -> Scenario:
    """Return two loads that give two customers one number: both are held until a person has looked."""
    theirs = replace(someone(2), phone=ANOTHER_NUMBER, as_of=UPLOADED.as_of, paid_as_of=UPLOADED.paid_as_of)
    loads = [
        _load("load mine", replace(UPLOADED, phone=ANOTHER_NUMBER), nothing_to_keep),
        _load("load theirs", theirs, nothing_to_keep),
    ]
    return Scenario(
        name="load x load with the same number",
        group="load x load",
        start=starting(*(load.mail for load in loads)),
        kept=_are_both_held,
    )


def _texted_long_ago() -> tuple[Standing, World]:
    """Return a customer who was texted eight times within a month, the last time long enough ago for shorter caps."""
    return _texted(*(timedelta(days=days) for days in (29, 26, 25, 22, 20, 15, 12, 8)))


NIGHT_IN_NEW_YORK = datetime(2026, 12, 2, 3, 0, tzinfo=UTC)
SUNDAY_IN_NEW_YORK = datetime(2026, 12, 6, 15, 0, tzinfo=UTC)
SOMEWHERE_IN_THE_STATES = replace(AMERICAN, region="", time_zone="")
LONG_OVERDUE = someone(due_in=-20)
DUE_THREE_DAYS_BEFORE_SUNDAY = replace(
    AMERICAN,
    accounts=(an_account(an_instalment("2026-12-03", 19_000), account_id=ACCOUNT, currency="USD"),),
)


def _more_limits() -> Iterator[Scenario]:
    """Yield starts at which a text or a confirmation is due that must wait, and a ladder that is late."""
    standing, before = _texted_long_ago()
    group = "send x limits"
    yield Scenario(name="send x cap of a month", group=group, start=starting(job(), standing=standing, before=before))
    overdue = a_lender_record(LONG_OVERDUE)
    yield Scenario(name="send x long overdue", group=group, start=starting(job(), record=overdue), wakes=4)
    for name, facts, now in (
        ("Sunday", DUE_THREE_DAYS_BEFORE_SUNDAY, SUNDAY_IN_NEW_YORK),
        ("several zones", SOMEWHERE_IN_THE_STATES, MORNING_IN_NEW_YORK),
    ):
        record = a_lender_record(facts)
        yield Scenario(name=f"send x {name}", group=group, start=starting(job(at=now), record=record, now=now))
    for name, facts in {
        "not in list": replace(FACTS, not_in_list_since=SAID_AT),
        "opted out, says the lender": replace(FACTS, opted_out=True),
    }.items():
        yield Scenario(name=f"send x {name}", group=group, start=starting(job(), record=a_lender_record(facts)))
    for name, now, off_since in (
        ("night", NIGHT_IN_NEW_YORK, None),
        ("switch off", MORNING_IN_NEW_YORK, MORNING_IN_NEW_YORK - timedelta(hours=1)),
    ):
        stop = _reply("opt_out", facts=AMERICAN, at=now - timedelta(minutes=1))
        yield Scenario(
            name=f"opt-out with confirmation x {name}",
            group=group,
            start=starting(
                stop.mail,
                record=a_lender_record(AMERICAN),
                standing=waking(AMERICAN, now),
                now=now,
                before=EMPTY._replace(off_since=off_since),
            ),
            kept=stop.kept,
        )


def _said(text: str, inbound_id: str, at: datetime, facts: Facts = FACTS) -> Mail:
    """Return a reply beside others: with an id and a time of its own."""
    return Mail(f"reply {inbound_id}", "reply", reply_body(inbound_id, facts.phone, text, at), at)


def _is_opted_out(customer: CustomerRow, _: World) -> bool:
    return customer.standing is not None and customer.standing.is_opted_out


def _out_of_order() -> Iterator[Scenario]:
    """Yield news that comes in another order than it was said: of two about one thing the later counts."""
    group = "out of order"
    earlier = NOW - timedelta(hours=1)

    def scenario(name: str, kept: Kept, *mail: Mail, **more: Any) -> Scenario:  # noqa: ANN401 - of a start
        waiting = tuple(each._replace(ready_at=max(each.ready_at, more.get("now", NOW))) for each in mail)
        return Scenario(name=name, group=group, start=starting(*waiting, **more), kept=kept)

    opt_in, opt_out = _said("opt_in", "in-2", SAID_AT), _said("opt_out", "in-3", SAID_AT + timedelta(seconds=30))
    yield scenario("opt-in x later opt-out", _is_opted_out, opt_in, opt_out)
    first, last = _said("opt_out", "in-2", earlier), _said("opt_out", "in-4", SAID_AT)
    is_back = replace(waking(FACTS), opted_in_at=SAID_AT)
    yield scenario("opt-out x later opt-out that meets an opt-in", _is_opted_out, first, last, standing=is_back)
    at = MORNING_IN_NEW_YORK - timedelta(minutes=2)
    american: dict[str, Any] = {
        "record": a_lender_record(AMERICAN),
        "standing": waking(AMERICAN, MORNING_IN_NEW_YORK),
        "now": MORNING_IN_NEW_YORK,
    }
    stop = _said("opt_out", "in-3", at, AMERICAN)
    for name, other in {
        "opt-out with confirmation x another": _said("opt_out", "in-2", at + timedelta(minutes=1), AMERICAN),
        "distress x opt-out with confirmation": _said("distress", "in-2", at, AMERICAN),
    }.items():
        yield scenario(name, _is_opted_out, other, stop, **american)
    paid = Mail("payment", "event", event_body("InstalmentPaid", CUSTOMER, earlier, **PAID), NOW)
    reversed_before = Mail(
        "earlier", "event", event_body("InstalmentPaid", CUSTOMER, earlier - DAY, **{**PAID, "paid": 0}), NOW
    )
    yield scenario("payment of this morning x load", _is_paid, paid, _load_of("load late", UPLOADED))
    yield scenario("payment x earlier payment", _is_paid, paid, reversed_before)
    of_another = Mail(
        "of another", "event", event_body("InstalmentPaid", CUSTOMER, earlier, **{**PAID, "account_id": "A9"}), NOW
    )
    theirs = replace(FACTS.accounts[0], account_id="A9")
    has_another = _load_of("another account", replace(UPLOADED, accounts=(*FACTS.accounts, theirs)))
    yield scenario("payment of an account x the load that brings it", _is_another_paid, of_another, has_another)
    held = Mail("hold", "event", event_body("CustomerHold", CUSTOMER, SAID_AT, reason="dispute"), NOW)
    outdated = Mail(
        "outdated hold",
        "event",
        event_body("CustomerHold", CUSTOMER, earlier, reason="dispute", until="2026-12-01"),
        NOW,
    )
    yield scenario("hold x outdated hold", _is_held_for_good, held, outdated)
    news = _load_of("load new", replace(UPLOADED, holds=(Hold(HoldReason.DISPUTE),)))
    old = _load_of("load old", replace(UPLOADED, as_of=UPLOADED.as_of - DAY if UPLOADED.as_of else None))
    yield scenario("load x older load", LOADS[1].kept, news, old)
    yield scenario("payment before the first load", _is_paid, paid, _load_of("first load", UPLOADED), is_new=True)
    in_need = replace(REPLY, intents=("hardship",))
    labels = [
        Mail(
            f"label {intent}",
            "event",
            event_body("ReplyLabelled", CUSTOMER, at, reply_id="in-1", intents=[intent]),
            NOW,
        )
        for intent, at in (("dispute", earlier), ("complaint", SAID_AT))
    ]
    yield scenario("label x later label", _is_labelled_complaint, *labels, replies=(in_need,))
    again = Mail(
        "label", "event", event_body("ReplyLabelled", CUSTOMER, NOW, reply_id="in-2", intents=["dispute"]), NOW
    )
    yield scenario("reply hardship x its label", _keeps_its_label, _reply("hardship").mail, again)
    own_hold = replace(waking(FACTS, None, reason="on_hold"), holds=(Hold(HoldReason.DISPUTE, None, earlier),))
    yield scenario("own hold x release", nothing_to_keep, EVENTS[3].mail, standing=own_hold)


def _load_of(name: str, facts: Facts) -> Mail:
    LOADED[name] = facts
    return Mail(name, "load", name, NOW)


def _is_another_paid(customer: CustomerRow, _: World) -> bool:
    facts = project_facts(customer.record) if customer.record is not None else None
    return facts is not None and [account.account_id for account in facts.accounts if open_instalments(account)] == [
        ACCOUNT
    ]


def _is_held_for_good(customer: CustomerRow, _: World) -> bool:
    facts = project_facts(customer.record) if customer.record is not None else None
    return facts is not None and any(hold.until is None for hold in facts.holds)


def _labels_of(world: World, inbound_id: str) -> list[str]:
    return [
        str(row.item.get("labels"))
        for key, row in world.rows.items()
        if key[0] == CONTACTS and key[2].startswith("reply#") and inbound_id in key[2]
    ]


def _is_labelled_complaint(customer: CustomerRow, world: World) -> bool:
    return all("complaint" in label for label in _labels_of(world, "in-1")) and _is_labelled(customer, world)


def _keeps_its_label(customer: CustomerRow, world: World) -> bool:
    """Tell whether a label, if it came after its reply, is still there."""
    is_labelled = _is_labelled(customer, world)
    return not is_labelled or all("dispute" in label for label in _labels_of(world, "in-2"))


TWO_HOURS_AGO = NOW - timedelta(hours=2)
RETURNS = replace(UPLOADED, consented_at=NOW - timedelta(hours=1))


def _of_a_return() -> Iterator[Scenario]:
    """Yield the return of a customer who was erased, which nothing that is left of the erasure may undo."""
    tombstone = LenderRecord(customer_id=CUSTOMER, revision=3, erased_at=TWO_HOURS_AGO)
    remembers = replace(tombstone, phones=(FACTS.phone,), phones_until=NOW + timedelta(minutes=40))
    erasure_round = Mail("round", "event", erasure_round_body(CUSTOMER), NOW)
    _, texted_before = _texted(timedelta(hours=3))
    for name, record, other in (
        ("job x load of who returns", tombstone, job()),
        ("load of who returns x erasure round", remembers, erasure_round),
    ):
        start = with_rows(
            starting(other, _load_of("load of who returns", RETURNS), before=texted_before, is_new=True),
            rows_of(record, None),
        )

        yield Scenario(name=name, group="return after erasure", start=start, kept=_is_reached)


def _of_a_round() -> Scenario:
    """Return a later round of an erasure, with a file and a dead letter to take away; and the same round once more."""
    erased = LenderRecord(
        customer_id=CUSTOMER,
        revision=3,
        erased_at=TWO_HOURS_AGO,
        phones=(FACTS.phone,),
        phones_until=NOW - timedelta(minutes=1),
    )
    erasure_round = Mail("round", "event", erasure_round_body(CUSTOMER), NOW, copies=1)
    left = EMPTY._replace(uploads=(UPLOAD,), letters=(LETTER,))
    start = starting(erasure_round, before=left, is_new=True)
    # Nobody is found by the number any more.
    rows = {key: row for key, row in rows_of(erased, None).items() if key[1] == CUSTOMER}
    return Scenario(name="erasure round", group="erasure round", start=with_rows(start, rows), kept=_is_erased)


def _is_reached(customer: CustomerRow, world: World) -> bool:
    """Tell whether a customer is stored, and is found by the number."""
    indexed = world.rows.item(CUSTOMERS, phone_key(FACTS.phone), PHONE)
    return customer.facts is not None and indexed is not None and CUSTOMER in indexed["customers"]["SS"]


def _of_a_neighbour() -> Scenario:
    """Return the erasure of somebody whose number another customer has, too: nothing of the other customer goes."""
    neighbour = replace(someone(2), phone=FACTS.phone)
    both = {
        (CUSTOMERS, phone_key(FACTS.phone), PHONE): stored({
            "customer_id": {"S": phone_key(FACTS.phone)},
            "item": {"S": PHONE},
            "customers": {"SS": [CUSTOMER, neighbour.customer_id]},
        })
    }  # fmt: skip
    held = waking(
        FACTS,
        None,
        reason="shared_phone",
        shared={"number": AddressSince(FACTS.phone, SAID_AT)},
        announced=("shared_phone",),
    )
    start = starting(
        Mail("erasure", "event", event_body("CustomerErased", neighbour.customer_id, SAID_AT), NOW),
        standing=held,
        replies=(REPLY,),
        before=EMPTY._replace(letters=(LETTER,)),
    )

    theirs = rows_of(a_lender_record(neighbour), replace(held, customer_id=neighbour.customer_id))
    return Scenario(
        name="erasure of a neighbour",
        group="erasure of a neighbour",
        start=with_rows(start, {**theirs, **both}),
        kept=_is_untouched,
    )


def _is_untouched(customer: CustomerRow, world: World) -> bool:
    has_reply = any(key[1] == CUSTOMER and key[2].startswith("reply#") for key in world.rows)
    return _is_reached(customer, world) and has_reply and world.letters == (LETTER,)


def _dead_claim(at: datetime) -> LedgerEntry:
    """Return the claim of a sender that has died."""
    return LedgerEntry(
        send_id="earlier",
        claim_id=claim_id_of("dead/1", 1),
        at=at,
        stage=-3,
        accounts=(ACCOUNT,),
        channel="sms",
        for_wake=at,
    )


def _after_a_death() -> Iterator[Scenario]:
    """Yield what is left by a sender that died after its claim: a job in a batch, and a record to be closed."""
    due_today, three_days_ago = someone(due_in=0), NOW - timedelta(days=3)
    due_on = due_today.accounts[0].instalments[0].due_on
    standing = replace(
        waking(due_today),
        ledger=(_dead_claim(three_days_ago),),
        progress={progress_key(ACCOUNT, 1): Progress(-3, three_days_ago.date(), due_on)},
    )
    bodies = [job_body(Job(CUSTOMER, at)) for at in (three_days_ago, NOW)]
    yield Scenario(
        name="send x batch",
        group="send x batch",
        start=starting(
            Mail("jobs", "jobs", json.dumps(bodies), NOW), record=a_lender_record(due_today), standing=standing
        ),
    )
    for name, age, reports, kept in (
        ("closing x late receipt", timedelta(hours=73), True, _keeps_its_receipt),
        ("closing of a young record", timedelta(hours=1), False, _is_still_unknown),
    ):
        at = NOW - age
        record = Contact(
            customer_id=CUSTOMER, send_id="earlier", claim_id=claim_id_of("dead/1", 1), at=at,
            state=ContactState.UNKNOWN, stage=-3, account_ids=(ACCOUNT,), channel="sms",
            expires_at=NOW + timedelta(days=1000), phone=FACTS.phone,
            text="words",
        )  # fmt: skip
        receipt = {
            "message_id": "earlier!1",
            "at": at.isoformat(),
            "phone": FACTS.phone,
            "delivered": True,
            "response": "",
        }
        mail = [Mail("closing", "closing", "", NOW), Mail("receipt", "receipt", json.dumps(receipt), NOW)]
        progress = {progress_key(ACCOUNT, 1): Progress(-3, at.date(), FACTS.accounts[0].instalments[0].due_on)}
        start = starting(
            *mail[: 2 if reports else 1],
            standing=replace(waking(FACTS, NOW + DAY), ledger=(_dead_claim(at),), progress=progress),
            before=EMPTY._replace(alarms=frozenset({"SmsUnknown"})),
        )

        item: Any = contact_item(record)
        start = with_rows(start, {row_key(CONTACTS, item): stored(item)})
        yield Scenario(name=name, group="closing", start=start, kept=kept, wakes=0)


def _keeps_its_receipt(_: CustomerRow, world: World) -> bool:
    """Tell whether a receipt that a record has got is still there. After the closing none is expected any more."""
    return all(
        contact.state is ContactState.DELIVERED or not contact.reported_at for contact in contacts_in(world.rows)
    )


def _is_still_unknown(_: CustomerRow, world: World) -> bool:
    return [contact.state for contact in contacts_in(world.rows)] == [ContactState.UNKNOWN]


SCENARIOS = (
    *_all_scenarios(),
    *_at_the_limits(),
    *_of_replies(),
    *_of_housekeeping(),
    _of_one_number(),
    *_more_limits(),
    *_out_of_order(),
    *_of_a_return(),
    _of_a_round(),
    _of_a_neighbour(),
    *_after_a_death(),
)
