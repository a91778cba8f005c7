"""The control of trials: changed by one at a time, read some minutes late; of the fake and DynamoDB alike."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.trial_control_table import (
    DynamoTrialControlReader,
    DynamoTrialControls,
    control_from_json,
    control_to_json,
)
from dunning.domain.effect.strategies import EVERY_SEGMENT, Strategy, TrialWeights
from dunning.domain.effect.trial_control import KEPT_STRATEGIES, TrialControl
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.trial_books import TrialControlReader, TrialControlWriter
from tests.contract.conftest import BACKENDS, ENGINES, engine_of
from tests.support.aws_requests import Requests, error
from tests.support.fakes import FakeClock, FakeTelemetry, FakeTrialControls
from tests.support.stand_in import Aws

LENDER = "demo-tw"
WEIGHTS = TrialWeights(("a", "b", "c"), {EVERY_SEGMENT: (0.5, 0.25, 0.25), "new": (0.123457, 0.376543, 0.5)})


def strategy(week: int, trials: int = 1) -> Strategy:
    names = ["tone", *(f"tone{number}" for number in range(1, trials))]
    return Strategy(lender=LENDER, week=f"2026-W{week:02}", trials=dict.fromkeys(names, WEIGHTS))


CONTROL = TrialControl(
    lender=LENDER,
    version=1,
    strategies=(strategy(49), strategy(50)),
    paused={"tone": frozenset({"b", "c"}), "hours": frozenset({"18"})},
    stopped=frozenset({"quiet", "old"}),
    reasons={"tone": "unchanged"},
)


@dataclass
class Desk:
    """The control seen through both ports, a hand that damages it, and one that lets time pass."""

    book: TrialControlWriter
    reader: TrialControlReader
    spoil: Callable[[str], object]
    wait: Callable[[float], None]


@dataclass
class Dynamo:
    """Both adapters with their surroundings."""

    book: DynamoTrialControls
    reader: DynamoTrialControlReader
    clock: FakeClock
    telemetry: FakeTelemetry
    put: Callable[..., object]


def _on_dynamo(aws: Aws) -> Dynamo:
    client, table = boto3.client("dynamodb", config=LEAN), aws.stack.tally_table
    clock, telemetry = FakeClock(), FakeTelemetry()

    def put(lender: str, **attributes: Any) -> None:  # noqa: ANN401 - attributes of DynamoDB
        client.put_item(TableName=table, Item={"tally": {"S": "control"}, "part": {"S": lender}, **attributes})

    reader = DynamoTrialControlReader(client, table, clock, telemetry)
    return Dynamo(DynamoTrialControls(client, table), reader, clock, telemetry, put)


@pytest.fixture(params=BACKENDS)
def desk(request: pytest.FixtureRequest) -> Desk:
    if request.param == "fake":
        fake = FakeTrialControls()
        return Desk(fake, fake, fake.unreadable.add, lambda _: None)
    dynamo = _on_dynamo(engine_of(request))

    def spoil(lender: str) -> None:
        dynamo.put(lender, version={"N": "1"}, control={"S": "?"})

    return Desk(dynamo.book, dynamo.reader, spoil, dynamo.clock.sleep)


@pytest.fixture(params=ENGINES)
def dynamo(request: pytest.FixtureRequest) -> Dynamo:
    return _on_dynamo(engine_of(request))


def test_a_lender_of_whom_nothing_is_stored_has_an_empty_control(desk: Desk) -> None:
    assert desk.book.stored_control(LENDER) == desk.reader.control_of(LENDER) == TrialControl(lender=LENDER)


def test_what_is_published_is_read_as_it_was(desk: Desk) -> None:
    assert desk.book.publish(CONTROL, expected_version=0)
    assert desk.book.stored_control(LENDER) == desk.reader.control_of(LENDER) == CONTROL


def test_a_control_takes_the_place_of_the_version_that_was_read_and_of_no_other(desk: Desk) -> None:
    assert desk.book.publish(CONTROL, expected_version=0)
    assert not desk.book.publish(replace(CONTROL, stopped=frozenset()), expected_version=0)
    second = replace(CONTROL, version=2, paused={})
    assert desk.book.publish(second, expected_version=1)
    assert not desk.book.publish(replace(CONTROL, version=2), expected_version=1)
    assert desk.book.stored_control(LENDER) == second


def test_lenders_are_told_apart(desk: Desk) -> None:
    assert desk.book.publish(CONTROL, expected_version=0)
    other = TrialControl(lender="demo-hk", version=1, stopped=frozenset({"x"}))
    assert desk.book.publish(other, expected_version=0)
    assert desk.book.stored_control("demo-hk") == other
    assert desk.book.stored_control(LENDER) == CONTROL


def test_what_cannot_be_read_is_no_empty_control(desk: Desk) -> None:
    desk.spoil(LENDER)
    with pytest.raises(UnreadableRecordError):
        desk.book.stored_control(LENDER)
    assert desk.reader.control_of(LENDER) is None
    assert desk.reader.control_of("demo-hk") == TrialControl(lender="demo-hk")


def test_a_change_is_read_within_five_minutes(desk: Desk) -> None:
    desk.reader.control_of(LENDER)
    assert desk.book.publish(CONTROL, expected_version=0)
    desk.wait(300)
    assert desk.reader.control_of(LENDER) == CONTROL


class TakenBefore:
    """A lock that somebody else has had before it is taken for the first time."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._before = [work]

    def __enter__(self) -> None:
        if self._before:
            self._before.pop()()

    def __exit__(self, *_: object) -> None: ...


