"""Texts with a late fee, and stages that need a written notice: what a file may say, and what it is told."""

import re
from pathlib import Path

import pytest

from dunning.domain.decision.rules import Rules
from dunning.policy import PolicyBook, PolicyError, load_policies
from tests.support.builders import a_customer
from tests.support.people import NOW

ENGLISH = "texts/en.toml"
WITH_FEE = (
    'single_with_fee = "{amount} due {date} (plan ending {tail}) with {fee} late fee is overdue. '
    'Pay {pay}. Ignore if paid. Help: {hotline}."\n'
)
SEVERAL_WITH_FEE = (
    'several_with_fee = "{count} payments (plan ending {tail}), {amount} with {fee} late fee, are overdue '
    'since {date}. Pay {pay}. Ignore if paid. Help: {hotline}."\n'
)


def edit(folder: Path, stage: str, new: str, *, drop: str = "", name: str = ENGLISH) -> None:
    """Put lines under the head of a stage's table, and drop the lines that begin with a word."""
    lines = (folder / name).read_text("utf-8").splitlines(keepends=True)
    at = lines.index(f"[{stage}]\n") + 1
    until = next((n for n in range(at, len(lines)) if lines[n].startswith("[")), len(lines))
    kept = [line for line in lines[at:until] if not (drop and line.startswith(drop))]
    assert not drop or len(kept) < until - at
    (folder / name).write_text("".join([*lines[:at], new, *kept, *lines[until:]]), "utf-8")


@pytest.mark.parametrize(
    ("stage", "new", "drop", "says"),
    [
        pytest.param("overdue-3", WITH_FEE, "", "overdue-3: .*come together", id="a fee for one instalment only"),
        pytest.param("overdue-3", SEVERAL_WITH_FEE, "", "overdue-3: .*come together", id="or for several only"),
        pytest.param(
            "overdue-3",
            WITH_FEE.replace("{fee} ", "") + SEVERAL_WITH_FEE,
            "",
            r"overdue-3.single_with_fee: lacks \{fee\}",
            id="a text with a fee that does not name it",
        ),
        pytest.param(
            "overdue-3",
            WITH_FEE + SEVERAL_WITH_FEE.replace("{count} ", ""),
            "",
            r"overdue-3.several_with_fee: lacks \{count\}",
            id="one for several that does not count them",
        ),
        pytest.param(
            "overdue-3",
            WITH_FEE.replace("single_with_fee", "single"),
            "single",
            r"overdue-3.single: has \{fee\}, which stands in single_with_fee only",
            id="a plain text that names a fee",
        ),
        pytest.param("today", WITH_FEE + SEVERAL_WITH_FEE, "", "today: .*no late fee", id="a fee on the due date"),
        pytest.param(
            "today",
            "requires_written_notice = true\n",
            "",
            "today: .*cannot follow a notice",
            id="a notice before there is anything late",
        ),
        pytest.param(
            "overdue-15",
            'requires_written_notice = "yes please"\n',
            "",
            "overdue-15.requires_written_notice",
            id="a word that is neither true nor false",
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(folder: Path, stage: str, new: str, drop: str, says: str) -> None:
    edit(folder, stage, new, drop=drop)
    with pytest.raises(PolicyError, match=says) as refusal:
        load_policies(folder)
    assert re.match(rf"{ENGLISH}:\d+: ", str(refusal.value))


def test_a_stage_after_one_that_needs_a_notice_needs_it_too(folder: Path) -> None:
    # Else an account that never got a notice could be told of "our letter" in a text for several at the milder stage.
    edit(folder, "overdue-15", "requires_written_notice = true\n")
    edit(folder, "overdue-30", "", drop="requires_written_notice")
    with pytest.raises(PolicyError, match=r"texts/en.toml:\d+: overdue-30: needs a written notice too, as stage \+15"):
        load_policies(folder)


def test_the_languages_of_a_lender_agree_on_which_stages_need_a_notice(folder: Path) -> None:
    edit(folder, "overdue-15", "requires_written_notice = true\n")
    with pytest.raises(
        PolicyError, match=r"lenders/demo-channels.toml:\d+: languages: stage \+15 needs .* zh-Hant or in en"
    ):
        load_policies(folder)


def test_on_a_stage_that_is_not_on_its_ladder_they_need_not(folder: Path) -> None:
    edit(folder, "overdue-30", "", drop="requires_written_notice")
    (folder / "lenders/demo-channels.toml").unlink()
    for lender in ("demo-tw", "demo-cn", "demo-world"):
        path = folder / f"lenders/{lender}.toml"
        path.write_text(path.read_text("utf-8").replace("7, 15, 30]", "7, 15]"), "utf-8")
    assert rules(load_policies(folder)).notice_stages == set()


def rules(book: PolicyBook) -> Rules:
    found = book.rules_for(a_customer(), NOW)
    assert isinstance(found, Rules)
    return found


def test_rules_know_the_stages_that_need_a_notice_and_the_texts_with_a_fee(folder: Path) -> None:
    edit(folder, "overdue-3", WITH_FEE + SEVERAL_WITH_FEE)
    found = rules(load_policies(folder))
    assert found.notice_stages == {30}
    assert found.texts_with_fee["en", 3, False].template == "en/overdue-3-fee@3"
    assert found.texts_with_fee["en", 3, True].template == "en/overdue-3-several-fee@3"
    assert found.texts["en", 3, False].template == "en/overdue-3@3"


def test_a_text_with_a_fee_may_be_registered(folder: Path) -> None:
    path = folder / "lenders/demo-cn.toml"
    known = path.read_text("utf-8")
    assert '"zh-Hans/overdue-7-several-fee@3"' in known
    path.write_text(known.replace("overdue-7-several-fee@3", "overdue-8-several-fee@3", 1), "utf-8")
    with pytest.raises(PolicyError, match="no such text: zh-Hans/overdue-8-several-fee@3"):
        load_policies(folder)
