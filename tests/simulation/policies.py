"""
The policies of the simulation: those of the package, two lenders who reach people on several channels, and trials.

Of a lender with trials everybody draws by lot, with the odds of a coin. Its salts are chosen so that the lot is known:
`LOTS` says what the customers of the simulation draw. Nothing is forced: a draw with another key comes to other arms.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Final

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.draws import SILENCE, Layer
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.effect.trials import Trial
from dunning.policy import PolicyBook
from tests.support.arms import OTHER_TEXT, a_holdout, a_trial, forced
from tests.support.builders import policies_with_lender, the_policies

CHANNELS, CALLS = "proof-channels", "proof-calls"

SILENT, DRAWN, CONTROLLED = "proof-silent", "proof-drawn", "proof-controlled"
"""Lenders whose trials leave a customer out; draw wording and hour; and are paused and stopped by a control."""

SILENT_CHANNELS, DRAWN_CHANNELS = "proof-silent-channels", "proof-drawn-channels"
"""The same with several channels: everybody is left out, and everybody is in the texted part."""

RESTED, RESTED_CHANNELS = "proof-rested", "proof-rested-channels"
"""Lenders whose trials of texts leave a stage out, rung by rung: with SMS alone, and with several channels."""

HELD_OUT_STAGES: Final = (-3, 0, 3, 7)
"""The stages that a holdout may leave out."""

RESTED_STAGES: Final = (-3, 0)
"""The stages that a trial of texts may leave out."""

_LEFT_OUT, _TEXTED = "proof-silence-64", "proof-texts-5"
_WORDS, _HOURS, _RESTS = "proof-words-11", "proof-hours-85", "proof-rest-0"

_IN = "hholdout.text:0.5;"
_SILENT_LOTS = dict.fromkeys(HELD_OUT_STAGES, "hholdout.silence:0.5")
_RESTED_LOTS = {-3: "trest.silence:0.5", 0: "trest.usual:0.5"}
_WORDING = {-3: "other", 0: "usual", 3: "other", 7: "usual", 15: "other", 30: "usual"}
_LATE_WORDING = {stage: f"ttext.{arm}:0.5" for stage, arm in _WORDING.items() if stage not in HELD_OUT_STAGES}

LOTS: Final[Mapping[str, Mapping[int, str]]] = {
    SILENT: _SILENT_LOTS,
    SILENT_CHANNELS: _SILENT_LOTS,
    CONTROLLED: _SILENT_LOTS | _LATE_WORDING,
    RESTED: _RESTED_LOTS,
    RESTED_CHANNELS: _RESTED_LOTS,
    DRAWN_CHANNELS: dict.fromkeys(HELD_OUT_STAGES, "hholdout.text:0.5"),
    DRAWN: {
        -3: _IN + "ttext.other:0.5;ohour.09:0.5",
        0: _IN + "ttext.usual:0.5;ohour.18:0.5",
        3: _IN + "ttext.other:0.5;ohour.09:0.5",
        7: _IN + "ttext.usual:0.5;ohour.18:0.5",
        15: "ttext.other:0.5;ohour.09:0.5",
        30: "ttext.usual:0.5;ohour.18:0.5",
    },
}
"""
What the customers of the simulation draw, by lender and stage, as a record says it: worked out once, by hand.

Who is held out is the person's lot, for C0001 to C0004. Wording and hour are those of instalment 1 of A0001-0.
"""

_USUAL_FOR_SURE = {
    stage: ("hholdout.text:1;" if stage in HELD_OUT_STAGES else "") + "ttext.usual:1" for stage in _WORDING
}
LOTS_UNDER: Final[Mapping[str, Mapping[int, str]]] = {
    "all drawn": LOTS[CONTROLLED],
    "silence paused": {
        stage: ("hholdout.text:1;" if stage in HELD_OUT_STAGES else "") + f"ttext.{arm}:0.5"
        for stage, arm in _WORDING.items()
    },
    "words paused": _USUAL_FOR_SURE,
    "stopped": {},
    "unreadable": _USUAL_FOR_SURE,
}
"""What a customer of the lender with a control draws, by the control that those who draw have read."""

_COMMON = """
id = "{id}"
languages = ["zh-Hant", "en"]
ladder = [-3, 0, 3, 7, 15, 30]
min_days_between_stages = 3
preferred_hour = "10:00"
spread = "0h"
max_segments = 2
hotline = "0800-000-123"
failover_after = "6h"
channels = {channels}

