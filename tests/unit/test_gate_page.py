"""The page on the design shows the gates as the code has them."""

import re

from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.gates import GATES
from tests.local import ROOT

PAGE = (ROOT / "layers" / "dunning" / "docs" / "design.md").read_text("utf-8")


def test_the_page_lists_every_gate_in_order_with_its_reasons() -> None:
    shown = PAGE.partition("<!-- gates -->")[2].partition("<!-- /gates -->")[0]
    lines = re.sub(r"\n {3,}", " ", shown.strip()).splitlines()
    assert len(lines) == len(GATES)
    for number, (line, gate) in enumerate(zip(lines, GATES, strict=True), start=1):
        assert line.startswith(f"{number}. **{gate.condition}**")
        assert {Reason(code) for code in re.findall(r"`(\w+)`", line)} == gate.reasons
