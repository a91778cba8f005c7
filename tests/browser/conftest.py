"""One console, one browser, and visitors; every test ends with a look at what the pages did."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from dunning.ports.sessions import Role
from tests.local.console import LocalConsole
from tests.support.browser import Place, Reception, browser_program, busiest, played_console, walk

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def console() -> Iterator[LocalConsole]:
    with played_console() as served:
        yield served


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only in the environment of `make browser`

    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_program(), args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _reception(chromium: Browser, console: LocalConsole) -> Reception:
    return Reception(chromium, console)


@pytest.fixture
def reception(_reception: Reception) -> Iterator[Reception]:
    yield _reception
    _reception.part()


@pytest.fixture(scope="session")
def places(_reception: Reception, console: LocalConsole) -> Mapping[str, list[Place]]:
    """Every page that links lead to, by the path of its route; each role walks by itself."""
    found: dict[str, list[Place]] = {}
    for role in Role:
        starts = [f"/customers/{customer_id}" for customer_id in busiest(console)]
        for path, reached in walk(_reception.visit(role), role, starts).items():
            found.setdefault(path, []).extend(reached)
    _reception.part()
    return found
