"""The part of a page about trials: the same views and charts as in the console, for a page that is mailed."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dunning.console.charts import LiftAt, interval_bars, lift_line
from dunning.console.translations import Translation
from dunning.domain.effect.trial_results import LiftPoint, TrialResult
from dunning.services.console.trials_read import TrialsService
from tests.local.clock import VirtualClock
from tests.local.templates import page_template

type TrialKey = tuple[str, str]
"""A lender, and a trial of it."""


class _Given:
    """The results of a run, read as the console reads those of the nights."""

    def __init__(self, results: Sequence[TrialResult], lines: Mapping[TrialKey, Sequence[LiftPoint]]) -> None:
        self._results = results
        self._lines = lines

    def newest(self, lender: str = "") -> Sequence[TrialResult]:
        return [each for each in self._results if lender in {"", each.lender}]

    def line_of(self, lender: str, trial: str) -> Sequence[LiftPoint]:
        return self._lines.get((lender, trial), ())


def trials_section(
    results: Sequence[TrialResult],
    lines: Mapping[TrialKey, Sequence[LiftPoint]],
    planted: Mapping[TrialKey, str] | None = None,
) -> Markup:
    """
    Return the section of a page about trials; nothing without results.

    Args:
        results: what the last night knows of each trial.
        lines: the lifts by night of each trial, oldest first.
        planted: what the simulated people were made to do, by trial, in a sentence.
    """
    if not results:
        return Markup()
    words = Translation("en", ZoneInfo("UTC"))
    service = TrialsService(_Given(results, lines), lambda: (), VirtualClock(max(each.as_of for each in results)))
    views = [service.trial(each.lender, each.trial) for each in results]
    page = page_template("trials_section").render(
        t=words.say, w=words.write, words=words, views=views, planted=planted or {},
        lift_line=lift_line, interval_bars=interval_bars, LiftAt=LiftAt,
    )  # fmt: skip
    return Markup(page)  # noqa: S704 - the template escapes all values
