"""Kept comparisons: what-ifs that somebody has kept for colleagues to read. Ids and numbers, no name and no text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

KEPT_A_LENDER = 20
"""Comparisons of a lender that are kept: the newest."""

LARGEST_COMPARISON = 256 * 1024
"""The bytes of a comparison as JSON, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptComparison:
    """
    The head of a what-if: who kept it and when, and what a list says of it.

    `lender` is empty if the changed files concern several lenders. `payments` is what was assumed of them: `nobody`,
    `file`, `records` or `table`. `policy` is the name of the folder with the changed files.
    """

    comparison_id: str
    lender: str
    kept_at: datetime
    kept_by: str
    payments: str
    policy: str
    changed_files: tuple[str, ...]
    customers: int
    differing: int
    texts_today: int
    texts_changed: int


class WrittenComparison(NamedTuple):
    """A comparison: its head, and what `what_if.json` of `events/schemas` describes."""

    head: KeptComparison
    written: str


class ComparisonReader(Protocol):
    """What-ifs that are kept, to be read."""

    def newest_comparisons(self) -> Sequence[KeptComparison]:
        """
        Return all that are kept, newest first.

        Raises:
            UnreadableRecordError: one cannot be read.
        """
        ...

    def comparison(self, comparison_id: str) -> WrittenComparison | None:
        """
        Return one; `None` if it is not kept, or no more.

        Raises:
            UnreadableRecordError: it cannot be read.
        """
        ...


class ComparisonsToErase(ComparisonReader, Protocol):
    """What-ifs that are kept, for the night that takes erased customers out of their examples."""

    def rewrite_comparison(self, head: KeptComparison, written: str) -> None:
        """Put what is written in the place of what a comparison had, if it is still kept."""
        ...


class ComparisonKeeper(Protocol):
    """Keeps what-ifs for 90 days, the newest twenty of each lender."""

    def keep_comparison(self, head: KeptComparison, written: str) -> None:
        """
        Keep a what-if, and let go of the oldest of its lender if there are too many. The same id replaces itself.

        Raises:
            ValueError: it is larger than `LARGEST_COMPARISON`.
        """
        ...
