"""
The faults that are planted, each by one change of a module's syntax tree.

A comparison at its boundary and turned round; a condition that always or never holds; `and` for `or`, an operand less;
a calculation with another operator; a number one up or down; `True` for `False`; a statement, a keyword argument, an
element, a bound of a slice, an exception or an alternative of a pattern left out; a loop without a turn; `None`
returned; `min` for `max`, `any` for `all`, and the like; a word of a function's own made empty.

Left out, because no rule hangs on them (`_without_rules` finds them):

- docstrings, annotations, type aliases, `__slots__`, imports, and decorators;
- what an error says, and what a log line holds: their events, fields and texts (tests of privacy and alarms hold them);
- the letters in formatted strings;
- words, regular expressions, and tables of words, numbers and dates at the top of a module: data, which the exams,
  the vectors and the pages hold.
"""

import ast
import copy
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

_NO = (None, False)
"""What a function returns for "no": either means the other."""

_BOUNDARIES: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_CALCULATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_OPPOSITES = {
    "min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list", "startswith": "endswith",
    "endswith": "startswith", "removeprefix": "removesuffix", "removesuffix": "removeprefix", "rpartition": "partition",
    "partition": "rpartition", "find": "rfind", "rfind": "find", "match": "search", "search": "match",
    "fullmatch": "match",
}  # fmt: skip

_LOGGED = frozenset({"log_event", "log_error", "add_context"})
"""Methods of the telemetry whose arguments are only read by people."""


class Mutant(NamedTuple):
    """One planted fault. `id` names it within its module whatever the line; `function` is the code that changes."""

    id: str
    lines: range
    function: tuple[str, int] | None
    """The outermost function around it, by its qualified name and first line; `None` at the top of a module."""
    plant: Callable[[], ast.Module]
    """Returns the module's tree with the fault. The tree is changed for good: a process plants a single mutant."""


class _Change(NamedTuple):
    kind: str
    parent: ast.AST
    field: str
    place: int | None
    new: ast.AST | None
    """What takes the node's place; `None` if it is left out."""


class _Place(NamedTuple):
    qualname: str
    function: tuple[str, int] | None
    in_function: bool
    in_table: bool = False
    """Whether it stands in a list, a tuple, a set or a dictionary at the top of a module."""


@cache
def digest() -> str:
    """Return a digest of the operators: results of other ones do not count."""
    return short_digest(Path(__file__).read_bytes())


def short_digest(content: bytes) -> str:
    """Return a digest that is short enough for a key."""
    return hashlib.sha256(content).hexdigest()[:12]


