"""
Promised days: the local day that a promise names, whatever words the promise is made in.

The reader takes for granted that the reply promises. It looks at every day of the reply and drops those that do not
belong to the promise: days of the past, days denied, days of a reminder that the customer asks for, and days that the
customer corrects. What is left has to agree on one day.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from dunning.domain.replies.dates import DateKind, FigureOrder, day_of, day_of_figures, is_figures
from dunning.domain.replies.phrases import Found, Pattern, PhraseMatcher
from dunning.domain.replies.quotes import Quotes
from dunning.domain.replies.tokens import Word, clauses_of, without, words_of
from dunning.domain.texts.lint.folding import Characters, Folding

_READ_AT_MOST = 1000
"""Characters; nobody names a day behind so many."""
_LONGEST_NUMBER = 4
_MOST_DAYS = 31
_FIRST_HAN = "\u3400"
_ROC_FIGURES = re.compile(r"(1\d\d)([/.-]\d{1,2}[/.-]\d{1,2})", re.ASCII)
_ROC_YEARS = 1911
_SHORT_FIGURES = re.compile(r"(\d{1,2})[.-](\d{1,2})", re.ASCII)
_RANGE = re.compile(r"\d{1,2}(?:-\d{1,2})+", re.ASCII)
_GLUED = re.compile("(\\d)[,\uff0c](?=\\d{1,2}[/\u6708\u865f\u53f7\u65e5])")
"""A comma between an amount and a day behind it."""
_BRACKETED = re.compile("[(\uff08](?:\u9031|\u661f\u671f)?[\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u65e5\u5929][)\uff09]")
"""A weekday in brackets, which only says again what a date says."""
_DOTTED = re.compile("(\\d{1,2})[\u00b7\u2022\u30fb](\\d{1,2})")
_QUESTION_MARKS = "?\uff1f"
_BETWEEN_NUMBERS = frozenset("~、,-–—/ ")
_CHINESE = "zh-Hant"

_SUNDAY = 6

_NAMES_NO_DAY = frozenset({DateKind.VAGUE, DateKind.PAST, DateKind.NO_DAY})
_MAY_BE_PAST = frozenset(
    {
        DateKind.TODAY,
        DateKind.NOW,
        DateKind.WEEKDAY,
        DateKind.WEEKDAY_THIS_WEEK,
        DateKind.WEEKDAY_DAY,
        DateKind.DAY,
        DateKind.DAY_THIS_MONTH,
        DateKind.MONTH_DAY,
        DateKind.DAY_MONTH,
        DateKind.YEAR_MONTH_DAY,
        DateKind.DAY_MONTH_YEAR,
        DateKind.MONTH_DAY_YEAR,
        DateKind.ROC_YEAR_MONTH_DAY,
        DateKind.FIGURES,
        DateKind.BLACK_FRIDAY,
        DateKind.HOLIDAY,
    }
)
"""The kinds that name a day before or behind, as the verb says: "paid on Friday", "pay on Friday"."""
_TODAY = frozenset({DateKind.TODAY, DateKind.NOW})


class DayRole(StrEnum):
    """
    What words around a day say about it.

    For their whole segment hold `PAST` and `FUTURE`, `PAYS` and `PARTS`, `WAITS` for money, `REMINDS` for a day of
    something else, such as the reminder that the customer asks for, `DUE` for the lender's own day, and `UNABLE` for
    today. `DENIES` denies the day directly behind, `DENIED` the day directly before; so do `AFTER` and `ABOUT` say that
    a day is not certain. `LINKS` between two days makes a choice of them, `CORRECTS` says that the later counts, `SAME`
    that the payment is for the day of the reminder. `SPLITS` begins a segment. `NOTHING` only looks like a word of
    these.
    """

    PAST = "past"
    FUTURE = "future"
    PAYS = "pays"
    PARTS = "parts"
    WAITS = "waits"
    REMINDS = "reminds"
    DUE = "due"
    UNABLE = "unable"
    DENIES = "denies"
    DENIED = "denied"
    CORRECTS = "corrects"
    AFTER = "after"
    ABOUT = "about"
    LINKS = "links"
    SAME = "same"
    SPLITS = "splits"
    NOTHING = "nothing"


_NOT_TODAY = frozenset({DayRole.UNABLE, DayRole.DENIES, DayRole.DENIED})
"""The roles that say of their segment that today is not the day."""


class RolePhrase(NamedTuple):
    """A role, and the language whose words have it."""

    role: DayRole
    language: str


class DayPhrase(NamedTuple):
    """
    What a phrase for a day means: its kind, and the numbers it stands for besides those it holds.

    A phrase of `language` counts only in a text of that language: "mon" is "my" in French, and a Monday in English.
    """

    kind: DateKind
    numbers: tuple[int, ...] = ()
    language: str = ""


class PromisedDayWords(NamedTuple):
    """
    The words of promised days.

    `orders` are by language, with "" for bare figures. `small` are the commonest words of each language, by which it
    is known. `on` are words before a day in figures.
    """

    phrases: Sequence[tuple[Pattern, DayPhrase]]
    roles: Sequence[tuple[Pattern, RolePhrase]]
    orders: Mapping[str, FigureOrder]
    small: Mapping[str, frozenset[str]]
    on: frozenset[str]
    instructions: Sequence[Pattern]
    ours: Sequence[str]


class DayMention(NamedTuple):
    """A day that a reply names: `date` is `None` if it is a vague day, a day before the reply, or no day at all."""

    kind: DateKind
    date: date | None
    is_past: bool
    certain: bool


class _Named(NamedTuple):
    """A day with its place and the roles of its segment."""

    start: int
    end: int
    kind: DateKind
    read: tuple[int, ...]
    on: date | None
    certain: bool
    roles: frozenset[DayRole]
    is_past: bool
    denied: bool
    asked: bool


class _DayReading(NamedTuple):
    """The words of a reply, the days among those that are the customer's own, and the clauses that ask something."""

    words: Sequence[Word]
    found: Sequence[Found[DayPhrase]]
    asked: frozenset[int]


