"""Waiting for a person: the customers of a lender or of all, in the order in which somebody should turn to them."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from dunning.domain.customer.lender_record import project_facts
from dunning.domain.decision.hours import working_day_after
from dunning.domain.decision.open_reviews import NOT_UNDERSTOOD, reviews_that_wait
from dunning.domain.outbound_events import ReviewReason
from dunning.ports.attention import AttentionList, WaitingCustomer
from dunning.ports.case_book import Case, CaseBook
from dunning.ports.clock import Clock
from dunning.ports.customers import CustomerStore, StoredCustomer
from dunning.ports.sessions import Viewer
from dunning.services.console.case_work import is_being_closed
from dunning.services.console.shown import CodeShown

PAGE = 30
"""Customers of a page: with more it would weigh more than 30 KB."""

UNTOUCHED_FOR = 2
"""Working days after which a customer whom nobody has turned to comes first."""

SUGGESTIONS: Mapping[str, str] = {
    ReviewReason.DISTRESS: "call_at_once",
    NOT_UNDERSTOOD: "read_reply",
    ReviewReason.OPT_OUT: "confirm_opt_out",
    ReviewReason.WRONG_PERSON: "confirm_end",
    ReviewReason.DECEASED: "confirm_end",
    ReviewReason.REPRESENTED: "confirm_end",
    ReviewReason.HARDSHIP: "talk",
    ReviewReason.DISPUTE: "talk",
    ReviewReason.COMPLAINT: "talk",
    ReviewReason.REFUSAL: "talk",
    ReviewReason.SUSPICION: "talk",
    ReviewReason.QUESTION: "talk",
    ReviewReason.PROMISE_UNCLEAR: "agree_day",
    ReviewReason.PROMISED_BEFORE: "agree_day",
    ReviewReason.SHARED_PHONE: "check_number",
    ReviewReason.NUMBER_REFUSED: "check_number",
    ReviewReason.NO_CHANNEL: "find_address",
    ReviewReason.LADDER_FINISHED: "take_over",
    ReviewReason.UNANSWERED: "call_silent",
    ReviewReason.NO_WRITTEN_NOTICE: "send_notice",
    ReviewReason.NO_CONSENT: "ask_consent",
    ReviewReason.UNKNOWN_LENDER: "correct_file",
    ReviewReason.UNKNOWN_JURISDICTION: "correct_file",
    ReviewReason.UNKNOWN_TIME_ZONE: "correct_file",
    ReviewReason.UNKNOWN_CURRENCY: "correct_file",
    ReviewReason.TEXT_REFUSED: "correct_file",
    ReviewReason.COUNTRY_NOT_ALLOWED: "change_policy",
    ReviewReason.STORED_ELSEWHERE: "change_policy",
    ReviewReason.NO_LAWFUL_MOMENT: "change_policy",
    ReviewReason.NO_TEXT: "change_policy",
    ReviewReason.TEXT_TOO_LONG: "change_policy",
    ReviewReason.TEMPLATE_NOT_REGISTERED: "change_policy",
}
"""What the system suggests, by what waits, the most pressing first."""

_UNREADABLE = "call_engineer"
_IN_ORDER = {why: number for number, why in enumerate(SUGGESTIONS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """
    A customer who waits: ids and codes alone.

    `is_untouched` says that for two working days nobody has done anything. `reply_id` names the newest reply that
    waits, and `next_at` is when the system looks again by itself. `closed` is the outcome of a case closed just now;
    `closed_in_vain` that of a case closed earlier, which has not arrived.
    """

    customer_id: str
    lender: str
    since: datetime
    is_urgent: bool
    is_untouched: bool
    whys: tuple[CodeShown, ...]
    reply_id: str
    suggestion: CodeShown
    next_at: datetime | None
    holder: str
    is_mine: bool
    taken_at: datetime | None
    closed: CodeShown | None
    closed_in_vain: CodeShown | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    """
    A page of the list. `lender` is empty for all; local times are those of `zone`.

    `after` is where the next page begins. There are pages of one lender alone: of all the first customers are shown.
    """

    lender: str
    lenders: tuple[str, ...]
    zone: ZoneInfo
    now: datetime
    rows: tuple[WaitingRow, ...]
    urgent: int
    untouched: int
    mine: int
    has_more: bool
    after: WaitingCustomer | None
    is_first_page: bool


class WaitingService:
    """
    Reads the attention index, the standings and the cases.

    Args:
        attention: who waits.
        customers: all customers.
        cases: who has taken whom.
        clock: the time.
        zones: the zone of each lender, in the order of the lenders.
        holidays: the public holidays where a lender is at home.
    """

    def __init__(
        self,
        *,
        attention: AttentionList,
        customers: CustomerStore,
        cases: CaseBook,
        clock: Clock,
        zones: Callable[[], Mapping[str, ZoneInfo]],
        holidays: Callable[[str], Container[date]],
    ) -> None:
        self._attention = attention
        self._customers = customers
        self._cases = cases
        self._clock = clock
        self._zones = zones
        self._holidays = holidays

    def view(self, viewer: Viewer, lender: str, after: WaitingCustomer | None) -> WaitingView:
        """Return the customers who wait behind `after`, or the first: urgent, then untouched, then by their age."""
        zones = self._zones()
        chosen = [lender] if lender in zones else list(zones)
        now = self._clock.now()
        after = after if len(chosen) == 1 else None
        # One more than a page says whether there is another page. The sort keeps the index's order of equal times.
        found = sorted(
            (
                (each, waiting)
                for each in chosen
                for waiting in self._attention.waiting_customers(each, PAGE + 1, after)
            ),
            key=lambda pair: (not pair[1].urgent, pair[1].since),
        )
        page = dict.fromkeys(waiting.customer_id for _, waiting in islice(found, PAGE))
        stored = self._customers.load_stored(list(page)) if page else {}
        cases = self._cases.cases(page)
        rows: list[WaitingRow] = []
        for each, waiting in found[:PAGE]:
            customer = stored[waiting.customer_id]
            case = cases.get(waiting.customer_id, Case(customer_id=waiting.customer_id))
            row = self._row(
                viewer, each, waiting, customer if isinstance(customer, StoredCustomer) else None, case, now
            )
            if row is not None:
                rows.append(row)
        rows.sort(key=_turn)
        return WaitingView(
            lender=lender if lender in zones else "",
            lenders=tuple(zones),
            zone=zones[chosen[0]] if chosen else ZoneInfo("UTC"),
            now=now,
            rows=tuple(rows),
            urgent=sum(row.is_urgent for row in rows),
            untouched=sum(row.is_untouched for row in rows),
            mine=sum(row.is_mine for row in rows),
            has_more=len(found) > PAGE,
            after=found[PAGE - 1][1] if len(found) > PAGE and len(chosen) == 1 else None,
            is_first_page=after is None,
        )

    def _row(
        self,
        viewer: Viewer,
        lender: str,
        waiting: WaitingCustomer,
        customer: StoredCustomer | None,
        case: Case,
        now: datetime,
    ) -> WaitingRow | None:
        """Return the row of a customer; `None` if the index is behind, and nothing waits any more."""
        standing = customer.standing if customer else None
        reviews = reviews_that_wait(standing) if standing else ()
        if customer and (not reviews or project_facts(customer.lender_record) is None):
            return None
        touched_at = max(filter(None, (waiting.since, case.touched_at)))
        has_holder = case.holder is not None
        was_closed = case.closed_at is not None and case.closed_at >= waiting.since and not has_holder
        is_closing = was_closed and is_being_closed(case, waiting.since, now)
        outcome = CodeShown("outcome", case.outcome)
        return WaitingRow(
            customer_id=waiting.customer_id,
            lender=lender,
            since=waiting.since,
            is_urgent=waiting.urgent and not is_closing,
            is_untouched=not is_closing and self._is_untouched(lender, touched_at, now),
            whys=tuple(dict.fromkeys(CodeShown("review", review.why) for review in reviews)),
            reply_id=next((review.reply_id for review in reversed(reviews) if review.reply_id), ""),
            suggestion=CodeShown("suggest", suggestion(review.why for review in reviews)),
            next_at=standing.wake.at if standing and standing.wake else None,
            holder=case.holder.subject if case.holder else "",
            is_mine=case.is_held_by(viewer),
            taken_at=case.taken_at,
            closed=outcome if is_closing else None,
            closed_in_vain=outcome if was_closed and not is_closing else None,
        )

    def _is_untouched(self, lender: str, touched_at: datetime, now: datetime) -> bool:
        """Tell whether two working days of the lender have passed since somebody did anything."""
        zone = self._zones().get(lender, UTC)
        local = touched_at.astimezone(zone)
        last = working_day_after(local.date(), UNTOUCHED_FOR, self._holidays(lender))
        return now >= datetime.combine(last, local.time(), zone)


def suggestion(whys: Iterable[str]) -> str:
    """Return the code of what the system suggests to whoever turns to a customer: by what presses most."""
    most_pressing = min(whys, key=lambda why: _IN_ORDER.get(why, len(_IN_ORDER)), default="")
    return SUGGESTIONS.get(most_pressing, _UNREADABLE)


def _turn(row: WaitingRow) -> tuple[bool, bool, bool, bool, datetime, str]:
    """Order rows: what cannot wait, what lies about, what is free or one's own, the rest; within each by age."""
    is_with_colleague = bool(row.holder) and not row.is_mine
    return (
        row.closed is not None,
        not row.is_urgent,
        not row.is_untouched,
        is_with_colleague,
        row.since,
        row.customer_id,
    )
