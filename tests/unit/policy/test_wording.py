"""What a text may not say is refused when it is loaded, however it is written; ordinary reminders pass."""

import tomllib
from importlib.resources import files
from pathlib import Path
from shutil import copytree

import pytest
from dunning.policy.schema import ForbiddenFile
from dunning.policy.wording import Wordings

from dunning.policy import PolicyError, load_policies

PACKAGE = Path(str(files("dunning.policy")))


@pytest.fixture(scope="module")
def wordings() -> Wordings:
    return Wordings(ForbiddenFile.model_validate(tomllib.loads((PACKAGE / "forbidden.toml").read_text("utf-8"))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copytree(PACKAGE, tmp_path / "policy")
    return tmp_path / "policy"


@pytest.mark.parametrize(
    ("wording", "language", "word"),
    [
        ("再不繳款將移送法院", "zh-Hant", "法院"),
        ("逾期将起 诉", "zh-Hans", "起诉"),
        ("將法\u200b院見", "zh-Hant", "法院"),
        ("列入黑名单", "zh-Hans", "黑名单"),
        ("You will be ARRESTED", "en", "arrested"),
        ("This is your final  warning", "en", "final warning"),
        ("We may ｓｕｅ", "en", "sue"),
        ("請點 ｈｔｔｐs://x", "zh-Hant", "http"),
        ("pay at www.x.example", "en", "www"),
    ],
)
def test_a_forbidden_word_is_found_however_it_is_written(
    wordings: Wordings, wording: str, language: str, word: str
) -> None:
    assert any(repr(word) in fault for fault in wordings.faults(wording, language))


@pytest.mark.parametrize(
    ("wording", "language"),
    [
        ("Any issue? Please pursue it with us, of course.", "en"),
        ("Courtesy reminder: your plan is due.", "en"),
        ("您好，分期今天到期，可用官方APP繳款。", "zh-Hant"),
        ("如已还款请忽略，有困难请致电。", "zh-Hans"),
    ],
)
def test_an_ordinary_reminder_passes(wordings: Wordings, wording: str, language: str) -> None:
    assert list(wordings.faults(wording, language)) == []


@pytest.mark.parametrize(
    ("file", "before", "after", "field", "reason"),
    [
        ("texts/en.toml", "Ignore if paid", "You will be arrested", "en/before-3@1", "arrested"),
        ("texts/en.toml", "Hi {name}", "Hi – {name}", "en/before-3@1", "GSM alphabet"),
        ("texts/zh-Hant.toml", "已繳請略", "否則上門", "zh-Hant/before-3@1", "上門"),
        ("texts/zh-Hans.toml", "的{amount}", "¥{amount}", "zh-Hans/before-3@1", "carriers refuse"),
        ("lenders/demo-tw.toml", '"our app"', '"http://x.tw"', "pay.en", "http"),
        ("lenders/demo-tw.toml", '"Demo Finance"', '"Demo “Fin”"', "sender_name.en", "GSM alphabet"),
    ],
)
def test_what_no_text_may_say_is_refused_at_load_naming_file_field_and_reason(
    folder: Path, file: str, before: str, after: str, field: str, reason: str
) -> None:
    path = folder / file
    path.write_text(path.read_text("utf-8").replace(before, after, 1), "utf-8")
    with pytest.raises(PolicyError) as refused:
        load_policies(folder)
    for part in (file, field, reason):
        assert part in str(refused.value)
