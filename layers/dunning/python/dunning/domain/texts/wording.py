"""
Texts: wording with a restricted set of placeholders, compiled once, filled strictly.

A missing value, an unused one, or an unknown placeholder is refused; nothing but these names can be filled in.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import NamedTuple

from dunning.domain.errors import TextError

PLACEHOLDERS = frozenset({"name", "tail", "amount", "fee", "date", "days", "count", "pay", "hotline"})
"""
name: masked name, in Chinese only · tail: last digits of the account · amount: total due with its currency · fee: the
late fee in it · date: the earliest due date · days: days since then · count: how many instalments · pay: ways to pay ·
hotline: whom to ask.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """
    One wording: `template` is its `id@version`, `pattern` a `%` format over `placeholders`, in order.

    `distinct` is how many of them there are, each counted once.
    """

    template: str
    pattern: str
    placeholders: tuple[str, ...]
    distinct: int


class TextVariant(NamedTuple):
    """The wordings of an arm by language, stage, and whether several instalments are due; those with a fee apart."""

    texts: Mapping[tuple[str, int, bool], Text]
    texts_with_fee: Mapping[tuple[str, int, bool], Text]


def compile_text(template: str, wording: str, permitted: Collection[str] = PLACEHOLDERS) -> Text:
    """
    Compile a wording such as `Hi {name}, {amount} is due {date}` into a pattern and its placeholders.

    `permitted` are the placeholders that it may have.

    Raises:
        TextError: a placeholder is unknown, formatted, converted, or a brace is unmatched.
    """
    pattern = []
    names = []
    try:
        pieces = list(Formatter().parse(wording))
    except ValueError as error:
        raise TextError(f"{template}: {error}") from error
    for literal, name, specification, conversion in pieces:
        pattern.append(literal.replace("%", "%%"))
        if name is None:
            continue
        if name not in permitted or specification or conversion:
            allowed = ", ".join(sorted(permitted))
            raise TextError(f"{template}: placeholder {{{name}}} is not one of: {allowed}")
        pattern.append("%s")
        names.append(name)
    return Text(template, "".join(pattern), tuple(names), len(set(names)))


def render(text: Text, values: Mapping[str, str]) -> str:
    """
    Fill a text in.

    Raises:
        TextError: a placeholder has no value or an empty one, or a value belongs to no placeholder.
    """
    filled = fill(text, values)
    if len(values) != text.distinct:
        unused = ", ".join(sorted(values.keys() - set(text.placeholders)))
        raise TextError(f"{text.template}: no placeholder for {unused}")
    return filled


def fill(text: Text, values: Mapping[str, str]) -> str:
    """
    Fill in a text that is a part of a message, whose other parts have the other values.

    Raises:
        TextError: a placeholder has no value or an empty one.
    """
    try:
        filled = tuple([values[name] for name in text.placeholders])
    except KeyError as missing:
        raise TextError(f"{text.template}: no value for {missing}") from None
    if "" in filled:
        raise TextError(f"{text.template}: an empty value")
    return text.pattern % filled
