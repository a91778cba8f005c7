"""The preview shows what would be sent, and says at once what is wrong with it."""

from pathlib import Path

import pytest

from dunning.domain.decision.decisions import Reason
from dunning.domain.texts.previewed import Message, PreviewedCase
from dunning.domain.texts.segments import count_segments
from dunning.policy import load_policies
from dunning.policy.text_preview import preview
from ops.columns import width_of
from ops.preview import main, warnings_of
from tests.support.builders import the_policies


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")


def messages(lender: str, language: str, country: str, folder: Path | None = None) -> dict[str, Message]:
    """Return the preview by `stage case`, for example `+7 several + fee, worst`."""
    book = load_policies(folder) if folder else the_policies()
    found = preview(book, book.lenders[lender], language, country)
    return {f"{message.case.stage:+d} {message.case}": message for message in found}


CHOICES = [
    ("demo-tw", "zh-Hant", "TW"), ("demo-tw", "zh-Hant", "HK"), ("demo-tw", "zh-Hant", "US"), ("demo-tw", "en", "US"),
    ("demo-cn", "zh-Hans", "CN"), ("demo-cn", "en", "CN"), ("demo-world", "en", "JP"), ("demo-world", "en", "KW"),
]  # fmt: skip


@pytest.mark.parametrize(("lender", "language", "country"), CHOICES)
def test_every_stage_is_shown_for_one_and_several_typical_and_worst(lender: str, language: str, country: str) -> None:
    shown = {message.case for message in messages(lender, language, country).values()}
    ladder = the_policies().lenders[lender].policy.ladder
    assert shown == {
        PreviewedCase(stage, several, fee, worst)
        for stage in ladder
        for several in (False, True)
        for fee in ((False, True) if stage == 7 else (False,))
        for worst in (False, True)
    }


@pytest.mark.parametrize(("lender", "language", "country"), CHOICES)
def test_the_texts_of_the_package_can_all_be_sent(lender: str, language: str, country: str) -> None:
    for name, message in messages(lender, language, country).items():
        assert message.reminder is not None
        assert not message.refusals, name
        assert message.reminder.stage == message.case.stage


@pytest.mark.parametrize(("lender", "language", "country"), CHOICES)
def test_the_preview_shows_the_text_that_arrives_and_the_segments_that_are_billed(
    lender: str, language: str, country: str
) -> None:
    for message in messages(lender, language, country).values():
        assert message.reminder is not None
        assert message.arriving.endswith(message.reminder.text)
        assert count_segments(message.arriving) == (message.reminder.encoding, message.reminder.parts)
        assert message.price == the_policies().price(country, message.reminder.parts)


def test_a_typical_and_a_worst_case_are_what_they_say() -> None:
    shown = messages("demo-tw", "zh-Hant", "TW")
    assert shown["-3 one, typical"].arriving == (
        "【示範分期】王*明您好，末碼5678分期款NT$3,250將於12/5到期，請用官方APP繳款，已繳請忽略，客服0800-000-123"
    )
    worst = shown["+7 several, worst"].arriving
    for value in ("歐陽*明", "12期", "NT$99,999.99", "2026/12/31", "365天"):
        assert value in worst
    assert "違約金NT$100" in shown["+7 one + fee, typical"].arriving


def test_the_mainlands_signature_is_shown() -> None:
    assert messages("demo-cn", "zh-Hans", "CN")["-3 one, typical"].arriving.startswith("【示范分期】王*明您好")


# Warnings.


def test_a_second_segment_where_one_is_typical_is_worth_a_warning() -> None:
    shown = messages("demo-tw", "zh-Hant", "TW")
    assert warnings_of(shown["+3 one, typical"]) == []
    assert warnings_of(shown["+3 one, worst"]) == ["2 segments where 1 is typical"]
    assert warnings_of(shown["+3 several, worst"]) == []


def test_a_word_that_needs_a_legal_fact_is_worth_a_warning(folder: Path) -> None:
    edit(folder, "texts/zh-Hant.toml", "若已繳款請忽略本訊息；若有困難", "若已繳款請忽略，逾期依規報送聯徵；若有困難")
    message = messages("demo-tw", "zh-Hant", "TW", folder)["+3 several, typical"]
    (warning,) = warnings_of(message)
    assert warning.startswith("check: says")
    assert "(credit-bureau)" in warning
    assert warnings_of(messages("demo-tw", "zh-Hant", "TW")["+7 one + fee, typical"]) == []


def test_a_text_over_the_budget_is_shown_and_will_not_be_sent(folder: Path) -> None:
    edit(folder, "lenders/demo-tw.toml", "max_segments = 2", "max_segments = 1")
    message = messages("demo-tw", "zh-Hant", "TW", folder)["+3 several, typical"]
    assert "我們一起想辦法" in message.arriving
    assert [reason for reason, _ in message.refusals] == [Reason.TEXT_TOO_LONG]
    assert warnings_of(message) == ["will not be sent: zh-Hant/overdue-3-several@3 takes 2 segments, 1 allowed"]


