"""
The reader: finds the rules that fit a reply, and drops phrases that are denied or mean something else.

If a reply can be read in two ways, the reading with the longer silence wins: an opt-out beats an opt-in. Of "paid" and
"will pay" in one clause the promise wins ("I will have paid by Friday"), because the payment has not happened yet.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from dunning.domain.replies.dates import DateKind, Dates, DateWords, FoundDay
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.phrases import Found, Pattern, PhraseMatcher
from dunning.domain.replies.quotes import Quotes
from dunning.domain.replies.tokens import Clause, Word, clauses_of, without, words_of
from dunning.domain.texts.lint.folding import Characters, Folding

_NEGATION_REACH = 1
_CURRENCIES = frozenset("$¥€£₩₹฿")
_QUESTION_MARKS = frozenset("?？")
_ORDER = {intent: index for index, intent in enumerate(ReplyIntent)}


class ReplyRule(NamedTuple):
    """
    The phrases of one language that express an intent.

    `bare` patterns are a whole reply. `alone` patterns are a whole reply or clause, polite words apart. `says` patterns
    stand anywhere in a clause. `with_day` patterns do, too, but count only together with a day. In `innocent` contexts
    neither `says` nor `with_day` counts. A `deniable` rule does not count after a negation of its language.
    `countries` limits the rule to numbers of these countries.
    """

    id: str
    language: str
    intent: ReplyIntent
    bare: tuple[Pattern, ...] = ()
    alone: tuple[Pattern, ...] = ()
    says: tuple[Pattern, ...] = ()
    with_day: tuple[Pattern, ...] = ()
    innocent: tuple[Pattern, ...] = ()
    deniable: bool = True
    countries: frozenset[str] = frozenset()


class ReplyWords(NamedTuple):
    """
    The words that all rules share.

    `polite` words change nothing beside a phrase of `alone`. `negations` deny the next phrase, unless they are part of
    a phrase of `not_negations`. Each belongs to a language: "no" is "not" in Spanish and an answer in English.
    `instructions` say how to opt out, `ours` are passages of our own texts. `tails` name an account by its last digits;
    a number before one of `units` is no account. `around_days` may stand around a day in a reply that says nothing
    else.
    """

    polite: Sequence[Pattern]
    negations: Sequence[tuple[Pattern, str]]
    not_negations: Sequence[tuple[Pattern, str]]
    instructions: Sequence[Pattern]
    ours: Sequence[str]
    tails: Sequence[Pattern]
    units: frozenset[str]
    around_days: Sequence[Pattern]
    days: DateWords


class _PhraseHit(NamedTuple):
    rule: ReplyRule
    days: tuple[FoundDay, ...]


class PhraseReader:
    """Reads replies. It is built once, and keeps no reply."""

    def __init__(self, rules: Sequence[ReplyRule], words: ReplyWords, characters: Characters) -> None:
        self._folding = Folding(characters)
        self._bare = _of(rules, "bare")
        self._alone = _of(rules, "alone")
        self._says = _of(rules, "says")
        self._with_day = _of(rules, "with_day")
        self._innocent = _of(rules, "innocent")
        self._polite = _matcher(words.polite)
        self._negations = PhraseMatcher([(pattern, _spoken(language)) for pattern, language in words.negations])
        self._not_negations = PhraseMatcher([(pattern, _spoken(language)) for pattern, language in words.not_negations])
        self._tails = _matcher(words.tails)
        self._units = words.units
        self._around_days = _matcher([*words.around_days, *words.polite])
        self._dates = Dates(words.days)
        self._quotes = Quotes(map(self._cut, words.ours), _matcher(words.instructions))

    def parse(self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = ()) -> ParsedReply:
        """
        Return the reading of a reply.

        `said_on` is the local day of the reply, `phone_country` the country of its number. `our_texts` are the texts
        that the number got lately, which the reply may quote.
        """
        words = words_of(text, self._folding)
        if not words:
            return ParsedReply()
        hidden = self._quotes.hidden(words, clauses_of(words), [self._cut(ours) for ours in our_texts])
        words = without(words, hidden)
        reading = [word.text for word in words]
        clauses = clauses_of(words)
        tails = [found for clause in clauses for found in self._tails_in(words, reading, clause)]
        hits = [
            hit
            for hit in self._hits(reading, clauses, tails)
            if not hit.rule.countries or phone_country in hit.rule.countries
        ]
        intents = {hit.rule.intent for hit in hits}
        promised_on = None
        if ReplyIntent.PROMISE in intents:
            promised_on = self._promised_on(hits, reading, clauses, phone_country, said_on)
        elif not hits and _QUESTION_MARKS.isdisjoint(text):
            days = self._only_days(reading, clauses)
            # "Friday" answers when it will be paid; "soon" answers nothing.
            if any(day.kind is not DateKind.VAGUE for day in days):
                intents.add(ReplyIntent.PROMISE)
                promised_on = self._dates.certain(days, _script(reading), phone_country, said_on)
        if ReplyIntent.OPT_OUT in intents:
            intents.discard(ReplyIntent.OPT_IN)
        digits = {reading[found.read[0]] for found in tails}
        return ParsedReply(
            tuple(sorted(intents, key=_ORDER.__getitem__)), promised_on, digits.pop() if len(digits) == 1 else ""
        )

    def _cut(self, text: str) -> tuple[str, ...]:
        return tuple([word.text for word in words_of(text, self._folding)])

    def _hits(
        self, reading: Sequence[str], clauses: Sequence[Clause], tails: Sequence[Found[None]]
    ) -> list[_PhraseHit]:
        hits = [_PhraseHit(rule, ()) for rule in _covering(reading, self._bare, None, 0, len(reading), ())]
        hits += [_PhraseHit(rule, ()) for rule in _covering(reading, self._alone, self._polite, 0, len(reading), tails)]
        for clause in clauses:
            hits += [_PhraseHit(rule, ()) for rule in _covering(reading, self._alone, self._polite, *clause, tails)]
            hits += self._in_clause(reading, clause)
        return hits

    def _in_clause(self, reading: Sequence[str], clause: Clause) -> list[_PhraseHit]:
        """Return the phrases of a clause, without those denied, in an innocent context, or contradicting a promise."""
        undated = list(self._says.within(reading, *clause))
        dated = list(self._with_day.within(reading, *clause))
        if not undated and not dated:
            return []
        days = tuple(self._dates.within(reading, *clause))
        contexts = list(self._innocent.within(reading, *clause))
        negations = _outside(
            self._negations.within(reading, *clause), list(self._not_negations.within(reading, *clause))
        )
        found: list[Found[ReplyRule]] = []
        denied: list[Found[ReplyRule]] = []
        for phrase in [*undated, *(dated if days else [])]:
            innocent = any(context.of is phrase.of and _overlap(phrase, context) for context in contexts)
            (denied if innocent or (phrase.of.deniable and _is_denied_match(phrase, negations)) else found).append(
                phrase
            )
        found = [phrase for phrase in found if not any(_is_same_word(phrase, denial) for denial in denied)]
        promised = any(phrase.of.intent is ReplyIntent.PROMISE for phrase in found)
        return [
            _PhraseHit(phrase.of, days) for phrase in found if not (promised and phrase.of.intent is ReplyIntent.PAID)
        ]

    def _promised_on(
        self, hits: Sequence[_PhraseHit], reading: Sequence[str], clauses: Sequence[Clause], country: str, said_on: date
    ) -> date | None:
        """Return the day of a promise, on which its own clauses and the clauses that consist of days agree."""
        promises = [hit for hit in hits if hit.rule.intent is ReplyIntent.PROMISE]
        days = [day for hit in promises for day in hit.days]
        days += [day for clause in clauses for day in self._only_days(reading, [clause])]
        return self._dates.certain(list(dict.fromkeys(days)), {hit.rule.language for hit in promises}, country, said_on)

    def _only_days(self, reading: Sequence[str], clauses: Sequence[Clause]) -> list[FoundDay]:
        """Return the days of clauses that hold nothing but days and words such as "on" or "ok"; else no days."""
        days: list[FoundDay] = []
        for clause in clauses:
            named = list(self._dates.within(reading, *clause))
            ends = {day.start: day.end for day in named}
            at = clause.start
            while at < clause.end:
                around = max((found.end for found in self._around_days.at(reading, at, *clause)), default=at)
                following = max(ends.get(at, at), around)
                if following == at:
                    return []
                at = following
            days += named
        return days

    def _tails_in(self, words: Sequence[Word], reading: Sequence[str], clause: Clause) -> Iterable[Found[None]]:
        """Yield the places that name the digits of an account. Amounts and numbers in groups are left out."""
        for found in self._tails.within(reading, *clause):
            at = found.read[0]
            following = reading[at + 1] if at + 1 < clause.end else ""
            if (
                following not in self._units
                and not following[:1].isdecimal()
                and not reading[at - 1][:1].isdecimal()
                and _CURRENCIES.isdisjoint(words[at].before)
            ):
                yield found


def _of(rules: Sequence[ReplyRule], field: str) -> PhraseMatcher[ReplyRule]:
    return PhraseMatcher([(pattern, rule) for rule in rules for pattern in getattr(rule, field)])


def _matcher(patterns: Sequence[Pattern]) -> PhraseMatcher[None]:
    return PhraseMatcher([(pattern, None) for pattern in patterns])


def _covering(
    reading: Sequence[str],
    meaningful: PhraseMatcher[ReplyRule],
    polite: PhraseMatcher[None] | None,
    start: int,
    stop: int,
    tails: Sequence[Found[None]],
) -> list[ReplyRule]:
    """Return the rules whose phrases fill a text from start to stop, apart from polite words and account digits."""
    ends = {at: found.end for found in tails for at in (found.start, found.read[0])}
    rules: list[ReplyRule] = []
    at = start
    while at < stop:
        phrases = list(meaningful.at(reading, at, start, stop))
        end = max((found.end for found in phrases), default=at)
        rules += [found.of for found in phrases if found.end == end]
        if not phrases:
            idle = (found.end for found in polite.at(reading, at, start, stop)) if polite else ()
            end = max(ends.get(at, at), *idle, at)
        if end == at:
            return []
        at = end
    return rules


def _overlap[T](first: Found[T], second: Found[T]) -> bool:
    return first.start < second.end and second.start < first.end


def _is_same_word(phrase: Found[ReplyRule], denied: Found[ReplyRule]) -> bool:
    """Tell whether a phrase is also a phrase denied in another language: `pagar` is Spanish and Portuguese."""
    return (
        phrase.of.intent is denied.of.intent
        and phrase.of.intent is not ReplyIntent.OPT_OUT
        and phrase.of.language != denied.of.language
        and _overlap(phrase, denied)
    )


def _outside(found: Iterable[Found[str]], exceptions: Sequence[Found[str]]) -> list[Found[str]]:
    return [
        phrase
        for phrase in found
        if not any(phrase.of == exception.of and _overlap(phrase, exception) for exception in exceptions)
    ]


def _is_denied_match(phrase: Found[ReplyRule], negations: Sequence[Found[str]]) -> bool:
    return any(
        negation.of == _spoken(phrase.of.language) and negation.start < phrase.start <= negation.end + _NEGATION_REACH
        for negation in negations
    )


def _spoken(language: str) -> str:
    """Return the spoken language: both Chinese scripts are one."""
    return language.partition("-")[0]


def _script(reading: Sequence[str]) -> set[str]:
    """Return the language for reading bare figures: Chinese beside Chinese words, else the country's."""
    return {"zh-Hant"} if any(word[0] >= "\u3400" for word in reading) else {""}
