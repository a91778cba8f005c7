"""
Links in a text: whether there may be any, whose they are, and where they hide.

Banks of Taiwan, Hong Kong and Singapore send none, carriers filter short ones, and phishers send them all.
"""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from dunning.domain.texts.lint.findings import Finding, blocking, found
from dunning.domain.texts.lint.folding import HAN

NOT_ALLOWED = blocking(
    "link-not-allowed",
    "no links where the place or the lender allows none",
    "FSC 2023-09-19 (TW); HKMA: no links to transactions; MAS and ABS 2022-01-19 (SG)",
    "V2",
)
SHORT = blocking(
    "short-link",
    "no short links: nobody sees where they lead",
    "carriers filter them (AWS names bitly and tinyurl); against phishing",
    "V2",
)
FOREIGN = blocking(
    "foreign-link",
    "links lead to the lender's own domains only",
    "FSC 2023-09-19: links lead to the official site only (TW); against phishing",
    "V2",
)
RULES = (NOT_ALLOWED, SHORT, FOREIGN)

_ADDRESS = re.compile(r"(?<![a-z0-9])(?:[a-z]{2,12}://|www\.)\s?([^\s/?#，。、；（）【】]+)")
_BARE = re.compile(
    r"(?<![a-z0-9.-])(?:[a-z0-9][a-z0-9-]*\.)+(xn--[a-z0-9-]+|[a-z]{2,24})(?![a-z0-9-])(?=(\.?(?::[0-9]+)?[/?#])?)"
)
_WRITTEN_STOP = re.compile(r"(?<=[a-z0-9])。(?=[a-z])")
_NUMERIC = re.compile(r"(?<![0-9.])((?:[0-9]{1,3}\.){3}[0-9]{1,3})(?::[0-9]+)?/[a-z]")
_WORDLIKE = frozenset(["am", "as", "at", "be", "by", "do", "id", "in", "is", "it", "me", "my", "no", "so", "to", "us"])
"""Country domains that are English words: "is due.It is" has none, "pay.it/x" has one."""


class LinkData(NamedTuple):
    """`short_hosts` shorten links; `top_level` are the endings by which a bare domain is recognised."""

    short_hosts: tuple[str, ...]
    top_level: frozenset[str]


class LinkFinder:
    """Finds the links of a text and judges them."""

    def __init__(self, data: LinkData) -> None:
        self._top_level = data.top_level
        self._short = frozenset(data.short_hosts)
        hosts = "|".join(re.escape(host).replace(r"\.", r"\s?(?:\.|。|\[\.\]|\(\.\))\s?") for host in data.short_hosts)
        self._chinese = re.compile(rf"([{HAN}]+\.[{HAN}]{{2,4}})/")
        self._hidden = re.compile(rf"(?<![a-z0-9.@-])(?:{hosts})(?![a-z0-9-])(?!\.[a-z])")

    def findings(self, text: str, folded: str, *, allowed: bool, own: Collection[str]) -> Iterator[Finding]:
        """Yield what is wrong with the links of a text and its folded form, each rule once."""
        hosts = set(self._hosts(_WRITTEN_STOP.sub(".", folded)))
        short = self._hidden.search(folded) is not None or any(_is_under(host, self._short) for host in hosts)
        if short:
            yield found(SHORT, "holds a short link")
        if not allowed and (hosts or short):
            yield found(NOT_ALLOWED, "holds a link, and none is allowed here")
        elif short or any(not _is_under(host, own) or host not in text.lower() for host in hosts):
            # A host that is the lender's only once look-alike letters are folded is not.
            yield found(FOREIGN, "holds a link to a domain that is not the lender's")

    def _hosts(self, folded: str) -> Iterator[str]:
        for match in _ADDRESS.finditer(folded):
            # What stands before an @ is a name to log in with, not the host.
            yield match[1].rpartition("@")[2].partition(":")[0].strip(".")
        yield from self._bare_hosts(folded)
        for pattern in (self._chinese, _NUMERIC):
            for match in pattern.finditer(folded):
                yield match[1]

    def _bare_hosts(self, folded: str) -> Iterator[str]:
        for match in _BARE.finditer(folded):
            host, ending, path = match[0], match[1], match[2]
            mailbox = folded[match.start() - 1 : match.start()] == "@"
            if mailbox and not path:
                continue
            if self._is_domain(host, ending, path=bool(path)):
                yield host

    def _is_domain(self, host: str, ending: str, *, path: bool) -> bool:
        if ending not in self._top_level and not ending.startswith("xn--"):
            return False
        if ending in _WORDLIKE:
            return path or host.count(".") > 1 or _is_under(host, self._short)
        return True


def _is_under(host: str, domains: Collection[str]) -> bool:
    """Tell whether a host is one of these domains or below one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
