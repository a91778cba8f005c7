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
        ("ok thanks", "acknowledged (sure): nothing changes"),
        ("STOP", "opt_out (sure): no text any more"),
        ("ฟฟ", "in doubt: silence for doubt_days working days at least, and a person may look"),
        ("I want to kill myself", "a person at once, and no automatic text of any kind"),
    ],
)
def test_what_follows_is_said(text: str, follows: str, capsys: pytest.CaptureFixture[str]) -> None:
    reply.main(["--text", text, "--country", "US"])
    assert follows in capsys.readouterr().out


def test_an_empty_text_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        reply.main(["--text", "  "])
    assert "TEXT is empty" in capsys.readouterr().err


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
        (["--on", "20261201"], "ON=20261201 is not a day such as"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    arguments: list[str], refusal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        reply.main(["--text", "x", *arguments])
    assert refusal in capsys.readouterr().err
