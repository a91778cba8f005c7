"""
Charts as inline SVG, made here: no chart library, no script, no style of their own.

Every chart stands beside a table or list with the same figures, so it is hidden from readers of the screen. Colours
come from the page's style sheet by class. A chart has no words: the page writes what stands at its edges.
"""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

SPARK_WIDTH, SPARK_HEIGHT = 87, 21
"""Units of a spark line: a curve without axes. Thirty days are three apart, and no coordinate has three digits."""

_MARGIN = 2

CHART_WIDTH, CHART_HEIGHT = 720, 160
_GAP = 0.25


class Series(NamedTuple):
    """The figures of one kind, a figure for each day; `css` names the class that gives the colour."""

    css: str
    figures: Sequence[float]


def spark_line(figures: Sequence[float], *, at_left: bool = False) -> Markup:
    """Return the curve of some figures, oldest first, in the middle of its place; nothing of fewer than two."""
    if len(figures) < 2:  # noqa: PLR2004 - a line has two ends
        return Markup()
    place = ' preserveAspectRatio="xMinYMid"' if at_left else ""
    top = max(figures) or 1
    step = SPARK_WIDTH / (len(figures) - 1)
    heights = [round(figure / top * (SPARK_HEIGHT - 2 * _MARGIN)) for figure in figures]
    points = [
        (round(number * step), SPARK_HEIGHT - _MARGIN - height)
        for number, height in enumerate(heights)
        if not height == heights[number - 1] == heights[(number + 1) % len(heights)] or number in {0, len(heights) - 1}
    ]
    return Markup(  # noqa: S704 - numbers alone
        f'<svg class="spark" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}"{place} aria-hidden="true">'
        f'<path d="{_path(points)}"/></svg>'
    )


def _path(points: Sequence[tuple[int, int]]) -> str:
    """Write a line from point to point, each from the last on: half a page of curves weighs a sixth less."""
    (x, y), *rest = points
    moves = [f"m{x} {y}"]
    for next_x, next_y in rest:
        moves.append(f"{next_x - x} {next_y - y}".replace(" -", "-"))
        x, y = next_x, next_y
    return " ".join(moves)


def stacked_bars(series: Sequence[Series]) -> Markup:
    """Return bars of days, the series on top of one another; nothing without figures."""
    days = max((len(each.figures) for each in series), default=0)
    if not days:
        return Markup()
    top = max(sum(each.figures[day] for each in series) for day in range(days)) or 1
    width = CHART_WIDTH / days
    across = round(width * (1 - _GAP))
    below = [0.0] * days
    paths: list[str] = []
    for each in series:
        bars: list[str] = []
        for day, figure in enumerate(each.figures):
            height = round(figure / top * CHART_HEIGHT)
            if height > 0:
                foot = round(CHART_HEIGHT - below[day])
                bars.append(f"M{round((day + _GAP / 2) * width)} {foot}v-{height}h{across}v{height}z")
                below[day] += height
        if bars:
            paths.append(f'<path class="{each.css}" d="{"".join(bars)}"/>')
    return Markup(  # noqa: S704 - numbers, and classes of ours
        f'<svg class="chart" viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(paths)}</svg>"
    )


_STEP, _END, _LADDER_HEIGHT = 50, 24, 56
_RAIL, _BELOW = 24, 50
"""Units of a ladder: from stage to stage, at both ends, and where its line and its labels are."""

_SHAPES = {
    "done": '<circle cx="{x}" cy="24" r="7" fill="currentColor"/><path d="m{tick} 24 2.5 3 4.5-6" stroke="Canvas"/>',
    "elsewhere": '<circle cx="{x}" cy="24" r="7" fill="Canvas"/><circle cx="{x}" cy="24" r="3.5" fill="currentColor"/>',
    "skipped": '<circle cx="{x}" cy="24" r="7" fill="Canvas"/><path d="m{left} 28 7-8"/>',
    "next": '<circle cx="{x}" cy="24" r="9" fill="Canvas" stroke-width="3"/>',
    "no_notice": '<circle cx="{x}" cy="24" r="9" fill="Canvas" stroke-width="3" stroke-dasharray="3 3"/>',
    "later": '<circle cx="{x}" cy="24" r="5" fill="Canvas"/>',
}
"""How a stage looks, told apart by shape and not by colour: ticked, dotted, struck out, thick, broken, or small."""


class Rung(NamedTuple):
    """A stage of a ladder: its days from the due date, how it stands (`_SHAPES`), and its day as an ordinal."""

    days: int
    state: str
    day: int


def ladder_picture(rungs: Sequence[Rung], today: int) -> Markup:
    """
    Return a ladder as a line of stages, with a mark at `today` (an ordinal); nothing without stages.

    Stages stand evenly, whatever the days between them: so every label has its place.
    """
    if not rungs:
        return Markup()
    width = 2 * _END + _STEP * (len(rungs) - 1)
    drawn = []
    for number, rung in enumerate(rungs):
        x = _END + _STEP * number
        sign = "+" if rung.days > 0 else "\N{MINUS SIGN}" if rung.days < 0 else ""
        shape = _SHAPES[rung.state].format(x=x, tick=x - 3.5, left=x - 3.5)
        drawn.append(f'<g class="{rung.state}">{shape}<text x="{x}" y="{_BELOW}">{sign}{abs(rung.days)}</text></g>')
    mark = _place_of(today, [rung.day for rung in rungs])
    return Markup(  # noqa: S704 - numbers, and classes of ours
        f'<svg class="rungs" viewBox="0 0 {width} {_LADDER_HEIGHT}" width="{width}" height="{_LADDER_HEIGHT}" '
        'aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="1.5">'
        f'<path d="M{_END} {_RAIL}H{width - _END}" opacity=".4"/>'
        f'<path class="today" d="m{mark:.1f} 11-5-8h10z" fill="currentColor" stroke="none"/>'
        f'<g font-size="13" text-anchor="middle">{"".join(drawn)}</g></svg>'.replace(
            "<text ", '<text fill="currentColor" stroke="none" '
        )
    )


def _place_of(today: int, days: Sequence[int]) -> float:
    """Return where a day is on the line: between its neighbours, and at the edge if it is before or after all."""
    following = next((number for number, day in enumerate(days) if day > today), len(days))
    if following == 0:
        return _END / 2
    if following == len(days):
        is_last = days[-1] == today
        return _END + _STEP * (len(days) - 1) + (0 if is_last else _END / 2)
    before, after = days[following - 1], days[following]
    return _END + _STEP * (following - 1 + (today - before) / (after - before))
