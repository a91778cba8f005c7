"""The judges of the proof about chance: what they must see, on moves made by hand. And that the lots are the lots."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from dunning.adapters.dynamodb.items import contact_item
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry, Progress, progress_key
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.draws import Layer
from dunning.domain.effect.trials import check_trials
from tests.simulation.chance_promises import (
    BEFORE_ITS_HOUR,
    CAP_OF_SILENCE,
    DRAWN_OTHERWISE,
    LEAK,
    LEFT_OUT,
    MISRECORDED,
    NOT_SILENT,
    OTHER_WORDS,
    RECORDED_TWICE,
    TEXTED_FOR_SURE,
    TOO_EARLY,
    judge_lot,
)
from tests.simulation.chance_scenarios import IN_TEXT, STEERED
from tests.simulation.chance_scenarios import LEFT_OUT as SILENT_CUSTOMER
from tests.simulation.customer_rows import customer_at
from tests.simulation.policies import HELD_OUT_STAGES, LOTS, RESTED, RESTED_CHANNELS, simulated_policies, trials_of
from tests.simulation.promises import NOT_CLAIMED, UNRECORDED, judge_end, judge_move
from tests.simulation.scenarios import FACTS, rows_of
from tests.simulation.simulator import Move, Situation, Step
from tests.simulation.tables import CONTACTS, Rows, row_key, stored
from tests.simulation.workers import claim_id_of
from tests.simulation.world import Text, World
from tests.support.builders import a_lender_record
from tests.support.people import NOW, waking

DAY = timedelta(days=1)
SILENCE, DRAWS = LOTS["proof-silent"][-3], LOTS["proof-drawn"][-3]
ACCOUNT = FACTS.accounts[0].account_id
KEY = progress_key(ACCOUNT, 1)


def a_claim(
    channel: str = "none",
    draws: str = SILENCE,
    *,
    stage: int = -3,
    at: datetime = NOW,
    number: int = 1,
    **changes: Any,  # noqa: ANN401
) -> LedgerEntry:
    entry = LedgerEntry(
        send_id=f"send-{number}",
        claim_id=claim_id_of(f"job/{number}", 1),
        at=at,
        stage=stage,
        accounts=(ACCOUNT,),
        channel=channel,
        for_wake=at,
        draws=draws,
    )
    return replace(entry, **changes)


def a_record(claim: LedgerEntry, **changes: Any) -> Contact:  # noqa: ANN401
    is_silent = claim.channel == "none"
    record = Contact(
        customer_id=FACTS.customer_id,
        send_id=claim.send_id,
        claim_id=claim.claim_id,
        at=claim.at,
        state=ContactState.HELD_OUT if is_silent else ContactState.SENT,
        stage=claim.stage,
        account_ids=claim.accounts,
        channel=claim.channel,
        expires_at=NOW + 1000 * DAY,
        phone="" if is_silent else FACTS.phone,
        message_id="" if is_silent else "job/1!1",
        draws=claim.draws,
        template="" if is_silent else "other-before",
    )
    return replace(record, **changes)


def a_text(claim: LedgerEntry) -> Text:
    return Text(
        FACTS.phone, "words", claim.at, "job/1", "job/1!1", "sms", FACTS.customer_id, claim.claim_id, claim.stage,
        (f"{KEY} 2026-12-04",),
    )  # fmt: skip


def a_world(
    *ledger: LedgerEntry,
    facts: Facts = SILENT_CUSTOMER,
    records: tuple[Contact, ...] = (),
    texts: tuple[Text, ...] = (),
    **changes: Any,  # noqa: ANN401 - fields of a standing
) -> World:
    marked = [entry for entry in ledger if entry.stage is not None]
    due_on = facts.accounts[0].instalments[0].due_on
    progress = {KEY: Progress(marked[-1].stage or 0, marked[-1].at.date(), due_on)} if marked else {}
    standing = waking(facts, NOW + 3 * DAY, ledger=ledger, **{"progress": progress, **changes})
    items: list[Any] = [contact_item(record) for record in records]
    rows = Rows(rows_of(a_lender_record(facts), standing))
    return World(rows.changed({row_key(CONTACTS, item): stored(item) for item in items}), texts=texts)


def judged(before: World, after: World, now: datetime = NOW) -> list[str]:
    to = Situation(after, now)
    return judge_move(Situation(before, now), Move("ok", 0, 0, to, Step("call", "job/1")))


def judged_claim(claim: LedgerEntry, *ledger: LedgerEntry, facts: Facts = SILENT_CUSTOMER) -> list[str]:
    return judged(a_world(*ledger, facts=facts), a_world(*ledger, claim, facts=facts), claim.at)


def the_rules(facts: Facts) -> Rules:
    rules = simulated_policies().rules("demo-tw", facts.country, at=NOW)
    assert isinstance(rules, Rules)
    return rules


@pytest.mark.parametrize("lender", LOTS)
def test_the_lots_are_those_that_the_pages_hash_gives(lender: str) -> None:
    """SHA-256 of salt, layer, epoch, customer, stage and instalment; the holdout is the person's."""
    for trial in trials_of(lender, the_rules(FACTS)):
        for stage, lot in LOTS[lender].items():
            letter = {Layer.HOLDOUT: "h", Layer.TEXT: "t", Layer.HOUR: "o"}[trial.layer]
            drawn = [entry for entry in lot.split(";") if entry.startswith(f"{letter}{trial.trial_id}.")]
            is_held_out = trial.layer is not Layer.HOLDOUT and "hholdout.silence" in lot
            assert len(drawn) == (stage in trial.stages and not is_held_out)
            rung = "#" if trial.layer is Layer.HOLDOUT else f"{stage}#{KEY}"
            key = f"{trial.salt}#{trial.layer}#0#C0001#{rung}"
            part = int.from_bytes(sha256(key.encode()).digest()[:8]) / 2**64
            first, second = (arm.name for arm in trial.arms)
            is_first = part >= 0.5 if trial.layer is Layer.HOLDOUT else part < 0.5
            assert all(f".{first if is_first else second}:0.5" in entry for entry in drawn), (stage, drawn)


