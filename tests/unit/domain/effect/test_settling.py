"""Settling: cured is who has paid everything the rung asked for in time, whatever else happened."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason
from dunning.domain.customer.standing import PaymentStatement, PromiseToPay, Standing
from dunning.domain.decision.hours import start_of_day
from dunning.domain.effect.draws import Draw, Layer
from dunning.domain.effect.settling import (
    NO_SIDE_EFFECTS,
    Asked,
    OutcomeState,
    SideEffects,
    Spell,
    SpellOutcome,
    last_day,
    next_instalment_was_late,
    settle_spell,
)
from tests.support.builders import a_customer, an_account, an_instalment, day, taipei

DRAWN = taipei("2026-12-04 10:00")
ENDS = taipei("2026-12-19 00:00")
FIRST_NIGHT, SECOND_NIGHT = ENDS + timedelta(hours=3), ENDS + timedelta(days=1, hours=3)

SPELL = Spell(
    customer_id="C1",
    send_id="send-1",
    draws=(Draw(Layer.HOLDOUT, "quiet", "text", 0.95),),
    drawn_at=DRAWN,
    drawn_on=day("2026-12-04"),
    stage=3,
    goal_days=14,
    asked=(Asked("A1", 1, 325_000),),
    payer_segment="unknown",
    place="TW",
    channel="sms",
    parts=2,
    price_usd_micros=60_000,
)


def owing(paid: int = 0, paid_at: datetime | None = None, **changes: Any) -> Facts:  # noqa: ANN401 - fields
    instalment = replace(an_instalment(paid=paid), paid_at=paid_at)
    return a_customer(an_account(instalment), **changes)


def settled(facts: Facts | None, night: datetime = FIRST_NIGHT, **arguments: Any) -> SpellOutcome:  # noqa: ANN401
    standing = arguments.pop("standing", None)
    return settle_spell(arguments.pop("spell", SPELL), facts, standing, ends_at=ENDS, night=night, **arguments)


def test_who_has_paid_by_the_end_of_the_last_day_is_cured() -> None:
    assert last_day(SPELL) == day("2026-12-18")
    just = settled(owing(325_000, ENDS - timedelta(seconds=1)))
    assert (just.state, just.cured, just.days) == (OutcomeState.SETTLED, True, 14)
    assert settled(owing(325_000, DRAWN + timedelta(hours=5))).days == 0
    late = settled(owing(325_000, ENDS))
    assert (late.cured, late.days) == (False, None)
    assert not settled(owing()).cured


def test_before_the_days_are_over_nothing_is_known() -> None:
    assert settled(owing(325_000, DRAWN), night=ENDS - timedelta(seconds=1)).state is OutcomeState.RUNNING
    assert settled(owing(), night=ENDS).state is OutcomeState.SETTLED


def test_a_payment_that_is_reported_late_counts_by_its_own_day() -> None:
    first = settled(owing())
    assert not first.cured
    again = settled(owing(325_000, ENDS - timedelta(hours=1)), SECOND_NIGHT, before=first)
    assert again.cured
    too_late = settled(owing(325_000, ENDS + timedelta(hours=1)), SECOND_NIGHT, before=first)
    assert not too_late.cured


def test_a_payment_that_is_reversed_afterwards_is_none() -> None:
    first = settled(owing(325_000, DRAWN))
    assert first.cured
    assert not settled(owing(0), SECOND_NIGHT, before=first).cured


def test_of_a_payment_without_a_day_the_first_night_decides() -> None:
    first = settled(owing(325_000))
    assert first.cured
    assert first.days is None
    assert settled(owing(325_000), SECOND_NIGHT, before=first).cured
    unpaid = settled(owing())
    assert not settled(owing(325_000), SECOND_NIGHT, before=unpaid).cured
    assert not settled(owing(325_000), FIRST_NIGHT + timedelta(hours=1), before=unpaid).cured, "it has decided"
    assert settled(owing(325_000), ENDS + timedelta(hours=23)).cured
    assert not settled(owing(325_000), ENDS + timedelta(days=1)).cured, "nobody looked in time"


def test_a_file_that_knows_of_payments_in_time_only_is_believed_on_any_night() -> None:
    in_time = owing(325_000, as_of=ENDS - timedelta(hours=6))
    assert settled(in_time, SECOND_NIGHT, before=settled(owing())).cured
    lagging = owing(325_000, as_of=ENDS + timedelta(hours=6), paid_as_of=ENDS - timedelta(hours=6))
    assert settled(lagging, SECOND_NIGHT, before=settled(owing())).cured
    too_late = owing(325_000, as_of=ENDS + timedelta(hours=6))
    assert not settled(too_late, SECOND_NIGHT, before=settled(owing())).cured


def test_the_same_night_gives_the_same_outcome_however_often_it_is_run() -> None:
    for facts in (owing(), owing(325_000), owing(325_000, DRAWN), owing(100_000, DRAWN)):
        first = settled(facts)
        assert settled(facts, before=first) == first


def test_everything_that_was_asked_for_has_to_be_paid() -> None:
    both = replace(SPELL, asked=(Asked("A1", 1, 325_000), Asked("A2", 1, 90_000)))
    paid = replace(an_instalment(paid=325_000), paid_at=DRAWN)
    open_still = an_account(an_instalment(amount=90_000), account_id="A2")
    half = settled(a_customer(an_account(paid), open_still), spell=both)
    assert not half.cured
    assert half.paid_in_part
    second = an_account(replace(an_instalment(amount=90_000, paid=90_000), paid_at=DRAWN), account_id="A2")
    assert settled(a_customer(an_account(paid), second), spell=both).cured


def test_what_came_due_after_the_rung_does_not_matter() -> None:
    paid = replace(an_instalment(paid=325_000), paid_at=DRAWN)
    later = an_instalment("2026-12-15", number=2)
    assert settled(a_customer(an_account(paid, later))).cured


def test_a_part_of_the_amount_is_told_apart_from_nothing() -> None:
    assert settled(owing(100_000, DRAWN)).paid_in_part
    assert not settled(owing()).paid_in_part
    assert not settled(owing(325_000, DRAWN)).paid_in_part
    asked_less = replace(SPELL, asked=(Asked("A1", 1, 225_000),))
    assert not settled(owing(100_000, DRAWN - timedelta(days=9)), spell=asked_less).paid_in_part


def test_an_amount_that_was_corrected_to_nothing_a_credit_and_a_small_rest_count_as_paid() -> None:
    corrected = a_customer(an_account(replace(an_instalment(amount=0), paid_at=DRAWN)))
    assert settled(corrected).cured
    credit = an_instalment("2026-11-01", amount=-325_000, number=0)
    assert settled(a_customer(an_account(credit, an_instalment()))).cured
    small = owing(324_000, DRAWN)
    assert not settled(small).cured
    assert settled(small, smallest_amounts={"TWD": 5_000}).cured


def test_an_amount_that_was_raised_has_to_be_paid_in_full() -> None:
    raised = replace(an_instalment(amount=400_000, paid=325_000), paid_at=DRAWN)
    assert not settled(a_customer(an_account(raised))).cured


@pytest.mark.parametrize("reason", [HoldReason.DECEASED, HoldReason.BANKRUPT, HoldReason.DISPUTE, HoldReason.HARDSHIP])
def test_who_is_on_hold_or_has_died_stays_in_the_trial(reason: HoldReason) -> None:
    outcome = settled(owing(holds=(Hold(reason),)))
    assert outcome.state is OutcomeState.SETTLED
    assert not outcome.cured


def test_who_was_erased_leaves_whatever_was_known_before() -> None:
    assert settled(None, is_erased=True).state is OutcomeState.ERASED
    assert settled(owing(325_000, DRAWN), before=settled(owing()), is_erased=True).state is OutcomeState.ERASED


def test_who_cannot_be_read_is_lost_unless_an_earlier_night_could() -> None:
    assert settled(None).state is OutcomeState.LOST
    first = settled(owing(325_000, DRAWN))
    assert settled(None, SECOND_NIGHT, before=first) == first
    assert settled(owing(325_000, DRAWN), before=settled(None)).cured


def test_an_instalment_that_is_gone_from_the_lenders_data_is_lost_and_not_taken_for_paid() -> None:
    other: Account = an_account(an_instalment(number=9))
    assert settled(a_customer(other)).state is OutcomeState.LOST
    assert settled(a_customer(an_account(account_id="A7"))).state is OutcomeState.LOST


def test_a_day_on_which_clocks_change_has_its_own_length() -> None:
    """The spell's last day in New York is 14 March 2027, which has 23 hours."""
    zones = (ZoneInfo("America/New_York"),)
    ends = start_of_day(zones, day("2027-03-15").toordinal())
    assert ends - start_of_day(zones, day("2027-03-14").toordinal()) == timedelta(hours=23)
    spell = replace(SPELL, drawn_on=day("2027-02-28"), drawn_at=ends - timedelta(days=14))
    for paid_at, cured in ((ends - timedelta(seconds=1), True), (ends, False)):
        outcome = settle_spell(spell, owing(325_000, paid_at), None, ends_at=ends, night=ends + timedelta(hours=2))
        assert outcome.cured is cured


