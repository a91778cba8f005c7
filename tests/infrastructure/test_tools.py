"""The tools of this folder do what they are trusted with: metric math as documented, findings neither new nor stale."""

import pytest

from tests.devtools.template_check import CHECKOV, NAG, Accepted, judge
from tests.local import ROOT
from tests.local.template import translate
from tests.support.alarm_expressions import Calculator, Series, alarms


def _worked_out(expression: str, **metrics: Series) -> Series:
    length = len(next(iter(metrics.values())))
    return Calculator([3600 * place for place in range(length)], metrics).add("result", expression)


def test_if_gives_what_the_user_guides_table_gives() -> None:
    first: Series = [1, 1, 0, 0, None]
    second: Series = [30, None, 0, 0, 30]
    third: Series = [0, 0, 20, None, 20]
    assert _worked_out("IF(first, second, third)", first=first, second=second, third=third) == [30, 0, 20, None, None]
    assert _worked_out("IF(first, second, 5)", first=first, second=second) == [30, 0, 5, 5, None]
    assert _worked_out("IF(first, 5, third)", first=first, third=third) == [5, 5, 20, None, None]


def test_in_arithmetic_between_series_what_is_missing_is_nothing() -> None:
    assert _worked_out("first + second", first=[1, None, None], second=[2, 2, None]) == [3, 2, None]
    assert _worked_out("100 * first", first=[1, None]) == [100, None]


def test_a_division_by_zero_has_no_value() -> None:
    assert _worked_out("first / second", first=[1, 1, 1], second=[2, 0, None]) == [0.5, None, None]


def test_a_function_of_time_has_a_value_where_the_series_has_none() -> None:
    assert _worked_out("EPOCH(first)", first=[None, 5]) == [0, 3600]


def test_an_expression_that_is_not_understood_is_not_guessed() -> None:
    with pytest.raises(NotImplementedError):
        _worked_out("RUNNING_SUM(first)", first=[1])


def test_an_alarm_takes_all_its_periods_and_missing_ones_for_harmless() -> None:
    assert alarms([1, 1, None, 1, 1, 1], at_least=1, periods=2) == [False, True, False, False, True, True]


@pytest.mark.parametrize("accepted", [*CHECKOV, *NAG], ids=lambda accepted: accepted.rule)
def test_every_finding_that_is_left_has_its_reason(accepted: Accepted) -> None:
    assert accepted.resources
    assert len(accepted.reason) > 10


def test_every_finding_that_is_left_names_a_resource_of_the_template() -> None:
    names = translate(ROOT / "template.yaml")["Resources"].keys()
    # SAM gives a layer a hash for a name, which the check cuts off.
    layers = {"DunningLayer" for name in names if name.startswith("DunningLayer")}
    for accepted in (*CHECKOV, *NAG):
        assert accepted.resources <= names | layers, accepted.rule


def test_a_new_finding_and_one_that_is_gone_both_fail() -> None:
    listed = (Accepted("R1", frozenset({"A", "B"}), "because"),)
    assert judge({"R1": frozenset({"A", "B"})}, listed) == []
    assert judge({"R1": frozenset({"A", "B", "C"})}, listed) == ["R1: C breaks it"]
    assert judge({"R1": frozenset({"A"})}, listed) == ["R1: B no longer breaks it, take it off the list"]
    assert judge({"R1": frozenset({"A", "B"}), "R2": frozenset({"A"})}, listed) == ["R2: A breaks it"]
