"""A data file that is nested too deeply, or holds a number of thousands of digits, is no TOML either."""

import pytest

from dunning.policy.calendar import CalendarFile
from dunning.policy.column_files import ColumnsFile
from dunning.policy.files import DataFile, PolicyError


@pytest.mark.parametrize(
    "written",
    ["[" * 5_000 + "]" * 5_000, "{a=" * 5_000 + "1" + "}" * 5_000, "9" * 5_000, "-" + "1" * 4_301, "0x" + "f" * 9_000],
    ids=["arrays", "tables", "number", "negative number", "hexadecimal"],
)
def test_what_python_cannot_read_names_its_file(written: str) -> None:
    file = DataFile("lenders/mine.toml", f'id = "mine"\nladder = {written}\n')
    if written.startswith("0x"):
        assert file.raw["ladder"] > 0
        return
    with pytest.raises(PolicyError, match=r"^lenders/mine\.toml: not TOML: nested too deeply"):
        file.raw  # noqa: B018 - it is read when it is first looked at


@pytest.mark.parametrize(("written", "shown"), [("\\u001b[2J", "\\x1b[2J"), ("a\\nb", "a\\nb"), ("\\u202e", "\\u202e")])
def test_a_key_that_would_steer_the_terminal_is_shown_with_escapes(written: str, shown: str) -> None:
    file = DataFile("columns/mine.toml", f'[headings]\nname = ["n"]\n[other]\n"{written}" = 1\n')
    with pytest.raises(PolicyError) as refused:
        file.read(CalendarFile)
    assert str(refused.value).isprintable()
    alone = DataFile("columns/mine.toml", f'"{written}" = 1\n')
    with pytest.raises(PolicyError) as refused:
        alone.read(ColumnsFile)
    assert str(refused.value) == f"columns/mine.toml:1: {shown}: is no key here"
