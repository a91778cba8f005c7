"""What `make build` refuses: a layer that would be slow, foreign, or not what the lock says."""

import importlib.util
import pickle
import py_compile
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from jinja2 import FileSystemLoader, ModuleLoader

from dunning import compiled_policies
from dunning.console import render
from dunning.console.render import new_environment
from dunning.domain.texts.lint import Severity
from dunning.policy.lender import RepliesFile
from dunning.ports.sessions import Role
from tests.devtools import built
from tests.support.console import an_office_with

LOCK = """\
phonenumberslite==9.0.42 \\
    --hash=sha256:0000
six==1.17.0 ; python_version >= "3" \\
    --hash=sha256:1111
"""


def _read_compiled(
    source: Path, mode: py_compile.PycInvalidationMode = py_compile.PycInvalidationMode.UNCHECKED_HASH
) -> Path:
    target = importlib.util.cache_from_source(str(source))
    py_compile.compile(str(source), cfile=target, invalidation_mode=mode, doraise=True)
    return Path(target)


def _package(layer: Path, name: str, version: str, module: str) -> None:
    (layer / f"{name}-{version}.dist-info").mkdir(parents=True)
    (layer / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n\ntext\n")
    source = layer / module
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text("ANSWER = 42\n")
    _read_compiled(source)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """Build a small layer with which nothing is wrong."""
    layer = tmp_path / "python"
    _package(layer, "phonenumberslite", "9.0.42", "phonenumbers/__init__.py")
    _package(layer, "six", "1.17.0", "six.py")
    return layer


def _all_that_is_wrong(layer: Path) -> list[str]:
    return [
        *built.foreign_binaries(layer, "arm64"),
        *built.missing_bytecode(layer),
        *built.unlocked_packages(layer, LOCK),
        *built.not_runtime(layer),
    ]


def _binary(machine: int) -> bytes:
    return b"\x7fELF".ljust(18, b"\0") + machine.to_bytes(2, "little") + b"\0" * 12


def test_a_layer_that_is_as_it_should_be_is_taken(layer: Path) -> None:
    (layer / "phonenumbers" / "fast.cpython-313-aarch64-linux-gnu.so").write_bytes(_binary(0xB7))
    assert not _all_that_is_wrong(layer)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("fast.cpython-313-x86_64-linux-gnu.so", _binary(0x3E), "is not for arm64"),
        ("fast.cpython-312-aarch64-linux-gnu.so", _binary(0xB7), "is not for Python 3.13"),
        ("fast.cpython-313-darwin.so", b"\xcf\xfa\xed\xfe", "is no binary that Linux loads"),
        ("helper", _binary(0x3E), "is not for arm64"),
    ],
)
def test_a_binary_for_another_processor_or_python_is_refused(layer: Path, name: str, content: bytes, why: str) -> None:
    (layer / "phonenumbers" / name).write_bytes(content)
    assert _all_that_is_wrong(layer) == [f"phonenumbers/{name} {why}"]


def test_a_source_without_bytecode_is_refused(layer: Path) -> None:
    Path(importlib.util.cache_from_source(str(layer / "six.py"))).unlink()
    assert _all_that_is_wrong(layer) == ["six.py has no bytecode"]


def test_bytecode_of_another_source_is_refused_because_python_would_not_notice(layer: Path) -> None:
    (layer / "six.py").write_text("ANSWER = 43\n")
    assert _all_that_is_wrong(layer) == ["__pycache__/six.cpython-313.pyc is bytecode of another source"]


@pytest.mark.parametrize(
    "mode", [py_compile.PycInvalidationMode.TIMESTAMP, py_compile.PycInvalidationMode.CHECKED_HASH]
)
def test_bytecode_that_python_would_check_first_is_refused(layer: Path, mode: py_compile.PycInvalidationMode) -> None:
    _read_compiled(layer / "six.py", mode)
    assert _all_that_is_wrong(layer) == ["__pycache__/six.cpython-313.pyc is not trusted without a look at its source"]


def test_bytecode_of_another_python_is_refused(layer: Path) -> None:
    compiled = Path(importlib.util.cache_from_source(str(layer / "six.py")))
    compiled.write_bytes(b"\0\0\r\n" + compiled.read_bytes()[4:])
    assert _all_that_is_wrong(layer) == ["__pycache__/six.cpython-313.pyc is bytecode of another Python"]


