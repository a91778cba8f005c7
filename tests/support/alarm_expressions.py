"""
CloudWatch's metric math, as much of it as the template's alarms use, so that an alarm can be asked what it would do.

As the CloudWatch User Guide has it ("Metric math syntax and functions"): a series has a value or none for each
period. In arithmetic between series a missing value is 0 where the other has one, a division by zero has no value,
and EPOCH has a value for every period, whether the series does or not.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence

type Series = list[float | None]
"""One value for each period, oldest first."""

_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
}


class Calculator:
    """Works out the expressions of one alarm. `times` are the beginnings of the periods, in seconds since 1970."""

    def __init__(self, times: Sequence[int], metrics: Mapping[str, Series]) -> None:
        self._times = list(times)
        self.series: dict[str, Series] = dict(metrics)

    def add(self, name: str, expression: str) -> Series:
        """Work out an expression and remember it under its id."""
        tree = ast.parse(expression.replace(" AND ", " and "), mode="eval").body
        self.series[name] = self._of(tree)
        return self.series[name]

    def _of(self, node: ast.expr) -> Series:
        match node:
            case ast.Constant(value=int() | float() as number):
                found: Series = [float(number)] * len(self._times)
            case ast.Name(id=name):
                found = self.series[name]
            case ast.BinOp(left=left, op=op, right=right):
                work, series = _ARITHMETIC[type(op)], not (_is_number(left) or _is_number(right))
                found = [_arithmetic(work, a, b, series=series) for a, b in self._rows(left, right)]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                found = [None if value is None else -value for value in self._of(operand)]
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                compare = _COMPARISONS[type(op)]
                rows = self._rows(left, right)
                found = [None if a is None or b is None else float(compare(a, b)) for a, b in rows]
            case ast.BoolOp(op=ast.And(), values=values):
                found = [None if None in row else float(all(row)) for row in self._rows(*values)]
            case ast.Call(func=ast.Name(id=function), args=arguments):
                found = self._call(function, arguments)
            case _:
                raise NotImplementedError(ast.dump(node))
        return found

    def _rows(self, *nodes: ast.expr) -> Iterator[tuple[float | None, ...]]:
        return zip(*map(self._of, nodes), strict=True)

    def _call(self, function: str, arguments: list[ast.expr]) -> Series:
        match function:
            case "EPOCH":
                return [float(moment) for moment in self._times]
            case "FLOOR":
                return [None if value is None else float(math.floor(value)) for value in self._of(arguments[0])]
            case "IF":
                # Where the condition holds and nothing is there, IF says 0.
                return [None if c is None else (t or 0.0) if c else f for c, t, f in self._rows(*arguments)]
        raise NotImplementedError(function)


def _is_number(node: ast.expr) -> bool:
    return not any(isinstance(part, ast.Name) for part in ast.walk(node))


def _arithmetic(
    work: Callable[[float, float], float], a: float | None, b: float | None, *, series: bool
) -> float | None:
    """Work on two values; of two series one of which has none here, that one counts as 0."""
    if (a is None and b is None) or (not series and (a is None or b is None)):
        return None
    try:
        return work(a or 0.0, b or 0.0)
    except ZeroDivisionError:
        return None


def alarms(values: Series, *, at_least: float, periods: int) -> list[bool]:
    """Tell for each period whether an alarm that takes missing data for harmless would be raised."""
    breaching = [value is not None and value >= at_least for value in values]
    return [place + 1 >= periods and all(breaching[place + 1 - periods : place + 1]) for place in range(len(values))]
