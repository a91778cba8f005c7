"""
People: what the customers of the sample write back, and when. The same for the same number, so that runs read alike.

They write from the exams of the corpus: replies that the reader of replies was not trained on, with the intents that a
person gave them. What somebody writes fits what they do: who has just paid says so, who pays in some days promises it.
Words of the kind people really send; nobody's own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from dunning.domain.replies.intents import ReplyIntent
from training.corpus import EXAMS, LabelledReply, read_corpus
from training.evaluate import EVERYDAY

_ANSWERS = 0.15
"""So many texts are answered at all."""

_HONEST = 0.7
"""So many who say that it is paid, or promise it, have paid or do pay."""

_HAS_PAID = timedelta(hours=36)
"""Whose payment the lender hears of within this time has paid already: a bank takes that long."""
_WILL_PAY = timedelta(days=14)

_BOOKED_AFTER = timedelta(hours=20)
_PAYS_WITHIN = timedelta(days=3)
"""Who promises to pay, and names no day, pays within this time."""

_SHARES: Mapping[ReplyIntent, float] = {
    ReplyIntent.PAID: 18,
    ReplyIntent.PROMISE: 16,
    ReplyIntent.ACKNOWLEDGED: 15,
    ReplyIntent.QUESTION: 11,
    ReplyIntent.OPT_OUT: 8,
    ReplyIntent.HARDSHIP: 8,
    ReplyIntent.CHAT: 5,
    ReplyIntent.DISPUTE: 4,
    ReplyIntent.AUTO_REPLY: 3,
    ReplyIntent.WRONG_PERSON: 3,
    ReplyIntent.SUSPICION: 3,
    ReplyIntent.COMPLAINT: 2.5,
    ReplyIntent.REFUSAL: 1.5,
    ReplyIntent.REPRESENTED: 1,
    ReplyIntent.DISTRESS: 1,
    ReplyIntent.DECEASED: 0.7,
    ReplyIntent.OPT_IN: 0.3,
}
"""What people write who neither have paid nor mean to. The shares are a guess: nobody publishes them."""

_SHARES_OF_PAYERS: Mapping[ReplyIntent, float] = {
    ReplyIntent.ACKNOWLEDGED: 25,
    ReplyIntent.QUESTION: 10,
    ReplyIntent.AUTO_REPLY: 3,
    ReplyIntent.CHAT: 2,
}
"""What people who pay write beside what they do, which has a share of 60."""
_DOING = 60

_NAMES_A_DATE = re.compile(
    r"\d|[月號号初]|[一二三四五六七八九十廿卅]日"
    r"|\b(?:month|eom|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|xmas|christmas|easter|eve\b)"
    r"|th\b|\b(?:first|second|third)\b",
    re.IGNORECASE,
)
"""
What may be a day of a month or of a feast. Rather a few replies too many are left out.

Beside English and Chinese only the digits are known: replies in other languages that promise a day are left out.
"""
_DAYS_READ = frozenset({"en", "zh-Hant", "zh-Hans", "zh-HK", "mixed"})

_SPOKEN: Mapping[tuple[str, str], str] = {("zh-Hant", "HK"): "zh-HK"}
"""In some places people read one language and write another."""


@dataclass(frozen=True, slots=True)
class WrittenReply:
    """A reply of the corpus as it is written on another day: its text, its intents, and the day it promises now."""

    text: str
    intents: tuple[ReplyIntent, ...]
    promised_on: date | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody writes and when, and when they pay because of it, if they do."""

    at: datetime
    written: WrittenReply
    pays_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who may answer: the number, where and in which language, and when the next payment is known to come."""

    phone: str
    language: str
    country: str
    zone: ZoneInfo
    pays_at: datetime | None = None


def answer_to(writer: Writer, nth: int, at: datetime) -> Answer | None:
    """Return what somebody writes back to a text, their `nth`; mostly nothing."""
    random = Random(f"{writer.phone} answers back {nth}")
    if random.random() >= _ANSWERS:
        return None
    answers_at = at + timedelta(minutes=random.choice((2, 3, 8, 25, 90, 400)))
    shares = shares_of(writer.pays_at - answers_at if writer.pays_at else None)
    (intent,) = random.choices(list(shares), list(shares.values()))
    day = answers_at.astimezone(writer.zone).date()
    chosen = random.choice(replies_for(intent, writer.language, writer.country, day))
    written = moved_to(chosen, day)
    means_it = random.random() < _HONEST
    if writer.pays_at is not None or not means_it:
        return Answer(answers_at, written)
    if intent is ReplyIntent.PAID:
        return Answer(answers_at, written, answers_at + _BOOKED_AFTER)
    if intent is ReplyIntent.PROMISE:
        within = (written.promised_on - day) if written.promised_on else _PAYS_WITHIN
        return Answer(answers_at, written, answers_at + within * random.random())
    return Answer(answers_at, written)


def shares_of(pays_in: timedelta | None) -> Mapping[ReplyIntent, float]:
    """Return the shares of intents for somebody whose payment comes in so much time, or not at all."""
    if pays_in is None or pays_in > _WILL_PAY:
        return _SHARES
    doing = ReplyIntent.PAID if pays_in <= _HAS_PAID else ReplyIntent.PROMISE
    return {doing: _DOING, **_SHARES_OF_PAYERS}


def replies_for(intent: ReplyIntent, language: str, country: str, day: date) -> Sequence[LabelledReply]:
    """
    Return the replies with an intent that fit a language, a country and a day, those of the nearest place alone.

    Who has paid does not promise to pay as well, and the other way round: that would not fit what they do.
    """
    money = {ReplyIntent.PAID, ReplyIntent.PROMISE}
    fitting: dict[int, list[LabelledReply]] = {}
    for reply in exams():
        if intent in reply.intents and money.intersection(reply.intents) <= {intent} and fits_day(reply, day):
            fitting.setdefault(distance(reply, language, country), []).append(reply)
    return fitting[min(fitting)]


def distance(reply: LabelledReply, language: str, country: str) -> int:
    """Tell how far a reply is from a customer: the same place, the same language, the same script or family, others."""
    spoken = _SPOKEN.get((language, country), language)
    if reply.language in {spoken, "mixed"} and reply.country == country:
        return 0
    if reply.language == spoken:
        return 1
    if reply.language.partition("-")[0] == spoken.partition("-")[0]:
        return 2
    return 3 if reply.language == "en" else 4


def fits_day(reply: LabelledReply, day: date) -> bool:
    """
    Tell whether a reply means on a day what it meant on its own.

    What people want does not depend on the day. The day they promise does: "Friday" is as far off on each Tuesday, "the
    5th" is not. So a reply that promises a day fits its own weekday, if it names no day of a month.
    """
    if reply.promised_on is None or reply.said_on == day:
        return True
    is_read = reply.language in _DAYS_READ and not _NAMES_A_DATE.search(reply.text)
    return is_read and reply.said_on.weekday() == day.weekday()


def moved_to(reply: LabelledReply, day: date) -> WrittenReply:
    """Return a reply as it is written on a day that it fits."""
    promised_on = day + (reply.promised_on - reply.said_on) if reply.promised_on else None
    return WrittenReply(reply.text, reply.intents, promised_on)


@cache
def exams() -> Sequence[LabelledReply]:
    """Return the replies to lenders that only examine the reader; texts among friends are none."""
    return tuple(_to_lenders())


def _to_lenders() -> Iterator[LabelledReply]:
    for reply in read_corpus(EXAMS):
        if reply.writer != EVERYDAY:
            yield reply
