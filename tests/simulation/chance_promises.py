"""
The promises about chance, written a second time: what the lot says, what is claimed and recorded, who hears nothing.

`LOTS` says what each customer draws. Nothing here draws.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dunning.domain.customer.standing import LedgerEntry, Standing
from dunning.domain.delivery.contact import Contact, ContactState
from tests.simulation.customer_rows import CustomerRow, contacts_in, customer_at
from tests.simulation.limits import CAPS, HOURS, ZONES, country_of
from tests.simulation.policies import (
    CONTROLLED,
    HELD_OUT_STAGES,
    LOTS,
    LOTS_UNDER,
    RESTED,
    RESTED_CHANNELS,
    RESTED_STAGES,
)
from tests.simulation.tables import RowKey, Rows
from tests.simulation.world import Text

LEAK = "a stage was said although chance has left it out"
DRAWN_OTHERWISE = "a draw is not what the lot says"
MISRECORDED = "claim and record disagree in what was drawn"
TOO_EARLY = "chance was asked before another gate was open"
LEFT_OUT = "a stage was left out that has to be said"
CAP_OF_SILENCE = "a cap counts a stage that nobody was told"
NOT_SILENT = "the record of a stage that was left out tells of a message"
BEFORE_ITS_HOUR = "a text before the hour that was drawn"
OTHER_WORDS = "words of another arm than the one that was drawn"
RECORDED_TWICE = "two records of one text"

TEXTED_FOR_SURE: Final = "hholdout.text:1"
"""The draw of a text that chance may not leave out."""

RESTED_FOR_SURE: Final = "trest.usual:1"
"""The same of a trial of texts."""

_BEGINS: Final = datetime(2026, 12, 1, tzinfo=UTC)
"""What was recorded before is not of a scenario."""

_HOUR = re.compile(r"ohour\.(\d\d):")
_WORDS = re.compile(r"ttext\.(usual|other):0\.5")


def judge_lot(customer: CustomerRow, after: Standing, claim: LedgerEntry, control: str) -> Iterator[str]:
    """
    Hold the claim of a reminder against what the lot says of its customer and stage.

    `control` is what the program was told that claims: it can take arms away, and turn trials off.
    """
    before = customer.standing
    if before is None or claim.stage is None:
        return
    marked = {claim.stage} | {
        reached.stage for key, reached in after.progress.items() if before.progress.get(key) != reached
    }
    repeats = any(
        entry.failed and entry.stage == claim.stage and set(entry.accounts) & set(claim.accounts)
        for entry in before.ledger
    )
    is_rested = customer.facts is not None and customer.facts.lender in {RESTED, RESTED_CHANNELS}
    has_to_be_said = repeats or not marked <= set(RESTED_STAGES if is_rested else HELD_OUT_STAGES)
    lots = _lots_of(customer, control)
    lot = lots.get(claim.stage, "")
    if has_to_be_said:
        # The lot of a stage that is left out says no words: those of what is said all the same are drawn besides.
        lot = _lots_of(customer, "silence paused" if control == "all drawn" else control).get(claim.stage, "")
        has_holdout = any("hholdout" in each for each in lots.values())
        lot = _said_for_sure(lot, is_drawn=has_holdout and not marked.isdisjoint(HELD_OUT_STAGES))
    if not _is_lot(customer, claim.draws, lot):
        yield DRAWN_OTHERWISE
    is_silent = ".silence:" in claim.draws
    if claim.channel == "none":
        if has_to_be_said or not is_silent:
            yield LEFT_OUT
        yield from _judge_moment(customer, before, claim)
    elif is_silent or ".silence:" in lot:
        yield LEAK
    drawn = _HOUR.search(claim.draws)
    if drawn and _local_time(customer, claim.at) < time(int(drawn[1])):
        yield BEFORE_ITS_HOUR


def _lots_of(customer: CustomerRow, control: str = "all drawn") -> Mapping[int, str]:
    if customer.facts is None:
        return {}
    return LOTS_UNDER[control] if customer.facts.lender == CONTROLLED else LOTS.get(customer.facts.lender, {})


def _said_for_sure(lot: str, *, is_drawn: bool) -> str:
    """Return the draws of a text that is sent in any case: nothing is left to chance but words and hour."""
    if lot.startswith("trest"):
        return RESTED_FOR_SURE
    rest = [each for each in lot.split(";") if each and not each.startswith("hholdout")]
    return ";".join([TEXTED_FOR_SURE, *rest] if is_drawn else rest)


def _is_lot(customer: CustomerRow, draws: str, lot: str) -> bool:
    """Tell whether draws are what the lot says. The wordings of others than the first customer are not written down."""
    if customer.record is not None and customer.record.customer_id == "C0001":
        return draws == lot
    return _WORDS.sub("ttext.?:0.5", draws) == _WORDS.sub("ttext.?:0.5", lot)


def _local_time(customer: CustomerRow, at: datetime) -> time:
    assert customer.facts is not None
    return at.astimezone(ZoneInfo(ZONES[country_of(customer.facts.phone)])).time()


def _judge_moment(customer: CustomerRow, before: Standing, claim: LedgerEntry) -> Iterator[str]:
    """Ask whether a stage is left out at a moment at which it could have been said: chance comes last."""
    assert customer.facts is not None
    country = country_of(customer.facts.phone)
    opens, closes = HOURS[country]
    is_full = any(_counted(before, claim.at, window) >= most for most, window in CAPS[country])
    if is_full or not opens <= _local_time(customer, claim.at) < closes:
        yield TOO_EARLY


def _counted(standing: Standing, at: datetime, window: timedelta) -> int:
    """Return how many messages were claimed for somebody within a window: silence is none."""
    return sum(entry.channel != "none" and at - entry.at < window for entry in standing.ledger)


def judge_cap(customer: CustomerRow, after: Standing, now: datetime) -> Iterator[str]:
    """Ask of a wait for a cap whether messages have filled it."""
    if after.reason != "person_cap" or not _lots_of(customer) or customer.facts is None:
        return
    caps = CAPS[country_of(customer.facts.phone)]
    if not any(_counted(after, now, window) >= most for most, window in caps):
        yield CAP_OF_SILENCE


def judge_said(rows: Rows, text: Text, claim: LedgerEntry | None) -> Iterator[str]:
    """Ask of a message, on whatever channel, whether its stage has been left out before."""
    customer = customer_at(rows, text.customer_id)
    if not _lots_of(customer) or (claim is not None and claim.stage is None):
        return
    if claim is None:
        yield LEAK
        return
    ledger = customer.standing.ledger if customer.standing else ()
    left_out = [(entry.stage, entry.accounts, entry.at) for entry in ledger if entry.channel == "none"]
    left_out += [
        (contact.stage, contact.account_ids, contact.at)
        for contact in contacts_in(rows)
        if contact.customer_id == text.customer_id and contact.state is ContactState.HELD_OUT
    ]
    # Of an account that is named beside others the words may be milder than its own stage.
    for each in text.about:
        account_id, due_on = each.partition("#")[0], date.fromisoformat(each.rpartition(" ")[2])
        if any(
            stage == claim.stage and account_id in accounts and is_about(customer, due_on, stage, at)
            for stage, accounts, at in left_out
        ):
            yield LEAK
            break


def is_about(customer: CustomerRow, due_on: date, stage: int | None, at: datetime) -> bool:
    """Tell whether a stage of some moment may be about an instalment due on a day: none comes before its own day."""
    if customer.facts is None or stage is None:
        return False
    return due_on + timedelta(days=stage) <= at.astimezone(ZoneInfo(ZONES[country_of(customer.facts.phone)])).date()


def judge_record(before: Rows, key: RowKey, contact: Contact | None) -> Iterator[str]:
    """Hold a record that is written against its claim, or against what it said before."""
    if contact is None or contact.stage is None:
        return
    standing = customer_at(before, key[1]).standing
    ledger = standing.ledger if standing else ()
    claim = next((entry for entry in ledger if entry.claim_id and entry.claim_id == contact.claim_id), None)
    # The ledger keeps what was drawn for a day at least.
    if claim is not None and (claim is ledger[-1] or claim.draws) and _drawn(claim) != _drawn(contact):
        yield MISRECORDED
    earlier = next((each for each in contacts_in(before) if each.claim_id == contact.claim_id), None)
    if earlier is not None and _drawn(earlier) != _drawn(contact):
        yield MISRECORDED
    if contact.template and contact.template.startswith("other-") is not (".other:" in contact.draws):
        yield OTHER_WORDS
    is_held_out = contact.state is ContactState.HELD_OUT
    of_message = contact.phone or contact.address or contact.text or contact.message_id or contact.price_usd_micros
    if is_held_out is not (contact.channel == "none") or (is_held_out and of_message):
        yield NOT_SILENT


def _drawn(of: LedgerEntry | Contact) -> tuple[str, str, str]:
    # The segment of a text without a draw is in its record alone.
    return of.draws, of.payer_segment if of.draws else "", of.asked


def judge_records(customer: CustomerRow, contacts: Sequence[Contact]) -> Iterator[str]:
    """Hold all records of a customer against the lot at the end: each draw is there, and there once."""
    lots = _lots_of(customer)
    if not lots:
        return
    of_scenario = [contact for contact in contacts if contact.stage is not None and contact.at >= _BEGINS]
    for contact in of_scenario:
        possible = [_lots_of(customer, control).get(contact.stage or 0, "") for control in LOTS_UNDER]
        possible += [_said_for_sure(lot, is_drawn=True) for lot in possible]
        if not any(_is_lot(customer, contact.draws, lot) for lot in possible):
            yield DRAWN_OTHERWISE
    claims = {entry.claim_id for entry in customer.standing.ledger} if customer.standing else set[str]()
    ids = [contact.send_id for contact in of_scenario if contact.claim_id in claims or not _may_be_refused(contact)]
    if len(ids) != len(set(ids)):
        yield RECORDED_TWICE


def _may_be_refused(contact: Contact) -> bool:
    """Tell whether a record may be of a text that its gateway refused, so that it was sent under another claim."""
    return contact.state in {ContactState.REFUSED, ContactState.UNKNOWN, ContactState.UNCONFIRMED}
