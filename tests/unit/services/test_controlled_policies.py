"""The rules of those who draw: with the control if they have trials, and else untouched."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import datetime

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.trial_control import TrialControl
from dunning.services.controlled_policies import ControlledPolicies
from tests.support.arms import a_holdout
from tests.support.builders import rules_of, the_policies
from tests.support.fakes import FakeTrialControls
from tests.support.people import NOW, someone


class Asked(FakeTrialControls):
    """The control, and for which lenders it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def control_of(self, lender: str) -> TrialControl | None:
        self.asked.append(lender)
        return super().control_of(lender)


class Book:
    """Policies that give everybody the same, with the prices of the package."""

    def __init__(self, found: Rules | Reason) -> None:
        self.found = found

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        del facts, at
        return self.found

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        return the_policies().price(country, parts, channel)


PLAIN = rules_of(someone())
WITH_TRIAL = replace(PLAIN, trials=(a_holdout(0.05, PLAIN),))


@pytest.fixture
def controls() -> Asked:
    return Asked()


def rules_in(policies: ControlledPolicies) -> Rules:
    rules = policies.rules_for(someone(), NOW)
    assert isinstance(rules, Rules)
    return rules


@pytest.mark.parametrize("found", [PLAIN, Reason.UNKNOWN_LENDER])
def test_rules_without_trials_are_untouched_and_nothing_is_read(controls: Asked, found: Rules | Reason) -> None:
    assert ControlledPolicies(Book(found), controls).rules_for(someone(), NOW) is found
    assert controls.asked == []


def test_rules_with_trials_have_the_control_of_their_lender_and_nothing_else_is_changed(controls: Asked) -> None:
    control = TrialControl(lender=PLAIN.lender, version=3, stopped=frozenset({"holdout"}))
    controls.publish(control, expected_version=0)
    rules = rules_in(ControlledPolicies(Book(WITH_TRIAL), controls))
    assert controls.asked == [PLAIN.lender]
    assert rules.trial_control is control
    others = [field.name for field in fields(Rules) if field.init and field.name != "trial_control"]
    assert all(getattr(rules, name) == getattr(WITH_TRIAL, name) for name in others)


def test_where_the_control_cannot_be_read_nothing_is_known_of_it(controls: Asked) -> None:
    controls.unreadable.add(PLAIN.lender)
    assert rules_in(ControlledPolicies(Book(WITH_TRIAL), controls)).trial_control is None


def test_where_no_table_is_named_nothing_is_known_of_it() -> None:
    assert rules_in(ControlledPolicies(Book(WITH_TRIAL), None)).trial_control is None


def test_new_rules_are_made_once_for_each_control(controls: Asked) -> None:
    policies = ControlledPolicies(Book(WITH_TRIAL), controls)
    first = rules_in(policies)
    assert rules_in(policies) is first
    controls.publish(TrialControl(lender=PLAIN.lender, version=1), expected_version=0)
    second = rules_in(policies)
    assert second is not first
    assert rules_in(policies) is second
    controls.unreadable.add(PLAIN.lender)
    assert rules_in(policies).trial_control is None


def test_threads_that_ask_at_once_get_the_same_rules(controls: Asked) -> None:
    policies = ControlledPolicies(Book(WITH_TRIAL), controls)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: rules_in(policies), range(200)))
    assert len({id(rules) for rules in made}) == 1


def test_prices_are_those_of_the_policies(controls: Asked) -> None:
    policies = ControlledPolicies(Book(PLAIN), controls)
    assert policies.price("TW", 2) == the_policies().price("TW", 2)
    assert policies.price("TW", 2, Channel.EMAIL) == the_policies().price("TW", 2, Channel.EMAIL)
