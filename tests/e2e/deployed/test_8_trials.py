"""
A lender with two approved trials: what chance decided early in the run becomes results, by the night alone.

The customers have drawn at the beginning (`drawn`); their changes were counted while the chapters before were tested.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from dunning.adapters.dynamodb.drawn_rung_table import DynamoDrawnRungs
from dunning.adapters.dynamodb.trial_result_table import DynamoTrialResults
from dunning.adapters.s3_trial_books import S3TrialBooks
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.draws import SILENCE, TEXTED, draws_from_text
from dunning.domain.effect.keeping_books import BOOK_PARTS
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_results import TrialResult
from dunning.services.settle_trials import MARKS_KEPT
from tests.e2e.deployed.test_6_incoming import delivery_log
from tests.e2e.deployed.test_7_console import Browser, bearer
from tests.e2e.deployed.trial_lender import CURT, HOLDOUT, LENDER, WORDINGS
from tests.e2e.deployed.world import TODAY, World, phone_of

pytestmark = pytest.mark.deployed

type Person = dict[str, str]

FIRST_NIGHT, SECOND_NIGHT = (datetime(2026, 12, day, 22, 0, tzinfo=UTC) for day in (1, 2))
"""Six in the morning in Taipei, the day after the draws and the day after that: then their last day is over."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Customers who have drawn, by what they do the day after."""

    silent_payer: Person
    texted_payer: Person
    stopper: Person
    unreachable: Person
    listed: Person
    erased: Person


def arms_of(contact: Contact) -> dict[str, str]:
    """Return what was drawn, by trial."""
    return {draw.trial: draw.arm for draw in draws_from_text(contact.draws)}


def drawn_contacts(world: World, drawn: Sequence[Person]) -> dict[str, Contact]:
    """Return the record of what was drawn, by customer."""
    contacts = world.contacts()
    ids = [person["customer_id"] for person in drawn]
    return {each: next(contact for contact in contacts[each] if contact.draws) for each in ids}


def newest(world: World) -> Mapping[str, TrialResult]:
    """Return what the last night knows, by trial."""
    results = DynamoTrialResults(world.as_engineer("dynamodb"), world.ids["TallyTable"]).newest(LENDER)
    return {result.trial: result for result in results}


def rungs_table(world: World) -> DynamoDrawnRungs:
    return DynamoDrawnRungs(world.as_engineer("dynamodb"), world.ids["TallyTable"])


def booked(world: World, trial: str) -> list[SettledSpell]:
    """Return the book of a trial."""
    books = S3TrialBooks(world.as_engineer("s3"), world.outputs["BooksBucket"])
    return [spell for part in range(BOOK_PARTS) for spell in books.read_part(LENDER, trial, part)]


def owners_of(world: World, phone: str) -> list[str]:
    """Return the customers who have a number."""
    (found,) = (item for item in world.items("CustomersTable") if item["customer_id"]["S"] == f"phone#{phone}")
    return sorted(found["customers"]["SS"])


def run_night(world: World) -> None:
    """Invoke the night as its schedule does."""
    assert world.invoke("EffectFunction", {}) == {"is_whole": True}


@pytest.fixture(scope="module")
def cast(world: World, drawn: Sequence[Person]) -> Cast:
    """Wait for the rungs on record, and give everybody a part."""
    ids = {person["customer_id"] for person in drawn}

    def are_on_record() -> bool:
        rungs = rungs_table(world).rungs_of(LENDER, TODAY)
        return {rung.customer_id for rung in rungs.rungs} == ids and len(rungs.claimed) == len(ids)

    world.until("the rungs are on record", are_on_record, within=150)
    contacts = drawn_contacts(world, drawn)
    silent = [person for person in drawn if contacts[person["customer_id"]].state is ContactState.HELD_OUT]
    texted = [person for person in drawn if person not in silent]
    return Cast(silent[0], *texted[:5])


@pytest.fixture(scope="module")
def first_night(world: World, cast: Cast) -> Mapping[str, TrialResult]:
    """Run the night before anything has come of the draws."""
    del cast
    world.advance_until(FIRST_NIGHT)
    world.say("a night before anything is settled")
    run_night(world)
    return newest(world)


