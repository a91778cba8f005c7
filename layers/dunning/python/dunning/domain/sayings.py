"""Sayings: what is said of a limit, as codes and values. Pages and programs write them in the reader's language."""

from collections.abc import Mapping
from typing import NamedTuple


class Saying(NamedTuple):
    """A saying: its code, and the values of its placeholders, which may be sayings themselves."""

    code: str
    values: Mapping[str, object] = {}

    @classmethod
    def of(cls, code: str, **values: object) -> "Saying":
        """Return the saying of a code with its values."""
        return cls(code, values)


class Sayings(NamedTuple):
    """Several sayings, one after another."""

    parts: tuple[object, ...]
