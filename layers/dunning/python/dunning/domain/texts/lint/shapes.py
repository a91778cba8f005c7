"""
Shapes: one faultless message stands for all that no rule tells apart from it.

No rule asks which digit stands somewhere, nor which character a name has, unless a list or a phrase holds it. So a
shape is a message whose values have `0` for each digit, and whose name has `ANY_HAN` for each other Chinese character.
Only for the hotline does it matter which digits they are: no number may stand beside it, and its own is cut out where
long numbers are looked for. It stands in a shape as it is.

What is faultless as a shape is so in each of its messages. Of a shape with faults nothing is said.
"""

from collections.abc import Collection, Iterable, Mapping

from dunning.domain.texts.lint.content import ContentPhrases, stands_alone
from dunning.domain.texts.lint.findings import ArrivingText
from dunning.domain.texts.lint.glance import Glance

ANY_HAN = "\u4e28"
"""Stands for any other: a character of one stroke, which no name has and no list."""

_FIRST_HAN, _LAST_HAN = "\u4e00", "\u9fff"
"""The characters that it stands for. They are alike in a segment, too: rarer ones take the place of two."""

_DIGITS = "0123456789"
_ANY_DIGIT = str.maketrans(dict.fromkeys(_DIGITS, "0"))
_TO_ZERO = bytes(ord("0") if chr(byte) in _DIGITS else byte for byte in range(256))
_APART = "\0"
_SHOWN = ("amount", "tail", "date", "hotline")
"""The values that have to stand there by themselves, and not as a part of a longer number."""


def shape_of_values(values: Iterable[str]) -> bytes:
    """Return the shape of values, whose name is one already. Two rows of as many values differ in it, or are alike."""
    return _APART.join(values).encode("utf-8", "surrogatepass").translate(_TO_ZERO)


def values_in_shape(shape: bytes) -> list[str]:
    """Return the values of a shape. There are more of them where a value holds what stands between them."""
    return shape.decode("utf-8", "surrogatepass").split(_APART)


def shape_of_name(name: str, apart: Collection[str]) -> str:
    """Return a name with `ANY_HAN` for each Chinese character but those that are told apart."""
    return "".join([ANY_HAN if _FIRST_HAN <= each <= _LAST_HAN and each not in apart else each for each in name])


def told_apart(glance: Glance, phrases: Iterable[ContentPhrases]) -> frozenset[str]:
    """Return the characters that some rule looks for in a text that is not read in full."""
    words = [word for of_language in phrases for field in of_language if isinstance(field, tuple) for word in field]
    return frozenset(glance.chinese).union(*words)


def is_neutral(apart: Collection[str]) -> bool:
    """Tell whether what stands for others is told apart from nothing, and no digit from another."""
    return not any(each in apart for each in (ANY_HAN, *_DIGITS))


def values_stand_alone(shape: ArrivingText, places: Mapping[str, int]) -> bool:
    """
    Tell whether each value of a shape is shown where it was filled in, and the hotline there only.

    That holds for every message of the shape. Elsewhere a value may be found in one message and not in another.
    """
    text, values = shape.text, shape.values
    for name in _SHOWN:
        place = places.get(name)
        if place is None or not stands_alone(text, values[name], place):
            return False
    hotline, place = values["hotline"], places["hotline"]
    if hotline[-1].isdigit() and not hotline.isascii():
        return False  # a name may begin it
    form, wanted = (words.translate(_ANY_DIGIT) for words in (text, hotline))
    return form.find(wanted) == place == form.rfind(wanted)
