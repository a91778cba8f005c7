"""
Counters: what a change of a standing, of a contact or of a reply adds to the numbers of a day. Pure.

A counter has a name, and if it is counted by something, a colon and what that is: `wait:quiet_hours`. The customers
behind it are listed, unless it is a sum, or says more of texts that are listed by stage, or of what followed them
(`is_listed`).
"""

from collections.abc import Mapping
from datetime import datetime

from dunning.domain.customer.standing import RecentDecision, Standing
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.open_reviews import reviews_that_wait
from dunning.domain.decision.reviews import STOPS
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.replies.reply import Reply
from dunning.domain.text_effects import NOT_KNOWN, TextEffect, TextPart, name_of_effect

SUMS = frozenset({"segments", "price_micros", "billed_segments", "billed_micros"})
"""The counters that add up amounts: nobody in particular is behind them. Money is in millionths of a US dollar."""

NAMES: Mapping[str, str] = {
    "sent": "texts that the carrier took, by stage; `confirmation` answers an opt-out",
    "text": "texts that the carrier took, by template and version",
    "refused": "texts that the carrier refused for good",
    "unknown": "texts of which nobody knows whether the carrier took them",
    "delivered": "texts that arrived",
    "failed": "texts that did not arrive, by the class of the failure",
    "unconfirmed": "texts without a receipt after three days",
    "held_out": "stages at which nothing was sent, by lot",
    "segments": "segments of the texts that were taken by SMS, as estimated",
    "price_micros": "the carrier's fee for them, as estimated",
    "billed_segments": "segments that receipts say were billed",
    "billed_micros": "the fee that receipts say was billed",
    "wait": "decisions to wait, by reason",
    "stop": "decisions to stop, by reason",
    "opt_out": "customers who opted out of all texts",
    "promise_kept": "promises that were kept",
    "promise_broken": "promises that were broken",
    "needs_person": "customers who began to wait for a person, by the reason",
    "attended": "customers for whom nothing waits for a person any more",
    "reply": "replies, by what they seem to say; a reply that says two things counts twice",
    "replies": "replies of customers",
    "replies_of_nobody": "replies from numbers that no customer has",
    "labelled": "replies that a person labelled",
}
"""The counters that people see as they are, and what each counts, in words of developers."""

OF_TEXTS: Mapping[str, str] = {
    TextPart.HOUR.value: "reminders that the carrier took, by the hour where the customer lives",
    TextPart.PAYER.value: "reminders that the carrier took, by the payer segment of the customer",
    "confirmation": "those of `text` that are no reminders but answer an opt-out, by template and version",
    **{
        name_of_effect(effect, part): f"{effect} after a reminder, by its {part}"
        for effect in TextEffect
        for part in TextPart
    },
}
"""The counters of which rates are made (`effect_rates`), and what each counts. Nobody sees them as they are."""

_NOT_LISTED = frozenset({"text", *OF_TEXTS})


def is_listed(counter: str) -> bool:
    """Tell whether there is a list of the customers behind a counter."""
    return counter not in SUMS and counter.partition(":")[0] not in _NOT_LISTED


def changes_of_contact(old: Contact | None, new: Contact | None) -> Mapping[str, int]:
    """Return what a change of a contact counts for. A record that is replaced by itself counts for nothing."""
    if new is None:
        return {}
    counters: dict[str, int] = {}
    if old is None or _never_taken(old):
        counters |= _taken(new)
    if old is None or old.state is not new.state:
        counters |= _counted_outcome(new)
    if new.billed_parts and not (old and old.billed_parts):
        counters["billed_segments"] = new.billed_parts
        counters["billed_micros"] = new.billed_price_usd_micros
    return {name: number for name, number in counters.items() if number}


def _never_taken(contact: Contact) -> bool:
    return contact.state in {
        ContactState.HELD_OUT,
        ContactState.UNKNOWN,
        ContactState.REFUSED,
        ContactState.UNCONFIRMED,
    }


