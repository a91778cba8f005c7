"""
Reply effects: the changes to a customer's standing that follow from a reply, or from a person's label of it. Pure.

What follows from which intent is in `consequences`. The standing after several replies and labels does not depend on
their order of arrival, or on repeats. Of opt-outs and opt-ins the latest counts, by the time at which the customer
spoke. Holds are kept reply by reply, and the longest silence counts. Of promises for one instalment the first counts.
Payment statements are kept as the customer made them, because their instalments may change (`payment_statements`).
"""

from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason
from dunning.domain.customer.standing import (
    HOLD_LIMIT,
    LABEL_LIMIT,
    PaymentStatement,
    ReplyLabel,
    Standing,
    label_key,
    said_last,
)
from dunning.domain.decision.hours import working_day_after
from dunning.domain.decision.rules import Rules
from dunning.domain.outbound_events import ReviewReason
from dunning.domain.replies.consequences import CONSEQUENCES, Silence
from dunning.domain.replies.intents import Band, ParsedReply, ReplyIntent
from dunning.domain.replies.payment_statements import with_payment_statement, without_payment_statements

_SHORTEST_TAIL = 3
"""The fewest digits that name an account. Fewer digits fit too many accounts."""

_BEFORE_ANY_REPLY = datetime.min.replace(tzinfo=UTC)
"""Orders a hold that comes from no reply, such as that of a restore, before those that do."""


class ReplyLimits(NamedTuple):
    """
    What lender and law say of replies: days of silence, the most days to a promised day, and the end of contact.

    `question_days` and `doubt_days` are working days: `holidays` do not count.
    """

    grace_days: int = 3
    promise_days: int = 14
    question_days: int = 2
    doubt_days: int = 3
    refusal_ends_contact: bool = False
    holidays: Container[date] = frozenset()


def limits_of(rules: Rules) -> ReplyLimits:
    """Return the limits that rules set for replies."""
    return ReplyLimits(
        rules.grace_days,
        rules.promise_days,
        rules.question_days,
        rules.doubt_days,
        rules.refusal_ends_contact,
        rules.holidays,
    )


class ReplyEffect(NamedTuple):
    """
    The standing after a reply, and the reasons for a review. The caller raises the version.

    `in_doubt` says that the reply was not understood: the reminders are silent until a person could have read it.
    """

    standing: Standing
    needs: tuple[ReviewReason, ...] = ()
    in_doubt: bool = False


class _SpokenReply(NamedTuple):
    """A reading, and when and under which limits it was written."""

    parsed: ParsedReply
    said_at: datetime
    day: date
    limits: ReplyLimits

    @property
    def grace(self) -> date:
        return self.day + timedelta(days=self.limits.grace_days)

    def after_working_days(self, count: int) -> date:
        return working_day_after(self.day, count, self.limits.holidays)

    @property
    def certain_day(self) -> date | None:
        """The promised day, unless the reply names none, a past day, or a day too far off."""
        on, most = self.parsed.promised_on, timedelta(days=self.limits.promise_days)
        return on if on is not None and self.day <= on <= self.day + most else None


def apply_reply(
    facts: Facts, standing: Standing, parsed: ParsedReply, said_at: datetime, local_day: date, limits: ReplyLimits
) -> ReplyEffect:
    """
    Return the effect of a reply.

    Of a reply that a person has labelled only opt-outs and opt-ins still count: all else follows from the label.

    Args:
        facts: the customer's facts as they are known now.
        standing: the standing before the reply.
        parsed: the reading of the reply.
        said_at: the time of the reply, an aware UTC instant, the same at each delivery.
        local_day: the day of the reply where the customer lives.
        limits: the limits of lender and law.
    """
    if label_key(said_at) in standing.reply_labels:
        return ReplyEffect(_with_opt_outs_and_ins(facts, standing, parsed.sure, parsed.digits, said_at))
    if parsed.is_surely_quiet:
        return ReplyEffect(standing)
    reply = _SpokenReply(parsed, said_at, local_day, limits)
    standing, needs = _follow(facts, standing, reply)
    in_doubt = is_not_understood(parsed)
    if in_doubt:
        until = reply.after_working_days(limits.doubt_days)
        standing = with_hold(standing, Hold(HoldReason.DOUBT, until, said_at))
    return ReplyEffect(standing, needs, in_doubt)


