"""One name, one thing: no name of the package stands for two, and no variable for whatever there is."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "dunning" / "python" / "dunning"

VAGUE = frozenset({"one", "some", "them", "those", "told", "said", "heard"})
WITHOUT_VAGUE_NAMES = (ROOT / "functions", ROOT / "layers" / "dunning", ROOT / "tests")
"""Where no variable has a vague name."""

IN_EVERY_MODULE = frozenset({"lambda_handler", "main"})


def modules(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"nothing in {folder}"
    return found


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the classes, functions and type aliases of a module, private ones without their underscore."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name.lstrip("_")
        elif isinstance(node, ast.TypeAlias):
            yield node.name.id.lstrip("_")


def named(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what is named and where: variables, parameters, attributes, functions and classes, at any depth."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                yield name, node.lineno
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.asname, node.lineno) for alias in names if alias.asname)
            case _:
                pass


def twice(places: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand in several places."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for name, place in places:
        by_name[name].append(place)
    return {name: where for name, where in by_name.items() if len(where) > 1}


def test_no_class_function_or_type_alias_of_the_package_has_the_name_of_another() -> None:
    places = (
        (name, str(path.relative_to(PACKAGE)))
        for path in modules(PACKAGE)
        for name in defined(ast.parse(path.read_text("utf-8")))
        if name not in IN_EVERY_MODULE
    )
    assert twice(places) == {}


def test_no_module_of_the_package_has_the_name_of_another() -> None:
    places = (
        (path.stem, str(path.relative_to(PACKAGE)))
        for path in modules(PACKAGE)
        if path.name != "__init__.py" and not path.is_relative_to(PACKAGE / "policy" / "data")
    )
    assert twice(places) == {}


@pytest.mark.parametrize("folder", WITHOUT_VAGUE_NAMES, ids=lambda folder: folder.name)
def test_no_variable_has_a_name_that_fits_everything(folder: Path) -> None:
    vague = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in modules(folder)
        for name, line in named(ast.parse(path.read_text("utf-8")))
        if name in VAGUE
    ]
    assert vague == []


def test_names_are_found_wherever_python_lets_them_stand() -> None:
    source = """
import json as told
class one: said: int = 0
async def some(*those, **them):
    with open() as (a, told): one, *said = told
    try: heard = [one for one in (lambda them: them)]
    except OSError as said: self.heard = None
    match a:
        case [one, *some]: pass
        case {"k": _, **those}: pass
        case int() as them: pass
"""
    found = sorted(name for name, _ in named(ast.parse(source)) if name in VAGUE)
    by_line = ["told", "one", "said", "some", "those", "them", "told", "one", "said", "heard", "one", "them"]
    by_line += ["said", "heard", "one", "some", "those", "them"]
    assert found == sorted(by_line)
    assert list(defined(ast.parse("class _A: pass\ntype B = int\nasync def c(): pass\nd = 1"))) == ["A", "B", "c"]
