"""What is mutated, which tests have to notice, and where every survivor counts."""

import ast
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.local import ROOT

PACKAGE = ROOT / "layers" / "dunning" / "python" / "dunning"

MUTATED = (
    "domain/*.py",
    "domain/customer/*.py",
    "domain/decision/*.py",
    "domain/delivery/*.py",
    "domain/effect/*.py",
    "domain/replies/*.py",
    "domain/texts/*.py",
    "domain/texts/lint/*.py",
    "services/send/*.py",
    "services/lender_events.py",
    "services/news_first.py",
    "services/optimistic.py",
    "services/planning.py",
    "services/replies.py",
    "adapters/dynamodb/contact_table.py",
    "adapters/dynamodb/customer_table.py",
    "adapters/dynamodb/trial_control_table.py",
    "adapters/dynamodb/writing.py",
)

NOT_MUTATED = {
    "domain/replies/features.py": "digested into the trained weights: the exam of the reader holds it",
    "domain/replies/weights.py": "digested into the trained weights: the exam of the reader holds it",
    "domain/texts/lint/folding.py": "digested into the trained weights: the exam of the reader holds it",
}
"""Modules of the folders above that are left out, and why."""

TESTS = (
    "tests/unit/domain/**/test_*.py",
    "tests/unit/services/test_*.py",
    "tests/unit/policy/test_*.py",
    "tests/unit/functions/test_*.py",
    "tests/unit/contracts/test_*.py",
    "tests/unit/test_*_page.py",
    "tests/property/test_*.py",
    "tests/contract/test_*.py",
)
"""The tests that have to notice: those that state rules. A whole life on moto that breaks says little about the why."""

WHOLE_LIVES = frozenset({
    "tests/property/test_any_order.py",
    "tests/property/test_earliest_moment.py",
    "tests/property/test_histories.py",
    "tests/property/test_law.py",
    "tests/property/test_lives.py",
    "tests/property/test_schedules.py",
    "tests/unit/domain/effect/test_recovery.py",
})  # fmt: skip
"""Tests that take seconds each: too slow to be asked about a mutant. They may notice what no quick test does."""

MEASURE_TIME = frozenset({
    "tests/contract/test_larger_reader.py::TestTheAnswer::test_an_answer_that_comes_too_late_is_not_waited_for",
    "tests/property/test_promised_days.py::test_the_time_is_linear_in_the_length_of_a_text",
    "tests/unit/domain/test_hostile_texts.py::test_a_reply_of_ten_thousand_characters_is_read_as_soon_as_one_of_a_quarter",
    "tests/unit/domain/test_local_reader.py::test_a_word_repeated_up_to_the_limit_of_a_reply_is_read_in_a_moment",
})  # fmt: skip
"""Tests that measure time. On a busy machine they may fail without any mutant, so they are no witnesses."""

NO_SURVIVORS = (
    "adapters/dynamodb/*.py",
    "domain/customer/standing.py",
    "domain/decision/caps.py",
    "domain/decision/chance.py",
    "domain/decision/channel_choice.py",
    "domain/decision/hours.py",
    "domain/decision/ladder.py",
    "domain/replies/*.py",
    "domain/texts/lint/*.py",
    "domain/texts/segments.py",
    "services/lender_events.py",
    "services/news_first.py",
    "services/optimistic.py",
    "services/planning.py",
    "services/replies.py",
    "services/send/*.py",
)
"""Where a survivor that is not explained fails the run."""

EQUIVALENT = Path(__file__).with_name("equivalent.toml")


class Module(NamedTuple):
    """A module of the package: its path below the package, and its file."""

    name: str
    path: Path

    @property
    def imported_as(self) -> str:
        """Return the name by which the module is imported."""
        return ".".join(("dunning", *Path(self.name).with_suffix("").parts))

    @property
    def allows_no_survivor(self) -> bool:
        """Whether each survivor of this module has to be explained."""
        return any(fnmatch(self.name, pattern) for pattern in NO_SURVIVORS)


def modules(pattern: str = "") -> list[Module]:
    """
    Return the modules to mutate: all, or those that fit a path or glob.

    Raises:
        LookupError: no module fits.
    """
    found = [
        Module(name, PACKAGE / name)
        for glob in MUTATED
        for path in sorted(PACKAGE.glob(glob))
        if (name := str(path.relative_to(PACKAGE))) not in NOT_MUTATED and path.name != "__init__.py"
    ]
    if not pattern:
        return found
    wanted = [module for module in found if _fits(module, pattern)]
    if not wanted:
        raise LookupError(f"MODULE={pattern}: no such module is mutated; tests/mutation/scope.py has them all")
    return wanted


def _fits(module: Module, pattern: str) -> bool:
    patterns = [place.removeprefix(f"{PACKAGE.relative_to(ROOT)}/") for place in pattern.split()]
    return any(fnmatch(module.name, place) or fnmatch(module.name, f"*/{place}") for place in patterns)


def is_witness(test: str) -> bool:
    """Tell whether a test, by its id, may notice mutants: whether it fails for no other reason."""
    return test.partition("[")[0] not in MEASURE_TIME


def test_files() -> list[Path]:
    """Return the files of the tests that have to notice."""
    found = [path for pattern in TESTS for path in sorted(ROOT.glob(pattern))]
    return [path for path in found if str(path.relative_to(ROOT)) not in WHOLE_LIVES]


def support_files() -> list[Path]:
    """Return what these tests stand on besides our modules: shared modules, set-up, and the policies."""
    folders = [ROOT / "tests" / "support", PACKAGE / "policy" / "data"]
    kinds = {".py", ".toml", ".tsv", ".json"}
    shared = [path for folder in folders for path in folder.rglob("*") if path.suffix in kinds]
    conftests = [path for path in (ROOT / "tests").rglob("conftest.py") if "e2e" not in path.parts]
    return sorted([*shared, *conftests])


@cache
def importers() -> dict[str, frozenset[str]]:
    """Return the mutated modules that import each module, both by their path below the package."""
    by_import = {module.imported_as: module.name for module in modules()}
    found: dict[str, set[str]] = {}
    for module in modules():
        for name in _imported(module.path):
            if name in by_import:
                found.setdefault(by_import[name], set()).add(module.name)
    return {name: frozenset(by) for name, by in found.items()}


@cache
def files_that_import(module: Module) -> frozenset[str]:
    """Return the files of tests that import a module itself, by their path."""
    return frozenset({
        str(path.relative_to(ROOT)) for path in test_files() if module.imported_as in _imported_by(path)
    })  # fmt: skip


@cache
def _imported_by(path: Path) -> frozenset[str]:
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports from. What it takes from a package it takes from the module behind."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            behind = _passed_on(node.module)
            for alias in node.names:
                yield behind.get(alias.name, f"{node.module}.{alias.name}")


@cache
def _passed_on(package: str) -> Mapping[str, str]:
    """Return the names that a package of ours takes from its modules and passes on, each with its module."""
    file = PACKAGE.parent.joinpath(*package.split("."), "__init__.py")
    tree = ast.parse(file.read_text("utf-8") if file.is_file() else "")
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


class Explained(NamedTuple):
    """Mutants that no test can notice, and why."""

    module: str
    mutants: Sequence[str]
    why: str


def explained() -> list[Explained]:
    """Return the mutants that are explained in `equivalent.toml`."""
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8"))["explained"]
    return [Explained(entry["module"], entry["mutants"], entry["why"]) for entry in listed]
