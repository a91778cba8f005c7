"""Open reviews: what waits for a person from its announcement on, and what ends the wait."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.standing import ATTENTION_LIMIT, OpenReview, Standing
from dunning.domain.decision.open_reviews import (
    NOT_UNDERSTOOD,
    is_reply_attended,
    reviews_that_wait,
    waits_for_person,
    with_announced,
    with_attended,
    with_open_review,
    with_released,
    with_reply_attended,
    with_stops_announced,
)
from dunning.domain.outbound_events import CustomerNeedsPerson, ReminderStopped, ReplyNotUnderstood, ReviewReason
from tests.support.people import NOW

HOUR = timedelta(hours=1)
NOBODY = Standing(customer_id="C1", version=1, reason="on_hold")


def waiting(*reviews: OpenReview, reason: str = "on_hold") -> Standing:
    return replace(NOBODY, attention=reviews, reason=reason)


def test_whoever_is_announced_waits_and_whatever_calls_for_nobody_does_not() -> None:
    standing = with_announced(
        NOBODY,
        [
            CustomerNeedsPerson("C1", NOW, ReviewReason.HARDSHIP, "r1"),
            ReplyNotUnderstood("C1", NOW, "r1"),
            ReminderStopped("C1", NOW, "on_hold"),
        ],
    )
    assert standing.attention == (OpenReview("hardship", NOW, "r1"), OpenReview(NOT_UNDERSTOOD, NOW, "r1"))


def test_a_review_that_is_open_stays_open_since_it_was_opened() -> None:
    standing = waiting(OpenReview("hardship", NOW, "r1"))
    assert with_open_review(standing, "hardship", NOW + HOUR, "r1") is standing
    again = with_open_review(standing, "hardship", NOW + HOUR, "r2")
    assert [review.reply_id for review in again.attention] == ["r1", "r2"]


def test_a_customer_waits_since_the_oldest_review_and_at_once_if_a_life_may_depend_on_it() -> None:
    standing = waiting(OpenReview("question", NOW, "r1"), OpenReview("distress", NOW + HOUR, "r2"))
    assert waits_for_person(standing) == (NOW, True)
    assert waits_for_person(waiting(OpenReview("question", NOW, "r1"))) == (NOW, False)
    assert waits_for_person(NOBODY) is None


def test_while_nothing_is_open_stops_rest_and_replies_wait_on() -> None:
    stop, reply = OpenReview("ladder_finished", NOW), OpenReview("complaint", NOW + HOUR, "r1")
    assert reviews_that_wait(waiting(stop, reply, reason="nothing_open")) == (reply,)
    assert waits_for_person(waiting(stop, reason="nothing_open")) is None
    assert waits_for_person(waiting(stop, reply)) == (NOW, False)


def test_every_stop_rests_while_nothing_is_open_and_no_reply_does() -> None:
    """A review of no reply rests alone: the customer comes back into the list with a new instalment."""
    stops = [OpenReview("ladder_finished", NOW), OpenReview("shared_phone", NOW + HOUR)]
    resting = waiting(*stops, reason="nothing_open")
    assert reviews_that_wait(resting) == ()
    assert reviews_that_wait(replace(resting, reason="next_stage")) == tuple(stops)
    assert reviews_that_wait(NOBODY) == ()


def test_whoever_was_attended_waits_for_nothing_from_before_and_for_all_from_since() -> None:
    standing = with_attended(waiting(OpenReview("question", NOW, "r1"), OpenReview("dispute", NOW + HOUR, "r2")), NOW)
    assert standing.attention == (OpenReview("dispute", NOW + HOUR, "r2"),)
    assert standing.attended_at == NOW
    assert with_attended(standing, NOW - HOUR) == standing


def test_a_label_ends_what_waits_about_its_reply_alone() -> None:
    standing = waiting(OpenReview("question", NOW, "r1"), OpenReview("shared_phone", NOW))
    assert with_reply_attended(standing, "r1").attention == (OpenReview("shared_phone", NOW),)
    assert with_reply_attended(standing, "r2") is standing


@pytest.mark.parametrize(
    ("reason", "why", "ends"),
    [
        (HoldReason.HARDSHIP, "hardship", True),
        (HoldReason.HARDSHIP, "dispute", False),
        (HoldReason.UNCONFIRMED, "opt_out", True),
        (HoldReason.UNCONFIRMED, "deceased", True),
        (HoldReason.UNCONFIRMED, "wrong_person", True),
        (HoldReason.UNCONFIRMED, "represented", True),
        (HoldReason.UNCONFIRMED, "hardship", False),
        (HoldReason.DECEASED, "deceased", True),
        (HoldReason.DOUBT, NOT_UNDERSTOOD, True),
        (HoldReason.QUESTION, "promise_unclear", True),
        (HoldReason.QUESTION, "question", True),
        (HoldReason.QUESTION, "refusal", False),
        (HoldReason.PROMISE, "promised_before", True),
        (HoldReason.CEASED, "refusal", True),
        (HoldReason.SHARED_PHONE, "shared_phone", True),
        (HoldReason.NUMBER_REFUSED, "number_refused", True),
        (None, "no_consent", True),
    ],
)
def test_a_release_ends_what_it_is_about(reason: HoldReason | None, why: str, ends: bool) -> None:  # noqa: FBT001
    standing = waiting(OpenReview(why, NOW, "r1"))
    assert (with_released(standing, reason, NOW).attention == ()) is ends
    assert with_released(standing, reason, NOW - HOUR).attention == standing.attention


def test_the_end_of_a_stop_ends_its_review_and_that_of_no_reply() -> None:
    standing = waiting(OpenReview("number_refused", NOW), OpenReview("question", NOW, "r1"))
    assert with_stops_announced(standing, [], [], NOW).attention == (OpenReview("question", NOW, "r1"),)
    assert with_stops_announced(standing, ["number_refused"], [], NOW) == standing


def test_a_stop_that_an_older_release_has_announced_is_open_until_somebody_attends() -> None:
    pending = ["number_refused"]
    assert with_stops_announced(NOBODY, pending, [], NOW).attention == (OpenReview("number_refused", NOW),)
    attended = with_attended(NOBODY, NOW)
    assert with_stops_announced(attended, pending, [], NOW + HOUR).attention == ()
    assert with_stops_announced(attended, pending, pending, NOW + HOUR).attention != ()


def test_a_customer_of_very_many_reviews_keeps_the_urgent_and_the_oldest_and_goes_on_waiting() -> None:
    standing = NOBODY
    for number in range(2 * ATTENTION_LIMIT):
        standing = with_open_review(standing, "complaint", NOW + number * HOUR, f"r{number}")
    standing = with_open_review(standing, "distress", NOW + 99 * HOUR, "r99")
    assert len(standing.attention) == ATTENTION_LIMIT
    assert standing.attention[0].reply_id == "r0"
    assert standing.attention[-1].why == "distress"
    assert waits_for_person(standing) == (NOW, True)
    older = with_open_review(standing, "question", NOW - HOUR, "older")
    assert len(older.attention) == ATTENTION_LIMIT
    assert (older.attention[0].reply_id, older.attention[-1].why) == ("older", "distress")


def test_reviews_stand_in_the_order_of_their_age_whatever_they_are_about() -> None:
    standing = NOBODY
    for why, after, reply in (
        ("question", 2, "r3"),
        ("distress", 3, "r4"),
        ("dispute", 1, "r2"),
        ("dispute", 1, "r0"),
        ("hardship", 1, "r1"),
    ):
        standing = with_open_review(standing, why, NOW + after * HOUR, reply)
    assert [(review.why, review.reply_id) for review in standing.attention] == [
        ("dispute", "r0"),
        ("dispute", "r2"),
        ("hardship", "r1"),
        ("question", "r3"),
        ("distress", "r4"),
    ]
    assert waits_for_person(standing) == (NOW + HOUR, True)


def test_a_review_of_the_same_reply_for_another_reason_is_another_and_so_is_one_of_another_reply() -> None:
    standing = waiting(OpenReview("hardship", NOW, "r1"))
    for why, reply in (("question", "r1"), ("hardship", "r2")):
        assert with_open_review(standing, why, NOW, reply).attention == (
            OpenReview("hardship", NOW, "r1"),
            OpenReview(why, NOW, reply),
        )


def test_what_is_released_waits_no_more_from_the_moment_of_the_release_and_before() -> None:
    early, late = OpenReview("hardship", NOW, "r1"), OpenReview("hardship", NOW + HOUR, "r2")
    assert with_released(waiting(early, late), HoldReason.HARDSHIP, NOW).attention == (late,)
    assert with_released(waiting(early, late), None, NOW).attention == (late,)
    assert with_released(waiting(early, late), None, NOW).attended_at == NOW


def test_a_release_that_ends_nothing_changes_nothing() -> None:
    standing = waiting(OpenReview("hardship", NOW, "r1"))
    assert with_released(standing, HoldReason.DISPUTE, NOW) is standing
    assert with_stops_announced(standing, [], [], NOW) is standing


def test_a_stop_that_is_announced_waits_since_then_and_one_that_has_ended_no_more() -> None:
    attended = with_attended(NOBODY, NOW)
    open_since = with_stops_announced(attended, ["no_text", "shared_phone"], ["no_text"], NOW + HOUR)
    assert open_since.attention == (OpenReview("no_text", NOW + HOUR),)
    assert with_stops_announced(open_since, ["no_text"], [], NOW + 2 * HOUR) is open_since
    assert with_stops_announced(open_since, ["shared_phone"], [], NOW + 2 * HOUR).attention == ()


def test_a_reply_is_attended_if_a_person_came_after_it_was_written() -> None:
    assert not is_reply_attended(NOBODY, NOW)
    assert is_reply_attended(with_attended(NOBODY, NOW), NOW)
    assert not is_reply_attended(with_attended(NOBODY, NOW), NOW + HOUR)
