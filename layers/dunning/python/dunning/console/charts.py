"""
Charts as inline SVG, made here: no chart library, no script, no style of their own.

Every chart stands beside a table with the same figures, so it is hidden from readers of the screen. Colours come from
the page's style sheet by class. A chart has no text: the page writes what stands at its edges.
"""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

SPARK_WIDTH, SPARK_HEIGHT = 120, 28
"""Units of a spark line: a curve without axes."""

CHART_WIDTH, CHART_HEIGHT = 720, 160
_GAP = 0.25


class Series(NamedTuple):
    """The figures of one kind, a figure for each day; `css` names the class that gives the colour."""

    css: str
    figures: Sequence[float]


def spark_line(figures: Sequence[float]) -> Markup:
    """Return the curve of some figures, oldest first; nothing if there are fewer than two."""
    if len(figures) < 2:  # noqa: PLR2004 - a line has two ends
        return Markup()
    top = max(figures) or 1
    step = SPARK_WIDTH / (len(figures) - 1)
    points = [
        f"{number * step:.1f},{SPARK_HEIGHT - 2 - figure / top * (SPARK_HEIGHT - 4):.1f}"
        for number, figure in enumerate(figures)
    ]
    last_x, last_y = points[-1].split(",")
    return Markup(  # noqa: S704 - numbers alone
        f'<svg class="spark" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" preserveAspectRatio="xMinYMid" '
        f'aria-hidden="true" focusable="false">'
        f'<polyline points="{" ".join(points)}"/><circle cx="{last_x}" cy="{last_y}" r="2"/></svg>'
    )


def stacked_bars(series: Sequence[Series]) -> Markup:
    """Return bars of days, the series on top of one another; nothing without figures."""
    days = max((len(each.figures) for each in series), default=0)
    if not days:
        return Markup()
    top = max(sum(each.figures[day] for each in series) for day in range(days)) or 1
    width = CHART_WIDTH / days
    rects: list[str] = []
    for day in range(days):
        y = float(CHART_HEIGHT)
        for each in series:
            height = each.figures[day] / top * CHART_HEIGHT
            if height <= 0:
                continue
            y -= height
            rects.append(
                f'<rect class="{each.css}" x="{day * width + width * _GAP / 2:.1f}" y="{y:.1f}" '
                f'width="{width * (1 - _GAP):.1f}" height="{height:.1f}"/>'
            )
    return Markup(  # noqa: S704 - numbers, and classes of ours
        f'<svg class="chart" viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" preserveAspectRatio="none" aria-hidden="true" '
        f'focusable="false">{"".join(rects)}</svg>'
    )
