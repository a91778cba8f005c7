"""Which part may know which: the arrows of the design, read from the imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "dunning" / "python" / "dunning"
OPS = ROOT / "layers" / "dunning" / "ops"
SDK = frozenset({"boto3", "botocore"})


class Part(NamedTuple):
    """What a part of the package may import, besides the standard library and itself."""

    ours: frozenset[str]
    others: frozenset[str] = frozenset()


def part(*ours: str, others: tuple[str, ...] = ()) -> Part:
    return Part(frozenset(ours), frozenset(others))


PARTS = {
    "domain": part(),
    "policy": part("domain", others=("pydantic",)),
    "ports": part("domain"),
    "contracts": part("domain", "ports", others=("pydantic", "pydantic_core")),
    "settings": part(others=("pydantic",)),
    "entrypoint": part("domain", "ports"),
    "cold_start": part(),
    "compiled_policies": part("domain", "policy"),
    "evidence": part("domain", "ports", "contracts"),
    "services": part("domain", "ports", "contracts", "evidence", others=("phonenumbers",)),
    "console": part("domain", "ports", "services", "evidence", others=("jinja2", "markupsafe")),
    "adapters": part(
        "domain",
        "ports",
        "contracts",
        "evidence",
        others=("boto3", "botocore", "aws_lambda_powertools", "mypy_boto3_dynamodb", "mypy_boto3_s3", "mypy_boto3_sns",
                "mypy_boto3_sqs", "mypy_boto3_ssm", "urllib3"),
    ),
    "wiring": part(
        "domain", "policy", "compiled_policies", "ports", "contracts", "settings", "cold_start", "services", "adapters",
        "console",
        others=("boto3", "botocore", "aws_lambda_powertools", "pydantic", "mypy_boto3_dynamodb"),
    ),
}  # fmt: skip

FUNCTIONS_MAY_IMPORT = {
    "dunning.wiring", "dunning.entrypoint", "dunning.contracts", "dunning.services", "dunning.console",
}  # fmt: skip


def modules(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"nothing in {folder}"
    return found


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of everything a file imports, inside functions and for types only as well."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def others(path: Path) -> set[str]:
    """Return the top-level packages a file imports that are neither ours nor Python's."""
    return {name.partition(".")[0] for name in imported(path)} - set(sys.stdlib_module_names) - {"dunning"}


def ours(path: Path) -> set[str]:
    """Return the parts of our package that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("dunning.")}


ALL = [path for path in modules(PACKAGE) if path != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_part_may_know(path: Path) -> None:
    allowed = PARTS[part_of(path)]
    assert ours(path) <= allowed.ours | {part_of(path)}
    assert others(path) <= allowed.others


def test_every_part_of_the_package_is_there_and_has_its_arrows() -> None:
    assert {part_of(path) for path in ALL} == set(PARTS)


def test_only_adapters_and_the_wiring_know_the_sdk_and_only_the_wiring_knows_adapters() -> None:
    assert {part_of(path) for path in ALL if others(path) & SDK} <= {"adapters", "wiring"}
    assert {part_of(path) for path in ALL if "adapters" in ours(path)} == {"adapters", "wiring"}
    assert {part_of(path) for path in ALL if "policy" in ours(path)} == {"policy", "compiled_policies", "wiring"}


@pytest.mark.parametrize("path", modules(ROOT / "functions"), ids=lambda path: path.parent.name)
def test_a_function_imports_the_wiring_its_entry_point_and_services_and_nothing_beside_it(path: Path) -> None:
    names = {".".join(name.split(".")[:2]) for name in imported(path) if name.startswith("dunning")}
    assert names <= FUNCTIONS_MAY_IMPORT
    assert others(path) <= {"aws_lambda_powertools"}
    siblings = {module.stem for module in path.parent.glob("*.py")}
    assert not {name.partition(".")[0] for name in imported(path)} & siblings


@pytest.mark.parametrize("path", modules(OPS), ids=lambda path: path.stem)
def test_an_operators_program_needs_neither_tests_nor_the_wiring_of_lambda(path: Path) -> None:
    assert "wiring" not in ours(path)
    assert others(path) <= {"ops", "boto3", "botocore", "mypy_boto3_cloudformation", "mypy_boto3_dynamodb",
                            "mypy_boto3_sns", "mypy_boto3_sqs"}  # fmt: skip


OUTSIDE_THE_CORE = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic", "time.sleep",
    "os.environ", "os.getenv", "uuid.uuid4", "secrets.token_hex",
}  # fmt: skip
MODULES_OUTSIDE_THE_CORE = {"logging", "random", "time", "os", "uuid", "secrets", "socket", "subprocess", "sys", "io"}


@pytest.mark.parametrize("path", modules(PACKAGE / "domain"), ids=lambda path: path.name)
def test_the_core_knows_no_clock_no_environment_no_chance_and_no_log(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imported(path)} & MODULES_OUTSIDE_THE_CORE
    tree = ast.parse(path.read_text("utf-8"))
    attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {".".join(name.split(".")[-2:]) for name in attributes} & OUTSIDE_THE_CORE
    assert not called & {"print", "open", "input"}
