"""What the reader makes of probabilities, phrases and quotations, rule by rule: with a small language, and no model."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from math import log
from typing import override

import pytest

from dunning.domain.replies.dates import DateKind, FigureOrder
from dunning.domain.replies.features import LONGEST_READ, features_of
from dunning.domain.replies.fixed_words import FixedWord, FixedWords
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.local_reader import (
    Brakes,
    LocalReader,
    is_payment_or_promise,
    may_ask_for_something,
    may_want_no_texts,
)
from dunning.domain.replies.phrases import Pattern, PhraseMatcher, Vocabulary, compiled
from dunning.domain.replies.promised_days import DayPhrase, PromisedDayReader, PromisedDayWords
from dunning.domain.replies.quotes import Quotes
from dunning.domain.replies.weights import BIAS, ReplyWeights, Thresholds, estimate, feature_hash, naming_byte
from dunning.domain.texts.lint.folding import Characters, Folding

OPT_OUT, OPT_IN, PAID, PROMISE = ReplyIntent.OPT_OUT, ReplyIntent.OPT_IN, ReplyIntent.PAID, ReplyIntent.PROMISE
HARDSHIP, DISPUTE, REFUSAL, DECEASED = (
    ReplyIntent.HARDSHIP, ReplyIntent.DISPUTE, ReplyIntent.REFUSAL, ReplyIntent.DECEASED,
)  # fmt: skip
DISTRESS, OK, AWAY, CHAT = ReplyIntent.DISTRESS, ReplyIntent.ACKNOWLEDGED, ReplyIntent.AUTO_REPLY, ReplyIntent.CHAT

TUESDAY, FRIDAY = date(2026, 12, 1), date(2026, 12, 4)
CHARACTERS = Characters({}, {})
FOLDING = Folding(CHARACTERS)
BARELY, LIKELY, SURE = 0.01, 0.4, 0.95
"""Probabilities: below every threshold, between those of likely and of the guess, and above that of sure."""
THRESHOLDS = Thresholds(sure=0.9, likely=0.3, guess=0.5)
OURS = "your instalment falls due on monday in the app"


def pattern(text: str) -> Pattern:
    return compiled(text, FOLDING, Vocabulary({}, {}, {}))


def phrases(*written: str) -> PhraseMatcher[None]:
    return PhraseMatcher([(pattern(text), None) for text in written])


FIXED_WORDS = FixedWords(
    [
        FixedWord("stop", OPT_OUT, alone=(pattern("stop"),), heads=(("stop",),)),
        FixedWord("start", OPT_IN, bare=(pattern("start"),)),
        FixedWord("mainland", OPT_OUT, bare=(pattern("td"),), countries=frozenset({"CN"})),
    ],
    (pattern("please"),),
    (pattern("card {tail}"),),
    frozenset({"euros"}),
)
QUOTES = Quotes([tuple(OURS.split())], phrases("reply stop to end"))
DAYS = PromisedDayReader(
    PromisedDayWords(
        phrases=[(pattern("friday"), DayPhrase(DateKind.WEEKDAY, (4,)))],
        roles=[],
        orders={"": FigureOrder(frozenset(), frozenset())},
        small={},
        on=frozenset(),
        instructions=[],
        ours=[],
    ),
    CHARACTERS,
)
BRAKES = Brakes(
    crisis=phrases("die"),
    denials=phrases("never"),
    alone_please=phrases("leave me", "{start} off"),
    conditions=phrases("until"),
)


class EveryFeature(dict[int, int]):
    """Rows in which each feature is known, with the one row there is."""

    @override
    def get(self, key: int, default: object = None) -> int:
        return 0


def weights_of(
    probabilities: Mapping[ReplyIntent, float],
    thresholds: Mapping[ReplyIntent, Thresholds],
    in_words: Collection[ReplyIntent],
    rows: Sequence[str] | None,
) -> ReplyWeights:
    """Return weights that find each intent as probable as given. Words speak for those `in_words`, and for no other."""
    named = [0] if rows is None else [naming_byte(feature) for feature in rows]
    row = bytes([BIAS + (intent in in_words) for intent in ReplyIntent])
    width = len(row) + 2
    count = len(ReplyIntent)
    shown = [probabilities.get(intent, BARELY) for intent in ReplyIntent]
    return ReplyWeights(
        intents=tuple(ReplyIntent),
        rows=EveryFeature() if rows is None else {feature_hash(feature): at * width for at, feature in enumerate(rows)},
        table=b"".join(row + bytes([0, name]) for name in named),
        units=[1.0] * count,
        offsets=[0.0] * count,
        slopes=[0.0] * count,
        shifts=[log(probability / (1 - probability)) for probability in shown],
        thresholds={intent: thresholds.get(intent, THRESHOLDS) for intent in ReplyIntent},
    )


EVERYTHING = frozenset(ReplyIntent)


def read(
    text: str = "words",
    probabilities: Mapping[ReplyIntent, float] | None = None,
    *,
    thresholds: Mapping[ReplyIntent, Thresholds] | None = None,
    in_words: Collection[ReplyIntent] = EVERYTHING,
    rows: Sequence[str] | None = None,
    country: str = "TW",
    our_texts: Sequence[str] = (),
) -> ParsedReply:
    """Read a reply whose intents are as probable as is said, in words or not."""
    reader = LocalReader(
        folding=FOLDING,
        full_folding=FOLDING,
        fixed_words=FIXED_WORDS,
        quotes=QUOTES,
        days=DAYS,
        brakes=BRAKES,
        weights=weights_of(probabilities or {}, thresholds or {}, in_words, rows),
    )
    return reader.parse(text, said_on=TUESDAY, phone_country=country, our_texts=our_texts)


class TestFixedWords:
    """They decide alone."""

    def test_a_fixed_word_is_sure_and_nothing_else_is_read(self) -> None:
        assert read("stop card 5678", {PAID: SURE, DISTRESS: LIKELY}) == ParsedReply(
            sure=(OPT_OUT,), digits="5678", guess=(OPT_OUT,), by_fixed_word=True, why=("fixed word: stop",)
        )

    def test_of_two_accounts_neither_is_named(self) -> None:
        assert read("stop card 5678 card 5678").digits == "5678"
        assert read("stop card 5678 card 1234").digits == ""
        assert read("stop").digits == ""

    def test_beside_a_quotation_it_is_one_as_well(self) -> None:
        assert read(f"stop 98765\n> {OURS}").by_fixed_word
        assert read("stop\nreply stop to end").by_fixed_word

    def test_in_a_reply_that_was_cut_it_is_none(self) -> None:
        assert read("stop " * 200).by_fixed_word
        cut = read("stop " * 300, {HARDSHIP: SURE})
        assert not cut.by_fixed_word
        assert cut.sure == (OPT_OUT, HARDSHIP)

    @pytest.mark.parametrize("intent", [OPT_OUT, DECEASED, ReplyIntent.WRONG_PERSON, ReplyIntent.REPRESENTED])
    def test_of_another_country_it_leaves_the_end_of_contact_in_doubt(self, intent: ReplyIntent) -> None:
        parsed = read("td", {intent: SURE, PAID: SURE})
        assert (parsed.sure, parsed.likely) == ((PAID,), (intent,))
        assert set(read("words", {intent: SURE, PAID: SURE}).sure) == {intent, PAID}
        assert read("td", country="CN").by_fixed_word

    @pytest.mark.parametrize(
        ("text", "stops"),
        [
            ("stop\nit is paid", True),
            ("it is paid\nstop please\nthanks", True),
            ("it is paid\n\nstop", True),
            ("start\nit is paid", False),
            ("td\nit is paid", False),
            ("stop it\nit is paid", False),
            ("Stop John", True),
            ("it is paid, stop", False),
        ],
    )
    def test_an_opt_out_counts_on_a_line_of_its_own_or_before_a_name(self, text: str, stops: bool) -> None:  # noqa: FBT001 - a column
        parsed = read(text, {PAID: SURE, OPT_IN: SURE, HARDSHIP: LIKELY})
        assert parsed.sure == ((OPT_OUT, PAID) if stops else (OPT_IN, PAID))
        assert parsed.guess == ((OPT_OUT, PAID) if stops else (OPT_IN, PAID))
        assert parsed.likely == (HARDSHIP,)
        assert ("fixed word: stop" in parsed.why) is stops

    def test_an_opt_out_that_is_sure_for_its_line_is_not_likely_as_well(self) -> None:
        assert read("stop\nit is paid", {OPT_OUT: LIKELY}).likely == ()


class TestTheBestGuess:
    """At least one intent; those that stand alone only alone."""

    @pytest.mark.parametrize(
        ("probabilities", "guess"),
        [
            ({PAID: SURE, HARDSHIP: 0.6}, (PAID, HARDSHIP)),
            ({PAID: 0.6, OK: SURE}, (PAID,)),
            ({OK: 0.6, CHAT: SURE}, (CHAT,)),
            ({PAID: LIKELY, HARDSHIP: BARELY}, (PAID,)),
            ({PAID: 0.2, CHAT: LIKELY}, (CHAT,)),
        ],
    )
    def test_it_holds_all_above_their_thresholds_or_the_one_that_is_nearest(
        self, probabilities: dict[ReplyIntent, float], guess: tuple[ReplyIntent, ...]
    ) -> None:
        assert read("words", probabilities).guess == guess

    def test_the_nearest_is_measured_against_its_own_threshold(self) -> None:
        thresholds = {PAID: Thresholds(0.9, 0.9, 0.8)}
        assert read("words", {PAID: 0.4, HARDSHIP: 0.3}, thresholds=thresholds).guess == (HARDSHIP,)
        assert read("words", {PAID: 0.6, HARDSHIP: 0.3}, thresholds=thresholds).guess == (PAID,)

    @pytest.mark.parametrize("text", ["", " ", "\n", "\u200b"])
    def test_without_any_words_it_is_chat(self, text: str) -> None:
        assert read(text, {PAID: SURE}) == ParsedReply(guess=(CHAT,))


class TestBands:
    """What is sure and what is likely."""

    def test_a_probability_at_its_threshold_reaches_it(self) -> None:
        (probability,) = {estimate(weights_of({PAID: 0.7}, {}, (), ()), {})[PAID]}
        above = probability + 1e-9
        assert read("w", {PAID: 0.7}, thresholds={PAID: Thresholds(probability, 0.1, probability)}).sure == (PAID,)
        assert read("w", {PAID: 0.7}, thresholds={PAID: Thresholds(above, probability, 0.1)}).likely == (PAID,)
        assert read("w", {PAID: 0.7}, thresholds={PAID: Thresholds(above, above, 0.1)}).likely == ()
        guessed = {PAID: Thresholds(0.9, 0.1, probability), HARDSHIP: Thresholds(0.9, 0.1, 0.1)}
        assert read("w", {PAID: 0.7, HARDSHIP: 0.2}, thresholds=guessed).guess == (PAID, HARDSHIP)

    def test_only_what_is_guessed_is_sure(self) -> None:
        thresholds = {PAID: Thresholds(sure=0.3, likely=0.2, guess=0.5)}
        parsed = read("words", {PAID: LIKELY, HARDSHIP: SURE}, thresholds=thresholds)
        assert (parsed.sure, parsed.likely) == ((HARDSHIP,), (PAID,))

    def test_what_is_sure_is_not_likely_as_well(self) -> None:
        parsed = read("words", {PAID: SURE, HARDSHIP: LIKELY, DISPUTE: 0.2})
        assert (parsed.sure, parsed.likely) == ((PAID,), (HARDSHIP,))

    @pytest.mark.parametrize("other", [OPT_OUT, HARDSHIP])
    def test_a_promise_that_may_be_a_payment_is_likely_to_be_either_and_touches_nothing_else(
        self, other: ReplyIntent
    ) -> None:
        parsed = read("words", {PROMISE: SURE, PAID: 0.11, other: SURE})
        assert (parsed.sure, parsed.likely) == ((other,), (PAID, PROMISE))
        assert read("words", {PROMISE: SURE, PAID: 0.09}).sure == (PROMISE,)
        assert read("words", {PROMISE: 0.2, PAID: 0.11}).likely == (PAID, PROMISE)

    def test_no_wish_for_texts_is_sure_where_one_for_none_may_be_meant(self) -> None:
        assert read("words", {OPT_IN: SURE, OPT_OUT: 0.049}).sure == (OPT_IN,)
        parsed = read("words", {OPT_IN: SURE, OPT_OUT: 0.051})
        assert (parsed.sure, parsed.likely) == ((), (OPT_IN,))

    def test_where_the_customer_may_have_died_somebody_may_be_in_distress(self) -> None:
        assert read("words", {DECEASED: LIKELY}).likely == (DECEASED, DISTRESS)
        assert read("words", {DECEASED: SURE}) == read("words", {DECEASED: SURE, DISTRESS: BARELY})
        assert read("words", {DECEASED: SURE}).likely == ()

    @pytest.mark.parametrize("quiet", [OK, AWAY])
    def test_what_seems_quiet_is_so_only_if_nothing_may_be_asked(self, quiet: ReplyIntent) -> None:
        assert read("words", {quiet: SURE, HARDSHIP: 0.079}).sure == (quiet,)
        parsed = read("words", {quiet: SURE, HARDSHIP: 0.081})
        assert (parsed.sure, parsed.likely) == ((), (quiet,))


@pytest.mark.parametrize(
    ("guess", "paid", "may_be"),
    [
        ((PROMISE,), 0.1, True),
        ((PROMISE,), 0.0999, False),
        ((PROMISE, HARDSHIP), 0.4, True),
        ((PROMISE, PAID), 0.4, False),
        ((HARDSHIP,), 0.4, False),
        ((), 0.4, False),
    ],
)
def test_a_promise_may_be_a_payment_from_a_tenth_on_unless_a_payment_is_guessed(
    guess: tuple[ReplyIntent, ...],
    paid: float,
    may_be: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert is_payment_or_promise({PAID: paid, PROMISE: SURE}, guess) is may_be


@pytest.mark.parametrize(
    ("probabilities", "may_ask"),
    [
        ({OK: SURE, HARDSHIP: 0.08}, True),
        ({OK: SURE, HARDSHIP: 0.08, PAID: BARELY}, True),
        ({OK: SURE, HARDSHIP: 0.0799}, False),
        ({OK: SURE, AWAY: SURE}, False),
        ({OK: SURE, CHAT: 0.2}, True),
    ],
)
def test_a_reply_may_ask_for_something_from_eight_in_a_hundred_on(
    probabilities: dict[ReplyIntent, float],
    may_ask: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert may_ask_for_something(probabilities) is may_ask


def test_no_texts_may_be_wanted_from_one_in_twenty_on() -> None:
    assert may_want_no_texts({OPT_IN: SURE, OPT_OUT: 0.05})
    assert not may_want_no_texts({OPT_IN: SURE, OPT_OUT: 0.0499})


class TestPhrases:
    """Some make a reading more careful, whatever the model says."""

    @pytest.mark.parametrize(("guessed", "guess"), [(PAID, (PAID, DISTRESS)), (CHAT, (DISTRESS,))])
    def test_words_of_self_harm_are_heard_and_a_person_is_told(
        self, guessed: ReplyIntent, guess: tuple[ReplyIntent, ...]
    ) -> None:
        for text in ("die", "let me die now"):
            parsed = read(text, {guessed: 0.6, HARDSHIP: LIKELY})
            assert parsed.guess == guess
            assert set(parsed.likely) == {guessed, HARDSHIP, DISTRESS}
            assert parsed.why[0] == "words of self-harm"
        assert "words of self-harm" not in read("words", {DISTRESS: LIKELY}).why

    def test_distress_that_is_sure_stays_sure(self) -> None:
        parsed = read("let me die", {DISTRESS: SURE})
        assert (parsed.sure, parsed.likely) == ((DISTRESS,), ())

    def test_who_asks_to_be_left_alone_likely_opts_out(self) -> None:
        assert read("leave me", {PAID: SURE}).likely == (OPT_OUT,)
        assert read("off", {PAID: SURE}).likely == (OPT_OUT,)
        for text in ("words", "go off"):
            assert read(text, {PAID: SURE}).likely == ()

    def test_beside_a_denial_no_wish_for_texts_is_sure(self) -> None:
        assert read("never", {OPT_IN: SURE}).sure == ()
        assert read("never", {OPT_IN: SURE}).likely == (OPT_IN,)
        assert read("words", {OPT_IN: SURE}).sure == (OPT_IN,)

    @pytest.mark.parametrize(
        ("text", "beside"), [("until", {}), ("words", {PAID: SURE}), ("words", {HARDSHIP: LIKELY}), ("leave me", {})]
    )
    def test_a_refusal_is_sure_only_alone_and_without_a_condition(
        self, text: str, beside: dict[ReplyIntent, float]
    ) -> None:
        parsed = read(text, {REFUSAL: SURE} | beside)
        assert REFUSAL in parsed.likely
        assert REFUSAL not in parsed.sure
        assert read("words", {REFUSAL: SURE}).sure == (REFUSAL,)

    @pytest.mark.parametrize("quiet", [OK, AWAY, CHAT])
    def test_nothing_is_quiet_beside_what_is_likely(self, quiet: ReplyIntent) -> None:
        assert read("words", {quiet: SURE}).sure == (quiet,)
        assert read("leave me", {quiet: SURE}).sure == ()
        parsed = read("words", {quiet: SURE, PAID: LIKELY})
        assert (parsed.sure, set(parsed.likely)) == ((), {PAID, quiet})


class TestQuotations:
    """Words of ours are not the customer's."""

    def test_a_text_that_the_number_got_is_left_out_and_what_is_beside_it_counts(self) -> None:
        parsed = read(f"it is paid\n> {OURS}", {PAID: SURE}, our_texts=[OURS])
        assert (parsed.sure, parsed.likely) == ((PAID,), ())

    @pytest.mark.parametrize("alone", [OK, AWAY, CHAT, OPT_IN])
    def test_nothing_is_quiet_beside_it_and_no_wish_for_texts_is_sure(self, alone: ReplyIntent) -> None:
        for our_texts in ([OURS], []):
            parsed = read(f"fine\n> {OURS}", {alone: SURE}, our_texts=our_texts)
            assert (parsed.sure, parsed.likely) == ((), (alone,))
        lenders = "a notice in words that the lender alone has chosen"
        assert read(f"fine\n> {lenders}", {alone: SURE}, our_texts=[lenders]).sure == ()
        assert read(f"fine\n> {lenders}", {alone: SURE}).sure == (alone,)
        assert read("fine", {alone: SURE}, our_texts=[OURS]).sure == (alone,)

    def test_beside_a_text_that_we_do_not_know_the_number_got_nothing_is_sure(self) -> None:
        parsed = read(f"it is paid\n> {OURS}", {PAID: SURE, HARDSHIP: LIKELY})
        assert (parsed.sure, parsed.likely) == ((), (PAID, HARDSHIP))
        assert read("it is paid", {PAID: SURE}).sure == (PAID,)

    def test_beside_such_a_text_a_stop_on_its_line_is_all_that_is_heard_but_distress(self) -> None:
        for likely, rest in (({DISTRESS: LIKELY}, (DISTRESS,)), ({}, ())):
            parsed = read(f"stop\nnow\n> {OURS}", {PAID: SURE, HARDSHIP: LIKELY} | likely)
            assert (parsed.sure, parsed.likely, parsed.guess) == ((OPT_OUT,), rest, (OPT_OUT,))

    def test_beside_a_text_that_the_number_got_all_else_is_heard_too(self) -> None:
        parsed = read(f"stop\nnow\n> {OURS}", {PAID: SURE, HARDSHIP: LIKELY}, our_texts=[OURS])
        assert (parsed.sure, parsed.likely, parsed.guess) == ((OPT_OUT, PAID), (HARDSHIP,), (OPT_OUT, PAID))
        assert read("stop\nnow", {PAID: SURE, HARDSHIP: LIKELY}).guess == (OPT_OUT, PAID)

    def test_what_is_left_of_a_reply_keeps_its_lines(self) -> None:
        assert read(f"{OURS}\nit is paid\nstop", our_texts=[OURS]).sure == (OPT_OUT,)
        assert read(f"it is paid\n> stop\n> {OURS}", our_texts=[OURS]).sure == (OPT_OUT,)
        assert read(f"it is paid\n  stop\n{OURS}", our_texts=[OURS]).sure == (OPT_OUT,)

    def test_a_clause_that_is_left_is_no_line(self) -> None:
        assert read(f"it is paid. stop. he said\n> {OURS}", our_texts=[OURS]).sure == ()
        assert read(f"it is paid. stop\n> {OURS}", our_texts=[OURS]).sure == ()
        assert read(f"we stop paying\n> {OURS}", our_texts=[OURS]).sure == ()

    @pytest.mark.parametrize("mark", ["", "> ", ">", " "])
    def test_a_line_that_is_left_is_left_without_its_mark(self, mark: str) -> None:
        rows = ["b:< paid", *(feature for feature in features_of("paid") if feature[0] == "c")]
        assert read(f"{mark}paid\n> {OURS}", {PAID: SURE}, rows=rows, our_texts=[OURS]).sure == (PAID,)
        assert read(f"it {mark}paid\n> {OURS}", {PAID: SURE}, rows=rows, our_texts=[OURS]).sure == ()


