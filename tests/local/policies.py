"""A user's own policies: a folder laid over the package's, played by the handlers as if they were deployed."""

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from unittest.mock import patch

from dunning import compiled_policies, wiring
from dunning.domain.errors import DunningError
from dunning.domain.replies.local_reader import LocalReader
from dunning.policy import PolicyBook, load_calendars_needed, load_policies
from dunning.policy.reply_files import load_reply_reader
from ops.own_policies import LENDERS, over_the_package


class PoliciesError(DunningError):
    """Policies, or the lender chosen of them, are not there; the message says what is."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What the handlers take for the policies of the layer."""

    book: PolicyBook
    replies: LocalReader
    calendars: Mapping[str, date]

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let the handlers use these policies while the context lasts."""
        wiring.policy_book.cache_clear()
        with (
            patch.object(compiled_policies, "policies", lambda: self.book),
            patch.object(compiled_policies, "reply_reader", lambda: self.replies),
            patch.object(compiled_policies, "calendars_needed", lambda: self.calendars),
        ):
            try:
                yield
            finally:
                wiring.policy_book.cache_clear()


def load(folder: Path | None) -> Policies:
    """
    Load the policies of the package, with those of a folder laid over them.

    Args:
        folder: as `over_the_package` takes it.

    Raises:
        PoliciesError: there is no such folder, or no lender in it.
        PolicyError: a file is refused; the message names file, line, field and reason.
    """
    if folder is None:
        return _of_the_package()
    if not folder.is_dir():
        raise PoliciesError(f"POLICIES={folder}: there is no such folder")
    if not any((folder / LENDERS).glob("*.toml")):
        raise PoliciesError(f"POLICIES={folder}: there is no file {LENDERS}/*.toml in it")
    overlay = over_the_package(folder)
    return Policies(load_policies(overlay), load_reply_reader(overlay), load_calendars_needed(overlay))


@cache
def _of_the_package() -> Policies:
    return Policies(
        compiled_policies.policies(), compiled_policies.reply_reader(), compiled_policies.calendars_needed()
    )


def has_trials(book: PolicyBook) -> bool:
    """Tell whether a lender has a trial that somebody has approved."""
    return any(trial.approved_by for lender in book.lenders.values() for trial in lender.policy.trials)


def lender_for(book: PolicyBook, asked: str, used: frozenset[str]) -> str:
    """
    Return the lender that all accounts are to have, or nothing if each keeps its own.

    Args:
        book: the policies.
        asked: the lender a user has named, or nothing.
        used: the lenders that the accounts name and must have: those of the sample.

    Raises:
        PoliciesError: there is no such lender, or one has to be named.
    """
    there = ", ".join(book.lenders)
    if asked and asked not in book.lenders:
        near = difflib.get_close_matches(asked, book.lenders, n=1)
        meant = f"; did you mean {near[0]}?" if near else "."
        raise PoliciesError(f"LENDER={asked}: there is no such lender{meant} There are: {there}")
    if asked or used <= book.lenders.keys():
        return asked
    if len(book.lenders) == 1:
        return next(iter(book.lenders))
    raise PoliciesError(f"LENDER= has to be named for the sample, one of: {there}")