def test_what_a_customer_does_instead_of_paying_stands_beside_the_cure() -> None:
    during = DRAWN + timedelta(days=2)
    standing = Standing(
        customer_id="C1",
        opted_out_at=during,
        holds=(
            Hold(HoldReason.COMPLAINT, since=during),
            Hold(HoldReason.HARDSHIP, since=DRAWN),
            Hold(HoldReason.WRONG_PERSON, since=during),
        ),
        promises={"A1#1": PromiseToPay(during, day("2026-12-10"), kept=False)},
    )
    everything = SideEffects(
        opted_out=True, complained=True, wrong_person=True, hardship=True, promised=True, promise_broken=True
    )
    assert settled(owing(), standing=standing).side_effects == everything


@pytest.mark.parametrize("at", [DRAWN - timedelta(seconds=1), ENDS])
def test_what_happened_before_the_draw_or_after_the_days_is_not_its_effect(at: datetime) -> None:
    standing = Standing(
        customer_id="C1",
        opted_out_at=at,
        opted_out_accounts={"A1": at},
        holds=(Hold(HoldReason.COMPLAINT, since=at), Hold(HoldReason.HARDSHIP)),
        promises={"A1#1": PromiseToPay(at, day("2026-12-10"), kept=False)},
    )
    assert settled(owing(), standing=standing).side_effects == NO_SIDE_EFFECTS


