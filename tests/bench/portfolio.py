"""Fictional customers for the benchmarks, all alike in size to real ones: one to three accounts, twelve instalments."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, Wake, progress_key

NOW = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
"""13:00 in Taipei: every customer's turn has come, wherever the spread puts it."""

_NAMES = ("王小明", "陳美麗", "歐陽大文", "林志", "John Smith")


def customer(number: int, due_on: date, *, accounts: int = 1, instalments: int = 12, paid: int = 0) -> Facts:
    """Build one customer of Taiwan whose first open instalment is due on a day."""
    first = due_on - timedelta(days=30 * paid)
    return Facts(
        customer_id=f"C{number:06d}",
        name=_NAMES[number % len(_NAMES)],
        phone=f"+8869{number:08d}",
        phone_country="TW",
        country="TW",
        region="",
        language="zh-Hant",
        time_zone="",
        lender="demo-tw",
        consented_at=None,
        accounts=tuple(
            Account(
                account_id=f"A{number:06d}-{account}",
                tail="1234",
                currency="TWD",
                instalments=tuple(
                    Instalment(
                        number=i + 1,
                        due_on=first + timedelta(days=30 * i),
                        amount=325_000 + number,
                        paid=325_000 + number if i < paid else 0,
                    )
                    for i in range(instalments)
                ),
            )
            for account in range(accounts)
        ),
        as_of=NOW - timedelta(days=10),
    )


def standing(facts: Facts, texts: int = 0) -> Standing:
    """Build the standing of a customer who wakes now and has been sent some texts, a week apart."""
    first = facts.accounts[0]
    ledger = tuple(
        LedgerEntry(
            send_id=f"s{i}",
            claim_id=f"c{i}",
            at=NOW - timedelta(days=8 + 7 * i),
            stage=0,
            accounts=(first.account_id,),
            channel="sms",
            for_wake=None,
        )
        for i in reversed(range(texts))
    )
    return Standing(
        customer_id=facts.customer_id,
        version=1,
        wake=Wake(NOW, 0),
        ledger=ledger,
        planned_for="0123456789abcdef",
        facts_revision=1,
        reason="due",
    )


def waiting() -> list[tuple[Facts, Standing]]:
    """Build customers who wait or stop, one of each common kind in the shares of a working portfolio."""
    later = NOW.date() + timedelta(days=9)
    overdue = NOW.date() - timedelta(days=4)
    next_stage = [(f := customer(i, later, paid=3), standing(f)) for i in range(8)]
    two_accounts = [(f := customer(8, later, accounts=2, paid=3), standing(f))]
    three_accounts = [(f := customer(9, later, accounts=3, paid=3), standing(f))]
    finished = customer(10, overdue)
    key = progress_key(finished.accounts[0].account_id, 1)
    after_last_text = [
        (
            finished,
            replace(standing(finished, 1), progress={key: Progress(3, NOW.date() - timedelta(days=1), overdue)}),
        )
    ] * 3
    capped = customer(11, overdue)
    recent = LedgerEntry(
        send_id="s", claim_id="c", at=NOW - timedelta(hours=5), stage=0, accounts=(), channel="sms", for_wake=None
    )
    by_cap = [(capped, replace(standing(capped), ledger=(recent,)))] * 2
    held = [(replace(f, holds=(Hold(HoldReason.PROMISE, later),)), s) for f, s in by_cap[:1]]
    opted_out = [(replace(f, opted_out=True), s) for f, s in by_cap[:1]] * 2
    paid_up = [(f := customer(12, overdue, instalments=3, paid=3), standing(f))] * 2
    return next_stage + two_accounts + three_accounts + after_last_text + by_cap + held + opted_out + paid_up


def sending() -> list[tuple[Facts, Standing]]:
    """Build customers who are sent a text now: before, on and after the due date, one with several instalments."""
    today = NOW.date()
    days = (3, 3, 3, 0, 0, -3, -7, -15)
    each_day: list[tuple[Facts, Standing]] = []
    for number, ahead in enumerate(days):
        facts = customer(number, today + timedelta(days=ahead), paid=3)
        each_day.append((facts, standing(facts, 1)))
    several = customer(20, today - timedelta(days=3), accounts=2, paid=3)
    return [*each_day, (several, standing(several))]
