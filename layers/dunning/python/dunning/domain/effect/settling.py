"""
Settling: what came of a draw after its days, from the facts as they stand on a night.

A rung is cured if everything that it asked for is paid by the end of the last of its days where the customer lives.
Whom the trial drew stays in it, whatever happens (intention to treat): on hold, opted out, bankrupt or deceased. Only
who was erased leaves. What cannot be read is lost, and is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.customer.facts import Facts, HoldReason, Instalment, open_instalments
from dunning.domain.customer.standing import Standing, progress_key
from dunning.domain.effect.draws import Draw

REOPENED_DAYS = 2
"""The days after the last day of a spell for which late news may still change its outcome."""


class Asked(NamedTuple):
    """An instalment that a rung asked for, and what was open of it then, in minor units."""

    account_id: str
    number: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """The time from a customer's first draw at a rung to the night of its outcome."""

    customer_id: str
    send_id: str
    draws: tuple[Draw, ...]
    """The draws of all layers."""
    drawn_at: datetime
    """The moment of the claim."""
    drawn_on: date
    """The local day of the claim."""
    stage: int
    goal_days: int
    asked: tuple[Asked, ...]
    """What the rung asked for: all instalments that its text names, or would have named."""
    payer_segment: str
    place: str
    channel: str
    """The way of contact; `none` for a rung that was held out."""
    parts: int = 0
    price_usd_micros: int = 0
    further_texts: int = 0
    """The texts beside the first whose parts and price are in it; no book has them."""

    def __post_init__(self) -> None:
        """Refuse a spell that nothing can cure."""
        if not self.asked:
            raise ValueError(f"spell {self.send_id}: asked is empty; name the instalments that the rung asked for")


class OutcomeState(StrEnum):
    """What is known of a spell."""

    RUNNING = "running"
    """Its days are not over."""
    SETTLED = "settled"
    LOST = "lost"
    """The customer or an instalment that was asked for cannot be read, or is gone from the lender's data."""
    ERASED = "erased"
    """The customer was erased, and leaves the trial."""


class SideEffects(NamedTuple):
    """What a customer did within the days of a spell, other than pay."""

    opted_out: bool = False
    complained: bool = False
    wrong_person: bool = False
    hardship: bool = False
    promised: bool = False
    promise_broken: bool = False


NO_SIDE_EFFECTS = SideEffects()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpellOutcome:
    """What came of a spell: the goal, and beside it what a text may bring about instead."""

    state: OutcomeState
    cured: bool = False
    days: int | None = None
    """The days from the draw to the last payment, if its day is known."""
    paid_in_part: bool = False
    """Whether something was paid of what was asked for, but not everything."""
    side_effects: SideEffects = NO_SIDE_EFFECTS
    next_late: bool | None = None
    """Whether the next instalment of an account was late; `None` while it is not known."""


def last_day(spell: Spell) -> date:
    """Return the last local day on which a payment makes a cure."""
    return spell.drawn_on + timedelta(days=spell.goal_days)


def settle_spell(
    spell: Spell,
    facts: Facts | None,
    standing: Standing | None,
    *,
    ends_at: datetime,
    night: datetime,
    is_erased: bool = False,
    before: SpellOutcome | None = None,
    smallest_amounts: Mapping[str, int] | None = None,
) -> SpellOutcome:
    """
    Return the outcome of a spell as of a night.

    `ends_at` is the end of its last day where the customer lives, an instant (so that a day on which clocks change has
    its own length). `facts` are `None` if they cannot be read. `before` is the outcome of an earlier night: it decides
    about payments whose time the lender does not say, because only the first night sees what was paid by then. A
    payment that was reversed since is none. The same night gives the same outcome, however often it is run.
    """
    if is_erased:
        return SpellOutcome(state=OutcomeState.ERASED)
    if night < ends_at:
        return SpellOutcome(state=OutcomeState.RUNNING)
    rests = None if facts is None else _rests_of(spell, facts, smallest_amounts or {})
    if facts is None or rests is None:
        return before or SpellOutcome(state=OutcomeState.LOST)
    was_cured = before.cured if before is not None and before.state is OutcomeState.SETTLED else None
    is_first = was_cured is None and night < ends_at + timedelta(days=1)
    cured = all(_is_paid_by(each, ends_at, facts, is_cure=is_first or bool(was_cured)) for each in rests)
    known = [each.paid_at for each in rests if each.paid_at is not None]
    days = max(0, (max(known) - spell.drawn_at).days) if len(known) == len(rests) else None
    now_open = sum(max(0, each.open) for each in rests)
    return SpellOutcome(
        state=OutcomeState.SETTLED,
        cured=cured,
        days=days if cured else None,
        paid_in_part=not cured and now_open < sum(each.open for each in spell.asked),
        next_late=before.next_late if before is not None else None,
        side_effects=side_effects_of(spell, standing, ends_at) if standing is not None else NO_SIDE_EFFECTS,
    )


