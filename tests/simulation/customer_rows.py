"""What is stored of customers, read as it is stored."""

from dataclasses import dataclass
from typing import Final

from dunning.adapters.dynamodb.items import contact_of, lender_record_of, standing_of
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from tests.simulation.policies import CALLS, CHANNELS, DRAWN_CHANNELS, RESTED_CHANNELS, SILENT_CHANNELS
from tests.simulation.tables import CONTACTS, CUSTOMERS, Rows, read_once

_THREE = ("line", "email", "sms")
CHANNELS_OF: Final = {
    CHANNELS: _THREE,
    SILENT_CHANNELS: _THREE,
    DRAWN_CHANNELS: _THREE,
    RESTED_CHANNELS: _THREE,
    CALLS: ("voice", "sms"),
}
"""The channels of a lender who uses several, in order of preference. Calls are for stages up to the due date."""


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """What is stored of one customer, read as it is stored."""

    record: LenderRecord | None
    standing: Standing | None

    @property
    def facts(self) -> Facts | None:
        return self.record.snapshot if self.record else None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels of the lender, nothing if it has SMS alone."""
        return CHANNELS_OF.get(self.facts.lender, ()) if self.facts else ()


def customer_at(rows: Rows, customer_id: str) -> CustomerRow:
    """Read a customer."""
    record = read_once(rows.get((CUSTOMERS, customer_id, "facts")), lender_record_of)
    return CustomerRow(record, read_once(rows.get((CUSTOMERS, customer_id, "standing")), standing_of))


def customers_in(rows: Rows) -> list[str]:
    """Return the ids of all customers."""
    return sorted({key[1] for key in rows if key[0] == CUSTOMERS and "#" not in key[1]})


def contacts_in(rows: Rows) -> list[Contact]:
    """Return all audit records of texts."""
    return [contact_of(row.item) for key, row in rows.items() if key[0] == CONTACTS and not key[2].startswith("reply#")]
