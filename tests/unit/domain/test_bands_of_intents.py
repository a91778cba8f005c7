"""
What the local reader makes of given probabilities and words: what is sure, what only likely, what is guessed, and why.

The model is a stub, and the words are few. So each rule decides by itself, as it does not with the trained model.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import override

import pytest

from dunning.domain.replies import local_reader
from dunning.domain.replies.features import features_of
from dunning.domain.replies.fixed_words import FixedWord, FixedWords
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.local_reader import Brakes, LocalReader
from dunning.domain.replies.phrases import Pattern, PhraseMatcher, Vocabulary, compiled
from dunning.domain.replies.promised_days import PromisedDayReader
from dunning.domain.replies.quotes import Quotes
from dunning.domain.replies.weights import BIAS, ReplyWeights, Thresholds, feature_hash, naming_byte
from dunning.domain.texts.lint.folding import Characters, Folding

FOLDING = Folding(Characters({}, {}))
TUESDAY = date(2026, 12, 1)
INTENTS = tuple(ReplyIntent)
QUIET = {ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY}
THRESHOLDS = dict.fromkeys(INTENTS, Thresholds(sure=0.9, likely=0.3, guess=0.5)) | {
    ReplyIntent.CHAT: Thresholds(sure=0.9, likely=0.3, guess=0.8)
}
QUOTATION = "pay in our app"
THEIR_TEXT = "your parcel with five loaves has come"


class EveryFeature(Mapping[int, int]):
    """The rows of a reader that knows every feature."""

    @override
    def __getitem__(self, key: int) -> int:
        return 0

    @override
    def __iter__(self) -> Iterator[int]:
        return iter(())

    @override
    def __len__(self) -> int:
        return 0


class TomorrowOnly(PromisedDayReader):
    """Knows one day, and keeps the texts that it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @override
    def promised_day(
        self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = ()
    ) -> date | None:
        self.texts.append(text)
        return said_on + timedelta(1) if "tomorrow" in text and phone_country else None


def patterns(*written: str) -> tuple[Pattern, ...]:
    return tuple(compiled(pattern, FOLDING, Vocabulary({}, {}, {})) for pattern in written)


def phrases(*written: str) -> PhraseMatcher[None]:
    return PhraseMatcher([(pattern, None) for pattern in patterns(*written)])


FIXED_WORDS = FixedWords(
    [
        FixedWord("stop", ReplyIntent.OPT_OUT, alone=patterns("stop"), heads=(("stop",),)),
        FixedWord("start", ReplyIntent.OPT_IN, alone=patterns("start")),
        FixedWord("td", ReplyIntent.OPT_OUT, alone=patterns("td"), countries=frozenset({"CN"})),
        FixedWord("gone", ReplyIntent.WRONG_PERSON, alone=patterns("gone"), countries=frozenset({"TW"})),
    ],
    polite=patterns("please"),
    tails=patterns("account {tail}"),
    units=frozenset(),
)
BRAKES = Brakes(
    crisis=phrases("want to die"),
    denials=phrases("never"),
    alone_please=phrases("leave me alone"),
    conditions=phrases("before|until"),
)


def weights(known: Sequence[str] | None = None, *, may_be_named: Sequence[str] = ()) -> ReplyWeights:
    """Return weights that know some features, or all. Every feature speaks for every intent."""
    row = bytes([BIAS + 1] * len(INTENTS) + [2])
    table = b"".join(row + bytes([naming_byte(name) if name in may_be_named else 0]) for name in known or [""])
    rows = EveryFeature() if known is None else {feature_hash(name): 19 * at for at, name in enumerate(known)}
    zeros = (0.0,) * len(INTENTS)
    return ReplyWeights(INTENTS, rows, table, zeros, zeros, zeros, zeros, THRESHOLDS)