@pytest.fixture(scope="module")
def second_night(
    world: World, cast: Cast, drawn: Sequence[Person], first_night: Mapping[str, TrialResult]
) -> Mapping[str, TrialResult]:
    """Let customers pay, opt out and be unreachable the day after, and run the night in which that is settled."""
    del first_night
    world.say("customers of the trials pay, opt out, and cannot be reached")
    for payer in (cast.silent_payer, cast.texted_payer):
        world.tell(
            "InstalmentPaid",
            customer_id=payer["customer_id"],
            sequence=1,
            account_id=payer["account_id"],
            instalment_no=1,
            paid=325_000,
            currency="TWD",
        )
    world.reply(cast.stopper, "STOP")
    contact = drawn_contacts(world, drawn)[cast.unreachable["customer_id"]]
    world.report(
        delivery_log(cast.unreachable, contact, contact.message_id, "Invalid phone number", delivered=False),
        failed=True,
    )
    world.folders.opted_out.write_text(json.dumps([phone_of(cast.listed)]), "utf-8")
    world.invoke("HousekeepingFunction", {"task": "sync_opt_outs"})

    def has_happened() -> bool:
        standings = world.standings()
        paid = (standings[payer["customer_id"]] for payer in (cast.silent_payer, cast.texted_payer))
        opted_out = (standings[person["customer_id"]] for person in (cast.stopper, cast.listed))
        return (
            all(standing.wake is None for standing in paid)
            and all(standing.is_opted_out for standing in opted_out)
            and "sms" in standings[cast.unreachable["customer_id"]].suspended
        )

    world.until("all of that has happened", has_happened)
    world.advance_until(SECOND_NIGHT)
    world.say("a night after the last day")
    run_night(world)
    return newest(world)


def test_the_tally_keeps_each_rung_with_its_draw_and_its_claim(
    world: World, drawn: Sequence[Person], cast: Cast
) -> None:
    del cast
    contacts = drawn_contacts(world, drawn)
    rungs = rungs_table(world).rungs_of(LENDER, TODAY)
    assert {rung.customer_id: (rung.send_id, rung.draws, rung.channel) for rung in rungs.rungs} == {
        each: (contact.send_id, contact.draws, "none" if contact.state is ContactState.HELD_OUT else "sms")
        for each, contact in contacts.items()
    }
    assert rungs.claimed == {contact.send_id for contact in contacts.values()}


def test_a_night_counts_what_was_drawn_and_settles_nothing_before_its_last_day_is_over(
    world: World, drawn: Sequence[Person], first_night: Mapping[str, TrialResult]
) -> None:
    contacts = drawn_contacts(world, drawn)
    for trial in (HOLDOUT, WORDINGS):
        arms = [arms_of(contact).get(trial) for contact in contacts.values()]
        result = first_night[trial]
        assert result.night == TODAY + timedelta(days=1)
        assert result.drawn == {arm: arms.count(arm) for arm in result.shares}
        assert result.running == result.drawn
        assert result.signs == ()


def test_the_books_hold_each_customer_once_however_often_they_are_written(
    world: World, drawn: Sequence[Person], second_night: Mapping[str, TrialResult]
) -> None:
    del second_night
    ids = sorted(each.spell.customer_id for each in booked(world, HOLDOUT))
    assert ids == sorted(person["customer_id"] for person in drawn)
    stored = world.as_engineer("s3").list_objects_v2(Bucket=world.outputs["BooksBucket"])["Contents"]
    assert {each["Key"].rpartition("/")[0] for each in stored} == {
        f"books/{LENDER}/{trial}" for trial in (HOLDOUT, WORDINGS)
    }


def test_a_night_after_the_last_day_knows_who_has_paid_with_a_text_and_without(
    world: World, drawn: Sequence[Person], second_night: Mapping[str, TrialResult]
) -> None:
    contacts = drawn_contacts(world, drawn)
    arms = [arms_of(contact)[HOLDOUT] for contact in contacts.values()]
    result = second_night[HOLDOUT]
    assert (result.night, set(result.running.values()), result.signs) == (TODAY + timedelta(days=2), {0}, ())
    whole = result.comparisons[0].estimate
    assert (whole.arm.cure_rate, whole.other.cure_rate) == (1 / arms.count(TEXTED), 1 / arms.count(SILENCE))
    assert (whole.arm.customers, whole.other.customers) == (arms.count(TEXTED), arms.count(SILENCE))
    wordings = second_night[WORDINGS]
    assert sum(wordings.drawn.values()) == arms.count(TEXTED)
    assert wordings.drawn[CURT] == sum(arms_of(contact).get(WORDINGS) == CURT for contact in contacts.values())


