"""
File ids: which customers and accounts a large file names, kept on disk while the file is split.

A few things hold for a file as a whole and not for its parts: of what form its ids are, and which accounts two
customers claim. `Spool` answers the same for a file that is loaded whole, and to the same effect.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import batched

from dunning.services.intake.spool import SAMPLE, PrivateDatabase
from dunning.services.intake.table import RawRow

_CACHE_KIB = 16 * 1024
_BATCH = 2000
_SCHEMA = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -{_CACHE_KIB};
    CREATE TABLE ids (customer_id, account_id, line, part);
"""
_CONTESTED = """
    SELECT DISTINCT part, account_id FROM ids WHERE account_id IN (
        SELECT account_id FROM ids WHERE account_id <> ''
        GROUP BY account_id HAVING min(customer_id) <> max(customer_id)
    )
"""


def part_of(row: RawRow, parts: int) -> int:
    """Return the part that a row belongs to: all rows of a customer to one. Rows without a customer are spread."""
    return part_of_customer(row.customer_id or str(row.line), parts)


def part_of_customer(customer_id: str, parts: int) -> int:
    """Return the part of a customer. It does not follow the shard of the due index: each part writes to all shards."""
    digest = hashlib.blake2b(customer_id.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest) % parts


class FileIds(PrivateDatabase):
    """The ids of a file that is split."""

    schema = _SCHEMA

    def __init__(self, parts: int) -> None:
        self._parts = parts

    def watch(self, rows: Iterable[RawRow]) -> Iterator[tuple[int, RawRow]]:
        """Yield rows with their parts, and keep their ids."""
        above = ("", "")
        for batch in batched(rows, _BATCH, strict=False):
            ids = []
            for row in batch:
                part = part_of(row, self._parts)
                named = (row.customer_id, row.account_id)
                if named != above or not row.customer_id:
                    ids.append((*named, row.line, part))
                    above = named
                yield part, row
            self._database.executemany("INSERT INTO ids VALUES (?, ?, ?, ?)", ids)

    def clear(self) -> None:
        """Forget all ids, so that the file can be read anew."""
        self._database.execute("DELETE FROM ids")

    def some_ids(self) -> list[str]:
        """Return the ids that `Spool.some_ids` would return of the file."""
        customers: dict[str, None] = {}
        accounts: dict[str, None] = {}
        for customer_id, account_id in self._database.execute(
            "SELECT customer_id, account_id FROM ids ORDER BY customer_id, line"
        ):
            if len(customers) < SAMPLE:
                customers[customer_id] = None
            if len(accounts) < SAMPLE:
                accounts[account_id] = None
            elif len(customers) == SAMPLE:
                break
        return [*customers, *accounts]

    def contested(self) -> Iterator[tuple[int, str]]:
        """Yield the accounts that rows of different customers name, with each part that has such rows."""
        yield from self._database.execute(_CONTESTED)

    def sort(self) -> None:
        """Get ready for `has`, once all rows are known."""
        self._database.execute("CREATE INDEX IF NOT EXISTS by_customer ON ids (customer_id)")

    def has(self, customer_id: str) -> bool:
        """Tell whether the file names a customer, in a row that is refused or not."""
        found = self._database.execute("SELECT 1 FROM ids WHERE customer_id = ? LIMIT 1", (customer_id,))
        return found.fetchone() is not None
