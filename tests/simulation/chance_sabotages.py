"""Sabotages of chance: slips that let a lot be drawn twice, kept from a record, or broken by a text."""

# ruff: noqa: SLF001 - a sabotage is planted in the middle of a class

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import standing_item
from dunning.domain.customer import standing as standings
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing
from dunning.domain.decision import chance
from dunning.domain.decision import decide as decisions
from dunning.domain.decision.decisions import Reason, Send
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.draws import is_held_out
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.texts.compose import draft
from dunning.services.send import claims, sender
from dunning.services.send.sender import SendService
from tests.simulation.chance_promises import (
    BEFORE_ITS_HOUR,
    CAP_OF_SILENCE,
    DRAWN_OTHERWISE,
    LEAK,
    LEFT_OUT,
    MISRECORDED,
    NOT_SILENT,
    OTHER_WORDS,
    TOO_EARLY,
)
from tests.simulation.planting import Sabotage, edited, patched
from tests.simulation.promises import (
    CLAIMED_TWICE,
    HARSHER,
    IN_SILENCE,
    LADDER,
    LOST_NEWS,
    SWITCHED_OFF,
    UNRECORDED,
)


def _leaves_out_before_the_caps(self: Any, moment: datetime) -> Any:  # noqa: ANN401
    """Draw the lot first: whoever is left out is asked for no cap."""
    shut = _shut_gate(self, moment)
    if shut is None or shut.reason is not Reason.PERSON_CAP:
        return shut
    lots = [is_held_out(each.salt, each.share_held_out, self.facts.customer_id, 0) for each in self.rules.holdouts]
    return None if any(lots) else shut


_shut_gate = decisions._Evaluation._shut_gate


def _leaves_the_ladder(
    standing: Standing, entry: LedgerEntry, reached: Mapping[str, Progress], remember: timedelta, facts: Facts
) -> Standing:
    after = _with_claim(standing, entry, reached, remember, facts)
    return replace(after, progress=standing.progress) if entry.is_held_out else after


_with_claim = standings.with_claim


def _claims_silence_anyway(
    self: DynamoCustomers, standing: Standing, *, expected_version: int, claim_id: str = ""
) -> bool:
    """Take a claim of which nobody hears for one that needs no condition."""
    if not (claim_id and standing.ledger[-1].is_held_out):
        return _save_standing(self, standing, expected_version=expected_version, claim_id=claim_id)
    self._client.put_item(TableName=self._table, Item=standing_item(standing, self._shards))
    return True


_save_standing = DynamoCustomers.save_standing


def _says_it_elsewhere(self: Any, now: datetime, steps: list[Any]) -> Any:  # noqa: ANN401
    """Leave out texts alone: what would go by another channel goes."""
    decision = _send(self, now, list(steps))
    if not isinstance(decision, Send) or decision.reminder.would_go_by in {"", Channel.SMS}:
        return decision
    rules = self.rules
    self.rules = replace(rules, trials=())
    message: Any = _send(self, now, list(steps))
    self.rules = rules
    return message._replace(reminder=message.reminder._replace(draws=decision.reminder.draws))


_send = decisions._Evaluation._send


def _repeats_nothing(rules: Any, customer_id: str, day: date, stages: Any, *, repeats: bool) -> Any:  # noqa: ANN401
    """Take a stage that did not arrive for any other."""
    del repeats
    return _draw_silence(rules, customer_id, day, stages, repeats=False)


def _looks_at_its_own_stages(
    rules: Any,  # noqa: ANN401
    customer_id: str,
    day: date,
    stages: Any,  # noqa: ANN401
    *,
    repeats: bool,
) -> Any:  # noqa: ANN401
    """Forget the stages that no holdout may leave out, where a text marks others beside them."""
    own = [stage for stage in stages if any(stage in holdout.stages for holdout in rules.holdouts)]
    return _draw_silence(rules, customer_id, day, own, repeats=repeats)


_draw_silence = chance.draw_silence


