"""
The local reader: reads a reply in the function itself, in under a millisecond, and calls nothing else.

    text ──> without quotations of ours ──> a fixed word? ──> sure, and nothing else is read
                        │ no
                        └──> features ──> a probability for each intent ──> sure, likely, best guess
                                                    │ a promise
                                                    └──> its day
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from dunning.domain.replies.features import LONGEST_READ, features_of, folded_for_features
from dunning.domain.replies.fixed_words import ANYWHERE, FixedWords
from dunning.domain.replies.intents import QUIET_INTENTS, STANDING_ALONE, ParsedReply, ReplyIntent, in_order
from dunning.domain.replies.phrases import PhraseMatcher
from dunning.domain.replies.promised_days import PromisedDayReader
from dunning.domain.replies.quotes import Quotes
from dunning.domain.replies.tokens import Word, clauses_of, without, words_of
from dunning.domain.replies.weights import ReplyWeights, decisive_words, estimate, is_said_in_words, known_features
from dunning.domain.texts.lint.folding import Folding

_FEWEST_KNOWN = 0.25
"""The share of a reply's features that the reader has to know to be sure of anything: it does not read Thai."""

_LONGEST_EVER, _END_READ = 20_000, 300
_BLANKS = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\s*\n\s*")
_PAID_AFTER_ALL = 0.1
"""From this probability of a payment on, a promise is not acted on."""
_MAY_STOP = 0.05
"""From this probability of an opt-out on, no wish for more texts is sure."""
_MAY_ASK = 0.08
"""From this probability of any other intent on, an acknowledgement is not surely quiet."""


FINAL_INTENTS = frozenset(
    {ReplyIntent.OPT_OUT, ReplyIntent.WRONG_PERSON, ReplyIntent.DECEASED, ReplyIntent.REPRESENTED}
)
"""Intents that end contact."""


class Brakes(NamedTuple):
    """
    Phrases that make a reading more careful, whatever the model says.

    A phrase of `crisis` is heard as distress. Beside a word of `denials` no wish for more texts is sure ("never text me
    again" looks like "text me again"), beside one of `conditions` no refusal ("not before the 10th"). A phrase of
    `alone_please` may mean the texts: it is likely an opt-out.
    """

    crisis: PhraseMatcher[None]
    denials: PhraseMatcher[None]
    alone_please: PhraseMatcher[None]
    conditions: PhraseMatcher[None]


