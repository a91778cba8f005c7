"""What a payment changes: the ladder moves to the next instalment, and nothing comes sooner for it."""

from dataclasses import replace
from datetime import timedelta

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send, Wait, trace_of
from tests.support.builders import (
    IN_THE_UNITED_STATES,
    a_customer,
    a_standing,
    a_text,
    an_account,
    an_instalment,
    progress_at,
    taipei,
    the_policies,
)

DAY = timedelta(days=1)


def three_months_behind(paid: int = 0) -> Facts:
    due = ("2026-10-01", "2026-11-01", "2026-12-01")
    return a_customer(
        an_account(
            *(
                an_instalment(day, 100_000, number=number, paid=100_000 if number <= paid else 0)
                for number, day in enumerate(due, start=1)
            )
        )
    )


def test_a_payment_does_not_bring_on_the_next_text_before_its_days_have_passed() -> None:
    texted = taipei("2026-12-05 10:00")
    standing = a_standing(a_text(texted, stage=3), progress=progress_at(3, "2026-12-05", due="2026-10-01"))
    decision = decide(three_months_behind(paid=1), standing, the_policies(), texted + 2 * DAY)
    assert isinstance(decision, Wait)
    assert decision.until == texted + 3 * DAY


def test_after_those_days_the_next_instalment_begins_with_the_mildest_stage() -> None:
    texted = taipei("2026-12-05 10:00")
    standing = a_standing(a_text(texted, stage=30), progress=progress_at(30, "2026-12-05", due="2026-10-01"))
    decision = decide(three_months_behind(paid=1), standing, the_policies(), texted + 3 * DAY)
    assert isinstance(decision, Send)
    assert decision.reminder.stage == 3


def test_two_instalments_of_an_account_that_are_due_on_one_day_are_added_up_before_it_too() -> None:
    both = an_account(an_instalment("2026-12-10", 100_000), an_instalment("2026-12-10", 50_000, number=2))
    decision = decide(a_customer(both), a_standing(), the_policies(), taipei("2026-12-07 10:00"))
    assert isinstance(decision, Send)
    assert "2期" in decision.reminder.text
    assert "NT$1,500" in decision.reminder.text


def test_a_trace_tells_what_else_is_in_the_way_before_the_wait_ends() -> None:
    owing = an_account(an_instalment("2026-12-10"), currency="USD")
    somebody = replace(a_customer(owing, **IN_THE_UNITED_STATES), time_zone="America/New_York")
    standing = a_standing(a_text(taipei("2026-12-07 23:30"), "A9"))
    decision = decide(somebody, standing, the_policies(), taipei("2026-12-07 23:40"))
    # Tomorrow, when the cap is free, "due in three days" is late; what follows is the due date itself.
    assert trace_of(decision)[-2:] == [
        "cap: 1 text in 24 hours for the person, free at 2026-12-08 10:30-05:00",
        "then stage: the next one is due 2026-12-10 10:00-05:00",
    ]


def test_english_to_the_mainland_is_signed_by_the_carrier_once_and_counted_so() -> None:
    somebody = a_customer(
        an_account(an_instalment("2026-12-01"), currency="CNY"),
        country="CN",
        phone="+8613800000000",
        phone_country="CN",
        language="en",
        lender="demo-cn",
    )
    decision = decide(somebody, a_standing(), the_policies(), taipei("2026-12-01 10:00"))
    assert isinstance(decision, Send)
    assert decision.reminder.text.startswith("CNY 3,250.00 (plan ending 5678) is due today")
    assert (decision.reminder.encoding, decision.reminder.parts) == ("UCS-2", 2)
