"""A manager uploads a file; everything else happens by itself, in the deployed stack."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from dunning.domain.delivery.contact import ContactState
from dunning.domain.effect.draws import SILENCE, draw_holdout, draws_from_text
from tests.e2e.deployed.deployment import STACK
from tests.e2e.deployed.trial_lender import CURT, CURT_WORDS, HOLDOUT, SALT, SHARE_HELD_OUT, WORDINGS
from tests.e2e.deployed.world import TICK_AT_MOST, TODAY, World, phone_of

pytestmark = pytest.mark.deployed


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Who was in the file."""

    due: list[dict[str, str]]
    not_due: list[dict[str, str]]
    refused: dict[str, str]
    name: str = "portfolio.csv"


def test_chance_holds_out_the_same_people_as_the_policy_says_and_gives_the_others_one_of_two_wordings(
    world: World, drawn: list[dict[str, str]]
) -> None:
    contacts, seen = world.contacts(), set()
    for person in drawn:
        (contact,) = contacts[person["customer_id"]]
        arms = {draw.trial: draw.arm for draw in draws_from_text(contact.draws)}
        texts = [sms["Message"] for sms in world.sms_to(phone_of(person))]
        held_out = draw_holdout(HOLDOUT, SALT, SHARE_HELD_OUT, person["customer_id"], 0).arm == SILENCE
        assert (arms[HOLDOUT] == SILENCE) is held_out
        if held_out:
            assert (contact.state, contact.text, texts) == (ContactState.HELD_OUT, "", [])
            seen.add(SILENCE)
        else:
            assert (contact.state, texts) == (ContactState.SENT, [contact.text])
            assert (CURT_WORDS in contact.text) is (arms[WORDINGS] == CURT)
            seen.add(arms[WORDINGS])
    assert len(seen) == 3


@pytest.fixture(scope="module")
def uploaded(world: World) -> Uploaded:
    """Upload a file and wait until the schedule has fired and everybody who is due was texted."""
    (refused,) = world.people(1)
    people = Uploaded(
        due=[*world.people(8), *world.people(4, due_on=TODAY + timedelta(days=3))],
        not_due=[
            *world.people(2, due_on=TODAY + timedelta(days=20)),
            *world.people(2, hold="dispute"),
            *world.people(2, paid_on="2026-02-01", paid_amount="3250"),
        ],
        refused={**refused, "due_on": "tomorrow"},
    )
    world.upload(people.name, [*people.due, *people.not_due, people.refused])
    world.say("uploaded; waiting for the schedule to fire")
    world.until(
        "the schedule fires and everybody due is texted",
        lambda: all(world.sms_to(phone_of(person)) for person in people.due),
        within=TICK_AT_MOST + 30,
    )
    world.settle()
    return people


def test_everybody_who_is_due_gets_one_text_by_the_schedule_alone(world: World, uploaded: Uploaded) -> None:
    assert {len(world.sms_to(phone_of(person))) for person in uploaded.due} == {1}
    assert world.ticks() >= 1


def test_nobody_else_gets_one(world: World, uploaded: Uploaded) -> None:
    assert not [person for person in (*uploaded.not_due, uploaded.refused) if world.sms_to(phone_of(person))]


def test_each_text_has_its_audit_record(world: World, uploaded: Uploaded) -> None:
    contacts = world.contacts()
    for person in uploaded.due:
        (sms,) = world.sms_to(phone_of(person))
        (contact,) = contacts[person["customer_id"]]
        assert (contact.state, contact.message_id) == (ContactState.SENT, sms["MessageId"])
        assert (contact.phone, contact.text) == (phone_of(person), sms["Message"])
        assert contact.reasons
    assert not contacts.keys() & {person["customer_id"] for person in (*uploaded.not_due, uploaded.refused)}


def test_a_text_says_which_kind_it_is_who_sends_it_and_what_it_may_cost(world: World, uploaded: Uploaded) -> None:
    (sms,) = world.sms_to(phone_of(uploaded.due[0]))
    assert {name: value["StringValue"] for name, value in sms["MessageAttributes"].items()} == {
        "AWS.SNS.SMS.SMSType": "Transactional",
        "AWS.MM.SMS.OriginationNumber": "+886900000100",
        "AWS.SNS.SMS.MaxPrice": "0.20",
    }


def test_the_manager_reads_which_row_was_refused_and_why(world: World, uploaded: Uploaded) -> None:
    written = world.rejects(uploaded.name)
    assert "tomorrow" not in written
    assert [
        (reject["customer_id"], reject["field"], reject["reason"]) for reject in csv.DictReader(io.StringIO(written))
    ] == [(uploaded.refused["customer_id"], "due_on", "not_a_date")]


def test_what_every_function_did_is_in_its_own_log_group_without_personal_data(
    world: World, uploaded: Uploaded
) -> None:
    private = re.compile(r"王|小明|示範|(0|886)910000\d{4}|9001-0000")
    for function in ("intake", "scanner", "sender"):
        lines = world.logged(function)
        assert lines
        assert not [line for line in lines if private.search(str(line))]
    decided = {line.get("customer_id") for line in world.logged("sender")}
    assert {person["customer_id"] for person in uploaded.due} <= decided


@pytest.mark.usefixtures("uploaded")
def test_no_job_and_no_tick_is_left_over(world: World) -> None:
    assert not world.messages("Reminders")
    assert not world.messages("TickDeadLetters")


def test_the_stand_in_enforces_what_users_may(world: World) -> None:
    with pytest.raises(ClientError, match="not authorized"):
        world.as_manager("dynamodb").scan(TableName=world.ids["CustomersTable"])
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        world.as_manager("s3").put_object(Bucket=world.ids["UploadsBucket"], Key="rejects/forged.csv", Body=b"")
    with pytest.raises(ClientError, match="not authorized"):
        world.as_manager("sns").publish(PhoneNumber="+886900000000", Message="not by a person")
    assert world.ids["SendingParameter"] == f"/{STACK}/sending"
