"""Customers: the lines of customers.jsonl. What a person may see of a customer at the end of a run, masked."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dunning.contracts.instants import instant
from dunning.domain.customer.facts import Account, Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.open_reviews import reviews_that_wait
from dunning.domain.texts.masking import mask_name
from dunning.domain.texts.money import format_money
from dunning.evidence.words import silences
from tests.local.report import mask_phone


def customer_line(facts: Facts, standing: Standing | None, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """Return the line of a customer as of a moment: no name and no number in full."""
    return {
        "customer_id": facts.customer_id,
        "name": mask_name(facts.name),
        "phone": mask_phone(facts.phone),
        "language": facts.language,
        "place": place_of(facts),
        "time_zone": zone.key,
        "lender": facts.lender,
        "consented_at": instant(facts.consented_at) if facts.consented_at else None,
        "open": [line for account in facts.accounts for line in _open_lines(account)],
        "next_decision_at": instant(standing.wake.at) if standing and standing.wake else None,
        "reason": standing.reason if standing else "",
        "waits_for_person": [
            {"why": review.why, "since": instant(review.since)}
            for review in (reviews_that_wait(standing) if standing else ())
        ],
        "silences": list(silences(facts, standing, now.astimezone(zone).date())),
        "promises": [
            {
                "about": key.replace("#", " no. "),
                "said_at": instant(promise.said_at),
                "on": promise.on.isoformat(),
                "kept": promise.kept,
            }
            for key, promise in (standing.promises.items() if standing else ())
        ],
    }


def place_of(facts: Facts) -> str:
    """Return the country and, where it matters, the region in which a customer lives."""
    return "-".join(filter(None, (facts.country, facts.region)))


def _open_lines(account: Account) -> Iterator[dict[str, Any]]:
    for instalment in account.instalments:
        if instalment.open > 0:
            yield {
                "account_id": account.account_id,
                "digits": account.tail,
                "product": account.product,
                "number": instalment.number,
                "due_on": instalment.due_on.isoformat(),
                "amount": format_money(instalment.amount, account.currency, "en"),
                "open": format_money(instalment.open, account.currency, "en"),
            }
