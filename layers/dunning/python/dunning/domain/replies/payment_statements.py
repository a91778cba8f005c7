"""
Payment statements: what customers say of payments, and which instalments a statement is about.

"I have paid" and "I will pay by Friday" are about what was open when it was said. Payments are heard of late: one that
was made before a reply may be recorded after it. So a payment statement is kept as it was said, and what it is about is
worked out anew whenever something is learnt. The events of a lender and the replies of a customer come to the same in
whatever order they arrive.
"""

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
    """Return the standing with what a customer has just said of a payment, the same however often it arrives."""
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


def _as_said(statement: PaymentStatement) -> tuple[datetime, date, HoldReason]:
    """Tell one from another, and order them: of two with the same, the accounts are of both."""
    return statement.said_at, statement.until, statement.reason


def match_to_instalments(standing: Standing, facts: Facts) -> Standing:
    """
    Return the standing with its payment statements taken for what they are about by all that is known now.

    Of the promises for one instalment the first counts: it buys silence once.
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
    Return the instalments a statement is about: what was due when it was said, or by the day promised; else the next.

    What is due later was not meant: who promises to pay what is late has not promised next month's instalment. One that
    the lender no longer speaks of is still what it was about: mostly it is paid.
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
        for instalment in open_instalments(_as_it_was(account, statement, facts.as_of))
    ]
    by = statement.until if statement.reason is HoldReason.PROMISE else statement.day
    if not gone:
        by = max(by, min((due_on for due_on, _ in was_open), default=by))
    return tuple(sorted([*gone, *(key for due_on, key in was_open if due_on <= by)]))


def _as_it_was(account: Account, statement: PaymentStatement, as_of: datetime | None) -> Account:
    """Return an account as it was when a customer spoke of it, so far as can be known."""

    def then(instalment: Instalment) -> Instalment:
        if instalment.paid_at is not None:
            was_paid_later = instalment.paid_at > statement.said_at
        else:
            # A file does not tell when. It was open if it has been taken for it, and the file is not from before.
            was_known = progress_key(account.account_id, instalment.number) in statement.about
            was_paid_later = instalment.open <= 0 and was_known and (as_of is None or as_of > statement.said_at)
        return (
            replace(instalment, paid=min(0, instalment.amount - 1))
            if was_paid_later and instalment.amount >= 0
            else instalment
        )

    return replace(account, instalments=tuple([then(instalment) for instalment in account.instalments]))
