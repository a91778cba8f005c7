"""Charts: SVG of numbers alone, as small as can be, beside a table with the same figures."""

import re
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from dunning.console.charts import (
    CHART_HEIGHT,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    LiftAt,
    Series,
    interval_bars,
    lift_line,
    paired_bars,
    spark_line,
    stacked_bars,
)

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


LIFTS = st.lists(
    st.tuples(st.floats(-0.3, 0.3), st.floats(0, 0.2)).map(
        lambda each: (each[0], each[0] - each[1], each[0] + each[1])
    ),
    min_size=1,
    max_size=30,
)


def line_of(lifts: list[tuple[float, float, float]]) -> str:
    return lift_line([LiftAt(number, *each) for number, each in enumerate(lifts)], "line-1", "a & b", "from <1>")


@given(LIFTS)
def test_a_lift_and_its_band_stay_within_their_place_and_zero_is_a_line(
    lifts: list[tuple[float, float, float]],
) -> None:
    chart = line_of(lifts)
    for written in re.findall(r' d="m([^"z]*)z?"', chart):
        numbers = [int(number) for number in re.findall(r"-?\d+", written)]
        assert all(0 <= x <= 720 for x in accumulate(numbers[::2]))
        assert all(0 <= y <= 200 for y in accumulate(numbers[1::2]))
    assert chart.count(">0</text>") == 1


def test_the_line_of_a_lift_has_a_title_and_words_for_who_cannot_see_it() -> None:
    chart = line_of([(0.02, -0.01, 0.05), (0.03, 0.01, 0.05)])
    assert 'role="img" aria-labelledby="line-1-title line-1-words"' in chart
    assert '<title id="line-1-title">a &amp; b</title><desc id="line-1-words">from &lt;1&gt;</desc>' in chart


def test_a_night_without_an_interval_has_a_line_and_no_band() -> None:
    chart = lift_line([LiftAt(1, 0.01, None, None), LiftAt(2, 0.02, None, None)], "line", "", "")
    assert ('class="line"' in chart, 'opacity=".25"' in chart) == (True, False)
    assert lift_line([LiftAt(1, None, None, None)], "line", "", "") == ""


def test_bars_of_lifts_share_one_scale_with_zero_in_the_middle() -> None:
    none, wide, low = interval_bars([None, (0.0, -0.1, 0.1), (-0.05, -0.1, 0.0)])
    assert none == ""
    assert "M80 0v20" in wide
    assert "M4 8H156v4H4z" in wide
    assert ("M4 8H80v4H4z" in low, 'cx="42"' in low) == (True, True)


def test_pairs_of_bars_share_one_scale_and_what_is_not_nought_can_be_seen() -> None:
    first, second = paired_bars([(100, 50), (0, 0.1)])
    assert ("h80v8h-80z" in first, "h40v8h-40z" in first) == (True, True)
    assert ("h0v8h-0z" in second, "h1v8h-1z" in second) == (True, True)
    assert paired_bars([]) == interval_bars([]) == []
