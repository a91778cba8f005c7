"""An optimistic write starts over while others are quicker, and gives up before the time of its function is spent."""

import pytest

from dunning.services.optimistic import CONFLICT, Conflict, ContestedError, write_optimistically


def written_after(conflicts: int) -> tuple[str, list[int]]:
    """Write a record while so many others are quicker. Return the result, and the version of each attempt."""
    attempts: list[int] = []

    def attempt(version: int) -> str | Conflict:
        attempts.append(version)
        return CONFLICT if len(attempts) <= conflicts else "written"

    return write_optimistically("C0001", 0, lambda: len(attempts), attempt), attempts


def test_the_fifth_attempt_still_counts_and_each_is_decided_on_what_is_stored_then() -> None:
    assert written_after(0) == ("written", [0])
    assert written_after(4) == ("written", [0, 1, 2, 3, 4])


def test_there_is_no_sixth_attempt() -> None:
    with pytest.raises(ContestedError, match="C0001"):
        written_after(5)
