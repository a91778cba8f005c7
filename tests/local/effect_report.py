"""What the trials of a played half-year have found, beside what was planted, as a manager likes to read it."""

from collections.abc import Iterator

from dunning.domain.effect.trial_results import TrialResult
from ops.columns import WIDTH
from tests.local.effect_run import EffectRun
from tests.local.trial_lines import folded, lines_of_trial

LEAD = "Everybody here is made up, and what texts do to people was planted. Beside each finding stands what it was."


def effect_report(run: EffectRun) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "=" * WIDTH
    yield from (f"  {line}" for line in head_of(run))
    yield from folded(LEAD)
    yield "=" * WIDTH
    for result in run.results:
        yield ""
        yield from _lines_of(run, result)
    yield ""
    yield "CHECKED BESIDE IT, from the people and the records, by nothing of the nightly run"
    for check in run.checks:
        yield f"  {check.name:44} {check.number:>9,}  {check.more}".rstrip()
    yield f"  {run.seconds:.0f} s of CPU, of which the nights {run.seconds_of_nights:.0f}; {run.memory_mb:.0f} MB"


def _lines_of(run: EffectRun, result: TrialResult) -> Iterator[str]:
    first_seen = {(sign, arm): night for (trial, sign, arm), night in run.first_seen.items() if trial == result.trial}
    return lines_of_trial(
        result,
        planted=run.planted.get(result.trial, ""),
        learned=run.learned.get(result.trial, ()),
        first_seen=first_seen,
    )


def head_of(run: EffectRun) -> Iterator[str]:
    """Yield what was played, in lines."""
    happened = run.happened
    yield f"Effect: {run.customers:,} people, {run.days} days from {run.begin}, seed {run.seed}"
    yield f"{happened.texts:,} texts, {happened.held_out:,} more left out by lot, {happened.payments:,} payments"
    yield f"{happened.opt_outs:,} people opted out, and {happened.complaints:,} complained"
