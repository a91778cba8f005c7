"""One reply on the command line: what it is understood as, what follows, and why."""

import io
import json

import pytest

from ops import reply


def test_a_reply_is_shown_with_its_bands_its_day_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert reply.main(["--text", "I will pay on Friday", "--country", "us", "--on", "2026-12-01"]) == 0
    printed = capsys.readouterr().out
    assert "Understood as   promise" in printed
    assert "Promised day    2026-12-04" in printed
    assert "Why" in printed


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        ("ok thanks", "nothing changes"),
        ("STOP", "the sure intents are acted on"),
        ("ฟฟ", "silence, and a person looks"),
        ("I want to kill myself", "silence until released, and a person at once"),
    ],
)
def test_what_follows_is_said(text: str, follows: str, capsys: pytest.CaptureFixture[str]) -> None:
    reply.main(["--text", text, "--country", "US"])
    assert f"What follows    {follows}" in capsys.readouterr().out


def test_lines_of_standard_input_become_lines_of_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("STOP 5678\n已經繳了\n"))
    assert reply.main(["--country", "TW", "--on", "2026-12-01"]) == 0
    stop, paid = map(json.loads, capsys.readouterr().out.splitlines())
    assert stop["sure"] == ["opt_out"]
    assert stop["digits"] == "5678"
    assert stop["by_fixed_word"]
    assert paid["guess"] == ["paid"]


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--country", "Taiwan"], "COUNTRY=Taiwan is not two letters"),
        (["--on", "12/1"], "ON=12/1 is not a day such as"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    arguments: list[str], refusal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        reply.main(["--text", "x", *arguments])
    assert refusal in capsys.readouterr().err
