"""
The gates, in their order: the conditions for sending a text.

`decide` follows this list, the page on the design shows it, and a test holds both against it. Of several shut gates the
decision names the first. So a person learns the most important reason: the customer's objection before a missing
consent, and a running hold before an unknown lender or time zone.
"""

from typing import NamedTuple

from dunning.domain.decision.decisions import Reason


class Gate(NamedTuple):
    """One condition, and the reasons a decision names when it does not hold."""

    condition: str
    reasons: frozenset[Reason]


GATES = (
    Gate("something is open", frozenset({Reason.NOTHING_OPEN})),
    Gate("sending is on", frozenset({Reason.SENDING_OFF})),
    Gate(
        "the customer is listed and does not object, a channel reaches them, and contact has not ended for good",
        frozenset(
            {
                Reason.OPTED_OUT,
                Reason.NOT_IN_LIST,
                Reason.NUMBER_REFUSED,
                Reason.SHARED_PHONE,
                Reason.NO_CHANNEL,
                Reason.BANKRUPT,
                Reason.DECEASED,
                Reason.REPRESENTED,
                Reason.WRONG_PERSON,
                Reason.CEASED,
            }
        ),
    ),
    Gate("a consent is on record where the place requires one", frozenset({Reason.NO_CONSENT})),
    Gate("no hold is running", frozenset({Reason.ON_HOLD})),
    Gate(
        "lender, jurisdiction, country and time zone are known, and data of the place may be stored here",
        frozenset(
            {
                Reason.UNKNOWN_LENDER,
                Reason.UNKNOWN_JURISDICTION,
                Reason.COUNTRY_NOT_ALLOWED,
                Reason.STORED_ELSEWHERE,
                Reason.UNKNOWN_TIME_ZONE,
            }
        ),
    ),
    Gate(
        "a stage is due, has the written notice it needs, and not too many were left unanswered",
        frozenset({Reason.NEXT_STAGE, Reason.LADDER_FINISHED, Reason.NO_WRITTEN_NOTICE, Reason.UNANSWERED}),
    ),
    Gate(
        "the calendar covers the day, and contact hours are open",
        frozenset({Reason.CALENDAR_NOT_COVERED, Reason.QUIET_HOURS, Reason.CLOSED_DAY, Reason.NO_LAWFUL_MOMENT}),
    ),
    Gate(
        "no frequency cap is reached, neither the person's nor the account's",
        frozenset({Reason.PERSON_CAP, Reason.ACCOUNT_CAP}),
    ),
    Gate("a channel that reaches the customer is open", frozenset({Reason.CHANNEL_SHUT})),
    Gate(
        "the text renders, is registered where it must be, fits, and passes the linter",
        frozenset(
            {
                Reason.NO_TEXT,
                Reason.UNKNOWN_CURRENCY,
                Reason.TEXT_REFUSED,
                Reason.TEXT_TOO_LONG,
                Reason.TEMPLATE_NOT_REGISTERED,
            }
        ),
    ),
    Gate("chance does not leave the stage out, where a trial runs", frozenset({Reason.HELD_OUT})),
)
"""Every gate, first to last. A reminder that passes all of them is sent (`Reason.DUE`)."""
