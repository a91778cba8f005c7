"""What-ifs that somebody has kept, for people: what would be sent under another policy, and what nobody can know."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from dunning.contracts.what_if_result import ExampleCourse, ExampleCustomer, ExampleText, PolicySums, WhatIfResult
from dunning.domain.effect.courses import NextText
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.kept_comparisons import ComparisonReader, KeptComparison
from dunning.services.console.shown import CodeShown, MeasureShown, SentenceShown, StageShown
from dunning.services.console.trials_read import LONGEST_WEEKS

_MOVES = (NextText.EARLIER, NextText.LATER, NextText.NEW, NextText.NONE, NextText.OTHER_WORDS)
_OVER_TO_A_PERSON = "over to a person"
_CAP = re.compile(r"(?P<reason>\w{1,40}): (?P<count>\d{1,4}) texts? in (?P<long>\d{1,5}) (?P<unit>hours|days)")
"""A cap as a trace writes it (`Cap`), after the reason that it gives."""
_LONGEST_ID = 64
"""An address may be longer than a key of a table."""


class BothFigures(NamedTuple):
    """A figure under today's policy and under the changed one; `more` is the difference."""

    name: object
    today: MeasureShown
    changed: MeasureShown
    more: MeasureShown

    @property
    def bars(self) -> tuple[float, float]:
        """Both figures, for a picture."""
        return self.today.value or 0, self.changed.value or 0


class BothGroup(NamedTuple):
    """Figures of one kind. `is_equal`: there is no difference in any of them."""

    name: str
    rows: tuple[BothFigures, ...]
    is_equal: bool
    has_bars: bool


class CourseShown(NamedTuple):
    """A text as a list of examples has it: when by the customer's clock, of which stage, on which channel."""

    local_at: datetime
    stage: StageShown
    channel: CodeShown


