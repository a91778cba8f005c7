"""A lender whose nights are steered for months: people with planted cures are drawn as those who draw are told."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from dunning.domain.effect.draws import Arm, Draw, Layer
from dunning.domain.effect.sample_ratio import HarmCount, arms_to_pause
from dunning.domain.effect.settling import Asked, OutcomeState, SideEffects, Spell, SpellOutcome
from dunning.domain.effect.strategies import strategy_in_force
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.effect.trial_results import SignSeen, TrialResult, TrialSign
from dunning.domain.effect.trials import Trial, draw_in
from dunning.services.steer_trials import SteerService
from tests.support.fakes import FakeTrialControls

LENDER = "demo-tw"
MONDAY = date(2026, 1, 5)
PRICE = 40_000
"""Of a text, in millionths of a US dollar."""


def a_learned_trial(arms: Mapping[str, float], layer: Layer = Layer.TEXT, **changes: object) -> Trial:
    """Describe a learned trial of a year, under way from the first Monday of 2026."""
    fields: dict[str, object] = {
        "trial_id": "tone",
        "layer": layer,
        "arms": tuple(Arm(*pair) for pair in arms.items()),
        "stages": frozenset({0}),
        "places": frozenset({"TW"}),
        "goal_days": 14,
        "starts_on": MONDAY,
        "ends_on": date(2027, 1, 3),
        "salt": "a salt of its own",
        "approved_by": "compliance",
        "approved_on": MONDAY,
        "is_learned": True,
        **changes,
    }
    return Trial(**fields)  # type: ignore[arg-type]


def a_result(trial: Trial, night: date, *signs: SignSeen) -> TrialResult:
    """Describe what a night knows of a trial, as far as steering asks for it."""
    return TrialResult(
        lender=LENDER,
        trial=trial.trial_id,
        layer=trial.layer.value,
        night=night,
        as_of=datetime.combine(night, time(2), UTC),
        starts_on=trial.starts_on,
        ends_on=trial.ends_on,
        goal_days=trial.goal_days,
        shares={arm.name: arm.share for arm in trial.arms},
        stages=tuple(sorted(trial.stages)),
        places=tuple(sorted(trial.places)),
        is_learned=trial.is_learned,
        signs=signs,
    )


def a_settled(
    trial: Trial, customer: str, day: date, draw: Draw, *, cured: bool, segment: str = "new", harm: bool = False
) -> SettledSpell:
    """Describe a rung of a customer with what came of it; silence has no text."""
    is_text = draw.arm != "silence"
    spell = Spell(
        customer_id=customer,
        send_id=f"{customer}-{day}",
        draws=(draw,),
        drawn_at=datetime.combine(day, time(4), UTC),
        drawn_on=day,
        stage=0,
        goal_days=trial.goal_days,
        asked=(Asked("A1", 1, 5_000),),
        payer_segment=segment,
        place="TW",
        channel="sms" if is_text else "none",
        parts=int(is_text),
        price_usd_micros=PRICE * is_text,
    )
    effects = SideEffects(opted_out=harm)
    return SettledSpell(spell, SpellOutcome(state=OutcomeState.SETTLED, cured=cured, side_effects=effects))


@dataclass(kw_only=True)
class SteeredLender:
    """People by payer segment, so many a day, whose cures and complaints follow rates by arm."""

    trial: Trial
    seed: int
    cures: Mapping[str, Mapping[str, float]]
    """The rate of cures by payer segment and arm."""
    a_day: int = 60
    harm: Mapping[str, float] = field(default_factory=dict)
    """The share of texts that end in an opt-out, by arm."""
    controls: FakeTrialControls = field(default_factory=FakeTrialControls)
    spells: list[SettledSpell] = field(default_factory=list)
    results: list[TrialResult] = field(default_factory=list)
    seen: list[TrialControl] = field(default_factory=list)
    """The control after each night."""

    def play(self, weeks: int) -> "SteeredLender":
        """Play nights and days, and return the lender."""
        rng = random.Random(self.seed)
        service = SteerService(self.controls)
        counts: dict[str, list[int]] = {arm.name: [0, 0] for arm in self.trial.arms}
        known = 0
        for number in range(7 * weeks):
            today = MONDAY + timedelta(days=number)
            over = today - timedelta(days=self.trial.goal_days + 1)
            while known < len(self.spells) and self.spells[known].spell.drawn_on <= over:
                self._count(counts, self.spells[known])
                known += 1
            settled = self.spells[:known]
            result = a_result(self.trial, today, *self._harm_in(counts if self.harm else {}))
            trials = {self.trial.trial_id: self.trial}
            self.results += service.steer(LENDER, [result], trials, {self.trial.trial_id: settled}.__getitem__, today)
            control = self.controls.stored_control(LENDER)
            self.seen.append(control)
            self.spells += self._day(rng, today, control)
        return self

    def _day(self, rng: random.Random, today: date, control: TrialControl) -> Iterator[SettledSpell]:
        strategy = strategy_in_force(control.strategies, today)
        names = [arm.name for arm in self.trial.arms]
        left = control.arms_left(self.trial)
        for segment, rates in self.cures.items():
            weights = strategy.weights_of(self.trial.trial_id, names, segment) if strategy else None
            for number in range(self.a_day):
                customer = f"{self.seed}-{segment}-{today}-{number}"
                draw = draw_in(self.trial, customer, today, instalment="A1#1", stage=0, allowed=left, weights=weights)
                if draw is not None:
                    cured, harm = rng.random() < rates[draw.arm], rng.random() < self.harm.get(draw.arm, 0)
                    yield a_settled(self.trial, customer, today, draw, cured=cured, segment=segment, harm=harm)

    @staticmethod
    def _count(counts: dict[str, list[int]], settled: SettledSpell) -> None:
        (draw,) = settled.spell.draws
        counts[draw.arm][0] += settled.outcome.side_effects.opted_out
        counts[draw.arm][1] += settled.spell.parts > 0

    def _harm_in(self, counts: Mapping[str, list[int]]) -> Iterator[SignSeen]:
        for arm, (events, texts) in counts.items():
            others = [count for name, count in counts.items() if name != arm]
            beside = HarmCount(sum(each[0] for each in others), sum(each[1] for each in others))
            if arms_to_pause({arm: HarmCount(events, texts)}, beside):
                yield SignSeen(TrialSign.HARM, arm=arm, counted=events)

    def share_of(self, arm: str, segment: str, spells: Iterable[SettledSpell]) -> float:
        """Return the share of the rungs of a payer segment that drew an arm."""
        drawn = [each.spell.draws[0].arm for each in spells if each.spell.payer_segment == segment]
        return drawn.count(arm) / len(drawn)

    def weeks(self, first: int, last: int) -> list[SettledSpell]:
        """Return the rungs of some weeks, the first week being 1."""
        begins, ends = MONDAY + timedelta(weeks=first - 1), MONDAY + timedelta(weeks=last)
        return [each for each in self.spells if begins <= each.spell.drawn_on < ends]
