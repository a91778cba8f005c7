"""What words around a day do to it, rule by rule, with a small language of our own: a word or two for each meaning."""

from datetime import date

import pytest

from dunning.domain.replies.dates import DateKind, FigureOrder
from dunning.domain.replies.phrases import Pattern, Vocabulary, compiled
from dunning.domain.replies.promised_days import (
    DayMention,
    DayPhrase,
    DayRole,
    PromisedDayReader,
    PromisedDayWords,
    RolePhrase,
)
from dunning.domain.texts.lint.folding import Characters, Folding

TUESDAY = date(2026, 12, 1)
CHARACTERS = Characters({}, {})
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
NAMES = Vocabulary({name: number for number, name in enumerate(WEEKDAYS)}, {}, {})


def pattern(text: str) -> Pattern:
    return compiled(text, Folding(CHARACTERS), NAMES)


DAYS = {
    "today": DayPhrase(DateKind.TODAY),
    "now": DayPhrase(DateKind.NOW),
    "{weekday}": DayPhrase(DateKind.WEEKDAY),
    "this {weekday}": DayPhrase(DateKind.WEEKDAY_THIS_WEEK),
    "day {day}": DayPhrase(DateKind.DAY),
    "{day} 日": DayPhrase(DateKind.DAY),
    "{day} 日 整 天": DayPhrase(DateKind.DAY_NEXT_MONTH),
    "xmas|noel": DayPhrase(DateKind.TODAY),
    "xmas": DayPhrase(DateKind.HOLIDAY, (12, 25)),
    "soon": DayPhrase(DateKind.VAGUE),
    "yesterday|lately": DayPhrase(DateKind.TODAY),
    "yesterday": DayPhrase(DateKind.PAST),
    "friday night|dinner": DayPhrase(DateKind.TODAY),
    "friday night": DayPhrase(DateKind.NO_DAY),
    "noon": DayPhrase(DateKind.NOW),
    "friday at once": DayPhrase(DateKind.NOW),
    "bald": DayPhrase(DateKind.VAGUE),
    "bald|gleich": DayPhrase(DateKind.TOMORROW, (), "de"),
    "noon friday": DayPhrase(DateKind.TOMORROW),
    "mon": DayPhrase(DateKind.WEEKDAY, (0,), "en"),
    "ven": DayPhrase(DateKind.WEEKDAY, (4,), "fr"),
}
ROLES = {
    "paid": DayRole.PAST,
    "will": DayRole.FUTURE,
    "pay": DayRole.PAYS,
    "half": DayRole.PARTS,
    "salary": DayRole.WAITS,
    "remind": DayRole.REMINDS,
    "due": DayRole.DUE,
    "cannot": DayRole.UNABLE,
    "not": DayRole.DENIES,
    "impossible": DayRole.DENIED,
    "rather": DayRole.CORRECTS,
    "after": DayRole.AFTER,
    "roughly": DayRole.ABOUT,
    "or": DayRole.LINKS,
    "same": DayRole.SAME,
    "{start} hardly": DayRole.DENIES,
    "but": DayRole.SPLITS,
    "paid out": DayRole.NOTHING,
}
NOBODY = frozenset[str]()
WORDS = PromisedDayWords(
    phrases=[(pattern(text), phrase) for text, phrase in DAYS.items()],
    roles=[
        *((pattern(text), RolePhrase(role, "en")) for text, role in ROLES.items()),
        (pattern("pas"), RolePhrase(DayRole.DENIES, "fr")),
    ],
    orders={
        "": FigureOrder(frozenset({"US"}), frozenset({"CA"})),
        "en": FigureOrder(frozenset({"US"}), NOBODY),
        "fr": FigureOrder(NOBODY, NOBODY),
        "zh-Hant": FigureOrder(frozenset({"*"}), NOBODY),
    },
    small={
        "en": frozenset({"i", "the", "you"}),
        "fr": frozenset({"je", "le"}),
        "de": frozenset({"ich"}),
        "zh-Hant": NOBODY,
    },
    on=frozenset({"on"}),
    instructions=[pattern("reply by friday to stop")],
    ours=["your instalment is due friday please pay in our app"],
)
READER = PromisedDayReader(WORDS, CHARACTERS)


