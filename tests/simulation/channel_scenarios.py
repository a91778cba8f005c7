"""The scenarios of customers who are reached on several channels: what happens to one message, and what comes next."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dunning.adapters.dynamodb.items import contact_item
from dunning.adapters.dynamodb.keys import address_key
from dunning.contracts.channel_message import channel_message_body, wish_body
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import AddressSince, LedgerEntry, Progress, Standing, progress_key
from dunning.domain.delivery.channel_events import ChannelMessage, ChannelWish, Wish
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import ClaimKey
from dunning.domain.replies.intents import ReplyIntent
from tests.simulation.cast import LOADED, event_body, reply_body
from tests.simulation.comebacks import line_body
from tests.simulation.customer_rows import CustomerRow, contacts_in
from tests.simulation.policies import CALLS, CHANNELS
from tests.simulation.promises import address_of
from tests.simulation.scenarios import (
    CUSTOMER,
    DAY,
    EMPTY,
    EVENING,
    FACTS,
    SAID_AT,
    Kept,
    News,
    Scenario,
    job,
    nothing_to_keep,
    starting,
    with_rows,
)
from tests.simulation.simulator import Situation
from tests.simulation.tables import CONTACTS, CUSTOMERS, RowKey, Stored, row_key, stored
from tests.simulation.workers import claim_id_of
from tests.simulation.world import Mail, Text, World
from tests.support.builders import a_lender_record
from tests.support.people import NOW, someone, waking

MAIL, ANOTHER_MAIL = "wang@example.com", "wang.m@example.org"
LINE_USER = "U" + "a1" * 16
BEFORE = NOW - timedelta(days=20)

REACHABLE = replace(FACTS, lender=CHANNELS, email=MAIL, line_user_id=LINE_USER)
"""A customer with an account on LINE, a mail address and a number, reached in this order."""
BY_MAIL = replace(REACHABLE, line_user_id=None)
BY_TEXT = replace(BY_MAIL, email=None)
LATE_BY_MAIL = replace(BY_MAIL, accounts=someone(due_in=-3).accounts)
"""The same by mail and number, three days late: a stage that did not arrive is said once more, three days later."""
LATE_BY_TEXT = replace(LATE_BY_MAIL, email=None)
CALLED = replace(FACTS, lender=CALLS, channel_consents={"voice": BEFORE})
"""A customer who has agreed to be called, and is called first."""


def _starting(
    *mail: Mail,
    facts: Facts = REACHABLE,
    standing: Standing | None = None,
    now: datetime = NOW,
    **world: Any,  # noqa: ANN401 - fields of a world
) -> Callable[[], Situation]:
    """Return what makes the first situation: a customer who is due, and is found by all addresses."""
    record = a_lender_record(facts)
    before = EMPTY._replace(**world)
    return starting(*mail, record=record, standing=standing or waking(facts, now), now=now, before=before)


def _scenario(
    name: str,
    group: str,
    start: Callable[[], Situation],
    kept: Kept = nothing_to_keep,
    *,
    wakes: int = 2,
    is_deep: bool = False,
) -> Scenario:
    return Scenario(
        name=f"channels x {name}", group=f"channels x {group}", start=start, kept=kept, wakes=wakes, is_deep=is_deep
    )


# ------------------------------------------------------------------ which channel


def _refused(channel: str, address: str, *, is_usable: bool = False) -> dict[str, Any]:
    return {"suspended": {channel: AddressSince(address, BEFORE, is_usable)}}


def _earlier(*sent: tuple[str, timedelta]) -> tuple[dict[str, Any], tuple[Text, ...]]:
    """Return a ledger with messages sent before, each on its channel, and the messages as the gateways took them."""
    ledger = tuple(
        LedgerEntry(
            send_id="earlier", claim_id="", at=NOW - ago, stage=None, accounts=("A9",), channel=channel, for_wake=None
        )
        for channel, ago in sent
    )
    texts = tuple(
        Text(
            address_of(a_lender_record(REACHABLE), channel), f"earlier {number}", NOW - ago, "earlier",
            f"earlier!{number}", channel, CUSTOMER,
        )
        for number, (channel, ago) in enumerate(sent)
    )  # fmt: skip
    return {"ledger": ledger}, texts


def failed_before(facts: Facts, *sent: tuple[int, str, int]) -> tuple[Standing, dict[str, Any], dict[RowKey, Stored]]:
    """Return what messages have left that did not arrive: of which stage, on which channel, and how many days ago."""
    instalment, account_id = facts.accounts[0].instalments[0], facts.accounts[0].account_id
    ledger, texts = list[LedgerEntry](), list[Text]()
    rows: dict[RowKey, Stored] = {}
    for number, (stage, channel, days) in enumerate(sent, 1):
        at, claim_id = NOW - days * DAY, claim_id_of("dead/1", number)
        is_repeat = any(entry.stage == stage for entry in ledger)
        entry = LedgerEntry(
            send_id=f"{number}e" * 16 + "-again" * is_repeat, claim_id=claim_id, at=at, stage=stage,
            accounts=(account_id,), channel=channel, for_wake=at, failed=True,
        )  # fmt: skip
        address = address_of(a_lender_record(facts), channel)
        text = Text(
            address, f"earlier {number}", at, "dead/1", f"{channel}!{number}", channel, CUSTOMER, claim_id, stage,
            (f"{account_id}#1 {instalment.due_on}",), "full" if channel == "email" else "unreachable",
        )  # fmt: skip
        record: Any = contact_item(Contact(
            customer_id=CUSTOMER, send_id=entry.send_id, claim_id=claim_id, at=at, state=ContactState.FAILED,
            stage=stage, account_ids=entry.accounts, channel=channel, expires_at=NOW + 1000 * DAY, text="earlier",
            phone=address if channel == "sms" else "", address="" if channel == "sms" else address,
            message_id=text.message_id, delivery_status="temporary_failure",
        ))  # fmt: skip
        ledger.append(entry)
        texts.append(text)
        rows[row_key(CONTACTS, record)] = stored(record)
    last = ledger[-1]
    reached = Progress(last.stage or 0, last.at.date(), instalment.due_on)
    standing = waking(facts, ledger=tuple(ledger), progress={progress_key(account_id, 1): reached})
    return standing, {"texts": tuple(texts)}, rows


def _second_contacts() -> Iterator[Scenario]:
    """Yield jobs of a stage whose first message did not arrive: it is said once more, on another channel."""
    six, ten = (replace(BY_MAIL, accounts=someone(due_in=-days).accounts) for days in (6, 10))
    after_another = ((3, "email", 7), (3, "sms", 4), (7, "email", 3))
    for name, facts, sent, mail, reports in (
        ("second contact", six, ((3, "email", 3),), (job("job-a"), job("job-b")), ()),
        ("second contact x phone off", six, ((3, "email", 3),), (job(),), (("sms", "unreachable"),)),
        ("second contact x stop by text", six, ((3, "email", 3),), (job(), _stop_by_text()), ()),
        ("second contact of another stage", ten, after_another, (job(),), ()),
    ):
        standing, world, rows = failed_before(facts, *sent)
        start = _starting(*mail, facts=facts, standing=standing, reports_of=reports, **world)
        kept = _is_opted_out if "stop" in name else nothing_to_keep
        yield _scenario(name, "second contact", with_rows(start, rows), kept)


def _starts() -> Iterator[Scenario]:
    """Yield starts at which a channel is passed over, and one at which no channel is left."""
    group = "start"
    number = AddressSince(FACTS.phone, BEFORE)
    for name, facts, changes in (
        ("no LINE", BY_MAIL, {}),
        ("LINE refused", REACHABLE, _refused("line", LINE_USER)),
        ("LINE usable again", REACHABLE, _refused("line", LINE_USER, is_usable=True)),
        ("mailbox shared", BY_MAIL, {"shared": {"email": AddressSince(MAIL, BEFORE)}}),
        ("number shared", BY_TEXT, {"shared": {"number": number}, "announced": ("shared_phone",)}),
        ("all refused", BY_MAIL, {"suspended": {"email": AddressSince(MAIL, BEFORE), "sms": number}}),
        ("no consent to calls", replace(CALLED, channel_consents=None), {}),
    ):
        standing = waking(facts, **changes)
        yield _scenario(name, group, _starting(job(), facts=facts, standing=standing), is_deep="shared" in name)
    for name, sent in {
        "cap of a day": (("sms", timedelta(hours=23, minutes=59)),),
        "cap of a week": (("line", timedelta(days=6, hours=23)), ("email", 4 * DAY), ("sms", 2 * DAY)),
        "cap of LINE": (("line", 5 * DAY), ("line", 2 * DAY)),
    }.items():
        changes, texts = _earlier(*sent)
        standing = waking(REACHABLE, **changes)
        start = _starting(job(), standing=standing, texts=texts, unseen=frozenset({"earlier"}))
        yield _scenario(name, group, start)
    shortly = EVENING - timedelta(minutes=10)
    yield _scenario("ten minutes before night", group, _starting(job(at=shortly), now=shortly))
    yield _scenario("channel stopped", group, _starting(job(), stopped=frozenset({Channel.LINE})), _is_nothing_sent)
    for name, out in {"outage": ("line",), "outage of two": ("line", "email")}.items():
        start = _starting(job(), out=frozenset(out))
        yield _scenario(name, "outage", start, wakes=4, is_deep=len(out) > 1)


def _is_nothing_sent(_: CustomerRow, world: World) -> bool:
    return not world.texts


# ------------------------------------------------------------------ what comes back


def _reports() -> Iterator[Scenario]:
    """Yield messages of which the service reports something: what follows is sure, or nothing follows."""
    group = "receipt"
    for name, facts, reports, kept, wakes in (
        ("mail under way", LATE_BY_MAIL, {"email": "send"}, nothing_to_keep, 2),
        ("mail delivered", LATE_BY_MAIL, {"email": "delivery"}, _receipts_are_kept, 1),
        ("mail bounced", LATE_BY_MAIL, {"email": "bounce", "sms": "delivered"}, _receipts_are_kept, 2),
        ("mailbox full", LATE_BY_MAIL, {"email": "full", "sms": "delivered"}, _receipts_are_kept, 2),
        ("text under way", LATE_BY_TEXT, {"sms": "pending"}, nothing_to_keep, 1),
        ("bad number", LATE_BY_TEXT, {"sms": "invalid"}, _receipts_are_kept, 1),
        ("phone off", LATE_BY_TEXT, {"sms": "unreachable"}, _receipts_are_kept, 2),
        ("nothing arrives", LATE_BY_MAIL, {"email": "full", "sms": "unreachable"}, _receipts_are_kept, 2),
        ("nobody answers", CALLED, {"voice": "unreachable", "sms": "delivered"}, _receipts_are_kept, 2),
    ):
        start = _starting(job(), facts=facts, reports_of=tuple(reports.items()))
        yield _scenario(name, group, start, kept, wakes=wakes, is_deep=name in {"text under way", "nobody answers"})
    start = _starting(job(), facts=BY_MAIL, reports_of=(("email", "complaint"),))
    yield _scenario("complaint", group, start, _is_silent_if_heard)


def _receipts_are_kept(_: CustomerRow, world: World) -> bool:
    states = {contact.message_id: contact.state for contact in contacts_in(world.rows)}
    reported = {ContactState.DELIVERED, ContactState.FAILED}
    return all(
        states.get(text.message_id) in reported for text in world.texts if text.report and text.by not in world.unseen
    )


def _is_opted_out(customer: CustomerRow, _: World) -> bool:
    return customer.standing is not None and customer.standing.is_opted_out


def _is_silent_if_heard(customer: CustomerRow, world: World) -> bool:
    """Tell whether a complaint about each mail that was taken is an opt-out of all channels."""
    return not any(text.channel == "email" for text in world.texts) or _is_opted_out(customer, world)


# ------------------------------------------------------------------ what people do, and what lenders say


def _reply_on(channel: Channel, address: str, *, text: str = "", button: str = "") -> Mail:
    message = ChannelMessage(channel, address, "in-2", SAID_AT, text, button)
    return Mail("reply", "reply", channel_message_body(message), NOW)


def _unsubscribed() -> Mail:
    """Return what the button of a mail comes to: it names the customer, and no address."""
    wish = ChannelWish(Channel.EMAIL, Wish.UNSUBSCRIBED, "in-2", SAID_AT, claim=ClaimKey(CUSTOMER, "claim"))
    return Mail("unsubscribe", "reply", wish_body(wish), NOW)


def _on_line(name: str, *events: tuple[str, str, datetime]) -> Mail:
    return Mail(name, "channel", line_body(*events, user=LINE_USER), NOW)


BLOCK, RETURN = ("unfollow", "01A", SAID_AT), ("follow", "01B", SAID_AT + timedelta(seconds=30))


_WEBHOOK = _on_line(
    "webhook",
    (f"message:{ReplyIntent.QUESTION}", "01C", SAID_AT),
    (f"message:{ReplyIntent.OPT_OUT}", "01D", SAID_AT),
    BLOCK,
)._replace(kind="webhook")


def _is_blocked(customer: CustomerRow, _: World) -> bool:
    known = customer.standing.suspended.get("line") if customer.standing else None
    return known is not None and known.address == LINE_USER and not known.is_usable


def _is_back(customer: CustomerRow, world: World) -> bool:
    """Tell whether a return counts that came after a block, unless LINE has refused a message since."""
    known = customer.standing.suspended.get("line") if customer.standing else None
    is_refused = any(refusal.channel == "line" and refusal.is_for_good for refusal in world.refusals)
    return known is None or known.is_usable or is_refused


def _stop_by_text(name: str = "stop") -> Mail:
    return Mail(name, "reply", reply_body("in-3", FACTS.phone, ReplyIntent.OPT_OUT, SAID_AT), NOW)


def _has_address(channel: str, address: str) -> Kept:
    """Return what tells that a customer has an address, and is found by it."""

    def look(customer: CustomerRow, world: World) -> bool:
        partition, name = address_key(address)
        indexed = world.rows.item(CUSTOMERS, partition, name)
        is_found = indexed is not None and CUSTOMER in indexed["customers"]["SS"]
        return address_of(customer.record, channel) == address and is_found

    return look


def _has_no_address(channel: str) -> Kept:
    return lambda customer, _: not address_of(customer.record, channel)


def _is_withdrawn(customer: CustomerRow, _: World) -> bool:
    return customer.record is not None and any(key.startswith("consent:") for key in customer.record.events)


def _event(name: str, kind: str, kept: Kept, **detail: object) -> News:
    body = event_body(kind, CUSTOMER, SAID_AT, **{"schema_version": 2, **detail})
    return News(name=name, mail=Mail(name, "event", body, NOW), kept=kept)


def _load(name: str, facts: Facts, kept: Kept) -> News:
    LOADED[name] = replace(facts, as_of=NOW - timedelta(minutes=2), paid_as_of=NOW - DAY)
    return News(name=name, mail=Mail(name, "load", name, NOW), kept=kept)


def _news() -> Iterator[Scenario]:
    """Yield news that comes while a message is being sent: it changes the channel, or ends all of them."""
    stop_on_line = _reply_on(Channel.LINE, LINE_USER, text=ReplyIntent.OPT_OUT)
    for facts, news in (
        (REACHABLE, News(name="stop on LINE", mail=stop_on_line, kept=_is_opted_out)),
        (REACHABLE, News(name="stop by button", mail=_reply_on(Channel.LINE, LINE_USER, button="opt_out"),
                         kept=_is_opted_out)),
        (BY_MAIL, News(name="stop by text", mail=_stop_by_text(), kept=_is_opted_out)),
        (BY_MAIL, News(name="unsubscribed", mail=_unsubscribed(), kept=_is_opted_out)),
        (REACHABLE, News(name="webhook of three events", mail=_WEBHOOK,
                         kept=lambda customer, world: _is_opted_out(customer, world) and _is_blocked(customer, world))),
        (REACHABLE, News(name="blocked", mail=_on_line("block", BLOCK), kept=_is_blocked)),
        (BY_MAIL, _event("another mailbox", "AddressChanged", _has_address("email", ANOTHER_MAIL), channel="email",
                         address=ANOTHER_MAIL)),
        (REACHABLE, _event("no LINE any more", "AddressChanged", _has_no_address("line"), channel="line",
                           address=None)),
        (CALLED, _event("consent withdrawn", "ConsentChanged", _is_withdrawn, channel="voice", consented_at=None)),
        (BY_MAIL, _load("load of another mailbox", replace(BY_MAIL, email=ANOTHER_MAIL),
                        _has_address("email", ANOTHER_MAIL))),
    ):  # fmt: skip
        start = _starting(job(), news.mail, facts=facts)
        is_deep = news.name in {"stop by button", "no LINE any more"}
        yield _scenario(news.name, "news", start, news.kept, is_deep=is_deep)
    yield _scenario(
        "block x return",
        "news",
        _starting(_on_line("block", BLOCK), _on_line("return", RETURN)),
        _is_back,
    )
    # A message fails while its address is corrected, and while a stop is on its way.
    another = _event(
        "another mailbox", "AddressChanged", _has_address("email", ANOTHER_MAIL), channel="email", address=ANOTHER_MAIL
    )
    bounces = (("email", "bounce"), ("sms", "delivered"))
    yield _scenario(
        "bounce x another mailbox", "news", _starting(job(), another.mail, facts=BY_MAIL, reports_of=bounces),
        another.kept, is_deep=True,
    )  # fmt: skip
    yield _scenario(
        "bounce x stop by text", "news", _starting(job(), _stop_by_text(), facts=BY_MAIL, reports_of=bounces),
        _is_opted_out,
    )  # fmt: skip


def _sends() -> Iterator[Scenario]:
    """Yield the sender alone, beside itself, and delivered again. A second job comes to what a refusal has left."""
    yield Scenario(name="channels", group="channels", start=_starting(job()))
    yield _scenario("duplicate", "duplicate", _starting(job("job-a"), job("job-b")))
    yield _scenario("redelivery", "redelivery", _starting(job(copies=1)))
    yield _scenario("duplicate of a mail", "duplicate", _starting(job("job-a"), job("job-b"), facts=BY_MAIL))
    yield _scenario("calls", "duplicate", _starting(job(), facts=CALLED))


CHANNEL_SCENARIOS = (*_sends(), *_starts(), *_second_contacts(), *_reports(), *_news())
