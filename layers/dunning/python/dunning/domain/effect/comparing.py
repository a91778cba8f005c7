"""Comparing: the arms of a trial beside each other, over the whole trial and its parts, from the sums of a night."""

from collections.abc import Iterator, Mapping
from datetime import date

from dunning.domain.effect.draws import SILENCE, Layer
from dunning.domain.effect.sums import ArmSums, SumKey, estimate_lift
from dunning.domain.effect.trial_results import ArmComparison, LiftPoint, TrialResult
from dunning.domain.effect.trials import Trial

_ALPHA = 0.05
_NOTHING = ArmSums()


def reference_arm(trial: Trial) -> str:
    """Return the arm that others are compared with: silence in a holdout, else the first."""
    return SILENCE if trial.layer is Layer.HOLDOUT else trial.arms[0].name


def comparisons_of(trial: Trial, sums: Mapping[SumKey, ArmSums], today: date) -> tuple[ArmComparison, ...]:
    """
    Return each arm beside the reference: over the whole trial, then by stage, payer segment and place.

    With several arms each interval is as much wider as their number asks for.
    """
    return tuple(comparison for scope in _scopes(trial, sums) for comparison in _in_scope(trial, sums, scope, today))


def _scopes(trial: Trial, sums: Mapping[SumKey, ArmSums]) -> Iterator[SumKey]:
    """Yield the keys to compare by, without an arm."""
    whole = SumKey(trial.trial_id, "")
    keys = [key._replace(arm="") for key in sums if key.trial == trial.trial_id and key.channel is None]
    yield whole
    for name in ("stage", "payer_segment", "place"):
        values = {getattr(key, name) for key in keys} - {None}
        yield from (whole._replace(**{name: value}) for value in sorted(values))


def _in_scope(trial: Trial, sums: Mapping[SumKey, ArmSums], scope: SumKey, today: date) -> Iterator[ArmComparison]:
    other = reference_arm(trial)
    shares = {arm.name: arm.share for arm in trial.arms}
    weeks = max(1.0, ((min(today, trial.ends_on) - trial.starts_on).days + 1) / 7)
    theirs = sums.get(scope._replace(arm=other), _NOTHING)
    for arm in trial.arms:
        if arm.name == other:
            continue
        ours = sums.get(scope._replace(arm=arm.name), _NOTHING)
        estimate = estimate_lift(
            ours,
            theirs,
            planned_customers=trial.planned_customers,
            share_of_other=shares[other] / (shares[other] + arm.share),
            customers_a_week=0.0 if today > trial.ends_on else (ours.customers + theirs.customers) / weeks,
            alpha=_ALPHA / (len(trial.arms) - 1),
        )
        yield ArmComparison(arm.name, other, estimate, scope.stage, scope.payer_segment, scope.place)


def points_of(result: TrialResult) -> tuple[LiftPoint, ...]:
    """Return the lifts of a night over the whole trial, for the line of a chart."""
    return tuple(
        LiftPoint(
            night=result.night,
            arm=each.arm,
            other=each.other,
            customers=each.estimate.arm.customers + each.estimate.other.customers,
            lift=each.estimate.lift,
            low=each.estimate.interval.low if each.estimate.interval else None,
            high=each.estimate.interval.high if each.estimate.interval else None,
        )
        for each in result.comparisons
        if each.stage is None and each.payer_segment is None and each.place is None
    )