def promised(text: str, said_on: date = TUESDAY, country: str = "TW") -> date | None:
    return READER.promised_day(text, said_on=said_on, phone_country=country)


def december(day: int | None) -> date | None:
    return date(2026, 12, day) if day else None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("", None),
        ("pay", None),
        ("friday", 4),
        ("friday friday", 4),
        ("friday monday", 7),
        ("monday friday", 4),
        ("friday night monday", 7),
        ("friday night", None),
        ("xmas", 25),
        ("noel", 1),
        ("lately", 1),
        ("friday dinner", 1),
    ],
)
def test_of_several_days_the_later_in_the_text_counts(text: str, day: int | None) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("pay friday but monday", 4),
        ("friday but pay monday", 7),
        ("pay friday but pay monday", 7),
        ("friday but salary monday", 4),
        ("salary friday but monday", 7),
        ("salary friday but salary monday", 7),
        ("pay salary friday but monday", 4),
        ("half friday but monday", None),
        ("half friday but friday", 4),
    ],
)
def test_a_day_beside_a_payment_comes_before_others_and_a_day_beside_an_income_behind_them(
    text: str, day: int | None
) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("paid friday", None),
        ("paid will friday", 4),
        ("paid out friday", 4),
        ("paid tomorrow xmas", None),
        ("yesterday", None),
        ("will yesterday", None),
        ("paid friday but monday", 7),
        ("monday but paid friday", 7),
        ("paid xmas", None),
        ("paid 12/5", None),
        ("paid soon but monday", 7),
    ],
)
def test_a_day_of_the_past_is_not_promised(text: str, day: int | None) -> None:
    assert promised(text) == december(day)


AHEAD_IN_ANY_TENSE = {
    DateKind.TOMORROW, DateKind.IN_2_DAYS, DateKind.IN_3_DAYS, DateKind.IN_DAYS, DateKind.IN_WEEKS,
    DateKind.WEEKDAY_NEXT_WEEK, DateKind.WEEKDAY_NEXT, DateKind.DAY_NEXT_MONTH, DateKind.MONTH_END,
    DateKind.NEXT_MONTH_END, DateKind.MONTH_END_OF, DateKind.WEEKDAY_IN_2_WEEKS, DateKind.WEEKDAY_AND_WEEK,
    DateKind.LUNAR_NEW_YEAR_DAY, DateKind.VAGUE, DateKind.NO_DAY,
}  # fmt: skip
NUMBERS = {
    DateKind.MONTH_DAY: (12, 5), DateKind.DAY_MONTH: (5, 12), DateKind.HOLIDAY: (12, 25), DateKind.WEEKDAY_DAY: (4, 4),
    DateKind.YEAR_MONTH_DAY: (2026, 12, 5), DateKind.DAY_MONTH_YEAR: (5, 12, 2026),
    DateKind.MONTH_DAY_YEAR: (12, 5, 2026), DateKind.ROC_YEAR_MONTH_DAY: (115, 12, 5),
}  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in DateKind if kind not in {DateKind.FIGURES, DateKind.NO_DAY}])
def test_a_day_beside_what_was_done_is_past_unless_it_can_only_be_ahead(kind: DateKind) -> None:
    numbers = NUMBERS.get(kind, (5,) * kind.numbers())
    reader = PromisedDayReader(WORDS._replace(phrases=[(pattern("then"), DayPhrase(kind, numbers))]), CHARACTERS)
    (then,) = reader.mentions("paid then", said_on=TUESDAY, phone_country="TW")
    assert then.is_past is (kind not in AHEAD_IN_ANY_TENSE)


