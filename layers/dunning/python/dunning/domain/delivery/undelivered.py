"""
Undelivered: a text that did not arrive, although its number is good.

The stage of the text is sent again with the next lawful contact. The failed text counts against every cap and keeps
its distance to the next text. Only its stage does not count as reached. A second failure of the stage is final.
"""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from dunning.domain.customer.standing import LedgerEntry, Progress, Standing
from dunning.domain.effect.payer_segments import with_silence_broken

_RETRY_SUFFIX = "-again"


def retry_send_id(send_id: str) -> str:
    """
    Return the id of a reminder that repeats a stage: no two texts ever share an id.

    The id itself marks the text as a repeat. The ledger cannot: it drops the first text after a month, and the accounts
    of the second text may differ.
    """
    return f"{send_id}{_RETRY_SUFFIX}"


def with_delivery(standing: Standing, claim_id: str, *, failed: bool) -> Standing:
    """Return the standing with the outcome of a contact; the same standing if the outcome is known already."""
    if not any(entry.claim_id == claim_id and entry.failed is not failed for entry in standing.ledger):
        return standing
    ledger = tuple(replace(entry, failed=failed) if entry.claim_id == claim_id else entry for entry in standing.ledger)
    history = with_silence_broken(standing.history) if failed else standing.history
    return replace(standing, ledger=ledger, history=history)


def delivered_stage(
    reached: Progress, account_id: str, ledger: Sequence[LedgerEntry], ladder: Sequence[int], zone: ZoneInfo
) -> Progress | None:
    """
    Return the stage that a ladder has reached, without its last stage if the text of that stage failed once.

    `ledger` is ordered by time; only the last text that marked a stage of the account counts.
    """
    last = next((entry for entry in reversed(ledger) if entry.marks(account_id)), None)
    if last is None or not last.failed or last.at.astimezone(zone).date() != reached.on:
        return reached
    if last.send_id.endswith(_RETRY_SUFFIX):
        return reached
    before = max((stage for stage in ladder if stage < reached.stage), default=None)
    return None if before is None else replace(reached, stage=before)
