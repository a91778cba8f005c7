"""
Calls of a tick over 500 due customers, in a table of 1,000 customers and in one of 20,000: they are to be the same.

The real scanner on the embedded AWS; the index of moto is not timed, only asked.
"""

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any
from unittest.mock import patch

import boto3

from dunning.adapters.dynamodb.items import standing_item
from dunning.domain.customer.standing import Standing, Wake
from tests.local.cloud import LocalCloud  # first: puts the layer on the path

_NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
_DUE = 500


def calls_of_a_tick(customers: int) -> Counter[str]:
    """Fill a table, of whose customers 500 are due, and count the calls one tick makes."""
    calls: Counter[str] = Counter()
    with LocalCloud(_NOW) as cloud:
        dynamodb = boto3.client("dynamodb")
        later = _NOW + timedelta(days=3)
        for batch in batched(range(customers), 25, strict=True):
            puts: list[Any] = [
                {
                    "PutRequest": {
                        "Item": standing_item(
                            Standing(
                                customer_id=f"C{i}",
                                version=1,
                                wake=Wake(_NOW if i % (customers // _DUE) == 0 else later, 0),
                            ),
                            4,
                        )
                    }
                }
                for i in batch
            ]
            dynamodb.batch_write_item(RequestItems={cloud.stack.customers_table: puts})
        boto3.DEFAULT_SESSION = None

        def count(event_name: str, **_: object) -> None:
            calls[event_name.rpartition(".")[2]] += 1

        make: Any = boto3.Session.client

        def counted(*args: object, **options: object) -> object:
            client = make(*args, **options)
            client.meta.events.register("before-call", count)
            return client

        with patch.object(boto3.Session, "client", counted):
            answer = cloud.tick()
        if answer["enqueued"] != _DUE:
            raise AssertionError(answer)
    return calls


def main() -> None:
    """Print both counts."""
    sys.stdout.write(f"calls of a tick, {_DUE} customers due\n")
    for customers in (1_000, 20_000):
        calls = calls_of_a_tick(customers)
        sys.stdout.write(f"  table of {customers:6,}: {calls.total()} calls {dict(sorted(calls.items()))}\n")


if __name__ == "__main__":
    main()
