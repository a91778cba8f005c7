"""No page shows who a customer is before somebody has said what for: neither a name nor five digits of a number."""

import json
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dunning.console.visits import LANGUAGE_COOKIE
from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.lender_record import CustomerHold, EventTime, InstalmentPaid, RecordedEvent
from dunning.domain.customer.standing import OpenReview
from dunning.domain.texts.masking import mask_name
from dunning.ports.sessions import Role
from tests.support.console import Office, a_contact, a_reply
from tests.support.people import NOW, someone, waking

SURNAMES, GIVEN = "王李張陳歐劉", "小明志偉淑芬雅婷"
NAMES = st.one_of(
    st.builds(
        lambda surname, given: surname + "".join(given),
        st.sampled_from(SURNAMES),
        st.lists(st.sampled_from(GIVEN), min_size=2, max_size=3, unique=True),
    ),
    st.builds(
        lambda first, last: f"{first} {last}",
        st.sampled_from(["Beatriz", "Quentin", "Søren", "O'Shea"]),
        st.sampled_from(["Kowalski", "<script>alert(1)</script>", "Castillo & Co", '"Vasquez"']),
    ),
)
NUMBERS = st.integers(min_value=10_000_000, max_value=99_999_999).map(lambda number: f"+8869{number}")
PAGES = (
    "/today", "/customers/C0001", "/customers/C0001/print", "/find", "/audit", "/list",
    "/waiting", "/waiting/C0001", "/erasures", "/sending",
)  # fmt: skip
QUERY = {"lender": "demo-tw", "day": "2026-12-01", "counter": "wait:person_cap"}


def five_digits_of(phone: str) -> re.Pattern[str]:
    """Return what finds five digits of a number that follow each other, whatever stands between them."""
    digits = phone.removeprefix("+886")
    runs = {digits[start : start + 5] for start in range(len(digits) - 4)}
    return re.compile("|".join("[ ().-]?".join(run) for run in sorted(runs)))


def visible(page: str) -> str:
    """Return a page without the days of machines, charts and the names of its files: they hold digits of their own."""
    return re.sub(r'datetime="[^"]*"|/static/[^"]*|value="[^"]*"|20\d\d-\d\d-\d\d|(?s:<svg.*?</svg>)', "", page)


@given(
    NAMES,
    NUMBERS,
    st.sampled_from(Role),
    st.sampled_from(["en", "zh-Hant", "zh-Hans"]),
    st.sets(st.sampled_from(PAGES), min_size=4, max_size=4),
)
def test_no_page_shows_a_name_or_five_digits_of_a_number(
    name: str, phone: str, role: Role, language: str, pages: set[str]
) -> None:
    office = Office()
    facts = replace(someone(), name=name, phone=phone)
    office.keep(
        facts,
        waking(facts, lender_id=facts.lender, attention=(OpenReview("not_understood", NOW, "reply-1"),)),
        contacts=[a_contact(facts, f"【示範分期】{mask_name(name)}您好")],
        replies=[a_reply(facts, f"我是{name}，{phone}")],
    )
    evidence = office.evidence.stored["C0001"]
    assert evidence.lender_record
    events = {
        "paid": RecordedEvent(EventTime(NOW), InstalmentPaid("A0001-0", 1, 100, "TWD")),
        "held": RecordedEvent(EventTime(NOW), CustomerHold(HoldReason.DISPUTE)),
    }
    office.evidence.stored["C0001"] = replace(evidence, lender_record=replace(evidence.lender_record, events=events))
    office.log_in(role)
    office.cookies[LANGUAGE_COOKIE] = language
    office.customers.phones[phone] = frozenset({"C0001", "C0002"})
    answers = {
        **{path: office.get(path, **QUERY) for path in sorted(pages)},
        "earlier": office.get("/customers/C0001", before="2027-01-01T00:00:00+00:00", kind="reply"),
        "found by number": office.post("/find", sought=phone),
        "in full, for nothing": office.post("/customers/C0001/document", purpose="", made_as="json"),
        "in full, by the wrong role": office.post("/customers/C0001/document", purpose="audit", made_as="json")
        if role is not Role.COMPLIANCE
        else office.get("/audit"),
        "a reply, for nothing": office.post("/customers/C0001/reveal", field="reply#reply-1", purpose="curiosity"),
    }
    assert office.errors == []
    for path, answer in answers.items():
        page = answer.body
        assert name not in page, path
        assert not re.search(r"<script>alert", page)
        for given_name in re.findall(r"[A-Za-zø]{5,}", name):
            if given_name.lower() not in {"script", "alert"}:
                assert given_name not in page
        assert not five_digits_of(phone).search(visible(page)), path


@given(NAMES)
def test_what_is_revealed_is_text_and_nothing_but_text(name: str) -> None:
    office = Office()
    facts = replace(someone(), name=name)
    office.keep(facts, replies=[a_reply(facts, f"<img src=x onerror=alert(1)> {name}")])
    office.log_in(Role.AGENT)
    for field in ("name", "reply#reply-1"):
        page = office.post("/customers/C0001/reveal", field=field, purpose="call").body
        assert "<img" not in page
        assert "<script>alert" not in page


@given(NAMES, NUMBERS)
def test_the_document_in_full_holds_all_that_the_pages_hide_and_only_behind_its_entry(name: str, phone: str) -> None:
    office = Office()
    facts = replace(someone(), name=name, phone=phone)
    office.keep(facts, contacts=[a_contact(facts, "字")], replies=[a_reply(facts, f"我是{name}，{phone}")])
    office.log_in(Role.COMPLIANCE)
    found = json.loads(office.post("/customers/C0001/document", purpose="access_request", made_as="json").body)
    assert (found["person"]["name"], found["person"]["number"]) == (name, phone)
    assert found["stored"]["replies"][0]["inbound"]["text"] == f"我是{name}，{phone}"
    assert [entry.act for entry in office.table.entries] == ["exported"]
    page = office.post("/customers/C0001/document", purpose="access_request", made_as="page").body
    assert "<script>alert" not in page
    assert five_digits_of(phone).search(page)