class PromisedDayReader:
    """Reads the day of a promise. It is built once, and keeps no reply."""

    def __init__(self, words: PromisedDayWords, characters: Characters) -> None:
        self._folding = Folding(characters)
        self._phrases = PhraseMatcher(words.phrases)
        self._roles = PhraseMatcher(words.roles)
        self._orders = words.orders
        self._small = words.small
        self._small_words = frozenset().union(*words.small.values())
        self._beside_chinese = {language for language in words.small if language.startswith("zh")} | {"en"}
        self._on = words.on
        self._quotes = Quotes(map(self._cut, words.ours), PhraseMatcher([(line, None) for line in words.instructions]))

    def promised_day(
        self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = ()
    ) -> date | None:
        """
        Return the day that a reply known to be a promise names; `None` if it names none, or more than one.

        `said_on` is the local day of the reply, `phone_country` the country of its number. `our_texts` are the texts
        that the number got lately, which the reply may quote.
        """
        reading = self._days_in(text, our_texts)
        roles = self._roles_in(reading.words) if reading.found else []
        return _agreed(self._named(reading, roles, said_on, phone_country), roles)

    def mentions(
        self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = ()
    ) -> list[DayMention]:
        """Return the days that a reply names, whatever it says."""
        reading = self._days_in(text, our_texts)
        return [
            DayMention(day.kind, day.on, day.is_past, day.certain)
            for day in self._named(reading, self._roles_in(reading.words), said_on, phone_country)
        ]

    def _cut(self, text: str) -> tuple[str, ...]:
        return tuple([word.text for word in words_of(text, self._folding)])

    def _days_in(self, text: str, our_texts: Sequence[str]) -> _DayReading:
        text = _DOTTED.sub(r"\1/\2", _BRACKETED.sub(" ", _GLUED.sub(r"\1; ", text[:_READ_AT_MOST])))
        words = words_of(text, self._folding)
        words = without(words, self._quotes.hidden(words, clauses_of(words), [self._cut(ours) for ours in our_texts]))
        found = list(self._found(words))
        asked = _questions(words)
        if words and text.rstrip()[-1:] in _QUESTION_MARKS:
            asked.add(words[-1].clause)
        return _DayReading(words, found, frozenset(asked))

    def _roles_in(self, words: Sequence[Word]) -> list[Found[DayRole]]:
        """
        Return the phrases that have a role, the longest at each place. A phrase may have several roles.

        Only languages count that the text may be in: "pas" is "not" in French, and "when" in Indonesian.
        """
        reading = [word.text for word in words]
        languages = self._languages(reading)
        roles: list[Found[DayRole]] = []
        at = 0
        while at < len(reading):
            found = [role for role in self._roles.at(reading, at, 0, len(reading)) if role.of.language in languages]
            end = max((role.end for role in found), default=at + 1)
            roles += [Found(at, end, role.of.role, ()) for role in found if role.end == end]
            at = end
        return roles

    def _named(
        self,
        reading: _DayReading,
        roles: Sequence[Found[DayRole]],
        said_on: date,
        country: str,
    ) -> list[_Named]:
        """Return the days with what stands around them."""
        words, found, asked = reading
        segments = _segments(words, roles, found)
        order = self._month_first(words, country)
        by_segment: dict[int, set[DayRole]] = {}
        for role in roles:
            by_segment.setdefault(segments[role.start], set()).add(role.of)
        before = {(role.of, at, segments[role.start]) for role in roles for at in range(role.start + 1, role.end + 1)}
        behind = {(role.of, at, segments[role.start]) for role in roles for at in range(role.start, role.end)}
        named = []
        for day in found:
            segment = segments[day.start]
            around = by_segment.get(segment, set())
            kind = day.of.kind
            numbers = (*day.of.numbers, *day.read) if kind.numbers() else ()
            if kind is DateKind.FIGURES:
                on = day_of_figures(self._figures(words, day.start), order, said_on)  # a range is no day in figures
            else:
                on = day_of(kind, said_on, *numbers)
            is_past = kind is DateKind.PAST or (
                kind in _MAY_BE_PAST and DayRole.PAST in around and DayRole.FUTURE not in around
            )
            certain = (
                (DayRole.AFTER, day.start, segment) not in before
                and (kind in _TODAY or (DayRole.ABOUT, day.end, segment) not in behind)
                and not _is_in_range(words, day.start)
            )
            denied = (
                (DayRole.DENIES, day.start, segment) in before
                or (DayRole.DENIED, day.end, segment) in behind
                or (kind in _TODAY and not around.isdisjoint(_NOT_TODAY))
            )
            if kind is DateKind.WEEKDAY_THIS_WEEK and on and on < said_on and said_on.weekday() == _SUNDAY:
                on = day_of(DateKind.WEEKDAY, said_on, *numbers)  # for many the week begins on Sunday
            if on and on < said_on:
                on, is_past = None, True
            named.append(
                _Named(
                    day.start,
                    day.end,
                    kind,
                    numbers,
                    on,
                    certain,
                    frozenset(around),
                    is_past,
                    denied,
                    words[day.start].clause in asked,
                )
            )
        return _with_links(named, roles)

    def _found(self, words: Sequence[Word]) -> Iterator[Found[DayPhrase]]:
        """Yield the phrases that name days, the longest at each place; none reaches over the end of a clause."""
        reading = [
            word.text if len(word.text) <= _LONGEST_NUMBER or not word.text.isdecimal() else "#" for word in words
        ]
        language: str | None = None
        for start, end in clauses_of(words):
            longest: list[Found[DayPhrase] | None] = []
            for at in range(start, end):
                best: Found[DayPhrase] | None = None
                if self._figures(words, at) or _is_range(words, at):
                    best = Found(at, at + 1, DayPhrase(DateKind.FIGURES), ())
                for phrase in self._phrases.at(reading, at, start, end):
                    if phrase.of.language:
                        language = self._language(reading) if language is None else language
                        if phrase.of.language != language:
                            continue
                    if best is None or _rank(phrase) > _rank(best):
                        best = phrase
                longest.append(best)
            yield from (phrase for phrase in _apart(longest) if phrase.of.kind is not DateKind.NO_DAY)

    def _figures(self, words: Sequence[Word], at: int) -> str:
        """Return a day in figures as it is read: with the year of the common era, and with strokes."""
        word = words[at].text
        if not word[0].isdecimal():
            return ""
        led = at > 0 and words[at - 1].text in self._on
        following = words[at + 1].text if at + 1 < len(words) else ""
        dated = led or (following >= _FIRST_HAN and following != "的")  # 1/3 is a day in 1/3回國, no part in 1/3的
        if is_figures(word) or (dated and "/" in word and is_figures(f"2000/{word}")):
            return word
        if match := _ROC_FIGURES.fullmatch(word):
            return f"{int(match[1]) + _ROC_YEARS}{match[2]}"
        if led and (match := _SHORT_FIGURES.fullmatch(word)):
            return f"{match[1]}/{match[2]}"
        return ""

    def _languages(self, reading: Sequence[str]) -> set[str]:
        """Return the languages that a text may be in: those with half as many small words as the one with most."""
        if any(word[0] >= _FIRST_HAN for word in reading):
            return self._beside_chinese
        words = set(reading)
        counts = {language: len(words & small) for language, small in self._small.items()}
        most = max(counts.values(), default=0)
        return {language for language, count in counts.items() if 2 * count >= most}

    def _language(self, reading: Sequence[str]) -> str:
        """Return the language of a text; nothing if there may be several."""
        languages = self._languages(reading)
        return next(iter(languages)) if len(languages) == 1 else ""

    def _month_first(self, words: Sequence[Word], country: str) -> bool | None:
        if any(word.text[0] >= _FIRST_HAN for word in words):
            return self._orders[_CHINESE].reads_month_first(country)
        reading = [word.text for word in words]
        languages = self._languages(reading) if self._small_words.intersection(reading) else {""}
        orders = {self._orders.get(language, self._orders[""]).reads_month_first(country) for language in languages}
        return orders.pop() if len(orders) == 1 else None