def is_not_understood(parsed: ParsedReply) -> bool:
    """
    Tell whether a reply is in doubt: something is not sure, or nothing that it surely says buys silence.

    A reply that surely opts in, and says nothing else, is understood, and buys none.
    """
    if parsed.is_surely_quiet:
        return False
    silences = {CONSEQUENCES[intent].sure.silence for intent in parsed.sure}
    if silences <= {Silence.NOTHING_CHANGES, Silence.OPTED_IN}:
        return parsed.is_in_doubt or parsed.sure != (ReplyIntent.OPT_IN,)
    return parsed.is_in_doubt or Silence.DOUBT_DAYS in silences


def apply_label(
    facts: Facts,
    standing: Standing,
    label: ReplyLabel,
    digits: str,
    said_at: datetime,
    local_day: date,
    limits: ReplyLimits,
) -> ReplyEffect:
    """
    Return the effect of a person's label of a reply: the person has looked, and says what it means.

    All that our reading of the reply has led to ends, and the label acts as if it had surely been read when the
    customer wrote. Nobody is called: a person has just looked. An opt-out stays, whoever heard it: the customer takes
    it back. An opt-in that a person does not find in the reply no longer counts.

    `digits` are the last digits of an account that the reply names.
    """
    intents = tuple([intent for intent in ReplyIntent if intent in label.intents])
    standing = _with_opt_outs_and_ins(facts, standing, intents, digits, said_at)
    if not label.is_newer_than(standing.reply_labels.get(label_key(said_at))):
        return ReplyEffect(standing)
    labels = {**standing.reply_labels, label_key(said_at): label}
    for key in sorted(labels)[:-LABEL_LIMIT]:
        del labels[key]
    holds = tuple([hold for hold in standing.holds if hold.since != said_at])
    meant = tuple([intent for intent in intents if intent is not ReplyIntent.CHAT])
    reply = _SpokenReply(ParsedReply(meant, label.promised_on, digits), said_at, local_day, limits)
    alone, _ = _follow(facts, Standing(customer_id=facts.customer_id), reply)
    standing = without_payment_statements(
        replace(standing, holds=holds, reply_labels=labels), said_at, alone.payment_statements, facts
    )
    standing, _ = _follow(facts, standing, reply)
    return ReplyEffect(standing)


def _with_opt_outs_and_ins(
    facts: Facts, standing: Standing, intents: Container[ReplyIntent], digits: str, said_at: datetime
) -> Standing:
    if ReplyIntent.OPT_OUT in intents:
        standing = _opted_out(facts, standing, digits, said_at)
    if ReplyIntent.OPT_IN in intents:
        standing = _opted_in(standing, said_at)
    return standing


def _follow(facts: Facts, standing: Standing, reply: _SpokenReply) -> tuple[Standing, tuple[ReviewReason, ...]]:
    """Return the standing after all that surely or likely is in a reply, and why a person has to look."""
    parsed, said_at, limits = reply.parsed, reply.said_at, reply.limits
    needs: dict[ReviewReason, None] = {}
    for intent, row in CONSEQUENCES.items():
        consequence = row.of(parsed.band(intent))
        until: date | None = None
        hold = consequence.hold
        match consequence.silence:
            case Silence.OPTED_OUT:
                standing = _opted_out(facts, standing, parsed.digits, said_at)
            case Silence.OPTED_IN:
                standing = _opted_in(standing, said_at)
            case Silence.UNTIL_PAID:
                standing = _says_paid(facts, standing, reply)
            case Silence.UNTIL_PROMISED_DAY:
                standing, why = _promised(facts, standing, reply)
                needs |= dict.fromkeys(why)
            case Silence.CONTACT_ENDS_BY_LAW if limits.refusal_ends_contact:
                hold = HoldReason.CEASED
            case Silence.QUESTION_DAYS:
                until = reply.after_working_days(limits.question_days)
            case Silence.DOUBT_DAYS:
                until = reply.after_working_days(limits.doubt_days)
            case _:
                pass  # the hold says it all, if there is one
        if hold is not None:
            standing = with_hold(standing, Hold(hold, until, said_at))
        if consequence.review is not None:
            needs[consequence.review] = None
    return standing, tuple(needs)


