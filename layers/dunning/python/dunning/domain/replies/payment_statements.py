"""
Payment statements: the customers' statements of payments, and the instalments that a statement is about.

"I have paid" and "I will pay by Friday" are about the instalments open at the time of the reply. Payments arrive late:
a payment made before a reply may be recorded after it. So a statement is kept as the customer made it, and its
instalments are worked out again whenever facts change. The result does not depend on the order in which the lender's
events and the customer's replies arrive.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from dunning.domain.customer.facts import Account, Facts, HoldReason, Instalment, open_instalments
from dunning.domain.customer.standing import (
    PAYMENT_STATEMENT_LIMIT,
    PaymentStatement,
    PromiseToPay,
    Standing,
    progress_key,
)


def with_payment_statement(standing: Standing, statement: PaymentStatement, facts: Facts) -> Standing:
    """Return the standing with a payment statement. A statement that arrives again changes nothing."""
    statements = {_as_said(known_statement): known_statement for known_statement in standing.payment_statements}
    known = statements.get(_as_said(statement))
    if known:
        statement = replace(known, accounts=tuple(sorted({*known.accounts, *statement.accounts})))
    statements[_as_said(statement)] = statement
    alike = sorted(key for key, known_statement in statements.items() if known_statement.reason is statement.reason)
    for key in alike[:-PAYMENT_STATEMENT_LIMIT]:
        del statements[key]
    return match_to_instalments(
        replace(standing, payment_statements=tuple([statements[key] for key in sorted(statements)])), facts
    )


def without_payment_statements(
    standing: Standing, said_at: datetime, but: Iterable[PaymentStatement], facts: Facts
) -> Standing:
    """Return the standing without the payment statements of one reply, but for those that it is now taken for."""
    still_said = {_as_said(statement) for statement in but}
    kept = tuple(
        [
            statement
            for statement in standing.payment_statements
            if statement.said_at != said_at or _as_said(statement) in still_said
        ]
    )
    if kept == standing.payment_statements:
        return standing
    promises = standing.promises if kept else {}
    return match_to_instalments(replace(standing, payment_statements=kept, promises=promises), facts)


def _as_said(statement: PaymentStatement) -> tuple[datetime, date, HoldReason]:
    """Return the key that tells and orders statements. Two statements with one key are merged, with both's accounts."""
    return statement.said_at, statement.until, statement.reason


def match_to_instalments(standing: Standing, facts: Facts) -> Standing:
    """
    Return the standing with the instalments of each payment statement, by the facts known now.

    Of several promises for one instalment the first counts: a promise buys silence once.
    """
    if not standing.payment_statements:
        return standing
    payment_statements = tuple(
        [replace(statement, about=_about(statement, facts)) for statement in standing.payment_statements]
    )
    promises: dict[str, PromiseToPay] = {}
    for statement in payment_statements:
        for key in statement.about if statement.reason is HoldReason.PROMISE else ():
            known = standing.promises.get(key)
            is_known = known is not None and (known.said_at, known.on) == (statement.said_at, statement.until)
            promises.setdefault(key, known if known and is_known else PromiseToPay(statement.said_at, statement.until))
    return replace(standing, payment_statements=payment_statements, promises=promises)


def _about(statement: PaymentStatement, facts: Facts) -> tuple[str, ...]:
    """
    Return the instalments of a statement: those due at the time of the reply, or by the promised day; else the next.

    Later instalments are not meant: a promise to pay a late instalment is no promise to pay next month's. A statement
    keeps an instalment that the lender no longer names, because that instalment is usually paid.
    """
    stated = {
        progress_key(account.account_id, instalment.number)
        for account in facts.accounts
        for instalment in account.instalments
    }
    gone = [key for key in statement.about if key not in stated]
    was_open = [
        (instalment.due_on, progress_key(account.account_id, instalment.number))
        for account in facts.accounts
        if account.account_id in statement.accounts
        for instalment in _open_then(account, statement, facts.as_of)
    ]
    by = statement.until if statement.reason is HoldReason.PROMISE else statement.day
    if not gone:
        by = max(by, min((due_on for due_on, _ in was_open), default=by))
    return tuple(sorted([*gone, *(key for due_on, key in was_open if due_on <= by)]))


def _open_then(account: Account, statement: PaymentStatement, as_of: datetime | None) -> list[Instalment]:
    """
    Return the instalments of an account that were open at the time of a statement, so far as can be known.

    A file does not say when a payment or a credit was made. An instalment was open then if the statement is already
    taken to be about it, and the file is newer than the statement.
    """
    is_newer = as_of is None or as_of > statement.said_at
    known, others = list[Instalment](), list[Instalment]()
    for instalment in account.instalments:
        if instalment.paid_at is not None:
            was_paid_later = instalment.paid_at > statement.said_at and instalment.amount >= 0
            others.append(replace(instalment, paid=min(0, instalment.amount - 1)) if was_paid_later else instalment)
        elif is_newer and progress_key(account.account_id, instalment.number) in statement.about:
            known.append(instalment)
        else:
            others.append(instalment)
    return [*known, *open_instalments(replace(account, instalments=tuple(others)))]
