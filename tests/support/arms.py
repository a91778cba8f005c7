"""Arms: trials that force one arm on everybody, and policies whose rules have such trials."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.effect.draws import SILENCE, TEXTED, USUAL_TEXT, Arm, Layer
from dunning.domain.effect.trials import LATEST_HELD_OUT_STAGE, Trial
from dunning.domain.texts.wording import Text, TextVariant

BEGINS, ENDS = date(2026, 9, 1), date(2027, 2, 28)
"""One epoch: who was held out before is exempt in the next."""

OTHER_TEXT = "other"
"""An arm whose words are the usual ones under another name: what differs is what chance decided."""


def a_trial(layer: Layer, arms: Iterable[tuple[str, float]], rules: Rules | None = None, **changes: object) -> Trial:
    """Describe an approved trial at all stages of some rules, or of Taiwan."""
    trial = Trial(
        trial_id=layer.value,
        layer=layer,
        arms=tuple(Arm(*arm) for arm in arms),
        stages=frozenset(rules.ladder if rules else (-3, 0, 3, 7, 15, 30)),
        places=frozenset({rules.jurisdiction if rules else "TW"}),
        goal_days=14,
        starts_on=BEGINS,
        ends_on=ENDS,
        salt=f"a salt for {layer.value}",
        approved_by="compliance",
        approved_on=BEGINS,
    )
    return replace(trial, **changes)  # type: ignore[arg-type]


def a_holdout(share: float = 1.0, rules: Rules | None = None, **changes: object) -> Trial:
    """Describe a holdout with this share of silence: all of them, which no policy may have, unless said otherwise."""
    trial = a_trial(Layer.HOLDOUT, ((TEXTED, 1 - share), (SILENCE, share)), rules)
    early = frozenset(stage for stage in trial.stages if stage <= LATEST_HELD_OUT_STAGE)
    return replace(trial, **{"stages": early, **changes})  # type: ignore[arg-type]


def a_silence_among_texts(share: float = 1.0, rules: Rules | None = None, **changes: object) -> Trial:
    """Describe a trial that leaves out texts up to the due date, rung by rung: all of them, unless said otherwise."""
    trial = a_trial(Layer.TEXT, ((USUAL_TEXT, 1 - share), (SILENCE, share)), rules, trial_id="rest")
    early = frozenset(stage for stage in trial.stages if stage <= 0)
    return replace(trial, **{"stages": early, **changes})  # type: ignore[arg-type]


def forced(rules: Rules, layer: Layer, arm: str) -> Rules:
    """Return rules with a trial in which everybody draws one arm."""
    if layer is Layer.HOLDOUT:
        return replace(rules, trials=(a_holdout(float(arm == SILENCE), rules),))
    if arm == SILENCE:
        return replace(rules, trials=(a_silence_among_texts(1.0, rules),))
    trial = a_trial(layer, ((arm, 1.0),), rules)
    other = TextVariant(_renamed(rules.texts), _renamed(rules.texts_with_fee))
    return replace(rules, trials=(trial,), variants={OTHER_TEXT: other})


def _renamed[K](texts: "dict[K, Text] | object") -> "dict[K, Text]":
    assert isinstance(texts, dict)
    return {key: replace(text, template=f"other-{text.template}") for key, text in texts.items()}


class ForcedArm:
    """Policies in which everybody draws one arm at every stage, and nothing else is changed."""

    def __init__(self, policies: Policies, layer: Layer, arm: str) -> None:
        self._policies, self._layer, self._arm = policies, layer, arm
        self._made: dict[int, tuple[Rules, Rules]] = {}

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the rules of the policies with the trial."""
        rules = self._policies.rules_for(facts, at)
        if not isinstance(rules, Rules):
            return rules
        # The rules are kept with theirs: a number of an object that is gone may be another's.
        if id(rules) not in self._made:
            self._made[id(rules)] = rules, forced(rules, self._layer, self._arm)
        return self._made[id(rules)][1]


ARMS = (
    (Layer.HOLDOUT, SILENCE),
    (Layer.HOLDOUT, TEXTED),
    (Layer.TEXT, USUAL_TEXT),
    (Layer.TEXT, OTHER_TEXT),
    (Layer.TEXT, SILENCE),
    (Layer.HOUR, "07"),
    (Layer.HOUR, "1830"),
)
"""Every arm that a suite is run with: silence, and hours before and after all that people are used to."""