def test_an_opt_out_from_one_account_and_a_promise_of_no_instalment_count() -> None:
    at = DRAWN + timedelta(days=1)
    statement = PaymentStatement(
        reason=HoldReason.PROMISE, said_at=at, day=day("2026-12-05"), until=day("2026-12-08"), accounts=("A1",)
    )
    standing = Standing(customer_id="C1", opted_out_accounts={"A2": at}, payment_statements=(statement,))
    assert settled(owing(), standing=standing).side_effects == SideEffects(opted_out=True, promised=True)


def test_a_spell_that_asked_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="spell send-1: asked is empty"):
        replace(SPELL, asked=())


def test_what_is_known_of_the_next_instalment_stays_when_the_spell_is_settled_again() -> None:
    known = replace(settled(owing(325_000, DRAWN)), next_late=True)
    assert settled(owing(325_000, DRAWN), SECOND_NIGHT, before=known).next_late is True


NEXT = an_instalment("2027-01-01", number=2)
PAID = replace(an_instalment(paid=325_000), paid_at=DRAWN)


def test_the_next_instalment_was_late_if_it_is_open_or_was_paid_after_its_due_date() -> None:
    today = day("2027-01-03")
    unpaid = a_customer(an_account(PAID, NEXT))
    assert next_instalment_was_late(SPELL, unpaid, today, {}) is True
    with_another = a_customer(an_account(PAID, NEXT), an_account(account_id="A2"))
    assert next_instalment_was_late(SPELL, with_another, today, {}) is True, "what was not asked for says nothing"
    paid = a_customer(an_account(PAID, replace(NEXT, paid=325_000)))
    assert next_instalment_was_late(SPELL, paid, today, {"A1#2": day("2027-01-01")}) is False
    assert next_instalment_was_late(SPELL, paid, today, {"A1#2": day("2027-01-02")}) is True


def test_whether_the_next_instalment_was_late_is_not_known_before_its_day_without_a_day_or_if_there_is_none() -> None:
    unpaid = a_customer(an_account(PAID, NEXT))
    assert next_instalment_was_late(SPELL, unpaid, day("2027-01-01"), {}) is None
    paid = a_customer(an_account(PAID, replace(NEXT, paid=325_000)))
    assert next_instalment_was_late(SPELL, paid, day("2027-01-03"), {}) is None
    assert next_instalment_was_late(SPELL, a_customer(an_account(PAID)), day("2027-01-03"), {}) is None
    overdue = a_customer(an_account(PAID, an_instalment("2026-12-02", number=2)))
    assert next_instalment_was_late(SPELL, overdue, day("2027-01-03"), {}) is None, "it was late before the draw"
