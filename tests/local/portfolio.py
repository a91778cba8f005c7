"""Who is in a file of accounts: what the events of a user may speak of."""

import difflib
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from dunning.domain.errors import DunningError
from dunning.services.intake.cells import read_country, read_instalment_no
from dunning.services.intake.phones import PhoneError, normalise_phone
from dunning.services.intake.refusals import CellError
from dunning.services.intake.table import FileForm
from tests.local.payments import AccountsTable

_PLAIN = FileForm()
_NEEDED = frozenset({"customer_id", "account_id", "phone", "country"})


class UnknownError(DunningError):
    """A file of accounts knows nobody, or nothing, of this name or number; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """
    The customers of a file by id, with the numbers of the instalments of their accounts, and who has a phone (E.164).

    `countries` are those in which somebody of the file lives, in upper case.
    """

    name: str
    accounts: Mapping[str, Mapping[str, Collection[int]]]
    owners: Mapping[str, Collection[str]]
    countries: Collection[str]

    def check_customer(self, customer_id: str) -> None:
        """
        Make sure that a customer is in the file.

        Raises:
            UnknownError: nobody is called this.
        """
        if customer_id not in self.accounts:
            raise UnknownError(f"no customer of {self.name} has this id{_near(customer_id, self.accounts)}")

    def check_account(self, customer_id: str, account_id: str) -> None:
        """
        Make sure that an account is the customer's.

        Raises:
            UnknownError: it is not.
        """
        accounts = self.accounts[customer_id]
        if account_id not in accounts:
            raise UnknownError(f"{customer_id} has no such account in {self.name}{_near(account_id, accounts)}")

    def check_instalment(self, customer_id: str, account_id: str, number: int) -> None:
        """
        Make sure that an instalment is one of the account's.

        Raises:
            UnknownError: it is not.
        """
        if number not in self.accounts[customer_id][account_id]:
            raise UnknownError(f"{account_id} has no such instalment in {self.name}, nor by an InstalmentChanged")

    def number(self, written: str) -> str:
        """
        Return a number in E.164, whether it is written so or as people write it where its owner lives.

        Raises:
            UnknownError: nobody of the file has it, or several numbers can be meant.
        """
        countries = [""] if written.strip().startswith("+") else sorted(self.countries)
        found = set()
        for country in countries:
            with suppress(PhoneError):
                found.add(normalise_phone(written, country).e164)
        known = found & self.owners.keys()
        if len(known) == 1:
            return known.pop()
        if known:
            raise UnknownError("is a number of several countries: write it with + and the country's code")
        raise UnknownError(f"no customer of {self.name} has this number; write one of the file, such as +886912345678")


def read_portfolio(body: bytes, name: str, form: FileForm = _PLAIN) -> Portfolio | None:
    """Return who is in a file, `None` if it cannot be told: the intake will refuse that file whole."""
    table = AccountsTable.read(body, form)
    if table is None or not table.columns.keys() >= _NEEDED:
        return None
    accounts: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    owners: defaultdict[str, set[str]] = defaultdict(set)
    countries = set()
    for row in table.rows:
        customer_id, country = table.value(row, "customer_id"), ""
        if not customer_id:
            continue
        with suppress(CellError):
            country = read_country(table.value(row, "country"))
        instalments = accounts[customer_id][table.value(row, "account_id")]
        with suppress(CellError):
            instalments.add(read_instalment_no(table.value(row, "instalment_no")))
        countries.add(country)
        with suppress(PhoneError):
            owners[normalise_phone(table.value(row, "phone"), country).e164].add(customer_id)
    return Portfolio(name, accounts, owners, countries)


def _near(word: str, words: Collection[str]) -> str:
    near = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {near[0]}?" if near else ""
