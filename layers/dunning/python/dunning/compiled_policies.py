"""
Compiled policies: the policy files as objects. They are written when the layer is built, or else loaded from the files.

To read and check all files would take a third of a cold start, and the files of a layer never change. So
`layers/dunning/compile_policies.py` loads the files with all their checks and writes the objects into the layer;
`make build` refuses a layer whose objects differ from its files. A working copy has nothing compiled.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dunning.domain.replies.local_reader import LocalReader
    from dunning.policy import PolicyBook

COMPILED_FOLDER = Path(__file__).parent / "policy" / "compiled"


def policies() -> PolicyBook:
    """Return all policies."""
    book: PolicyBook = _read_compiled("policies")
    return book


def reply_reader() -> LocalReader:
    """Return the reader of replies."""
    reader: LocalReader = _read_compiled("reply_reader")
    return reader


def calendars_needed() -> Mapping[str, date]:
    """Return the countries whose calendar some lender's rules need, and the last day it covers."""
    needed: Mapping[str, date] = _read_compiled("calendars_needed")
    return needed


def _read_compiled(name: str) -> Any:  # noqa: ANN401 - each its own
    try:
        with (COMPILED_FOLDER / f"{name}.pickle").open("rb") as file:
            return pickle.load(file)  # noqa: S301 - a part of the layer, as trusted as its bytecode
    except FileNotFoundError:
        return LOADERS[name]()


# The loaders are imported only when they are needed: with compiled policies, no code reads and checks files.


def _policies_from_files() -> PolicyBook:
    from dunning.policy import load_policies  # noqa: PLC0415

    return load_policies()


def _reply_reader_from_files() -> LocalReader:
    from dunning.policy.reply_files import load_reply_reader  # noqa: PLC0415

    return load_reply_reader()


def _calendars_from_files() -> Mapping[str, date]:
    from dunning.policy import load_calendars_needed  # noqa: PLC0415

    return load_calendars_needed()


LOADERS: Mapping[str, Callable[[], object]] = {
    "policies": _policies_from_files,
    "reply_reader": _reply_reader_from_files,
    "calendars_needed": _calendars_from_files,
}
"""How each compiled object is loaded from the files."""
