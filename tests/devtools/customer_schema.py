"""The JSON Schema of the document of a customer, from the types of what is stored."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.replies.reply import Reply
from dunning.evidence.customer_document import DOCUMENT_VERSION, EVENTS_OF_A_RECORD

_TEXT: Mapping[str, Any] = {"type": "string"}
_INSTANT: Mapping[str, Any] = {"type": "string", "format": "date-time", "description": "in UTC"}
_NOTHING: Mapping[str, Any] = {"type": "null"}
_PLAIN: Mapping[object, Mapping[str, Any]] = {
    str: _TEXT,
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: _INSTANT,
    date: {"type": "string", "format": "date"},
    type(None): _NOTHING,
}


def customer_schema(dialect: str) -> dict[str, Any]:
    """Return the schema of what `customer_document` returns."""
    known: dict[str, Any] = {}

    def of(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a type
        kind = getattr(kind, "__value__", kind)
        origin, arguments = get_origin(kind), get_args(kind)
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        if origin in {Union, types.UnionType}:
            return {"anyOf": [of(each) for each in arguments]}
        if origin is tuple:
            return {"type": "array", "items": of(arguments[0])}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": of(arguments[1])}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [each.value for each in kind]}
        if kind.__name__ not in known:
            known[kind.__name__] = {}
            known[kind.__name__] = _record(kind, of)
        return {"$ref": f"#/$defs/{kind.__name__}"}

    nullable: list[dict[str, Any]] = [{"anyOf": [of(kind), dict(_NOTHING)]} for kind in (LenderRecord, Facts, Standing)]
    stored: dict[str, Any] = dict(zip(("lender_record", "facts_now", "standing"), nullable, strict=True))
    stored |= {name: {"type": "array", "items": of(kind)} for name, kind in (("contacts", Contact), ("replies", Reply))}
    optional_text: dict[str, Any] = {"type": ["string", "null"]}
    top = {
        "document_version": {"const": DOCUMENT_VERSION},
        "customer_id": dict(_TEXT),
        "made_at": dict(_INSTANT),
        "source": {**_TEXT, "description": "what was read: a stack, a local run, or the console"},
        "looked_at_by": dict(_TEXT),
        "because": {**_TEXT, "description": "the purpose, as a code or in words"},
        "time_zone": {**_TEXT, "description": "of `local_at`: a name of the IANA time zone database"},
        "erased_at": {"anyOf": [dict(_INSTANT), dict(_NOTHING)]},
        "person": {"type": "object", "additionalProperties": dict(_TEXT)},
        "open": {"type": "array", "items": dict(_TEXT)},
        "now": {"type": "array", "items": dict(_TEXT)},
        "entries": {
            "type": "array",
            "description": "all that happened, oldest first, in words",
            "items": _object(
                {
                    "at": dict(_INSTANT),
                    "local_at": {"type": "string", "format": "date-time"},
                    "kind": dict(_TEXT),
                    "title": dict(_TEXT),
                    "quote": {**optional_text, "description": "a text or a reply, word for word"},
                    "details": {"type": "array", "items": _object({"name": dict(_TEXT), "value": dict(_TEXT)})},
                }
            ),
        },
        "not_read": {"type": "array", "items": dict(_TEXT), "description": "what is kept, and is not in here"},
        "stored": {**_object(stored), "description": "all that is stored, field by field; amounts in minor units"},
        "looks": {
            "type": "array",
            "description": "who looked at or did what in the console, newest first",
            "items": _object(
                {
                    "at": dict(_INSTANT),
                    "by": dict(_TEXT),
                    "role": dict(_TEXT),
                    "act": dict(_TEXT),
                    "about": dict(optional_text),
                    "purpose": dict(optional_text),
                }
            ),
        },
    }
    return {
        "$schema": dialect,
        "title": "CustomerDocument",
        "description": "All that is kept of a customer: for a complaint, a regulator, or whoever asks what is kept.",
        **_object(top),
        "$defs": dict(sorted(known.items())),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _record(kind: Any, of: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass or a named tuple, and a function
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else list(kind._fields)
    event = {"event": {"const": kind.__name__}} if kind in EVENTS_OF_A_RECORD else {}
    return _object(event | {name: of(hints[name]) for name in names})
