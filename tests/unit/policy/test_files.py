"""A data file tells the line of each of its fields, so that a refusal can name it."""

import pickle
from pathlib import Path

import pytest

from dunning.policy.fields import Sourced
from dunning.policy.files import DataFile, PolicyError, toml_file, toml_files

TEXT = """\
# A comment: id = "no"
id = "XX"
zones = [
    "Asia/Taipei",
]

[hours.law] # with a comment
week = { daily = "09:00-18:00", holiday = "" }
  source = "an act"

[[caps]]
at_most = 1

[[caps]]
at_most = 2
scope.kind = "person"

[registered]
"en/today@1" = "R1"
'zh/today@1' = "R2"

[ countries . "US-MA" ]
max_price = "0.05"
[countries."US-MA".registered]
"en/today@1" = "R3"
"""


@pytest.mark.parametrize(
    ("where", "line"),
    [
        pytest.param(("id",), 2, id="a key at the top, not the comment before it"),
        pytest.param(("zones",), 3, id="a list"),
        pytest.param(("zones", 0), 3, id="an element of a list: the list"),
        pytest.param(("hours", "law"), 7, id="a table"),
        pytest.param(("hours",), 7, id="a table that is only named as part of another"),
        pytest.param(("hours", "law", "week"), 8, id="a key of a table"),
        pytest.param(("hours", "law", "week", "holiday"), 8, id="a key of an inline table: the inline table"),
        pytest.param(("hours", "law", "source"), 9, id="an indented key"),
        pytest.param(("hours", "law", "mark"), 7, id="a missing key: its table"),
        pytest.param(("hours", "ours"), 7, id="a missing table: the table around it"),
        pytest.param(("caps",), 11, id="a list of tables: the first"),
        pytest.param(("caps", 0), 11, id="a table of a list"),
        pytest.param(("caps", 0, "at_most"), 12, id="a key of the first of a list"),
        pytest.param(("caps", 1), 14, id="the second of a list"),
        pytest.param(("caps", 1, "at_most"), 15, id="a key of the second of a list"),
        pytest.param(("caps", 1, "scope", "kind"), 16, id="a dotted key"),
        pytest.param(("caps", 1, "scope"), 16, id="what a dotted key is a part of"),
        pytest.param(("caps", 1, "within"), 14, id="a missing key of the second of a list"),
        pytest.param(("registered", "en/today@1"), 19, id="a key in double quotes"),
        pytest.param(("registered", "zh/today@1"), 20, id="a key in single quotes"),
        pytest.param(("countries", "US-MA"), 22, id="a quoted name of a table, with spaces"),
        pytest.param(("countries", "US-MA", "registered", "en/today@1"), 25, id="a quoted key of a quoted table"),
        pytest.param(("countries", "TW"), 22, id="a missing table of many: the first of them"),
        pytest.param(("colour",), 1, id="nothing at all: the top"),
        pytest.param((), 1, id="the whole file"),
    ],
)
def test_the_line_of_a_field(where: tuple[str | int, ...], line: int) -> None:
    assert DataFile("x.toml", TEXT).line(where) == line


def test_a_refusal_names_file_line_field_and_reason() -> None:
    file = DataFile("lenders/x.toml", TEXT)
    assert str(file.refusal(("caps", 1, "at_most"), "too many")) == "lenders/x.toml:15: caps.1.at_most: too many"
    assert str(file.refusal((), "is empty")) == "lenders/x.toml:1: is empty"
    assert file.at("hours", "law") == "lenders/x.toml:7"


def test_what_does_not_fit_a_table_is_refused_at_its_line() -> None:
    file = DataFile("x.toml", '\n[hours.law]\nsource = "an act"\n')
    with pytest.raises(PolicyError, match=r"^x\.toml:2: hours\.law\.mark: Field required$"):
        file.read(Sourced, "hours", "law")


def test_a_misspelt_key_is_named_rather_than_the_one_that_is_missing_for_it() -> None:
    file = DataFile("x.toml", 'source = "an act"\nmarks = "V"\nchecked_on = 2026-11-23\n')
    with pytest.raises(PolicyError, match=r"^x\.toml:2: marks: is no key here; did you mean mark\?$"):
        file.read(Sourced)
    with pytest.raises(PolicyError, match=r"^x\.toml:8: hours\.law\.week: is no key here$"):
        DataFile("x.toml", TEXT).read(Sourced, "hours", "law")


def test_what_is_no_toml_is_refused_by_name() -> None:
    with pytest.raises(PolicyError, match=r"^x\.toml: not TOML: .*line 2"):
        _ = DataFile("x.toml", "id = 1\nid = = 2\n").raw


def test_a_file_from_a_windows_editor_is_read_or_told_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b'\xef\xbb\xbfid = "XX"\r\nname = "Y"\r\n')
    assert toml_file(tmp_path, "x.toml").raw == {"id": "XX", "name": "Y"}
    (tmp_path / "x.toml").write_bytes('id = "XX"\nname = "示範分期"\n'.encode("big5"))
    with pytest.raises(PolicyError, match=r"^x\.toml:2: not UTF-8: save the file in that encoding$"):
        _ = toml_file(tmp_path, "x.toml").raw


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"^lenders: there is no such folder$"):
        toml_files(tmp_path, "lenders")


def test_a_file_that_is_pickled_comes_back_as_that_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text("")
    file = pickle.loads(pickle.dumps(toml_file(tmp_path, "prices.toml")))
    assert file.name == "prices.toml"
    assert file.raw["per_segment"]["TW"]
    assert file.line(("per_segment", "TW")) > 1
