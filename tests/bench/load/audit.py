"""What must not be found after a load: stated a second time, from the carrier's books and from what is stored."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dunning.adapters.dynamodb.items import contact_of, standing_of
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact, ContactState
from tests.bench.load.engine import Attempt
from tests.bench.load.play import Outcome
from tests.bench.load.portfolio import FIRST, customer_of

SWITCH_HOLDS_WITHIN_SECONDS = 60
"""The promise: one switch stops sending within a minute."""


def violations(outcome: Outcome) -> list[str]:
    """Return a line for each rule that was broken."""
    ours = {due.customer_id for due in outcome.load.ours}
    standings = {
        item["customer_id"]["S"]: standing_of(item) for item in _of(outcome.customers, ours) if "ledger" in item
    }
    contacts = [contact_of(item) for item in _of(outcome.contacts, ours)]
    attempts = [attempt for attempt in outcome.journal.attempts if customer_of(attempt.phone) in ours]
    taken = Counter(customer_of(attempt.phone) for attempt in attempts if attempt.accepted)
    return [
        *_texts(ours, standings, attempts, taken),
        *_records(standings, contacts, taken),
        *_announcements(ours, outcome.journal.announced, taken),
        *_after_switch(outcome.marks, attempts),
        *_left(outcome),
    ]


def _of(items: Iterable[Any], ours: set[str]) -> Iterator[Any]:
    return (item for item in items if item["customer_id"]["S"] in ours)


def _texts(
    ours: set[str], standings: Mapping[str, Standing], attempts: Iterable[Attempt], taken: Counter[str]
) -> Iterator[str]:
    for customer_id, texts in taken.items():
        if texts > 1:
            yield f"a text twice: {customer_id}: {texts} texts"
    for customer_id in sorted(ours - taken.keys()):
        standing = standings.get(customer_id)
        if standing is None or standing.wake is None or not standing.reason:
            yield f"neither texted nor waiting with a reason: {customer_id}"
    done: set[str] = set()
    for attempt in attempts:
        customer_id = customer_of(attempt.phone)
        if customer_id in done and not attempt.accepted:
            yield f"a publish after the text was taken: {customer_id}"
        if attempt.accepted:
            done.add(customer_id)


def _records(standings: Mapping[str, Standing], contacts: Iterable[Contact], taken: Mapping[str, int]) -> Iterator[str]:
    recorded = {(contact.customer_id, contact.send_id): contact for contact in contacts}
    claims = {
        (customer_id, entry.send_id): entry
        for customer_id, standing in standings.items()
        for entry in standing.ledger
        if entry.at >= FIRST
    }
    for (customer_id, send_id), entry in claims.items():
        contact = recorded.get((customer_id, send_id))
        if contact is None or contact.claim_id != entry.claim_id:
            yield f"a claim without an audit record: {customer_id}"
        elif contact.state is not ContactState.SENT:
            yield f"a text that was taken, on record as {contact.state.value}: {customer_id}"
    for customer_id, _ in recorded.keys() - claims.keys():
        yield f"an audit record without a claim: {customer_id}"
    claimed = {customer_id for customer_id, _ in claims}
    for customer_id in sorted(taken.keys() - claimed):
        yield f"a text without a claim: {customer_id}"
    for customer_id in sorted(claimed - taken.keys()):
        yield f"a claim that stayed without a text: {customer_id}"


def _announcements(ours: set[str], announced: Mapping[str, int], taken: Mapping[str, int]) -> Iterator[str]:
    for customer_id in sorted(ours):
        if announced.get(customer_id, 0) != taken.get(customer_id, 0):
            yield f"announced {announced.get(customer_id, 0)} times, texted {taken.get(customer_id, 0)}: {customer_id}"


def _after_switch(marks: Mapping[str, float], attempts: Iterable[Attempt]) -> Iterator[str]:
    """Nothing goes out a minute after the switch, nor later, until sending is on again."""
    if "off" not in marks:
        return
    for attempt in attempts:
        if marks["off"] + SWITCH_HOLDS_WITHIN_SECONDS < attempt.arrived_at < marks["on"]:
            after = attempt.arrived_at - marks["off"]
            yield f"a text {after:.1f} s after the switch: {customer_of(attempt.phone)}"


def _left(outcome: Outcome) -> Iterator[str]:
    if outcome.dead_letters:
        yield f"{outcome.dead_letters} dead letters"
    if outcome.left_on_queue:
        yield f"{outcome.left_on_queue} jobs left on the queue"
    for sandboxes in outcome.sandboxes.values():
        for sandbox in sandboxes:
            yield from (f"{sandbox.name}: an error left the handler: {error}" for error in sandbox.errors)
            for invocation in sandbox.invocations:
                if invocation.failed:
                    yield f"{sandbox.name}: {invocation.failed} jobs of a batch failed"
