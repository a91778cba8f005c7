"""`make sms-settings`: what the account is, beside what the policies need; nothing is set unless asked for."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from dunning.policy import load_policies
from ops import sms_settings
from ops.sms_settings import Check, Need, Wanted, apply, changes, identities, needs_of, opted_out, sandbox
from tests.unit.ops.conftest import ROLE, STACK, Deployed

FEE = Decimal("0.05")
GOOD = {
    "DefaultSMSType": "Transactional",
    "MonthlySpendLimit": "500",
    "DeliveryStatusIAMRole": ROLE,
    "DeliveryStatusSuccessSamplingRate": "100",
}


@pytest.fixture
def sns() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("sns")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def _settings(found: dict[str, str], wanted: Wanted) -> dict[str, Check]:
    return {check.what: check for check in sms_settings.settings(found, wanted, FEE)}


class TestTheSettings:
    """What SNS lets one set."""

    def test_of_a_new_account_are_all_to_do(self) -> None:
        checks = _settings({}, Wanted(500, ROLE))
        assert {check.status for check in checks.values()} == {"to do"}
        assert checks["spend limit"].found == "$1 a month, 20 segments at $0.05"
        assert "500" in checks["spend limit"].todo

    def test_as_wanted_are_ok(self) -> None:
        assert {check.status for check in _settings(GOOD, Wanted(500, ROLE)).values()} == {"ok"}
        assert changes(GOOD, Wanted(500, ROLE)) == {}

    def test_nobody_has_said_a_limit_for_cannot_be_judged(self) -> None:
        assert _settings(GOOD, Wanted())["spend limit"].status == "cannot tell"
        assert _settings(GOOD, Wanted())["role for delivery logs"].status == "ok"
        assert _settings({}, Wanted())["role for delivery logs"].status == "to do"

    def test_change_only_where_they_differ(self) -> None:
        assert changes({**GOOD, "DefaultSMSType": "Promotional"}, Wanted(500, ROLE)) == {
            "DefaultSMSType": "Transactional"
        }
        assert changes({**GOOD, "MonthlySpendLimit": "0500"}, Wanted(500)) == {}
        assert changes(GOOD, Wanted(sender_id="DEMOFIN")) == {"DefaultSenderID": "DEMOFIN"}

    def test_one_that_is_refused_does_not_hold_up_the_others(self, sns: tuple[Any, Stubber]) -> None:
        client, stub = sns
        stub.add_response("get_sms_attributes", {"attributes": {}})
        stub.add_response("set_sms_attributes", {}, {"attributes": {"DefaultSMSType": "Transactional"}})
        stub.add_client_error("set_sms_attributes", "InvalidParameter", "Invalid limit")
        assert apply(client, Wanted(10_000)) == {"MonthlySpendLimit": "Invalid limit"}


class TestTheAccount:
    """What only AWS Support or a carrier can change."""

    @pytest.mark.parametrize(("inside", "status"), [(True, "to do"), (False, "ok")])
    def test_is_in_the_sandbox_or_has_left_it(
        self,
        sns: tuple[Any, Stubber],
        inside: bool,  # noqa: FBT001
        status: str,
    ) -> None:
        client, stub = sns
        stub.add_response("get_sms_sandbox_account_status", {"IsInSandbox": inside})
        assert sandbox(client).status == status

    def test_may_not_let_us_ask(self, sns: tuple[Any, Stubber]) -> None:
        client, stub = sns
        stub.add_client_error("get_sms_sandbox_account_status", "AuthorizationError")
        assert sandbox(client) == Check(
            "cannot tell", "SMS sandbox", "AuthorizationError", "may these credentials ask that?"
        )

    def test_has_opted_out_numbers_that_are_counted_and_never_shown(self, sns: tuple[Any, Stubber]) -> None:
        client, stub = sns
        stub.add_response("list_phone_numbers_opted_out", {"phoneNumbers": ["+886900000001"] * 100, "nextToken": "n"})
        stub.add_response("list_phone_numbers_opted_out", {"phoneNumbers": ["+886900000002"]}, {"nextToken": "n"})
        assert opted_out(client) == Check("ok", "opted out at SNS", "101 numbers")


class TestTheIdentities:
    """Numbers, senders and templates that the policies name."""

    NUMBER = Need(
        lender="demo-tw",
        country="US",
        sender_id="",
        origination_number="+18005550100",
        entity_id="",
        templates=0,
        registered_sender=False,
    )
    SENDER = Need(
        lender="demo-tw",
        country="HK",
        sender_id="#DEMO",
        origination_number="",
        entity_id="",
        templates=0,
        registered_sender=True,
    )
    TEMPLATES = Need(
        lender="demo-cn",
        country="CN",
        sender_id="",
        origination_number="",
        entity_id="ENTITY",
        templates=24,
        registered_sender=False,
    )

    def _numbers(self, stub: Stubber, *numbers: tuple[str, str]) -> None:
        stub.add_response(
            "list_origination_numbers",
            {"PhoneNumbers": [{"PhoneNumber": number, "Status": status} for number, status in numbers]},
        )

    @pytest.mark.parametrize(
        ("numbers", "status"),
        [
            ([("+18005550100", "Active")], "ok"),
            ([("18005550100", "ACTIVE")], "ok"),
            ([("+18005550100", "Pending")], "to do"),
            ([("+18005550199", "Active")], "to do"),
            ([], "to do"),
        ],
        ids=["ours", "written otherwise", "not active yet", "another", "none"],
    )
    def test_a_number_has_to_be_the_accounts_and_active(
        self, sns: tuple[Any, Stubber], numbers: list[tuple[str, str]], status: str
    ) -> None:
        client, stub = sns
        self._numbers(stub, *numbers)
        (check,) = identities(client, [self.NUMBER])
        assert check.status == status
        assert check.what == "demo-tw in US: number"

    def test_senders_and_templates_are_a_registrys_business(self, sns: tuple[Any, Stubber]) -> None:
        client, stub = sns
        self._numbers(stub)
        checks = list(identities(client, [self.SENDER, self.TEMPLATES]))
        assert [check.status for check in checks] == ["cannot tell", "cannot tell"]
        assert "registry" in checks[0].todo
        assert "24 templates" in checks[1].found

    def test_a_sender_that_is_demanded_and_not_named_is_to_do(self, sns: tuple[Any, Stubber]) -> None:
        client, stub = sns
        self._numbers(stub)
        (check,) = identities(client, [replace(self.SENDER, sender_id="")])
        assert check.status == "to do"

    def test_are_asked_of_every_country_a_policy_names(self) -> None:
        book = load_policies()
        needs = list(needs_of(book))
        assert {(need.lender, need.country) for need in needs} == {
            (name, code) for name, lender in book.lenders.items() for code in lender.policy.countries
        }
        assert any(need.templates for need in needs if need.country == "CN")


class TestTheCommand:
    """On an emulated account, which does not know the sandbox."""

    def test_looks_first_and_then_sets_and_reads_again(
        self, stack: Deployed, capsys: pytest.CaptureFixture[str]
    ) -> None:
        del stack
        arguments = ["--stack", STACK, "--spend-limit", "500"]
        client = boto3.client("sns")
        assert sms_settings.main(arguments) == 1
        assert "Nothing was changed" in capsys.readouterr().out
        assert not client.get_sms_attributes()["attributes"]
        # The policies name a number nobody here has; the rest can be set.
        assert sms_settings.main([*arguments, "--apply"]) in {0, 1}
        out = capsys.readouterr().out
        assert "What could be set is set" in out
        assert "ok     spend limit" in out
        assert "?      SMS sandbox" in out
        assert client.get_sms_attributes()["attributes"] == GOOD

    def test_refuses_nonsense(self, stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
        del stack
        assert sms_settings.main(["--stack", "nowhere"]) == 2
        assert "nowhere" in capsys.readouterr().err
        with pytest.raises(SystemExit):
            sms_settings.main(["--sender-id", "much too long a name"])
