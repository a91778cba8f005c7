"""Which words a reminder uses: the language, the late fee, what is registered, and what fits."""

from dataclasses import replace
from typing import Any

import pytest

from dunning.domain.customer.facts import Account, Facts, Instalment
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Reminder, Send, trace_of
from dunning.domain.errors import NoTextError
from dunning.domain.texts.compose import AmountDue, ComposedText, compose, compose_confirmation, draft
from dunning.domain.texts.segments import count_segments
from dunning.domain.texts.wording import TextVariant, compile_text
from tests.support.builders import (
    IN_MAINLAND_CHINA,
    IN_THE_UNITED_STATES,
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    day,
    policies_with,
    rules_of,
    taipei,
    the_policies,
)

TODAY = day("2026-12-08")
PLUS_7 = taipei("2026-12-08 10:00")
ONE = AmountDue(
    total=335_000, instalments=1, late_fee=10_000, currency="TWD", due_on=day("2026-12-01"), tail="5678", others=False
)
NO_FEE = ONE._replace(late_fee=0)


def composed(due: AmountDue, *, stage: int = 7, facts: Facts | None = None, **rules: Any) -> ComposedText:  # noqa: ANN401 - fields
    facts = facts or a_customer()
    return compose(facts, replace(rules_of(facts), **rules), stage, due, TODAY)


def refused(due: AmountDue, *, stage: int = 7, facts: Facts | None = None, **rules: Any) -> NoTextError:  # noqa: ANN401
    with pytest.raises(NoTextError) as error:
        composed(due, stage=stage, facts=facts, **rules)
    return error.value


def test_a_message_tells_what_was_filled_in_and_what_it_costs() -> None:
    message = composed(NO_FEE)
    assert message.template == "zh-Hant/overdue-7@3"
    assert message.values == {
        "name": "王*明", "tail": "5678", "amount": "NT$3,350", "date": "12/1", "pay": "官方APP",
        "hotline": "0800-000-123", "sender": "示範分期",
    }  # fmt: skip
    assert message.body == message.arriving
    assert (message.language, message.stage, message.segments) == ("zh-Hant", 7, ("UCS-2", 1))


def test_a_prefix_that_the_carrier_adds_counts_and_is_not_sent_by_us() -> None:
    facts = a_customer(**IN_MAINLAND_CHINA)
    message = composed(NO_FEE._replace(currency="CNY"), facts=facts)
    assert message.arriving == f"【示范分期】{message.body}"
    assert message.registered == "CN-DEMO-0107"


# The late fee.


def test_a_late_fee_is_named_where_there_is_one() -> None:
    message = composed(ONE)
    assert message.template == "zh-Hant/overdue-7-fee@3"
    assert message.values["fee"] == "NT$100"
    assert "加計違約金NT$100後應繳NT$3,350" in message.body


def test_for_several_instalments_too() -> None:
    message = composed(ONE._replace(instalments=2))
    assert message.template == "zh-Hant/overdue-7-several-fee@3"


def test_no_fee_is_named_where_there_is_none() -> None:
    assert composed(NO_FEE).template == "zh-Hant/overdue-7@3"
    assert "違約金" not in composed(NO_FEE).body


def test_a_stage_without_such_a_text_uses_its_plain_one() -> None:
    assert composed(ONE, stage=15).template == "zh-Hant/overdue-15@3"


def registered(*templates: str) -> dict[str, str]:
    return {f"zh-Hant/overdue-7{template}@3": f"ID{template}" for template in templates}


@pytest.mark.parametrize(
    ("templates", "used", "id_used"),
    [
        pytest.param(("", "-fee"), "zh-Hant/overdue-7-fee@3", "ID-fee", id="both are registered: the one with the fee"),
        pytest.param(("",), "zh-Hant/overdue-7@3", "ID", id="only the plain one is: that, whose amount is as exact"),
        pytest.param(("-fee",), "zh-Hant/overdue-7-fee@3", "ID-fee", id="only the one with the fee is"),
    ],
)
def test_where_texts_must_be_registered_only_those_are_used(
    templates: tuple[str, ...], used: str, id_used: str
) -> None:
    message = composed(ONE, registered=registered(*templates))
    assert (message.template, message.registered) == (used, id_used)


def test_if_neither_is_registered_the_plain_one_is_named_as_missing() -> None:
    error = refused(ONE, registered={})
    assert error.reason is Reason.TEMPLATE_NOT_REGISTERED
    assert "zh-Hant/overdue-7@3" in str(error)