@pytest.mark.parametrize(("text", "day"), [("paid noon friday", december(2)), ("paid 5 日 整 天", date(2027, 1, 5))])
def test_a_day_that_can_only_be_ahead_is_promised_in_any_tense(text: str, day: date) -> None:
    assert promised(text) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("not friday", None),
        ("not friday but monday", 7),
        ("monday but not friday", 7),
        ("not pay friday", 4),
        ("friday not", 4),
        ("not, friday", 4),
        ("friday impossible", None),
        ("friday pay impossible", 4),
        ("impossible friday", 4),
        ("friday, impossible", 4),
        ("cannot today", None),
        ("today cannot", None),
        ("cannot today but friday", 4),
        ("cannot pay now", None),
        ("cannot friday", 4),
        ("cannot but today", 1),
        ("not pay today", None),
        ("today pay impossible", None),
        ("roughly pay today", 1),
        ("hardly friday", None),
        ("pay hardly friday", 4),  # a word that denies only where the reply begins with it
    ],
)
def test_a_denied_day_is_not_promised(text: str, day: int | None) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("after friday", None),
        ("friday after", 4),
        ("after, friday", 4),
        ("after 12/4", None),
        ("12/4 roughly", None),
        ("after pay friday", 4),
        ("friday roughly", None),
        ("roughly friday", 4),
        ("friday, roughly", 4),
        ("friday pay roughly", 4),
        ("today roughly", 1),
        ("now roughly", 1),
        ("after today", None),
        ("friday after monday", None),
        ("after friday monday", 7),
        ("pay after friday but monday", None),
        ("friday but pay after monday", None),
    ],
)
def test_a_day_that_is_not_certain_is_not_promised(text: str, day: int | None) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("friday or monday", None),
        ("friday or friday", 4),
        ("friday but or monday", 7),
        ("friday but pay or monday", 7),
        ("friday but pay monday or monday", 7),
        ("pay friday or monday", None),
        ("friday or, pay monday", 7),
        ("pay friday or, pay monday", 7),
        ("friday or, monday pay", 7),
        ("pay friday or, monday pay", None),
        ("pay friday or, monday", None),
        ("pay friday or, monday but wednesday", None),
        ("tuesday or friday monday", 7),
        ("monday friday or wednesday", None),
    ],
)
def test_days_to_choose_from_are_not_promised_unless_only_the_later_is_beside_a_payment(
    text: str, day: int | None
) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("remind friday", None),
        ("remind friday but monday", 7),
        ("monday but remind friday", 7),
        ("remind friday same", 4),
        ("monday but remind friday same", 7),
        ("monday rather friday", 4),
        ("pay monday rather, friday", 4),
        ("friday rather", 4),
        ("rather friday monday", 7),
        ("pay monday rather, friday rather, wednesday", 2),
        ("half monday rather friday", 4),
        ("monday rather not friday", 7),
    ],
)
def test_a_day_of_a_reminder_is_not_promised_and_a_correction_drops_the_days_before_it(
    text: str, day: int | None
) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("now", 1),
        ("today", 1),
        ("soon", None),
        ("soon now", None),
        ("now soon", None),
        ("soon today", 1),
        ("soon friday", 4),
        ("salary now", None),
        ("salary today", 1),
        ("half now friday", 4),
        ("half friday now", 4),
        ("half friday today", 4),
        ("half now today", 1),
        ("half friday but after today", None),
        ("friday but due monday", 4),
        ("due monday", 7),
        ("due monday due friday", 4),
        ("half friday but due monday", 4),
        ("friday. monday?", 4),
        ("friday? monday", 7),
        ("monday? friday", 4),
        ("half friday? monday", 7),
        ("half monday. friday ？", 7),
        ("monday?", 7),
        ("monday. 'friday?'", 4),
        ("friday. monday a?b", 7),  # letters that are spelled out, and no end of a clause
    ],
)
def test_a_weaker_day_counts_where_no_other_is(text: str, day: int | None) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("day 11 friday", 11),
        ("friday day 11", 11),
        ("day 11 monday", 7),
        ("half day 11 friday", 11),
        ("half day 11 monday", None),
        ("xmas friday", 25),
        ("half not friday monday", 7),
    ],
)
def test_a_weekday_only_says_again_what_a_date_says(text: str, day: int | None) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "said_on", "day"),
    [
        ("this monday", 2, None),
        ("this wednesday", 2, 2),
        ("this friday", 5, None),
        ("this monday", 6, 7),
        ("this friday", 6, 11),
        ("this sunday", 6, 6),
        ("this monday friday", 2, 4),
        ("2026/11/3", 6, None),
    ],
)
def test_a_day_of_this_week_that_has_passed_is_none_but_on_a_sunday(text: str, said_on: int, day: int | None) -> None:
    on = december(said_on)
    assert on is not None
    assert promised(text, on) == december(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("6日", 6),
        ("5~6日", None),
        ("1~6日", None),
        ("31~6日", None),
        ("5、6日", None),
        ("0~6日", 6),
        ("32~6日", 6),
        ("105~6日", 6),
        ("005~6日", 6),
        ("5+6日", 6),
        ("5x6日", 6),
        ("5-6日", None),
        ("5-6-7号", None),
        ("8日5-6", 8),
        ("monday. 5-6日", None),
        ("pay monday but 5-6日", None),
        ("monday. 5-6号", None),
        ("monday. 5-6/7日", 7),
        ("8日5-6月", 8),
        ("天~6日", 6),
        ("~6日. 5", 6),
        ("5\n6日", 6),
    ],
)
def test_a_number_directly_before_a_day_makes_a_choice_of_it(text: str, day: int | None) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "country", "day"),
    [
        ("12/5", "US", date(2026, 12, 5)),
        ("12/5", "GB", date(2027, 5, 12)),
        ("12/5", "CA", None),
        ("i 12/5", "CA", date(2027, 5, 12)),
        ("i 12/5", "US", date(2026, 12, 5)),
        ("je 12/5", "US", date(2027, 5, 12)),
        ("ich 12/5", "US", date(2026, 12, 5)),
        ("i je 12/5", "US", None),
        ("i je 12/5", "GB", date(2027, 5, 12)),
        ("付12/5", "GB", date(2026, 12, 5)),
        ("㐀12/5", "GB", date(2026, 12, 5)),
        ("je 12/5付", "GB", date(2026, 12, 5)),
        ("115/12/5", "GB", date(2026, 12, 5)),
        ("115.12.5", "GB", date(2026, 12, 5)),
        ("1/3", "US", None),
        ("on 1/3", "US", date(2027, 1, 3)),
        ("1/3回", "US", date(2027, 1, 3)),
        ("1/3㐀", "US", date(2027, 1, 3)),
        ("1/3的", "US", None),
        ("pay 1/3回", "US", date(2027, 1, 3)),
        ("115/12/055", "GB", None),
        ("on 5.123", "GB", None),
        ("1/3 pay", "US", None),
        ("on 5-12", "GB", date(2026, 12, 5)),
        ("on 5.12", "GB", date(2026, 12, 5)),
        ("5-12", "GB", None),
        ("5-12 on", "GB", None),
        ("5.12回", "GB", None),
        ("12·5", "US", date(2026, 12, 5)),
        ("3000,12/5", "US", date(2026, 12, 5)),
        ("12/5(五)", "US", date(2026, 12, 5)),
    ],
)
def test_figures_are_read_in_the_order_of_the_language_and_the_country(
    text: str, country: str, day: date | None
) -> None:
    assert promised(text, country=country) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("i mon", 7),
        ("je mon", None),
        ("mon", None),
        ("i je mon", None),
        ("je ven", 4),
        ("ich bald", 2),
        ("i bald", None),
        ("i je ven", None),
        ("i the je mon", None),
        ("i the you je mon", 7),
        ("je pas friday", None),
        ("i je pas friday", None),
        ("i pas friday", 4),
        ("i the you je pas friday", 4),
        ("pas friday", None),
        ("je 付 pas friday", 4),
        ("je 㐀 pas friday", 4),
        ("je 付 not friday", None),
    ],
)
def test_a_word_counts_in_a_text_of_its_language_only(text: str, day: int | None) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("this friday", [DateKind.WEEKDAY_THIS_WEEK]),
        ("friday this", [DateKind.WEEKDAY]),
        ("day 5 日", [DateKind.DAY]),
        ("day 5 日 整 天", [DateKind.DAY_NEXT_MONTH]),
        ("noon friday", [DateKind.TOMORROW]),
        ("noon friday night", [DateKind.TOMORROW]),
        ("this friday night", [DateKind.WEEKDAY_THIS_WEEK]),
        ("this friday at once", [DateKind.WEEKDAY_THIS_WEEK]),
        ("noon. friday", [DateKind.NOW, DateKind.WEEKDAY]),
        ("12345 日", []),
        ("00011 日", []),
        ("friday night", []),
        ("friday 12/7", [DateKind.WEEKDAY, DateKind.FIGURES]),
        ("12/7 friday", [DateKind.FIGURES, DateKind.WEEKDAY]),
        ("on 5-6 friday", [DateKind.FIGURES, DateKind.WEEKDAY]),
        ("paid friday", [DateKind.WEEKDAY]),
    ],
)
def test_of_phrases_that_overlap_the_longest_is_meant(text: str, kinds: list[DateKind]) -> None:
    mentions = READER.mentions(text, said_on=TUESDAY, phone_country="TW")
    assert [mention.kind for mention in mentions] == kinds


