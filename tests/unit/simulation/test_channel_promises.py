"""The judges of the proof over several channels: what they must see, on moves made by hand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dunning.adapters.dynamodb.items import contact_item, reply_item
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import (
    AddressChanged,
    ConsentChanged,
    EventTime,
    LenderEvent,
    RecordedEvent,
    record_event,
)
from dunning.domain.customer.standing import AddressSince, LedgerEntry
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reply import InboundSms, Reply
from tests.simulation.channel_scenarios import BY_MAIL, CALLED, LINE_USER, MAIL, REACHABLE
from tests.simulation.customer_rows import customer_at
from tests.simulation.promises import (
    AFTER_STOP,
    AT_NIGHT,
    IN_SILENCE,
    NOT_FOLLOWED,
    OUT_OF_ORDER,
    SAID_AGAIN,
    SWITCHED_OFF,
    THIRD,
    TOO_OFTEN,
    UNTRUE,
    address_of,
    judge_end,
    judge_move,
    why_closed,
)
from tests.simulation.scenarios import rows_of
from tests.simulation.simulator import Move, Situation, Step
from tests.simulation.tables import CONTACTS, Rows, row_key, stored
from tests.simulation.workers import claim_id_of
from tests.simulation.world import Mail, Refusal, Text, World
from tests.support.builders import a_lender_record
from tests.support.people import NOW, waking

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ABOUT = ("A0001-0#1 2026-12-04",)


def a_claim(channel: str, number: int = 1, at: Any = NOW, *, failed: bool = False) -> LedgerEntry:  # noqa: ANN401
    return LedgerEntry(
        send_id=f"send-{number}",
        claim_id=claim_id_of(f"job/{number}", 1),
        at=at,
        stage=-3,
        accounts=("A0001-0",),
        channel=channel,
        for_wake=at,
        failed=failed,
    )


def a_sent(channel: str, number: int = 1, at: Any = NOW, *, report: str = "", facts: Facts = REACHABLE) -> Text:  # noqa: ANN401
    return Text(
        address=address_of(a_lender_record(facts), channel),
        words=f"words on {channel}",
        at=at,
        by=f"job/{number}",
        message_id=f"{channel}-{number}",
        channel=channel,
        customer_id=facts.customer_id,
        claim_id=claim_id_of(f"job/{number}", 1),
        stage=-3,
        about=ABOUT,
        report=report,
    )


def a_record(claim: LedgerEntry, text: Text, state: ContactState, status: str = "") -> Contact:
    return Contact(
        customer_id=REACHABLE.customer_id,
        send_id=claim.send_id,
        claim_id=claim.claim_id,
        at=claim.at,
        state=state,
        stage=claim.stage,
        account_ids=claim.accounts,
        channel=claim.channel,
        expires_at=NOW + DAY,
        phone=text.address if text.channel == "sms" else "",
        address="" if text.channel == "sms" else text.address,
        message_id=text.message_id,
        delivery_status=status,
    )


def a_world(
    *ledger: LedgerEntry,
    facts: Facts = REACHABLE,
    event: LenderEvent | None = None,
    records: tuple[Contact, ...] = (),
    world: dict[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401 - fields of a standing
) -> World:
    record = a_lender_record(facts)
    if event is not None:
        record = record_event(record, RecordedEvent(EventTime(NOW - HOUR), event))
    rows = Rows(rows_of(record, replace(waking(facts, NOW + 3 * DAY), ledger=ledger, **changes)))
    items: list[Any] = [contact_item(each) for each in records]
    rows = rows.changed({row_key(CONTACTS, item): stored(item) for item in items})
    return World(rows)._replace(**(world or {}))


def judged(before: World, after: World, now: Any = NOW) -> list[str]:  # noqa: ANN401 - a moment
    to = Situation(after, now)
    return judge_move(Situation(before, now), Move("ok", 0, 0, to, Step("call", "job/1")))


def judged_claim(channel: str, *ledger: LedgerEntry, now: Any = NOW, **start: Any) -> list[str]:  # noqa: ANN401
    claim = a_claim(channel, 9, now)
    return judged(a_world(*ledger, **start), a_world(*ledger, claim, **start), now)


def test_the_first_channel_of_the_order_breaks_nothing_and_the_next_one_does() -> None:
    assert judged_claim("line") == []
    assert judged_claim("email") == [OUT_OF_ORDER]
    assert judged_claim("sms", facts=BY_MAIL) == [OUT_OF_ORDER]


@pytest.mark.parametrize(
    "start",
    [
        {"facts": BY_MAIL},
        {"event": AddressChanged(AddressKind.LINE, "")},
        {"suspended": {"line": AddressSince(LINE_USER, NOW - DAY)}},
        {"shared": {"line": AddressSince(LINE_USER, NOW - DAY)}},
    ],
)
def test_a_channel_is_passed_over_that_does_not_reach_the_customer(start: dict[str, Any]) -> None:
    assert judged_claim("email", **start) == []
    (broken,) = {each.partition(":")[0] for each in judged_claim("line", **start)} - {OUT_OF_ORDER}
    assert broken == IN_SILENCE


def test_a_refusal_of_another_address_and_one_that_has_ended_close_nothing() -> None:
    for known in (AddressSince("U" + "b2" * 16, NOW), AddressSince(LINE_USER, NOW, is_usable=True)):
        assert judged_claim("line", suspended={"line": known}) == []


def test_nobody_is_called_without_a_consent_that_was_given_after_every_withdrawal() -> None:
    withdrawn = ConsentChanged(Channel.VOICE)
    assert judged_claim("voice", facts=CALLED) == []
    assert judged_claim("voice", facts=CALLED, event=withdrawn) == [f"{IN_SILENCE}: voice, no consent", OUT_OF_ORDER]
    assert judged_claim("sms", facts=CALLED, event=withdrawn) == []
    assert judged_claim("sms", facts=replace(CALLED, channel_consents={"voice": NOW}), event=withdrawn) == [
        OUT_OF_ORDER
    ]


def test_a_channel_at_its_own_cap_is_passed_over_and_one_below_it_is_not() -> None:
    two = (a_claim("line", 1, NOW - 5 * DAY), a_claim("line", 2, NOW - 2 * DAY))
    assert judged_claim("email", *two) == []
    assert judged_claim("line", *two) == [f"{TOO_OFTEN}: 2 in 168 hours on line", OUT_OF_ORDER]
    assert judged_claim("email", two[1]) == [OUT_OF_ORDER]


@pytest.mark.parametrize(("hours", "broken"), [(5.9, [OUT_OF_ORDER]), (6, [])])
def test_an_outage_moves_nobody_before_its_hours_are_over(hours: float, broken: list[str]) -> None:
    refused = Refusal("line", LINE_USER, NOW - timedelta(hours=hours), is_for_good=False)
    world: dict[str, Any] = {"refusals": (refused,)}
    assert judged_claim("email", world=world) == broken
    assert judged_claim("line", world=world) == []
    taken_since = {**world, "texts": (a_sent("line", 1, NOW - HOUR),)}
    assert judged_claim("email", world=taken_since) == [OUT_OF_ORDER]


def test_a_claim_on_a_channel_that_is_stopped_is_seen() -> None:
    assert judged_claim("line", world={"stopped": frozenset({Channel.LINE})}) == [SWITCHED_OFF]
    assert judged_claim("line", world={"stopped": frozenset({Channel.SMS})}) == []


def test_a_stage_is_said_once_more_on_another_channel_and_not_on_the_one_that_failed() -> None:
    failed = a_claim("line", 1, NOW - 3 * DAY, failed=True)
    assert judged_claim("email", failed) == []
    assert judged_claim("line", failed) == [OUT_OF_ORDER]
    assert judged_claim("line", replace(failed, failed=False)) == []


def said_again(first: Text, state: ContactState, *before: Text) -> list[str]:
    """Return what breaks when a stage is said on another channel three days after its first message."""
    claims = (a_claim(first.channel, 1, first.at), a_claim("email", 2))
    records = (a_record(claims[0], first, state),)
    texts = (*before, first)
    start = a_world(*claims, records=records, world={"texts": texts})
    return judged(start, start._replace(texts=(*texts, a_sent("email", 2))))


@pytest.mark.parametrize(
    ("report", "state", "broken"),
    [
        ("unreachable", ContactState.FAILED, []),
        ("invalid", ContactState.FAILED, []),
        ("unreachable", ContactState.SENT, [SAID_AGAIN]),
        ("unreachable", ContactState.UNKNOWN, [SAID_AGAIN]),
        ("", ContactState.SENT, [SAID_AGAIN]),
        ("", ContactState.FAILED, [SAID_AGAIN]),
        ("delivered", ContactState.DELIVERED, [SAID_AGAIN]),
    ],
)
def test_a_stage_is_said_again_only_if_the_gateway_said_that_it_failed_and_we_know_it(
    report: str, state: ContactState, broken: list[str]
) -> None:
    assert said_again(a_sent("sms", 1, NOW - 3 * DAY, report=report), state) == broken


def test_a_third_message_of_a_stage_is_seen_whatever_the_channels() -> None:
    first = a_sent("line", 3, NOW - 6 * DAY, report="unreachable")
    second = a_sent("sms", 1, NOW - 3 * DAY, report="unreachable")
    assert THIRD in said_again(second, ContactState.FAILED, first)
    assert THIRD not in said_again(second, ContactState.FAILED, replace_about(first, "A0001-0#1 2026-11-04"))


def replace_about(text: Text, about: str) -> Text:
    """Return a message of the same stage of another due date."""
    return text._replace(about=(about,))


def test_a_cap_counts_the_messages_of_all_channels() -> None:
    claims = (a_claim("sms", 1, NOW - DAY + HOUR), a_claim("line", 2))
    earlier = a_sent("sms", 1, NOW - DAY + HOUR)._replace(stage=None)
    start = a_world(*claims, world={"texts": (earlier,)})
    assert judged(start, start._replace(texts=(earlier, a_sent("line", 2)))) == [f"{TOO_OFTEN}: 1 in 24 hours"]


@pytest.mark.parametrize(
    ("channel", "facts", "minutes", "broken"),
    [
        ("line", REACHABLE, 9 * 60, []),
        ("line", REACHABLE, 20 * 60 + 19, []),
        ("line", REACHABLE, 20 * 60 + 20, [AT_NIGHT]),
        ("voice", CALLED, 9 * 60 + 59, [AT_NIGHT]),
        ("voice", CALLED, 18 * 60 + 49, []),
        ("voice", CALLED, 18 * 60 + 50, [AT_NIGHT]),
    ],
)
def test_a_message_is_handed_over_in_the_hours_of_its_channel_and_not_shortly_before_they_end(
    channel: str, facts: Facts, minutes: int, broken: list[str]
) -> None:
    at = NOW + timedelta(minutes=minutes - 10 * 60)
    start = a_world(a_claim(channel, 1, at), facts=facts)
    assert judged(start, start._replace(texts=(a_sent(channel, 1, at, facts=facts),)), at) == broken


@pytest.mark.parametrize("channel", [Channel.LINE, Channel.EMAIL, Channel.SMS])
@pytest.mark.parametrize("is_done", [True, False])
def test_a_claim_after_a_stop_is_seen_whatever_the_standing_says(channel: Channel, is_done: bool) -> None:  # noqa: FBT001
    inbound = InboundSms(inbound_id="in-7", phone="", text="stop", at=NOW - HOUR, channel=channel, address="somewhere")
    reply = Reply(
        customer_id=REACHABLE.customer_id, inbound=inbound, intents=(ReplyIntent.OPT_OUT,), promised_on=None,
        expires_at=NOW + DAY, sure=(ReplyIntent.OPT_OUT,),
    )  # fmt: skip
    item: Any = reply_item(reply)
    world = a_world(world={"mail": (Mail("reply", "reply", "... in-7 ...", NOW, is_done=is_done),)})
    before = world._replace(rows=world.rows.changed({row_key(CONTACTS, item): stored(item)}))
    after = before._replace(rows=before.rows.changed(dict(a_world(a_claim("line")).rows)))
    assert judged(before, after) == ([AFTER_STOP] if is_done else [])


def test_a_bounce_closes_its_channel_and_no_other() -> None:
    claim, bounced = a_claim("email"), a_sent("email", report="bounce")
    record = a_record(claim, bounced, ContactState.FAILED, "permanent_failure")
    marked: dict[str, Any] = {"records": (record,), "world": {"texts": (bounced,)}}
    closed = {"email": AddressSince(MAIL, NOW)}
    failed = replace(claim, failed=True)
    assert judge_end(a_world(failed, suspended=closed, **marked), NOW) == []
    assert judge_end(a_world(failed, **marked), NOW) == [f"{NOT_FOLLOWED}: permanent_failure"]
    both = {**closed, "sms": AddressSince(REACHABLE.phone, NOW)}
    assert judge_end(a_world(failed, suspended=both, **marked), NOW) == [f"{UNTRUE}: sms is closed"]


def test_a_customer_is_reached_by_the_last_word_of_the_lender_on_each_address() -> None:
    moved = a_world(event=AddressChanged(AddressKind.EMAIL, "another@example.com"))
    customer = customer_at(moved.rows, REACHABLE.customer_id)
    assert address_of(customer.record, "email") == "another@example.com"
    loaded = a_world(
        facts=replace(REACHABLE, as_of=NOW), event=AddressChanged(AddressKind.EMAIL, "another@example.com")
    )
    assert address_of(customer_at(loaded.rows, REACHABLE.customer_id).record, "email") == MAIL
    assert why_closed(customer, "email", NOW) == ""
