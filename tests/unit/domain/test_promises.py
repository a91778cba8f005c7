"""Promises to pay: kept or broken, judged by the end of their day where the customer lives."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import PromiseToPay, Standing, progress_key
from dunning.domain.replies.promises import promise_ends, settle_promises
from tests.support.builders import a_customer, a_standing, an_account, an_instalment, day, taipei

TAIPEI = (ZoneInfo("Asia/Taipei"),)
SAID_AT, PROMISED = taipei("2026-12-05 10:00"), day("2026-12-10")
END = taipei("2026-12-11 00:00")
SECOND = timedelta(seconds=1)
FIRST, OTHER = progress_key("A1", 1), progress_key("A1", 2)


def promises(**kept: bool | None) -> Standing:
    """Describe a customer with promises for 10 December, for the first instalment and, if given, the second."""
    keys = {"first": FIRST, "other": OTHER}
    return a_standing(promises={keys[name]: PromiseToPay(SAID_AT, PROMISED, value) for name, value in kept.items()})


def customer(*, paid_at: datetime | None = None) -> Facts:
    """Describe a customer whose first instalment is paid at a time, or open."""
    first = replace(an_instalment(paid=325_000 if paid_at else 0), paid_at=paid_at)
    return a_customer(an_account(first, an_instalment("2027-01-01", number=2)))


def judged(standing: Standing, facts: Facts, now: datetime) -> tuple[bool | None, tuple[str, ...]]:
    settled = settle_promises(standing, facts, TAIPEI, now)
    return settled.standing.promises[FIRST].kept, settled.broken


@pytest.mark.parametrize("before", [None, True, False])
@pytest.mark.parametrize(("paid_at", "kept"), [(END - SECOND, True), (END, False), (END + SECOND, False)])
def test_a_promise_is_kept_if_the_payment_came_before_its_day_was_over(
    before: bool | None,  # noqa: FBT001 - of three values
    paid_at: datetime,
    *,
    kept: bool,
) -> None:
    assert judged(promises(first=before), customer(paid_at=paid_at), END + 9 * SECOND) == (kept, ())


def test_a_promise_is_broken_when_its_day_is_over_and_that_is_said_once() -> None:
    assert judged(promises(first=None), customer(), END - SECOND) == (None, ())
    assert judged(promises(first=None), customer(), END) == (False, (FIRST,))
    assert judged(promises(first=True), customer(), END) == (False, (FIRST,))  # its payment was reversed
    assert judged(promises(first=False), customer(), END) == (False, ())


def test_of_two_promises_only_the_one_that_has_just_been_broken_is_announced() -> None:
    settled = settle_promises(promises(first=False, other=None), customer(), TAIPEI, END)
    assert settled.broken == (OTHER,)


def test_a_kept_promise_whose_payment_is_reversed_in_time_is_open_again() -> None:
    assert judged(promises(first=True), customer(), END - SECOND) == (None, ())


def test_an_instalment_that_a_credit_covers_is_judged_when_that_is_seen_and_not_again() -> None:
    covered = replace(an_instalment(paid=324_999), paid_at=SAID_AT)
    facts = a_customer(an_account(covered, an_instalment("2026-11-01", -1, number=3)))
    assert judged(promises(first=None), facts, END - SECOND) == (True, ())
    assert judged(promises(first=None), facts, END) == (False, ())
    assert judged(promises(first=True), facts, END) == (True, ())
    assert judged(promises(first=False), facts, END - SECOND) == (False, ())


@pytest.mark.parametrize("kept", [None, False])
def test_a_standing_with_nothing_new_to_judge_stays_the_same_object(*, kept: bool | None) -> None:
    standing = promises(first=kept)
    now = END if kept is False else END - SECOND
    assert settle_promises(standing, customer(), TAIPEI, now).standing is standing


def test_who_has_promised_nothing_stays_the_same() -> None:
    standing = a_standing()
    assert settle_promises(standing, customer(), TAIPEI, END) == (standing, ())


def test_the_next_end_is_that_of_the_first_promise_which_is_not_judged_yet() -> None:
    later = PromiseToPay(SAID_AT, day("2026-12-12"))
    standing = promises(first=None)
    assert promise_ends(standing, TAIPEI) == END
    assert promise_ends(replace(standing, promises={OTHER: later, **standing.promises}), TAIPEI) == END
    standing = replace(promises(first=True), promises={**promises(first=True).promises, OTHER: later})
    assert promise_ends(standing, TAIPEI) == END + timedelta(days=2)
    assert promise_ends(promises(first=False), TAIPEI) is None
    assert promise_ends(a_standing(), TAIPEI) is None
