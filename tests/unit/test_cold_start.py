"""A cold start in Lambda does not look for garbage; nothing else is changed."""

import gc
from collections.abc import Iterator
from importlib import reload

import pytest

from dunning import cold_start


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_in_lambda_no_garbage_is_looked_for_until_the_start_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "sender")
    reload(cold_start)
    assert not gc.isenabled()
    cold_start.is_over()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_elsewhere_the_collector_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    reload(cold_start)
    assert gc.isenabled()
    cold_start.is_over()
    assert gc.get_freeze_count() == 0