def test_bytecode_without_a_source_is_refused(layer: Path) -> None:
    (layer / "phonenumbers" / "__pycache__" / "gone.cpython-313.pyc").write_bytes(b"")
    assert _all_that_is_wrong(layer) == ["phonenumbers/__pycache__/gone.cpython-313.pyc belongs to no source"]


def test_a_package_the_lock_does_not_name_is_refused(layer: Path) -> None:
    _package(layer, "pytest", "9.0.0", "pytest/__init__.py")
    assert _all_that_is_wrong(layer) == ["pytest: the lock says nothing, the layer has 9.0.0"]


def test_a_package_that_is_missing_or_of_another_version_is_refused(layer: Path) -> None:
    lock = LOCK.replace("1.17.0", "1.18.0") + "pydantic==2.14.3\n"
    assert list(built.unlocked_packages(layer, lock)) == [
        "pydantic: the lock says 2.14.3, the layer has nothing",
        "six: the lock says 1.18.0, the layer has 1.17.0",
    ]


def test_a_folder_that_is_no_packages_is_refused(layer: Path) -> None:
    (layer / "leftover").mkdir()
    assert _all_that_is_wrong(layer) == ["leftover belongs to no package"]


@pytest.mark.parametrize("path", ["phonenumbers/tests/data.txt", "phonenumbers/data.pyi"])
def test_what_only_developers_need_is_refused(layer: Path, path: str) -> None:
    (layer / path).parent.mkdir(exist_ok=True)
    (layer / path).write_text("")
    assert _all_that_is_wrong(layer) == [f"{path} is not needed at run time"]


def test_a_functions_variables_get_what_the_template_would_give_them(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("""\
Parameters:
  PerSecond: { Type: Number, Default: 20 }
Mappings:
  Senders:
    "20": { AtWork: "3" }
Globals:
  Function:
    Environment:
      Variables:
        NAME: !Ref AWS::StackName
        TABLE: !Ref Table
Resources:
  SenderFunction:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          PER_SECOND: !Ref PerSecond
          SENDERS: !FindInMap [Senders, !Ref PerSecond, AtWork]
          TRIES: "5"
""")
    assert built.Built.at(tmp_path).environment("sender") == {
        "NAME": "AWS::StackName",
        "TABLE": "Table",
        "PER_SECOND": "20",
        "SENDERS": "3",
        "TRIES": "5",
    }


def test_imports_are_compared_turn_by_turn_because_a_shared_machine_changes_its_pace() -> None:
    slow_then_fast = built.Measured("sender", ["sns"], ours=[600, 620, 310], uncompiled=0, reference=[400, 400, 200])
    assert slow_then_fast.ratio == pytest.approx(1.55)
    assert slow_then_fast.undisturbed == pytest.approx(1.5)


def test_a_file_of_ours_that_is_missing_or_changed_is_refused(tmp_path: Path) -> None:
    ours, layer = tmp_path / "source" / "dunning", tmp_path / "python"
    for folder in (ours, layer / "dunning"):
        folder.mkdir(parents=True)
        (folder / "same.toml").write_text("a = 1")
        (folder / "changed.toml").write_text(str(folder))
    (ours / "policy.toml").write_text("a = 1")
    (ours / "py.typed").write_text("")
    assert list(built.not_ours(layer, ours)) == [
        "dunning/changed.toml differs from its source",
        "dunning/policy.toml is missing",
    ]


def test_compiled_policies_that_differ_from_the_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "dunning" / "policy" / "compiled"
    folder.mkdir(parents=True)
    expected: dict[str, object] = {"same": ["a"], "changed": {"at_most": 1}, "missing": 1}
    monkeypatch.setattr(compiled_policies, "LOADERS", {what: lambda what=what: expected[what] for what in expected})
    (folder / "same.pickle").write_bytes(pickle.dumps(["a"]))
    (folder / "changed.pickle").write_bytes(pickle.dumps({"at_most": 1.0}))
    assert list(built.misread_policies(tmp_path)) == [
        "dunning/policy/compiled/changed.pickle is not what the files come to",
        "dunning/policy/compiled/missing.pickle is missing",
    ]


def test_compiled_pages_that_differ_from_their_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, compiled = tmp_path / "pages", tmp_path / "dunning" / "console" / "compiled_pages"
    pages.mkdir()
    for page in ("same", "changed", "missing", "gone"):
        (pages / f"{page}.html").write_text(f"<p>{page} {{{{ value }}}}</p>")
    new_environment(FileSystemLoader(pages)).compile_templates(compiled, zip=None, ignore_errors=False)
    (pages / "changed.html").write_text("<p>{{ another }}</p>")
    (pages / "gone.html").unlink()
    (compiled / ModuleLoader.get_module_filename("missing.html")).unlink()
    monkeypatch.setattr(built, "PAGES", pages)
    wrong = {line.rpartition("/")[2] for line in built.misread_pages(tmp_path)}
    assert wrong == {
        f"{ModuleLoader.get_module_filename('changed.html')} is not what its page comes to",
        f"{ModuleLoader.get_module_filename('missing.html')} is missing",
        f"{ModuleLoader.get_module_filename('gone.html')} belongs to no page",
    }


def test_pages_are_compiled_to_the_same_modules_whatever_the_hash_seed(tmp_path: Path) -> None:
    made = []
    for seed in ("0", "1"):
        folder = tmp_path / seed
        code = (
            "from jinja2 import FileSystemLoader\n"
            "from dunning.console.render import PAGES, new_environment\n"
            f"environment = new_environment(FileSystemLoader(PAGES))\n"
            f"environment.compile_templates({str(folder)!r}, zip=None, ignore_errors=False)"
        )
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(built.PACKAGE.parent)}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)  # noqa: S603 - our own code
        made.append({path.name: path.read_text() for path in folder.iterdir()})
    assert made[0] == made[1]


