"""A denied word is innocent; a threat that only holds a negator is not."""

import pytest

from dunning.domain.texts.lint.negation import continues_list, is_denied


def denied(text: str, word: str, *, even_if_conditional: bool = False) -> bool:
    start = text.rindex(word)
    return is_denied(text, start, start + len(word), even_if_conditional=even_if_conditional)


@pytest.mark.parametrize(
    "negator", ["严禁", "不得", "不会", "绝不", "绝不会", "禁止", "无需", "谨防", "不必", "请勿", "勿", "不要", "恕不"]
)
def test_a_chinese_negator_directly_before_the_word_denies_it(negator: str) -> None:
    assert denied(f"我司{negator}上门", "上门")


@pytest.mark.parametrize("negator", ["not", "never", "won't", "cannot", "can't", "without", "don't", "no", "nor"])
def test_an_english_negator_shortly_before_the_word_denies_it(negator: str) -> None:
    assert denied(f"we {negator} sue", "sue")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我司不会以任何方式要求您提供密码", "密码"),
        ("请勿向任何人透露验证码", "验证码"),
        ("请勿相信自称公安的来电", "公安"),
        ("请勿随便相信自称公安的来电", "公安"),
        ("我们不会将您的资料告诉家人", "家人"),
        ("不得暴力、不得上门", "上门"),
        ("we will never ask you to send your password", "password"),
        ("our staff does not call the police", "police"),
        ("do not share your pin", "pin"),
        ("we do not and will not sue", "sue"),
        ("please never give anyone your pin", "pin"),
        ("we never shout and never sue", "sue"),
        ("never sue a customer", "sue"),
        ("no further lawsuit follows", "lawsuit"),
    ],
)
def test_ordinary_words_may_stand_between(text: str, word: str) -> None:
    assert denied(text, word)


@pytest.mark.parametrize(("gap", "length"), [("某" * 14, 14), (f" {'x' * 58} ", 60)], ids=["Chinese", "English"])
def test_a_negator_denies_as_far_as_it_reaches_and_no_further(gap: str, length: int) -> None:
    assert len(gap) == length
    negator, word = ("我司绝不", "上门") if gap[0] == "某" else ("we never", "sue")
    assert denied(f"{negator}{gap}{word}", word)
    assert not denied(f"{negator}{gap[0]}{gap}{word}", word)


def test_another_negator_is_looked_for_ninety_characters_back() -> None:
    assert not denied(f"never {'x' * 79} not sue", "sue")
    assert denied(f"never {'x' * 80} not sue", "sue")
    assert denied(f"never sue {'x' * 200}", "sue")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("起诉", "起诉"),
        ("我司不会打扰但会起诉", "起诉"),
        ("请勿大意起诉", "起诉"),
        ("不会禁止起诉", "起诉"),
        ("不会起诉禁止起诉", "起诉"),
        ("不会打扰您。起诉", "起诉"),
        ("不会打扰您，起诉", "起诉"),
        ("不会打扰您 起诉", "起诉"),
        ("请勿拖延否则起诉", "起诉"),
        ("勿逾期起诉", "起诉"),
        ("不会不起诉", "起诉"),
        ("不得不起诉", "起诉"),
        ("不得已起诉", "起诉"),
        ("会不会起诉", "起诉"),
        ("不要以为我们不会起诉", "起诉"),
        ("请勿忽视法院", "法院"),
        ("切勿让家人", "家人"),
        ("绝不姑息起诉", "起诉"),
        ("不会另行通知直接上门", "上门"),
        ("不要害怕上门", "上门"),
        ("特别起诉", "起诉"),
        ("个别上门", "上门"),
        ("我司不会在没有其他任何办法可以联络到您本人之前上门", "上门"),
        ("do not ignore this or we will sue", "sue"),
        ("not paying means a lawsuit", "lawsuit"),
        ("we won't wait. we sue", "sue"),
        ("no payment, arrest", "arrest"),
        ("never think we will not sue", "sue"),
        ("don't end up in jail", "jail"),
        ("don't get arrested", "arrested"),
        ("customers please never end up in court", "court"),
        ("not only sue", "sue"),
        ("we cannot rule out a lawsuit", "lawsuit"),
        (
            "we will not be so patient as to keep on waiting for you for another month before we take you to court",
            "court",
        ),
        ("issuing notes to sue", "sue"),
    ],
)
def test_a_negator_elsewhere_or_turned_into_a_threat_denies_nothing(text: str, word: str) -> None:
    assert not denied(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("只要还款就不会起诉", "起诉"),
        ("若您今日缴款，我们不会起诉", "起诉"),
        ("不会起诉，如果您今日付清", "起诉"),
        ("we will not sue if you pay", "sue"),
        ("if you pay today, we will not sue. bye", "sue"),
        ("we are glad. if you pay we will not sue", "sue"),
        ("if you pay today, we will not sue", "sue"),
        ("you are not sued yet", "sued"),
    ],
)
def test_a_denial_that_hangs_on_payment_is_a_threat(text: str, word: str) -> None:
    assert not denied(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("we will not sue you. call us if you pay", "sue"),
        ("if you pay it is settled. we will not sue", "sue"),
        ("我司不会上门收款。如果您今日付清请来电", "上门"),
        ("如果您今日付清请来电。我司不会上门", "上门"),
    ],
)
def test_a_condition_of_another_sentence_leaves_a_denial_as_it_is(text: str, word: str) -> None:
    assert denied(text, word)


def test_a_condition_does_not_undo_the_denial_that_secrets_are_asked_for() -> None:
    assert denied("若您已缴款请忽略，我司不会要求密码", "密码")
    assert denied("if you pay by phone, we will never ask for your pin", "pin", even_if_conditional=True)


@pytest.mark.parametrize(
    ("between", "joins"),
    [
        ("、", True),
        (" or ", True),
        (", or your ", True),
        ("或", True),
        ("、您的", True),
        ("", True),
        ("起诉", False),
        (" or we will ", False),
    ],
)
def test_a_list_goes_on_with_what_joins_lists(between: str, joins: bool) -> None:  # noqa: FBT001 - a parameter
    assert continues_list(between) is joins
