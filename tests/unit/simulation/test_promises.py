"""The judges of the proof: what they must see, on moves made by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dunning.adapters.dynamodb.items import contact_item, standing_item
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import AddressSince, LedgerEntry, Progress, PromiseToPay, Wake, progress_key
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.outbound_events import ReminderStopped
from tests.simulation.promises import (
    AT_NIGHT,
    CLAIMED_TWICE,
    FORGOTTEN,
    HARSHER,
    IN_SILENCE,
    LADDER,
    LEFT_BEHIND,
    NOT_CLAIMED,
    NOT_FOLLOWED,
    OUT_OF_DATE,
    TOO_OFTEN,
    TWICE,
    UNANNOUNCED,
    UNNOTED,
    UNNOTICED,
    UNRECORDED,
    UNTOLD,
    UNTRUE,
    judge_end,
    judge_move,
)
from tests.simulation.scenarios import FACTS, rows_of
from tests.simulation.simulator import Move, Situation, Step, Worker
from tests.simulation.tables import CONTACTS, CUSTOMERS, Rows, row_key, stored
from tests.simulation.workers import Answer, Call, Node, Result, Script, claim_id_of
from tests.simulation.world import NOTES_ARE_KEPT, Mail, Text, World
from tests.support.builders import a_lender_record
from tests.support.people import NOW, waking

RECORD = a_lender_record(FACTS)


def a_claim(number: int = 1, at: datetime = NOW, send_id: str = "") -> LedgerEntry:
    return LedgerEntry(
        send_id=send_id or f"send-{number}",
        claim_id=claim_id_of(f"job/{number}", 1),
        at=at,
        stage=-3,
        accounts=("A0001-0",),
        channel="sms",
        for_wake=at,
    )


def a_refused_contact() -> Contact:
    return Contact(
        customer_id=FACTS.customer_id,
        send_id="send",
        claim_id=claim_id_of("job/1", 1),
        at=NOW,
        state=ContactState.REFUSED,
        stage=-3,
        account_ids=("A0001-0",),
        channel="sms",
        expires_at=NOW + timedelta(days=1),
        phone=FACTS.phone,
    )


def a_sent(number: int = 1, at: datetime = NOW, words: str = "") -> Text:
    return Text(FACTS.phone, words or f"words {number}", at, f"job/{number}", f"job/{number}!1")


def a_world(*ledger: LedgerEntry, texts: tuple[Text, ...] = (), **changes: Any) -> World:  # noqa: ANN401 - fields
    standing = replace(waking(FACTS, NOW + timedelta(days=3)), ledger=ledger, **changes)
    return World(Rows(rows_of(RECORD, standing)), texts=texts)


def judged(before: World, after: World, now: datetime = NOW) -> list[str]:
    to = Situation(after, now)
    return judge_move(Situation(before, now), Move("ok", 0, 0, to, Step("call", "job/1")))


def test_a_text_under_a_claim_of_its_own_by_day_breaks_nothing() -> None:
    assert judged(a_world(), a_world(a_claim())) == []
    assert judged(a_world(a_claim()), a_world(a_claim(), texts=(a_sent(),))) == []


def test_a_text_without_a_claim_is_seen() -> None:
    assert judged(a_world(), a_world(texts=(a_sent(),))) == [NOT_CLAIMED]


@pytest.mark.parametrize("hour", [0, 8, 21, 23])
def test_a_text_outside_the_hours_is_seen(hour: int) -> None:
    at = NOW.replace(hour=0) + timedelta(hours=hour - 8)
    assert judged(a_world(a_claim()), a_world(a_claim(), texts=(a_sent(at=at),)), at) == [AT_NIGHT]


def test_two_texts_within_a_day_are_seen_and_after_a_whole_day_they_are_not() -> None:
    claims = (a_claim(1, NOW - timedelta(days=1)), a_claim(2))
    for ago, broken in ((timedelta(hours=23, minutes=59), [f"{TOO_OFTEN}: 1 in 24 hours"]), (timedelta(days=1), [])):
        first, second = a_sent(1, NOW - ago), a_sent(2)
        assert judged(a_world(*claims, texts=(first,)), a_world(*claims, texts=(first, second))) == broken


def test_four_texts_within_a_week_are_seen() -> None:
    claims = tuple(a_claim(number) for number in range(4))
    texts = tuple(a_sent(number, NOW - timedelta(days=6 - 2 * number)) for number in range(4))
    broken = judged(a_world(*claims, texts=texts[:3]), a_world(*claims, texts=texts))
    assert broken == [f"{TOO_OFTEN}: 3 in 168 hours"]


def test_the_same_words_twice_are_seen() -> None:
    claims = (a_claim(1), a_claim(2))
    texts = (a_sent(1, NOW - timedelta(days=2), "same"), a_sent(2, NOW, "same"))
    assert judged(a_world(*claims, texts=texts[:1]), a_world(*claims, texts=texts)) == [TWICE]


def test_two_claims_of_one_text_are_seen() -> None:
    first, second = a_claim(1, send_id="same"), a_claim(2, send_id="same")
    assert judged(a_world(first), a_world(first, second)) == [CLAIMED_TWICE]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"opted_out_at": NOW}, "opted out"),
        ({"holds": (Hold(HoldReason.HARDSHIP, None, NOW),)}, "held: hardship"),
        ({"suspended": {"sms": AddressSince(FACTS.phone, NOW)}}, "number refused"),
        ({"shared": {"number": AddressSince(FACTS.phone, NOW)}}, "shared number"),
    ],
)
def test_a_claim_after_silence_was_stored_is_seen(changes: dict[str, Any], why: str) -> None:
    assert judged(a_world(**changes), a_world(a_claim(), **changes)) == [f"{IN_SILENCE}: {why}"]


def test_a_claim_without_a_record_and_a_ladder_that_does_not_know_of_it_are_seen() -> None:
    assert judge_end(a_world(a_claim()), NOW) == sorted([UNRECORDED, f"{LADDER}: a text whose stage is not marked"])


@pytest.mark.parametrize(("days", "is_broken"), [(0, True), (30, False)])
def test_a_ladder_that_begins_anew_on_a_later_due_date_needs_no_mark_of_the_former(days: int, is_broken: bool) -> None:  # noqa: FBT001
    texted = replace(a_claim(), stage=3)
    due_on = NOW.date() + timedelta(days=days - 3)
    mark = Progress(-3, NOW.date(), due_on)
    broken = judge_end(a_world(texted, progress={progress_key("A0001-0", 1): mark}), NOW)
    assert (f"{LADDER}: a text whose stage is not marked" in broken) is is_broken


def test_somebody_due_without_a_wake_and_without_a_stop_is_seen() -> None:
    assert judge_end(a_world(wake=None), NOW) == [FORGOTTEN]
    assert judge_end(a_world(wake=None, reason="no_text"), NOW) == []


def test_a_stop_that_nobody_was_told_of_is_seen() -> None:
    finished: dict[str, Any] = {"wake": None, "reason": "ladder_finished"}
    assert judge_end(a_world(**finished), NOW) == [UNANNOUNCED]
    assert judge_end(a_world(announced=("ladder_finished:A0001-0#1",), **finished), NOW) == []


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("on_hold", {"holds": (Hold(HoldReason.HARDSHIP, None, NOW),)}),
        ("opted_out", {"opted_out_at": NOW}),
        ("nothing_open", {"opted_out_at": NOW}),
    ],
)
def test_a_stop_lasts_no_longer_than_its_cause(reason: str, cause: dict[str, Any]) -> None:
    assert judge_end(a_world(wake=None, reason=reason, **cause), NOW) == []
    assert judge_end(a_world(wake=None, reason=reason), NOW) == [f"{UNTRUE}: {reason}"]


def test_a_promise_whose_end_is_no_wake_is_seen() -> None:
    promised = {"A0001-0#1": PromiseToPay(NOW, NOW.date())}
    evening = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)
    assert judge_end(a_world(promises=promised, wake=Wake(evening, 0)), NOW) == []
    assert judge_end(a_world(promises=promised, wake=Wake(evening + timedelta(seconds=1), 0)), NOW) == [UNNOTICED]


@pytest.mark.parametrize(
    ("texted", "days_ago", "next_stage", "broken"),
    [
        (None, 0, 3, []),
        (None, 0, 7, [HARSHER]),
        (3, 4, 7, []),
        (3, 2, 7, [HARSHER]),
        (3, 8, 15, [HARSHER]),
        (7, 8, 3, []),
    ],
)
def test_an_overdue_stage_out_of_order_or_too_soon_is_seen(
    texted: int | None, days_ago: int, next_stage: int, broken: list[str]
) -> None:
    before = () if texted is None else (replace(a_claim(1, NOW - timedelta(days=days_ago)), stage=texted),)
    after = (*before, replace(a_claim(2), stage=next_stage))
    assert judged(a_world(*before), a_world(*after)) == broken


def test_a_confirmation_to_somebody_in_distress_is_seen_and_to_others_is_not() -> None:
    confirmation = replace(a_claim(), stage=None, accounts=())
    for reason, broken in ((HoldReason.DISTRESS, [f"{IN_SILENCE}: held: distress"]), (HoldReason.HARDSHIP, [])):
        holds = (Hold(reason, None, NOW),)
        assert judged(a_world(holds=holds), a_world(confirmation, holds=holds)) == broken


def test_a_refused_number_that_is_kept_is_seen() -> None:
    suspended: dict[str, Any] = {"suspended": {"sms": AddressSince(FACTS.phone, NOW)}}
    nothing: dict[str, Any] = {}
    for changes, broken in ((suspended, []), (nothing, [f"{NOT_FOLLOWED}: refused"])):
        world = a_world(**changes)
        item = contact_item(a_refused_contact())
        rows = world.rows.changed({row_key(CONTACTS, item): stored(item)})
        assert judge_end(world._replace(rows=rows), NOW) == broken


@pytest.mark.parametrize(("consistent", "broken"), [(True, []), (False, [OUT_OF_DATE])])
def test_a_read_that_may_be_out_of_date_is_seen(consistent: bool, broken: list[str]) -> None:  # noqa: FBT001
    request = {"RequestItems": {CONTACTS: {"Keys": [], "ConsistentRead": consistent}}}
    here = Situation(a_world(), NOW)
    step = Step("call", "job/1", Call("table", "batch_get_item", request))
    assert judge_move(here, Move("ok", 0, 0, here, step)) == broken


@pytest.mark.parametrize(("kind", "noted_at", "broken"), [
    ("event", None, [UNNOTED]),
    ("event", NOW - NOTES_ARE_KEPT, [UNNOTED]),
    ("reply", NOW, []),
    ("job", None, []),
])  # fmt: skip
def test_news_that_fails_without_a_note_is_seen(kind: str, noted_at: datetime | None, broken: list[str]) -> None:
    mail = Mail("news", kind, "", NOW)
    here = Situation(a_world()._replace(mail=(mail,), noted_at=noted_at), NOW)
    step = Step("call", "news/1", result=Result(done=False))
    assert judge_move(here, Move("ok", 0, 0, here, step)) == broken


@pytest.mark.parametrize(("last", "events", "broken"), [
    ("on_hold", (), [f"{UNTOLD}: on_hold"]),
    ("on_hold", (ReminderStopped(FACTS.customer_id, NOW, "opted_out"),), [f"{UNTOLD}: on_hold"]),
    ("on_hold", (ReminderStopped(FACTS.customer_id, NOW, "on_hold"),), []),
    ("next_stage", (), []),
])  # fmt: skip
def test_a_stop_that_is_stored_and_not_told_of_is_seen(
    last: str, events: tuple[ReminderStopped, ...], broken: list[str]
) -> None:
    read, written = waking(FACTS), replace(waking(FACTS, None, version=2), reason="on_hold")
    key = (CUSTOMERS, FACTS.customer_id, "standing")
    calls = [
        (Call("table", "batch_get_item", {}), Answer(1, {"Responses": {CUSTOMERS: [standing_item(read, 1)]}})),
        (Call("table", "put_item", {"Item": standing_item(written, 1)}, (key,)), Answer(2)),
        (Call("bus", "publish", events), Answer(3)),
    ]
    node = Node(Script("reply/1", "", lambda _: Result(done=True)), None, None, NOW)
    for call, answer in calls[:-1]:
        node.call = call
        node = Node(node.program, node, answer, NOW)
    here = Situation(a_world(), NOW, (Worker(0, node),), 0)
    to = Situation(a_world(reason=last), NOW)
    step = Step("call", "reply/1", calls[-1][0], None, calls[-1][1], Result(done=True))
    assert judge_move(here, Move("ok", 0, 0, to, step)) == broken


def test_more_than_a_tombstone_is_seen() -> None:
    tombstone = LenderRecord(customer_id=FACTS.customer_id, revision=2, erased_at=NOW)
    for record, broken in ((tombstone, []), (replace(tombstone, phones=(FACTS.phone,)), ["more than a tombstone"])):
        rows = {key: row for key, row in rows_of(record, None).items() if key[2] == "facts"}
        assert judge_end(World(Rows(rows)), NOW) == [f"{LEFT_BEHIND}: {what}" for what in broken]
