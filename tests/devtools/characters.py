"""
Write the tables of characters that stand for one another: `make characters`, then review the diff.

Simplified forms come from OpenCC, for the characters of the linter's words and negators and of the replies' rules only;
letters that look like Latin ones from Unicode's confusables and from the names of the letters.
"""

import re
import sys
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from confusable_homoglyphs.confusables import confusables_data
from opencc import OpenCC  # type: ignore[attr-defined]

from dunning.domain.texts.lint import negation

POLICY = Path(__file__).parents[2] / "layers/dunning/python/dunning/policy/data"
SOURCE = "OpenCC (t2s, tw2s, hk2s); Unicode confusables; names of Unicode letters"

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN_BY_NAME = re.compile(r"LATIN (?:SMALL |CAPITAL )?LETTER (SMALL CAPITAL )?([A-Z])(?: WITH .*)?")
_ENCLOSED = re.compile(r"(?:NEGATIVE |REGIONAL INDICATOR ).*LETTER ([A-Z])")
_ALIKE_IN_LOWER_CASE = {
    "т": "t", "к": "k", "м": "m", "н": "h", "в": "b", "п": "n", "г": "r", "и": "u", "ь": "b", "з": "e",
    "τ": "t", "κ": "k", "η": "n", "ε": "e", "μ": "u", "χ": "x", "ω": "w", "θ": "o", "λ": "l",
}  # fmt: skip
"""Letters that pass for Latin ones in a word, though Unicode does not list them as confusable on their own."""


@cache
def _converter(direction: str) -> OpenCC:
    return OpenCC(direction)  # type: ignore[no-untyped-call]


def converted(text: str, direction: str) -> str:
    """Convert a text between the scripts, `s2tw` from Simplified to that of Taiwan."""
    return str(_converter(direction).convert(text))  # type: ignore[no-untyped-call]


def characters_of_words() -> set[str]:
    """Return every Chinese character of the words, their contexts and the negators, and of the rules for replies."""
    raw = tomllib.loads((POLICY / "linter.toml").read_text("utf-8"))
    rules = (*raw["words"], *raw["disclosure"], *raw["disclosing_sender"])
    written = [word for rule in rules for word in (*rule["zh"], *rule.get("except", ()))]
    patterns = [value.pattern for value in vars(negation).values() if isinstance(value, re.Pattern)]
    replies = [file.read_text("utf-8") for file in (POLICY / "replies").glob("*.toml")]
    return set(_HAN.findall("".join([*written, *patterns, *replies])))


def simplified_forms() -> dict[str, str]:
    """Return for each Simplified character of the words every other character that OpenCC simplifies to it."""
    every = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    wanted = {converted(character, "t2s") for character in characters_of_words()}
    forms: dict[str, set[str]] = {}
    for direction in ("t2s", "tw2s", "hk2s"):
        simple = converted("\n".join(every), direction).split("\n")
        for character, plain in zip(every, simple, strict=True):
            if plain != character and plain in wanted:
                forms.setdefault(plain, set()).add(character)
    return {plain: "".join(sorted(others)) for plain, others in sorted(forms.items())}


def lookalikes() -> dict[str, str]:
    """Return for each Latin letter the characters that look like it and do not decompose into it."""
    alike: dict[str, set[str]] = {}
    for letter, others in confusables_data.items():
        if len(letter) == 1 and letter.isascii() and letter.isalpha():
            alike.setdefault(letter, set()).update(other["c"] for other in others)
    for code in range(0xA0, 0x1F200):
        name = unicodedata.name(chr(code), "")
        if match := _LATIN_BY_NAME.fullmatch(name):
            alike.setdefault(match[2].lower(), set()).add(chr(code))
        elif match := _ENCLOSED.fullmatch(name):
            alike.setdefault(match[1].lower(), set()).add(chr(code))
    for character, letter in _ALIKE_IN_LOWER_CASE.items():
        alike.setdefault(letter, set()).add(character)
    return _each_once(alike)


def _each_once(alike: Mapping[str, set[str]]) -> dict[str, str]:
    taken: set[str] = set()
    table = {}
    for letter in sorted(alike, reverse=True):  # small letters first: both cases fold into one
        others = sorted(other for other in alike[letter] if _is_foreign_letter(other) and other not in taken)
        taken.update(others)
        if others:
            table[letter] = "".join(others)
    return dict(sorted(table.items()))


def _is_foreign_letter(character: str) -> bool:
    return (
        len(character) == 1
        and not character.isascii()
        and not unicodedata.normalize("NFKD", character)[0].isascii()
        and not _HAN.match(character)
        and character != "〇"
    )


def _table(name: str, rows: Iterable[tuple[str, str]]) -> str:
    return f"\n[{name}]\n" + "".join(f'"{plain}" = "{others}"\n' for plain, others in rows)


def characters_file() -> str:
    """Return the whole data file."""
    return (
        "# Which characters stand for which. Written by `make characters`; not edited by hand.\n"
        f'source = "{SOURCE}"\n'
        + _table("simplified", simplified_forms().items())
        + _table("lookalikes", lookalikes().items())
    )


def main() -> None:
    """Write the file."""
    (POLICY / "characters.toml").write_text(characters_file(), "utf-8")
    sys.stdout.write("characters.toml written\n")


if __name__ == "__main__":
    main()
