"""
What holds for every test: no network, no real AWS account, and the same Hypothesis examples every time.

Every client of DynamoDB is refused what DynamoDB itself refuses and moto does not: a reserved word in an expression.

A test that takes more than a second of CPU says why (`slow`); the end of a run names those that do not.
"""

import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

from tests.support.reserved_words import refuse_reserved_words

for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_REGION": "ap-northeast-1",
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

refuse_reserved_words()

settings.register_profile("ci", derandomize=True, max_examples=100, deadline=None, database=None)
settings.register_profile("thorough", max_examples=3000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what coverage is not measured of, before `-m` chooses. What wires all together runs in slow tests alone."""
    is_slow = item.get_closest_marker("slow") is not None and _FOLDER / "integration" not in item.path.parents
    if is_slow or _FOLDER / "property" in item.path.parents:
        item.add_marker("unmeasured")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Let nothing leave the machine, fixtures included."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


_FOLDER = Path(__file__).parent

_ENOUGH = 1.0
"""Seconds of CPU, set-up left out, that need no reason."""
_SPENT = "seconds of CPU without a reason"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Measure a test."""
    began = time.process_time()
    yield
    spent = time.process_time() - began
    if spent > _ENOUGH and item.get_closest_marker("slow") is None:
        item.user_properties.append((_SPENT, spent))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that take long and do not say why; not under coverage, which slows each in its own measure."""
    if terminalreporter.config.getoption("cov_source", None):
        return
    found = sorted(
        (
            (spent, report.nodeid)
            for report in terminalreporter.stats.get("passed", ())
            for name, spent in report.user_properties
            if name == _SPENT and report.when == "call"
        ),
        reverse=True,
    )
    if found:
        terminalreporter.section(f"more than {_ENOUGH:g} s of CPU, and no @pytest.mark.slow(reason=...)")
    for spent, test in found:
        terminalreporter.write_line(f"{spent:6.1f} s  {test}")
