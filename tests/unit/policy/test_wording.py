"""What no text may say is refused when it is loaded, wherever it stands."""

from importlib.resources import files
from pathlib import Path

import pytest

from dunning.policy import PolicyError, load_policies

PACKAGE = Path(str(files("dunning.policy") / "data"))


@pytest.mark.parametrize(
    ("file", "before", "after", "field", "reason"),
    [
        (
            "texts/en.toml",
            "If paid, please ignore this.",
            "If paid, please ignore this. You will be arrested.",
            "before-3.single",
            "arrested",
        ),
        ("texts/en.toml", "{amount} (plan", "{amount} – (plan", "before-3.single", "GSM alphabet"),
        ("texts/zh-Hant.toml", "已繳請忽略", "已繳請忽略，否則上門", "before-3.single", "上门"),
        ("texts/zh-Hans.toml", "{amount}", "¥{amount}", "before-3.single", "carriers refuse"),
        ("lenders/demo-tw.toml", '"in our app"', '"at http://x.tw"', "pay.en", "link"),
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