def _rank(phrase: Found[DayPhrase]) -> tuple[int, bool, bool, bool, bool]:
    """Return the rank among phrases that begin at one word: the longest, own, vague, not "now", a holiday."""
    kind = phrase.of.kind
    is_holiday = kind is DateKind.HOLIDAY
    return phrase.end, bool(phrase.of.language), kind in _NAMES_NO_DAY, kind is not DateKind.NOW, is_holiday


def _extent(phrase: Found[DayPhrase]) -> int:
    return phrase.end - phrase.start


def _apart(longest: Iterable[Found[DayPhrase] | None]) -> Iterator[Found[DayPhrase]]:
    """Yield the phrases that do not overlap; of two that do, the longer one."""
    last: Found[DayPhrase] | None = None
    for phrase in longest:
        if phrase is None or (last and phrase.end <= last.end):
            continue
        if last and phrase.start < last.end:
            if phrase.of.kind is DateKind.NOW or _extent(phrase) <= _extent(last):
                continue
        elif last:
            yield last
        last = phrase
    if last:
        yield last


def _is_range(words: Sequence[Word], at: int) -> bool:
    return _RANGE.fullmatch(words[at].text) is not None and at + 1 < len(words) and words[at + 1].text in {"号", "日"}


def _segments(words: Sequence[Word], roles: Iterable[Found[DayRole]], days: Iterable[Found[DayPhrase]]) -> list[int]:
    """
    Return the number of each word's segment.

    Segments end with clauses, at a blank between two Chinese characters, and at words such as "but".
    """
    splits = {role.start for role in roles if role.of is DayRole.SPLITS}
    inside = {at for day in days for at in range(day.start + 1, day.end)}
    numbers = []
    segment = 0
    for at, word in enumerate(words):
        if at and at not in inside:
            last = words[at - 1]
            blank = " " in word.before and (word.text[0] >= _FIRST_HAN or last.text[0] >= _FIRST_HAN)
            segment += last.clause != word.clause or at in splits or blank
        numbers.append(segment)
    return numbers


