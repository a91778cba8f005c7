"""What-ifs for people: who would notice, what nobody can know, and both traces of each example."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.console.translations import Translation
from dunning.domain.decision.rules import Cap
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.kept_comparisons import LARGEST_COMPARISON, WrittenComparison
from dunning.ports.sessions import Role
from dunning.services.console.shown import CodeShown, MeasureShown
from dunning.services.console.what_ifs_read import ComparisonView, WhatIfsService
from tests.local.kept_what_if import check_who, keep_result
from tests.local.what_if_portfolio import WhatIfChoiceError
from tests.support.console import Office, an_office_with
from tests.support.lively_trials import KeptInMemory, a_comparison, keep_a_comparison
from tests.support.people import NOW

HERE = "/what-if/a1b2c3d4e5f60718"

LONG = "/what-if/" + "x" * 5_000


def an_office(**changes: object) -> Office:
    office, _ = an_office_with()
    keep_a_comparison(office.comparisons, a_comparison(**changes))
    office.log_in(Role.MANAGER)
    return office


def shown(**changes: object) -> ComparisonView:
    kept = KeptInMemory()
    head = keep_a_comparison(kept, a_comparison(**changes))
    found = WhatIfsService(kept).view(head.comparison_id)
    assert found is not None
    return found


def test_about_payments_it_says_what_it_takes_to_know_and_nothing_else() -> None:
    page = an_office().get(HERE).body
    assert "Not known: run a trial." in page
    assert "difference of 2 (percentage points): 33,000 customers, more than ten years" in page
    assert "difference of 1 (percentage points): 132,000 customers, which it never comes to" in page
    (size, _) = a_comparison().payments.trials
    soon = a_comparison().payments.model_copy(update={"trials": (size.model_copy(update={"weeks": 520}),)})
    assert "33,000 customers, 520 weeks" in an_office(payments=soon).get(HERE).body


def test_a_comparison_that_is_equal_says_no_difference() -> None:
    today = a_comparison().today
    page = an_office(differing=0, moved=0, next_texts={}, changed=today, examples=()).get(HERE).body
    assert "No difference: no customer would notice anything." in page
    assert page.count("<p>no difference</p>") == 7
    assert "difference of 2" not in page


def test_each_figure_stands_under_both_policies_with_its_difference() -> None:
    totals = {row.name: row for row in shown().totals}
    assert totals[CodeShown("what_if_total", "texts")].more == MeasureShown(-106, "difference")
    assert totals[CodeShown("what_if_total", "price")].more == MeasureShown(-5_190_000, "usd_difference")
    groups = {group.name: group for group in shown().groups}
    assert [name for name, group in groups.items() if not group.is_equal] == ["stage"]
    assert groups["stage"].rows[0].bars == (200, 0)


def test_a_cap_is_said_in_words_of_the_reader() -> None:
    caps = {f"person_cap: {Cap(1, timedelta(hours=24))}": 2, f"account_cap: {Cap(3, timedelta(days=7))}": 1, "x": 1}
    today = a_comparison().today.model_copy(update={"caps": caps})
    names = [row.name for group in shown(today=today).groups if group.name == "caps" for row in group.rows]
    chinese = Translation("zh-Hant", ZoneInfo("UTC"))
    assert [chinese.write(name) for name in names] == [
        "對此帳戶發送已達上限（7 天內 3 則）",
        "對此人發送已達上限（24 小時內 1 則）",
        "x",
    ]


def test_how_an_example_differs_is_in_words_of_the_reader() -> None:
    first, second = shown().examples
    assert [each.code for each in first.differs] == ["fewer_texts", "none", "to_a_person"]
    assert [each.code for each in second.differs] == ["as_many_texts", "other_words"]


def test_an_example_has_both_courses_with_their_traces_and_leads_to_the_customer() -> None:
    page = an_office().get(f"{HERE}/1").body
    assert 'href="/customers/C0001"' in page
    assert "hold: none is running" in page
    assert "a written notice is missing" in page


def test_who_looks_at_customers_of_a_comparison_is_written_down_first() -> None:
    office = an_office()
    before = len(office.table.entries)
    office.get(HERE)
    office.get(f"{HERE}/2")
    looks = office.table.entries[before:]
    assert [(each.act, each.customer_id, each.subject_matter) for each in looks] == [
        ("listed", "", "what-if fewer-early"),
        ("listed", "C0002", "what-if fewer-early"),
    ]
    office.table.broken = True
    assert office.get(HERE).status == 503


@pytest.mark.parametrize("path", ["/what-if/none", f"{HERE}/3", f"{HERE}/0", f"{HERE}/x", "/what-if/none/1", LONG])
def test_what_is_not_kept_has_no_page(path: str) -> None:
    office = an_office()
    assert office.get(path).status == 404


def test_an_address_that_no_key_can_have_is_not_looked_for() -> None:
    asked: list[str] = []

    class Asked(KeptInMemory):
        def comparison(self, comparison_id: str) -> WrittenComparison | None:
            asked.append(comparison_id)
            return super().comparison(comparison_id)

    assert WhatIfsService(Asked()).view(LONG) is None
    assert WhatIfsService(Asked()).view("none") is None
    assert asked == ["none"]


def test_what_is_not_as_the_schema_says_is_not_shown() -> None:
    kept = KeptInMemory()
    head = keep_a_comparison(kept)
    kept.keep_comparison(head, "{}")
    with pytest.raises(UnreadableRecordError, match="kept comparison"):
        WhatIfsService(kept).view(head.comparison_id)


def test_the_list_says_who_kept_what_and_when() -> None:
    page = an_office().get("/what-if").body
    assert "fewer-early" in page
    assert "mei.chen" in page
    assert "174 of 290" in page
    assert "\N{MINUS SIGN}106" in page


# ------------------------------------------------------------------ what is kept


def test_of_folders_on_a_machine_the_last_name_alone_is_kept() -> None:
    kept = KeptInMemory()
    result = a_comparison(policy="/home/mei/policies/fewer/")
    head = keep_result(kept, result, lender="demo-tw", payments="my/table.csv", who="mei.chen", at=NOW)
    assert (head.policy, head.payments, head.kept_by, head.kept_at) == ("fewer", "table", "mei.chen", NOW)
    assert "/home/mei" not in kept.kept[head.comparison_id].written


def test_examples_that_make_it_too_long_are_left_out_the_last_ones_first() -> None:
    kept = KeptInMemory()
    (first, *_) = a_comparison().examples
    many = tuple(first.model_copy(update={"customer_id": f"C{number:0990}"}) for number in range(400))
    head = keep_result(kept, a_comparison(examples=many), lender="", payments="nobody", who="x", at=NOW)
    found = WhatIfsService(kept).view(head.comparison_id)
    assert found is not None
    assert 0 < len(found.examples) < 400
    assert [each.customer_id for each in found.examples] == [each.customer_id for each in many[: len(found.examples)]]
    assert LARGEST_COMPARISON - 2_000 < len(kept.kept[head.comparison_id].written.encode()) <= LARGEST_COMPARISON


@pytest.mark.parametrize("who", ["", "  ", "x" * 81, "a\nb"])
def test_who_keeps_it_has_to_be_named(who: str) -> None:
    with pytest.raises(WhatIfChoiceError, match="WHO="):
        check_who(who)
