"""
Facts: everything the lender says about a customer.

Money is integer minor units of a currency, dates are local to the customer, instants are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from dunning.domain.delivery.channels import Channel


class HoldReason(StrEnum):
    """Why a lender wants silence. A word we do not know is honoured as `OTHER`: silence is the safe side."""

    DISPUTE = "dispute"
    HARDSHIP = "hardship"
    PROMISE = "promise"
    MORATORIUM = "moratorium"
    VULNERABLE = "vulnerable"
    DISASTER = "disaster"
    LEGAL = "legal"
    BANKRUPT = "bankrupt"
    DECEASED = "deceased"
    REPRESENTED = "represented"
    WRONG_PERSON = "wrong_person"
    SAYS_PAID = "says_paid"
    COMPLAINT = "complaint"
    QUESTION = "question"
    REFUSAL = "refusal"
    CEASED = "ceased"
    DISTRESS = "distress"
    SUSPICION = "suspicion"
    UNCONFIRMED = "unconfirmed"
    DOUBT = "doubt"
    SHARED_PHONE = "shared_phone"
    NUMBER_REFUSED = "number_refused"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Read what release 0.1 wrote: a call for help is a question now."""
        return cls(cls.QUESTION) if value == "help" else None


FINAL_HOLDS = frozenset(
    {
        HoldReason.BANKRUPT,
        HoldReason.CEASED,
        HoldReason.DECEASED,
        HoldReason.REPRESENTED,
        HoldReason.WRONG_PERSON,
    }
)
"""Holds without an end date. Only a person lifts them."""

EVERY_HOLD = "*"
"""Stands for all reasons in `Facts.released`."""


@dataclass(frozen=True, slots=True)
class Hold:
    """
    A reason to be silent, up to and including the local day `until`; `None` means until the hold is lifted.

    A hold that comes from the customer's reply has the time of the reply in `since`.
    """

    reason: HoldReason
    until: date | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """
    One period of an account.

    Amounts are integers in minor units of the account's currency.
    """

    number: int
    due_on: date
    amount: int
    """The amount to pay for the period. A negative amount is a credit."""
    paid: int = 0
    """The amount paid so far."""
    stage_reached: int | None = None
    """The last stage that another system has already sent for the instalment, as the lender reports it."""
    written_notice_on: date | None = None
    """The day on which the lender issued a written notice of the delay."""
    late_fee: int = 0
    """The part of `amount` that is a late fee: 0 <= late_fee <= amount."""
    paid_at: datetime | None = None
    """
    The time since which `paid` has been paid, by the lender's events.

    A payment that was reversed in between does not count. A change that leaves nothing open counts as a payment.
    """

    @property
    def open(self) -> int:
        """The amount still to pay, in minor units; zero or less means nothing."""
        return self.amount - self.paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    One instalment contract. Only the last digits of its number are kept, because a text never shows more.

    `instalments` are ordered by due date, then number.
    """

    account_id: str
    tail: str
    currency: str
    instalments: tuple[Instalment, ...]
    product: str = ""
    pay_account: str = ""
    """The account or code to which the customer pays for this contract, in full, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A customer as the lender describes the customer: the person, the ways of contact, and the debt."""

    customer_id: str
    """The lender's id of the customer: never personal data, and never with a `#`."""
    name: str
    """The customer's name."""
    phone: str
    """The mobile number, E.164."""
    phone_country: str
    """The country of the number, ISO 3166."""
    country: str
    """The country the customer lives in, ISO 3166. Its law applies."""
    region: str
    """The part of the country the customer lives in, or empty. Some parts have a law of their own."""
    language: str
    """The language of the texts, if the lender's policy has texts in it."""
    time_zone: str
    """An IANA name, or empty if the lender does not know the time zone."""
    lender: str
    """The id of the lender's policy."""
    consented_at: datetime | None
    """The time of the consent to be contacted; `None` if no consent is on record."""
    accounts: tuple[Account, ...]
    """The customer's accounts, whether open or paid."""
    holds: tuple[Hold, ...] = ()
    """The lender's holds. The customer's own holds are in the standing."""
    opted_out: bool = False
    """Whether the lender reports an opt-out."""
    as_of: datetime | None = None
    """The time at which the lender made the snapshot."""
    paid_as_of: datetime | None = None
    """The time up to which the snapshot knows of payments, if it is earlier than `as_of`."""
    released: Mapping[str, datetime] = field(default_factory=dict)
    """The time at which the holds of a reason were lifted, by reason; `EVERY_HOLD` stands for all reasons."""
    not_in_list_since: datetime | None = None
    """The time of the lender's whole list in which the customer is missing. A later file that names them ends it."""
    email: str | None = None
    """The e-mail address in small letters, or `None`."""
    line_user_id: str | None = None
    """The id of the customer with the lender's account on LINE, or `None`."""
    channel_consents: Mapping[str, datetime] | None = None
    """The time of the consent to each channel, by channel; `None` if none is on record for any."""

    def address_of(self, channel: Channel) -> str:
        """Return the number, e-mail address or LINE user id by which a channel reaches the customer, or nothing."""
        match channel:
            case Channel.EMAIL:
                return self.email or ""
            case Channel.LINE:
                return self.line_user_id or ""
            case _:
                return self.phone

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses of the customer: the number, the e-mail address, the LINE user id."""
        return tuple(filter(None, (self.phone, self.email, self.line_user_id)))

    def has_consented_to(self, channel: Channel, at: datetime) -> bool:
        """Tell whether a consent to the channel is on record and holds at a moment."""
        given = self.consent_to(channel)
        return given is not None and given <= at

    def consent_to(self, channel: Channel) -> datetime | None:
        """Return the time of the consent to a channel, which may be to come; `None` if none is on record."""
        return (self.channel_consents or {}).get(channel)

    @property
    def stated_at(self) -> datetime | None:
        """The time of the lender's last file about the customer: one that names them, or a list that lacks them."""
        return max(filter(None, (self.as_of, self.not_in_list_since)), default=None)

    def is_released(self, reason: HoldReason, since: datetime) -> bool:
        """Tell whether a hold placed at `since` has been lifted."""
        return any(
            lifted is not None and lifted >= since
            for lifted in (self.released.get(reason), self.released.get(EVERY_HOLD))
        )


