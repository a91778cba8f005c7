"""Fixtures of the intake's tests."""

import pytest

from tests.support.lender_files import Office


@pytest.fixture
def office() -> Office:
    return Office()
