"""Planting: what a sabotage is, and how the slip of a good engineer is planted in a function or in its place."""

import __future__

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from inspect import getsource
from textwrap import dedent
from types import CodeType
from typing import Any
from unittest.mock import patch

from tests.simulation.search import Budget

type Plant = Callable[[], AbstractContextManager[object]]

FEW = (Budget(1, 0), Budget(0, 2))
"""Most sabotages need one fault, or one meeting of two programs."""
MORE = (Budget(2, 1),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """A planted fault: what it is, where it is looked for, and which promises it has to break (one of them)."""

    name: str
    plant: Plant
    scenario: str
    breaks: tuple[str, ...]
    bounds: tuple[Budget, ...] = FEW


def patched(target: object, name: str, value: object) -> Plant:
    """Plant a value in place of an attribute."""
    return lambda: patch.object(target, name, value)


def edited(*edits: tuple[Callable[..., Any], str, str]) -> Plant:
    """Plant changed words in functions, each there once. Whoever has imported a function runs it as it was changed."""

    @contextmanager
    def plant() -> Iterator[None]:
        with ExitStack() as planted:
            for function, before, after in edits:
                planted.callback(setattr, function, "__code__", function.__code__)
                function.__code__ = _code_with(function, before, after)
            yield

    return plant


def _code_with(function: Callable[..., Any], before: str, after: str) -> CodeType:
    written = dedent(getsource(function))
    assert written.count(before) == 1, f"{function.__qualname__} no longer says {before!r} once"
    made: dict[str, Any] = {}
    flags = __future__.annotations.compiler_flag
    module = compile(written.replace(before, after), __file__, "exec", flags, dont_inherit=True)
    exec(module, function.__globals__, made)  # noqa: S102 - our own source
    code: CodeType = made[function.__name__].__code__
    return code
