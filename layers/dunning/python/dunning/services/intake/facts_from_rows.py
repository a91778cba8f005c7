"""Facts from rows: all rows of one customer become facts, if the rows agree with each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter

from dunning.domain.customer.facts import Account, Facts, Hold
from dunning.domain.customer.lender_record import FILE_LAG
from dunning.domain.customer.standing import progress_key
from dunning.domain.texts.masking import account_tail
from dunning.services.intake.refusals import Refusal
from dunning.services.intake.rows import CONSENT_COLUMNS, PERSON_COLUMNS, Fault, Person, Row

_ACCOUNT_COLUMNS = ("account_number", "currency", "product", "pay_account")
_of_account = attrgetter(*_ACCOUNT_COLUMNS)
_by_day = attrgetter("due_on", "number")


def contradictions(rows: Sequence[Row]) -> Iterator[tuple[int, Fault]]:
    """Find the lines that contradict an earlier line of the customer, or repeat an instalment."""
    first_of_account: dict[str, Row] = {}
    seen: set[tuple[str, int]] = set()
    for row in rows:
        first = first_of_account.setdefault(row.account_id, row)
        if row.person is not rows[0].person or _of_account(row) != _of_account(first):
            for column in (
                *_disagreeing(PERSON_COLUMNS, row.person, rows[0].person),
                *_disagreeing(_ACCOUNT_COLUMNS, row, first),
            ):
                yield row.line, Fault(column, Refusal.DISAGREES_WITH_OTHER_ROWS)
        key = row.account_id, row.instalment.number
        if key in seen:
            yield row.line, Fault("instalment_no", Refusal.DUPLICATE_INSTALMENT)
        seen.add(key)


def _disagreeing(columns: Sequence[str], present: object, earlier: object) -> list[str]:
    return [column for column in columns if getattr(present, column) != getattr(earlier, column)]


def facts_from_rows(rows: Sequence[Row], as_of: datetime) -> Facts:
    """Return the facts of rows that agree. The order of the rows makes no difference."""
    first = rows[0]
    person = first.person
    accounts: dict[str, list[Row]] = {}
    for row in rows:
        accounts.setdefault(row.account_id, []).append(row)
    return Facts(
        customer_id=first.customer_id,
        name=person.name,
        phone=person.phone,
        phone_country=person.phone_country,
        country=person.country,
        region=person.region,
        language=person.language,
        time_zone=person.time_zone,
        lender=person.lender,
        consented_at=person.consented_at,
        accounts=tuple(_account(accounts[account_id]) for account_id in sorted(accounts)),
        holds=tuple(sorted({hold for row in rows for hold in row.holds}, key=_by_reason)),
        opted_out=any(row.opted_out for row in rows),
        as_of=as_of,
        # The file may have been written last night.
        paid_as_of=as_of - FILE_LAG,
        email=person.email or None,
        line_user_id=person.line_user_id or None,
        channel_consents=_channel_consents(person),
    )


def days_of_payment(rows: Iterable[Row]) -> Mapping[str, date]:
    """Return the days on which instalments were paid, as far as the rows say, by `progress_key`."""
    return {progress_key(row.account_id, row.instalment.number): row.paid_on for row in rows if row.paid_on is not None}


def _channel_consents(person: Person) -> Mapping[str, datetime] | None:
    consents = {channel.value: getattr(person, column) for column, channel in CONSENT_COLUMNS.items()}
    return {channel: given for channel, given in consents.items() if given is not None} or None


def _account(rows: Sequence[Row]) -> Account:
    first = rows[0]
    return Account(
        account_id=first.account_id,
        tail=account_tail(first.account_number),
        currency=first.currency,
        instalments=tuple(sorted([row.instalment for row in rows], key=_by_day)),
        product=first.product,
        pay_account=first.pay_account,
    )


def _by_reason(hold: Hold) -> tuple[str, date]:
    return hold.reason.value, hold.until or date.max
