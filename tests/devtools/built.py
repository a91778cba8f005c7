"""
What `sam build` made, looked at before it is deployed: `make build` calls this.

    python -m tests.devtools.built .aws-sam/build --arch arm64 [--run-with .venv-lambda/bin/python]

Looked at: each binary is of the architecture, each source has its bytecode and it is that source's, the packages
are those of the lock and no others, nothing of ours is missing, policies and pages are read as they are written, and
it all fits into Lambda. With `--run-with`, an interpreter that has what Lambda has, each function is imported from its
artefacts alone and its cold start is measured beside boto3 with the same clients.

Exits with 0 if all is well, 1 if something is wrong with what was built.
"""

import argparse
import importlib.util
import json
import os
import pickle
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from functools import partial
from pathlib import Path
from statistics import median
from types import FunctionType
from typing import Any

from jinja2 import FileSystemLoader, ModuleLoader
from samtranslator.yaml_helper import yaml_parse

from dunning import compiled_policies
from dunning.console.render import COMPILED_PAGES, PAGES, new_environment
from tests.local import ROOT
from tests.support.function_folders import folder_of

PACKAGE = ROOT / "layers" / "dunning" / "python" / "dunning"
LOCK = ROOT / "layers" / "dunning" / "python" / "requirements.txt"

MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}
"""How an ELF file names the processor it is for."""

UNZIPPED_AT_MOST = 250 * 1024 * 1024
"""Lambda's limit for a function with all its layers."""

TARGET = 1.6
"""A cold import of ours, at most, beside boto3 with the same clients. A number to hold, told and not enforced."""

BROKEN = 2.2
"""
Beyond this bytecode is missing or unusable, or something heavy came in. Enforced, and so judged by the best turn: a
layer without bytecode is beyond it in each of them.
"""

WITHOUT_WHICH_THERE_IS_NO_CONSOLE = {
    "ConsoleIssuer": "https://login.example",
    "ConsoleClientId": "console",
    "ConsoleGroups": "people=manager",
}
"""Parameters that are empty by default."""

RUNS = 5

_UNCHECKED_HASH = 0b01
_LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
_NOT_RUNTIME = {".pyi", ".pyx", ".c", ".h"}
_BUILDS = re.compile(r"\bwiring\.(\w+)\(\)")
_OF_ALL = {"telemetry", "now"}
"""What handlers ask of the wiring that is no function's own service."""


