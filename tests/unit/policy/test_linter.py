"""The list of words: every rule fires and falls silent where its examples say so, and good reminders pass."""

import re
import tomllib
from importlib.resources import files
from itertools import product
from pathlib import Path
from shutil import copytree

import pytest

from dunning.domain.texts.lint import ArrivingText
from dunning.policy import PolicyError
from dunning.policy.linter_files import LinterFile, PhrasingFile, WordsFile, load_linter
from tests.devtools.characters import characters_file, converted
from tests.support.reminders import BAD, GOOD, rules_broken, rules_met_by, staged_reminders, the_linter, with_words

PACKAGE = Path(str(files("dunning.policy") / "data"))
FILE = LinterFile.model_validate(tomllib.loads((PACKAGE / "linter.toml").read_text("utf-8")))
RULES = [pytest.param(rule, id=rule.id) for rule in FILE.words]
SCRIPTS = ("s2t", "s2tw", "s2hk", "t2s")


def examples(kind: str) -> list[object]:
    return [pytest.param(rule.id, text, id=f"{rule.id}: {text}") for rule in FILE.words for text in getattr(rule, kind)]


@pytest.mark.parametrize(("rule_id", "text"), examples("fires"))
def test_a_rule_fires(rule_id: str, text: str) -> None:
    assert rule_id in rules_met_by(text)


@pytest.mark.parametrize(("rule_id", "text"), examples("silent"))
def test_a_rule_is_silent(rule_id: str, text: str) -> None:
    assert rule_id not in rules_met_by(text)


def phrasing_examples(kind: str) -> list[object]:
    return [pytest.param(rule, text, id=f"{rule.id}: {text}") for rule in FILE.phrasing for text in getattr(rule, kind)]


@pytest.mark.parametrize(("rule", "text"), phrasing_examples("fires"))
def test_what_leaves_a_sentence_unfinished_is_found(rule: PhrasingFile, text: str) -> None:
    assert {finding.rule for finding in the_linter().phrasing_faults(text, rule.language)} == {rule.id}


@pytest.mark.parametrize(("rule", "text"), phrasing_examples("silent"))
def test_a_whole_sentence_is_left_alone(rule: PhrasingFile, text: str) -> None:
    assert list(the_linter().phrasing_faults(text, rule.language)) == []


def test_each_pattern_of_a_rule_has_an_example_that_it_finds() -> None:
    for rule in FILE.phrasing:
        for pattern in rule.patterns:
            assert any(re.search(pattern, text) for text in rule.fires), pattern


def test_a_pattern_that_is_none_is_refused() -> None:
    raw = FILE.phrasing[0].model_dump() | {"patterns": ("(",)}
    with pytest.raises(ValueError, match="no regular expression"):
        PhrasingFile.model_validate(raw)


@pytest.mark.parametrize("rule", RULES)
def test_every_word_is_found_on_its_own_by_its_own_rule(rule: WordsFile) -> None:
    for word in (*rule.zh, *rule.en):
        written = word.replace("#", "12")
        assert rule.id in rules_met_by(written), word
        if rule.severity == "block":
            language = "en" if written.isascii() else "zh-Hant"
            assert rule.id in rules_broken(with_words(written, language)), word


@pytest.mark.parametrize("rule", RULES)
def test_every_chinese_word_is_found_in_both_scripts_and_any_mixture(rule: WordsFile) -> None:
    for word in rule.zh:
        forms = {word} | {converted(word, direction) for direction in SCRIPTS}
        assert {len(form) for form in forms} == {len(word)}
        for mixture in product(*({form[index] for form in forms} for index in range(len(word)))):
            assert rule.id in rules_met_by("".join(mixture).replace("#", "12")), (word, mixture)


@pytest.mark.parametrize("rule", RULES)
def test_every_context_holds_a_word_and_makes_it_innocent(rule: WordsFile) -> None:
    for context in rule.innocent:
        assert rule.id not in rules_met_by(context.replace("#", "110")), context
        assert any(word in context for word in (*rule.zh, *rule.en)), context


def test_the_tables_of_characters_are_those_the_libraries_give_today() -> None:
    assert (PACKAGE / "characters.toml").read_text("utf-8") == characters_file()


@pytest.mark.parametrize("wording", GOOD)
def test_the_linter_is_silent_on_good_wordings(wording: str) -> None:
    assert rules_met_by(wording) == set()


@pytest.mark.parametrize("message", [pytest.param(message, id=name) for name, message in staged_reminders().items()])
def test_the_linter_is_silent_on_the_reminders_of_every_stage(message: ArrivingText) -> None:
    assert list(the_linter().findings(message)) == []
    assert list(the_linter().faults(message)) == []


@pytest.mark.parametrize(("wording", "rule_id"), list(BAD.items()))
def test_the_linter_catches_bad_wordings(wording: str, rule_id: str) -> None:
    assert rule_id in rules_met_by(wording)
    severity = the_linter().rules()[rule_id].severity
    faults = rules_broken(with_words(wording, "en" if wording.isascii() else "zh-Hant"))
    assert (rule_id in faults) is (severity == "block")


def test_a_full_name_is_caught() -> None:
    message = with_words("", "zh-Hans")
    text = message.text.replace("王*明", "王小明")
    assert "masked-name" in rules_broken(message._replace(text=text, values={**message.values, "name": "王小明"}))


@pytest.mark.parametrize(
    ("before", "after", "field", "reason"),
    [
        ('severity = "block"', 'severity = "fatal"', "words.0.severity", "'block' or 'warn'"),
        ('mark = "V"', 'mark = "X"', "words.0.mark", "'V'"),
        ('"坐牢"', '"jail"', "words.0.zh.0", "not a Chinese word"),
        ('"arrest", "arrests"', '"Arrest", "arrests"', "words.0.en.0", "small letters"),
        ('id = "false-authority"', 'id = "threat-of-arrest"', "", "threat-of-arrest is there twice"),
        ('id = "false-authority"', 'id = "long-number"', "", "two rules are called long-number"),
        ('except = ["保管收"', 'excepts = ["保管收"', "words.0.excepts", "is no key here"),
        ("checked_on = 2026-11-23", "", "checked_on", "Field required"),
    ],
)
def test_a_bad_list_is_refused_naming_file_field_and_reason(
    tmp_path: Path, before: str, after: str, field: str, reason: str
) -> None:
    folder = tmp_path / "policy"
    copytree(PACKAGE, folder)
    text = (folder / "linter.toml").read_text("utf-8")
    assert before in text
    (folder / "linter.toml").write_text(text.replace(before, after, 1), "utf-8")
    with pytest.raises(PolicyError, match=re.escape(reason)) as refused:
        load_linter(folder)
    assert re.match(rf"linter\.toml:\d+: {re.escape(field)}", str(refused.value))


@pytest.mark.parametrize("kind", ["fires", "silent"])
def test_a_rule_without_examples_of_both_kinds_is_refused(kind: str) -> None:
    raw = FILE.words[0].model_dump(by_alias=True) | {kind: ()}
    with pytest.raises(ValueError, match=kind):
        WordsFile.model_validate(raw)