class TestPromises:
    """The day of a promise is read wherever a promise may be meant, and nowhere else."""

    @pytest.mark.parametrize(
        ("probability", "is_read"), [(SURE, True), (0.6, True), (LIKELY, True), (0.2, True), (BARELY, False)]
    )
    def test_the_day_is_read_where_a_promise_is_sure_likely_or_guessed(
        self,
        probability: float,
        is_read: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        parsed = read("friday", {PROMISE: probability, HARDSHIP: 0.1, PAID: 0.05})
        assert parsed.promised_on == (FRIDAY if is_read else None)

    def test_the_day_is_read_where_a_promise_is_likely_beside_another_guess(self) -> None:
        assert read("friday", {PROMISE: LIKELY, HARDSHIP: SURE}).promised_on == FRIDAY
        assert read("friday", {PROMISE: 0.2, HARDSHIP: SURE}).promised_on is None

    def test_a_promise_beside_a_payment_is_sure_only_with_its_day(self) -> None:
        with_day = read("friday", {PAID: SURE, PROMISE: SURE, HARDSHIP: LIKELY})
        assert (with_day.sure, with_day.likely) == ((PAID, PROMISE), (HARDSHIP,))
        without = read("words", {PAID: SURE, PROMISE: SURE, HARDSHIP: LIKELY})
        assert (without.sure, without.likely) == ((PAID,), (PROMISE, HARDSHIP))
        beside = read("words", {PAID: SURE, PROMISE: SURE, DISPUTE: SURE})
        assert (beside.sure, beside.likely) == ((PAID, DISPUTE), (PROMISE,))

    def test_a_promise_or_a_payment_alone_needs_no_day(self) -> None:
        for alone in (PAID, PROMISE):
            parsed = read("words", {alone: SURE})
            assert (parsed.sure, parsed.likely) == ((alone,), ())


class TestDoubt:
    """What is not read well is not sure."""

    def test_a_reply_of_which_less_than_a_quarter_is_known_is_in_doubt(self) -> None:
        text = "alpha beta"
        features = sorted(features_of(text), key=lambda feature: (feature[0] == "c", feature))
        assert len(features) % 4 == 0, "so that a quarter of them is a whole number"
        quarter = len(features) // 4
        assert read(text, {PAID: SURE, HARDSHIP: SURE}, rows=features[:quarter]).sure == (PAID, HARDSHIP)
        parsed = read(text, {PAID: SURE, HARDSHIP: SURE}, rows=features[: quarter - 1])
        assert (parsed.sure, parsed.likely) == ((), (PAID, HARDSHIP))

    def test_what_no_word_speaks_for_is_likely_only(self) -> None:
        parsed = read("words", {PAID: SURE, HARDSHIP: SURE}, in_words=(HARDSHIP,))
        assert (parsed.sure, parsed.likely) == ((HARDSHIP,), (PAID,))


class TestLongReplies:
    """The middle of a reply that is too long is left out; nothing in it is quiet."""

    @pytest.mark.parametrize("quiet", [OK, CHAT, OPT_IN])
    def test_in_a_reply_that_was_cut_nothing_is_quiet(self, quiet: ReplyIntent) -> None:
        whole, long = "x " * (LONGEST_READ // 2 - 1) + "xx", "x " * (LONGEST_READ // 2) + "x"
        assert (len(whole), len(long)) == (LONGEST_READ, LONGEST_READ + 1)
        assert read(whole, {quiet: SURE}).sure == (quiet,)
        assert (read(long, {quiet: SURE}).sure, read(long, {quiet: SURE}).likely) == ((), (quiet,))
        assert read(long, {PAID: SURE}).sure == (PAID,)

    @pytest.mark.parametrize(("length", "is_read"), [(20_000, True), (20_001, False), (90_000, False)])
    def test_nothing_is_quiet_in_twenty_thousand_characters_that_are_nearly_all_blanks(
        self,
        length: int,
        is_read: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        assert read("ok".ljust(length - 5) + "words", {OK: SURE}).sure == ((OK,) if is_read else ())
        assert DISTRESS in read("ok".ljust(length - 10) + "let me die", {OK: SURE}).likely

    def test_blanks_and_empty_lines_are_not_counted(self) -> None:
        assert read(f"ok{' ' * 9_000}\n \n{' ' * 9_000}\nwords", {OK: SURE}).sure == (OK,)

    def test_the_last_three_hundred_characters_are_read(self) -> None:
        end = " x" * 148 + "x"
        assert len(f"die{end}") == 300
        assert DISTRESS in read(f"{'x ' * 600}zdie{end}").likely
        assert DISTRESS not in read(f"{'x ' * 600}zdie{end}x").likely
        assert DISTRESS not in read(f"{'x ' * 600}zdie{end[:-1]}").likely

    def test_the_model_reads_the_very_last_character(self) -> None:
        text = f"{'x ' * 600}paid"
        rows = sorted(features_of(f"{'x ' * 5}paid"))
        assert read(text, {PAID: SURE}, rows=rows, in_words=(PAID,)).sure == (PAID,)


class TestWhy:
    """What decided is kept and logged, and names no text."""

    def test_it_names_the_probability_and_the_words_that_speak_for_each_intent_guessed_or_likely(self) -> None:
        probabilities = {PAID: SURE, HARDSHIP: LIKELY, DISPUTE: 0.2}
        rows = ["w:paid", "b:paid now", *(f"c:{letter}" for letter in "paidnow ")]
        parsed = read("paid now", probabilities, rows=rows, in_words=(PAID,))
        assert parsed.why == ("paid 0.95: paid, paid now", "hardship 0.40")

    def test_a_stop_and_words_of_self_harm_come_first(self) -> None:
        parsed = read("stop\nlet me die", {PAID: 0.6})
        assert parsed.why[:2] == ("fixed word: stop", "words of self-harm")
        assert [reason.split()[0] for reason in parsed.why[2:]] == ["opt_out", "paid", "distress"]