[sender_name]
zh-Hant = "示範分期"
en = "Demo Finance"

[pay]
zh-Hant = "官方APP"
en = "in our app"

[[caps]]
at_most = 1
within = "24h"
scope = "person"

[[caps]]
at_most = 3
within = "7d"
scope = "person"

[countries.TW]
origination_number = "+886900000100"
max_price = "0.20"
gateway = "eum"
"""

_MAIL_AND_LINE = """
[email]
sender_address = "reminders@notice.demo-finance.example"
reply_to = "help@demo-finance.example"

[line]
account = "@demofinance"

[[caps]]
at_most = 2
within = "7d"
scope = "person"
channels = ["line"]
"""

_VOICE = """
[stages."-3"]
channels = ["voice", "sms"]

[stages."0"]
channels = ["voice", "sms"]

[voice]
origination_number = "+886900000200"
voice = "ZHIYU"
accepted_by = "A. Chen, compliance"
accepted_on = 2026-12-01
"""


@cache
def simulated_policies() -> PolicyBook:
    """Return the policies of the package, without the spread, and those of the lenders with several channels."""
    book = the_policies()
    lenders = dict(book.lenders)
    for name, channels, more in (
        (CHANNELS, '["line", "email", "sms"]', _MAIL_AND_LINE),
        (CALLS, '["sms"]', _VOICE),
    ):
        lenders |= policies_with_lender(name, _COMMON.format(id=name, channels=channels) + more).lenders
    return book.with_lenders(lenders)


_BASES: Final = {
    SILENT: "demo-tw",
    DRAWN: "demo-tw",
    CONTROLLED: "demo-tw",
    SILENT_CHANNELS: CHANNELS,
    DRAWN_CHANNELS: CHANNELS,
    RESTED: "demo-tw",
    RESTED_CHANNELS: CHANNELS,
}
"""Whose policy a lender with trials has, but for the trials."""


def trials_of(lender: str, rules: Rules) -> tuple[Trial, ...]:
    """Return the trials of a lender."""
    if lender in {RESTED, RESTED_CHANNELS}:
        arms = (("usual", 0.5), (SILENCE, 0.5))
        return (a_trial(Layer.TEXT, arms, rules, trial_id="rest", stages=frozenset(RESTED_STAGES), salt=_RESTS),)
    salt = _TEXTED if lender in {DRAWN, DRAWN_CHANNELS} else _LEFT_OUT
    holdout = a_holdout(0.5, rules, salt=salt, stages=frozenset(HELD_OUT_STAGES))
    words = a_trial(Layer.TEXT, (("usual", 0.5), (OTHER_TEXT, 0.5)), rules, salt=_WORDS)
    hours = a_trial(Layer.HOUR, (("09", 0.5), ("18", 0.5)), rules, salt=_HOURS)
    return {DRAWN: (holdout, words, hours), CONTROLLED: (holdout, words)}.get(lender, (holdout,))


CONTROLS: Final[Mapping[str, TrialControl | None]] = {
    "all drawn": TrialControl(lender=CONTROLLED, version=1),
    "silence paused": TrialControl(lender=CONTROLLED, version=2, paused={Layer.HOLDOUT: frozenset({SILENCE})}),
    "words paused": TrialControl(
        lender=CONTROLLED,
        version=3,
        paused={Layer.HOLDOUT: frozenset({SILENCE}), Layer.TEXT: frozenset({OTHER_TEXT})},
    ),
    "stopped": TrialControl(lender=CONTROLLED, version=4, stopped=frozenset({Layer.HOLDOUT, Layer.TEXT})),
    "unreadable": None,
}
"""What those who draw are told, by a name."""


@cache
def _with_trials(rules: Rules, lender: str) -> Rules:
    variants = forced(rules, Layer.TEXT, OTHER_TEXT).variants
    return replace(rules, lender=lender, trials=trials_of(lender, rules), variants=variants)


class TrialledPolicies:
    """The policies of the simulation with trials. What holds for them now is put in as in earnest."""

    def __init__(self, book: PolicyBook) -> None:
        self._book = book

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the rules for a customer at a moment, or why there are none."""
        base = _BASES.get(facts.lender)
        if base is None:
            return self._book.rules_for(facts, at)
        rules = self._book.rules(base, facts.country, facts.region, facts.phone_country, at=at)
        return _with_trials(rules, facts.lender) if isinstance(rules, Rules) else rules

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        """Return millionths of a US dollar."""
        return self._book.price(country, parts, channel)
