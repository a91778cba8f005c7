"""The report: a table for a compliance officer, and the traces of what failed."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.simulation.promises import AT_NIGHT, IN_SILENCE, TOO_OFTEN, TWICE
from tests.simulation.search import Explored


class Column(NamedTuple):
    """A column: its heading, and how it is worked out."""

    heading: str
    width: int


COLUMNS = (
    Column("schedules", 13),
    Column("situations", 10),
    Column("faults", 8),
    Column("repeats", 8),
    Column("texts", 7),
    Column("over caps", 9),
    Column("in silence", 10),
    Column("at night", 8),
    Column("twice", 6),
    Column("other", 6),
    Column("seconds", 8),
)

LEGEND = """\
  schedules   ways to order the programs and to place the faults: all there are within the bounds
  situations  different states of everything that is stored and of all programs; each is looked at once
  faults      places at which a fault was injected
  repeats     deliveries of a message that had been delivered before
  texts       texts that the carrier took, on different ways
  over caps   texts beyond a cap, in any sliding window
  in silence  texts claimed although an opt-out, a hold, an erasure or the payment was stored
  at night    texts outside the hours of the customer's place
  twice       texts sent twice
  other       any other broken promise: news lost, books that disagree, somebody forgotten, data left behind"""


def counted(explored: Explored) -> tuple[int, ...]:
    """Return the figures of a row, without the seconds."""
    broken = explored.broken
    kinds = (TOO_OFTEN, IN_SILENCE, AT_NIGHT, TWICE)
    by_kind = [sum(count for promise, count in broken.items() if promise.startswith(kind)) for kind in kinds]
    return (
        explored.schedules,
        explored.situations,
        explored.faults,
        explored.duplicates,
        explored.texts,
        *by_kind,
        sum(broken.values()) - sum(by_kind),
    )


def heading(name_width: int) -> str:
    """Return the heading of the table."""
    return f"{'':{name_width}} " + " ".join(f"{column.heading:>{column.width}}" for column in COLUMNS)


def row(name: str, name_width: int, figures: Sequence[int], seconds: float) -> str:
    """Return a row of the table."""
    cells = [f"{figure:>{column.width},}" for figure, column in zip(figures, COLUMNS, strict=False)]
    return f"{name:{name_width}} " + " ".join([*cells, f"{seconds:>{COLUMNS[-1].width},.1f}"])


def total(rows: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Add up rows."""
    return tuple(map(sum, zip(*rows, strict=True)))