def test_a_text_that_is_not_registered_is_shown_and_will_not_be_sent(folder: Path) -> None:
    edit(folder, "lenders/demo-cn.toml", '"zh-Hans/overdue-15@3"', '"zh-Hans/overdue-15@3" = "X"\n# ')
    edit(folder, "lenders/demo-cn.toml", '"zh-Hans/overdue-15@3" = "X"\n', "")
    shown = messages("demo-cn", "zh-Hans", "CN", folder)
    message = shown["+15 one, typical"]
    assert "协商" in message.arriving
    assert warnings_of(message) == ["will not be sent: zh-Hans/overdue-15@3 is not registered where the number is"]
    assert warnings_of(shown["+15 several, typical"]) == []


def test_a_text_with_a_fee_that_is_not_registered_gives_way_to_the_plain_one() -> None:
    message = messages("demo-cn", "en", "CN")["+7 several + fee, typical"]
    assert message.reminder is not None
    assert message.reminder.template == "en/overdue-7-several@3"
    assert not message.refusals
    assert warnings_of(message) == [
        "the text with a late fee is not used here: it is not registered, or over the budget"
    ]


# The command.


def test_the_command_prints_every_text_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lender", "demo-tw", "--language", "zh-Hant"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "demo-tw in zh-Hant, to TW: at most 2 segments a text"
    assert "  one, typical            1 segment   UCS-2    68 of 70  $0.0417  zh-Hant/before-3@3" in lines
    assert lines[-1] == ("28 texts · 50 segments · dearest $0.0834 (-3 one, worst) · 6 warnings · all can be sent")
    assert max(map(width_of, lines)) <= 100
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize(
    ("channel", "shown", "status"),
    [
        ("email", "  subject: 您的帳單通知", 0),
        ("line", "  buttons: [已繳款] paid  [想協商] hardship  [不要再傳] opt_out", 0),
        ("voice", "0  on the due date", 0),
        ("whatsapp", "  ! will not be sent: whatsapp/zh-Hant/before@1 is not a template that Meta has approved", 1),
    ],
)
def test_a_channel_may_be_chosen_and_is_shown_with_what_stands_beside_its_text(
    channel: str, shown: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lender", "demo-tw", "--channel", channel]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"demo-tw in zh-Hant, to TW: by {channel}"
    assert shown in lines
    assert max(map(width_of, lines)) <= 100


def test_figures_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--lender", "demo-cn", "--language", "en"])
    figures = [line for line in capsys.readouterr().out.splitlines() if "  UCS-2  " in line]
    assert len(figures) == 28
    assert {line.index("UCS-2") for line in figures} == {figures[0].index("UCS-2")}
    assert {line.index("$") for line in figures} == {figures[0].index("$")}


def test_a_text_that_cannot_be_sent_fails_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, "lenders/demo-tw.toml", "max_segments = 2", "max_segments = 1")
    assert main(["--lender", "demo-tw", "--policies", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "  ! will not be sent: zh-Hant/today-several@3 takes 2 segments, 1 allowed" in out
    assert out.splitlines()[-1].endswith("21 cannot be sent")


def test_without_a_lender_help_and_the_choices_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "usage: " in out
    assert "demo-tw      languages zh-Hant, en; countries TW, HK, US" in out


def test_a_region_and_a_place_of_many_countries_may_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lender", "demo-tw", "--language", "en", "--country", "us-ma"]) == 0
    assert capsys.readouterr().out.startswith("demo-tw in en, to US-MA: ")
    assert main(["--lender", "demo-world"]) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--lender", "nobody"], "no lender is called 'nobody'; there are: demo-channels", id="lender"),
        pytest.param(["--lender", "demo-tw", "--language", "fr"], "it has: zh-Hant, en", id="language"),
        pytest.param(["--lender", "demo-tw", "--country", "XX"], "no country (ISO 3166); demo-tw texts", id="country"),
        pytest.param(["--lender", "demo-tw", "--country", "JP"], "its countries: TW, HK, US", id="another country"),
        pytest.param(["--lender", "demo-tw", "--policies", "/nowhere"], "there is no folder /nowhere", id="folder"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_those_that_do(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_policies_that_do_not_load_say_where_and_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, "texts/en.toml", "{hotline}", "{hotlin}")
    with pytest.raises(SystemExit) as ended:
        main(["--lender", "demo-tw", "--policies", str(folder)])
    assert ended.value.code == 2
    assert "texts/en.toml:" in capsys.readouterr().err