def _taken(contact: Contact) -> dict[str, int]:
    """Return what counts for a text that the carrier has taken."""
    if _never_taken(contact):
        return {}
    counters = {
        f"sent:{'confirmation' if contact.stage is None else contact.stage}": 1,
        "segments": contact.parts if contact.channel == Channel.SMS else 0,
        "price_micros": contact.price_usd_micros,
    }
    if contact.template:
        counters[f"text:{contact.template}"] = 1
    if contact.stage is None:
        return counters | ({f"confirmation:{contact.template}": 1} if contact.template else {})
    counters[f"hour:{NOT_KNOWN if contact.local_hour is None else contact.local_hour}"] = 1
    counters[f"payer:{contact.payer_segment or NOT_KNOWN}"] = 1
    return counters


def _counted_outcome(contact: Contact) -> dict[str, int]:
    match contact.state:
        case ContactState.SENT:
            return {}
        case ContactState.FAILED:
            return {f"failed:{contact.delivery_status or 'unclassified'}": 1}
        case state:
            return {state.value: 1}


def changes_of_reply(old: Reply | None, new: Reply | None) -> Mapping[str, int]:
    """Return what a change of a reply counts for."""
    if new is None:
        return {}
    counters: dict[str, int] = {}
    if old is None:
        counters["replies" if new.customer_id else "replies_of_nobody"] = 1
        counters |= {f"reply:{intent}": 1 for intent in new.intents}
    if new.labelled_at is not None and (old is None or old.labelled_at is None):
        counters["labelled"] = 1
    return counters


def changes_of_standing(old: Standing | None, new: Standing | None) -> Mapping[str, int]:
    """Return what a change of a standing counts for. Of an erased customer's standing nothing does."""
    if new is None:
        return {}
    counters: dict[str, int] = {}
    for decision in _new_decisions(old, new):
        name = _decision_counter(decision.reason, decision.until)
        counters[name] = counters.get(name, 0) + 1
    if _ended_by_a_text(old, new):
        counters[f"stop:{new.reason}"] = 1
    if new.is_opted_out and not (old and old.is_opted_out):
        counters["opt_out"] = 1
    waited, waits = _waits_for(old) if old else set(), _waits_for(new)
    counters |= {f"needs_person:{why}": 1 for why in sorted({why for why, _ in waits - waited})}
    counters["attended"] = int(bool(waited) and not waits)
    kept = _promises(new, kept=True) - (_promises(old, kept=True) if old else 0)
    broken = _promises(new, kept=False) - (_promises(old, kept=False) if old else 0)
    counters |= {"promise_kept": max(0, kept), "promise_broken": max(0, broken)}
    return {name: number for name, number in counters.items() if number}


def _new_decisions(old: Standing | None, new: Standing) -> list[RecentDecision]:
    """Return the decisions not to send that the old standing does not know."""
    known = set(old.recent) if old else set()
    return [decision for decision in new.recent if decision not in known]


def _ended_by_a_text(old: Standing | None, new: Standing) -> bool:
    """Tell whether the text of a claim was the last: what follows a claim is not among the recent decisions."""
    return (
        old is not None
        and new.recent == old.recent
        and new.reason != old.reason
        and new.wake is None
        and is_stop(new.reason, None)
    )


def is_stop(reason: str, until: datetime | None) -> bool:
    """Tell whether a decision not to send was a stop. A hold with an end is waited for."""
    if reason == Reason.ON_HOLD.value:
        return until is None
    return reason in Reason and Reason(reason) in STOPS


def _decision_counter(reason: str, until: datetime | None) -> str:
    return f"{'stop' if is_stop(reason, until) else 'wait'}:{reason}"


def _waits_for(standing: Standing) -> set[tuple[str, str]]:
    return {(review.why, review.reply_id) for review in reviews_that_wait(standing)}


def _promises(standing: Standing, *, kept: bool) -> int:
    return sum(promise.kept is kept for promise in standing.promises.values())
