"""What a page says when something is wrong: what it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from dunning.console.routes import HOMES
from dunning.console.translations import LANGUAGES
from dunning.ports.sessions import Role, Viewer
from dunning.services.console.roles import may
from tests.support.browser import NARROW, Reception, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow(reason="the console that answers runs in this process")]


CALL = "_make_api_call"
"""Where every call of the SDK passes."""


@contextmanager
def throttled(*operations: str) -> Iterator[None]:
    """Let DynamoDB refuse some operations, whoever asks."""
    whole = getattr(BaseClient, CALL)

    def call(client: Any, operation: str, parameters: Any) -> Any:  # noqa: ANN401 - as botocore has it
        if operation in operations:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, operation)
        return whole(client, operation, parameters)

    with patch.object(BaseClient, CALL, call):
        yield


def assert_says(visitor: Visitor, key: str) -> None:
    alert = visitor.page.get_by_role("alert")
    assert visitor.words(key) in alert.inner_text()
    assert visitor.page.locator("html").get_attribute("lang") == visitor.language
    visitor.picture(f"{key}-{visitor.language}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_page_for_what_is_not_there(reception: Reception, language: str) -> None:
    visitor = reception.visit(Role.AGENT, language=language, width=NARROW)
    assert visitor.open("/nothing/here").status == 404
    assert_says(visitor, "problem.not_found")
    assert visitor.open("/customers/nobody").status == 404
    assert_says(visitor, "problem.no_customer")
    visitor.press(visitor.words("problem.back"))
    assert visitor.path() == next(path for act, path in HOMES if may(Viewer("jun.li", Role.AGENT), act))


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_page_for_what_a_role_may_not_see(reception: Reception, language: str) -> None:
    visitor = reception.visit(Role.AGENT, language=language)
    assert visitor.open("/today").status == 403
    assert_says(visitor, "problem.forbidden")


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_page_for_a_store_that_does_not_answer(reception: Reception, language: str) -> None:
    visitor = reception.visit(Role.MANAGER, language=language, scheme="dark")
    with throttled("GetItem", "Query", "BatchGetItem"):
        assert visitor.open("/today").status == 503
    assert_says(visitor, "problem.unavailable")


def test_nothing_is_shown_whose_look_cannot_be_written_down(reception: Reception) -> None:
    visitor = reception.visit(Role.MANAGER)
    visitor.open("/")
    with throttled("PutItem", "TransactWriteItems", "BatchWriteItem"):
        response = visitor.page.goto(visitor.page.url.replace(visitor.path(), "/customers/C0001"))
    assert response is not None
    assert response.status == 503
    assert_says(visitor, "problem.unavailable")


def test_a_form_of_another_login_does_nothing_and_says_so(reception: Reception) -> None:
    visitor = reception.visit(Role.AGENT)
    visitor.open("/find")
    visitor.page.locator("main input[name=token]").evaluate("field => { field.value = 'of another login' }")
    visitor.page.locator("#sought").fill("C0001")
    visitor.press(visitor.words("find.button"))
    assert_says(visitor, "problem.stale_form")


def test_a_login_that_was_not_begun_here_is_refused(reception: Reception) -> None:
    visitor = reception.visit()
    assert visitor.open("/callback?code=x&state=y").status == 403
    assert_says(visitor, "login.not_begun_here")


def test_a_refresh_that_fails_keeps_the_numbers_and_says_so(reception: Reception) -> None:
    visitor = reception.visit(Role.MANAGER)
    page = visitor.page
    page.clock.install()
    visitor.open("/today")
    refreshed = page.locator("[hx-trigger*='every']").first
    before = refreshed.locator("ul.tiles, table").first.inner_text()
    with throttled("GetItem", "Query", "BatchGetItem"), page.expect_response("**/today?**") as answered:
        page.clock.run_for(31_000)
    assert answered.value.status == 503
    page.get_by_text(visitor.words("problem.unavailable")).wait_for()
    assert refreshed.locator("ul.tiles, table").first.inner_text() == before
    visitor.picture("refresh-failed")
