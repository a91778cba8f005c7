"""`samconfig.toml`: what `sam deploy --config-env dev | prod` would do, beside what the template knows."""

import tomllib
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.local import ROOT

CONFIG: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
PARAMETERS: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))[  # type: ignore[no-untyped-call]
    "Parameters"
]
ENVIRONMENTS = [name for name in CONFIG if name != "version"]


def _deploy(environment: str) -> dict[str, Any]:
    parameters: dict[str, Any] = CONFIG[environment]["deploy"]["parameters"]
    return parameters


def _overrides(environment: str) -> dict[str, str]:
    return dict(written.split("=", 1) for written in _deploy(environment)["parameter_overrides"])


def test_there_is_one_for_trying_out_and_one_for_people() -> None:
    assert CONFIG["version"] == 0.1
    assert {"dev", "prod"} <= set(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_parameter_is_the_templates_and_may_have_that_value(environment: str) -> None:
    for name, value in _overrides(environment).items():
        parameter = PARAMETERS[name]
        if parameter["Type"] == "Number":
            assert parameter.get("MinValue", 0) <= int(value) <= parameter.get("MaxValue", int(value))
        assert value in map(str, parameter.get("AllowedValues", [value]))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_stack_is_its_own_by_name_prefix_and_tag(environment: str) -> None:
    deploy = _deploy(environment)
    assert deploy["stack_name"] == deploy["s3_prefix"]
    assert deploy["capabilities"] == "CAPABILITY_IAM"  # no named roles: two stacks fit into one account
    assert deploy["resolve_s3"] is True
    assert deploy["fail_on_empty_changeset"] is False
    assert deploy["region"]
    assert "project=dunning" in deploy["tags"]
    assert f"environment={deploy['stack_name'].removeprefix('dunning-')}" in deploy["tags"]


def test_production_is_another_stack_that_asks_before_it_changes() -> None:
    assert _deploy("prod")["stack_name"] not in {_deploy("dev")["stack_name"], _deploy("default")["stack_name"]}
    assert _deploy("prod")["confirm_changeset"] is True


def test_no_build_is_cached_for_the_cache_does_not_know_the_processor() -> None:
    for environment in ENVIRONMENTS:
        assert not CONFIG[environment]["build"]["parameters"].get("cached", False)


def test_no_deployment_starts_or_stops_sending_by_the_way() -> None:
    # Left out, SAM keeps a parameter's last value; the template's own default is no ticks.
    assert "ScheduleState" not in _overrides("prod")
    assert PARAMETERS["ScheduleState"]["Default"] == "DISABLED"
    for environment in ("dev", "default"):
        assert _overrides(environment)["ScheduleState"] == "DISABLED"
