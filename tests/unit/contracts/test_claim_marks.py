"""The claim of a message comes back as it went, in the characters that each service takes."""

import re
import string
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dunning.contracts.claim_marks import (
    claim_labels,
    claim_marks,
    claim_of_labels,
    claim_of_marks,
    claim_of_tag,
    claim_tag,
)
from dunning.contracts.job import CUSTOMER_ID
from dunning.domain.delivery.receipt import ClaimKey
from tests.support.outgoing import CLAIM_ID, SEND_ID, outgoing_sms

CUSTOMER_IDS = st.text(string.ascii_letters + string.digits + "._:-", min_size=1, max_size=64)
MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(CUSTOMER_IDS, MOMENTS, st.sampled_from([SEND_ID, f"{SEND_ID}-again", "confirmation"]))
def test_marks_come_back_as_they_went_and_ses_takes_them(customer_id: str, at: datetime, send_id: str) -> None:
    outgoing = outgoing_sms("+886900000001", "")._replace(customer_id=customer_id, claimed_at=at, send_id=send_id)
    claim = ClaimKey(customer_id, CLAIM_ID, send_id, at)
    assert claim_of_marks(claim_marks(outgoing)) == claim
    labels = claim_labels(outgoing)
    assert claim_of_labels(labels) == claim
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,256}", text) for label in labels.items() for text in label)
    assert len(claim_marks(outgoing)) <= 5


@given(CUSTOMER_IDS)
def test_a_tag_comes_back_as_it_went_and_line_takes_it(customer_id: str) -> None:
    tag = claim_tag(outgoing_sms("+886900000001", "")._replace(customer_id=customer_id))
    assert claim_of_tag(tag) == ClaimKey(customer_id, CLAIM_ID)
    assert 16 <= len(tag) <= 100
    assert tag.isascii()


@given(
    st.dictionaries(st.sampled_from(["customer_id", "send_id", "claim_id", "claimed_at"]), st.text() | st.integers())
)
def test_marks_that_are_not_ours_name_no_claim_and_break_nothing(marks: dict[str, object]) -> None:
    for found in (claim_of_marks(marks), claim_of_labels(marks)):
        assert found is None or re.fullmatch(CUSTOMER_ID, found.customer_id)


@given(st.text())
def test_a_tag_that_is_not_ours_names_no_claim_and_breaks_nothing(tag: str) -> None:
    found = claim_of_tag(tag)
    assert found is None or re.fullmatch(CUSTOMER_ID, found.customer_id)