class _Rest(NamedTuple):
    open: int
    paid_at: datetime | None


def _rests_of(spell: Spell, facts: Facts, smallest_amounts: Mapping[str, int]) -> list[_Rest] | None:
    """Return what is left of everything that was asked for, after credits; `None` if a part of it is gone."""
    accounts = {account.account_id: account for account in facts.accounts}
    rests = []
    for asked in spell.asked:
        account = accounts.get(asked.account_id)
        if account is None:
            return None
        known = {each.number: each.paid_at for each in account.instalments}
        if asked.number not in known:
            return None
        still_open = open_instalments(account, smallest_amounts.get(account.currency, 1))
        left = {each.number: each.open for each in still_open}
        rests.append(_Rest(left.get(asked.number, 0), known[asked.number]))
    return rests


def _is_paid_by(rest: _Rest, ends_at: datetime, facts: Facts, *, is_cure: bool) -> bool:
    """
    Tell whether an instalment was paid in time.

    A payment whose time is known counts by its time. One of which only a file tells counts if the file knows of
    payments up to a moment in time, or if the first night saw it.
    """
    if rest.open > 0:
        return False
    if rest.paid_at is not None:
        return rest.paid_at < ends_at
    known_up_to = facts.paid_as_of or facts.as_of
    return is_cure or (known_up_to is not None and known_up_to <= ends_at)


def side_effects_of(spell: Spell, standing: Standing, ends_at: datetime) -> SideEffects:
    """Return what the customer did from the draw on and before the end of the last day, other than pay."""

    def within(at: datetime | None) -> bool:
        return at is not None and spell.drawn_at <= at < ends_at

    holds = {hold.reason for hold in standing.holds if within(hold.since)}
    promises = [promise for promise in standing.promises.values() if within(promise.said_at)]
    statements = [each for each in standing.payment_statements if within(each.said_at)]
    return SideEffects(
        opted_out=within(standing.opted_out_at) or any(within(at) for at in standing.opted_out_accounts.values()),
        complained=HoldReason.COMPLAINT in holds,
        wrong_person=HoldReason.WRONG_PERSON in holds,
        hardship=HoldReason.HARDSHIP in holds,
        promised=bool(promises) or any(each.reason is HoldReason.PROMISE for each in statements),
        promise_broken=any(promise.kept is False for promise in promises),
    )


def next_instalment_was_late(spell: Spell, facts: Facts, today: date, paid_on: Mapping[str, date]) -> bool | None:
    """
    Tell whether the instalment after those that were asked for was late; `None` while it is not known.

    Who was moved to pay at once may lack the money a month later: then a lift is bought with the next instalment.
    `paid_on` are local days of payment by `progress_key`, where they are known. `today` is a local day.
    """
    answers = []
    for account in facts.accounts:
        numbers = [asked.number for asked in spell.asked if asked.account_id == account.account_id]
        following = _following(account.instalments, numbers)
        if following is None or following.due_on <= spell.drawn_on:
            continue
        if following.due_on >= today:
            return None
        day = paid_on.get(progress_key(account.account_id, following.number))
        if following.open > 0 or day is not None:
            answers.append(following.open > 0 if day is None else day > following.due_on)
    return any(answers) if answers else None


def _following(instalments: tuple[Instalment, ...], numbers: list[int]) -> Instalment | None:
    positions = [index for index, each in enumerate(instalments) if each.number in numbers]
    return instalments[positions[-1] + 1] if positions and positions[-1] + 1 < len(instalments) else None
