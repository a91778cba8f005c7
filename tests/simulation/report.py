"""The report: a table for a compliance officer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.simulation.chance_promises import LEAK
from tests.simulation.promises import AT_NIGHT, IN_SILENCE, TOO_OFTEN, TWICE
from tests.simulation.search import Explored

HEADINGS = (
    "scenarios", "schedules", "situations", "faults", "repeats", "texts", "over caps", "in silence", "at night",
    "twice", "leaks", "other", "CPU s",
)  # fmt: skip
WIDTHS = (9, 17, 11, 10, 9, 8, 9, 10, 8, 6, 6, 6, 7)

LEGEND = """\
scenarios   starts, each with the messages that may come; of lives: seeds
schedules   ways to order the programs and to place the faults: all there are within the bounds (docs/proof.md)
situations  different states of everything stored and of all programs; each was looked at, and its whole future with it
faults      faults that were injected
repeats     deliveries of a message that had been delivered before
texts       texts that the carrier took, each on a way of its own
over caps   texts beyond a cap, in any sliding window
in silence  texts claimed although an opt-out, a hold, an erasure or the payment was stored
at night    texts outside the hours of the customer's place
twice       texts sent twice
leaks       messages of a stage that chance has left out, on whatever channel
other       other broken promises: news lost, books that disagree, somebody forgotten, personal data left"""


@dataclass(slots=True)
class Line:
    """A line of the table: what was covered under one name."""

    name: str
    scenarios: int = 0
    covered: Explored = field(default_factory=Explored)

    def add(self, explored: Explored) -> None:
        """Add what was covered by one scenario, or by some lives."""
        self.scenarios += max(1, explored.lives)
        self.covered.add(explored)

    def figures(self) -> tuple[int, ...]:
        """Return the figures of the line, without the seconds."""
        covered, broken = self.covered, self.covered.broken
        kinds = [
            sum(count for promise, count in broken.items() if promise.startswith(kind))
            for kind in (TOO_OFTEN, IN_SILENCE, AT_NIGHT, TWICE, LEAK)
        ]
        return (
            self.scenarios,
            covered.schedules,
            covered.situations,
            covered.faults,
            covered.duplicates,
            covered.texts,
            *kinds,
            sum(broken.values()) - sum(kinds),
        )


def table(lines: Sequence[Line], seconds: float, *, has_total: bool = True) -> str:
    """Return the table, with a total if it is asked for."""
    names = max([len(line.name) for line in lines] + [len("all")])
    rows = [
        " ".join([f"{'':{names}}", *(f"{heading:>{width}}" for heading, width in zip(HEADINGS, WIDTHS, strict=True))])
    ]
    total = Line("all")
    for line in lines:
        rows.append(_row(line, names))
        total.scenarios += line.scenarios
        total.covered.add(line.covered)
    if has_total:
        rows.append(_row(total, names))
    return "\n".join([*rows, f"\n{seconds:,.0f} seconds."])


def _row(line: Line, names: int) -> str:
    figures = [f"{figure:>{width},}" for figure, width in zip(line.figures(), WIDTHS, strict=False)]
    return " ".join([f"{line.name:{names}}", *figures, f"{line.covered.seconds:>{WIDTHS[-1]},.1f}"])
