"""Waiting for a person, cases, and all that changes something: sending, holds and releases, erasures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from dunning.console.http_messages import PageAnswer
from dunning.console.visits import Desk, View, Visit, day_written
from dunning.domain.replies.intents import Band
from dunning.ports.attention import WaitingCustomer
from dunning.services.console.audited import LookAct
from dunning.services.console.outcomes import (
    CONFIRMATION,
    ERASURE_REASONS,
    HOLD_REASONS,
    LONGEST_NOTE,
    LONGEST_REASON,
    SHORTEST_REASON,
    ActRefusedError,
    Outcome,
    OutcomeForm,
    what_follows,
)
from dunning.services.console.shown import CodeShown, SentenceShown

if TYPE_CHECKING:
    from dunning.evidence.customer_evidence import Evidence
    from dunning.services.console.life_entries import EntryView

_REPLIES = 10
"""Replies of a case that are shown, the newest first."""

_MICROS = 10**6
_MOST_DIGITS = 16

_LABELS = (
    "paid", "promise", "hardship", "dispute", "question", "acknowledged", "opt_out", "refusal", "wrong_person",
    "deceased", "represented", "complaint", "distress", "suspicion", "opt_in", "auto_reply", "chat",
)  # fmt: skip
"""What a reply may mean, the most frequent first."""

DONE = frozenset({
    "gave_back", "noted", "labelled", "held", "released", "asked_erasure", "withdrew_erasure", "confirmed_erasure",
    "paused", "resumed",
})  # fmt: skip
"""What a page may say that was done. An address is no place for other words."""


def acts_shown(desk: Desk, visit: Visit, evidence: Evidence) -> Mapping[str, object]:
    """Return what `customer_acts.html` shows of the customer whom the page is about."""
    from dunning.services.console.waiting_list import suggestion  # noqa: PLC0415 - loaded with the acts

    acts = desk.services.acts().cases.acts(visit.viewer, evidence)
    return {
        "acts": acts,
        "suggestion": CodeShown("suggest", suggestion(why.code for why in acts.waits)) if acts.waits else None,
        "outcomes": tuple(Outcome),
        "hold_reasons": HOLD_REASONS,
        "erasure_reasons": ERASURE_REASONS,
        "labels": _LABELS,
        "longest_note": LONGEST_NOTE,
        "done": _done(visit),
    }


def _done(visit: Visit) -> str:
    done = visit.request.query.get("done", "")
    return done if done in DONE else ""


type _Again = Callable[[int, SentenceShown], PageAnswer]
"""Shows a page again whose form was refused, with what was written in it: its status, and why it was refused."""


def _tried(
    desk: Desk, visit: Visit, act: Callable[[], None], then: str, back: str, again: _Again | None = None
) -> PageAnswer:
    """Do something, and go on to a page; or say why it was not done: on the page again, or with the way back."""
    try:
        act()
    except ActRefusedError as error:
        cause = error.__cause__
        if isinstance(cause, Exception):
            desk.services.unexpected(cause)
        status = 503 if cause else 409
        return again(status, error.why) if again else desk.page(visit, "refused", status, why=error.why, back=back)
    return desk.to(then)


def _page_of(visit: Visit, base: str = "waiting") -> str:
    return f"/{base}/{visit.parts['customer_id']}"


# ------------------------------------------------------------------ waiting


def position_written(after: WaitingCustomer) -> str:
    """Write where a page begins, for an address: an id and a moment, and nothing of the person."""
    return f"{int(after.urgent)}.{int(after.since.timestamp() * _MICROS)}.{after.customer_id}"


def position_read(written: str) -> WaitingCustomer | None:
    """Read where a page begins; `None` if it is something else."""
    urgent, _, rest = written.partition(".")
    micros, _, customer_id = rest.partition(".")
    if urgent not in {"0", "1"} or not micros.isdigit() or len(micros) > _MOST_DIGITS or not customer_id:
        return None
    since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(micros))
    return WaitingCustomer(customer_id, since, urgent == "1")


def _show_waiting(desk: Desk, visit: Visit) -> PageAnswer:
    query = visit.request.query
    desk.services.audit.take_down(visit.viewer, LookAct.LISTED, subject_matter="waiting")
    view = desk.services.acts().waiting.view(
        visit.viewer, query.get("lender", ""), position_read(query.get("after", ""))
    )
    after = position_written(view.after) if view.after else ""
    closed = query.get("closed", "")
    closed = closed if closed in Outcome else ""
    follows = what_follows(Outcome(closed), day_written(query.get("until", ""))) if closed else None
    return desk.page(
        visit, "waiting", zone=view.zone, view=view, after=after, done=_done(visit), closed=closed, follows=follows
    )


def _show_case(desk: Desk, visit: Visit) -> PageAnswer:
    return _case_page(desk, visit, 200, None)


def _case_page(desk: Desk, visit: Visit, status: int, refused: SentenceShown | None) -> PageAnswer:
    """Show a case; with what a form of it has brought, if it was refused."""
    from dunning.services.console.life_entries import LifePage  # noqa: PLC0415 - with the page alone

    looked_at = desk.services.customers().look(visit.viewer, visit.parts["customer_id"], LifePage(kind="reply"))
    if looked_at is None:
        return desk.problem(visit, 404, "no_customer")
    view, evidence = looked_at
    replies = [_reply_read(entry) for entry in view.life.entries]
    filled = visit.request.form if refused else {}
    return desk.page(
        visit, "case", status, view.zone, view=view, replies=replies[:_REPLIES], refused=refused, filled=filled,
        **acts_shown(desk, visit, evidence),
    )  # fmt: skip


class _ReplyRead(NamedTuple):
    """A reply in the timeline: its id, what the reader took it for, and whether the reader was unsure."""

    entry: EntryView
    reply_id: str
    guesses: tuple[CodeShown, ...]
    is_unsure: bool


def _reply_read(entry: EntryView) -> _ReplyRead:
    details = dict(entry.details)
    understood, certainty = details.get("understood"), details.get("certainty")
    guesses = tuple(understood) if isinstance(understood, tuple) and not isinstance(understood, CodeShown) else ()
    is_unsure = certainty != CodeShown("band", Band.SURE.value)
    return _ReplyRead(entry, entry.reveals.removeprefix("reply#"), guesses, is_unsure)


def _take(desk: Desk, visit: Visit) -> PageAnswer:
    cases, page = desk.services.acts().cases, _page_of(visit)
    return _tried(desk, visit, lambda: cases.take(visit.viewer, visit.parts["customer_id"]), page, "/waiting")


def _give_back(desk: Desk, visit: Visit) -> PageAnswer:
    cases, page = desk.services.acts().cases, _page_of(visit)
    return _tried(
        desk,
        visit,
        lambda: cases.give_back(visit.viewer, visit.parts["customer_id"]),
        "/waiting?done=gave_back",
        page,
    )


def _note(desk: Desk, visit: Visit) -> PageAnswer:
    cases, page = desk.services.acts().cases, _page_of(visit)
    text = visit.request.form.get("text", "")
    return _tried(
        desk,
        visit,
        lambda: cases.note(visit.viewer, visit.parts["customer_id"], text),
        f"{page}?done=noted#notes",
        page,
        partial(_case_page, desk, visit),
    )


def _label(desk: Desk, visit: Visit) -> PageAnswer:
    cases, page, form = desk.services.acts().cases, _page_of(visit), visit.request.form
    intents = [intent for intent in form.get("intent", "").split(",") if intent]
    return _tried(
        desk,
        visit,
        lambda: cases.label(
            visit.viewer,
            visit.parts["customer_id"],
            form.get("reply", ""),
            list(dict.fromkeys(intents)),
            day_written(form.get("promised_on", "")),
        ),
        f"{page}?done=labelled",
        page,
    )


def _close(desk: Desk, visit: Visit) -> PageAnswer:
    cases, page, form = desk.services.acts().cases, _page_of(visit), visit.request.form
    if form.get("until", "") and day_written(form["until"]) is None:
        return _case_page(desk, visit, 400, SentenceShown("problem.no_day"))
    written = OutcomeForm(
        outcome=form.get("outcome", ""),
        until=day_written(form.get("until", "")),
        reply_id=form.get("reply", ""),
        reason=form.get("reason", ""),
    )
    return _tried(
        desk,
        visit,
        lambda: cases.close(visit.viewer, visit.parts["customer_id"], written),
        f"/waiting?closed={written.outcome}{f'&until={written.until.isoformat()}' if written.until else ''}",
        page,
        partial(_case_page, desk, visit),
    )


# ------------------------------------------------------------------ acts on a customer


def _hold(desk: Desk, visit: Visit) -> PageAnswer:
    cases, page, form = desk.services.acts().cases, _page_of(visit, "customers"), visit.request.form
    until = form.get("until", "")
    day = day_written(until)
    if until and day is None:
        return desk.problem(visit, 400, "no_day")
    return _tried(
        desk,
        visit,
        lambda: cases.hold(visit.viewer, visit.parts["customer_id"], form.get("reason", ""), day),
        f"{page}?done=held#acts",
        page,
    )


def _release(desk: Desk, visit: Visit) -> PageAnswer:
    cases, page = desk.services.acts().cases, _page_of(visit, "customers")
    reason = visit.request.form.get("reason", "")
    return _tried(
        desk,
        visit,
        lambda: cases.release(visit.viewer, visit.parts["customer_id"], reason),
        f"{page}?done=released#acts",
        page,
    )


def _ask_erasure(desk: Desk, visit: Visit) -> PageAnswer:
    erasures, page = desk.services.acts().erasures, _page_of(visit, "customers")
    reason = visit.request.form.get("reason", "")
    return _tried(
        desk,
        visit,
        lambda: erasures.ask(visit.viewer, visit.parts["customer_id"], reason),
        "/erasures?done=asked_erasure",
        page,
    )


def _show_erasures(desk: Desk, visit: Visit) -> PageAnswer:
    rows = desk.services.acts().erasures.rows(visit.viewer)
    return desk.page(visit, "erasures", rows=rows, done=_done(visit))


def _confirm_erasure(desk: Desk, visit: Visit) -> PageAnswer:
    erasures, version = desk.services.acts().erasures, visit.request.form.get("version", "")
    is_sure = visit.request.form.get("sure", "") == "yes"
    return _tried(
        desk,
        visit,
        lambda: erasures.confirm(visit.viewer, visit.parts["customer_id"], version, is_sure=is_sure),
        "/erasures?done=confirmed_erasure",
        "/erasures",
    )


def _withdraw_erasure(desk: Desk, visit: Visit) -> PageAnswer:
    erasures, version = desk.services.acts().erasures, visit.request.form.get("version", "")
    return _tried(
        desk,
        visit,
        lambda: erasures.withdraw(visit.viewer, visit.parts["customer_id"], version),
        "/erasures?done=withdrew_erasure",
        "/erasures",
    )


# ------------------------------------------------------------------ sending


def _show_sending(desk: Desk, visit: Visit) -> PageAnswer:
    return _sending_page(desk, visit, 200, None)


def _sending_page(desk: Desk, visit: Visit, status: int, refused: SentenceShown | None) -> PageAnswer:
    """Show the switch; with what its form has brought, if it was refused."""
    return desk.page(
        visit,
        "sending",
        status,
        refused=refused,
        filled=visit.request.form if refused else {},
        view=desk.services.acts().sending.view(),
        word=CONFIRMATION,
        shortest=SHORTEST_REASON,
        longest=LONGEST_REASON,
        done=_done(visit),
    )


def _pause(desk: Desk, visit: Visit) -> PageAnswer:
    sending, form = desk.services.acts().sending, visit.request.form
    return _tried(
        desk,
        visit,
        lambda: sending.pause(visit.viewer, form.get("reason", "")),
        "/sending?done=paused",
        "/sending",
        partial(_sending_page, desk, visit),
    )


def _resume(desk: Desk, visit: Visit) -> PageAnswer:
    sending, form = desk.services.acts().sending, visit.request.form
    return _tried(
        desk,
        visit,
        lambda: sending.resume(visit.viewer, form.get("reason", ""), form.get("typed", "")),
        "/sending?done=resumed",
        "/sending",
        partial(_sending_page, desk, visit),
    )


VIEWS: Mapping[str, View] = {
    "waiting": _show_waiting,
    "case": _show_case,
    "take": _take,
    "give_back": _give_back,
    "note": _note,
    "label": _label,
    "close": _close,
    "hold": _hold,
    "release": _release,
    "ask_erasure": _ask_erasure,
    "erasures": _show_erasures,
    "confirm_erasure": _confirm_erasure,
    "withdraw_erasure": _withdraw_erasure,
    "sending": _show_sending,
    "pause": _pause,
    "resume": _resume,
}
"""The views by the names that routes have for them."""
