"""The tools of this folder do what they are trusted with: metric math as documented, findings neither new nor stale."""

import pytest

from tests.devtools.template_check import CHECKOV, NAG, Accepted, judge
from tests.support.alarm_expressions import Calculator, Series, alarms


def _worked_out(expression: str, **metrics: Series) -> Series:
    length = len(next(iter(metrics.values())))
    return Calculator([3600 * place for place in range(length)], metrics).add("result", expression)


def test_if_gives_what_the_user_guides_table_gives() -> None:
    one: Series = [1, 1, 0, 0, None]
    two: Series = [30, None, 0, 0, 30]
    three: Series = [0, 0, 20, None, 20]
    assert _worked_out("IF(one, two, three)", one=one, two=two, three=three) == [30, 0, 20, None, None]
    assert _worked_out("IF(one, two, 5)", one=one, two=two) == [30, 0, 5, 5, None]
    assert _worked_out("IF(one, 5, three)", one=one, three=three) == [5, 5, 20, None, None]


def test_in_arithmetic_between_series_what_is_missing_is_nothing() -> None:
    assert _worked_out("one + two", one=[1, None, None], two=[2, 2, None]) == [3, 2, None]
    assert _worked_out("100 * one", one=[1, None]) == [100, None]


def test_a_division_by_zero_has_no_value() -> None:
    assert _worked_out("one / two", one=[1, 1, 1], two=[2, 0, None]) == [0.5, None, None]


def test_a_function_of_time_has_a_value_where_the_series_has_none() -> None:
    assert _worked_out("EPOCH(one)", one=[None, 5]) == [0, 3600]


def test_an_expression_that_is_not_understood_is_not_guessed() -> None:
    with pytest.raises(NotImplementedError):
        _worked_out("RUNNING_SUM(one)", one=[1])


def test_an_alarm_takes_all_its_periods_and_missing_ones_for_harmless() -> None:
    assert alarms([1, 1, None, 1, 1, 1], at_least=1, periods=2) == [False, True, False, False, True, True]


@pytest.mark.parametrize("accepted", [*CHECKOV, *NAG], ids=lambda one: one.rule)
def test_whatever_is_left_as_it_is_has_its_reason(accepted: Accepted) -> None:
    assert accepted.resources
    assert len(accepted.reason) > 10


def test_a_new_finding_and_one_that_is_gone_both_fail() -> None:
    listed = (Accepted("R1", frozenset({"A", "B"}), "because"),)
    assert judge({"R1": frozenset({"A", "B"})}, listed) == []
    assert judge({"R1": frozenset({"A", "B", "C"})}, listed) == ["R1: C breaks it"]
    assert judge({"R1": frozenset({"A"})}, listed) == ["R1: B no longer breaks it, take it off the list"]
    assert judge({"R1": frozenset({"A", "B"}), "R2": frozenset({"A"})}, listed) == ["R2: A breaks it"]
