"""What follows from a reply, intent by intent."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dunning.domain.customer.facts import EVERY_HOLD, Facts, Hold, HoldReason
from dunning.domain.customer.standing import (
    HOLD_LIMIT,
    LABEL_LIMIT,
    PaymentStatement,
    PromiseToPay,
    ReplyLabel,
    Standing,
    holds_now,
)
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Stop, Wait
from dunning.domain.outbound_events import ReviewReason
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.reply_effects import (
    ReplyEffect,
    ReplyLimits,
    apply_label,
    apply_reply,
    is_not_understood,
    with_hold,
)
from tests.support.builders import a_customer, a_standing, an_account, an_instalment, day, taipei, the_policies

SAID_AT = taipei("2026-12-10 11:00")
TODAY = day("2026-12-10")
GRACE = day("2026-12-13")
IN_TWO_WORKING_DAYS, IN_THREE_WORKING_DAYS = day("2026-12-14"), day("2026-12-15")
"""Of a Thursday: Friday, Monday, Tuesday."""
DAY = timedelta(days=1)
OVERDUE = a_customer(an_account(an_instalment("2026-12-01")))


def effect_of(
    *intents: ReplyIntent,
    likely: tuple[ReplyIntent, ...] = (),
    facts: Facts = OVERDUE,
    before: Standing | None = None,
    on: date | None = None,
    digits: str = "",
    limits: ReplyLimits = ReplyLimits(),  # noqa: B008 - frozen
    later: timedelta = timedelta(),
) -> ReplyEffect:
    """Apply a reply of a customer in Taipei, on 10 December unless later."""
    said_at = SAID_AT + later
    parsed = ParsedReply(intents, on, digits, likely)
    return apply_reply(facts, before or a_standing(), parsed, said_at, TODAY + later, limits)


def on_hold(reason: HoldReason, until: date | None) -> Standing:
    return a_standing(holds=(Hold(reason, until, SAID_AT),))


def says_paid(until: date, *about: str) -> Standing:
    return a_standing(
        payment_statements=(
            PaymentStatement(
                reason=HoldReason.SAYS_PAID, said_at=SAID_AT, day=TODAY, until=until, accounts=("A1",), about=about
            ),
        )
    )


def test_several_meanings_of_one_reply_all_count() -> None:
    answer = effect_of(ReplyIntent.OPT_OUT, ReplyIntent.DISPUTE, ReplyIntent.QUESTION)
    assert answer.standing.is_opted_out
    assert {hold.reason for hold in answer.standing.holds} == {HoldReason.DISPUTE, HoldReason.QUESTION}
    assert answer.needs == (ReviewReason.DISPUTE, ReviewReason.QUESTION)


class TestOptOut:
    """The last word counts."""

    def test_an_opt_in_after_it_lifts_it_and_one_before_it_does_not(self) -> None:
        out = effect_of(ReplyIntent.OPT_OUT).standing
        assert not effect_of(ReplyIntent.OPT_IN, before=out, later=DAY).standing.is_opted_out
        assert effect_of(ReplyIntent.OPT_IN, before=out, later=-DAY).standing.is_opted_out

    def test_it_wins_over_an_opt_in_of_the_same_moment(self) -> None:
        assert effect_of(ReplyIntent.OPT_OUT, ReplyIntent.OPT_IN).standing.is_opted_out
        assert effect_of(ReplyIntent.OPT_IN, before=effect_of(ReplyIntent.OPT_OUT).standing).standing.is_opted_out

    def test_an_older_one_that_comes_late_changes_nothing(self) -> None:
        out = effect_of(ReplyIntent.OPT_OUT).standing
        assert effect_of(ReplyIntent.OPT_OUT, before=out, later=-DAY).standing == out

    def test_an_opt_in_lifts_no_hold(self) -> None:
        held = effect_of(ReplyIntent.DISPUTE).standing
        assert effect_of(ReplyIntent.OPT_IN, before=held, later=DAY).standing.holds == held.holds

    @pytest.mark.parametrize("digits", ["1111", "111", "00001111"])
    def test_it_is_about_the_one_account_whose_last_digits_are_named(self, digits: str) -> None:
        two = a_customer(an_account(tail="1111"), an_account(account_id="A2", tail="2222"))
        standing = effect_of(ReplyIntent.OPT_OUT, facts=two, digits=digits).standing
        assert standing == a_standing(opted_out_accounts={"A1": SAID_AT})
        back = effect_of(ReplyIntent.OPT_IN, facts=two, before=standing, later=DAY).standing
        assert not back.is_opted_out_of("A1")

    @pytest.mark.parametrize("digits", ["", "11", "9999", "2222"])
    def test_it_is_about_everything_if_it_is_not_certain_which_account_is_meant(self, digits: str) -> None:
        three = a_customer(
            an_account(tail="1111"), an_account(account_id="A2", tail="2222"), an_account(account_id="A3", tail="2222")
        )
        assert effect_of(ReplyIntent.OPT_OUT, facts=three, digits=digits).standing == a_standing(opted_out_at=SAID_AT)

    def test_of_two_about_one_account_the_later_moment_is_kept(self) -> None:
        two = a_customer(an_account(tail="1111"), an_account(account_id="A2", tail="2222"))
        out = effect_of(ReplyIntent.OPT_OUT, facts=two, digits="1111").standing
        later = effect_of(ReplyIntent.OPT_OUT, facts=two, digits="1111", before=out, later=DAY).standing
        assert later.opted_out_accounts == {"A1": SAID_AT + DAY}
        assert effect_of(ReplyIntent.OPT_OUT, facts=two, digits="1111", before=later).standing == later


class TestSaysPaid:
    """Some days of silence, about what the customer can have meant."""

    def test_it_ends_early_when_what_was_due_is_paid(self) -> None:
        standing = effect_of(ReplyIntent.PAID).standing
        assert isinstance(decide(OVERDUE, standing, the_policies(), SAID_AT), Wait)
        paid = a_customer(an_account(an_instalment("2026-12-01", paid=325_000), an_instalment("2026-12-07", number=2)))
        decision = decide(paid, standing, the_policies(), SAID_AT)
        assert decision.reason is not Reason.ON_HOLD

    def test_it_is_about_all_that_is_due_or_else_about_the_next(self) -> None:
        facts = a_customer(
            an_account(
                an_instalment("2026-11-01"),
                an_instalment("2026-12-10", number=2),
                an_instalment("2026-12-11", number=3),
            ),
            an_account(
                an_instalment("2026-12-24"), an_instalment("2027-01-24", number=2), account_id="A2", tail="2222"
            ),
        )
        (statement,) = effect_of(ReplyIntent.PAID, facts=facts).standing.payment_statements
        assert statement.about == ("A1#1", "A1#2")
        (statement,) = effect_of(ReplyIntent.PAID, facts=facts, digits="2222").standing.payment_statements
        assert statement.about == ("A2#1",)

    def test_the_order_in_which_a_lender_names_accounts_makes_no_difference(self) -> None:
        accounts = [an_account(account_id=f"A{number}", tail=f"{number}" * 4) for number in range(1, 9)]
        upwards = effect_of(ReplyIntent.PAID, facts=a_customer(*accounts))
        assert effect_of(ReplyIntent.PAID, facts=a_customer(*reversed(accounts))) == upwards

    def test_who_owes_nothing_is_not_held(self) -> None:
        paid = a_customer(an_account(an_instalment(paid=325_000)))
        answer = effect_of(ReplyIntent.PAID, facts=paid)
        assert (holds_now(paid, answer.standing), answer.needs) == ([], ())

    def test_the_days_of_silence_are_the_lenders(self) -> None:
        (hold,) = holds_now(OVERDUE, effect_of(ReplyIntent.PAID, limits=ReplyLimits(grace_days=7)).standing)
        assert hold.until == day("2026-12-17")


class TestPromise:
    """A promise buys silence once for an instalment."""

    @pytest.mark.parametrize("on", ["2026-12-10", "2026-12-24"])
    def test_one_that_names_a_day_within_reach_is_kept_in_mind(self, on: str) -> None:
        answer = effect_of(ReplyIntent.PROMISE, on=day(on))
        assert answer.standing.promises == {"A1#1": PromiseToPay(SAID_AT, day(on))}
        assert answer.needs == ()

    @pytest.mark.parametrize("on", ["2026-12-09", "2026-12-25", None])
    def test_for_one_without_a_day_within_reach_a_person_asks(self, on: str | None) -> None:
        answer = effect_of(ReplyIntent.PROMISE, on=day(on) if on else None)
        assert answer == ReplyEffect(on_hold(HoldReason.QUESTION, IN_TWO_WORKING_DAYS), (ReviewReason.PROMISE_UNCLEAR,))

    def test_how_far_it_may_reach_is_the_lenders(self) -> None:
        assert effect_of(ReplyIntent.PROMISE, on=day("2026-12-12"), limits=ReplyLimits(promise_days=1)).needs == (
            ReviewReason.PROMISE_UNCLEAR,
        )

    def test_nobody_is_texted_before_its_day_is_over(self) -> None:
        standing = effect_of(ReplyIntent.PROMISE, on=day("2026-12-20")).standing
        decision = decide(OVERDUE, standing, the_policies(), SAID_AT)
        assert isinstance(decision, Wait)
        assert decision.until is not None
        assert decision.until >= taipei("2026-12-21 00:00")

    def test_a_second_one_for_an_instalment_buys_nothing_and_calls_a_person(self) -> None:
        once = effect_of(ReplyIntent.PROMISE, on=day("2026-12-12")).standing
        again = effect_of(ReplyIntent.PROMISE, on=day("2026-12-20"), before=once, later=DAY)
        assert again.standing.promises == once.promises
        assert again.needs == (ReviewReason.PROMISED_BEFORE,)

    def test_whichever_arrives_first_the_one_that_was_said_first_counts(self) -> None:
        second = effect_of(ReplyIntent.PROMISE, on=day("2026-12-20"), later=DAY).standing
        first = effect_of(ReplyIntent.PROMISE, on=day("2026-12-12"), before=second)
        assert first.standing.promises == {"A1#1": PromiseToPay(SAID_AT, day("2026-12-12"))}
        assert first.needs == (ReviewReason.PROMISED_BEFORE,)

    def test_one_for_another_account_is_no_second_one(self) -> None:
        two = a_customer(*OVERDUE.accounts, an_account(an_instalment("2026-12-01"), account_id="A2", tail="2222"))
        once = effect_of(ReplyIntent.PROMISE, facts=two, on=day("2026-12-12"), digits="5678").standing
        other = effect_of(ReplyIntent.PROMISE, facts=two, on=day("2026-12-20"), digits="2222", before=once, later=DAY)
        assert set(other.standing.promises) == {"A1#1", "A2#1"}
        assert other.needs == ()

    def test_one_after_a_payment_claim_is_no_second_one(self) -> None:
        claimed = effect_of(ReplyIntent.PAID).standing
        assert effect_of(ReplyIntent.PROMISE, on=day("2026-12-12"), before=claimed, later=DAY).needs == ()

    def test_the_same_one_again_is_no_second_one(self) -> None:
        once = effect_of(ReplyIntent.PROMISE, on=day("2026-12-12")).standing
        assert effect_of(ReplyIntent.PROMISE, on=day("2026-12-12"), before=once) == ReplyEffect(once, ())

    def test_who_owes_nothing_promises_nothing(self) -> None:
        paid = a_customer(an_account(an_instalment(paid=325_000)))
        answer = effect_of(ReplyIntent.PROMISE, facts=paid, on=day("2026-12-12"))
        assert (holds_now(paid, answer.standing), answer.standing.promises, answer.needs) == ([], {}, ())


class TestHolds:
    """One a reason and reply: the longest silence counts."""

    def test_those_of_several_replies_stand_side_by_side(self) -> None:
        once = effect_of(ReplyIntent.QUESTION).standing
        again = effect_of(ReplyIntent.QUESTION, before=once, later=DAY).standing
        assert again.holds == (
            Hold(HoldReason.QUESTION, IN_TWO_WORKING_DAYS, SAID_AT),
            Hold(HoldReason.QUESTION, day("2026-12-15"), SAID_AT + DAY),
        )
        assert effect_of(ReplyIntent.QUESTION, before=again).standing == again

    def test_a_short_one_said_later_does_not_end_a_long_one(self) -> None:
        long = effect_of(ReplyIntent.PROMISE, limits=ReplyLimits(grace_days=14)).standing
        both = effect_of(ReplyIntent.QUESTION, before=long, later=DAY).standing
        decision = decide(OVERDUE, both, the_policies(), SAID_AT + 2 * DAY)
        assert decision.until == taipei("2026-12-26 10:00"), "the day of the Constitution rests"

    def test_the_oldest_of_very_many_for_one_reason_are_dropped(self) -> None:
        standing = a_standing()
        for number in range(HOLD_LIMIT + 3):
            standing = effect_of(ReplyIntent.CHAT, before=standing, later=number * DAY).standing
        assert [hold.since for hold in standing.holds] == [SAID_AT + n * DAY for n in range(3, HOLD_LIMIT + 3)]

    def test_those_for_other_reasons_stay(self) -> None:
        both = effect_of(ReplyIntent.DISPUTE, before=effect_of(ReplyIntent.HARDSHIP).standing, later=DAY).standing
        assert [hold.reason for hold in both.holds] == [HoldReason.DISPUTE, HoldReason.HARDSHIP]

    def test_of_two_of_one_moment_the_longer_silence_stays(self) -> None:
        short, long = Hold(HoldReason.QUESTION, GRACE, SAID_AT), Hold(HoldReason.QUESTION, None, SAID_AT)
        assert with_hold(with_hold(a_standing(), long), short).holds == (long,)
        assert with_hold(with_hold(a_standing(), short), long).holds == (long,)
        longer = Hold(HoldReason.QUESTION, GRACE + DAY, SAID_AT)
        assert with_hold(with_hold(a_standing(), longer), short).holds == (longer,)
        assert with_hold(with_hold(a_standing(), short), longer).holds == (longer,)

    def test_the_hold_of_a_restore_comes_from_no_reply_and_stands_beside_them(self) -> None:
        of_a_restore, of_a_reply = Hold(HoldReason.OTHER, GRACE), Hold(HoldReason.OTHER, GRACE, SAID_AT)
        assert with_hold(a_standing(holds=(of_a_restore,)), of_a_reply).holds == (of_a_restore, of_a_reply)
        assert with_hold(a_standing(holds=(of_a_reply,)), of_a_restore).holds == (of_a_restore, of_a_reply)

    def test_a_hold_that_was_lifted_before_holds_again_if_it_is_said_again(self) -> None:
        held = effect_of(ReplyIntent.DISPUTE).standing
        lifted = a_customer(*OVERDUE.accounts, released={HoldReason.DISPUTE: SAID_AT + DAY})
        assert not isinstance(decide(lifted, held, the_policies(), SAID_AT + 2 * DAY), Stop)
        again = effect_of(ReplyIntent.DISPUTE, before=held, later=2 * DAY).standing
        assert decide(lifted, again, the_policies(), SAID_AT + 2 * DAY).reason is Reason.ON_HOLD


class TestDoubt:
    """Whatever is not surely understood silences the reminders until a person could have read it."""

    DOUBT = Hold(HoldReason.DOUBT, IN_THREE_WORKING_DAYS, SAID_AT)

    @pytest.mark.parametrize(
        ("sure", "likely"),
        [
            pytest.param((), (), id="nothing is heard"),
            pytest.param((ReplyIntent.CHAT,), (), id="chat"),
            pytest.param((ReplyIntent.ACKNOWLEDGED, ReplyIntent.OPT_IN), (), id="an opt-in with something beside it"),
            pytest.param((), (ReplyIntent.ACKNOWLEDGED,), id="perhaps no more than thanks"),
            pytest.param((), (ReplyIntent.OPT_IN,), id="perhaps an opt-in"),
            pytest.param((ReplyIntent.ACKNOWLEDGED,), (ReplyIntent.CHAT,), id="thanks, and perhaps something else"),
        ],
    )
    def test_it_is_silent_for_some_working_days_and_says_so(
        self, sure: tuple[ReplyIntent, ...], likely: tuple[ReplyIntent, ...]
    ) -> None:
        answer = effect_of(*sure, likely=likely)
        assert (answer.standing.holds, answer.needs, answer.in_doubt) == ((self.DOUBT,), (), True)

    @pytest.mark.parametrize("quiet", [ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY])
    def test_what_surely_asks_for_nothing_changes_nothing(self, quiet: ReplyIntent) -> None:
        assert effect_of(quiet) == ReplyEffect(a_standing())
        assert effect_of(ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY) == ReplyEffect(a_standing())
        assert effect_of(ReplyIntent.AUTO_REPLY, likely=(ReplyIntent.ACKNOWLEDGED,)) == ReplyEffect(a_standing())

    def test_an_opt_in_alone_is_the_single_reply_that_is_not_quiet_and_buys_no_silence(self) -> None:
        assert effect_of(ReplyIntent.OPT_IN) == ReplyEffect(a_standing(opted_in_at=SAID_AT))

    def test_a_likely_payment_is_believed_and_in_doubt(self) -> None:
        answer = effect_of(likely=(ReplyIntent.PAID,))
        assert {hold.reason: hold.until for hold in holds_now(OVERDUE, answer.standing)} == {
            HoldReason.SAYS_PAID: GRACE,
            HoldReason.DOUBT: IN_THREE_WORKING_DAYS,
        }
        assert answer.in_doubt

    def test_a_likely_promise_for_tomorrow_is_silent_for_as_long_as_doubt_is(self) -> None:
        tomorrow = TODAY + DAY
        sure = effect_of(ReplyIntent.PROMISE, on=tomorrow).standing
        assert {hold.until for hold in holds_now(OVERDUE, sure)} == {tomorrow}
        likely = effect_of(likely=(ReplyIntent.PROMISE,), on=tomorrow).standing
        assert likely.promises == sure.promises
        assert max(hold.until for hold in holds_now(OVERDUE, likely) if hold.until) == IN_THREE_WORKING_DAYS

    @pytest.mark.parametrize(
        ("sure", "likely"),
        [
            ((ReplyIntent.PROMISE,), (ReplyIntent.PAID,)),
            ((ReplyIntent.PAID,), (ReplyIntent.PROMISE,)),
            ((), (ReplyIntent.PAID, ReplyIntent.PROMISE)),
        ],
    )
    def test_paid_or_will_pay_records_no_promise_and_calls_a_person(
        self, sure: tuple[ReplyIntent, ...], likely: tuple[ReplyIntent, ...]
    ) -> None:
        answer = effect_of(*sure, likely=likely, on=day("2026-12-18"))
        assert answer.standing.promises == {}
        assert (answer.needs, answer.in_doubt) == ((ReviewReason.PROMISE_UNCLEAR,), True)
        assert self.DOUBT in answer.standing.holds

    def test_paid_and_will_pay_when_both_are_sure_count_both(self) -> None:
        answer = effect_of(ReplyIntent.PAID, ReplyIntent.PROMISE, on=day("2026-12-18"))
        assert answer.standing.promises == {"A1#1": PromiseToPay(SAID_AT, day("2026-12-18"))}
        assert (answer.needs, answer.in_doubt) == ((), False)

    def test_what_ends_contact_ends_it_only_if_it_is_sure(self) -> None:
        for intent in (ReplyIntent.WRONG_PERSON, ReplyIntent.DECEASED, ReplyIntent.REPRESENTED, ReplyIntent.OPT_OUT):
            standing = effect_of(likely=(intent,)).standing
            assert not standing.is_opted_out
            assert Hold(HoldReason.UNCONFIRMED, None, SAID_AT) in standing.holds
            assert decide(OVERDUE, standing, the_policies(), SAID_AT + 99 * DAY).reason is Reason.ON_HOLD

    @pytest.mark.parametrize("sure", [True, False])
    def test_a_refusal_ends_contact_where_the_law_says_so_and_if_it_is_sure(self, *, sure: bool) -> None:
        law = ReplyLimits(refusal_ends_contact=True)
        heard_as = {True: ((ReplyIntent.REFUSAL,), ()), False: ((), (ReplyIntent.REFUSAL,))}
        surely, likely = heard_as[sure]
        standing = effect_of(*surely, likely=likely, limits=law).standing
        reason = decide(OVERDUE, standing, the_policies(), SAID_AT + 99 * DAY).reason
        assert reason is (Reason.CEASED if sure else Reason.ON_HOLD)
        elsewhere = effect_of(ReplyIntent.REFUSAL).standing
        assert decide(OVERDUE, elsewhere, the_policies(), SAID_AT + 99 * DAY).reason is Reason.ON_HOLD

    def test_the_days_are_the_lenders_and_holidays_are_none(self) -> None:
        limits = ReplyLimits(question_days=1, doubt_days=2, holidays={day("2026-12-11")})
        assert effect_of(ReplyIntent.QUESTION, limits=limits).standing.holds[0].until == day("2026-12-14")
        assert effect_of(limits=limits).standing.holds[0].until == day("2026-12-15")

    def test_a_second_promise_leaves_time_for_a_person_to_read_it(self) -> None:
        once = effect_of(ReplyIntent.PROMISE, on=TODAY).standing
        again = effect_of(ReplyIntent.PROMISE, on=day("2026-12-24"), before=once, later=DAY)
        assert again.needs == (ReviewReason.PROMISED_BEFORE,)
        assert max(hold.until for hold in holds_now(OVERDUE, again.standing) if hold.until) == day("2026-12-15")


@pytest.mark.parametrize(
    ("sure", "likely", "understood"),
    [
        pytest.param((ReplyIntent.ACKNOWLEDGED,), (), True, id="surely nothing"),
        pytest.param((ReplyIntent.OPT_IN,), (), True, id="surely an opt-in"),
        pytest.param((ReplyIntent.OPT_IN,), (ReplyIntent.PAID,), False, id="an opt-in, and perhaps a payment"),
        pytest.param((ReplyIntent.PAID,), (), True, id="surely a payment"),
        pytest.param((ReplyIntent.PAID,), (ReplyIntent.DISPUTE,), False, id="a payment, and perhaps a dispute"),
        pytest.param((), (ReplyIntent.PAID,), False, id="perhaps a payment"),
        pytest.param((), (), False, id="nothing at all"),
    ],
)
def test_a_reply_is_understood_if_all_is_sure_and_something_is_said(
    sure: tuple[ReplyIntent, ...], likely: tuple[ReplyIntent, ...], *, understood: bool
) -> None:
    assert is_not_understood(ParsedReply(sure, None, "", likely)) is not understood


class TestLabel:
    """What a person says of a reply takes the place of our reading."""

    @staticmethod
    def labelled(
        before: Standing, *intents: ReplyIntent, on: date | None = None, hours: int = 24, sequence: int = 0
    ) -> Standing:
        label = ReplyLabel(at=SAID_AT + timedelta(hours=hours), sequence=sequence, intents=intents, promised_on=on)
        answer = apply_label(OVERDUE, before, label, "", SAID_AT, TODAY, ReplyLimits())
        assert (answer.needs, answer.in_doubt) == ((), False)
        return answer.standing

    @pytest.mark.parametrize("intents", [(), (ReplyIntent.CHAT,), (ReplyIntent.ACKNOWLEDGED,)])
    def test_that_asks_for_nothing_ends_what_the_reply_has_led_to(self, intents: tuple[ReplyIntent, ...]) -> None:
        before = effect_of(ReplyIntent.PROMISE, likely=(ReplyIntent.DISPUTE,), on=day("2026-12-18")).standing
        after = self.labelled(before, *intents)
        assert holds_now(OVERDUE, after) == []
        assert (after.promises, after.payment_statements) == ({}, ())

    def test_acts_as_if_it_had_been_read_when_the_customer_wrote(self) -> None:
        after = self.labelled(effect_of().standing, ReplyIntent.PROMISE, on=day("2026-12-18"))
        assert after.promises == {"A1#1": PromiseToPay(SAID_AT, day("2026-12-18"))}
        assert after.holds == ()

    def test_is_not_lifted_by_a_release_from_before_the_label(self) -> None:
        after = self.labelled(effect_of(ReplyIntent.QUESTION).standing, ReplyIntent.DISTRESS, hours=24)
        released = replace(OVERDUE, released={EVERY_HOLD: SAID_AT + timedelta(hours=2)})
        assert [hold.reason for hold in holds_now(released, after)] == [HoldReason.DISTRESS]
        released = replace(OVERDUE, released={EVERY_HOLD: SAID_AT + timedelta(hours=25)})
        assert holds_now(released, after) == []

    def test_leaves_what_other_replies_have_led_to(self) -> None:
        before = effect_of(ReplyIntent.DISPUTE, before=effect_of(ReplyIntent.DISPUTE).standing, later=DAY).standing
        assert self.labelled(before).holds == (Hold(HoldReason.DISPUTE, None, SAID_AT + DAY),)

    def test_of_two_the_newer_counts_whichever_comes_first(self) -> None:
        before = effect_of().standing
        older = self.labelled(before, ReplyIntent.DISPUTE, hours=1)
        newer = self.labelled(before, ReplyIntent.HARDSHIP, hours=2)
        assert self.labelled(older, ReplyIntent.HARDSHIP, hours=2) == newer
        assert self.labelled(newer, ReplyIntent.DISPUTE, hours=1) == newer
        assert self.labelled(newer, ReplyIntent.HARDSHIP, hours=2) == newer
        again = self.labelled(newer, ReplyIntent.DISPUTE, hours=2, sequence=1)
        assert [hold.reason for hold in again.holds] == [HoldReason.DISPUTE]

    def test_holds_when_the_reply_is_delivered_again(self) -> None:
        after = self.labelled(effect_of(ReplyIntent.DISPUTE).standing)
        assert effect_of(ReplyIntent.DISPUTE, before=after) == ReplyEffect(after)

    def test_never_takes_back_an_opt_out(self) -> None:
        out = effect_of(ReplyIntent.OPT_OUT).standing
        for intents in ((), (ReplyIntent.OPT_IN,), (ReplyIntent.PAID,)):
            assert self.labelled(out, *intents).is_opted_out
        assert effect_of(ReplyIntent.OPT_OUT, before=self.labelled(a_standing())).standing.is_opted_out

    def test_opts_out_and_in_as_of_when_the_customer_wrote(self) -> None:
        assert self.labelled(effect_of().standing, ReplyIntent.OPT_OUT).opted_out_at == SAID_AT
        earlier = a_standing(opted_out_at=SAID_AT - DAY)
        assert not self.labelled(effect_of(before=earlier).standing, ReplyIntent.OPT_IN).is_opted_out
        later = a_standing(opted_out_at=SAID_AT + DAY)
        assert self.labelled(later, ReplyIntent.OPT_IN).is_opted_out

    def test_takes_back_an_opt_in_that_was_none(self) -> None:
        earlier = a_standing(opted_out_at=SAID_AT - DAY)
        back = effect_of(ReplyIntent.OPT_IN, before=earlier).standing
        assert not back.is_opted_out
        assert self.labelled(back).is_opted_out
        assert effect_of(ReplyIntent.OPT_IN, before=self.labelled(earlier)).standing.is_opted_out

    def test_opts_nobody_in_who_did_not_ask_for_it(self) -> None:
        after = self.labelled(effect_of().standing, ReplyIntent.QUESTION)
        assert (after.opted_in_at, after.opted_out_at) == (None, None)

    def test_keeps_an_opt_in_in_mind_of_a_reply_that_is_delivered_again_or_labelled_before(self) -> None:
        asked = self.labelled(effect_of().standing, ReplyIntent.QUESTION)
        assert effect_of(ReplyIntent.OPT_IN, before=asked).standing.opted_in_at == SAID_AT
        assert self.labelled(asked, ReplyIntent.OPT_IN, hours=1).opted_in_at == SAID_AT

    def test_drops_the_oldest_replies_also_if_they_are_labelled_last(self) -> None:
        standing = a_standing()
        label = ReplyLabel(at=SAID_AT)
        for number in reversed(range(LABEL_LIMIT + 2)):
            said_at = SAID_AT + number * DAY
            standing = apply_label(OVERDUE, standing, label, "", said_at, TODAY, ReplyLimits()).standing
        assert min(standing.reply_labels) == (SAID_AT + 2 * DAY).isoformat()
        assert len(standing.reply_labels) == LABEL_LIMIT

    def test_of_very_many_those_of_the_oldest_replies_are_dropped(self) -> None:
        standing = a_standing()
        label = ReplyLabel(at=SAID_AT)
        for number in range(LABEL_LIMIT + 2):
            said_at = SAID_AT + number * DAY
            standing = apply_label(OVERDUE, standing, label, "", said_at, TODAY, ReplyLimits()).standing
        assert min(standing.reply_labels) == (SAID_AT + 2 * DAY).isoformat()
        assert len(standing.reply_labels) == LABEL_LIMIT