def with_hold(standing: Standing, hold: Hold) -> Standing:
    """
    Return the standing with a hold of the customer's.

    Holds of several replies stand side by side, even for one reason: a person may lift the hold of one reply. Of two
    holds of one reply for one reason the longer stays.
    """
    longest: dict[tuple[str, datetime], Hold] = {}
    for other in (*standing.holds, hold):
        key = _hold_order(other)
        longest[key] = max(longest.get(key, other), other, key=_last_silent_day)
    kept: list[Hold] = []
    for _, alike in groupby(sorted(longest), key=lambda key: key[0]):
        kept += [longest[key] for key in list(alike)[-HOLD_LIMIT:]]
    return replace(standing, holds=tuple(kept))


def _hold_order(hold: Hold) -> tuple[str, datetime]:
    return hold.reason.value, hold.since or _BEFORE_ANY_REPLY


def _last_silent_day(hold: Hold) -> date:
    return hold.until or date.max


def _opted_out(facts: Facts, standing: Standing, digits: str, said_at: datetime) -> Standing:
    """Opt out of everything, or of the one account whose last digits the reply names."""
    account = _account_named(facts.accounts, digits)
    if account is None:
        return replace(standing, opted_out_at=said_last(standing.opted_out_at, said_at))
    known = standing.opted_out_accounts
    latest = said_last(known.get(account.account_id), said_at)
    return replace(standing, opted_out_accounts={**known, account.account_id: latest})


def _opted_in(standing: Standing, said_at: datetime) -> Standing:
    return replace(standing, opted_in_at=said_last(standing.opted_in_at, said_at))


def _account_named(accounts: Iterable[Account], digits: str) -> Account | None:
    """Return the account with these last digits; `None` if no account has them, or several do."""
    fitting = [account for account in accounts if _fits(account.tail, digits)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(tail: str, digits: str) -> bool:
    shorter, longer = sorted((tail, digits), key=len)
    return len(shorter) >= _SHORTEST_TAIL and longer.endswith(shorter)


def _spoken_of(facts: Facts, digits: str) -> tuple[str, ...]:
    """Return the accounts of a reply about money: the account it names, or all accounts."""
    named = _account_named(facts.accounts, digits)
    return (named.account_id,) if named else tuple(sorted(account.account_id for account in facts.accounts))


def _says_paid(facts: Facts, standing: Standing, reply: _SpokenReply) -> Standing:
    return with_payment_statement(
        standing,
        PaymentStatement(
            reason=HoldReason.SAYS_PAID,
            said_at=reply.said_at,
            day=reply.day,
            until=reply.grace,
            accounts=_spoken_of(facts, reply.parsed.digits),
        ),
        facts,
    )


def _promised(facts: Facts, standing: Standing, reply: _SpokenReply) -> tuple[Standing, tuple[ReviewReason, ...]]:
    """
    Record a promise, unless it is not certain what is promised. Then a person asks, and the customer gets no texts.

    Whether a customer has paid or will pay makes all the difference: if both are heard, both have to be sure.
    """
    on, said_at = reply.certain_day, reply.said_at
    readable_until = reply.after_working_days(reply.limits.question_days)
    if on is None or _is_paid_or_promised(reply.parsed):
        until = max(reply.grace, readable_until)
        return with_hold(standing, Hold(HoldReason.QUESTION, until, said_at)), (ReviewReason.PROMISE_UNCLEAR,)
    after = with_payment_statement(
        standing,
        PaymentStatement(
            reason=HoldReason.PROMISE,
            said_at=said_at,
            day=reply.day,
            until=on,
            accounts=_spoken_of(facts, reply.parsed.digits),
            silent_until=min(on, readable_until),
        ),
        facts,
    )
    promises = [promise for promise in after.payment_statements if promise.reason is HoldReason.PROMISE]
    about = {key for promise in promises if promise.said_at == said_at for key in promise.about}
    again = any(promise.said_at != said_at and not about.isdisjoint(promise.about) for promise in promises)
    return after, (ReviewReason.PROMISED_BEFORE,) if again else ()


def _is_paid_or_promised(parsed: ParsedReply) -> bool:
    """Tell whether a reply may speak of a payment made or of a payment to come, and it is not sure that of both."""
    bands = {parsed.band(ReplyIntent.PAID), parsed.band(ReplyIntent.PROMISE)}
    return Band.DOUBT not in bands and Band.LIKELY in bands