def test_a_fee_that_would_break_the_budget_is_left_out() -> None:
    long = ONE._replace(total=999_999_950, late_fee=9_999_950)
    assert composed(long).segments.parts == 2
    assert composed(long._replace(late_fee=0), max_parts=2).segments.parts == 2
    short = ONE._replace(total=32_500_00)
    assert composed(short).segments.parts == 2
    only_one = composed(short, max_parts=1)
    assert (only_one.template, only_one.segments.parts) == ("zh-Hant/overdue-7@3", 1)


# Through decide(): what of a fee is certain.


def reminder(*accounts: Account) -> Reminder:
    decision = decide(a_customer(*accounts), a_standing(), the_policies(), PLUS_7)
    assert isinstance(decision, Send)
    return decision.reminder


def overdue(number: int = 1, due: str = "2026-12-01", *, fee: int = 0, paid: int = 0) -> Instalment:
    return an_instalment(due, 335_000, number=number, paid=paid, late_fee=fee, stage_reached=3)


def test_the_fees_of_all_that_is_asked_for_are_added_up() -> None:
    sent = reminder(
        an_account(overdue(1, "2026-11-01", fee=10_000), overdue(2, fee=5_000)),
        an_account(overdue(fee=20_050), account_id="A2"),
    )
    assert sent.template == "zh-Hant/overdue-7-several-fee@3"
    assert "加計違約金NT$350.50" in sent.text


def test_a_fee_of_what_is_not_asked_for_yet_does_not_count() -> None:
    assert reminder(an_account(overdue(), overdue(2, "2027-01-01", fee=10_000))).template == "zh-Hant/overdue-7@3"


@pytest.mark.parametrize(
    "instalments",
    [
        pytest.param((overdue(fee=10_000, paid=100_000),), id="paid in part"),
        pytest.param((overdue(fee=10_000), overdue(2, "2026-12-02", fee=5_000, paid=1)), id="one of two is"),
        pytest.param((overdue(fee=10_000), an_instalment("2026-10-01", -5_000, number=9)), id="lessened by a credit"),
    ],
)
def test_how_much_of_a_fee_is_left_of_a_part_is_not_certain_and_so_not_said(
    instalments: tuple[Instalment, ...],
) -> None:
    assert "違約金" not in reminder(an_account(*sorted(instalments, key=lambda instalment: instalment.due_on))).text


def test_a_part_payment_of_an_instalment_without_a_fee_leaves_the_fee_certain() -> None:
    sent = reminder(an_account(overdue(1, "2026-11-01", paid=100_000), overdue(2, fee=10_000)))
    assert "加計違約金NT$100" in sent.text


# What cannot be composed.


@pytest.mark.parametrize(
    ("due", "rules", "reason"),
    [
        pytest.param(NO_FEE, {"texts": {}}, Reason.NO_TEXT, id="no text"),
        pytest.param(NO_FEE._replace(currency="XAU"), {}, Reason.UNKNOWN_CURRENCY, id="an unknown currency"),
        pytest.param(NO_FEE._replace(tail=""), {}, Reason.TEXT_REFUSED, id="nothing of the account to show"),
        pytest.param(NO_FEE, {"max_parts": 0}, Reason.TEXT_TOO_LONG, id="too long"),
        pytest.param(NO_FEE, {"registered": {}}, Reason.TEMPLATE_NOT_REGISTERED, id="not registered"),
        pytest.param(NO_FEE, {"pay": {"zh-Hant": "法院"}}, Reason.TEXT_REFUSED, id="a word no text may say"),
        pytest.param(NO_FEE, {"pay": {"zh-Hant": "pay.demo.tw"}}, Reason.TEXT_REFUSED, id="a link where none may be"),
        pytest.param(NO_FEE._replace(tail="567890"), {}, Reason.TEXT_REFUSED, id="too much of the account"),
    ],
)
def test_what_cannot_be_composed_says_why_and_nothing_of_the_person(
    due: AmountDue, rules: dict[str, Any], reason: Reason
) -> None:
    error = refused(due, **rules)
    assert error.reason is reason
    assert str(error) == error.message % error.values
    for secret in ("王", "5678", "3,350", "335000"):
        assert secret not in str(error)


