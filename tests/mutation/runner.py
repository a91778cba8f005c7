"""
Runs mutants.

A process collects all tests once, and forks a child for each mutant: the child puts the mutated code into the live
function, and runs the tests that run its lines, until a test fails. What was worked out while the tests were collected
has not seen the mutant, and code at the top of a module runs only then. So a mutant at the top, and a mutant that
survives in a function that has run by then, or whose code does not fit into the live function, is judged in a process
that imports all anew.
"""

import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import zip_longest
from types import CodeType, FunctionType
from typing import NamedTuple, override

import pytest

from tests.mutation.covering import PYTEST, Covering, LineRecorder
from tests.mutation.operators import Mutant
from tests.mutation.scope import Module, files_that_import, importers

KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"

_BUDGET = 4.0
"""Seconds of CPU for the tests of one mutant, as they take without it."""
FEWEST_TESTS = 5
"""Run whatever they take."""

_PATIENCE, _LEAST_SECONDS = 10, 4
"""A test has timed out after so many times the CPU it takes without a mutant, and these seconds."""
_LONGEST_WAIT = 240.0
"""Seconds of a child that does nothing at all, such as one that waits for a lock for ever."""
_MEMORY = 6 * 2**30
"""Bytes of a child: a loop that collects for ever fails early."""

_WARMED = (
    "boto3", "moto", "hypothesis", "pydantic", "phonenumbers", "aws_lambda_powertools", "pytest_socket", "jsonschema",
    "botocore.session", "hypothesis.strategies", "hypothesis.stateful", "moto.dynamodb.models", "moto.sns.models",
    "moto.sqs.models", "moto.s3.models",
)  # fmt: skip
"""What tests import besides our own code: imported before the first fork."""


class Planted(NamedTuple):
    """A mutant of a module, the tests that run its lines, and all tests that run the module."""

    module: Module
    mutant: Mutant
    tests: tuple[Covering, ...]
    of_module: tuple[Covering, ...] = ()
    """Judge what has run before any test: such as a reader that all tests of a file share."""


class Verdict(NamedTuple):
    """What became of a mutant: its outcome, and the test that noticed."""

    module: str
    mutant: str
    outcome: str
    test: str = ""


def lines_of(mutant: Mutant) -> int:
    """Return the lines of a mutant as the bits of a number."""
    return sum(1 << line for line in mutant.lines)


def planted(module: Module, mutant: Mutant, covering: Sequence[Covering]) -> Planted:
    """Return a mutant with the tests that run its lines; at the top of a module, those that run the module."""
    names = {module.name, *importers().get(module.name, ())}
    of_module = tuple([test for test in covering if not names.isdisjoint(test.lines)])
    lines = lines_of(mutant)
    tests = (
        of_module if mutant.function is None else tuple([test for test in covering if test.runs(module.name, lines)])
    )
    return Planted(module, mutant, tests, of_module)


def run(mutants: Sequence[Planted], jobs: int, record: Callable[[Verdict], None]) -> None:
    """Judge mutants in several processes, and record each verdict as it comes; the order is not kept."""
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    for name in _WARMED:
        importlib.import_module(name)
    _leave_out_shrinking()
    reading, writing = os.pipe()
    workers = [_fork(lambda number=number: _work(mutants[number::jobs], writing)) for number in range(jobs)]  # type: ignore[misc]
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as verdicts:
        for line in verdicts:
            record(Verdict(*json.loads(line)))
    failed = [worker for worker in workers if os.waitpid(worker, 0)[1]]
    assert not failed, "a process that runs mutants has failed: its trace is above"


def _leave_out_shrinking() -> None:
    """Let Hypothesis stop at the first example that fails: nobody reads it."""
    from hypothesis import Phase, settings  # noqa: PLC0415 - with what is warmed

    settings.register_profile(
        "mutants",
        derandomize=True,
        max_examples=100,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
    )


def _fork(task: Callable[[], None]) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        task()
        code = 0
    except BaseException:  # noqa: BLE001 - the child must never go on as its parent
        traceback.print_exc()
    os._exit(code)


