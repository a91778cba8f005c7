"""
What the policy files come to: prepared when the layer is built, or else loaded here and now.

To read and check all files would be a third of a cold start, and those of a layer never change. What they come to is
written by `layers/dunning/prepare.py`, which loads them with all their checks; `make build` refuses a layer in which
they come to something else. A working copy has nothing prepared.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dunning.domain.replies.reader import PhraseReader
    from dunning.policy import PolicyBook

COMPILED_FOLDER = Path(__file__).parent / "policy" / "compiled"


def policies() -> PolicyBook:
    """Return all policies."""
    book: PolicyBook = _compiled("policies")
    return book


def reply_reader() -> PhraseReader:
    """Return the reader of replies."""
    reader: PhraseReader = _compiled("reply_reader")
    return reader


def calendars_needed() -> Mapping[str, date]:
    """Return the countries whose calendar some lender's rules need, and the last day it covers."""
    needed: Mapping[str, date] = _compiled("calendars_needed")
    return needed


def _compiled(what: str) -> Any:  # noqa: ANN401 - each its own
    try:
        with (COMPILED_FOLDER / f"{what}.pickle").open("rb") as file:
            return pickle.load(file)  # noqa: S301 - a part of the layer, as trusted as its bytecode
    except FileNotFoundError:
        return LOADERS[what]()


# Imported where it is loaded: where all is prepared, nobody needs what reads and checks files.


def _load_policies() -> PolicyBook:
    from dunning.policy import load_policies  # noqa: PLC0415

    return load_policies()


def _load_reply_reader() -> PhraseReader:
    from dunning.policy.reply_rules import load_reply_rules  # noqa: PLC0415

    return load_reply_rules()


def _load_calendars_needed() -> Mapping[str, date]:
    from dunning.policy import load_calendars_needed  # noqa: PLC0415

    return load_calendars_needed()


LOADERS: Mapping[str, Callable[[], object]] = {
    "policies": _load_policies,
    "reply_reader": _load_reply_reader,
    "calendars_needed": _load_calendars_needed,
}
"""How all that can be prepared is loaded from the files."""