def test_a_rendered_text_is_linted_before_it_is_sent_and_the_trace_names_the_rule() -> None:
    facts = a_customer()
    decision = decide(
        facts, a_standing(), policies_with(facts, sender_name={"zh-Hant": "警方"}), taipei("2026-12-01 10:00")
    )
    assert decision.kind == "stop"
    assert decision.reason is Reason.TEXT_REFUSED
    assert trace_of(decision)[-1].startswith("text: zh-Hant/today@3 false-authority, says '警方'")
    assert not any("王" in line for line in trace_of(decision))


def test_a_link_goes_where_the_place_allows_it_and_only_to_the_lenders_own_domain() -> None:
    pay = {"zh-Hant": "pay.demo.tw"}
    own = frozenset({"demo.tw"})
    assert "pay.demo.tw" in composed(NO_FEE, pay=pay, links_allowed=True, link_domains=own).body
    assert refused(NO_FEE, pay=pay, links_allowed=True).reason is Reason.TEXT_REFUSED
    assert refused(NO_FEE, pay=pay, link_domains=own).reason is Reason.TEXT_REFUSED


def test_a_text_with_a_fee_that_the_linter_stops_gives_way_to_the_plain_one_only_if_that_passes() -> None:
    facts = a_customer()
    with_fee = rules_of(facts).texts_with_fee["zh-Hant", 7, False]
    worse = replace(with_fee, pattern=with_fee.pattern.replace("疑問", "否則法院有疑問"))
    assert composed(ONE, texts_with_fee={("zh-Hant", 7, False): worse}).template == "zh-Hant/overdue-7@3"


def test_a_customer_whose_language_the_lender_has_not_reads_its_first() -> None:
    assert composed(NO_FEE, facts=a_customer(language="fr")).language == "zh-Hant"


def test_the_words_of_the_rules_are_the_packages() -> None:
    facts = a_customer()
    assert rules_of(facts).texts_with_fee == the_policies().texts_with_fee


# What is judged once for all texts that are alike.

