"""
The expressions of DynamoDB that the adapters write, compiled once: conditions, filters, keys, and updates.

What is not understood is an error, so that no condition is ever taken to hold because nobody has read it.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

type StoredItem = Mapping[str, Any]
type Values = Mapping[str, Any]
type Condition = Callable[[StoredItem, Values], bool]
type Change = Callable[[dict[str, Any], StoredItem, Values], None]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),+]|[#:]?\w+)")


def _tokens(expression: str) -> list[str]:
    found, place = [], 0
    text = expression.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotImplementedError(f"an expression that the simulation does not know: {expression}")
        found.append(match[1])
        place = match.end()
    return found


def _comparable(value: Any) -> Any:  # noqa: ANN401 - a value of DynamoDB
    ((kind, content),) = value.items()
    return int(content) if kind == "N" else content


class _Parser:
    """Reads a condition by recursive descent, as DynamoDB's grammar has it: NOT before AND before OR."""

    def __init__(self, expression: str, names: Mapping[str, str]) -> None:
        self._expression = expression
        self._names = names
        self._left = _tokens(expression)

    def condition(self) -> Condition:
        parsed = self._either()
        if self._left:
            raise NotImplementedError(f"an expression that the simulation does not know: {self._expression}")
        return parsed

    def _take(self, *expected: str) -> str:
        token = self._left.pop(0)
        if expected and token not in expected:
            raise NotImplementedError(f"an expression that the simulation does not know: {self._expression}")
        return token

    def _next_is(self, token: str) -> bool:
        if self._left and self._left[0] == token:
            self._left.pop(0)
            return True
        return False

    def _name(self) -> str:
        token = self._take()
        return self._names[token] if token.startswith("#") else token

    def _either(self) -> Condition:
        parts = [self._all()]
        while self._next_is("OR"):
            parts.append(self._all())
        if len(parts) == 1:
            return parts[0]
        return lambda item, values: any(part(item, values) for part in parts)

    def _all(self) -> Condition:
        parts = [self._not()]
        while self._next_is("AND"):
            parts.append(self._not())
        if len(parts) == 1:
            return parts[0]
        return lambda item, values: all(part(item, values) for part in parts)

    def _not(self) -> Condition:
        if self._next_is("NOT"):
            part = self._not()
            return lambda item, values: not part(item, values)
        if self._next_is("("):
            part = self._either()
            self._take(")")
            return part
        return self._term()

    def _term(self) -> Condition:
        if self._next_is("attribute_exists"):
            name = self._argument()
            return lambda item, _: name in item
        if self._next_is("attribute_not_exists"):
            name = self._argument()
            return lambda item, _: name not in item
        if self._next_is("attribute_type"):
            self._take("(")
            name = self._name()
            self._take(",")
            value = self._take()
            self._take(")")
            return lambda item, values: values[value]["S"] in item.get(name, {})
        name = self._name()
        if self._next_is("BETWEEN"):
            first = self._take()
            self._take("AND")
            last = self._take()
            return lambda item, values: (
                name in item and _comparable(values[first]) <= _comparable(item[name]) <= _comparable(values[last])
            )
        return _comparison(name, self._take("=", "<>", "<", "<=", ">", ">="), self._take())

    def _argument(self) -> str:
        self._take("(")
        name = self._name()
        self._take(")")
        return name


def _comparison(name: str, sign: str, value: str) -> Condition:
    if sign == "=":
        return lambda item, values: item.get(name) == values[value]
    if sign == "<>":
        return lambda item, values: item.get(name) != values[value]
    if sign == "<":
        return lambda item, values: name in item and _comparable(item[name]) < _comparable(values[value])
    if sign == "<=":
        return lambda item, values: name in item and _comparable(item[name]) <= _comparable(values[value])
    if sign == ">":
        return lambda item, values: name in item and _comparable(item[name]) > _comparable(values[value])
    return lambda item, values: name in item and _comparable(item[name]) >= _comparable(values[value])


@lru_cache(maxsize=2048)
def _compiled_condition(expression: str, names: tuple[tuple[str, str], ...]) -> Condition:
    return _Parser(expression, dict(names)).condition()


def holds(item: StoredItem | None, request: Mapping[str, Any], field: str = "ConditionExpression") -> bool:
    """Tell whether a condition of a request holds for an item; without a condition it does."""
    expression = request.get(field)
    if not expression:
        return True
    names = tuple(sorted(request.get("ExpressionAttributeNames", {}).items()))
    return _compiled_condition(expression, names)(item or {}, request.get("ExpressionAttributeValues", {}))


_CLAUSE = re.compile(r"\s*\b(SET|REMOVE|ADD|DELETE)\b\s+")
_SPLIT = re.compile(r",\s*(?![^()]*\))")


@lru_cache(maxsize=2048)
def _compiled_update(expression: str, names: tuple[tuple[str, str], ...]) -> tuple[Change, ...]:
    by_alias = dict(names)
    parts = _CLAUSE.split(expression)
    if parts[0].strip():
        raise NotImplementedError(f"an update that the simulation does not know: {expression}")
    changes: list[Change] = []
    for clause, body in zip(parts[1::2], parts[2::2], strict=True):
        changes += [_change(clause, action.strip(), by_alias) for action in _SPLIT.split(body.strip())]
    return tuple(changes)


def _change(clause: str, action: str, by_alias: Mapping[str, str]) -> Change:
    def named(alias: str) -> str:
        return by_alias[alias] if alias.startswith("#") else alias

    if clause == "REMOVE":
        name = named(action)

        def remove(after: dict[str, Any], _: StoredItem, __: Values) -> None:
            after.pop(name, None)

        return remove
    if clause in {"ADD", "DELETE"}:
        alias, value = action.split()
        return _change_of_set(clause, named(alias), value)
    name, _, source = (part.strip() for part in action.partition("="))
    return _assignment(named(name), source, named)


def _change_of_set(clause: str, name: str, value: str) -> Change:
    def change(after: dict[str, Any], before: StoredItem, values: Values) -> None:
        known, changed = set(before.get(name, {"SS": ()})["SS"]), set(values[value]["SS"])
        left = sorted(known | changed if clause == "ADD" else known - changed)
        after.pop(name, None)
        if left:
            after[name] = {"SS": left}

    return change


def _assignment(name: str, source: str, named: Callable[[str], str]) -> Change:
    if (default := re.fullmatch(r"if_not_exists\(([#\w]+), (:\w+)\)", source)) is not None:
        known, value = named(default[1]), default[2]

        def set_default(after: dict[str, Any], before: StoredItem, values: Values) -> None:
            after[name] = before.get(known, values[value])

        return set_default
    if (total := re.fullmatch(r"([#\w]+) \+ (:\w+)", source)) is not None:
        known, value = named(total[1]), total[2]

        def add(after: dict[str, Any], before: StoredItem, values: Values) -> None:
            after[name] = {"N": str(int(before[known]["N"]) + int(values[value]["N"]))}

        return add
    if not re.fullmatch(r":\w+", source):
        raise NotImplementedError(f"an update that the simulation does not know: {source}")

    def assign(after: dict[str, Any], _: StoredItem, values: Values) -> None:
        after[name] = values[source]

    return assign


def updated(item: StoredItem | None, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item after an update; an update of no item makes one."""
    before = item or request["Key"]
    after = dict(before)
    names = tuple(sorted(request.get("ExpressionAttributeNames", {}).items()))
    values = request.get("ExpressionAttributeValues", {})
    for change in _compiled_update(request["UpdateExpression"], names):
        change(after, before, values)
    return after
