"""What is fuzzed: a parser at the edge, its samples, how they are changed, and what has to hold of each input."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.fuzz.mutation import Mutator

TAKEN = "taken"


class Parser(NamedTuple):
    """
    A parser.

    `check` feeds it an input and returns `TAKEN`, or why the input was refused. It raises whatever must not happen:
    an `AssertionError` for a rule that was broken, and any error but those that the parser's documentation names.
    """

    name: str
    check: Callable[[bytes], str]
    samples: Callable[[], Iterable[bytes]]
    mutate: Mutator
