"""Reads data files. A faulty file is refused with file, line, field and reason."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import BaseModel, ValidationError

from dunning.domain.errors import DunningError

type Where = Sequence[str | int]
"""A field of a file: keys, and positions in lists, from the outside in."""

_TABLE = re.compile(r"\s*(\[\[?)\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_ENTRY = re.compile(r"""\s*(?P<name>(?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_NAME = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


class PolicyError(DunningError):
    """A data file is refused. The message names the file, the line, the field and the reason."""


class DataFile:
    """
    One TOML file: its name as people know it, its text, and what it says.

    `text` may be how to read it, for when it is needed. One that was pickled is the file of that name in the package.
    """

    def __init__(self, name: str, text: str | Callable[[], str]) -> None:
        self.name = name
        self._text = text

    def __reduce__(self) -> tuple[Callable[[str], "DataFile"], tuple[str]]:
        return _of_the_package, (self.name,)

    @cached_property
    def text(self) -> str:
        """
        What is written in it.

        Raises:
            PolicyError: it is not in UTF-8.
        """
        return self._text if isinstance(self._text, str) else self._text()

    @cached_property
    def raw(self) -> dict[str, Any]:
        """
        What it says.

        Raises:
            PolicyError: it is not TOML.
        """
        # Imported here: at a cold start all files have been read long ago, when the layer was built.
        import tomllib  # noqa: PLC0415

        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise PolicyError(f"{self.name}: not TOML: {_shown(str(error))}") from error
        except (ValueError, RecursionError):
            reason = "nested too deeply, or a number of thousands of digits"
            raise PolicyError(f"{self.name}: not TOML: {reason}") from None

    @cached_property
    def _lines(self) -> dict[tuple[str | int, ...], int]:
        return _lines_of(self.text)

    def line(self, where: Where) -> int:
        """Return the line of a field, or of the nearest thing around it that has one."""
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
        return PolicyError(": ".join(filter(None, (self.at(*where), _shown(field), _shown(reason)))))

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


def _shown(text: str) -> str:
    """Return a text on one line, with escapes in place of what would steer a terminal: a key may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _worst_of(errors: Sequence[Any]) -> tuple[Where, str]:
    """Return what to say first: a key that is unknown, which may be why another is missing, else the first error."""
    import difflib  # noqa: PLC0415 - no cold start has to do with it

    for error in errors:
        if error["type"] != "extra_forbidden":
            continue
        *around, name = error["loc"]
        missing = [
            str(fault["loc"][-1]) for fault in errors if fault["type"] == "missing" and [*fault["loc"][:-1]] == around
        ]
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
    return tuple(basic or literal or bare for basic, literal, bare in _NAME.findall(written))


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


def folders_with(data: Traversable, folder: str, name: str) -> dict[str, str]:
    """Return the folders in a folder that hold one of a name, by their own names: demo-tw, lenders/demo-tw/texts."""
    inside = sorted((data / folder).iterdir(), key=lambda entry: entry.name)
    return {
        entry.name: f"{folder}/{entry.name}/{name}" for entry in inside if entry.is_dir() and (entry / name).is_dir()
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
    return DataFile(name, partial(_read_text, name, entry))


def _of_the_package(name: str) -> DataFile:
    return _data_file(name, files("dunning.policy") / "data" / name)


def _read_text(name: str, entry: Traversable) -> str:
    """Read a file in UTF-8. The mark that Windows editors put in front of it is no part of it."""
    try:
        return entry.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PolicyError(f"{name}:{line}: not UTF-8: save the file in that encoding") from None
