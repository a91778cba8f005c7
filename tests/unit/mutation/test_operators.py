"""What is planted in a module, and what is left alone."""

import ast
from textwrap import dedent

import pytest

from tests.mutation.operators import Mutant, mutants_of


def _mutants(source: str) -> list[Mutant]:
    return mutants_of(dedent(source))


def _one_by_one(source: str) -> list[Mutant]:
    """Return the mutants, each of a tree of its own."""
    return [_mutants(source)[place] for place in range(len(_mutants(source)))]


def _ids(body: str) -> set[str]:
    return {mutant.id.removeprefix("f: ") for mutant in _mutants(f"def f(a, b):\n    {body}")}


@pytest.mark.parametrize(
    ("body", "planted"),
    [
        pytest.param("x = a < b", {"compared: a < b -> a <= b", "compared: a < b -> a >= b"}, id="a boundary"),
        pytest.param("x = a is b", {"compared: a is b -> a is not b"}, id="a sameness"),
        pytest.param(
            "x = a and b",
            {"and, or: a and b -> a or b", "operand left out: a and b -> b", "operand left out: a and b -> a"},
            id="a condition of two",
        ),
        pytest.param("x = not a", {"sign left out: not a -> a"}, id="a denial"),
        pytest.param("x = a + b", {"calculated: a + b -> a - b"}, id="a sum"),
        pytest.param("x = 7", {"one more: 7 -> 8", "one less: 7 -> 6"}, id="a number"),
        pytest.param("x = False", {"turned round: False -> True"}, id="a truth"),
        pytest.param("x = 'a'", {"another word: 'a' -> ''"}, id="a word"),
        pytest.param("x = max(a, b)", {"opposite: max(a, b) -> min(a, b)"}, id="the greater of two"),
        pytest.param("x = a.match(b)", {"opposite: a.match(b) -> a.search(b)"}, id="a method"),
        pytest.param("return a", {"returns None: a -> None"}, id="an answer"),
        pytest.param("a.go()", {"left out: a.go() -> pass"}, id="a step"),
        pytest.param("a.b = b", {"left out: a.b = b -> pass"}, id="an assignment to a part"),
        pytest.param("a += b", {"left out: a += b -> pass", "calculated: a += b -> a -= b"}, id="an addition"),
        pytest.param("raise a", {"left out: raise a -> pass"}, id="an error, but not what it says"),
        pytest.param("x = a(b=b)", {"argument left out: b=b"}, id="an argument by name"),
        pytest.param("x = [a, b]", {"element left out: a", "element left out: b"}, id="an element"),
        pytest.param("x = a[b:]", {"bound left out: b"}, id="a bound"),
        pytest.param("x = [a for b in a]", {"no turn: a -> ()"}, id="a loop"),
        pytest.param(
            "x = [b for b in a if b]",
            {"no turn: a -> ()", "always True: b -> True", "always False: b -> False"},
            id="a condition of a loop",
        ),
        pytest.param(
            "x = a if b else c",
            {
                "always True: a if b else c -> a",
                "always False: a if b else c -> c",
            },
            id="a choice",
        ),
    ],
)
def test_each_kind_of_fault_is_planted(body: str, planted: set[str]) -> None:
    assert _ids(body) == planted


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('"""Says 7."""', id="the docstring of a module"),
        pytest.param('def f():\n    """Says 7."""', id="the docstring of a function"),
        pytest.param("def f(a: 7) -> 7: pass", id="annotations"),
        pytest.param("@cache(7)\ndef f(): pass", id="decorators"),
        pytest.param('__slots__ = ("a", "b")', id="slots"),
        pytest.param("type A = 7 | 8", id="type aliases"),
        pytest.param("from a import b", id="imports"),
        pytest.param('WORDS = ("a", "b")', id="tables of words"),
        pytest.param("DAYS = {date(2026, 12, 1): (7, 8), date(2027, 1, 1): (9, 10)}", id="tables of numbers and dates"),
        pytest.param('PATTERN = re.compile("a|b")', id="regular expressions at the top"),
        pytest.param('def f(): x = f"{a + 7} days"', id="formatted strings"),
        pytest.param('def f(): x = UnreadableRecordError("missing", 7)', id="what an error says"),
        pytest.param('def f(): self.telemetry.log_event(A, customer_id=7, error="b")', id="log lines"),
    ],
)
def test_what_no_rule_hangs_on_is_left_alone(source: str) -> None:
    assert _mutants(source) == []


def test_a_planted_module_differs_in_this_one_place_and_the_source_stays() -> None:
    source = "def f(a):\n    if a < 7:\n        return 8\n"
    found = {mutant.id: ast.unparse(mutant.plant()) for mutant in _one_by_one(source)}
    assert found["f: compared: a < 7 -> a <= 7"] == source.replace("<", "<=").strip()
    assert found["f: one more: 7 -> 8"] == source.replace("7", "8").strip()
    assert len(set(found.values())) == len(found)


def test_every_planted_module_of_a_kind_can_be_compiled() -> None:
    source = """
        LIMIT = 7
        class A:
            @property
            def b(self):
                match self:
                    case [1, *rest] | [rest] if rest: return [c for c in rest if c][1:]
                    case _: pass
                for c in self: self.c = -c; break
                def d(): return lambda: not self
    """
    for mutant in _one_by_one(source):
        compile(mutant.plant(), "planted", "exec")


def test_two_like_faults_of_a_function_have_two_names() -> None:
    assert [mutant.id for mutant in _mutants("def f():\n    x = 1 + a\n    x = 1 + a")] == [
        "f: calculated: 1 + a -> 1 - a", "f: one more: 1 -> 2", "f: one less: 1 -> 0",
        "f: calculated: 1 + a -> 1 - a #2", "f: one more: 1 -> 2 #2", "f: one less: 1 -> 0 #2",
    ]  # fmt: skip


def test_a_fault_knows_its_lines_and_the_outermost_function_whose_code_changes() -> None:
    source = """
        class A:
            limit = 7

            @staticmethod
            def f(a=8):
                def g():
                    return a
    """
    found = {mutant.id: (mutant.function, mutant.lines) for mutant in _mutants(source)}
    assert found["A.limit: one more: 7 -> 8"] == (None, range(3, 4))
    assert found["A.f: one more: 8 -> 9"] == (None, range(6, 7))  # a default is at the top
    assert found["A.f.g: returns None: a -> None"] == (("A.f", 5), range(8, 9))