class Desk:
    """Reads replies for which the model gives the probabilities that a test names; all others are zero."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.days = TomorrowOnly()

    def read(
        self,
        text: str,
        probabilities: Mapping[str, float],
        *,
        country: str = "US",
        our_texts: Sequence[str] = (),
        model: ReplyWeights | None = None,
    ) -> ParsedReply:
        estimated = {intent: probabilities.get(intent, 0.0) for intent in INTENTS}
        self._patch.setattr(local_reader, "estimate", lambda *_: estimated)
        reader = LocalReader(
            folding=FOLDING,
            full_folding=FOLDING,
            fixed_words=FIXED_WORDS,
            quotes=Quotes([tuple(QUOTATION.split())], phrases("text stop")),
            days=self.days,
            brakes=BRAKES,
            weights=model or weights(),
        )
        return reader.parse(text, said_on=TUESDAY, phone_country=country, our_texts=our_texts)

    def text_of(self, written: str, *, our_texts: Sequence[str] = ()) -> str:
        """Return the text of a reply as its day is read from it: without quotations, and short enough."""
        self.read(written, {"promise": 0.95}, our_texts=our_texts)
        return self.days.texts[-1]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def reading(parsed: ParsedReply) -> tuple[str, str, str]:
    """Return what is sure, likely and guessed, each as words with blanks between."""
    return " ".join(parsed.sure), " ".join(parsed.likely), " ".join(parsed.guess)


def test_a_fixed_word_alone_is_sure_and_the_model_is_not_asked(desk: Desk) -> None:
    assert desk.read("please STOP account 5678", {"chat": 0.99}) == ParsedReply(
        (ReplyIntent.OPT_OUT,),
        digits="5678",
        guess=(ReplyIntent.OPT_OUT,),
        by_fixed_word=True,
        why=("fixed word: stop",),
    )


@pytest.mark.parametrize("text", ["", " \n ", QUOTATION])
def test_a_reply_that_says_nothing_is_guessed_to_be_chat_and_nothing_is_likely(desk: Desk, text: str) -> None:
    assert desk.read(text, {"opt_out": 0.95}) == ParsedReply(guess=(ReplyIntent.CHAT,))


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        # From its threshold on, an intent is sure, likely, or part of the guess.
        ({"paid": 0.9}, ("paid", "", "paid")),
        ({"paid": 0.89}, ("", "paid", "paid")),
        ({"paid": 0.9, "question": 0.5}, ("paid", "question", "paid question")),
        ({"paid": 0.9, "question": 0.49}, ("paid", "question", "paid")),
        ({"paid": 0.9, "question": 0.3}, ("paid", "question", "paid")),
        ({"paid": 0.9, "question": 0.29}, ("paid", "", "paid")),
        # Something is guessed in any case: what comes nearest to its own threshold.
        ({"paid": 0.2, "question": 0.1}, ("", "", "paid")),
        ({"paid": 0.4, "chat": 0.5}, ("", "paid chat", "paid")),
        # What asks for nothing is guessed only alone, and then the nearest.
        ({"paid": 0.5, "chat": 0.95}, ("", "paid chat", "paid")),
        ({"acknowledged": 0.6, "chat": 0.85}, ("", "acknowledged chat", "acknowledged")),
        # A promise is not acted on where it may be a payment; a payment beside it is no doubt of it.
        ({"promise": 0.95, "paid": 0.1}, ("", "paid promise", "promise")),
        ({"promise": 0.95, "paid": 0.09}, ("promise", "", "promise")),
        ({"promise": 0.2, "paid": 0.1}, ("", "paid promise", "promise")),
        ({"promise": 0.95, "paid": 0.6}, ("promise", "paid", "paid promise")),
        ({"hardship": 0.95, "paid": 0.1}, ("hardship", "", "hardship")),
        # No wish for more texts is sure where it may be an opt-out.
        ({"opt_in": 0.95, "opt_out": 0.05}, ("", "opt_in", "opt_in")),
        ({"opt_in": 0.95, "opt_out": 0.04}, ("opt_in", "", "opt_in")),
        # Where somebody may have died, somebody may be in distress.
        ({"deceased": 0.3, "paid": 0.9}, ("paid", "deceased distress", "paid")),
        ({"deceased": 0.29, "paid": 0.9}, ("paid", "", "paid")),
        ({"deceased": 0.95}, ("deceased", "", "deceased")),
        # A reply is surely quiet only if it asks for nothing else.
        ({"acknowledged": 0.95, "question": 0.08}, ("", "acknowledged", "acknowledged")),
        ({"acknowledged": 0.95, "question": 0.07}, ("acknowledged", "", "acknowledged")),
        ({"auto_reply": 0.95, "chat": 0.08}, ("", "auto_reply", "auto_reply")),
        ({"auto_reply": 0.95, "acknowledged": 0.29}, ("auto_reply", "", "auto_reply")),
        ({"chat": 0.95, "question": 0.29}, ("chat", "", "chat")),
        # Nor is chat, or a refusal, sure where something else is likely; a refusal has to be the only sure intent, too.
        ({"chat": 0.95, "question": 0.3}, ("", "question chat", "chat")),
        ({"refusal": 0.95, "question": 0.29}, ("refusal", "", "refusal")),
        ({"refusal": 0.95, "question": 0.3}, ("", "refusal question", "refusal")),
        ({"refusal": 0.95, "dispute": 0.95}, ("dispute", "refusal", "dispute refusal")),
    ],
)  # fmt: skip
def test_the_band_of_an_intent_follows_from_its_probability_and_from_what_else_may_be_meant(
    desk: Desk, probabilities: dict[str, float], expected: tuple[str, str, str]
) -> None:
    assert reading(desk.read("hello there", probabilities)) == expected


@pytest.mark.parametrize(
    ("text", "probabilities", "expected"),
    [
        # It may mean the texts.
        ("leave me alone", {"paid": 0.95}, ("paid", "opt_out", "paid")),
        ("leave me alone", {"opt_out": 0.95}, ("opt_out", "", "opt_out")),
        ("leave me alone", {"chat": 0.95}, ("", "opt_out chat", "chat")),
        ("leave me alone", {"refusal": 0.95}, ("", "opt_out refusal", "refusal")),
        # Distress is heard, and is nothing beside which a reply is idle.
        ("want to die", {"paid": 0.95}, ("paid", "distress", "paid distress")),
        ("i want to die", {"chat": 0.95}, ("", "distress chat", "distress")),
        ("want to die", {"distress": 0.95}, ("distress", "", "distress")),
        ("to die they want", {"chat": 0.95}, ("chat", "", "chat")),
        ("to die i want", {"chat": 0.95}, ("chat", "", "chat")),
        # "Never text me again" looks like "text me again".
        ("never again", {"opt_in": 0.95, "paid": 0.95}, ("paid", "opt_in", "opt_in paid")),
        # "Not before the 10th" is no refusal.
        ("not before monday", {"refusal": 0.95}, ("", "refusal", "refusal")),
        ("not before monday", {"hardship": 0.95}, ("hardship", "", "hardship")),
    ],
)
def test_a_phrase_makes_a_reading_more_careful_whatever_the_model_says(
    desk: Desk, text: str, probabilities: dict[str, float], expected: tuple[str, str, str]
) -> None:
    assert reading(desk.read(text, probabilities)) == expected


def band_alone(desk: Desk, intent: ReplyIntent, text: str, country: str = "US", our_texts: Sequence[str] = ()) -> str:
    """Return the band of an intent that the model is sure of, and of no other."""
    return str(desk.read(text, {intent: 0.95}, country=country, our_texts=our_texts).band(intent))


each_intent = pytest.mark.parametrize("intent", INTENTS)


@each_intent
def test_it_is_sure_where_nothing_else_is_said(desk: Desk, intent: ReplyIntent) -> None:
    assert band_alone(desk, intent, "hello there") == "sure"
    assert band_alone(desk, intent, "hello there", our_texts=[THEIR_TEXT]) == "sure"


@each_intent
def test_beside_a_text_of_ours_that_is_not_known_word_for_word_nothing_is_sure(desk: Desk, intent: ReplyIntent) -> None:
    assert band_alone(desk, intent, f"hello there {QUOTATION}") == "likely"


@each_intent
@pytest.mark.parametrize("text", [f"hello there\n{THEIR_TEXT}", "hello there " * 100])
def test_beside_a_text_of_ours_and_in_a_reply_that_was_cut_neither_idleness_nor_an_opt_in_is_sure(
    desk: Desk, intent: ReplyIntent, text: str
) -> None:
    careful = {*QUIET, ReplyIntent.CHAT, ReplyIntent.OPT_IN}
    assert band_alone(desk, intent, text, our_texts=[THEIR_TEXT]) == ("likely" if intent in careful else "sure")


@each_intent
def test_a_fixed_word_of_another_country_does_not_surely_end_contact(desk: Desk, intent: ReplyIntent) -> None:
    ends_contact = intent in {"opt_out", "wrong_person", "deceased", "represented"}
    assert band_alone(desk, intent, "td") == ("likely" if ends_contact else "sure")


@pytest.mark.parametrize("country", ["TW", "US"])
def test_a_fixed_word_repeated_without_end_does_not_surely_end_contact(desk: Desk, country: str) -> None:
    assert band_alone(desk, ReplyIntent.WRONG_PERSON, "gone " * 300, country) == "likely"


def test_nothing_is_sure_if_the_reader_knows_less_than_a_quarter_of_the_features(desk: Desk) -> None:
    features = sorted(features_of("a?"), reverse=True)  # words first
    assert len(features) == 16
    assert reading(desk.read("a?", {"paid": 0.95}, model=weights(features[:4]))) == ("paid", "", "paid")
    assert reading(desk.read("a?", {"paid": 0.95}, model=weights(features[:3]))) == ("", "paid", "paid")


def test_nothing_is_sure_by_parts_of_words_alone(desk: Desk) -> None:
    parts = [feature for feature in features_of("hello") if feature.startswith("c:")]
    assert reading(desk.read("hello", {"paid": 0.95}, model=weights(parts))) == ("", "paid", "paid")
    assert reading(desk.read("hello", {"paid": 0.95}, model=weights([*parts, "w:hello"]))) == ("paid", "", "paid")


@pytest.mark.parametrize(
    ("text", "probabilities", "expected"),
    [
        ("hello", {"promise": 0.95}, ("promise", "", None)),
        ("tomorrow", {"promise": 0.95}, ("promise", "", TUESDAY + timedelta(1))),
        ("tomorrow", {"promise": 0.3, "question": 0.95}, ("question", "promise", TUESDAY + timedelta(1))),
        ("tomorrow", {"promise": 0.29, "question": 0.95}, ("question", "", None)),
        # "I paid on Friday": without a day to come, there is no sure promise beside a payment.
        ("tomorrow", {"promise": 0.95, "paid": 0.95}, ("paid promise", "", TUESDAY + timedelta(1))),
        ("hello", {"promise": 0.95, "paid": 0.95}, ("paid", "promise", None)),
        ("hello", {"promise": 0.95, "paid": 0.95, "question": 0.4}, ("paid", "promise question", None)),
        ("hello", {"promise": 0.95, "dispute": 0.95}, ("promise dispute", "", None)),
        ("hello", {"paid": 0.95, "dispute": 0.95}, ("paid dispute", "", None)),
    ],
)
def test_a_day_is_read_for_a_promise_alone_and_tells_it_from_a_payment(
    desk: Desk, text: str, probabilities: dict[str, float], expected: tuple[str, str, date | None]
) -> None:
    parsed = desk.read(text, probabilities)
    assert (" ".join(parsed.sure), " ".join(parsed.likely), parsed.promised_on) == expected


@pytest.mark.parametrize(
    ("text", "our_texts", "probabilities", "expected"),
    [
        ("hello\nSTOP", [], {"paid": 0.95}, ("opt_out paid", "", "opt_out paid")),
        ("STOP John Smith", [], {"paid": 0.95}, ("opt_out paid", "", "opt_out paid")),
        ("hello STOP", [], {"paid": 0.95}, ("paid", "", "paid")),
        ("hello\nstart", [], {"paid": 0.95}, ("paid", "", "paid")),
        ("hello\n!\nstart\ntd", [], {"paid": 0.95}, ("paid", "", "paid")),
        # It beats a wish for more texts and what asks for nothing, and is not likely besides.
        ("hello\nSTOP", [], {"opt_in": 0.95, "opt_out": 0.04}, ("opt_out", "", "opt_out")),
        ("hello\nSTOP", [], {"chat": 0.95}, ("opt_out", "", "opt_out")),
        ("hello\nSTOP", [], {"opt_out": 0.4, "question": 0.4}, ("opt_out", "question", "opt_out")),
        # Beside a quotation it counts; what may come from a quotation not known does not, except distress.
        (
            f"hello\nSTOP\n{QUOTATION}", [], {"paid": 0.95, "distress": 0.4, "question": 0.4},
            ("opt_out", "distress", "opt_out"),
        ),
        (f"hello\nSTOP\n{QUOTATION}", [], {"paid": 0.95}, ("opt_out", "", "opt_out")),
        (
            f"hello\nSTOP\n{THEIR_TEXT}", [THEIR_TEXT], {"paid": 0.95, "distress": 0.4, "question": 0.4},
            ("opt_out paid", "distress question", "opt_out paid"),
        ),
        (f"hello {QUOTATION} STOP", [], {"paid": 0.95}, ("opt_out", "", "opt_out")),
    ],
)  # fmt: skip
def test_a_stop_on_a_line_of_its_own_or_with_a_name_is_sure_beside_what_else_is_said(
    desk: Desk, text: str, our_texts: list[str], probabilities: dict[str, float], expected: tuple[str, str, str]
) -> None:
    assert reading(desk.read(text, probabilities, our_texts=our_texts)) == expected


def test_a_stop_on_a_line_of_its_own_counts_in_its_country(desk: Desk) -> None:
    assert reading(desk.read("hello\ntd", {"paid": 0.95}, country="CN")) == ("opt_out paid", "", "opt_out paid")


def test_the_reasons_are_fixed_words_then_self_harm_then_each_intent_with_its_probability(desk: Desk) -> None:
    assert desk.read("want to die\nSTOP", {"paid": 0.954, "question": 0.35}).why == (
        "fixed word: stop",
        "words of self-harm",
        "opt_out 0.00",
        "paid 0.95",
        "distress 0.00",
        "question 0.35",
    )
    assert desk.read("hello", {"paid": 0.95}).why == ("paid 0.95",)


def test_the_reason_of_an_intent_names_its_decisive_words_that_may_be_named(desk: Desk) -> None:
    model = weights(sorted(features_of("i paid ann")), may_be_named=["w:paid", "w:i"])
    assert desk.read("i paid ann", {"paid": 0.95}, model=model).why == ("paid 0.95: i, paid",)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("hello account 5678", "5678"),
        ("hello account 5678 and account 5678", "5678"),
        ("hello account 5678 and account 1234", ""),
        ("hello 5678", ""),
    ],
)
def test_a_reply_names_an_account_by_its_digits_or_none(desk: Desk, text: str, digits: str) -> None:
    assert desk.read(text, {"paid": 0.95}).digits == digits


NUMBERED = " ".join(f"{number:04}" for number in range(6000))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (NUMBERED[:1000], NUMBERED[:1000]),
        (NUMBERED[:1001], f"{NUMBERED[:699]}\n{NUMBERED[701:1001]}"),
        (NUMBERED[:20_000], f"{NUMBERED[:699]}\n{NUMBERED[19_700:20_000]}"),
        (NUMBERED, f"{NUMBERED[:699]}\n\n{NUMBERED[-299:]}"),
        ("a  \t b \n \n\r\n c", "a b\nc"),
    ],
    ids=["all of it", "too long", "very long", "longer than is looked at", "blanks"],
)
def test_a_long_reply_is_read_at_its_beginning_and_at_its_end(desk: Desk, written: str, expected: str) -> None:
    assert desk.text_of(written) == expected


def test_the_very_last_character_of_a_long_reply_is_read(desk: Desk) -> None:
    parsed = desk.read(f"{NUMBERED[:1500]} x", {"paid": 0.95}, model=weights(["w:x"], may_be_named=["w:x"]))
    assert parsed.why == ("paid 0.95: x",)


def test_a_fixed_word_that_a_cut_leaves_is_not_the_whole_reply(desk: Desk) -> None:
    parsed = desk.read("STOP " * 300, {"paid": 0.95})
    assert not parsed.by_fixed_word
    assert reading(parsed) == ("opt_out paid", "", "opt_out paid")


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Well, hello there?! 🔪", "Well, hello there?! 🔪"),
        (f"hello there\n{QUOTATION}\nhow are you", "hello there\nhow are you"),
        (f"hello, friend\n> {QUOTATION}\n> and you", "hello, friend\nand you"),
        (f"hello {QUOTATION} there", "hello\nthere"),
        (f"hello {QUOTATION}, there", "hello, there"),
        (f"> hello\n> {QUOTATION}", "hello"),
        (f"{QUOTATION}\n so long", "so long"),
    ],
)
def test_a_quotation_is_left_out_and_the_lines_around_it_stay_as_they_were(desk: Desk, written: str, left: str) -> None:
    assert desk.text_of(written) == left


def test_a_text_that_a_number_got_is_left_out_and_is_read_otherwise(desk: Desk) -> None:
    assert desk.text_of(f"hello\n{THEIR_TEXT}", our_texts=["another text", THEIR_TEXT]) == "hello"
    assert desk.text_of(f"hello\n{THEIR_TEXT}") == f"hello\n{THEIR_TEXT}"
