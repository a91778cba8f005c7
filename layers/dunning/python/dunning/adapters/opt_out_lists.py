"""Several lists of numbers that want no texts, as one: each service that sends texts keeps its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from dunning.ports.gateways import OptOutList


class OptOutLists:
    """Implements `OptOutList`."""

    def __init__(self, lists: Sequence[OptOutList]) -> None:
        self._lists = tuple(lists)

    def opted_out(self) -> Iterator[str]:
        """List the numbers of all lists. A number may be on several."""
        return chain.from_iterable(each.opted_out() for each in self._lists)

    def opt_in(self, phone: str) -> bool:
        """Take a number off all lists. It gets texts again once none of them has it."""
        allowed = {each.opt_in(phone) for each in self._lists}  # all of them are asked, whatever the first says
        return False not in allowed

    def opt_out(self, phone: str) -> None:
        """Put a number on all lists that take it."""
        for each in self._lists:
            each.opt_out(phone)
