"""Changes of a ledger: what they tell of claims with a draw, and what they do not."""

from dataclasses import replace
from datetime import timedelta

from dunning.domain.customer.standing import LEDGER_FLOOR, LedgerEntry, with_claim, without_claim
from dunning.services.tally import rungs_of_change
from tests.support.builders import a_customer, a_standing, a_text, taipei

CLAIMED_AT = taipei("2026-12-01 10:00")


def drawn(days: int, claim_id: str) -> LedgerEntry:
    return replace(a_text(CLAIMED_AT + timedelta(days=days), claim_id=claim_id), draws="hquiet.text:0.95")


def test_a_claim_that_is_released_is_told_of_as_released() -> None:
    before = a_standing()
    claimed = with_claim(before, drawn(0, "claim"), {}, timedelta(), a_customer())
    (told_first,) = rungs_of_change(before, claimed)
    (told_then,) = rungs_of_change(claimed, without_claim(claimed, before, "claim"))
    assert (told_first.is_released, told_then.is_released) == (False, True)  # type: ignore[union-attr]
    assert told_first.send_id == told_then.send_id


def test_a_claim_that_is_too_old_for_any_cap_is_forgotten_and_was_not_released() -> None:
    """Who pays by the last text has no other until the month after: only then does the old claim leave the ledger."""
    claimed = with_claim(a_standing(), drawn(0, "old"), {}, timedelta(), a_customer())
    days = LEDGER_FLOOR.days + 2
    later = with_claim(claimed, drawn(days, "new"), {}, timedelta(), a_customer())
    assert [entry.claim_id for entry in later.ledger] == ["new"]
    (only,) = rungs_of_change(claimed, later)
    assert (only.claim_id, only.is_released) == ("new", False)  # type: ignore[union-attr]
