"""
Receipt effects: the changes to a customer's standing that follow from a report of a message. Pure.

An opt-out at the carrier is an opt-out. An address that fails for good is suspended on its channel, and on no other,
until it is corrected or released.
A stage whose text failed for now, or for a reason we do not know, has not been heard: it is repeated once. Nothing
follows from a technical failure: the number is not to blame, and the same text would be refused again.
"""

from dataclasses import replace

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing, said_last, with_address_refused
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.receipt import DeliveryReceipt, DeliveryStatus, delivery_status
from dunning.domain.delivery.undelivered import with_delivery

_CHANGING = frozenset(
    {
        DeliveryStatus.OPTED_OUT,
        DeliveryStatus.PERMANENT_FAILURE,
        DeliveryStatus.TEMPORARY_FAILURE,
        DeliveryStatus.UNCLASSIFIED,
    }
)


def changes_standing(status: DeliveryStatus) -> bool:
    """Tell whether a receipt of this status changes the customer's standing."""
    return status in _CHANGING


def apply_receipt(facts: Facts, standing: Standing, receipt: DeliveryReceipt, record: Contact) -> Standing:
    """
    Return the standing after one receipt.

    Of two times the later counts, so that the order of receipts makes no difference. `record` is the audit record after
    all receipts. If a text failed and arrived after all, the arrival counts.
    """
    match delivery_status(receipt):
        case DeliveryStatus.OPTED_OUT:
            return replace(standing, opted_out_at=said_last(standing.opted_out_at, receipt.at))
        case DeliveryStatus.PERMANENT_FAILURE:
            channel = Channel(record.channel)
            address = receipt.phone or record.phone or record.address
            # Nobody has heard the stage: it is said once more, on another channel or when the address is corrected.
            standing = with_delivery(standing, record.claim_id, failed=record.state is ContactState.FAILED)
            if not address or address not in {facts.phone, facts.address_of(channel)}:
                return standing  # an address the customer no longer has
            return with_address_refused(standing, channel, address, receipt.at)
        case DeliveryStatus.TEMPORARY_FAILURE | DeliveryStatus.UNCLASSIFIED | DeliveryStatus.DELIVERED:
            return with_delivery(standing, record.claim_id, failed=record.state is ContactState.FAILED)
        case _:
            return standing