def _questions(words: Sequence[Word]) -> set[int]:
    """Return the clauses that end with a question mark before another clause begins."""
    return {
        last.clause
        for last, word in pairwise(words)
        if last.clause != word.clause and any(mark in word.before for mark in _QUESTION_MARKS)
    }


def _is_in_range(words: Sequence[Word], start: int) -> bool:
    """Tell whether a number directly before makes a choice of it: "5~6號"."""
    if start < 1 or not words[start].text.isdecimal():
        return False
    number = words[start - 1].text
    return (
        number.isdecimal()
        and len(number) <= 2  # noqa: PLR2004 - figures of a day
        and 1 <= int(number) <= _MOST_DAYS
        and bool(words[start].before)
        and _BETWEEN_NUMBERS.issuperset(words[start].before)
    )


def _with_links(days: Sequence[_Named], roles: Iterable[Found[DayRole]]) -> list[_Named]:
    """Return the days; those linked by a word such as "or" are not certain."""
    links: dict[int, int] = {}
    for role in roles:
        if role.of is DayRole.LINKS:
            links[role.start] = max(role.end, links.get(role.start, 0))
    linked = list(days)
    for at in range(1, len(linked)):
        last, day = linked[at - 1], linked[at]
        if links.get(last.end, 0) >= day.start and last.on != day.on and not _only_later_pays(last, day):
            linked[at - 1], linked[at] = last._replace(certain=False), day._replace(certain=False)
    return linked


