"""A ratio means something only if both sides make the same calls of AWS."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import ModuleType

import pytest

from tests.bench import lender_events_and_receipts, replies_cpu
from tests.bench.beside import ENVIRONMENT, Beside

BENCHES: Mapping[str, tuple[ModuleType, Callable[[], Beside]]] = {
    "lender events": (lender_events_and_receipts, lender_events_and_receipts.LenderEvents),
    "delivery logs": (lender_events_and_receipts, lender_events_and_receipts.DeliveryReceipts),
    "replies": (replies_cpu, replies_cpu.Bench),
}


@pytest.mark.parametrize("name", BENCHES)
def test_the_loop_that_ours_is_measured_beside_makes_the_calls_that_ours_makes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, build = BENCHES[name]
    monkeypatch.setattr(module, "CUSTOMERS", 100)
    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    bench = build()
    assert _calls(bench, bench.ours()) == _calls(bench, bench.bare())


def _calls(bench: Beside, work: Callable[[], None]) -> Counter[str]:
    bench.wire.calls.clear()
    work()
    return Counter(bench.wire.calls)
