"""
No expression names an attribute by a word that DynamoDB keeps for itself: a request that does is refused whole.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html; moto has the list, and asks it for
updates alone.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import moto.dynamodb.parsing
import pytest

from tests.local import ROOT

RESERVED = frozenset((Path(moto.dynamodb.parsing.__path__[0]) / "reserved_keywords.txt").read_text("ascii").split())
OPERATORS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE", "SIZE", "CONTAINS"})
LAYER = ROOT / "layers" / "dunning"
MODULES = [*sorted((LAYER / "python" / "dunning" / "adapters" / "dynamodb").glob("*.py")), LAYER / "ops" / "restore.py"]

_IS_EXPRESSION = re.compile(r"(?:^|[\s(,=])[:#][a-z]|attribute_(?:not_)?exists")
_NAME = re.compile(r"(?<![#:\w.])[A-Za-z_]\w*")


def expressions(source: str) -> Iterator[str]:
    """Yield the texts of a module that are expressions, or parts of them."""
    for node in ast.walk(ast.parse(source)):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if "\n" not in text and _IS_EXPRESSION.search(text):
            yield text


def reserved_in(expression: str) -> list[str]:
    names = {name.upper() for name in _NAME.findall(expression)}
    return sorted((names & RESERVED) - OPERATORS)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_expression_names_an_attribute_by_a_reserved_word(module: Path) -> None:
    found = list(expressions(module.read_text("utf-8")))
    assert [(expression, words) for expression in found if (words := reserved_in(expression))] == []


def test_an_expression_with_a_reserved_word_is_seen() -> None:
    (expression,) = expressions('ask(KeyConditionExpression="customer_id = :files AND item BETWEEN :first AND :last")')
    assert reserved_in(expression) == ["ITEM"]
    (expression,) = expressions('ask(KeyConditionExpression="customer_id = :files AND #item = :first")')
    assert reserved_in(expression) == []
