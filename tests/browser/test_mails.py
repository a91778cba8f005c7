"""Mails as a browser shows them: nothing leaves, nothing bars who reads by ear, and a telephone is wide enough."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import pytest

from dunning.domain.delivery.channels import Channel
from dunning.domain.texts.compose import AmountDue, ComposedText, compose
from tests.support.browser import NARROW
from tests.support.builders import IN_MAINLAND_CHINA, IN_THE_UNITED_STATES, a_customer, rules_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow(reason="a browser draws each mail"),
]

BROAD_MAIL = 720
PLACES: Mapping[str, Mapping[str, Any]] = {"zh-Hant": {}, "zh-Hans": IN_MAINLAND_CHINA, "en": IN_THE_UNITED_STATES}
CURRENCIES = {"zh-Hant": "TWD", "zh-Hans": "CNY", "en": "USD"}
DUE_ON = date(2026, 12, 5)
STAGES = (-3, 0, 3, 15)


def mail(language: str, stage: int, *, several: bool) -> ComposedText:
    facts = a_customer(**PLACES[language])
    due = AmountDue(
        total=99_999_999 if several else 325_000,
        instalments=12 if several else 1,
        late_fee=10_000 if several and stage > 0 else 0,
        currency=CURRENCIES[language],
        due_on=DUE_ON,
        tail="5678",
        others=several,
    )
    today = date.fromordinal(DUE_ON.toordinal() + stage)
    return compose(facts, rules_of(facts), stage, due, today, Channel.EMAIL)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, BROAD_MAIL])
@pytest.mark.parametrize("language", PLACES)
def test_a_mail_asks_for_nothing_fits_its_width_and_axe_finds_nothing(
    chromium: Browser, language: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only in the environment of `make browser`

    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    asked_for: list[str] = []
    context.on("request", lambda request: asked_for.append(request.url))
    page = context.new_page()
    for stage, several in product(STAGES, (False, True)):
        message = mail(language, stage, several=several)
        page.set_content(message.extras.html)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (stage, several)
        assert Axe().run(page).response["violations"] == [], (stage, several)
        shown = page.inner_text("[role=main]")
        assert message.values["amount"] in shown
        assert message.extras.preview not in page.inner_text("body")
    assert asked_for == []
    context.close()
