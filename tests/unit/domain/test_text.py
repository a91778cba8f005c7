"""Texts: restricted placeholders, filled strictly."""

import pytest

from dunning.domain.errors import TextError
from dunning.domain.texts.wording import compile_text, render


def test_placeholders_are_filled_in_and_all_else_stays_as_it_is() -> None:
    text = compile_text("en/x@1", "Hi {name}, 100% of {amount} {{net}} for {name}: %s %(amount)s")
    assert render(text, {"name": "J***", "amount": "USD 1.00"}) == (
        "Hi J***, 100% of USD 1.00 {net} for J***: %s %(amount)s"
    )


def test_a_value_is_never_read_as_a_placeholder() -> None:
    text = compile_text("en/x@1", "Hi {name}, {amount}")
    assert render(text, {"name": "{amount} %s", "amount": "{0}"}) == "Hi {amount} %s, {0}"


@pytest.mark.parametrize(
    ("wording", "why"),
    [
        pytest.param("Hi {nmae}", "nmae", id="a misspelt placeholder"),
        pytest.param(
            "Hi {phone}",
            "{phone} is not one of: amount, count, date, days, fee, hotline, name, pay, tail$",
            id="one that is not allowed",
        ),
        pytest.param("Hi {}", "placeholder", id="one without a name"),
        pytest.param("Hi {0}", "placeholder", id="a number"),
        pytest.param("Hi {name.__class__}", "placeholder", id="an attribute"),
        pytest.param("Hi {name[0]}", "placeholder", id="an index"),
        pytest.param("Hi {name!r}", "placeholder", id="a conversion"),
        pytest.param("Hi {name:>10}", "placeholder", id="a format"),
        pytest.param("Hi {name", "en/x@1", id="a brace that is never closed"),
        pytest.param("Hi name}", "en/x@1", id="a brace that was never opened"),
    ],
)
def test_a_wording_with_anything_but_known_placeholders_is_refused(wording: str, why: str) -> None:
    with pytest.raises(TextError, match=why):
        compile_text("en/x@1", wording)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        pytest.param({"name": "J***"}, "no value for 'amount'", id="a missing value"),
        pytest.param({"name": "J***", "amount": ""}, "an empty value", id="an empty value"),
        pytest.param({"name": "J***", "amount": "1", "tail": "5678"}, "no placeholder for tail", id="an unused value"),
        pytest.param(
            dict.fromkeys(("tail", "pay", "name", "hotline", "fee", "days", "date", "count", "amount"), "1"),
            "no placeholder for count, date, days, fee, hotline, pay, tail$",
            id="several of them",
        ),
    ],
)
def test_a_missing_an_empty_and_an_unused_value_are_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(TextError, match=why):
        render(compile_text("en/x@1", "Hi {name}, {amount}"), values)