class TestOnDynamo:
    """What only a table can do."""

    def test_it_is_read_every_five_minutes_however_often_it_is_asked(self, dynamo: Dynamo, requests: Requests) -> None:
        read = [dynamo.reader.control_of(LENDER)]
        requests.clear()
        for _ in range(599):
            dynamo.clock.sleep(1)
            read.append(dynamo.reader.control_of(LENDER))
        assert requests.sent["dynamodb.GetItem"] == 1
        assert not any(call.get("ConsistentRead") for call in requests.of("dynamodb.GetItem"))
        assert len({id(control) for control in read}) == 1, "what has not changed is the same object"

    def test_threads_that_ask_at_once_read_once(self, dynamo: Dynamo, requests: Requests) -> None:
        with ThreadPoolExecutor(8) as pool:
            read = list(pool.map(dynamo.reader.control_of, [LENDER] * 64))
        assert requests.sent["dynamodb.GetItem"] == 1
        assert len({id(control) for control in read}) == 1

    def test_who_has_waited_for_another_reader_takes_what_that_one_has_read(
        self, dynamo: Dynamo, requests: Requests
    ) -> None:
        reader: Any = dynamo.reader
        reader._lock = TakenBefore(lambda: dynamo.reader.control_of(LENDER))  # noqa: SLF001 - no thread waits in time
        requests.clear()
        dynamo.reader.control_of(LENDER)
        assert requests.sent["dynamodb.GetItem"] == 1

    @pytest.mark.parametrize("hours_back", [0, 1])
    def test_a_clock_that_goes_back_trusts_nothing(self, dynamo: Dynamo, requests: Requests, hours_back: int) -> None:
        dynamo.reader.control_of(LENDER)
        dynamo.clock.sleep(-3600 * hours_back)
        dynamo.reader.control_of(LENDER)
        assert requests.sent["dynamodb.GetItem"] == 1 + hours_back

    def test_a_table_that_gives_no_answer_is_told_and_asked_again_after_half_a_minute(
        self, dynamo: Dynamo, requests: Requests
    ) -> None:
        assert dynamo.book.publish(CONTROL, expected_version=0)
        requests.answer("dynamodb.GetItem", error("AccessDeniedException"))
        assert dynamo.reader.control_of(LENDER) is None
        requests.let_all_through()
        dynamo.clock.sleep(29)
        assert dynamo.reader.control_of(LENDER) is None
        assert dynamo.telemetry.counts == {"TrialControlUnreadable": 1}
        assert dynamo.telemetry.events == [
            ("trial_control_unreadable", {"lender": LENDER, "code": "AccessDeniedException"})
        ]
        dynamo.clock.sleep(1)
        assert dynamo.reader.control_of(LENDER) == CONTROL

    def test_a_failure_after_an_answer_trusts_the_old_answer_no_longer(
        self, dynamo: Dynamo, requests: Requests
    ) -> None:
        assert dynamo.reader.control_of(LENDER) is not None
        requests.answer("dynamodb.GetItem", error("AccessDeniedException"))
        dynamo.clock.sleep(299)
        assert dynamo.reader.control_of(LENDER) is not None
        dynamo.clock.sleep(1)
        assert dynamo.reader.control_of(LENDER) is None

    def test_the_book_does_not_take_a_failed_call_for_an_empty_control(
        self, dynamo: Dynamo, requests: Requests
    ) -> None:
        requests.answer("dynamodb.GetItem", error("AccessDeniedException"))
        with pytest.raises(ServiceCallError, match=r"^GetItem: AccessDeniedException$"):
            dynamo.book.stored_control(LENDER)
        requests.answer("dynamodb.PutItem", error("AccessDeniedException"))
        with pytest.raises(ServiceCallError, match=r"^PutItem: AccessDeniedException$"):
            dynamo.book.publish(CONTROL, expected_version=0)

    def test_the_book_is_read_strongly_consistent(self, dynamo: Dynamo, requests: Requests) -> None:
        requests.clear()
        dynamo.book.stored_control(LENDER)
        assert [call["ConsistentRead"] for call in requests.of("dynamodb.GetItem")] == [True]

    @pytest.mark.parametrize(
        "attributes",
        [
            {},
            {"version": {"N": "1"}},
            {"version": {"N": "2"}, "control": {"S": control_to_json(CONTROL)}},
            {"version": {"N": "1"}, "control": {"S": control_to_json(replace(CONTROL, lender="demo-hk"))}},
            {"version": {"N": "0"}, "control": {"S": control_to_json(replace(CONTROL, version=0))}},
            {"version": {"N": "1.5"}, "control": {"S": control_to_json(CONTROL)}},
            {"version": {"S": "1"}, "control": {"S": control_to_json(CONTROL)}},
            {"version": {"N": "1"}, "control": {"B": b"x"}},
        ],
    )
    def test_an_item_that_is_not_what_is_written_here_is_not_read(
        self, dynamo: Dynamo, attributes: dict[str, Any]
    ) -> None:
        dynamo.put(LENDER, **attributes)
        with pytest.raises(UnreadableRecordError):
            dynamo.book.stored_control(LENDER)
        assert dynamo.reader.control_of(LENDER) is None
        assert dynamo.telemetry.events == [
            ("trial_control_unreadable", {"lender": LENDER, "code": "UnreadableRecordError"})
        ]

    def test_the_most_that_is_kept_fits_into_an_item(self, dynamo: Dynamo) -> None:
        """Nine weeks of strategies, each as large as one may be, several a week."""
        largest = [strategy(week, 30) for week in range(30, 30 + KEPT_STRATEGIES) for _ in range(4)]
        full = replace(CONTROL, strategies=tuple(largest))
        assert len(control_to_json(full)) > 36 * 2_500
        assert dynamo.book.publish(full, expected_version=0)
        assert dynamo.book.stored_control(LENDER) == full