@dataclass(frozen=True, slots=True)
class Built:
    """A folder that `sam build` has filled: its template, its layer, and the folder of each function."""

    folder: Path
    template: Mapping[str, Any]

    @classmethod
    def at(cls, folder: Path) -> "Built":
        """
        Read a build.

        Raises:
            FileNotFoundError: nothing was built there.
        """
        template: Mapping[str, Any] = yaml_parse((folder / "template.yaml").read_text("utf-8"))  # type: ignore[no-untyped-call]
        return cls(folder, template)

    @property
    def layer(self) -> Path:
        """The folder that becomes /opt/python."""
        (name,) = self._of_type("AWS::Serverless::LayerVersion")
        return self.folder / name / "python"

    @property
    def functions(self) -> dict[str, Path]:
        """Each function's folder in the build, by the name of its folder in `functions/`."""
        return {folder_of(name): self.folder / name for name in self._of_type("AWS::Serverless::Function")}

    def builders(self, function: str) -> list[str]:
        """Return what a function's handler has the wiring build. One that has several tasks builds one at a time."""
        handler = (self.functions[function] / "app.py").read_text("utf-8")
        return [name for name in dict.fromkeys(_BUILDS.findall(handler)) if name not in _OF_ALL]

    def environment(self, function: str) -> dict[str, str]:
        """Give a function's variables values: literals and defaults as they are, what AWS would fill in by name."""
        logical_id = next(name for name, folder in self._folders() if folder == self.functions[function])
        declared = {
            **self.template["Globals"]["Function"]["Environment"]["Variables"],
            **self._properties(logical_id).get("Environment", {}).get("Variables", {}),
        }
        return {name: self._value(value) for name, value in declared.items()}

    def _value(self, value: object) -> str:
        if not isinstance(value, dict):
            return str(value)
        ((how, target),) = value.items()
        if how == "Fn::FindInMap":
            table, row, column = map(self._value, target)
            return str(self.template["Mappings"][table][row][column])
        if how == "Fn::If":  # what is not so by default
            return self._value(target[2])
        if how == "Fn::GetAtt" and target[-1] == "ApiEndpoint":
            return f"https://{target[0].lower()}.example"
        if target in WITHOUT_WHICH_THERE_IS_NO_CONSOLE:
            return WITHOUT_WHICH_THERE_IS_NO_CONSOLE[target]
        default = self.template["Parameters"].get(str(target), {}).get("Default")
        return str(target if default is None else default)

    def _folders(self) -> Iterator[tuple[str, Path]]:
        return ((name, self.folder / name) for name in self._of_type("AWS::Serverless::Function"))

    def _of_type(self, kind: str) -> list[str]:
        return [name for name, resource in self.template["Resources"].items() if resource["Type"] == kind]

    def _properties(self, logical_id: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.template["Resources"][logical_id]["Properties"]
        return properties


# ---------------------------------------------------------------- looking at it


def foreign_binaries(layer: Path, arch: str) -> Iterator[str]:
    """Find what another processor, or another Python, would have to run."""
    for path in _files(layer):
        with path.open("rb") as file:
            head = file.read(20)
        is_elf = head.startswith(b"\x7fELF")
        if path.suffix == ".so" and not is_elf:
            yield f"{_in(layer, path)} is no binary that Linux loads"
        if is_elf and int.from_bytes(head[18:20], "little") != MACHINES[arch]:
            yield f"{_in(layer, path)} is not for {arch}"
        tag = re.search(r"\.cpython-(\d+)", path.name)
        if tag and tag[1] != "313":
            yield f"{_in(layer, path)} is not for Python 3.13"


def missing_bytecode(layer: Path) -> Iterator[str]:
    """
    Find sources that would be compiled at every cold start, and bytecode of another source.

    Python trusts it without a look at the source, which is what makes it fast: here is where the look is taken.
    """
    expected = set()
    for source in layer.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        expected.add(compiled)
        if not compiled.exists():
            yield f"{_in(layer, source)} has no bytecode"
            continue
        head = compiled.read_bytes()[:16]
        if head[:4] != importlib.util.MAGIC_NUMBER:
            yield f"{_in(layer, compiled)} is bytecode of another Python"
        elif int.from_bytes(head[4:8], "little") != _UNCHECKED_HASH:
            yield f"{_in(layer, compiled)} is not trusted without a look at its source"
        elif head[8:16] != importlib.util.source_hash(source.read_bytes()):
            yield f"{_in(layer, compiled)} is bytecode of another source"
    for compiled in layer.rglob("*.pyc"):
        if compiled not in expected:
            yield f"{_in(layer, compiled)} belongs to no source"


def unlocked_packages(layer: Path, lock: str) -> Iterator[str]:
    """Find what differs from the lock: a package more, one less, another version, a folder that is no package's."""
    locked = {_normal(found["name"]): found["version"] for found in _LOCKED.finditer(lock)}
    shipped = packages_in(layer)
    for name in sorted(locked.keys() | shipped.keys()):
        if locked.get(name) != shipped.get(name):
            yield f"{name}: the lock says {locked.get(name, 'nothing')}, the layer has {shipped.get(name, 'nothing')}"
    for entry in _entries(layer):
        if entry.name != PACKAGE.name and _owner(entry, shipped) is None:
            yield f"{_in(layer, entry)} belongs to no package"


def not_runtime(layer: Path) -> Iterator[str]:
    """Find what only developers need."""
    for path in _files(layer):
        if path.suffix in _NOT_RUNTIME or {"tests", "test"} & set(path.relative_to(layer).parts[:-1]):
            yield f"{_in(layer, path)} is not needed at run time"


def not_ours(layer: Path, package: Path) -> Iterator[str]:
    """Find files of our package that did not get into the layer, or not as they are."""
    for path in _files(package):
        if "__pycache__" in path.parts or path.name == "py.typed":
            continue
        copy = layer / package.name / path.relative_to(package)
        if not copy.exists():
            yield f"{_in(layer, copy)} is missing"
        elif copy.read_bytes() != path.read_bytes():
            yield f"{_in(layer, copy)} differs from its source"


def misread_policies(layer: Path) -> Iterator[str]:
    """Find what was prepared of the policy files, and is trusted at a cold start, and is not what they come to."""
    folder = layer / PACKAGE.name / compiled_policies.COMPILED_FOLDER.relative_to(PACKAGE)
    for what, load in compiled_policies.LOADERS.items():
        file = folder / f"{what}.pickle"
        if not file.exists():
            yield f"{_in(layer, file)} is missing"
        elif contents(pickle.loads(file.read_bytes())) != contents(load()):
            yield f"{_in(layer, file)} is not what the files come to"


def misread_pages(layer: Path) -> Iterator[str]:
    """Find pages of the console that are not compiled, or not to what their files come to, and what belongs to none."""
    folder = layer / PACKAGE.name / COMPILED_PAGES.relative_to(PACKAGE)
    environment = new_environment(FileSystemLoader(PAGES))
    expected = {
        folder / ModuleLoader.get_module_filename(page): environment.compile(
            (PAGES / page).read_text("utf-8"), page, raw=True, defer_init=True
        )
        for page in environment.list_templates()
    }
    there = set(folder.glob("*.py"))
    for file in sorted(expected.keys() | there):
        if file not in there:
            yield f"{_in(layer, file)} is missing"
        elif file not in expected:
            yield f"{_in(layer, file)} belongs to no page"
        elif file.read_text("utf-8") != expected[file]:
            yield f"{_in(layer, file)} is not what its page comes to"


def contents(thing: object, seen: dict[int, tuple[object, object]] | None = None) -> object:
    """
    Return all that pickle sees of a thing, in a form that is equal for things of the same contents.

    Types belong to it: 1, 1.0 and true are equal, and not the same. So does order, but not that of sets. `seen` holds
    what was read already, by identity: the parts of a policy are shared a thousandfold.
    """
    kind = type(thing).__qualname__
    if isinstance(thing, str | int | float | bytes | type | FunctionType) or thing is None:
        return kind, repr(thing)
    seen = {} if seen is None else seen
    if id(thing) in seen:
        return seen[id(thing)][1]
    found: object
    match thing:
        case dict():
            found = kind, [(contents(key, seen), contents(value, seen)) for key, value in thing.items()]
        case list() | tuple():
            found = kind, [contents(part, seen) for part in thing]
        case set() | frozenset():
            found = kind, sorted(map(repr, thing))
        case _:
            found = kind, contents(thing.__reduce_ex__(pickle.HIGHEST_PROTOCOL), seen)
    seen[id(thing)] = thing, found
    return found


def too_big(built: Built) -> Iterator[str]:
    """Find functions that Lambda would not take."""
    for name, folder in built.functions.items():
        size = _size(folder) + _size(built.layer)
        if size > UNZIPPED_AT_MOST:
            yield f"{name} with its layer is {size:,} bytes, Lambda takes {UNZIPPED_AT_MOST:,}"


def problems(built: Built, arch: str, lock: str) -> list[str]:
    """Return all that is wrong with a build."""
    layer = built.layer
    return [
        *foreign_binaries(layer, arch),
        *missing_bytecode(layer),
        *unlocked_packages(layer, lock),
        *not_runtime(layer),
        *not_ours(layer, PACKAGE),
        *misread_policies(layer),
        *misread_pages(layer),
        *too_big(built),
    ]


def packages_in(layer: Path) -> dict[str, str]:
    """Return the versions of the packages installed in a layer."""
    found = {}
    for metadata in layer.glob("*.dist-info/METADATA"):
        headers = HeaderParser().parsestr(metadata.read_text("utf-8"))
        found[_normal(headers["Name"])] = headers["Version"]
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _entries(layer: Path) -> Iterator[Path]:
    """Yield what can be imported, and the bytecode of single modules."""
    for entry in sorted(layer.iterdir()):
        yield from sorted(entry.iterdir()) if entry.name == "__pycache__" else [entry]


def _owner(entry: Path, packages: Mapping[str, str]) -> str | None:
    """Tell whose an entry is: phonenumbers/ is of phonenumberslite, six.py of six."""
    name = _normal(entry.name.split("-")[0] if entry.suffix == ".dist-info" else entry.name.split(".")[0])
    return name if name in packages else next((package for package in packages if package.startswith(name)), None)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _in(layer: Path, path: Path) -> str:
    return str(path.relative_to(layer))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in _files(folder)) if folder.is_dir() else folder.stat().st_size


