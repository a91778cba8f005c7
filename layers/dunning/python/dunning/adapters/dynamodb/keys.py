"""
Keys of both tables, built and read here only.

customers: `customer_id` and `item`, which is `facts` or `standing`. Beside them the numbers: `phone#+886912345678`
and `phone`, with the ids of all customers who have or had that number; e-mail addresses, `mail#<sha256>` and `mail`;
and LINE users, `line#<user id>` and `line`. No customer id has a `#`.
And the accounts: `account#A0001` and `owner#<customer id>`, an item for each customer who has or had the account.
due index: `shard`, `00` to `99`, and `wake_key`, `2026-12-01T02:00:00.000000Z#1`: the wake, then the urgency, so
that of customers who wake at the same moment the most urgent come first.
attention index: `attention_lender`, and `attention_at`, `1#2026-12-01T02:00:00.000000Z`: 0 if urgent,
else 1, and the moment since which the customer waits for a person.
contacts:  `customer_id` and `contact`, `2026-12-01T02:00:03.123456Z#<send_id>`, or `reply#<instant>#<inbound id>` for
a reply; the replies of a number that no customer has are below `phone#<number>`.
unknown index of contacts: `unknown`, always `yes`, and `contact`: only records with an unknown outcome.
"""

import hashlib
import zlib
from datetime import UTC, datetime

from dunning.domain.customer.standing import LEAST_URGENT, Wake
from dunning.domain.delivery.channels import AddressKind

FACTS = "facts"
STANDING = "standing"
FILES = "files#"
"""Where a customer's id would be, in the item of the file loads. No customer id has a `#`."""
LOADS = "loads"
"""The item of the file loads. Beside it are a report of each load that has ended, and each file loaded in parts."""
PHONE = "phone"
MAIL = "mail"
LINE = "line"
OWNER = "owner#"
"""Before the id of a customer, so that no customer's id is the name of an item."""
UNKNOWN = "yes"
REPLY = "reply#"

_BEHIND = "~"
"""Sorts after all characters that may follow in a key: digits, `#` and `Z`."""

_LENGTH = len("2026-12-01T02:00:00.000000")


def instant_key(moment: datetime) -> str:
    """Write an instant so that keys sort by time: UTC, always with microseconds."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:_LENGTH]}Z"


def parse_instant(written: str) -> datetime:
    """
    Read what `instant_key` wrote.

    Raises:
        ValueError: it is something else.
    """
    if len(written) != _LENGTH + 1 or written[-1] != "Z":
        raise ValueError("not an instant")
    return datetime.fromisoformat(written)


def shard_of(customer_id: str, shards: int) -> str:
    """Return the partition of the due index that a customer belongs to."""
    return f"{zlib.crc32(customer_id.encode()) % shards:02d}"


def wake_key(wake: Wake) -> str:
    """Build the sort key of the due index."""
    return f"{instant_key(wake.at)}#{min(wake.urgency, LEAST_URGENT)}"


def parse_wake_key(written: str) -> Wake:
    """Read a sort key of the due index."""
    moment, _, urgency = written.partition("#")
    return Wake(parse_instant(moment), int(urgency))


def due_until(now: datetime) -> str:
    """Build the highest sort key that is due at `now`."""
    return f"{instant_key(now)}#{LEAST_URGENT}"


def attention_key(since: datetime, *, urgent: bool) -> str:
    """Build the sort key of the attention index."""
    return f"{0 if urgent else 1}#{instant_key(since)}"


def parse_attention_key(written: str) -> tuple[datetime, bool]:
    """
    Read a sort key of the attention index: since when, and whether it is urgent.

    Raises:
        ValueError: it is something else.
    """
    urgency, _, since = written.partition("#")
    return parse_instant(since), urgency == "0"


def contact_key(at: datetime, send_id: str) -> str:
    """Build the sort key of a contact."""
    return f"{instant_key(at)}#{send_id}"


def phone_key(phone: str) -> str:
    """Build the key of a number's customers."""
    return f"phone#{phone}"


def address_key(address: str) -> tuple[str, str]:
    """
    Build the key of an address's customers: the partition, and the name of the item.

    A mail address is a hash there, the same however it is written, because people know it by heart.
    """
    match AddressKind.of_address(address):
        case AddressKind.EMAIL:
            return f"mail#{hashlib.sha256(address.lower().encode()).hexdigest()}", MAIL
        case AddressKind.LINE:
            return f"line#{address}", LINE
        case _:
            return phone_key(address), PHONE


def report_key(report_id: str) -> str:
    """Build the sort key of the report of a file. It sorts before `loads` and before all split files."""
    return f"file#{report_id}"


def account_key(account_id: str) -> str:
    """Build the key of an account's customers."""
    return f"account#{account_id}"


def split_key(split_id: str) -> str:
    """Build the sort key of the load of a split file."""
    return f"split#{split_id}"


def reply_key(at: datetime, inbound_id: str) -> str:
    """Build the sort key of a reply."""
    return f"{REPLY}{instant_key(at)}#{inbound_id}"


def expiry(moment: datetime) -> dict[str, str]:
    """Write a time to live: after it DynamoDB deletes the item by itself."""
    return {"N": str(int(moment.timestamp()))}


def contacts_until(moment: datetime) -> str:
    """Build a key behind all contacts up to a moment, and before all later ones."""
    return f"{instant_key(moment)}{_BEHIND}"


def replies_until(moment: datetime | None) -> str:
    """Build a key behind all replies up to a moment, and before all later ones; without one, behind all."""
    return f"{REPLY}{instant_key(moment)}{_BEHIND}" if moment else f"{REPLY}{_BEHIND}"
