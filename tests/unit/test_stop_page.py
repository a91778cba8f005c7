"""The page on the design shows who ends which stop, and what is announced, as the code has it."""

import re

from dunning.domain.decision.reviews import STOPS
from tests.local import ROOT

PAGE = (ROOT / "layers" / "dunning" / "docs" / "design.md").read_text("utf-8")


def test_the_page_shows_every_stop_in_order() -> None:
    shown = PAGE.partition("<!-- stops -->")[2].partition("<!-- /stops -->")[0].strip().splitlines()[2:]
    expected = [
        f"| `{reason.value}` | {row.ended_by} | {'yes' if row.review else 'no'} |" for reason, row in STOPS.items()
    ]
    assert [re.sub(r" +", " ", line) for line in shown] == expected
