"""
Money: what is overdue, promised and paid at the end of each day of a run, the lines of money.jsonl.

It is read from the tables as each day ends, and not worked out from what was to happen: a payment that was refused, a
reversal or a closed account counts as the customers' records have it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from dunning.adapters.dynamodb import items
from dunning.adapters.dynamodb.keys import FACTS, STANDING
from dunning.domain.customer.facts import Facts, open_instalments
from dunning.domain.customer.standing import Standing, progress_key
from tests.local.cloud import LocalCloud
from tests.local.customers import place_of

NO_TEXT = "none"
"""In place of a stage: no text has asked for the instalment."""

KINDS = ("overdue", "promised", "paid")
"""What is counted, each in minor units: as of the end of the day, or, of what was paid, during the day."""


class _Whose(NamedTuple):
    """Which money it is. `stage` is that of the last text about the instalment, or `NO_TEXT`."""

    lender: str
    place: str
    currency: str
    stage: str


class MoneyLog:
    """
    Keeps what is overdue, promised and paid, day by day. `lines` are those of money.jsonl.

    What was paid on a day is by how much more is paid of the instalments that were there the day before.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._facts: dict[str, tuple[str, Facts | None]] = {}
        self._standings: dict[str, tuple[str, Standing]] = {}
        self.lines: list[dict[str, Any]] = []
        self._read()
        self._paid = self._paid_so_far()

    def end_day(self, day: date) -> None:
        """Count as a day ends. What was due before the day and is open is overdue."""
        self._read()
        amounts: defaultdict[_Whose, dict[str, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
        paid = self._paid_so_far()
        more = {key: paid[key] - before for key, before in self._paid.items() if key in paid}
        for customer_id, (_, facts) in self._facts.items():
            if facts is None:
                continue
            _, standing = self._standings.get(customer_id, ("", None))
            for whose, kind, amount in money_of(facts, standing, day, more):
                amounts[whose][kind] += amount
        self._paid = paid
        self.lines += [
            {"day": day.isoformat(), **whose._asdict(), **sums}
            for whose, sums in sorted(amounts.items())
            if any(sums.values())
        ]

    def _read(self) -> None:
        """Read what has changed since the last time: most customers have not."""
        facts, standings = {}, {}
        for item in self._cloud.items(self._cloud.stack.customers_table):
            customer_id = item["customer_id"]["S"]
            if item["item"]["S"] == FACTS and "name" in item:
                revision = item["revision"]["N"]
                before = self._facts.get(customer_id)
                facts[customer_id] = before if before and before[0] == revision else (revision, items.read_facts(item))
            elif item["item"]["S"] == STANDING:
                version = item["version"]["N"]
                kept = self._standings.get(customer_id)
                standings[customer_id] = kept if kept and kept[0] == version else (version, items.standing_of(item))
        self._facts, self._standings = facts, standings

    def _paid_so_far(self) -> dict[tuple[str, str], int]:
        return {
            (customer_id, progress_key(account.account_id, each.number)): each.paid
            for customer_id, (_, facts) in self._facts.items()
            for account in (facts.accounts if facts else ())
            for each in account.instalments
        }


def money_of(
    facts: Facts, standing: Standing | None, day: date, paid: Mapping[tuple[str, str], int]
) -> Iterator[tuple[_Whose, str, int]]:
    """
    Yield the amounts of a customer: whose money it is, the kind, and how much.

    Overdue and promised are what the nightly census calls so. `paid` has what was paid on the day, by customer and
    instalment.
    """
    for account in facts.accounts:
        still_open = {each.number: each for each in open_instalments(account)}
        for each in account.instalments:
            key = progress_key(account.account_id, each.number)
            reached = standing.progress.get(key) if standing else None
            promise = standing.promises.get(key) if standing else None
            whose = _Whose(facts.lender, place_of(facts), account.currency, f"{reached.stage}" if reached else NO_TEXT)
            left = still_open.get(each.number)
            if left is not None and left.due_on < day:
                yield whose, "overdue", left.open
            if promise is not None and promise.kept is None and promise.on >= day and each.open > 0:
                yield whose, "promised", each.open
            if amount := paid.get((facts.customer_id, key), 0):
                yield whose, "paid", amount
