"""Rungs on record, books, results and nights of trials: what the ports promise, of the fakes and of AWS alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.drawn_rung_table import KEEP_RUNGS, DynamoDrawnRungs
from dunning.adapters.dynamodb.trial_result_table import DynamoTrialResults
from dunning.adapters.s3_trial_books import S3TrialBooks
from dunning.domain.customer.lender_record import erase_record
from dunning.domain.effect.comparing import comparisons_of
from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.draws import SILENCE, TEXTED, Draw, Layer
from dunning.domain.effect.settling import Asked, OutcomeState, SideEffects, Spell, SpellOutcome
from dunning.domain.effect.sums import SettledSpell, sums_of
from dunning.domain.effect.trial_results import LearnedShare, SignSeen, TrialResult, TrialSign
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.customers import CustomerLook
from dunning.ports.erasure import DrawErasure
from dunning.ports.trial_books import DrawnRungLog, TrialBooks, TrialResultKeeper, TrialResults
from dunning.ports.trial_nights import (
    DrawClaim,
    DrawnRungWriter,
    DrawRemoval,
    KnownBooks,
    NightLog,
    NightProgress,
    RungRun,
)
from dunning.services.settle_trials import RUNGS_KEPT
from tests.contract.conftest import BACKENDS, Office, customers_in, engine_of
from tests.local.cloud import LocalCloud
from tests.support.builders import a_customer, a_lender_record
from tests.support.people import waking
from tests.support.trial_fakes import FakeDrawnRungs, FakeTrialBooks, FakeTrialResults
from tests.support.trial_nights import the_holdout

DAY = date(2026, 12, 1)
AT = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
LENDER = "demo-tw"


class Rungs(DrawnRungLog, DrawnRungWriter, DrawErasure, DrawRemoval, Protocol):
    """Four ports that are one table."""


class Books(TrialBooks, KnownBooks, Protocol):
    """Two ports that are one bucket."""


class Results(TrialResults, TrialResultKeeper, NightLog, Protocol):
    """Three ports that are one table."""


@dataclass
class Log:
    """The rungs on record through the ports, and a hand that damages an entry of the day."""

    rungs: Rungs
    spoil: Callable[[], None]


@pytest.fixture(params=BACKENDS)
def log(request: pytest.FixtureRequest) -> Log:
    if request.param == "fake":
        fake = FakeDrawnRungs()
        return Log(fake, lambda: fake.unreadable.add((LENDER, DAY)))
    stack, client = engine_of(request).stack, boto3.client("dynamodb", config=LEAN)

    def spoil() -> None:
        item: Any = {
            "tally": {"S": f"draws#{LENDER}#{DAY}"},
            "part": {"S": "0"},
            "draws": {"B": b"not packed"},
        }
        client.put_item(TableName=stack.tally_table, Item=item)

    return Log(DynamoDrawnRungs(client, stack.tally_table), spoil)


@pytest.fixture(params=BACKENDS)
def books(request: pytest.FixtureRequest) -> Books:
    if request.param == "fake":
        return FakeTrialBooks()
    bucket = engine_of(request).stack.books_bucket  # before the client, which finds the engine that is reached
    return S3TrialBooks(boto3.client("s3", config=LEAN), _emptied(bucket))


@pytest.fixture(params=BACKENDS)
def results(request: pytest.FixtureRequest) -> Results:
    if request.param == "fake":
        return FakeTrialResults()
    table = engine_of(request).stack.tally_table
    return DynamoTrialResults(boto3.client("dynamodb", config=LEAN), table)


def _emptied(bucket: str) -> str:
    client = boto3.client("s3")
    for stored in client.list_objects_v2(Bucket=bucket).get("Contents", []):
        client.delete_object(Bucket=bucket, Key=stored["Key"])
    return bucket


def a_rung(customer_id: str = "C1", **changes: object) -> DrawnRung:
    rung = DrawnRung(
        customer_id=customer_id,
        send_id=f"send-{customer_id}",
        at=AT + timedelta(microseconds=123_456),
        stage=-3,
        place="TW",
        channel="sms",
        draws="hquiet.text:0.95;ttone.kind:0.31",
        payer_segment="often-late",
        asked=(Asked("A-1 王", 3, 325_000), Asked("A-2", -1, 7)),
        parts=2,
        price_usd_micros=60_000,
    )
    return replace(rung, **changes)  # type: ignore[arg-type]


def a_run(*rungs: DrawnRung, first: int = 1, last: int = 5, claims: tuple[DrawClaim, ...] = ()) -> RungRun:
    return RungRun(
        lender=LENDER, day=DAY, shard="shard-1", first=first, last=last, as_of=AT, rungs=rungs, claims=claims
    )


def a_claim(customer_id: str = "C1", claim_id: str = "claim-1", *, is_released: bool = False) -> DrawClaim:
    return DrawClaim(customer_id, f"send-{customer_id}", claim_id, AT, is_released)


def spells(number: int, of: str = "C") -> list[SettledSpell]:
    outcomes = [
        SpellOutcome(state=OutcomeState.RUNNING),
        SpellOutcome(state=OutcomeState.LOST),
        SpellOutcome(state=OutcomeState.ERASED),
        SpellOutcome(
            state=OutcomeState.SETTLED, cured=True, days=3, side_effects=SideEffects(opted_out=True, promised=True),
            next_late=False,
        ),
        SpellOutcome(state=OutcomeState.SETTLED, paid_in_part=True, next_late=True),
    ]  # fmt: skip
    return [
        SettledSpell(
            Spell(
                customer_id=f"{of}{index:05d}",
                send_id=f"send-{index}",
                draws=(Draw(Layer.HOLDOUT, "quiet", (TEXTED, SILENCE)[index % 2], (0.8, 0.2)[index % 2]),),
                drawn_at=AT + timedelta(seconds=index),
                drawn_on=DAY,
                stage=(-3, 0, 3)[index % 3],
                goal_days=14,
                asked=(Asked(f"A{index}", 1, 325_000),),
                payer_segment=("new", "often-late")[index % 2],
                place="TW",
                channel=("sms", "none")[index % 2],
                parts=2,
                price_usd_micros=60_000,
            ),
            outcomes[index % len(outcomes)],
        )
        for index in range(number)
    ]


def a_result(number: int = 300, **changes: object) -> TrialResult:
    trial = the_holdout()
    sums = sums_of(spells(number))
    result = TrialResult(
        lender=LENDER,
        trial="quiet",
        layer="holdout",
        night=DAY,
        as_of=AT,
        starts_on=trial.starts_on,
        ends_on=trial.ends_on,
        goal_days=14,
        shares={TEXTED: 0.8, SILENCE: 0.2},
        stages=(-3, 0, 3),
        places=("TW",),
        drawn={TEXTED: 3, SILENCE: 1},
        running={TEXTED: 1, SILENCE: 0},
        comparisons=comparisons_of(trial, sums, DAY),
        harm_per_thousand={TEXTED: 1.5},
        signs=(SignSeen(TrialSign.SAMPLE_RATIO, stage=3, counted=120, off_by=0.1, p_value=0.0001),),
        paused=("loud",),
        is_stopped=True,
        learned=(LearnedShare("2026-W49", "new", {TEXTED: 0.5}, "moved"),),
        sums=sums,
    )
    return replace(result, **changes)  # type: ignore[arg-type]


def test_rungs_and_claims_come_back_as_they_were_kept_by_lender_and_day(log: Log) -> None:
    silent = a_rung("C2", channel="none", parts=0, asked=())
    log.rungs.keep_rungs(a_run(a_rung(), silent, claims=(a_claim(),)))
    found = log.rungs.rungs_of(LENDER, DAY)
    assert set(found.rungs) == {a_rung(), silent}
    assert found.claimed == {"send-C1"}
    for lender, day in ((LENDER, DAY + timedelta(days=1)), ("demo-hk", DAY)):
        assert log.rungs.rungs_of(lender, day) == (frozenset(), ())


def test_a_rung_that_comes_again_is_a_rung_once_however_its_run_is_cut(log: Log) -> None:
    log.rungs.keep_rungs(a_run(a_rung("C1"), a_rung("C2")))
    log.rungs.keep_rungs(a_run(a_rung("C1"), a_rung("C2")))
    log.rungs.keep_rungs(a_run(a_rung("C1"), last=1))
    log.rungs.keep_rungs(a_run(a_rung("C2"), first=2))
    assert sorted(rung.customer_id for rung in log.rungs.rungs_of(LENDER, DAY).rungs) == ["C1", "C2"]


def test_a_claim_that_was_released_is_none_and_one_that_was_made_again_is(log: Log) -> None:
    log.rungs.keep_rungs(a_run(claims=(a_claim(),)))
    log.rungs.keep_rungs(a_run(first=6, last=7, claims=(a_claim(is_released=True),)))
    assert log.rungs.rungs_of(LENDER, DAY).claimed == frozenset()
    log.rungs.keep_rungs(a_run(first=8, last=9, claims=(a_claim(claim_id="claim-2"),)))
    assert log.rungs.rungs_of(LENDER, DAY).claimed == {"send-C1"}


def test_a_run_of_any_size_is_kept(log: Log) -> None:
    """Ids of 128 letters, and eight accounts each: more than a megabyte."""
    long = [
        a_rung(f"{number:0128d}", asked=tuple(Asked(f"{number}-{place:0128d}", 1, 5) for place in range(8)))
        for number in range(800)
    ]
    log.rungs.keep_rungs(a_run(*long))
    assert len(log.rungs.rungs_of(LENDER, DAY).rungs) == 800


def test_a_day_with_an_entry_that_cannot_be_read_is_an_error_and_names_the_day(log: Log) -> None:
    log.rungs.keep_rungs(a_run(a_rung()))
    log.spoil()
    with pytest.raises(UnreadableRecordError, match=f"draws#{LENDER}#{DAY}"):
        log.rungs.rungs_of(LENDER, DAY)


def test_the_erased_leave_the_rungs_up_to_their_moment_and_others_stay(log: Log) -> None:
    later = a_rung("C1", send_id="later", at=AT + timedelta(hours=2))
    log.rungs.keep_rungs(a_run(a_rung("C1"), later, a_rung("C2"), claims=(a_claim("C1"), a_claim("C2", "claim-2"))))
    log.rungs.keep_rungs(a_run(a_rung("C1"), first=6, last=6))
    until = {"C1": AT + timedelta(hours=1)}
    assert log.rungs.remove_rungs(LENDER, DAY, until) == 2
    found = log.rungs.rungs_of(LENDER, DAY)
    assert {rung.send_id for rung in found.rungs} == {"later", "send-C2"}
    assert found.claimed == {"send-C2"}
    assert log.rungs.remove_rungs(LENDER, DAY, until) == 0


def test_a_mark_stays_until_it_is_worked_off_and_no_later_round_is_forgotten(log: Log) -> None:
    log.rungs.mark_draws("C1", AT, AT)
    (before,) = log.rungs.erased_draws()
    assert before == ("C1", AT, AT)
    log.rungs.mark_draws("C1", AT, AT + timedelta(minutes=15))
    log.rungs.draws_removed(before)
    (again,) = log.rungs.erased_draws()
    assert again.at == AT + timedelta(minutes=15)
    log.rungs.draws_removed(again)
    assert list(log.rungs.erased_draws()) == []


def test_rungs_expire_and_longer_than_the_night_looks_back(cloud: LocalCloud) -> None:
    DynamoDrawnRungs(boto3.client("dynamodb"), cloud.stack.tally_table).keep_rungs(a_run(a_rung()))
    (item,) = cloud.items(cloud.stack.tally_table)
    assert item["expires_at"] == {"N": str(int((AT + KEEP_RUNGS).timestamp()))}
    assert KEEP_RUNGS == RUNGS_KEPT


def test_what_a_stream_brings_in_a_window_is_a_kilobyte_or_a_few(cloud: LocalCloud) -> None:
    DynamoDrawnRungs(boto3.client("dynamodb"), cloud.stack.tally_table).keep_rungs(
        a_run(*(a_rung(f"C{number:08d}", asked=(Asked(f"A{number}", 1, 5000),)) for number in range(100)))
    )
    (item,) = cloud.items(cloud.stack.tally_table)
    assert len(item["draws"]["B"]) < 4 * 1024


def test_a_part_of_a_book_comes_back_as_it_was_written(books: Books) -> None:
    assert list(books.read_part(LENDER, "quiet", 7)) == []
    written = spells(2_000)
    books.write_part(LENDER, "quiet", 7, written)
    books.write_part(LENDER, "tone", 7, spells(3))
    assert list(books.read_part(LENDER, "quiet", 7)) == written
    assert list(books.read_part(LENDER, "quiet", 8)) == []
    books.write_part(LENDER, "quiet", 7, written[:1])
    assert list(books.read_part(LENDER, "quiet", 7)) == written[:1]
    assert sorted(books.books()) == [(LENDER, "quiet"), (LENDER, "tone")]


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[: len(packed) // 2],
        lambda _: b"not a book",
        lambda packed: packed[:20] + bytes([packed[20] ^ 255]) + packed[21:],
    ],
    ids=["cut off", "something else", "a bit turned"],
)
def test_a_part_that_is_damaged_is_an_error_and_is_named(cloud: LocalCloud, damage: Callable[[bytes], bytes]) -> None:
    client, bucket = boto3.client("s3"), cloud.stack.books_bucket
    books = S3TrialBooks(client, _emptied(bucket))
    books.write_part(LENDER, "quiet", 7, spells(500))
    key = f"books/{LENDER}/quiet/07.jsonl.gz"
    packed = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    client.put_object(Bucket=bucket, Key=key, Body=damage(packed))
    with pytest.raises(UnreadableRecordError, match=key):
        list(books.read_part(LENDER, "quiet", 7))


def test_the_same_spells_make_the_same_bytes(cloud: LocalCloud) -> None:
    client, bucket = boto3.client("s3"), cloud.stack.books_bucket
    books = S3TrialBooks(client, _emptied(bucket))
    tags = set()
    for _ in range(2):
        books.write_part(LENDER, "quiet", 7, spells(100))
        tags.add(client.head_object(Bucket=bucket, Key=f"books/{LENDER}/quiet/07.jsonl.gz")["ETag"])
    assert len(tags) == 1


def test_the_newest_result_of_each_trial_comes_back_whole_running_trials_first(results: Results) -> None:
    assert list(results.newest()) == []
    over = a_result(trial="old", ends_on=DAY - timedelta(days=1))
    elsewhere = a_result(40, lender="demo-hk")
    results.keep_result(over)
    results.keep_result(a_result(100))
    results.keep_result(a_result())
    results.keep_result(elsewhere)
    assert list(results.newest(LENDER)) == [a_result(), over]
    assert list(results.newest()) == [elsewhere, a_result(), over]


def test_the_lifts_of_a_trial_are_a_line_with_a_point_for_each_night(results: Results) -> None:
    nights = [DAY + timedelta(days=number) for number in range(3)]
    for night in (*nights, nights[-1]):
        results.keep_result(a_result(300, night=night))
    results.keep_result(a_result(trial="tone"))
    line = results.line_of(LENDER, "quiet")
    assert [point.night for point in line] == nights
    assert (line[0].arm, line[0].other) == (TEXTED, SILENCE)
    assert line[0].lift == a_result().comparisons[0].estimate.lift
    assert list(results.line_of("demo-hk", "quiet")) == []


def test_a_night_goes_on_where_it_stopped(results: Results) -> None:
    assert results.progress_of(LENDER) is None
    progress = NightProgress(lender=LENDER, night=DAY, before=DAY - timedelta(days=2), parts=frozenset({0, 63}))
    results.keep_progress(progress)
    results.keep_progress(replace(progress, lender="demo"))
    assert results.progress_of(LENDER) == progress
    results.keep_progress(replace(progress, is_finished=True))
    assert results.progress_of(LENDER) == replace(progress, is_finished=True)


def test_a_look_at_customers_tells_facts_standing_and_erasure_and_names_everybody(office: Office) -> None:
    facts = a_customer(customer_id="C1")
    assert office.customers.save_customer(
        a_lender_record(facts), waking(facts), expected_revision=0, expected_version=0
    )
    gone = a_customer(customer_id="C2")
    erased = erase_record(a_lender_record(gone), AT, AT)
    assert office.customers.save_lender_record(replace(erased, revision=1), expected_revision=0)
    looks = office.customers.look_at(["C1", "C2", "C3"], with_standings=True)
    first = looks["C1"]
    assert isinstance(first, CustomerLook)
    assert first.facts == facts
    assert first.standing is not None
    assert looks["C2"] == CustomerLook(None, None, AT)
    assert looks["C3"] == CustomerLook(None, None, None)
    alone = office.customers.look_at(["C1"], with_standings=False)["C1"]
    assert alone == CustomerLook(facts, None, None)
    office.spoil("C1")
    assert isinstance(office.customers.look_at(["C1"], with_standings=True)["C1"], UnreadableRecordError)


def test_a_look_reads_a_hundred_customers_in_a_call_at_half_the_price(cloud: LocalCloud) -> None:
    asked: list[Any] = []
    customers = customers_in(cloud)
    client: Any = customers._client  # noqa: SLF001 - what is asked of AWS
    client.meta.events.register(
        "provide-client-params.dynamodb.BatchGetItem", lambda params, **_: asked.append(params["RequestItems"])
    )
    customers.look_at([f"C{number}" for number in range(100)], with_standings=False)
    (request,) = asked
    assert request[cloud.stack.customers_table]["ConsistentRead"] is False
