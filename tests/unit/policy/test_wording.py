"""What no text may say is refused when it is loaded, wherever it stands."""

from importlib.resources import files
from pathlib import Path
from shutil import copytree

import pytest

from dunning.policy import PolicyError, load_policies

PACKAGE = Path(str(files("dunning.policy")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copytree(PACKAGE, tmp_path / "policy")
    return tmp_path / "policy"


@pytest.mark.parametrize(
    ("file", "before", "after", "field", "reason"),
    [
        ("texts/en.toml", "Ignore if paid", "You will be arrested", "en/before-3@1", "arrested"),
        ("texts/en.toml", "Hi {name}", "Hi – {name}", "en/before-3@1", "GSM alphabet"),
        ("texts/zh-Hant.toml", "已繳請略", "否則上門", "zh-Hant/before-3@1", "上门"),
        ("texts/zh-Hans.toml", "的{amount}", "¥{amount}", "zh-Hans/before-3@1", "carriers refuse"),
        ("lenders/demo-tw.toml", '"our app"', '"http://x.tw"', "pay.en", "link"),
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