def _work(mutants: Sequence[Planted], writing: int) -> None:
    """Judge a share of the mutants: in functions from one warm process, then the rest and all survivors anew."""

    def report(planted: Planted, outcome: str, test: str) -> None:
        verdict = Verdict(planted.module.name, planted.mutant.id, outcome, test)
        os.write(writing, (json.dumps(verdict) + "\n").encode())

    reading, passing = os.pipe()
    in_functions = [place for place, planted in enumerate(mutants) if planted.mutant.function and planted.of_module]
    afresh = [place for place, planted in enumerate(mutants) if not planted.mutant.function and planted.of_module]
    for planted in mutants:
        if not planted.of_module:
            report(planted, SURVIVED, "")
    if in_functions:
        warm = _fork(lambda: _work_warm([(place, mutants[place]) for place in in_functions], report, passing))
        os.close(passing)
        with os.fdopen(reading, encoding="utf-8") as survivors:
            for line in survivors:
                place = int(line)
                report(mutants[place], *_judged_afresh(mutants[place]))
        _, status = os.waitpid(warm, 0)
        assert not status, "the process that collects all tests has failed"
    for place in afresh:
        report(mutants[place], *_judged_afresh(mutants[place]))


type _Report = Callable[[Planted, str, str], None]


def _work_warm(mutants: Sequence[tuple[int, Planted]], report: _Report, survived: int) -> None:
    files = sorted({test.file for _, planted in mutants for test in planted.tests or planted.of_module[:1]})
    _silence()
    session = _WarmSession(mutants, report, survived)
    pytest.main([*PYTEST, *files], plugins=[session])
    assert session.is_done, "pytest collected nothing"


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)


class _WarmSession:
    """Takes the place of pytest's loop once the tests are collected."""

    def __init__(self, mutants: Sequence[tuple[int, Planted]], report: _Report, survived: int) -> None:
        self._mutants = mutants
        self._report = report
        self._survived = survived
        self._killers: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._functions: Mapping[tuple[str, str, int], Sequence[FunctionType]] = {}
        self._run_before: Mapping[str, int] = {}
        self.is_done = False

    def pytest_sessionstart(self) -> None:
        self._lines = LineRecorder()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        _warm_up()
        self._run_before = self._lines.stop()
        self._functions = _live_functions()
        gc.collect()
        gc.freeze()
        for place, planted in self._mutants:
            chosen = in_order(planted.module, planted.tests, self._killers[planted.module.name])
            outcome, test = judged(lambda planted=planted, chosen=chosen: self._child(session, planted, items, chosen))  # type: ignore[misc]
            has_run = lines_of(planted.mutant) & self._run_before.get(planted.module.name, 0)
            if outcome == SURVIVED and (has_run or test.startswith(_NOT_JUDGED)):
                os.write(self._survived, f"{place}\n".encode())
                continue
            if test:
                self._killers[planted.module.name][test] += 1
            self._report(planted, outcome, test)
        self.is_done = True
        return True

    def _child(
        self,
        session: pytest.Session,
        planted: Planted,
        items: Mapping[str, pytest.Item],
        chosen: Sequence[Covering],
    ) -> None:
        self._put_in(planted)
        session.config.pluginmanager.register(_Verdicts())
        for test, following in zip_longest(chosen, chosen[1:]):
            limit_cpu(test.cpu)
            item, nextitem = items[test.test], following and items[following.test]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)

    def _put_in(self, planted: Planted) -> None:
        """
        Put a mutant's code into its function, wherever the function is in use.

        Raises:
            ValueError: the code uses other variables from around it.
            DeprecationWarning: the function is a generator, and the code is none.
        """
        path, function = str(planted.module.path), planted.mutant.function
        assert function is not None
        code = code_of(compile(planted.mutant.plant(), path, "exec"), *function)
        for live in self._functions.get((path, *function), ()):
            live.__code__ = code


def in_order(module: Module, tests: Sequence[Covering], killers: Mapping[str, int]) -> list[Covering]:
    """
    Return the tests to run, within the budget.

    First those that have noticed mutants of the module, then those of files that import it, which state its rules, then
    the others; the quickest first.
    """
    near = files_that_import(module)
    ordered = sorted(tests, key=lambda test: (-killers.get(test.test, 0), test.file not in near, test.cpu))
    spent = 0.0
    chosen: list[Covering] = []
    for test in ordered:
        spent += test.cpu
        if spent <= _BUDGET or len(chosen) < FEWEST_TESTS:
            chosen.append(test)
    return chosen


