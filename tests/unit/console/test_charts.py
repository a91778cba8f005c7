"""Charts: SVG of numbers alone, as small as can be, beside a table with the same figures."""

import re
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from dunning.console.charts import CHART_HEIGHT, SPARK_HEIGHT, SPARK_WIDTH, Series, spark_line, stacked_bars

FIGURES = st.lists(st.floats(min_value=0, max_value=1e9), min_size=2, max_size=40)


def points(figures: list[float]) -> list[tuple[int, int]]:
    """Read the line back: each point is written from the last on."""
    (written,) = re.findall(r'd="m([^"]*)"', spark_line(figures))
    numbers = [int(number) for number in re.findall(r"-?\d+", written)]
    return list(zip(accumulate(numbers[::2]), accumulate(numbers[1::2]), strict=True))


@given(FIGURES)
def test_a_curve_goes_from_edge_to_edge_and_stays_within_its_place(figures: list[float]) -> None:
    found = points(figures)
    assert (found[0][0], found[-1][0]) == (0, SPARK_WIDTH)
    assert all(0 <= y <= SPARK_HEIGHT for _, y in found)
    assert [x for x, _ in found] == sorted(x for x, _ in found)


def test_the_largest_figure_is_on_top_and_nought_at_the_bottom() -> None:
    assert points([0, 5, 10]) == [(0, 19), (44, 11), (87, 2)]
    assert points([0, 0]) == [(0, 19), (87, 19)]


def test_a_curve_that_stays_level_needs_no_point_on_the_way() -> None:
    assert points([3.0] * 30) == [(0, 2), (87, 2)]
    assert len(points([0.0] * 10 + [7.0] + [0.0] * 19)) == 5


def test_of_fewer_than_two_figures_there_is_no_curve_and_without_days_no_chart() -> None:
    assert spark_line([]) == spark_line([1]) == stacked_bars([]) == stacked_bars([Series("a", [])]) == ""


def test_bars_stand_on_top_of_one_another_and_a_day_without_figures_has_none() -> None:
    chart = stacked_bars([Series("a", [6, 0, 3]), Series("b", [4, 0, 0])])
    (below,), (above,) = (re.findall(f'class="{css}" d="([^"]*)"', chart) for css in "ab")
    assert re.findall(r"M\d+ (\d+)v-(\d+)", below) == [("160", "96"), ("160", "48")]
    assert re.findall(r"M\d+ (\d+)v-(\d+)", above) == [(str(CHART_HEIGHT - 96), "64")]
