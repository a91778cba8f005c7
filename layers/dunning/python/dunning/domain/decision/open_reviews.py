"""
Open reviews: what of a customer waits for a person, from its announcement until a person has acted. Pure.

    announced (`CustomerNeedsPerson`, `ReplyNotUnderstood`) ──> open ──> `CustomerAttended`: all from before it
                                                                   ├──> a label: all about its reply
                                                                   ├──> a release: what it is about, or all
                                                                   └──> the end of the stop that was announced

A review of a stop rests while nothing is open: the customer is not in the list, and is again with a new instalment.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.standing import ATTENTION_LIMIT, OpenReview, Standing, said_last
from dunning.domain.decision.decisions import Reason
from dunning.domain.outbound_events import (
    URGENT_REVIEWS,
    CustomerNeedsPerson,
    OutboundEvent,
    ReplyNotUnderstood,
    ReviewReason,
)

NOT_UNDERSTOOD = "not_understood"
"""Why a customer waits whose reply is in doubt: the `why` of `ReplyNotUnderstood`."""

_ENDED_BY_RELEASE = {
    HoldReason.UNCONFIRMED: frozenset(
        {ReviewReason.OPT_OUT, ReviewReason.WRONG_PERSON, ReviewReason.DECEASED, ReviewReason.REPRESENTED}
    ),
    HoldReason.DOUBT: frozenset({NOT_UNDERSTOOD}),
    HoldReason.QUESTION: frozenset({ReviewReason.QUESTION, ReviewReason.PROMISE_UNCLEAR}),
    HoldReason.PROMISE: frozenset({ReviewReason.PROMISED_BEFORE}),
    HoldReason.CEASED: frozenset({ReviewReason.REFUSAL}),
}
"""The reviews that end with a release, where they are not named as the hold is."""


class WaitsForPerson(NamedTuple):
    """Since when a customer waits for a person, and whether a life may depend on it."""

    since: datetime
    urgent: bool


def reviews_that_wait(standing: Standing) -> tuple[OpenReview, ...]:
    """Return the open reviews without those that rest, oldest first."""
    if not standing.attention or standing.reason != Reason.NOTHING_OPEN.value:
        return standing.attention
    return tuple([review for review in standing.attention if review.reply_id])


def waits_for_person(standing: Standing) -> WaitsForPerson | None:
    """Return since when a customer waits for a person; `None` if the customer does not."""
    waiting = reviews_that_wait(standing)
    if not waiting:
        return None
    return WaitsForPerson(min(review.since for review in waiting), any(map(_is_urgent, waiting)))


def with_open_review(standing: Standing, why: str, since: datetime, reply_id: str = "") -> Standing:
    """Return the standing with a review among the open ones; the same standing if it is open already."""
    if any(review.why == why and review.reply_id == reply_id for review in standing.attention):
        return standing
    reviews = sorted((*standing.attention, OpenReview(why, since, reply_id)), key=_importance)[:ATTENTION_LIMIT]
    return replace(standing, attention=tuple(sorted(reviews, key=_age)))


def with_announced(standing: Standing, events: Iterable[OutboundEvent]) -> Standing:
    """Return the standing with a review open for each event that calls for a person."""
    for event in events:
        match event:
            case CustomerNeedsPerson():
                standing = with_open_review(standing, event.why.value, event.at, event.reply_id)
            case ReplyNotUnderstood():
                standing = with_open_review(standing, NOT_UNDERSTOOD, event.at, event.reply_id)
            case _:
                pass
    return standing


def with_stops_announced(standing: Standing, pending: Collection[str], new: Iterable[str], at: datetime) -> Standing:
    """
    Return the standing whose open reviews of stops are those of the stops that have not ended.

    Args:
        standing: the standing.
        pending: the reviews of all stops that are announced and have not ended.
        new: those of them that are announced just now.
        at: the time of the announcement.
    """
    if standing.attention:
        kept = tuple([review for review in standing.attention if review.reply_id or review.why in pending])
        standing = standing if kept == standing.attention else replace(standing, attention=kept)
    # A release without this list has announced stops that nobody has attended.
    to_open = new if standing.attended_at else (*new, *pending)
    for why in to_open:
        standing = with_open_review(standing, why, at)
    return standing


def with_attended(standing: Standing, at: datetime) -> Standing:
    """Return the standing after a person has attended the customer: nothing from before it waits any more."""
    left = tuple([review for review in standing.attention if review.since > at])
    return replace(standing, attention=left, attended_at=said_last(standing.attended_at, at))


def with_reply_attended(standing: Standing, reply_id: str) -> Standing:
    """Return the standing after a person has read a reply: nothing about the reply waits any more."""
    left = tuple([review for review in standing.attention if review.reply_id != reply_id])
    return standing if left == standing.attention else replace(standing, attention=left)


def with_released(standing: Standing, reason: HoldReason | None, at: datetime) -> Standing:
    """Return the standing after a release: what it is about waits no more, of a release of all holds nothing does."""
    if reason is None:
        return with_attended(standing, at)
    ended = _ENDED_BY_RELEASE.get(reason, frozenset({reason.value}))
    left = tuple([review for review in standing.attention if review.since > at or review.why not in ended])
    return standing if left == standing.attention else replace(standing, attention=left)


def is_reply_attended(standing: Standing, said_at: datetime) -> bool:
    """Tell whether a person has attended the customer since a reply was written."""
    return standing.attended_at is not None and standing.attended_at >= said_at


def _is_urgent(review: OpenReview) -> bool:
    return review.why in URGENT_REVIEWS


def _importance(review: OpenReview) -> tuple[bool, datetime, str, str]:
    return not _is_urgent(review), *_age(review)


def _age(review: OpenReview) -> tuple[datetime, str, str]:
    return review.since, review.why, review.reply_id