TEXT = control_to_json(CONTROL)


def test_the_form_is_canonical_and_each_strategy_stands_beside_its_hash() -> None:
    written = json.loads(TEXT)
    assert json.dumps(written, sort_keys=True, separators=(",", ":")) == TEXT
    assert [each["version"] for each in written["strategies"]] == [each.version for each in CONTROL.strategies]
    assert control_from_json(TEXT) == CONTROL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0.25", "0.26"),
        ('"stopped":["old","quiet"]', '"stopped":["quiet","old"]'),
        ('"stopped":["old","quiet"]', '"stopped":["old","quiet","quiet"]'),
        ('"paused":{', '"paused": {'),
        ('"version":1', '"version":1.0'),
        ('"version":1', '"version":Infinity'),
        ('"lender":"demo-tw",', ""),
        ('"version":1', '"version":null'),
        ('"reasons":{"tone":"unchanged"}', '"reasons":[]'),
        ('"reasons":{"tone":"unchanged"}', f'"reasons":{"[" * 100_000}'),
        ('"paused":{"hours":["18"],"tone":["b","c"]}', '"paused":["tone"]'),
        ('"stopped":', '"new":0,"stopped":'),
        (CONTROL.strategies[0].version, CONTROL.strategies[1].version),
        ("2026-W49", "2026-W99"),
    ],
)
def test_a_control_that_was_changed_by_hand_is_refused(before: str, after: str) -> None:
    assert before in TEXT
    with pytest.raises(UnreadableRecordError, match=r"^control of trials: "):
        control_from_json(TEXT.replace(before, after))
