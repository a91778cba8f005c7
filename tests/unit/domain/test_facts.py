"""Facts: what is open in an account."""

import pytest

from dunning.domain.customer.facts import Instalment, open_instalments
from tests.support.builders import an_account, an_instalment


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
