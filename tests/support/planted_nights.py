"""Planted nights: months of made-up customers with planted effects and faults, settled by the real nightly run."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.draws import SILENCE, Arm, Draw, Layer, draw_holdout, draws_to_text, epoch_of
from dunning.domain.effect.settling import Asked
from dunning.domain.effect.strategies import strategy_in_force
from dunning.domain.effect.trial_results import TrialResult
from dunning.domain.effect.trials import Trial, draw_in
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.customers import CustomerLook
from dunning.ports.trial_books import RungsOfDay
from dunning.services.steer_trials import SteerService
from tests.support.arms import a_holdout, a_trial
from tests.support.builders import a_customer, a_lender_record, an_account, an_instalment
from tests.support.fakes import FakeTrialControls
from tests.support.trial_fakes import FakeDrawnRungs
from tests.support.trial_nights import LENDER, TrialOffice, a_rung, at_ten

BEGIN = date(2026, 9, 7)
_LADDER = (-3, 0, 3, 7)
_AMOUNT = 100_000
_INSTALMENTS = 5


class RungsByDay(FakeDrawnRungs):
    """Rungs by day alone, for months of them."""

    def __init__(self) -> None:
        super().__init__()
        self.days: dict[date, dict[str, DrawnRung]] = {}

    def rungs_of(self, lender: str, day: date) -> RungsOfDay:
        assert lender == LENDER
        rungs = self.days.get(day, {})
        return RungsOfDay(frozenset(each.send_id for each in rungs.values() if each.draws), tuple(rungs.values()))


@dataclass
class PlantedNights:
    """
    A lender with a holdout, a trial of two wordings and learned hours. Each stage of each due instalment is drawn.

    `pays` is the probability that a customer pays a day, by whether a text came before it. `is_dropped` tells which
    records never come, and their claims with them.
    """

    seed: int
    customers: int = 1_000
    pays: Callable[[bool], float] = lambda is_texted: 0.08  # noqa: ARG005
    is_dropped: Callable[[random.Random, tuple[Draw, ...]], bool] = lambda rng, draws: False  # noqa: ARG005
    signs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The nights on which a sign was seen, by trial and sign."""
    accounts: int = 1
    share: float = 0.2
    """The share of customers who are held out."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        salt = f"salt-{self.seed}-"
        ends = BEGIN + timedelta(days=170)
        self.holdout: Trial = a_holdout(
            self.share, trial_id="quiet", starts_on=BEGIN, ends_on=ends, salt=salt + "quiet", planned_customers=1_000
        )
        self.tone = a_trial(
            Layer.TEXT, (("usual", 0.5), ("kind", 0.5)), trial_id="tone", starts_on=BEGIN, ends_on=ends,
            salt=salt + "tone",
        )  # fmt: skip
        self.hour = a_trial(
            Layer.HOUR, (("10", 0.4), ("12", 0.3), ("18", 0.3)), trial_id="hour", starts_on=BEGIN, ends_on=ends,
            salt=salt + "hour", is_learned=True,
        )  # fmt: skip
        self.controls = FakeTrialControls()
        self.office = TrialOffice(
            trials=(self.holdout, self.tone, self.hour), rungs=RungsByDay(), steering=SteerService(self.controls)
        )
        self.first_due = {
            (number, account): BEGIN + timedelta(days=self.rng.randrange(4, 34))
            for number in range(self.customers)
            for account in range(self.accounts)
        }
        self.paid: dict[tuple[int, int, int], date] = {}
        self.texted: set[tuple[int, int, int]] = set()
        self.punctual = {number for number in range(self.customers) if self.rng.random() < 0.4}

    def _due(self, number: int, account: int, instalment: int) -> date:
        return self.first_due[number, account] + timedelta(days=30 * (instalment - 1))

    def run(self, days: int, *, every: int = 1) -> TrialResult:
        """Play so many days, with a night after every so many of them, and return the result of the holdout."""
        self.office.customers.look_at = self._looks  # type: ignore[method-assign]
        for day in range(days):
            today = BEGIN + timedelta(days=day)
            for number in range(self.customers):
                self._live(number, today)
            if (day + 1) % every:
                continue
            self.office.run(today + timedelta(days=1))
            for (_, trial_id), result in self.office.results.results.items():
                for sign in {each.sign for each in result.signs}:
                    self.signs[trial_id, sign.value] += 1
        return self.office.result("quiet")

    def _live(self, number: int, today: date) -> None:
        for account in range(self.accounts):
            for instalment in range(1, _INSTALMENTS + 1):
                key = number, account, instalment
                stage = (today - self._due(*key)).days
                if not -5 <= stage <= 30 or key in self.paid:
                    continue
                if stage in _LADDER:
                    self._rung(key, stage, today)
                if self.rng.random() < self.pays(key in self.texted):
                    self.paid[key] = today

    def _rung(self, key: tuple[int, int, int], stage: int, today: date) -> None:
        number, account, instalment = key
        customer_id = f"C{number}"
        draws: list[Draw] = []
        segment = "punctual" if number in self.punctual else "unknown"
        control = self.controls.stored_control(LENDER)
        for trial in (self.holdout, self.tone, self.hour):
            weights = None
            strategy = strategy_in_force(control.strategies, today)
            if trial.is_learned and strategy is not None and trial.trial_id in strategy.trials:
                found = strategy.trials[trial.trial_id]
                weights = [Arm(*pair) for pair in zip(found.arms, found.of(segment), strict=True)]
            name = f"{account}.{instalment}"
            draw = (
                draw_holdout(
                    trial.trial_id, trial.salt, trial.share_held_out, customer_id, epoch_of(today, trial.starts_on)
                )
                if trial.layer is Layer.HOLDOUT
                else draw_in(trial, customer_id, today, instalment=name, stage=stage, weights=weights)
            )
            if draw is not None:
                draws.append(draw)
            if draw is not None and draw.arm == SILENCE:
                break
        is_silent = draws[-1].arm == SILENCE
        if not is_silent:
            self.texted.add(key)
        if self.is_dropped(self.rng, tuple(draws)):
            return
        rung = a_rung(
            customer_id, today, None, stage=stage, send_id=f"send-{customer_id}-{account}-{instalment}-{stage}",
            channel="none" if is_silent else "sms", draws=draws_to_text(draws), payer_segment=segment,
            asked=(Asked(f"A-{customer_id}-{account}", instalment, _AMOUNT),),
            parts=0 if is_silent else 1, price_usd_micros=0 if is_silent else 30_000,
        )  # fmt: skip
        rungs = self.office.rungs
        assert isinstance(rungs, RungsByDay)
        rungs.days.setdefault(today, {})[rung.send_id] = rung

    def _looks(
        self, customer_ids: Sequence[str], *, with_standings: bool
    ) -> Mapping[str, CustomerLook | UnreadableRecordError]:
        """Make the records of customers as of tonight: to store all of them each day would take longer."""
        del with_standings
        found: dict[str, CustomerLook | UnreadableRecordError] = {}
        for customer_id in customer_ids:
            number = int(customer_id[1:])
            accounts = [
                an_account(
                    *[
                        replace(
                            an_instalment(
                                self._due(*key).isoformat(), number=key[2], amount=_AMOUNT,
                                paid=_AMOUNT if key in self.paid else 0,
                            ),
                            paid_at=at_ten(self.paid[key]) if key in self.paid else None,
                        )
                        for key in [(number, account, each) for each in range(1, _INSTALMENTS + 1)]
                    ],
                    account_id=f"A-{customer_id}-{account}",
                )
                for account in range(self.accounts)
            ]  # fmt: skip
            record = a_lender_record(a_customer(*accounts, customer_id=customer_id))
            found[customer_id] = CustomerLook(record.snapshot, None, None)
        return found
