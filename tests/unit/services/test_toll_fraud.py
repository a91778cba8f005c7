"""Toll fraud: a number that bills whoever texts it, or that is in no country a policy names, is never texted."""

from collections.abc import Iterator, Mapping
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from dunning.contracts.lender_event import EVENTS
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send, Stop
from dunning.services.intake.phones import PhoneError, normalise_phone
from tests.support.builders import a_standing, the_policies
from tests.support.lender_files import NOW, WANG, Office, row
from tests.support.people import someone

TEXTABLE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
DEAR = {
    "premium rate": PhoneNumberType.PREMIUM_RATE, "shared cost": PhoneNumberType.SHARED_COST,
    "toll free": PhoneNumberType.TOLL_FREE, "internet": PhoneNumberType.VOIP, "pager": PhoneNumberType.PAGER,
    "personal": PhoneNumberType.PERSONAL_NUMBER, "company": PhoneNumberType.UAN,
    "voicemail": PhoneNumberType.VOICEMAIL, "fixed line": PhoneNumberType.FIXED_LINE,
}  # fmt: skip
OF_NO_COUNTRY = ("+870773111632", "+8816123456789", "+882101234567", "+88313212345678", "+888123456789",
                 "+979123456789", "+80012345678", "+80812345678")  # fmt: skip
"""Satellites, networks, disaster relief, and numbers of all countries: premium, toll free, shared cost."""
SHORT = ("110", "119", "911", "112", "999", "12345", "55555", "878787", "*111#", "#31#0912345678", "+1911", "+886110")


def examples(kind: int) -> Iterator[tuple[str, str]]:
    """Yield a number of this kind for each country that has some, as E.164, and the country."""
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(country, kind)
        if number is not None and phonenumbers.number_type(number) == kind:
            yield country, phonenumbers.format_number(number, PhoneNumberFormat.E164)


def forms(number: str, country: str) -> Iterator[str]:
    """Yield a number as people write it: with its code, with 00 in front, and as at home."""
    yield number
    yield f"00{number[1:]}"
    yield phonenumbers.format_number(phonenumbers.parse(number, country), PhoneNumberFormat.NATIONAL)


@pytest.mark.parametrize("kind", DEAR)
def test_no_number_of_a_kind_that_bills_or_cannot_be_texted_is_read(kind: str) -> None:
    found = list(examples(DEAR[kind]))
    assert found
    for country, number in found:
        for home in {country, "TW", "US"}:
            for written in forms(number, country):
                try:
                    read = normalise_phone(written, home)
                except PhoneError:
                    continue
                # Written as at home, it may be a mobile number of another country; never the dear number itself.
                assert read.e164 != number
                assert phonenumbers.number_type(phonenumbers.parse(read.e164)) in TEXTABLE


@pytest.mark.parametrize("number", [*OF_NO_COUNTRY, *SHORT])
@pytest.mark.parametrize("country", ["TW", "CN", "US", "GB"])
def test_no_number_of_no_country_and_no_short_code_is_read(number: str, country: str) -> None:
    with pytest.raises(PhoneError):
        normalise_phone(number, country)


def test_a_file_full_of_them_loads_nobody_and_each_is_refused_by_its_line() -> None:
    numbers = [number for kind in DEAR.values() for _, number in examples(kind)] + [*OF_NO_COUNTRY, *SHORT]
    office = Office()
    summary = office.load_rows(
        *[row(WANG, customer_id=f"C-{at}", account_id=f"A-{at}", phone=number) for at, number in enumerate(numbers)]
    )
    assert (summary.customers_loaded, summary.customers_refused) == (0, len(numbers))
    assert office.store.facts == {}
    assert {field for _, _, field, _ in office.rejects} == {"phone"}
    assert {int(line) for line, *_ in office.rejects} == set(range(2, len(numbers) + 2))


@pytest.mark.slow(reason="a mobile number of every country, under each policy of the package")
@pytest.mark.parametrize("lender", ["demo-tw", "demo-cn", "demo-world"])
def test_a_mobile_number_of_a_country_that_the_policy_does_not_name_is_not_texted(lender: str) -> None:
    book = the_policies()
    named = book.places.countries_under(book.lenders[lender].policy.countries)
    sent, stopped = set(), set()
    for kind in TEXTABLE:
        for country, number in examples(kind):
            phone = normalise_phone(number, country)
            for home in {country, "TW", "US"}:
                facts = someone(country=home, phone=phone.e164, phone_country=phone.country, lender=lender)
                decision = decide(facts, a_standing(), book, NOW)
                if phone.country not in named:
                    assert isinstance(decision, Stop), (country, home, decision)
                    stopped.add(decision.reason)
                elif isinstance(decision, Send):
                    sent.add(phone.country)
    assert Reason.COUNTRY_NOT_ALLOWED in stopped
    assert sent <= set(named)


def test_no_event_of_a_lender_can_bring_a_number() -> None:
    fields: Mapping[str, Any] = {kind: model.model_fields.keys() for kind, model in EVENTS.items()}
    assert not [kind for kind, names in fields.items() if {"phone", "number", "to", "phone_country"} & set(names)]
