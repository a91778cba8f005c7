"""Whether a mutant is noticed: by a failing test, by the clock, or by nobody."""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local import ROOT
from tests.mutation import runner, scope
from tests.mutation.__main__ import not_mutants, noticed_all_the_same, report
from tests.mutation.covering import Covering
from tests.mutation.operators import mutants_of
from tests.mutation.results import Results, Score, page_of, score, table
from tests.mutation.runner import KILLED, SURVIVED, TIMED_OUT, Planted, Verdict, in_order, judged, planted
from tests.mutation.scope import (
    MEASURE_TIME,
    Explained,
    Module,
    explained,
    files_that_import,
    importers,
    modules,
)

CAPS, HOURS = modules("caps.py hours.py")
MUTANT = mutants_of(CAPS.path.read_text("utf-8"))[0]
README = Path(runner.__file__).with_name("README.md")


def _test(name: str, cpu: float = 1.0, *, file: str = "tests/unit/domain/test_caps.py") -> Covering:
    return Covering(f"{file}::{name}", cpu, {})


def _runs(module: str, line: int) -> Covering:
    return _test(f"{module}:{line}")._replace(lines={module: 1 << line})


def _turn_for_ever() -> None:
    while True:
        pass


def _break() -> None:
    raise KeyError


def _end_at_once() -> None:
    os._exit(3)


@pytest.mark.skipif(sys.gettrace() is not None, reason="a child that is ended writes no coverage")
@pytest.mark.parametrize(
    ("child", "verdict"),
    [
        pytest.param(lambda: None, (SURVIVED, ""), id="no test fails"),
        pytest.param(lambda: runner.notice("a test"), (KILLED, "a test"), id="a test fails"),
        pytest.param(_break, (SURVIVED, "not judged: KeyError"), id="the tests could not be run"),
        pytest.param(_end_at_once, (KILLED, "the process broke"), id="the process ends"),
    ],
)
def test_a_child_says_whether_its_mutant_is_noticed(child: Callable[[], None], verdict: tuple[str, str]) -> None:
    assert judged(child) == verdict


def test_the_code_of_each_function_that_may_change_is_found() -> None:
    for module in modules("phrases.py promises.py claims.py"):  # the first has classes of a parameter
        source = module.path.read_text("utf-8")
        code = compile(source, str(module.path), "exec")
        for function in {mutant.function for mutant in mutants_of(source) if mutant.function}:
            assert runner.code_of(code, *function).co_firstlineno == function[1]


def test_a_child_that_takes_too_much_cpu_has_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_LEAST_SECONDS", 0.02)

    def child() -> None:
        runner.limit_cpu(0.001)
        _turn_for_ever()

    assert judged(child) == (TIMED_OUT, "")


def test_a_child_that_waits_for_ever_has_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_LONGEST_WAIT", 0.05)
    assert judged(lambda: time.sleep(60)) == (TIMED_OUT, "")


def test_tests_that_have_noticed_come_first_then_those_near_by_then_the_quickest_within_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "files_that_import", lambda _: {"tests/unit/domain/test_caps.py"})
    quick, slow, slower = _test("quick", 0.1), _test("slow", 3), _test("slower", 7)
    assert in_order(CAPS, [slower, slow, quick], {}) == [quick, slow, slower]  # the fewest, whatever they take
    many = [_test(f"test {number}", 3) for number in range(9)]
    assert in_order(CAPS, many, {}) == many[: runner.FEWEST_TESTS]
    assert in_order(CAPS, [slower, slow, quick], {slower.test: 2, slow.test: 1}) == [slower, slow, quick]
    far = _test("far", 0.01, file="tests/unit/domain/test_money.py")
    assert in_order(CAPS, [far, slow, quick], {}) == [quick, slow, far]


def test_a_mutant_of_a_function_is_for_the_tests_that_run_its_lines() -> None:
    runs_it, runs_more = _runs(CAPS.name, MUTANT.lines.start), _runs(CAPS.name, 999)
    assert planted(CAPS, MUTANT, [runs_it, runs_more]).tests == (runs_it,)


def test_a_mutant_at_the_top_is_for_all_tests_of_the_module_and_of_those_that_import_it() -> None:
    of_it, of_an_importer, of_others = (
        _runs(name, 2) for name in (CAPS.name, "domain/decision/decide.py", "domain/texts/segments.py")
    )
    top = MUTANT._replace(function=None)
    assert planted(CAPS, top, [of_it, of_an_importer, of_others]).tests == (of_it, of_an_importer)


def test_what_is_taken_from_a_package_is_taken_from_the_module_behind() -> None:
    linter, of_characters = modules("linter.py character_rules.py")[::-1]
    assert linter.name.endswith("linter.py")
    assert "tests/unit/domain/test_lint_words.py" in files_that_import(linter)  # a name that the package passes on
    assert "tests/unit/domain/test_lint_characters.py" in files_that_import(of_characters)  # a module of the package
    assert linter.name in importers()[of_characters.name]


def test_a_verdict_is_kept_until_the_file_of_its_test_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    each = Planted(CAPS, MUTANT, (_test("a"), _test("b", file="tests/unit/domain/test_hours.py")))
    killed = Verdict(CAPS.name, MUTANT.id, KILLED, "tests/unit/domain/test_caps.py::a")
    results = Results(tmp_path)
    assert results.known(each) is None
    results.keep(each, killed)
    assert Results(tmp_path).known(each) == killed
    assert Results(tmp_path).known(each._replace(tests=each.tests[:1])) == killed
    monkeypatch.setattr("tests.mutation.results.digest_of", lambda paths: f"other{paths}" * 16)
    assert Results(tmp_path).known(each) is None


