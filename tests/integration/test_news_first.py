"""After an outage of the table: who has said stop or has paid meanwhile is heard before anybody is texted."""

from datetime import timedelta

import pytest

from dunning.domain.customer.facts import Facts
from tests.integration.conftest import House
from tests.local.cloud import LenderEvent
from tests.support.aws_requests import error
from tests.support.people import NOW, someone

MINUTE = timedelta(minutes=1)


def _says_stop(house: House, person: Facts) -> None:
    house.cloud.reply({"originationNumber": person.phone, "messageBody": "STOP", "inboundMessageId": "in-1"})


def _pays(house: House, person: Facts) -> None:
    (account,) = person.accounts
    (instalment, *_) = account.instalments
    detail = {
        "schema_version": 1,
        "customer_id": person.customer_id,
        "at": house.cloud.clock.now().isoformat(),
        "account_id": account.account_id,
        "instalment_no": instalment.number,
        "paid": instalment.amount,
        "currency": account.currency,
    }
    house.cloud.lender_says(LenderEvent("InstalmentPaid", detail))


@pytest.mark.slow(reason="an outage of up to 45 minutes on moto, a tick each minute")
@pytest.mark.parametrize("minutes", [10, 45])
def test_nobody_is_texted_before_what_came_during_an_outage_has_been_taken_down(house: House, minutes: int) -> None:
    stops, pays, other = people = [someone(number) for number in (1, 2, 3)]
    house.add(*people)
    for person in people:
        house.store.add_address(person.phone, person.customer_id)
    house.requests.answer("dynamodb.PutItem", error("InternalServerError", 500))
    _says_stop(house, stops)
    _pays(house, pays)
    while house.cloud.clock.now() < NOW + minutes * MINUTE:
        house.cloud.clock.move_to(house.cloud.clock.now() + MINUTE)
        house.scan()
        for queue in ("sender", "replies", "lender_events"):
            house.cloud.drain(queue)
    assert house.cloud.outbox == []
    house.requests.let_all_through()

    while house.cloud.clock.now() < NOW + (minutes + 30) * MINUTE:
        house.cloud.clock.move_to(house.cloud.clock.now() + MINUTE)
        house.scan()
        for queue in ("sender", "replies", "lender_events"):  # the sender is always first
            house.cloud.drain(queue)
    assert house.standing(stops).is_opted_out
    assert [sms.to for sms in house.cloud.outbox] == [other.phone]
    assert not house.cloud.dead_letters()
    assert {fields["reason"] for event, fields in house.telemetry.events if event == "news_held_up"} == {"failed"}
