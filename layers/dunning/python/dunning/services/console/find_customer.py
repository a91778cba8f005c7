"""Find: a customer by id or by phone number."""

from collections.abc import Sequence
from dataclasses import dataclass

from dunning.ports.customers import CustomerStore, PhoneIndex, StoredCustomer

_LONGEST = 80


@dataclass(frozen=True, slots=True)
class FindView:
    """The ids of the customers found; `was_asked` says whether anything was looked for."""

    customer_ids: tuple[str, ...]
    was_asked: bool


class FindService:
    """
    Finds customers.

    Args:
        customers: all customers.
        phones: who has which number.
        countries: the countries in which a number without a country code may be at home, the likeliest first.
    """

    def __init__(self, customers: CustomerStore, phones: PhoneIndex, countries: Sequence[str]) -> None:
        self._customers = customers
        self._phones = phones
        self._countries = countries

    def find(self, written: str) -> FindView:
        """Return who has the id, or the number in any country that it may be of."""
        if not written.strip() or len(written) > _LONGEST:
            return FindView((), was_asked=bool(written.strip()))
        # What reads cells is imported when somebody is looked for: a cold start for another page is spared.
        from dunning.services.intake.cells import is_id  # noqa: PLC0415

        written = written.strip()
        if is_id(written):
            found = self._customers.load_stored([written])[written]
            if not isinstance(found, StoredCustomer) or found.lender_record.revision:
                return FindView((written,), was_asked=True)
        phones = {phone for country in self._countries if (phone := _e164(written, country))}
        owners = self._phones.customers_with(sorted(phones)) if phones else {}
        return FindView(tuple(sorted({owner for each in owners.values() for owner in each})), was_asked=True)


def _e164(written: str, country: str) -> str:
    from dunning.services.intake.phones import PhoneError, normalise_phone  # noqa: PLC0415

    try:
        return normalise_phone(written, country).e164
    except PhoneError:
        return ""
