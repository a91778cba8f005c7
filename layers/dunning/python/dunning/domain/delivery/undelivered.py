"""
Undelivered: a text that did not arrive, although its number is a good one.

Its stage is sent once more, with the next lawful contact: the failed text counts against every cap and keeps its
distance to the next text, only the stage it marked does not count as reached. A second failure of a stage stands.
"""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from dunning.domain.customer.standing import LedgerEntry, Progress, Standing

_RETRY_SUFFIX = "-again"


def retry_send_id(send_id: str) -> str:
    """
    Return the id of a reminder that repeats a stage: no two texts ever have one id.

    It says so itself. What else the text speaks of may have changed since, and the ledger has forgotten the first
    try after a month.
    """
    return f"{send_id}{_RETRY_SUFFIX}"


def with_delivery(standing: Standing, claim_id: str, *, failed: bool) -> Standing:
    """Return the standing with what is known of a contact; the same one if that is known already."""
    if not any(entry.claim_id == claim_id and entry.failed is not failed for entry in standing.ledger):
        return standing
    ledger = tuple(replace(entry, failed=failed) if entry.claim_id == claim_id else entry for entry in standing.ledger)
    return replace(standing, ledger=ledger)


def delivered_stage(
    reached: Progress, account_id: str, ledger: Sequence[LedgerEntry], ladder: Sequence[int], zone: ZoneInfo
) -> Progress | None:
    """
    Return what has been heard of a ladder, without its last stage if that text failed, for the first time.

    `ledger` is ordered by time; only the last text about the account can have marked the stage.
    """
    last = next((entry for entry in reversed(ledger) if account_id in entry.accounts), None)
    if last is None or not last.failed or last.at.astimezone(zone).date() != reached.on:
        return reached
    if last.send_id.endswith(_RETRY_SUFFIX):
        return reached
    before = max((stage for stage in ladder if stage < reached.stage), default=None)
    return None if before is None else replace(reached, stage=before)
