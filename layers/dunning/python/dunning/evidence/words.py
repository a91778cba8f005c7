"""What the codes of decisions, texts, replies and holds mean, in words a person reads."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from dunning.domain.customer.facts import FINAL_HOLDS, Facts, Hold
from dunning.domain.customer.standing import Standing, holds_now
from dunning.domain.delivery.channels import AddressKind, Channel

REASONS: Mapping[str, str] = {
    "due": "a reminder is due",
    "held_out": "nothing is sent, by lot, in a trial",
    "sending_off": "all sending is switched off",
    "on_hold": "a dispute, promise, hardship or other hold",
    "next_stage": "the next reminder is not due yet",
    "quiet_hours": "outside contact hours",
    "closed_day": "a day without contact",
    "person_cap": "enough texts to this person lately",
    "account_cap": "enough texts about this account lately",
    "channel_shut": "no channel that reaches the customer is open",
    "carrier_busy": "the carrier takes no more for the moment",
    "nothing_open": "everything is paid",
    "opted_out": "the customer wants no texts",
    "not_in_list": "the lender's whole list lacks the customer",
    "no_consent": "consent is required, none is on record",
    "number_refused": "the carrier refuses the number",
    "shared_phone": "another customer has the same number",
    "no_channel": "no channel reaches the customer",
    "deceased": "the customer has died",
    "bankrupt": "bankruptcy",
    "represented": "a lawyer speaks for the customer",
    "wrong_person": "the number is somebody else's",
    "ceased": "a refusal to pay: the law ends contact",
    "ladder_finished": "all reminders were sent: over to a person",
    "unanswered": "too many reminders without an answer",
    "no_written_notice": "a written notice has to come first",
    "unknown_lender": "no policy for this lender",
    "unknown_jurisdiction": "the law of the place is not known",
    "country_not_allowed": "the lender texts nobody in that country",
    "stored_elsewhere": "data may not be stored in this Region",
    "unknown_time_zone": "the time zone is not known",
    "unknown_currency": "the currency is not known",
    "calendar_not_covered": "the holiday calendar ends before that day",
    "no_lawful_moment": "no hour is lawful",
    "no_text": "no text for this stage and language",
    "text_refused": "the text could not be filled in",
    "text_too_long": "the text takes too many segments",
    "template_not_registered": "the text is not registered in that country",
    "unreadable_record": "the record cannot be read",
}
"""Each reason in words; the code stays beside them, as it is what files and logs say."""

BANDS: Mapping[str, str] = {
    "sure": "acted on",
    "likely": "silence, and a person confirms it",
    "doubt": "silence for some days, and a person reads it",
}
"""What follows from a reply that is read so certainly."""

STATES: Mapping[str, str] = {
    "held_out": "nothing was sent, by lot",
    "unknown": "no answer from the carrier: it may have arrived; it is not sent again",
    "sent": "taken by the carrier, which has not reported yet",
    "refused": "refused by the carrier at once, not sent",
    "unconfirmed": "the carrier has not reported for three days",
    "failed": "did not arrive",
    "delivered": "arrived",
}
"""What is known of a text, by the state of its contact."""


def understood(line: Mapping[str, Any]) -> str:
    """Say what was understood of a reply, and how certainly: each intent with its band."""
    heard_as = [
        *(f"{intent} (sure)" for intent in line["sure"]),
        *(f"{intent} (likely)" for intent in line["likely"]),
        *(f"{intent} (a guess)" for intent in line["guess"] if intent not in {*line["sure"], *line["likely"]}),
    ]
    return with_day(heard_as or ["nothing"], line["promised_on"])


def with_day(intents: Sequence[str], promised_on: str | None) -> str:
    """Name intents, and the day of a promise."""
    return ", ".join(intents) + (f", by {promised_on}" if promised_on else "")


def hold_in_words(hold: Hold, *, is_released: bool = False) -> str:
    """Say until when a hold silences the reminders, and why."""
    if is_released:
        return f"silent until a person released it ({hold.reason})"
    if hold.reason in FINAL_HOLDS:
        return f"no contact any more ({hold.reason})"
    until = f"through {hold.until}" if hold.until else "until a person releases it"
    return f"silent {until} ({hold.reason})"


def silences(facts: Facts, standing: Standing | None, today: date) -> Iterator[str]:
    """Yield what silences a customer on a local day, in words."""
    if facts.opted_out:
        yield "no text any more (the lender says: opted_out)"
    if facts.not_in_list_since is not None:
        yield "no text until a file names the customer again (not_in_list)"
    if standing is None:
        return
    if standing.is_opted_out:
        yield "no text any more (opt_out)"
    for account_id in standing.opted_out_accounts:
        if standing.is_opted_out_of(account_id):
            yield f"no text about {account_id} any more (opt_out)"
    if standing.is_suspended(facts):
        yield "the number is suspended until it is corrected (number_refused)"
    if standing.shares_address(facts):
        yield "another customer has the same number (shared_phone)"
    for channel in (each for each in Channel if each is not Channel.SMS):
        if standing.is_suspended(facts, channel):
            yield f"nothing by {channel.value}: the address was refused (number_refused)"
        if AddressKind.of(channel) is not AddressKind.NUMBER and standing.shares_address(facts, channel):
            yield f"nothing by {channel.value}: another customer has the same address (shared_phone)"
    lasting = {hold_in_words(hold) for hold in holds_now(facts, standing) if hold.until is None or hold.until >= today}
    yield from sorted(lasting)


def stage_name(stage: int | None) -> str:
    """Say a stage in words."""
    if stage is None:
        return "confirms an opt-out"
    if stage == 0:
        return "on the due date"
    return f"{abs(stage)} days {'before' if stage < 0 else 'after'}"
