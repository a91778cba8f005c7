"""Find: a customer by id, account, phone number or e-mail address, as people write them and read them out."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dunning.domain.customer.addresses import is_line_user_id, is_mail_address
from dunning.ports.customers import AccountIndex, AddressIndex, CustomerStore, StoredCustomer
from dunning.services.console.shown import SentenceShown

_LONGEST = 80


@dataclass(frozen=True, slots=True)
class FoundView:
    """A customer, and by what they were found."""

    customer_id: str
    by: SentenceShown


@dataclass(frozen=True, slots=True)
class FindView:
    """The customers found, by id; `was_asked` says whether anything was looked for."""

    found: tuple[FoundView, ...]
    was_asked: bool


class FindService:
    """
    Finds customers.

    Args:
        customers: all customers.
        accounts: who has which account.
        phones: who has which number or other address.
        countries: the countries in which a number without a country code may be at home, the likeliest first.
    """

    def __init__(
        self, customers: CustomerStore, accounts: AccountIndex, phones: AddressIndex, countries: Sequence[str]
    ) -> None:
        self._customers = customers
        self._accounts = accounts
        self._phones = phones
        self._countries = countries

    def find(self, written: str) -> FindView:
        """
        Return who has the id, the account, the e-mail address, or the number in any country that it may be of.

        Full-width characters, and spaces and hyphens around and within, are taken as they are meant.
        """
        written = unicodedata.normalize("NFKC", written).strip()
        if not written or len(written) > _LONGEST:
            return FindView((), was_asked=bool(written))
        found: dict[str, SentenceShown] = {}
        for customer_id, by in self._all_found(written):
            found.setdefault(customer_id, by)
        return FindView(tuple(FoundView(each, found[each]) for each in sorted(found)), was_asked=True)

    def _all_found(self, written: str) -> Iterator[tuple[str, SentenceShown]]:
        ids = _ids_written(written)
        stored = self._customers.load_stored(ids) if ids else {}
        for customer_id, customer in stored.items():
            if not isinstance(customer, StoredCustomer) or customer.lender_record.revision:
                yield customer_id, SentenceShown("found_by.customer")
        for account_id in ids:
            for customer_id in self._accounts.customers_of_account(account_id):
                yield customer_id, SentenceShown("found_by.account", {"account": account_id})
        if is_mail_address(written) or is_line_user_id(written):
            for customer_id in self._phones.customers_with([written])[written]:
                yield customer_id, SentenceShown("found_by.address")
            return
        phones = {phone for country in self._countries if (phone := _e164(written, country))}
        owners = self._phones.customers_with(sorted(phones)) if phones else {}
        for customers in owners.values():
            for customer_id in customers:
                yield customer_id, SentenceShown("found_by.phone")


def _ids_written(written: str) -> list[str]:
    """Return what may be meant as an id: as it is written, without spaces, and in capitals."""
    # What reads cells is imported when somebody is looked for: a cold start for another page is spared.
    from dunning.services.intake.cells import is_id  # noqa: PLC0415

    joined = "".join(written.split())
    return [each for each in dict.fromkeys((written, joined, joined.upper())) if is_id(each)]


def _e164(written: str, country: str) -> str:
    from dunning.services.intake.phones import PhoneError, normalise_phone  # noqa: PLC0415

    try:
        return normalise_phone(written, country).e164
    except PhoneError:
        return ""