def _only_later_pays(last: _Named, day: _Named) -> bool:
    """Tell whether only the later of two days stands beside a payment: "we meet on Sunday and on Monday we'll pay"."""
    return DayRole.PAYS in day.roles and DayRole.PAYS not in last.roles


def _agreed(days: Sequence[_Named], roles: Sequence[Found[DayRole]]) -> date | None:
    """Return the day on which the days of a promise agree."""
    kept = [day for day in days if not day.is_past and not day.denied]
    promised = [day for day in kept if DayRole.REMINDS not in day.roles]
    if promised or not any(role.of is DayRole.SAME for role in roles):
        kept = promised
    for role in roles:
        if role.of is DayRole.CORRECTS and any(day.start >= role.end for day in kept):
            kept = [day for day in kept if day.start >= role.end]
    if any(day.kind is DateKind.VAGUE for day in kept):
        kept = [day for day in kept if day.kind is not DateKind.NOW]
    kept = [day for day in kept if day.kind not in _NAMES_NO_DAY]
    kept = [day for day in kept if day.kind is not DateKind.NOW or DayRole.WAITS not in day.roles]
    for weaker in (
        lambda day: day.kind is DateKind.NOW,
        lambda day: day.kind is DateKind.TODAY and day.certain,
        lambda day: DayRole.DUE in day.roles,
        lambda day: day.asked,
    ):
        kept = [day for day in kept if not weaker(day)] or kept
    exact = [day for day in kept if day.kind is not DateKind.WEEKDAY]
    kept = [
        day
        for day in kept
        if day.kind is not DateKind.WEEKDAY
        or not any(other.on and other.on.weekday() == day.read[0] for other in exact)
    ]
    if not kept or not kept[-1].certain or not kept[-1].on:
        return None
    dates = {day.on for day in kept}
    if len(dates) == 1:
        return dates.pop()
    if any(role.of is DayRole.PARTS for role in roles):
        return None
    last = max(enumerate(kept), key=_claim)[1]
    return last.on if last.certain else None


def _claim(place: tuple[int, _Named]) -> tuple[bool, bool, int]:
    """Return a day's claim to be the promised day: beside a payment, not beside an income, the later one."""
    at, day = place
    return DayRole.PAYS in day.roles, DayRole.WAITS not in day.roles, at