def test_what_a_reply_says_of_its_days_is_told() -> None:
    text = "paid friday. yesterday. soon. after monday. this monday. pay xmas"
    assert READER.mentions(text, said_on=TUESDAY, phone_country="TW") == [
        DayMention(DateKind.WEEKDAY, december(4), is_past=True, certain=True),
        DayMention(DateKind.PAST, None, is_past=True, certain=True),
        DayMention(DateKind.VAGUE, None, is_past=False, certain=True),
        DayMention(DateKind.WEEKDAY, december(7), is_past=False, certain=False),
        DayMention(DateKind.WEEKDAY_THIS_WEEK, None, is_past=True, certain=True),
        DayMention(DateKind.HOLIDAY, december(25), is_past=False, certain=True),
    ]


def test_a_reader_that_knows_no_language_reads_days_all_the_same() -> None:
    reader = PromisedDayReader(WORDS._replace(small={}), CHARACTERS)
    assert reader.promised_day("mon friday", said_on=TUESDAY, phone_country="TW") == december(4)


def test_nothing_behind_the_thousandth_character_is_read() -> None:
    assert promised("x" * 989 + " pay friday" + " but pay monday") == december(4)
    assert promised("x" * 990 + " pay friday") is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("pay 6日 8日", 6),
        ("pay 6日/8日", 8),
        ("pay day 6 day 8", 8),
        ("pay day 6 付 day 8", 6),
        ("pay day 6 付8日", 6),
        ("pay day 6 㐀8日", 6),
        ("pay day 6㐀 day 8", 6),
        ("8 日/pay but day 6", 8),
        ("pay day 6. day 8", 6),
    ],
)
def test_a_blank_beside_a_chinese_character_begins_a_segment_but_not_within_a_day(text: str, day: int) -> None:
    assert promised(text) == december(day)