def _warm_up() -> None:
    """Load what most tests load first. A mutant that is seen only in the loading is found when it is judged afresh."""
    from tests.support.builders import the_policies  # noqa: PLC0415 - imports the package

    the_policies()


def _live_functions() -> Mapping[tuple[str, str, int], Sequence[FunctionType]]:
    found: defaultdict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for thing in gc.get_objects():
        if type(thing) is FunctionType:
            code = thing.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(thing)
    return found


def code_of(module: CodeType, qualname: str, first_line: int) -> CodeType:
    """
    Return the code of a function of a module.

    Raises:
        LookupError: there is none.
    """
    inner = [module]
    for code in inner:  # grows
        if code.co_qualname == qualname and code.co_firstlineno == first_line:
            return code
        inner += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    raise LookupError(qualname)


class _Verdicts:
    """Ends the process at the first test that fails, and names it."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            notice(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            notice(report.nodeid)


_NOT_JUDGED = "not judged:"
"""Begins what a child says that could not run the tests. That is no kill: what is not known counts as survived."""

_verdicts: list[int] = []
"""Where a child writes the test that noticed its mutant."""


def notice(test: str) -> None:
    os.write(_verdicts[-1], test.encode())
    os._exit(0)


def limit_cpu(cpu: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, _LEAST_SECONDS + _PATIENCE * cpu)


def judged(child: Callable[[], None]) -> tuple[str, str]:
    """Run a mutant in a child, and return its outcome, and the test that noticed."""
    reading, writing = os.pipe()

    def judge() -> None:
        os.setpgid(0, 0)
        _verdicts.append(writing)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        try:
            child()
        except BaseException as error:  # noqa: BLE001 - ours, for pytest reports those of tests
            os.write(writing, f"{_NOT_JUDGED} {type(error).__name__}".encode())

    running = _fork(judge)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], _LONGEST_WAIT)
    test = os.read(reading, 4096).decode() if ready else ""
    os.close(reading)
    if not ready:
        os.kill(running, signal.SIGKILL)
    _, status = os.waitpid(running, 0)
    if test:
        return (SURVIVED if test.startswith(_NOT_JUDGED) else KILLED), test
    if not ready or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF):
        return TIMED_OUT, ""
    return (KILLED, "the process broke") if status else (SURVIVED, "")


class _Loader(SourceFileLoader):
    """Loads a module with a mutant."""

    def __init__(self, name: str, path: str, mutant: Mutant) -> None:
        super().__init__(name, path)
        self._mutant = mutant

    @override
    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._mutant.plant(), self.path, "exec")
        return code


class _Finder:
    """Finds the module with the mutant, and no other."""

    def __init__(self, planted: Planted) -> None:
        self._planted = planted

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        del path, target
        module = self._planted.module
        if name != module.imported_as:
            return None
        file = str(module.path)
        return spec_from_file_location(name, file, loader=_Loader(name, file, self._planted.mutant))


class _Chosen:
    """Keeps of the collected tests those chosen, in their order."""

    def __init__(self, tests: Sequence[Covering]) -> None:
        self._order = {test.test: place for place, test in enumerate(tests)}
        self._cpu = {test.test: test.cpu for test in tests}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid]
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        limit_cpu(self._cpu[item.nodeid] + 1)  # what the first test loads, it loads anew


_SECONDS_TO_COLLECT = 60.0


def _judged_afresh(planted: Planted) -> tuple[str, str]:
    chosen = in_order(planted.module, planted.of_module, {})

    def child() -> None:
        signal.setitimer(signal.ITIMER_PROF, _SECONDS_TO_COLLECT)
        sys.meta_path.insert(0, _Finder(planted))
        files = sorted({test.file for test in chosen})
        code = pytest.main([*PYTEST, *files], plugins=[_Verdicts(), _Chosen(chosen)])
        if code != pytest.ExitCode.OK:
            notice("pytest itself")

    return judged(child)
