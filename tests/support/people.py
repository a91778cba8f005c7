"""Many customers of Taiwan, who may be texted at `NOW`, and their standing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry, Standing, Wake
from tests.support.builders import a_customer, a_text, an_account, an_instalment

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
"""Ten in the morning in Taipei, a Tuesday: every hour of the default policy is open."""


def someone(number: int = 1, *, due_in: int = 3, accounts: int = 1, **changes: Any) -> Facts:  # noqa: ANN401 - fields
    """Describe a customer with an instalment due in some days; three days before it the first text is due."""
    due = (NOW + timedelta(days=due_in)).date().isoformat()
    facts = a_customer(
        *(an_account(an_instalment(due), account_id=f"A{number:04d}-{account}") for account in range(accounts)),
        customer_id=f"C{number:04d}",
        phone=f"+8869{number:08d}",
        as_of=NOW - timedelta(days=1),
    )
    return replace(facts, **changes)


def waking(
    facts: Facts,
    at: datetime | None = NOW,
    *,
    urgency: int = 0,
    **changes: Any,  # noqa: ANN401 - fields
) -> Standing:
    """Give a customer a standing that wakes at an instant."""
    standing = Standing(
        customer_id=facts.customer_id,
        version=1,
        wake=Wake(at, urgency) if at else None,
        planned_for="facts",
        reason="due",
    )
    return replace(standing, **changes)


def texted(facts: Facts, at: datetime, *, claim_id: str = "claim", for_wake: datetime | None = None) -> LedgerEntry:
    """Describe a text that a customer has been sent."""
    return a_text(at, facts.accounts[0].account_id, stage=-3, claim_id=claim_id, for_wake=for_wake)


def paid_up(facts: Facts) -> Facts:
    """Describe the same customer a moment later, with everything paid."""
    accounts = tuple(
        replace(
            account,
            instalments=tuple(replace(instalment, paid=instalment.amount) for instalment in account.instalments),
        )
        for account in facts.accounts
    )
    return replace(facts, accounts=accounts, as_of=NOW)