def _drafts_the_usual(*given: Any) -> Any:  # noqa: ANN401
    """Forget which wording was asked for."""
    return draft(*given[:5])


def _told_nothing(is_ignored: Callable[[TrialControl | None], bool]) -> Any:  # noqa: ANN401
    """Decide as if nothing held for the trials, where the control is of a kind that is ignored."""

    def begin(self: Any, facts: Any, standing: Any, rules: Any, *rest: Any) -> None:  # noqa: ANN401
        if rules.trials and is_ignored(rules.trial_control):
            rules = replace(rules, trial_control=TrialControl(lender=rules.lender))
        _begin(self, facts, standing, rules, *rest)

    return begin


_begin = decisions._Evaluation.__init__


CHANCE_SABOTAGES: tuple[Sabotage, ...] = (
    Sabotage(
        name="draw an arm that is paused",
        plant=patched(decisions._Evaluation, "__init__", _told_nothing(lambda control: control is not None)),
        scenario="chance x control: silence paused, then all drawn",
        breaks=(DRAWN_OTHERWISE,),
    ),
    Sabotage(
        name="draw although nobody can tell which arms are paused",
        plant=patched(decisions._Evaluation, "__init__", _told_nothing(lambda control: control is None)),
        scenario="chance x control unreadable",
        breaks=(DRAWN_OTHERWISE,),
    ),
    Sabotage(
        name="leave out by a holdout, and by no trial of texts",
        plant=edited(
            (
                decisions._Evaluation._send,
                "SILENCE in [draw.arm for draw in draws]",
                "draws[:1] and draws[0].arm == SILENCE and draws[0].layer == 'holdout'",
            )
        ),
        scenario="chance x rest",
        breaks=(LEAK,),
    ),
    Sabotage(
        name="draw before the caps are asked",
        plant=patched(decisions._Evaluation, "_shut_gate", _leaves_out_before_the_caps),
        scenario="chance x cap of a day",
        breaks=(TOO_EARLY,),
    ),
    Sabotage(
        name="write no record of a stage that is left out",
        plant=edited(
            (
                SendService._publish,
                "return held_out_record(facts, rules, entry, tuple(trace_of(decision)))",
                "return None",
            )
        ),
        scenario="chance",
        breaks=(UNRECORDED,),
    ),
    Sabotage(
        name="draw anew when a job is tried again",
        plant=edited(
            (
                decisions._Evaluation._drawn_for,
                "self.facts.customer_id",
                'self.facts.customer_id + "/2" * (self.standing.reason == Reason.CARRIER_BUSY)',
            ),
            (
                decisions._Evaluation._draw,
                "self.facts.customer_id, day",
                'self.facts.customer_id + "/2" * (self.standing.reason == Reason.CARRIER_BUSY), day',
            ),
        ),
        scenario="chance x drawn",
        breaks=(DRAWN_OTHERWISE,),
    ),
    Sabotage(
        name="draw at each stage who is held out",
        plant=edited(
            (
                decisions._Evaluation._draw,
                "self.facts.customer_id, day",
                'f"{self.facts.customer_id}{stage}", day',
            )
        ),
        scenario="chance x whole ladder",
        breaks=(DRAWN_OTHERWISE, LEAK),
    ),
    Sabotage(
        name="count a stage that was left out in the caps",
        plant=edited((decisions._Evaluation.__init__, "if entry.is_held_out:", "if False:")),
        scenario="chance x caps after silence",
        breaks=(CAP_OF_SILENCE,),
    ),
    Sabotage(
        name="mark no ladder where nothing was said",
        plant=patched(claims, "with_claim", _leaves_the_ladder),
        scenario="chance",
        breaks=(LADDER, CLAIMED_TWICE),
    ),
    Sabotage(
        name="let stages follow silence at once",
        plant=edited(
            (
                claims.with_reminder_claimed,
                "reminder.on, reached.due_on",
                "reached.due_on if entry.is_held_out else reminder.on, reached.due_on",
            )
        ),
        scenario="chance x long overdue",
        breaks=(HARSHER,),
    ),
    Sabotage(
        name="leave out texts, and no other message",
        plant=patched(decisions._Evaluation, "_send", _says_it_elsewhere),
        scenario="chance x channels",
        breaks=(LEAK,),
    ),
    Sabotage(
        name="leave out what has to be said again",
        plant=patched(decisions, "draw_silence", _repeats_nothing),
        scenario="chance x channels x repeat",
        breaks=(LEFT_OUT,),
    ),
    Sabotage(
        name="leave out a stage that is owed beside one that is not",
        plant=patched(decisions, "draw_silence", _looks_at_its_own_stages),
        scenario="chance x a stage that is owed",
        breaks=(LEFT_OUT,),
    ),
    Sabotage(
        name="leave out a stage although its channel is stopped",
        plant=edited((sender._channel_of, "reminder.would_go_by or reminder.channel", "reminder.channel")),
        scenario="chance x channels x LINE stopped",
        breaks=(SWITCHED_OFF,),
    ),
    Sabotage(
        name="record another probability than the draw had",
        plant=edited((claims.record_of_claim, "draws=entry.draws", 'draws=entry.draws.replace("0.5", "1")')),
        scenario="chance",
        breaks=(MISRECORDED,),
    ),
    Sabotage(
        name="lose the draw of a sender that dies",
        plant=edited(
            (
                claims.unknown_outcome_record,
                'lender=facts.lender if facts else "",',
                'lender=facts.lender if facts else "", draws="",',
            )
        ),
        scenario="chance x drawn",
        breaks=(MISRECORDED,),
    ),
    Sabotage(
        name="forget a draw at the next claim",
        plant=edited((standings.with_claim, "entry.at - past.at >= DRAWS_KEPT", "True")),
        scenario="chance x two stages at once",
        breaks=(DRAWN_OTHERWISE,),
    ),
    Sabotage(
        name="settle the first claim of a wake alone",
        plant=edited(
            (
                SendService._settle,
                "in claims_for_wake(standing, wake_at):",
                "in claims_for_wake(standing, wake_at)[:1]:",
            )
        ),
        scenario="chance x two stages at once",
        breaks=(UNRECORDED,),
    ),
    Sabotage(
        name="keep the first draw alone in the ledger",
        plant=edited(
            (claims.with_reminder_claimed, "draws_to_text(reminder.draws)", "draws_to_text(reminder.draws[:1])")
        ),
        scenario="chance x drawn",
        breaks=(DRAWN_OTHERWISE,),
    ),
    Sabotage(
        name="settle no claim of which nobody has heard",
        plant=edited(
            (
                SendService._settle,
                "in claims_for_wake(standing, wake_at):",
                "in [each for each in claims_for_wake(standing, wake_at) if not each.is_held_out]:",
            )
        ),
        scenario="chance",
        breaks=(UNRECORDED,),
    ),
    Sabotage(
        name="take the silence of a sender that dies for an unknown text",
        plant=edited(
            (
                claims.unknown_outcome_record,
                "ContactState.HELD_OUT if entry.is_held_out else ContactState.UNKNOWN",
                "ContactState.UNKNOWN",
            )
        ),
        scenario="chance",
        breaks=(NOT_SILENT,),
    ),
    Sabotage(
        name="claim silence without the version that was read",
        plant=patched(DynamoCustomers, "save_standing", _claims_silence_anyway),
        scenario="chance x reply opt_out",
        breaks=(IN_SILENCE, LOST_NEWS),
    ),
    Sabotage(
        name="forget the hour that was drawn",
        plant=edited((decisions._Evaluation._draw_hour, "self.preferred_minute = minute", "pass")),
        scenario="chance x drawn x before its hour",
        breaks=(BEFORE_ITS_HOUR,),
    ),
    Sabotage(
        name="say the usual words whatever was drawn",
        plant=patched(decisions, "draft", _drafts_the_usual),
        scenario="chance x drawn",
        breaks=(OTHER_WORDS,),
    ),
)
