"""Whose a link is, rule by rule, with a list of hosts and endings of our own."""

import pytest

from dunning.domain.texts.lint.links import LinkData, LinkFinder

SHORT, FOREIGN, NOT_ALLOWED = "short-link", "foreign-link", "link-not-allowed"
FINDER = LinkFinder(LinkData(("bit.ly", "t.me"), frozenset({"com", "it", "ly", "me", "tw"})))
OWN = ("lender.tw", "示范.中国", "10.0.0.1")


def rules_broken(text: str, *, allowed: bool = True) -> list[str]:
    return [finding.rule for finding in FINDER.findings(text, text, allowed=allowed, own=OWN)]


@pytest.mark.parametrize(
    "text",
    [
        "https://lender.tw/pay",
        "https://lender.tw./pay",
        "https://.lender.tw/pay",
        "https://lender.tw:443/pay",
        "https://me@lender.tw/pay",
        "www.lender.tw",
        "lender.tw.",
        "pay.lender.tw:443/x",
        "示范.中国/pay",
        "10.0.0.1/pay",
    ],
)
def test_a_link_to_the_lender_is_good_where_links_may_be_and_a_link_all_the_same(text: str) -> None:
    assert rules_broken(text) == []
    assert rules_broken(text, allowed=False) == [NOT_ALLOWED]


@pytest.mark.parametrize(
    "text",
    [
        "https://lender",
        "www.lender",
        "//http://lender",
        "evil.com",
        "lender.tw.evil.com",
        "notlender.tw",
        "pay@evil.com/x",
        "a.due.it",
        "due.it/x",
        "due.it?x",
        "evil.xn--fiqs8s",
        "别家.中国/pay",
        "10.0.0.2/pay",
        "10.0.0.2:80/pay",
        "lender.tw or evil.com",
        "evil.com or lender.tw",
    ],
)
def test_a_link_to_anybody_else_is_foreign(text: str) -> None:
    assert rules_broken(text) == [FOREIGN]
    assert rules_broken(text, allowed=False) == [NOT_ALLOWED]


@pytest.mark.parametrize(
    "text", ["bit.ly", "t.me/x", "bit[.]ly", "t(.)me", "bit . ly", "my.bit.ly", "https://my.t.me", "t.me.I"]
)
def test_a_short_link_is_short_and_never_the_lenders(text: str) -> None:
    folded = text.lower()
    assert [finding.rule for finding in FINDER.findings(text, folded, allowed=True, own=("bit.ly", "t.me"))] == [
        SHORT,
        FOREIGN,
    ]
    assert rules_broken(folded, allowed=False) == [SHORT, NOT_ALLOWED]


@pytest.mark.parametrize(
    "text",
    ["", "is due.it is", "call me.me too", "pay@evil.com", "evil.example", "a . com", "1.2 com", "示范.中国",
     "10.0.0.1", "10.0.0.1/2", "5/12", "rabbit.lying", "a//b"],
)  # fmt: skip
def test_what_leads_nowhere_is_no_link(text: str) -> None:
    assert rules_broken(text, allowed=False) == []


def test_letters_that_only_look_like_the_lenders_are_not_the_lenders() -> None:
    own = FINDER.findings("LENDER.TW", "lender.tw", allowed=True, own=OWN)
    alike = FINDER.findings("lеnder.tw", "lender.tw", allowed=True, own=OWN)
    assert ([finding.rule for finding in own], [finding.rule for finding in alike]) == ([], [FOREIGN])


def test_each_finding_says_what_is_wrong() -> None:
    texts = [("bit.ly", True), ("evil.com", False)]
    messages = [f.message for text, allowed in texts for f in FINDER.findings(text, text, allowed=allowed, own=())]
    assert messages == [
        "holds a short link",
        "holds a link to a domain that is not the lender's",
        "holds a link, and none is allowed here",
    ]
