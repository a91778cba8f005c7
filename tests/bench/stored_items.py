"""How large a typical claim is, and how long reading and writing a customer takes who has 36 instalments."""

import sys
import timeit
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from dunning.adapters.dynamodb.items import lender_record_item, read_facts, standing_item, standing_of
from dunning.domain.customer.facts import Account, Facts, Instalment
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, progress_key
from tests.bench.dynamodb_units import item_size
from tests.support.builders import a_lender_record
from tests.support.people import NOW, someone, waking

SHARDS = 4
_ACCOUNTS = 3
_INSTALMENTS = 12
_CALLS = 300
_ROUNDS = 25


def customer() -> tuple[Facts, Standing]:
    """Describe a customer with three accounts, who has been sent three texts about two of them."""
    today = NOW.date()
    accounts = tuple(
        Account(
            account_id=f"A0001-{account}",
            tail="5678",
            currency="TWD",
            instalments=tuple(
                Instalment(
                    number=number,
                    due_on=today + timedelta(days=30 * number),
                    amount=325_000 + number,
                    paid=325_000 if number < 4 else 0,
                )
                for number in range(1, _INSTALMENTS + 1)
            ),
            product="car loan",
        )
        for account in range(_ACCOUNTS)
    )
    facts = replace(someone(), accounts=accounts)
    ids = tuple(account.account_id for account in accounts[:2])
    moments = [NOW - timedelta(weeks=weeks) for weeks in range(3)]
    ledger = tuple(
        LedgerEntry(
            send_id="a" * 32, claim_id="b" * 32, at=moment, stage=3, accounts=ids, channel="sms", for_wake=moment
        )
        for moment in moments
    )
    progress = {progress_key(account, number): Progress(3, today, today) for account in ids for number in (1, 2)}
    return facts, waking(facts, ledger=ledger, progress=progress, planned_for="0" * 16)


def _micros(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=_CALLS, repeat=_ROUNDS)) / _CALLS * 1e6


if __name__ == "__main__":
    facts, standing = customer()
    record = a_lender_record(facts)
    facts_item, claim = lender_record_item(record), standing_item(standing, SHARDS)
    sys.stdout.write(f"facts {item_size(facts_item)} B, claim {item_size(claim)} B\n")
    reading = _micros(lambda: (read_facts(facts_item), standing_of(claim)))
    writing = _micros(lambda: standing_item(standing, SHARDS))
    sys.stdout.write(f"reading facts and standing {reading:.0f} us, writing a standing {writing:.0f} us\n")
