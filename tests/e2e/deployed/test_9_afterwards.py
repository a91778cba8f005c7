"""Looking back at the whole run: what was promised to customers, and what each role may and does."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from dunning.domain.delivery.contact import Contact, ContactState
from tests.e2e.deployed import grants
from tests.e2e.deployed.world import FUNCTIONS, TICK_AT_MOST, World

pytestmark = pytest.mark.deployed

TWO_IN_TAIPEI = 6


@pytest.fixture(scope="module")
def contacts(world: World) -> dict[str, list[Contact]]:
    """Let some days pass, so that whoever is still due is texted again, and return all records."""
    world.advance_to(TWO_IN_TAIPEI)
    for _ in range(2):
        world.say("a day passes")
        world.advance(timedelta(days=1))
        # A tick enqueues no more than can be sent before the next.
        world.tick()
        world.settle(within=90)
    return world.contacts()


def _all(contacts: dict[str, list[Contact]]) -> Iterator[Contact]:
    return (contact for of in contacts.values() for contact in of)


def test_the_days_that_passed_have_brought_new_texts(contacts: dict[str, list[Contact]]) -> None:
    assert max(map(len, contacts.values())) >= 2


def test_there_are_never_two_texts_for_one_send_id(world: World, contacts: dict[str, list[Contact]]) -> None:
    assert max(Counter((contact.customer_id, contact.send_id) for contact in _all(contacts)).values()) == 1
    for phone, texts in world.stand_in.sms().items():
        claimed = [contact for contact in _all(contacts) if contact.phone == phone or _was_theirs(contact, phone)]
        died = sum(contact.code == "sender_crashed" for contact in _of_same_customers(contacts, claimed, phone))
        assert len(texts) <= len(claimed) + died
        assert max(Counter(text["Message"] for text in texts).values()) == 1


def _was_theirs(contact: Contact, phone: str) -> bool:
    """Tell whether a record of an erased customer was of a text to this number."""
    return not contact.text and bool(contact.template) and contact.customer_id == f"C-{phone[-4:]}"


def _of_same_customers(contacts: dict[str, list[Contact]], claimed: list[Contact], phone: str) -> Iterator[Contact]:
    """Yield the records of a number's customer; a sender that died could not write down the number."""
    customers = {contact.customer_id for contact in claimed} or {f"C-{phone[-4:]}"}
    return (contact for customer in customers for contact in contacts.get(customer, ()))


def test_every_text_sns_took_is_in_the_audit_table_or_settled_as_unknown(
    world: World, contacts: dict[str, list[Contact]]
) -> None:
    recorded = {contact.message_id for contact in _all(contacts) if contact.message_id}
    unknown = Counter(contact.customer_id for contact in _all(contacts) if contact.state is ContactState.UNKNOWN)
    for phone, texts in world.stand_in.sms().items():
        without_record = [text for text in texts if text["MessageId"] not in recorded]
        assert len(without_record) <= unknown[f"C-{phone[-4:]}"]
    taken = {text["MessageId"] for texts in world.stand_in.sms().values() for text in texts}
    assert recorded <= taken


def test_no_cap_is_exceeded(contacts: dict[str, list[Contact]]) -> None:
    for of in contacts.values():
        times = [contact.at for contact in of if contact.stage is not None]  # a confirmation is no reminder
        assert all(later - earlier >= timedelta(hours=24) for earlier, later in pairwise(times))
        assert all(later - earlier >= timedelta(days=7) for earlier, later in zip(times, times[3:], strict=False))


def test_the_schedule_ticked_before_the_updates_and_goes_on_after_them(world: World) -> None:
    first, last = world.deployments[0], world.deployments[-1]
    world.until("the schedule fires", lambda: world.scheduled()[-1] > last, within=TICK_AT_MOST)
    assert first < world.scheduled()[0]
    assert first < last


def test_texts_without_a_delivery_receipt_for_three_days_are_closed(
    world: World, contacts: dict[str, list[Contact]]
) -> None:
    unknown = {contact.claim_id for contact in _all(contacts) if contact.state is ContactState.UNKNOWN}
    assert unknown
    world.invoke("HousekeepingFunction", {"task": "close_unknown"})
    after = {contact.claim_id: contact.state for contact in _all(world.contacts())}
    assert {after[claim_id] for claim_id in unknown} == {ContactState.UNCONFIRMED}


def test_what_has_changed_was_counted_by_way_of_the_streams(world: World) -> None:
    world.until("changes are counted", lambda: bool(world.counted()), within=150)
    assert any(name.startswith("sent") for name in world.counted())


def test_a_census_counts_everybody_and_makes_one_sum_of_each_day_that_is_over(world: World) -> None:
    before = world.counted()
    assert "sum" not in before
    world.invoke("HousekeepingFunction", {"task": "take_census"})
    assert any(line.get("message") == "census_taken" for line in world.logged("housekeeping"))
    assert "sum" in world.counted()


@pytest.mark.parametrize("function", FUNCTIONS)
class TestTheRoleOf:
    """A function may do what it does, and nothing else."""

    def test_is_enough_for_every_call(self, world: World, function: str) -> None:
        assert not grants.missing(world, function)
        assert not grants.refused(world, function)

    def test_grants_nothing_that_is_never_used(self, world: World, function: str) -> None:
        assert not grants.unused(world, function)
