"""Errors: what they say and where they arose, without anything that a message might quote."""

from datetime import UTC, date, datetime

import pytest

from dunning.domain.decision.decisions import Reason
from dunning.domain.errors import CalendarNotCoveredError, NoTextError, ServiceCallError, error_location

MIDNIGHT = datetime(2027, 1, 1, tzinfo=UTC)


def fail() -> None:
    raise ServiceCallError("GetObject", "NoSuchKey")


def test_an_error_says_what_it_is_about() -> None:
    not_covered = CalendarNotCoveredError(date(2027, 1, 1), MIDNIGHT)
    assert str(not_covered) == "no calendar covers 2027-01-01"
    assert (not_covered.day, not_covered.since) == (date(2027, 1, 1), MIDNIGHT)
    no_text = NoTextError(Reason.NO_TEXT, "no text for stage %s", 7)
    assert str(no_text) == "no text for stage 7"
    assert (no_text.reason, no_text.message, no_text.values) == (Reason.NO_TEXT, "no text for stage %s", (7,))
    call = ServiceCallError("GetObject", "NoSuchKey")
    assert (str(call), call.code) == ("GetObject: NoSuchKey", "NoSuchKey")


def test_an_error_arose_in_the_innermost_function_and_one_that_was_never_raised_nowhere() -> None:
    line = fail.__code__.co_firstlineno + 1
    with pytest.raises(ServiceCallError) as raised:
        fail()
    assert error_location(raised.value) == f"fail:{line}"
    assert error_location(ServiceCallError("GetObject", "NoSuchKey")) == ""