def test_a_program_reads_the_results_and_nobody_without_the_scope(
    world: World, second_night: Mapping[str, TrialResult]
) -> None:
    browser = Browser(world)
    assert browser.get("/api/trials").status == 401
    assert browser.get("/api/trials", **bearer(world, scope="dunning/audit")).status == 403
    answer = browser.get(f"/api/trials?lender={LENDER}", **bearer(world))
    assert answer.status == 200
    trials = {trial["trial"]: trial for trial in answer.json["trials"]}
    assert trials.keys() == second_night.keys() == {HOLDOUT, WORDINGS}
    estimate = second_night[HOLDOUT].comparisons[0].estimate
    read = trials[HOLDOUT]["comparisons"][0]["estimate"]
    assert (read["arm"]["cure_rate"], read["lift"]) == (estimate.arm.cure_rate, estimate.lift)
    assert trials[HOLDOUT]["night"] == second_night[HOLDOUT].night.isoformat()


def test_a_manager_sees_the_trials_and_an_agent_does_not(world: World, second_night: Mapping[str, TrialResult]) -> None:
    browser = Browser(world)
    browser.log_in("managers")
    page = browser.get(f"/trials?lender={LENDER}")
    assert page.status == 200
    for trial in second_night:
        assert f"/trials/{LENDER}/{trial}" in page.body
        assert browser.get(f"/trials/{LENDER}/{trial}").status == 200
    silent = second_night[HOLDOUT].comparisons[0].estimate.other.customers
    assert f"{silent} customers without texts" in browser.get(f"/trials/{LENDER}/{HOLDOUT}").body
    browser = Browser(world)
    browser.log_in("agents")
    assert browser.get("/trials").status == 403


def test_the_page_of_a_held_out_customer_says_that_chance_left_the_text_out(
    world: World, cast: Cast, second_night: Mapping[str, TrialResult]
) -> None:
    del second_night
    browser = Browser(world)
    browser.log_in("legal")
    looked = browser.get(f"/customers/{cast.silent_payer['customer_id']}")
    assert looked.status == 200
    assert "left out by a trial" in looked.body


def test_of_whom_was_erased_neither_rungs_nor_books_nor_the_notes_of_colleagues_are_left(
    world: World, cast: Cast, drawn: Sequence[Person], second_night: Mapping[str, TrialResult]
) -> None:
    del second_night
    erased = cast.erased["customer_id"]
    browser = Browser(world)
    browser.log_in("agents")
    noted = browser.post(f"/waiting/{erased}/note", text="wants to be left alone", token=browser.token)
    assert noted.status == 303
    (other,) = world.people(1, lender=LENDER, due_on=TODAY + timedelta(days=40))
    world.load("same_number.csv", [{**other, "phone": cast.erased["phone"]}])
    assert owners_of(world, phone_of(cast.erased)) == sorted([erased, other["customer_id"]])
    world.tell("CustomerErased", customer_id=erased)
    world.until("the night is told", lambda: erased in {mark.customer_id for mark in rungs_table(world).erased_draws()})
    world.until("the note is gone", lambda: "left alone" not in json.dumps(list(world.items("ConsoleTable"))))
    world.until(
        "the number is the other's alone", lambda: owners_of(world, phone_of(cast.erased)) == [other["customer_id"]]
    )
    (mark,) = [mark for mark in rungs_table(world).erased_draws() if mark.customer_id == erased]
    world.say("an erasure is worked off")
    run_night(world)
    assert erased not in {rung.customer_id for rung in rungs_table(world).rungs_of(LENDER, TODAY).rungs}
    for trial in (HOLDOUT, WORDINGS):
        book = booked(world, trial)
        assert erased not in repr(book)
        assert cast.erased["account_id"] not in repr(book)
    assert len(booked(world, HOLDOUT)) == len(drawn)  # the counts of arms stay as they were
    # A change stream may bring a rung of theirs for two days. After them the mark goes, too.
    world.advance(MARKS_KEPT)
    run_night(world)
    assert mark not in rungs_table(world).erased_draws()


def test_nothing_that_a_night_logs_names_anybody(world: World, drawn: Sequence[Person]) -> None:
    written = json.dumps(world.logged("effect"))
    assert written
    assert not [person for person in drawn if person["customer_id"] in written or phone_of(person) in written]
