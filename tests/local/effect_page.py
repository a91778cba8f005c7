"""The page of a played half-year that can be mailed: what trials have found, beside what was planted."""

from tests.local.effect_people import LENDER
from tests.local.effect_report import LEAD, head_of
from tests.local.effect_run import EffectRun
from tests.local.templates import page_template
from tests.local.trial_report import trials_section


def effect_page(run: EffectRun) -> str:
    """Return the page."""
    trials = trials_section(
        run.results,
        {(LENDER, trial): line for trial, line in run.lines.items()},
        {(LENDER, trial): planted for trial, planted in run.planted.items()},
    )
    return page_template("effect").render(head=list(head_of(run)), lead=LEAD, trials=trials, checks=run.checks)
