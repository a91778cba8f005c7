"""
Facts: what the lender tells us about a customer.

Money is integer minor units of a currency, dates are local to the customer, instants are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum


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
    HELP = "help"
    SHARED_PHONE = "shared_phone"
    NUMBER_REFUSED = "number_refused"
    OTHER = "other"


FINAL_HOLDS = frozenset({HoldReason.BANKRUPT, HoldReason.DECEASED, HoldReason.REPRESENTED, HoldReason.WRONG_PERSON})
"""Holds that no date ends: only a person lifts them."""

EVERY_HOLD = "*"
"""Stands for all reasons where holds are lifted."""


@dataclass(frozen=True, slots=True)
class Hold:
    """
    A reason to be silent, up to and including the local day `until`; `None` means until it is lifted.

    One that comes from the customer says `since` when.
    """

    reason: HoldReason
    until: date | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Instalment:
    """
    One period of an account. `amount` and `paid` are minor units; `amount` may be negative (a credit).

    `stage_reached` is the last stage another system has already sent for it, as the lender reports.
    `written_notice_on` is the day a written notice about its being late was issued. `late_fee` is the part of
    `amount` that is a late fee, in minor units: 0 <= late_fee <= amount. `paid_at` is since when that
    is paid by the lender's events: when it was first said and not taken back since, or when a change left nothing open.
    """

    number: int
    due_on: date
    amount: int
    paid: int = 0
    stage_reached: int | None = None
    written_notice_on: date | None = None
    late_fee: int = 0
    paid_at: datetime | None = None

    @property
    def open(self) -> int:
        """What is still to pay, in minor units; zero or less means nothing."""
        return self.amount - self.paid


@dataclass(frozen=True, slots=True)
class Account:
    """
    One instalment contract. Only the last digits of its number are kept: more is never shown.

    `instalments` are ordered by due date, then number.
    """

    account_id: str
    tail: str
    currency: str
    instalments: tuple[Instalment, ...]
    product: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """
    A customer as the lender describes one: the person, how to reach them, and what they owe.

    `phone` is E.164 and `phone_country` its country; `time_zone` is an IANA name or empty when the
    lender does not know it. `as_of` is the instant at which the lender's snapshot was made, `paid_as_of` up to when
    it knows of payments, if that is earlier. `released` tells since when holds of a reason, or every one, are lifted.
    """

    customer_id: str
    name: str
    phone: str
    phone_country: str
    country: str
    region: str
    language: str
    time_zone: str
    lender: str
    consented_at: datetime | None
    accounts: tuple[Account, ...]
    holds: tuple[Hold, ...] = ()
    opted_out: bool = False
    as_of: datetime | None = None
    paid_as_of: datetime | None = None
    released: Mapping[str, datetime] = field(default_factory=dict)

    def is_released(self, reason: HoldReason, since: datetime) -> bool:
        """Tell whether a hold placed at a moment has been lifted after it."""
        return any(
            lifted is not None and lifted >= since
            for lifted in (self.released.get(reason), self.released.get(EVERY_HOLD))
        )


def open_instalments(account: Account) -> list[Instalment]:
    """
    Return what is open in an account, earliest first, after its own credits.

    Money paid beyond one instalment, or a negative one, lessens the earliest open instalments of the same
    account: a reminder never asks for more than the claim (Taiwan, outsourcing rules art. 14-II-3).
    """
    still_open = []
    credit = 0
    for instalment in account.instalments:
        rest = instalment.amount - instalment.paid
        if rest > 0:
            still_open.append(instalment)
        elif rest:
            credit -= rest
    if not credit:
        return still_open
    after_credit = []
    for instalment in still_open:
        used = min(credit, instalment.open)
        credit -= used
        if used < instalment.open:
            after_credit.append(replace(instalment, paid=instalment.paid + used) if used else instalment)
    return after_credit
