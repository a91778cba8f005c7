"""A ladder that is late keeps its own distances: after an import, a hold, or an outage."""

import pytest

from dunning.domain.customer.facts import Hold, HoldReason
from tests.support.builders import (
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    day,
    policies_with,
    progress_at,
    taipei,
    texts_sent,
)

SIXTY_DAYS_LATE = a_customer(an_account(an_instalment("2026-09-01", notice="2026-10-15")))
IMPORTED = taipei("2026-10-31 12:00")
END = taipei("2027-02-01 00:00")


@pytest.mark.parametrize(
    ("catch_up_days", "sent"),
    [
        pytest.param(
            None,
            [("2026-10-31", 3), ("2026-11-04", 7), ("2026-11-12", 15), ("2026-11-27", 30)],
            id="its own: 4, 8, 15 days",
        ),
        pytest.param(
            3, [("2026-10-31", 3), ("2026-11-03", 7), ("2026-11-06", 15), ("2026-11-09", 30)], id="three days"
        ),
        pytest.param(
            6, [("2026-10-31", 3), ("2026-11-04", 7), ("2026-11-10", 15), ("2026-11-16", 30)], id="six, or its own"
        ),
    ],
)
def test_an_account_imported_sixty_days_late_is_not_dunned_in_ten(
    catch_up_days: int | None, sent: list[tuple[str, int]]
) -> None:
    policies = policies_with(SIXTY_DAYS_LATE, catch_up_days=catch_up_days)
    assert texts_sent(SIXTY_DAYS_LATE, IMPORTED, END, policies=policies) == sent


def test_after_a_hold_the_ladder_goes_on_at_its_own_pace() -> None:
    held = a_customer(
        an_account(an_instalment("2026-11-02", notice="2026-12-01")),
        holds=(Hold(HoldReason.HARDSHIP, day("2026-12-05")),),
    )
    standing = a_standing(progress=progress_at(3, "2026-11-05", due="2026-11-02"))
    sent = texts_sent(held, taipei("2026-11-05 12:00"), END, standing=standing)
    assert sent == [("2026-12-06", 7), ("2026-12-14", 15), ("2026-12-29", 30)]


def test_a_ladder_that_is_on_time_is_not_slowed_by_more_days_than_its_own() -> None:
    facts = a_customer(an_account(an_instalment("2026-12-01", notice="2026-12-20")))
    slow = policies_with(facts, catch_up_days=30)
    assert texts_sent(facts, taipei("2026-12-04 10:00"), END, policies=slow) == [
        ("2026-12-04", 3),
        ("2026-12-08", 7),
        ("2026-12-16", 15),
        ("2026-12-31", 30),
    ]


def test_a_stage_that_another_system_has_sent_is_followed_by_ours_at_once_and_then_at_our_pace() -> None:
    imported = a_customer(an_account(an_instalment("2026-09-01", stage_reached=7, notice="2026-10-15")))
    assert texts_sent(imported, IMPORTED, END) == [("2026-10-31", 15), ("2026-11-15", 30)]
