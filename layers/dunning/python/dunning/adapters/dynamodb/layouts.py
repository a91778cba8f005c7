"""
Layouts: which fields a stored array or item has, in which order, and how each is written.

A layout is used in both directions, so the order of fields is declared once. The rule for changing it is: append
only. A new field goes to the end and has a default, and `SCHEMA` of `items` rises by one. What a field means never
changes: a new meaning is a new field. So an older program reads what a newer program writes, and the other way round:

- elements behind the last known field, and attributes that are not known, are ignored;
- elements that are missing at the end, and attributes that are missing, have their defaults.

Anything else is refused. Every element is checked for its type, because a shifted array must not be misread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dunning.adapters.dynamodb.keys import instant_key, parse_instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

type Item = dict[str, AttributeValueTypeDef]
type StoredItem = Mapping[str, Any]

_REQUIRED: Final = object()
"""Stands where a default would: the field is always written, and has to be there."""

_NONE = type(None)
_STR = frozenset({str})


class Codec(NamedTuple):
    """
    How a value is written in JSON.

    `types` are those it may have in JSON. `write` turns the value into JSON. `read` turns it back, and raises a
    `TypeError` or `ValueError` for whatever else it is given. Without them the value is written as it is. Neither is
    ever given `None`.
    """

    types: frozenset[type]
    write: Callable[[Any], object] | None = None
    read: Callable[[Any], Any] | None = None

    def encode(self, value: object) -> object:
        """Write a value."""
        return value if self.write is None or value is None else self.write(value)


def optional(codec: Codec) -> Codec:
    """Return the codec of a value that may be `None`."""
    return codec._replace(types=codec.types | {_NONE})


def word[E: StrEnum](words: type[E]) -> Codec:
    """Return the codec of a member of an enumeration."""
    return Codec(frozenset({str}), lambda member: member.value, words)


def _read_texts(written: object) -> tuple[object, ...]:
    if not _STR.issuperset(map(type, listed(written))):
        raise TypeError("an element of another type")
    return tuple(listed(written))


TEXT = Codec(frozenset({str}))
NUMBER = Codec(frozenset({int}))
"""A whole number: not a flag, which Python takes for a number, too."""
FLAG = Codec(frozenset({bool}))


def _read_revision(revision: int) -> int:
    if revision < 1:
        raise ValueError("no revision")
    return revision


REVISION = Codec(frozenset({int}), None, _read_revision)
"""How often an item has been written, from 1 on: any other number would make each conditional write fail."""
DAY = Codec(frozenset({str}), date.isoformat, date.fromisoformat)
INSTANT = Codec(frozenset({str}), instant_key, parse_instant)


def _read_seconds(seconds: int) -> datetime:
    if type(seconds) is not int:
        raise TypeError("no number")
    if not 0 <= seconds <= _LAST_SECOND:
        raise ValueError("no instant")  # the operating system's error depends on how far out the number is
    return datetime.fromtimestamp(seconds, UTC)


_LAST_SECOND = 253_402_300_799  # of the year 9999
SECONDS = Codec(frozenset({int}), lambda moment: int(moment.timestamp()), _read_seconds)
"""An instant in whole seconds since 1970: the unit of DynamoDB's time to live."""
TEXTS = Codec(frozenset({list}), list, _read_texts)


class Field(NamedTuple):
    """
    One field of a type: its name there, how it is written, and its default if it may be left out.

    In an array a default says that the field is left out at the end, in an item that its attribute is left out.
    """

    name: str
    codec: Codec
    default: Any = _REQUIRED


