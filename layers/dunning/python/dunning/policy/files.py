"""Reading data files: what is wrong with one is refused, naming file, line, field and reason."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import BaseModel, ValidationError

from dunning.domain.errors import DunningError

_PACKAGE = files("dunning.policy")

type Where = Sequence[str | int]
"""A field of a file: keys, and positions in lists, from the outside in."""

_TABLE = re.compile(r"\s*(\[\[?)\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ENTRY = re.compile(r"""\s*(?P<name>(?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_NAME = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


class PolicyError(DunningError):
    """A data file is refused. The message names the file, the line, the field and the reason."""


class DataFile:
    """One TOML file: its name as people know it, its text, and what it says."""

    def __init__(self, name: str, text: str | Callable[[], str], raw: dict[str, Any] | None = None) -> None:
        """
        Keep a file.

        Args:
            name: as people know it.
            text: what is written in it, or how to read that when a line is asked for.
            raw: what it says, if that is known already.

        Raises:
            PolicyError: it is not TOML.
        """
        self.name = name
        self._text = text
        self._lines: dict[tuple[str | int, ...], int] | None = None
        self.raw = _parsed(name, self.text) if raw is None else raw

    @property
    def text(self) -> str:
        """What is written in it."""
        return self._text if isinstance(self._text, str) else self._text()

    def line(self, where: Where) -> int:
        """Return the line of a field, or of the nearest thing around it that has one."""
        if self._lines is None:
            self._lines = _lines_of(self.text)
        path = tuple(where)
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines[path] if path else 1

    def at(self, *where: str | int) -> str:
        """Return a field's place as `lenders/demo-tw.toml:12`."""
        return f"{self.name}:{self.line(where)}"

    def refusal(self, where: Where, reason: str) -> PolicyError:
        """Return the error that refuses this file for a field."""
        field = ".".join(map(str, where))
        return PolicyError(": ".join(filter(None, (self.at(*where), field, reason))))

    def read[M: BaseModel](self, model: type[M], *under: str) -> M:
        """
        Return what the file, or a table of it, says.

        Raises:
            PolicyError: it does not fit the model.
        """
        found: Any = self.raw
        for key in under:
            found = found[key]
        try:
            return model.model_validate(found)
        except ValidationError as error:
            where, reason = _worst_of(error.errors(include_url=False))
            raise self.refusal((*under, *where), reason) from error


def _worst_of(errors: Sequence[Any]) -> tuple[Where, str]:
    """Return what to say first: a key that is unknown, which may be why another is missing, else the first error."""
    for error in errors:
        if error["type"] != "extra_forbidden":
            continue
        *around, name = error["loc"]
        missing = [str(one["loc"][-1]) for one in errors if one["type"] == "missing" and [*one["loc"][:-1]] == around]
        meant = difflib.get_close_matches(str(name), missing, n=1)
        return error["loc"], "is no key here" + (f"; did you mean {meant[0]}?" if meant else "")
    return errors[0]["loc"], errors[0]["msg"].removeprefix("Value error, ")


def _lines_of(text: str) -> dict[tuple[str | int, ...], int]:
    """Return the line of each table and entry of a TOML text; a table only named as part of another begins there."""
    own: dict[tuple[str | int, ...], int] = {}
    around: dict[tuple[str | int, ...], int] = {}
    for path, number in _entries(text):
        own.setdefault(path, number)
        for end in range(1, len(path)):
            around.setdefault(path[:end], number)
    return around | own


def _entries(text: str) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Yield each table and entry of a TOML text with its line. Lists of tables are counted from zero."""
    table: tuple[str | int, ...] = ()
    last: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _names(header["name"])
            if header[1] == "[[":
                last[table] = last.get(table, -1) + 1
                table = (*table, last[table])
            yield table, number
        elif entry := _ENTRY.match(line):
            yield (*table, *_names(entry["name"])), number


def _names(written: str) -> tuple[str, ...]:
    return tuple(one or two or three for one, two, three in _NAME.findall(written))


def toml_files(data: Traversable, folder: str) -> dict[str, DataFile]:
    """
    Return the files of a folder by their names without `.toml`, in order.

    Raises:
        PolicyError: there is no such folder, or a file of it is not TOML.
    """
    if not (data / folder).is_dir():
        raise PolicyError(f"{folder}: there is no such folder")
    return {
        entry.name.removesuffix(".toml"): _data_file(f"{folder}/{entry.name}", entry)
        for entry in sorted((data / folder).iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }


def toml_file(data: Traversable, name: str) -> DataFile:
    """
    Return one file of the folder.

    Raises:
        PolicyError: it is missing, or not TOML.
    """
    entry = data / name
    if not entry.is_file():
        raise PolicyError(f"{name}: missing")
    return _data_file(name, entry)


def _data_file(name: str, entry: Traversable) -> DataFile:
    read = partial(_read, name, entry)
    return DataFile(name, read, _known(entry, name))


def _parsed(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{name}: not TOML: {error}") from error


def _known(entry: Traversable, name: str) -> dict[str, Any] | None:
    """Return what a file of the package says, if the build of the layer has written it down."""
    known = files_of_the_layer()
    return known.get(name) if known and entry == _PACKAGE / name else None


@cache
def files_of_the_layer() -> Mapping[str, dict[str, Any]] | None:
    """
    Return what all files of the package say, or `None` where they are only in TOML, as in a working copy.

    Reading TOML takes 20 ms of a cold start. `layers/dunning/parse_policies.py` does it when the layer is built, and
    `make build` refuses a layer in which it is not what the files say.
    """
    try:
        known: Mapping[str, dict[str, Any]] = import_module("dunning.policy.parsed").FILES
    except ModuleNotFoundError:
        return None
    return known


def _read(name: str, entry: Traversable) -> str:
    """Read a file in UTF-8. The mark that Windows editors put in front of it is no part of it."""
    try:
        return entry.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PolicyError(f"{name}:{line}: not UTF-8: save the file in that encoding") from None