@pytest.mark.parametrize(
    "ours", ["reply by friday to stop", "your instalment is due friday please pay in our app", "see you friday evening"]
)
def test_a_day_that_stands_in_words_of_ours_is_not_promised(ours: str) -> None:
    sent = ["dear customer see you friday evening or call"]
    days = READER.mentions(f"monday\n> {ours}", said_on=TUESDAY, phone_country="TW", our_texts=sent)
    assert [day.date for day in days] == [december(7)]
    assert READER.promised_day(f"> {ours}", said_on=TUESDAY, phone_country="TW", our_texts=sent) is None
    assert READER.promised_day("see you friday", said_on=TUESDAY, phone_country="TW", our_texts=sent) == december(4)


def test_the_language_of_a_reply_is_that_of_the_customers_own_words() -> None:
    sent = ["cher client je le vous rappelle"]
    text = "i pay mon\n> je le vous rappelle"
    assert READER.promised_day(text, said_on=TUESDAY, phone_country="TW", our_texts=sent) == december(7)


def test_a_text_of_ours_is_known_to_its_end_however_long_it_is() -> None:
    sent = ["dear customer " * 100 + "see you friday evening or call"]
    quoted = "> see you friday evening"
    assert READER.promised_day(quoted, said_on=TUESDAY, phone_country="TW", our_texts=sent) is None
