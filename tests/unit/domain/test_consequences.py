"""The table of consequences: a row for each intent, and what the rules for replies really do."""

import pytest

from dunning.domain.customer.facts import FINAL_HOLDS, Hold, HoldReason
from dunning.domain.customer.standing import PaymentStatement, Standing
from dunning.domain.outbound_events import ReviewReason
from dunning.domain.replies.consequences import CONSEQUENCES, Consequence, Silence
from dunning.domain.replies.intents import QUIET_INTENTS, Band, ParsedReply, ReplyIntent
from dunning.domain.replies.reply_effects import ReplyLimits, apply_reply
from tests.support.builders import a_customer, a_standing, an_account, an_instalment, day, taipei

SAID_AT = taipei("2026-12-10 11:00")
TODAY = day("2026-12-10")
LIMITS = ReplyLimits(grace_days=6, question_days=1, doubt_days=5, refusal_ends_contact=False)
GRACE, QUESTION, DOUBT, PROMISED = day("2026-12-16"), day("2026-12-11"), day("2026-12-17"), day("2026-12-20")
OVERDUE = a_customer(an_account(an_instalment("2026-12-01")))

UNTIL = {
    Silence.UNTIL_RELEASED: None,
    Silence.UNTIL_CONFIRMED: None,
    Silence.CONTACT_ENDS: None,
    Silence.CONTACT_ENDS_BY_LAW: None,
    Silence.QUESTION_DAYS: QUESTION,
    Silence.DOUBT_DAYS: DOUBT,
}
"""The end of the hold behind each silence that is a hold."""
STATEMENT = {
    Silence.UNTIL_PAID: (HoldReason.SAYS_PAID, GRACE),
    Silence.UNTIL_PROMISED_DAY: (HoldReason.PROMISE, PROMISED),
}


def _expected(consequence: Consequence, *, in_doubt: bool) -> Standing:
    """Return the standing that a row of the table promises."""
    silence = consequence.silence
    holds = {Hold(HoldReason.DOUBT, DOUBT, SAID_AT)} if in_doubt else set()
    if consequence.hold is not None:
        holds.add(Hold(consequence.hold, UNTIL[silence], SAID_AT))
    statements = []
    if silence in STATEMENT:
        reason, until = STATEMENT[silence]
        promised = reason is HoldReason.PROMISE
        statements.append(
            PaymentStatement(
                reason=reason, said_at=SAID_AT, day=TODAY, until=until, accounts=("A1",), about=("A1#1",),
                silent_until=QUESTION if promised else None,
            )
        )  # fmt: skip
    return a_standing(
        opted_out_at=SAID_AT if silence is Silence.OPTED_OUT else None,
        opted_in_at=SAID_AT if silence is Silence.OPTED_IN else None,
        holds=tuple(sorted(holds, key=lambda hold: hold.reason.value)),
        payment_statements=tuple(statements),
    )


@pytest.mark.parametrize("band", [Band.SURE, Band.LIKELY])
@pytest.mark.parametrize("intent", ReplyIntent)
def test_each_row_is_what_follows_from_a_reply(intent: ReplyIntent, band: Band) -> None:
    consequence = CONSEQUENCES[intent].of(band)
    sure, likely = ((intent,), ()) if band is Band.SURE else ((), (intent,))
    effect = apply_reply(OVERDUE, a_standing(), ParsedReply(sure, PROMISED, "", likely), SAID_AT, TODAY, LIMITS)
    in_doubt = band is Band.LIKELY or consequence.silence is Silence.DOUBT_DAYS
    after = effect.standing
    assert a_standing(
        opted_out_at=after.opted_out_at,
        opted_in_at=after.opted_in_at,
        holds=after.holds,
        payment_statements=after.payment_statements,
    ) == _expected(consequence, in_doubt=in_doubt)
    assert bool(after.promises) is (consequence.silence is Silence.UNTIL_PROMISED_DAY)
    assert effect.needs == ((consequence.review,) if consequence.review else ())
    assert effect.in_doubt is in_doubt


def test_there_is_a_row_for_each_intent_in_their_order() -> None:
    assert list(CONSEQUENCES) == list(ReplyIntent)
    assert len({row.meaning for row in CONSEQUENCES.values()}) == len(ReplyIntent)


def test_nothing_final_follows_from_what_is_only_likely() -> None:
    for row in CONSEQUENCES.values():
        assert row.likely.hold not in FINAL_HOLDS
        assert row.likely.silence not in {Silence.OPTED_OUT, Silence.OPTED_IN, Silence.NOTHING_CHANGES}


def test_nothing_follows_only_from_what_asks_for_nothing() -> None:
    quiet = {intent for intent, row in CONSEQUENCES.items() if row.sure.silence is Silence.NOTHING_CHANGES}
    assert quiet == QUIET_INTENTS


def test_only_distress_is_urgent() -> None:
    urgent = {intent for intent, row in CONSEQUENCES.items() if "at once" in row.likely.words}
    assert urgent == {ReplyIntent.DISTRESS}
    assert CONSEQUENCES[ReplyIntent.DISTRESS].sure.review is ReviewReason.DISTRESS


def test_nothing_follows_from_an_intent_that_is_not_even_likely() -> None:
    assert CONSEQUENCES[ReplyIntent.DECEASED].of(Band.DOUBT) == Consequence(Silence.NOTHING_CHANGES)
