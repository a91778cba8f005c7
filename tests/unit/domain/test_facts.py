"""Facts: what is open in an account, by which address a channel reaches a customer, and when a lender last spoke."""

from datetime import UTC, datetime, timedelta

import pytest

from dunning.domain.customer.facts import Instalment, open_instalments
from dunning.domain.delivery.channels import Channel
from tests.support.builders import a_customer, an_account, an_instalment

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def of(*amounts_and_paid: tuple[int, int]) -> list[Instalment]:
    months = range(1, len(amounts_and_paid) + 1)
    return [
        an_instalment(f"2026-{month:02d}-01", amount, number=month, paid=paid)
        for month, (amount, paid) in zip(months, amounts_and_paid, strict=True)
    ]


@pytest.mark.parametrize(
    ("instalments", "still_open"),
    [
        pytest.param([(100, 0), (100, 0)], [(1, 100), (2, 100)], id="nothing paid"),
        pytest.param([(100, 100), (100, 0)], [(2, 100)], id="what is paid is not open"),
        pytest.param([(100, 30), (100, 0)], [(1, 70), (2, 100)], id="partial payment leaves the rest"),
        pytest.param([(100, 99)], [(1, 1)], id="a cent is open"),
        pytest.param([(0, 0), (100, 0)], [(2, 100)], id="an instalment of nothing is not open"),
        pytest.param([(100, 130), (100, 0)], [(2, 70)], id="money paid beyond one lessens the next"),
        pytest.param([(100, 350), (100, 0), (100, 0), (100, 0)], [(4, 50)], id="and those after it"),
        pytest.param([(100, 200), (100, 0)], [], id="until nothing is left"),
        pytest.param([(100, 0), (100, 0), (-30, 0)], [(1, 70), (2, 100)], id="a credit lessens the earliest first"),
        pytest.param([(100, 0), (-250, 0), (100, 0)], [], id="a credit beyond everything leaves nothing"),
        pytest.param([(100, 0), (-100, 0), (100, 0)], [(3, 100)], id="a credit may settle exactly one"),
    ],
)
def test_the_open_amount_is_what_was_not_paid_less_the_accounts_own_credits(
    instalments: list[tuple[int, int]], still_open: list[tuple[int, int]]
) -> None:
    account = an_account(*of(*instalments))
    assert [(instalment.number, instalment.open) for instalment in open_instalments(account)] == still_open


@pytest.mark.parametrize(
    ("instalments", "smallest", "still_open"),
    [
        pytest.param([(100, 90), (100, 89)], 11, [(2, 11)], id="a rest below the smallest counts as paid"),
        pytest.param([(100, 90), (-80, 0), (100, 0)], 11, [(3, 20)], id="a credit is not spent on it"),
        pytest.param([(-90, 0), (100, 0), (100, 0)], 11, [(3, 100)], id="what a credit leaves may be too small"),
        pytest.param([(-89, 0), (100, 0), (100, 0)], 11, [(2, 11), (3, 100)], id="or just large enough"),
    ],
)
def test_no_rest_below_the_smallest_amount_is_open(
    instalments: list[tuple[int, int]], smallest: int, still_open: list[tuple[int, int]]
) -> None:
    account = an_account(*of(*instalments))
    assert [(each.number, each.open) for each in open_instalments(account, smallest)] == still_open


@pytest.mark.parametrize(
    ("as_of", "not_in_list_since", "stated_at"),
    [(None, None, None), (NOW, None, NOW), (None, NOW, NOW), (NOW, LATER, LATER), (LATER, NOW, LATER)],
)
def test_a_lender_last_spoke_of_a_customer_by_a_file_or_by_a_list_without_the_customer(
    as_of: datetime | None, not_in_list_since: datetime | None, stated_at: datetime | None
) -> None:
    assert a_customer(as_of=as_of, not_in_list_since=not_in_list_since).stated_at == stated_at


@pytest.mark.parametrize("channel", Channel)
def test_a_channel_reaches_a_customer_by_an_address_of_its_own_or_the_number(channel: Channel) -> None:
    own = {Channel.EMAIL: "wang@example.com", Channel.LINE: "U" + 32 * "0"}
    facts = a_customer(phone="+886911", email=own[Channel.EMAIL], line_user_id=own[Channel.LINE])
    assert facts.address_of(channel) == own.get(channel, "+886911")
    assert a_customer(phone="+886911").address_of(channel) == ("" if channel in own else "+886911")


def test_of_an_instalment_nothing_is_paid_and_no_fee_is_in_it_unless_the_lender_says_so() -> None:
    plain = Instalment(number=1, due_on=NOW.date(), amount=100)
    assert (plain.open, plain.paid, plain.late_fee) == (100, 0, 0)