class ArrayLayout[T]:
    """
    The fields of a type that is stored as an array, by position.

    Reading an array and writing one are compiled from the fields when first needed, as `dataclass` compiles an
    `__init__`: with a loop over the fields a customer takes a quarter longer to read.
    """

    def __init__(self, kept: Callable[..., T], *fields: Field) -> None:
        """
        Lay out a type.

        Raises:
            ValueError: the type has no such field, or cannot be made of these alone; or a field with a default is not
                at the end.
        """
        self.kept = kept
        self.fields = fields
        parameters = signature(kept).parameters.values()
        required = {parameter.name for parameter in parameters if parameter.default is Parameter.empty}
        if not required <= {field.name for field in fields} <= {parameter.name for parameter in parameters}:
            raise ValueError(f"{kept} is not made of these fields")
        may_be_left_out = [field.default is not _REQUIRED for field in fields]
        if may_be_left_out != sorted(may_be_left_out):
            raise ValueError(f"{kept} has a default before its end")

    @cached_property
    def read(self) -> Callable[..., T]:
        """
        Read an array, given as arguments.

        Raises:
            TypeError, ValueError: the array is not what `write` writes.
        """
        checks = " and ".join(filter(None, map(_check, self.fields)))
        read = {field.name: _call("read", field.name, field.codec, field.codec.read) for field in self.fields}
        return _compile_functions(
            f"def read({', '.join(map(_parameter, self.fields))}, *newer):",
            f"    if not ({checks or True}):",
            "        raise TypeError('an element of another type')",
            f"    return kept_type({', '.join(f'{name}={value}' for name, value in read.items())})",
            kept_type=self.kept,
            **{f"read_{field.name}": field.codec.read for field in self.fields},
            **{f"default_{field.name}": _default_as_written(field) for field in self.fields},
        )

    @cached_property
    def write(self) -> Callable[[T], list[object]]:
        """Write a value as an array, without the defaults at its end."""
        defaults = [field.codec.encode(field.default) for field in self.fields if field.default is not _REQUIRED]
        written = [_call("write", f"value.{field.name}", field.codec, field.codec.write) for field in self.fields]
        return _compile_functions(
            "def write(value):",
            f"    array = [{', '.join(written)}]",
            *[f"    if array[-1] == {default!r}: array.pop()\n    else: return array" for default in defaults[::-1]],
            "    return array",
            **{f"write_{field.name}": field.codec.write for field in self.fields},
        )

    def write_object(self, value: T) -> dict[str, object]:
        """Write a value as an object of JSON, by name, without defaults."""
        return {
            field.name: field.codec.encode(kept)
            for field in self.fields
            if (kept := getattr(value, field.name)) != field.default
        }

    def read_object(self, written: Mapping[str, object]) -> T:
        """
        Read an object of JSON; names that are not known are ignored.

        Raises:
            TypeError, ValueError: the object is not what `write_object` writes.
        """
        if type(written) is not dict:
            raise TypeError("no object")
        return self.read(*[written.get(field.name, _default_as_written(field)) for field in self.fields])


def _default_as_written(field: Field) -> object:
    """Return a field's default as it would be read from an array, where a text has no tuples."""
    return field.default if field.default is _REQUIRED else field.codec.encode(field.default)


def _parameter(field: Field) -> str:
    return field.name if field.default is _REQUIRED else f"{field.name}=default_{field.name}"


def _check(field: Field) -> str:
    """Return what has to be so of an element that is kept as it is; whatever reads an element checks it by itself."""
    if field.codec.read is not None:
        return ""
    kinds = " or ".join(
        f"{field.name} is None" if kind is _NONE else f"type({field.name}) is {kind.__name__}"
        for kind in sorted(field.codec.types, key=lambda kind: kind.__name__, reverse=True)
    )
    return f"({kinds})"


def _call(verb: str, value: str, codec: Codec, function: Callable[[Any], object] | None) -> str:
    """Return what turns a value into another, if anything does."""
    if function is None:
        return value
    turned = f"{verb}_{value.rpartition('.')[2]}({value})"
    return f"None if {value} is None else {turned}" if _NONE in codec.types else turned


def _compile_functions(*lines: str, **named: Any) -> Callable[..., Any]:  # noqa: ANN401 - types, functions, defaults
    """Compile a function that consists of names of fields, and of what is named here, nothing else."""
    exec("\n".join(lines), named)  # noqa: S102 - nothing that is stored or received is compiled
    compiled: Callable[..., Any] = named.get("read") or named["write"]
    return compiled