def test_a_policy_may_have_the_trials_of_the_simulation() -> None:
    for lender in LOTS.keys() - {RESTED, RESTED_CHANNELS}:  # whose trials need the worth of a text, too
        check_trials(trials_of(lender, the_rules(FACTS)), {"TW": ()})


def test_a_claim_as_the_lot_says_breaks_nothing() -> None:
    assert judged_claim(a_claim()) == []
    assert judged_claim(a_claim("sms", DRAWS), facts=IN_TEXT) == []
    assert judged_claim(a_claim("sms", ""), facts=FACTS) == []


@pytest.mark.parametrize(
    ("claim", "facts", "broken"),
    [
        (a_claim("sms", SILENCE), SILENT_CUSTOMER, [LEAK]),
        (a_claim("sms", "hholdout.text:0.5"), SILENT_CUSTOMER, [DRAWN_OTHERWISE, LEAK]),
        (a_claim("sms", TEXTED_FOR_SURE), SILENT_CUSTOMER, [DRAWN_OTHERWISE, LEAK]),
        (a_claim("none", "hholdout.silence:1"), SILENT_CUSTOMER, [DRAWN_OTHERWISE]),
        (a_claim("none", ""), SILENT_CUSTOMER, [DRAWN_OTHERWISE, LEFT_OUT]),
        (a_claim("none", SILENCE), FACTS, [DRAWN_OTHERWISE]),
        (a_claim("none", DRAWS), IN_TEXT, [LEFT_OUT]),
        (a_claim("sms", DRAWS.replace("other", "usual")), IN_TEXT, [DRAWN_OTHERWISE]),
        (a_claim("sms", DRAWS.replace("0.5", "1")), IN_TEXT, [DRAWN_OTHERWISE]),
    ],
)
def test_a_claim_that_is_not_as_the_lot_says_is_seen(claim: LedgerEntry, facts: Facts, broken: list[str]) -> None:
    assert judged_claim(claim, facts=facts) == broken


@pytest.mark.parametrize(
    ("control", "draws"),
    [
        ("all drawn", SILENCE),
        ("silence paused", f"{TEXTED_FOR_SURE};ttext.other:0.5"),
        ("words paused", f"{TEXTED_FOR_SURE};ttext.usual:1"),
        ("stopped", ""),
        ("unreadable", f"{TEXTED_FOR_SURE};ttext.usual:1"),
    ],
)
def test_a_claim_is_as_the_control_says_that_its_program_has_read(control: str, draws: str) -> None:
    customer = customer_at(a_world(facts=STEERED).rows, FACTS.customer_id)
    after = customer_at(a_world(a_claim("sms"), facts=STEERED).rows, FACTS.customer_id).standing
    assert after is not None
    for other in (SILENCE, "", f"{TEXTED_FOR_SURE};ttext.usual:1", f"{TEXTED_FOR_SURE};ttext.other:0.5"):
        claim = a_claim("none" if other == SILENCE else "sms", other)
        found = list(judge_lot(customer, after, claim, control))
        assert (DRAWN_OTHERWISE in found) is (other != draws)


