"""Which opt-outs a text may confirm: those that are surely one and nothing else, where the place allows it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import AddressSince, Standing
from dunning.domain.decision.rules import Rules
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.opt_out_confirmation import (
    confirmation_id,
    is_confirmation_lawful_now,
    may_confirm_opt_out,
    says_only_opt_out,
    wants_no_text_at_all,
)
from tests.support.builders import a_customer, a_standing, an_account, rules_of
from tests.support.people import NOW

OPT_OUT, PAID = ReplyIntent.OPT_OUT, ReplyIntent.PAID
FACTS = a_customer(an_account(currency="USD"), country="US", region="NY", phone_country="US", language="en")
ALLOWED = rules_of(FACTS)
STOP = ParsedReply(sure=(OPT_OUT,), guess=(OPT_OUT,), by_fixed_word=True)
BEFORE, AFTER = a_standing(), a_standing(opted_out_at=NOW)


@pytest.mark.parametrize(
    ("parsed", "says_only"),
    [
        (STOP, True),
        (ParsedReply(sure=(OPT_OUT,), guess=(OPT_OUT,)), True),
        (ParsedReply(sure=(OPT_OUT,)), True),
        (ParsedReply(sure=(OPT_OUT,), guess=(OPT_OUT, PAID)), False),
        (ParsedReply(sure=(OPT_OUT,), guess=(OPT_OUT, PAID), by_fixed_word=True), True),
        (ParsedReply(sure=(OPT_OUT,), likely=(PAID,), guess=(OPT_OUT,)), False),
        (ParsedReply(sure=(OPT_OUT, PAID), guess=(OPT_OUT,)), False),
        (ParsedReply(likely=(OPT_OUT,), guess=(OPT_OUT,)), False),
        (ParsedReply(guess=(OPT_OUT,)), False),
        (ParsedReply(sure=(PAID,), by_fixed_word=True), False),
    ],
)
def test_an_opt_out_says_nothing_else_if_nothing_else_is_sure_or_likely_nor_guessed_beside_it(
    parsed: ParsedReply,
    says_only: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert says_only_opt_out(parsed) is says_only


def may_confirm(
    *,
    parsed: ParsedReply = STOP,
    rules: Rules = ALLOWED,
    before: Standing = BEFORE,
    after: Standing = AFTER,
    ago: timedelta = timedelta(),
) -> bool:
    return may_confirm_opt_out(FACTS, before, after, parsed, rules, NOW - ago, NOW)


def test_an_opt_out_is_confirmed_up_to_the_time_of_the_place() -> None:
    assert ALLOWED.confirmation_within is not None
    assert may_confirm()
    assert may_confirm(ago=ALLOWED.confirmation_within)
    assert not may_confirm(ago=ALLOWED.confirmation_within + timedelta(microseconds=1))


def test_a_place_without_a_time_or_without_a_text_allows_no_confirmation() -> None:
    assert not may_confirm(rules=replace(ALLOWED, confirmation_within=None))
    assert not may_confirm(rules=replace(ALLOWED, confirmations={}))


def test_only_the_reply_that_opts_the_customer_out_is_confirmed() -> None:
    assert not may_confirm(before=AFTER)
    assert not may_confirm(after=BEFORE)
    assert not may_confirm(parsed=replace(STOP, likely=(PAID,)))


def test_a_refused_number_gets_no_confirmation() -> None:
    assert not may_confirm(before=replace(BEFORE, suspended={"sms": AddressSince(FACTS.phone)}))


@pytest.mark.parametrize("reason", HoldReason)
def test_no_text_at_all_goes_to_whom_contact_has_ended_with_and_who_is_or_may_be_in_distress(
    reason: HoldReason,
) -> None:
    ended = {"bankrupt", "ceased", "deceased", "represented", "wrong_person"}
    no_text = reason in ended | {"distress", "unconfirmed"}
    held = replace(AFTER, holds=(Hold(reason, None, NOW),))
    assert wants_no_text_at_all(FACTS, held) is no_text
    assert may_confirm(after=held) is not no_text


def test_the_text_that_confirms_an_opt_out_has_one_id_a_customer_and_reply() -> None:
    ids = {confirmation_id(customer, reply) for customer in ("C1", "C2") for reply in ("r1", "r2")}
    assert len(ids) == 4
    assert confirmation_id("C1", "r1") in ids
    assert all(len(send_id) == 32 for send_id in ids)


def test_a_confirmation_goes_out_only_while_people_are_texted() -> None:
    zones = [ZoneInfo("America/New_York")]
    assert is_confirmation_lawful_now(ALLOWED, zones, datetime(2026, 12, 1, 17, tzinfo=UTC))
    assert not is_confirmation_lawful_now(ALLOWED, zones, datetime(2026, 12, 1, 6, tzinfo=UTC))
