"""Text effects: an opt-out or a complaint is put down to the last reminder before it, once a customer."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import LedgerEntry, ReplyLabel, Standing, label_key
from dunning.domain.delivery.channels import NO_CONTACT
from dunning.domain.text_effects import (
    FOLLOWS_WITHIN,
    NO_REMINDER,
    NOT_KNOWN,
    EffectChange,
    TextDetails,
    TextEffect,
    TextPart,
    counters_of_effect,
    effects_of_change,
)
from tests.support.people import NOW

DAY = timedelta(days=1)
FIRST = LedgerEntry(send_id="s1", claim_id="c1", at=NOW, stage=-3, accounts=("A1",), channel="sms", for_wake=None)
SECOND = replace(FIRST, send_id="s2", claim_id="c2", at=NOW + 7 * DAY, stage=7)
TEXTED = Standing(customer_id="C1", ledger=(FIRST, SECOND))
HOLDS = {
    TextEffect.COMPLAINT: HoldReason.COMPLAINT,
    TextEffect.WRONG_PERSON: HoldReason.WRONG_PERSON,
    TextEffect.HARDSHIP: HoldReason.HARDSHIP,
}


def saying(*times: datetime, reason: HoldReason = HoldReason.COMPLAINT, before: Standing = TEXTED) -> Standing:
    return replace(before, holds=tuple([Hold(reason, None, at) for at in times]))


def labelled(standing: Standing, at: datetime, *intents: str, sequence: int = 0) -> Standing:
    label = ReplyLabel(at=at + DAY, sequence=sequence, intents=intents)
    return replace(standing, reply_labels={label_key(at): label})


@pytest.mark.parametrize(("effect", "reason"), HOLDS.items())
@pytest.mark.parametrize(
    ("at", "text"),
    [(NOW, FIRST), (NOW + 7 * DAY - timedelta(seconds=1), FIRST), (NOW + 7 * DAY, SECOND), (NOW + 9 * DAY, SECOND)],
    ids=["at the text", "just before the next text", "at the next text", "after both"],
)
def test_what_a_customer_says_follows_the_last_reminder_before_it(
    effect: TextEffect, reason: HoldReason, at: datetime, text: LedgerEntry
) -> None:
    assert effects_of_change(TEXTED, saying(at, reason=reason)) == [EffectChange(effect, text)]


def test_an_opt_out_of_all_texts_or_of_an_account_follows_its_text_and_counts_once() -> None:
    of_all = replace(TEXTED, opted_out_at=NOW + DAY)
    of_account = replace(TEXTED, opted_out_accounts={"A1": NOW + DAY})
    for after in (of_all, of_account, replace(of_all, opted_out_accounts={"A1": NOW + 2 * DAY})):
        assert effects_of_change(TEXTED, after) == [EffectChange(TextEffect.OPT_OUT, FIRST)]
    again = replace(of_all, opted_out_at=NOW + 2 * DAY)
    assert effects_of_change(of_all, again) == []
    assert effects_of_change(again, replace(again, opted_out_at=NOW + 8 * DAY)) == [
        EffectChange(TextEffect.OPT_OUT, SECOND)
    ]


def test_who_complains_three_times_after_a_reminder_complained_once() -> None:
    once, twice = saying(NOW + DAY), saying(NOW + DAY, NOW + 2 * DAY)
    assert effects_of_change(TEXTED, saying(NOW + DAY, NOW + 2 * DAY, NOW + 3 * DAY)) == [
        EffectChange(TextEffect.COMPLAINT, FIRST)
    ]
    assert effects_of_change(once, twice) == []
    assert effects_of_change(saying(NOW + 2 * DAY), twice) == [], "in whatever order they arrive"
    assert effects_of_change(once, saying(NOW + DAY, NOW + 8 * DAY)) == [EffectChange(TextEffect.COMPLAINT, SECOND)]


def test_a_stage_that_was_left_out_and_a_confirmation_are_no_reminder() -> None:
    silent = replace(SECOND, channel=NO_CONTACT)
    confirmation = replace(SECOND, stage=None)
    for entry in (silent, confirmation):
        before = replace(TEXTED, ledger=(FIRST, entry))
        (found,) = effects_of_change(before, saying(NOW + 8 * DAY, before=before))
        assert found.text == FIRST


@pytest.mark.parametrize(
    ("at", "ledger"),
    [(NOW - DAY, (FIRST,)), (NOW + FOLLOWS_WITHIN, (FIRST,)), (NOW + DAY, ())],
    ids=["before all texts", "long after the last", "no text is remembered"],
)
def test_what_follows_no_reminder_that_is_known_counts_by_none(at: datetime, ledger: tuple[LedgerEntry, ...]) -> None:
    before = replace(TEXTED, ledger=ledger)
    (found,) = effects_of_change(before, saying(at, before=before))
    assert found == EffectChange(TextEffect.COMPLAINT, None)
    assert set(counters_of_effect(found, None)) == {f"complaint_by_{part}:{NO_REMINDER}" for part in TextPart}


@pytest.mark.parametrize(("after", "text"), [(31 * DAY - timedelta(seconds=1), SECOND), (31 * DAY, None)])
def test_something_follows_a_text_within_31_days(after: timedelta, text: LedgerEntry | None) -> None:
    assert effects_of_change(TEXTED, saying(SECOND.at + after)) == [EffectChange(TextEffect.COMPLAINT, text)]


def test_what_follows_two_texts_counts_after_each() -> None:
    for times in ((FIRST.at, SECOND.at), (SECOND.at, FIRST.at)):
        found = effects_of_change(TEXTED, saying(*times))
        assert {change.text.send_id for change in found if change.text} == {"s1", "s2"}
        assert len(found) == 2


def test_a_first_standing_counts_what_it_says() -> None:
    assert effects_of_change(None, saying(NOW)) == [EffectChange(TextEffect.COMPLAINT, FIRST)]


def test_what_a_person_does_not_find_in_the_reply_is_taken_back_and_what_is_found_again_counts_again() -> None:
    complained = saying(NOW + DAY)
    denied = labelled(TEXTED, NOW + DAY, "question")
    assert effects_of_change(complained, denied) == [EffectChange(TextEffect.COMPLAINT, FIRST, -1)]
    found_again = labelled(complained, NOW + DAY, "complaint", sequence=1)
    assert effects_of_change(denied, found_again) == [EffectChange(TextEffect.COMPLAINT, FIRST)]
    of_two = saying(NOW + DAY, NOW + 2 * DAY)
    assert effects_of_change(of_two, labelled(saying(NOW + 2 * DAY), NOW + DAY, "question")) == []


def test_a_hold_that_is_dropped_without_a_label_stays_counted() -> None:
    assert effects_of_change(saying(NOW + DAY), TEXTED) == []
    forgotten = labelled(saying(NOW + DAY), NOW + DAY, "complaint")
    assert effects_of_change(forgotten, TEXTED) == [], "the label is dropped with it"
    kept = labelled(TEXTED, NOW + DAY, "complaint")
    assert effects_of_change(replace(saying(NOW + DAY), reply_labels=kept.reply_labels), kept) == []


def test_a_text_that_is_claimed_or_released_or_forgotten_counts_for_nothing() -> None:
    complained = saying(NOW + DAY)
    for ledger in ((), (SECOND,), (FIRST,)):
        assert effects_of_change(complained, replace(complained, ledger=ledger, version=9)) == []
        assert effects_of_change(replace(complained, ledger=ledger), complained) == []


def test_an_effect_counts_by_all_that_its_text_is_told_apart_by() -> None:
    details = TextDetails("zh-Hant/due@3", "punctual", 0)
    assert counters_of_effect(EffectChange(TextEffect.OPT_OUT, FIRST, -1), details) == {
        "opt_out_by_stage:-3": -1,
        "opt_out_by_hour:0": -1,
        "opt_out_by_text:zh-Hant/due@3": -1,
        "opt_out_by_payer:punctual": -1,
    }


def test_what_is_not_known_of_a_reminder_counts_as_not_known_and_its_stage_always_is() -> None:
    assert counters_of_effect(EffectChange(TextEffect.HARDSHIP, FIRST), None) == {
        "hardship_by_stage:-3": 1,
        f"hardship_by_hour:{NOT_KNOWN}": 1,
        f"hardship_by_text:{NOT_KNOWN}": 1,
        f"hardship_by_payer:{NOT_KNOWN}": 1,
    }


def test_a_hold_that_comes_from_no_reply_counts_for_nothing() -> None:
    restored = replace(TEXTED, holds=(Hold(HoldReason.COMPLAINT, None),))
    assert effects_of_change(TEXTED, restored) == []
