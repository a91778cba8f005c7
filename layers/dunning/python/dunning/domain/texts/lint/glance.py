"""
A quick look at a text, for every message that is sent: it may see too much, and never too little.

What it sees is read in full afterwards. It takes a text as it is, and so does nothing to one of plain characters.
"""

import re
from collections.abc import Collection, Sequence
from functools import cached_property

from dunning.domain.texts.lint.english import COMMON, Pieces, tokens_of
from dunning.domain.texts.lint.folding import BETWEEN, HAN, Folding

_ODD = re.compile(f"[^\n -_a-~·—“”。，、；：！？（）「」『』《》【】{HAN}]")
"""Everything but characters that fold into themselves, or in case and script only."""

_STOP_IN_HOST = re.compile("。(?<=[A-Za-z0-9]。)(?=[A-Za-z])")
_LETTER_THEN_DIGIT = re.compile(r"[A-Za-z][0-9|]{1,2}(?![0-9|]|[.,][0-9])")

_ASCII = [chr(code) for code in range(128)]
_NOT_ASCII = [" "] * 128
_TO_WORDS = "".join(["l" if c in "iI" else c.lower() if c.isalpha() else " " for c in _ASCII] + _NOT_ASCII).encode()
"""Turns ASCII into the letters of its English words."""
_TO_KINDS = "".join(
    ["a" if c.isalpha() else "0" if c.isdigit() or c == "|" else "@" if c in "@$!./" else " " for c in _ASCII]
    + _NOT_ASCII
).encode()
"""Turns ASCII into kinds of characters: a letter, a digit, and `@` for what may pass for a letter or be in a link."""

_ORDINARY = frozenset(
    "action contact code time number your visit free credit account last final".replace("i", "l").split()
)
"""Words of phrases that are common in reminders: "visit your home" is noticed by home."""
_ORDINARY_PAIRS = frozenset(["您的", "联系", "公司", "通知", "收到", "到您", "提前", "最后"])
"""As `_ORDINARY`, of two Chinese characters."""


class Glance:
    """Tells whether a text has to be read."""

    def __init__(
        self,
        chinese: Collection[str],
        english: Collection[Sequence[str]],
        pieces: Pieces,
        folding: Folding,
        hosts: Collection[str],
    ) -> None:
        identifying = {_most_telling(parts) for parts in english}
        identifying.update(_most_telling([token.word for token in tokens_of(host)]) for host in hosts)
        self._identifying = frozenset(word.encode() for word in identifying)
        self._first_pieces = frozenset(piece.encode() for piece in pieces.beginnings - COMMON)
        self._two_pieces = frozenset(piece.encode() for piece in pieces.beginnings | pieces.words)
        self._noticed = self._identifying | self._first_pieces
        self._pairs = frozenset(
            first + second
            for pair in {_most_telling_pair(word) for word in chinese}
            for first in folding.variants(pair[0])
            for second in (folding.variants(pair[1]) if len(pair) > 1 else [""])
        )
        self._first, self._second, self._alone = (
            "".join(sorted(characters)) or "\0"
            for characters in (
                {pair[0] for pair in self._pairs},
                {pair[1] for pair in self._pairs if len(pair) > 1},
                {pair for pair in self._pairs if len(pair) == 1},
            )
        )

    def __getstate__(self) -> dict[str, object]:
        # A pickled pattern is compiled anew, and at once: it is made when it is needed, as here.
        return {name: value for name, value in self.__dict__.items() if not isinstance(value, re.Pattern)}

    @cached_property
    def _two(self) -> re.Pattern[str]:
        """Made for the first Chinese text: it takes 2 ms, and most functions never see one."""
        return re.compile(f"[{self._first}](?={BETWEEN}*([{self._second}])|(?<=[{self._alone}]))")

    @property
    def chinese(self) -> str:
        """The Chinese characters that are noticed: all others are alike."""
        return self._first + self._second + self._alone

    def get_ready(self) -> None:
        """Build now what the first text would have to wait for."""
        _ = self._two

    def must_be_read(self, text: str) -> bool:
        """Tell whether a text may hold a listed word, a link or odd characters; if not, it surely holds none."""
        if text.isascii():
            if (not text.isprintable() or "`" in text) and _ODD.search(text) is not None:
                return True
        elif (
            _ODD.search(text) is not None
            or self._may_say_chinese(text)
            or (text.find("。", 1) > 0 and _STOP_IN_HOST.search(text) is not None)
        ):
            return True
        encoded = text.encode("ascii", "replace")
        kinds = encoded.translate(_TO_KINDS)
        find = kinds.find  # quicker than `in` for bytes
        if find(b"0a") >= 0 or find(b"@a") >= 0 or find(b"@@") >= 0:
            return True
        if find(b"a0") >= 0 and _LETTER_THEN_DIGIT.search(text) is not None:
            return True
        words = encoded.translate(_TO_WORDS).split()
        noticed = self._noticed.intersection(words)
        return bool(noticed) and self._may_say_english(words, noticed)

    def _may_say_chinese(self, text: str) -> bool:
        pairs = self._pairs
        for match in self._two.finditer(text):  # noqa: SIM110 - a generator costs as much as the search
            if match[0] in pairs or (match[1] and match[0] + match[1] in pairs):
                return True
        return False

    def _may_say_english(self, words: Sequence[bytes], noticed: Collection[bytes]) -> bool:
        """Tell whether a text holds an identifying word, or two pieces that may belong to such a word."""
        if not self._identifying.isdisjoint(noticed):
            return True
        return any(words.count(piece) > 1 or self._may_be_in_pieces(words, words.index(piece)) for piece in noticed)

    def _may_be_in_pieces(self, words: Sequence[bytes], index: int) -> bool:
        """Tell whether a piece goes on in the next word, or is a single letter beside another."""
        piece = words[index]
        following = words[index + 1] if index + 1 < len(words) else b""
        if len(piece) == 1 and (len(following) == 1 or (index and len(words[index - 1]) == 1)):
            return True
        return bool(following) and piece + following in self._two_pieces


def _most_telling(parts: Sequence[str]) -> str:
    """Return the word of a phrase by which it is noticed: not an ordinary one, and a long one."""
    return max(parts, key=lambda part: (part.isalpha(), part not in _ORDINARY and part not in COMMON, len(part)))


def _most_telling_pair(word: str) -> str:
    """Return the two characters of a Chinese word by which it is noticed, or its only one."""
    pairs = [word[index : index + 2] for index in range(max(1, len(word) - 1))]
    return next((pair for pair in pairs if pair not in _ORDINARY_PAIRS and "#" not in pair), pairs[0])