class DecisionStep(NamedTuple):
    """A decision with the lines of its trace, which are for experts."""

    at: datetime
    reason: CodeShown
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseView:
    """What would happen to a customer under one policy."""

    name: CodeShown
    texts: tuple[CourseShown, ...]
    handed_over: tuple[CodeShown, ...]
    decisions: tuple[DecisionStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleView:
    """A customer whose course differs: how, and both courses."""

    number: int
    customer_id: str
    differs: tuple[CodeShown, ...]
    courses: tuple[CourseView, CourseView]


class TrialNeeded(NamedTuple):
    """What it takes to see a lift: customers, and how long."""

    lift: MeasureShown
    customers: int
    lasts: SentenceShown


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """A comparison. `share` is that of the customers whose next text moves."""

    head: KeptComparison
    payments: CodeShown
    source: str
    begin: datetime
    end: datetime
    days: int
    moved: int
    share: MeasureShown
    next_texts: tuple[tuple[CodeShown, int], ...]
    totals: tuple[BothFigures, ...]
    top_customers: int
    tops: tuple[SentenceShown | MeasureShown, SentenceShown | MeasureShown]
    groups: tuple[BothGroup, ...]
    base: MeasureShown
    customers_a_week: MeasureShown
    trials: tuple[TrialNeeded, ...]
    examples: tuple[ExampleView, ...]

    @property
    def is_equal(self) -> bool:
        """Whether nobody would notice anything."""
        return not self.head.differing


class WhatIfsService:
    """
    Reads what-ifs that somebody has kept.

    Args:
        kept: the comparisons.
    """

    def __init__(self, kept: ComparisonReader) -> None:
        self._kept = kept

    def newest(self) -> Sequence[KeptComparison]:
        """Return the comparisons that are kept, newest first."""
        return self._kept.newest_comparisons()

    def view(self, comparison_id: str) -> ComparisonView | None:
        """
        Return a comparison for people; `None` if it is not kept.

        Raises:
            UnreadableRecordError: it cannot be read.
        """
        found = self._kept.comparison(comparison_id) if len(comparison_id) <= _LONGEST_ID else None
        if found is None:
            return None
        try:
            result = WhatIfResult.model_validate_json(found.written)
        except ValueError:
            raise UnreadableRecordError("kept comparison: it is not what what_if.json describes") from None
        return _view_of_comparison(found.head, result)

    def example(self, comparison_id: str, number: str) -> tuple[KeptComparison, ExampleView] | None:
        """Return an example of a comparison by its number, counted from 1; `None` if there is none."""
        view = self.view(comparison_id)
        if view is None:
            return None
        return next(((view.head, each) for each in view.examples if str(each.number) == number), None)


def _view_of_comparison(head: KeptComparison, result: WhatIfResult) -> ComparisonView:
    today, changed = result.today, result.changed
    return ComparisonView(
        head=head,
        payments=CodeShown("what_if_payments", head.payments),
        source=result.source,
        begin=result.begin,
        end=result.end,
        days=(result.end - result.begin).days,
        moved=result.moved,
        share=MeasureShown(result.moved / result.customers if result.customers else None, "percent"),
        next_texts=tuple(
            (CodeShown("what_if_next", moves.value), count)
            for moves in _MOVES
            if (count := result.next_texts.get(moves, 0))
        ),
        totals=tuple(_totals(today, changed)),
        top_customers=today.most_texted.customers,
        tops=(_top(today), _top(changed)),
        groups=tuple(_figure_groups(today, changed)),
        base=MeasureShown(result.payments.base, "percent"),
        customers_a_week=MeasureShown(result.payments.customers_a_week, "count"),
        trials=tuple(
            TrialNeeded(MeasureShown(each.lift, "size_in_points"), each.customers, _lasts(each.weeks))
            for each in result.payments.trials
        ),
        examples=tuple(_example_view(number, each) for number, each in enumerate(result.examples, 1)),
    )


def _lasts(weeks: int | None) -> SentenceShown:
    if weeks is None:
        return SentenceShown("what_if.never")
    if weeks > LONGEST_WEEKS:
        return SentenceShown("what_if.for_years")
    return SentenceShown("what_if.weeks", {"weeks": weeks})


def _both(name: object, today: int, changed: int, unit: str = "count", difference: str = "difference") -> BothFigures:
    return BothFigures(
        name, MeasureShown(today, unit), MeasureShown(changed, unit), MeasureShown(changed - today, difference)
    )


def _totals(today: PolicySums, changed: PolicySums) -> Iterator[BothFigures]:
    for name in ("texted", "texts", "segments"):
        yield _both(CodeShown("what_if_total", name), getattr(today, name), getattr(changed, name))
    prices = today.price_usd_micros, changed.price_usd_micros
    yield _both(CodeShown("what_if_total", "price"), *prices, "usd_micros", "usd_difference")
    yield _both(CodeShown("what_if_total", "to_people"), today.to_people, changed.to_people)
    yield _both(CodeShown("what_if_total", "top_texts"), today.most_texted.texts, changed.most_texted.texts)


def _top(sums: PolicySums) -> SentenceShown | MeasureShown:
    least, most = sums.most_texted.least, sums.most_texted.most
    if least == most:
        return MeasureShown(most, "count")
    return SentenceShown("what_if.from_to", {"least": least, "most": most})


def _figure_groups(today: PolicySums, changed: PolicySums) -> Iterator[BothGroup]:
    yield _group("stage", today.by_stage, changed.by_stage, StageShown)
    yield _group("hour", today.by_hour, changed.by_hour, lambda hour: f"{hour:02}:00")
    yield _group("place", today.by_place, changed.by_place, str)
    yield _group("channel", today.by_channel, changed.by_channel, lambda code: CodeShown("channel", code))
    yield _group("caps", today.caps, changed.caps, _cap_shown, has_bars=False)
    yield _group("waits", today.waits, changed.waits, lambda code: CodeShown("reason", code), has_bars=False)
    yield _group("people", today.handed_over, changed.handed_over, _review_shown, has_bars=False)


def _group[K: (int, str)](
    name: str, today: Mapping[K, int], changed: Mapping[K, int], shown: Callable[[K], object], *, has_bars: bool = True
) -> BothGroup:
    rows = tuple(
        _both(shown(key), today.get(key, 0), changed.get(key, 0)) for key in sorted(today.keys() | changed.keys())
    )
    return BothGroup(name, rows, all(not row.more.value for row in rows), has_bars)


def _review_shown(code: str) -> CodeShown:
    return CodeShown("review", code)


def _cap_shown(written: str) -> object:
    """Return a cap: for whom it holds, how many texts, and in what time. An unknown form stays as it is written."""
    match = _CAP.fullmatch(written)
    if match is None:
        return written
    window = timedelta(**{match["unit"]: int(match["long"])})
    values = {"reason": CodeShown("reason", match["reason"]), "count": int(match["count"]), "window": window}
    return SentenceShown("what_if.cap", values)


def _example_view(number: int, example: ExampleCustomer) -> ExampleView:
    return ExampleView(
        number=number,
        customer_id=example.customer_id,
        differs=tuple(_differs(example.difference)),
        courses=(_course("today", example.today), _course("changed", example.changed)),
    )


def _differs(written: str) -> Iterator[CodeShown]:
    """Yield how a course differs: more or fewer texts, when the next one comes, and whether a person takes over."""
    for part in written.split(", "):
        name, _, moves = part.partition(": ")
        if name == "next text":
            if moves != NextText.SAME:
                yield CodeShown("what_if_next", moves.replace(" ", "_"))
        elif part == _OVER_TO_A_PERSON:
            yield CodeShown("what_if_differs", "to_a_person")
        else:
            yield CodeShown("what_if_differs", part.replace(" ", "_"))


def _course(name: str, course: ExampleCourse) -> CourseView:
    return CourseView(
        name=CodeShown("what_if_policy", name),
        texts=tuple(map(_text_of_course, course.texts)),
        handed_over=tuple(map(_review_shown, course.handed_over)),
        decisions=tuple(
            DecisionStep(each.at, CodeShown("reason", each.reason), each.trace) for each in course.decisions
        ),
    )


def _text_of_course(text: ExampleText) -> CourseShown:
    return CourseShown(text.local_at, StageShown(text.stage), CodeShown("channel", text.channel))