def listed(written: object) -> list[Any]:
    """
    Return what is written if it is an array of JSON.

    Raises:
        TypeError: it is something else.
    """
    if type(written) is not list:
        raise TypeError("no array")
    return written


def arrays(layout: ArrayLayout[Any]) -> Codec:
    """Return the codec of a sequence of values, each an array."""

    def read(written: object) -> tuple[object, ...]:
        read_array = layout.read
        return tuple([read_array(*listed(array)) for array in listed(written)])

    return Codec(frozenset({list}), lambda values: list(map(layout.write, values)), read)


def objects(layout: ArrayLayout[Any]) -> Codec:
    """Return the codec of a sequence of values, each an object of JSON."""
    return Codec(
        frozenset({list}),
        lambda values: list(map(layout.write_object, values)),
        lambda written: tuple(map(layout.read_object, listed(written))),
    )


def arrays_by_key(layout: ArrayLayout[Any]) -> Codec:
    """Return the codec of a mapping, each of its values an array."""

    def write(mapping: Mapping[str, object]) -> dict[str, object]:
        write_array = layout.write
        return {key: write_array(value) for key, value in mapping.items()}

    def read(written: Mapping[str, object]) -> dict[str, object]:
        read_array = layout.read
        return {key: read_array(*listed(array)) for key, array in written.items()}

    return Codec(frozenset({dict}), write, read)


def instants_by_key() -> Codec:
    """Return the codec of a mapping, each of its values an instant."""
    return Codec(
        frozenset({dict}),
        lambda mapping: {key: instant_key(moment) for key, moment in mapping.items()},
        lambda written: {key: parse_instant(moment) for key, moment in written.items()},
    )


class ItemLayout:
    """
    The fields that are stored as attributes of an item, by name.

    A number is stored as a number, a flag as a flag, a text, day or instant as a text; anything else as one JSON
    document.
    """

    def __init__(self, *fields: Field) -> None:
        self.fields = fields
        self.names = frozenset(field.name for field in fields)
        self._required = frozenset(field.name for field in fields if field.default is _REQUIRED)
        self._defaults = {field.name: field.default for field in fields if field.default is not _REQUIRED}
        self._writers = [(field, *_writer(field.codec)) for field in fields]
        self._readers = [(field.name, *_reader(field.codec)) for field in fields]

    def write(self, value: object) -> Item:
        """Write a value's fields as attributes, without defaults."""
        item: dict[str, Any] = {
            field.name: {kind: write(kept)}
            for field, kind, write in self._writers
            if (kept := getattr(value, field.name)) != field.default
        }
        return item

    def read(self, item: StoredItem) -> dict[str, Any]:
        """
        Read fields, by name; attributes that are not known are ignored.

        Raises:
            KeyError, TypeError, ValueError: the attributes are not what `write` writes.
        """
        if not self._required <= item.keys():
            raise KeyError("a required attribute")
        # A default that is a mapping is shared: the types are frozen, and nobody changes what they hold.
        values = self._defaults.copy()
        for name, kind, read in self._readers:
            if name in item:
                values[name] = read(item[name][kind])
        return values


def _writer(codec: Codec) -> tuple[str, Callable[[Any], Any]]:
    """Return the kind of an attribute, as DynamoDB calls it, and what writes it."""
    (written_as,) = codec.types
    write = codec.write
    if written_as is bool:
        return "BOOL", codec.encode
    if written_as is int:
        return "N", str if write is None else lambda value: str(write(value))
    if written_as is str:
        return "S", codec.encode
    return "S", lambda value: json.dumps(codec.encode(value), ensure_ascii=False, separators=(",", ":"))


def _reader(codec: Codec) -> tuple[str, Callable[[Any], Any]]:
    """Return the kind of an attribute, as DynamoDB calls it, and what reads it."""
    (written_as,) = codec.types
    read = codec.read
    if written_as is bool:
        return "BOOL", bool
    if written_as is int:
        return "N", int if read is None else lambda written: read(int(written))
    if written_as is str:
        return "S", read or str
    of_json = read or codec.encode
    return "S", lambda written: of_json(json.loads(written))
