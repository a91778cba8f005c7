"""The search for phrases against the plainest reading of a pattern: each slot tried at each place, without an index."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dunning.domain.replies.phrases import PatternError, PhraseMatcher, Vocabulary, compiled
from dunning.domain.replies.tokens import words_of
from dunning.domain.texts.lint.folding import Characters, Folding

FOLDING = Folding(Characters({}, {}))
UNITS = dict(zip("一二三四五六七八九", range(1, 10), strict=True))
NAMES = Vocabulary(
    weekdays={"monday": 0, "friday": 4},
    months={"may": 5, "june": 6},
    numbers={"two": 2, "ten": 10, "十": 10, **UNITS},
    ordinals={"third": 3, "twenty first": 21},
)
RANGES = {"day": (1, 31), "month": (1, 12), "n": (1, 60), "year": (2000, 2999), "roc": (100, 199)}
NAMED = {"weekday": NAMES.weekdays, "monthname": NAMES.months, "ordinal": NAMES.ordinals}


def folded(written: str) -> list[str]:
    return [word.text for word in words_of(written, FOLDING)]


def spelled(number: int) -> str:
    """Write a number up to 99 in characters."""
    tens, units = divmod(number, 10)
    digits = {value: character for character, value in UNITS.items()}
    return (digits[tens] if tens > 1 else "") + ("十" if tens else "") + (digits[units] if units else "")


SPELLED = {spelled(number): number for number in range(1, 100)}

type End = tuple[int, tuple[int, ...]]


def number_at(text: Sequence[str], at: int, stop: int) -> tuple[int, int] | None:
    """Read the number at a place, and where it ends: figures, a word, or all characters that follow."""
    if text[at].isdecimal():
        return at + 1, int(text[at]) if len(text[at]) < 100 else 10**100
    if text[at].isascii():
        value = NAMES.numbers.get(text[at])
        return None if value is None else (at + 1, value)
    end = at
    while end < stop and text[end] in NAMES.numbers and not text[end].isascii():
        end += 1
    value = SPELLED.get("".join(text[at:end]))
    return None if value is None else (end, value)


def one_slot(piece: str, text: Sequence[str], at: int, stop: int) -> Iterator[End]:
    if piece == "..":
        yield from ((at + gap, ()) for gap in range(5) if at + gap <= stop)
        return
    name = piece.strip("{}")
    if at >= stop:
        return
    if piece == "{tail}":
        if text[at].isdecimal() and 2 <= len(text[at]) <= 4:
            yield at + 1, (at,)
    elif name in RANGES and piece != name:
        number = number_at(text, at, stop)
        if number and RANGES[name][0] <= number[1] <= RANGES[name][1]:
            yield number[0], (number[1],)
    else:
        choices = (
            NAMED[name].items() if piece != name else [(choice.replace("_", " "), None) for choice in name.split("|")]
        )
        for choice, value in choices:
            words = folded(choice)
            if list(text[at : min(stop, at + len(words))]) == words:
                yield at + len(words), (() if value is None else (value,))


def all_ends(pieces: Sequence[str], text: Sequence[str], at: int, stop: int) -> set[End]:
    if not pieces:
        return {(at, ())}
    first, *rest = pieces
    ends = all_ends(rest, text, at, stop) if first.endswith("?") else set()
    for end, read in one_slot(first.removesuffix("?"), text, at, stop):
        ends |= {(last, (*read, *later)) for last, later in all_ends(rest, text, end, stop)}
    return ends


def found_plainly(pattern: str, text: Sequence[str], start: int, stop: int) -> list[tuple[int, set[End]]]:
    """Return where a pattern begins, and its possible ends: the longest, or those at the end of the clause."""
    pieces = pattern.split()
    at_start, at_end = pieces[0] == "{start}", pieces[-1] == "{end}"
    inner = [piece for piece in pieces if piece not in {"{start}", "{end}"}]
    found = []
    for at in range(start, stop):
        ends = all_ends(inner, text, at, stop)
        ends = {end for end in ends if end[0] == stop} if at_end else set(sorted(ends)[-1:])
        if ends and (at == start or not at_start):
            found.append((at, ends))
    return found


WORDS = ["pay", "soon", "now", "quit", "monday", "friday", "may", "third", "twenty", "first"]
texts = st.lists(
    st.sampled_from([*WORDS, *WORDS, "two", "ten", "7", "35", "0", "100", "199", "2026", "20261", "1234"]).map(
        lambda word: [word]
    )
    | st.integers(1, 99).map(lambda number: ["soon", *spelled(number), "now"]),
    max_size=8,
).map(lambda items: [word for item in items for word in item])

firsts = st.sampled_from(
    [
        "pay",
        "pay|quit",
        "pay_soon|now",
        "pay|pay_soon",
        "pay_soon_now",
        "{day}",
        "{n}",
        "{tail}",
        "{weekday}",
        "{ordinal}",
        "{year}",
        "{roc}",
    ]
)
others = st.sampled_from(
    ["..", "soon?", "now_pay?", "{day}?", "{month}", "{monthname}?", "{weekday}", "{tail}?", "{n}"]
)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    pieces = [draw(firsts), *draw(st.lists(firsts | others, max_size=3))]
    if draw(st.booleans()):
        pieces[:0] = [draw(st.sampled_from(["now?", "{n}?", "pay_now?"]))]
    pieces[:0] = ["{start}"] * draw(st.integers(0, 1))
    return " ".join(pieces + ["{end}"] * draw(st.integers(0, 1)))


@settings(max_examples=200)
@given(st.lists(patterns(), min_size=1, max_size=4), texts, st.integers(0, 3), st.integers(0, 3))
@example(["pay .. now"], ["pay", "a", "a", "a", "a", "now"], 0, 0)
@example(["pay .. now"], ["pay", "a", "a", "a", "a", "a", "now"], 0, 0)
@example(["pay .. now"], ["pay", "now"], 0, 0)
@example(["{n} soon"], ["二", "十", "五", "soon"], 0, 0)
@example(["pay {tail}"], ["pay", "soon"], 0, 0)
@example(["{tail}"], ["7"], 0, 0)
@example(["{tail}"], ["35"], 0, 0)
@example(["{tail}"], ["100"], 0, 0)
@example(["{tail}"], ["1234"], 0, 0)
@example(["{tail}"], ["20261"], 0, 0)
@example(["{n} {tail}"], ["two", "35"], 0, 0)
@example(["pay .. {tail}"], ["pay", "quit", "soon"], 0, 0)
@example(["pay .. {n}"], ["pay", "quit", "9" * 5000], 0, 0)
@example(["pay_soon|now"], ["pay", "now", "pay", "soon"], 0, 1)
@example(["pay|pay_soon"], ["pay"], 0, 0)
@example(["pay now", "pay"], ["pay", "now"], 0, 0)
@example(["{n}"], ["two", "ten"], 0, 0)
@example(["{year}"], ["20261"], 0, 0)
@example(["{ordinal} may"], ["twenty", "first", "may"], 0, 0)
def test_the_index_loses_no_phrase_and_finds_none_that_is_not_there(
    written: list[str], text: list[str], before: int, after: int
) -> None:
    matcher = PhraseMatcher([(compiled(pattern, FOLDING, NAMES), number) for number, pattern in enumerate(written)])
    words = [word for item in text for word in folded(item)]
    start, stop = min(before, len(words)), max(len(words) - after, 0)
    found = [(match.start, match.of) for match in matcher.within(words, start, stop)]
    expected = {
        (at, number): ends
        for number, pattern in enumerate(written)
        for at, ends in found_plainly(pattern, words, start, stop)
    }
    assert found == sorted(expected)
    for match in matcher.within(words, start, stop):
        assert (match.end, match.read) in expected[match.start, match.of]


@given(patterns())
def test_a_pattern_reads_as_many_numbers_as_its_slots_may_hold(pattern: str) -> None:
    counts = {0}
    for piece in pattern.split():
        name = piece.removesuffix("?").strip("{}")
        if "{" in piece and name not in {"start", "end"}:
            counts = {count + 1 for count in counts} | (counts if piece.endswith("?") else set())
    assert compiled(pattern, FOLDING, NAMES).numbers() == counts


@pytest.mark.parametrize(
    ("pattern", "first", "seconds"),
    [
        ("pay now", "pay", {"now"}),
        ("pay_soon|pay_now|quit", "pay", {"soon", "now"}),
        ("pay|pay_soon now|quit", "pay", {"soon", "now", "quit"}),
        ("pay|pay_soon", "pay", set()),
        ("pay now?", "pay", set()),
        ("pay now? quit", "pay", {"now", "quit"}),
        ("pay .. now", "pay", set()),
        ("pay_soon .. now", "pay", {"soon"}),
        ("pay? now quit", "now", {"quit"}),
        ("{day} now", "#", {"now"}),
        ("{day} now", "two", {"now"}),
        ("{day} now", "十", {"now", *NAMES.numbers}),
        ("{day}", "十", set()),
        ("{tail} now", "#", {"now"}),
        ("{tail} quit? now", "#", {"quit", "now"}),
        ("{n}? pay now", "#", {"pay"}),
        ("now? now|quit pay", "now", {"now", "quit", "pay"}),
        ("now? now", "now", set()),
    ],
)
def test_a_pattern_is_kept_by_the_words_that_may_follow_its_first(pattern: str, first: str, seconds: set[str]) -> None:
    assert compiled(pattern, FOLDING, NAMES).seconds(first) == seconds


@pytest.mark.parametrize(("text", "number"), [("一十", 10), ("一十五", 15), ("十五", 15), ("二十", 20), ("三十一", 31)])
def test_a_number_may_be_spelled_in_characters(text: str, number: int) -> None:
    matcher = PhraseMatcher([(compiled("{start} {n} {end}", FOLDING, NAMES), None)])
    (found,) = matcher.within(list(text), 0, len(text))
    assert (found.end, found.read) == (len(text), (number,))


def test_what_is_longer_than_any_numeral_is_no_number_so_that_a_long_row_is_not_read_again_at_each_place() -> None:
    with_zero = NAMES._replace(numbers={**NAMES.numbers, "〇": 0})
    matcher = PhraseMatcher([(compiled("{n}", FOLDING, with_zero), None)])
    assert [(found.start, found.end) for found in matcher.within(list("〇〇〇〇一"), 0, 5)] == [
        (1, 5),
        (2, 5),
        (3, 5),
        (4, 5),
    ]


@pytest.mark.parametrize("text", ["二二", "二十二二", "十十", "二十十", "十二十", "百", "三十一二"])
def test_characters_that_spell_no_number_are_not_read_as_a_longer_one(text: str) -> None:
    matcher = PhraseMatcher([(compiled("{start} {n} {end}", FOLDING, NAMES), None)])
    assert list(matcher.within(list(text), 0, len(text))) == []


@pytest.mark.parametrize(
    "pattern", ["..", ".. pay", "pay?", "pay? soon?", "pay||soon", "{nothing}", "|", "{start} {end}", "_"]
)
def test_a_pattern_that_breaks_the_language_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern, FOLDING, NAMES)


@pytest.mark.parametrize("name", ["weekday", "monthname", "ordinal"])
def test_a_name_that_a_file_does_not_list_is_refused(name: str) -> None:
    with pytest.raises(PatternError, match=name):
        compiled(f"{{{name}}}", FOLDING, Vocabulary({}, {}, {}))


@pytest.mark.parametrize("name", ["n", "day", "month", "year", "roc"])
def test_a_number_of_several_words_is_refused_and_not_read_by_its_first(name: str) -> None:
    with pytest.raises(PatternError, match="twenty one"):
        compiled(f"{{{name}}}", FOLDING, Vocabulary({}, {}, {"twenty one": 21}))
