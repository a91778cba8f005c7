"""Headings: the names under which lenders' programs export our columns."""

from pathlib import Path

import pytest

from dunning.domain.customer.headings import plain_heading
from dunning.policy import PolicyError
from dunning.policy.column_files import load_headings
from dunning.policy.files import DataFile, toml_files
from dunning.services.intake.heading_line import UnknownColumnError, with_own_names
from dunning.services.intake.rows import COLUMNS
from tests.support.builders import the_policies


def test_every_language_that_ships_names_every_column() -> None:
    folder = Path(__file__).parents[3] / "layers/dunning/python/dunning/policy/data"
    for name, file in toml_files(folder, "columns").items():
        headings = load_headings({name: file})
        assert set(headings.values()) >= set(COLUMNS), name


@pytest.mark.parametrize(("heading", "column"), [("應繳日", "due_on"), ("虛擬帳號", "pay_account")])
def test_the_headings_that_ship_belong_to_columns(heading: str, column: str) -> None:
    assert with_own_names(the_policies().headings)[plain_heading(heading)] == column


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("電子郵件", "email"),  # a shop system's template of customers
        ("邮箱地址", "email"),  # an export of members
        ("Email_Opt_In_Date__c", "email_consented_at"),  # a field of a CRM
        ("email_consent_date", "email_consented_at"),
        ("Call_Opt_In_Date__c", "voice_consented_at"),
        ("call_consent_date", "voice_consented_at"),
        ("LINE UID", "line_user_id"),
    ],
)
def test_the_headings_of_other_systems_for_addresses_and_consents_belong_to_columns(heading: str, column: str) -> None:
    assert with_own_names(the_policies().headings)[plain_heading(heading)] == column


@pytest.mark.parametrize("heading", ["Email Opt In", "Accepts Email Marketing", "email_consent", "Call Consent"])
def test_a_column_of_yes_and_no_is_no_date_of_a_consent(heading: str) -> None:
    assert plain_heading(heading) not in with_own_names(the_policies().headings)


@pytest.mark.parametrize("heading", ["Due Date", "due_date", "DUE-DATE", "ｄｕｅ　ｄａｔｅ", " due date: "])
def test_case_spaces_and_signs_do_not_count(heading: str) -> None:
    assert the_policies().headings[plain_heading(heading)] == "due_on"


def test_a_lender_adds_headings_in_a_file_of_its_own() -> None:
    own = DataFile("columns/mine.toml", '[headings]\nphone = ["聯絡用手機"]\n')
    assert load_headings({"mine": own}) == {"聯絡用手機": "phone"}


def test_a_heading_of_two_columns_is_refused_with_its_place() -> None:
    ours = DataFile("columns/a.toml", '[headings]\nphone = ["number"]\n')
    mine = DataFile("columns/b.toml", '[headings]\naccount_number = ["Number"]\n')
    with pytest.raises(
        PolicyError, match=r"^columns/b\.toml:2: headings\.account_number: 'Number' is a heading of phone"
    ):
        load_headings({"a": ours, "b": mine})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[headings]\nphone = ["--"]\n', "no letter or digit"),
        ('[heading]\nphone = ["x"]\n', "is no key here"),
        ('[headings]\nphone = "x"\n', "valid list"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        load_headings({"a": DataFile("columns/a.toml", text)})


def test_a_heading_of_a_column_that_is_none_names_the_nearest() -> None:
    with pytest.raises(UnknownColumnError, match=r"headings\.fone: there is no such column; did you mean phone\?"):
        with_own_names({"x": "fone"})
