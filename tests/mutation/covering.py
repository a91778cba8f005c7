"""
Which test runs which lines, and for how long: a mutant is judged by the tests that run its lines, the quickest first.

Python tells each line once a test (`sys.monitoring`), so the map costs hardly more than the tests. It is kept by test
file, and made anew for the files that have changed, or for all when what they stand on has changed.
"""

import gc
import hashlib
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from functools import _lru_cache_wrapper, cache
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import pytest

from tests.local import ROOT
from tests.mutation.scope import PACKAGE, is_witness, support_files, test_files

_TOOL = 3
"""One of the ids that `sys.monitoring` leaves to tools of one's own."""

PYTEST = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "-p", "no:faulthandler", "--assert=plain"]
PYTEST += ["--capture=no", "--tb=no", "--no-header", "-q", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]


class Covering(NamedTuple):
    """A test: its id, the CPU seconds it takes, and the lines it runs of each module, as the bits of a number."""

    test: str
    cpu: float
    lines: dict[str, int]

    @property
    def file(self) -> str:
        """Return the file of the test."""
        return self.test.partition("::")[0]

    def runs(self, module: str, lines: int) -> bool:
        """Tell whether the test runs one of these lines."""
        return bool(self.lines.get(module, 0) & lines)


class LineRecorder:
    """Records which lines of the package run."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}
        sys.monitoring.use_tool_id(_TOOL, "mutants")
        sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, self._line)
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)

    def _line(self, code: CodeType, line: int) -> object:
        if code.co_filename.startswith(_PACKAGE):
            name = code.co_filename.removeprefix(_PACKAGE)
            self._lines[name] = self._lines.get(name, 0) | 1 << line
        return sys.monitoring.DISABLE

    def restart(self) -> dict[str, int]:
        """Return the lines that have run, as bits by module, and forget them."""
        lines, self._lines = self._lines, {}
        sys.monitoring.restart_events()
        return lines

    def stop(self) -> dict[str, int]:
        """Return the lines that have run, and record no more."""
        sys.monitoring.set_events(_TOOL, sys.monitoring.events.NO_EVENTS)
        sys.monitoring.free_tool_id(_TOOL)
        return self._lines


class _LineMap:
    """Writes down the lines of each test."""

    def __init__(self) -> None:
        self.found: list[Covering] = []
        self.failed: list[str] = []
        self._caches: list[_lru_cache_wrapper[object]] = []

    def pytest_collection_finish(self) -> None:
        # A test that finds an answer in a cache does not run the lines that made it.
        self._caches = [
            cached
            for cached in gc.get_objects()
            if isinstance(cached, _lru_cache_wrapper) and (cached.__module__ or "").startswith(_CACHED)
        ]
        self._lines = LineRecorder()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        for cached in self._caches:
            cached.cache_clear()
        self._lines.restart()
        began = time.process_time()
        result = yield
        self.found.append(Covering(item.nodeid, time.process_time() - began, self._lines.restart()))
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


_CACHED = ("dunning.domain", "dunning.services")
_PACKAGE = f"{PACKAGE}/"


def say(*lines: str) -> None:
    """Print lines at once: who waits for a long run reads along."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def digest_of(paths: Iterable[Path]) -> str:
    """Return a digest of the contents of files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(ROOT)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def covering_tests(folder: Path, jobs: int) -> list[Covering]:
    """
    Return all tests that have to notice, from the cache where that is possible.

    Raises:
        AssertionError: a test fails without any mutant.
    """
    folder /= "lines"
    folder.mkdir(parents=True, exist_ok=True)
    support = digest_of(support_files())
    kept = {path: folder / f"{digest_of([path, *_beside(path)])[:16]}-{support[:16]}.json" for path in test_files()}
    found = {path: _read(lines) for path, lines in kept.items()}
    missing = sorted((path for path, tests in found.items() if tests is None), key=lambda path: -path.stat().st_size)
    if missing:
        say(f"Mapping the lines of {len(missing)} files of tests")
        _map_in_processes(missing, kept, jobs)
        found |= {path: _read(kept[path]) for path in missing}
    return [test for tests in found.values() for test in tests or () if is_witness(test.test)]


def _read(lines: Path) -> list[Covering] | None:
    """Return the tests of a file; `None` if they are not mapped, or a module that they run has changed since."""
    if not lines.exists():
        return None
    kept = json.loads(lines.read_text("utf-8"))
    if any(_module_digest(name) != digest for name, digest in kept["modules"].items()):
        return None
    return [
        Covering(test, cpu, {name: int(bits, 16) for name, bits in of_modules.items()})
        for test, cpu, of_modules in kept["tests"]
    ]


@cache
def _module_digest(name: str) -> str:
    path = PACKAGE / name
    return digest_of([path])[:16] if path.exists() else ""


def _beside(path: Path) -> list[Path]:
    """Return the data beside a test, which it may read."""
    return sorted(path.parent.rglob("*.json"))


def _map_in_processes(missing: Sequence[Path], kept: dict[Path, Path], jobs: int) -> None:
    children = []
    for number in range(jobs):
        share = missing[number::jobs]
        if share:
            child = os.fork()
            if not child:
                _map_lines(share, kept)
            children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    assert not failed, "the tests have to pass before mutants are planted: see above which fail"


def _map_lines(share: Sequence[Path], kept: dict[Path, Path]) -> None:
    lines = _LineMap()
    code = pytest.main([*PYTEST, *map(str, share)], plugins=[lines])
    if code in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:  # a file that passes need not be mapped again
        by_file: defaultdict[str, list[Covering]] = defaultdict(list)
        for test in lines.found:
            by_file[test.file].append(test)
        with_failures = {test.partition("::")[0] for test in lines.failed}
        for path in share:
            if str(path.relative_to(ROOT)) in with_failures:
                continue
            tests = by_file[str(path.relative_to(ROOT))]
            modules = {name: _module_digest(name) for test in tests for name in test.lines}
            rows = [(test.test, test.cpu, {name: f"{bits:x}" for name, bits in test.lines.items()}) for test in tests]
            kept[path].write_text(json.dumps({"modules": modules, "tests": rows}), "utf-8")
    say(*lines.failed)
    os._exit(int(code))
