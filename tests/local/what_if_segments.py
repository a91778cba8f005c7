"""The payer segments of a portfolio, and whether they stand for who somebody is: printed with a what-if."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from dunning.domain.customer.facts import open_instalments
from dunning.domain.decision.decide import payer_segment_in
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.payer_segments import proxy_check
from dunning.domain.texts.compose import language_of
from dunning.services.what_if import CustomerAtStart
from tests.local.report import table

_TRAITS = ("language", "place")


def segments_report(customers: Iterable[CustomerAtStart], policies: Policies, at: datetime) -> Iterator[str]:
    """Yield the lines on payer segments under a policy; nothing if no rule of it tells payers apart."""
    by_trait: dict[str, Counter[tuple[str, str]]] = {trait: Counter() for trait in _TRAITS}
    for customer in customers:
        rules = policies.rules_for(customer.facts, at)
        if not isinstance(rules, Rules) or not rules.segment_rules:
            continue
        segment = _segment_of(customer, rules)
        by_trait["language"][language_of(customer.facts, rules), segment] += 1
        by_trait["place"][rules.jurisdiction, segment] += 1
    segments: Counter[str] = Counter()
    for (_, segment), count in by_trait["place"].items():
        segments[segment] += count
    if not segments:
        return
    yield ""
    yield "PAYER SEGMENTS under the changed policy, as the comparison begins"
    yield from table(("", "customers"), [(name, f"{count:,}") for name, count in sorted(segments.items())], "<>")
    for trait, counts in by_trait.items():
        check = proxy_check(counts)
        finding = "LOOK AT THE RULES: they may stand for it" if check.is_proxy else "they do not stand for it"
        yield f"  With the {trait} they go together by {check.association:.2f} (0 not at all, 1 wholly): {finding}."


def _segment_of(customer: CustomerAtStart, rules: Rules) -> str:
    """Return the segment for the currency in which most is open, on the first channel of the ladder."""
    facts, standing = customer
    amounts: Counter[str] = Counter()
    for account in facts.accounts:
        left = open_instalments(account, rules.smallest_amounts.get(account.currency, 1))
        amounts[account.currency] += sum(each.open for each in left)
    ((currency, still_open),) = amounts.most_common(1) or [("", 0)]
    first = next((channels[0].channel for channels in rules.channels.values() if channels), Channel.SMS)
    return payer_segment_in(rules, facts, standing, currency, still_open, first)
