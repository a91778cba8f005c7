"""Rates of a run: what its records and standings say at the end, in lines and in the page to mail."""

from dataclasses import replace
from datetime import timedelta

from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import LedgerEntry, Standing
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect_rates import CountedDay, EffectRates, effect_rates
from dunning.domain.text_effects import TextEffect, TextPart
from tests.local.run_rates import rates_of_run, rates_part, row_name, rows_of
from tests.support.people import NOW

HOUR = timedelta(hours=1)
FIRST = Contact(
    customer_id="C1", send_id="s1", claim_id="c1", at=NOW, state=ContactState.DELIVERED, stage=7, account_ids=("A1",),
    channel="sms", expires_at=NOW, lender="demo-tw", template="zh-Hant/overdue-7@3", payer_segment="late",
    local_hour=10,
)  # fmt: skip
ENTRY = LedgerEntry(send_id="s1", claim_id="c1", at=NOW, stage=7, accounts=("A1",), channel="sms", for_wake=None)
COMPLAINED = Standing(
    customer_id="C1", ledger=(ENTRY,), holds=(Hold(HoldReason.COMPLAINT, None, NOW + HOUR),), opted_out_at=NOW - HOUR
)
CALM = Standing(customer_id="C2", ledger=(replace(ENTRY, send_id="s2", claim_id="c2"),))


def rates(*contacts: Contact) -> EffectRates:
    return rates_of_run(contacts, (COMPLAINED, CALM), NOW.date())


def two() -> EffectRates:
    return rates(FIRST, replace(FIRST, customer_id="C2", send_id="s2", payer_segment="", state=ContactState.SENT))


def test_a_complaint_is_put_down_to_the_record_of_the_reminder_before_it() -> None:
    found = two()
    assert found.whole.reminders == 2
    for table, value in zip(found.tables, ["7", "10", "zh-Hant/overdue-7@3", "late"], strict=True):
        complained = {row.value: row.rates[TextEffect.COMPLAINT].count for row in table.rows}
        assert complained.pop(value) == 1
        assert set(complained.values()) == {0}
        opted_out = {row.value: row.rates[TextEffect.OPT_OUT].count for row in table.rows}
        assert opted_out["~"] == 1, "it opted out before any reminder"


def test_the_lines_say_rates_with_their_ranges_and_whether_rows_were_compared() -> None:
    written = "\n".join(rates_part(two()))
    assert "OPT-OUTS AND COMPLAINTS per 1,000 reminders" in written
    assert "Rows are not compared" in written
    assert "+7: " in written
    assert "500.0 (94.5 to 905.5)" in written
    assert "after no reminder" in written


def test_without_reminders_there_are_no_lines() -> None:
    assert list(rates_part(rates())) == []


def test_every_table_ends_with_all_and_one_without_payer_segments_is_left_out() -> None:
    unknown = rates(replace(FIRST, payer_segment=""))
    assert [table.part for table in unknown.tables_with_values] == [TextPart.STAGE, TextPart.HOUR, TextPart.WORDING]
    for table in unknown.tables_with_values:
        assert list(rows_of(unknown, table))[-1][:2] == ["all", "1"]


def test_a_row_has_the_name_of_what_it_is_of() -> None:
    assert row_name(TextPart.HOUR, "8") == "8:00 to 10:00"
    assert row_name(TextPart.STAGE, "-3").startswith("-3: ")
    assert row_name(TextPart.PAYER, "?") == "not on record"


def test_the_lines_say_whether_any_row_differs() -> None:
    def lines_with(opt_outs: int) -> str:
        counters = {
            "sent:7": 500, "sent:30": 500, "hour:9": 1000, "text:x@1": 1000, "payer:?": 1000,
            "opt_out_by_stage:7": 5, "opt_out_by_stage:30": opt_outs,
        }  # fmt: skip
        day = NOW.date()
        return "\n".join(rates_part(effect_rates([CountedDay(day, counters)], day, day)))

    assert "No row differs" in lines_with(5)
    assert "120.0 (94.4 to 151.4), higher" in lines_with(60)
    assert "10.0 (4.3 to 23.2), lower" in lines_with(60)