def with_small_rests_settled(facts: Facts, smallest_amounts: Mapping[str, int]) -> Facts:
    """
    Return the facts with every rest below the smallest amount of its currency counted as paid.

    The rest is what is open of an instalment after the account's credits. Each instalment is looked at by itself: small
    rests are never added up. `smallest_amounts` are minor units, by currency.
    """
    if not any(_has_small_rest(account, smallest_amounts.get(account.currency, 1)) for account in facts.accounts):
        return facts
    accounts = []
    for account in facts.accounts:
        smallest = smallest_amounts.get(account.currency, 1)
        settled = [
            replace(each, paid=each.amount) if 0 < each.open < smallest else each for each in account.instalments
        ]
        rests = open_instalments(replace(account, instalments=tuple(settled)))
        small = {each.number: each.open for each in rests if each.open < smallest}
        instalments = [replace(each, paid=each.paid + small.get(each.number, 0)) for each in settled]
        accounts.append(replace(account, instalments=tuple(instalments)))
    return replace(facts, accounts=tuple(accounts))


def _has_small_rest(account: Account, smallest: int) -> bool:
    """Tell whether an instalment may have a small rest: by itself, or after a credit of the account."""
    for instalment in account.instalments:
        rest = instalment.amount - instalment.paid
        if rest < smallest and rest:
            return True
    return False


def open_instalments(account: Account, smallest: int = 1) -> list[Instalment]:
    """
    Return the open instalments of an account, earliest first, after the account's own credits.

    A rest below `smallest`, in minor units, counts as paid (`with_small_rests_settled`).

    An overpaid or negative instalment lessens the earliest open instalments of the same account. So a reminder never
    asks for more than the claim (Taiwan, outsourcing rules art. 14-II-3).
    """
    still_open = []
    credit = 0
    for instalment in account.instalments:
        if instalment.amount - instalment.paid >= smallest:
            still_open.append(instalment)
        elif instalment.paid > instalment.amount:
            credit += instalment.paid - instalment.amount
    if not credit:
        return still_open
    after_credit = []
    for instalment in still_open:
        used = min(credit, instalment.open)
        credit -= used
        if instalment.open - used >= smallest:
            after_credit.append(replace(instalment, paid=instalment.paid + used))
    return after_credit
