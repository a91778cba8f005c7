"""Plain: view models as JSON, for programs. Codes stay codes, times are ISO 8601 in UTC, amounts minor units."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SCHEMA_VERSION = 1
"""Raised when something is taken away or means something else; more fields may come at any time."""


def written_plainly(value: object) -> str:
    """Write a view model as an object of JSON, with the version of its schema."""
    return json.dumps({"schema_version": SCHEMA_VERSION, **as_plain(value)}, ensure_ascii=False)


def as_plain(value: object) -> Any:  # noqa: ANN401, PLR0911 - any JSON, one a kind of value
    """
    Return a value as what JSON knows.

    Raises:
        TypeError: the value is of a kind that nobody has said how to write.
    """
    match value:
        case None | str() | bool() | int() | float():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case ZoneInfo():
            return value.key
        case Mapping():
            return {str(key): as_plain(part) for key, part in value.items()}
        case tuple() if hasattr(value, "_fields"):
            return {name: as_plain(part) for name, part in zip(value._fields, value, strict=True)}
        case tuple() | list() | frozenset() | set():
            parts = sorted(value) if isinstance(value, frozenset | set) else value
            return [as_plain(part) for part in parts]
        case _ if is_dataclass(value):
            return {field.name: as_plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} is no plain value")
