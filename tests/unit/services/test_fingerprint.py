"""The fingerprint of facts: stored with every standing, so it must stay what it was when it was first stored."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason, Instalment
from dunning.services.planning import fingerprint

FACTS = Facts(
    customer_id="C-1001",
    name="王小明",
    phone="+886912345678",
    phone_country="TW",
    country="TW",
    region="",
    language="zh-Hant",
    time_zone="Asia/Taipei",
    lender="demo-tw",
    consented_at=datetime(2026, 1, 31, 1, tzinfo=UTC),
    accounts=(
        Account(
            account_id="A-1",
            tail="5678",
            currency="TWD",
            instalments=(
                Instalment(number=1, due_on=date(2026, 12, 5), amount=325000),
                Instalment(
                    number=2,
                    due_on=date(2027, 1, 5),
                    amount=325000,
                    paid=100,
                    stage_reached=7,
                    written_notice_on=date(2027, 1, 9),
                    late_fee=500,
                    paid_at=datetime(2027, 1, 7, tzinfo=UTC),
                ),
            ),
            product="機車分期",
        ),
    ),
)
HELD = replace(
    FACTS,
    holds=(Hold(HoldReason.DISPUTE, date(2027, 2, 1)), Hold(HoldReason.OTHER, since=datetime(2026, 12, 1, tzinfo=UTC))),
    opted_out=True,
    released={"promise": datetime(2026, 12, 2, tzinfo=UTC), "*": datetime(2026, 12, 1, tzinfo=UTC)},
)
MISSING = replace(HELD, not_in_list_since=datetime(2026, 12, 3, tzinfo=UTC))
ELSEWHERE = replace(MISSING, email="m@example.com", channel_consents={"line": datetime(2026, 12, 3, tzinfo=UTC)})
APPENDED = {"not_in_list_since", "email", "line_user_id", "channel_consents"}


def plainly(value: object) -> object:
    """Say a part of the facts field by field, as the first fingerprints were computed."""
    if isinstance(value, date):
        return value.isoformat()
    named = [(name, getattr(value, name)) for name in type(value).__slots__]  # type: ignore[attr-defined]
    return [field for name, field in named if field is not None or name not in APPENDED]


@pytest.mark.parametrize("facts", [FACTS, HELD, MISSING, ELSEWHERE])
def test_a_fingerprint_is_computed_from_the_fields_in_order_without_the_times_of_the_file(facts: Facts) -> None:
    stated = replace(facts, as_of=datetime(2026, 12, 1, tzinfo=UTC), paid_as_of=datetime(2026, 11, 30, tzinfo=UTC))
    content = json.dumps(facts, default=plainly, sort_keys=True)
    assert fingerprint(stated) == hashlib.sha256(content.encode()).hexdigest()[:16]


def test_the_fingerprints_that_are_stored_stay_right() -> None:
    assert [fingerprint(facts) for facts in (FACTS, HELD, MISSING)] == [
        "7c22521d238d4f34",
        "bcac537e5c1229fa",
        "da4f02ea81170381",
    ]
