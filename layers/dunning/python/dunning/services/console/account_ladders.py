"""What is open of a customer, account by account, and where each account's ladder stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Account, Facts, Instalment, open_instalments
from dunning.domain.customer.standing import Progress, Standing, progress_key
from dunning.domain.decision.decide import ComingStage, coming_stages
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.services.console.shown import AmountShown, StageShown

_A_DAY = timedelta(days=1)
_NEXT_ONES = 2
"""The instalments shown of those that are not due yet; the others are folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentView:
    """
    An open instalment.

    `open` is what is left to pay, `days_overdue` is negative before the due date, and a promise may be broken already.
    """

    number: int
    due_on: date
    days_overdue: int
    amount: AmountShown | None
    open: AmountShown | None
    late_fee: AmountShown | None
    promised_on: date | None
    is_promise_broken: bool


@dataclass(frozen=True, slots=True)
class LadderStep:
    """
    A stage of an account's ladder, and the day from which it is due.

    `done`: a text marked it. `elsewhere`: another system had sent it. `skipped`: it was late, and was left out.
    `next` and `later`: they are to come; of who is stopped, no stage is the next. `no_notice`: it would be the next,
    and needs a written notice that is not on record.
    """

    stage: StageShown
    state: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account with its open instalments, and the ladder of the earliest; `today` is the customer's local day."""

    account_id: str
    tail: str
    product: str
    today: date
    instalments: tuple[InstalmentView, ...]
    ladder: tuple[LadderStep, ...]

    @property
    def near(self) -> tuple[InstalmentView, ...]:
        """The instalments that are overdue, and the next ones."""
        return self.instalments[: self._near_ones]

    @property
    def later(self) -> tuple[InstalmentView, ...]:
        """The instalments after these: two at least, or none."""
        return self.instalments[self._near_ones :]

    @property
    def _near_ones(self) -> int:
        near = sum(each.days_overdue >= 0 for each in self.instalments) + _NEXT_ONES
        return near if len(self.instalments) > near + 1 else len(self.instalments)


def accounts_of(
    facts: Facts,
    standing: Standing,
    rules: Rules | None,
    zones: tuple[ZoneInfo, ...],
    contacts: Sequence[Contact],
    today: date,
    *,
    is_stopped: bool,
    has_amounts: bool,
) -> Iterator[AccountView]:
    """
    Yield the accounts with something open, the most overdue first.

    `contacts` are the texts known: they tell stages that were sent from stages that were left out. Without rules there
    is no ladder.
    """
    coming = coming_stages(facts, standing, rules, zones, today) if rules and zones else {}
    found = [
        (account, still_open)
        for account in facts.accounts
        if (still_open := open_instalments(account, _smallest(rules, account.currency)))
    ]
    for account, still_open in sorted(found, key=lambda each: (each[1][0].due_on, each[0].account_id)):
        ladder = (
            _ladder_steps(account, still_open[0], standing, rules.ladder, coming, contacts, is_stopped=is_stopped)
            if rules and zones
            else ()
        )
        yield AccountView(
            account_id=account.account_id,
            tail=account.tail,
            product=account.product,
            today=today,
            instalments=tuple(
                _instalment_view(account, each, standing, today, has_amounts=has_amounts) for each in still_open
            ),
            ladder=tuple(ladder),
        )


def _smallest(rules: Rules | None, currency: str) -> int:
    return rules.smallest_amounts.get(currency, 1) if rules else 1


def _instalment_view(
    account: Account, instalment: Instalment, standing: Standing, today: date, *, has_amounts: bool
) -> InstalmentView:
    def money(amount: int) -> AmountShown | None:
        return AmountShown(amount, account.currency) if has_amounts and amount else None

    promise = standing.promises.get(progress_key(account.account_id, instalment.number))
    return InstalmentView(
        number=instalment.number,
        due_on=instalment.due_on,
        days_overdue=(today - instalment.due_on).days,
        amount=money(instalment.amount),
        open=money(instalment.open),
        late_fee=money(instalment.late_fee),
        promised_on=promise.on if promise else None,
        is_promise_broken=promise is not None and promise.kept is False,
    )


def _ladder_steps(
    account: Account,
    earliest: Instalment,
    standing: Standing,
    ladder: Sequence[int],
    coming: Mapping[str, ComingStage],
    contacts: Sequence[Contact],
    *,
    is_stopped: bool,
) -> Iterator[LadderStep]:
    progress = standing.progress.get(progress_key(account.account_id, earliest.number))
    following = coming.get(account.account_id)
    for stage in ladder:
        on = earliest.due_on + timedelta(days=stage)
        if following is not None and stage == following.stage:
            state = "no_notice" if following.lacks_notice else "later" if is_stopped else "next"
            yield LadderStep(StageShown(stage), state, max(on, following.on))
        elif following is not None and stage > following.stage:
            yield LadderStep(StageShown(stage), "later", max(on, following.on))
        else:
            yield LadderStep(StageShown(stage), _passed(account, earliest, progress, stage, on, contacts), on)


def _passed(
    account: Account, earliest: Instalment, progress: Progress | None, stage: int, on: date, contacts: Sequence[Contact]
) -> str:
    """Tell how a stage was passed: by a text, by another system's, by chance, or by leaving it out."""
    marking = [contact for contact in contacts if _marks(contact, account.account_id, stage, on)]
    if marking and all(contact.state is ContactState.HELD_OUT for contact in marking):
        return "held_out"
    if marking or (progress is not None and stage == progress.stage):
        return "done"
    if earliest.stage_reached is not None and stage <= earliest.stage_reached:
        return "elsewhere"
    return "skipped"


def _marks(contact: Contact, account_id: str, stage: int, on: date) -> bool:
    """Tell whether a text is of this stage of an account; one before the stage was due is of an earlier instalment."""
    return (
        contact.stage == stage
        and account_id in contact.account_ids
        and contact.at.date() >= on - _A_DAY
        and contact.state is not ContactState.REFUSED
    )
