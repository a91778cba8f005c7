"""
What if: plays customers from wake to wake under a policy, by the decisions that are made in earnest. Nothing is sent.

A customer is planned, judged at the tick after each wake, and claimed and planned again after each text, as the senders
do. Customers depend on nobody else, so that each is played to the end before the next. What is not played: the pace of
the senders (texts leave within seconds of their tick), gateways that fail, and people who write back.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from dunning.domain.customer.facts import Account, Facts
from dunning.domain.customer.standing import Standing, Wake
from dunning.domain.decision.decide import decide, zones_of
from dunning.domain.decision.decisions import Decision, Reminder, Send, Stop, Wait, trace_of
from dunning.domain.decision.reviews import announce, reviews_of
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.courses import (
    AssumedPayment,
    Course,
    CourseText,
    DifferingCustomer,
    PolicyComparison,
    TracedDecision,
)
from dunning.domain.errors import DunningError
from dunning.domain.replies.payment_statements import match_to_instalments
from dunning.services.planning import counted, plan, promises_settled, wake_after, wake_for_promises
from dunning.services.send.claims import PricedPolicies, with_reminder_claimed

_TICK = timedelta(minutes=1)
"""Between two starts of the scanner, at whole minutes: a customer is judged at the first one from the wake on."""

_CLAIM = "what-if"


class PlayedUnder(NamedTuple):
    """The policies under which customers are played, from an instant to another."""

    policies: PricedPolicies
    begin: datetime
    end: datetime


class CustomerAtStart(NamedTuple):
    """A customer as the comparison begins. Whoever has not been planned yet has a standing without a wake."""

    facts: Facts
    standing: Standing


def course_of(
    customer: CustomerAtStart, payments: Sequence[AssumedPayment], under: PlayedUnder, *, traced: bool = False
) -> Course:
    """
    Return what would happen to a customer.

    Args:
        customer: as the comparison begins; planned anew then, as `make replan` does after a change.
        payments: what the customer pays meanwhile, earliest first.
        under: the policies, and the time.
        traced: whether to keep all decisions with their traces.
    """
    return _Play(customer, under, traced=traced).to_the_end(payments)


def compare(
    customers: Iterable[CustomerAtStart],
    payments_of: Callable[[Facts], Sequence[AssumedPayment]],
    today: PlayedUnder,
    changed: PlayedUnder,
    on_customer: Callable[[Course, Course], None] = lambda *_: None,
    is_as_today: Callable[[Facts], bool] = lambda _: False,
) -> PolicyComparison:
    """
    Play customers under two policies, with the same payments, and return how the policies compare.

    Args:
        customers: who is played.
        payments_of: what a customer pays meanwhile; asked once for each.
        today: the policy of today.
        changed: the other.
        on_customer: is told both courses of each customer.
        is_as_today: tells whether nothing has changed for a customer, who is then played once.
    """
    comparison = PolicyComparison()
    for customer in customers:
        payments = payments_of(customer.facts)
        before = course_of(customer, payments, today)
        after = before if is_as_today(customer.facts) else course_of(customer, payments, changed)
        comparison.add(before, after, lambda: DifferingCustomer(*customer, payments))  # noqa: B023 - called at once
        on_customer(before, after)
    return comparison


class _Play:
    """One customer under one policy."""

    __slots__ = ("_course", "_facts", "_standing", "_traced", "_under", "_wake")

    def __init__(self, customer: CustomerAtStart, under: PlayedUnder, *, traced: bool) -> None:
        self._facts, self._standing = customer
        self._under = under
        self._traced = traced
        self._wake: Wake | None = None
        self._course = Course(customer_id=self._facts.customer_id)

    def to_the_end(self, payments: Sequence[AssumedPayment]) -> Course:
        """Play the customer, and return the course."""
        end = self._under.end
        now = self._under.begin
        self._plan(now)
        self._course.handed_over = [review.value for review in reviews_of(self._standing.announced)]
        paid = 0
        ticked_at: datetime | None = None
        while True:
            tick = None if self._wake is None else _tick_from(max(self._wake.at, now))
            if tick is not None and tick == ticked_at:
                tick += _TICK
            if paid < len(payments) and (tick is None or payments[paid].at <= tick):
                payment = payments[paid]
                paid += 1
                now = max(now, payment.at)
                if now >= end:
                    break
                self._pay(payment)
                self._plan(now)
                continue
            if tick is None or tick >= end:
                break
            now = ticked_at = tick
            self._judge(now)
        return self._course

    def _pay(self, payment: AssumedPayment) -> None:
        self._facts = replace(
            self._facts, accounts=tuple([_with_payment(account, payment) for account in self._facts.accounts])
        )

    def _plan(self, now: datetime) -> None:
        """Plan the customer, as after each statement of the lender."""
        standing = self._standing
        if standing.payment_statements:
            standing = match_to_instalments(standing, counted(self._facts, self._under.policies, now))
        self._settle(standing, now)
        following = plan(self._facts, self._standing, self._under.policies, now)
        self._wake = following.wake
        self._note(following.decision, now)

    def _settle(self, standing: Standing, now: datetime) -> None:
        """Judge the promises of those few who have made any."""
        self._standing = standing
        if standing.promises:
            self._standing = promises_settled(self._facts, standing, self._under.policies, now).standing

    def _judge(self, now: datetime) -> None:
        """Decide at a tick, and send, or leave the wake that follows."""
        policies, facts = self._under.policies, self._facts
        decision = decide(facts, self._standing, policies, now)
        if self._standing.promises:
            self._settle(self._standing, now)
        if not isinstance(decision, Send):
            self._wake = wake_for_promises(wake_after(decision), facts, self._standing, policies, now)
            self._note(decision, now)
            return
        rules = policies.rules_for(facts, now)
        if not isinstance(rules, Rules):  # a decision to send has just been made with these rules
            raise DunningError(rules.value)
        reminder = decision.reminder
        if reminder.is_held_out:
            self._course.waits[decision.reason.value] += 1
        else:
            self._course.texts.append(self._text(reminder, rules, now))
        if self._traced:
            self._trace(decision, now)
        for_wake = self._wake.at if self._wake else now
        self._standing = with_reminder_claimed(self._standing, facts, reminder, rules, now, for_wake, _CLAIM)
        following = plan(facts, self._standing, policies, now)
        self._wake = following.wake
        self._note(following.decision, now)

    def _text(self, reminder: Reminder, rules: Rules, now: datetime) -> CourseText:
        facts = self._facts
        price = self._under.policies.price(facts.phone_country, reminder.parts, Channel(reminder.channel))
        return CourseText(
            now,
            now.astimezone(zones_of(facts.time_zone, rules, now)[0]),
            reminder.stage,
            reminder.channel,
            reminder.template,
            reminder.encoding,
            reminder.parts,
            price,
            rules.jurisdiction,
            reminder.text,
        )

    def _note(self, decision: Decision, now: datetime) -> None:
        """Take down a decision not to send; a decision to send counts when its tick has come."""
        course = self._course
        if isinstance(decision, Wait):
            course.waits[decision.reason.value] += 1
            for gate in decision.gates:  # each reason once
                if gate.cap is not None:
                    course.caps[f"{gate.reason.value}: {gate.cap}"] += 1
        before = self._standing.announced
        if before or decision.lacking_notice or decision.finished or isinstance(decision, Stop):  # else nearly always
            announced = announce(before, decision)
            if announced.stops != before:
                self._standing = replace(self._standing, announced=announced.stops)
            for review in announced.new:
                if review.value not in course.handed_over:
                    course.handed_over.append(review.value)
        course.ended = decision.reason.value
        if self._traced and not isinstance(decision, Send):
            self._trace(decision, now)

    def _trace(self, decision: Decision, now: datetime) -> None:
        self._course.traces.append(TracedDecision(now, decision.reason.value, tuple(trace_of(decision))))


def _tick_from(moment: datetime) -> datetime:
    """Return the first tick from a moment on."""
    if not moment.second and not moment.microsecond:
        return moment
    return moment.replace(second=0, microsecond=0) + _TICK


def _with_payment(account: Account, payment: AssumedPayment) -> Account:
    if account.account_id != payment.account_id:
        return account
    return replace(
        account,
        instalments=tuple(
            [
                replace(each, paid=payment.paid, paid_at=payment.at) if each.number == payment.number else each
                for each in account.instalments
            ]
        ),
    )