class LocalReader:
    """Reads replies. It is built once, and keeps no reply."""

    def __init__(
        self,
        *,
        folding: Folding,
        full_folding: Folding,
        fixed_words: FixedWords,
        quotes: Quotes,
        days: PromisedDayReader,
        brakes: Brakes,
        weights: ReplyWeights,
    ) -> None:
        self._folding = folding
        self._full_folding = full_folding
        self._fixed_words = fixed_words
        self._quotes = quotes
        self._days = days
        self._brakes = brakes
        self._weights = weights

    def parse(
        self,
        text: str,
        *,
        said_on: date,
        phone_country: str,
        our_texts: Sequence[str] = (),
        customer_name: str = "",
    ) -> ParsedReply:
        """
        Return the reading of a reply.

        `said_on` is the local day of the reply, `phone_country` the country of its number. `our_texts` are the texts
        that the number got lately, which the reply may quote. `customer_name` is not needed here.
        """
        del customer_name
        text, is_cut = _without_excess(text)
        words = words_of(text, self._folding)
        hidden = self._quotes.hidden(words, clauses_of(words), [self._cut(ours) for ours in our_texts])
        if hidden:
            words = without(words, hidden)
            text = _text_left(words)
        clauses = clauses_of(words)
        reading = [word.text for word in words]
        tails = self._fixed_words.account_digits(words, reading, clauses)
        named = {reading[found.read[0]] for found in tails}
        digits = named.pop() if len(named) == 1 else ""
        fixed = self._fixed_words.of_whole_reply(text, reading, tails, phone_country)
        if fixed and not is_cut:
            intents = (fixed.intent,)
            return ParsedReply(
                intents, digits=digits, guess=intents, by_fixed_word=True, why=(f"fixed word: {fixed.id}",)
            )
        features = features_of(folded_for_features(text, self._full_folding))
        if not features:
            return ParsedReply(guess=(ReplyIntent.CHAT,))
        known = known_features(self._weights, features)
        probabilities = estimate(self._weights, known)
        guess = self._guess(probabilities)
        sure, likely = self._bands(probabilities, guess)
        doubted = self._doubted(sure, features, known, text, reading)
        if hidden or is_cut:
            doubted |= STANDING_ALONE | {ReplyIntent.OPT_IN}
        if hidden and not our_texts:
            # A text of ours is quoted that is not known word for word: its values are left, and may mislead.
            doubted |= set(sure)
        added = self._likely_by_phrases(reading) - set(sure)
        doubted |= self._doubted_by_phrases(reading, sure, {*likely, *added})
        likely = (*likely, *added)
        if ReplyIntent.DISTRESS in added:
            guess = in_order({*guess, ReplyIntent.DISTRESS} - STANDING_ALONE)
        sure, likely = in_order(set(sure) - doubted), in_order({*likely, *(doubted & set(sure))})
        stop = self._stop_beside(text, phone_country)
        if stop:
            if hidden and not our_texts:
                guess, likely = (), in_order({ReplyIntent.DISTRESS} & set(likely))
            guess, sure, likely = _with_stop(guess), _with_stop(sure), in_order(set(likely) - {ReplyIntent.OPT_OUT})
        promised_on = None
        if ReplyIntent.PROMISE in {*guess, *likely}:
            # What is quoted has been taken out already.
            promised_on = self._days.promised_day(text, said_on=said_on, phone_country=phone_country)
        if promised_on is None and {ReplyIntent.PAID, ReplyIntent.PROMISE} <= set(sure):
            # "I paid on Friday": without a day to come nothing says that there is a promise, too.
            sure, likely = in_order(set(sure) - {ReplyIntent.PROMISE}), in_order({*likely, ReplyIntent.PROMISE})
        return ParsedReply(
            sure,
            promised_on,
            digits,
            likely,
            guess,
            why=(
                *([f"fixed word: {stop}"] if stop else ()),
                *(["words of self-harm"] if ReplyIntent.DISTRESS in added else ()),
                *[self._why(intent, probabilities[intent], known) for intent in in_order({*guess, *likely})],
            ),
        )

    def _doubted(
        self,
        sure: Collection[ReplyIntent],
        features: set[str],
        known: Mapping[str, int],
        text: str,
        reading: Sequence[str],
    ) -> set[ReplyIntent]:
        """Return the sure intents that are only likely after all."""
        if len(known) < _FEWEST_KNOWN * len(features):
            return set(sure)
        doubted = {intent for intent in sure if not is_said_in_words(self._weights, known, intent)}
        if self._fixed_words.of_whole_reply(text, reading, (), ANYWHERE):
            doubted |= set(sure) & FINAL_INTENTS  # a fixed word, but of another country
        return doubted

    def _likely_by_phrases(self, reading: Sequence[str]) -> set[ReplyIntent]:
        """Return the intents that are likely because of a phrase, whatever the model says."""
        likely = set()
        if _holds(self._brakes.alone_please, reading):
            likely.add(ReplyIntent.OPT_OUT)
        if _holds(self._brakes.crisis, reading):
            likely.add(ReplyIntent.DISTRESS)
        return likely

    def _doubted_by_phrases(
        self, reading: Sequence[str], sure: Collection[ReplyIntent], likely: Collection[ReplyIntent]
    ) -> set[ReplyIntent]:
        """Return the intents that are not sure because of a phrase, or of what else the reply may say."""
        doubted: set[ReplyIntent] = set()
        if likely:
            doubted |= STANDING_ALONE
        if _holds(self._brakes.denials, reading):
            doubted.add(ReplyIntent.OPT_IN)
        if len(sure) > 1 or likely or _holds(self._brakes.conditions, reading):
            doubted.add(ReplyIntent.REFUSAL)  # it ends contact in some places: nothing else may be meant
        return doubted

    def _stop_beside(self, text: str, phone_country: str) -> str:
        """Return the id of the fixed word that opts out beside other words: on a line of its own, or with a name."""
        for line in text.split("\n"):
            word = self._fixed_words.of_whole_reply(line, self._cut(line), (), phone_country)
            if word and word.intent is ReplyIntent.OPT_OUT:
                return word.id
        return self._fixed_words.with_name(text, self._cut(text))

    def _guess(self, probabilities: Mapping[ReplyIntent, float]) -> tuple[ReplyIntent, ...]:
        """Return the best guess at all intents: at least one, and those that stand alone only alone."""
        thresholds = self._weights.thresholds
        chosen = {intent for intent, probability in probabilities.items() if probability >= thresholds[intent].guess}
        best = max(probabilities, key=lambda intent: probabilities[intent] / thresholds[intent].guess)
        return in_order(chosen - STANDING_ALONE or {best})

    def _bands(
        self, probabilities: Mapping[ReplyIntent, float], guess: Sequence[ReplyIntent]
    ) -> tuple[tuple[ReplyIntent, ...], tuple[ReplyIntent, ...]]:
        """Return the sure intents and the likely ones."""
        thresholds = self._weights.thresholds
        sure = {intent for intent in guess if probabilities[intent] >= thresholds[intent].sure}
        likely = sure | {
            intent for intent, probability in probabilities.items() if probability >= thresholds[intent].likely
        }
        if is_payment_or_promise(probabilities, guess):
            likely |= {ReplyIntent.PAID, ReplyIntent.PROMISE}
            sure.discard(ReplyIntent.PROMISE)
        if may_want_no_texts(probabilities):
            sure.discard(ReplyIntent.OPT_IN)
        if ReplyIntent.DECEASED in likely - sure:
            likely.add(ReplyIntent.DISTRESS)  # somebody has died, the customer or somebody of the customer's
        if may_ask_for_something(probabilities):
            sure -= QUIET_INTENTS
        return in_order(sure), in_order(likely - sure)

    def _why(self, intent: ReplyIntent, probability: float, known: Mapping[str, int]) -> str:
        decisive = decisive_words(self._weights, known, intent)
        return f"{intent} {probability:.2f}" + (f": {', '.join(decisive)}" if decisive else "")

    def _cut(self, text: str) -> tuple[str, ...]:
        return tuple([word.text for word in words_of(text, self._folding)])