def _zipped(paths: Sequence[Path], base: Path) -> int:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                for file_path in _files(path) if path.is_dir() else (path,):
                    archive.write(file_path, file_path.relative_to(base))
        return file.tell()


def sizes(built: Built) -> Iterator[str]:
    """Yield a table of what is how big: each package of the layer, each function."""
    layer = built.layer
    shipped = packages_in(layer)
    by_owner: dict[str, list[Path]] = {}
    for entry in _entries(layer):
        by_owner.setdefault(_owner(entry, shipped) or PACKAGE.name, []).append(entry)
    yield f"{'':30} {'zipped':>12} {'unzipped':>12} {'bytecode':>12}"
    total = [0, 0, 0]
    for name, entries in sorted(by_owner.items()):
        row = [_zipped(entries, layer), sum(map(_size, entries)), sum(map(_bytecode, entries))]
        total = [sum(pair) for pair in zip(total, row, strict=True)]
        yield _size_row(f"{name} {shipped.get(name, '')}", row)
    yield _size_row("the layer", total)
    for name, folder in built.functions.items():
        yield _size_row(name, [_zipped([folder], folder), _size(folder), _bytecode(folder)])


def _bytecode(entry: Path) -> int:
    found = entry.rglob("*.pyc") if entry.is_dir() else (entry,)
    return sum(path.stat().st_size for path in found if path.suffix == ".pyc")


