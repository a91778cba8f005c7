"""What is revealed is counted, and compliance hears of whoever wants to see more than is allowed."""

from itertools import count

import pytest

from dunning.ports.sessions import Role, Viewer
from dunning.ports.telemetry import Metric
from dunning.services.console.audited import REVEALS_AN_HOUR, AuditService, RevealError
from tests.support.console import FakeConsoleTable
from tests.support.fakes import FakeClock, FakeTelemetry
from tests.support.people import NOW

AGENT = Viewer("mei.chen", Role.AGENT)


def test_each_value_is_counted_and_the_one_too_many_as_refused() -> None:
    telemetry, ids = FakeTelemetry(), count()
    audit = AuditService(FakeConsoleTable(), FakeClock(NOW), lambda: f"{next(ids):04d}", telemetry)
    for _ in range(REVEALS_AN_HOUR):
        audit.take_down_reveal(AGENT, "C0001", "phone", "call")
    with pytest.raises(RevealError, match="too_many"):
        audit.take_down_reveal(AGENT, "C0001", "phone", "call")
    assert telemetry.counts[Metric.REVEALS] == REVEALS_AN_HOUR
    assert telemetry.counts[Metric.REVEALS_REFUSED] == 1


@pytest.mark.parametrize(("viewer", "purpose"), [(Viewer("it", Role.ENGINEER), "call"), (AGENT, "curiosity")])
def test_who_may_not_or_says_no_purpose_is_refused_and_raises_no_alarm(viewer: Viewer, purpose: str) -> None:
    telemetry = FakeTelemetry()
    audit = AuditService(FakeConsoleTable(), FakeClock(NOW), lambda: "0001", telemetry)
    with pytest.raises(RevealError):
        audit.take_down_reveal(viewer, "C0001", "phone", purpose)
    assert not telemetry.counts


def test_a_value_that_is_not_written_down_is_not_counted() -> None:
    telemetry, table = FakeTelemetry(), FakeConsoleTable()
    table.broken = True
    audit = AuditService(table, FakeClock(NOW), lambda: "0001", telemetry)
    with pytest.raises(Exception, match="TransactWriteItems"):
        audit.take_down_reveal(AGENT, "C0001", "phone", "call")
    assert not telemetry.counts
