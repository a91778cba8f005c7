"""Fixtures of the intake's tests."""

import pytest

from tests.unit.intake.portfolio import Office


@pytest.fixture
def office() -> Office:
    return Office()
