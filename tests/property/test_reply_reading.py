"""A stop in any disguise is a stop, inside a longer word it is none, and no text whatever breaks the reader."""

import string
from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from dunning.domain.replies.intents import ReplyIntent
from dunning.policy.reply_files import load_reply_reader
from tests.devtools.characters import converted

READER = load_reply_reader()
TUESDAY = date(2026, 12, 1)

LATIN = (
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "arret",
    "remove",
    "optout",
    "revoke",
    "baja",
    "sair",
    "berhenti",
)
CHINESE = ("退訂", "取消", "停止", "拒收", "取消訂閱", "不要再傳了", "別再傳簡訊給我")
INVISIBLE = ["\u200b", "\u200d", "\u2060", "\ufeff", "\xad", "\u202e", "\ufe0f", "\U000e0041"]
AROUND = st.text(st.sampled_from(" \t\n.!?,;:。！？…~*\"'()[]-_👍🛑🙏😡❤"), max_size=6)
WIDE = {code: chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
LOOKALIKES = dict(zip(map(ord, "aceopxAEHOPTX"), "асеорхАЕНОРТХ", strict=True))
ALPHABETS: st.SearchStrategy[dict[int, str]] = st.sampled_from([{}, WIDE, LOOKALIKES])
COUNTRIES = st.sampled_from(["TW", "US", "CN", "HK", "GB", "MX", "BR", "FR", "ID", "ZZ"])


def intents(text: str, country: str = "TW") -> tuple[ReplyIntent, ...]:
    return READER.parse(text, said_on=TUESDAY, phone_country=country).sure


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """Return a stop word as people and their telephones may write it."""
    word = draw(st.sampled_from(LATIN))
    written = "".join(draw(st.sampled_from([letter, letter.upper()])) for letter in word)
    written = written.translate(draw(ALPHABETS))
    between = draw(st.sampled_from(["", "", *INVISIBLE, " ", ".", "-", "\u0301"]))
    return draw(AROUND) + between.join(written) + draw(AROUND)


@given(disguised(), COUNTRIES)
@example("ＳＴＯＰ", "TW")
@example("s.t.o.p", "TW")
@example("ЅТОР", "TW")
@example("st\u200bop", "TW")
def test_a_stop_word_in_any_disguise_opts_out(text: str, country: str) -> None:
    assert ReplyIntent.OPT_OUT in intents(text, country)


@given(st.sampled_from(CHINESE), st.data())
def test_a_chinese_stop_opts_out_in_either_script_and_any_mixture(word: str, data: st.DataObject) -> None:
    forms = [word, converted(word, "t2s"), converted(word, "s2tw"), converted(word, "s2hk")]
    mixed = "".join(data.draw(st.sampled_from(forms))[at] for at in range(len(word)))
    gap = data.draw(st.sampled_from(["", " ", "\u200b", "\u3000", "-"]))
    assert ReplyIntent.OPT_OUT in intents(data.draw(AROUND) + gap.join(mixed) + data.draw(AROUND))


LETTERS = st.text(string.ascii_lowercase, min_size=1, max_size=8)


@given(st.sampled_from(["stop", "quit", "end", "cancel", "remove", "revoke"]), LETTERS, LETTERS, st.booleans())
@example(word="end", before="week", after="s", shouted=True)
def test_a_stop_word_inside_a_longer_word_is_none(word: str, before: str, after: str, shouted: bool) -> None:  # noqa: FBT001 - drawn
    longer = f"x{before}{word}{after}x"  # with an x at both ends it is no word of any list
    assert ReplyIntent.OPT_OUT not in intents(longer.upper() if shouted else longer)


WORDS = """
stop pay will on friday 12/5 31/2
5號 下個月 週五 繳 不 會 已 paid in 60 days dia el 2026-12-05 29/2/2027 0/0 99
of december next month end tanggal vendredi demain or no account 5678 $ pago
vou bayar je paie 二十五 十 月 日 年 not , . > ?
"""
PIECES = st.sampled_from([*WORDS.split(), "\n"])
DATES = st.dates(date(2000, 1, 1), date(2900, 12, 31))


@given(st.text(max_size=2000), DATES, COUNTRIES, st.lists(st.text(max_size=200), max_size=3))
@example("\ud800stop\udfff", TUESDAY, "TW", [])
@example("२०२६ will pay on २/३", TUESDAY, "TW", ["²", "①"])
def test_no_text_breaks_the_reader(text: str, said_on: date, country: str, ours: list[str]) -> None:
    understood = READER.parse(text, said_on=said_on, phone_country=country, our_texts=ours)
    assert understood.promised_on is None or understood.promised_on >= said_on
    assert understood.digits in text


@given(st.lists(PIECES, max_size=40), DATES, COUNTRIES)
def test_a_promise_is_never_for_a_day_before_the_one_it_is_made_on(
    pieces: list[str], said_on: date, country: str
) -> None:
    understood = READER.parse(" ".join(pieces), said_on=said_on, phone_country=country)
    intents_read = {*understood.sure, *understood.likely, *understood.guess}
    if understood.promised_on:
        assert ReplyIntent.PROMISE in intents_read
        assert understood.promised_on >= said_on
    assert len(understood.sure) == len(set(understood.sure))
    assert list(understood.sure) == [intent for intent in ReplyIntent if intent in understood.sure]
    assert set(understood.sure).isdisjoint(understood.likely)
    assert not (ReplyIntent.OPT_OUT in intents_read and ReplyIntent.OPT_IN in understood.sure)


@given(st.lists(PIECES, max_size=20), st.integers(0, 20))
def test_a_stop_on_a_line_of_its_own_opts_out_whatever_else_is_said(pieces: list[str], at: int) -> None:
    lines = " ".join(pieces[:at]), "STOP", " ".join(pieces[at:])
    assert ReplyIntent.OPT_OUT in intents("\n".join(lines))
