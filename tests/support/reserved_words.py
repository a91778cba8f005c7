"""
Makes clients as strict as DynamoDB about expressions.

It reserves words, and it refuses a request whose expressions lack a value or a sign that they use, or use not all that
the request brings. moto takes all that in some places.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

_NAMED_RAW = re.compile(r"(?<![#:\w])[A-Za-z_]\w*")
_SIGN = re.compile(r"[#:]\w+")
_SYNTAX = {"SET", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN", "SIZE"}
"""Words of the language of expressions, which are reserved for that."""


def refuse_reserved_words() -> None:
    """Let each client that is made from now on refuse expressions that name an attribute by a reserved word."""
    BUILTIN_HANDLERS.append(("provide-client-params.dynamodb", _check))


@cache
def reserved_in(expression: str) -> frozenset[str]:
    """Return the reserved words that stand for attributes in an expression."""
    return frozenset(word.upper() for word in _NAMED_RAW.findall(expression)) & _reserved()


@cache
def _reserved() -> frozenset[str]:
    moto = find_spec("moto")  # it is not imported: most tests need none of it
    assert moto is not None
    assert moto.origin is not None
    listed = Path(moto.origin).parent / "dynamodb" / "parsing" / "reserved_keywords.txt"
    return frozenset(listed.read_text("utf-8").split()) - _SYNTAX


def _check(params: Mapping[str, Any], **_: object) -> None:
    writes = (write for entry in params.get("TransactItems", ()) for write in entry.values())
    for part in (params, *writes):
        expressions = [value for name, value in part.items() if name.endswith("Expression")]
        for expression in expressions:
            if found := reserved_in(expression):
                raise AssertionError(f"DynamoDB reserves {', '.join(sorted(found))}: {expression}; name it by #")
        brought = {*part.get("ExpressionAttributeValues", ()), *part.get("ExpressionAttributeNames", ())}
        if unequal := brought ^ {sign for expression in expressions for sign in _SIGN.findall(expression)}:
            raise AssertionError(f"DynamoDB wants signs that are used and brought: {', '.join(sorted(unequal))}")
