"""Findings: the linter's input is a message, and its output are findings, each with the rule that is broken."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """Whether a finding stops a text, or asks a person to check a fact."""

    BLOCK = "block"
    WARN = "warn"


class RuleInfo(NamedTuple):
    """
    One rule as reports list it.

    `source` names the law, guide or carrier document behind it; `mark` is V for a primary text, V2 for a secondary
    source, M for memory, D for our own default.
    """

    id: str
    severity: Severity
    rule: str
    source: str
    mark: str


class Finding(NamedTuple):
    """
    One rule that a text breaks.

    `message` never quotes the text, which holds personal data: it names what is missing, one character, or the word
    as the list of words writes it.
    """

    rule: str
    severity: Severity
    message: str


class ArrivingText(NamedTuple):
    """
    A rendered reminder.

    `text` is what arrives: with the sender's signature `【…】` or `Sender: ` in front, and the opt-out line behind.
    `language` is zh-Hant, zh-Hans or en. `values` are what was filled in: sender, tail, amount, date, pay and hotline,
    in Chinese the name, and days, count or fee where the text speaks of them. `opt_out_line` is empty where none is
    demanded, `link_domains` are the lender's own domains. `two_way` tells whether a reply can arrive, and `due_today`
    whether the text is the one for the due date.
    """

    text: str
    language: str
    values: Mapping[str, str]
    overdue: bool
    opt_out_line: str
    links_allowed: bool
    link_domains: frozenset[str]
    two_way: bool = True
    due_today: bool = False


def blocking(rule_id: str, rule: str, source: str, mark: str) -> RuleInfo:
    """Describe a rule whose findings stop a text."""
    return RuleInfo(rule_id, Severity.BLOCK, rule, source, mark)


def found(rule: RuleInfo, message: str) -> Finding:
    """Return a finding against a rule."""
    return Finding(rule.id, rule.severity, message)
