"""The carrier's list of numbers that want no texts: what the port promises, of the fake and of the services alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse
from moto.sns.models import sns_backends

from dunning.adapters.client import LEAN
from dunning.adapters.eum_opt_out_list import EumOptOutList
from dunning.adapters.opt_out_lists import OptOutLists
from dunning.adapters.sns_opt_out_list import SnsOptOutList
from dunning.domain.errors import ServiceCallError
from dunning.ports.gateways import OptOutList
from tests.local.channels.eum import EumOptOutsAtTheWire
from tests.local.channels.wire import Refusal
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, Work, error
from tests.support.fakes import FakeOptOutList

TOO_SOON = "Invalid parameter: Cannot opt in right now, latest opt in is too recent"


@dataclass
class Carrier:
    """The list seen through the port, a hand that puts numbers on it, and one that forbids taking any off."""

    opt_outs: OptOutList
    put_on: Callable[[list[str]], object]
    forbid: Callable[[], object]


@pytest.fixture
def sns(cloud: LocalCloud) -> SnsOptOutList:
    del cloud
    return SnsOptOutList(boto3.client("sns", config=LEAN))


@pytest.fixture(params=["fake", "moto", "eum"])
def carrier(request: pytest.FixtureRequest) -> Carrier:
    if request.param == "fake":
        fake = FakeOptOutList()
        return Carrier(
            fake,
            lambda numbers: setattr(fake, "numbers", numbers),
            lambda: fake.taken_off.extend(fake.numbers),
        )
    if request.param == "eum":
        client: Any = boto3.client("pinpoint-sms-voice-v2", config=LEAN)
        wire = EumOptOutsAtTheWire(client, "Reminders")
        return Carrier(
            EumOptOutList(client, "Reminders"),
            lambda numbers: setattr(wire, "numbers", numbers),
            lambda: wire.cannot_be_opted_in.update(wire.numbers),
        )
    cloud: LocalCloud = request.getfixturevalue("cloud")
    requests: Requests = request.getfixturevalue("requests")
    backend = sns_backends[cloud.stack.account][cloud.stack.region]
    return Carrier(
        request.getfixturevalue("sns"),
        lambda numbers: setattr(backend, "opt_out_numbers", numbers),
        lambda: requests.answer("sns.OptInPhoneNumber", error("InvalidParameter", 400, TOO_SOON)),
    )


def test_an_empty_list_names_nobody(carrier: Carrier) -> None:
    carrier.put_on([])
    assert list(carrier.opt_outs.opted_out()) == []


def test_every_number_on_the_list_is_named(carrier: Carrier) -> None:
    carrier.put_on(["+886900000001", "+886900000002"])
    assert list(carrier.opt_outs.opted_out()) == ["+886900000001", "+886900000002"]


def test_our_own_opt_out_is_on_the_list_once_however_often_it_is_written_where_the_service_takes_it(
    carrier: Carrier,
) -> None:
    carrier.put_on(["+886900000001"])
    for _ in range(2):
        carrier.opt_outs.opt_out("+886900000002")
    takes_none = isinstance(carrier.opt_outs, SnsOptOutList)
    expected = ["+886900000001"] if takes_none else ["+886900000001", "+886900000002"]
    assert list(carrier.opt_outs.opted_out()) == expected


class TestSeveralLists:
    """Of all services that send texts."""

    def test_name_the_numbers_of_all_and_take_a_number_off_all_even_if_the_first_refuses(self) -> None:
        first, second = FakeOptOutList(), FakeOptOutList()
        first.numbers, second.numbers = ["+886900000001"], ["+886900000001", "+886900000002"]
        lists = OptOutLists([first, second])
        assert sorted(lists.opted_out()) == ["+886900000001", "+886900000001", "+886900000002"]
        first.taken_off = ["+886900000001"]
        assert not lists.opt_in("+886900000001")
        assert (first.numbers, second.numbers) == (["+886900000001"], ["+886900000002"])

    def test_take_an_opt_out_on_each(self) -> None:
        first, second = FakeOptOutList(), FakeOptOutList()
        OptOutLists([first, second]).opt_out("+886900000003")
        assert first.numbers == second.numbers == ["+886900000003"]


def test_a_number_can_be_taken_off(carrier: Carrier) -> None:
    carrier.put_on(["+886900000001", "+886900000002"])
    assert carrier.opt_outs.opt_in("+886900000001")
    assert list(carrier.opt_outs.opted_out()) == ["+886900000002"]


def test_a_number_that_was_opted_in_a_short_while_ago_stays_on_the_list(carrier: Carrier) -> None:
    carrier.put_on(["+886900000001"])
    carrier.forbid()
    assert not carrier.opt_outs.opt_in("+886900000001")
    assert list(carrier.opt_outs.opted_out()) == ["+886900000001"]


class TestOnSns:
    """What only SNS can do."""

    def test_a_long_list_comes_in_pages(self, sns: SnsOptOutList, requests: Requests) -> None:
        def page(request: AWSPreparedRequest, work: Work) -> AWSResponse:
            del work
            second = "nextToken=more" in str(request.body)
            numbers = "<member>+886900000002</member>" if second else "<member>+886900000001</member>"
            more = "" if second else "<nextToken>more</nextToken>"
            body = (
                "<ListPhoneNumbersOptedOutResponse><ListPhoneNumbersOptedOutResult>"
                f"<phoneNumbers>{numbers}</phoneNumbers>{more}"
                "</ListPhoneNumbersOptedOutResult></ListPhoneNumbersOptedOutResponse>"
            )
            return AWSResponse(request.url, 200, HTTPHeaders(), MockRawResponse(body))

        requests.answer("sns.ListPhoneNumbersOptedOut", page)
        assert list(sns.opted_out()) == ["+886900000001", "+886900000002"]
        assert requests.sent == {"sns.ListPhoneNumbersOptedOut": 2}

    @pytest.mark.parametrize(
        ("code", "status", "message"),
        [
            ("InvalidParameter", 400, "Invalid parameter: PhoneNumber"),
            ("Throttled", 429, TOO_SOON),
            ("AuthorizationError", 403, ""),
            ("InternalError", 500, ""),
        ],
    )
    def test_any_other_refusal_is_an_error_that_names_its_code_and_no_number(
        self, sns: SnsOptOutList, requests: Requests, code: str, status: int, message: str
    ) -> None:
        requests.answer("sns.OptInPhoneNumber", error(code, status, f"{message} +886900000001"))
        requests.answer("sns.ListPhoneNumbersOptedOut", error(code, status, message))
        with pytest.raises(ServiceCallError, match=rf"^OptInPhoneNumber: {code}$"):
            sns.opt_in("+886900000001")
        with pytest.raises(ServiceCallError, match=rf"^ListPhoneNumbersOptedOut: {code}$"):
            list(sns.opted_out())


class TestOnEndUserMessaging:
    """What only End User Messaging can do."""

    @pytest.fixture
    def wire(self) -> tuple[EumOptOutsAtTheWire, EumOptOutList]:
        client: Any = boto3.client("pinpoint-sms-voice-v2", config=LEAN)
        return EumOptOutsAtTheWire(client, "Reminders", page=2), EumOptOutList(client, "Reminders")

    def test_a_long_list_comes_in_pages(self, wire: tuple[EumOptOutsAtTheWire, EumOptOutList]) -> None:
        service, opt_outs = wire
        service.numbers = [f"+88690000000{number}" for number in range(5)]
        assert list(opt_outs.opted_out()) == service.numbers
        assert len(service.asked) == 3

    def test_a_number_that_is_not_on_the_list_counts_as_taken_off(
        self, wire: tuple[EumOptOutsAtTheWire, EumOptOutList]
    ) -> None:
        assert wire[1].opt_in("+886900000001")

    @pytest.mark.parametrize(
        "refusal",
        [
            Refusal("ResourceNotFoundException", 400, {"ResourceType": "opt-out-list"}),
            Refusal("ValidationException", 400, {"Reason": "INVALID_PARAMETER"}),
            Refusal("AccessDeniedException", 400),
        ],
    )
    def test_any_other_refusal_is_an_error_that_names_its_code_and_no_number(
        self, wire: tuple[EumOptOutsAtTheWire, EumOptOutList], refusal: Refusal
    ) -> None:
        service, opt_outs = wire
        service.refusal = refusal
        with pytest.raises(ServiceCallError, match=rf"^DeleteOptedOutNumber: {refusal.code}$"):
            opt_outs.opt_in("+886900000001")
        with pytest.raises(ServiceCallError, match=rf"^DescribeOptedOutNumbers: {refusal.code}$"):
            list(opt_outs.opted_out())
