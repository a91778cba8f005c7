"""
Charts as inline SVG, made here: no chart library, no script, no style of their own.

Every chart stands beside a table or list with the same figures, so it is hidden from readers of the screen; the line of
a lift has a title and a description as well. Colours come from the page's style sheet by class. A chart has no words
but those: the page writes what stands at its edges.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

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


_LIFT_WIDTH, _LIFT_HEIGHT = 720, 200
_ROUND_STEPS = (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10, 20, 25, 50, 100)
_MOST_LINES = 4
_BAR_WIDTH, _PAIR_WIDTH, _BAR_HEIGHT = 160, 80, 20


class LiftAt(NamedTuple):
    """A lift and its bounds on a day (an ordinal), as shares of 1; a day without a bound has no band."""

    day: int
    lift: float | None
    low: float | None
    high: float | None


def lift_line(points: Sequence[LiftAt], name: str, title: str, description: str) -> Markup:
    """
    Return a lift by night as a line, its interval as a band around it, and zero as a line; nothing without a lift.

    The words at its lines keep their size however wide the chart is. `name` is an id that nothing else on the page has.
    """
    drawn = [point for point in points if point.lift is not None]
    if not drawn:
        return Markup()
    step, low, high = _scale_of(drawn)
    first, last = drawn[0].day, drawn[-1].day

    def x(day: int) -> int:
        return round((day - first) / max(1, last - first) * _LIFT_WIDTH)

    def y(value: float) -> int:
        return round((high - 100 * value) / (high - low) * _LIFT_HEIGHT)

    lines, labels = [], []
    for number in range(round((high - low) / step) + 1):
        value = high - number * step
        at = round(number * step / (high - low) * _LIFT_HEIGHT)
        is_zero = abs(value) < step / 2
        lines.append(f'<path d="M0 {at}H{_LIFT_WIDTH}"{"" if is_zero else _FAINT}/>')
        sign = "" if is_zero else "+" if value > 0 else "\N{MINUS SIGN}"
        below = at + 13 if number == 0 else at - 4
        labels.append(f'<text x="2" y="{below}" fill="currentColor">{sign}{0 if is_zero else abs(value):g}</text>')
    bounded = [point for point in drawn if point.low is not None and point.high is not None]
    upper = [(x(point.day), y(point.high)) for point in bounded if point.high is not None]
    lower = [(x(point.day), y(point.low)) for point in bounded if point.low is not None]
    band = f'<path class="a" opacity=".25" d="{_path([*upper, *lower[::-1]])}z"/>' if len(bounded) > 1 else ""
    middle = [(x(point.day), y(point.lift)) for point in drawn if point.lift is not None]
    line = (
        f'<path class="line" fill="none" stroke="currentColor" d="{_path(middle)}" {_STEADY}/>'
        if len(middle) > 1
        else ""
    )
    end = f'<circle class="a" cx="100%" cy="{middle[-1][1]}" r="4" transform="translate(-4)"/>'
    return Markup(  # noqa: S704 - numbers, classes of ours, and words that are escaped
        f'<svg width="100%" height="{_LIFT_HEIGHT}" role="img" aria-labelledby="{name}-title {name}-words" '
        f'focusable="false"><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-words">{escape(description)}</desc>'
        f'<svg viewBox="0 0 {_LIFT_WIDTH} {_LIFT_HEIGHT}" width="100%" height="{_LIFT_HEIGHT}" '
        f'preserveAspectRatio="none">{band}<g fill="none" stroke="currentColor">{"".join(lines)}</g>{line}</svg>'
        f'<g font-size="12">{"".join(labels)}</g>{end}</svg>'
    )


_STEADY = 'vector-effect="non-scaling-stroke" stroke-width="2"'
_FAINT = ' opacity=".15"'


def _scale_of(points: Sequence[LiftAt]) -> tuple[float, float, float]:
    """Return the distance of lines in points, and the lowest and the highest line: zero is among them."""
    values = [
        100 * value for point in points for value in (point.lift, point.low, point.high, 0.0) if value is not None
    ]
    low, high = min(values), max(values)
    step = next((each for each in _ROUND_STEPS if (high - low) / each <= _MOST_LINES), _ROUND_STEPS[-1])
    lowest, highest = math.floor(low / step) * step, math.ceil(high / step) * step
    return step, lowest, highest if highest > lowest else lowest + step


def interval_bars(rows: Sequence[tuple[float, float, float] | None]) -> list[Markup]:
    """
    Return a bar for each lift with its bounds, all on one scale with zero as a line; none where nothing is known.

    Each row is lift, low and high as shares of 1.
    """
    known = [value for row in rows if row is not None for value in row]
    reach = max(map(abs, known), default=0.0) or 1.0

    def x(value: float) -> int:
        return round((value / reach + 1) / 2 * (_BAR_WIDTH - 8)) + 4

    zero, middle = x(0), _BAR_HEIGHT // 2
    found = []
    for row in rows:
        if row is None:
            found.append(Markup())
            continue
        lift, low, high = row
        found.append(
            Markup(  # noqa: S704 - numbers alone
                f'<svg width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" '
                f'aria-hidden="true"><path d="M{zero} 0v{_BAR_HEIGHT}" stroke="currentColor" opacity=".5"/>'
                f'<path class="a" d="M{x(low)} {middle - 2}H{x(high)}v4H{x(low)}z" opacity=".45"/>'
                f'<circle class="a" cx="{x(lift)}" cy="{middle}" r="4"/></svg>'
            )
        )
    return found


def paired_bars(pairs: Sequence[tuple[float, float]]) -> list[Markup]:
    """Return two bars for each pair of figures, the first above the second, all on one scale."""
    top = max((max(pair) for pair in pairs), default=0) or 1
    found = []
    for pair in pairs:
        first, second = (max(round(figure / top * _PAIR_WIDTH), 1 if figure else 0) for figure in pair)
        found.append(
            Markup(  # noqa: S704 - numbers alone
                f'<svg width="{_PAIR_WIDTH}" height="{_BAR_HEIGHT}" '
                f'aria-hidden="true"><path class="b" d="M0 1h{first}v8h-{first}z"/>'
                f'<path class="a" d="M0 11h{second}v8h-{second}z"/></svg>'
            )
        )
    return found