def mutants_of(source: str) -> list[Mutant]:
    """Return the mutants of a module's source, in the order of its lines."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    found = []
    for change, place in _changes(tree, _Place("", None, in_function=False)):
        node = _node(change)
        before, after = _shown(node), "" if change.new is None else _shown(change.new)
        name = f"{place.qualname or 'module'}: {change.kind}: {before}" + (f" -> {after}" if after else "")
        seen[name] += 1
        identity = name if seen[name] == 1 else f"{name} #{seen[name]}"
        lines = _lines(node, change.parent)
        found.append(Mutant(identity, lines, place.function, lambda change=change: _planted(tree, change)))  # type: ignore[misc]
    return sorted(found, key=lambda mutant: mutant.lines.start)


def _node(change: _Change) -> ast.AST:
    value = getattr(change.parent, change.field)
    found: ast.AST = value if change.place is None else value[change.place]
    return found


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]} ... {text[-25:]}"


def _lines(node: ast.AST, parent: ast.AST) -> range:
    holder = node if hasattr(node, "lineno") else parent
    if not hasattr(holder, "lineno"):  # a `for` or a condition of a comprehension
        holder = next(inner for inner in ast.walk(holder) if hasattr(inner, "lineno"))
    assert isinstance(holder, ast.stmt | ast.expr | ast.pattern | ast.excepthandler | ast.arg | ast.keyword), holder
    return range(holder.lineno, (holder.end_lineno or holder.lineno) + 1)


def _planted(tree: ast.Module, change: _Change) -> ast.Module:
    """Return a module with a fault, ready to be compiled: the tree itself, changed for good."""
    old = _node(change)
    new = copy.deepcopy(change.new)
    if new is not None and hasattr(old, "lineno"):
        for inner in ast.walk(new):
            ast.copy_location(inner, old)
    if change.place is None:
        setattr(change.parent, change.field, new)
    elif new is None:
        del getattr(change.parent, change.field)[change.place]
    else:
        getattr(change.parent, change.field)[change.place] = new
    return ast.fix_missing_locations(tree)


def _changes(node: ast.AST, place: _Place) -> Iterator[tuple[_Change, _Place]]:
    for field, value in ast.iter_fields(node):
        for index, child in _children(value):
            if _without_rules(node, field, child, place):
                continue
            inner = _inside(node, field, place)
            for change in _of(node, field, index, child, inner):
                yield change, inner
            yield from _changes(child, inner)


def _children(value: object) -> Iterator[tuple[int | None, ast.AST]]:
    if isinstance(value, ast.AST):
        yield None, value
    elif isinstance(value, list):
        yield from ((index, child) for index, child in enumerate(value) if isinstance(child, ast.AST))


def _inside(node: ast.AST, field: str, place: _Place) -> _Place:
    """Return where the children of a node stand."""
    if isinstance(node, ast.ClassDef) and field == "body":
        return place._replace(qualname=f"{place.qualname}.{node.name}".lstrip("."))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        qualname = f"{place.qualname}.{node.name}".lstrip(".")
        if field != "body":
            return place._replace(qualname=qualname)
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return _Place(qualname, place.function or (qualname, first), in_function=True)
    return place if place.in_function else _inside_the_top(node, place)


def _inside_the_top(node: ast.AST, place: _Place) -> _Place:
    if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
        return place._replace(in_table=True)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        return place._replace(qualname=f"{place.qualname}.{ast.unparse(target)}".lstrip("."))
    return place


_UNREAD_FIELDS = frozenset({"annotation", "returns", "decorator_list", "type_params", "bases", "ctx"})
_UNREAD_NODES = (ast.Import, ast.ImportFrom, ast.TypeAlias, ast.FormattedValue)


def _without_rules(node: ast.AST, field: str, child: ast.AST, place: _Place) -> bool:
    """Tell whether no rule can hang on a part of a module: the categories of the docstring above."""
    called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    only_read = (called.endswith("Error") and field == "args") or (
        called.endswith("log_decision") and field == "keywords"
    )
    if field in _UNREAD_FIELDS or only_read or isinstance(node, ast.Raise | ast.JoinedStr | ast.FormattedValue):
        return True
    match child:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method))):
            return method in _LOGGED
        case ast.Constant(value=str()):
            return not place.in_function
        case ast.Constant():
            return place.in_table
        case (
            ast.Expr(value=ast.Constant())
            | ast.Assign(targets=[ast.Name(id="__slots__" | "__all__")])
            | ast.If(test=ast.Name(id="TYPE_CHECKING"))
        ):
            return True
        case _:
            return isinstance(child, _UNREAD_NODES) or (place.in_table and _is_made_of_constants(child))


def _of(node: ast.AST, field: str, index: int | None, child: ast.AST, place: _Place) -> Iterator[_Change]:
    """Yield the changes at one node of a module."""

    def change(kind: str, new: ast.AST | None) -> _Change:
        return _Change(kind, node, field, index, new)

    if isinstance(child, ast.expr):
        yield from (change(kind, new) for kind, new in _expressions(child))
        if field in {"test", "ifs", "guard"} and not isinstance(node, ast.IfExp) and not _is_constant(child):
            always = [False] if isinstance(node, ast.While) else [True, False]
            yield from (change(f"always {value}", ast.Constant(value)) for value in always)
        if field == "value" and isinstance(node, ast.Return) and not _is_constant(child, *_NO):
            yield change("returns None", ast.Constant(None))
        if field == "iter":
            yield change("no turn", ast.Tuple([], ast.Load()))
        if field in {"lower", "upper", "step"} and isinstance(node, ast.Slice):
            yield change("bound left out", None)
    if isinstance(child, ast.MatchOr):
        for left_out in child.patterns:
            rest = [pattern for pattern in child.patterns if pattern is not left_out]
            yield change("alternative left out", rest[0] if len(rest) == 1 else ast.MatchOr(rest))
    if place.in_function and isinstance(child, ast.stmt):
        yield from (change(kind, new) for kind, new in _statements(child))
    if index is not None:
        yield from (change(kind, None) for kind in _elements(node, field, child, place))


def _is_constant(node: ast.AST, *values: object) -> bool:
    return isinstance(node, ast.Constant) and (not values or any(node.value is value for value in values))


def _is_made_of_constants(node: ast.AST) -> bool:
    """Tell whether an element is data: constants, also in a list or a call such as `date(2026, 12, 1)`."""
    match node:
        case ast.Constant():
            return True
        case ast.Tuple(elts=inner) | ast.List(elts=inner) | ast.Call(func=ast.Name(), args=inner, keywords=[]):
            return all(map(_is_made_of_constants, inner))
        case ast.Starred(value=value):
            return _is_made_of_constants(value)
        case _:
            return False


def _expressions(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield what may take the place of an expression."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            for number, operator in enumerate(ops):
                for other in _BOUNDARIES[type(operator)]:
                    yield "compared", ast.Compare(left, [*ops[:number], other(), *ops[number + 1 :]], others)
        case ast.BoolOp(op=operator, values=values):
            yield "and, or", ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            for number in range(len(values)):
                rest = [*values[:number], *values[number + 1 :]]
                yield "operand left out", rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield "sign left out", operand
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _CALCULATIONS:
            yield "calculated", ast.BinOp(left, _CALCULATIONS[type(operator)](), right)
        case ast.IfExp(body=body, orelse=orelse):
            yield "always True", body
            yield "always False", orelse
        case ast.Constant(value=value):
            yield from ((kind, ast.Constant(other)) for kind, other in _constants(value))
        case ast.Call(func=function, args=args, keywords=keywords):
            opposite = _opposite(function)
            if opposite is not None:
                yield "opposite", ast.Call(opposite, args, [] if ast.unparse(function) == "sorted" else keywords)
        case _:
            pass


def _constants(value: object) -> Iterator[tuple[str, str | bool | float]]:
    match value:
        case bool():
            yield "turned round", not value
        case int() | float():
            yield "one more", value + 1
            yield "one less", value - 1
        case str():
            yield "another word", "" if value else "?"
        case _:
            pass


def _opposite(function: ast.expr) -> ast.expr | None:
    match function:
        case ast.Name(id=name, ctx=context) if name in _OPPOSITES:
            return ast.Name(_OPPOSITES[name], context)
        case ast.Attribute(value=value, attr=name, ctx=context) if name in _OPPOSITES:
            return ast.Attribute(value, _OPPOSITES[name], context)
        case _:
            return None


def _statements(node: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    """Yield what may take the place of a statement."""
    match node:
        case (
            ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom())
            | ast.AugAssign()
            | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            | ast.Raise()
            | ast.Continue()
            | ast.Break()
            | ast.Delete()
        ):
            yield "left out", ast.Pass()
        case _:
            pass
    if isinstance(node, ast.AugAssign) and type(node.op) in _CALCULATIONS:
        yield "calculated", ast.AugAssign(node.target, _CALCULATIONS[type(node.op)](), node.value)


def _elements(node: ast.AST, field: str, child: ast.AST, place: _Place) -> Iterator[str]:
    """Yield the ways in which an element of a list may be left out."""
    match node, field:
        case ((ast.Tuple() | ast.List() | ast.Set()), "elts"):
            is_data = not place.in_function and _is_made_of_constants(child)
            is_read = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
            if not is_data and is_read and len(node.elts) > 1:
                yield "element left out"
        case ast.Call(), "keywords":
            yield "argument left out"
        case ast.Match(), "cases":
            if len(node.cases) > 1:
                yield "case left out"
        case _:
            pass