def _size_row(name: str, row: Sequence[int]) -> str:
    return f"{name:30} " + " ".join(f"{size / 1e6:9.2f} MB" for size in row)


# ------------------------------------------------------------------- running it

_OURS = """\
import sys, time
sys.path[:0] = {path!r}
begin = time.perf_counter()
import app
from dunning import wiring
wiring.{builder}()
print((time.perf_counter() - begin) * 1000)
"""
"""What a cold start runs: the handler's module, and its service with clients and policies."""

_REFERENCE = """\
import time
begin = time.perf_counter()
import boto3
session = boto3.Session()
for service in {services!r}:
    session.client(service)
print((time.perf_counter() - begin) * 1000)
"""

_CLIENTS = """\
import gc, json, sys
sys.path[:0] = {path!r}
import boto3
made = []
class Session(boto3.Session):
    def client(self, service, *args, **kwargs):
        made.append(service)
        return super().client(service, *args, **kwargs)
boto3.Session = Session
import app
from dunning import wiring
wiring.{builder}()
print(json.dumps([made, sorted({{
    getattr(module, "__file__", None) or "" for module in list(sys.modules.values())
}}), gc.isenabled()]))
"""

_KEYLESS = {
    "AWS_LAMBDA_FUNCTION_NAME": "measured",  # as Lambda says it: see dunning.cold_start
    "AWS_REGION": "ap-northeast-1",
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class NotImportableError(Exception):
    """A function cannot be imported from what was built."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How long the cold import of what `builder` builds took, each time, in milliseconds."""

    builder: str
    services: Sequence[str]
    ours: Sequence[float]
    uncompiled: float
    reference: Sequence[float]

    @property
    def ratio(self) -> float:
        """Ours beside the reference, of the turn in the middle."""
        return median(self._turns())

    @property
    def undisturbed(self) -> float:
        """Ours beside the reference, of the best turn."""
        return min(self._turns())

    def _turns(self) -> list[float]:
        """
        Return the ratio of each turn.

        A shared machine is slow for seconds, then fast: only what ran right after one another is compared.
        """
        return [ours / reference for ours, reference in zip(self.ours, self.reference, strict=True)]


def measure(built: Built, python: Path, runs: int) -> Iterator[Measured]:
    """
    Import each function by an interpreter that has what Lambda has, and measure it beside the reference.

    The layer is copied to where it cannot be written, as /opt cannot, and a second time without bytecode. Ours and the
    reference take turns, so that what else the machine does hits them alike. What bytecode is worth is only told, and
    so it is measured once.

    Raises:
        NotImportableError: a function does not import, uses what is not in its artefacts, or writes to the layer.
    """
    with tempfile.TemporaryDirectory() as folder:
        compiled, plain = Path(folder, "compiled"), Path(folder, "plain")
        shutil.copytree(built.layer, compiled)
        shutil.copytree(built.layer, plain, ignore=shutil.ignore_patterns("__pycache__"))
        for layer in (compiled, plain):
            _make_read_only(layer)
        before = set(compiled.rglob("*"))
        for function, builder in _starts(built):
            run = partial(_run, python, {**_KEYLESS, **built.environment(function)})
            path = [str(built.functions[function].absolute()), str(compiled)]
            services, files, collecting = json.loads(run(_CLIENTS.format(path=path, builder=builder)))
            if not collecting:
                raise NotImportableError(f"wiring.{builder} does not end the start: garbage would pile up for good")
            _refuse_strangers(function, files, (*path, *_runtime_of(python)))
            ours = _OURS.format(path=path, builder=builder)
            # Root may write where nobody can, so -B says it again.
            uncompiled = _OURS.format(path=[path[0], str(plain)], builder=builder)
            reference = _REFERENCE.format(services=services)
            ours_took, reference_took = _take_turns(runs, partial(run, ours), partial(run, reference))
            yield Measured(builder, services, ours_took, float(run(uncompiled, "-B")), reference_took)
        if set(compiled.rglob("*")) != before:
            raise NotImportableError("an import wrote into the layer, which is read-only in Lambda")


def _starts(built: Built) -> Iterator[tuple[str, str]]:
    """Yield each function with each builder its cold start may have to do with."""
    for function in built.functions:
        builders = built.builders(function)
        if not builders:
            raise NotImportableError(f"the handler of {function} has the wiring build nothing")
        yield from ((function, builder) for builder in builders)


def _take_turns(runs: int, *contestants: Callable[[], str]) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in contestants]
    for _ in range(runs):
        for contestant, taken in zip(contestants, times, strict=True):
            taken.append(float(contestant()))
    return times


