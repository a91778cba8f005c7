"""Trial nights: a lender's customers, what they drew, and the nightly run over them, all in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.rules import Policies
from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.draws import SILENCE, Draw, Layer, draw_holdout, draws_to_text
from dunning.domain.effect.settling import Asked
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_results import SignSeen, TrialResult
from dunning.domain.effect.trials import Trial
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.customers import CustomerLook
from dunning.ports.trial_nights import DrawClaim, RungRun, TrialSteering
from dunning.services.settle_trials import Shelf, TrialNightService
from tests.support.arms import a_holdout
from tests.support.builders import a_customer, a_lender_record, an_account, an_instalment, the_policies
from tests.support.fakes import FakeClock, FakeCustomers, FakeTelemetry
from tests.support.lively_trials import KeptInMemory
from tests.support.trial_fakes import FakeDrawnRungs, FakeSteering, FakeTrialBooks, FakeTrialResults

LENDER = "demo-tw"
TAIPEI = ZoneInfo("Asia/Taipei")
FIRST = date(2026, 12, 1)
AMOUNT = 325_000
PLENTY: Callable[[], float] = lambda: 900.0  # noqa: E731 - a constant


def night_of(day: date) -> datetime:
    """Return the moment of the run on a local day: half past four in Taipei."""
    return datetime.combine(day, time(4, 30), TAIPEI).astimezone(UTC)


def at_ten(day: date) -> datetime:
    """Return ten in the morning of a local day in Taipei."""
    return datetime.combine(day, time(10), TAIPEI).astimezone(UTC)


def the_holdout(share: float = 0.2, **changes: object) -> Trial:
    """Describe a holdout whose silence lasts from September on."""
    return replace(a_holdout(share), trial_id="quiet", planned_customers=2_000, **changes)  # type: ignore[arg-type]


class WatchedCustomers(FakeCustomers):
    """Customers who remember which of them a night has looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at: list[str] = []

    def look_at(
        self, customer_ids: Sequence[str], *, with_standings: bool
    ) -> Mapping[str, CustomerLook | UnreadableRecordError]:
        self.looked_at += customer_ids
        return super().look_at(customer_ids, with_standings=with_standings)


@dataclass
class TrialOffice:
    """What the nightly run reads and writes, and a hand that lets things happen."""

    trials: Sequence[Trial] = field(default_factory=lambda: (the_holdout(),))
    customers: WatchedCustomers = field(default_factory=WatchedCustomers)
    rungs: FakeDrawnRungs = field(default_factory=FakeDrawnRungs)
    books: FakeTrialBooks = field(default_factory=FakeTrialBooks)
    results: FakeTrialResults = field(default_factory=FakeTrialResults)
    comparisons: KeptInMemory = field(default_factory=KeptInMemory)
    steering: TrialSteering = field(default_factory=FakeSteering)
    clock: FakeClock = field(default_factory=FakeClock)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    policies: Policies = field(default_factory=the_policies)
    zone: ZoneInfo = TAIPEI
    lenders: Sequence[str] = (LENDER,)
    runs: int = 0

    @property
    def shelf(self) -> Shelf:
        return Shelf(
            rungs=self.rungs,
            removal=self.rungs,
            books=self.books,
            known_books=self.books,
            results=self.results,
            keeper=self.results,
            nights=self.results,
            customers=self.customers,
            comparisons=self.comparisons,
        )

    @property
    def service(self) -> TrialNightService:
        return TrialNightService(
            shelf=self.shelf,
            steering=self.steering,
            policies=self.policies,
            lenders=self.lenders,
            trials_of=lambda _: self.trials,
            zone_of=lambda _: self.zone,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def run(self, day: date, seconds_left: Callable[[], float] = PLENTY) -> bool:
        """Run the night of a local day."""
        self.clock.move_to(night_of(day))
        return self.service.run_all(seconds_left)

    def customer(self, customer_id: str, *, paid_at: datetime | None = None, due: str = "2026-12-01") -> Facts:
        """Store a customer with one instalment, paid or not."""
        instalment = replace(an_instalment(due, paid=AMOUNT if paid_at else 0), paid_at=paid_at)
        facts = a_customer(an_account(instalment, account_id=f"A-{customer_id}"), customer_id=customer_id)
        self.customers.lender_records[customer_id] = a_lender_record(facts)
        return facts

    def keep(self, rung: DrawnRung, *, is_claimed: bool = True, lender: str = LENDER) -> DrawnRung:
        """Put a rung on record, and the claim that drew it."""
        self.runs += 1
        claims = [DrawClaim(rung.customer_id, rung.send_id, f"claim-{rung.send_id}", rung.at)]
        self.rungs.keep_rungs(
            RungRun(
                lender=lender,
                day=rung.at.astimezone(self.zone).date(),
                shard="shard",
                first=self.runs,
                last=self.runs,
                as_of=rung.at,
                rungs=[rung],
                claims=claims if rung.draws and is_claimed else [],
            )
        )
        return rung

    def drawn(self, customer_id: str, on: date, *, stage: int = 0, arm: str = "", **changes: object) -> DrawnRung:
        """Let a customer draw in the holdout, or give the customer an arm, and keep the rung."""
        (trial,) = [each for each in self.trials if each.layer is Layer.HOLDOUT]
        draw = draw_holdout(trial.trial_id, trial.salt, trial.share_held_out, customer_id, 0)
        if arm:
            share = trial.share_held_out if arm == SILENCE else 1 - trial.share_held_out
            draw = Draw(Layer.HOLDOUT, trial.trial_id, arm, round(share, 6))
        return self.keep(a_rung(customer_id, on, draw, stage=stage, **changes))

    def book(self, trial_id: str = "quiet") -> list[SettledSpell]:
        """Return all spells of a trial."""
        return self.books.of_trial(LENDER, trial_id)

    def result(self, trial_id: str = "quiet") -> TrialResult:
        """Return the newest result of a trial."""
        return self.results.results[LENDER, trial_id]

    def signs(self, trial_id: str = "quiet") -> list[SignSeen]:
        """Return the signs of the newest result of a trial."""
        return list(self.result(trial_id).signs)


def a_rung(customer_id: str, on: date, draw: Draw | None, *, stage: int = 0, **changes: object) -> DrawnRung:
    """Describe a rung of a morning, silent or by SMS as it was drawn."""
    is_silent = draw is not None and draw.arm == SILENCE
    rung = DrawnRung(
        customer_id=customer_id,
        send_id=f"send-{customer_id}-{stage}-{on}",
        at=at_ten(on),
        stage=stage,
        place="TW",
        channel="none" if is_silent else "sms",
        draws=draws_to_text([draw]) if draw else "",
        payer_segment="unknown",
        asked=(Asked(f"A-{customer_id}", 1, AMOUNT),) if draw else (),
        parts=0 if is_silent else 2,
        price_usd_micros=0 if is_silent else 60_000,
    )
    return replace(rung, **changes)  # type: ignore[arg-type]


def days_after(day: date, number: int) -> date:
    """Return the day so many days later."""
    return day + timedelta(days=number)
