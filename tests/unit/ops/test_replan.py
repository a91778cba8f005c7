"""`make replan` on a stack: a look first, then every wake is where today's policies put it."""

from datetime import timedelta

import pytest

from dunning.domain.customer.standing import Wake
from dunning.ports.customers import Customer
from ops.replan import main
from tests.support.builders import store_facts
from tests.support.damage import write_attribute
from tests.support.fakes import FakeClock
from tests.support.people import NOW, someone, waking
from tests.unit.ops.conftest import STACK, Deployed

LONG_AGO = NOW + timedelta(days=60)


@pytest.fixture
def misplanned(stack: Deployed) -> Deployed:
    """A third customer, whose wake an older policy has put far away."""
    store_facts(stack.customers, someone(3))
    stack.customers.save_standing(waking(someone(3), LONG_AGO), expected_version=0)
    return stack


def wake_of(stack: Deployed, customer_id: str) -> Wake | None:
    found = stack.customers.load([customer_id])[customer_id]
    assert isinstance(found, Customer)
    assert found.standing is not None
    return found.standing.wake


def test_a_look_tells_how_many_wakes_would_move_and_moves_none(
    misplanned: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", STACK, "--parts", "1"], FakeClock(NOW)) == 0
    out = capsys.readouterr().out
    assert "3 of 3 customers would have another wake or reason." in out
    assert "Nothing was changed" in out
    assert wake_of(misplanned, "C0003") == Wake(LONG_AGO, 0)


def test_wakes_are_moved_and_a_second_time_there_is_nothing_to_move(
    misplanned: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    in_the_afternoon = NOW + timedelta(hours=3)  # after the turn of every customer of the day
    assert main(["--stack", STACK, "--parts", "1", "--apply"], FakeClock(in_the_afternoon)) == 0
    assert "3 of 3 customers now have" in capsys.readouterr().out
    assert wake_of(misplanned, "C0003") == Wake(in_the_afternoon, 0)
    assert main(["--stack", STACK, "--parts", "1", "--apply"], FakeClock(in_the_afternoon)) == 0
    assert "0 of 3 customers" in capsys.readouterr().out


def test_a_record_that_cannot_be_read_is_reported(misplanned: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    write_attribute(misplanned.cloud, "C0003", "standing", ledger={"S": "?"})
    assert main(["--stack", STACK, "--parts", "1"], FakeClock(NOW)) == 1
    assert "1 cannot be read" in capsys.readouterr().out


def test_without_such_a_stack_it_says_so(misplanned: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    del misplanned
    assert main(["--stack", "no-such-stack"]) == 2
    assert "no-such-stack" in capsys.readouterr().err
