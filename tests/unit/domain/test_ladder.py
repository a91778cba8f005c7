"""The ladder: which stage is sent when, over days and weeks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.facts import Facts, Instalment
from dunning.domain.customer.standing import AddressSince, Progress
from dunning.domain.decision.decide import ComingStage, coming_stages, decide
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.ladder import next_step
from dunning.domain.decision.rules import ChannelRules, FatigueLimits
from dunning.domain.delivery.channels import Channel
from dunning.domain.replies.intents import ParsedReply
from dunning.domain.replies.reply_effects import ReplyLimits, apply_reply
from tests.support.builders import (
    IN_THE_UNITED_STATES,
    a_customer,
    a_standing,
    a_text,
    an_account,
    an_instalment,
    day,
    instant,
    policies_with,
    progress_at,
    rules_of,
    taipei,
    texts_sent,
    the_policies,
)

LADDER = (-3, 0, 3, 7, 15, 30)
MIN_DAYS = 3


def step(today: str, instalment: Instalment | None = None, last: Progress | None = None) -> tuple[int, str] | None:
    """Return the stage that is next for an instalment due on 1 December, and its first day."""
    found = next_step(LADDER, MIN_DAYS, instalment or an_instalment(), last, day(today).toordinal())
    return found and (found[0], day("0001-01-01").fromordinal(found[1]).isoformat())


@pytest.mark.parametrize(
    ("today", "stage", "first_day"),
    [
        pytest.param("2026-11-01", -3, "2026-11-28", id="a month ahead the first stage is awaited"),
        pytest.param("2026-11-28", -3, "2026-11-28", id="three days before it is due"),
        pytest.param("2026-11-29", 0, "2026-12-01", id="a day late it is skipped: the next is the due day's"),
        pytest.param("2026-12-01", 0, "2026-12-01", id="on the due day its own stage is due"),
        pytest.param("2026-12-02", 3, "2026-12-04", id="a day later that is skipped too"),
        pytest.param("2027-03-01", 3, "2026-12-04", id="months later the mildest overdue stage is the first"),
    ],
)
def test_stages_up_to_the_due_date_are_skipped_when_late_and_overdue_ones_are_not(
    today: str, stage: int, first_day: str
) -> None:
    assert step(today) == (stage, first_day)


@pytest.mark.parametrize(
    ("last", "on", "today", "expected"),
    [
        pytest.param(-3, "2026-11-28", "2026-11-28", (0, "2026-12-01"), id="after -3 comes the due day"),
        pytest.param(0, "2026-12-01", "2026-12-01", (3, "2026-12-04"), id="after the due day +3"),
        pytest.param(3, "2026-12-04", "2026-12-04", (7, "2026-12-08"), id="after +3 comes +7"),
        pytest.param(
            3, "2026-12-20", "2026-12-20", (7, "2026-12-24"), id="a late +3 pushes +7 on by their own distance"
        ),
        pytest.param(3, "2026-12-06", "2027-02-01", (7, "2026-12-10"), id="but no further than that"),
        pytest.param(15, "2026-12-16", "2026-12-30", (30, "2026-12-31"), id="the last one"),
        pytest.param(30, "2026-12-31", "2027-02-01", None, id="after the last one nothing"),
    ],
)
def test_the_next_stage_is_the_first_after_the_last_that_was_sent(
    last: int, on: str, today: str, expected: tuple[int, str] | None
) -> None:
    assert step(today, last=Progress(last, day(on), day("2026-12-01"))) == expected


@pytest.mark.parametrize(
    ("reached", "today", "expected"),
    [
        pytest.param(7, "2026-12-20", (15, "2026-12-16"), id="after an imported +7 comes +15"),
        pytest.param(30, "2027-02-01", None, id="an imported last stage ends the ladder"),
        pytest.param(5, "2026-12-20", (7, "2026-12-08"), id="a stage of another ladder counts as far as it goes"),
        pytest.param(-3, "2026-11-28", (0, "2026-12-01"), id="an imported -3 is not repeated"),
        pytest.param(-10, "2026-11-28", (-3, "2026-11-28"), id="an earlier one does not skip ours"),
    ],
)
def test_an_imported_portfolio_goes_on_from_the_stage_it_has_reached(
    reached: int, today: str, expected: tuple[int, str] | None
) -> None:
    assert step(today, an_instalment(stage_reached=reached)) == expected


def test_of_an_imported_stage_and_a_stage_sent_by_us_the_further_counts() -> None:
    reached_here = Progress(3, day("2026-12-04"), day("2026-12-01"))
    assert step("2026-12-20", an_instalment(stage_reached=7), reached_here) == (15, "2026-12-16")
    assert step("2026-12-20", an_instalment(stage_reached=0), reached_here) == (7, "2026-12-08")


@pytest.mark.parametrize(
    ("due_now", "today", "expected"),
    [
        pytest.param("2026-12-20", "2026-12-05", (-3, "2026-12-17"), id="moved past that day: all over again"),
        pytest.param("2026-12-07", "2026-12-05", (0, "2026-12-07"), id="moved two days ahead: the due day is next"),
        pytest.param("2026-12-03", "2026-12-05", (7, "2026-12-10"), id="moved later but still past: it goes on"),
        pytest.param("2026-11-20", "2026-12-05", (7, "2026-12-08"), id="moved earlier: it goes on, not in a burst"),
    ],
)
def test_a_due_date_that_moves_restarts_the_ladder_only_if_it_is_to_come_again(
    due_now: str, today: str, expected: tuple[int, str]
) -> None:
    at_plus_3 = Progress(3, day("2026-12-04"), day("2026-12-01"))
    assert step(today, an_instalment(due_now), at_plus_3) == expected


def test_a_late_stage_before_the_due_date_is_still_sent_while_the_next_is_far() -> None:
    # Sunday in a place that rests on Sundays: -10 is sent on Monday, ten days before the next.
    ladder, due_on = (-10, 0), an_instalment("2026-12-11")
    monday, too_late = day("2026-12-02").toordinal(), day("2026-12-09").toordinal()
    assert next_step(ladder, MIN_DAYS, due_on, None, monday) == (-10, day("2026-12-01").toordinal())
    assert next_step(ladder, MIN_DAYS, due_on, None, too_late) == (0, day("2026-12-11").toordinal())


def test_a_wait_does_not_wake_for_a_stage_that_the_night_has_made_too_late() -> None:
    facts = a_customer(an_account(an_instalment("2026-12-11")))
    policies = policies_with(facts, ladder=(-7, 0), urgency=(0, -7), spread=timedelta())
    evening = decide(facts, a_standing(), policies, taipei("2026-12-08 21:00"))
    assert (evening.reason, evening.stage, evening.until) == (Reason.QUIET_HOURS, 0, taipei("2026-12-11 10:00"))


# Played through decide(), day by day. Who is to be sent +30 has had a written notice.

NOTICED = a_customer(an_account(an_instalment(notice="2026-12-20")))


def test_a_customer_who_never_pays_is_sent_the_whole_ladder_and_then_nothing() -> None:
    assert texts_sent(NOTICED, taipei("2026-11-01 00:00"), taipei("2027-12-01 00:00")) == [
        ("2026-11-28", -3),
        ("2026-12-01", 0),
        ("2026-12-04", 3),
        ("2026-12-08", 7),
        ("2026-12-16", 15),
        ("2026-12-31", 30),
    ]


def test_after_a_long_outage_overdue_stages_are_sent_in_order_and_never_in_a_burst() -> None:
    forty_days_late = taipei("2027-01-10 12:00")
    assert texts_sent(NOTICED, forty_days_late, taipei("2027-06-01 00:00")) == [
        ("2027-01-10", 3),
        ("2027-01-14", 7),
        ("2027-01-22", 15),
        ("2027-02-11", 30),  # the 6th is in the New Year
    ]


def test_stages_closer_than_they_may_be_are_spread() -> None:
    every_ten_days = policies_with(NOTICED, min_days_between_stages=10)
    reached_late = a_standing(progress=progress_at(0, "2026-12-01"))
    sent = texts_sent(
        NOTICED,
        taipei("2026-12-01 12:00"),
        taipei("2027-02-01 00:00"),
        standing=reached_late,
        policies=every_ten_days,
    )
    assert sent == [("2026-12-11", 3), ("2026-12-21", 7), ("2026-12-31", 15), ("2027-01-15", 30)]


def test_an_imported_portfolio_is_sent_only_the_stages_that_are_left() -> None:
    imported = a_customer(an_account(an_instalment(stage_reached=15, notice="2026-12-20")))
    assert texts_sent(imported, taipei("2026-12-20 12:00"), taipei("2027-06-01 00:00")) == [("2026-12-31", 30)]


def two_months(*, first_paid: int = 0) -> Facts:
    return a_customer(
        an_account(
            an_instalment("2026-12-01", 325_000, number=1, paid=first_paid, notice="2026-12-16"),
            an_instalment("2027-01-01", 325_000, number=2),
        )
    )


def test_a_payment_of_the_earliest_moves_the_ladder_to_the_next() -> None:
    far_up = a_standing(progress=progress_at(15, "2026-12-16"))
    before_payment = texts_sent(two_months(), taipei("2026-12-17 12:00"), taipei("2027-01-02 00:00"), standing=far_up)
    assert before_payment == [("2026-12-31", 30)]
    after_payment = texts_sent(
        two_months(first_paid=325_000), taipei("2026-12-17 12:00"), taipei("2027-01-05 00:00"), standing=far_up
    )
    assert after_payment == [("2026-12-29", -3), ("2027-01-01", 0), ("2027-01-04", 3)]


def test_partial_payment_leaves_the_ladder_where_it_is() -> None:
    far_up = a_standing(progress=progress_at(15, "2026-12-16"))
    almost_paid = two_months(first_paid=324_000)
    sent = texts_sent(almost_paid, taipei("2026-12-17 12:00"), taipei("2027-01-05 00:00"), standing=far_up)
    assert sent == [("2026-12-31", 30)]


def test_a_credit_that_covers_the_earliest_moves_the_ladder_too() -> None:
    credit = an_instalment("2026-10-01", -325_000, number=3)
    facts = two_months()
    account = replace(facts.accounts[0], instalments=(credit, *facts.accounts[0].instalments))
    sent = texts_sent(replace(facts, accounts=(account,)), taipei("2026-12-02 12:00"), taipei("2027-01-05 00:00"))
    assert sent == [("2026-12-29", -3), ("2027-01-01", 0), ("2027-01-04", 3)]


def test_a_due_date_moved_later_is_reminded_of_again() -> None:
    promised = a_customer(an_account(an_instalment("2026-12-20")))
    already = a_standing(progress=progress_at(7, "2026-12-08", due="2026-12-01"))
    sent = texts_sent(promised, taipei("2026-12-09 12:00"), taipei("2026-12-25 00:00"), standing=already)
    assert sent == [("2026-12-17", -3), ("2026-12-20", 0), ("2026-12-23", 3)]


def test_an_instalment_that_was_never_written_about_starts_its_own_ladder() -> None:
    # The first was at its last stage; of the second of the same account nothing has been sent.
    facts = two_months(first_paid=325_000)
    at_the_end = a_standing(progress=progress_at(30, "2026-12-31"))
    sent = texts_sent(facts, taipei("2027-02-11 12:00"), taipei("2027-02-13 00:00"), standing=at_the_end)
    assert sent == [("2027-02-11", 3)]


def test_no_customer_with_many_accounts_is_sent_a_stage_twice() -> None:
    noticed = an_instalment(notice="2026-12-20")
    many = a_customer(*(an_account(noticed, account_id=f"A{number}") for number in range(30)))
    sent = texts_sent(many, taipei("2026-12-04 09:00"), taipei("2027-02-01 00:00"))
    assert sent == [("2026-12-04", 3), ("2026-12-08", 7), ("2026-12-16", 15), ("2026-12-31", 30)]


def test_after_a_silence_over_a_due_stage_the_ladder_goes_on_where_it_stood_one_stage_at_its_own_pace() -> None:
    facts = a_customer(an_account(an_instalment("2026-12-01")))
    said_at = taipei("2026-12-03 11:00")
    in_doubt = apply_reply(facts, a_standing(), ParsedReply(), said_at, day("2026-12-03"), ReplyLimits()).standing
    # Three working days after a Thursday are over on Tuesday night: by then +3 and +7 have come due.
    sent = texts_sent(facts, said_at, taipei("2026-12-20 00:00"), standing=in_doubt)
    assert sent == [("2026-12-09", 3), ("2026-12-13", 7)]


def coming(facts: Facts, today: str = "2026-12-02", **changes: object) -> dict[str, ComingStage]:
    """Return the next stage of each account of a customer in Taiwan."""
    rules = replace(rules_of(a_customer()), **changes)  # type: ignore[arg-type]
    return dict(coming_stages(facts, a_standing(), rules, rules.zones, day(today)))


def test_the_coming_stage_of_each_account_is_the_one_that_the_decision_waits_for() -> None:
    facts = a_customer(
        an_account(account_id="A1"),
        an_account(an_instalment("2026-11-02", stage_reached=15), account_id="lacks a notice"),
        an_account(an_instalment("2026-11-02", stage_reached=15, notice="2026-12-05"), account_id="notice to come"),
        an_account(an_instalment("2026-11-02", stage_reached=30), account_id="has heard the last"),
        an_account(an_instalment(paid=325_000), account_id="has paid"),
    )
    assert coming(facts) == {
        "A1": ComingStage(3, day("2026-12-04")),
        "lacks a notice": ComingStage(30, day("2026-12-02"), lacks_notice=True),
        "notice to come": ComingStage(30, day("2026-12-05")),
    }


def test_no_stage_comes_of_a_rest_that_is_too_small_to_ask_for() -> None:
    for paid, is_asked_for in ((324_000, True), (324_001, False)):
        assert bool(coming(a_customer(an_account(an_instalment(paid=paid))))) is is_asked_for
    for paid, is_asked_for in ((324_999, True), (325_000, False)):
        in_an_unknown_currency = a_customer(an_account(an_instalment(paid=paid), currency="XXX"))
        assert bool(coming(in_an_unknown_currency)) is is_asked_for
        decision = decide(in_an_unknown_currency, a_standing(), policies_with(a_customer()), taipei("2026-12-04 10:00"))
        assert decision.reason is (Reason.UNKNOWN_CURRENCY if is_asked_for else Reason.NOTHING_OPEN)


def test_a_stage_at_which_no_channel_reaches_the_customer_does_not_come() -> None:
    mail = (ChannelRules(channel=Channel.EMAIL, gateway="ses"),)
    sms = (ChannelRules(channel=Channel.SMS, gateway="sns"),)
    by_mail_first = dict.fromkeys(LADDER, sms) | {3: mail}
    assert coming(a_customer(), channels=by_mail_first) == {"A1": ComingStage(7, day("2026-12-08"))}
    reached = a_customer(email="ming@example.com")
    assert coming(reached, channels=by_mail_first) == {"A1": ComingStage(3, day("2026-12-04"))}


def test_where_all_goes_by_sms_a_refused_number_leaves_the_coming_stage_for_once_it_is_corrected() -> None:
    refused = a_standing(suspended={"sms": AddressSince("+886900000001")})
    rules = rules_of(a_customer())
    stages = coming_stages(a_customer(), refused, rules, rules.zones, day("2026-12-02"))
    assert stages == {"A1": ComingStage(3, day("2026-12-04"))}


HALF_PAST_MIDNIGHT = instant("2026-12-05 00:30", "America/New_York")
"""Still the fourth in Honolulu."""


@pytest.mark.parametrize("is_tired", [False, True])
def test_where_several_zones_are_possible_the_day_of_the_last_text_is_that_of_the_first(*, is_tired: bool) -> None:
    owing = an_account(an_instalment("2026-11-28", stage_reached=3), currency="USD")
    facts = a_customer(owing, **IN_THE_UNITED_STATES)
    two_texts = a_standing(a_text(HALF_PAST_MIDNIGHT - timedelta(days=9)), a_text(HALF_PAST_MIDNIGHT))
    limits = FatigueLimits(after=2, stop_after=None) if is_tired else None
    decision = decide(facts, two_texts, policies_with(facts, fatigue=limits), HALF_PAST_MIDNIGHT + timedelta(hours=15))
    assert decision.until == instant("2026-12-11 10:00" if is_tired else "2026-12-08 10:00", "Pacific/Honolulu")


def test_where_several_zones_are_possible_the_text_that_failed_is_that_of_a_day_of_the_first() -> None:
    owing = an_account(an_instalment("2026-11-28"), currency="USD")
    facts = a_customer(owing, **IN_THE_UNITED_STATES)
    failed = replace(a_text(HALF_PAST_MIDNIGHT, stage=3), failed=True)
    standing = a_standing(failed, progress=progress_at(3, "2026-12-05", due="2026-11-28"))
    assert decide(facts, standing, the_policies(), instant("2026-12-09 15:30", "America/New_York")).stage == 3