def test_a_test_that_measures_time_is_no_witness(tmp_path: Path) -> None:
    timed = min(MEASURE_TIME)
    fault = Planted(CAPS, MUTANT, (Covering(f"{timed}[a text]", 1.0, {}),))
    Results(tmp_path).keep(fault, Verdict(CAPS.name, MUTANT.id, KILLED, f"{timed}[a text]"))
    assert Results(tmp_path).known(fault) is None


def test_every_file_that_measures_time_has_its_tests_on_the_list() -> None:
    measuring = {
        str(path.relative_to(ROOT))
        for path in scope.test_files()
        if re.search(r"process_time\(|perf_counter\(", path.read_text())
    }
    assert measuring == {test.partition("::")[0] for test in MEASURE_TIME}
    for test in MEASURE_TIME:
        path, *_, name = test.split("::")
        assert f"def {name}(" in (ROOT / path).read_text()


def test_a_survivor_is_judged_again_when_another_file_has_tests_for_it(tmp_path: Path) -> None:
    each = Planted(CAPS, MUTANT, (_test("a"),))
    survived = Verdict(CAPS.name, MUTANT.id, SURVIVED)
    Results(tmp_path).keep(each, survived)
    assert Results(tmp_path).known(each) == survived
    more = _test("b", file="tests/unit/domain/test_hours.py")
    assert Results(tmp_path).known(each._replace(tests=(*each.tests, more))) is None


def test_a_mutant_that_no_test_ran_is_judged_again_when_one_does(tmp_path: Path) -> None:
    Results(tmp_path).keep(Planted(CAPS, MUTANT, ()), Verdict(CAPS.name, MUTANT.id, SURVIVED))
    assert Results(tmp_path).known(Planted(CAPS, MUTANT, (_test("a"),))) is None


def test_a_line_that_an_interrupted_run_has_not_finished_is_dropped(tmp_path: Path) -> None:
    each = Planted(CAPS, MUTANT, ())
    Results(tmp_path).keep(each, Verdict(CAPS.name, MUTANT.id, SURVIVED))
    kept = tmp_path / "verdicts.jsonl"
    kept.write_text(kept.read_text("utf-8") + '["half a', "utf-8")
    assert Results(tmp_path).known(each) is not None
    assert [json.loads(line) for line in kept.read_text("utf-8").splitlines()]


def _score(*outcomes: tuple[str, str]) -> Score:
    listed = [Explained(CAPS.name, ["a"], "because")]
    return score(CAPS, [Verdict(CAPS.name, mutant, outcome) for mutant, outcome in outcomes], listed, 9)


def test_a_score_counts_what_is_noticed_timed_out_explained_and_left() -> None:
    found = _score(("a", SURVIVED), ("b", KILLED), ("c", TIMED_OUT), ("d", SURVIVED))
    assert (found.mutants, found.killed, found.timed_out, found.explained, found.survivors) == (4, 1, 1, 1, ["d"])
    assert found.percent == 75
    assert "4 of 9" in table([found])


def test_the_page_says_how_many_mutants_of_each_module_were_judged() -> None:
    found = _score(("a", SURVIVED), ("b", KILLED), ("c", TIMED_OUT), ("d", SURVIVED))
    assert page_of([found, score(HOURS, [], [], 1_200)]) == [
        "4 of 1,209 mutants",
        "| domain/decision/caps.py | 4 of 9 | 1 | 1 | 1 | 1 | 75 % |",
        "| domain/decision/hours.py | – of 1200 | | | | | |",
    ]


def test_a_run_fails_for_a_survivor_where_none_may_be_and_for_a_list_that_is_wrong() -> None:
    bad, good = _score(("b", SURVIVED)), _score(("a", SURVIVED))
    elsewhere = bad._replace(module=Module("domain/decision/gates.py", CAPS.path))
    assert [report([bad], []), report([good], []), report([elsewhere], []), report([good], ["a"])] == [1, 0, 0, 1]


def test_the_list_may_name_neither_what_does_not_exist_nor_what_is_noticed() -> None:
    listed = [Explained(CAPS.name, [MUTANT.id, "gone"], "because"), Explained("not of this run", ["gone"], "because")]
    assert not_mutants(listed, {CAPS: [MUTANT]}) == [f"{CAPS.name}: no such mutant: gone"]
    killed, survived = (Verdict(CAPS.name, MUTANT.id, outcome, "a test") for outcome in (KILLED, SURVIVED))
    assert len(noticed_all_the_same(listed, {CAPS: [killed]})) == 1
    assert noticed_all_the_same(listed, {CAPS: [survived]}) == []


def test_no_mutant_is_explained_twice() -> None:
    explained_once = [(entry.module, mutant) for entry in explained() for mutant in entry.mutants]
    assert len(explained_once) == len(set(explained_once))


def test_every_explained_mutant_exists_and_has_its_reason() -> None:
    named = {entry.module for entry in explained()}
    chosen = {module: mutants_of(module.path.read_text("utf-8")) for module in modules() if module.name in named}
    assert not_mutants(explained(), chosen) == []
    assert named == {module.name for module in chosen}
    assert all(len(entry.why) > 20 for entry in explained())


def test_a_module_that_is_not_mutated_is_not_taken_for_nothing_to_do() -> None:
    assert [module.name for module in modules("domain/decision/hours.py caps.py")] == [
        "domain/decision/caps.py", "domain/decision/hours.py",
    ]  # fmt: skip
    with pytest.raises(LookupError, match=r"scope\.py"):
        modules("hour.py")


def test_the_page_of_scores_has_each_module_once() -> None:
    rows = [line.split("|")[1].strip() for line in README.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [row for row in rows if row.endswith(".py")] == [module.name for module in modules()]
