"""The rule shelf: the policies as people read them, with what holds where and what the texts look like."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from dunning.domain.limits import Effective
from dunning.domain.texts.previewed import Message
from dunning.policy.book import PolicyBook
from dunning.policy.effective import ReachedPlace, effective_at, reached_places
from dunning.policy.text_preview import preview


class RuleShelf:
    """Answers what pages ask of the policies. Nothing is kept: it follows the book."""

    def __init__(self, book: PolicyBook) -> None:
        self._book = book

    def reached(self, lender: str) -> Iterator[tuple[str, ReachedPlace]]:
        """Yield the places that a lender's policy reaches, by id."""
        for reached in reached_places(self._book, lender):
            law = reached.place.law
            is_plain = law.id.partition("-")[0] == reached.country
            yield law.id if is_plain else f"{law.id}.{reached.country}", reached

    def named_places(self, lender: str) -> Sequence[tuple[str, str]]:
        """Return the places of a lender with their names."""
        return [(place_id, reached.place.law.name) for place_id, reached in self.reached(lender)]

    def languages(self) -> Mapping[str, Sequence[str]]:
        """Return the languages of all lenders' texts."""
        return {name: lender.policy.languages for name, lender in self._book.lenders.items()}

    def effective(self, lender: str, place_id: str, today: date) -> Effective | None:
        """Return what holds for a lender's customers in a place; `None` if nobody there is texted."""
        reached = dict(self.reached(lender)).get(place_id)
        return effective_at(self._book, lender, reached, today) if reached else None

    def texts(self, lender: str, place_id: str, language: str) -> Sequence[Message]:
        """Return all texts of a lender in a language, as people in a place get them."""
        reached = dict(self.reached(lender))[place_id]
        return list(preview(self._book, self._book.lenders[lender], language, reached.country, reached.region))
