"""What follows from a reply, intent by intent."""

from datetime import date, timedelta

import pytest

from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import PaymentStatement, PromiseToPay, Standing, holds_now
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Stop, Wait
from dunning.domain.outbound_events import ReviewReason
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.opt_out_confirmation import confirmation_id
from dunning.domain.replies.reply_effects import ReplyEffect, ReplyLimits, apply_reply, with_hold
from tests.support.builders import a_customer, a_standing, an_account, an_instalment, day, taipei, the_policies

SAID_AT = taipei("2026-12-10 11:00")
TODAY = day("2026-12-10")
GRACE = day("2026-12-13")
DAY = timedelta(days=1)
OVERDUE = a_customer(an_account(an_instalment("2026-12-01")))


def effect_of(
    *intents: ReplyIntent,
    facts: Facts = OVERDUE,
    before: Standing | None = None,
    on: date | None = None,
    digits: str = "",
    limits: ReplyLimits = ReplyLimits(),  # noqa: B008 - frozen
    later: timedelta = timedelta(),
) -> ReplyEffect:
    """Apply a reply of a customer in Taipei, on 10 December unless later."""
    said_at = SAID_AT + later
    return apply_reply(facts, before or a_standing(), ParsedReply(intents, on, digits), said_at, TODAY + later, limits)


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


@pytest.mark.parametrize(
    ("intent", "standing", "needs"),
    [
        (ReplyIntent.OPT_OUT, a_standing(opted_out_at=SAID_AT), ()),
        (ReplyIntent.OPT_IN, a_standing(opted_in_at=SAID_AT), ()),
        (ReplyIntent.PAID, says_paid(GRACE, "A1#1"), ()),
        (ReplyIntent.PROMISE, on_hold(HoldReason.QUESTION, GRACE), (ReviewReason.PROMISE_UNCLEAR,)),
        (ReplyIntent.HARDSHIP, on_hold(HoldReason.HARDSHIP, None), (ReviewReason.HARDSHIP,)),
        (ReplyIntent.DISPUTE, on_hold(HoldReason.DISPUTE, None), (ReviewReason.DISPUTE,)),
        (ReplyIntent.COMPLAINT, on_hold(HoldReason.COMPLAINT, None), (ReviewReason.COMPLAINT,)),
        (ReplyIntent.WRONG_PERSON, on_hold(HoldReason.WRONG_PERSON, None), (ReviewReason.WRONG_PERSON,)),
        (ReplyIntent.DECEASED, on_hold(HoldReason.DECEASED, None), (ReviewReason.DECEASED,)),
        (ReplyIntent.REPRESENTED, on_hold(HoldReason.REPRESENTED, None), (ReviewReason.REPRESENTED,)),
        (ReplyIntent.QUESTION, on_hold(HoldReason.QUESTION, GRACE), (ReviewReason.QUESTION,)),
    ],
)
def test_every_meaning_has_its_consequence(
    intent: ReplyIntent, standing: Standing, needs: tuple[ReviewReason, ...]
) -> None:
    assert effect_of(intent) == ReplyEffect(standing, needs)


def test_no_meaning_is_left_out() -> None:
    for intent in ReplyIntent:
        assert effect_of(intent).standing != a_standing()


def test_what_is_not_understood_changes_nothing() -> None:
    assert effect_of() == ReplyEffect(a_standing(), ())


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
        assert answer == ReplyEffect(on_hold(HoldReason.QUESTION, GRACE), (ReviewReason.PROMISE_UNCLEAR,))

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

    def test_the_same_one_again_is_no_second_one(self) -> None:
        once = effect_of(ReplyIntent.PROMISE, on=day("2026-12-12")).standing
        assert effect_of(ReplyIntent.PROMISE, on=day("2026-12-12"), before=once) == ReplyEffect(once, ())

    def test_who_owes_nothing_promises_nothing(self) -> None:
        paid = a_customer(an_account(an_instalment(paid=325_000)))
        answer = effect_of(ReplyIntent.PROMISE, facts=paid, on=day("2026-12-12"))
        assert (holds_now(paid, answer.standing), answer.standing.promises, answer.needs) == ([], {}, ())


class TestHolds:
    """One a reason, the latest."""

    def test_one_said_later_takes_the_place_of_one_for_the_same_reason(self) -> None:
        once = effect_of(ReplyIntent.QUESTION).standing
        again = effect_of(ReplyIntent.QUESTION, before=once, later=DAY).standing
        assert again.holds == (Hold(HoldReason.QUESTION, GRACE + DAY, SAID_AT + DAY),)
        assert effect_of(ReplyIntent.QUESTION, before=again).standing == again

    def test_those_for_other_reasons_stay(self) -> None:
        both = effect_of(ReplyIntent.DISPUTE, before=effect_of(ReplyIntent.HARDSHIP).standing, later=DAY).standing
        assert [hold.reason for hold in both.holds] == [HoldReason.DISPUTE, HoldReason.HARDSHIP]

    def test_of_two_of_one_moment_the_longer_silence_stays(self) -> None:
        short, long = Hold(HoldReason.QUESTION, GRACE, SAID_AT), Hold(HoldReason.QUESTION, None, SAID_AT)
        assert with_hold(with_hold(a_standing(), long), short).holds == (long,)
        assert with_hold(with_hold(a_standing(), short), long).holds == (long,)

    def test_a_hold_that_was_lifted_before_holds_again_if_it_is_said_again(self) -> None:
        held = effect_of(ReplyIntent.DISPUTE).standing
        lifted = a_customer(*OVERDUE.accounts, released={HoldReason.DISPUTE: SAID_AT + DAY})
        assert not isinstance(decide(lifted, held, the_policies(), SAID_AT + 2 * DAY), Stop)
        again = effect_of(ReplyIntent.DISPUTE, before=held, later=2 * DAY).standing
        assert decide(lifted, again, the_policies(), SAID_AT + 2 * DAY).reason is Reason.ON_HOLD


def test_the_text_that_confirms_an_opt_out_has_one_id_a_customer_and_reply() -> None:
    ids = {confirmation_id(customer, reply) for customer in ("C1", "C2") for reply in ("r1", "r2")}
    assert len(ids) == 4
    assert confirmation_id("C1", "r1") in ids
    assert all(len(send_id) == 32 for send_id in ids)
