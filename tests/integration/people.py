"""Fictional customers of Taiwan, who may be texted at `NOW`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dunning.domain.facts import Account, Facts, Instalment
from dunning.domain.standing import LedgerEntry, Standing, Wake

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
"""Ten in the morning in Taipei, a Tuesday: every hour of the default policy is open."""


def someone(number: int = 1, *, due_in: int = 3, accounts: int = 1, **changes: Any) -> Facts:
    """Describe a customer with an instalment due in some days; three days before it the first text is due."""
    due_on = (NOW + timedelta(days=due_in)).date()
    facts = Facts(
        customer_id=f"C{number:04d}",
        name="王小明",
        phone=f"+8869{number:08d}",
        phone_country="TW",
        country="TW",
        region="",
        language="zh-Hant",
        time_zone="Asia/Taipei",
        lender="demo-tw",
        consented_at=None,
        accounts=tuple(
            Account(f"A{number:04d}-{account}", "5678", "TWD", (Instalment(1, due_on, 325_000),), "機車分期")
            for account in range(accounts)
        ),
        as_of=NOW - timedelta(days=1),
    )
    return replace(facts, **changes)


def waking(facts: Facts, at: datetime | None = NOW, *, urgency: int = 0, **changes: Any) -> Standing:
    """Give a customer a standing that wakes at an instant."""
    standing = Standing(facts.customer_id, 1, Wake(at, urgency) if at else None, planned_for="facts", reason="due")
    return replace(standing, **changes)


def texted(facts: Facts, at: datetime, *, claim_id: str = "", answers: datetime | None = None) -> LedgerEntry:
    """Describe a text that a customer has been sent."""
    return LedgerEntry(
        f"send-{at.isoformat()}", claim_id or f"claim-{at.isoformat()}", at, -3, (facts.accounts[0].account_id,), "sms",
        answers,
    )  # fmt: skip


def paid_up(facts: Facts) -> Facts:
    """Describe the same customer a moment later, with everything paid."""
    accounts = tuple(
        replace(account, instalments=tuple(replace(one, paid=one.amount) for one in account.instalments))
        for account in facts.accounts
    )
    return replace(facts, accounts=accounts, as_of=NOW)
