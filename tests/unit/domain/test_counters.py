"""Counters: what each change of an item counts for, and that a change that says nothing new counts for nothing."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dunning.domain.counters import (
    NAMES,
    OF_TEXTS,
    SUMS,
    changes_of_contact,
    changes_of_reply,
    changes_of_standing,
    is_listed,
    is_stop,
)
from dunning.domain.customer.standing import OpenReview, RecentDecision, Standing, Wake, with_decision
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.reply import InboundSms, Reply
from tests.support.builders import promised
from tests.support.people import NOW, someone, waking

DAY = timedelta(days=1)
CONTACT = Contact(
    customer_id="C1", send_id="s", claim_id="c", at=NOW, state=ContactState.SENT, stage=7, account_ids=("A1",),
    channel="sms", expires_at=NOW, lender="demo-tw", parts=2, price_usd_micros=80, template="zh-Hant/overdue@3",
    payer_segment="punctual", local_hour=18,
)  # fmt: skip
TAKEN = {
    "sent:7": 1, "text:zh-Hant/overdue@3": 1, "hour:18": 1, "payer:punctual": 1, "segments": 2, "price_micros": 80,
}  # fmt: skip
REPLY = Reply(
    customer_id="C1",
    inbound=InboundSms(inbound_id="r", phone="+886900000001", text="", at=NOW),
    intents=("paid", "question"),
    promised_on=None,
    expires_at=NOW,
)


@pytest.mark.parametrize(
    ("state", "counters"),
    [
        (ContactState.SENT, TAKEN),
        (ContactState.UNKNOWN, {"unknown": 1}),
        (ContactState.REFUSED, {"refused": 1}),
        (ContactState.DELIVERED, TAKEN | {"delivered": 1}),
        (ContactState.HELD_OUT, {"held_out": 1}),
    ],
)
def test_a_new_contact_counts_for_its_text_if_the_carrier_took_it(
    state: ContactState, counters: dict[str, int]
) -> None:
    assert changes_of_contact(None, replace(CONTACT, state=state)) == counters


@pytest.mark.parametrize("channel", ["email", "line", "voice", "whatsapp"])
def test_only_a_text_by_sms_has_segments(channel: str) -> None:
    counted = changes_of_contact(None, replace(CONTACT, channel=channel, parts=1))
    assert "segments" not in counted
    assert counted["price_micros"] == CONTACT.price_usd_micros


def test_the_confirmation_of_an_opt_out_is_no_reminder() -> None:
    counted = changes_of_contact(None, replace(CONTACT, stage=None))
    assert counted["sent:confirmation"] == 1
    assert counted["confirmation:zh-Hant/overdue@3"] == counted["text:zh-Hant/overdue@3"] == 1
    assert not [name for name in counted if name.startswith(("hour:", "payer:"))]


def test_what_a_record_does_not_say_of_a_reminder_counts_as_not_known() -> None:
    counted = changes_of_contact(None, replace(CONTACT, payer_segment="", local_hour=None))
    assert (counted["hour:?"], counted["payer:?"]) == (1, 1)
    assert changes_of_contact(None, replace(CONTACT, local_hour=0))["hour:0"] == 1


@pytest.mark.parametrize(
    ("before", "after", "counters"),
    [
        (ContactState.SENT, ContactState.SENT, {}),
        (ContactState.SENT, ContactState.DELIVERED, {"delivered": 1}),
        (ContactState.SENT, ContactState.FAILED, {"failed:permanent_failure": 1}),
        (ContactState.FAILED, ContactState.DELIVERED, {"delivered": 1}),
        (ContactState.UNKNOWN, ContactState.DELIVERED, TAKEN | {"delivered": 1}),
        (ContactState.UNKNOWN, ContactState.UNCONFIRMED, {"unconfirmed": 1}),
    ],
)
def test_a_contact_that_moves_counts_for_where_it_has_come_to(
    before: ContactState, after: ContactState, counters: dict[str, int]
) -> None:
    moved = replace(CONTACT, state=after, delivery_status="permanent_failure")
    assert changes_of_contact(replace(CONTACT, state=before), moved) == counters


def test_a_text_of_no_known_template_counts_by_none() -> None:
    for stage in (7, None):
        counted = changes_of_contact(None, replace(CONTACT, template="", stage=stage))
        assert not [name for name in counted if name.startswith(("text:", "confirmation:"))]


@pytest.mark.parametrize("state", ContactState)
def test_a_contact_that_does_not_move_counts_for_nothing(state: ContactState) -> None:
    contact = replace(CONTACT, state=state)
    assert changes_of_contact(contact, replace(contact, erased_at=NOW)) == {}


def test_what_was_billed_is_counted_once() -> None:
    billed = replace(CONTACT, billed_parts=3, billed_price_usd_micros=120)
    assert changes_of_contact(None, billed) == TAKEN | {"billed_segments": 3, "billed_micros": 120}
    fee_alone = replace(CONTACT, billed_price_usd_micros=120)
    assert changes_of_contact(CONTACT, fee_alone) == {}
    assert changes_of_contact(fee_alone, billed) == {"billed_segments": 3, "billed_micros": 120}
    assert changes_of_contact(CONTACT, billed) == {"billed_segments": 3, "billed_micros": 120}
    assert changes_of_contact(billed, replace(billed, erased_at=NOW)) == {}


def test_a_reply_counts_once_and_for_each_thing_it_says_and_its_first_label() -> None:
    assert changes_of_reply(None, REPLY) == {"replies": 1, "reply:paid": 1, "reply:question": 1}
    labelled = replace(REPLY, labels=("paid",), labelled_at=NOW)
    assert changes_of_reply(REPLY, labelled) == {"labelled": 1}
    assert changes_of_reply(labelled, replace(labelled, labelled_at=NOW + DAY)) == {}
    assert changes_of_reply(None, labelled) == {"replies": 1, "reply:paid": 1, "reply:question": 1, "labelled": 1}
    assert changes_of_reply(None, replace(REPLY, customer_id="", intents=())) == {"replies_of_nobody": 1}


def test_a_new_decision_not_to_send_counts_by_its_reason() -> None:
    before = waking(someone())
    after = with_decision(before, NOW, "quiet_hours", NOW + DAY)
    assert changes_of_standing(before, after) == {"wait:quiet_hours": 1}
    assert changes_of_standing(after, with_decision(after, NOW + DAY, "no_consent", None)) == {"stop:no_consent": 1}
    assert changes_of_standing(after, replace(after, version=9)) == {}


@pytest.mark.parametrize(
    ("reason", "until", "stops"),
    [
        ("", None, False),
        ("a reason of before", None, False),
        ("on_hold", None, True),
        ("on_hold", NOW, False),
        ("no_lawful_moment", NOW, True),
        ("carrier_busy", NOW, False),
    ],
)
def test_a_hold_with_an_end_is_waited_for(reason: str, until: None, stops: bool) -> None:  # noqa: FBT001
    assert is_stop(reason, until) is stops


def test_a_stop_that_follows_a_text_counts_though_no_decision_of_its_own_is_kept() -> None:
    before = waking(someone())
    assert changes_of_standing(before, replace(before, wake=None, reason="ladder_finished")) == {
        "stop:ladder_finished": 1
    }
    assert changes_of_standing(before, replace(before, wake=Wake(NOW, 0), reason="next_stage")) == {}
    assert changes_of_standing(before, replace(before, wake=Wake(NOW, 0), reason="ladder_finished")) == {}
    assert changes_of_standing(before, replace(before, wake=None, reason="quiet_hours")) == {}
    ended = replace(before, wake=None, reason="ladder_finished")
    assert changes_of_standing(ended, replace(ended, version=9)) == {}
    waited = with_decision(before, NOW, "quiet_hours", NOW + DAY)
    assert changes_of_standing(before, replace(waited, wake=None, reason="ladder_finished")) == {"wait:quiet_hours": 1}


def test_whoever_begins_to_wait_for_a_person_counts_by_why_and_whoever_waits_no_more_counts_once() -> None:
    calm = waking(someone())
    one_thing = replace(calm, attention=(OpenReview("dispute", NOW, "r1"),))
    two_things = replace(calm, attention=(OpenReview("dispute", NOW, "r1"), OpenReview("question", NOW, "r2")))
    assert changes_of_standing(calm, two_things) == {"needs_person:dispute": 1, "needs_person:question": 1}
    assert changes_of_standing(two_things, one_thing) == {}
    assert changes_of_standing(one_thing, calm) == {"attended": 1}


def test_an_opt_out_and_the_end_of_a_promise_count() -> None:
    calm = waking(someone())
    assert changes_of_standing(calm, replace(calm, opted_out_at=NOW)) == {"opt_out": 1}
    waits = replace(calm, **promised(NOW, date(2026, 12, 4), "A1#1"))
    kept = replace(calm, **promised(NOW, date(2026, 12, 4), "A1#1", kept=True))
    broken = replace(calm, **promised(NOW, date(2026, 12, 4), "A1#1", kept=False))
    assert changes_of_standing(waits, kept) == {"promise_kept": 1}
    assert changes_of_standing(waits, broken) == {"promise_broken": 1}


def test_an_opt_out_counts_once() -> None:
    out = replace(waking(someone()), opted_out_at=NOW)
    assert changes_of_standing(out, replace(out, opted_out_at=NOW + DAY)) == {}


@pytest.mark.parametrize(("kept", "counter"), [(True, "promise_kept"), (False, "promise_broken")])
def test_the_end_of_each_promise_counts_once(kept: bool, counter: str) -> None:  # noqa: FBT001
    calm, on = waking(someone()), date(2026, 12, 4)
    first = replace(calm, **promised(NOW, on, "A1#1", kept=kept))
    both = replace(calm, **promised(NOW, on, "A1#1", "A1#2", kept=kept))
    assert changes_of_standing(first, both) == {counter: 1}
    assert changes_of_standing(None, both) == {counter: 2}
    assert changes_of_standing(both, replace(both, version=9)) == {}
    assert changes_of_standing(both, first) == {}, "one is forgotten"


def test_what_a_counter_is_counted_by_may_hold_a_colon() -> None:
    assert not is_listed("payer:early:often")
    assert is_listed("wait:payer:often")


def test_what_is_gone_counts_for_nothing() -> None:
    assert changes_of_standing(waking(someone()), None) == {}
    assert changes_of_contact(CONTACT, None) == {}
    assert changes_of_reply(REPLY, None) == {}


def test_every_counter_has_its_name_and_sums_are_counters() -> None:
    recent = (RecentDecision(NOW, "on_hold"), RecentDecision(NOW, "next_stage", NOW))
    reviews = (OpenReview("dispute", NOW, "r1"),)
    full = Standing(customer_id="C1", recent=recent, attention=reviews, opted_out_at=NOW)
    counted = {*changes_of_standing(None, full), *changes_of_contact(None, CONTACT), *changes_of_reply(None, REPLY)}
    assert {counter.partition(":")[0] for counter in counted} <= NAMES.keys() | OF_TEXTS.keys()
    assert NAMES.keys() >= SUMS
    assert not [counter for counter in counted if is_listed(counter) and counter in SUMS]
    assert is_listed("sent:7")
    assert not is_listed("text:zh-Hant/overdue@3")
    assert not is_listed("hour:18")
    assert not is_listed("opt_out_by_stage:7")
    assert is_listed("opt_out")
