"""A number on the carrier's list: what the list says of a customer, given what the customer has told us."""

from datetime import timedelta

import pytest

from dunning.domain.customer.standing import Standing
from dunning.domain.replies.carrier_opt_out import CarrierOptOut, carrier_opt_out
from tests.support.builders import a_standing
from tests.support.people import NOW

DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("standing", "consequence"),
    [
        (a_standing(), CarrierOptOut.OPT_OUT),
        (a_standing(opted_out_at=NOW - DAY), CarrierOptOut.NOTHING),
        (a_standing(opted_in_at=NOW), CarrierOptOut.TAKE_OFF_THE_LIST),
        (a_standing(opted_in_at=NOW - 2 * DAY + MOMENT), CarrierOptOut.TAKE_OFF_THE_LIST),
        (a_standing(opted_in_at=NOW - 2 * DAY), CarrierOptOut.OPT_OUT),
        (a_standing(opted_out_at=NOW - 9 * DAY, opted_in_at=NOW - DAY), CarrierOptOut.TAKE_OFF_THE_LIST),
        (a_standing(opted_out_at=NOW - 9 * DAY, opted_in_at=NOW - 5 * DAY), CarrierOptOut.OPT_OUT),
        (a_standing(opted_out_at=NOW - DAY, opted_in_at=NOW - 9 * DAY), CarrierOptOut.NOTHING),
    ],
)
def test_the_list_opts_out_whoever_has_not_opted_in_within_two_days(
    standing: Standing, consequence: CarrierOptOut
) -> None:
    assert carrier_opt_out(standing, NOW) is consequence