def is_payment_or_promise(probabilities: Mapping[ReplyIntent, float], guess: Sequence[ReplyIntent]) -> bool:
    """Tell whether a promise may be a payment already made: a reminder after a payment is the worst of errors."""
    return (
        ReplyIntent.PROMISE in guess
        and ReplyIntent.PAID not in guess
        and probabilities[ReplyIntent.PAID] >= _PAID_AFTER_ALL
    )


def may_want_no_texts(probabilities: Mapping[ReplyIntent, float]) -> bool:
    """Tell whether a wish for more texts may be one for none."""
    return probabilities[ReplyIntent.OPT_OUT] >= _MAY_STOP


def may_ask_for_something(probabilities: Mapping[ReplyIntent, float]) -> bool:
    """Tell whether a reply that seems to ask for nothing may ask for something after all."""
    return any(probability >= _MAY_ASK for intent, probability in probabilities.items() if intent not in QUIET_INTENTS)


def _holds(phrases: PhraseMatcher[None], reading: Sequence[str]) -> bool:
    return any(phrases.within(reading, 0, len(reading)))


def _with_stop(intents: Collection[ReplyIntent]) -> tuple[ReplyIntent, ...]:
    """Return intents with an opt-out: without an opt-in, and without those that stand alone."""
    return in_order({*intents, ReplyIntent.OPT_OUT} - STANDING_ALONE - {ReplyIntent.OPT_IN})


def _without_excess(text: str) -> tuple[str, bool]:
    """Return a text short enough to be read, and whether it was cut. The end is kept: people add what matters."""
    start = _shortened(text, _LONGEST_EVER)
    tidy = _BLANK_LINES.sub("\n", _BLANKS.sub(" ", start))
    short = _shortened(tidy, LONGEST_READ)
    return short, (start, short) != (text, tidy)


def _shortened(text: str, longest: int) -> str:
    """Return a text without its middle if it is too long. What is left of it is just as long as a text may be."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - _END_READ - 1]}\n{text[-_END_READ:]}"


def _text_left(words: Sequence[Word]) -> str:
    """Return what is left of a text: its words as they stood, each line on its own."""
    parts: list[str] = []
    clause = 0
    for word in words:
        starts_line = word.clause != clause and not word.before.strip(" >")
        parts += ["\n" if starts_line else word.before, word.text]
        clause = word.clause
    return "".join(parts).strip()
