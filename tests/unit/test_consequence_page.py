"""The page on the design shows what follows from each intent of a reply as the code has it."""

import re

from dunning.domain.replies.consequences import CONSEQUENCES
from tests.local import ROOT

PAGE = (ROOT / "layers" / "dunning" / "docs" / "design.md").read_text("utf-8")


def _shown() -> dict[str, tuple[str, ...]]:
    """Return the three paragraphs of each intent, without the breaks of their lines."""
    section = PAGE.partition("<!-- consequences -->")[2].partition("<!-- /consequences -->")[0]
    found = {}
    for entry in re.split(r"\n(?=- )", section.strip()):
        intent, *parts = (" ".join(part.split()) for part in re.split(r"\n  - ", entry))
        found[intent] = tuple(parts)
    return found


def test_the_page_shows_what_follows_from_each_intent_in_order() -> None:
    expected = {}
    for intent, row in CONSEQUENCES.items():
        heading = f"- **`{intent.value}`**: the customer {row.meaning}"
        expected[heading] = (
            (f"sure or likely: {row.sure.words}",)
            if row.sure == row.likely
            else (f"sure: {row.sure.words}", f"likely: {row.likely.words}")
        )
    shown = _shown()
    assert shown == expected
    assert list(shown) == list(expected)
