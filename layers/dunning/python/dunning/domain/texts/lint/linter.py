"""
The linter: judges every rendered reminder before it is claimed, and every wording before it is loaded.

A faultless message is the common case and has to be cheap: the rules of content are asked, one quick look is taken
at the rest, and only what looks odd is read in full. That quick look never lets through what reading would find.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from dunning.domain.texts.lint import disclosure
from dunning.domain.texts.lint.content import (
    CHANNEL_CHECKS,
    CHECKS,
    LONG_NUMBER,
    NO_PHRASES,
    PHRASE_CHECKS,
    ContentPhrases,
    is_complete,
    long_number_in,
)
from dunning.domain.texts.lint.findings import ArrivingText, Finding, RuleInfo, Severity, found
from dunning.domain.texts.lint.folding import Characters, Folding
from dunning.domain.texts.lint.forbidden_words import WordRule, Words
from dunning.domain.texts.lint.links import RULES as LINK_RULES
from dunning.domain.texts.lint.links import LinkData, LinkFinder
from dunning.domain.texts.lint.shapes import is_neutral, shape_of_name, told_apart, values_stand_alone

_ON_DEMAND = frozenset({"_links", "_warning", "_open_words", "_open_senders", "_told_apart"})

_NO_VALUES: Mapping[str, str] = {}


class Phrasing(NamedTuple):
    """A rule about how a language is written: regular expressions for what leaves a sentence unfinished."""

    info: RuleInfo
    language: str
    patterns: tuple[str, ...]


class Linter:
    """
    Judges texts. It is built once, and keeps no text.

    Raises:
        ValueError: two rules have the same id.
    """

    def __init__(
        self,
        rules: Sequence[WordRule],
        folding: Characters,
        links: LinkData,
        phrases: Mapping[str, ContentPhrases],
        phrasings: Sequence[Phrasing] = (),
        disclosing: Sequence[WordRule] = (),
        disclosing_senders: Sequence[WordRule] = (),
    ) -> None:
        from dunning.domain.texts.lint import character_rules  # noqa: PLC0415 - as in `_of_characters`

        structural = [info for info, _ in (*CHECKS, *PHRASE_CHECKS)]
        infos = [*structural, *character_rules.RULES, *LINK_RULES, *(rule.info for rule in rules)]
        infos += [phrasing.info for phrasing in phrasings]
        infos += [*disclosure.RULES, *(rule.info for rule in (*disclosing, *disclosing_senders))]
        self._rules = {info.id: info for info in infos}
        if len(self._rules) < len(infos):
            twice = sorted({info.id for info in infos if infos.count(info) > 1 or self._rules[info.id] is not info})
            raise ValueError(f"two rules are called {', '.join(twice)}")
        self._folding = Folding(folding)
        self._link_data = links
        self._blocking = Words(
            [rule for rule in rules if rule.info.severity is Severity.BLOCK], self._folding, links.short_hosts
        )
        self._glance = self._blocking.glance
        self._warnings = [rule for rule in rules if rule.info.severity is Severity.WARN]
        self._phrases = phrases
        self._phrasings = phrasings
        self._disclosing = disclosing
        self._disclosing_senders = disclosing_senders

    def __getstate__(self) -> dict[str, object]:
        # Parts that are built on demand are built there, too.
        return {name: value for name, value in self.__dict__.items() if name not in _ON_DEMAND}

    @cached_property
    def _links(self) -> LinkFinder:
        """Made when the first text is read in full: most senders never read one."""
        return LinkFinder(self._link_data)

    @cached_property
    def _warning(self) -> Words:
        """Made when a person first asks: a sender never does."""
        return Words(self._warnings, self._folding)

    @cached_property
    def _open_words(self) -> Words:
        """Made when the first mail or call is judged: most senders never write one."""
        return Words(self._disclosing, self._folding)

    @cached_property
    def _open_senders(self) -> Words:
        return Words(self._disclosing_senders, self._folding)

    def get_ready(self) -> None:
        """Build now what the first text would have to wait for, for processes that judge texts."""
        self._glance.get_ready()

    def rules(self) -> Mapping[str, RuleInfo]:
        """Return every rule by its id."""
        return self._rules

    def faults(self, message: ArrivingText) -> Sequence[Finding]:
        """Return the faults that stop a message. A good message is judged quickly."""
        findings = self._of_content(message)
        if self._must_be_read(message.text, message.language, signed=True):
            findings += self._read_message(message, self._folding.fold(message.text))
        return findings

    @cached_property
    def _told_apart(self) -> frozenset[str]:
        """Made for the first name: the characters that a rule looks for."""
        return told_apart(self._glance, self._phrases.values())

    def shape_of_name(self, name: str) -> str:
        """Return the shape of a masked name (`shapes`)."""
        return shape_of_name(name, self._told_apart)

    def is_faultless_in_shape(self, shape: ArrivingText, places: Mapping[str, int]) -> bool:
        """
        Tell whether every message of a shape is surely faultless; if not, each has to be judged by itself.

        `places` tells where in the text each value stands.
        """
        return (
            is_neutral(self._told_apart)
            and is_complete(shape, self._phrases.get(shape.language, NO_PHRASES))
            and values_stand_alone(shape, places)
            and not self._must_be_read(shape.text, shape.language, signed=True)
        )

    def findings(self, message: ArrivingText) -> Sequence[Finding]:
        """Return the faults that stop a message, and the doubts that a person should check."""
        folded = self._folding.fold(message.text)
        return [
            *self._of_content(message),
            *self._read_message(message, folded),
            *self._warning.findings(self._without_name(message, folded), message.values),
        ]

    def channel_faults(self, message: ArrivingText) -> Sequence[Finding]:
        """
        Return the faults that stop a message of another channel than SMS: a mail's body, a bubble, a filled template.

        The rules are those of an SMS but for two: the sender may be named anywhere, because the head of the message
        shows who sends it, and English may leave the GSM alphabet.
        """
        phrases = self._phrases.get(message.language, NO_PHRASES)
        findings = [found(info, wrong) for info, check in CHANNEL_CHECKS if (wrong := check(message))]
        findings += [found(info, wrong) for info, check in PHRASE_CHECKS if (wrong := check(message, phrases))]
        if self._must_be_read(message.text, message.language, signed=True):
            findings += self._read_message(message, self._folding.fold(message.text), gsm=False)
        return findings

    def disclosures(
        self, text: str, language: str, values: Mapping[str, str], full_name: str = ""
    ) -> Sequence[Finding]:
        """
        Return the faults that stop what others may see or hear: a subject, the line beside it, a spoken text.

        It may say who writes and whom to call, the values `sender` and `hotline`, and nothing of a debt: no word of
        the list, no number, no name. What no other wording may hold, it may not hold either, nor a word that would be
        a doubt elsewhere, such as "urgent": nobody is there to settle it.
        """
        rest = disclosure.without_lenders_words(text, values)
        checks = (
            (disclosure.DISCLOSED_NUMBER, disclosure.number_disclosed(rest)),
            (disclosure.DISCLOSED_NAME, disclosure.name_disclosed(rest, full_name, values.get("name", ""))),
        )
        folded = self._folding.fold(rest)
        return [
            *(found(info, wrong) for info, wrong in checks if wrong),
            *self._open_words.findings(folded, _NO_VALUES),
            *self._open_senders.findings(self._folding.fold(values.get("sender", "")), _NO_VALUES),
            *_of_characters(text, language, signed=False, gsm=False),
            *self._links.findings(rest, folded, allowed=False, own=()),
            *self._blocking.findings(folded, _NO_VALUES),
            *self._warning.findings(folded, _NO_VALUES),
        ]

    def wording_faults(
        self, text: str, language: str, *, links_allowed: bool = False, link_domains: Collection[str] = ()
    ) -> Sequence[Finding]:
        """
        Return the faults that stop a wording: a text before it is filled in, a phrase, or a lender's own words.

        Words, characters and links are judged, content is not. It must not bring a signature 【…】 of its own.
        """
        if not self._must_be_read(text, language, signed=False):
            return []
        folded = self._folding.fold(text)
        return [
            *_of_characters(text, language, signed=False),
            *self._links.findings(text, folded, allowed=links_allowed, own=link_domains),
            *self._blocking.findings(folded, _NO_VALUES),
        ]

    def wording(
        self, text: str, language: str, *, links_allowed: bool = False, link_domains: Collection[str] = ()
    ) -> Sequence[Finding]:
        """Return the faults of a wording, as `wording_faults` does, and the doubts that a person should check."""
        faults = self.wording_faults(text, language, links_allowed=links_allowed, link_domains=link_domains)
        return [*faults, *self._warning.findings(self._folding.fold(text), _NO_VALUES)]

    def names_customers(self, language: str) -> bool:
        """Tell whether texts in a language name the customer: whether it has a decent mask."""
        return self._phrases.get(language, NO_PHRASES).names

    def phrasing_faults(self, text: str, language: str) -> Sequence[Finding]:
        """
        Return where a wording is a telegram and no sentence, such as a verb without its object.

        Asked when a wording is loaded, and not again: what is filled in changes nothing about it.
        """
        return [
            found(phrasing.info, f"leaves {match[0].strip()!r} unfinished: {phrasing.info.rule}")
            for phrasing in self._phrasings
            if phrasing.language == language
            for pattern in phrasing.patterns
            if (match := re.search(pattern, text))
        ]

    def _of_content(self, message: ArrivingText) -> list[Finding]:
        phrases = self._phrases.get(message.language, NO_PHRASES)
        if is_complete(message, phrases):
            return []
        findings = [found(info, wrong) for info, check in CHECKS if (wrong := check(message))]
        for info, check in PHRASE_CHECKS:
            if wrong := check(message, phrases):
                findings.append(found(info, wrong))
        return findings

    def _must_be_read(self, text: str, language: str, *, signed: bool) -> bool:
        if not text.isascii():
            if language == "en" and text[0] != "【":
                return True
            in_front = signed and text[0] == "【"
            if text.rfind("【") > (0 if in_front else -1) or text.count("】") != in_front:
                return True
        return self._glance.must_be_read(text)

    def _read_message(self, message: ArrivingText, folded: str, *, gsm: bool = True) -> Iterator[Finding]:
        text, values = message.text, message.values
        yield from _of_characters(text, message.language, signed=True, gsm=gsm)
        if not long_number_in(text, values):  # a number may be written in another form
            folded_values = {name: self._folding.fold(value) for name, value in values.items()}
            if wrong := long_number_in(folded, folded_values):
                yield found(LONG_NUMBER, wrong)
        yield from self._links.findings(text, folded, allowed=message.links_allowed, own=message.link_domains)
        yield from self._blocking.findings(self._without_name(message, folded), values)

    def _without_name(self, message: ArrivingText, folded: str) -> str:
        """Return the folded text without the masked name, whose mask would be read over: 公*安 is a person."""
        name = message.values.get("name", "")
        return folded.replace(self._folding.fold(name), ";") if "*" in name else folded


def _of_characters(text: str, language: str, *, signed: bool, gsm: bool = True) -> Iterator[Finding]:
    # Imported here: its patterns take long to compile, and no faultless text needs them.
    from dunning.domain.texts.lint import character_rules  # noqa: PLC0415

    checks = (
        (character_rules.HIDDEN, character_rules.hidden(text)),
        (character_rules.REFUSED, character_rules.refused(text)),
        (character_rules.SIGNATURE, character_rules.misplaced_signature(text, signed=signed)),
        (character_rules.NOT_GSM, character_rules.not_gsm(text, language) if gsm else ""),
        (character_rules.MIXED, character_rules.mixed_alphabets(text)),
    )
    for info, wrong in checks:
        if wrong:
            yield found(info, wrong)
