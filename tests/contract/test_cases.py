"""Cases, notes, requests to erase, the turn of the switch, and the bus: of the fakes and of AWS alike."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

import boto3
import pytest
from moto import mock_aws

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.case_table import DynamoCases
from dunning.adapters.eventbridge import EventBridgeLenderBus
from dunning.adapters.ssm import SsmSwitch
from dunning.domain.errors import ServiceCallError
from dunning.ports.asked_erasures import AskedErasure, AskedErasures
from dunning.ports.case_book import Case, CaseBook, CaseErasure, CaseNote
from dunning.ports.gateways import SendingSwitch
from dunning.ports.lender_bus import LenderBus, WrittenEvent
from dunning.ports.sending_control import SendingControl, SwitchHistory, SwitchTurned
from dunning.ports.sessions import Role, Viewer
from tests.contract.conftest import BACKENDS, a_console_table_on, engine_of
from tests.local.console import create_console_table
from tests.support.cases import FakeCases, FakeLenderBus
from tests.support.console import FakeSwitch
from tests.support.fakes import FakeClock, FakeTelemetry
from tests.support.people import NOW

MANAGER, AGENT = Viewer("mei.chen", Role.MANAGER), Viewer("jun.li", Role.AGENT)
HOUR = timedelta(hours=1)
TAKEN = Case(customer_id="C1", version=1, holder=AGENT, taken_at=NOW, touched_at=NOW)
ASKED = AskedErasure(
    customer_id="C1", asked_by=MANAGER, asked_at=NOW, ends_at=NOW + timedelta(days=7), reason="own_request"
)


class Cases(CaseBook, CaseErasure, AskedErasures, SwitchHistory, Protocol):
    """Four ports that are one table."""


@pytest.fixture(params=BACKENDS)
def cases(request: pytest.FixtureRequest) -> Iterator[Cases]:
    if request.param == "fake":
        yield FakeCases()
        return
    if request.param == "stand_in":
        yield DynamoCases(*a_console_table_on(engine_of(request)))
        return
    with mock_aws():
        client = boto3.client("dynamodb", config=LEAN)
        create_console_table(client, "console")
        yield DynamoCases(client, "console")


def a_note(number: int, customer: str = "note") -> CaseNote:
    return CaseNote(NOW + number * HOUR, f"n{number}", AGENT, f"{customer} {number}")


def test_a_case_is_read_as_it_was_written_and_who_has_none_is_not_in_the_answer(cases: Cases) -> None:
    closed = Case(customer_id="C2", version=1, touched_at=NOW, closed_at=NOW, closed_by="jun.li", outcome="attended")
    assert cases.save_case(TAKEN, expected_version=0)
    assert cases.save_case(closed, expected_version=0)
    assert cases.cases(["C1", "C2", "C3"]) == {"C1": TAKEN, "C2": closed}
    assert cases.cases([]) == {}
    assert cases.case_with_notes("C1") == (TAKEN, [])
    assert cases.case_with_notes("C3") == (Case(customer_id="C3"), [])


def test_a_hundred_and_more_cases_are_read_at_once(cases: Cases) -> None:
    everyone = [f"C{number}" for number in range(120)]
    for customer_id in everyone:
        assert cases.save_case(replace(TAKEN, customer_id=customer_id), expected_version=0)
    assert set(cases.cases(everyone)) == set(everyone)


def test_of_two_who_write_a_case_at_once_the_second_is_refused(cases: Cases) -> None:
    assert cases.save_case(TAKEN, expected_version=0)
    assert not cases.save_case(replace(TAKEN, holder=MANAGER), expected_version=0)
    assert cases.save_case(replace(TAKEN, version=2, holder=None, taken_at=None), expected_version=1)
    assert not cases.save_case(replace(TAKEN, version=2, holder=MANAGER), expected_version=1)
    assert cases.cases(["C1"])["C1"].holder is None


def test_what_is_written_twice_is_recognised_as_ones_own(cases: Cases) -> None:
    """The SDK repeats a write whose answer was lost: nobody is told that a colleague was first."""
    for _ in range(2):
        assert cases.save_case(TAKEN, expected_version=0)
        cases.add_note("C1", a_note(1))
    assert cases.case_with_notes("C1") == (TAKEN, [a_note(1)])


def test_notes_come_newest_first_and_none_is_replaced(cases: Cases) -> None:
    cases.save_case(TAKEN, expected_version=0)
    for number in (2, 0, 1):
        cases.add_note("C1", a_note(number))
    cases.add_note("C2", a_note(9))
    with pytest.raises(ServiceCallError):
        cases.add_note("C1", a_note(1)._replace(text="another"))
    assert cases.case_with_notes("C1") == (TAKEN, [a_note(2), a_note(1), a_note(0)])


def test_an_erasure_deletes_the_notes_and_the_case_of_one_customer_alone(cases: Cases) -> None:
    for customer_id in ("C1", "C11"):
        cases.save_case(replace(TAKEN, customer_id=customer_id), expected_version=0)
        cases.add_note(customer_id, a_note(0))
        cases.add_note(customer_id, a_note(1))
    assert (cases.stored_notes("C1"), cases.stored_notes("C9")) == (2, 0)
    assert cases.erase_case("C1") == 2
    assert cases.case_with_notes("C1") == (Case(customer_id="C1"), [])
    assert cases.erase_case("C1") == 0
    assert cases.stored_notes("C11") == 2


def test_of_a_customer_who_has_returned_only_notes_from_before_are_erased(cases: Cases) -> None:
    cases.save_case(TAKEN, expected_version=0)
    for number in range(3):
        cases.add_note("C1", a_note(number))
    assert cases.erase_case("C1", until=NOW + HOUR) == 2
    assert cases.case_with_notes("C1") == (TAKEN, [a_note(2)])


def test_a_request_to_erase_stands_until_it_is_taken_away_and_there_is_one_for_a_customer(cases: Cases) -> None:
    assert cases.ask(ASKED)
    assert not cases.ask(replace(ASKED, asked_by=AGENT, asked_at=NOW + HOUR))
    later = replace(ASKED, customer_id="C0", asked_at=NOW + HOUR)
    assert cases.ask(later)
    assert list(cases.pending()) == [ASKED, later]
    assert (cases.find_asked("C1"), cases.find_asked("C9")) == (ASKED, None)
    cases.take_away(ASKED)
    cases.take_away(ASKED)
    assert list(cases.pending()) == [later]


def test_a_request_that_has_ended_gives_way_to_a_new_one_which_stays_when_the_old_one_is_taken_away(
    cases: Cases,
) -> None:
    assert cases.ask(ASKED)
    anew = replace(ASKED, asked_at=ASKED.ends_at, ends_at=ASKED.ends_at + HOUR)
    assert cases.ask(anew)
    cases.take_away(ASKED)
    assert cases.find_asked("C1") == anew


def test_the_last_turn_of_the_switch_takes_the_place_of_the_one_before(cases: Cases) -> None:
    assert cases.last_turn() is None
    for on in (False, True):
        turned = SwitchTurned(on=on, by=MANAGER, at=NOW, reason="eine Störung")
        cases.keep_turn(turned)
        assert cases.last_turn() == turned


def test_what_expires_is_kept_for_a_year_and_a_request_until_its_end() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", config=LEAN)
        create_console_table(client, "console")
        table = DynamoCases(client, "console")
        table.save_case(TAKEN, expected_version=0)
        table.add_note("C1", a_note(0))
        table.ask(ASKED)
        table.keep_turn(SwitchTurned(on=False, by=MANAGER, at=NOW, reason="why"))
        found = {item["what"]["S"][:5]: item.get("expires_at") for item in client.scan(TableName="console")["Items"]}
    year = {"N": str(int((NOW + timedelta(days=366)).timestamp()))}
    assert found == {
        "case": year, "note#": year, "C1": {"N": str(int(ASKED.ends_at.timestamp()))}, "switc": None,
    }  # fmt: skip


# ------------------------------------------------------------------ the bus


class Client:
    """The events client, whose answers a test decides."""

    def __init__(self) -> None:
        self.put: list[Any] = []
        self.takes = 1_000_000

    def put_events(self, *, Entries: Sequence[Any]) -> Any:  # noqa: ANN401, N803 - as boto3 has it
        assert len(Entries) == 1
        if self.takes <= 0:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}
        self.takes -= 1
        self.put += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}


@dataclass
class Line:
    """A bus, what came on it, and a hand that lets it take so many more events."""

    bus: LenderBus
    kinds: Any
    let_through: Any


@pytest.fixture(params=["fake", "eventbridge"])
def line(request: pytest.FixtureRequest) -> Line:
    if request.param == "fake":
        fake = FakeLenderBus()
        return Line(fake, lambda: [event.kind for event in fake.events], lambda n: setattr(fake, "takes", n))
    client = Client()
    return Line(
        EventBridgeLenderBus(client, "lender", "dunning.console"),
        lambda: [entry["DetailType"] for entry in client.put],
        lambda n: setattr(client, "takes", n),
    )


EVENTS = [WrittenEvent("CustomerHold", "{}"), WrittenEvent("CustomerAttended", "{}")]


def test_events_come_on_the_bus_in_their_order(line: Line) -> None:
    line.bus.put(EVENTS)
    assert line.kinds() == ["CustomerHold", "CustomerAttended"]


@pytest.mark.parametrize("takes", [0, 1])
def test_no_event_follows_one_that_the_bus_did_not_take(line: Line, takes: int) -> None:
    line.let_through(takes)
    with pytest.raises(ServiceCallError):
        line.bus.put(EVENTS)
    assert line.kinds() == ["CustomerHold", "CustomerAttended"][:takes]


def test_an_event_names_the_console_as_its_source() -> None:
    client = Client()
    EventBridgeLenderBus(client, "lender", "dunning.console").put([WrittenEvent("CustomerHold", json.dumps({"a": 1}))])
    assert client.put == [
        {"EventBusName": "lender", "Source": "dunning.console", "DetailType": "CustomerHold", "Detail": '{"a": 1}'}
    ]


# ------------------------------------------------------------------ the switch


class Switch(SendingSwitch, SendingControl, Protocol):
    """The switch, to be read and turned."""


@pytest.fixture(params=["fake", "moto"])
def switch(request: pytest.FixtureRequest) -> Iterator[Switch]:
    if request.param == "fake":
        yield FakeSwitch()
        return
    with mock_aws():
        client = boto3.client("ssm", config=LEAN)
        client.put_parameter(Name="/d/sending", Value="on", Type="String", AllowedPattern="on|off")
        yield SsmSwitch(client, "/d/sending", FakeClock(), FakeTelemetry())


def test_who_turns_the_switch_sees_it_turned_at_once(switch: Switch) -> None:
    assert switch.is_on()
    for on in (False, False, True):
        switch.turn(on=on)
        assert switch.is_on() is on


def test_a_switch_that_does_not_turn_says_so() -> None:
    with mock_aws():
        client = boto3.client("ssm", config=LEAN)
        switch = SsmSwitch(client, "/d/sending", FakeClock(), FakeTelemetry())
        client.meta.events.register("before-call.ssm.PutParameter", _refuse)
        with pytest.raises(ServiceCallError):
            switch.turn(on=False)


def _refuse(**_: object) -> Any:  # noqa: ANN401 - what botocore takes for an answer
    class Answer:
        status_code = 400

    return Answer(), {"Error": {"Code": "AccessDeniedException", "Message": ""}}
