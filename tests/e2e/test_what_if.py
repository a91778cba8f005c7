"""A what-if sends what the local run sends: text by text, to the minute, for people who do nothing and for payers."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.courses import AssumedPayment
from dunning.services.intake.table import file_form
from dunning.services.what_if import PlayedUnder, course_of
from tests.local.policies import load
from tests.local.runner import begin_of, run
from tests.local.sample import sample_file
from tests.local.what_if_portfolio import WhatIfPortfolio, from_file

pytestmark = pytest.mark.slow(reason="plays 45 days of a lender on the embedded AWS")

START = date(2026, 11, 16)
DAYS = 45
EVERY = 6
"""Of the sample's customers each sixth is played: people of all places, and all kinds."""


class Text(NamedTuple):
    """A text as it leaves."""

    to: str
    minute: str
    text: str


def some_of_the_sample(*, paying: bool) -> bytes:
    """Return the sample with a part of its customers, without their later payments unless they pay."""
    rows = list(csv.DictReader(io.StringIO(sample_file(START).decode("utf-8-sig"))))
    chosen = sorted({row["customer_id"] for row in rows})[::EVERY]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        if row["customer_id"] in chosen:
            is_later = bool(row["paid_on"]) and not paying
            writer.writerow({**row, **({"paid_on": "", "paid_amount": ""} if is_later else {})})
    return text.getvalue().encode()


def texts_of(portfolio: WhatIfPortfolio, under: PlayedUnder) -> Iterator[Text]:
    nobody: Sequence[AssumedPayment] = ()
    for customer in portfolio.customers:
        payments = portfolio.paid_later.get(customer.facts.customer_id, nobody)
        for text in course_of(customer, payments, under).texts:
            yield Text(customer.facts.address_of(Channel(text.channel)), f"{text.at:%Y-%m-%dT%H:%M}", text.text)


@pytest.mark.parametrize("paying", [False, True], ids=["nobody pays", "some pay"])
def test_a_what_if_sends_what_the_local_run_sends_text_by_text(tmp_path: Path, *, paying: bool) -> None:
    accounts = some_of_the_sample(paying=paying)
    book = load(None).book
    begin: datetime = begin_of(START)
    portfolio = from_file(accounts, "some.csv", file_form(book.headings, ""), book, begin)
    assert bool(portfolio.paid_later) is paying
    played = sorted(texts_of(portfolio, PlayedUnder(book, begin, begin + timedelta(days=DAYS))))

    outbox = run(accounts, start=START, days=DAYS, out=tmp_path / "out", name="some.csv").outbox
    # What stands in front of a text in mainland China is put there by the carrier.
    sent = sorted(Text(line["to"], line["at"][:16], line["text"].removeprefix("【示范分期】")) for line in outbox)
    assert played == sent
    assert len(sent) > 100