PLACES: dict[str, Any] = {
    "Taiwan": {},
    "mainland China": IN_MAINLAND_CHINA,
    "the United States": IN_THE_UNITED_STATES,
    "the United States, in Chinese": IN_THE_UNITED_STATES | {"language": "zh-Hant", "name": "王小明"},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("due", [NO_FEE, ONE, NO_FEE._replace(instalments=2), ONE._replace(instalments=2)], ids=str)
def test_the_texts_of_the_package_are_judged_by_their_shape_and_filled_in_only_to_be_sent(
    place: str, due: AmountDue
) -> None:
    facts = a_customer(**PLACES[place])
    rules = rules_of(facts)
    for stage in rules.ladder:
        drafted = draft(facts, rules, stage, due, TODAY)
        assert drafted.written is None
        assert drafted.segments == count_segments(compose(facts, rules, stage, due, TODAY).arriving)


def test_customers_whose_names_differ_in_characters_that_no_rule_looks_for_get_texts_of_one_shape() -> None:
    shapes = {
        draft(a_customer(name=name), rules_of(a_customer()), 7, NO_FEE, TODAY).shape for name in ("林玉芬", "吳家豪")
    }
    assert len(shapes) == 1


GOOD = "{name}您好，分期{tail}的{amount}於{date}到期未入帳，請用{pay}繳款，已繳請忽略，有困難請電{hotline}"


@pytest.mark.parametrize(
    ("other", "is_known"),
    [
        pytest.param(GOOD.replace("未入帳", "，還未入帳"), True, id="other words with the same values"),
        pytest.param(
            "{name}您好，分期{tail}應於{date}繳{amount}，未入帳，請用{pay}繳款，已繳請忽略，有困難請電{hotline}",
            True,
            id="with the same values in another order",
        ),
        pytest.param(GOOD.replace("未入帳", "{days}天未入帳"), False, id="with one more value"),
    ],
)
def test_an_arm_with_the_same_values_as_the_usual_words_takes_them_from_there(other: str, *, is_known: bool) -> None:
    facts, key = a_customer(), ("zh-Hant", 3, False)
    rules = replace(
        rules_of(facts),
        texts={key: compile_text("zh-Hant/test@1", GOOD)},
        texts_with_fee={},
        variants={"other": TextVariant({key: compile_text("zh-Hant/other@1", other)}, {})},
    )
    usual = draft(facts, rules, 3, NO_FEE, TODAY)
    arm = draft(facts, rules, 3, NO_FEE, TODAY, "other", usual)
    assert (arm.values is usual.values) is is_known


# The ends of a text.


def of_stage(stage: int, wording: str, **changes: Any) -> ComposedText:  # noqa: ANN401 - fields
    texts = {("zh-Hant", stage, False): compile_text("zh-Hant/test@1", wording)}
    return composed(NO_FEE, stage=stage, texts=texts, texts_with_fee={}, **changes)


@pytest.mark.parametrize(
    ("end", "complete"),
    [
        pytest.param("", "0800-000-123。回STOP退訂", id="a full stop parts the line from what is before"),
        pytest.param("。", "0800-000-123。回STOP退訂", id="which has its own"),
        pytest.param("。謝謝", "0800-000-123。謝謝。回STOP退訂", id="at its end"),
    ],
)
def test_the_line_on_opting_out_follows_a_single_full_stop(end: str, complete: str) -> None:
    assert of_stage(3, GOOD + end, opt_out_line={"zh-Hant": "回STOP退訂"}).body.endswith(complete)


def test_a_text_that_ends_with_a_value_has_the_full_stop_of_the_value() -> None:
    """Where the text ends is not known of its shape: it is judged by itself."""
    ends = {"hotline": {"zh-Hant": "分行。"}, "opt_out_line": {"zh-Hant": "回STOP退訂"}}
    assert of_stage(3, GOOD, **ends).body.endswith("有困難請電分行。回STOP退訂")


@pytest.mark.parametrize(
    ("stage", "wording", "rule"),
    [
        pytest.param(1, GOOD, "", id="the day after: it says that it is late"),
        pytest.param(1, GOOD.replace("未入帳", ""), "overdue", id="or it is refused"),
        pytest.param(0, GOOD.replace("於{date}到期未入帳", "今天{date}到期"), "", id="the day itself: it says today"),
        pytest.param(0, GOOD.replace("於{date}到期未入帳", "將於{date}到期"), "today", id="or it is refused"),
        pytest.param(-1, GOOD.replace("於{date}到期未入帳", "將於{date}到期"), "", id="the day before: it need not"),
        pytest.param(1, GOOD.replace("到期未入帳", "到期，尚未入帳"), "", id="nor the day after"),
    ],
)
def test_a_text_is_judged_as_one_before_on_or_after_the_due_date(stage: int, wording: str, rule: str) -> None:
    if rule:
        with pytest.raises(NoTextError, match=rule):
            of_stage(stage, wording)
    else:
        assert of_stage(stage, wording).stage == stage


def test_each_rule_that_a_text_breaks_is_named() -> None:
    error = refused(NO_FEE, pay={"zh-Hant": "法院"}, sender_name={"zh-Hant": "警方"})
    assert str(error).count("; ") >= 1


def test_where_there_is_no_plain_text_what_is_wrong_with_the_one_with_the_fee_is_said() -> None:
    with_fee = rules_of(a_customer()).texts_with_fee
    error = refused(ONE, texts={}, texts_with_fee=with_fee, registered={})
    assert error.reason is Reason.TEMPLATE_NOT_REGISTERED
    assert "zh-Hant/overdue-7-fee@3" in str(error)


def test_no_text_is_registered_where_none_has_to_be() -> None:
    assert composed(NO_FEE).registered == ""


# The confirmation of an opt-out.


def test_the_confirmation_of_an_opt_out_is_signed_and_counted_as_it_arrives() -> None:
    facts = a_customer(**IN_THE_UNITED_STATES)
    rules = rules_of(facts)
    confirmation = compose_confirmation(facts, rules)
    assert confirmation.text.startswith("Demo Finance: ")
    assert (confirmation.encoding, confirmation.parts) == count_segments(confirmation.text)
    assert confirmation.template == rules.confirmations["en"].template
    assert confirmation.registered_template == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"confirmations": {}}, Reason.NO_TEXT), ({"registered": {}}, Reason.TEMPLATE_NOT_REGISTERED)],
)
def test_a_place_that_allows_no_confirmation_or_has_registered_none_gets_none(
    changes: dict[str, Any], reason: Reason
) -> None:
    facts = a_customer(**IN_THE_UNITED_STATES)
    with pytest.raises(NoTextError) as error:
        compose_confirmation(facts, replace(rules_of(facts), **changes))
    assert error.value.reason is reason