def test_a_page_is_the_same_read_from_its_file_and_from_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_files = _a_page_of_the_console()
    compiled = tmp_path / "compiled_pages"
    new_environment(FileSystemLoader(render.PAGES)).compile_templates(compiled, zip=None, ignore_errors=False)
    monkeypatch.setattr(render, "COMPILED_PAGES", compiled)
    monkeypatch.setattr(render, "PAGES", tmp_path / "nowhere")
    assert _a_page_of_the_console() == from_files


def _a_page_of_the_console() -> str:
    render._environment.cache_clear()  # noqa: SLF001 - as in a process that has just begun
    office, _ = an_office_with()
    office.log_in(Role.MANAGER)
    body = office.get("/customers/C0001").body
    render._environment.cache_clear()  # noqa: SLF001
    return body


@pytest.mark.parametrize(
    ("first", "other"),
    [
        pytest.param(1, True, id="a number and yes"),
        pytest.param([1], (1,), id="a list and a tuple"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="another order"),
        pytest.param(frozenset("ab"), frozenset("ac"), id="sets"),
        pytest.param(Decimal(1), Decimal("1.0"), id="decimals"),
        pytest.param(Severity.BLOCK, "block", id="a name and a word"),
        pytest.param(RepliesFile(), RepliesFile(grace_days=4), id="models"),
        pytest.param(RepliesFile(), RepliesFile(grace_days=3), id="said and left to the default"),
    ],
)
def test_things_of_other_contents_are_told_apart(first: object, other: object) -> None:
    assert built.contents(first) == built.contents(pickle.loads(pickle.dumps(first)))
    assert built.contents(first) != built.contents(other)


def test_what_a_handler_has_built_is_read_from_it_each_service_once_and_no_telemetry(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: { KeeperFunction: { Type: AWS::Serverless::Function } }\n")
    (tmp_path / "KeeperFunction").mkdir()
    (tmp_path / "KeeperFunction" / "app.py").write_text("""\
def lambda_handler(event, context):
    try:
        wiring.carrier_opt_out_service().sync() if event else wiring.close_unknown_service().close()
        wiring.carrier_opt_out_service().sync()
    finally:
        wiring.telemetry().flush()
""")
    assert built.Built.at(tmp_path).builders("keeper") == ["carrier_opt_out_service", "close_unknown_service"]