def _run(python: Path, environment: Mapping[str, str], code: str, *options: str) -> str:
    # Isolated: no PYTHON* variable counts, nothing of the folder it is called from is seen.
    # Not resolved: what a link of a virtual environment leads to has other packages.
    done = subprocess.run(  # noqa: S603 - the interpreter we were told to use
        [os.path.abspath(python), "-I", *options, "-c", code],  # noqa: PTH100 - see above
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        raise NotImportableError(done.stderr.strip())
    return done.stdout.splitlines()[-1]


def _runtime_of(python: Path) -> list[str]:
    found: list[str] = json.loads(_run(python, {}, "import json, sys; print(json.dumps(sys.path))"))
    return found


def _refuse_strangers(function: str, files: Sequence[str], known: Sequence[str]) -> None:
    for file in files:
        if file and not any(file.startswith(place) for place in known if place):
            raise NotImportableError(f"{function} imports {file}, which Lambda does not have")


def _make_read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def _import_row(times: Measured) -> str:
    over = "" if times.ratio <= TARGET else f"  over the target of {TARGET}"
    return (
        f"{times.builder:24} {median(times.ours):8.0f} {times.uncompiled:18.0f} {median(times.reference):12.0f}"
        f" {times.ratio:8.2f}  {', '.join(times.services)}{over}"
    )


# ------------------------------------------------------------------------- main


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.devtools.built", description="Look at what sam build made.")
    parser.add_argument("folder", type=Path, help="where sam build put it")
    parser.add_argument("--arch", choices=MACHINES, required=True, help="the architecture it was built for")
    parser.add_argument("--lock", type=Path, default=LOCK, help="what may be in the layer")
    parser.add_argument("--run-with", type=Path, metavar="PYTHON", help="an interpreter with what Lambda has")
    parser.add_argument("--runs", type=int, default=RUNS, help="how often each import is measured")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Look, and return the exit status."""
    options = _arguments(argv)
    built = Built.at(options.folder)
    say = partial(print, flush=True)
    wrong = problems(built, options.arch, options.lock.read_text("utf-8"))
    if not options.run_with:
        say(f"\n== {options.folder} for {options.arch}")
        say(*sizes(built), sep="\n")
    else:
        say(f"\n== cold import on this machine ({options.arch}), medians of {options.runs}, in milliseconds")
        say(f"{'':24} {'ours':>8} {'without bytecode':>18} {'boto3 alone':>12} {'ratio':>8}  clients")
        try:
            for measured in measure(built, options.run_with, options.runs):
                say(_import_row(measured))
                if measured.undisturbed > BROKEN:
                    wrong.append(
                        f"{measured.builder} imports in {measured.undisturbed:.2f} times what boto3 alone takes"
                    )
        except NotImportableError as error:
            wrong.append(str(error))
    for problem in wrong:
        sys.stderr.write(f"ERROR: {problem}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
