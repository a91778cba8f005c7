"""The rule book: what holds for each lender and place, and what its texts look like, for reading."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from dunning.domain.limits import Effective
from dunning.domain.texts.previewed import Message


class RuleBook(Protocol):
    """The policies, loaded and checked: no lender's rule in them is looser than a law."""

    def languages(self) -> Mapping[str, Sequence[str]]:
        """Return the languages of all lenders' texts."""
        ...

    def named_places(self, lender: str) -> Sequence[tuple[str, str]]:
        """Return the places that a lender's policy reaches: an id, such as `TW`, `US-MA` or `EU.IE`, and a name."""
        ...

    def effective(self, lender: str, place_id: str, today: date) -> Effective | None:
        """Return what holds for a lender's customers in a place; `None` if nobody there is texted."""
        ...

    def texts(self, lender: str, place_id: str, language: str) -> Sequence[Message]:
        """Return all texts of a lender in a language, as people in a place get them."""
        ...
