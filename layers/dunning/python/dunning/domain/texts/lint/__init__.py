"""
The linter of reminder texts: required contents, forbidden words, and forbidden characters and links.

`content` holds the rules about a message's parts, `characters` and `links` those about its characters and links;
`words` finds the listed words in whatever way they are written (`folding`, `english`) unless they are denied
(`negation`); `glance` keeps all of that away from a faultless message, and `shapes` lets one verdict stand for all
messages that no rule tells apart; `linter` puts the rules together.
"""

from dunning.domain.texts.lint.content import ContentPhrases
from dunning.domain.texts.lint.findings import ArrivingText, Finding, RuleInfo, Severity
from dunning.domain.texts.lint.folding import Characters
from dunning.domain.texts.lint.forbidden_words import WordRule
from dunning.domain.texts.lint.links import LinkData
from dunning.domain.texts.lint.linter import Linter, Phrasing

__all__ = [
    "ArrivingText",
    "Characters",
    "ContentPhrases",
    "Finding",
    "LinkData",
    "Linter",
    "Phrasing",
    "RuleInfo",
    "Severity",
    "WordRule",
]