def test_chance_comes_last() -> None:
    texted = a_claim("sms", "", stage=3, at=NOW - DAY + timedelta(minutes=1), number=2)
    assert TOO_EARLY in judged_claim(a_claim(), texted)
    assert TOO_EARLY not in judged_claim(a_claim(), replace(texted, at=NOW - DAY))
    assert TOO_EARLY not in judged_claim(a_claim(), replace(texted, channel="none"))
    assert judged_claim(a_claim(at=NOW + timedelta(hours=11))) == [TOO_EARLY]


def test_what_has_to_be_said_is_not_left_out() -> None:
    failed = a_claim("sms", "", at=NOW - 3 * DAY, number=2, failed=True)
    again = a_claim("none", SILENCE)
    assert judged_claim(again, failed) == [DRAWN_OTHERWISE, LEFT_OUT]
    assert judged_claim(a_claim("sms", TEXTED_FOR_SURE), failed) == []
    late = a_claim("none", SILENCE, stage=15)
    assert LEFT_OUT in judged_claim(late)
    assert 15 not in HELD_OUT_STAGES


def test_a_text_of_a_stage_that_was_left_out_is_seen_whatever_is_left_of_the_claim() -> None:
    silence, text = a_claim(at=NOW - timedelta(hours=1)), a_claim("sms", TEXTED_FOR_SURE, number=1)
    silence = replace(silence, claim_id=claim_id_of("job/0", 1))
    for ledger, records in (((silence, text), ()), ((text,), (a_record(silence),))):
        before = a_world(*ledger, facts=STEERED, records=records)
        assert judged(before, before._replace(texts=(a_text(text),))) == [LEAK]
    before_its_day = replace(silence, at=NOW - DAY)
    for other in (replace(silence, stage=0), before_its_day):
        before = a_world(other, text, facts=STEERED)
        assert judged(before, before._replace(texts=(a_text(text),))) == [], "about another stage, or another due date"


def test_a_text_without_a_claim_is_a_leak() -> None:
    before = a_world()
    assert LEAK in judged(before, before._replace(texts=(a_text(a_claim()),)))
    assert NOT_CLAIMED in judged(before, before._replace(texts=(a_text(a_claim()),)))


def test_a_text_before_the_hour_that_was_drawn_is_seen() -> None:
    eighteen = LOTS["proof-drawn"][0]
    for hours, broken in ((7, [BEFORE_ITS_HOUR]), (8, [])):
        at = NOW + timedelta(hours=hours)
        assert judged_claim(a_claim("sms", eighteen, stage=0, at=at), facts=IN_TEXT) == broken


@pytest.mark.parametrize(("channel", "broken"), [("none", [CAP_OF_SILENCE]), ("sms", [])])
def test_a_wait_for_a_cap_that_no_message_fills_is_seen(channel: str, broken: list[str]) -> None:
    earlier = a_claim(channel, at=NOW - DAY / 2)
    before = a_world(earlier)
    assert judged(before, a_world(earlier, reason="person_cap")) == broken


@pytest.mark.parametrize(
    ("claim", "changes", "broken"),
    [
        (a_claim(), {}, []),
        (a_claim(), {"draws": ""}, [MISRECORDED]),
        (a_claim(), {"asked": "0.1:5"}, [MISRECORDED]),
        (a_claim(payer_segment="late"), {}, [MISRECORDED]),
        (a_claim(), {"phone": FACTS.phone}, [NOT_SILENT]),
        (a_claim(), {"state": ContactState.UNKNOWN}, [NOT_SILENT]),
        (a_claim("sms", DRAWS), {}, []),
        (a_claim("sms", DRAWS), {"template": "before"}, [OTHER_WORDS]),
        (a_claim("sms", DRAWS), {"state": ContactState.HELD_OUT}, [NOT_SILENT]),
    ],
)
def test_a_record_that_is_not_as_its_claim_is_seen(
    claim: LedgerEntry, changes: dict[str, Any], broken: list[str]
) -> None:
    before = a_world(claim)
    assert judged(before, a_world(claim, records=(a_record(claim, **changes),))) == broken


def test_a_record_never_changes_what_was_drawn() -> None:
    claim = a_claim("sms", DRAWS)
    before = a_world(claim, records=(a_record(claim),))
    after = a_world(claim, records=(a_record(claim, state=ContactState.DELIVERED, draws=""),))
    assert MISRECORDED in judged(before, after)


def test_at_the_end_each_draw_is_on_record_and_there_once() -> None:
    claim = a_claim()
    assert judge_end(a_world(claim, records=(a_record(claim),)), NOW) == []
    assert judge_end(a_world(claim), NOW) == [UNRECORDED]
    lost = a_world(claim, records=(a_record(claim, draws=""),))
    assert judge_end(lost, NOW) == [DRAWN_OTHERWISE]
    again = a_record(claim, claim_id="another", at=NOW + DAY)
    assert RECORDED_TWICE in judge_end(a_world(claim, records=(a_record(claim), again)), NOW)
